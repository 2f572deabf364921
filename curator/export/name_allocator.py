"""Allocation of file names for an export: never one on disk, in the manifest or already given."""

from __future__ import annotations

import json
import stat
from collections.abc import Sequence
from enum import StrEnum

from curator import naming
from curator.export import manifest
from curator.export.manifest import Manifest
from curator.export.options import Options
from curator.export.sources import OutputFile
from curator.model import KnownError
from curator.opened_folder import OpenedFolder, OutsideError

INTENT = ".curator-export.json"  # the names a run is writing; removed when it is done


class FileAction(StrEnum):
    """The action planned for one file of the export folder."""

    WRITE = "write"
    KEEP = "keep"
    ADOPT = "adopt"  # an unfinished run may have written it: compare, and write if it differs
    REPLACE = "replace"  # write a file of an earlier run again, if nobody changed it since
    RENAME = "rename"


class NameAllocator:
    """Allocates file names without clashes, also on file systems that ignore case and accents."""

    def __init__(self, options: Options, known: Manifest, folder: OpenedFolder | None) -> None:
        """Read which names are taken.

        Args:
            options: the options of the export.
            known: the manifest of the folder.
            folder: the target folder, None if it does not exist yet.

        Raises:
            KnownError: the folder cannot be listed.
        """
        self._options, self._folder = options, folder
        self._taken = {naming.folded(name) for name in (manifest.NAME, INTENT)} | known.names()
        self._disk: dict[str, str] = {}
        self._intent: dict[str, list[str]] = {}
        if folder is None:
            return
        try:
            names = [self._inside(name) for name in folder.names(options.subfolder)]
        except OSError as error:
            raise KnownError(
                f"{options.folder} cannot be used ({error.strerror or error}).",
                "Choose a writable folder.",
            ) from error
        self._disk = {naming.folded(name): name for name in names}
        self._intent = _read_intent(folder)

    def _inside(self, name: str) -> str:
        return f"{self._options.subfolder}/{name}" if self._options.subfolder else name

    def allocate(
        self, stem: str, outputs: Sequence[OutputFile], own: Sequence[str | None] = ()
    ) -> list[tuple[str, FileAction]]:
        """Name the files of one photo, with the lowest common number that is free.

        Args:
            stem: the photo's name, made safe.
            outputs: the files; their endings differ.
            own: the name each file already has and may keep, if any.
        """
        kept = [naming.folded(name) if name else "" for name in own] or [""] * len(outputs)
        room = max((len(output.ending.encode()) for output in outputs), default=0)
        number = 1
        while True:
            names = [
                self._inside(
                    naming.joined(stem, number, output.ending, room - len(output.ending.encode()))
                )
                for output in outputs
            ]
            actions = [self._action(*each) for each in zip(outputs, names, kept, strict=True)]
            free = len({naming.folded(name) for name in names}) == len(names)
            if free and None not in actions:
                self._taken |= {naming.folded(name) for name in names}
                return [(name, act) for name, act in zip(names, actions, strict=True) if act]
            number += 1

    def _action(self, output: OutputFile, name: str, kept: str) -> FileAction | None:
        """Return what to do with a file of this name; None if the name is not free."""
        folded = naming.folded(name)
        if folded == kept:
            return FileAction.KEEP
        if folded in self._taken:
            return None
        if folded not in self._disk:
            return FileAction.WRITE
        if self._intent.get(name) == identity_of(output, self._options):
            return FileAction.ADOPT
        assert self._folder is not None
        status = self._folder.status(self._disk[folded])
        same = status and stat.S_ISREG(status.st_mode) and status.st_size == output.source.size
        return FileAction.ADOPT if same and output.edge is None else None


def identity_of(output: OutputFile, options: Options) -> list[str]:
    """Return what identifies a file to write, to recognize it after a run that was killed."""
    source = output.source.fingerprint or "" if options.public else str(output.source.path)
    return [source, options.rendering]


def _read_intent(folder: OpenedFolder) -> dict[str, list[str]]:
    """Return the names an unfinished run was writing, with what :func:`identity_of` returned."""
    try:
        found = json.loads(folder.read(INTENT) or b"{}")
    except (OSError, OutsideError, ValueError, RecursionError):
        return {}  # no unfinished run, or killed while writing this file: nothing to adopt
    return found if isinstance(found, dict) else {}

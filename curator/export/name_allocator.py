"""Which names an export may use: none that is on disk, in the manifest or given out already."""

from __future__ import annotations

import json
import stat
from collections.abc import Sequence
from enum import StrEnum

from curator.export import manifest, naming
from curator.export.manifest import Manifest
from curator.export.options import Options
from curator.export.sources import OutputFile
from curator.model import KnownError
from curator.opened_folder import OpenedFolder, OutsideError

INTENT = ".curator-export.json"  # names an unfinished run was writing; gone when it is done


class FileAction(StrEnum):
    """What happens to one file of the export folder."""

    WRITE = "write"
    KEEP = "keep"
    ADOPT = "adopt"  # an unfinished run may have written it: compare, and write if it differs
    REPLACE = "replace"  # what an earlier run made is made anew, if nobody changed it since
    RENAME = "rename"


class NameAllocator:
    """Settles file names without a clash, on file systems that fold case and accents too."""

    def __init__(self, options: Options, known: Manifest, folder: OpenedFolder | None) -> None:
        """Read which names are taken.

        Args:
            options: of the export.
            known: its manifest.
            folder: where it goes, None while that is not there.

        Raises:
            KnownError: the folder cannot be looked into.
        """
        self._options, self._folder = options, folder
        self._taken = {naming.folded(name) for name in (manifest.NAME, INTENT)} | known.names()
        self._disk: dict[str, str] = {}
        self._intent: dict[str, list[str]] = {}
        if folder is None:
            return
        try:
            there = [self._inside(name) for name in folder.names(options.inside)]
        except OSError as error:
            raise KnownError(
                f"{options.folder} cannot be used ({error.strerror or error}).",
                "Choose a folder that can be written.",
            ) from error
        self._disk = {naming.folded(name): name for name in there}
        self._intent = read_intent(folder)

    def _inside(self, name: str) -> str:
        return f"{self._options.inside}/{name}" if self._options.inside else name

    def allocate(
        self, stem: str, slots: Sequence[OutputFile], own: Sequence[str | None] = ()
    ) -> list[tuple[str, FileAction]]:
        """Give the files of one photo names with one common number, the lowest that is free.

        Args:
            stem: the photo's name, safe.
            slots: the files, told apart by their endings.
            own: the name each has already and may keep, if any.
        """
        mine = [naming.folded(name) if name else "" for name in own] or [""] * len(slots)
        room = max((len(slot.ending.encode()) for slot in slots), default=0)
        number = 1
        while True:
            names = [
                self._inside(
                    naming.joined(stem, number, slot.ending, room - len(slot.ending.encode()))
                )
                for slot in slots
            ]
            acts = [self._act(*each) for each in zip(slots, names, mine, strict=True)]
            free = len({naming.folded(name) for name in names}) == len(names)
            if free and None not in acts:
                self._taken |= {naming.folded(name) for name in names}
                return [(n, act) for n, act in zip(names, acts, strict=True) if act]
            number += 1

    def _act(self, slot: OutputFile, name: str, mine: str) -> FileAction | None:
        folded = naming.folded(name)
        if folded == mine:
            return FileAction.KEEP
        if folded in self._taken:
            return None
        if folded not in self._disk:
            return FileAction.WRITE
        if self._intent.get(name) == meant(slot, self._options):
            return FileAction.ADOPT
        assert self._folder is not None
        there = self._folder.status(self._disk[folded])
        same = there and stat.S_ISREG(there.st_mode) and there.st_size == slot.source.size
        return FileAction.ADOPT if same and slot.edge is None else None


def meant(slot: OutputFile, options: Options) -> list[str]:
    """Say which file is to be what, to find it again after a run that was killed."""
    known = slot.source.fingerprint or "" if options.private else str(slot.source.path)
    return [known, options.rendering]


def read_intent(folder: OpenedFolder) -> dict[str, list[str]]:
    """Read which names an unfinished run was writing: name → as :func:`meant`."""
    try:
        found = json.loads(folder.read(INTENT) or b"{}")
    except (OSError, OutsideError, ValueError, RecursionError):
        return {}  # no such run, or it ended while saying so: nothing to adopt
    return found if isinstance(found, dict) else {}

"""What the catalog knows of the content of a card: copies that are still there, and deleted photos.

Planning uses it. A copy counts only if its file was looked at now: a photo is never left on a card
because of a file that is gone.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from curator import volumes
from curator.cards import DCIM, find_cards
from curator.catalog import Catalog, KnownFile, KnownPhoto, VerifiedCopy
from curator.importing.destinations import Destination
from curator.model import Verdict


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Why an item need not be copied; see `curator.importing.plan.KnownItem`."""

    where: tuple[str, ...]
    proved: bool
    deleted: bool


@dataclass(frozen=True, slots=True)
class Imported:
    """A copy that an earlier import verified.

    ``is_unchanged``: it was copied from this very file, and still has its size and time. Files of
    other names may agree in all that a fingerprint reads: those are compared.
    """

    copy: VerifiedCopy
    is_unchanged: bool


class KnownContent:
    """The copies of some contents outside of cards.

    Each file is looked at once.
    """

    def __init__(
        self,
        catalog: Catalog,
        fingerprints: Iterable[str],
        cards: Sequence[Path],
        destinations: Sequence[Destination],
    ) -> None:
        """Look up contents.

        Args:
            catalog: what was imported and scanned.
            fingerprints: of the contents.
            cards: what is imported from; files there are no copies.
            destinations: of the import.
        """
        wanted = sorted(set(fingerprints))
        mounted = {mount.key: mount.path for mount in volumes.mounted() if mount.key}
        self._verified = catalog.imports.verified(wanted, mounted)
        self._photos: dict[str, KnownPhoto] = catalog.imports.photos(wanted)
        self._destinations = destinations
        roots = [card.path for card in find_cards()] + [
            str(Path(card).absolute()) for card in cards
        ]
        roots += [os.path.realpath(card) for card in cards]
        self._roots = tuple(os.path.normcase(root).rstrip(os.sep) + os.sep for root in roots)
        self._statuses: dict[str, os.stat_result | None] = {}
        self._folders: dict[str, bool] = {}  # whether it is there and answers

    def imported_at(
        self, fingerprint: str, source: str, destination: int, wanted: str | None = None
    ) -> Imported | None:
        """Return the copy that an earlier import verified at a destination, if there is a file.

        Args:
            fingerprint: of the content.
            source: the path of the file on its card.
            destination: the index of the destination.
            wanted: the only name that counts. Companions need it: the sidecars of many photos may
                be equal.
        """
        place = self._destinations[destination]
        found = None
        for copy in reversed(self._verified.get(fingerprint, [])):
            name = place.name_of(copy.path)
            if name is None or name != (wanted or name) or self._on_card(copy.path):
                continue
            if self._status(copy.path) is not None:
                here = replace(copy, destination=str(place.path), name=name)
                if copy.source == source and self._is_there(copy):
                    return Imported(here, True)
                found = found or Imported(here, False)
        return found

    def is_kept(self, fingerprints: Iterable[str]) -> bool:
        """Whether a person kept, picked or rated a photo with one of these contents."""
        photos = filter(None, map(self._photos.get, fingerprints))
        return any(photo.verdict is Verdict.KEPT for photo in photos)

    def knows(self, fingerprints: Iterable[str]) -> bool:
        """Whether all of these contents were imported or scanned once."""
        return all(each in self._verified or each in self._photos for each in fingerprints)

    def elsewhere(
        self, contents: Sequence[str], companions: Sequence[str], planned: Iterable[str]
    ) -> Elsewhere | None:
        """Return where an item is already, or None if it has to be copied.

        Args:
            contents: the fingerprints of its photo files, or of its video or recording.
            companions: the fingerprints of its other files.
            planned: the paths that its files will have; a file there is compared instead.
        """
        skipped = {os.path.normcase(path) for path in planned}
        where, deleted = [], False
        for fingerprint in contents:
            paths = self._copies(fingerprint)
            if any(os.path.normcase(path) in skipped for path in paths):
                return None
            photo = self._photos.get(fingerprint)
            if paths:
                where.append(paths[0])
            elif photo is not None and photo.emptied:
                deleted = True
            else:
                return None
        proved = not deleted and all(
            any(map(self._is_proof, self._verified.get(each, ())))
            for each in (*contents, *companions)
        )
        return Elsewhere(tuple(where), proved, deleted)

    def _copies(self, fingerprint: str) -> list[str]:
        """Return the paths of copies outside of cards, proved ones first."""
        verified = [
            copy.path for copy in self._verified.get(fingerprint, ()) if self._is_proof(copy)
        ]
        photo = self._photos.get(fingerprint)
        files = photo.files if photo is not None else ()
        return list(
            dict.fromkeys([*verified, *(file.path for file in files if self._counts(file))])
        )

    def _is_proof(self, copy: VerifiedCopy) -> bool:
        inside = any(place.name_of(copy.path) is not None for place in self._destinations)
        return not inside and self._is_there(copy)

    def _is_there(self, copy: VerifiedCopy) -> bool:
        status = None if self._on_card(copy.path) else self._status(copy.path)
        return status is not None and (status.st_size, status.st_mtime_ns) == (
            copy.size,
            copy.mtime_ns,
        )

    def _counts(self, file: KnownFile) -> bool:
        """Whether a file of the catalog is a copy: it is there, or on a drive that is away."""
        if file.missing or self._on_card(file.path):
            return False
        status = self._status(file.path)
        if status is None:
            # What is away may be another card, whose folder was opened once.
            return file.away and DCIM not in (part.upper() for part in PurePath(file.path).parts)
        return file.changed or (status.st_size, status.st_mtime_ns) == (file.size, file.mtime_ns)

    def _on_card(self, path: str) -> bool:
        return os.path.normcase(path).startswith(self._roots)

    def _status(self, path: str) -> os.stat_result | None:
        """Return the status of a file; None if it is no file, gone, or its drive is silent."""
        if path not in self._statuses:
            folder = str(Path(path).parent)
            if folder not in self._folders:  # asked once: each question takes a thread
                self._folders[folder] = volumes.is_folder(folder)
            status = None
            with contextlib.suppress(OSError, ValueError):
                status = Path(path).stat() if self._folders[folder] else None
            is_file = status is not None and stat.S_ISREG(status.st_mode)
            self._statuses[path] = status if is_file else None
        return self._statuses[path]

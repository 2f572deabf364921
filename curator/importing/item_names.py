"""Names for the files of an import: by the templates, and never one that is taken.

Planning uses it. The files of an item share one stem, with their own endings. A stem is taken if a
file of that name is at a destination, also in another case or Unicode form, or if another photo has
it: ``IMG_1.JPG`` of one card must not become the JPEG of ``IMG_1.CR3`` of another.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from curator import files, naming
from curator.importing.card_files import CardFile, CardItem
from curator.importing.destinations import Destination
from curator.importing.request import ImportRequest
from curator.naming import Facts


@dataclass(frozen=True, slots=True)
class Named:
    """A file to name: ``ending`` is what follows the stem of its item."""

    file: CardFile
    fingerprint: str
    ending: str


class Namer:
    """Names the items of an import, one after the other in the order of capture."""

    def __init__(
        self, request: ImportRequest, destinations: Sequence[Destination], items: int
    ) -> None:
        """Begin with the first number of ``{seq}``.

        Args:
            request: has the templates.
            destinations: where names must be free.
            items: about how many items will be named, for the digits of ``{seq}``.
        """
        self._request, self._destinations = request, destinations
        self._has_seq = any(naming.uses(each, "seq") for each in (request.folders, request.names))
        self._seq, self._digits = 1, max(3, len(str(items)))
        self._names: set[str] = set()  # folded, with folders
        self._stems: dict[str, list[tuple[Facts, frozenset[str]]]] = {}  # folded, with folders

    def facts(self, facts: Facts) -> Facts:
        """Complete the facts of an item by those of the import."""
        return replace(facts, seq=self._seq, seq_digits=self._digits, job=self._request.job or None)

    def wished(self, facts: Facts, endings: Sequence[str]) -> list[str]:
        """Return the names that the templates give, whether or not they are free."""
        return _names(*self._stem(self.facts(facts)), 1, endings)

    def is_renamed(self, name: str, facts: Facts, ending: str) -> bool:
        """Whether a name is not just what the template gives; ``facts`` are from :meth:`name`."""
        plain = naming.filled(self._request.names, facts) + ending
        return name.rpartition("/")[2] != unicodedata.normalize("NFC", plain)

    def reserve(self, names: Sequence[str]) -> None:
        """Note names that files have already."""
        self._names.update(map(naming.folded, names))

    def name(self, facts: Facts, named: Sequence[Named], contents: int) -> tuple[list[str], Facts]:
        """Name an item by the templates, with the lowest number that is free everywhere.

        Args:
            facts: of its main file.
            named: its files, the photo files first.
            contents: how many of them are its photo files, or 1 for a video.

        Returns:
            The names, and the facts that they contain.
        """
        endings = [each.ending for each in named]
        for attempt, folder, stem, number in self._candidates(facts):
            names = _names(folder, stem, number, endings)
            if not self._are_free(names[:contents], named):
                continue
            is_ours = self._have_equal(names[:contents], named)
            whole = PurePosixPath(folder, naming.joined(stem, number, "")).as_posix()
            free = self._are_free(names, named) and self._is_own(attempt, whole, endings)
            if not is_ours and not (free and self._is_new_stem(whole, names, named[0].file)):
                continue
            if self._has_seq:
                self._seq = attempt.seq + 1
            if not free:  # the photo is there already; another file has a companion's name
                names = self._beside(names, named)
            self.reserve(names)
            self._stems.setdefault(naming.folded(whole), []).append((attempt, _folded(endings)))
            return names, attempt
        raise AssertionError("numbers do not end")

    def name_beside(self, kept: str, ending: str, named: Sequence[Named]) -> list[str]:
        """Name files like one that an earlier import copied.

        Args:
            kept: the name that file has at a destination.
            ending: what follows the stem of its item.
            named: the files to name.
        """
        if not named:
            return []
        folder, _, leaf = kept.rpartition("/")
        ending = naming.safe_ending(ending)
        stem = leaf.removesuffix(ending) if ending else PurePosixPath(leaf).stem
        names = _names(folder, stem, 1, [each.ending for each in named])
        names = self._beside(names, named)
        self.reserve(names)
        return names

    def _candidates(self, facts: Facts) -> Iterator[tuple[Facts, str, str, int]]:
        """Yield the stems to try: further numbers of ``{seq}``, else ``-2``, ``-3`` ..."""
        for number in itertools.count():
            attempt = self.facts(facts)
            if self._has_seq:
                attempt = replace(attempt, seq=attempt.seq + number)
            yield attempt, *self._stem(attempt), 1 if self._has_seq else number + 1

    def _stem(self, facts: Facts) -> tuple[str, str]:
        folder = naming.folders(self._request.folders, facts)
        return folder, naming.stem(self._request.names, facts)

    def _beside(self, names: Sequence[str], named: Sequence[Named]) -> list[str]:
        """Add to each name that is taken the next free number, file by file."""
        found: list[str] = []
        for name, each in zip(names, named, strict=True):
            path = PurePosixPath(name)
            stem = path.name.removesuffix(naming.safe_ending(each.ending))
            for number in itertools.count(1):
                folder = "" if str(path.parent) == "." else str(path.parent)
                (free,) = _names(folder, stem, number, [each.ending])
                if free not in found and self._are_free([free], [each]):
                    found.append(free)
                    break
        return found

    def _are_free(self, names: Sequence[str], named: Sequence[Named]) -> bool:
        """Whether no other file has one of these names; an equal file is no other file."""
        return all(
            naming.folded(name) not in self._names
            and all(
                not place.taken(name) or place.has_equal(name, each.file.size, each.fingerprint)
                for place in self._destinations
            )
            for name, each in zip(names, named, strict=False)
        )

    def _have_equal(self, names: Sequence[str], named: Sequence[Named]) -> bool:
        """Whether one of these files is at a destination already."""
        return any(
            place.has_equal(name, each.file.size, each.fingerprint)
            for name, each in zip(names, named, strict=False)
            for place in self._destinations
        )

    def _is_own(self, facts: Facts, whole: str, endings: Sequence[str]) -> bool:
        """Whether no other photo of this import has the stem.

        A RAW on one card and its JPEG on the other are one photo: of one moment and camera.
        """
        for other, taken in self._stems.get(naming.folded(whole), ()):
            same = (facts.taken_at, facts.camera) == (other.taken_at, other.camera)
            if not same or facts.camera is None or taken & _folded(endings):
                return False
        return True

    def _is_new_stem(self, whole: str, names: Sequence[str], main: CardFile) -> bool:
        """Whether no destination has another photo, or a sidecar, of this stem."""
        folder, _, stem = whole.rpartition("/")
        own = {naming.folded(name.rpartition("/")[2]) for name in names}
        for place in self._destinations:
            others = place.photos_of_stem(folder, stem) - own
            if others and not place.has_shot(folder, others, main.mtime_ns):
                return False
        return True


def endings(item: CardItem) -> list[str]:
    """Return what follows the stem in the name of each file of an item; they all differ."""
    stem = files.stem_and_suffix(item.main.relative)[0]
    found: list[str] = []
    for file in item.files:
        ending = file.relative.rpartition("/")[2][len(stem) :]
        while naming.folded(ending) in map(naming.folded, found):  # a.WAV beside a.wav
            ending = f"_{ending}"
        found.append(ending)
    return found


def _folded(endings: Sequence[str]) -> frozenset[str]:
    return frozenset(map(naming.folded, endings))


def _names(folder: str, stem: str, number: int, endings: Sequence[str]) -> list[str]:
    """Join names with equal stems, also where the longest has to be shortened."""
    room = max(len(ending.encode()) for ending in endings)
    leaves = [
        naming.joined(stem, number, ending, room - len(ending.encode())) for ending in endings
    ]
    return [f"{folder}/{leaf}" if folder else leaf for leaf in leaves]

"""An auditor of imports: compares cards and destinations by their bytes; knows nothing of Curator.

audit = Audit([card], [library, backup])      # before the import
...
audit.check()                                 # after every step: nothing lies, nothing is lost
audit.check_finished()                        # after an import that could do everything
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cards import must_be_copied

if TYPE_CHECKING:
    from curator.catalog import Catalog
    from curator.importing.report import ImportReport

CHECKSUMS = re.compile(r"curator-import-[\d-]+\.sha256")
TEMPORARY = re.compile(r"\.curator-.*")

File = tuple[str, int, int]  # sha256, size, mtime in ns


def tree(folder: Path) -> dict[str, File]:
    """Return every file below a folder, including hidden ones, by its path."""
    found = {}
    for top, _, names in os.walk(folder):
        for path in (Path(top, name) for name in names):
            status, digest = path.lstat(), hashlib.sha256(path.read_bytes()).hexdigest()
            name = path.relative_to(folder).as_posix()
            found[name] = digest, status.st_size, status.st_mtime_ns
    return found


class Audit:
    """What is on the cards and at the destinations before an import.

    Args:
        cards: the folders with the cards' content. A drive that fails is given by `files`, the
            folder behind it, which the import does not know.
        destinations: the folders that are imported into; they need not exist yet.
    """

    def __init__(self, cards: Iterable[Path], destinations: Iterable[Path]) -> None:
        self.cards, self.destinations = list(cards), list(destinations)
        self._before = {card: tree(card) for card in self.cards}
        self._there = {folder: tree(folder) for folder in self.destinations}
        self.wanted: Counter[str] = Counter()
        for card in self.cards:
            self.wanted.update(must_be_copied(card).values())

    def copies(self, destination: Path) -> dict[str, File]:
        """Return the files that the import made at a destination, under their real names."""
        return {
            name: file
            for name, file in tree(destination).items()
            if name not in self._there[destination]
            and not CHECKSUMS.fullmatch(name)
            and not TEMPORARY.fullmatch(Path(name).name)
        }

    def temporary(self, destination: Path) -> list[str]:
        """Return the temporary files at a destination."""
        return [name for name in tree(destination) if TEMPORARY.fullmatch(Path(name).name)]

    def check(self, destinations: Sequence[Path] | None = None) -> None:
        """Check what must be true at any moment, also right after a kill."""
        for card, before in self._before.items():
            assert tree(card) == before, "something changed on the card"
        for destination in self.destinations if destinations is None else destinations:
            now, there = tree(destination), self._there[destination]
            assert there.items() <= now.items(), "a file that was there is changed or gone"
            copies = self.copies(destination)
            lies = [name for name, file in copies.items() if file[0] not in self.wanted]
            assert lies == [], f"under a real name, but not whole: {lies}"
            count = Counter(file[0] for file in copies.values())
            count.update(file[0] for file in there.values() if file[0] in count)
            assert not count - self.wanted, f"copied twice: {count - self.wanted}"
            self._check_checksums(destination, copies)

    def check_finished(self, destinations: Sequence[Path] | None = None) -> None:
        """Check that everything is at every destination, and nothing but that."""
        self.check(destinations)
        for destination in self.destinations if destinations is None else destinations:
            assert self.temporary(destination) == []
            lost = self.missing(destination)
            assert lost == [], f"not at {destination.name}: {lost}"
            # Names are stored as listed or, by some file systems, in Unicode's form D.
            listed = {line[66:] for path in _checksums(destination) for line in _lines(path)}
            names = {unicodedata.normalize("NFC", name) for name in self.copies(destination)}
            unlisted = names - listed
            assert not unlisted, f"in no checksum list: {unlisted}"

    def missing(self, destination: Path) -> list[str]:
        """Return the files on the cards whose bytes are not at a destination."""
        there = {file[0] for file in tree(destination).values()}
        return [
            name
            for card in self.cards
            for name, digest in must_be_copied(card).items()
            if digest not in there
        ]

    def check_report(self, report: ImportReport) -> None:
        """Check that everything the report claims is true."""
        for folder, place in zip(self.destinations, report.destinations, strict=True):
            lost = self.missing(folder)
            claimed = place.verified + place.checked + place.kept
            assert claimed <= self.wanted.total() - len(lost), f"claimed, but not there: {lost}"
            if report.complete and not report.left:
                assert lost == [], f"complete, but {lost} are not there"
        if report.safe:
            self.check_finished()

    def check_catalog(self, catalog: Catalog) -> None:
        """Check that every copy the catalog calls verified is there and equal."""
        for path, name, sha256 in catalog.store.rows(
            "SELECT path, name, sha256 FROM verified_copy AS c"
            " JOIN import_destination AS d ON d.id = c.destination_id"
        ):
            if Path(path) in self.destinations:
                found = hashlib.sha256(Path(path, name).read_bytes()).hexdigest()
                assert found == sha256, f"{name} is recorded as verified"

    def _check_checksums(self, destination: Path, copies: dict[str, File]) -> None:
        for path in _checksums(destination):
            command = ["sha256sum", "--check", "--strict", "--quiet", path.name]
            done = subprocess.run(command, cwd=destination, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr


def _checksums(destination: Path) -> list[Path]:
    return [path for path in destination.glob("*") if CHECKSUMS.fullmatch(path.name)]


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()

"""What a person asks an import to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from curator import naming


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What to copy from where to where.

    Attributes:
        cards: the roots of memory cards, or folders with photos.
        destinations: the folders to copy into, each independently. The first is the library, which
            the catalog shows; further ones are backups.
        folders: template of the folders below each destination, with ``/`` between them; empty for
            none (`curator.naming`).
        names: template of the file names.
        job: the name of the job, for ``{job}``, the report and sidecars.
        keepers: copy only photos that were kept, picked or rated; the others stay for later.
        creator: the photographer, for sidecars.
        copyright: the copyright notice, for sidecars.
        sidecars: write job, creator and copyright into sidecars beside the copies.
    """

    cards: tuple[Path, ...]
    destinations: tuple[Path, ...]
    folders: str = naming.BY_DATE
    names: str = naming.PLAIN
    job: str = ""
    keepers: bool = False
    creator: str = ""
    copyright: str = ""
    sidecars: bool = False

    def as_json(self) -> dict[str, object]:
        """Return the request as JSON-able values, for the catalog."""
        paths = {"cards": [*map(str, self.cards)], "destinations": [*map(str, self.destinations)]}
        return {**asdict(self), **paths}

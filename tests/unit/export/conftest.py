"""Photos as the catalog returns them, without a catalog."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from curator import export
from curator.catalog import FileDetail, PhotoDetail
from curator.export import Options, Plan
from curator.files import fingerprint
from curator.model import Capture, Flag, Kind, Marks, Quality
from tests.photos import draw_jpeg

STARS = Marks(rating=4, kept=True)
PICK = Marks(flag=Flag.PICK, kept=True)
REJECT = Marks(flag=Flag.REJECT, rating=5)


def detail(path: Path, role: str = "main") -> FileDetail:
    status = path.stat()
    kind = Kind.RAW if path.suffix == ".dng" else Kind.IMAGE
    return FileDetail(
        path, kind, role, status.st_size, status.st_mtime_ns, fingerprint(path), None, False
    )


def photo(number: int, marks: Marks, *paths: Path, **more: Any) -> PhotoDetail:
    files = tuple(detail(path, "half" if at else "main") for at, path in enumerate(paths))
    facts: dict[str, Any] = {
        "id": number,
        "name": paths[0].stem,
        "path": paths[0],
        "files": files,
        "marks": marks,
        "capture": Capture(datetime(2024, 5, 4, 18, 42, 7, 120000), 120, "Test One", iso=800),
        "quality": Quality(71.26, 98.0, 0.0, 0.01),
    }
    return PhotoDetail(**{**facts, **more})


def clause(photo: PhotoDetail) -> str | None:
    """Return the clause for 4 or 5 stars or a pick; in Curator the approval rule decides."""
    starred, picked = (photo.marks.rating or 0) > 3, photo.marks.flag is Flag.PICK
    approved = "stars" if starred else "pick" if picked else None
    return "file" if approved and photo.elsewhere else approved


def make_plan(photos: Iterable[PhotoDetail], options: Options) -> Plan:
    photos = list(photos)
    approved = {photo.id: name for photo in photos if (name := clause(photo))}
    return export.make_plan(photos, replace(options, clauses=approved))


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A source folder with three photos; the first is a pair."""
    card = tmp_path / "card"
    for number in range(1, 4):
        draw_jpeg(card / f"DSC_{number}.JPG", size=(96, 64), seed=number)
    (card / "DSC_1.dng").write_bytes(b"RAW" * 1000)
    return card


@pytest.fixture
def shoot(card: Path) -> list[PhotoDetail]:
    return [
        photo(1, STARS, card / "DSC_1.dng", card / "DSC_1.JPG"),
        photo(2, PICK, card / "DSC_2.JPG"),
        photo(3, REJECT, card / "DSC_3.JPG"),
    ]

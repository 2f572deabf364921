"""The bar for exporting: JPEGs of large photos, compared with a simple loop with Pillow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageOps

from curator.bench.figures import Figure, Reference, Workspace, one_core, worked
from curator.bench.photo_sets import large_jpegs
from curator.catalog import FileDetail, PhotoDetail
from curator.export import Options, make_plan, write
from curator.imaging.exif import read_capture
from curator.model import Clause, Kind, KnownError, Marks
from curator.workers import InlinePool

_FILES = 8
_SIZE = (6000, 4000)  # 24 MP
_EDGES = (2560, 1280, 640)
_QUALITY = 88


def export(workspace: Workspace) -> list[Figure]:
    """Export 24 MP JPEGs with sharpening, metadata and checks, and as a gallery of three sizes.

    The reference decodes, turns upright, scales by Lanczos and saves with Pillow, without checks,
    sharpening or manifest. Figures are processor time per photo, in one process.
    """
    photos = large_jpegs(workspace, _FILES, _SIZE)
    with one_core():
        loop = worked(lambda: _pillow(photos, workspace.scratch / "loop", _EDGES[:1]))
        three = worked(lambda: _pillow(photos, workspace.scratch / "three", _EDGES))
        folder = worked(lambda: _export(photos, workspace.scratch / "out", "folder"))
        gallery = worked(lambda: _export(photos, workspace.scratch / "page", "gallery"))
    return [
        _figure("exporting a 24 MP JPEG at 2560 px, sharpened", folder, loop),
        _figure("exporting it as a gallery in three sizes", gallery, three),
    ]


def _figure(what: str, spent: float, reference: float) -> Figure:
    a_photo = 1000 / _FILES
    return Figure(
        what,
        a_photo * spent,
        "ms",
        1.0,
        Reference("Pillow: open, resize, save", a_photo * reference),
        per_reference=True,
    )


def _pillow(photos: Sequence[Path], to: Path, edges: tuple[int, ...]) -> None:
    to.mkdir()
    for path in photos:
        with Image.open(path) as opened:
            upright = ImageOps.exif_transpose(opened)
            for edge in edges:
                small = upright.copy()
                small.thumbnail((edge, edge), Image.Resampling.LANCZOS, reducing_gap=None)
                small.save(to / f"{path.stem}-{edge}.jpg", quality=_QUALITY)


def _export(photos: Sequence[Path], to: Path, target: str) -> None:
    shoot = [_photo(number, path) for number, path in enumerate(photos, 1)]
    options = Options(
        to,
        {photo.id: Clause.STARS for photo in shoot},
        target=target,
        form="jpeg",
        jpeg_quality=_QUALITY,
        long_edge_px=2560,
        sharpen="screen",
    )
    report = write(make_plan(shoot, options), pool=InlinePool())  # to measure all processor time
    if report.photos != len(photos):
        raise KnownError("Not every photo could be exported.")


def _photo(number: int, path: Path) -> PhotoDetail:
    status = path.stat()
    file = FileDetail(
        path, Kind.IMAGE, "main", status.st_size, status.st_mtime_ns, f"{number}", None, False
    )
    marks = Marks(rating=5, kept=True)
    return PhotoDetail(number, path.stem, path, (file,), marks, read_capture(path))

"""Making the exported JPEGs of one photo, in a worker process, from one decode of the original."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from curator.files import sha256, status
from curator.model import UnreadableError
from curator.settings import KeptMetadata
from curator.sidecar import PROFILES, SidecarMetadata, merge

if TYPE_CHECKING:
    from curator.imaging.pixels import Picture

_MAX_MEGAPIXELS = 2000  # convert already applied the user's limit; this is a backstop
_MAX_XMP_BYTES = 65_502  # in one JPEG segment (XMP 3, 1.1.3); thousands of keywords


@dataclass(frozen=True, slots=True)
class RenderJob:
    """Everything a worker needs to make the JPEGs.

    ``long_edges_px``: one JPEG each, the largest first. ``turn``: quarter turns clockwise.
    ``fallback``: the pair's other half, used if ``path`` cannot be decoded. ``xmp``: the marks and
    keywords to embed, if any.
    """

    path: str
    long_edges_px: tuple[int, ...]
    quality: int
    sharpen: Literal["off", "screen", "print"]
    metadata: KeptMetadata
    turn: int
    fallback: str | None = None
    xmp: SidecarMetadata | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """The JPEGs in the requested order, each with its (width, height); sha256 of the original."""

    contents: tuple[bytes, ...]
    sizes: tuple[tuple[int, int], ...]
    original_sha256: str


def render(job: RenderJob) -> Rendered:
    """Make upright sRGB JPEGs of an original, with a profile and never enlarged.

    The bytes are returned to the exporting process, the only one that writes to the target: so a
    full disk is one error in one place and does not look like a fault of the photo.

    Raises:
        UnreadableError: the original cannot be decoded.
        GoneError: it does not exist.
    """
    from curator.imaging.export_exif import exif_to_keep
    from curator.imaging.export_jpeg import JpegOptions, encode_jpeg, scaled

    exif = b""
    if job.metadata != "none":
        exif = exif_to_keep(job.path, location=job.metadata == "all")
    how = JpegOptions(job.quality, job.sharpen, job.turn, exif, _packet(job))
    rgb = _picture(job).rgb
    contents, sizes = [], []
    for long_edge_px in job.long_edges_px:
        rgb = scaled(rgb, long_edge_px)  # the next smaller size is made from this one
        contents.append(encode_jpeg(rgb, long_edge_px, how))
        height, width = rgb.shape[:2]
        sizes.append((height, width) if job.turn % 2 else (width, height))
    return Rendered(tuple(contents), tuple(sizes), sha256(job.path))


def _packet(job: RenderJob) -> bytes:
    """Build the XMP of the JPEGs: empty without metadata, or if it does not fit into one segment.

    The same photo and metadata always produce the same bytes.
    """
    if not job.xmp:
        return b""
    dated = datetime.fromtimestamp(status(job.path).st_mtime, UTC)
    xmp = merge(None, job.xmp, None, PROFILES["lightroom"], dated)
    return xmp if len(xmp) <= _MAX_XMP_BYTES else b""


def _picture(job: RenderJob) -> Picture:
    from curator.imaging.decode import decode

    edge = max(job.long_edges_px)
    try:
        return decode(job.path, edge, max_megapixels=_MAX_MEGAPIXELS)
    except UnreadableError:
        if job.fallback is None:
            raise
        return decode(job.fallback, edge, max_megapixels=_MAX_MEGAPIXELS)

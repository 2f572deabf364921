"""Decoding one file for a preview, in a worker process; it is no line of STAGES.

`curator.pipeline.file_preview` runs it. A file outside the catalog gets the same scores as convert
gives a photo, by the same code. The results must never be written.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator import files
from curator.model import Capture, Face, Quality, StageJob, UnreadableError
from curator.stages.convert import decode_photo, measure_and_shrink
from curator.stages.faces import measure_faces
from curator.workers import Pixels, share

if TYPE_CHECKING:
    from curator.imaging.pixels import DecodedImage, Image


@dataclass(frozen=True, slots=True)
class DecodedFile:
    """The result of decoding a file for a preview.

    Attributes:
        form: its format by content: jpeg png webp gif bmp pnm pfm tiff heif avif raw.
        size: of the file, bytes.
        fingerprint: of its content.
        capture, quality, basis, damage: as in `curator.model.Converted`.
        proxy: the JPEG for the encoder, as convert would have written it.
        picture: (H, W, 3) uint8 sRGB upright for the screen; None if not requested.
        faces: largest first; None if not requested, or if the networks cannot be loaded.
    """

    form: str
    size: int
    fingerprint: str
    capture: Capture
    quality: Quality
    basis: str
    damage: str | None
    proxy: bytes
    picture: Pixels | None
    faces: tuple[Face, ...] | None = None


def decode_file(job: StageJob, screen_px: int = 0, faces: bool = False) -> DecodedFile:
    """Decode a file once: capture data, scores, a picture for the screen, faces. Write nothing.

    Args:
        job: path, size and quality of the proxy, largest picture allowed.
        screen_px: long edge of the picture for the screen, never enlarged; 0 for none.
        faces: whether to measure faces.

    Raises:
        GoneError: the file is missing.
        UnreadableError: the file cannot be decoded; the message says why.
        WorkerUnavailable: there is no shared memory for the picture.
    """
    # Imported here: the window's process refers to this function but never decodes.
    from curator.imaging import color, containers, decode, pixels, proxy

    status = files.status(job.path)
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would block forever
        raise UnreadableError("This is not a file.")
    key = files.fingerprint(job.path)
    found, capture = decode_photo(job)
    quality, shown = measure_and_shrink(found, job.long_edge_px)
    picture = None
    if screen_px:
        small = color.to_srgb(pixels.shrink(found.rgb, screen_px), found.icc)
        picture = share(pixels.upright(small, found.orientation))
    return DecodedFile(
        form=containers.sniff(decode.read_file(job.path, 65536), job.path),
        size=status.st_size,
        fingerprint=key,
        capture=capture,
        quality=quality,
        basis=found.basis,
        damage=found.damage,
        proxy=proxy.encode(shown, job.quality),
        picture=picture,
        faces=_faces(job, shown, found) if faces else None,
    )


def _faces(job: StageJob, small: Image, found: DecodedImage) -> tuple[Face, ...] | None:
    from curator.networks import ModelError

    try:
        return measure_faces(job, small, found)
    except ModelError:
        return None

"""One exported JPEG, made in a worker process from the original."""

from __future__ import annotations

from dataclasses import dataclass

from curator.files import sha256
from curator.imaging.decode import decode_scaled
from curator.imaging.delivery import encode_delivery


@dataclass(frozen=True, slots=True)
class RenderJob:
    """All a worker needs to know; ``turn`` is quarter turns clockwise."""

    path: str
    long_edge_px: int
    quality: int
    turn: int
    max_megapixels: int


def render(job: RenderJob) -> tuple[bytes, str]:
    """Make an upright sRGB JPEG of the original, never enlarged, with a profile and no metadata.

    The bytes go back to the exporting process, which alone writes to the target: a full disk is
    then one fault in one place, not a photo's.

    Returns:
        The JPEG, and the sha256 of the original in hexadecimal.

    Raises:
        UnreadableError: the original cannot be made into a picture.
        GoneError: it is not there.
    """
    picture = decode_scaled(job.path, job.long_edge_px, max_megapixels=job.max_megapixels)
    content = encode_delivery(picture.rgb, job.long_edge_px, job.quality, job.turn)
    return content, sha256(job.path)

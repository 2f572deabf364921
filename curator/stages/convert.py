"""Convert: decode an original once for capture data, scores, proxy and thumbnail.

It runs in a worker process. The original must never be changed.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from curator import files
from curator.model import (
    Capture,
    Converted,
    GoneError,
    Quality,
    StageJob,
    UnreadableError,
    UnsupportedError,
)
from curator.stages.saving import Saved

if TYPE_CHECKING:
    from curator.catalog import Catalog
    from curator.imaging.pixels import DecodedImage, Image

log = logging.getLogger(__name__)


def convert(job: StageJob) -> Converted:
    """Decode a photo once and write its proxy and thumbnail.

    Of a pair the RAW is decoded. If that fails, the other half is, and ``basis`` is "fallback".

    Raises:
        GoneError: the file is not there.
        UnreadableError: no picture can be made of it; nothing was written.
        OSError: the cache cannot be written; no half-written file stays.
    """
    # Imported here: the window's process imports the table of stages, and never decodes.
    from curator.imaging import proxy
    from curator.imaging.perceptual_hash import perceptual_hash

    status = files.status(job.path)
    key = files.fingerprint(job.path)
    found, capture = decode_photo(job)
    quality, shown = measure_and_shrink(found, job.long_edge_px)
    data = proxy.save(shown, job.cache, key, job.quality)
    return Converted(
        fingerprint=key,
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        capture=capture,
        quality=quality,
        basis=found.basis,
        proxy=key,
        proxy_digest=hashlib.sha256(data).hexdigest(),
        damage=found.damage,
        look=perceptual_hash(shown),
    )


def save_converted(catalog: Catalog, results: Sequence[tuple[StageJob, Converted]]) -> Saved:
    """Save capture data, scores and proxy key; remove faces and text found on a former proxy."""
    changed = catalog.results.save_converted(results)
    catalog.faces.remove_outdated(changed)
    catalog.text_lines.remove_outdated(changed)
    return Saved(changed)


def decode_photo(job: StageJob) -> tuple[DecodedImage, Capture]:
    """Decode a photo's file, or if that fails its other half, and read its capture data.

    Raises:
        GoneError: the file is not there.
        UnreadableError: no picture can be made of it.
    """
    try:
        return _read(job, job.path, small_preview=job.fallback is None)
    except UnreadableError as error:
        if job.fallback is None:
            raise
        log.info("photo %d: %s cannot be read, its other half is", job.photo_id, job.path)
        reason = error
    try:
        found, other = _read(job, job.fallback, small_preview=True)
    except (UnreadableError, GoneError):
        raise reason from None
    found.basis = "fallback"
    if not isinstance(reason, UnsupportedError):
        found.damage = f"{reason.args[0]} The other file of the pair is shown."
    from curator.imaging import exif

    capture = exif.read_capture(job.path)
    if capture.taken_at is None and capture.camera is None:
        capture = other
    return found, replace(capture, width=other.width, height=other.height)


def decode_proxy(job: StageJob) -> Image:
    """Decode the proxy of a photo, for the stages after this one: upright and sRGB.

    Raises:
        GoneError: the proxy is not there.
    """
    from curator.imaging import decode
    from curator.imaging.pixels import DecodeOptions

    try:
        return decode.load(job.proxy, DecodeOptions(check_damage=False)).rgb
    except GoneError:
        raise GoneError(
            "Its proxy is missing. Make it again: `curator backfill convert`."
        ) from None


def _read(job: StageJob, path: str, *, small_preview: bool) -> tuple[DecodedImage, Capture]:
    """Decode one file and read its capture data; a file that is no RAW is read only once."""
    from curator.imaging import containers, decode, exif
    from curator.imaging.pixels import DecodeOptions

    head = decode.read_file(path, 65536)
    form = containers.sniff(head, path)
    data = decode.read_file(path) if form not in ("raw", "") else None
    options = DecodeOptions(
        max_megapixels=job.max_megapixels,
        shrunk_to_px=job.long_edge_px,
        small_preview=small_preview,
    )
    found = decode.load(path, options, data if form else head)
    width, height = found.full_size
    capture = exif.read_capture(path, data)
    return found, replace(capture, width=width, height=height)


def measure_and_shrink(found: DecodedImage, long_edge_px: int) -> tuple[Quality, Image]:
    """Measure a picture at full resolution, and shrink it to the size of a proxy.

    Returns:
        The scores, and the small picture, (H, W, 3) uint8 sRGB upright.
    """
    import numpy as np

    from curator.imaging import color, exif_fields, pixels, quality

    rgb = found.rgb
    half = pixels.block_average(rgb, 2) if min(rgb.shape[:2]) >= 4 else None
    measured = quality.measure(
        color.toned(rgb, found.icc), None if half is None else color.toned(half, found.icc)
    )
    if measured.sharpest:
        point = exif_fields.upright_point(measured.sharpest, found.orientation)
        measured = replace(measured, sharpest=point)
    if half is not None and max(rgb.shape[:2]) >= 2 * long_edge_px:
        small = pixels.shrink(half, long_edge_px, halved=True)
    else:
        small = pixels.shrink(rgb, long_edge_px)
    small = pixels.upright(color.to_srgb(small, found.icc), found.orientation)
    return measured, np.ascontiguousarray(small)

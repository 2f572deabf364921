"""Faces: find faces on the proxy, and measure each on the pixels of the original.

It runs in a worker process. Only photos with faces are decoded again, in the way of convert.
Nothing here finds out who a person is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from curator.model import Face, FacesMeasured, StageJob
from curator.stages.convert import decode_photo, decode_proxy, measure_and_shrink
from curator.stages.saving import Saved

if TYPE_CHECKING:
    from curator.catalog import Catalog
    from curator.imaging.pixels import DecodedImage, Image


def faces(job: StageJob) -> FacesMeasured:
    """Find and measure the faces of a photo; writes nothing.

    Raises:
        ModelError: the networks cannot be loaded; the photo is not the cause.
        GoneError: the proxy or the original is not there.
        UnreadableError: the original cannot be decoded any more.
    """
    return FacesMeasured(job.fingerprint or "", measure_faces(job, decode_proxy(job)))


def faces_of_file(job: StageJob) -> tuple[tuple[Face, ...], tuple[int, int]]:
    """Find and measure the faces in a file that has no proxy; writes nothing.

    Returns:
        Its faces, largest first, and the (width, height) of the upright picture in px.

    Raises:
        ModelError, GoneError, UnreadableError: as :func:`faces`.
    """
    found, _ = decode_photo(job)
    _, small = measure_and_shrink(found, job.long_edge_px)
    return measure_faces(job, small, found), found.full_size


def save_faces(catalog: Catalog, results: Sequence[tuple[StageJob, FacesMeasured]]) -> Saved:
    """Save the faces of photos."""
    return Saved(catalog.faces.save(results))


def measure_faces(
    job: StageJob, small: Image, original: DecodedImage | None = None
) -> tuple[Face, ...]:
    """Find faces on a small picture; decode the original to measure them if there are any.

    Raises:
        ModelError, GoneError, UnreadableError: as :func:`faces`.
    """
    # Imported here: the window's process imports the table of stages, and never decodes.
    from curator.faces.measuring import find, measure
    from curator.imaging import pixels

    found = find(small)
    if not found:
        return ()
    if original is None:
        original, _ = decode_photo(job)
    upright = pixels.upright_view(original.rgb, original.orientation)
    return tuple(measure(found, upright, original.icc))

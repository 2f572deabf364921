"""Read text: find lines of text on the proxy, and read each on the pixels of the original.

It runs in a worker process. Only photos with text are decoded again, in the way of convert.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from curator.model import StageJob, TextLine, TextRead
from curator.stages.convert import decode_photo, decode_proxy, measure_and_shrink
from curator.stages.saving import Saved

if TYPE_CHECKING:
    from curator.catalog import Catalog
    from curator.imaging.pixels import DecodedImage, Image

# Proxies are smaller unless the settings ask for large ones, on which a look takes seconds. Of the
# lines that a look at 2048 px of the original finds in real photos, one on the proxy misses few,
# and those are too small to be read well.
_LOOK_PX = 2048


def read_text(job: StageJob) -> TextRead:
    """Find and read the text in a photo; writes nothing.

    Raises:
        TextModelError: the networks cannot be loaded; the photo is not the cause.
        GoneError: the proxy or the original is not there.
        UnreadableError: the original cannot be decoded any more.
    """
    return TextRead(job.fingerprint or "", _read(job, decode_proxy(job)))


def text_of_file(job: StageJob) -> tuple[tuple[TextLine, ...], tuple[int, int]]:
    """Find and read the text in a file that has no proxy; writes nothing.

    Returns:
        Its lines from the top, and the (width, height) of the upright picture in px.

    Raises:
        TextModelError, GoneError, UnreadableError: as :func:`read_text`.
    """
    found, _ = decode_photo(job)
    _, small = measure_and_shrink(found, job.long_edge_px)
    return _read(job, small, found), found.full_size


def save_text(catalog: Catalog, results: Sequence[tuple[StageJob, TextRead]]) -> Saved:
    """Save the text in photos."""
    return Saved(catalog.text_lines.save(results))


def _read(
    job: StageJob, small: Image, original: DecodedImage | None = None
) -> tuple[TextLine, ...]:
    """Find lines on a small picture; decode the original to read them if there are any."""
    # Imported here: the window's process imports the table of stages, and never decodes.
    from curator.imaging import pixels
    from curator.ocr.finder import find
    from curator.ocr.reader import read

    small = pixels.shrink(small, _LOOK_PX)
    found = find(small)
    if not found:
        return ()
    if original is None:
        original, _ = decode_photo(job)
    upright = pixels.upright_view(original.rgb, original.orientation)
    scale = max(upright.shape[:2]) / max(small.shape[:2])
    return tuple(read(found, scale, upright, original.icc))

"""Plain-colored pictures in the cache: one color per photo, so that a pixel identifies it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PySide6.QtGui import QColor, QImage

from curator.imaging import proxy
from curator.model import Kind, StageJob
from curator.session import Session

SIZE = (96, 64)


def color(number: int) -> QColor:
    """Return a photo's color, one of 30 hues far enough apart to survive JPEG."""
    return QColor.fromHsv(number * 97 % 30 * 12, 200, 80 + number % 3 * 60)


def key(photo_id: int) -> str:
    """Return the cache key that tests.catalogs.fill gave a photo."""
    return f"{photo_id - 1:032x}"


def picture(number: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Draw a picture of one color with a darker left third, (H, W, 3) uint8."""
    rgb = np.empty((size[1], size[0], 3), np.uint8)
    rgb[:] = color(number).getRgb()[:3]
    rgb[:, : size[0] // 3] //= 2
    return rgb


def lay_out(cache: Path, photo_ids: Iterable[int]) -> None:
    """Write proxy and thumbnail of these photos of a filled catalog."""
    for photo_id in photo_ids:
        proxy.save(picture(photo_id), cache, key(photo_id))


def fail(session: Session, photo_id: int, reason: str, retry: bool = False) -> None:
    """Save a failure of a photo, as the pipeline does; permanent unless it is retried."""
    path = str(session.detail(photo_id).path)
    job = StageJob(photo_id, "convert", path, Kind.IMAGE, str(session.home.cache))
    session.catalog.work.save_failure(job, reason, retry=retry)
    session.refresh()


def shows(image: QImage, x: float, y: float, number: int) -> bool:
    """Whether a pixel has a photo's color, within JPEG's accuracy."""
    found, wanted = image.pixelColor(int(x), int(y)), color(number)
    pairs = zip(found.getRgb()[:3], wanted.getRgb()[:3], strict=True)
    return all(abs(one - other) < 10 for one, other in pairs)

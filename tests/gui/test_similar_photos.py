"""Photos like another one in a panel: what stands below them shows whole or not at all."""

from __future__ import annotations

from PySide6.QtGui import QImage

from curator.session import Session
from curator.ui.panels.similar_photos import SimilarPhotos
from curator.ui.widgets import mark_painter, theme


def written(near: SimilarPhotos, number: int) -> int:
    """Count pixels of quiet text behind the marks of a photo, within its own column and after."""
    image: QImage = near.grab().toImage()
    place = near.place(number)
    end = place.left() + mark_painter.marks_width(near._session.tile(near.ids[number]).marks, False)
    return sum(
        image.pixelColor(x, y).lightness() > theme.DISABLED.lightness()
        for x in range(end + 2, min(place.right() + 4, image.width()))
        for y in range(place.bottom() + 2, near.height())
    )


def test_the_likeness_stands_behind_the_marks_if_it_fits(session: Session, dressed: object) -> None:
    every = {"flag": "pick", "rating": 5, "label": "red"}
    session.catalog.journal.decide({2: every, 3: {"flag": "pick", "rating": 5}}, summary="-")
    session.refresh()
    near = SimilarPhotos(session, None, "Similar")
    near.resize(272, 100)
    near.show_photos([(4, 0.91), (3, 0.87), (2, 0.86)])
    assert written(near, 0) > 20, "no marks, all the room"
    assert written(near, 1) == 0 and written(near, 2) == 0
    near.resize(420, 100)
    assert written(near, 1) > 20
    near.deleteLater()

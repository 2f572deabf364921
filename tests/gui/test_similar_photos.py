"""The panel of similar photos: a similarity shows in full or not at all."""

from __future__ import annotations

from PySide6.QtGui import QImage

from curator.session import Session
from curator.ui.panels.similar_photos import SimilarPhotos
from curator.ui.widgets import mark_painter, theme
from curator.ui.widgets.frames import Pictures


def count_text_pixels(near: SimilarPhotos, number: int) -> int:
    """Count the pixels of dim text to the right of a photo's marks."""
    image: QImage = near.grab().toImage()
    place = near.place(number)
    end = place.left() + mark_painter.marks_width(near._session.tile(near.ids[number]).marks, False)
    return sum(
        image.pixelColor(x, y).lightness() > theme.DISABLED.lightness()
        for x in range(end + 2, min(place.right() + 4, image.width()))
        for y in range(place.bottom() + 2, near.height())
    )


def test_the_similarity_shows_beside_the_marks_if_it_fits(
    session: Session, dressed: object
) -> None:
    every = {"flag": "pick", "rating": 5, "label": "red"}
    session.catalog.journal.decide({2: every, 3: {"flag": "pick", "rating": 5}}, summary="-")
    session.refresh()
    pictures = Pictures(session.home, session.settings)
    near = SimilarPhotos(session, pictures, "Similar")
    near.resize(272, 100)
    near.show_photos([(4, 0.91), (3, 0.87), (2, 0.86)])
    assert count_text_pixels(near, 0) > 20, "without marks it fits"
    assert count_text_pixels(near, 1) == 0 and count_text_pixels(near, 2) == 0
    near.resize(420, 100)
    assert count_text_pixels(near, 1) > 20
    near.deleteLater()
    pictures.close()

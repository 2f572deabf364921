"""The filmstrip: the list in one row with the current photo centered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from curator import commands
from curator.home import Home
from curator.session import Session
from curator.ui.loupe.filmstrip import Filmstrip
from curator.ui.widgets import theme
from curator.ui.widgets.frames import Pictures
from tests import catalogs
from tests.conftest import PATIENCE_MS
from tests.gui import swatches


@pytest.fixture
def strip(session: Session, dressed: object, qtbot) -> Iterator[Filmstrip]:
    """A strip of 1,000 px over sixty photos with pixels."""
    swatches.lay_out(session.home.cache, session.ids.tolist())
    pictures = Pictures(session.home, session.settings)
    strip = Filmstrip(session, pictures)
    strip.resize(1000, theme.FILMSTRIP)
    strip.show()
    assert QTest.qWaitForWindowExposed(strip, PATIENCE_MS)
    yield strip
    strip.close()
    pictures.close()
    strip.deleteLater()
    QApplication.processEvents()


def seen(strip: Filmstrip) -> QImage:
    return strip.grab().toImage()


def test_the_current_photo_is_centered_except_at_the_ends(session, strip) -> None:
    session.photos.go(30)
    assert abs(strip.cell(30).center().x() - 500) <= 1
    session.photos.go(0)
    assert strip.cell(0).left() == 0
    session.photos.go(59)
    assert strip.cell(59).right() + 1 == 1000


def test_a_list_shorter_than_the_strip_is_centered(session, strip) -> None:
    session.photos.listing.replace(session.ids[:4])
    session.photos.list_changed.emit()
    assert abs(strip.cell(0).left() - (999 - strip.cell(3).right())) <= 1


def test_each_cell_shows_its_own_photo_while_stepping(session, strip, qtbot) -> None:
    for index in (0, 1, 2, 25, 59):
        session.photos.go(index)

        def own() -> bool:
            image = seen(strip)
            return all(
                swatches.shows(
                    image, strip.cell(place).center().x() + 10, 30, int(session.ids[place])
                )
                for place in strip.visible()
                if not session.tile(int(session.ids[place])).rejected
                and 0 < strip.cell(place).center().x() + 10 < 1000
            )

        qtbot.waitUntil(own)


def test_a_click_goes_to_the_photo(session, strip) -> None:
    QTest.mouseClick(
        strip, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(450, 40)
    )
    assert session.photos.index == 450 // strip.cell(0).width()


def test_only_the_current_photo_is_underlined(session, strip) -> None:
    session.photos.go(3)
    image = seen(strip)
    lines = [
        place
        for place in strip.visible()
        if image.pixelColor(min(strip.cell(place).center().x(), 999), strip.height() - 1)
        == theme.WHITE
    ]
    assert lines == [3]


def test_marks_show_in_pencil_at_once(session, strip) -> None:
    session.photos.go(1)
    cell = strip.cell(1)
    below = cell.adjusted(0, 62, 0, -4)

    def pencil() -> int:
        part = seen(strip).copy(below)
        return sum(
            part.pixelColor(x, y) == theme.PENCIL
            for x in range(part.width())
            for y in range(part.height())
        )

    assert pencil() == 0
    session.viewer.note_painted(session.current)
    commands.run(session, "stars_5")
    five = pencil()
    commands.run(session, "stars_1")
    assert five > 3 * pencil() > 0


def test_cost_depends_on_the_cells_on_screen_only(session, strip, monkeypatch, qtbot) -> None:
    asked: list[int] = []
    real = session.tiles
    monkeypatch.setattr(session, "tiles", lambda photos: asked.extend(photos) or real(photos))
    with qtbot.waitSignal(strip._requesting.timeout):
        session.photos.go(40)
    seen(strip)
    assert 0 < len(set(asked)) <= len(strip.visible()) + 2 * 16


def test_a_line_connects_a_stack_and_a_ring_marks_the_suggested_best(
    session, strip, home: Home
) -> None:
    catalogs.stack(home.catalog, 3, 4, 5)
    session.refresh()
    image = seen(strip)
    row = [image.pixelColor(strip.cell(place).right(), 79) for place in range(6)]
    assert [color == theme.DISABLED for color in row] == [False] * 2 + [True] * 2 + [False] * 2
    assert image.pixelColor(strip.cell(3).center().x(), 79) == theme.DISABLED
    rings = [image.pixelColor(strip.cell(place).center().x(), 5) for place in range(6)]
    assert [color == theme.DISABLED for color in rings] == [False] * 4 + [True, False]


def test_the_cursor_is_brighter_than_the_suggestion_ring(session, strip, home: Home) -> None:
    catalogs.stack(home.catalog, 3, 4, 5)
    session.refresh()
    session.photos.go(1)
    image, dark = seen(strip), theme.CANVAS.lightness()

    def light_around(place: int) -> int:
        """Add up what is brighter than the canvas beside a picture, but for the stack's line."""
        cell = strip.cell(place)
        picture = cell.adjusted(4, 8, -4, -22)
        return sum(
            image.pixelColor(x, y).lightness() - dark
            for x in range(cell.left(), cell.right() + 1)
            for y in range(84)
            if y != 79 and not picture.contains(x, y)
        )

    assert session.tile(int(session.ids[4])).suggested and light_around(4) > 0, "it still whispers"
    assert light_around(1) > 2 * light_around(4)
    assert light_around(8) == 0


def test_another_order_leaves_no_gap_beside_the_list(session, strip) -> None:
    session.photos.go(2)
    session.ordering.set_order("taken", backwards=True)
    assert session.photos.index == 57
    assert strip.cell(59).right() + 1 == 1000

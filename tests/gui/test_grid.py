"""The grid: draws only what is on screen, and tiles do not move while photos stream in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QHelpEvent, QImage, QRegion, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from curator import commands
from curator.home import Home
from curator.model import View
from curator.session import Session
from curator.ui.grid.grid_layout import FOOTER, GAP, MARGIN, GridLayout, fitting_shape
from curator.ui.grid.grid_view import GridView
from curator.ui.grid.tile_painter import TilePainter
from curator.ui.widgets import theme
from curator.ui.widgets.frames import Pictures
from tests import catalogs, face_data
from tests.conftest import PATIENCE_MS
from tests.face_data import CLOSED, OPEN
from tests.gui import swatches
from tests.gui.conftest import QuietPipeline

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def make_grid(dressed: object, qtbot) -> Iterator[Callable[..., GridView]]:
    """Create grids of 860 x 600 px: four columns."""
    made: list[tuple[GridView, Pictures]] = []

    def make(session: Session) -> GridView:
        pictures = Pictures(session.home, session.settings)
        grid = GridView(session, pictures)
        made.append((grid, pictures))
        grid.resize(860, 600)
        grid.show()
        assert QTest.qWaitForWindowExposed(grid, PATIENCE_MS)
        return grid

    yield make
    for grid, pictures in made:
        grid.close()
        pictures.close()
        grid.deleteLater()
    QApplication.processEvents()


@pytest.fixture
def grid(session: Session, make_grid: Callable[..., GridView]) -> GridView:
    return make_grid(session)


def seen(grid: GridView) -> QImage:
    return grid.viewport().grab().toImage()


def press(grid: GridView, place: int, modifiers: Qt.KeyboardModifier = NONE) -> None:
    QTest.mouseClick(grid.viewport(), LEFT, modifiers, grid.cell(place).center())


def wheel(grid: GridView, notches: float, modifiers: Qt.KeyboardModifier = NONE) -> None:
    at = QPointF(100, 100)
    event = QWheelEvent(
        at,
        QPointF(grid.viewport().mapToGlobal(at.toPoint())),
        QPoint(),
        QPoint(0, round(120 * notches)),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(grid.viewport(), event)


# --- the sheet


@pytest.mark.parametrize(("width", "thumb"), [(300, 184), (1200, 184), (3840, 120), (500, 360)])
def test_every_tile_is_found_at_its_place_and_none_in_gaps(width: int, thumb: int) -> None:
    sheet = GridLayout(width, 1000, thumb)
    for index in (0, 1, sheet.columns - 1, sheet.columns, 501, 999):
        rect = sheet.rect(index)
        for corner in (rect.topLeft(), rect.bottomRight(), rect.center()):
            assert sheet.at(corner.x(), corner.y()) == index
        assert sheet.at(rect.left(), rect.bottom() + 2) is None
        assert sheet.at(rect.right() + 2, rect.top()) is None
    assert sheet.at(MARGIN, sheet.height) is None


def test_columns_fill_the_width_and_tiles_are_never_too_small() -> None:
    for width in range(400, 2600, 37):
        sheet = GridLayout(width, 5000, 184)
        right = sheet.rect(sheet.columns - 1).right() + 1
        assert sheet.cell_width >= 184
        assert width - MARGIN - right < sheet.columns
        assert sheet.rect(1).left() - sheet.rect(0).right() - 1 == GAP
        assert sheet.rect(0).height() == round(sheet.cell_width * 2 / 3) + FOOTER


def test_between_returns_the_overlapping_rows() -> None:
    sheet = GridLayout(860, 1000, 184)
    for top in range(0, 3000, 61):
        bottom = top + 517
        wanted = [
            index
            for index in range(300)
            if sheet.rect(index).bottom() >= top and sheet.rect(index).top() < bottom
        ]
        given = list(sheet.between(top, bottom))
        assert set(wanted) <= set(given)
        assert len(given) - len(wanted) <= 2 * sheet.columns
    assert list(GridLayout(860, 0, 184).between(0, 500)) == []


@pytest.mark.parametrize(
    ("ratios", "shape"),
    [
        ([], 2 / 3),
        ([2 / 3] * 9, 2 / 3),
        ([9 / 16] * 9, 2 / 3),
        ([3 / 4] * 9, 3 / 4),
        ([2 / 3] * 7 + [3 / 2] * 3, 2 / 3),
        ([2 / 3] * 3 + [3 / 2] * 7, 1.0),
        ([4 / 3] * 9, 1.0),
    ],
)
def test_cells_have_the_shape_that_shows_pictures_largest(
    ratios: list[float], shape: float
) -> None:
    assert fitting_shape(np.array(ratios, "f4")) == shape
    tall, square = GridLayout(1200, 99, 184, shape), GridLayout(1200, 99, 184, 1.0)
    assert tall.columns == square.columns and tall.cell_width == square.cell_width


def test_sizes_learned_later_move_no_tile_until_the_grid_is_shown_again(session, grid) -> None:
    before = [grid.cell(place) for place in range(9)]
    session.catalog.photos.turn(session.ids.tolist(), 1)
    session.refresh()
    assert [grid.cell(place) for place in range(9)] == before
    assert grid.grid_layout.cell_height < grid.grid_layout.cell_width
    grid.hide()
    grid.show()
    assert grid.grid_layout.cell_height == grid.grid_layout.cell_width, "all are upright now"


# --- drawing


def test_each_tile_shows_its_own_photo(session, make_grid, qtbot) -> None:
    swatches.lay_out(session.home.cache, session.ids.tolist())
    grid = make_grid(session)
    places = [
        place for place in grid.visible() if not session.tile(int(session.ids[place])).rejected
    ]

    def all_right() -> bool:
        image = seen(grid)
        return all(
            swatches.shows(
                image,
                grid.cell(place).center().x() + 20,
                grid.cell(place).bottom() - FOOTER - 30,
                int(session.ids[place]),
            )
            for place in places
            if grid.cell(place).bottom() < grid.viewport().height()
        )

    qtbot.waitUntil(all_right)


def test_a_reject_is_faint_with_one_pencil_stroke_and_comes_back_on_undo(
    session, make_grid, qtbot
) -> None:
    swatches.lay_out(session.home.cache, session.ids.tolist())
    grid = make_grid(session)
    photo = int(session.ids[1])
    corner = grid.cell(1).bottomLeft() - QPoint(0, FOOTER)
    at = corner.x() + 120, corner.y() - 20
    qtbot.waitUntil(lambda: swatches.shows(seen(grid), *at, photo))
    press(grid, 1)
    commands.run(session, "reject")
    qtbot.waitUntil(lambda: not swatches.shows(seen(grid), *at, photo))
    strip = seen(grid).copy(corner.x(), corner.y() - 30, 60, 30)
    pencil = [
        (x, y)
        for x in range(strip.width())
        for y in range(strip.height())
        if strip.pixelColor(x, y) == theme.PENCIL
    ]
    assert len(pencil) > 10
    commands.run(session, "undo")
    qtbot.waitUntil(lambda: swatches.shows(seen(grid), *at, photo))


def test_a_photo_without_pixels_yet_is_a_flat_panel_in_its_own_aspect(session, grid) -> None:
    session.catalog.photos.turn([int(session.ids[2])], 1)
    session.refresh()
    image, cell, upright = seen(grid), grid.cell(1), grid.cell(2)
    assert image.pixelColor(cell.left() + 4, cell.top() + 10) == theme.PANEL
    assert image.pixelColor(upright.center().x(), upright.top() + 10) == theme.PANEL
    assert image.pixelColor(upright.left() + 4, upright.top() + 10) == theme.CANVAS


def test_names_and_dates_have_their_own_line_and_are_remembered(session, grid, monkeypatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(TilePainter, "_draw_caption", lambda *of: written.append(of[3].name))
    session.photos.go(59)
    pitch, picture = grid.grid_layout.row_height, grid.grid_layout.cell_height
    seen(grid)
    assert not written
    commands.run(session, "toggle_captions")
    assert session.settings.grid.captions
    seen(grid)
    assert session.table.name(session.current) in written
    assert (grid.grid_layout.row_height, grid.grid_layout.cell_height) == (pitch + 16, picture)
    assert grid.viewport().rect().contains(grid.cell(59)), "also below the last line"
    session.ordering.set_order("name")
    assert grid._painter.value(session.tile(1)) == "", "it is not written twice"
    face_data.save(session.catalog, {1: [replace(OPEN, eye_sharpness=63.4)]})
    session.refresh()
    session.ordering.set_order("eyes")
    assert [grid._painter.value(session.tile(photo)) for photo in (1, 2)] == ["63", ""]
    commands.run(session, "toggle_captions")
    assert grid.grid_layout.row_height == pitch


def test_a_caption_keeps_room_for_the_name(session, grid) -> None:
    session.settings.grid.captions = True
    session.preferences.changed.emit()
    image, cell = seen(grid), grid.cell(1)
    line = range(cell.bottom() + 3 - FOOTER - 16, cell.bottom() + 3 - FOOTER)

    def ink(left: int, right: int) -> bool:
        return any(image.pixelColor(x, y) != theme.CANVAS for x in range(left, right) for y in line)

    assert ink(cell.left(), cell.left() + 40) and ink(cell.right() - 40, cell.right())


def test_current_has_a_white_line_and_the_selection_a_raised_cell(session, grid) -> None:
    press(grid, 1)
    press(grid, 3, Qt.KeyboardModifier.ShiftModifier)
    image = seen(grid)
    current, other = grid.cell(3), grid.cell(2)
    assert image.pixelColor(current.center().x(), current.bottom()) == theme.WHITE
    assert image.pixelColor(other.center().x(), other.bottom()) == theme.RAISED
    outside = grid.cell(0)
    assert image.pixelColor(outside.center().x(), outside.bottom()) == theme.CANVAS


def test_cost_depends_on_the_tiles_on_screen_only(
    make_session, make_grid, monkeypatch, qtbot
) -> None:
    session = make_session(6_000)
    grid = make_grid(session)
    asked: list[int] = []
    real = session.tiles
    monkeypatch.setattr(session, "tiles", lambda photos: asked.extend(photos) or real(photos))
    bar = grid.verticalScrollBar()
    for share in (0.2, 0.5, 0.9):
        bar.setValue(int(bar.maximum() * share))
        QApplication.processEvents()
        seen(grid)
    assert 0 < len(asked) < 3 * 4 * len(grid.visible())
    bar.setValue(bar.maximum())
    assert grid.visible().stop == 6_000
    assert grid.cell(5_999).bottom() < grid.viewport().height()


@pytest.mark.parametrize("downward", [True, False])
def test_the_next_screen_is_requested_in_the_direction_of_scrolling(
    make_session, make_grid, monkeypatch, qtbot, downward: bool
) -> None:
    session = make_session(600)
    grid = make_grid(session)
    wanted: list[list[str]] = []
    monkeypatch.setattr(
        grid._prefetch._store, "want", lambda _, wants: wanted.append([want.key for want in wants])
    )
    bar = grid.verticalScrollBar()
    bar.setValue(0 if downward else bar.maximum())
    bar.setValue(bar.maximum() // 2)
    here = grid.visible()
    ahead = range(here.stop, here.stop + len(here))
    if not downward:
        ahead = range(here.start - 1, here.start - 1 - len(here), -1)
    keys = [session.tile(grid.tile_photo(number)).thumb for number in (*here, *ahead)]
    qtbot.waitUntil(lambda: bool(wanted) and wanted[-1] == keys)


def test_a_picture_that_arrives_just_after_scrolling_is_painted(
    session, make_grid, monkeypatch
) -> None:
    grid = make_grid(session)
    grid.verticalScrollBar().setValue(grid.verticalScrollBar().maximum())
    last = grid.visible()[-1]
    painted: list[list[int]] = []
    monkeypatch.setattr(grid, "_update", painted.append)
    grid._pictures.thumbs.arrived.emit(set(grid._requests_of([last]).values()))
    assert painted == [[last]]


def test_the_pipeline_learns_which_photos_are_on_screen(
    session, grid, pipeline, monkeypatch, qtbot
) -> None:
    told: list[list[int]] = []
    monkeypatch.setattr(pipeline, "focus", lambda ids: told.append(list(ids)))
    grid.verticalScrollBar().setValue(grid.verticalScrollBar().maximum())
    qtbot.waitUntil(lambda: bool(told))
    assert told[-1] == session.ids[grid.visible().start :].tolist()


# --- mouse and keys


def test_click_ctrl_and_shift_select_as_everywhere(session, grid) -> None:
    press(grid, 2)
    assert session.photos.index == 2
    assert session.photos.selection == frozenset()
    press(grid, 5, Qt.KeyboardModifier.ShiftModifier)
    assert session.photos.selection == frozenset(session.ids[2:6].tolist())
    press(grid, 3, Qt.KeyboardModifier.ControlModifier)
    assert session.photos.selection == frozenset(session.ids[[2, 4, 5]].tolist())
    press(grid, 0)
    assert session.photos.selection == frozenset()


def test_a_double_click_opens_the_loupe(session, grid) -> None:
    QTest.mouseDClick(grid.viewport(), LEFT, NONE, grid.cell(3).center())
    assert session.view_state.view is View.LOUPE
    assert session.photos.index == 3


def test_moving_by_rows_keeps_the_column_and_shows_the_current_photo(session, grid) -> None:
    columns = grid.grid_layout.columns
    press(grid, 2)
    for _ in range(5):
        commands.run(session, "down")
        assert grid.viewport().rect().contains(grid.cell(session.photos.index))
    assert session.photos.index == 2 + 5 * columns
    for _ in range(4):
        commands.run(session, "up")
    assert session.photos.index == 2 + columns
    commands.run(session, "last")
    commands.run(session, "down")
    assert session.photos.index == len(session.ids) - 1
    assert grid.viewport().rect().contains(grid.cell(session.photos.index))


def test_a_less_high_window_still_shows_the_current_photo(session, grid) -> None:
    session.photos.go(int(grid.visible()[-1]))
    grid.resize(grid.width(), grid.height() // 2)
    QApplication.processEvents()
    assert grid.viewport().rect().contains(grid.cell(session.photos.index))


def test_a_page_down_moves_by_the_rows_on_screen_and_ends_at_the_last_photo(session, grid) -> None:
    rows = grid.viewport().height() // grid.grid_layout.row_height
    commands.run(session, "page_down")
    assert session.photos.index == rows * grid.grid_layout.columns
    for _ in range(20):
        commands.run(session, "page_down")
    assert (
        session.photos.index // grid.grid_layout.columns
        == (len(session.ids) - 1) // grid.grid_layout.columns
    )


def test_ctrl_wheel_changes_the_size_within_bounds_and_the_setting_keeps_it(session, grid) -> None:
    press(grid, 9)
    wheel(grid, 1, Qt.KeyboardModifier.ControlModifier)
    assert session.settings.grid.thumb_px == 208
    assert grid.grid_layout.thumb_px == 208
    for _ in range(20):
        wheel(grid, -1, Qt.KeyboardModifier.ControlModifier)
    assert session.settings.grid.thumb_px == 120
    assert grid.verticalScrollBar().value() == 0 or 9 in grid.visible()


def test_a_smooth_wheel_changes_the_size_once_a_notch(session, grid) -> None:
    before = session.settings.grid.thumb_px
    for _ in range(8):
        wheel(grid, 0.25, Qt.KeyboardModifier.ControlModifier)
    smooth = session.settings.grid.thumb_px
    wheel(grid, -2, Qt.KeyboardModifier.ControlModifier)
    assert session.settings.grid.thumb_px == before < smooth


def test_the_wheel_scrolls_and_moves_no_selection(session, grid) -> None:
    press(grid, 1)
    wheel(grid, -3)
    assert grid.verticalScrollBar().value() > 0
    assert session.photos.index == 1


@pytest.mark.parametrize(
    ("at", "moves"),
    [
        (0, ("first", "previous_photo", "up", "page_up", "previous_unreviewed")),
        (-1, ("last", "next_photo", "down", "page_down")),
    ],
)
def test_a_move_that_ends_where_it_began_shows_the_current_photo(
    session, grid, at: int, moves: tuple[str, ...]
) -> None:
    session.photos.go(at % len(session.ids))
    bar = grid.verticalScrollBar()
    for move in moves:
        bar.setValue(bar.maximum() if at == 0 else 0)
        assert session.photos.index not in grid.visible()
        commands.run(session, move)
        assert session.photos.index == at % len(session.ids), move
        assert grid.viewport().rect().contains(grid.cell(session.photos.index)), move


# --- staying where one looks


def test_photos_streaming_in_before_it_do_not_move_the_current_tile(session, grid) -> None:
    whole = session.ids
    session.photos.listing.replace(whole[30:])
    session.photos.list_changed.emit()
    session.navigator.go_to(int(whole[50]))
    QApplication.processEvents()
    before = grid.cell(session.photos.index).top()
    session.photos.listing.replace(whole)
    session.photos.list_changed.emit()
    assert session.current == whole[50]
    assert grid.cell(session.photos.index).top() == before


def test_with_the_current_photo_off_screen_the_first_visible_tile_stays(session, grid) -> None:
    whole = session.ids
    session.photos.listing.replace(whole[8:])
    session.photos.list_changed.emit()
    session.photos.go(0)
    grid.verticalScrollBar().setValue(grid.grid_layout.top(20) - 5)
    first = int(session.ids[grid.visible().start])
    before = grid.cell(grid.visible().start).top()
    session.photos.listing.replace(whole)
    session.photos.list_changed.emit()
    place = int(np.flatnonzero(session.ids == first)[0])
    assert grid.cell(place).top() == before


def test_an_empty_list_and_its_first_photos(session, grid) -> None:
    whole = session.ids
    session.photos.listing.replace(whole[:0])
    session.photos.list_changed.emit()
    seen(grid)
    assert list(grid.visible()) == []
    press(grid, 0)
    session.photos.listing.replace(whole)
    session.photos.list_changed.emit()
    assert len(grid.visible()) > 0


# --- failures


def test_a_failed_photo_shows_why_and_has_a_retry_link(
    session: Session, make_grid, pipeline: QuietPipeline, qtbot
) -> None:
    photo = int(session.ids[2])
    swatches.fail(session, photo, "The file is empty.")
    grid = make_grid(session)
    assert session.tile(photo).state == "failed"
    image = seen(grid)
    cell = grid.cell(2)
    inked = [
        (x, y)
        for x in range(cell.left(), cell.right(), 2)
        for y in range(cell.top() + 60, cell.bottom() - FOOTER)
        if image.pixelColor(x, y).lightness() > 120
    ]
    assert inked
    area = grid._painter._retry_links[photo].translated(cell.topLeft())
    QTest.mouseClick(grid.viewport(), LEFT, NONE, area.center())
    assert pipeline.asked == [("retry", [photo])]


# --- stacks


@pytest.fixture
def stacked(session, home: Home) -> Session:
    """Sixty photos with the stacks 3 to 6 and 9 to 11; 6 is the suggested best of the first."""
    catalogs.stack(home.catalog, 3, 4, 5, 6)
    catalogs.stack(home.catalog, 9, 10, 11, kind="bracket")
    session.refresh()
    return session


def top_of_picture(grid: GridView, place: int) -> QPoint:
    """Return the middle of a 3:2 photo's upper edge in its tile."""
    cell = grid.cell(place)
    return QPoint(cell.center().x(), cell.bottom() + 1 - FOOTER - round(cell.width() / 1.5))


def below(grid: GridView, place: int) -> QPoint:
    """Return the point of a stack's line in the gap right of a tile."""
    return grid.cell(place).bottomRight() + QPoint(GAP // 2, 3)


def count_of(grid: GridView, place: int) -> QPoint:
    return grid.cell(place).bottomRight() - QPoint(4, FOOTER // 2)


def test_a_closed_stack_is_one_tile_with_two_edges_behind_it(stacked, make_grid) -> None:
    grid = make_grid(stacked)
    assert grid.grid_layout.count == 55
    image = seen(grid)
    for place, color in ((1, theme.CANVAS), (2, theme.DISABLED), (6, theme.CANVAS)):
        at = top_of_picture(grid, place)
        assert [image.pixelColor(at - QPoint(0, up)) for up in (2, 4)] == [color] * 2


def test_a_click_on_the_count_expands_and_closes_a_stack(stacked, make_grid) -> None:
    grid = make_grid(stacked)
    QTest.mouseClick(grid.viewport(), LEFT, NONE, count_of(grid, 2))
    assert grid.grid_layout.count == 58
    image = seen(grid)
    line = [image.pixelColor(below(grid, place)) == theme.DISABLED for place in range(7)]
    assert line == [False, False, True, False, True, False, False]  # 3 ends a row, 5 the stack
    ring = top_of_picture(grid, 5) - QPoint(0, 3)
    assert image.pixelColor(ring) == theme.DISABLED  # the suggested best
    assert image.pixelColor(top_of_picture(grid, 4) - QPoint(0, 3)) == theme.CANVAS
    QTest.mouseClick(grid.viewport(), LEFT, NONE, count_of(grid, 2))
    assert grid.grid_layout.count == 55


def test_a_click_beside_the_count_goes_to_the_stack(stacked, make_grid) -> None:
    grid = make_grid(stacked)
    press(grid, 2)
    assert stacked.current == 6
    assert grid.grid_layout.count == 55
    commands.run(stacked, "down")
    assert stacked.stacks.tile_number == 6


def test_a_tooltip_says_why_a_frame_is_suggested(stacked, make_grid, monkeypatch) -> None:
    tips: list[str] = []  # a real one is a window of its own, which this platform cannot raise
    show = SimpleNamespace(showText=lambda _at, text, _widget: tips.append(text))
    monkeypatch.setattr("curator.ui.grid.grid_view.QToolTip", show)
    grid = make_grid(stacked)
    at = grid.cell(2).center()
    help_ = QHelpEvent(QEvent.Type.ToolTip, at, grid.viewport().mapToGlobal(at))
    QApplication.sendEvent(grid.viewport(), help_)
    assert "DSC_0005" in tips[0]
    assert "stack of 4" in tips[0]
    assert "suggested best: sharpest of 4" in tips[0]


def test_newly_measured_eyes_move_the_suggestion_and_painting_reads_no_faces(
    stacked, make_grid
) -> None:
    grid = make_grid(stacked)
    assert [photo for photo in range(3, 7) if stacked.tile(photo).suggested] == [6]
    frames = {3: [CLOSED], 4: [OPEN], 5: [CLOSED], 6: [CLOSED]}
    face_data.save(stacked.catalog, frames)
    stacked.refresh()
    read: list[str] = []
    stacked.catalog.store.trace(read.append)
    seen(grid)
    stacked.catalog.store.trace(None)
    assert not [sql for sql in read if " face " in sql]
    assert [photo for photo in frames if stacked.tile(photo).suggested] == [4]
    assert stacked.stacks.suggestion_reason(4) == "the only frame of 4 with open eyes"


def test_a_stack_shows_another_frame_after_its_cover_is_rejected(stacked, make_grid) -> None:
    grid = make_grid(stacked)
    assert grid.tile_photo(2) == 6
    stacked.decisions.decide("reject", {6: {"flag": "reject"}})
    assert grid.tile_photo(2) == 5


def test_the_line_of_a_stack_is_complete_after_one_tile_is_repainted(stacked, make_grid) -> None:
    grid = make_grid(stacked)
    QTest.mouseClick(grid.viewport(), LEFT, NONE, count_of(grid, 2))
    image, first, last = seen(grid), grid.cell(4), grid.cell(5)  # of the second row
    half = GAP // 2
    again = last.adjusted(-half, -half, half, half)
    grid.viewport().render(image, again.topLeft(), QRegion(again))
    line = {
        image.pixelColor(x, first.bottom() + 3).name() for x in range(first.left(), last.right())
    }
    assert line == {theme.DISABLED.name()}

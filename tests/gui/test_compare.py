"""Compare and survey in the real window, by real keys: whose pixels, which pane, one zoom."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from curator.model import Flag, KnownError, View
from curator.ui.compare.compare_view import CompareView
from curator.ui.loupe import view_transform
from curator.ui.main_window import MainWindow
from curator.ui.widgets import theme
from tests.gui import swatches
from tests.gui.darkroom import Darkroom
from tests.gui.keyboard import press

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def pipeline(dressed: object) -> Darkroom:
    return Darkroom()


@pytest.fixture
def window(make_window, session, qtbot) -> MainWindow:
    """The window on the third photo, in the loupe; every photo has a color of its own."""
    swatches.lay_out(session.home.cache, session.ids.tolist()[:16])
    made = make_window(session)
    made.resize(1200, 800)
    session.photos.go(2)
    session.viewer.set_view(View.LOUPE)
    qtbot.waitUntil(lambda: session.viewer.is_painted)
    return made


@pytest.fixture
def session(make_session):
    return make_session()


def seen(view: CompareView) -> QImage:
    return view.grab().toImage()


def middles(view: CompareView) -> list[QPoint]:
    """Return a point in each pane with its photo's full color: the middle of its picture."""
    return [pane.viewport.place().center() + QPoint(5, 0) for pane in view.panes()]


def look_closely(window: MainWindow) -> None:
    """Zoom to 100 % in the middle of the pictures, wherever the pointer is."""
    press(window, "Z")
    window.session.view_state.set_zoom(1.0, (0.5, 0.5))


def own(view: CompareView) -> list[bool]:
    """Return for each pane whether it shows its own photo's color."""
    image = seen(view)
    return [
        swatches.shows(image, at.x(), at.y(), pane.photo or 0)
        for at, pane in zip(middles(view), view.panes(), strict=True)
    ]


def settled(window: MainWindow, qtbot) -> None:
    """Wait until every pane shows its photo, and the active one counts as shown."""
    session = window.session
    qtbot.waitUntil(lambda: window.compare.panes() != [] and all(own(window.compare)))
    qtbot.waitUntil(lambda: session.viewer.is_painted)


@pytest.fixture
def comparing(window: MainWindow, qtbot) -> MainWindow:
    press(window, "C")
    settled(window, qtbot)
    return window


def photos(window: MainWindow) -> list[int | None]:
    return [pane.photo for pane in window.compare.panes()]


# --- compare


def test_c_puts_two_equal_panes_two_pixels_apart(comparing) -> None:
    assert comparing.pages.currentWidget() is comparing.compare
    assert photos(comparing) == [3, 4]
    left, right = (pane.cell for pane in comparing.compare.panes())
    assert left.size() == right.size()
    assert right.left() - left.right() - 1 == 2
    assert comparing.filmstrip.isVisible()


def test_a_white_line_lies_under_the_active_pane(comparing) -> None:
    def lines() -> list[bool]:
        image = seen(comparing.compare)
        return [
            image.pixelColor(pane.cell.center().x(), pane.cell.bottom() - 1) == theme.WHITE
            for pane in comparing.compare.panes()
        ]

    assert lines() == [False, True]
    press(comparing, "Tab")
    assert lines() == [True, False]
    QTest.mouseClick(comparing.compare, LEFT, NONE, middles(comparing.compare)[1])
    assert lines() == [False, True]


def test_pictures_are_requested_again_when_the_view_is_shown_again(comparing, qtbot) -> None:
    view = comparing.compare
    qtbot.waitUntil(lambda: not view._requesting.isActive())
    view.hide()
    view.show()
    assert view._requesting.isActive()


def test_arrows_bring_challengers_and_never_another_photos_pixels(comparing, qtbot) -> None:
    for challenger in (5, 6, 7, 8, 9, 10, 12):  # 11 is rejected
        press(comparing, "Right")
        assert photos(comparing) == [3, challenger]
        image, (left, right) = seen(comparing.compare), middles(comparing.compare)
        assert swatches.shows(image, left.x(), left.y(), 3)
        bare = image.pixelColor(right.x() + 200, right.y()) == theme.CANVAS
        assert bare or swatches.shows(image, right.x(), right.y(), challenger)
    settled(comparing, qtbot)
    press(comparing, "Left")
    assert photos(comparing) == [3, 10]


def test_the_next_challenger_is_decoded_ahead(comparing, qtbot) -> None:
    view = comparing.compare
    for _ in range(3):
        coming = [sight.proxy(tile) for sight, tile in view._next_challengers()]
        qtbot.waitUntil(lambda wants=coming: all(view._frames.get(want) for want in wants))
        press(comparing, "Right")
        assert all(own(view))


def test_marks_apply_to_the_active_pane(comparing, qtbot) -> None:
    session = comparing.session
    press(comparing, "4")
    assert (session.tile(4).marks.rating, session.tile(3).marks.rating) == (4, None)
    press(comparing, "Tab", "2")  # it was painted before: nothing to wait for
    assert (session.tile(4).marks.rating, session.tile(3).marks.rating) == (4, 2)
    press(comparing, "X")
    assert photos(comparing) == [4, 5]
    assert session.tile(3).marks.flag is Flag.REJECT
    assert session.tile(4).marks.flag is None
    settled(comparing, qtbot)
    press(comparing, "Tab", "X")
    assert photos(comparing) == [4, 6]
    press(comparing, "Ctrl+Z")
    assert photos(comparing) == [4, 5]
    assert session.tile(5).marks.flag is None


def test_enter_lets_the_challenger_win_and_esc_goes_back_with_it(comparing, qtbot) -> None:
    press(comparing, "Return")
    assert photos(comparing) == [4, 5]
    press(comparing, "Esc")
    assert comparing.pages.currentWidget() is comparing.loupe
    assert comparing.session.current == 4


def test_a_photo_not_on_screen_yet_cannot_be_marked(make_window, session) -> None:
    window = make_window(session)  # no photo has a picture
    session.photos.go(2)
    press(window, "E", "C", "X")
    assert session.tile(4).marks.flag is None
    said = [seen(window.compare).pixelColor(at.x(), at.y()) for at in middles(window.compare)]
    assert all(color.saturation() < 20 for color in said)


def test_a_failed_photo_has_a_card_with_retry(comparing, pipeline, qtbot) -> None:
    swatches.fail(comparing.session, 4, "Only the first 12 % of the picture is there.")
    pane = comparing.compare.panes()[1]
    qtbot.waitUntil(lambda: seen(comparing.compare) is not None and pane.drawing.retry is not None)
    QTest.mouseClick(comparing.compare, LEFT, NONE, pane.drawing.retry.center())
    assert pipeline.asked == [("retry", [4])]
    press(comparing, "X")
    assert comparing.session.tile(4).marks.flag is Flag.REJECT


def test_only_the_pictures_are_left_in_full_screen(comparing) -> None:
    before = comparing.compare.panes()[0].viewport.area.height()
    comparing.session.view_state.hide_panels(True)
    assert not comparing.filmstrip.isVisible()
    assert comparing.compare.panes()[0].viewport.area.height() > before + 80
    press(comparing, "Esc")
    assert comparing.filmstrip.isVisible()
    assert comparing.session.view_state.view is View.COMPARE


def test_captions_name_winner_and_challenger_but_nothing_in_a_survey(comparing) -> None:
    view = comparing.compare

    def begins() -> list[QImage]:
        """Return the start of each caption as an image."""
        image = seen(view)
        lines = [pane.cell.adjusted(0, pane.cell.height() - 24, 0, -3) for pane in view.panes()]
        return [image.copy(line.x() + 12, line.y(), 60, line.height()) for line in lines]

    def inked(image: QImage) -> bool:
        places = ((x, y) for x in range(image.width()) for y in range(image.height()))
        return any(image.pixelColor(*place).lightness() > 150 for place in places)

    winner, challenger = begins()
    assert inked(winner) and inked(challenger) and winner != challenger
    press(comparing, "Tab")
    assert begins() == [winner, challenger], "whichever is active"
    press(comparing, "Esc", "G")
    comparing.session.photos.select_only(4)
    comparing.session.photos.select_range(6)
    press(comparing, "N")
    assert not any(map(inked, begins()))


def test_screen_readers_get_the_role_of_the_active_photo(comparing, qtbot) -> None:
    view = comparing.compare
    qtbot.waitUntil(lambda: view.accessibleName().startswith("Challenger · DSC_0003"))
    press(comparing, "Tab")
    qtbot.waitUntil(lambda: view.accessibleName().startswith("Winner · DSC_0002"))


# --- one zoom for all panes


def centers(view: CompareView) -> list[tuple[float, float]]:
    return [
        view_transform.center_of(pane.viewport.place(), pane.viewport.view) for pane in view.panes()
    ]


def test_z_wheel_and_drag_move_both_to_the_same_place(comparing, pipeline) -> None:
    view, session = comparing.compare, comparing.session
    look_closely(comparing)
    assert all(pane.viewport.place().width() == 6000 for pane in view.panes())
    assert centers(view)[0] == pytest.approx(centers(view)[1], abs=1e-3)
    at = view.panes()[1].cell.center()
    before = [pane.viewport.place().topLeft() for pane in view.panes()]
    QTest.mousePress(view, LEFT, NONE, at)
    QTest.mouseMove(view, at + QPoint(30, 10))
    QTest.mouseMove(view, at + QPoint(80, -40))
    after = [pane.viewport.place().topLeft() for pane in view.panes()]
    assert [(new - old).toTuple() for old, new in zip(before, after, strict=True)] == [
        (80, -40),
        (80, -40),
    ]
    QTest.mouseRelease(view, LEFT, NONE, at + QPoint(80, -40))
    assert [pane.viewport.place().topLeft() for pane in view.panes()] == after
    wheel(view, view.panes()[0].cell.center(), 120)
    assert session.view_state.zoom == 2.0
    assert all(pane.viewport.place().width() == 12000 for pane in view.panes())
    press(comparing, "Esc")
    assert (session.view_state.zoom, session.view_state.view) == (None, View.COMPARE)


def wheel(view: CompareView, at: QPoint, delta: int) -> None:
    """Turn the wheel over a point."""
    event = QWheelEvent(
        QPointF(at),
        QPointF(view.mapToGlobal(at)),
        QPoint(),
        QPoint(0, delta),
        Qt.MouseButton.NoButton,
        NONE,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, event)


def test_a_click_into_the_other_pane_activates_it_without_zooming(comparing) -> None:
    view, session = comparing.compare, comparing.session
    QTest.mouseClick(view, LEFT, NONE, middles(view)[0])
    assert (session.current, session.view_state.zoom) == (3, None)
    QTest.mouseClick(view, LEFT, NONE, middles(view)[0])
    assert (session.current, session.view_state.zoom) == (3, 1.0)


@pytest.mark.slow
def test_originals_come_for_the_active_pane_first_then_the_other_then_the_next(
    comparing, pipeline, qtbot
) -> None:
    look_closely(comparing)
    qtbot.waitUntil(lambda: len(pipeline.requests) == 3)
    assert [pipeline.photo(request) for request in pipeline.requests] == [4, 3, 5]
    for _ in range(3):
        pipeline.deliver()
    qtbot.waitUntil(
        lambda: all(pane.drawing.best.full_resolution for pane in comparing.compare.panes())
    )
    assert all(own(comparing.compare))
    press(comparing, "Right")  # it was read ahead
    seen(comparing.compare)
    assert all(pane.drawing.best.full_resolution for pane in comparing.compare.panes())


def test_a_missing_original_leaves_the_proxy_with_a_message(comparing, pipeline, qtbot) -> None:
    said: list[str] = []
    comparing.session.messages.status_message.connect(said.append)
    look_closely(comparing)
    qtbot.waitUntil(lambda: bool(pipeline.requests))
    pipeline.refuse(KnownError("The file is not there."))
    qtbot.waitUntil(lambda: bool(said))
    assert said[-1] == "DSC_0003: zoom is limited to the proxy. The file is not there."
    assert all(own(comparing.compare))


# --- survey


@pytest.fixture
def surveying(window: MainWindow, qtbot) -> MainWindow:
    """Five photos selected in the grid, and surveyed."""
    press(window, "Esc")
    window.session.photos.select_only(3)
    window.session.photos.select_range(7)
    press(window, "N")
    settled(window, qtbot)
    return window


def test_n_lays_out_the_selection_in_equal_panes(surveying) -> None:
    assert photos(surveying) == [3, 4, 5, 6, 7]
    assert len({pane.cell.size().toTuple() for pane in surveying.compare.panes()}) == 1
    assert not surveying.filmstrip.isVisible()


def test_in_a_survey_marks_apply_to_the_active_photo_and_removing_one_rearranges(
    surveying, qtbot
) -> None:
    session, view = surveying.session, surveying.compare
    before = view.panes()[0].cell
    press(surveying, "Home", "Down", "X")  # Home means nothing here
    rejected = [photo for photo in range(3, 8) if session.tile(photo).marks.flag is Flag.REJECT]
    assert len(rejected) == 1
    assert rejected[0] in photos(surveying)
    press(surveying, "Ctrl+Z", "Backspace")
    assert len(photos(surveying)) == 4
    assert rejected[0] not in photos(surveying)
    settled(surveying, qtbot)
    assert view.panes()[0].cell != before
    press(surveying, "Esc")
    assert surveying.pages.currentWidget() is surveying.grid
    assert len(session.photos.selection) == 5


def test_up_and_down_go_from_row_to_row(surveying) -> None:
    session, view = surveying.session, surveying.compare
    session.compare.activate(3)
    tops = [pane.cell.y() for pane in view.panes()]
    assert len(set(tops)) > 1
    press(surveying, "Down")
    place = photos(surveying).index(session.current)
    assert tops[place] > tops[0]
    press(surveying, "Up")
    assert tops[photos(surveying).index(session.current)] == tops[0]


def test_all_panes_of_a_survey_zoom_together(surveying) -> None:
    press(surveying, "Z")
    assert len({pane.viewport.place().width() for pane in surveying.compare.panes()}) == 1
    first, *others = centers(surveying.compare)
    assert all(other == pytest.approx(first, abs=1e-3) for other in others)


def test_all_frames_of_a_stack_are_surveyed_and_compared_first(window) -> None:
    session = window.session
    press(window, "Esc")
    session.decisions.decide("stack", {photo: {"stacked": 1} for photo in (3, 4, 5)})
    session.photos.go(2)
    press(window, "N")
    assert photos(window) == [3, 4, 5]
    press(window, "Esc")
    session.photos.go(session.photos.listing.position(5))  # the last of its stack
    press(window, "E", "C")
    assert photos(window) == [5, 4]


def test_k_keeps_the_active_photo_only(window, qtbot) -> None:
    session = window.session
    session.decisions.decide("stack", {photo: {"stacked": 1} for photo in (3, 4, 5)})
    press(window, "N")
    settled(window, qtbot)
    press(window, "K")
    assert [session.tile(photo).marks.kept for photo in (3, 4, 5)] == [True, False, False]
    assert not any(session.tile(photo).rejected for photo in (3, 4, 5))

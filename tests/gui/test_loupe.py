"""The loupe: the current photo's own pixels or its name, and marks only on what was on screen."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, QSize, Qt
from PySide6.QtGui import (
    QCursor,
    QFontMetrics,
    QImage,
    QInputDevice,
    QNativeGestureEvent,
    QPainter,
    QPointingDevice,
    QWheelEvent,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from curator import commands
from curator.model import Flag, KnownError
from curator.session import Session
from curator.ui.loupe import caption, pan_zoom, view_transform
from curator.ui.loupe.loupe_view import ZOOMED_MS, LoupeView
from curator.ui.widgets import theme, words
from tests.catalogs import fill
from tests.gui import swatches
from tests.gui.darkroom import Darkroom, loupe_over, on_screen, seen

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def pipeline(dressed: object) -> Darkroom:
    return Darkroom()


@pytest.fixture
def session(request: pytest.FixtureRequest, make_session, home) -> Session:
    """A session over sixty photos; not one is converted in tests that use ``unread``."""
    if "unread" in request.fixturenames:
        fill(home.catalog, 20, converted=False)
    return make_session()


@pytest.fixture
def unread(session: Session) -> Session:
    return session


@pytest.fixture
def make_loupe(
    session: Session, dressed: object, qtbot, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., LoupeView]]:
    """Create a loupe, with proxies or without."""
    monkeypatch.setattr(pan_zoom, "PEEK_S", 60.0)  # a tap stays one on a busy machine
    with ExitStack() as stack:
        yield lambda photos=True: stack.enter_context(loupe_over(session, photos))


@pytest.fixture
def loupe(make_loupe: Callable[..., LoupeView], session: Session, qtbot) -> LoupeView:
    made = make_loupe()
    qtbot.waitUntil(lambda: on_screen(made, session))
    return made


# --- whose pixels


def test_stepping_never_shows_another_photos_pixels(session, loupe, qtbot) -> None:
    for _ in range(12):
        commands.run(session, "next_photo")
        image, middle = seen(loupe), loupe.place().center()
        own = swatches.shows(image, middle.x() + 5, middle.y(), session.current)
        bare = image.pixelColor(middle.x() + 150, middle.y()) == theme.CANVAS
        assert own or bare
        qtbot.waitUntil(lambda: on_screen(loupe, session))


def test_neighbors_are_decoded_ahead(session, loupe, qtbot) -> None:
    for _ in range(5):
        following = session.tile(int(session.ids[session.photos.index + 1]))
        qtbot.waitUntil(
            lambda one=following: loupe._frames.get(loupe._viewport.proxy(one)) is not None
        )
        commands.run(session, "next_photo")
        assert on_screen(loupe, session)


def test_without_pixels_the_name_shows_and_the_photo_does_not_count_as_shown(
    session, make_loupe, qtbot
) -> None:
    loupe = make_loupe(photos=False)
    painted: list[int] = []
    loupe.painted.connect(painted.append)
    qtbot.waitUntil(lambda: loupe._frames._busy == 0)
    image, middle = seen(loupe), loupe.rect().center()
    name = image.copy(QRect(middle.x() - 100, middle.y() - 60, 200, 100))
    assert any(
        name.pixelColor(x, y).lightness() > 100
        for x in range(name.width())
        for y in range(name.height())
    )
    assert painted == []


def test_a_mark_waits_for_the_picture(session, make_loupe, qtbot) -> None:
    make_loupe(photos=False)
    said: list[str] = []
    session.messages.status_message.connect(said.append)
    photo = session.current
    commands.run(session, "reject")
    assert session.tile(photo).marks.flag is not Flag.REJECT
    assert session.current == photo
    assert "is still loading" in said[-1]


def test_a_mark_counts_once_the_picture_was_painted(session, loupe, qtbot) -> None:
    session.photos.go(1)
    with qtbot.waitSignal(loupe.painted, check_params_cb=lambda photo: photo == session.current):
        loupe.update()
    QApplication.processEvents()
    photo = session.current
    QTest.keyClick(loupe, Qt.Key.Key_X)
    assert session.tile(photo).marks.flag is Flag.REJECT
    assert session.current != photo


def test_after_a_mark_the_next_photo_is_painted_before_the_list_is_updated(
    session, loupe, home, qtbot
) -> None:
    """And the mark is on disk by then."""
    photo, following = session.ids[:2].tolist()
    request = loupe._viewport.proxy(session.tile(following))
    qtbot.waitUntil(lambda: loupe._frames.get(request) is not None)
    happened: list[object] = []

    def note(painted: int) -> None:
        with closing(sqlite3.connect(home.catalog)) as connection:
            flag = connection.execute("SELECT flag FROM photo WHERE id = ?", (photo,)).fetchone()
        happened.append((painted, *flag))

    loupe.painted.connect(note)
    session.photos.photos_changed.connect(lambda _: happened.append("updated"))
    session.decisions.decided.connect(happened.append)
    QTest.keyClick(loupe, Qt.Key.Key_X)
    said = f"Rejected {session.tile(photo).name}"
    assert happened == [(following, "reject"), "updated", said]


def test_new_scores_leave_the_next_photo_prepared(session, loupe, qtbot) -> None:
    """They change after each mark, and drop the facts of all photos."""
    following, prepared = int(session.ids[1]), loupe._viewport._tile_of._tiles
    qtbot.waitUntil(lambda: following in prepared)
    session.taste.scores_changed.emit()
    assert following not in prepared
    qtbot.waitUntil(lambda: following in prepared)


def test_a_mark_shows_in_the_caption_for_a_moment_with_its_photo(session, loupe, qtbot) -> None:
    def pencil() -> int:
        image = seen(loupe)
        colors = (
            image.pixelColor(x, y)
            for x in range(image.width())
            for y in range(image.height() - caption.HEIGHT, image.height())
        )
        return sum(color.red() > 1.4 * color.blue() for color in colors)

    commands.run(session, "cull")
    session.photos.go(1)
    for command, says in (("reject", "Rejected"), ("pick", "Picked"), ("keep", "Kept")):
        photo = session.current
        qtbot.waitUntil(lambda photo=photo: photo in session.viewer.painted)
        assert loupe._decision or not pencil()
        commands.run(session, command)
        assert session.current != photo, "the next photo is on screen"
        assert loupe._decision == f"{says} {session.tile(photo).name}"
        assert pencil() > 100
        assert loupe._decision_timer.isActive(), "its time begins once it is seen"
    qtbot.waitUntil(lambda: session.viewer.is_painted)
    qtbot.wait(0)
    painted: list[QRect] = []
    paint = loupe._drawing.draw_picture
    loupe._drawing.draw_picture = lambda *args: painted.append(QRect()) or paint(*args)
    loupe._decision_timer.stop()
    loupe._decision_timer.timeout.emit()
    QApplication.processEvents()
    assert painted == [], "it goes without a frame of the picture"
    assert pencil() == 0


def test_a_caption_is_copied_to_a_dense_screen_pixel_for_pixel(session, loupe) -> None:
    drawing, tile, pane = loupe._drawing, session.tile(session.current), QRect(0, 0, 401, 301)
    drawing.ratio = 1.25
    image = QImage(502, 377, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(drawing.ratio)
    with QPainter(image) as painter:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        drawing.draw_caption(painter, tile, pane)
    own = drawing._drawn(drawing._caption(tile, drawing.best), pane).toImage()
    image.setDevicePixelRatio(1.0)
    found = image.copy(QRect(QPoint(15, 346), own.size()))  # 12 px from the left, 24 px high
    assert found == own.convertToFormat(found.format())


def test_undoing_a_mark_removes_it_from_the_caption(session, loupe, qtbot) -> None:
    qtbot.waitUntil(lambda: session.viewer.is_painted)
    commands.run(session, "stars_4")
    assert loupe._decision.startswith("4 stars for ")
    commands.run(session, "undo")
    assert loupe._decision == ""


def test_a_failed_photo_shows_its_card_and_counts_as_shown(session, loupe, pipeline, qtbot) -> None:
    photo = int(session.ids[4])
    swatches.fail(session, photo, "Only the first 12 % of the picture is there.")
    with qtbot.waitSignal(loupe.painted, check_params_cb=lambda painted: painted == photo):
        session.photos.go(4)
    card = seen(loupe).pixelColor(loupe.rect().center().x(), loupe.rect().center().y() - 20)
    assert card == theme.PANEL
    QTest.mouseClick(loupe, LEFT, NONE, loupe._drawing.retry.center())
    assert pipeline.asked == [("retry", [photo])]


def test_screen_readers_get_the_caption(session, loupe, qtbot) -> None:
    session.photos.go(1)
    qtbot.waitUntil(lambda: session.viewer.is_painted)
    commands.run(session, "stars_4")
    qtbot.waitUntil(lambda: "kept · ★★★★" in loupe.accessibleName())
    assert loupe.accessibleName().startswith(f"{session.table.name(session.current)} · ")
    commands.run(session, "zoom")
    qtbot.waitUntil(lambda: "100 %" in loupe.accessibleName())
    photo = int(session.ids[4])
    swatches.fail(session, photo, "The file is empty.")
    session.photos.go(4)
    qtbot.waitUntil(lambda: loupe.accessibleName().endswith("The file is empty."))


# --- where it lies


def test_the_picture_gets_its_share_of_the_window(session, loupe) -> None:
    loupe.resize(1440, 900 - 40 - 84 - 26 - 2)
    QApplication.processEvents()
    assert loupe.place().height() >= 0.78 * 900
    loupe.resize(700, 800)
    QApplication.processEvents()
    assert loupe.place().width() == 700 - 2 * 12


def test_a_small_picture_is_not_enlarged_at_fit() -> None:
    place = view_transform.fit(QSize(300, 200), QRect(12, 12, 1000, 700))
    assert place.size() == QSize(300, 200)
    assert abs(place.center().x() - 511) <= 1


def test_only_the_picture_is_left_when_panels_are_hidden(session, loupe, qtbot) -> None:
    before = loupe.place().height()
    commands.run(session, "toggle_panels")
    assert loupe.place().height() == before + 20
    bottom = seen(loupe).copy(0, loupe.height() - 11, loupe.width(), 11)
    assert all(
        bottom.pixelColor(x, y) == theme.CANVAS
        for x in range(0, bottom.width(), 3)
        for y in range(bottom.height())
    )


def test_l_changes_what_is_around_the_picture(session, loupe) -> None:
    for color in ("#000000", "#777777", "#f2f2f2", "#191919"):
        commands.run(session, "surround")
        assert seen(loupe).pixelColor(3, 300).name() == color


# --- zoom


@pytest.mark.parametrize("point", [(0.5, 0.5), (0.31, 0.62), (0.7, 0.4)])
def test_zooming_keeps_the_point_under_the_pointer(point: tuple[float, float]) -> None:
    picture, view = QSize(6000, 4000), QRect(0, 12, 1200, 752)
    place = view_transform.fit(picture, QRect(12, 12, 1176, 752))
    pointer = QPoint(
        round(place.x() + point[0] * place.width()), round(place.y() + point[1] * place.height())
    )
    center = view_transform.center_under(pointer, place, picture, view, 1.0)
    zoomed = view_transform.zoomed(picture, view, 1.0, center)
    assert zoomed.size() == picture
    assert abs((pointer.x() - zoomed.x()) / 6000 - point[0]) < 0.002
    assert abs((pointer.y() - zoomed.y()) / 4000 - point[1]) < 0.002


def test_a_zoomed_picture_fills_the_view_where_it_can() -> None:
    view = QRect(0, 0, 1000, 700)
    assert view_transform.zoomed(QSize(6000, 4000), view, 1.0, (0, 0)).topLeft() == QPoint(0, 0)
    corner = view_transform.zoomed(QSize(6000, 4000), view, 1.0, (1, 1))
    assert (corner.right(), corner.bottom()) == (999, 699)
    narrow = view_transform.zoomed(QSize(400, 4000), view, 1.0, (0, 0.5))
    assert abs(narrow.center().x() - 499) <= 1


def test_a_point_turns_with_the_picture() -> None:
    assert view_transform.turned((0.2, 0.3), 0) == (0.2, 0.3)
    assert view_transform.turned((0.2, 0.3), 1) == (0.7, 0.2)
    assert view_transform.turned((0.2, 0.3), 4) == pytest.approx((0.2, 0.3))


def test_z_shows_the_proxy_until_the_original_arrives(session, loupe, pipeline, qtbot) -> None:
    session.photos.go(3)
    qtbot.waitUntil(lambda: on_screen(loupe, session))
    photo = session.current
    QTest.keyClick(loupe, Qt.Key.Key_Z)
    assert session.view_state.zoom == 1.0
    tile = session.tile(photo)
    assert swatches.shows(seen(loupe), 1100, 400, photo)
    assert loupe._drawing._caption(tile, loupe._drawing.best).right == "100 % · proxy 1,440 px"
    qtbot.waitUntil(lambda: bool(pipeline.requests))
    request = pipeline.requests[0]
    assert (pipeline.photo(request), request.size, request.want) == (photo, None, "preview")
    with qtbot.waitSignal(loupe.originals.arrived):
        pipeline.deliver()
    assert swatches.shows(seen(loupe), 1100, 400, photo)
    assert "proxy" not in loupe._drawing._caption(tile, loupe._drawing.best).right
    assert loupe.place().size() == QSize(6000, 4000)
    assert swatches.shows(seen(loupe), 1100, 400, photo)


@pytest.mark.slow
def test_the_next_original_is_read_ahead_and_position_and_zoom_are_kept(
    session, loupe, pipeline, qtbot
) -> None:
    session.photos.go(2)
    session.view_state.set_zoom(1.0, (0.6, 0.4))
    following = int(session.ids[session.photos.index + 1])
    qtbot.waitUntil(lambda: len(pipeline.requests) == 4)
    assert [pipeline.photo(request) for request in pipeline.requests] == [
        int(session.ids[place]) for place in (2, 3, 1, 4)
    ]
    for photo in (session.current, following):
        with qtbot.waitSignal(loupe.originals.arrived):
            assert pipeline.deliver() == photo
    commands.run(session, "next_photo")
    assert (session.view_state.zoom, session.view_state.center) == (1.0, (0.6, 0.4))
    assert swatches.shows(seen(loupe), 1100, 400, following)
    assert loupe.is_full_resolution


def test_without_a_pointer_z_goes_to_the_focus_point_else_the_sharpest_spot(
    session, loupe, monkeypatch
) -> None:
    detail = session.detail(session.current)

    def looked_at(subject: object, sharpest: object) -> tuple[float, float]:
        capture = replace(detail.capture, subject=subject)
        quality = None if sharpest is None else replace(detail.quality, sharpest=sharpest)
        told = replace(detail, capture=capture, quality=quality)
        monkeypatch.setattr(session, "detail", lambda _: told)
        return loupe._viewport.center_for(1.0, None)

    assert looked_at(None, (0.3, 0.7)) == pytest.approx((0.3, 0.7), abs=0.001)
    assert looked_at((0.6, 0.25), (0.3, 0.7)) == pytest.approx((0.6, 0.25), abs=0.001)
    assert looked_at(None, None) == pytest.approx((0.5, 0.5), abs=0.001)


def test_a_tap_of_z_switches_and_a_held_z_peeks(session, loupe, monkeypatch) -> None:
    monkeypatch.setattr(pan_zoom, "PEEK_S", 0.25)
    clock = [100.0]
    monkeypatch.setattr("curator.ui.widgets.key_state.time.monotonic", lambda: clock[0])
    QTest.keyClick(loupe, Qt.Key.Key_Z)
    assert session.view_state.zoom == 1.0
    QTest.keyClick(loupe, Qt.Key.Key_Z)
    assert session.view_state.zoom is None
    QTest.keyPress(loupe, Qt.Key.Key_Z)
    assert session.view_state.zoom == 1.0
    clock[0] += 0.4
    QTest.keyRelease(loupe, Qt.Key.Key_Z)
    assert session.view_state.zoom is None
    session.view_state.set_zoom(2.0, (0.3, 0.4))
    QTest.keyPress(loupe, Qt.Key.Key_Z)
    assert session.view_state.zoom is None
    clock[0] += 0.4
    QTest.keyRelease(loupe, Qt.Key.Key_Z)
    assert (session.view_state.zoom, session.view_state.center) == (2.0, (0.3, 0.4))


def test_dragging_moves_the_picture_and_a_click_does_not_drag(session, loupe, pipeline) -> None:
    session.view_state.set_zoom(1.0, (0.5, 0.5))
    before = loupe.place().topLeft()
    at = QPoint(600, 400)
    QTest.mousePress(loupe, LEFT, NONE, at)
    QTest.mouseMove(loupe, at + QPoint(60, 20))
    QTest.mouseMove(loupe, at + QPoint(120, -50))
    QTest.mouseRelease(loupe, LEFT, NONE, at + QPoint(120, -50))
    moved = loupe.place().topLeft() - before
    assert abs(moved.x() - 120) <= 1
    assert abs(moved.y() + 50) <= 1
    assert session.view_state.zoom == 1.0
    QTest.mouseClick(loupe, LEFT, NONE, at)
    assert session.view_state.zoom is None


def test_plus_and_minus_go_through_the_steps(session, loupe) -> None:
    zooms = []
    for name in ("larger",) * 7 + ("smaller",) * 6:
        commands.run(session, name)
        zooms.append(session.view_state.zoom)
    up = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    assert zooms == [*up, 4.0, 2.0, 1.0, 0.5, 0.25, None]


def test_the_wheel_zooms_at_the_pointer_and_with_ctrl_steps(session, loupe) -> None:
    session.photos.go(5)
    at = QPoint(660, 400)
    place = loupe.place()
    point = (at.x() - place.x()) / place.width(), (at.y() - place.y()) / place.height()
    turn_wheel(loupe, at, 3)
    assert session.view_state.zoom == 1.0
    place = loupe.place()
    assert (at.x() - place.x()) / place.width() == pytest.approx(point[0], abs=0.001)
    assert (at.y() - place.y()) / place.height() == pytest.approx(point[1], abs=0.001)
    turn_wheel(loupe, at, -3)
    assert session.view_state.zoom is None
    turn_wheel(loupe, at, -1, Qt.KeyboardModifier.ControlModifier)
    assert session.photos.index == 6


def turn_wheel(
    loupe: LoupeView, at: QPoint, notches: int, held: Qt.KeyboardModifier = NONE
) -> None:
    """Turn the wheel notch by notch, the pointer resting on a place of the loupe."""
    QCursor.setPos(loupe.mapToGlobal(at))
    QTest.mouseMove(loupe, at)
    step = QPoint(0, 120 if notches > 0 else -120)
    for _ in range(abs(notches)):
        event = QWheelEvent(
            at.toPointF(),
            loupe.mapToGlobal(at).toPointF(),
            QPoint(),
            step,
            Qt.MouseButton.NoButton,
            held,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(loupe, event)


def test_on_a_touchpad_a_swipe_pans_and_a_pinch_zooms(session, loupe, qtbot) -> None:
    pad = QPointingDevice(
        "pad",
        1,
        QInputDevice.DeviceType.TouchPad,
        QPointingDevice.PointerType.Finger,
        QInputDevice.Capability.Position,
        2,
        0,
    )
    at = QPointF(600, 400)
    pinch = QNativeGestureEvent(
        Qt.NativeGestureType.ZoomNativeGesture, pad, 2, at, at, at, 1.5, QPointF()
    )
    fit = loupe.place().width() / 6000
    QApplication.sendEvent(loupe, pinch)
    assert session.view_state.zoom == pytest.approx(2.5 * fit)
    before = loupe.place().topLeft()
    scroll = QWheelEvent(
        at,
        at,
        QPoint(40, -30),
        QPoint(120, -90),
        Qt.MouseButton.NoButton,
        NONE,
        Qt.ScrollPhase.ScrollUpdate,
        False,
        Qt.MouseEventSource.MouseEventNotSynthesized,
        pad,
    )
    center = session.view_state.center
    QApplication.sendEvent(loupe, scroll)
    assert loupe.place().topLeft() == before + QPoint(40, -30)
    assert (
        session.view_state.center == center
    )  # the rest of the window hears of it when the fingers rest
    qtbot.waitUntil(lambda: session.view_state.center != center)
    assert loupe.place().topLeft() == before + QPoint(40, -30)


def test_a_picture_too_large_for_memory_shows_how_many_pixels_it_has(
    session, loupe, pipeline, qtbot
) -> None:
    session.view_state.set_zoom(1.0, (0.5, 0.5))
    qtbot.waitUntil(lambda: bool(pipeline.requests))
    assert pipeline.requests[0].limit_bytes == int(0.7 * (640 << 20))
    pipeline.size = (3000, 2000)
    with qtbot.waitSignal(loupe.originals.arrived):
        photo = pipeline.deliver()
    assert loupe.place().size() == QSize(6000, 4000)
    assert swatches.shows(seen(loupe), 1100, 400, photo)
    assert loupe._drawing._caption(session.tile(photo), loupe._drawing.best).right.endswith(
        " · 3,000 px"
    )


@pytest.mark.parametrize("size", [(1, 1), (60_000, 2_000)])
def test_the_smallest_and_the_longest_picture_can_be_zoomed(
    session, loupe, pipeline, qtbot, size, monkeypatch
) -> None:
    tile = replace(session.tile(session.current), width=size[0], height=size[1])
    monkeypatch.setattr(loupe._viewport, "_tile_of", lambda _: tile)
    pipeline.draw = lambda _, size: np.broadcast_to(np.uint8(200), (*size[::-1], 3))
    pipeline.size = size
    for _ in range(6):
        commands.run(session, "larger")
    assert session.view_state.zoom == 8.0
    qtbot.waitUntil(lambda: bool(pipeline.requests))
    with qtbot.waitSignal(loupe.originals.arrived):
        pipeline.deliver()
    assert loupe.place().size() == QSize(8 * size[0], 8 * size[1])
    middle = loupe._viewport.view.center()
    assert seen(loupe).pixelColor(middle).getRgb() == (200, 200, 200, 255)
    assert seen(loupe).pixelColor(middle + QPoint(10, 0)).red() == (25 if size == (1, 1) else 200)


def test_an_unreadable_original_leaves_the_proxy_with_the_reason(
    session, loupe, pipeline, qtbot
) -> None:
    session.view_state.set_zoom(1.0, (0.5, 0.5))
    qtbot.waitUntil(lambda: bool(pipeline.requests))
    said: list[str] = []
    session.messages.status_message.connect(said.append)
    with qtbot.waitSignal(loupe.originals.failed):
        photo = pipeline.refuse(KnownError("The file is not there.", "Plug the drive in."))
    assert swatches.shows(seen(loupe), 1100, 400, photo)
    right = loupe._drawing._caption(session.tile(photo), loupe._drawing.best).right
    assert right == "100 % · proxy 1,440 px: the file is not there"
    name = session.table.name(photo)
    assert said == [
        f"{name}: zoom is limited to the proxy. The file is not there. Plug the drive in."
    ]


# --- the original at the size of the view


def test_a_view_larger_than_the_proxy_gets_the_originals_pixels_after_resting(
    session, loupe, pipeline, qtbot
) -> None:
    loupe.resize(2200, 1500)
    qtbot.waitUntil(lambda: bool(pipeline.requests))
    request = pipeline.requests[0]
    assert pipeline.photo(request) == session.current
    assert request.size == loupe.place().size().toTuple()
    with qtbot.waitSignal(loupe.originals.arrived):
        photo = pipeline.deliver()
    best = loupe._viewport.best(session.tile(photo))
    assert best.frame.image.size() == loupe.place().size()
    assert on_screen(loupe, session)


def test_no_original_is_requested_if_the_proxy_suffices(session, loupe, pipeline, qtbot) -> None:
    loupe._full_timer.timeout.disconnect()  # who stays longer gets them; see below
    with qtbot.waitSignal(loupe._sharpen.timeout):
        session.photos.go(7)
    assert pipeline.requests == []


@pytest.mark.slow
def test_staying_on_a_photo_reads_all_its_pixels(session, loupe, pipeline, qtbot) -> None:
    session.photos.go(6)
    qtbot.waitUntil(lambda: bool(pipeline.requests))
    assert [request.size for request in pipeline.requests] == [None]
    with qtbot.waitSignal(loupe.originals.arrived):
        assert pipeline.deliver() == session.current
    QTest.keyClick(loupe, Qt.Key.Key_Z)
    seen(loupe)
    assert loupe.is_full_resolution


class Hand:
    """A hand that presses Right in the loupe, ``now`` seconds after its first step."""

    def __init__(self, loupe: LoupeView) -> None:
        self.now = 0.0
        self._loupe = loupe

    def step(self, after_s: float) -> None:
        self.now += after_s
        QTest.keyClick(self._loupe, Qt.Key.Key_Right)
        QApplication.processEvents()


@pytest.fixture
def hand(loupe, pipeline, monkeypatch) -> Hand:
    """A hand on a clock of its own; decoding an original takes 0.2 s."""
    hand = Hand(loupe)
    monkeypatch.setattr(loupe._pace, "_clock", lambda: hand.now)
    pipeline.frames.full_s = lambda _want: 0.2
    return hand


@pytest.mark.parametrize(
    ("view", "fast", "easy"),
    [("zoomed", 0.2, 0.3), ("overlays", 0.3, 0.4), ("at fit", 0.55, 0.7)],
)
def test_originals_are_not_read_while_keys_come_faster_than_they_are_decoded(
    session, loupe, pipeline, hand, view: str, fast: float, easy: float
) -> None:
    command = {"zoomed": "zoom", "overlays": "toggle_clipping"}.get(view)
    if command is not None:
        commands.run(session, command)
    timer = loupe._full_timer if view == "at fit" else loupe._sharpen
    for pause in (fast, easy):
        for _ in range(4):
            hand.step(pause)
        begins = timer.interval() / 1000
        assert timer.isActive()
        assert begins > pause if pause == fast else begins + 0.2 < pause


def test_the_original_is_read_when_the_hand_rests(loupe, pipeline, hand, qtbot) -> None:
    QTest.keyClick(loupe, Qt.Key.Key_Z)
    for _ in range(4):
        hand.step(0.1)
    current = loupe._session.current
    qtbot.waitUntil(lambda: [*map(pipeline.photo, pipeline.requests)][:1] == [current])
    with qtbot.waitSignal(loupe.originals.arrived):
        pipeline.deliver()
    seen(loupe)
    assert loupe.is_full_resolution


def test_after_a_rest_nothing_is_held_back(loupe, hand) -> None:
    QTest.keyClick(loupe, Qt.Key.Key_Z)
    for _ in range(4):
        hand.step(1.0)
    hand.now += 60
    loupe.resize(loupe.width() - 1, loupe.height())
    QApplication.processEvents()
    assert loupe._sharpen.interval() == ZOOMED_MS


def test_a_photo_without_proxy_is_read_from_its_file_at_once(
    unread: Session, make_loupe, pipeline, qtbot
) -> None:
    loupe = make_loupe(photos=False)
    qtbot.waitUntil(lambda: bool(pipeline.requests))
    assert pipeline.deliver() == unread.current
    qtbot.waitUntil(lambda: on_screen(loupe, unread))


# --- seen


def test_a_photo_counts_as_seen_after_a_quarter_second(session, loupe, qtbot) -> None:
    session.photos.go(11)
    photo = session.current
    qtbot.waitUntil(lambda: session.tile(photo).seen)


@pytest.mark.slow
def test_photos_passed_with_a_held_arrow_are_not_seen(session, loupe, qtbot) -> None:
    QTest.keyPress(loupe, Qt.Key.Key_Right)
    photo = session.current
    with qtbot.waitSignal(loupe._rest.timeout):
        loupe.update()
    assert not session.tile(photo).seen
    QTest.keyRelease(loupe, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: session.tile(photo).seen)


def test_a_hidden_loupe_decodes_nothing(session, loupe, qtbot) -> None:
    loupe.hide()
    qtbot.waitUntil(lambda: loupe._frames._busy == 0)
    loupe._frames.clear()
    session.photos.go(20)
    QApplication.processEvents()
    assert loupe._frames._wanted == frozenset()


def test_a_fact_without_room_is_left_out(qapp) -> None:
    metrics = QFontMetrics(theme.caption_font())
    facts = "DSC_0412 · 18:42:07 · 1/250 · ISO 800"
    room = metrics.horizontalAdvance("DSC_0412 · 18:42:07 · 1/250 · IS")
    assert words.elide_facts(facts, metrics, room) == "DSC_0412 · 18:42:07 · 1/250"
    assert words.elide_facts(facts, metrics, 1000) == facts
    assert words.elide_facts(facts, metrics, metrics.horizontalAdvance("DSC_041")).startswith("DSC")

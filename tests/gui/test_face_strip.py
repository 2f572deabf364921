"""Close-ups of faces beside the loupe, by real keys: whose pixels, words, and where zoom lands."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from curator.settings import Settings
from curator.ui.loupe import pan_zoom
from curator.ui.loupe.face_strip import MOST, FaceStrip
from curator.ui.main_window import MainWindow
from tests.catalogs import stack
from tests.face_data import CLOSED, OPEN, UNKNOWN, at, save
from tests.gui import swatches
from tests.gui.darkroom import Darkroom
from tests.gui.keyboard import press

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
SMALL = replace(OPEN, box=(0.7, 0.1, 0.05, 0.07), size_px=300, left_at=None, right_at=None)
CROWD = [at(OPEN, 0.004 * number) for number in range(200)]
# Photo → faces; the last one is not measured yet.
FACES = {1: [OPEN, CLOSED], 2: [at(OPEN, 0.1), UNKNOWN], 3: [], 4: CROWD, 5: [at(OPEN, 0.5), SMALL]}
UNMEASURED = 6


@pytest.fixture
def pipeline(dressed: object) -> Darkroom:
    return Darkroom()


@pytest.fixture
def session(make_session, home, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pan_zoom, "PEEK_S", 60.0)  # a tap stays one on a busy machine
    session = make_session()
    save(session.catalog, FACES)
    swatches.lay_out(home.cache, session.ids.tolist()[:10])
    return session


@pytest.fixture
def window(make_window, session, qtbot) -> MainWindow:
    """The window with the first photo in the loupe, and the strip on."""
    made = make_window(session)
    made.resize(1440, 900)
    press(made, "Home", "E", "Q")
    painted(made, qtbot)
    return made


def painted(window: MainWindow, qtbot) -> None:
    """Wait until the current photo and its faces have been painted."""
    session = window.session
    qtbot.waitUntil(lambda: session.viewer.is_painted)


def step(window: MainWindow, qtbot, *keys: str) -> None:
    """Press keys that lead to another photo, and wait until the strip was painted for it."""
    strip, session = window.loupe.strip, window.session
    for key in keys:
        with qtbot.waitSignal(strip.painted, check_params_cb=lambda id: id == session.current):
            press(window, key)
        painted(window, qtbot)


def deliver(window: MainWindow, pipeline: Darkroom, qtbot) -> list[int]:
    """Deliver what the loupe requested of originals. Return the photos, the first ones first."""
    qtbot.waitUntil(lambda: bool(pipeline.requests))
    delivered = []
    while pipeline.requests:
        with qtbot.waitSignal(window.loupe.originals.arrived):
            delivered.append(pipeline.deliver())
    return delivered


def seen(strip: FaceStrip) -> QImage:
    return strip.grab().toImage()


def shows(window: MainWindow, place: int, count: int, number: int) -> bool:
    """Whether the middle of a close-up has the color of a photo."""
    middle = window.loupe.strip.cells(count)[place].center()
    return swatches.shows(seen(window.loupe.strip), middle.x(), middle.y(), number)


def words(window: MainWindow) -> str:
    """Return the words on the strip, as a screen reader has them."""
    return window.loupe.strip.description(window.session.tile(window.session.current or 0))


# --- on and off


def test_q_shows_and_hides_the_strip_and_the_picture_gets_its_room_back(window, qtbot) -> None:
    loupe = window.loupe
    assert loupe.strip.isVisible()
    beside = loupe.place()
    assert beside.right() < loupe.strip.x()
    press(window, "Q")
    assert not loupe.strip.isVisible() and loupe.place().center().x() > beside.center().x()
    press(window, "Q", "Tab")
    assert not loupe.strip.isVisible(), "without panels there is only the picture"


def test_a_landscape_photo_is_as_large_beside_the_strip(window) -> None:
    size = window.loupe.place().size()
    press(window, "Q")
    assert window.loupe.place().size() == size


def test_the_strip_is_there_again_after_a_restart(window, make_window, make_session, home) -> None:
    assert Settings.load(home).loupe.faces
    window.close()
    again = make_window(make_session())
    press(again, "Home", "E")
    assert again.loupe.strip.isVisible()
    press(again, "Q")
    assert not Settings.load(home).loupe.faces


def test_the_strip_keeps_its_room_from_photo_to_photo(window, qtbot) -> None:
    room = window.loupe.strip.geometry()
    for _ in FACES:
        step(window, qtbot, "Right")
        assert window.loupe.strip.geometry() == room


# --- whose pixels


def test_the_strip_is_painted_with_the_frame_and_shows_the_proxy_s_pixels_first(
    window, qtbot
) -> None:
    qtbot.waitUntil(lambda: shows(window, 0, 2, 1))
    qtbot.waitUntil(lambda: window.loupe._frames._busy == 0)
    step(window, qtbot, "Right")
    # The face lies in the darker left third.
    middle = window.loupe.strip.cells(2)[0].center()
    color = seen(window.loupe.strip).pixelColor(middle)
    assert color.value() == pytest.approx(swatches.color(2).value() / 2, abs=5)


def test_close_ups_come_sharp_from_the_original_and_ahead_for_the_next_photo(
    window, pipeline, qtbot
) -> None:
    pipeline.draw = lambda photo, size: swatches.picture(photo + 20, size)  # not the proxy's color
    qtbot.waitUntil(lambda: bool(pipeline.requests))
    first = pipeline.requests[0]
    assert not first.pixels and [crop.size[0] for crop in first.crops] == [332, 332]
    assert not shows(window, 0, 2, 21)
    assert deliver(window, pipeline, qtbot)[:2] == [1, 2]
    assert shows(window, 0, 2, 21) and shows(window, 1, 2, 21)
    step(window, qtbot, "Right")
    middle = window.loupe.strip.cells(2)[1].center()
    assert swatches.shows(seen(window.loupe.strip), middle.x(), middle.y(), 22)


def test_moving_on_leaves_no_requests_for_photos_left_behind(window, pipeline, qtbot) -> None:
    press(window, *["Right"] * 8, *["Left"] * 4)
    assert window.session.current == 5
    qtbot.waitUntil(lambda: bool(pipeline.requests) and pipeline.photo(pipeline.requests[0]) == 5)
    assert {pipeline.photo(request) for request in pipeline.requests} <= {4, 5, 6}


def test_another_photo_s_close_ups_never_appear(window, pipeline, qtbot) -> None:
    deliver(window, pipeline, qtbot)
    step(window, qtbot, "Right", "Right")
    strip = window.loupe.strip
    image, cell = seen(strip), strip.cells(2)[0]
    assert image.pixelColor(cell.center()) == image.pixelColor(strip.rect().bottomRight())
    step(window, qtbot, "Right")
    assert shows(window, MOST - 1, 200, 4) or not shows(window, MOST - 1, 200, 2)


def test_a_rotated_photo_has_rotated_close_ups(window, pipeline, qtbot) -> None:
    # The border of the darker third runs through the middle of this face.
    save(window.session.catalog, {1: [at(OPEN, 1 / 3 - 0.05)]})
    window.session.refresh()
    press(window, "Ctrl+]")
    assert window.session.tile(1).turn == 1
    painted(window, qtbot)
    deliver(window, pipeline, qtbot)
    image, cell = seen(window.loupe.strip), window.loupe.strip.cells(1)[0]
    above, below = QPoint(0, -cell.height() // 4), QPoint(0, cell.height() // 4)
    dark, bright = (image.pixelColor(cell.center() + off).value() for off in (above, below))
    assert dark == pytest.approx(bright / 2, abs=8)
    assert swatches.shows(image, cell.center().x(), (cell.center() + below).y(), 1)


def test_a_pair_has_close_ups_of_its_jpeg(window, pipeline, qtbot) -> None:
    paths = {photo: window.session.detail(photo).files for photo in FACES}
    pair = next(photo for photo, files in paths.items() if len(files) > 1)
    window.session.photos.go(pair - 1)
    qtbot.waitUntil(
        lambda: bool(pipeline.requests) and pipeline.photo(pipeline.requests[0]) == pair
    )
    assert pipeline.requests[0].path.endswith(".JPG")


# --- words


def test_closed_eyes_have_words_and_an_outline_and_open_eyes_nothing(window) -> None:
    assert "face 1: eyes open" in words(window) and "face 2: eyes closed" in words(window)
    assert "face 2: eyes closed" in window.loupe.accessibleName()
    image, strip = seen(window.loupe.strip), window.loupe.strip
    ground = image.pixelColor(strip.rect().bottomRight())
    for place, outlined in ((0, False), (1, True)):
        edge = strip.cells(2)[place].topLeft() - QPoint(-20, 2)
        assert (image.pixelColor(edge) != ground) == outlined


def test_what_cannot_be_told_is_said_so(window, qtbot) -> None:
    step(window, qtbot, "Right")
    assert "face 2: can't tell" in words(window)


def test_photos_without_faces_say_why(window, session, qtbot) -> None:
    said = []
    session.messages.status_message.connect(said.append)
    step(window, qtbot, "Right", "Right")
    assert words(window) == "No faces"
    press(window, "Shift+Z")
    assert said[-1] == "No faces" and session.view_state.zoom is None
    session.photos.go(UNMEASURED - 1)
    assert words(window) == "Faces not measured yet"
    session.settings.faces.on = False
    session.preferences.save()
    session.photos.go(0)
    assert words(window) == "Faces are off. Turn them on in Settings, Faces."


def test_faces_measured_meanwhile_appear(window, session, pipeline, qtbot) -> None:
    session.photos.go(UNMEASURED - 1)
    painted(window, qtbot)
    save(session.catalog, {UNMEASURED: [CLOSED]})
    with qtbot.waitSignal(window.loupe.strip.painted):
        session.refresh()
    assert "eyes closed" in words(window)
    qtbot.waitUntil(lambda: bool(pipeline.requests) and bool(pipeline.requests[0].crops))


def test_of_two_hundred_faces_twelve_are_shown_and_the_rest_counted(
    window, session, pipeline, qtbot
) -> None:
    session.photos.go(3)
    painted(window, qtbot)
    assert words(window).endswith("188 more") and words(window).count("face ") == MOST
    qtbot.waitUntil(lambda: bool(pipeline.requests) and pipeline.photo(pipeline.requests[0]) == 4)
    assert len(pipeline.requests[0].crops) == MOST
    strip = window.loupe.strip
    cells = [strip.cells(200)[place] for place in range(MOST)]
    assert all(strip.rect().contains(cell) for cell in cells)
    assert not any(one.intersects(other) for one in cells for other in cells if one is not other)


# --- zooming to a face


def eyes(window: MainWindow, place: int) -> tuple[float, float]:
    """Return where the eyes of a face lie in the loupe's picture, in parts of its view."""
    session, viewport = window.session, window.loupe._viewport
    rect, view = viewport.place(), viewport.view
    x, y = viewport.eyes_at(session.tile(session.current), place)
    return (
        (rect.x() + x * rect.width() - view.x()) / view.width(),
        (rect.y() + y * rect.height() - view.y()) / view.height(),
    )


MIDDLE = pytest.approx((0.5, 0.5), abs=0.01)


def test_shift_z_goes_from_face_to_face_at_100_percent(window, session) -> None:
    save(session.catalog, {1: [OPEN, at(CLOSED, 0.6)]})
    session.photos.photos_changed.emit({1})
    for place in (0, 1, 0):
        press(window, "Shift+Z")
        assert session.view_state.zoom == 1.0 and eyes(window, place) == MIDDLE
        assert session.faces.place_in(1) == place
    press(window, "Esc")
    assert session.view_state.zoom is None and session.faces.focus is None


@pytest.mark.parametrize("turn", ["", "Ctrl+]"])
def test_z_lands_on_the_main_face_s_eyes(window, session, qtbot, turn) -> None:
    QTest.mouseMove(window.topbar, QPoint(4, 4))
    if turn:
        press(window, turn)
    press(window, "Z")
    assert session.view_state.zoom == 1.0 and eyes(window, 0) == MIDDLE


def test_a_peek_returns_to_the_same_face(window, session, monkeypatch) -> None:
    press(window, "Shift+Z")
    monkeypatch.setattr(pan_zoom, "PEEK_S", -1.0)  # every tap counts as held
    press(window, "Z")
    assert session.view_state.zoom == 1.0 and eyes(window, 0) == MIDDLE
    assert session.faces.place_in(1) == 0


def test_a_click_on_a_close_up_zooms_to_the_face_and_another_back(window, session, qtbot) -> None:
    session.photos.go(4)
    painted(window, qtbot)
    strip = window.loupe.strip
    second = strip.cells(2)[1].center()
    QTest.mouseClick(strip, LEFT, NONE, second)
    assert session.view_state.zoom == 1.0 and eyes(window, 1) == MIDDLE
    QTest.mouseClick(strip, LEFT, NONE, second)
    assert session.view_state.zoom is None
    QTest.mouseClick(strip, LEFT, NONE, strip.rect().bottomRight() - QPoint(2, 2))
    assert session.view_state.zoom is None


@pytest.fixture
def burst(make_window, make_session, home) -> MainWindow:
    """The window on the first of four frames of a burst, in which two people move a little."""
    session = make_session()
    stack(home.catalog, 1, 2, 3, 4)
    near, far = replace(OPEN, box=(0.4, 0.3, 0.098, 0.15)), at(CLOSED, 0.6)
    frames = {
        1: [OPEN, replace(far, box=(0.6, 0.3, 0.099, 0.15))],
        2: [at(far, 0.63, 0.34), at(near, 0.43, 0.34)],  # largest first: they changed places
        3: [SMALL],
        4: [at(OPEN, 0.38, 0.28)],
        5: [at(OPEN, 0.45)],  # another scene
    }
    save(session.catalog, frames)
    session.refresh()
    swatches.lay_out(home.cache, session.ids.tolist()[:8])
    window = make_window(session)
    window.resize(1440, 900)
    press(window, "Home", "E", "Q")
    return window


def test_in_a_stack_people_are_judged_against_themselves(burst, qtbot) -> None:
    narrow = replace(CLOSED, left_blink=0.5, right_blink=0.5)  # in every frame: they are like that
    blurred = replace(narrow, eye_sharpness=20.0)
    save(burst.session.catalog, {1: [narrow], 2: [blurred], 3: [narrow], 4: [narrow]})
    burst.session.refresh()
    painted(burst, qtbot)
    assert words(burst).startswith("face 1: eyes open · eye sharpness 60")
    step(burst, qtbot, "Right")
    assert words(burst).startswith("face 1: eyes open · softer than in another frame")
    image, cell = seen(burst.loupe.strip), burst.loupe.strip.cells(1)[0]
    edge = image.pixelColor(cell.left() + 20, cell.top() - 2)
    assert edge != image.pixelColor(burst.loupe.strip.rect().bottomRight())


def test_people_keep_their_close_up_over_the_frames_of_a_stack(burst, qtbot) -> None:
    painted(burst, qtbot)
    assert "face 1: eyes open" in words(burst) and "face 2: eyes closed" in words(burst)
    step(burst, qtbot, "Right")
    assert "face 1: eyes open" in words(burst) and "face 2: eyes closed" in words(burst)
    assert burst.loupe.strip.place_at(burst.loupe.strip.cells(2)[0].center()) == 1
    press(burst, "Shift+Z")
    assert burst.session.faces.place_in(2) == 1 and eyes(burst, 1) == MIDDLE


def test_frames_of_a_stack_show_the_same_person_in_the_same_place(burst, qtbot) -> None:
    session = burst.session
    painted(burst, qtbot)
    press(burst, "Shift+Z", "Right")
    assert session.current == 2 and session.view_state.zoom == 1.0 and eyes(burst, 1) == MIDDLE
    before = burst.loupe._viewport.center
    press(burst, "Right")
    assert session.faces.place_in(3) is None and burst.loupe._viewport.center != before
    assert burst.loupe._viewport.center == session.view_state.center, "it keeps the position"
    press(burst, "Right")
    assert eyes(burst, 0) == MIDDLE
    press(burst, "Right")
    assert session.faces.place_in(5) is None, "another stack is another scene"


def test_a_drag_moves_the_frames_of_a_stack_together(burst, qtbot) -> None:
    painted(burst, qtbot)
    press(burst, "Shift+Z", "Right")
    middle = burst.loupe._viewport.view.center()
    QTest.mousePress(burst.loupe, LEFT, NONE, middle)
    QTest.mouseMove(burst.loupe, middle + QPoint(60, 40))
    QTest.mouseRelease(burst.loupe, LEFT, NONE, middle + QPoint(60, 40))
    moved = eyes(burst, 1)
    assert moved[0] > 0.52 and moved[1] > 0.52
    press(burst, "Left")
    assert eyes(burst, 0) == pytest.approx(moved, abs=0.005)


@pytest.mark.parametrize("key", ["C", "N"])
def test_all_panes_side_by_side_show_the_same_face(burst, qtbot, key) -> None:
    painted(burst, qtbot)
    press(burst, key)
    view, session = burst.compare, burst.session
    qtbot.waitUntil(lambda: session.viewer.is_painted)
    press(burst, "Shift+Z")
    faces = {1: 0, 2: 1, 4: 0}  # frame 3 shows somebody else
    for pane in view.panes():
        viewport, place = pane.viewport, pane.viewport.place()
        if pane.photo in faces:
            x, y = viewport.eyes_at(session.tile(pane.photo), faces[pane.photo])
            at = place.x() + x * place.width(), place.y() + y * place.height()
            middle = viewport.view.center()
            assert at == pytest.approx((middle.x(), middle.y()), abs=2)
        else:
            assert viewport.center == session.view_state.center
    assert len(view.panes()) == (2 if key == "C" else 4)

"""Overlays and RAW or JPEG in the loupe, by real keys, never of another photo."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from curator.home import Home
from curator.imaging import overlay_mask
from curator.imaging.overlay import CLIPPING, HISTOGRAM, PEAKING, TILES, Overlay
from curator.imaging.screen import Area
from curator.model import KnownError, View
from curator.session import Session
from curator.settings import Settings
from curator.stages.frame import ChangedError
from curator.ui.loupe import pan_zoom
from curator.ui.loupe.loupe_view import LoupeView
from curator.ui.widgets import theme
from tests.catalogs import fill
from tests.gui import swatches
from tests.gui.darkroom import Darkroom, loupe_over, seen

SIZE = (1800, 1200)
PHOTOS = 20
PAIR, LONE = 5, 6  # positions in the list: DSC_0005 is a NEF and its JPEG, DSC_0006 a JPEG


def spotted(photo: int, size: tuple[int, int]) -> np.ndarray:
    """Draw a photo in its color with a clipped square at a place of its own."""
    rgb = swatches.picture(photo, size)
    x, y = spot(photo)
    rgb[y : y + 120, x : x + 120] = 255
    return rgb


def spot(photo: int) -> tuple[int, int]:
    return 700 + 150 * (photo % 3), 400 + 150 * (photo % 2)


@pytest.fixture
def pipeline(dressed: object) -> Darkroom:
    room = Darkroom(SIZE)
    room.draw = spotted
    return room


@pytest.fixture
def session(make_session, home: Home) -> Session:
    """Twenty photos of two megapixels; every fifth is a pair whose RAW holds a preview."""
    fill(home.catalog, PHOTOS)
    with closing(sqlite3.connect(home.catalog)) as catalog, catalog:
        catalog.execute("UPDATE photo SET width = ?, height = ?", SIZE)
        catalog.execute("UPDATE photo SET basis = 'preview' WHERE pair")
    session = make_session()
    session.photos.go(LONE)
    return session


@pytest.fixture
def loupe(session: Session, qtbot, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoupeView]:
    monkeypatch.setattr(pan_zoom, "PEEK_S", 60.0)  # a tap stays one on a busy machine
    with loupe_over(session) as loupe:
        qtbot.waitUntil(lambda: loupe._drawing.best is not None)
        yield loupe


def press(loupe: LoupeView, key: Qt.Key) -> None:
    QTest.keyClick(loupe, key)


def levels(loupe: LoupeView, photo: int) -> set[int]:
    """Return the gray levels where a photo's clipped square would be; -1 for colored pixels."""
    image, place = seen(loupe), loupe.place()
    x, y = spot(photo)
    left = place.x() + x * place.width() // SIZE[0]
    top = place.y() + y * place.height() // SIZE[1]
    return {
        gray(image, left + across, top + down)
        for across in range(8, 40)
        for down in range(8, 40, 8)
        if image.rect().contains(left + across, top + down)
    }


def gray(image: QImage, x: int, y: int) -> int:
    red, green, blue, _ = image.pixelColor(x, y).getRgb()
    return red if red == green == blue else -1


HATCH = {255, 25}


def deliver(loupe: LoupeView, pipeline: Darkroom, qtbot, basis: str = "image") -> int:
    qtbot.waitUntil(lambda: bool(pipeline.requests))
    with qtbot.waitSignal(loupe.originals.arrived):
        return pipeline.deliver(basis)


# --- clipping


def test_j_shows_clipping_and_keeps_it_for_the_next_photo(
    session: Session, loupe: LoupeView, pipeline: Darkroom, qtbot
) -> None:
    here, following = session.current, int(session.ids[LONE + 1])
    assert here is not None
    assert levels(loupe, here) == {-1}  # the proxy has the photo's plain color
    press(loupe, Qt.Key.Key_J)
    request = pipeline.requests[0]
    assert (request.overlays, request.pixels) == ({CLIPPING}, False)
    assert deliver(loupe, pipeline, qtbot) == here
    assert levels(loupe, here) == HATCH
    press(loupe, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: loupe._drawing.best is not None)
    assert levels(loupe, here) == levels(loupe, following) == {-1}
    qtbot.waitUntil(lambda: pipeline.photo(pipeline.requests[0]) == following)
    assert deliver(loupe, pipeline, qtbot) == following
    assert levels(loupe, following) == HATCH
    assert levels(loupe, here) == {-1}
    press(loupe, Qt.Key.Key_J)
    assert levels(loupe, following) == {-1}


def test_overlays_read_ahead_show_with_their_photo(
    session: Session, loupe: LoupeView, pipeline: Darkroom, qtbot
) -> None:
    press(loupe, Qt.Key.Key_J)
    press(loupe, Qt.Key.Key_Z)
    qtbot.waitUntil(lambda: len(pipeline.requests) == 4 and pipeline.requests[0].pixels)
    deliver(loupe, pipeline, qtbot)
    following = deliver(loupe, pipeline, qtbot)
    press(loupe, Qt.Key.Key_Right)
    assert session.current == following
    assert levels(loupe, following) == HATCH


def test_the_clipping_overlay_moves_with_the_picture(
    session: Session, loupe: LoupeView, pipeline: Darkroom, qtbot
) -> None:
    photo = session.current
    assert photo is not None
    session.view_state.set_zoom(1.0, (0.5, 0.5))
    press(loupe, Qt.Key.Key_J)
    deliver(loupe, pipeline, qtbot)
    before, place = seen(loupe), loupe.place()
    drag(loupe, QPoint(-90, 41))
    assert loupe.place().topLeft() == place.topLeft() + QPoint(-90, 41)
    assert levels(loupe, photo) == HATCH
    moved = seen(loupe).copy(300, 300, 400, 200)
    assert moved == before.copy(390, 259, 400, 200)
    session.view_state.set_zoom(8.0, (spot(photo)[0] / SIZE[0], spot(photo)[1] / SIZE[1]))
    assert levels(loupe, photo) == HATCH


@pytest.mark.parametrize("keys", ["J", "JAA", "JA"])
def test_panning_at_full_size_computes_only_what_comes_into_view(
    session: Session, loupe: LoupeView, pipeline: Darkroom, qtbot, monkeypatch, keys: str
) -> None:
    pipeline.draw = striped
    session.view_state.set_zoom(1.0, (0.5, 0.5))
    for key in keys:
        press(loupe, Qt.Key[f"Key_{key}"])
    areas = watch_masks(monkeypatch)
    deliver(loupe, pipeline, qtbot)
    whole = still(loupe)
    areas.clear()
    narrow = [QPoint(-20, 0)] * 7  # in some of them only gray comes into view
    for by in (QPoint(-40, 21), QPoint(64, -30), *narrow, QPoint(0, -12)):
        drag(loupe, by)
        seen(loupe)
    assert 0 < sum(areas) < loupe.width() * loupe.height() / 3
    assert still(loupe) != whole
    assert still(loupe) == redrawn(loupe, session)


def test_panning_a_scaled_picture_shows_the_same_overlays_wherever_it_came_from(
    session: Session, loupe: LoupeView, pipeline: Darkroom, qtbot
) -> None:
    pipeline.draw = striped
    session.view_state.set_zoom(0.8, (0.5, 0.5))
    press(loupe, Qt.Key.Key_J)
    deliver(loupe, pipeline, qtbot)
    whole = still(loupe)
    drag(loupe, QPoint(-33, 17))
    assert still(loupe) != whole
    assert still(loupe) == redrawn(loupe, session)


def striped(photo: int, size: tuple[int, int]) -> np.ndarray:
    """Draw stripes of noise with clipped pixels on gray, so that every pixel of a mask counts."""
    noise = np.random.default_rng(photo).integers(0, 256, (size[1], size[0], 3), np.uint8)
    noise[::3, ::5] = 255
    noise[1::7, ::4] = 0
    noise[:, np.arange(size[0]) // 60 % 2 == 0] = 128
    return noise


def watch_masks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows by the number of pixels of each mask computed."""
    areas: list[int] = []
    draw = overlay_mask.draw

    def watched(found: Overlay, full: object, size: object, area: Area, line_px: int) -> object:
        areas.append(area[2] * area[3])
        return draw(found, full, size, area, line_px)

    monkeypatch.setattr(overlay_mask, "draw", watched)
    return areas


def redrawn(loupe: LoupeView, session: Session) -> QImage:
    """Return what the loupe shows once it was zoomed elsewhere and back."""
    zoom, center = session.view_state.zoom, session.view_state.center
    session.view_state.set_zoom(4.0, center)
    seen(loupe)
    session.view_state.set_zoom(zoom, center)
    return still(loupe)


def still(loupe: LoupeView) -> QImage:
    """Return what the loupe shows once the navigator is gone."""
    loupe._navigator.stop()
    return seen(loupe)


def drag(loupe: LoupeView, by: QPoint) -> None:
    left, none, at = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(600, 300)
    QTest.mousePress(loupe, left, none, at)
    QTest.mouseMove(loupe, at + by / 2)
    QTest.mouseMove(loupe, at + by)
    QTest.mouseRelease(loupe, left, none, at + by)


# --- sharpness, histogram, legend


def test_a_steps_through_tiles_and_peaking(
    session: Session, loupe: LoupeView, pipeline: Darkroom, qtbot
) -> None:
    plain = seen(loupe)
    for kinds, said in (({TILES}, "Bright: sharpest areas"), ({PEAKING}, "White: edges in focus")):
        press(loupe, Qt.Key.Key_A)
        assert pipeline.requests[0].overlays == kinds
        deliver(loupe, pipeline, qtbot)
        middle = loupe.place().center() + QPoint(0, 150)
        shown = seen(loupe)
        assert shown.pixelColor(middle).lightness() < 0.6 * plain.pixelColor(middle).lightness()
        assert said in loupe.accessibleName()
    press(loupe, Qt.Key.Key_A)
    assert session.settings.loupe.focus == "off"
    assert seen(loupe) == plain


def test_h_shows_the_histogram_and_its_panel_stays_while_photos_change(
    session: Session, loupe: LoupeView, pipeline: Darkroom, qtbot
) -> None:
    corner = QPoint(loupe.width() - 20, 20)
    press(loupe, Qt.Key.Key_H)
    assert pipeline.requests[0].overlays == {HISTOGRAM}
    empty = seen(loupe)
    assert empty.pixelColor(corner) != theme.CANVAS
    qtbot.waitUntil(lambda: " · –" in loupe.accessibleName())
    deliver(loupe, pipeline, qtbot)
    assert seen(loupe) != empty
    qtbot.waitUntil(lambda: loupe.accessibleName().endswith(" · JPEG"))
    session.view_state.set_zoom(1.0, (0.5, 0.5))
    press(loupe, Qt.Key.Key_Right)
    assert loupe._drawing._overlays.lines(None, "") == ["–"]
    assert seen(loupe).pixelColor(corner) != theme.CANVAS


def test_all_overlays_are_measured_in_one_request(
    loupe: LoupeView, pipeline: Darkroom, qtbot
) -> None:
    for key in (Qt.Key.Key_J, Qt.Key.Key_A, Qt.Key.Key_H):
        press(loupe, key)
    assert pipeline.requests[0].overlays == {CLIPPING, TILES, HISTOGRAM}
    deliver(loupe, pipeline, qtbot)
    press(loupe, Qt.Key.Key_H)
    press(loupe, Qt.Key.Key_J)
    here = pipeline.requests[0]
    assert pipeline.photo(here) != loupe._session.current  # nothing is read again for less


def test_overlays_stay_on_after_a_restart(make_window, home: Home) -> None:
    window = make_window()
    window.session.viewer.set_view(View.LOUPE)
    for key in (Qt.Key.Key_J, Qt.Key.Key_A, Qt.Key.Key_A, Qt.Key.Key_H):
        QTest.keyClick(window, key)
    kept = Settings.load(home).loupe
    assert (kept.clipping, kept.focus, kept.histogram) == (True, "peaking", True)


# --- RAW or JPEG


def right(loupe: LoupeView) -> str:
    """Return the right part of the caption painted last."""
    seen(loupe)
    tile = loupe._viewport.tile()
    assert tile is not None
    return loupe._drawing._caption(tile, loupe._drawing.best).right


def test_r_switches_a_pair_from_jpeg_to_raw_and_the_next_photos_follow(
    session: Session, loupe: LoupeView, pipeline: Darkroom, qtbot
) -> None:
    session.photos.go(PAIR)
    press(loupe, Qt.Key.Key_Z)
    qtbot.waitUntil(lambda: loupe.originals._wanted != {} and bool(pipeline.requests))
    assert pipeline.requests[0].path.endswith("DSC_0005.JPG")
    deliver(loupe, pipeline, qtbot)
    assert right(loupe) == "100 % · RAW+J · JPEG"
    press(loupe, Qt.Key.Key_R)
    assert right(loupe) == "100 % · RAW+J · JPEG · loading RAW"
    request = pipeline.requests[0]
    assert (request.path[-4:], request.want) == (".NEF", "demosaic")
    deliver(loupe, pipeline, qtbot, "demosaic")
    assert right(loupe) == "100 % · RAW+J · RAW"
    session.photos.go(PAIR + 5)
    qtbot.waitUntil(lambda: pipeline.requests and "0010" in pipeline.requests[0].path)
    assert pipeline.requests[0].want == "demosaic"
    press(loupe, Qt.Key.Key_R)
    assert pipeline.requests[0].path.endswith("DSC_0010.JPG")
    session.photos.go(PAIR)
    assert right(loupe) == "100 % · RAW+J · JPEG"  # it is still there
    session.viewer.set_view(View.GRID)
    assert session.view_state.developed is None


def test_the_overlay_belongs_to_the_picture_shown(
    session: Session, loupe: LoupeView, pipeline: Darkroom, qtbot
) -> None:
    session.photos.go(PAIR)
    photo = session.current
    assert photo is not None
    press(loupe, Qt.Key.Key_J)
    press(loupe, Qt.Key.Key_Z)
    qtbot.waitUntil(lambda: bool(pipeline.requests) and pipeline.requests[0].pixels)
    deliver(loupe, pipeline, qtbot)
    assert levels(loupe, photo) == HATCH
    assert "Camera JPEG" in loupe.accessibleName()
    pipeline.draw = swatches.picture  # in the RAW nothing is blown
    press(loupe, Qt.Key.Key_R)
    assert levels(loupe, photo) == HATCH
    deliver(loupe, pipeline, qtbot, "demosaic")
    assert levels(loupe, photo) == {-1}
    assert " · RAW · Highlights 0 % · shadows 0 %" in loupe.accessibleName()


def test_a_raw_that_cannot_be_developed_leaves_the_jpeg_with_the_reason(
    session: Session, loupe: LoupeView, pipeline: Darkroom, qtbot
) -> None:
    session.photos.go(PAIR)
    press(loupe, Qt.Key.Key_Z)
    qtbot.waitUntil(lambda: bool(pipeline.requests))
    deliver(loupe, pipeline, qtbot)
    press(loupe, Qt.Key.Key_R)
    said: list[str] = []
    session.messages.status_message.connect(said.append)
    with qtbot.waitSignal(loupe.originals.failed):
        pipeline.refuse(KnownError("The RAW file's picture data is damaged."))
    assert said == ["DSC_0005, RAW: The RAW file's picture data is damaged."]
    damaged = "no RAW: the RAW file's picture data is damaged"
    assert right(loupe) == f"100 % · RAW+J · JPEG · {damaged}"
    assert swatches.shows(seen(loupe), 1100, 600, session.current or 0)


def test_r_switches_a_lone_raw_from_its_preview_to_its_sensor_data(
    session: Session, loupe: LoupeView, pipeline: Darkroom, home: Home, qtbot
) -> None:
    with closing(sqlite3.connect(home.catalog)) as catalog, catalog:
        catalog.execute("DELETE FROM file WHERE name = 'DSC_0005.JPG'")
    session.refresh()
    session.photos.go(PAIR)
    press(loupe, Qt.Key.Key_Z)
    qtbot.waitUntil(lambda: bool(pipeline.requests) and "0005" in pipeline.requests[0].path)
    assert (pipeline.requests[0].path[-4:], pipeline.requests[0].want) == (".NEF", "preview")
    deliver(loupe, pipeline, qtbot, "preview")
    press(loupe, Qt.Key.Key_R)
    assert (pipeline.requests[0].path[-4:], pipeline.requests[0].want) == (".NEF", "demosaic")


def test_r_on_a_jpeg_without_raw_says_so(session: Session, loupe: LoupeView) -> None:
    said: list[str] = []
    session.messages.status_message.connect(said.append)
    press(loupe, Qt.Key.Key_R)
    assert said == ["DSC_0006 has no RAW to switch to."]
    assert session.view_state.developed is None


# --- files that change or go


def test_a_replaced_file_is_not_shown_and_its_folder_is_scanned_again(
    session: Session, loupe: LoupeView, pipeline: Darkroom, qtbot
) -> None:
    press(loupe, Qt.Key.Key_Z)
    qtbot.waitUntil(lambda: bool(pipeline.requests))
    here = pipeline.requests[0]
    assert here.fingerprint == session.detail(session.current or 0).files[0].fingerprint
    with qtbot.waitSignal(loupe.originals.failed):
        pipeline.refuse(ChangedError("The file has changed since it was read."))
    assert pipeline.asked == [("rescan", 1)]
    assert right(loupe) == "100 % · proxy 1,440 px: the file has changed since it was read"
    assert swatches.shows(seen(loupe), 1100, 600, session.current or 0)


def test_z_on_a_missing_photo_tries_again_and_reports_it(
    session: Session, loupe: LoupeView, pipeline: Darkroom, qtbot
) -> None:
    said: list[str] = []
    session.messages.status_message.connect(said.append)
    qtbot.waitUntil(lambda: bool(pipeline.requests))  # read ahead, as one stays
    gone = KnownError("The file is no longer there.")
    with qtbot.waitSignal(loupe.originals.failed):
        pipeline.refuse(gone)
    assert said == []
    press(loupe, Qt.Key.Key_Z)
    assert pipeline.photo(pipeline.requests[0]) == session.current
    with qtbot.waitSignal(loupe.originals.failed):
        pipeline.refuse(gone)
    assert said == ["DSC_0006: zoom is limited to the proxy. The file is no longer there."]


def test_a_failure_is_retried_at_the_next_request(
    session: Session, loupe: LoupeView, pipeline: Darkroom, qtbot
) -> None:
    here = session.current
    press(loupe, Qt.Key.Key_Z)
    qtbot.waitUntil(lambda: bool(pipeline.requests))
    with qtbot.waitSignal(loupe.originals.failed):
        pipeline.refuse(KnownError("The file is no longer there."))
    session.photos.go(LONE + 6)
    qtbot.waitUntil(lambda: pipeline.photo(pipeline.requests[0]) == session.current)
    session.photos.go(LONE)
    qtbot.waitUntil(lambda: pipeline.photo(pipeline.requests[0]) == here)

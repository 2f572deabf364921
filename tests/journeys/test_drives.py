"""A drive is disconnected while somebody culls: the cull and all later work continue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from curator.library import captions
from curator.pipeline import folder_availability, saving
from tests.drives import Stick
from tests.journeys.evening import Evening
from tests.photos import draw_jpeg

SIZE = (1800, 1200)
PHOTOS = 24


@pytest.fixture
def stick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stick]:
    made = Stick(tmp_path, "T7 Shield", monkeypatch)
    yield made
    made.close()


def done(evening: Evening) -> int:
    return evening.session.catalog.work.counts()["convert"]["done"]


def with_proxies(evening: Evening) -> list[int]:
    session = evening.session
    return [int(photo) for photo in session.table.ids if session.tile(int(photo)).proxy]


@pytest.mark.slow
def test_a_drive_is_disconnected_during_a_cull(
    evening: Evening, stick: Stick, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_availability, "EVERY_S", 0.2)
    monkeypatch.setattr(saving, "RETRY_S", 0.2)
    trip = stick.plug("T7 Shield") / "trip"
    for number in range(PHOTOS):
        draw_jpeg(trip / f"DSC_{number:04}.JPG", size=SIZE, seed=number)
    evening.start(trip).until(lambda: done(evening) >= 3)
    session, catalog = evening.session, evening.session.catalog
    stick.pull()
    # What was read by then is all there is to see; the window says where the rest is.
    evening.until(lambda: catalog.folders.all()[0].away)
    evening.until(lambda: session.table.missing().all())
    evening.until(lambda: len(with_proxies(evening)) == done(evening))
    read = with_proxies(evening)
    assert 3 <= len(read) < PHOTOS
    evening.until(
        lambda: any(row.away == "T7 Shield unplugged" for row in session.sources.scopes())
    )
    evening.until(lambda: f"{PHOTOS - done(evening)} photos wait for T7 Shield" in evening.texts())
    # The cull goes on from the proxies, by real keys.
    session.navigator.go_to(read[0])
    evening.press("E").until(lambda: session.current == read[0])
    evening.press("4").until(lambda: catalog.photos.get(read[0]).marks.rating == 4)
    loupe = evening.window.loupe
    loupe.grab()
    away = "T7 Shield unplugged · proxy 1,440 px"
    evening.until(lambda: away in loupe.accessibleName())
    evening.press("Z").reads("zoom is limited to the proxy. T7 Shield unplugged.")
    evening.press("X").until(lambda: catalog.photos.get(read[0]).marks.flag == "reject")
    assert catalog.work.failures() == []
    # Back under another name, it is read to the end: nothing twice, nothing failed.
    now = stick.plug("T7 Shield1") / "trip"
    evening.until(lambda: done(evening) == PHOTOS)
    evening.reads("T7 Shield is back")
    evening.until(lambda: not session.table.missing().any())
    evening.until(lambda: catalog.work.unfinished("both") == 0)  # faces are measured last
    assert session.criteria.scope.key == str(now)
    assert [row.path for row in catalog.folders.all()] == [str(now)]
    assert len(catalog.photos.ids()) == PHOTOS
    assert catalog.work.failures() == []
    assert catalog.photos.get(read[0]).marks.rating == 4
    assert captions.unavailable_reason(session.detail(read[0])) == ""
    assert {
        work.attempts for p in session.table.ids for work in catalog.photos.get(int(p)).work
    } == {0}

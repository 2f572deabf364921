"""A gallery in a real browser, opened from disk: its looks, its keys, and no connections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from curator.catalog import TagDetail
from curator.export import Options, make_plan, write
from tests.browser import Browser, found
from tests.photos import draw_jpeg
from tests.unit.export.conftest import PICK, photo
from tests.unit.export.test_gallery import WILD

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(found() is None, reason="no Chromium on this machine"),
]


@pytest.fixture
def gallery(tmp_path: Path) -> str:
    """Three photos; name, tags and title of the second hold markup."""
    photos = []
    for number, name in enumerate(["first", "<img src=x onerror=alert(1)> #2?", "third"], 1):
        path = draw_jpeg(tmp_path / "card" / f"{name}.jpg", size=(1500, 1000), seed=number)
        photos.append(photo(number, PICK, path))
    tags = (TagDetail(WILD, "person", 100, "confirmed"),)
    photos[1] = replace(photos[1], tags=tags, capture=replace(photos[1].capture, camera=WILD))
    to = tmp_path / "out # 1"
    options = Options(
        to,
        target="gallery",
        order=(1, 2, 3),
        title=WILD,
        notes=WILD,
        clauses=dict.fromkeys((1, 2, 3), "pick"),
    )
    assert write(make_plan(photos, options)).photos == 3
    return (to / "index.html").as_uri()


@pytest.fixture
def browse(tmp_path: Path) -> Iterator[Callable[..., Browser]]:
    """Opens browsers, and checks them for errors at the end."""
    opened: list[Browser] = []

    def browse(url: str, **how: bool) -> Browser:
        browser = Browser(str(found()), tmp_path / f"profile{len(opened)}", **how)
        opened.append(browser)
        browser.open(url)
        return browser

    yield browse
    for browser in opened:
        browser.close()


SHOWN = (
    "[...document.querySelectorAll('.frame')].filter(f => f.getClientRects().length)"
    ".map(f => f.id).join()"
)
LOADED = (
    "[...document.images].filter(i => i.getClientRects().length)"
    ".every(i => i.complete && i.naturalWidth > 0)"
)


def test_keys_walk_through_the_photos_and_nothing_leaves_the_disk(
    gallery: str, browse: Callable[..., Browser]
) -> None:
    browser = browse(gallery)
    assert browser.value("document.querySelectorAll('.sheet img').length") == 3
    browser.until(LOADED)
    assert browser.value(SHOWN) == ""
    browser.press("ArrowRight")
    assert browser.value("document.activeElement.id") == "t1"
    browser.click("#t2")
    browser.until(f"{SHOWN} === 'p2'")
    browser.until(LOADED)
    browser.press("ArrowRight")
    browser.until(f"{SHOWN} === 'p3'")
    browser.press("ArrowRight")
    browser.press("Home")
    browser.until(f"{SHOWN} === 'p1'")
    browser.press("End")
    browser.until(f"{SHOWN} === 'p3'")
    browser.press("ArrowLeft")
    browser.until(f"{SHOWN} === 'p2'")
    browser.value("history.back()")
    browser.until(f"{SHOWN} === ''")
    browser.value("history.forward()")
    browser.until(f"{SHOWN} === 'p2'")
    browser.press("Escape")
    browser.until(f"{SHOWN} === ''")
    browser.until("document.activeElement.id === 't2'")
    assert browser.troubles == []
    folder = gallery.rpartition("/")[0]
    assert browser.asked and all(url.startswith(folder) for url in browser.asked)


def test_markup_in_texts_is_shown_as_text(gallery: str, browse: Callable[..., Browser]) -> None:
    browser = browse(gallery)
    heading = browser.value("document.querySelector('h1').textContent")
    assert heading == WILD.replace("\u202e", "") == browser.value("document.title")
    assert WILD.replace("\u202e", "") in browser.value("document.querySelector('#p2').textContent")
    assert browser.value("document.scripts.length") == 1
    assert browser.value("document.querySelectorAll('img').length") == 6
    # Even a script that did get in would not run.
    browser.value(
        "document.body.appendChild(Object.assign(document.createElement('img'),"
        " {src: 'https://example.invalid/x.png'})); document.body.insertAdjacentHTML("
        "'beforeend', '<p onclick=\"window.ran = 1\" id=bad>.</p>'); bad.click()"
    )
    assert browser.value("typeof window.ran") == "undefined"
    for wanted in ("'blockedReason': 'csp'", "Executing inline event handler violates"):
        browser.until("true")
        assert any(wanted in trouble for trouble in browser.troubles), browser.troubles


def test_it_works_without_scripts(gallery: str, browse: Callable[..., Browser]) -> None:
    browser = browse(gallery, scripts=False)
    browser.click("#t1")
    browser.until(f"{SHOWN} === 'p1'")
    browser.click("#p1 .next")
    browser.until(f"{SHOWN} === 'p2'")
    browser.click("#p2 .previous")
    browser.until(f"{SHOWN} === 'p1'")
    browser.click("#p1 .close")
    browser.until(f"{SHOWN} === ''")
    assert browser.troubles == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_the_light_or_dark_scheme(
    gallery: str, browse: Callable[..., Browser], scheme: str
) -> None:
    browser = browse(gallery)
    wanted = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.call("Emulation.setEmulatedMedia", features=wanted)
    background = browser.value("getComputedStyle(document.documentElement).backgroundColor")
    assert background == {"light": "rgb(250, 250, 250)", "dark": "rgb(22, 22, 22)"}[scheme]
    row = browser.value(
        "[...document.querySelectorAll('.sheet img')]"
        ".map(i => Math.round(i.getClientRects()[0].height))"
    )
    assert len(row) == 3 and row[0] == row[1], "photos of a row have one height"


def test_a_narrow_window_shows_one_photo_per_row_without_scrolling_sideways(
    gallery: str, browse: Callable[..., Browser]
) -> None:
    browser = browse(gallery)
    size = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    browser.call("Emulation.setDeviceMetricsOverride", **size)
    lefts = browser.value("[...document.querySelectorAll('.sheet a')].map(a => a.offsetLeft)")
    assert len(set(lefts)) == 1
    assert browser.value("document.documentElement.scrollWidth") <= 390

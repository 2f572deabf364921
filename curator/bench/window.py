"""The bars for the window: the first photo, thumbnails, and from a key to the painted photo."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from curator import app
from curator.bench import baselines
from curator.bench.figures import Figure, PairedTimes, Reference, Workspace, timed
from curator.bench.gui_thread import LONG_S, EventWatch, watched
from curator.bench.photo_sets import large_jpegs, many_small
from curator.bench.window_driver import (
    Viewer,
    application,
    image_of,
    opened,
    picture,
    press,
    run_events,
    wait,
    wait_for_proxies,
    whole,
)
from curator.home import Home
from curator.imaging.proxy import proxy_path

_FILES = 10_000
_THUMBNAILS = 1_000
_LARGE_FILES = 40
_LARGE_SIZE = (6000, 4000)
_MOVES = 1_000
_WATCHED = 240
_READ_MEANWHILE = 9_000  # 64 a second were read, for over two minutes
_FOUND_MEANWHILE = 4_000
_KEYS = 120
_ANALYZED_MEANWHILE = 1_500
_KEY_EVERY_S = 0.125  # eight keys per second
_COLD = 40
_NAMED = 5  # of the longest events
_DRAWN = "a key in a bare viewer, which draws a decoded photo"


def first(workspace: Workspace) -> list[Figure]:
    """Open 10,000 files; measure the time to the first photo and to 1,000 thumbnails."""
    qt = application()
    folder = workspace.photos or many_small(workspace.scratch / "many", _FILES)
    before = bare_first(folder), _bare_thumbnails(folder)
    seen: list[float] = []
    begin = time.perf_counter()
    with opened(Home.at(workspace.scratch / "home"), folder) as running:
        thumbs = running.window.pictures.thumbs
        thumbs.arrived.connect(lambda *_: seen.append(time.perf_counter()))
        wait(lambda: bool(seen), thumbs.arrived)
        running.window.grid.viewport().repaint()
        shown = time.perf_counter() - begin
        table = running.session.table
        wait(
            lambda: sum(key is not None for key in table.texts("thumb")) >= _THUMBNAILS,
            running.session.photos.photos_changed,
        )
        thousand = time.perf_counter() - begin
    qt.processEvents()
    after = bare_first(folder), _bare_thumbnails(folder)
    listed, decoded = map(min, before, after)
    return [
        Figure(
            f"first photo on screen of {_FILES:,} files",
            shown,
            "s",
            1.0,
            Reference("listing the files, and decoding and drawing one thumbnail", listed),
        ),
        Figure(
            f"{_THUMBNAILS:,} thumbnails, from opening the folder",
            thousand,
            "s",
            2.0,
            Reference("decoding as many embedded thumbnails on one thread", decoded),
        ),
    ]


def bare_first(folder: Path) -> float:
    """List the files and draw the thumbnail of the first in a window; return the seconds."""
    begin = time.perf_counter()
    viewer = Viewer()
    viewer.draw_and_wait(whole(image_of(baselines.thumbnail(baselines.listed(folder)[0]))))
    return time.perf_counter() - begin


def _bare_thumbnails(folder: Path) -> float:
    some = baselines.listed(folder)[:_THUMBNAILS]
    return timed(lambda: [baselines.thumbnail(path) for path in some])


def keys(workspace: Workspace) -> list[Figure]:
    """Go through 24 MP JPEGs at eight keys per second while another folder is read.

    Then the GUI thread is watched while one more folder is opened.

    After each key a bare viewer draws a photo of the same size under the same conditions: decoded
    ahead, after a bare commit, or from its file.
    """
    qt = application()
    home = Home.at(workspace.scratch / "home")
    photos = large_jpegs(workspace, _LARGE_FILES, _LARGE_SIZE)
    noise, more = (
        many_small(workspace.scratch / name, count, (1600, 1200), quality=60)
        for name, count in (("noise", _READ_MEANWHILE), ("more", _FOUND_MEANWHILE))
    )
    with opened(home, photos[0].parent) as running, baselines.commits(workspace.scratch) as commit:
        pipeline, session, window = running.pipeline, running.session, running.window
        assert pipeline is not None
        wait_for_proxies(running, len(photos))
        QTest.keyClick(window, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
        wait(lambda: bool(window.loupe.isVisible()), window.loupe.painted)
        run_events(1.0)
        viewer = Viewer()
        proxies = [proxy_path(home.cache, str(key)) for key in session.table.texts("proxy") if key]
        files = itertools.cycle(proxies)
        read = lambda: whole(picture(next(files), window.loupe.size()))  # noqa: E731
        ahead = itertools.cycle([read() for _ in proxies])  # a few stay in the processor's cache
        draw = lambda: viewer.press_and_wait(next(ahead))  # noqa: E731
        with_encoder = _with_encoder(running, workspace, draw)
        pipeline.open_folders([noise])
        right = itertools.cycle([Qt.Key.Key_Right])
        moves = _pressed(running, right, _MOVES, draw)
        busy = not pipeline.is_idle
        pipeline.open_folders([more])
        with watched(qt) as watch:
            _pressed(running, right, _WATCHED, draw)
        decide = itertools.cycle([Qt.Key.Key_X, Qt.Key.Key_P])
        marks = _pressed(running, decide, _KEYS, lambda: commit() + draw())
        pipeline.pause()
        run_events(1.0)
        cold = _cold(running, lambda: timed(lambda: viewer.press_and_wait(read())))
    note = "" if busy else "the pipeline finished before the keys did"
    what = "key to painted photo, pipeline running"
    return [
        moves.figure(what, 0.99, 16.0, _DRAWN, note),
        moves.figure(what, 1.0, 50.0, _DRAWN, note),
        *_events(watch),
        *with_encoder,
        marks.figure(
            "mark to the next painted photo, committed",
            0.99,
            26.0,  # the sum of the bars for a commit and for a painted photo
            f"{baselines.COMMIT}, and {_DRAWN}",
        ),
        cold.figure("key to painted photo, cold", 1.0, 100.0, "decoding and drawing a proxy"),
    ]


def _events(watch: EventWatch) -> list[Figure]:
    """Return the figures of events on the GUI thread; their note names the longest."""
    ordered = sorted(watch.found, key=lambda event: -event.seconds)
    number = f"{len(ordered)} of {1000 * LONG_S:.0f} ms and more"
    note = "; ".join([number, *map(str, ordered[:_NAMED])])
    none, limit = "no reference: the bare viewer only paints", 1000 * LONG_S
    longest, most = 1000 * watch.longest_s, 1000 * watch.most_processor_s
    return [
        Figure(
            "longest on the GUI thread that is not painting", longest, "ms", limit, none, note=note
        ),
        Figure("the same, most processor time", most, "ms", limit, none),
    ]


def _with_encoder(
    running: app.App, workspace: Workspace, draw: Callable[[], float]
) -> list[Figure]:
    """Go through photos by key while the built-in encoder analyzes others."""
    pipeline, settings = running.pipeline, running.session.settings
    assert pipeline is not None
    pipeline.open_folders([many_small(workspace.scratch / "analyzed", _ANALYZED_MEANWHILE)])
    wait(lambda: pipeline.is_idle, pipeline.events.progressed)  # afterwards only the encoder works
    settings.encoder.which = "starter"
    pipeline.reselect_encoder()
    catalog = running.session.catalog
    wait(lambda: bool(catalog.vectors.encoders()), pipeline.events.photos_saved)
    before = sum(catalog.vectors.encoders().values())
    moves = _pressed(running, itertools.cycle([Qt.Key.Key_Right]), _KEYS, draw)
    seen = sum(catalog.vectors.encoders().values()) - before
    settings.encoder.which = "none"
    pipeline.reselect_encoder()
    note = f"{seen:,} photos analyzed meanwhile"
    what = "key to painted photo, an encoder at work"
    return [moves.figure(what, 0.99, 16.0, _DRAWN, note)]


def _pressed(
    running: app.App, which: Iterator[Qt.Key], count: int, draw: Callable[[], float]
) -> PairedTimes:
    """Press keys at an even pace, and call ``draw`` halfway between two keys."""
    session, pairs = running.session, PairedTimes()
    for key in itertools.islice(which, count):
        if session.view_state.finished or session.photos.index >= len(session.ids) - 1:
            session.photos.go(0)
            run_events(1.0)
        spent = press(running, key, running.window.loupe.painted)
        run_events(max(0.0, _KEY_EVERY_S / 2 - spent))
        pairs.add(spent, draw())
        run_events(max(0.0, _KEY_EVERY_S / 2 - pairs.bare[-1]))
    return pairs


def _cold(running: app.App, draw: Callable[[], float]) -> PairedTimes:
    """Go to random photos that are not decoded ahead."""
    session, pairs = running.session, PairedTimes()
    chance = random.Random(1)
    frames, loupe = running.window.pictures.frames, running.window.loupe
    for _ in range(_COLD):
        session.photos.go(chance.randrange(len(session.ids) - 1))
        run_events(0.3)
        frames.want("loupe", ())
        frames.clear()
        pairs.add(press(running, Qt.Key.Key_Right, loupe.painted), draw())
    return pairs

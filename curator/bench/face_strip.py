"""The bar for the strip of face close-ups: it must not delay the next photo."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtTest import QTest

from curator import app
from curator.bench.figures import Figure, Reference, Workspace, percentile
from curator.bench.window_driver import enter_loupe, opened_on_large, press, run_events
from curator.catalog.faces import FACES
from curator.model import Eye, Face, FacesMeasured, Kind, StageJob
from curator.ui.loupe.loupe_view import LoupeView

_KEYS = 600
_BLOCK = 20  # keys with the strip, then as many without it
_KEY_EVERY_S = 0.125  # eight keys per second
_GROUP = 12  # faces of each photo, as many as the strip shows
_SHARE = 0.99


def strip(workspace: Workspace) -> list[Figure]:
    """Go through 24 MP JPEGs of twelve faces at eight keys per second, with and without the strip.

    A key is over when the picture and, if it is shown, the strip have been painted.
    """
    with opened_on_large(workspace) as running:
        session, loupe = running.session, running.window.loupe
        _save_faces(running)
        enter_loupe(running)
        run_events(1.0)
        times: dict[bool, list[float]] = {True: [], False: []}
        sharp: list[bool] = []
        both = _Both(loupe)
        for number in range(_KEYS):
            if number % _BLOCK == 0:
                QTest.keyClick(running.window, Qt.Key.Key_Q)
                run_events(1.0)
            if session.photos.index >= len(session.ids) - 1:
                session.photos.go(0)
                run_events(1.0)
            shown = loupe.strip.isVisible()
            spent = press(running, Qt.Key.Key_Right, both.painted if shown else loupe.painted)
            times[shown].append(spent)
            sharp += [loupe.strip.is_sharp] if shown else []
            run_events(max(0.0, _KEY_EVERY_S - spent))
    value, bare = (1000 * percentile(times[shown], _SHARE) for shown in (True, False))
    middle, usual = (1000 * percentile(times[shown], 0.5) for shown in (True, False))
    ahead = f"{100 * sum(sharp) / len(sharp):.0f} % of the photos had their close-ups read ahead"
    return [
        Figure(
            "key to painted photo with face close-ups, p99",
            value,
            "ms",
            1.2,
            Reference("without the strip", bare),
            per_reference=True,
            note=f"median of {len(times[True])}: {middle:.1f} ms, reference {usual:.1f}; {ahead}",
        )
    ]


class _Both(QObject):
    """Reports when picture and strip have both been painted, in whichever order."""

    painted = Signal(object)

    def __init__(self, loupe: LoupeView) -> None:
        super().__init__()
        self._last: dict[QObject, int] = {}
        for view in (loupe, loupe.strip):
            view.painted.connect(partial(self._note, view))

    def _note(self, view: QObject, photo: int) -> None:
        self._last[view] = photo
        if [*self._last.values()] == [photo, photo]:
            self.painted.emit(photo)


def _save_faces(running: app.App) -> None:
    """Save twelve faces of different sizes for each photo, as the stage would."""
    session = running.session
    faces = [
        Face(
            box=(0.04 + 0.15 * (number % 6), 0.2 + 0.4 * (number // 6), 0.11 - 0.004 * number, 0.2),
            size_px=660 - 24 * number,
            score=0.9,
            left=Eye.CLOSED if number % 5 == 0 else Eye.OPEN,
            right=Eye.OPEN,
        )
        for number in range(_GROUP)
    ]
    results = []
    for photo in session.ids.tolist():
        sql = "SELECT proxy_digest FROM photo WHERE id = ?"
        digest = str(session.catalog.store.value(sql, (photo,)))
        job = StageJob(photo, FACES, "", Kind.IMAGE, "", fingerprint=digest)
        results.append((job, FacesMeasured(digest, tuple(faces))))
    session.catalog.faces.save(results)
    session.refresh()

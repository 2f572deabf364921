"""Actions to kill in the middle: a process with all imports that forks a child for each.

    python -m tests.journeys.victim

Reads one JSON object a line: ``act``, ``args``, and when to kill it: ``after_s``, or before that
``at`` its so-manieth touch of a file. What the child says comes out first, then ``# killed``,
``# done`` or ``# failed``, and the seconds it took. A process of its own for each would spend its
second loading, and most kills would hit nothing else.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sklearn.linear_model  # noqa: F401 - so that no child spends its time on it

from curator import export, keyboard, removal, settings
from curator.catalog import Catalog, backups
from curator.export.options import Options
from curator.home import Home
from curator.learning.learner import TasteLearner
from curator.pipeline import sidecars
from curator.settings import Settings
from curator.sidecar import PROFILES
from curator.workers import InlinePool
from tests.importing import import_cards

_TOUCHES = ("open", "os.rename", "os.remove", "os.link", "os.mkdir", "os.utime", "os.chmod")
ACTS: dict[str, Callable[..., None]] = {}


def act(function: Callable[..., None]) -> Callable[..., None]:
    ACTS[function.__name__] = function
    return function


def say(*words: object) -> None:
    """Write a line at once and completely, so that it was true before the kill."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


@act
def export_to(home: str, folder: str, target: str, form: str) -> None:
    catalog = Catalog.open(Home.at(home).catalog)
    photos = catalog.photos.details(catalog.photos.ids())
    approved = {photo.id: "stars" for photo in photos if (photo.marks.rating or 0) >= 4}
    options = Options(Path(folder), approved, target=target, form=form, long_edge_px=320)
    plan = export.make_plan(photos, options)
    report = export.write(plan, pool=InlinePool())
    say("written", len(report.written))


@act
def write_sidecars(home: str, seed: int, rounds: int) -> None:
    catalog = Catalog.open(Home.at(home).catalog)
    ids = catalog.photos.ids()
    chance = random.Random(seed)
    for _ in range(rounds):
        some = chance.sample(ids, 4)
        catalog.journal.decide(
            {photo: {"rating": chance.randint(1, 5)} for photo in some}, summary="Stars"
        )
        catalog.sidecars.request_write(some)
        sidecars.write_some(catalog, some, PROFILES["darktable"])


@act
def finish_sidecars(home: str) -> None:
    catalog = Catalog.open(Home.at(home).catalog)
    ids = catalog.photos.ids()
    catalog.sidecars.request_write(ids)
    while due := catalog.sidecars.due(sidecars.BATCH, True, 0.0):
        sidecars.write_some(catalog, due, PROFILES["darktable"])
    say("unwritten", catalog.sidecars.outstanding().unwritten)


@act
def open_catalog(path: str) -> None:
    Catalog.open(path).close()


@act
def delete_rejects(home: str) -> None:
    import send2trash
    from send2trash import plat_other

    send2trash.send2trash = plat_other.send2trash
    catalog = Catalog.open(Home.at(home).catalog)
    photos = list(catalog.photos.details(catalog.photos.ids()))
    removal.remove(removal.plan(photos), photos, delete=removal.trash, ledger=catalog.removal)


@act
def back_up(home: str) -> None:
    catalog = Catalog.open(Home.at(home).catalog)
    while True:
        say(backups.make_if_due(catalog.path, -1.0))


@act
def save_choices(home: str) -> None:
    there = Home.at(home)
    kept = Settings.load(there)
    for number in range(40):
        kept.taste.match_threshold = number % 90
        settings.save(kept, there)
        changes = {"reject": ("X", f"Ctrl+F{number % 9 + 1}")}
        keyboard.save(keyboard.Keyboard("curator", changes), keyboard.keys_file(there))


@act
def import_from_cards(home: str, cards: list[str], destinations: list[str]) -> None:
    catalog = Catalog.open(Home.at(home).catalog)
    report = import_cards(catalog, list(map(Path, cards)), list(map(Path, destinations)))
    for place in report.destinations:
        say("verified", place.verified, place.checked, place.kept)
    say("safe", report.complete and not report.left)


@act
def learn(home: str, seed: int) -> None:
    there = Home.at(home)
    catalog = Catalog.open(there.catalog)
    learner = TasteLearner(catalog, Settings().taste, there.cache)
    learner.sync_vectors()
    learner.update_training()
    ids = catalog.photos.ids()
    chance = random.Random(seed)
    while True:
        photo = chance.choice(ids)
        step = catalog.journal.decide({photo: {"rating": chance.randint(1, 5)}}, summary="Stars")
        for change in step.changes:
            say("step", step.id, photo, change.field, change.after)
        learner.update_training([photo])
        learner.fit()
        number = learner.save_version("hand")
        if number is not None:
            say("version", number)


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        begun = time.monotonic()
        child = os.fork()
        if child == 0:
            _be_child(order)
        status = _wait(child, begun + order.get("after_s", 600.0))
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        failed = not killed and status != 0
        say("#", "killed" if killed else "failed" if failed else "done", time.monotonic() - begun)


def _wait(child: int, until: float) -> int:
    """Wait for a child to end, and kill it after its time; return its exit status."""
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        left = until - time.monotonic()
        if left <= 0:
            os.kill(child, signal.SIGKILL)
            return os.waitpid(child, 0)[1]
        time.sleep(min(left, 0.003))


def _be_child(order: dict[str, Any]) -> None:
    touched, at = 0, order.get("at")

    def look(event: str, _: object) -> None:
        nonlocal touched
        if event in _TOUCHES:
            touched += 1
            if touched == at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(look)
    code = 1
    try:
        ACTS[order["act"]](**order["args"])
        say("touched", touched)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()

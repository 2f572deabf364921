"""Imports in a session: the last plan counts, one import at a time, and the way of the scope."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from curator.catalog import Catalog
from curator.home import Home
from curator.importing import card_files, headers, plan
from curator.importing.card_files import CardContents
from curator.importing.request import ImportRequest
from curator.library.scopes import Scope
from curator.model import KnownError, Pass, View
from curator.session import Session, imports
from curator.session.cards import CardWatcher
from curator.session.import_engine import ImportEngine
from curator.session.import_thread import Planned
from curator.settings import Settings
from tests.fake_imports import FakeEngine, card
from tests.unit.catalog.shoot import Card as CardReader
from tests.unit.catalog.shoot import Shoot, photo_bytes
from tests.unit.catalog.test_imports import CardImport

EOS = Path("/media/ada/EOS_DIGITAL")


def request(**more: object) -> ImportRequest:
    return ImportRequest((EOS,), (Path("/photos/library"),), **more)  # type: ignore[arg-type]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEngine]:
    made = FakeEngine()
    monkeypatch.setattr(imports, "ImportEngine", lambda settings, give_way: made)
    yield made
    for run in made.runs:
        run.may_end.set()


# --- plans


def test_only_the_last_request_is_answered(
    engine: FakeEngine, open_session: Callable[[], Session], qtbot: QtBot
) -> None:
    session, answers = open_session(), []
    session.imports.planned.connect(answers.append)
    for job in ("W", "We", "Wedding"):
        session.imports.make_plan(request(job=job))
    qtbot.waitUntil(lambda: any(answer.request.job == "Wedding" for answer in answers))
    assert [answer.request.job for answer in answers][-1] == "Wedding"
    assert all(answer.plan is not None for answer in answers)


def test_a_closed_dialog_gets_no_plan(
    engine: FakeEngine, open_session: Callable[[], Session], qtbot: QtBot
) -> None:
    session, answers = open_session(), []
    entered, go_on = threading.Event(), threading.Event()
    plan = engine.plan

    def slow_plan(*parts):
        entered.set()
        assert go_on.wait(60)
        return plan(*parts)

    engine.plan = slow_plan  # type: ignore[method-assign]
    session.imports.planned.connect(answers.append)
    session.imports.make_plan(request(job="closed"))
    assert entered.wait(60)
    session.imports.forget_plan()
    go_on.set()
    session.imports.make_plan(request(job="opened again"))
    qtbot.waitUntil(lambda: bool(answers))
    assert [answer.request.job for answer in answers] == ["opened again"]


def test_cards_are_read_once_for_all_templates(
    home: Home, monkeypatch: pytest.MonkeyPatch, qapp: QCoreApplication
) -> None:
    read: list[tuple[Path, ...]] = []

    def find_files(cards: tuple[Path, ...]) -> CardContents:
        read.append(cards)
        return CardContents()

    monkeypatch.setattr(card_files, "find_files", find_files)
    monkeypatch.setattr(headers, "read_headers", lambda *_, **__: {})
    monkeypatch.setattr(plan, "make_plan", lambda request, *_: request.names)
    engine = ImportEngine(Settings.load(home), lambda: False)
    names = ("{name}", "{job}", "{seq}")
    plans = [
        engine.plan(request(names=each), None, lambda *_: None, lambda: False)  # type: ignore[arg-type]
        for each in names
    ]
    assert tuple(plans) == names and read == [(EOS,)]
    engine.forget()
    engine.plan(request(), None, lambda *_: None, lambda: False)  # type: ignore[arg-type]
    assert len(read) == 2, "a dialog opened later reads the card again"
    engine.forget()


def test_another_card_at_the_same_path_is_read(
    monkeypatch: pytest.MonkeyPatch, open_session: Callable[[], Session], qtbot: QtBot
) -> None:
    inserted = ["OLD"]
    found = {"OLD": CardContents(), "NEW": CardContents()}
    monkeypatch.setattr(card_files, "find_files", lambda _: found[inserted[0]])
    monkeypatch.setattr(headers, "read_headers", lambda *_, **__: {})
    monkeypatch.setattr(plan, "make_plan", lambda request, contents, *_: contents)
    session = open_session()
    session.cards._find = lambda: [card(EOS, inserted[0])]
    for name in found:
        inserted[0] = name
        session.cards.look()
        qtbot.waitUntil(lambda name=name: [each.label for each in session.cards.cards] == [name])
        with qtbot.waitSignal(session.imports.planned) as planned:
            session.imports.make_plan(request())
        assert planned.args[0].plan is found[name]


# --- running


def start(session: Session, engine: FakeEngine, qtbot: QtBot) -> Planned:
    with qtbot.waitSignal(session.imports.planned) as planned:
        session.imports.make_plan(request())
    answer = planned.args[0]
    session.imports.start(answer.plan)
    qtbot.waitUntil(lambda: bool(engine.runs))
    return answer


def test_a_second_import_is_refused_until_the_first_has_ended(
    engine: FakeEngine, open_session: Callable[[], Session], qtbot: QtBot
) -> None:
    session = open_session()
    answer = start(session, engine, qtbot)
    with pytest.raises(KnownError, match="An import is running"):
        session.imports.start(answer.plan)
    with qtbot.waitSignal(session.imports.ended):
        engine.runs[0].may_end.set()
    assert session.imports.report == engine.report
    session.imports.start(answer.plan)
    qtbot.waitUntil(lambda: len(engine.runs) == 2)


def test_closing_the_session_stops_the_import(
    engine: FakeEngine, open_session: Callable[[], Session], qtbot: QtBot
) -> None:
    session = open_session()
    start(session, engine, qtbot)
    open_session()
    assert engine.runs[0].calls == ["stop"]


def test_a_stop_before_the_import_runs_is_not_lost(
    engine: FakeEngine, open_session: Callable[[], Session], qtbot: QtBot
) -> None:
    session = open_session()
    with qtbot.waitSignal(session.imports.planned) as planned:
        session.imports.make_plan(request())
    with qtbot.waitSignal(session.imports.ended):
        session.imports.start(planned.args[0].plan)
        session.imports.stop()
    assert engine.runs[0].calls == ["stop"] and not session.imports.is_running


def test_a_mistake_of_ours_ends_the_import_and_is_reported(
    engine: FakeEngine, open_session: Callable[[], Session], qtbot: QtBot, expected_log
) -> None:
    expected_log("the import failed")
    engine.report = ZeroDivisionError()
    session = open_session()
    start(session, engine, qtbot)
    with qtbot.waitSignal(session.imports.ended):
        engine.runs[0].may_end.set()
    assert session.imports.report is None and session.imports.problem


# --- cards


def test_a_card_appears_once_for_each_insertion(qapp: QCoreApplication, qtbot: QtBot) -> None:
    here = [[card(EOS)], [card(EOS)], [], [card(EOS)]]
    seen: list[str] = []
    watcher = CardWatcher(lambda: here.pop(0))
    watcher.card_appeared.connect(lambda each: seen.append(f"+{each.label}"))
    watcher.card_gone.connect(lambda each: seen.append(f"-{each.label}"))
    while here:
        number = len(here)
        watcher.look()
        qtbot.waitUntil(lambda number=number: len(here) < number)
        qtbot.waitUntil(watcher._timer.isActive)
    assert seen == ["+EOS_DIGITAL", "-EOS_DIGITAL", "+EOS_DIGITAL"]
    watcher.close()


def test_a_silent_card_blocks_nobody(qapp: QCoreApplication, qtbot: QtBot) -> None:
    answer, looks = threading.Event(), []

    def find():
        looks.append(1)
        assert answer.wait(60)
        return [card(EOS)]

    watcher = CardWatcher(find)
    for _ in range(3):
        watcher.look()
    assert watcher.cards == ()
    answer.set()
    qtbot.waitUntil(lambda: bool(watcher.cards))
    assert len(looks) == 1, "not a thread more for each look"
    watcher.close()


# --- the card is pulled out


@pytest.fixture
def evening(qapp: QCoreApplication, home: Home, tmp_path: Path) -> Iterator[CardImport]:
    """Two photos on a card, in the catalog of the session's home."""
    catalog = Catalog.open(home.catalog)
    shoot = Shoot(catalog, tmp_path / "EOS_DIGITAL")
    shoot.reader = CardReader(shoot.folder)
    made = CardImport(shoot, tmp_path / "photos")
    for number, name in enumerate(("A.JPG", "B.JPG", "C.JPG"), 1):
        shoot.write(f"DCIM/{name}", photo_bytes(number))
    shoot.ingest()
    yield made
    catalog.close()


@pytest.fixture
def culling(evening: CardImport, home: Home) -> Iterator[Session]:
    """A session in the middle of the cull of the card."""
    catalog = Catalog.open(home.catalog)
    session = Session(catalog, home, Settings.load(home))
    card = evening.card
    session.sources.open_scope(Scope("folder", str(card), card.name))
    session.modes.set_mode(Pass.CULL)
    session.ordering.set_order("name")
    session.navigator.go_to(2)
    yield session
    session.close()
    catalog.close()


def test_the_cull_goes_on_from_the_copies_when_the_card_is_pulled_out(
    evening: CardImport, culling: Session, qtbot: QtBot
) -> None:
    session = culling
    criteria, before = session.criteria, session.photos.ids.tolist()
    evening.import_files("DCIM/A.JPG", "DCIM/B.JPG", "DCIM/C.JPG")
    evening.pull()
    session.refresh()
    session.imports._settle_soon()
    session.imports._settle()
    qtbot.waitUntil(lambda: criteria.scope.key == str(evening.library / "2024"))
    assert (session.current, criteria.mode, criteria.order) == (2, Pass.CULL, "name")
    assert session.view_state.view is View.LOUPE
    assert session.photos.ids.tolist() == before
    folders = session.catalog.folders
    qtbot.waitUntil(lambda: [row.path for row in folders.all()] == [str(evening.library)])
    session.refresh()
    assert session.photos.ids.tolist() == before


def test_a_card_stays_until_an_import_has_copied_the_rest(
    evening: CardImport, culling: Session, qtbot: QtBot
) -> None:
    session, criteria = culling, culling.criteria
    evening.import_files("DCIM/A.JPG", "DCIM/B.JPG")
    evening.pull()
    session.refresh()
    session.imports._settle()
    with qtbot.waitSignal(session.imports.planned) as planned:  # after what was asked before
        request = ImportRequest((evening.card,), (evening.library,), folders="2024")
        session.imports.make_plan(request)
    assert criteria.scope.key == str(evening.card)
    assert str(evening.card) in [row.path for row in session.catalog.folders.all()]

    plan = planned.args[0].plan
    assert plan is not None, planned.args[0].problem
    with qtbot.waitSignal(session.imports.ended):
        session.imports.start(plan)
    report = session.imports.report
    assert report is not None and report.complete and not report.failures
    assert (evening.library / "2024/C.JPG").exists()
    assert session.imports.earlier()[0].report == report
    session.refresh()
    session.imports._settle()
    qtbot.waitUntil(lambda: criteria.scope.key == str(evening.library / "2024"))


def test_a_folder_of_a_drive_stays_although_it_was_imported_elsewhere(
    evening: CardImport, culling: Session, qtbot: QtBot
) -> None:
    evening.import_files("DCIM/A.JPG", "DCIM/B.JPG", "DCIM/C.JPG")
    [number] = [r.id for r in evening.catalog.folders.all() if r.path == str(evening.card)]
    evening.catalog.volumes.note(number, "1a2b", "T7 Shield", "trips/iceland")
    evening.pull()
    culling.refresh()
    culling.imports._settle()
    with qtbot.waitSignal(culling.imports.planned):  # after what was asked for before
        culling.imports.make_plan(ImportRequest((evening.card,), (evening.library,)))
    assert culling.criteria.scope.key == str(evening.card)
    assert str(evening.card) in [row.path for row in culling.catalog.folders.all()]

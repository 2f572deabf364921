"""Write priority: decisions of a person go before background work."""

from __future__ import annotations

import math
import threading
import time

import pytest

from curator.catalog import Catalog
from curator.catalog.store import Store
from curator.catalog.write_priority import WritePriority
from curator.home import Home
from tests import catalogs

WITHIN_S = 60.0


@pytest.mark.parametrize("act", ["decide", "see"])
def test_a_decision_waits_only_for_the_running_batch(
    home: Home, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    monkeypatch.setattr("curator.catalog.store.MARK_WAIT_S", WITHIN_S)
    catalogs.fill(home.catalog, 3)
    reading = Catalog.open(home.catalog)

    def write() -> None:
        catalog = Catalog.open(home.catalog)
        if act == "decide":
            catalog.journal.decide({2: {"rating": 4}}, summary="4 stars")
        else:
            catalog.store.interactive = True  # as the window's is
            catalog.photos.mark_seen([2])
        catalog.close()

    person = threading.Thread(target=write)
    with reading.store.transaction():
        person.start()
        deadline = time.monotonic() + WITHIN_S
        while not reading.store._priority._interactive:
            assert time.monotonic() < deadline
            time.sleep(0.001)
    # Reads in the background pause, too, so that the mark is written first.
    sql = "SELECT rating, seen_at IS NOT NULL FROM photo WHERE id = 2"
    (kept,) = reading.store.rows(sql)
    with reading.store.transaction():  # the next batch, at once
        wrote = reading.store.row(sql)
    person.join()
    assert kept == wrote == ((4, 0) if act == "decide" else (None, 1))
    reading.close()


def test_a_background_transaction_should_end_once_a_decision_waits(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogs.fill(home.catalog, 3)
    monkeypatch.setattr("curator.catalog.store.TRANSACTION_S", math.inf)
    conductor = Catalog.open(home.catalog)

    def mark() -> None:
        window = Catalog.open(home.catalog)
        window.journal.decide({2: {"rating": 4}}, summary="4 stars")
        window.close()

    marking, deadline = threading.Thread(target=mark), time.monotonic() + WITHIN_S
    with conductor.store.transaction():
        assert not conductor.store.should_commit
        marking.start()
        while not conductor.store.should_commit:
            assert time.monotonic() < deadline
            time.sleep(0.001)
    marking.join()
    assert conductor.store.value("SELECT rating FROM photo WHERE id = 2") == 4
    conductor.close()


def test_background_writes_wait_while_a_key_is_answered(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogs.fill(home.catalog, 3)
    window = Catalog.open(home.catalog)
    asked: list[tuple[bool, bool]] = []
    is_free = WritePriority._is_free

    def recorded(priority: WritePriority, interactive: bool) -> bool:
        asked.append((interactive, free := is_free(priority, interactive)))
        return free

    def read() -> None:
        catalog = Catalog.open(home.catalog)
        catalog.photos.mark_seen([3])
        catalog.close()

    monkeypatch.setattr(WritePriority, "_is_free", recorded)
    monkeypatch.setattr("curator.catalog.store.KEY_PAUSE_S", 10 * WITHIN_S)
    monkeypatch.setattr("curator.catalog.store.BUSY_TIMEOUT_S", WITHIN_S)
    window.store.hold_background(True)
    reading = threading.Thread(target=read)
    reading.start()
    deadline = time.monotonic() + WITHIN_S
    while (False, False) not in asked:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    window.journal.decide({2: {"rating": 4}}, summary="4 stars")
    assert window.store.value("SELECT seen_at FROM photo WHERE id = 3") is None
    window.store.hold_background(False)
    reading.join()
    assert window.store.value("SELECT seen_at FROM photo WHERE id = 3") is not None
    monkeypatch.setattr("curator.catalog.store.KEY_PAUSE_S", 0.001)
    window.store.hold_background(True)
    window.photos.mark_seen([1])  # the pause is short even if no photo is shown
    window.close()


@pytest.mark.parametrize("background", [True, False])
def test_background_reads_wait_while_a_decision_is_written(
    home: Home, monkeypatch: pytest.MonkeyPatch, background: bool
) -> None:
    catalogs.fill(home.catalog, 3)
    person, read = Catalog.open(home.catalog), list[int | None]()
    waited, went_on, wait = threading.Event(), threading.Event(), WritePriority.wait_for_interactive

    def recorded(priority: WritePriority, within_s: float) -> None:
        waited.set()
        went_on.set()
        wait(priority, within_s)

    def look() -> None:
        catalog = Catalog.open(home.catalog)
        read.append(catalog.store.value("SELECT rating FROM photo WHERE id = 2"))
        went_on.set()
        catalog.close()

    monkeypatch.setattr(WritePriority, "wait_for_interactive", recorded)
    monkeypatch.setattr(Store, "interactive", not background)
    monkeypatch.setattr("curator.catalog.store.MARK_WAIT_S", WITHIN_S)
    reading = threading.Thread(target=look)
    with person.store.transaction(durable=True):
        person.journal.decide({2: {"rating": 4}}, summary="4 stars")
        reading.start()
        assert went_on.wait(WITHIN_S)
        if not background:
            reading.join()
    reading.join()
    assert (read, waited.is_set()) == (([4], True) if background else ([None], False))
    person.close()


def test_a_writer_that_times_out_gets_an_error_and_blocks_nobody(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogs.fill(home.catalog, 3)
    one, other = Catalog.open(home.catalog), Catalog.open(home.catalog)
    monkeypatch.setattr("curator.catalog.store.BUSY_TIMEOUT_S", 0.01)
    with one.store.transaction(), pytest.raises(Exception, match="locked by another program"):
        other.journal.decide({2: {"rating": 4}}, summary="4 stars")
    one.photos.mark_seen([3])
    other.journal.decide({2: {"rating": 4}}, summary="4 stars")
    assert one.store._priority is other.store._priority and not one.store._priority._interactive
    one.close()
    other.close()

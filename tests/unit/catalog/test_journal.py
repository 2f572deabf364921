"""Decisions, undo and redo: saved at once, and undone any number of steps."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curator.catalog import Catalog
from curator.home import Home
from curator.model import Fields, Flag, KnownError, Label, Marks, NotFoundError, UsageError
from tests.catalogs import fill

PHOTOS = 20


@pytest.fixture
def path(home: Home) -> Path:
    """A catalog of twenty photos; those with numbers 2 to 10 and 12 to 20 are unmarked."""
    fill(home.catalog, PHOTOS)
    return home.catalog


@pytest.fixture
def filled(path: Path):
    catalog = Catalog.open(path)
    yield catalog
    catalog.close()


def marks_of(catalog: Catalog) -> dict[int, Marks]:
    return {photo: catalog.photos.get(photo).marks for photo in catalog.photos.ids()}


def test_a_decision_is_visible_to_other_processes_once_the_call_returns(
    filled: Catalog, path: Path
) -> None:
    step = filled.journal.decide(
        {2: {"flag": Flag.REJECT}}, summary="Rejected DSC_0001", context={"scope": "/photos"}
    )
    assert [(c.field, c.before, c.after) for c in step.changes] == [("flag", None, "reject")]
    other = Catalog.open(path)
    assert other.photos.get(2).marks.flag is Flag.REJECT
    other.close()


def test_a_picture_that_was_kept_is_not_rejected_under_its_former_number(filled: Catalog) -> None:
    with filled.store.transaction():
        filled.store.run("UPDATE photo SET merged_into = 3 WHERE id = 4")
    reject = {"flag": Flag.REJECT, "kept": False}
    with pytest.raises(KnownError, match="found to be one"):
        filled.journal.decide({4: {"kept": True}, 3: reject}, summary="Kept DSC_0003")
    assert filled.photos.get(3).marks == Marks()
    filled.journal.decide({4: {"rating": 5}, 3: {"rating": 5}}, summary="5 stars")
    assert filled.photos.get(3).marks.rating == 5


def test_manual_stacking_is_a_decision(filled: Catalog) -> None:
    def stacked() -> list[object]:
        return filled.store.values("SELECT stacked FROM photo WHERE id IN (2, 3, 4) ORDER BY id")

    filled.journal.decide({2: {"stacked": 2}, 3: {"stacked": 2}}, summary="Stacked 2")
    filled.journal.decide({3: {"stacked": 0}}, summary="Split off DSC_0002")
    assert stacked() == [2, 0, None]
    filled.journal.undo()
    assert stacked() == [2, 2, None]
    filled.journal.undo()
    assert stacked() == [None, None, None]
    with pytest.raises(UsageError):
        filled.journal.decide({2: {"stacked": -1}}, summary="?")


@pytest.mark.slow
def test_decisions_survive_a_kill(path: Path) -> None:
    """A process killed by signal 9 right after decide() loses nothing."""
    script = (
        "import os, signal, sys; from curator.catalog import Catalog;"
        "catalog = Catalog.open(sys.argv[1]);"
        "[catalog.journal.decide({n: {'rating': 3}}, summary=str(n)) for n in range(2, 9)];"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert done.returncode == -9
    catalog = Catalog.open(path)
    assert [catalog.photos.get(n).marks.rating for n in range(2, 9)] == [3] * 7
    assert catalog.check() == []
    catalog.close()


def test_decisions_wait_for_the_disk_and_other_work_does_not(filled: Catalog) -> None:
    statements: list[str] = []
    filled.store.trace(statements.append)
    filled.journal.decide({2: {"kept": True}}, summary="Kept")
    assert statements.index("PRAGMA synchronous = FULL") < statements.index("BEGIN IMMEDIATE")
    statements.clear()
    filled.folders.save_position("", {"view": "grid"})
    assert statements.index("PRAGMA synchronous = NORMAL") < statements.index("BEGIN IMMEDIATE")
    statements.clear()
    filled.photos.mark_seen([2])
    filled.store.trace(None)
    assert not any("FULL" in line for line in statements)


def test_marks_that_change_nothing_make_no_step(filled: Catalog) -> None:
    filled.journal.decide({2: {"rating": 4, "kept": True}}, summary="4 stars")
    again = filled.journal.decide({2: {"rating": 4, "kept": 1}}, summary="4 stars")
    assert (again.id, again.changes) == (0, ())
    top = filled.journal.next_undo()
    assert top is not None
    assert len(top.changes) == 2
    partly = filled.journal.decide({2: {"rating": 4}, 3: {"rating": 4}}, summary="4 stars")
    assert [change.photo_id for change in partly.changes] == [3]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({2: {"rating": 9}}, UsageError),
        ({2: {"rating": 0}}, UsageError),
        ({2: {"rating": True}}, UsageError),
        ({2: {"rating": "4"}}, UsageError),
        ({2: {"flag": "maybe"}}, UsageError),
        ({2: {"label": "pink"}}, UsageError),
        ({2: {"kept": None}}, UsageError),
        ({2: {"sharpness": 100.0}}, UsageError),
        ({2: {"rating": 4}, 999: {"rating": 4}}, NotFoundError),
    ],
)
def test_invalid_marks_are_refused_and_nothing_is_written(
    filled: Catalog, changes: dict[int, dict[str, object]], error: type[Exception]
) -> None:
    before = marks_of(filled)
    with pytest.raises(error):
        filled.journal.decide(changes, summary="nonsense")
    assert marks_of(filled) == before
    assert filled.journal.next_undo() is None


def test_a_batch_is_undone_in_one_step_with_its_summary(filled: Catalog) -> None:
    before = marks_of(filled)
    filled.journal.decide(
        {number: {"flag": "reject"} for number in range(1, PHOTOS + 1)},
        summary="Rejected 20",
        context={"view": "grid", "photo": 7},
    )
    undone = filled.journal.undo()
    assert undone is not None
    assert (undone.kind, undone.summary, undone.context["photo"]) == ("undo", "Rejected 20", 7)
    assert marks_of(filled) == before
    assert filled.journal.undo() is None


def test_undo_and_redo_reach_back_across_restarts(filled: Catalog, path: Path) -> None:
    for rating in (1, 2, 3):
        filled.journal.decide({2: {"rating": rating}}, summary=f"{rating} stars")
    seen = []
    for turn in ("undo", "undo", "redo", "undo", "undo", "undo", "redo", "redo", "redo", "redo"):
        catalog = Catalog.open(path)
        step = getattr(catalog.journal, turn)()
        seen.append((step.summary if step else None, catalog.photos.get(2).marks.rating))
        catalog.close()
    assert seen == [
        ("3 stars", 2),
        ("2 stars", 1),
        ("2 stars", 2),
        ("2 stars", 1),
        ("1 stars", None),
        (None, None),
        ("1 stars", 1),
        ("2 stars", 2),
        ("3 stars", 3),
        (None, 3),
    ]


def test_a_new_decision_ends_redo(filled: Catalog) -> None:
    filled.journal.decide({2: {"rating": 1}}, summary="1 star")
    filled.journal.undo()
    assert filled.journal.next_redo() is not None
    filled.journal.decide({3: {"rating": 1}}, summary="1 star")
    assert filled.journal.next_redo() is None
    assert filled.journal.redo() is None


def test_only_the_expected_step_is_undone(filled: Catalog, path: Path) -> None:
    meant = filled.journal.decide({2: {"rating": 1}}, summary="1 star")
    other = Catalog.open(path)
    other.journal.decide({3: {"flag": "reject"}}, summary="Rejected DSC_0002")
    assert filled.journal.undo(meant.id) is None
    assert other.photos.get(3).marks.flag is Flag.REJECT
    top = other.journal.next_undo()
    assert top is not None
    undone = filled.journal.undo(top.id)
    assert undone is not None
    assert filled.journal.redo(meant.id) is None
    assert filled.journal.redo(undone.id) is not None
    other.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decision SET after = 5",
        "DELETE FROM decision",
        "UPDATE step SET summary = 'never happened'",
        "DELETE FROM step",
    ],
)
def test_the_journal_cannot_be_rewritten(filled: Catalog, statement: str) -> None:
    filled.journal.decide({2: {"rating": 1}}, summary="1 star")
    with (
        pytest.raises(sqlite3.IntegrityError, match="only ever added to"),
        filled.store.transaction(),
    ):
        filled.store.run(statement)


def test_the_history_of_a_photo_has_its_part_of_each_step(filled: Catalog) -> None:
    filled.journal.decide({2: {"label": Label.RED}, 3: {"label": Label.RED}}, summary="Red")
    filled.journal.undo()
    assert [(s.kind, [c.photo_id for c in s.changes]) for s in filled.journal.history(2)] == [
        ("do", [2]),
        ("undo", [2]),
    ]


def test_seen_is_recorded_once_and_is_no_decision(filled: Catalog) -> None:
    filled.photos.mark_seen([2])
    first = filled.photos.get(2).seen_at
    filled.photos.mark_seen([2])
    assert first is not None
    assert filled.photos.get(2).seen_at == first
    assert filled.journal.next_undo() is None


def test_four_quarter_turns_cancel_out(filled: Catalog) -> None:
    filled.photos.turn([2], -1)
    assert filled.photos.get(2).turn == 3
    filled.photos.turn([2], 2)
    assert filled.photos.get(2).turn == 1


ACT = st.one_of(
    st.just(("undo", None)),
    st.just(("redo", None)),
    st.tuples(
        st.just("decide"),
        st.dictionaries(
            st.integers(1, 3),
            st.fixed_dictionaries(
                {},
                optional={
                    "rating": st.sampled_from([None, 1, 5]),
                    "flag": st.sampled_from([None, "pick", "reject"]),
                    "kept": st.booleans(),
                    ("tag", 1): st.sampled_from([None, "confirmed", "removed"]),
                    ("project", 1): st.sampled_from([None, 1.0, 2.5]),
                    ("over", 2): st.sampled_from([None, True]),
                },
            ),
            min_size=1,
            max_size=3,
        ),
    ),
)


def all_of(catalog: Catalog) -> object:
    """Return all decisions about photos and their relations."""
    tables = ("photo_tag", "photo_project", "duel")
    related = [catalog.store.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]
    return marks_of(catalog), related


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(acts=st.lists(ACT, max_size=14))
def test_any_series_of_steps_equals_a_model_of_two_stacks(
    acts: list[tuple[str, dict[int, Fields] | None]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("journal") / "catalog.db"
    fill(path, 3)
    catalog = Catalog.open(path)
    catalog.tags.ids(["harbor"], make=True)
    catalog.projects.create("Harbour")
    done: list[object] = []
    undone: list[object] = []
    turn: dict[str, Callable[[], object]] = {
        "undo": catalog.journal.undo,
        "redo": catalog.journal.redo,
    }
    for act, changes in acts:
        before = all_of(catalog)
        if changes is not None:
            if catalog.journal.decide(changes, summary="act").id:
                done.append(before)
                undone.clear()
            continue
        source, target = (done, undone) if act == "undo" else (undone, done)
        assert (turn[act]() is not None) == bool(source)
        if source:
            target.append(before)
            assert all_of(catalog) == source.pop()
    catalog.close()

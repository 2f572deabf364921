"""A series is suggested in words, made by a person, and once dismissed never seen again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from curator.session import Session
from curator.session.related_photos import LEAST, MOST, candidates, grouped, suggestion, usual


def around(count: int, centre: int, spread: float, seed: int) -> np.ndarray:
    """Vectors about one direction of 128."""
    noise = np.random.default_rng(seed).normal(size=(count, 128))
    found = np.eye(128)[centre] + spread * noise / np.linalg.norm(noise, axis=1, keepdims=True)
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


NOISE = np.random.default_rng(9).normal(size=(32, 128)).astype(np.float32)
NOISE /= np.linalg.norm(NOISE, axis=1, keepdims=True)
FOG, PORTRAITS = around(9, 3, 0.2, 1), around(6, 7, 0.2, 2)
ALL = np.concatenate([NOISE, FOG, PORTRAITS])
IDS = np.arange(100, 100 + len(ALL))
SILENT = np.full(len(ALL), np.nan, np.float32)
LEAST_ALIKE = usual(NOISE)


def test_the_largest_group_that_looks_alike_is_found() -> None:
    found = grouped(ALL, SILENT, IDS, LEAST_ALIKE)
    assert found.tolist() == list(range(32, 41))
    shuffled = np.random.default_rng(0).permutation(len(ALL))
    again = grouped(ALL[shuffled], SILENT, IDS[shuffled], LEAST_ALIKE)
    assert sorted(IDS[shuffled][again].tolist()) == IDS[found].tolist()


def test_what_was_dismissed_is_not_found_again_even_with_one_more() -> None:
    fog = frozenset(IDS[32:40].tolist())  # eight of the nine
    found = grouped(ALL, SILENT, IDS, LEAST_ALIKE, [fog])
    assert found.tolist() == list(range(41, 47))
    portraits = frozenset(IDS[41:47].tolist())
    assert not len(grouped(ALL, SILENT, IDS, LEAST_ALIKE, [fog, portraits]))


def test_what_is_not_liked_alike_is_no_series() -> None:
    expected = np.full(len(ALL), 4.5, np.float32)
    expected[32:36] = 2.0
    found = grouped(ALL, expected, IDS, LEAST_ALIKE)
    assert set(found.tolist()) in ({36, 37, 38, 39, 40}, set(range(41, 47)))


def test_photos_that_have_nothing_in_common_are_no_series() -> None:
    assert not len(grouped(NOISE, SILENT[:32], IDS[:32], LEAST_ALIKE))
    many = around(40, 3, 0.05, 4)
    assert len(grouped(many, SILENT[:40], IDS[:40], LEAST_ALIKE)) == MOST


@pytest.fixture
def approved(session: Session) -> list[int]:
    photos = [2, 3, 4, 5, 6, 7, 8]
    session.catalog.journal.decide({photo: {"rating": 5} for photo in photos}, summary="-")
    session.refresh()
    return photos


def test_only_approved_photos_of_no_project_are_looked_at(
    session: Session, approved: list[int]
) -> None:
    assert candidates(session.table, 70).tolist() == approved
    session.projects.add(session.projects.make("Harbour"), [3, 4], on_screen=False)
    assert candidates(session.table, 70).tolist() == [2, 5, 6, 7, 8]


def test_a_series_is_explained_made_or_dismissed(
    session: Session, approved: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(question: Any, tell: Any) -> None:
        class VectorIndex:
            size, dimension = 47, 128
            places = staticmethod(lambda ids: np.asarray(ids) + 30)  # 2 to 8 are fog
            take = staticmethod(lambda places: ALL[places])

        tell(question(type("TasteLearner", (), {"vectors": VectorIndex})))

    monkeypatch.setattr(session.taste.learner, "ask", answer)
    series = session.related_photos
    series.look()
    assert series.found is not None and list(series.found.photos) == approved
    assert series.found.sentence.startswith("These 7 approved photos look alike and were taken on")
    assert session.projects.rows() == ()  # nothing happens by itself
    series.dismiss()
    assert series.found is None
    series.look()
    assert series.found is None
    session.catalog.folders.save_position(":series", {})
    session.catalog.journal.decide({9: {"rating": 5}}, summary="-")
    session.refresh()
    series.look()
    assert series.found is not None and len(series.found.photos) >= LEAST
    series.accept("Fog")
    (row,) = session.projects.rows()
    assert set(approved) <= set(session.catalog.projects.members(row.id))
    session.history.undo()
    assert session.catalog.projects.members(row.id) == []


def test_words_say_how_many_days_and_how_much_they_are_liked(session: Session) -> None:
    table = session.table
    table.column("taken_at")[:5] = np.arange("2024-05-01", "2024-05-06", dtype="datetime64[D]")
    table.scores.set(
        np.arange(1, 6), np.full(5, 80, np.int16), np.linspace(4.1, 4.6, 5).astype("f4")
    )
    assert suggestion(table, [1, 2, 3, 4, 5]).sentence == (
        "These 5 approved photos look alike and were taken on 5 days;"
        " by your stars you like them about as much (4.1 to 4.6)."
    )


def test_once_the_window_is_closed_nothing_is_looked_for(
    session: Session, approved: list[int]
) -> None:
    session.close()
    session.taste.scores_changed.emit()  # the last word of the thread that learns
    session.related_photos.look()
    assert not session.related_photos.looking

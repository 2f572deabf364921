"""Suggestions of related photos: found, explained, accepted, or dismissed for good."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from curator.session import Session
from curator.session.related_photos import (
    LEAST,
    MOST,
    candidates,
    explained,
    largest_group,
    least_similarity,
)


def around(count: int, center: int, spread: float, seed: int) -> np.ndarray:
    """Return vectors near one of 128 axes."""
    noise = np.random.default_rng(seed).normal(size=(count, 128))
    found = np.eye(128)[center] + spread * noise / np.linalg.norm(noise, axis=1, keepdims=True)
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


NOISE = np.random.default_rng(9).normal(size=(32, 128)).astype(np.float32)
NOISE /= np.linalg.norm(NOISE, axis=1, keepdims=True)
FOG, PORTRAITS = around(9, 3, 0.2, 1), around(6, 7, 0.2, 2)
ALL = np.concatenate([NOISE, FOG, PORTRAITS])
IDS = np.arange(100, 100 + len(ALL))
SILENT = np.full(len(ALL), np.nan, np.float32)
LEAST_ALIKE = least_similarity(NOISE)


def test_the_largest_group_of_similar_photos_is_found() -> None:
    found = largest_group(ALL, SILENT, IDS, LEAST_ALIKE)
    assert found.tolist() == list(range(32, 41))
    shuffled = np.random.default_rng(0).permutation(len(ALL))
    again = largest_group(ALL[shuffled], SILENT, IDS[shuffled], LEAST_ALIKE)
    assert sorted(IDS[shuffled][again].tolist()) == IDS[found].tolist()


def test_a_dismissed_group_is_not_found_again_even_with_one_more_photo() -> None:
    fog = frozenset(IDS[32:40].tolist())  # eight of the nine
    found = largest_group(ALL, SILENT, IDS, LEAST_ALIKE, [fog])
    assert found.tolist() == list(range(41, 47))
    portraits = frozenset(IDS[41:47].tolist())
    assert not len(largest_group(ALL, SILENT, IDS, LEAST_ALIKE, [fog, portraits]))


def test_photos_of_different_match_are_not_related() -> None:
    expected = np.full(len(ALL), 4.5, np.float32)
    expected[32:36] = 2.0
    found = largest_group(ALL, expected, IDS, LEAST_ALIKE)
    assert set(found.tolist()) in ({36, 37, 38, 39, 40}, set(range(41, 47)))


def test_photos_without_similarity_are_not_related() -> None:
    assert not len(largest_group(NOISE, SILENT[:32], IDS[:32], LEAST_ALIKE))
    many = around(40, 3, 0.05, 4)
    assert len(largest_group(many, SILENT[:40], IDS[:40], LEAST_ALIKE)) == MOST


@pytest.fixture
def approved(session: Session) -> list[int]:
    photos = [2, 3, 4, 5, 6, 7, 8]
    session.catalog.journal.decide({photo: {"rating": 5} for photo in photos}, summary="-")
    session.refresh()
    return photos


def test_only_approved_photos_outside_projects_are_considered(
    session: Session, approved: list[int]
) -> None:
    assert candidates(session.table, 70).tolist() == approved
    session.projects.add(session.projects.create("Harbour"), [3, 4], on_screen=False)
    assert candidates(session.table, 70).tolist() == [2, 5, 6, 7, 8]


def test_related_photos_are_explained_and_accepted_or_dismissed(
    session: Session, approved: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(question: Any, tell: Any) -> None:
        class VectorIndex:
            size, dimension = 47, 128
            rows_of = staticmethod(lambda ids: np.asarray(ids) + 30)  # 2 to 8 are fog
            take = staticmethod(lambda rows: ALL[rows])

        tell(question(type("TasteLearner", (), {"vectors": VectorIndex})))

    monkeypatch.setattr(session.taste.learner, "ask", answer)
    finder = session.related_photos
    finder.search()
    assert finder.suggestion is not None and list(finder.suggestion.photos) == approved
    assert finder.suggestion.sentence.startswith(
        "These 7 approved photos look alike and were taken on"
    )
    assert session.projects.rows() == ()  # nothing happens by itself
    finder.dismiss()
    assert finder.suggestion is None
    finder.search()
    assert finder.suggestion is None
    session.catalog.folders.save_position(":series", {})
    session.catalog.journal.decide({9: {"rating": 5}}, summary="-")
    session.refresh()
    finder.search()
    assert finder.suggestion is not None and len(finder.suggestion.photos) >= LEAST
    finder.accept("Fog")
    (row,) = session.projects.rows()
    assert set(approved) <= set(session.catalog.projects.members(row.id))
    session.history.undo()
    assert session.catalog.projects.members(row.id) == []


def test_the_explanation_has_the_days_and_the_match(session: Session) -> None:
    table = session.table
    table.column("taken_at")[:5] = np.arange("2024-05-01", "2024-05-06", dtype="datetime64[D]")
    table.scores.set(
        np.arange(1, 6), np.full(5, 80, np.int16), np.linspace(4.1, 4.6, 5).astype("f4")
    )
    assert explained(table, [1, 2, 3, 4, 5]).sentence == (
        "These 5 approved photos look alike and were taken on 5 days; predicted ratings 4.1 to 4.6."
    )


def test_after_closing_no_search_runs(session: Session, approved: list[int]) -> None:
    session.close()
    session.taste.scores_changed.emit()  # the learning thread ends with this
    session.related_photos.search()
    assert not session.related_photos.is_searching

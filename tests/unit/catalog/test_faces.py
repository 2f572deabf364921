"""Faces in the catalog: saved with their photo's sums, read whole, and removed without a trace."""

from __future__ import annotations

from typing import Any

import pytest

from curator.catalog import Catalog
from curator.catalog.store import Row
from curator.model import FacesMeasured, Kind, StageJob
from tests import face_data
from tests.face_data import CLOSED, OPEN, UNKNOWN

SUMS = "SELECT faces, eyes_open, eyes_closed, eye_sharpness FROM photo WHERE id = ?"


def test_faces_come_back_as_they_were_measured(twelve: Catalog) -> None:
    face_data.save(twelve, {3: [OPEN, CLOSED, UNKNOWN], 4: []})
    assert twelve.faces.of([2, 3, 4]) == {3: (OPEN, CLOSED, UNKNOWN), 4: ()}
    assert twelve.store.row(SUMS, (3,)) == (3, 1, 1, 60.0)
    assert twelve.store.row(SUMS, (4,)) == (0, 0, 0, None)
    assert twelve.store.row(SUMS, (2,)) == (None, None, None, None)


def test_a_later_measuring_replaces_the_first(twelve: Catalog) -> None:
    face_data.save(twelve, {3: [OPEN, CLOSED]})
    face_data.save(twelve, {3: [CLOSED]})
    assert twelve.faces.of([3]) == {3: (CLOSED,)}


def test_faces_of_a_former_proxy_are_dropped(twelve: Catalog) -> None:
    job = StageJob(3, "faces", "", Kind.IMAGE, "", fingerprint="old")
    assert twelve.faces.save([(job, FacesMeasured("old", (OPEN,)))]) == []
    assert twelve.faces.of([3]) == {}


def test_faces_saved_while_they_are_read_are_no_damage(
    twelve: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = twelve.store.rows_for

    def save_after(*query: Any) -> list[Row]:
        rows = read(*query)
        monkeypatch.undo()
        face_data.save(twelve, {3: [OPEN]})  # as the pipeline does
        return rows

    monkeypatch.setattr(twelve.store, "rows_for", save_after)
    assert twelve.faces.of([3]) == {}
    assert twelve.faces.of([3]) == {3: (OPEN,)}


def test_removing_leaves_nothing(twelve: Catalog) -> None:
    face_data.save(twelve, {3: [OPEN], 5: []})
    assert twelve.faces.remove_all() == [3, 5]
    assert twelve.store.value("SELECT count(*) FROM face") == 0
    assert twelve.store.row(SUMS, (3,)) == (None, None, None, None)
    assert twelve.faces.of([3, 5]) == {}

"""Marks from files become decisions, a person's marks are kept, and no write is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from curator.catalog import Catalog, WriteResult
from curator.model import Flag, Label
from tests import catalogs
from tests.sidecars import reading

RAW, OTHER = 6, 3  # photos nobody marked; the first is a pair with a RAW


@pytest.fixture
def twelve(tmp_path: Path) -> Iterator[Catalog]:
    catalogs.fill(tmp_path / "catalog.db", 12)  # made once, copied from then on
    catalog = Catalog.open(tmp_path / "catalog.db")
    yield catalog
    catalog.close()


def elsewhere(catalog: Catalog, photo: int) -> bool:
    return bool(catalog.store.value("SELECT elsewhere FROM photo WHERE id = ?", (photo,)))


def tags(catalog: Catalog, photo: int) -> list[tuple[str, str, str]]:
    return [(tag.name, tag.source, tag.state) for tag in catalog.photos.get(photo).tags]


# --- reading


def test_marks_read_from_a_file_are_a_decision_that_cannot_be_undone(twelve: Catalog) -> None:
    twelve.metadata.save_readings([(RAW, [reading(rating=4, flag="pick", label="red")])])
    marks = twelve.photos.get(RAW).marks
    assert (marks.rating, marks.flag, marks.label) == (4, Flag.PICK, Label.RED)
    assert elsewhere(twelve, RAW)
    assert twelve.journal.next_undo() is None
    assert [step.summary for step in twelve.journal.history(RAW)] == ["Read from files: 1 photo"]
    assert twelve.sidecars.outstanding().unwritten == 0  # its sidecar says so already


def test_a_batch_is_one_step(twelve: Catalog) -> None:
    twelve.metadata.save_readings(
        [(p, [reading(f"/photos/000/{p}.xmp", rating=p)]) for p in (2, 3, 4)]
    )
    assert len({step.id for photo in (2, 3, 4) for step in twelve.journal.history(photo)}) == 1


def test_a_file_without_marks_decides_nothing(twelve: Catalog) -> None:
    assert (
        twelve.metadata.save_readings([(RAW, [reading(rating=0, flag="none", label="none")])]) == []
    )
    assert twelve.journal.history(RAW) == [] and not elsewhere(twelve, RAW)


def test_reviewing_a_photo_makes_its_marks_the_persons_own(twelve: Catalog) -> None:
    twelve.metadata.save_readings([(RAW, [reading(rating=4)])])
    twelve.journal.decide({RAW: {"kept": True}}, summary="Keep")
    assert not elsewhere(twelve, RAW)


def test_a_file_does_not_change_the_source_of_earlier_marks(twelve: Catalog) -> None:
    twelve.journal.decide({RAW: {"kept": True}}, summary="Keep")
    twelve.metadata.save_readings([(RAW, [reading(rating=4)])])
    assert twelve.photos.get(RAW).marks.rating == 4 and not elsewhere(twelve, RAW)


def test_a_persons_mark_is_kept_and_the_sidecar_is_in_conflict(twelve: Catalog) -> None:
    twelve.journal.decide({RAW: {"rating": 2}}, summary="2 stars")
    twelve.metadata.save_readings([(RAW, [reading(rating=5, label="red")])])
    marks = twelve.photos.get(RAW).marks
    assert (marks.rating, marks.label) == (2, Label.RED)  # no person decided the label
    conflict = twelve.sidecars.conflicts()[0]
    assert conflict.differs == {"rating": (2, 5)} and conflict.photo_id == RAW
    assert twelve.sidecars.due(9, True, 0) == []  # it waits for a choice


def test_a_conflict_ends_with_a_choice(twelve: Catalog) -> None:
    for photo in (RAW, OTHER):
        twelve.journal.decide({photo: {"rating": 2}}, summary="2 stars")
        twelve.metadata.save_readings([(photo, [reading(f"/photos/000/{photo}.xmp", rating=5)])])
    twelve.sidecars.resolve_conflicts([RAW], write=True)
    twelve.sidecars.resolve_conflicts([OTHER], write=False)
    assert twelve.sidecars.conflicts() == []
    assert twelve.sidecars.outstanding().asked == 1
    known = twelve.sidecars.to_write([RAW])[0].known["/photos/000/6.xmp"]
    assert known[1] == {"rating": 5}  # the next merge knows what it replaces


def test_agreeing_with_the_file_ends_a_conflict(twelve: Catalog) -> None:
    twelve.journal.decide({RAW: {"rating": 2}}, summary="2 stars")
    twelve.metadata.save_readings([(RAW, [reading(rating=5)])])
    twelve.journal.decide({RAW: {"rating": 5}}, summary="5 stars")
    assert twelve.sidecars.conflicts() == []
    assert twelve.sidecars.due(9, True, 0) == [RAW]
    assert twelve.sidecars.outstanding().conflicts == 0


def test_the_newer_side_of_a_conflict_is_suggested(twelve: Catalog) -> None:
    twelve.journal.decide({RAW: {"rating": 2}}, summary="2 stars")
    twelve.metadata.save_readings([(RAW, [reading(rating=5, date="2099-01-01T00:00:00+00:00")])])
    assert twelve.sidecars.conflicts()[0].newer == "file"
    twelve.metadata.save_readings([(RAW, [reading(rating=4, date="2001-01-01T00:00:00+00:00")])])
    assert twelve.sidecars.conflicts()[0].newer == "catalog"


def test_only_changes_in_a_file_count(twelve: Catalog) -> None:
    twelve.metadata.save_readings([(RAW, [reading(rating=3, flag="pick")])])
    twelve.journal.decide({RAW: {"rating": 4}}, summary="4 stars")
    twelve.metadata.save_readings([(RAW, [reading(rating=3, flag="reject")])])
    marks = twelve.photos.get(RAW).marks
    assert (marks.rating, marks.flag) == (4, Flag.REJECT)
    assert twelve.sidecars.conflicts() == []


def test_stars_removed_in_a_file_are_a_change(twelve: Catalog) -> None:
    twelve.metadata.save_readings([(RAW, [reading(rating=3)])])
    twelve.metadata.save_readings([(RAW, [reading(label="red")])])
    marks = twelve.photos.get(RAW).marks
    assert (marks.rating, marks.label) == (None, Label.RED)


def test_the_newer_of_two_different_sidecars_counts(twelve: Catalog) -> None:
    old = reading("/photos/000/DSC_0005.xmp", "2024-01-01T00:00:00+00:00", rating=2, label="red")
    new = reading("/photos/000/DSC_0005.NEF.xmp", "2024-02-01T00:00:00+00:00", rating=5)
    twelve.metadata.save_readings([(RAW, [old, new])])
    marks = twelve.photos.get(RAW).marks
    assert (marks.rating, marks.label) == (5, Label.RED)
    twelve.metadata.save_readings([(RAW, [old, new])])  # again: neither is news
    assert len(twelve.journal.history(RAW)) == 1


def test_a_sidecar_has_precedence_over_embedded_metadata(twelve: Catalog) -> None:
    inside = reading("", rating=2, label="blue")
    twelve.metadata.save_readings([(RAW, [reading(rating=5), inside])])
    twelve.metadata.save_readings([(RAW, [inside])])  # the original was read again, the sidecar not
    marks = twelve.photos.get(RAW).marks
    assert (marks.rating, marks.label) == (5, Label.BLUE)


def test_embedded_metadata_never_causes_a_conflict(twelve: Catalog) -> None:
    twelve.journal.decide({RAW: {"rating": 1}}, summary="1 star")
    twelve.metadata.save_readings([(RAW, [reading("", rating=5)])])
    assert twelve.photos.get(RAW).marks.rating == 1 and twelve.sidecars.conflicts() == []


def test_an_unreadable_sidecar_is_reported_and_stops_nothing(twelve: Catalog) -> None:
    bad = reading("/photos/000/DSC_0005.NEF.xmp", problem="It is no XML.")
    twelve.metadata.save_readings([(RAW, [bad, reading(rating=5)])])
    assert twelve.photos.get(RAW).marks.rating == 5
    rows = {row.path: row for row in twelve.sidecars.to_write([RAW])[0].sidecars}
    assert rows[bad.path].state == "failed" and rows[bad.path].reason == "It is no XML."


def test_our_own_sidecar_is_recognized_after_a_crash_before_it_was_recorded(
    twelve: Catalog,
) -> None:
    twelve.journal.decide({RAW: {"rating": 4}}, summary="4 stars")
    job = twelve.sidecars.to_write([RAW])[0]
    twelve.sidecars.start_writing({RAW: job.fields})
    # After the crash a person goes on; of the second attempt nothing was written.
    twelve.journal.decide({RAW: {"rating": 2}}, summary="2 stars")
    twelve.sidecars.start_writing({RAW: twelve.sidecars.to_write([RAW])[0].fields})
    twelve.metadata.save_readings([(RAW, [reading(rating=4)])])
    assert twelve.photos.get(RAW).marks.rating == 2 and twelve.sidecars.conflicts() == []
    assert twelve.sidecars.outstanding().unwritten == 1


def test_metadata_read_before_our_write_is_no_change_after_it(twelve: Catalog) -> None:
    twelve.metadata.save_readings([(RAW, [reading(rating=4)])])
    twelve.journal.decide({RAW: {"rating": 2}}, summary="2 stars")
    job = twelve.sidecars.to_write([RAW])[0]
    now = replace(reading(rating=2), mtime_ns=2)
    twelve.sidecars.save_written([WriteResult(RAW, job.since, now)])
    with twelve.store.transaction():  # as results of peek are saved: read before it was written
        twelve.metadata.apply_readings([(RAW, [reading(rating=4)])])
    assert twelve.sidecars.to_write([RAW])[0].known[now.path] == (now.digest, {"rating": 2})


# --- keywords


def test_keywords_become_confirmed_tags(twelve: Catalog) -> None:
    twelve.metadata.save_readings([(RAW, [reading(keywords=["Sea", "Winter"])])])
    assert tags(twelve, RAW) == [("Sea", "file", "confirmed"), ("Winter", "file", "confirmed")]
    twelve.metadata.save_readings([(RAW, [reading(keywords=["Winter", "Gulls"])])])
    assert [name for name, *_ in tags(twelve, RAW)] == ["Gulls", "Winter"]


def test_tags_from_other_files_are_kept(twelve: Catalog) -> None:
    beside = reading("/photos/000/DSC_0005.NEF.xmp", keywords=["Sea"])
    twelve.metadata.save_readings([(RAW, [beside, reading("", keywords=["Inside"])])])
    twelve.metadata.save_readings([(RAW, [reading(keywords=["Winter"])])])
    assert [name for name, *_ in tags(twelve, RAW)] == ["Inside", "Sea", "Winter"]


def test_a_tag_removed_by_a_person_stays_removed_and_leaves_the_file(twelve: Catalog) -> None:
    twelve.metadata.save_readings([(RAW, [reading(keywords=["Sea", "Winter"])])])
    sea = twelve.tags.ids(["Sea"])["Sea"]
    twelve.journal.decide({RAW: {("tag", sea): "removed"}}, summary="No sea")
    twelve.metadata.save_readings([(RAW, [reading(keywords=["Sea", "Winter", "Gulls"])])])
    assert [name for name, *_ in tags(twelve, RAW)] == ["Gulls", "Winter"]
    assert twelve.sidecars.to_write([RAW])[0].fields["keywords"] == ["Gulls", "Winter"]


def test_a_keyword_keeps_the_spelling_of_its_file(twelve: Catalog) -> None:
    long = 'the "Blue" Hour ' + "x" * 80
    twelve.metadata.save_readings(
        [(RAW, [reading(keywords=[long], hierarchical=["A|sea", f"B|{long}"])])]
    )
    written = twelve.sidecars.to_write([RAW])[0].fields
    assert long in written["keywords"] and f"B|{long}" in written["hierarchical"]


# --- writing


def test_marks_are_queued_for_writing_but_keeping_is_not(twelve: Catalog) -> None:
    twelve.journal.decide({RAW: {"kept": True}}, summary="Keep")
    assert twelve.sidecars.outstanding().unwritten == 0
    twelve.journal.decide({RAW: {"rating": 3}}, summary="3 stars")
    assert twelve.sidecars.due(9, True, 0) == [RAW]
    twelve.journal.undo()
    assert twelve.sidecars.due(9, True, 0) == [RAW]  # an undo must be written, too


def test_no_write_is_due_if_disabled_or_before_a_pause(twelve: Catalog) -> None:
    twelve.journal.decide({RAW: {"rating": 3}, OTHER: {"rating": 3}}, summary="3 stars")
    assert twelve.sidecars.due(9, False, 0) == []
    assert twelve.sidecars.due(9, True, 3600) == []
    twelve.sidecars.request_write([OTHER])
    assert twelve.sidecars.due(9, False, 3600) == [OTHER]


def test_a_photo_marked_during_the_write_is_written_again(twelve: Catalog) -> None:
    twelve.journal.decide({RAW: {"rating": 3}}, summary="3 stars")
    job = twelve.sidecars.to_write([RAW])[0]
    twelve.journal.decide({RAW: {"rating": 4}}, summary="4 stars")
    twelve.sidecars.save_written([WriteResult(RAW, job.since, reading(rating=3))])
    assert twelve.sidecars.due(9, True, 0) == [RAW]
    job = twelve.sidecars.to_write([RAW])[0]
    twelve.sidecars.save_written([WriteResult(RAW, job.since, reading(rating=4))])
    assert twelve.sidecars.outstanding().unwritten == 0


def test_a_clock_set_back_loses_and_delays_no_write(
    twelve: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    twelve.journal.decide({RAW: {"rating": 3}}, summary="3 stars")
    job = twelve.sidecars.to_write([RAW])[0]
    earlier = time.time() - 3600
    monkeypatch.setattr(time, "time", lambda: earlier)
    assert twelve.sidecars.due(9, True, 2) == [RAW], "no mark lies in the future"
    twelve.journal.decide({RAW: {"rating": 4}}, summary="4 stars")
    assert twelve.sidecars.due(9, True, 2) == []
    twelve.sidecars.save_written([WriteResult(RAW, job.since, reading(rating=3))])
    assert twelve.sidecars.outstanding().unwritten == 1, "the second mark is to be written, too"


def test_a_mark_made_during_an_early_write_stays_queued(
    twelve: Catalog,
) -> None:
    job = twelve.sidecars.to_write([RAW])[0]
    assert job.since is None, "nothing is due, and it is written all the same"
    twelve.sidecars.start_writing({RAW: job.fields})
    twelve.journal.decide({RAW: {"rating": 5}}, summary="5 stars")
    twelve.sidecars.save_written([WriteResult(RAW, job.since, reading(rating=0))])
    assert twelve.sidecars.outstanding().unwritten == 1


def test_a_failed_write_stays_queued_with_its_reason(twelve: Catalog) -> None:
    twelve.journal.decide({RAW: {"rating": 3}}, summary="3 stars")
    twelve.sidecars.request_write([RAW])
    twelve.sidecars.save_written([WriteResult(RAW, time.time(), None, "The disk is full.")])
    left = twelve.sidecars.outstanding()
    assert (left.unwritten, left.failed, left.reason) == (1, 1, "The disk is full.")
    assert twelve.sidecars.due(9, True, 0) == []
    twelve.sidecars.request_write([RAW])
    assert twelve.sidecars.due(9, True, 0) == [RAW]


def test_only_photos_with_a_persons_decision_are_queued(twelve: Catalog) -> None:
    twelve.metadata.save_readings([(RAW, [reading("", keywords=["Inside"])])])
    assert not twelve.sidecars.to_write([RAW])[0].needs_sidecar
    twelve.journal.decide({RAW: {"label": "green"}}, summary="Green")
    assert twelve.sidecars.to_write([RAW])[0].needs_sidecar


# --- learning


def test_ratings_from_files_are_learned_only_if_allowed(twelve: Catalog) -> None:
    before = twelve.taste.count_rated()
    twelve.metadata.save_readings(
        [(RAW, [reading(rating=4)]), (OTHER, [reading("/o.xmp", flag="reject")])]
    )
    assert (
        twelve.taste.count_rated() == before
        and twelve.taste.count_rated(from_files=True) == before + 1
    )
    taught = {judgment.photo_id for judgment in twelve.taste.ratings()}
    assert not {RAW, OTHER} & taught
    taught = {judgment.photo_id for judgment in twelve.taste.ratings(from_files=True)}
    assert {RAW, OTHER} <= taught
    assert RAW not in {each.photo_id for each in twelve.taste.predictions()}
    twelve.journal.decide({RAW: {"rating": 5}}, summary="5 stars")
    assert RAW in {judgment.photo_id for judgment in twelve.taste.ratings()}

"""What files say arrives as decisions; a person's word stays; nothing to be written is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from curator.catalog import PHOTO_COLUMNS, Catalog, Wrote
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
    return bool(catalog.columns(ids=[photo])[0][PHOTO_COLUMNS.index("elsewhere")])


def tags(catalog: Catalog, photo: int) -> list[tuple[str, str, str]]:
    return [(tag.name, tag.source, tag.state) for tag in catalog.photo(photo).tags]


# --- reading


def test_marks_of_a_file_arrive_as_a_decision_that_no_undo_takes_back(twelve: Catalog) -> None:
    twelve.save_readings([(RAW, [reading(rating=4, flag="pick", label="red")])])
    marks = twelve.photo(RAW).marks
    assert (marks.rating, marks.flag, marks.label) == (4, Flag.PICK, Label.RED)
    assert elsewhere(twelve, RAW)
    assert twelve.next_undo() is None
    assert [step.summary for step in twelve.history(RAW)] == ["Read from files: 1 photo"]
    assert twelve.outstanding().unwritten == 0  # its sidecar says so already


def test_a_batch_is_one_step(twelve: Catalog) -> None:
    twelve.save_readings([(p, [reading(f"/photos/000/{p}.xmp", rating=p)]) for p in (2, 3, 4)])
    assert len({step.id for photo in (2, 3, 4) for step in twelve.history(photo)}) == 1


def test_none_and_no_stars_in_a_file_are_nothing_to_decide(twelve: Catalog) -> None:
    assert twelve.save_readings([(RAW, [reading(rating=0, flag="none", label="none")])]) == []
    assert twelve.history(RAW) == [] and not elsewhere(twelve, RAW)


def test_who_judges_a_photo_here_makes_it_theirs(twelve: Catalog) -> None:
    twelve.save_readings([(RAW, [reading(rating=4)])])
    twelve.decide({RAW: {"kept": True}}, summary="Keep")
    assert not elsewhere(twelve, RAW)


def test_a_file_has_no_say_in_who_judged_a_photo_before_it(twelve: Catalog) -> None:
    twelve.decide({RAW: {"kept": True}}, summary="Keep")
    twelve.save_readings([(RAW, [reading(rating=4)])])
    assert twelve.photo(RAW).marks.rating == 4 and not elsewhere(twelve, RAW)


def test_a_persons_word_stays_and_the_file_is_a_conflict(twelve: Catalog) -> None:
    twelve.decide({RAW: {"rating": 2}}, summary="2 stars")
    twelve.save_readings([(RAW, [reading(rating=5, label="red")])])
    marks = twelve.photo(RAW).marks
    assert (marks.rating, marks.label) == (2, Label.RED)  # nobody had a word in the label
    conflict = twelve.conflicts()[0]
    assert conflict.differs == {"rating": (2, 5)} and conflict.photo_id == RAW
    assert twelve.due_sidecars(9, True, 0) == []  # it waits for a choice


def test_a_conflict_ends_with_a_choice(twelve: Catalog) -> None:
    for photo in (RAW, OTHER):
        twelve.decide({photo: {"rating": 2}}, summary="2 stars")
        twelve.save_readings([(photo, [reading(f"/photos/000/{photo}.xmp", rating=5)])])
    twelve.settle_conflicts([RAW], write=True)
    twelve.settle_conflicts([OTHER], write=False)
    assert twelve.conflicts() == []
    assert twelve.outstanding().asked == 1
    known = twelve.to_write([RAW])[0].known["/photos/000/6.xmp"]
    assert known[1] == {"rating": 5}  # the next merge knows what it replaces


def test_who_comes_to_say_the_same_ends_a_conflict(twelve: Catalog) -> None:
    twelve.decide({RAW: {"rating": 2}}, summary="2 stars")
    twelve.save_readings([(RAW, [reading(rating=5)])])
    twelve.decide({RAW: {"rating": 5}}, summary="5 stars")
    assert twelve.conflicts() == []
    assert twelve.due_sidecars(9, True, 0) == [RAW]
    assert twelve.outstanding().conflicts == 0


def test_the_newer_side_is_proposed(twelve: Catalog) -> None:
    twelve.decide({RAW: {"rating": 2}}, summary="2 stars")
    twelve.save_readings([(RAW, [reading(rating=5, date="2099-01-01T00:00:00+00:00")])])
    assert twelve.conflicts()[0].newer == "file"
    twelve.save_readings([(RAW, [reading(rating=4, date="2001-01-01T00:00:00+00:00")])])
    assert twelve.conflicts()[0].newer == "catalog"


def test_only_news_in_a_file_counts(twelve: Catalog) -> None:
    twelve.save_readings([(RAW, [reading(rating=3, flag="pick")])])
    twelve.decide({RAW: {"rating": 4}}, summary="4 stars")
    twelve.save_readings([(RAW, [reading(rating=3, flag="reject")])])
    marks = twelve.photo(RAW).marks
    assert (marks.rating, marks.flag) == (4, Flag.REJECT)
    assert twelve.conflicts() == []


def test_stars_taken_off_in_a_file_are_news(twelve: Catalog) -> None:
    twelve.save_readings([(RAW, [reading(rating=3)])])
    twelve.save_readings([(RAW, [reading(label="red")])])
    marks = twelve.photo(RAW).marks
    assert (marks.rating, marks.label) == (None, Label.RED)


def test_of_two_sidecars_that_disagree_the_newer_one_counts(twelve: Catalog) -> None:
    old = reading("/photos/000/DSC_0005.xmp", "2024-01-01T00:00:00+00:00", rating=2, label="red")
    new = reading("/photos/000/DSC_0005.NEF.xmp", "2024-02-01T00:00:00+00:00", rating=5)
    twelve.save_readings([(RAW, [old, new])])
    marks = twelve.photo(RAW).marks
    assert (marks.rating, marks.label) == (5, Label.RED)
    twelve.save_readings([(RAW, [old, new])])  # again: neither is news
    assert len(twelve.history(RAW)) == 1


def test_a_sidecar_goes_before_what_is_embedded(twelve: Catalog) -> None:
    inside = reading("", rating=2, label="blue")
    twelve.save_readings([(RAW, [reading(rating=5), inside])])
    twelve.save_readings([(RAW, [inside])])  # the original was read again, the sidecar not
    marks = twelve.photo(RAW).marks
    assert (marks.rating, marks.label) == (5, Label.BLUE)


def test_what_is_embedded_never_contradicts(twelve: Catalog) -> None:
    twelve.decide({RAW: {"rating": 1}}, summary="1 star")
    twelve.save_readings([(RAW, [reading("", rating=5)])])
    assert twelve.photo(RAW).marks.rating == 1 and twelve.conflicts() == []


def test_a_sidecar_that_cannot_be_read_is_told_and_stops_nothing(twelve: Catalog) -> None:
    bad = reading("/photos/000/DSC_0005.NEF.xmp", problem="It is no XML.")
    twelve.save_readings([(RAW, [bad, reading(rating=5)])])
    assert twelve.photo(RAW).marks.rating == 5
    rows = {row.path: row for row in twelve.to_write([RAW])[0].sidecars}
    assert rows[bad.path].state == "failed" and rows[bad.path].reason == "It is no XML."


def test_our_own_file_is_known_after_a_crash_between_writing_and_noting(twelve: Catalog) -> None:
    twelve.decide({RAW: {"rating": 4}}, summary="4 stars")
    job = twelve.to_write([RAW])[0]
    twelve.start_writing({RAW: job.said})
    twelve.decide({RAW: {"rating": 2}}, summary="2 stars")  # and after the crash one goes on
    twelve.start_writing({RAW: twelve.to_write([RAW])[0].said})  # of this nothing was written
    twelve.save_readings([(RAW, [reading(rating=4)])])
    assert twelve.photo(RAW).marks.rating == 2 and twelve.conflicts() == []
    assert twelve.outstanding().unwritten == 1


def test_what_was_read_before_we_wrote_is_no_news_after_it(twelve: Catalog) -> None:
    twelve.save_readings([(RAW, [reading(rating=4)])])
    twelve.decide({RAW: {"rating": 2}}, summary="2 stars")
    job = twelve.to_write([RAW])[0]
    now = replace(reading(rating=2), mtime_ns=2)
    twelve.save_written([Wrote(RAW, job.since, now)])
    with twelve._writing():  # as results of peek are saved: the file was read before it was written
        twelve._take_readings([(RAW, [reading(rating=4)])])
    assert twelve.to_write([RAW])[0].known[now.path] == (now.digest, {"rating": 2})


# --- keywords


def test_keywords_are_confirmed_tags_of_the_file(twelve: Catalog) -> None:
    twelve.save_readings([(RAW, [reading(keywords=["Sea", "Winter"])])])
    assert tags(twelve, RAW) == [("Sea", "file", "confirmed"), ("Winter", "file", "confirmed")]
    twelve.save_readings([(RAW, [reading(keywords=["Winter", "Gulls"])])])
    assert [name for name, *_ in tags(twelve, RAW)] == ["Gulls", "Winter"]


def test_keywords_of_other_files_stay(twelve: Catalog) -> None:
    beside = reading("/photos/000/DSC_0005.NEF.xmp", keywords=["Sea"])
    twelve.save_readings([(RAW, [beside, reading("", keywords=["Inside"])])])
    twelve.save_readings([(RAW, [reading(keywords=["Winter"])])])
    assert [name for name, *_ in tags(twelve, RAW)] == ["Inside", "Sea", "Winter"]


def test_a_tag_a_person_took_away_stays_away_and_leaves_the_file(twelve: Catalog) -> None:
    twelve.save_readings([(RAW, [reading(keywords=["Sea", "Winter"])])])
    sea = twelve.tag_ids(["Sea"])["Sea"]
    twelve.decide({RAW: {("tag", sea): "removed"}}, summary="No sea")
    twelve.save_readings([(RAW, [reading(keywords=["Sea", "Winter", "Gulls"])])])
    assert [name for name, *_ in tags(twelve, RAW)] == ["Gulls", "Winter"]
    assert twelve.to_write([RAW])[0].said["keywords"] == ["Gulls", "Winter"]


def test_a_keyword_keeps_the_spelling_of_its_file(twelve: Catalog) -> None:
    long = 'the "Blue" Hour ' + "x" * 80
    twelve.save_readings([(RAW, [reading(keywords=[long], hierarchical=["A|sea", f"B|{long}"])])])
    said = twelve.to_write([RAW])[0].said
    assert long in said["keywords"] and f"B|{long}" in said["hierarchical"]


# --- writing


def test_marks_are_to_be_written_and_keeping_is_not(twelve: Catalog) -> None:
    twelve.decide({RAW: {"kept": True}}, summary="Keep")
    assert twelve.outstanding().unwritten == 0
    twelve.decide({RAW: {"rating": 3}}, summary="3 stars")
    assert twelve.due_sidecars(9, True, 0) == [RAW]
    twelve.undo()
    assert twelve.due_sidecars(9, True, 0) == [RAW]  # taken back is to be written, too


def test_nothing_is_due_unasked_or_before_it_is_quiet(twelve: Catalog) -> None:
    twelve.decide({RAW: {"rating": 3}, OTHER: {"rating": 3}}, summary="3 stars")
    assert twelve.due_sidecars(9, False, 0) == []
    assert twelve.due_sidecars(9, True, 3600) == []
    twelve.ask_written([OTHER])
    assert twelve.due_sidecars(9, False, 3600) == [OTHER]


def test_what_was_marked_again_while_it_was_written_is_written_again(twelve: Catalog) -> None:
    twelve.decide({RAW: {"rating": 3}}, summary="3 stars")
    job = twelve.to_write([RAW])[0]
    twelve.decide({RAW: {"rating": 4}}, summary="4 stars")
    twelve.save_written([Wrote(RAW, job.since, reading(rating=3))])
    assert twelve.due_sidecars(9, True, 0) == [RAW]
    job = twelve.to_write([RAW])[0]
    twelve.save_written([Wrote(RAW, job.since, reading(rating=4))])
    assert twelve.outstanding().unwritten == 0


def test_a_clock_that_is_set_back_loses_nothing_and_holds_nothing_up(
    twelve: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    twelve.decide({RAW: {"rating": 3}}, summary="3 stars")
    job = twelve.to_write([RAW])[0]
    earlier = time.time() - 3600
    monkeypatch.setattr(time, "time", lambda: earlier)
    assert twelve.due_sidecars(9, True, 2) == [RAW], "no mark lies in the future"
    twelve.decide({RAW: {"rating": 4}}, summary="4 stars")
    assert twelve.due_sidecars(9, True, 2) == []
    twelve.save_written([Wrote(RAW, job.since, reading(rating=3))])
    assert twelve.outstanding().unwritten == 1, "the second mark is to be written, too"


def test_a_mark_made_while_what_was_not_due_is_written_stays_to_be_written(
    twelve: Catalog,
) -> None:
    job = twelve.to_write([RAW])[0]
    assert job.since is None, "nothing is due, and it is written all the same"
    twelve.start_writing({RAW: job.said})
    twelve.decide({RAW: {"rating": 5}}, summary="5 stars")
    twelve.save_written([Wrote(RAW, job.since, reading(rating=0))])
    assert twelve.outstanding().unwritten == 1


def test_what_could_not_be_written_waits_with_its_reason(twelve: Catalog) -> None:
    twelve.decide({RAW: {"rating": 3}}, summary="3 stars")
    twelve.ask_written([RAW])
    twelve.save_written([Wrote(RAW, time.time(), None, "The disk is full.")])
    left = twelve.outstanding()
    assert (left.unwritten, left.failed, left.reason) == (1, 1, "The disk is full.")
    assert twelve.due_sidecars(9, True, 0) == []
    twelve.ask_written([RAW])
    assert twelve.due_sidecars(9, True, 0) == [RAW]


def test_only_what_a_person_had_a_word_in_has_something_new_to_say(twelve: Catalog) -> None:
    twelve.save_readings([(RAW, [reading("", keywords=["Inside"])])])
    assert not twelve.to_write([RAW])[0].speaks
    twelve.decide({RAW: {"label": "green"}}, summary="Green")
    assert twelve.to_write([RAW])[0].speaks


# --- learning


def test_stars_of_a_file_teach_only_if_they_may(twelve: Catalog) -> None:
    before = twelve.stars()
    twelve.save_readings([(RAW, [reading(rating=4)]), (OTHER, [reading("/o.xmp", flag="reject")])])
    assert twelve.stars() == before and twelve.stars(from_files=True) == before + 1
    taught = {lesson.photo_id for lesson in twelve.lessons()}
    assert not {RAW, OTHER} & taught
    taught = {lesson.photo_id for lesson in twelve.lessons(from_files=True)}
    assert {RAW, OTHER} <= taught
    assert RAW not in {each.photo_id for each in twelve.foreseen()}
    twelve.decide({RAW: {"rating": 5}}, summary="5 stars")
    assert RAW in {lesson.photo_id for lesson in twelve.lessons()}

"""Modes, marks, undo and list positions, in a photographer's words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QTimer

from curator.catalog import Catalog
from curator.home import Home
from curator.library.query import FilterError
from curator.model import Flag, Kind, Label, Marks, Pass, StageJob, Verdict, View
from curator.session import Session, catalog_watcher
from tests.unit.conftest import UNREVIEWED, Person


def test_everything_is_listed_by_capture_time_when_first_opened(session: Session) -> None:
    assert session.ids.tolist() == list(range(1, 13))
    assert (session.criteria.mode, session.view_state.view, session.current) == (
        Pass.BROWSE,
        View.GRID,
        1,
    )


def test_a_cull_lists_unreviewed_photos_only(person: Person) -> None:
    person.run("cull")
    assert person.session.ids.tolist() == UNREVIEWED
    assert person.session.view_state.view is View.LOUPE


def test_reject_and_keep_advance_and_photos_stay_in_the_strip(person: Person) -> None:
    session = person.run("cull", "reject", "space").session
    assert session.current == 4
    assert session.ids.tolist() == UNREVIEWED
    assert session.tile(2).rejected
    assert session.table.marks(3) == Marks(kept=True)
    assert session.statistics.progress().decided == 4


def test_stars_keep_the_photo_without_advancing(person: Person) -> None:
    session = person.run("cull", "stars_4").session
    assert session.current == 2
    assert session.table.marks(2) == Marks(rating=4, kept=True)


def test_shift_inverts_auto_advance_once(person: Person) -> None:
    session = person.run("cull").run("stars_4", invert=True).session
    assert session.current == 3
    person.run("reject", invert=True)
    assert session.current == 3


def test_m_makes_stars_advance(person: Person) -> None:
    session = person.run("cull", "toggle_stars_advance", "stars_2").session
    assert session.current == 3


def test_a_mark_waits_for_the_picture(person: Person) -> None:
    from curator import commands

    session = person.run("cull", "reject").session
    commands.run(session, "reject")
    assert session.table.verdict(3) is Verdict.UNREVIEWED
    assert person.messages[-1] == "DSC_0002 is still loading. Nothing was changed; try again."


def test_a_reject_keeps_its_stars_and_label(person: Person) -> None:
    session = person.run("cull", "stars_3", "label_red", "reject").session
    assert session.table.marks(2) == Marks(Flag.REJECT, 3, Label.RED, True)


def test_the_same_label_again_removes_it(person: Person) -> None:
    session = person.run("cull", "label_blue").session
    assert session.table.marks(2).label is Label.BLUE
    person.run("label_blue")
    assert session.table.marks(2).label is None


def test_removing_the_flag_in_a_cull_makes_a_photo_without_stars_unreviewed(
    person: Person,
) -> None:
    session = person.run("cull", "pick", "previous_photo", "unflag").session
    assert session.table.verdict(2) is Verdict.UNREVIEWED
    person.run("stars_3", "unflag")
    assert session.table.verdict(2) is Verdict.KEPT


def test_removing_the_flag_in_rate_mode_keeps_the_photo(person: Person) -> None:
    session = person.run("rate", "unflag").session
    assert session.current == 1
    assert session.table.marks(1) == Marks(rating=1, kept=True)


def test_removing_the_stars_keeps_the_photo(person: Person) -> None:
    session = person.run("cull", "stars_5", "stars_0").session
    assert session.table.marks(2) == Marks(kept=True)


def test_keeping_a_reject_removes_the_reject(person: Person) -> None:
    session = person.run("cull", "reject", "previous_photo", "space").session
    assert session.table.marks(2) == Marks(kept=True)


def test_a_repeated_mark_changes_nothing_and_adds_no_undo_step(person: Person) -> None:
    session = person.run("cull", "stars_4", "stars_4").session
    assert person.messages[-1] == "DSC_0001: 4 stars already"
    person.run("undo")
    assert session.table.marks(2) == Marks()
    person.run("reject", "previous_photo", "reject")
    assert person.messages[-1] == "DSC_0001: rejected already"


def test_undo_shows_the_photo_and_reports_the_undone_step(person: Person) -> None:
    session = person.run("cull", "reject", "space", "undo").session
    assert (session.current, session.table.verdict(3)) == (3, Verdict.UNREVIEWED)
    assert person.messages[-1] == "Undid keep, DSC_0002"
    person.run("undo")
    assert (session.current, session.table.verdict(2)) == (2, Verdict.UNREVIEWED)
    person.run("redo")
    assert session.table.verdict(2) is Verdict.REJECTED
    assert person.messages[-1] == "Redid reject, DSC_0001"


def test_undo_shows_the_photo_in_the_view_it_was_marked_in(person: Person) -> None:
    session = person.run("cull", "reject", "browse", "grid", "undo").session
    assert (session.view_state.view, session.criteria.mode, session.current) == (
        View.LOUPE,
        Pass.CULL,
        2,
    )


def test_a_batch_in_the_grid_is_one_step_and_does_not_advance(person: Person) -> None:
    session = person.session
    session.photos.select_only(3)
    session.photos.select_range(6)
    person.run("reject")
    assert [session.table.verdict(i) for i in (3, 6)] == [Verdict.REJECTED] * 2
    assert person.messages[-1] == "Rejected 4 photos"
    assert session.current == 6
    person.run("undo")
    assert session.table.verdict(4) is Verdict.UNREVIEWED


def test_in_the_loupe_a_mark_applies_to_the_current_photo_despite_a_selection(
    person: Person,
) -> None:
    session = person.session
    session.photos.select_only(3)
    session.photos.select_range(6)
    person.run("loupe", "reject")
    assert session.table.verdict(6) is Verdict.REJECTED
    assert session.table.verdict(3) is Verdict.UNREVIEWED


def test_an_older_step_is_announced_before_it_is_undone(
    open_session: Callable[[], Session],
) -> None:
    Person(open_session()).run("cull", "reject")
    tomorrow = Person(open_session())
    tomorrow.run("undo")
    assert tomorrow.session.table.verdict(2) is Verdict.REJECTED
    assert tomorrow.messages[-1].startswith("Not undone yet: reject DSC_0001, ")
    assert tomorrow.messages[-1].endswith("All photos. Press again to undo.")
    tomorrow.run("undo")
    assert tomorrow.session.table.verdict(2) is Verdict.UNREVIEWED


def test_the_next_start_opens_at_the_same_photo(open_session: Callable[[], Session]) -> None:
    Person(open_session()).run("cull", "next_photo", "next_photo", "stars_4")
    session = open_session()
    assert (session.criteria.mode, session.view_state.view, session.current) == (
        Pass.CULL,
        View.LOUPE,
        4,
    )


def test_a_marked_photo_stays_under_the_filter_until_it_is_applied_again(
    person: Person,
) -> None:
    session = person.session
    session.search.set_filter("is:unreviewed")
    session.photos.select_only(3)
    person.run("reject")
    assert 3 in session.ids
    assert session.tile(3).stale
    assert session.current == 4
    person.run("reapply")
    assert 3 not in session.ids
    assert session.current == 4


def test_an_invalid_filter_is_reported_and_keeps_the_list(
    session: Session,
) -> None:
    with pytest.raises(FilterError, match="at character 11"):
        session.search.set_filter("harbor is:lovely")
    assert len(session.ids) == 12


def test_after_the_last_photo_comes_the_finish_page_without_wrapping(person: Person) -> None:
    session = person.run("cull", "last", "next_photo").session
    assert session.view_state.finished
    assert session.current == 12
    person.run("previous_photo")
    assert not session.view_state.finished
    assert session.current == 12


def test_the_finish_page_leads_back_to_unreviewed_photos(person: Person) -> None:
    session = person.run("cull", "last", "next_photo", "next_unreviewed").session
    assert (
        session.view_state.finished
        and person.messages[-1] == "No unreviewed photos after this one."
    )
    last, before = UNREVIEWED[-1], UNREVIEWED[-2]
    person.run("previous_unreviewed")
    assert (session.view_state.finished, session.current) == (False, last)
    person.run("finish", "previous_unreviewed", "keep", "finish", "previous_unreviewed")
    assert (session.view_state.finished, session.current) == (False, before)


def test_from_a_finish_page_opened_early_the_cull_goes_on(person: Person) -> None:
    session = person.run("cull", "finish", "next_unreviewed").session
    assert (session.view_state.finished, session.current) == (False, UNREVIEWED[1])


def test_over_the_grid_the_finish_page_closes_for_the_next_unreviewed(person: Person) -> None:
    session = person.run("cull", "grid", "finish", "next_unreviewed").session
    assert (session.view_state.finished, session.current) == (False, UNREVIEWED[1])


def test_skipped_photos_are_kept_in_one_step(person: Person) -> None:
    session = person.run("cull").session
    for photo in UNREVIEWED[:3]:
        session.viewer.note_rested(photo)
        person.run("next_photo")
    assert session.statistics.progress().seen == 3
    person.run("finish", "keep_skipped")
    assert [session.table.verdict(i) for i in (2, 3, 4, 5)] == [
        Verdict.KEPT,
        Verdict.KEPT,
        Verdict.KEPT,
        Verdict.UNREVIEWED,
    ]
    person.run("undo")
    assert session.table.verdict(2) is Verdict.UNREVIEWED


def test_rate_mode_lists_unrated_photos_first(person: Person) -> None:
    session = person.run("cull", "space", "space", "rate").session
    assert session.ids.tolist() == [2, 3, 1]


def test_rate_mode_lists_borderline_photos_before_the_best(session: Session) -> None:
    stars = {2: 5, 3: 2, 4: 4, 5: 3, 6: None, 7: 2}
    session.decisions.decide("-", {p: {"rating": n, "kept": True} for p, n in stars.items()})
    session.modes.set_mode(Pass.RATE)
    assert session.ids.tolist() == [6, 1, 3, 7, 5, 4, 2]  # none, then 1 to 5, by time among equals


def test_a_photo_kept_meanwhile_joins_rate_mode(
    open_session: Callable[[], Session], home: Home
) -> None:
    person = Person(open_session())
    person.run("cull", "space", "rate")
    session = person.session
    other = Catalog.open(home.catalog)
    other.journal.decide({7: {"kept": True}}, summary="elsewhere")
    other.close()
    session.watcher.check_for_commits()
    assert session.table.verdict(7) is Verdict.KEPT
    person.run("rate")
    assert 7 in session.ids


def test_ctrl_right_finds_the_next_unreviewed(person: Person) -> None:
    session = person.run("last", "previous_unreviewed").session
    assert session.current == 10
    person.run("first", "next_unreviewed")
    assert session.current == 2


def test_delete_deletes_nothing(person: Person) -> None:
    person.run("delete")
    person.session.preferences.keys = {"reject": "R"}
    person.run("delete")
    assert person.messages == ["No key deletes a file.", "R rejects. No key deletes a file."]


def test_rotating_changes_the_catalog_only(person: Person) -> None:
    session = person.run("turn_right").session
    assert session.tile(1).turn == 1
    assert (session.tile(1).width, session.tile(1).height) == (4000, 6000)


def test_a_sort_order_is_remembered_per_scope_and_mode(open_session: Callable[[], Session]) -> None:
    session = open_session()
    session.ordering.set_order("sharpness")
    sharpness = [session.tile(int(i)).sharpness for i in session.ids]
    assert sharpness == sorted(sharpness)  # type: ignore[type-var]
    Person(session).run("cull")
    assert session.criteria.order == "taken"
    assert open_session().criteria.order == "taken"


def test_sources_cannot_be_opened_without_a_pipeline(session: Session) -> None:
    from curator.model import KnownError

    with pytest.raises(KnownError, match="Another Curator"):
        session.sources.open_sources([Path("/photos")])


def test_a_new_folder_stays_at_its_first_photo_while_capture_times_arrive(
    session: Session, home: Home
) -> None:
    assert session.current == 1
    other = Catalog.open(home.catalog)
    with other.store.transaction():
        other.store.run("UPDATE photo SET taken_at = '2020-01-01T00:00:00.000000' WHERE id = 9")
    session.watcher.check_for_commits()
    assert session.ids[0] == 9
    assert session.current == 9
    session.photos.go(3)
    with other.store.transaction():
        other.store.run("UPDATE photo SET taken_at = '2019-01-01T00:00:00.000000' WHERE id = 12")
    session.watcher.check_for_commits()
    assert session.ids[0] == 12
    assert session.current == 3
    other.close()


def test_rate_mode_starts_at_its_first_photo_and_a_cull_continues(
    person: Person,
) -> None:
    session = person.run("cull", "space", "space", "space", "rate").session
    assert session.current == 2
    person.run("next_photo", "cull")
    assert session.current == 5
    person.run("rate")
    assert session.current == 3


def test_reviewing_skipped_photos_starts_at_the_first(person: Person) -> None:
    session = person.run("cull", "last", "space").session
    assert session.view_state.finished
    person.run("review_skipped")
    assert not session.view_state.finished
    assert session.current == 2
    assert session.ids.tolist() == UNREVIEWED[:-1]


def test_a_copy_is_listed_in_its_folder_too(session: Session, home: Home) -> None:
    assert not session.table.folders.inside("/backup").any()
    other = Catalog.open(home.catalog)
    with other.store.transaction():
        other.store.run("INSERT INTO directory (id, path) VALUES (99, '/backup')")
        other.store.run(
            "INSERT INTO file (photo_id, directory_id, name, kind, role, size, mtime_ns)"
            " VALUES (5, 99, 'DSC_0004.JPG', 'image', 'copy', 1, 1)"
        )
    other.close()
    session.watcher.check_for_commits()
    assert session.table.ids[session.table.folders.inside("/backup")].tolist() == [5]


def test_undo_into_another_mode_shows_the_list_of_that_mode(person: Person) -> None:
    session = person.session
    session.photos.select_only(1)
    person.run("label_red", "rate")
    assert session.ids.tolist() == [1]
    person.run("undo")
    assert session.criteria.mode is Pass.BROWSE
    assert len(session.ids) == 12


def test_a_search_starts_at_its_first_photo_unless_the_current_one_is_in_it(
    session: Session,
) -> None:
    session.photos.select_only(6)
    session.search.set_filter("is:unreviewed")
    assert session.current == 6
    session.photos.select_only(1)
    session.search.set_filter("")
    session.photos.select_only(3)
    session.search.set_filter("-is:unreviewed")
    assert session.current == 1


def test_leaving_a_search_returns_to_the_previous_photo_and_view(person: Person) -> None:
    session = person.run("cull", "reject", "next_photo", "next_photo").session
    queue, here = session.ids.tolist(), session.current
    session.search.set_filter("is:rejected")
    session.search.set_filter("is:rejected DSC")
    session.photos.select_only(11)
    person.run("back")
    assert (session.criteria.mode, session.view_state.view, session.criteria.filter) == (
        Pass.CULL,
        View.LOUPE,
        "",
    )
    assert session.ids.tolist() == queue
    assert session.current == here


def test_leaving_a_search_started_on_a_finish_page_returns_to_it(person: Person) -> None:
    session = person.run("rate", "finish").session
    session.search.set_filter("is:rejected")
    person.run("back")
    assert (session.criteria.mode, session.view_state.finished) == (Pass.RATE, True)


def test_changing_the_mode_ends_a_search(person: Person) -> None:
    session = person.session
    session.search.set_filter("DSC_0004")
    person.run("cull")
    assert session.criteria.filter == ""
    assert session.ids.tolist() == UNREVIEWED
    person.run("browse")
    assert len(session.ids) == 12


def test_the_current_photo_is_not_skipped_yet(person: Person) -> None:
    session = person.run("cull").session
    session.viewer.note_rested(2)
    assert session.statistics.progress().seen == 0
    person.run("next_photo")
    assert session.statistics.progress().seen == 1


def fail(session: Session, photo: int) -> None:
    """Save a permanent failure of a photo."""
    path = str(session.detail(photo).path)
    job = StageJob(photo, "convert", path, Kind.IMAGE, str(session.home.cache))
    session.catalog.work.save_failure(job, "The file is empty.", retry=False)
    session.refresh()


def test_without_a_pipeline_one_photo_is_retried_as_all_are(person: Person) -> None:
    session = person.session
    for retry in (lambda: session.sources.retry(2), lambda: session.sources.retry_all(None)):
        fail(session, 2)
        retry()
        assert session.catalog.work.failures() == []
    assert person.messages == [f"Trying {session.table.name(2)} again"]


def test_an_unreadable_photo_is_never_skipped(session: Session) -> None:
    fail(session, 2)
    session.photos.select_only(2)
    session.viewer.set_view(View.LOUPE)
    session.viewer.note_rested(2)
    assert not session.tile(2).seen
    session.catalog.photos.mark_seen([2, 3])
    session.refresh()
    assert session.statistics.scope_ids("skipped") == [3]


def test_saved_photos_are_read_without_the_list_of_folders(session: Session) -> None:
    session.catalog.photos.mark_seen([2])
    said: list[str] = []
    session.catalog.store.trace(said.append)
    session.watcher.refresh_soon()
    session.watcher._read_timer.timeout.emit()
    session.catalog.store.trace(None)
    assert session.tile(2).seen
    assert said and not [text for text in said if {"folder", "directory"} & set(text.split())]


def test_many_saved_photos_are_taken_over_a_few_at_a_time(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Key presses that wait come in between, also between reading and updating the list."""
    monkeypatch.setattr(catalog_watcher, "_AT_ONCE", 2)
    unseen = [photo for photo in session.ids.tolist() if not session.tile(photo).seen][:3]
    told: list[set[int]] = []
    session.photos.photos_changed.connect(lambda changed: told.append(changed & {*unseen}))
    session.catalog.photos.mark_seen(unseen)
    session.watcher.refresh_soon()
    read, follow = session.watcher._read_timer, session.watcher._follow_timer
    assert read.interval() > 0
    for some in ({*unseen[:2]}, {unseen[2]}):
        assert {photo for photo in some if not session.tile(photo).seen} == some
        read.stop()
        read.timeout.emit()
        assert {photo for photo in unseen if session.tile(photo).seen} >= some and not told
        assert follow.isActive() and not read.isActive()
        follow.stop()
        follow.timeout.emit()
        assert told.pop() == some
        assert read.isActive() is (unseen[2] not in some)
    assert not told


def test_a_mark_between_reading_and_updating_the_list_loses_neither(session: Session) -> None:
    first, *_, last = session.ids.tolist()
    told: set[int] = set()
    session.photos.photos_changed.connect(told.update)
    session.catalog.photos.mark_seen([last])
    session.photos.read_changes()
    session.decisions.decide("reject", {first: {"flag": "reject"}})
    assert first in told
    session.photos.follow_changes()
    assert last in told


def test_texts_are_packed_once_nobody_moves(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a million photos it takes a tenth of a second, which a key press must not wait for."""
    watcher, pause, waiting = session.watcher, session.watcher._pack_timer, ["name", "camera"]
    monkeypatch.setattr(session.table.rows, "pack_texts", lambda: waiting and waiting.pop())
    for begin in (lambda: session.navigator.step(1), watcher.check_for_commits, watcher._take_over):
        pause.stop()
        begin()
        assert pause.isActive() is (begin != watcher.check_for_commits), "nothing was read"
    assert len(waiting) == 2, "not while keys are pressed"
    for left in (1, 0):
        pause.stop()
        pause.timeout.emit()
        assert len(waiting) == left and pause.isActive()
    pause.stop()
    pause.timeout.emit()
    assert not pause.isActive()


def test_a_scan_that_changed_nothing_reads_no_copies(session: Session) -> None:
    """A library may have many copies, and a scan ends whenever a folder opens."""
    said: list[str] = []
    session.watcher.follow_scan()
    session.catalog.store.trace(said.append)
    session.watcher.follow_scan()
    assert not [text for text in said if "copy" in text]
    session.catalog.photos.mark_seen([2])
    session.watcher.follow_scan()
    session.catalog.store.trace(None)
    assert [text for text in said if "copy" in text]


def test_photos_of_a_folder_switched_on_by_another_process_are_listed(
    session: Session, home: Home
) -> None:
    other = Catalog.open(home.catalog)
    other.folders.enable(1, False)
    session.watcher.check_for_commits()
    assert not len(session.ids)
    other.folders.enable(1, True)
    other.close()
    session.watcher.follow_scan()
    assert len(session.ids) == 12


def test_a_list_of_missing_photos_follows_a_folder_that_comes_back(
    session: Session, home: Home
) -> None:
    session.search.set_filter("is:missing")
    other = Catalog.open(home.catalog)
    for away, stale in ((1.0, 0), (None, 12)):
        with other.store.transaction():
            other.store.run("UPDATE folder SET away_since = ?", (away,))
        session.watcher.check_for_commits()
        assert (len(session.ids), len(session.photos.stale)) == (12, stale)
    other.close()


def test_a_copy_found_in_a_folder_that_is_not_shown_is_counted_there(
    session: Session, home: Home
) -> None:
    counted: list[None] = []
    session.watcher.follow_scan()
    other = Catalog.open(home.catalog)
    with other.store.transaction():
        other.store.run(
            "INSERT INTO file (photo_id, directory_id, name, kind, role, size, mtime_ns)"
            " VALUES (12, 1, 'DSC_0012.JPG', 'image', 'copy', 1, 1)"
        )
    other.close()
    session.watcher.check_for_commits()  # before the scan ends
    session.photos.counts_changed.connect(lambda: counted.append(None))
    session.watcher.follow_scan()
    assert counted and session.table.folders.inside("/photos/000")[11]


def test_events_after_closing_do_not_read_the_catalog(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.close()
    monkeypatch.setattr(session.table, "refresh", lambda *_: pytest.fail("the catalog was read"))
    session.watcher.refresh_soon()
    session.watcher.follow_scan()
    session.refresh()
    parts = [part for part in vars(session).values() if isinstance(part, QObject)]
    timers = [timer for part in parts for timer in part.findChildren(QTimer)]
    assert timers and not any(timer.isActive() for timer in timers)

"""Finish pages, empty pages, inspector and cheat sheet: texts and actions."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QToolButton, QWidget

from curator.commands import COMMANDS, GROUPS
from curator.home import Home
from curator.keyboard import Keyboard
from curator.model import Capture, Flag, Label, Marks, Pass, View
from curator.removal import ListedFile, Part, RemovalPlan, RemovalReport
from curator.session import Session
from curator.ui.dialogs.rejects_dialog import RejectsDialog
from curator.ui.main_window import MainWindow
from curator.ui.pages.empty_state import why_empty
from curator.ui.pages.finish_page import cull_page, rate_page
from curator.ui.pages.help_overlay import ARRANGEMENTS, HelpOverlay, sheet
from curator.ui.panels.inspector import MarksLine
from curator.ui.panels.photo_sections import in_words, sections
from curator.ui.widgets import theme
from curator.ui.widgets.contact_sheet import WIDTH, justified
from curator.ui.widgets.words import capture_rows, duration, size
from tests import catalogs, face_data
from tests.face_data import CLOSED, OPEN, UNKNOWN
from tests.requests import recorded


def texts(widget: QWidget) -> list[str]:
    """Return the visible texts of a widget."""
    return [label.text() for label in widget.findChildren(QLabel) if label.isVisible()]


def buttons(widget: QWidget) -> dict[str, QPushButton]:
    return {b.text(): b for b in widget.findChildren(QPushButton) if b.isVisible()}


def decide_all(session: Session, **fields: object) -> None:
    session.catalog.journal.decide(
        {int(i): fields for i in session.statistics.scope_ids()}, summary="-"
    )
    session.refresh()


# --- the end of a cull


def test_a_cull_ends_with_its_counts(window: MainWindow) -> None:
    session = window.session
    session.modes.set_mode(Pass.CULL)
    session.catalog.photos.mark_seen([int(i) for i in session.ids[:5]])
    session.refresh()
    session.navigator.finish()
    page = cull_page(session)
    numbers = {number.what: number.value for number in page.numbers}
    assert numbers["kept"] == "4" and numbers["skipped"] == "5"
    assert numbers["not seen yet"] == "49"
    assert "rejected, 50.0 MB" in numbers
    assert page.sentence == "49 photos not seen yet · 5 seen but not marked"
    offered = buttons(window.finish)
    assert list(offered) == [
        "Continue with the 49 unseen",
        "Keep the 5 skipped",
        "Reject the 5 skipped",
    ]
    assert all(button.toolTip() for button in offered.values()), "each button has a tooltip"


def test_an_unfinished_cull_continues_with_unseen_photos(window: MainWindow) -> None:
    session = window.session
    session.modes.set_mode(Pass.CULL)
    first, second, *_ = (int(i) for i in session.ids)
    session.catalog.photos.mark_seen([first])
    session.refresh()
    session.navigator.finish()
    buttons(window.finish)["Continue with the 53 unseen"].click()
    assert session.current == second and not session.view_state.finished
    assert window.pages.currentWidget() is window.loupe and session.criteria.mode is Pass.CULL
    session.catalog.photos.mark_seen([int(i) for i in session.ids])
    session.refresh()
    session.navigator.finish()
    assert list(buttons(window.finish)) == [
        *("Keep the 54 skipped", "Reject the 54 skipped", "Review the 54 skipped")
    ]
    session.navigator.go_to_unseen()
    assert session.view_state.finished, "no photo is unseen"


def test_the_contact_sheet_follows_a_rotated_photo(window: MainWindow) -> None:
    session = window.session
    session.modes.set_mode(Pass.CULL)
    session.navigator.finish()
    tile, place = window.finish.sheet.places[0]
    assert place.width() > place.height() and tile.thumb is not None
    session.catalog.photos.turn([tile.id], 1)
    session.refresh()
    tile, place = window.finish.sheet.places[0]
    assert place.width() < place.height() and tile.turn == 1


def test_keeping_skipped_photos_is_one_undo_step(window: MainWindow) -> None:
    session = window.session
    session.modes.set_mode(Pass.CULL)
    session.catalog.photos.mark_seen([int(i) for i in session.ids])
    session.refresh()
    session.navigator.finish()
    buttons(window.finish)["Keep the 54 skipped"].click()
    assert session.statistics.progress().kept == 58
    assert "Rate the 58" in buttons(window.finish)
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert session.statistics.progress().kept == 4


def test_a_finished_cull_leads_to_rating(window: MainWindow) -> None:
    decide_all(window.session, kept=True, flag=None)
    window.session.modes.set_mode(Pass.CULL)
    assert window.pages.currentWidget() is window.finish
    page = cull_page(window.session)
    assert page.title == "All photos · Cull done · 60 photos"
    buttons(window.finish)["Rate the 60"].click()
    assert window.session.criteria.mode is Pass.RATE


@pytest.mark.parametrize("by_stack", [False, True])
@pytest.mark.parametrize("view", [View.GRID, View.LOUPE])
def test_the_last_mark_opens_the_finish_page(
    window: MainWindow, view: View, by_stack: bool
) -> None:
    """It is counted there: without it no photo is kept, and there is no page to show."""
    session, mark = window.session, window.session.decisions.mark
    decide_all(session, flag=Flag.REJECT, rating=None)
    session.catalog.journal.decide({1: {"flag": None, "kept": True}}, summary="-")
    session.refresh()
    session.modes.set_mode(Pass.RATE)
    session.viewer.set_view(view)
    session.viewer.note_painted(1)
    mark("reject", {1: {"flag": Flag.REJECT, "kept": False}}, advance=False)
    mark("keep", {1: {"flag": None, "kept": True}}, advance=True, by_stack=by_stack)
    assert session.view_state.finished
    assert window.pages.currentWidget() is window.finish


def test_a_single_kept_photo_has_its_own_wording(window: MainWindow) -> None:
    decide_all(window.session, flag=Flag.REJECT, rating=None)
    window.session.catalog.journal.decide({1: {"flag": None, "kept": True}}, summary="-")
    window.session.refresh()
    window.session.modes.set_mode(Pass.CULL)
    assert cull_page(window.session).actions[0].text == "Rate the one"


def test_no_finish_page_has_more_than_three_actions(window: MainWindow) -> None:
    window.session.modes.set_mode(Pass.CULL)
    assert len(cull_page(window.session).actions) <= 3
    window.session.modes.set_mode(Pass.RATE)
    assert len(rate_page(window.session).actions) <= 3


def test_finish_page_buttons_stay_in_place_while_counts_change(window: MainWindow) -> None:
    session = window.session
    session.modes.set_mode(Pass.CULL)
    session.navigator.finish()
    before = buttons(window.finish)
    session.catalog.photos.mark_seen([int(i) for i in session.ids[:2]])
    session.refresh()
    asked = buttons(window.finish)
    session.catalog.photos.mark_seen([int(session.ids[2])])
    session.refresh()
    assert list(before) != list(asked)  # other counts need other buttons
    now = buttons(window.finish)
    assert list(now) != list(asked), "counts are updated"
    assert list(now.values()) == list(asked.values()), "the buttons are the same"


def test_a_finish_page_can_be_used_by_keyboard(window: MainWindow) -> None:
    decide_all(window.session, kept=True, flag=None)
    window.session.modes.set_mode(Pass.CULL)
    QTest.keyClick(window, Qt.Key.Key_Tab)
    chosen = window.focusWidget()
    assert isinstance(chosen, QPushButton) and chosen.text() == "Rate the 60"
    QTest.keyClick(chosen, Qt.Key.Key_Return)
    assert window.session.criteria.mode is Pass.RATE


@pytest.mark.parametrize("pass_", [Pass.CULL, Pass.RATE])
def test_a_lower_finish_page_shows_fewer_rows_of_photos(window: MainWindow, pass_: Pass) -> None:
    session, page = window.session, window.finish
    decide_all(session, flag=Flag.PICK, rating=None, kept=True)
    session.catalog.journal.decide({1: {"rating": 4}}, summary="-")
    session.refresh()
    session.modes.set_mode(pass_)
    session.navigator.finish()
    rows = set()
    for height in (900, 600, 480):
        window.resize(800, height)
        QApplication.processEvents()
        rows.add(len({place.top() for _, place in page.sheet.places}))
        shown = [page.title, page.caption, page.sheet, page.sentence, *buttons(page).values()]
        tops = [part.mapTo(page, part.rect().topLeft()).y() for part in shown]
        parts = [(y, part) for y, part in zip(tops, shown, strict=True) if part.isVisible()]
        below = sorted({y for y, _ in parts})
        for y, part in parts:
            assert y + part.height() <= min(
                (top for top in below if top > y), default=page.height()
            )
        assert page.histogram.height() >= page.histogram.minimumHeight()
    assert len(rows) > 1


# --- the end of rating


def test_rating_ends_with_counts_of_stars_and_approved_photos(window: MainWindow) -> None:
    session = window.session
    session.modes.set_mode(Pass.RATE)
    session.navigator.finish()
    page = rate_page(session)
    assert page.stars == (1, 0, 1, 0, 0)
    assert page.numbers[0].value == "1"
    assert page.sentence == "Picks (no stars, or 3+) 1"
    assert page.actions[0].text == "Export 1 photo…" and page.actions[0].primary


def test_clauses_are_counted_and_ratings_from_files_separately(window: MainWindow) -> None:
    session = window.session
    marks = {2: {"rating": 5, "flag": "pick"}, 3: {"rating": 3, "flag": "pick"}, 4: {"rating": 4}}
    session.catalog.journal.decide(marks, summary="-")
    session.catalog.journal.decide({6: {"rating": 4}}, summary="-", source="file")
    session.refresh()
    session.modes.set_mode(Pass.RATE)
    session.navigator.finish()
    page = rate_page(session)
    assert page.numbers[0].value == "4"
    assert page.sentence == (
        "4–5 stars 2 · Picks (no stars, or 3+) 2\n"
        "1 more approved only by ratings from other apps;"
        " check them in the export dialog to export them."
    )
    session.settings.approval.rule = "rating:>=3 is:picked"
    page = rate_page(session)
    assert (page.numbers[0].value, page.actions[0].text) == ("2", "Export 2 photos…")
    assert page.sentence == "rating:>=3 is:picked 2"


def test_rejects_can_be_reviewed_from_the_rate_page(window: MainWindow) -> None:
    window.session.modes.set_mode(Pass.RATE)
    window.session.navigator.finish()
    asked = recorded(window.session.requests)
    buttons(window.finish)["Review 2 rejected…"].click()
    assert asked == [("delete_rejects",)]
    window.findChild(RejectsDialog).reject()


def test_the_review_of_rejects_shows_full_names_and_counts_remaining_copies(
    window: MainWindow,
) -> None:
    ids = [int(i) for i in window.session.statistics.scope_ids("rejected")[:1]]
    dialog = RejectsDialog(window.session, ids, window.pictures, window)
    dialog._jobs.drop()
    dialog.show()
    original = ListedFile(ids[0], "/card/DSC_1.JPG", Part.ORIGINAL, 9, 0, True)
    copy = replace(original, path="/card/new\nline.jpg", part=Part.COPY, ticked=False)
    dialog._planned(RemovalPlan((original, copy)))
    names = {dialog.model.index(row, 0).data() for row in range(2)}
    assert {Path(name).name for name in names} == {"DSC_1.JPG", "new\\nline.jpg"}
    assert dialog.staying.text() == "1 copy in another folder stays."
    dialog._done(RemovalReport([original.path], bytes=9, photos=1))
    assert dialog.sentence.text().startswith("Of 1 photo: ")
    assert dialog.staying.text() == "1 copy in another folder stays."
    assert dialog.width() == theme.DIALOG and dialog.height() < window.height() / 2
    dialog.reject()


def test_the_contact_sheet_fills_its_rows_to_the_edge() -> None:
    placed = justified([1.5, 0.67, 1.5, 1.5, 1.0, 1.5, 1.5, 1.5, 1.5, 1.5, 3.0, 1.5], WIDTH)
    rows: dict[int, list] = {}
    for _, rect in placed:
        rows.setdefault(rect.y(), []).append(rect)
    assert len(rows) == 2
    for rects in rows.values():
        assert rects[-1].right() + 1 == WIDTH
        assert len({rect.height() for rect in rects}) == 1


def test_a_partial_row_is_not_enlarged() -> None:
    assert [rect.height() for _, rect in justified([1.5, 1.5], WIDTH)] == [132, 132]
    heights = {rect.height() for _, rect in justified([1.5] * 7, WIDTH)}
    assert len(heights) == 1, "a partial row is as high as the row above"


# --- empty


@pytest.mark.parametrize(
    ("pass_", "filter_", "reason", "command"),
    [
        (
            Pass.BROWSE,
            "zebra",
            "No photos match “zebra” in names, texts or tags. CLIP finds more: it searches by what"
            " photos show",
            "back",
        ),
        (
            Pass.BROWSE,
            "tag:tree",
            "No photos match “tag:tree”. CLIP finds more: it suggests tags for more kinds of"
            " things",
            "back",
        ),
        (Pass.BROWSE, 'tag:"tree"', 'No photos match “tag:"tree"”', "back"),
        (Pass.BROWSE, '"zebra or not"', 'No photos match “"zebra or not"”', "back"),
        (
            Pass.BROWSE,
            "zebra or yak",
            "No photos match “zebra or yak”. Write OR in capitals to find either word",
            "back",
        ),
        (Pass.RATE, "", "No photos were kept yet.", "cull"),
    ],
)
def test_an_empty_list_shows_the_reason_and_a_key_to_leave(
    session: Session, pass_: Pass, filter_: str, reason: str, command: str
) -> None:
    decide_all(session, flag=None, kept=False, rating=None)
    session.search.set_filter(filter_) if filter_ else session.modes.set_mode(pass_)
    shown, ways = why_empty(session)
    assert shown == reason
    assert ways[0][0] == command
    assert Keyboard().keys_of(command)


def test_empty_switched_off_and_missing_folders_have_different_messages(
    make_session, tmp_path, monkeypatch
) -> None:
    from curator.library.scopes import Scope

    session = make_session(photos=0)
    session.sources.open_scope(Scope("folder", str(tmp_path), tmp_path.name))
    assert why_empty(session)[0] == "No photos in this folder."
    for off, text in (
        (["/p/Iceland"], "All photos here are in Iceland, which is switched off. Switch it on"),
        (["/p/a", "/p/b"], "All photos here are in 2 folders that are switched off. Switch them"),
        ([str(tmp_path)], "This folder is switched off. Switch it on"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(session.sources, "switched_off", lambda off=off: off)
            assert why_empty(session)[0].startswith(text)
    session.sources.open_scope(Scope("folder", str(tmp_path / "gone"), "gone"))
    assert "folder is missing" in why_empty(session)[0]


# --- inspector


def test_the_inspector_leaves_empty_sections_out(session: Session) -> None:
    found = {section.title: section for section in sections(session.detail(1))}
    assert list(found) == ["Capture", "Files", "Quality scores"]
    assert ("Exposure", "1/250 · f/2.8 · ISO 800") in found["Capture"].rows
    assert [name for name, _ in found["Files"].rows] == ["RAW", "JPEG"]


def test_the_inspector_lists_faces_after_the_description(session: Session) -> None:
    small = replace(CLOSED, size_px=96, eye_sharpness=None)
    face_data.save(session.catalog, {1: [OPEN, small, UNKNOWN], 2: [], 4: [OPEN] * 20})
    session.refresh()

    def lines(photo: int) -> list[str]:
        found = sections(session.detail(photo), unmeasured="Not measured yet")
        return [text for each in found if each.title == "Faces" for text, _ in each.paragraphs]

    assert lines(1) == [
        "3 faces",
        "600 px · eyes open · sharpness 60",
        "96 px · eyes closed",
        "20 px · can't tell · sharpness 60",
    ]
    assert lines(2) == [], "an empty section is left out"
    assert lines(3) == ["Not measured yet"]
    assert (lines(4)[0], len(lines(4)), lines(4)[-1]) == ("20 faces", 14, "+8")
    titles = [section.title for section in sections(session.detail(1), stack=[("Frame", "1")])]
    assert titles.index("Faces") < titles.index("Stack")


def test_the_inspector_says_that_the_focus_missed_the_eyes(session: Session, home: Home) -> None:
    catalogs.capture(home.catalog, 1, sharpness=85.0)
    face_data.save(session.catalog, {1: [replace(OPEN, eye_sharpness=12.0)]})
    session.refresh()
    (faces,) = [each for each in sections(session.detail(1)) if each.title == "Faces"]
    assert faces.paragraphs[-1][0] == "Background sharper than the eyes"
    session.search.set_filter("eyes:soft")
    assert session.ids.tolist() == [1]


def test_faces_not_measured_yet_are_announced_only_while_faces_are_on(window: MainWindow) -> None:
    window.run("toggle_inspector")
    assert "Not measured yet" in texts(window.inspector)
    window.session.settings.faces.on = False
    window.inspector.refresh()
    assert "Not measured yet" not in texts(window.inspector)


def test_the_inspector_shows_history_newest_first(window: MainWindow, qtbot) -> None:
    session = window.session
    photo = int(session.ids[1])
    for rating in (2, 4):
        session.catalog.journal.decide({photo: {"rating": rating}}, summary="-")
    session.refresh()
    session.navigator.go_to(photo)
    window.run("toggle_inspector")
    qtbot.waitUntil(lambda: "History" in texts(window.inspector))
    shown = texts(window.inspector)
    assert shown.index("4 stars") < shown.index("2 stars")


def test_the_inspector_shows_what_approves_a_photo(window: MainWindow) -> None:
    session = window.session
    session.catalog.journal.decide({2: {"rating": 5}, 3: {"rating": 5}}, summary="-")
    session.catalog.journal.decide({4: {"rating": 5}}, summary="-", source="file")
    session.refresh()
    window.run("toggle_inspector")
    lines = []
    for photo in (2, 4, 5):
        session.navigator.go_to(photo)
        window.inspector.refresh()
        lines.append(window.inspector.approved.text())
    assert lines == [
        "Approved for export: 4–5 stars",
        "Approved only by a rating from another app",
        "",
    ]


def test_failed_work_can_be_retried_from_the_inspector(window: MainWindow, pipeline) -> None:
    session = window.session
    photo = int(session.ids[1])
    with session.catalog.store.transaction():
        session.catalog.store.run(
            "UPDATE work SET state = 'failed', reason = 'It is cut short.' WHERE photo_id = ?",
            (photo,),
        )
    session.refresh()
    session.navigator.go_to(photo)
    window.run("toggle_inspector")
    assert "It is cut short." in texts(window.inspector)
    again = next(b for b in window.inspector.findChildren(QToolButton) if b.text() == "Try again")
    again.click()
    assert pipeline.asked[-1] == ("retry", [photo])


def test_the_words_beside_the_marks_are_shortened_by_whole_words(qapp) -> None:
    line = MarksLine()
    line.show_marks(Marks(flag=Flag.REJECT, rating=5, label=Label.YELLOW))
    whole = line.words(1000)
    assert whole == "rejected · 5 stars · yellow label"
    narrow = line.fontMetrics().horizontalAdvance(whole) - 1
    assert line.words(narrow) == "rejected · yellow label"


def test_names_are_text_never_markup(window: MainWindow) -> None:
    for label in window.findChildren(QLabel):
        assert label.textFormat() is Qt.TextFormat.PlainText, label.text()


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        (Marks(), "unreviewed"),
        (Marks(kept=True), "kept"),
        (Marks(flag=Flag.PICK, kept=True, rating=4), "picked · 4 stars"),
        (Marks(flag=Flag.REJECT, label=Label.RED), "rejected · red label"),
        (Marks(label=Label.PURPLE), "purple label · unreviewed"),
        (Marks(rating=1, kept=True), "1 star"),
    ],
)
def test_marks_in_words(marks: Marks, words: str) -> None:
    assert in_words(marks) == words


def test_missing_capture_data_is_left_out() -> None:
    assert capture_rows(Capture()) == []
    rows = dict(
        capture_rows(
            Capture(
                taken_at=datetime(2026, 5, 2, 18, 42, 7),
                utc_offset_min=-210,
                exposure_s=2.5,
                latitude=-33.86,
                longitude=151.21,
            )
        )
    )
    assert rows["Taken"] == "2026-05-02  18:42:07  UTC−3:30"
    assert rows["Exposure"] == "2.5 s"
    assert rows["Location"] == "33.8600° S  151.2100° E"


def test_sizes_and_durations_in_words() -> None:
    assert [size(n) for n in (0, 999, 1_000, 58_100_000_000, 999_950)] == [
        "0 bytes",
        "999 bytes",
        "1 kB",
        "58.1 GB",
        "1.0 MB",
    ]
    assert [duration(s) for s in (0.2, 56, 2_820, 7_500)] == ["1 s", "56 s", "47 min", "2 h 05"]


# --- help


def test_every_key_is_on_the_cheat_sheet(qapp) -> None:
    lines = [line for group in sheet("grid", Keyboard()).values() for line in group]
    shown = {key for line in lines for key in line.keys.split()}
    for name in COMMANDS:
        for key in Keyboard().keys_of(name)[:1]:
            if name.startswith(("stars_", "label_", "candidate_")) and key != "0":
                continue  # combined as 1 – 5, 6 – 9 and Ctrl+1 – 4
            assert theme.keys(key) in " ".join(line.keys for line in lines), (name, shown)


def test_keys_of_the_current_view_are_bright(qapp) -> None:
    loupe = {
        line.title: line.bright for group in sheet("loupe", Keyboard()).values() for line in group
    }
    grid = {
        line.title: line.bright for group in sheet("grid", Keyboard()).values() for line in group
    }
    assert loupe["Zoom"] and not grid["Zoom"]
    assert grid["Select all"] and not loupe["Select all"]


@pytest.mark.parametrize("columns", ARRANGEMENTS)
def test_every_group_has_its_column(columns: tuple[tuple[str, ...], ...]) -> None:
    assert sorted(name for column in columns for name in column) == sorted(GROUPS)


def test_any_key_closes_the_cheat_sheet_and_marks_nothing(window: MainWindow) -> None:
    QTest.keyClick(window, Qt.Key.Key_Question)
    assert window.help.isVisible() and window.help.hasFocus()
    photo = window.session.current
    QTest.keyClick(window.help, Qt.Key.Key_X)
    assert window.help.isHidden()
    assert window.session.table.marks(photo).flag is Flag.PICK  # unchanged
    assert window.grid.hasFocus()


def test_the_cheat_sheet_has_the_focus_when_opened_by_mouse(window: MainWindow) -> None:
    window.run("help_")
    assert window.help.hasFocus()


@pytest.mark.parametrize("size", [(640, 480), (800, 600), (1000, 700), (1440, 900)])
def test_the_cheat_sheet_shows_every_word_in_full(dressed, qtbot, size: tuple[int, int]) -> None:
    holder = QWidget()
    qtbot.addWidget(holder)
    holder.resize(*size)
    overlay = HelpOverlay(holder, lambda: "grid", Keyboard)
    holder.show()
    overlay.open()
    seen: set[str] = set()
    for key in (Qt.Key.Key_Home, *[Qt.Key.Key_PageDown] * 4):
        if overlay.scrolls:
            QTest.keyClick(overlay, key)
        shown = [word for word in overlay.words if overlay.room.contains(word.place)]
        seen |= {word.text for word in shown}
        for word in shown:
            metrics, wide = QFontMetrics(word.font), word.place.width()
            assert metrics.elidedText(word.text, Qt.TextElideMode.ElideRight, wide) == word.text
            assert word.place.height() >= metrics.height() or word.text in GROUPS
        for one, other in pairwise(
            sorted(shown, key=lambda word: (word.place.y(), word.place.x()))
        ):
            assert not one.place.intersects(other.place), (one.text, other.text)
    lines = [line for group in sheet("grid", Keyboard()).values() for line in group]
    assert seen == {text for line in lines for text in (line.keys, line.title)} | set(GROUPS)
    assert overlay.scrolls == (size[0] < 1000)
    QTest.keyClick(overlay, Qt.Key.Key_X)
    assert overlay.isHidden()

"""Projects in the window: created, filled with B, shown, ordered by hand and removed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from curator.library.scopes import EVERYTHING
from curator.model import Pass, View
from curator.pipeline import Totals
from curator.session import Session
from curator.session.related_photos import Suggestion
from curator.ui.dialogs.palette import entries
from curator.ui.dialogs.project_dialogs import ProjectDialog, RelatedPhotosDialog
from curator.ui.main_window import MainWindow
from curator.ui.pages.finish_page import rate_page
from curator.ui.widgets import dialogs, theme

SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier
LEFT = Qt.MouseButton.LeftButton


def press_key(window: MainWindow, key: Qt.Key, held: Qt.KeyboardModifier | None = None) -> None:
    """Press a key as if the current photo had been painted."""
    session = window.session
    if session.current is not None:
        session.viewer.note_painted(session.current)
    QTest.keyClick(window, key, held or Qt.KeyboardModifier.NoModifier)


def type_name(window: MainWindow, text: str) -> list[str]:
    QTest.keyClicks(window.projects.chooser.field, text)
    return [entry.title for entry in window.projects.chooser.rows.entries]


def enter(window: MainWindow) -> None:
    QTest.keyClick(window.projects.chooser.field, Qt.Key.Key_Return)


def names(session: Session) -> list[str]:
    return [row.name for row in session.projects.rows()]


@pytest.fixture
def harbor_project(window: MainWindow) -> int:
    """The open project "Harbour" of six photos."""
    session = window.session
    project = session.projects.create("Harbour")
    session.projects.add(project, [11, 12, 13, 14, 15, 16], on_screen=False)
    session.projects.open_scope(project)
    return project


def test_exporting_a_photo_removed_from_the_project_is_refused(
    window: MainWindow, harbor_project: int
) -> None:
    messages: list[str] = []
    window.session.messages.status_message.connect(messages.append)
    press_key(window, Qt.Key.Key_B)
    assert window.session.current == 11, "it stays until the list is reopened"
    window.run("export_selected")
    assert messages[-1].startswith("The selected photos are no longer in Harbour.")


def test_shift_b_creates_a_project_and_b_adds_photos_in_the_loupe(window: MainWindow) -> None:
    session = window.session
    session.viewer.set_view(View.LOUPE)
    press_key(window, Qt.Key.Key_B, SHIFT)
    chooser = window.projects.chooser
    assert chooser.isVisible() and chooser.rows.current is None, "no project exists yet"
    assert type_name(window, "Harbour") == ["New project “Harbour”"]
    enter(window)
    assert not chooser.isVisible() and names(session) == ["Harbour"]
    assert window.topbar.project.text() == "Harbour"
    press_key(window, Qt.Key.Key_B)
    assert session.table.projects.has(1, [session.current or 0])[0]
    assert theme.PENCIL.name() in window.topbar.project.styleSheet()
    press_key(window, Qt.Key.Key_Right)
    assert theme.PENCIL.name() not in window.topbar.project.styleSheet()


def test_letters_find_existing_projects_before_a_new_one(window: MainWindow) -> None:
    session = window.session
    for name in ("Harbour", "Night", "The harbour"):
        session.projects.create(name)
    press_key(window, Qt.Key.Key_B, SHIFT)
    assert type_name(window, "harb") == ["Harbour", "The harbour", "New project “harb”"]
    enter(window)
    current = session.projects.current
    assert current is not None and current.name == "Harbour"
    press_key(window, Qt.Key.Key_B, SHIFT)
    assert type_name(window, "HARBOUR") == ["Harbour", "The harbour"]
    QTest.keyClick(window.projects.chooser.field, Qt.Key.Key_Escape)
    assert names(session) == ["Harbour", "Night", "The harbour"]


def test_b_without_a_project_chooses_one_and_adds(window: MainWindow) -> None:
    window.session.photos.select_only(3)
    window.session.photos.select_range(5)
    press_key(window, Qt.Key.Key_B)
    type_name(window, "../../etc")
    enter(window)
    assert names(window.session) == ["../../etc"]
    assert window.session.catalog.projects.members(1) == [3, 4, 5]


def test_the_sidebar_lists_projects_and_opens_them(window: MainWindow, harbor_project: int) -> None:
    session, rows = window.session, window.sidebar.projects.rows
    session.sources.open_scope(session.sources.scopes()[0].scope)
    window.sidebar.refresh()
    assert [(row.title, row.count) for row in rows.rows] == [("Harbour", "6")]
    assert "Harbour" not in [row.title for row in window.sidebar.folders.rows]
    QTest.mouseClick(rows, LEFT, pos=rows.row_rect(str(harbor_project)).center())
    assert session.criteria.scope.title == "Harbour" and session.ids.tolist() == [
        11,
        12,
        13,
        14,
        15,
        16,
    ]
    assert window.projects.header.isVisible()
    name, counts, _ = window.projects.header.texts
    assert name == "Harbour" and counts.startswith("6 photos · 0 approved · drag")


def test_many_projects_are_in_natural_order_and_folded(
    window: MainWindow,
) -> None:
    session, part = window.session, window.sidebar.projects
    made = {
        number: session.projects.create(f"Evening {number}") for number in (101, *range(12, 1, -1))
    }
    session.projects.open_scope(made[101])
    part.refresh()
    first = [f"Evening {number}" for number in range(2, 10)]
    assert [row.title for row in part.rows.rows] == [*first, "Evening 101", "3 more"]
    for last in ("Fewer", "3 more"):
        rest = part.rows.row_rect("rest").center()
        QTest.mouseClick(part.rows, Qt.MouseButton.LeftButton, pos=rest)
        assert part.rows.rows[-1].title == last
    gone = {entry.title: entry.about for entry in entries(session, "grid", lambda _: None)}
    assert gone["Go to Evening 7"] == "project"


def test_photos_are_reordered_by_dragging(window: MainWindow, harbor_project: int) -> None:
    session, port = window.session, window.grid.viewport()

    def drag(source: int, to: QPoint) -> None:
        start = window.grid.cell(source).center()
        QTest.mousePress(port, LEFT, pos=start)
        QTest.mouseMove(port, start + QPoint(30, 0))
        QTest.mouseMove(port, to)
        assert window.projects.drag_order.line.isVisible()
        QTest.mouseRelease(port, LEFT, pos=to)
        assert not window.projects.drag_order.line.isVisible()
        assert not window.projects.drag_order._scroll.isActive(), (
            "scrolling stops when the button is released"
        )

    drag(4, window.grid.cell(1).center() - QPoint(40, 0))
    assert session.ids.tolist() == [11, 15, 12, 13, 14, 16] and session.current == 15
    session.photos.select_only(11)
    session.photos.toggle_selected(12)
    drag(2, window.grid.cell(5).center() + QPoint(60, 0))  # drags both selected photos
    assert session.ids.tolist() == [15, 13, 14, 16, 11, 12]
    assert session.photos.selection == {11, 12}
    QTest.mouseClick(port, LEFT, pos=window.grid.cell(5).center())
    assert session.current == 12 and len(session.photos.selection) < 2
    press_key(window, Qt.Key.Key_Z, CTRL)
    assert session.ids.tolist() == [11, 15, 12, 13, 14, 16]


@pytest.mark.slow
def test_outside_a_project_dragging_moves_nothing(window: MainWindow) -> None:
    port, start = window.grid.viewport(), window.grid.cell(0).center()
    before = window.session.ids.tolist()
    QTest.mousePress(port, LEFT, pos=start)
    QTest.mouseMove(port, start + QPoint(200, 0))
    assert not window.projects.drag_order.line.isVisible()
    QTest.mouseRelease(port, LEFT, pos=start + QPoint(200, 0))
    assert window.session.ids.tolist() == before


@pytest.mark.slow
def test_photos_are_reordered_by_keys(window: MainWindow, harbor_project: int) -> None:
    session = window.session
    session.navigator.go_to(13)
    press_key(window, Qt.Key.Key_Up, ALT)
    assert session.ids.tolist() == [11, 13, 12, 14, 15, 16]
    press_key(window, Qt.Key.Key_End, ALT)
    assert session.ids.tolist() == [11, 12, 14, 15, 16, 13]
    assert session.catalog.projects.members(harbor_project) == session.ids.tolist()


@pytest.mark.slow
def test_names_and_notes_of_projects_are_plain_text(
    window: MainWindow, harbor_project: int
) -> None:
    session = window.session
    row = session.projects.current
    assert row is not None
    session.projects.create("Taken")
    dialog = ProjectDialog(row, session.projects, window)
    dialog.name.setText("taken")
    dialog.save.click()
    assert "Taken already" in dialog.problem.text() and dialog.result() == 0
    dialog.name.setText("<b>Port</b>")
    dialog.notes.setPlainText("For <i>the</i> book\nask Ana")
    dialog.save.click()
    assert session.criteria.scope.title == "<b>Port</b>" == window.projects.header.texts[0]
    assert window.projects.header.texts[2] == "For <i>the</i> book\nask Ana"
    dialog.deleteLater()


def test_removing_a_project_asks_first_and_can_be_undone(
    window: MainWindow, harbor_project: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dialogs.Question] = []

    def answer(_: object, question: dialogs.Question) -> str | None:
        asked.append(question)
        return "remove" if len(asked) > 1 else None

    monkeypatch.setattr(dialogs, "ask", answer)
    session = window.session
    window.projects.remove(harbor_project)
    assert names(session) == ["Harbour"]
    window.projects.remove(harbor_project)
    assert "6 photos stay in the catalog" in asked[0].body and asked[0].choices[0].removes
    assert names(session) == [] and session.criteria.scope.kind == "all"
    window.notifications.action.click()
    assert names(session) == ["Harbour"]
    assert session.catalog.projects.members(harbor_project) == [11, 12, 13, 14, 15, 16]


def test_the_end_of_rating_offers_a_project_of_the_best(window: MainWindow) -> None:
    session = window.session
    session.catalog.journal.decide({22: {"rating": 5}, 23: {"rating": 4}}, summary="-")
    session.refresh()
    session.modes.set_mode(Pass.RATE)
    starred = session.projects.starred()
    page = rate_page(session)
    titles = [action.text for action in page.actions]
    assert len(titles) <= 3 and "New project from 4–5 stars" in titles
    window.run(page.actions[titles.index("New project from 4–5 stars")].command)
    assert window.projects.chooser.field.text() == session.criteria.scope.title
    enter(window)
    assert names(session) == [session.criteria.scope.title]
    assert session.catalog.projects.members(1) == starred == [22, 23]


@pytest.mark.slow
def test_the_inspector_lists_the_projects_of_a_photo(
    window: MainWindow, harbor_project: int
) -> None:
    window.session.view_state.inspector = True
    window.refresh()
    inspector = window.inspector
    inspector.refresh()
    assert inspector.memberships.isVisible()
    window.session.sources.open_scope(window.session.sources.scopes()[0].scope)
    inspector.refresh()
    assert not inspector.memberships.isVisible()


@pytest.mark.slow
def test_an_empty_project_says_how_to_fill_it(window: MainWindow) -> None:
    project = window.session.projects.create("Harbour")
    window.session.projects.open_scope(project)
    assert window.empty_list.reason.text() == "No photos in Harbour yet."


def test_suggested_related_photos_become_a_project(
    window: MainWindow, make_session: Callable[..., Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = window.session
    session.related_photos.suggestion = Suggestion(
        (1, 21, 41, 2, 3), "These 5 approved photos look alike."
    )
    session.related_photos.changed.emit()
    rows = window.sidebar.projects.rows
    assert not rows.rows, "a new row would move the rows under the pointer"
    session.viewer.set_view(View.LOUPE)
    session.viewer.set_view(View.GRID)
    assert [row.title for row in rows.rows] == ["5 related photos?"]
    dialog = RelatedPhotosDialog(session, window.pictures, window)
    dialog.name.setText("Fog")
    dialog.make.click()
    assert names(session) == ["Fog"]
    assert session.catalog.projects.members(1) == [1, 21, 41, 2, 3]
    assert [row.dim for row in rows.rows if row.key == "related"] == [True]
    session.viewer.set_view(View.LOUPE)
    session.viewer.set_view(View.GRID)
    assert [row.title for row in rows.rows] == ["Fog"]
    dialog.deleteLater()


def test_a_search_for_related_photos_without_result_says_so(
    window: MainWindow, qtbot: QtBot
) -> None:
    session = window.session
    messages: list[str] = []
    session.messages.status_message.connect(messages.append)
    window.run("find_related")  # nothing is approved
    assert messages[-1].startswith("No 5 similar approved photos")
    session.catalog.journal.decide({photo: {"rating": 5} for photo in range(30, 37)}, summary="-")
    session.refresh()
    window.run("find_related")
    assert messages[-1] == "Looking for related photos…"
    qtbot.waitUntil(
        lambda: messages[-1].startswith("No 5 similar approved photos")
    )  # no photo has a vector


def test_externally_rated_photos_are_not_offered_in_a_project(
    window: MainWindow, harbor_project: int
) -> None:
    session = window.session
    session.catalog.journal.decide({3: {"rating": 4}}, summary="Read from files", source="file")
    session.refresh()
    session.sources.open_scope(EVERYTHING)
    window.sidecars.scanned(1)
    assert window.notifications.current is not None
    assert window.notifications.current.text == "1 already rated in other apps"
    more = {photo: {"rating": 4} for photo in (5, 6)}
    session.catalog.journal.decide(more, summary="Read from files", source="file")
    window.session.pipeline.events.idle.emit(Totals())
    assert window.notifications.text.text == "3 already rated in other apps", (
        "before the table is refreshed"
    )
    session.catalog.journal.decide({5: {"rating": 2}}, summary="2 stars")
    session.refresh()
    assert window.notifications.text.text == "2 already rated in other apps", (
        "one was reviewed here"
    )
    session.projects.open_scope(harbor_project)
    assert window.notifications.current is None

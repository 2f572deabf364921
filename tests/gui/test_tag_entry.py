"""Typing tags (T, a few letters, Enter) and the tag cloud in the sidebar."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from curator.model import Pass, View
from curator.session import Session
from curator.ui.main_window import MainWindow
from curator.ui.widgets.tag_chips import TagChips

Key = Qt.Key


@pytest.fixture
def tagged(session: Session) -> Session:
    """A session with suggested tags: harbor on 2 to 5, hare on 3, boat on 2."""
    suggested = {2: ["harbor", "boat"], 3: ["harbor", "hare"], 4: ["harbor"], 5: ["harbor"]}
    with session.catalog.store.transaction():
        for photo, names in suggested.items():
            session.catalog.tags.suggest(photo, "vision", [(name, 60) for name in names])
    return session


@pytest.fixture
def window(tagged: Session, make_window) -> MainWindow:
    return make_window(tagged)


def type_keys(window: MainWindow, *keys: Qt.Key | str) -> None:
    """Press keys and type texts in the focused widget."""
    for key in keys:
        at = window.focusWidget() or window
        if isinstance(key, str):
            QTest.keyClicks(at, key)
        else:
            QTest.keyClick(at, key)


def click(widget: QWidget, point: QPoint) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=point)


def tags(session: Session, photo: int) -> dict[str, str]:
    return {tag.name: tag.state for tag in session.catalog.photos.get(photo).tags}


def test_t_opens_the_tag_entry_and_esc_returns_to_the_keys(window: MainWindow) -> None:
    session = window.session
    session.navigator.go_to(7)
    type_keys(window, Key.Key_T, "ha")
    entry = window.tag_entry
    assert entry.isVisible() and entry.title.text() == "Tags of DSC_0006"
    assert [row.title for row in entry.rows.entries] == ["harbor", "hare", "ha"]
    type_keys(window, Key.Key_Return)
    assert tags(session, 7) == {"harbor": "confirmed"} and entry.isVisible()
    type_keys(window, "Pier, old pier,hare", Key.Key_Return)
    assert tags(session, 7).keys() == {"harbor", "Pier", "old pier", "hare"}
    type_keys(window, "ha", Key.Key_Down, Key.Key_Down, Key.Key_Return)
    assert "ha" in tags(session, 7), "the last row is the typed text"
    type_keys(window, Key.Key_Escape)
    assert not entry.isVisible()
    type_keys(window, Key.Key_X)
    assert session.table.marks(7).flag == "reject", "keys mark photos again"


def test_tab_completes_and_shift_enter_takes_the_typed_text(window: MainWindow) -> None:
    session = window.session
    session.navigator.go_to(7)
    type_keys(window, Key.Key_T, "pier,ha", Key.Key_Tab)
    assert window.tag_entry.field.text() == "pier, harbor"
    type_keys(window, Key.Key_Escape, Key.Key_T, "bo")
    QTest.keyClick(window.tag_entry.field, Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert tags(session, 7) == {"bo": "confirmed"}
    type_keys(window, Key.Key_Return)
    assert not window.tag_entry.isVisible(), "Enter in an empty field closes the entry"


def test_existing_tags_are_confirmed_and_removed_by_keyboard(window: MainWindow) -> None:
    session = window.session
    session.navigator.go_to(2)
    type_keys(window, Key.Key_T, Key.Key_Up)
    entry = window.tag_entry
    assert entry.chips.current is not None and entry.chips.current.name == "harbor"
    type_keys(window, Key.Key_Delete)
    assert tags(session, 2) == {"boat": "suggested"}
    type_keys(window, Key.Key_Return)
    assert tags(session, 2) == {"boat": "confirmed"}
    type_keys(window, Key.Key_Escape)
    assert entry.isVisible() and entry.chips.current is None
    type_keys(window, Key.Key_Escape)
    assert not entry.isVisible()
    type_keys(window, Key.Key_T, Key.Key_Backspace, Key.Key_Backspace)
    assert tags(session, 2) == {}


def test_a_selection_is_tagged_and_undone_in_one_step(window: MainWindow) -> None:
    session = window.session
    session.photos.select_only(2)
    session.photos.select_range(4)
    type_keys(window, Key.Key_T)
    assert window.tag_entry.title.text() == "Tags of 3 photos"
    type_keys(window, "trip", Key.Key_Return, Key.Key_Escape)
    assert all("trip" in tags(session, photo) for photo in (2, 3, 4))
    session.history.undo()
    assert not any("trip" in tags(session, photo) for photo in (2, 3, 4))


@pytest.mark.parametrize("view", [View.COMPARE, View.SURVEY])
def test_in_compare_and_survey_only_the_active_photo_is_tagged(
    window: MainWindow, view: View
) -> None:
    session = window.session
    session.photos.select_only(2)
    session.photos.select_range(4)
    session.compare.open() if view is View.COMPARE else session.compare.open_survey()
    assert session.view_state.view is view
    here = session.current
    session.viewer.note_painted(here)
    type_keys(window, Key.Key_T, "sharp", Key.Key_Return, Key.Key_Escape)
    found = [photo for photo in (2, 3, 4) if "sharp" in tags(session, photo)]
    assert found == [here] and session.view_state.view is view


def test_a_click_on_a_chip_confirms_its_tag_and_the_cross_removes_it(window: MainWindow) -> None:
    session = window.session
    session.navigator.go_to(2)
    session.view_state.inspector = True
    window.refresh()
    window.inspector.refresh()

    def chips() -> TagChips:
        window.inspector.refresh()
        return next(each for each in window.inspector.findChildren(TagChips) if each.isVisible())

    click(chips(), chips().rect_of("boat").center())
    assert tags(session, 2) == {"boat": "confirmed", "harbor": "suggested"}
    click(chips(), chips().rect_of("boat").center())
    assert tags(session, 2)["boat"] == "confirmed", "a word is not lost by a second click"
    place = chips().rect_of("harbor")
    click(chips(), QPoint(place.right() - 8, place.center().y()))
    assert tags(session, 2) == {"boat": "confirmed"}


def test_a_click_on_a_tag_filters_and_a_second_click_shows_all(window: MainWindow) -> None:
    session, cloud = window.session, window.sidebar.cloud
    window.sidebar.refresh()
    assert [(tag.name, tag.count) for tag in cloud.tags] == [
        ("harbor", 4),
        ("boat", 1),
        ("hare", 1),
    ]
    click(cloud, cloud.place_of("harbor").center())
    assert session.criteria.filter == 'tag:"harbor"' and session.ids.tolist() == [2, 3, 4, 5]
    click(cloud, cloud.place_of("harbor").center())
    assert session.criteria.filter == "" and len(session.ids) == 60


def test_tags_of_a_kind_are_one_entry_of_the_cloud_that_opens(window: MainWindow) -> None:
    session, cloud = window.session, window.sidebar.cloud
    with session.catalog.store.transaction():
        for photo, word in ((6, "heron"), (7, "heron"), (8, "peacock"), (9, "zebra")):
            session.catalog.tags.suggest(photo, "encoder", [(word, 60)])
    cloud.refresh(reorder=True)
    assert cloud.accessibleName() == "Tags: animal 5, bird 3, boat 1, harbor 4"
    assert cloud.place_of("heron").isNull() and cloud.place_of("zebra").isNull()
    click(cloud, cloud.place_of("bird").center())
    assert session.criteria.filter == "tag:bird" and sorted(session.ids.tolist()) == [6, 7, 8]
    click(cloud, cloud.place_of("heron").center())
    assert session.criteria.filter == 'tag:"heron"' and session.ids.tolist() == [6, 7]
    click(cloud, cloud.place_of("bird").center())
    click(cloud, cloud.place_of("bird").center())
    assert session.criteria.filter == "" and cloud.place_of("heron").isNull()


def test_a_hidden_cloud_counts_no_tags_until_it_is_shown_again(window: MainWindow) -> None:
    session, cloud = window.session, window.sidebar.cloud
    window.sidebar.refresh()
    window.sidebar.hide()
    with session.catalog.store.transaction():
        session.catalog.tags.suggest(6, "encoder", [("heron", 60)])
    session.tags.changed.emit()
    assert "heron" not in {tag.name for tag in cloud.tags}
    window.sidebar.show()
    assert "heron" in {tag.name for tag in cloud.tags}


def test_tags_are_renamed_in_the_tag_entry(window: MainWindow) -> None:
    session = window.session
    session.requests.rename_tag_requested.emit("hare")
    entry = window.tag_entry
    assert entry.title.text() == "Rename hare on all photos"
    type_keys(window, "rabbit", Key.Key_Return)
    assert not entry.isVisible() and tags(session, 3) == {
        "harbor": "suggested",
        "rabbit": "suggested",
    }
    session.requests.rename_tag_requested.emit("boat")
    type_keys(window, "harb", Key.Key_Down, Key.Key_Return)
    assert tags(session, 2) == {"harbor": "suggested"}, "choosing an existing tag merges both"
    session.history.undo()
    session.history.undo()
    assert tags(session, 3) == {"harbor": "suggested", "hare": "suggested"}


def test_tagging_leaves_a_cull_at_its_photo(window: MainWindow) -> None:
    session = window.session
    session.modes.set_mode(Pass.CULL)
    session.viewer.set_view(View.LOUPE)
    before = session.current
    session.viewer.note_painted(before)
    type_keys(window, Key.Key_T, "pier", Key.Key_Return, Key.Key_Escape)
    assert session.current == before and session.criteria.mode is Pass.CULL
    assert session.table.unreviewed()[session.table.rows_of([before])[0]], "tagging is no verdict"

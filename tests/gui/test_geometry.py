"""Nothing on screen moves unless the person did it: where everything is before and after.

Every widget that shows, and everything to press that a widget paints itself (rows, tags, cells of
the filmstrip), is looked up in the window before something happens in the background and
afterwards. What was there and still is has to be at the same place.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from PySide6.QtCore import QPoint, QRect, QTimer
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from curator.learning.explanations import Insight
from curator.model import ContentType, Described, KnownError
from curator.pipeline import FolderNews, Progress, ScanReport, Totals
from curator.pipeline.sidecars import SidecarNews
from curator.session.related_photos import Suggestion
from curator.ui.main_window import MainWindow
from curator.ui.notices.notification_bar import Notification
from curator.ui.widgets.rows import Rows
from tests import catalogs

Places = dict[tuple[object, ...], QRect]


def places(window: MainWindow) -> Places:
    """Return where every visible widget lies, in the window's coordinates."""
    found: Places = {}
    for part in window.findChildren(QWidget):
        if part.isVisibleTo(window) and part.window() is window and not part.size().isEmpty():
            name = part.objectName() or type(part).__name__
            corner = part.mapTo(window, QPoint())
            found[name, id(part)] = QRect(corner, part.size())
            found |= {(name, key): rect.translated(corner) for key, rect in painted(window, part)}
    return found


def painted(window: MainWindow, part: QWidget) -> Iterator[tuple[object, QRect]]:
    """Return what a widget paints itself and can be clicked."""
    if isinstance(part, Rows):
        for row in part.rows:
            yield row.key, part.row_rect(row.key)
    elif part is window.sidebar.cloud:
        for tag in window.sidebar.cloud.tags:
            yield tag.name, window.sidebar.cloud.place_of(tag.name)
    elif part is window.filmstrip:
        for place in window.filmstrip.visible():
            yield int(window.session.ids[place]), window.filmstrip.cell(place)
    elif part is window.loupe:
        yield "picture", window.loupe.place()


def moved(before: Places, after: Places) -> list[str]:
    """Return what has moved, changed its width, or is cut at its lower edge."""

    def differs(was: QRect, is_: QRect) -> bool:
        same = was.topLeft() == is_.topLeft() and was.width() == is_.width()
        return not same or is_.height() < was.height()

    both = before.keys() & after.keys()
    found = ((key, before[key], after[key]) for key in both)
    return [f"{key[:2]}: {was} is {is_}" for key, was, is_ in found if differs(was, is_)]


def pass_time(window: MainWindow) -> None:
    """Process all pending events and timers."""
    for _ in range(3):
        QApplication.processEvents()
        for timer in window.findChildren(QTimer):
            if timer.isActive() and timer.isSingleShot() and timer.interval() < 1000:
                timer.stop()
                timer.timeout.emit()
    QApplication.processEvents()


def write(window: MainWindow, *statements: str) -> None:
    """Change the catalog through the pipeline's own connection, and notify the window."""
    with closing(sqlite3.connect(window.session.home.catalog)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    window.session.refresh()


def scan_ends(window: MainWindow) -> None:
    window.session.pipeline.events.scan_ended.emit(
        ScanReport(60, 60, 0, 12, "60 photos (12 pairs)")
    )


def work_is_done(window: MainWindow) -> None:
    window.session.pipeline.events.idle.emit(Totals(60, 60, 0, 60, 0))


def work_goes_on(window: MainWindow) -> None:
    """Report more and more progress, with counts of more and more digits."""
    for done in (9, 99, 999, 2_999):
        told = Progress(3_012, done, 0, 3_012 - done, 20.0, 56.2)
        window.session.pipeline.events.progressed.emit(told)
    window.session.pipeline.events.progressed.emit(Progress(3_012, 3_012))


def ratings_were_read(window: MainWindow) -> None:
    window.session.catalog.journal.decide(
        {3: {"rating": 4}}, summary="Read from files", source="file"
    )
    window.session.refresh()
    window.sidecars.scanned(1)


def taste_is_ready(window: MainWindow) -> None:
    window.session.criteria.trust_match(True)
    window.session.taste.trust_changed.emit()


def disk_is_full(window: MainWindow) -> None:
    window.session.pipeline.events.paused_by.emit("The disk is full. Make room, then go on.")


def drive_goes_and_comes(window: MainWindow) -> None:
    window.session.pipeline.events.folders_changed.emit(FolderNews(away=True))
    window.session.pipeline.events.folders_changed.emit(FolderNews())


def clip_can_be_had(window: MainWindow) -> None:
    text = "CLIP compares photos better than the built-in encoder: 599 MB to download."
    window.notifications.post(Notification("clip", text, "Download…"))
    window.notifications.update_text("clip", "Downloading CLIP: 12 MB of 599 MB")
    window.notifications.withdraw("clip")


def provider_is_gone(window: MainWindow) -> None:
    window.session.settings.vision.automatic = True
    window.session.descriptions.held_changed.emit(
        KnownError("Ollama does not answer.", "Start it.")
    )


def sidecars_wait(window: MainWindow) -> None:
    for pending in (9, 14, 1_200):
        window.session.pipeline.events.sidecars_changed.emit(
            SidecarNews(pending=pending, conflicts=2)
        )


def photos_fail(window: MainWindow) -> None:
    for photo in (5, 6):
        write(window, f"UPDATE work SET state = 'failed' WHERE photo_id = {photo}")


def stacks_are_found(window: MainWindow) -> None:
    catalogs.stack(window.session.home.catalog, 31, 32, 33)
    window.session.refresh()


def files_go(window: MainWindow) -> None:
    write(window, "UPDATE file SET missing_since = 1.0 WHERE photo_id = 8")


def subfolders_are_found(window: MainWindow) -> None:
    write(
        window,
        "INSERT INTO directory (id, folder_id, path) VALUES (90, 1, '/photos/aaa')",
        "UPDATE photo SET directory_id = 90 WHERE id BETWEEN 50 AND 60",
    )


def photos_come(window: MainWindow) -> None:
    write(
        window,
        "INSERT INTO photo (id, directory_id, name, added_at, taken_at) VALUES"
        " (900, 1, 'LATE', 1.0, '2030-01-01T00:00:00.000000')",
        "INSERT INTO file (photo_id, directory_id, name, kind, role, size, mtime_ns, fingerprint)"
        " VALUES (900, 1, 'LATE.JPG', 'image', 'main', 10, 1, 'f900')",
    )


def tags_are_suggested(window: MainWindow) -> None:
    catalog = window.session.catalog
    for number, names in enumerate((["sea"], ["sea", "boat", "zebra"], ["ape", "sea", "boat"])):
        said = [(photo, [(name, 60) for name in names]) for photo in (1 + number, 20)]
        catalog.tags.save_zero_shot(said, dict.fromkeys(names), "words", number + 1)
        window.session.refresh()
        pass_time(window)


def series_is_found(window: MainWindow) -> None:
    window.session.related_photos.suggestion = Suggestion((1, 2, 3, 4, 5), "They look alike.")
    window.session.related_photos.changed.emit()


def photo_is_described(window: MainWindow) -> None:
    current = window.session.current
    assert current is not None
    digest = f"{current - 1:064x}"
    subject, kind = "A heron at dawn.", ContentType.STREET
    told = Described("ollama", "llava", digest, subject, kind, "Soft.", "calm", (("heron", 60),))
    window.session.catalog.descriptions.save([(current, told)])
    window.session.refresh()


def insight_comes(window: MainWindow) -> None:
    current = window.session.current
    assert current is not None
    near = ((5, 0.9), (6, 0.8), (7, 0.7), (8, 0.6))
    window.session.explanations.insight_ready.emit(
        Insight(current, near, missing="Rate 20 photos first.")
    )


EVENTS = [
    scan_ends,
    work_is_done,
    work_goes_on,
    ratings_were_read,
    taste_is_ready,
    disk_is_full,
    drive_goes_and_comes,
    clip_can_be_had,
    provider_is_gone,
    sidecars_wait,
    photos_fail,
    stacks_are_found,
    files_go,
    subfolders_are_found,
    photos_come,
    tags_are_suggested,
    series_is_found,
    photo_is_described,
    insight_comes,
]


def in_grid(window: MainWindow) -> None:
    window.sidebar.unfolded.add("/photos")
    window.sidebar.refresh()


def in_cull(window: MainWindow) -> None:
    window.run("cull")
    window.session.photos.go(20)


def in_short_cull(window: MainWindow) -> None:
    window.session.sources.open_scope(window.session.sources.scopes()[1].scope)
    window.session.photos.listing.replace(window.session.ids[:5])
    window.run("cull")


def in_compare(window: MainWindow) -> None:
    window.run("rate")
    window.run("compare")


@pytest.mark.parametrize("inspector", [False, True], ids=["", "inspector"])
@pytest.mark.parametrize("place", [in_grid, in_cull, in_compare])
@pytest.mark.parametrize("size", [(1440, 900), (1000, 700)], ids=["wide", "narrow"])
def test_nothing_moves_by_itself(
    window: MainWindow,
    place: Callable[[MainWindow], None],
    inspector: bool,
    size: tuple[int, int],
    qtbot: QtBot,
) -> None:
    window.resize(*size)
    place(window)
    if inspector:
        window.run("toggle_inspector")
    pass_time(window)
    answers: list[object] = []
    window.session.taste.learner.ask(lambda learner: True, answers.append)
    qtbot.waitUntil(lambda: bool(answers))  # what the inspector asked about the photo, too
    pass_time(window)
    found = {}
    for happens in EVENTS:
        before = places(window)
        happens(window)
        pass_time(window)
        found[happens.__name__] = moved(before, places(window))
    assert not any(found.values()), {name: said for name, said in found.items() if said}

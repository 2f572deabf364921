"""What can be opened: folders, projects, saved searches or all photos; and the position in each.

:class:`SourceController` opens a scope as it was left, stores the position in it, and adds folders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from curator import volumes
from curator.catalog import Catalog, FolderRow, absence
from curator.home import absolute
from curator.library import scopes
from curator.library.folder_lookup import locate_folders
from curator.library.scopes import Scope, ScopeRow, search_scope
from curator.library.sort_keys import in_order
from curator.model import Failure, View, path_label, read_elsewhere
from curator.session.drive_look import DriveLook
from curator.session.photo_list import PhotoList
from curator.session.services import Services
from curator.volumes import FolderLocation

_SAVE_MS = 700
_CHECK_MS = 5000  # how soon a pulled drive shows in the sidebar
_LAST = ":last"  # the catalog keeps the open scope under this key; no path equals it


class SourceController(QObject):
    """Opens scopes for one window.

    Signals:
        scope_opened: a scope was chosen; its list is about to be rebuilt.

    Thread: GUI only.
    """

    scope_opened = Signal()

    def __init__(self, services: Services, photos: PhotoList) -> None:
        super().__init__()
        self._catalog, self._settings = services.catalog, services.settings
        self._pipeline, self._messages = services.pipeline, services.messages
        self._table, self._criteria = photos.table, photos.criteria
        self._photos, self._view_state = photos, photos.view_state
        criteria, view_state = photos.criteria, photos.view_state
        self._save_timer = QTimer(self, singleShot=True, interval=_SAVE_MS)
        self._save_timer.timeout.connect(self.save_position)
        for moved in (
            photos.current_changed,
            view_state.view_changed,
            criteria.mode_changed,
            criteria.order_changed,
            criteria.filter_changed,
        ):
            moved.connect(self._save_timer.start)
        self._absent: AbsentFolders | None = None
        if services.pipeline is None:
            self._absent = AbsentFolders(services.catalog, self)
            self._absent.changed.connect(photos.counts_changed)

    # --- the sidebar

    def scopes(self) -> list[ScopeRow]:
        """Return the rows of the sidebar: all photos, folders, projects, saved searches."""
        absent = self._absent.why if self._absent is not None else None
        folders = scopes.folder_rows(self._catalog.folders.all(), self._table, absent)
        saved = in_order(self._catalog.searches.all(), lambda search: search.name)
        alive, searches = self._table.alive(), []
        for search in saved:
            found = self._photos.membership.found_by(search.expression)
            searches.append(ScopeRow(search_scope(search), 0, int((found & alive).sum())))
        return [*folders, *scopes.project_rows(self._table), *searches]

    def switched_off(self) -> list[str]:
        """Return the paths of switched-off folders whose photos this scope hides."""
        if self._criteria.scope.kind != "folder":
            return []
        table = self._table
        hidden = table.folders.inside(self._criteria.scope.key) & ~table.alive()
        where = np.unique(table.column("directory_id")[hidden & ~table.column("gone")])
        paths = [table.folders.directories.get(each, "") for each in where.tolist()]
        return [
            folder.path
            for folder in self._catalog.folders.all()
            if not folder.enabled and any(Path(path).is_relative_to(folder.path) for path in paths)
        ]

    # --- opening

    def open_last(self) -> None:
        """Open the scope that was open when the last window closed."""
        last = self._catalog.folders.position(_LAST) or {}
        wanted = str(last.get("scope", ""))
        known = (row.scope for row in self.scopes() if row.scope.key == wanted)
        self.open_scope(next(known, scopes.EVERYTHING))

    def open_scope(self, scope: Scope) -> None:
        """Open a scope as it was left the last time."""
        photos, view_state = self._photos, self._view_state
        if len(photos.listing):
            self.save_position()
        position = self._catalog.folders.position(scope.key) or {}
        photos.membership.forget_search()
        self._criteria.open(scope, position)
        photos.open()
        view_state.view, view_state.zoom = View.saved(position.get("view"), View.GRID), None
        photo = position.get("photo")
        photos.untouched = not isinstance(photo, int)
        self.scope_opened.emit()
        photos.rebuild(keep=photo if isinstance(photo, int) else None)
        photos.report_current()

    def open_sources(self, sources: Sequence[Path]) -> None:
        """Add folders, start reading them, and open the first.

        Args:
            sources: folders, or files that stand for their folders.

        Raises:
            KnownError: a source is missing or cannot be read; nothing was added.
        """
        if not sources:
            return
        self._add(sources, self._settings.scan.recursive)
        first = sources[0] if volumes.is_folder(sources[0]) else sources[0].parent
        self.open_scope(folder_scope(absolute(first)))

    def open_cards(self, paths: Sequence[Path]) -> None:
        """Add memory cards, start reading them, and open the first; a folder of it stays open.

        Raises:
            KnownError: as :meth:`open_sources`.
        """
        self._add(paths, recursive=True)
        scope, first = self._criteria.scope, absolute(paths[0])
        if not (scope.kind == "folder" and Path(scope.key).is_relative_to(first)):
            self.open_scope(folder_scope(first))

    def _add(self, sources: Sequence[Path], recursive: bool) -> None:
        if self._pipeline is None:
            raise read_elsewhere()
        self._pipeline.open_folders(sources, recursive=recursive)

    def follow_copies(self, folder: str) -> None:
        """Show the copies of the photos of this scope in place of their originals.

        Photo, mode, order, filter and view stay.

        Args:
            folder: contains the copies.
        """
        photos = self._photos
        self.save_position()
        self._criteria.scope = folder_scope(Path(folder))
        photos.follow_scope()
        photos.photos_changed.emit(set(photos.ids.tolist()))
        photos.recheck()
        photos.publish()
        photos.counts_changed.emit()
        photos.untouched = False
        self.save_position()

    # --- folders

    def folders(self, counted: bool = False) -> list[FolderRow]:
        """Return the folders by path; ``counted``: with their numbers of photos (20 ms)."""
        return self._catalog.folders.all(counted=counted)

    def enable_folder(self, folder: int, on: bool) -> None:
        """Switch a folder on or off; its photos appear or disappear.

        Raises:
            KnownError: the catalog cannot be written; nothing changed.
        """
        self._catalog.folders.enable(folder, on)
        self._table.refresh()
        self._photos.rebuild()

    def remove_folder(self, folder: int, keep_photos: bool) -> None:
        """Remove a folder from the catalog, with or without its photos; open all photos.

        Raises:
            KnownError: the catalog cannot be written; nothing changed.
        """
        self._catalog.folders.remove(folder, keep_photos=keep_photos)
        self._photos.refresh()
        self.open_scope(scopes.EVERYTHING)

    # --- photos that could not be read

    def failures(self) -> list[Failure]:
        """Return the failures by path, those to be retried automatically included."""
        return self._catalog.work.failures(later=True)

    def retry_all(self, photos: Sequence[int] | None) -> int:
        """Retry these photos that failed, or all if None; return how many.

        Without a pipeline here, the Curator that reads photos into this catalog does it.
        """
        ids = None if photos is None else list(photos)
        failures = self._catalog.work.failures(ids, later=True)
        if self._pipeline is not None:
            self._pipeline.retry(None, ids)
        else:
            self._catalog.work.retry(ids=ids)
        return len({failure.photo_id for failure in failures})

    def retry(self, photo_id: int) -> None:
        """Retry reading a photo that failed, and say so."""
        if self._messages.say_errors(lambda: self.retry_all([photo_id])):
            self._messages.say(f"Trying {self._table.name(photo_id)} again")

    # --- the position in a scope

    def save_position(self) -> None:
        """Store mode, view, order, filter and photo of this scope, if the person moved in it."""
        self._save_timer.stop()
        self._messages.attempt(self._save_position)

    def _save_position(self) -> None:
        key = self._criteria.scope.key
        if not self._photos.untouched:
            view, photo = self._view_state.resting_view, self._photos.current
            self._catalog.folders.save_position(
                key, self._criteria.stored() | {"view": view, "photo": photo}
            )
        self._catalog.folders.save_position(_LAST, {"scope": key})

    def close(self) -> None:
        """Store the position and stop the timers."""
        if self._absent is not None:
            self._absent.close()
        self.save_position()


def folder_scope(folder: Path) -> Scope:
    """Return the scope of a folder."""
    return Scope("folder", str(folder), path_label(folder))


class AbsentFolders(QObject):
    """Checks every few seconds whether folders can be reached, for a window without a pipeline.

    A pipeline records this in the catalog.

    Signals:
        changed: folders disappeared or came back.

    Attributes:
        why: why folders cannot be reached, by path; only those that cannot.

    Thread: GUI.
    """

    changed = Signal()

    def __init__(self, catalog: Catalog, parent: QObject) -> None:
        super().__init__(parent)
        self._catalog = catalog
        self.why: Mapping[str, str] = {}
        self._look = DriveLook("curator-folders", self)
        self._look.answered.connect(self._take)
        self._timer = QTimer(self, interval=_CHECK_MS)
        self._timer.timeout.connect(self._check)
        self._timer.start()
        self._check()

    def close(self) -> None:
        """Stop checking."""
        self._timer.stop()
        self._look.close()

    def _check(self) -> None:
        """Start a check, unless a check is running."""
        self._look.ask(partial(_absent, self._catalog.folders.all()))

    def _take(self, why: Mapping[str, str]) -> None:
        if why != self.why:
            self.why = why
            self.changed.emit()


def _absent(rows: Sequence[FolderRow]) -> Mapping[str, str]:
    """Return why folders cannot be reached, by path."""
    locations = locate_folders(rows)
    return {row.path: why for row in rows if (why := _absence(row, locations[row.id]))}


def _absence(row: FolderRow, location: FolderLocation | None) -> str:
    """Return why a folder cannot be reached; empty if it can."""
    if location is not None and location.path:
        return ""
    unplugged = row.volume is not None and not (location is not None and location.plugged)
    return absence(unplugged, row.volume, row.volume_name)

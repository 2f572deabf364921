"""What can be opened: folders, projects, saved searches or everything; and where one was in each.

:class:`SourceController` opens a scope as it was left, stores the place in it, and adds folders.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from curator import volumes
from curator.catalog import FolderRow
from curator.library import scopes
from curator.library.scopes import Scope, ScopeRow, of_search
from curator.library.sort_keys import in_order
from curator.model import Failure, KnownError, View
from curator.session.absent_folders import AwayFolders
from curator.session.criteria import parsed
from curator.session.photo_list import PhotoList
from curator.session.services import Services
from curator.settings import absolute

log = logging.getLogger(__name__)

_SAVE_MS = 700
_LAST = ":last"  # the place that says which scope was open; no path looks like it


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
        self._best_effort = services.best_effort
        self._table, self._criteria = photos.table, photos.criteria
        self._photos, self._view_state = photos, photos.view_state
        criteria, view_state = photos.criteria, photos.view_state
        self._save_timer = QTimer(self, singleShot=True, interval=_SAVE_MS)
        self._save_timer.timeout.connect(self.save_place)
        for moved in (
            photos.current_changed,
            view_state.view_changed,
            criteria.mode_changed,
            criteria.order_changed,
            criteria.filter_changed,
        ):
            moved.connect(self._save_timer.start)
        self._away: AwayFolders | None = None
        if services.pipeline is None:  # else the pipeline knows, and the catalog says it
            self._away = AwayFolders(services.catalog, self)
            self._away.changed.connect(photos.counts_changed)

    # --- what there is

    def scopes(self) -> list[ScopeRow]:
        """Return the rows of the sidebar: everything, folders, projects, saved searches."""
        away = self._away.why if self._away is not None else None
        folders = scopes.rows(self._catalog.folders.all(), self._table, away)
        saved = in_order(self._catalog.searches.all(), lambda search: search.name)
        alive, searches = self._table.alive(), []
        for search in saved:
            found = self._photos.matches.of_query(parsed(search.expression))
            searches.append(ScopeRow(of_search(search), 0, int((found & alive).sum())))
        return [*folders, *scopes.project_rows(self._table), *searches]

    def switched_off(self) -> list[str]:
        """Return the paths of folders that are off and have photos inside this scope."""
        if self._criteria.scope.kind != "folder":
            return []
        table = self._table
        hidden = table.folders.inside(self._criteria.scope.key) & ~table.alive()
        where = np.unique(table.column("directory_id")[hidden & ~table.column("merged_into")])
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
        rows = self.scopes()
        found = next((row.scope for row in rows if row.scope.key == wanted), rows[0].scope)
        self.open_scope(found)

    def open_scope(self, scope: Scope) -> None:
        """Open a scope as it was left the last time."""
        photos, view_state = self._photos, self._view_state
        if len(photos.listing):
            self.save_place()
        place = self._catalog.folders.position(scope.key) or {}
        photos.matches.forget()
        self._criteria.open(scope, place)
        photos.open()
        view_state.view, view_state.zoom = View(str(place.get("view", View.GRID))), None
        photo = place.get("photo")
        photos.untouched = not isinstance(photo, int)
        self.scope_opened.emit()
        photos.rebuild(keep=photo if isinstance(photo, int) else None)
        photos.arrive()

    def open_sources(self, sources: Sequence[Path]) -> None:
        """Add folders (of a file, its folder), read them, and open the first.

        Raises:
            KnownError: a source is not there or cannot be read; nothing was added.
        """
        if self._pipeline is None:
            raise KnownError(
                "Another Curator is reading photos into this catalog.", "Open the folder there."
            )
        if not sources:
            return
        self._pipeline.open_folders(sources, recursive=self._settings.scan.recursive)
        first = sources[0] if volumes.is_folder(sources[0]) else sources[0].parent
        folder = absolute(first)
        self.open_scope(Scope("folder", str(folder), folder.name or str(folder)))

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
        """Remove a folder from the catalog, and open everything else.

        Raises:
            KnownError: the catalog cannot be written; nothing changed.
        """
        self._catalog.folders.remove(folder, keep_photos=keep_photos)
        everything = self.scopes()[0].scope
        self._photos.refresh()
        self.open_scope(everything)

    # --- photos that could not be read

    def failures(self) -> list[Failure]:
        """Return what could not be read, by path, with what is tried again by itself."""
        return self._catalog.work.failures(later=True)

    def retry_all(self, photos: Sequence[int] | None) -> int:
        """Read photos again that could not be read, all if None; return their number."""
        ids = None if photos is None else list(photos)
        number = len({failure.photo_id for failure in self._catalog.work.failures(ids)})
        if self._pipeline is not None:
            self._pipeline.retry(None, ids)
        else:
            self._catalog.work.retry(ids=ids)
        return number

    def retry(self, photo_id: int) -> bool:
        """Read a photo again that could not be read; return False where nothing reads here."""
        if self._pipeline is None:
            return False
        self._pipeline.retry(None, [photo_id])
        self._messages.say(f"Trying {self._table.name(photo_id)} again")
        return True

    # --- the place in a scope

    def save_place(self) -> None:
        """Store mode, view, order, filter and photo of this scope, once anybody moved in it."""
        self._save_timer.stop()
        self._best_effort.write(self._save_place)

    def _save_place(self) -> None:
        key = self._criteria.scope.key
        if not self._photos.untouched:
            view, photo = self._view_state.resting_view, self._photos.current
            self._catalog.folders.save_position(
                key, self._criteria.stored() | {"view": view, "photo": photo}
            )
        self._catalog.folders.save_position(_LAST, {"scope": key})

    def close(self) -> None:
        """Store the place and stop the timers."""
        self._save_timer.stop()
        if self._away is not None:
            self._away.close()
        try:
            self.save_place()
        except KnownError as error:
            log.warning("The place in %s was not stored: %s", self._criteria.scope.title, error)

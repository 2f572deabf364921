"""What is put on the desk: a scope, in a pass, an order, under a filter, and where one was in it.

Between :class:`~curator.session.desk.Desk`, which makes the list, and taste.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from curator import volumes
from curator.catalog import Catalog
from curator.library import filters, scopes
from curator.library.scopes import Scope, ScopeRow, followed
from curator.library.sort_orders import ORDERS, sorted_ids
from curator.model import KnownError, Pass, View
from curator.session.absent_folders import AwayFolders
from curator.session.desk import Desk
from curator.session.listing import Listing
from curator.session.progress import Pace
from curator.settings import Home, Settings, absolute

if TYPE_CHECKING:
    from curator.pipeline import Pipeline

log = logging.getLogger(__name__)

_SAVE_PLACE_MS = 700
_LAST = ":last"  # the place that says which scope was open; no path looks like it


@dataclass(frozen=True, slots=True)
class _Left:
    """Where one was when one began to search."""

    pass_: Pass
    view: View
    finished: bool
    listing: Listing


class Opening(Desk):
    """The desk, with what can be put on it.

    Thread: GUI only.
    """

    def __init__(
        self,
        catalog: Catalog,
        home: Home,
        settings: Settings,
        pipeline: Pipeline | None = None,
    ) -> None:
        super().__init__(catalog, home, settings, pipeline)
        self._frames: dict[Pass, int] = {}
        self._left: _Left | None = None
        self._place_timer = self._timer(_SAVE_PLACE_MS, self.save_place)
        self._away: AwayFolders | None = None
        if pipeline is None:  # else that knows, and the catalog says it
            self._away = AwayFolders(catalog, self)
            self._away.changed.connect(self.counts_changed)
        self._open_first()

    def _arrive(self) -> None:
        super()._arrive()
        self._place_timer.start()

    @property
    def resting_view(self) -> View:
        """The view to come back to another time."""
        return self.view

    # --- scope

    def _follow_folders(self) -> None:
        """Stay on what is on the table while its folder comes to another path."""
        for old, new in self.table.folders.moved:
            self._expanded = {followed(k, old, new): v for k, v in self._expanded.items()}
            if self.scope.kind == "folder":
                key = followed(self.scope.key, old, new)
                title = Path(key).name if self.scope.key == old else self.scope.title
                self.scope = replace(self.scope, key=key, title=title or key)
        self.table.folders.moved.clear()
        self._look_in_scope()
        super()._follow_folders()

    def _look_in_scope(self) -> None:
        """Have photos go by the names they have in the folder on the table."""
        self.table.folders.view(self.scope.key if self.scope.kind == "folder" else "")
        self._details.clear()

    def scopes(self) -> list[ScopeRow]:
        """List what the sidebar offers: everything, the folders, their subfolders, projects."""
        away = self._away.why if self._away is not None else None
        folders = scopes.rows(self.catalog.folders.all(), self.table, away)
        return [*folders, *scopes.project_rows(self.table)]

    def switched_off(self) -> list[str]:
        """List the folders that are off and whose photos would else be seen here."""
        if self.scope.kind != "folder":
            return []
        hidden = self.table.folders.inside(self.scope.key) & ~self.table.alive()
        where = np.unique(
            self.table.column("directory_id")[hidden & ~self.table.column("merged_into")]
        )
        paths = [self.table.folders.directories.get(each, "") for each in where.tolist()]
        return [
            folder.path
            for folder in self.catalog.folders.all()
            if not folder.enabled and any(Path(path).is_relative_to(folder.path) for path in paths)
        ]

    def _open_first(self) -> None:
        last = self.catalog.folders.position(_LAST) or {}
        wanted = str(last.get("scope", ""))
        rows = self.scopes()
        found = next((row.scope for row in rows if row.scope.key == wanted), rows[0].scope)
        self.open_scope(found)

    def open_scope(self, scope: Scope) -> None:
        """Put a folder, a project, or everything on the table, as it was left the last time."""
        if len(self.listing):
            self.save_place()
        self.scope = scope
        self._look_in_scope()
        self.table.projects.open = scope.project
        place = self.catalog.folders.position(scope.key) or {}
        self.pass_ = Pass(str(place.get("pass", Pass.BROWSE)))
        self.view = View(str(place.get("view", View.GRID)))
        self.filter = str(place.get("filter", ""))
        stored = place.get("orders") or {}
        self._orders = {
            Pass(name): (str(order), bool(backwards))
            for name, (order, backwards) in dict(stored).items()  # type: ignore[call-overload]
            if order in ORDERS
        }
        opened = dict(place.get("opened_by") or {})  # type: ignore[call-overload]
        self._opened_by = {Pass(name): order for name, order in opened.items() if order in ORDERS}
        if scope.project is not None:
            self._opened_by.setdefault(Pass.BROWSE, "hand")
        self.with_elsewhere = bool(place.get("with_elsewhere"))
        self.zoom = None
        self._pace = Pace()
        photo = place.get("photo")
        self._frames = {}
        self._left = None
        self._untouched = not isinstance(photo, int)
        self.listing = self._new_list()
        self.rebuild(keep=photo if isinstance(photo, int) else None)
        self._arrive()

    def open_sources(self, sources: Sequence[Path]) -> None:
        """Add folders of photos (of a file, its folder), read them, put the first on the table.

        Raises:
            KnownError: a source is not there or cannot be read; nothing was added.
        """
        if self.pipeline is None:
            raise KnownError(
                "Another Curator is reading photos into this catalog.", "Open the folder there."
            )
        if not sources:
            return
        self.pipeline.open_folders(sources, recursive=self.settings.scan.recursive)
        first = sources[0] if volumes.is_folder(sources[0]) else sources[0].parent
        folder = absolute(first)
        self.open_scope(Scope("folder", str(folder), folder.name or str(folder)))

    def save_place(self) -> None:
        """Remember pass, view, order, filter and photo of this scope, once there is any."""
        self._place_timer.stop()
        self.kept(self._save_place)

    def _save_place(self) -> None:
        if self._untouched:
            self.catalog.folders.save_position(_LAST, {"scope": self.scope.key})
            return
        self.catalog.folders.save_position(
            self.scope.key,
            {
                "pass": self.pass_,
                "view": self.resting_view,
                "filter": self.filter,
                "photo": self.current,
                "orders": {name: list(order) for name, order in self._orders.items()},
                "opened_by": dict(self._opened_by),
                "with_elsewhere": self.with_elsewhere,
            },
        )
        self.catalog.folders.save_position(_LAST, {"scope": self.scope.key})

    def is_fresh(self) -> bool:
        """Tell whether nobody has decided anything in this scope yet."""
        judged = ~self.table.unreviewed() & ~self.table.column("elsewhere")
        return not (self._in_scope() & judged).any()

    def marked_elsewhere(self) -> int:
        """Count the scope's photos that have their verdict from a file, and nobody's here."""
        marked = self.table.column("elsewhere") & ~self.table.unreviewed()
        return int((self._in_scope() & marked).sum())

    def cull_elsewhere(self) -> None:
        """Cull the scope together with what was judged elsewhere."""
        self.with_elsewhere = True
        self._opened_by.pop(Pass.CULL, None)
        self.set_pass(Pass.CULL)

    # --- pass, view, order, filter

    def set_pass(self, pass_: Pass) -> None:
        """Browse, cull or rate the scope; a pass opens in the loupe.

        From browsing it starts at the current photo, from another pass where one last was in
        it, from its own finish page at its front.
        """
        self._untouched = False
        before, here = self.pass_, self._standing_at(pass_)
        if self.finished:
            self._opened_by.pop(before, None)  # that one is over: the next may open by another
        elif self.current is not None:
            self._frames[before] = self.current
        self.pass_ = pass_
        new = pass_ not in self._opened_by
        if new:
            self._opened_by[pass_] = self.first_order(pass_)
        self._pace = Pace()
        if self._left is not None and not (pass_ is before is self._left.pass_):
            self._left = None
        if pass_ is not Pass.BROWSE:
            self.view = View.LOUPE
            self.filter = ""  # a search is over when a pass begins: its queue is the scope's
        keep = here if Pass.BROWSE in (before, pass_) or before is pass_ else []
        if new and self._opened_by[pass_] == self.order == "match":
            keep = []  # lowest first means from the lowest on
        if before is not pass_ and pass_ in self._frames:
            keep.append(self._frames[pass_])
        fits = self._fits()
        for photo in keep:
            if fits[self.table.rows_of([photo])[0]]:
                self.rebuild(photo)
                break
        else:
            self.listing = self._new_list()
            self.rebuild()
        self._place_timer.start()

    def _standing_at(self, pass_: Pass) -> list[int]:
        """Give the photo to open a pass at: of a stack collapsed in the grid, its first that may.

        Nothing at the finish page of a pass.
        """
        if self.finished or self.current is None:
            return []
        if self.view is View.GRID and pass_ is not Pass.BROWSE:
            return self.listing.tile(self.current).tolist()
        return [self.current]

    def set_view(self, view: View) -> None:
        """Show the list as a grid or one photo in the loupe."""
        if view is View.LOUPE and self.current is None:
            self.say("There is no photo here to look at.")
            return
        self.view, self.finished = view, False
        if view is View.GRID:
            self.zoom = self.developed = None
        self._shown = None
        self.view_changed.emit()
        self._place_timer.start()

    def set_order(self, order: str, backwards: bool = False) -> None:
        """Sort the list; the choice sticks to this scope and pass."""
        self._untouched = False
        self._orders[self.pass_] = (order, backwards)
        self.listing.replace(sorted_ids(self.table, self._members(), order, backwards))
        self.list_changed.emit()
        self.view_changed.emit()
        self._place_timer.start()
        self.say(f"Sort: {ORDERS[order].title}{', reversed' if backwards else ''}")

    def set_filter(self, text: str) -> None:
        """Filter what one browses; an empty text shows the whole scope.

        Raises:
            FilterError: the text is no filter; the list stays as it is.
        """
        filters.parse(text)
        text = text.strip()
        if not text:
            self._left = None
        elif not self.filter:
            self._left = _Left(self.pass_, self.resting_view, self.finished, self.listing)
        self._untouched = self._untouched and not text
        self.filter = text
        self.pass_ = Pass.BROWSE
        self.view = View.GRID
        here = self.current
        start = here is None or not self._fits()[self.table.rows_of([here])[0]]
        # Another object: the one that was left keeps its place.
        self.listing = self._new_list() if start else copy(self.listing)
        self.rebuild(keep=None)
        self._place_timer.start()

    def leave_filter(self) -> None:
        """Take the filter off and return to the exact place where it was put on."""
        left, self._left = self._left, None
        if left is None:
            self.set_filter("")
            return
        self.filter = ""
        self.pass_, self.view, self.finished = left.pass_, left.view, left.finished
        self.listing = left.listing
        self._order_serial = -1  # what came in or changed meanwhile is taken in now
        self._settle_membership()
        self.selection_changed.emit()
        self._arrive()
        self.view_changed.emit()
        self.counts_changed.emit()

    def close(self) -> None:
        """Remember the place and stop the timers; the catalog stays open for its owner."""
        super().close()
        try:
            self.save_place()
        except KnownError as error:
            log.warning("The place in %s was not remembered: %s", self.scope.title, error)

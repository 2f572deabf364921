"""The desk photos lie on: scope, pass, view, order, filter, and the list they make.

The lower half of the session: what is to be seen. Moving and marking are the upper half, in
:mod:`curator.session.session`.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from curator.catalog import Catalog, PhotoDetail
from curator.model import Flag, KnownError, Pass, View
from curator.session import captions, filters, scopes
from curator.session.listing import Listing
from curator.session.orders import ORDERS, arranged
from curator.session.progress import Pace, Progress
from curator.session.scopes import EVERYTHING, Scope, ScopeRow
from curator.session.table import Mask, Table, Tile
from curator.settings import Home, Settings

if TYPE_CHECKING:
    from curator.pipeline import Pipeline

log = logging.getLogger(__name__)

_FIRST_ORDER = {Pass.BROWSE: "taken", Pass.CULL: "taken", Pass.RATE: "rating"}
_REFRESH_MS = 120  # results come in dozens a second; the eye wants a few updates
_OTHERS_MS = 1000  # how soon a decision made by another process shows
_SAVE_PLACE_MS = 700
_FOLDERS_MS = 5000  # how soon a pulled drive shows in the sidebar
_LAST = ":last"  # the place that says which scope was open; no path looks like it


@dataclass(frozen=True, slots=True)
class _Left:
    """Where one was when one began to search."""

    pass_: Pass
    view: View
    finished: bool
    listing: Listing


class Desk(QObject):
    """What is on the table in one window.

    Signals:
        list_changed: the list was replaced, sorted anew or has grown.
        photos_changed: set of photo ids whose tile or caption is to be drawn again.
        current_changed: another photo is current.
        selection_changed: the selection is another.
        view_changed: view, pass, zoom, order, filter, scope, finish page, panels: the chrome.
        said: one line about the last act.
        asked: name of a dialog or window act, and its argument.
        counts_changed: progress of the pass or counts in the sidebar moved.

    Thread: GUI only.
    """

    list_changed = Signal()
    photos_changed = Signal(object)
    current_changed = Signal()
    selection_changed = Signal()
    view_changed = Signal()
    said = Signal(str)
    asked = Signal(str, object)
    counts_changed = Signal()
    _looked = Signal(object)

    def __init__(
        self,
        catalog: Catalog,
        home: Home,
        settings: Settings,
        pipeline: Pipeline | None = None,
    ) -> None:
        super().__init__()
        self.catalog = catalog
        self.home = home
        self.settings = settings
        self.pipeline = pipeline
        self.table = Table(catalog)
        self.listing = Listing()
        self.scope = EVERYTHING
        self.pass_ = Pass.BROWSE
        self.view = View.GRID
        self.filter = ""
        self.finished = False
        self.zoom: float | None = None
        self.center = (0.5, 0.5)
        self.direction = 1
        self.fullscreen = self.panels_hidden = self.inspector = False
        self.surround = settings.loupe.surround
        self._orders: dict[Pass, tuple[str, bool]] = {}  # as chosen
        self._opened_by: dict[Pass, str] = {}  # as a pass opened, where nobody chose
        self._frames: dict[Pass, int] = {}
        self._pace = Pace()
        self._shown: int | None = None
        self._stale: frozenset[int] = frozenset()
        self._order_serial = self.table.order_serial
        self._own_steps: set[int] = set()
        self._announced: tuple[str, int] | None = None
        self._untouched = False
        self._left: _Left | None = None
        self._details: dict[int, PhotoDetail] = {}
        self._data_version = catalog.data_version()
        self._refresh_timer = self._timer(_REFRESH_MS, self.refresh)
        self._place_timer = self._timer(_SAVE_PLACE_MS, self.save_place)
        self._others_timer = self._timer(_OTHERS_MS, self._look_for_others, repeat=True)
        self._away: frozenset[str] = frozenset()
        self._looking: threading.Thread | None = None
        self._looked.connect(self._take_away)
        self._folders_timer = self._timer(_FOLDERS_MS, self._look_for_folders, repeat=True)
        self._look_for_folders()
        if pipeline is not None:
            pipeline.saved.connect(self._on_saved)
            pipeline.scanned.connect(self._on_scanned)
        self._open_first()

    def _timer(self, ms: int, slot: object, repeat: bool = False) -> QTimer:
        timer = QTimer(self)
        timer.setInterval(ms)
        timer.setSingleShot(not repeat)
        timer.timeout.connect(slot)
        if repeat:
            timer.start()
        return timer

    # --- the list

    @property
    def ids(self) -> np.ndarray:
        """Photo ids in list order, int64."""
        return self.listing.ids

    @property
    def index(self) -> int:
        """Position of the current photo, -1 when there is none."""
        return self.listing.index

    @property
    def current(self) -> int | None:
        """The current photo's id, or None."""
        return self.listing.current

    @property
    def selection(self) -> frozenset[int]:
        """Ids a mark in the grid acts on when there are two or more."""
        return self.listing.selection

    @property
    def order(self) -> str:
        """Name of the order of this pass, a key of ORDERS."""
        chosen = self._orders.get(self.pass_)
        return chosen[0] if chosen else self._opened_by.get(self.pass_, _FIRST_ORDER[self.pass_])

    def first_order(self, pass_: Pass) -> str:
        """Name the order a pass opens with where nobody chose one."""
        return _FIRST_ORDER[pass_]

    @property
    def reversed(self) -> bool:
        """Whether the order runs backwards."""
        return self._orders.get(self.pass_, ("", False))[1]

    @property
    def stars_advance(self) -> bool:
        """Whether stars and labels go on to the next photo (M)."""
        return self.settings.loupe.stars_advance

    def _fits(self) -> Mask:
        """Mark what belongs to the list if it were opened now."""
        mask = self._in_scope()
        if self.pass_ is Pass.CULL:
            mask &= self.table.undecided() & ~self.table.failed()
        elif self.pass_ is Pass.RATE:
            mask &= self.table.through()
        elif self.filter:
            terms = filters.parse(self.filter)
            mask &= filters.mask(terms, self.table, self.settings.taste.match_threshold)
        return mask

    def _in_scope(self) -> Mask:
        mask = self.table.alive()
        if self.scope.kind == "folder":
            mask &= self.table.inside(self.scope.key)
        return mask

    def _members(self) -> Mask:
        """Mark what is in the list."""
        mask = np.zeros(self.table.size, bool)
        mask[self.table.rows_of(self.ids)] = True
        return mask

    def rebuild(self, keep: int | None = None) -> None:
        """Open the list anew: membership, order, stale marks. ``keep`` stays or joins in."""
        mask = self._fits()
        if keep is not None and keep in self.table:
            row = self.table.rows_of([keep])[0]
            mask[row] |= self._in_scope()[row]
        before = self.current
        self.listing.replace(arranged(self.table, mask, self.order, self.reversed), keep)
        self._order_serial = self.table.order_serial
        self._stale = frozenset()
        self.finished = self.pass_ is not Pass.BROWSE and not len(self.listing)
        self.list_changed.emit()
        self.selection_changed.emit()
        if self.current != before:
            self._arrive()
        self.view_changed.emit()
        self.counts_changed.emit()

    def refresh(self) -> None:
        """Take over what the pipeline or another process changed in the catalog."""
        changed = self.table.refresh()
        if not changed and self._order_serial == self.table.order_serial:
            return
        self._forget(changed)
        self._settle_membership()
        self.photos_changed.emit(changed)
        self.counts_changed.emit()

    def _settle_membership(self) -> None:
        """Let new photos in and sort what may be sorted, without moving what one looks at."""
        if self._order_serial == self.table.order_serial and (
            self.pass_ is not Pass.BROWSE or not self.filter
        ):
            return
        self._order_serial = self.table.order_serial
        fits, alive = self._fits(), self._in_scope()
        members = self._members() & alive
        self._stale = frozenset(self.table.ids[members & ~fits].tolist())
        ordered = arranged(self.table, members | fits, self.order, self.reversed)
        was_empty, before = not len(self.listing), self.current
        if self.pass_ is Pass.BROWSE:
            # A folder just opened stays at its first photo while capture times come in.
            first = int(ordered[0]) if self._untouched and len(ordered) else None
            self.listing.replace(ordered, first)
        else:
            self.listing.join(ordered)
            self.finished = self.finished and not (was_empty and len(ordered))
        self.list_changed.emit()
        if self.current != before:
            self._arrive()

    def _on_saved(self, _: object = None) -> None:
        if not self._refresh_timer.isActive():
            self._refresh_timer.start()

    def _on_scanned(self, _: object = None) -> None:
        self.table.look_for_copies()
        self.table.order_serial += 1
        self._on_saved()

    def _look_for_others(self) -> None:
        version = self.catalog.data_version()
        if version != self._data_version:
            self._data_version = version
            self.refresh()

    def _arrive(self) -> None:
        self._shown = None
        self._announced = None
        if self.listing.selection:
            self.listing.clear_selection()
            self.selection_changed.emit()
        self.current_changed.emit()
        self._focus_pipeline()
        self._place_timer.start()

    def _focus_pipeline(self) -> None:
        if self.pipeline is None or self.view is not View.LOUPE or self.index < 0:
            return
        around = self.ids[max(self.index - 2, 0) : self.index + 10].tolist()
        here = self.ids[self.index :][:1].tolist()
        self.pipeline.focus(here + [photo_id for photo_id in around if photo_id not in here])

    # --- scope, pass, view, order, filter

    def scopes(self) -> list[ScopeRow]:
        """List what the sidebar offers: everything, the folders, their subfolders."""
        return scopes.rows(self.catalog.folders(), self.table, self._away)

    def _look_for_folders(self) -> None:
        """Find out which folders are away, beside the window: a dead drive may never answer."""
        if self._looking is not None and self._looking.is_alive():
            return
        paths = [folder.path for folder in self.catalog.folders()]

        def look() -> None:
            away = frozenset(path for path in paths if not Path(path).exists())
            with contextlib.suppress(RuntimeError):  # the window was closed meanwhile
                self._looked.emit(away)

        self._looking = threading.Thread(target=look, name="curator-folders", daemon=True)
        self._looking.start()

    def _take_away(self, away: frozenset[str]) -> None:
        if away != self._away:
            self._away = away
            self.counts_changed.emit()

    def _open_first(self) -> None:
        last = self.catalog.place(_LAST) or {}
        wanted = str(last.get("scope", ""))
        rows = self.scopes()
        found = next((row.scope for row in rows if row.scope.key == wanted), rows[0].scope)
        self.open_scope(found)

    def open_scope(self, scope: Scope) -> None:
        """Put a folder, or everything, on the table, as it was left the last time."""
        if len(self.listing):
            self.save_place()
        self.scope = scope
        place = self.catalog.place(scope.key) or {}
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
        self.zoom = None
        self._pace = Pace()
        photo = place.get("photo")
        self._frames = {}
        self._left = None
        self._untouched = not isinstance(photo, int)
        self.listing = Listing()
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
        first = sources[0] if sources[0].is_dir() else sources[0].parent
        folder = first.absolute()
        self.open_scope(Scope("folder", str(folder), folder.name or str(folder)))

    def save_place(self) -> None:
        """Remember pass, view, order, filter and photo of this scope, once there is any."""
        self._place_timer.stop()
        if self._untouched:
            self.catalog.save_place(_LAST, {"scope": self.scope.key})
            return
        self.catalog.save_place(
            self.scope.key,
            {
                "pass": self.pass_,
                "view": self.view,
                "filter": self.filter,
                "photo": self.current,
                "orders": {name: list(order) for name, order in self._orders.items()},
                "opened_by": dict(self._opened_by),
            },
        )
        self.catalog.save_place(_LAST, {"scope": self.scope.key})

    def is_fresh(self) -> bool:
        """Tell whether nobody has decided anything in this scope yet."""
        return not (self._in_scope() & ~self.table.undecided()).any()

    def set_pass(self, pass_: Pass) -> None:
        """Browse, cull or rate the scope; a pass opens in the loupe.

        From browsing it starts at the current photo, from another pass where one last was in
        it, from its own finish page at its front.
        """
        self._untouched = False
        before, here = self.pass_, self.current
        if self.finished:
            here = None
            self._opened_by.pop(before, None)  # that one is over: the next may open by another
        elif here is not None:
            self._frames[before] = here
        self.pass_ = pass_
        new = pass_ not in self._opened_by
        if new:
            self._opened_by[pass_] = self.first_order(pass_)
        self._pace = Pace()
        self._left = None
        if pass_ is not Pass.BROWSE:
            self.view = View.LOUPE
            self.filter = ""  # a search is over when a pass begins: its queue is the scope's
        keep = here if Pass.BROWSE in (before, pass_) or before is pass_ else None
        if new and self._opened_by[pass_] == self.order == "match":
            keep = None  # lowest first means from the lowest on
        fits = self._fits()
        for photo in (keep, self._frames.get(pass_) if before is not pass_ else None):
            if photo is not None and fits[self.table.rows_of([photo])[0]]:
                self.rebuild(photo)
                break
        else:
            self.listing = Listing()
            self.rebuild()
        self._place_timer.start()

    def set_view(self, view: View) -> None:
        """Show the list as a grid or one photo in the loupe."""
        if view is View.LOUPE and self.current is None:
            self.say("There is no photo here to look at.")
            return
        self.view, self.finished = view, False
        if view is View.GRID:
            self.zoom = None
        self._shown = None
        self.view_changed.emit()
        self._place_timer.start()

    def set_order(self, order: str, backwards: bool = False) -> None:
        """Sort the list; the choice sticks to this scope and pass."""
        self._orders[self.pass_] = (order, backwards)
        self.listing.replace(arranged(self.table, self._members(), order, backwards))
        self.list_changed.emit()
        self.view_changed.emit()
        self._place_timer.start()
        self.say(f"By {ORDERS[order].title.lower()}{', reversed' if backwards else ''}")

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
            self._left = _Left(self.pass_, self.view, self.finished, self.listing)
        self._untouched = self._untouched and not text
        self.filter = text
        self.pass_ = Pass.BROWSE
        self.view = View.GRID
        here = self.current
        start = here is None or not self._fits()[self.table.rows_of([here])[0]]
        # Another object: the one that was left keeps its place.
        self.listing = Listing() if start else copy(self.listing)
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

    def counts(self) -> dict[str, int]:
        """Count the scope's photos per filter, and all of them."""
        scope = self._in_scope()
        threshold = self.settings.taste.match_threshold
        return {"all": int(scope.sum())} | {
            name: int((holds(self.table, threshold) & scope).sum())
            for name, (_, holds) in filters.FILTERS.items()
        }

    def progress(self) -> Progress:
        """Say how the pass stands over its scope."""
        table = self.table
        scope = self._in_scope() & ~table.failed()
        through = scope & table.through()
        rejected = scope & table.rejected()
        rated = through & (table.column("rating") > 0)
        undecided = scope & ~through & ~rejected
        seen = undecided & table.column("seen_at").astype(bool)
        if self.view is View.LOUPE and not self.finished and self.current is not None:
            seen[table.rows_of([self.current])[0]] = False  # what one looks at is not yet passed
        total, decided = int(scope.sum()), int(through.sum() + rejected.sum())
        if self.pass_ is Pass.RATE:
            total, decided = int(through.sum()), int(rated.sum())
        return Progress(
            self.pass_,
            total,
            decided,
            int(seen.sum()),
            int((scope & table.picked()).sum()),
            int(through.sum()),
            int(rejected.sum()),
            int(through.sum() - rated.sum()),
            self._pace.seconds,
        )

    def scope_ids(self, name: str = "") -> list[int]:
        """Give the scope's photos in capture order, those of one filter if named."""
        mask = self._in_scope()
        if name:
            mask &= filters.FILTERS[name][1](self.table, self.settings.taste.match_threshold)
        return [int(photo_id) for photo_id in arranged(self.table, mask, "taken")]

    # --- one photo

    def tile(self, photo_id: int) -> Tile:
        """Gather what is drawn of one photo."""
        tile = self.table.tile(photo_id)
        rejected = tile.marks.flag is Flag.REJECT
        stale = photo_id in self._stale
        return replace(tile, struck=rejected, stale=stale) if rejected or stale else tile

    def detail(self, photo_id: int) -> PhotoDetail:
        """Give all the catalog knows of one photo."""
        if photo_id not in self._details:
            if len(self._details) > 256:
                self._details.clear()
            self._details[photo_id] = self.catalog.photo(photo_id)
        return self._details[photo_id]

    def _forget(self, changed: set[int]) -> None:
        """Let go of what was read of photos that changed."""
        for photo_id in changed:
            self._details.pop(photo_id, None)

    def caption(self, photo_id: int) -> tuple[str, str, str]:
        """Give the caption under the picture: its marks, its capture data, its files."""
        return captions.caption(self.detail(photo_id))

    def say(self, text: str) -> None:
        """Put one line into the status line."""
        self.said.emit(text)

    def ask(self, what: str, about: object = None) -> None:
        """Have the window show a dialog."""
        self.asked.emit(what, about)

    def close(self) -> None:
        """Remember the place and stop the timers; the catalog stays open for its owner."""
        for timer in self.findChildren(QTimer):
            timer.stop()
        try:
            self.save_place()
        except KnownError as error:
            log.warning("The place in %s was not remembered: %s", self.scope.title, error)

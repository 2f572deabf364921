"""The desk photos lie on: the list that scope, pass, order and filter make, and how it stands.

The ground floor of the session: what is to be seen. What is put on the desk is chosen in
:mod:`curator.session.opening`; moving and marking are in :mod:`curator.session.session`.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from curator.catalog import Catalog, PhotoDetail
from curator.library import captions, filters, table_cache
from curator.library.scopes import EVERYTHING
from curator.library.sort_orders import is_manual, sorted_ids
from curator.library.table import Mask, Tile
from curator.model import KnownError, Pass, View
from curator.session.listing import Listing, Loose
from curator.session.progress import Pace, Progress
from curator.settings import Home, Settings

if TYPE_CHECKING:
    from curator.pipeline import Pipeline

log = logging.getLogger(__name__)

_FIRST_ORDER = {Pass.BROWSE: "taken", Pass.CULL: "taken", Pass.RATE: "rating"}
_REFRESH_MS = 120  # results come in dozens a second; the eye wants a few updates
_OTHERS_MS = 1000  # how soon a decision made by another process shows


class Desk(QObject):
    """What is on the table in one window.

    Signals:
        list_changed: the list was replaced, sorted anew or has grown.
        photos_changed: set of photo ids whose tile or caption is to be drawn again.
        current_changed: another photo is current.
        stayed: a move led to the photo that is current already: it is to be seen.
        selection_changed: the selection is another.
        view_changed: view, pass, zoom, order, filter, scope, finish page, panels: the chrome.
        decided: what a person just decided, and of which photo, after it was said.
        said: one line about the last act; empty where that has outlived its place.
        lengthy: a line about what begins now and takes a moment; to be shown before it does.
        asked: name of a dialog or window act, and its argument.
        counts_changed: progress of the pass or counts in the sidebar moved.

    Attributes:
        keys: what a person presses for a command, as they read it; put in by whoever has a
            keyboard, for sentences that name a key.
        flags_stay: the preset in force leaves P and X on the photo; Shift goes to the next.
        caps_lock: the preset in force advances with Caps Lock, and it is on.

    Thread: GUI only.
    """

    keys: Mapping[str, str] = MappingProxyType({})
    flags_stay: bool = False
    caps_lock: bool = False

    list_changed = Signal()
    photos_changed = Signal(object)
    current_changed = Signal()
    stayed = Signal()
    selection_changed = Signal()
    view_changed = Signal()
    decided = Signal(str)
    said = Signal(str)
    lengthy = Signal(str)
    asked = Signal(str, object)
    counts_changed = Signal()

    def __init__(
        self,
        catalog: Catalog,
        home: Home,
        settings: Settings,
        pipeline: Pipeline | None = None,
    ) -> None:
        super().__init__()
        self.catalog = catalog
        catalog.store.interactive = True  # the window stands still while it writes
        self.home = home
        self.settings = settings
        self.pipeline = pipeline
        self.table = table_cache.open_table(catalog, home.table_file, settings.approval)
        self._expanded: dict[str, set[int]] = {}  # by scope
        self.scope = EVERYTHING
        self.pass_ = Pass.BROWSE
        self._orders: dict[Pass, tuple[str, bool]] = {}  # as chosen
        self._opened_by: dict[Pass, str] = {}  # as a pass opened, where nobody chose
        self.filter = ""
        self.listing = self._new_list()
        self._told_of = self.listing  # the list that views were told of last
        self.list_changed.connect(self._have_told)
        self.view = View.GRID
        self.finished = False
        self.with_elsewhere = False  # whether the cull asks about marks read from files, too
        self.zoom: float | None = None
        self.center = (0.5, 0.5)
        self.developed: bool | None = None  # whether R asked for the RAW; None: for nothing
        self.direction = 1
        self.fullscreen = self.panels_hidden = self.inspector = False
        self.surround = settings.loupe.surround
        self._pace = Pace()
        self._shown: int | None = None
        self._stale: frozenset[int] = frozenset()
        self._order_serial = self.table.order_serial
        self._folder_serial = self.table.folders.serial
        self._stack_serial = self.table.stacks.serial
        self._shelf_serial = self.table.projects.serial
        self._own_steps: set[int] = set()
        self._announced: tuple[str, int] | None = None
        self._said_at: tuple[object, ...] | None = None  # where one was as the last line was said
        self._stands = False  # whether that line outlives a move
        self._untouched = self._cannot_keep = self._closed = False
        self._details: dict[int, PhotoDetail] = {}
        self._data_version = catalog.store.data_version()
        self._refresh_timer = self._timer(_REFRESH_MS, self.refresh)
        # Other threads want the interpreter as soon as they are told anything; posted paints come
        # before timers, so the photo is on screen by then.
        self._after_paint = self._timer(0, self._tell_others)
        self._after_act = self._timer(0, self._note_place)  # an act may say first and move then
        self.view_changed.connect(self._outlive)
        self.current_changed.connect(self._outlive)
        self._timer(_OTHERS_MS, self._look_for_others, repeat=True)
        if pipeline is not None:
            pipeline.events.photos_saved.connect(self._on_saved)
            pipeline.events.folders_changed.connect(self._on_saved)
            pipeline.events.scan_ended.connect(self._on_scanned)

    def _timer(self, ms: int, slot: object, repeat: bool = False) -> QTimer:
        timer = QTimer(self)
        timer.setInterval(ms)
        timer.setSingleShot(not repeat)
        timer.timeout.connect(slot)
        if repeat:
            timer.start()
        return timer

    # --- the list

    def _new_list(self) -> Listing:
        """Make an empty list for this scope; which stacks are expanded stays while open."""
        # What it holds must not hold it: a collector on another thread would end its timers.
        desk = weakref.proxy(self)
        stacks = Loose(self.table.stacks, lambda: is_manual(desk.table, desk.order))
        return Listing(stacks, self._expanded.setdefault(self.scope.key, set()))

    def _have_told(self) -> None:
        self._told_of = self.listing

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
        """Whether stars and labels go to the next photo: M, or Caps Lock in some presets."""
        return self.settings.loupe.stars_advance or self.caps_lock

    @property
    def flags_advance(self) -> bool:
        """Whether P and X go to the next photo."""
        return self.stars_advance or not self.flags_stay

    @property
    def unflag_advances(self) -> bool:
        """Whether U goes to the next photo: where flags stay, and M or Caps Lock is on."""
        return self.stars_advance and self.flags_stay

    def _fits(self) -> Mask:
        """Mark what belongs to the list if it were opened now."""
        mask = self._in_scope()
        if self.pass_ is Pass.CULL:
            mask &= self._to_judge() & ~self.table.failed()
        elif self.pass_ is Pass.RATE:
            mask &= self.table.kept()
        elif self.filter:
            mask &= self._holding(self.filter)
        return mask

    def _to_judge(self) -> Mask:
        """Mark what a cull asks about: what nobody judged, here or, if one wants that, anywhere."""
        mask = self.table.unreviewed()
        return mask | self.table.column("elsewhere") if self.with_elsewhere else mask

    def _holding(self, expression: str) -> Mask:
        """Mark what an expression holds for."""
        query = filters.parse(expression)
        return filters.mask(query, self.table, self.settings.taste.match_threshold)

    def _in_scope(self) -> Mask:
        mask = self.table.alive()
        if self.scope.kind == "folder":
            mask &= self.table.folders.inside(self.scope.key)
        elif self.scope.project is not None:
            mask &= self.table.projects.inside(self.scope.project)
        return mask

    def _may_stay(self) -> Mask:
        """Mark what leaves a list only when that is opened anew: taken out of a project, say."""
        return self.table.alive() if self.scope.follows_marks else self._in_scope()

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
        self.listing.replace(sorted_ids(self.table, mask, self.order, self.reversed), keep)
        if keep is None and before is None:
            self._begin()
        self._order_serial = self.table.order_serial
        self._stack_serial = self.table.stacks.serial
        self._shelf_serial = self.table.projects.serial
        self._stale = frozenset()
        self.finished = self.pass_ is not Pass.BROWSE and not len(self.listing)
        self.list_changed.emit()
        self.selection_changed.emit()
        if self.current != before:
            self._arrive()
        self.view_changed.emit()
        self.counts_changed.emit()

    def _begin(self) -> None:
        """Begin at the first photo; in the grid at the one its first tile shows."""

    def refresh(self) -> None:
        """Take over what the pipeline or another process changed in the catalog."""
        if self._closed:
            return  # what the pipeline said before it ended may arrive later
        before = self.table.order_serial, self.table.stacks.serial
        changed = self.table.refresh()
        if self._folder_serial != self.table.folders.serial:
            self._follow_folders()
        same = self._order_serial == self.table.order_serial
        if not changed and same and self._shelf_serial == self.table.projects.serial:
            return
        self._forget(changed)
        self._come_from_elsewhere(changed)
        if before == (self._order_serial, self._stack_serial) and not self._concerns(changed):
            # Photos of other folders came: nothing here is to be sorted for them.
            self._order_serial = self.table.order_serial
            self._stack_serial = self.table.stacks.serial
        self._settle_membership()
        self.photos_changed.emit(self._with_their_stacks(changed))
        self.counts_changed.emit()

    def _concerns(self, changed: set[int]) -> bool:
        """Tell whether any of these photos is in the list, or in the scope."""
        known = [photo for photo in changed if photo in self.table]
        rows = self.table.rows_of(known)
        listed = any(photo in self.listing for photo in known)
        return listed or bool(self._in_scope()[rows].any())

    def _follow_folders(self) -> None:
        """Take note that folders went, came back, or are at another path."""
        self._folder_serial = self.table.folders.serial
        self._details.clear()
        self.photos_changed.emit(set(self.ids.tolist()))
        self.counts_changed.emit()
        self.view_changed.emit()

    def _come_from_elsewhere(self, changed: set[int]) -> None:
        """Pass on which photos the pipeline or another process changed."""

    def _settle_membership(self) -> None:
        """Let new photos in and sort what may be sorted, without moving what one looks at."""
        same = self._order_serial == self.table.order_serial
        same &= self._stack_serial == self.table.stacks.serial
        in_project = self.scope.project is not None
        same &= not in_project or self._shelf_serial == self.table.projects.serial
        self._shelf_serial = self.table.projects.serial
        searching = self.filter or self.scope.search is not None
        if same and (self.pass_ is not Pass.BROWSE or not searching):
            return
        regrouped = self._stack_serial != self.table.stacks.serial
        self._order_serial = self.table.order_serial
        self._stack_serial = self.table.stacks.serial
        was, stale = self.ids, self._stale
        fits = self._fits()
        members = self._members() & self._may_stay()
        self._stale = frozenset(self.table.ids[members & ~fits].tolist())
        ordered = sorted_ids(self.table, members | fits, self.order, self.reversed)
        was_empty, before = not len(self.listing), self.current
        if self.pass_ is Pass.BROWSE:
            # A folder just opened stays at its first photo while capture times come in.
            first = int(ordered[0]) if self._untouched and len(ordered) else None
            self.listing.replace(ordered, first)
            if first is not None:
                self._begin()
        else:
            self.listing.join(ordered)
            self.finished = self.finished and not (was_empty and len(ordered))
        another = self._told_of is not self.listing  # what is left of a search may look alike
        same = not (regrouped or was_empty or searching or another) and stale == self._stale
        if not same or not np.array_equal(was, self.ids):
            self.list_changed.emit()
        else:
            self.listing.ids = was  # the array views know the list by
        if self.current != before:
            self._arrive()

    def _regroup(self) -> None:
        """Have together what came into a stack; nothing else moves, and nothing leaves the list."""
        self._stack_serial = self.table.stacks.serial
        self.listing.gather()
        self.list_changed.emit()

    def _follow_hand(self) -> None:
        """Have photos stand where a person just placed them; none comes, none goes."""
        serial = self.table.projects.serial
        if serial == self._shelf_serial or not is_manual(self.table, self.order):
            return
        self._shelf_serial = serial
        self.listing.replace(sorted_ids(self.table, self._members(), self.order, self.reversed))
        self.list_changed.emit()

    def _with_their_stacks(self, changed: set[int]) -> set[int]:
        """Add the other frames of stacks: one frame's mark may make another the proposed one."""
        known = np.array([photo for photo in changed if photo in self.table], np.int64)
        stacks = np.unique(self.table.stacks.of(known))
        stacks = stacks[stacks > 0]
        if not len(stacks):
            return changed
        return changed | set(self.table.ids[np.isin(self.table.stacks.names, stacks)].tolist())

    def _on_saved(self, _: object = None) -> None:
        # What the pipeline said before it ended may arrive after the catalog was closed.
        if not (self._closed or self._refresh_timer.isActive()):
            self._refresh_timer.start()

    def _on_scanned(self, _: object = None) -> None:
        if self._closed:
            return
        renamed = self.table.folders.refresh_copies()
        self._forget(renamed)
        self.photos_changed.emit(renamed)
        self.table.order_serial += 1
        self._on_saved()

    def _look_for_others(self) -> None:
        version = self.catalog.store.data_version()
        if version != self._data_version:
            self._data_version = version
            self.refresh()

    def _arrive(self) -> None:
        self._shown = None
        self._announced = None
        if self.listing.selection and not self.view.side_by_side:
            self.listing.clear_selection()
            self.selection_changed.emit()
        self.current_changed.emit()
        self._after_paint.start()

    def _tell_others(self) -> None:
        """Tell other threads what a key brought about."""
        self._focus_pipeline()

    def _focus_pipeline(self) -> None:
        if self.pipeline is None or self.view is not View.LOUPE or self.index < 0:
            return
        around = self.ids[max(self.index - 2, 0) : self.index + 10].tolist()
        here = self.ids[self.index :][:1].tolist()
        self.pipeline.focus(here + [photo_id for photo_id in around if photo_id not in here])

    # --- counts

    def counts(self) -> dict[str, int]:
        """Count the scope's photos per filter, and all of them; of stacks, the stacks."""
        scope = self._in_scope()
        threshold = self.settings.taste.match_threshold
        masks = filters.filter_masks(self.table, threshold)
        found = {name: mask & scope for name, mask in masks.items()}
        stacks = {"stack": self.table.stacks.number(found["stack"])}
        return {"all": int(scope.sum())} | {n: int(m.sum()) for n, m in found.items()} | stacks

    def count_of(self, name: str) -> int:
        """Count the scope's photos of one filter."""
        holds = filters.FILTERS[name][1](self.table, self.settings.taste.match_threshold)
        return int((self._in_scope() & holds).sum())

    def progress(self) -> Progress:
        """Say how the pass stands over its scope."""
        table = self.table
        scope = self._in_scope() & ~table.failed()
        through = scope & table.kept()
        rejected = scope & table.rejected()
        if self.pass_ is Pass.CULL and self.with_elsewhere:
            through, rejected = through & ~self._to_judge(), rejected & ~self._to_judge()
        rated = through & (table.column("rating") > 0)
        unreviewed = scope & ~through & ~rejected
        seen = unreviewed & table.column("seen_at").astype(bool)
        if self.view is not View.GRID and not self.finished and self.current is not None:
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
        return [int(photo_id) for photo_id in sorted_ids(self.table, mask, "taken", units=False)]

    def clause_of(self, photo_id: int) -> str | None:
        """Return the name of the clause that approves a photo for export, None if none does."""
        threshold = self.settings.taste.match_threshold
        return filters.clause_of(self.table, threshold, photo_id)

    def approved(self) -> dict[int, str]:
        """Return the scope's approved photos by id, each with the name of its clause."""
        clauses = filters.approved(self.table, self.settings.taste.match_threshold)
        here = set(self.table.ids[self._in_scope()].tolist())
        return {photo: clause for photo, clause in clauses.items() if photo in here}

    # --- one photo

    def tile(self, photo_id: int) -> Tile:
        """Gather what is drawn of one photo."""
        return self.tiles([photo_id])[0]

    def tiles(self, photo_ids: Sequence[int]) -> list[Tile]:
        """Gather what is drawn of photos, in the same order."""
        found = self.table.tiles(photo_ids)
        if self._stale.isdisjoint(photo_ids):
            return found
        return [replace(tile, stale=True) if tile.id in self._stale else tile for tile in found]

    def detail(self, photo_id: int) -> PhotoDetail:
        """Give all the catalog knows of one photo."""
        if photo_id not in self._details:
            if len(self._details) > 256:
                self._details.clear()
            self._details[photo_id] = self._as_here(self.catalog.photos.get(photo_id))
        return self._details[photo_id]

    def _as_here(self, detail: PhotoDetail) -> PhotoDetail:
        """Name a photo by its copy in the folder that is the scope, where it has no other there."""
        here, name = (
            Path(self.table.folders.directory_of(detail.id)),
            self.table.folders.name(detail.id),
        )
        copies = (file for file in detail.files if file.role == "copy" and file.path.parent == here)
        paths = [copy.path for copy in copies if name in (copy.path.stem, copy.path.name)]
        if here == detail.path.parent or not paths:
            return detail
        return replace(detail, name=name, path=paths[0])

    def _forget(self, changed: set[int]) -> None:
        """Let go of what was read of photos that changed."""
        for photo_id in changed:
            self._details.pop(photo_id, None)

    def look_again(self, photo_ids: Sequence[int]) -> None:
        """Read photos anew of which more than their row has changed."""
        self.refresh()
        self._forget(set(photo_ids))
        self.photos_changed.emit(set(photo_ids))

    def caption(self, photo_id: int) -> tuple[str, str, str]:
        """Give the caption under the picture: its marks, its capture data, its files."""
        return captions.caption(self.detail(photo_id))

    @property
    def bare(self) -> bool:
        """Whether nothing but the picture is to be seen."""
        return self.panels_hidden or self.fullscreen

    def retry(self, photo_id: int) -> bool:
        """Read a photo that could not be read once more; False where nothing reads here."""
        if self.pipeline is None:
            return False
        self.pipeline.retry(None, [photo_id])
        self.say(f"Trying {self.table.name(photo_id)} again")
        return True

    def say(self, text: str) -> None:
        """Put a note on what was just tried here into the status line; it goes with a move."""
        self._say(text, stands=False)

    def announce(self, text: str) -> None:
        """Put an act or news into the status line; it stays with scope, pass and filter."""
        self._say(text, stands=True)

    def _say(self, text: str, *, stands: bool) -> None:
        self._said_at, self._stands = None, stands
        self._after_act.start()
        self.said.emit(text)

    def _place(self) -> tuple[object, ...]:
        """Return what the last line holds for."""
        place = self.scope.key, self.pass_, self.filter
        return place if self._stands else (*place, self.view, self.finished, self.current)

    def _note_place(self) -> None:
        self._said_at = self._place()

    def _outlive(self) -> None:
        """Blank the last line once one is somewhere it says nothing about."""
        if self._said_at not in (None, self._place()):
            self._said_at = self._announced = None
            self.said.emit("")

    def kept(self, keep: Callable[[], None]) -> None:
        """Keep a fact that nobody decided: a place, or that a photo was seen.

        Where the catalog cannot be written that is said once, until it can be: nobody asked for
        it, and what is said of a mark must not go under.
        """
        try:
            keep()
        except KnownError as error:
            log.info("not kept: %s", error)
            if not self._cannot_keep:
                self.announce(str(error))
            self._cannot_keep = True
        else:
            self._cannot_keep = False

    def ask(self, what: str, about: object = None) -> None:
        """Have the window show a dialog."""
        self.asked.emit(what, about)

    def close(self) -> None:
        """Stop the timers, for good; the catalog stays open for its owner."""
        self._closed = True
        for timer in self.findChildren(QTimer):
            timer.stop()
        table_cache.save(self.table, self.home.table_file)

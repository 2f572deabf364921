"""The photos of one window: the list its criteria select, the current photo and the selection.

Views draw the list and subscribe to its signals; the other parts of the session rebuild it after
they changed the criteria. In an open cull or rate list photos on screen do not move: new photos
join behind them. A list that is browsed is sorted again around the current photo. In both, a photo
that no longer fits stays, marked as stale, until the list is rebuilt.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence, Set
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal

from curator.catalog import Catalog, PhotoDetail
from curator.library import captions
from curator.library.scopes import Scope, moved_key
from curator.library.sort_orders import is_manual, sorted_ids
from curator.library.spans import Ids, Mask
from curator.library.table import Table, Tile
from curator.model import Marks, Pass, View, counted
from curator.session.criteria import RELEVANCE, ListCriteria
from curator.session.listing import Listing, ListStacks
from curator.session.membership import Membership
from curator.session.view_state import ViewState
from curator.settings import Settings

_DETAILS = 256  # photos whose details are cached


@dataclass(slots=True)
class _Seen:
    """The revisions of the table that the list shows; an order of -1 forces an update.

    Attributes:
        unreported: photos read into the table that no view was told of yet.
    """

    order: int
    folders: int
    stacks: int
    projects: int
    words: tuple[int, int] = (-1, -1)
    unreported: set[int] = field(default_factory=set)


class PhotoList(QObject):
    """The list of one window.

    Signals:
        list_changed: the list was replaced, sorted again or has grown.
        photos_changed(set[int]): views draw the tiles and captions of these photos again.
        current_changed: another photo is current.
        current_confirmed: a move led to the photo that is current already; views scroll to it.
        selection_changed: other photos are selected.
        counts_changed: the progress of the mode or the counts of the sidebar changed.
        rebuilt(int | None): the list was opened again, with this photo kept in it.
        refreshed(set[int]): the pipeline or another process changed these photos.

    Attributes:
        listing: the list itself.
        stacks: its stacks.
        details: the details of single photos.
        direction: 1 or -1, the direction of the last move.
        stale: ids of listed photos that no longer fit the criteria.
        untouched: whether the person has not moved yet in the open scope.
        hidden_stars: listed photos shown as if they had no stars; see `repeats`.

    Thread: GUI only.
    """

    list_changed = Signal()
    photos_changed = Signal(object)
    current_changed = Signal()
    current_confirmed = Signal()
    selection_changed = Signal()
    counts_changed = Signal()
    rebuilt = Signal(object)
    refreshed = Signal(object)

    def __init__(
        self,
        catalog: Catalog,
        table: Table,
        settings: Settings,
        criteria: ListCriteria,
        view_state: ViewState,
    ) -> None:
        super().__init__()
        self.table, self.criteria, self.view_state = table, criteria, view_state
        self.hidden_stars: set[int] = set()
        self.details = PhotoDetails(catalog, table, self.hidden_stars)
        self.membership = Membership(table, settings, criteria)
        self.stacks = ListStacks(table, criteria)
        self.listing = Listing(self.stacks)
        self.direction = 1
        self.stale: frozenset[int] = frozenset()
        self.untouched = False
        self._seen = _Seen(
            table.order_serial, table.folders.serial, table.stacks.serial, table.projects.serial
        )
        table.stacks.update_suggestions()

    def publish(self) -> None:
        """Emit the signals of the criteria and of the view state that changed."""
        self.view_state.publish(self.criteria.publish())

    # --- what is in it

    @property
    def ids(self) -> Ids:
        """Photo ids in list order, int64."""
        return self.listing.ids

    @property
    def index(self) -> int:
        """Position of the current photo, -1 if there is none."""
        return self.listing.index

    @property
    def current(self) -> int | None:
        """Id of the current photo, or None."""
        return self.listing.current

    @property
    def selection(self) -> frozenset[int]:
        """Ids a mark in the grid applies to when there are two or more."""
        return self.listing.selection

    def members(self) -> Mask:
        """Mark the photos of the list, by row of the table."""
        mask = np.zeros(self.table.size, bool)
        mask[self.table.rows_of(self.ids)] = True
        return mask

    def tiles(self, photo_ids: Sequence[int]) -> list[Tile]:
        """Return what the grid draws of photos, in the same order."""
        tiles, why = self.table.tiles(photo_ids), self.membership.reasons(photo_ids)
        if not self.stale.isdisjoint(photo_ids):
            tiles = [replace(tile, stale=True) if tile.id in self.stale else tile for tile in tiles]
        if why:
            tiles = [replace(t, found=why[t.id]) if t.id in why else t for t in tiles]
        if not self.hidden_stars.isdisjoint(photo_ids):
            hidden = self.hidden_stars
            tiles = [
                replace(tile, marks=_starless(tile.marks)) if tile.id in hidden else tile
                for tile in tiles
            ]
        return tiles

    def named(self, photo_ids: Collection[int]) -> str:
        """Return the name of a single photo, or else how many photos these are."""
        if len(photo_ids) == 1:
            return self.table.name(next(iter(photo_ids)))
        return counted(len(photo_ids), "photo")

    # --- making it

    def open(self) -> None:
        """Start an empty list for the scope just chosen, to be rebuilt."""
        self.follow_scope()
        self.table.projects.open = self.criteria.scope.project
        self.listing = Listing(self.stacks)

    def follow_scope(self) -> None:
        """Show photos under the names they have in the folder of the scope."""
        scope = self.criteria.scope
        self.table.folders.set_viewed(scope.key if scope.kind == "folder" else "")
        self.details.clear()

    def rebuild(self, keep: int | None = None) -> None:
        """Open the list again with new members, order and stale marks.

        Args:
            keep: a photo of the scope to list and make current, even if it does not fit.
        """
        self.membership.rank()
        self.rebuild_ranked(keep)
        self.rebuilt.emit(keep)

    def rebuild_ranked(self, keep: int | None) -> None:
        """Rebuild the list by the present answers of the search and of the learner."""
        table, criteria = self.table, self.criteria
        mask = self.membership.fits()
        if keep is not None and keep in table:
            row = table.rows_of([keep])[0]
            mask[row] |= self.membership.in_scope()[row]
        before = self.current
        self.hidden_stars.clear()
        self.listing.replace(sorted_ids(table, mask, criteria.order, criteria.is_reversed), keep)
        if keep is None and before is None:
            self._go_to_start()
        seen = self._seen
        seen.order, seen.stacks = table.order_serial, table.stacks.serial
        seen.projects = table.projects.serial
        self.stale = frozenset()
        self.view_state.finished = criteria.mode is not Pass.BROWSE and not len(self.listing)
        self.list_changed.emit()
        self.selection_changed.emit()
        if self.current != before:
            self.report_current()
        self.publish()
        self.counts_changed.emit()

    def detach(self, *, copied: bool) -> None:
        """Replace the list with a copy or an empty one, so that the former list can be restored."""
        self.listing = copy(self.listing) if copied else Listing(self.stacks)

    def start_over(self) -> None:
        """Rebuild the list from scratch: its first photo is current, and nothing is selected."""
        self.listing = Listing(self.stacks)
        self.rebuild()

    def restore(self, listing: Listing) -> None:
        """Restore a list that a search replaced, and update it with what changed since."""
        self.hidden_stars.clear()
        self.listing = listing
        self.recheck(replaced=True)
        self.selection_changed.emit()
        self.report_current()
        self.publish()
        self.counts_changed.emit()

    def sort(self) -> None:
        """Sort the list by the order in force; no photo joins or leaves."""
        self.untouched = False
        criteria = self.criteria
        self.hidden_stars.clear()
        self.listing.replace(
            sorted_ids(self.table, self.members(), criteria.order, criteria.is_reversed)
        )
        self.list_changed.emit()
        self.publish()

    def _go_to_start(self) -> None:
        """In the grid, go to the photo that the first tile shows."""
        if self.view_state.view is View.GRID and len(self.listing):
            span = self.listing.tiles[0]
            cover = self.stacks.cover(self.ids[span.start : span.stop])
            self.listing.go(self.listing.position(cover) or 0)

    # --- following changes

    def refresh(self, folders: bool = True) -> None:
        """Take over what the pipeline or another process changed in the catalog.

        Args:
            folders: whether to read the list of folders, too, as :meth:`Table.refresh`.
        """
        self.read_changes(folders)
        self.follow_changes()

    def read_changes(self, folders: bool = True, at_most: int | None = None) -> bool:
        """Read changed photos into the table; the list follows with :meth:`follow_changes`.

        In between, photos may be painted.

        Args:
            folders: whether to read the list of folders, too, as :meth:`Table.refresh`.
            at_most: how many changed photos to read, as :meth:`Table.refresh`.

        Returns:
            Whether there may be more changed photos than were read.
        """
        table, seen = self.table, self._seen
        before = table.order_serial, table.stacks.serial
        changed = self._read(folders, at_most)
        if before == (seen.order, seen.stacks):
            known = table.known_ids(changed)
            if not (len(self.listing.positions(known)) or self.membership.may_be_in_scope(known)):
                # Only photos of other folders changed: this list need not be sorted.
                seen.order, seen.stacks = table.order_serial, table.stacks.serial
        return at_most is not None and len(changed) >= at_most

    def _read(
        self, folders: bool, at_most: int | None = None, own: Set[int] = frozenset()
    ) -> set[int]:
        """Read changed photos into the table; return them. Views are told later of all but own."""
        changed = self.table.refresh(folders, at_most)
        self._seen.unreported |= changed - own
        self.details.forget(changed)
        self.table.stacks.update_suggestions()
        return changed

    def follow_changes(self) -> None:
        """Update the list with what was read, and report it."""
        table, seen = self.table, self._seen
        changed = seen.unreported
        if seen.folders != table.folders.serial:
            self._follow_folders()
        if self.criteria.mode is not Pass.BROWSE:
            known = table.known_ids(changed).tolist()
            unlisted = [photo for photo in known if photo not in self.listing]
            may_join = unlisted and self.membership.may_be_in_scope(np.array(unlisted))
            if may_join and self.membership.first_fitting(unlisted) is not None:
                seen.order = -1  # it joins: a reject taken back, a file that can be read now
        same = seen.order == table.order_serial and seen.projects == table.projects.serial
        if changed or not same:
            self._update()
            seen.unreported = set()
            self.photos_changed.emit(self.stacks.with_frames(changed))
            self.counts_changed.emit()
            self.refreshed.emit(changed)
        # Words that were read since may let photos join a search.
        if self.criteria.query.groups and seen.words != table.text_matches.rev:
            self.note_words()
            self.recheck()
            self.counts_changed.emit()

    def note_words(self) -> None:
        """Note that the list is up to date with the words of photos read so far."""
        self._seen.words = self.table.text_matches.rev

    def _follow_folders(self) -> None:
        """React to folders that disappeared, came back or moved; stay in one that moved."""
        criteria, table = self.criteria, self.table
        for old, new in table.folders.moved:
            self.stacks.follow_folder(old, new)
            if criteria.scope.kind == "folder":
                criteria.scope = _moved(criteria.scope, old, new)
        table.folders.moved.clear()
        self.follow_scope()
        self._seen.folders = table.folders.serial
        self._seen.order = -1  # photos may fit, or be missing, that were not before
        self.photos_changed.emit(set(self.ids.tolist()))
        self.counts_changed.emit()
        self.publish()

    def recheck(self, *, replaced: bool = False) -> None:
        """Check again which photos belong to the list, although the table did not change.

        Args:
            replaced: whether the list was replaced; views then update even if it looks the same.
        """
        self._seen.order = -1
        self._update(replaced)

    def _update(self, replaced: bool = False) -> None:
        """Add new photos to the list and, while browsing, sort it; the current photo stays."""
        table, criteria, seen = self.table, self.criteria, self._seen
        if criteria.order == RELEVANCE:
            self.membership.rank()
        is_current = seen.order == table.order_serial and seen.stacks == table.stacks.serial
        if criteria.scope.project is not None:
            is_current = is_current and seen.projects == table.projects.serial
        searching = criteria.is_searching
        if is_current and not (searching and criteria.mode is Pass.BROWSE):
            seen.projects = table.projects.serial
            return
        regrouped = seen.stacks != table.stacks.serial
        was, stale, before = self.ids, self.stale, self.current
        was_empty = not len(self.listing)
        self._update_members()
        seen.order, seen.stacks = table.order_serial, table.stacks.serial
        seen.projects = table.projects.serial
        must_redraw = regrouped or was_empty or searching or replaced or stale != self.stale
        if must_redraw or not np.array_equal(was, self.ids):
            self.list_changed.emit()
        else:
            self.listing.ids = was  # views know the list by this array
        if self.current != before:
            self.report_current()
        self.publish()

    def _update_members(self) -> None:
        """Add the photos that fit now, and mark as stale those that no longer fit."""
        criteria, was_empty = self.criteria, not len(self.listing)
        fits = self.membership.fits()
        members = self.members() & self.membership.may_stay()
        self.stale = frozenset(self.table.ids[members & ~fits].tolist())
        ordered = sorted_ids(self.table, members | fits, criteria.order, criteria.is_reversed)
        if criteria.mode is Pass.BROWSE:
            # A folder just opened stays at its first photo while capture times arrive.
            first = int(ordered[0]) if self.untouched and len(ordered) else None
            self.listing.replace(ordered, first)
            if first is not None:
                self._go_to_start()
        else:
            self.listing.join(ordered, self.hidden_stars)
            goes_on = was_empty and len(ordered)
            finished = self.view_state.finished and not goes_on
            self.view_state.finished = finished or not len(self.listing)

    def follow_marks(self, changed: set[int], stacked: Set[int]) -> set[int]:
        """Update the list after a step of the person.

        Args:
            changed: the photos that the step is about.
            stacked: those among them that the person stacked, or took out of their stacks.

        Returns:
            All photos that changed.
        """
        table, criteria, seen = self.table, self.criteria, self._seen
        read = self._read(folders=False, own=changed)
        self.details.forget(changed)
        if criteria.mode is Pass.BROWSE and (criteria.filter or criteria.scope.follows_marks):
            fits = self.membership.fits()[table.rows_of(self.ids)]
            self.stale = frozenset(self.ids[~fits].tolist())
        if stacked:
            self.listing.gather(stacked)
            self.list_changed.emit()
        if seen.unreported:  # the pipeline or another process changed photos, too
            self.follow_changes()
        elif not stacked and seen.stacks != table.stacks.serial:  # and stacked the marked ones
            self._update()
        seen.stacks = table.stacks.serial
        self._move_in_project()
        self.photos_changed.emit(self.stacks.with_frames(changed))
        self.counts_changed.emit()
        return changed | read

    def _move_in_project(self) -> None:
        """Move photos to where the person just moved them in a project, and no others."""
        table, criteria, serial = self.table, self.criteria, self.table.projects.serial
        if serial != self._seen.projects and is_manual(table, criteria.order):
            self._seen.projects = serial
            ordered = sorted_ids(table, self.members(), criteria.order, criteria.is_reversed)
            self.listing.replace(ordered)
            self.list_changed.emit()

    # --- the current photo

    def go(self, index: int) -> None:
        """Make the photo at a position current."""
        self.untouched = False
        before = self.index
        if self.listing.go(index):
            self.direction = 1 if self.index > before else -1
            self.report_current()
        else:
            self.current_confirmed.emit()

    def go_to_first(self) -> None:
        """Make the first photo current."""
        if self.listing.go(0):
            self.report_current()

    def make_current(self, photo_id: int) -> bool:
        """Make a photo current, not as a person's move; return whether another was current."""
        position = self.listing.position(photo_id)
        moved = position is not None and self.listing.go(position)
        if moved:
            self.report_current()
        return moved

    def report_current(self) -> None:
        """Report that another photo is current, and clear the selection."""
        if self.selection and not self.view_state.view.side_by_side:
            self.clear_selection()
        self.current_changed.emit()

    # --- the selection

    def select_only(self, photo_id: int) -> None:
        """Select one photo and make it current."""
        self._select(self.listing.select_only, photo_id)

    def toggle_selected(self, photo_id: int) -> None:
        """Add a photo's tile to the selection, or remove it."""
        self._select(self.listing.toggle, photo_id)

    def select_range(self, photo_id: int) -> None:
        """Select all photos between the one clicked last and this one."""
        self._select(self.listing.select_range, photo_id)

    def select_all(self) -> None:
        """Select the whole list."""
        self.listing.select_all()
        self.selection_changed.emit()

    def clear_selection(self) -> None:
        """Select nothing but the current photo."""
        self.listing.clear_selection()
        self.selection_changed.emit()

    def _select(self, select: Callable[[int], None], photo_id: int) -> None:
        self.untouched = False
        before = self.current
        select(photo_id)
        self.selection_changed.emit()
        if self.current != before:
            self.current_changed.emit()

    def expand(self, photo_id: int) -> bool:
        """Expand a photo's stack in the grid, or collapse it; return whether it is expanded."""
        self.untouched = False
        expanded = self.listing.expand(photo_id)
        self.list_changed.emit()
        self.selection_changed.emit()
        return expanded


def _starless(marks: Marks) -> Marks:
    return replace(marks, rating=None)


def _moved(scope: Scope, old: str, new: str) -> Scope:
    """Return the scope of a folder in, or equal to, a folder that moved from ``old``."""
    key = moved_key(scope.key, old, new)
    title = Path(key).name if scope.key == old else scope.title
    return replace(scope, key=key, title=title or key)


class PhotoDetails:
    """Reads the details of photos for the loupe, the inspector and captions.

    Thread: GUI only; a photo that is not cached costs a read of the catalog.
    """

    def __init__(self, catalog: Catalog, table: Table, hidden_stars: Set[int]) -> None:
        self._catalog, self._table, self._hidden_stars = catalog, table, hidden_stars
        self._cached: dict[int, PhotoDetail] = {}
        self._captions: dict[int, tuple[str, str, str]] = {}

    def of(self, photo_id: int) -> PhotoDetail:
        """Return the details of a photo, from the cache if possible."""
        if photo_id not in self._cached:
            if len(self._cached) > _DETAILS:
                self.clear()
            self._cached[photo_id] = self._named_here(self._catalog.photos.get(photo_id))
        found = self._cached[photo_id]
        if photo_id in self._hidden_stars:
            return replace(found, marks=_starless(found.marks))
        return found

    def caption(self, photo_id: int) -> tuple[str, str, str]:
        """Return the caption below a photo (:func:`curator.library.captions.caption`)."""
        detail = self.of(photo_id)
        if photo_id in self._hidden_stars:
            return captions.caption(detail)
        if photo_id not in self._captions:
            self._captions[photo_id] = captions.caption(detail)
        return self._captions[photo_id]

    def marks_of(self, photo_ids: Sequence[int]) -> list[Marks]:
        """Return the marks of photos as they are shown, in the same order."""
        hidden, found = self._hidden_stars, self._table.marks_of(photo_ids)
        if hidden.isdisjoint(photo_ids):
            return found
        pairs = zip(photo_ids, found, strict=True)
        return [_starless(marks) if photo in hidden else marks for photo, marks in pairs]

    def _named_here(self, detail: PhotoDetail) -> PhotoDetail:
        """Name a photo by its copy if the scope is a folder with only a copy of it."""
        folders = self._table.folders
        here, name = Path(folders.directory_of(detail.id)), folders.name(detail.id)
        copies = (file for file in detail.files if file.role == "copy" and file.path.parent == here)
        paths = [copy.path for copy in copies if name in (copy.path.stem, copy.path.name)]
        if here == detail.path.parent or not paths:
            return detail
        return replace(detail, name=name, path=paths[0])

    def forget(self, photo_ids: Iterable[int]) -> None:
        """Drop the details of photos that changed."""
        for photo_id in photo_ids:
            self._cached.pop(photo_id, None)
            self._captions.pop(photo_id, None)

    def clear(self) -> None:
        """Drop all details."""
        self._cached.clear()
        self._captions.clear()

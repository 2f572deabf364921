"""Projects: the current one, adding photos to it, and its custom order.

Membership is a decision like any mark and can be undone. The name, notes and cover of a project are
facts of the project, not of a photo; they are written at once and not undone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from curator.catalog import ProjectRow
from curator.library import filters
from curator.library.scopes import EVERYTHING, of_project
from curator.library.spans import Ids
from curator.model import KnownError, Pass, counted
from curator.session.decisions import DecisionController, StepText
from curator.session.photo_list import PhotoList
from curator.session.services import Services
from curator.session.sources import SourceController
from curator.session.stacks import StackController
from curator.session.statistics import ScopeStatistics

_PLACE = ":project"  # where the catalog keeps which project is current; no path looks like it
_CLOSEST = 1e-6  # positions closer than this are renumbered


class ProjectController(QObject):
    """Chooses and changes projects in one window.

    Signals:
        changed: another project is current, or facts of a project changed.

    Thread: GUI only.
    """

    changed = Signal()

    def __init__(
        self,
        services: Services,
        photos: PhotoList,
        sources: SourceController,
        statistics: ScopeStatistics,
        stacks: StackController,
        decisions: DecisionController,
    ) -> None:
        super().__init__()
        self._catalog, self._messages = services.catalog, services.messages
        self._preferences, self._requests = services.preferences, services.requests
        self._best_effort = services.best_effort
        self._table, self._criteria = photos.table, photos.criteria
        self._photos, self._sources, self._statistics = photos, sources, statistics
        self._stacks, self._decisions = stacks, decisions
        catalog, table, criteria = services.catalog, photos.table, photos.criteria
        self._scope = criteria.scope.key
        kept = (catalog.folders.position(_PLACE) or {}).get("project")
        self._current = kept if isinstance(kept, int) else criteria.scope.project
        self._serial = table.projects.serial
        criteria.scope_changed.connect(self._follow_scope)
        photos.counts_changed.connect(self._follow_index)

    # --- the projects

    @property
    def current(self) -> ProjectRow | None:
        """The project that B adds photos to; None if none was chosen, or it was removed."""
        return self._table.projects.row(self._current)

    @property
    def open(self) -> ProjectRow | None:
        """The project that is the scope; None if something else is."""
        return self._table.projects.row(self._criteria.scope.project)

    def rows(self) -> tuple[ProjectRow, ...]:
        """Return the projects by name."""
        return self._table.projects.rows

    def members(self, project: int) -> list[int]:
        """Return the photos of a project, in its custom order."""
        return self._catalog.projects.members(project)

    def counts(self) -> dict[int, tuple[int, int]]:
        """Return the number of visible photos, and of approved ones, by project."""
        table = self._table
        threshold = self._preferences.settings.taste.match_threshold
        alive = table.alive()
        approved = filters.FILTERS["approved"][1](table, threshold) & alive
        found = {}
        for row in self.rows():
            ids = table.projects.ids(row.id)
            rows = table.rows_of(ids[table.knows(ids)])
            found[row.id] = int(alive[rows].sum()), int(approved[rows].sum())
        return found

    def cover(self, row: ProjectRow) -> int | None:
        """Return a project's cover: the chosen photo or else the first; None if it is empty.

        Photos that are hidden or were removed from the project are never the cover.
        """
        table = self._table
        ids = table.projects.ids(row.id)
        ids = ids[table.knows(ids)]
        ids = ids[table.alive()[table.rows_of(ids)]]
        if row.cover is not None and (ids == row.cover).any():
            return row.cover
        return int(ids[0]) if len(ids) else None

    def named(self, text: str) -> list[ProjectRow]:
        """Return projects whose names contain a text: at the start, at a word, anywhere."""
        wanted = " ".join(text.split()).casefold()
        found: list[tuple[bool, int, int, ProjectRow]] = []
        for place, row in enumerate(self.rows()):
            name = row.name.casefold()
            if wanted in name:
                kind = 0 if name.startswith(wanted) else 1 if f" {wanted}" in name else 2
                found.append((name != wanted, kind, place, row))
        return [row for *_, row in sorted(found, key=lambda each: each[:3])]

    def free_name(self, wanted: str) -> str:
        """Return a name no project has: the one wanted, else with a number appended."""
        taken = {row.name.casefold() for row in self.rows()}
        number, name = 1, wanted
        while name.casefold() in taken:
            number += 1
            name = f"{wanted} {number}"
        return name

    # --- choosing

    def choose(self, project: int) -> None:
        """Make a project current: B adds photos to it."""
        self._current = project
        self._catalog.folders.save_position(_PLACE, {"project": project})
        self.changed.emit()
        row = self.current
        key = self._preferences.keys.get("toggle_project")
        if row is not None:
            adds = f" · {key} adds a photo, and takes it out" if key else ""
            self._messages.say(f"Project {row.name}{adds}")

    def make(self, name: str) -> int:
        """Create a project and make it current; return its id.

        Raises:
            UsageError: the name is empty, or taken.
        """
        project = self._catalog.projects.create(name)
        self._refresh()
        self.choose(project)
        return project

    def open_scope(self, project: int) -> None:
        """Open a project as the scope."""
        row = self._table.projects.row(project)
        if row is not None:
            self._sources.open_scope(of_project(row))

    # --- photos in and out

    def toggle(self) -> None:
        """Add the photo or the selection to the current project; remove it if all is there."""
        row, photos = self.current, self._stacks.targets()
        if not photos:
            self._messages.say("There is no photo here.")
        elif row is None:
            self._requests.add_to_project_requested.emit()
        elif self._table.projects.has(row.id, photos).all():
            out = dict.fromkeys(photos)
            self._decide(row, out, f"take out of {row.name}", lambda what: f"Took {what} out of")
        else:
            self.add(row.id, photos)

    def add(self, project: int, photos: Sequence[int], *, on_screen: bool = True) -> None:
        """Add photos to a project; one that was in it before returns to its old position.

        Args:
            project: its id.
            photos: their ids, in the order to add them.
            on_screen: whether these are the photos a mark would apply to.
        """
        shelf = self._table.projects
        row = shelf.row(project)
        if row is None:
            return
        ids = np.asarray(photos, np.int64)
        ids = ids[~shelf.has(project, ids)]
        places = shelf.places(project, ids)
        new = np.isnan(places)
        places[new] = shelf.last_place(project) + 1 + np.arange(int(new.sum()))
        changes = dict(zip(ids.tolist(), places.tolist(), strict=True))
        act = f"add to {row.name}"
        self._decide(row, changes, act, lambda what: f"Added {what} to", on_screen=on_screen)

    def starred(self) -> list[int]:
        """Return the kept photos of the scope with four or five stars, by capture time."""
        ids = np.asarray(self._statistics.scope_ids("kept"), np.int64)
        rating = self._table.column("rating")[self._table.rows_of(ids)]
        return [int(photo) for photo in ids[rating >= 4]]

    def _decide(
        self,
        row: ProjectRow,
        places: Mapping[int, float | None],
        act: str,
        said: Callable[[str], str],
        *,
        on_screen: bool = True,
    ) -> None:
        """Decide positions in a project as one step; ``said`` starts the sentence about it."""
        if not places:
            return
        ids = list(places)
        what = self._table.name(ids[0]) if len(ids) == 1 else f"{len(ids):,} photos"
        text = StepText(what, f"{said(what)} {row.name}")
        field = ("project", row.id)
        changes: dict[int, dict[str | tuple[str, int], object]] = {
            photo: {field: place} for photo, place in places.items()
        }
        if on_screen:
            self._decisions.mark(act, changes, advance=False, text=text)
        else:
            self._decisions.decide(act, changes, text)

    # --- custom order

    def why_fixed(self) -> str:
        """Return why photos cannot be moved now; empty if they can."""
        if self.open is None:
            return "Photos are moved by hand in a project: open one in the sidebar."
        if self._criteria.mode is not Pass.BROWSE:
            return "A pass keeps its order; photos are moved while one browses the project."
        if self._criteria.order != "hand" or self._criteria.is_reversed:
            key = self._preferences.keys.get("order")
            return f"Photos are moved in the order by hand{f' ({key})' if key else ''}."
        return ""

    def shift(self, by: int) -> None:
        """Move the selection or the current photo one position on, with ``by`` below 0 back."""
        if self._is_refused():
            return
        photos = self._stacks.targets()
        places = sorted(self._photos.listing.position(photo) or 0 for photo in photos)
        ids = self._photos.ids
        if not places:
            return
        if by < 0:
            before = max(places[0] - 1, 0)
        else:
            before = places[-1] + 2
            if places == list(range(places[0], len(ids))):
                before = places[0]  # at the end already
        self.move(photos, int(ids[before]) if before < len(ids) else None)

    def shift_to_end(self, way: int) -> None:
        """Move the selection or the current photo to the end, with ``way`` below 0 to the front."""
        if not self._is_refused() and self._stacks.targets():
            front = int(self._photos.ids[0]) if way < 0 else None
            self.move(self._stacks.targets(), front)

    def move(self, photos: Collection[int], before: int | None) -> None:
        """Move photos of the open project in front of another (None: to the end) as one step."""
        row = self.open
        if row is None or self._is_refused():
            return
        ids, places = self._renumbered(row.id, np.array(sorted(photos), np.int64), before)
        if not len(ids):
            self._messages.say(
                "Already in that position." if len(photos) == 1 else "Already in that order."
            )
            return
        changes = dict(zip(ids.tolist(), places.tolist(), strict=True))
        moved = {photo: changes[photo] for photo in photos if photo in changes} or changes
        what = {**moved, **changes}  # the moved ones first: the sentence is about them
        self._decide_move(row, what, len(moved))

    def _decide_move(self, row: ProjectRow, places: Mapping[int, float | None], moved: int) -> None:
        first = self._table.name(next(iter(places)))
        what = first if moved == 1 else counted(moved, "photo")
        self._decide(
            row, places, f"move in {row.name}", lambda _: f"Moved {what} in", on_screen=False
        )

    def _is_refused(self) -> bool:
        reason = self.why_fixed()
        if reason:
            self._messages.say(reason)
        return bool(reason)

    def _renumbered(
        self, project: int, photos: Ids, before: int | None
    ) -> tuple[Ids, NDArray[np.float64]]:
        """Compute new positions: (ids, positions) of the photos that change; empty if none does."""
        shelf = self._table.projects
        order = shelf.ids(project)
        moving = np.isin(order, photos)
        block, rest = order[moving], order[~moving]
        stand = shelf.places(project, rest)
        at = len(rest)
        if before is not None:
            found = np.flatnonzero(rest == before)
            if len(found):
                at = int(found[0])
            else:  # it is one of those moved: they gather where it is
                (place,) = shelf.places(project, [before])
                at = int(np.searchsorted(stand, place))
        after = np.concatenate([rest[:at], block, rest[at:]])
        if not len(block) or np.array_equal(after, order):
            return order[:0], stand[:0]
        count = len(block)
        low = stand[at - 1] if at else stand[0] - count - 1
        high = stand[at] if at < len(rest) else low + count + 1
        if not at:
            low = high - count - 1
        if high - low < _CLOSEST * (count + 1):
            dealt = np.arange(1.0, len(after) + 1)
            changed = shelf.places(project, after) != dealt
            return after[changed], dealt[changed]
        return block, np.linspace(low, high, count + 2)[1:-1]

    # --- facts of a project

    def rename(self, project: int, name: str) -> None:
        """Rename a project.

        Raises:
            UsageError: the name is empty, or taken; nothing was changed.
        """
        self._catalog.projects.rename(project, name)
        self._refresh()

    def write_notes(self, project: int, notes: str) -> None:
        """Replace a project's notes."""
        self._catalog.projects.set_notes(project, notes)
        self._refresh()

    def make_cover(self) -> None:
        """Make the current photo the cover of the open project, else of the current one.

        Raises:
            KnownError: there is none, or the photo is not in it.
        """
        row, photo = self.open or self.current, self._photos.current
        if row is None:
            raise KnownError("No project is chosen yet.")
        if photo is None or not self._table.projects.has(row.id, [photo])[0]:
            raise KnownError(f"Only a photo of {row.name} can be its cover.")
        self._catalog.projects.set_cover(row.id, photo)
        self._refresh()
        self._messages.say(f"{self._table.name(photo)} is the cover of {row.name}")

    def remove(self, project: int) -> None:
        """Remove a project; its photos stay in the catalog, and it can be restored."""
        self._catalog.projects.remove(project)
        self._refresh()

    def restore(self, project: int) -> None:
        """Restore a removed project.

        Raises:
            UsageError: another has its name by now; nothing was changed.
        """
        self._catalog.projects.restore(project)
        self._refresh()

    # --- following

    def _refresh(self) -> None:
        self._table.projects.refresh()
        self._photos.counts_changed.emit()  # which :meth:`_follow_index` follows

    def _follow_scope(self) -> None:
        """Make a project current when it is opened."""
        scope = self._criteria.scope
        if scope.key != self._scope:
            self._scope = scope.key
            if scope.project is not None and scope.project != self._current:
                self._current = scope.project
                place: dict[str, object] = {"project": scope.project}
                self._best_effort.write(lambda: self._catalog.folders.save_position(_PLACE, place))
                self.changed.emit()

    def _follow_index(self) -> None:
        """Follow changes of projects, here or in another window: renamed, removed."""
        serial = self._table.projects.serial
        if serial == self._serial:
            return
        self._serial = serial
        scope = self._criteria.scope
        if scope.project is not None:
            row = self.open
            if row is None:
                self._sources.open_scope(EVERYTHING)
                self._messages.say(f"The project {scope.title} was removed")
            elif row.name != scope.title:
                self._criteria.scope = of_project(row)
                self._photos.publish()
        self.changed.emit()

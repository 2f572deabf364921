"""Projects: the current one, adding photos to it, and its custom order.

Adding a photo to a project, removing it and moving it are decisions like any mark and can be
undone. The name, notes and cover belong to the project, not to a photo; changing them is no undo
step.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from curator.catalog import ProjectRow
from curator.library import filters
from curator.library.scopes import EVERYTHING, project_scope
from curator.library.spans import Ids
from curator.model import Field, KnownError, Pass
from curator.session.decisions import DecisionController, StepText
from curator.session.photo_list import PhotoList
from curator.session.services import Services
from curator.session.sources import SourceController
from curator.session.stacks import StackController
from curator.session.statistics import ScopeStatistics

_POSITION = ":project"  # the catalog keeps the current project under this key; no path equals it
_CLOSEST = 1e-6  # photos are renumbered when positions would get closer than this


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
        self._table, self._criteria = photos.table, photos.criteria
        self._photos, self._sources, self._statistics = photos, sources, statistics
        self._stacks, self._decisions = stacks, decisions
        catalog, table, criteria = services.catalog, photos.table, photos.criteria
        self._scope = criteria.scope.key
        stored = (catalog.folders.position(_POSITION) or {}).get("project")
        self._current = stored if isinstance(stored, int) else criteria.scope.project
        self._serial = table.projects.serial
        criteria.scope_changed.connect(self._follow_scope)
        photos.counts_changed.connect(self._follow_index)

    # --- the projects

    @property
    def current(self) -> ProjectRow | None:
        """The project that B adds photos to; None if none was chosen or it was removed."""
        return self._table.projects.row(self._current)

    @property
    def open(self) -> ProjectRow | None:
        """The project that is the scope; None if something else is."""
        return self._table.projects.row(self._criteria.scope.project)

    def rows(self) -> tuple[ProjectRow, ...]:
        """Return the projects, by name."""
        return self._table.projects.rows

    def members(self, project: int) -> list[int]:
        """Return the photos of a project, in its custom order."""
        return self._catalog.projects.members(project)

    def counts(self) -> dict[int, tuple[int, int]]:
        """Return the numbers of visible photos and of approved photos, by project."""
        table = self._table
        threshold = self._preferences.settings.taste.match_threshold
        alive = table.alive()
        approved = filters.FILTERS["approved"].mask(table, threshold) & alive
        found = {}
        for row in self.rows():
            rows = table.rows.rows_of_known(table.projects.ids(row.id))
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
        """Return projects whose names contain a text: equal, at the start, at a word, anywhere."""
        wanted = " ".join(text.split()).casefold()

        def rank(row: ProjectRow) -> int:
            name = row.name.casefold()
            tests = (name == wanted, name.startswith(wanted), f" {wanted}" in name, wanted in name)
            return tests.index(True)

        return sorted((row for row in self.rows() if wanted in row.name.casefold()), key=rank)

    def free_name(self, wanted: str) -> str:
        """Return a name that no project has: the wanted name, if taken with a number."""
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
        self._catalog.folders.save_position(_POSITION, {"project": project})
        self.changed.emit()
        row = self.current
        key = self._preferences.keys.get("toggle_project")
        if row is not None:
            adds = f" · {key} adds a photo, or removes it" if key else ""
            self._messages.say(f"Project {row.name}{adds}")

    def create(self, name: str) -> int:
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
            self._sources.open_scope(project_scope(row))

    # --- photos in and out

    def toggle(self) -> None:
        """Add the photo or the selection to the current project; remove it if all is there."""
        row, photos = self.current, self._stacks.targets()
        if not photos:
            self._messages.say("There is no photo here.")
        elif row is None:
            self._requests.add_to_project_requested.emit()
        elif self._table.projects.has(row.id, photos).all():
            act = f"remove from {row.name}"
            self._decide(row, dict.fromkeys(photos), act, lambda what: f"Removed {what} from")
        else:
            self.add(row.id, photos)

    def add(self, project: int, photos: Sequence[int], *, on_screen: bool = True) -> None:
        """Add photos to a project; a photo that this window saw in it returns to its old position.

        Args:
            project: its id.
            photos: their ids, in the order to add them.
            on_screen: whether these are the photos a mark would apply to.
        """
        index = self._table.projects
        row = index.row(project)
        if row is None:
            return
        ids = np.asarray(photos, np.int64)
        ids = ids[~index.has(project, ids)]
        positions = index.positions(project, ids)
        new = np.isnan(positions)
        positions[new] = index.last_position(project) + 1 + np.arange(int(new.sum()))
        changes = dict(zip(ids.tolist(), positions.tolist(), strict=True))
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
        positions: Mapping[int, float | None],
        act: str,
        begin: Callable[[str], str],
        *,
        on_screen: bool = True,
    ) -> None:
        """Decide positions in a project as one step; None removes a photo.

        ``begin`` makes the start of the sentence about the step, from the photos' name.
        """
        if not positions:
            return
        what = self._photos.named(positions)
        text = StepText(what, f"{begin(what)} {row.name}")
        changes: dict[int, dict[Field, object]] = {
            photo: {("project", row.id): position} for photo, position in positions.items()
        }
        if on_screen:
            self._decisions.mark(act, changes, advance=False, text=text)
        else:
            self._decisions.decide(act, changes, text)

    # --- custom order

    def why_not_movable(self) -> str:
        """Return why photos cannot be moved now; empty if they can."""
        if self.open is None:
            return "To move photos, open a project in the sidebar."
        if self._criteria.mode is not Pass.BROWSE:
            return "To move photos, switch to Browse."
        if self._criteria.order != "hand" or self._criteria.is_reversed:
            return f"To move photos, sort by Custom order{self._preferences.hint('order')}."
        return ""

    def shift(self, by: int) -> None:
        """Move the selection or the current photo one position later, with ``by`` -1 earlier."""
        photos, ids = self._stacks.targets(), self._photos.ids
        if self._refuses_move() or not photos:
            return
        positions = np.sort(self._photos.listing.positions(photos))
        if by < 0:
            before = max(int(positions[0]) - 1, 0)
        elif positions[0] + len(positions) == len(ids):
            before = int(positions[0])  # at the end already
        else:
            before = int(positions[-1]) + 2
        self.move(photos, int(ids[before]) if before < len(ids) else None)

    def shift_to_end(self, by: int) -> None:
        """Move the selection or the current photo to the end, with ``by`` -1 to the front."""
        photos = self._stacks.targets()
        if not self._refuses_move() and photos:
            self.move(photos, int(self._photos.ids[0]) if by < 0 else None)

    def move(self, photos: Collection[int], before: int | None) -> None:
        """Move photos of the open project in front of another (None: to the end) as one step."""
        row = self.open
        if row is None or self._refuses_move():
            return
        ids, positions = self._positions_after(row.id, np.array(sorted(photos), np.int64), before)
        if not len(ids):
            where = "position" if len(photos) == 1 else "order"
            self._messages.say(f"Already in that {where}.")
            return
        changes = dict(zip(ids.tolist(), positions.tolist(), strict=True))
        moved = [photo for photo in photos if photo in changes] or list(changes)
        what = self._photos.named(moved)  # the others only got new numbers
        self._decide(
            row, changes, f"move in {row.name}", lambda _: f"Moved {what} in", on_screen=False
        )

    def _refuses_move(self) -> bool:
        """Whether photos cannot be moved now; show the reason."""
        reason = self.why_not_movable()
        if reason:
            self._messages.say(reason)
        return bool(reason)

    def _positions_after(
        self, project: int, photos: Ids, before: int | None
    ) -> tuple[Ids, NDArray[np.float64]]:
        """Compute positions after moving photos in front of another.

        Returns:
            (N,) ids of the photos whose position changes, (N,) their new positions; empty if the
            order stays the same.
        """
        index = self._table.projects
        order = index.ids(project)
        moving = np.isin(order, photos)
        block, rest = order[moving], order[~moving]
        positions = index.positions(project, rest)
        at = len(rest)
        if before is not None:
            found = np.flatnonzero(rest == before)
            if len(found):
                at = int(found[0])
            else:  # it is moved, too: the photos gather where it is
                at = int(np.searchsorted(positions, index.positions(project, [before])[0]))
        after = np.concatenate([rest[:at], block, rest[at:]])
        if not len(block) or np.array_equal(after, order):
            return order[:0], positions[:0]
        count = len(block)
        low = positions[at - 1] if at else positions[0] - count - 1
        high = positions[at] if at < len(rest) else low + count + 1
        if high - low < _CLOSEST * (count + 1):
            numbers = np.arange(1.0, len(after) + 1)
            changed = index.positions(project, after) != numbers
            return after[changed], numbers[changed]
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

    def none_chosen(self) -> KnownError:
        """Return the error for a command that needs a project while none is open or current."""
        key = self._preferences.hint("choose_project")
        return KnownError("No project chosen.", f"Choose one{key}.")

    def make_cover(self) -> None:
        """Make the current photo the cover of the open project, else of the current one.

        Raises:
            KnownError: no project is open or chosen, or the photo is not in it.
        """
        row, photo = self.open or self.current, self._photos.current
        if row is None:
            raise self.none_chosen()
        if photo is None:
            raise KnownError("No photo selected.", "Select one in the grid.")
        if not self._table.projects.has(row.id, [photo])[0]:
            raise KnownError(
                f"{self._table.name(photo)} isn't in {row.name}.",
                f"Add it first{self._preferences.hint('toggle_project')}.",
            )
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
            UsageError: another project has its name by now; nothing was changed.
        """
        self._catalog.projects.restore(project)
        self._refresh()

    # --- following

    def _refresh(self) -> None:
        self._table.projects.refresh()
        self._photos.counts_changed.emit()  # calls :meth:`_follow_index`, too

    def _follow_scope(self) -> None:
        """Make a project current when it is opened as the scope."""
        scope = self._criteria.scope
        if scope.key != self._scope:
            self._scope = scope.key
            if scope.project is not None and scope.project != self._current:
                self._current = scope.project
                stored: dict[str, object] = {"project": scope.project}
                folders = self._catalog.folders
                self._messages.attempt(lambda: folders.save_position(_POSITION, stored))
                self.changed.emit()

    def _follow_index(self) -> None:
        """React to changes of projects in any window: leave a removed one, show a new name."""
        serial = self._table.projects.serial
        if serial == self._serial:
            return
        self._serial = serial
        scope = self._criteria.scope
        if scope.project is not None:
            row = self.open
            if row is None:
                self._sources.open_scope(EVERYTHING)
                self._messages.say(f"Project {scope.title} was deleted")
            elif row.name != scope.title:
                self._criteria.scope = project_scope(row)
                self._photos.publish()
        self.changed.emit()

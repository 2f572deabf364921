"""The projects in memory: which photos each has, and in which order, as arrays.

`Table` keeps them, beside its rows. They are read once; later only changes are read, including
those of other processes, so that a key press costs the same in a project of ten thousand photos.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curator.catalog import Catalog, ProjectRow
from curator.library.photo_rows import PhotoRows
from curator.library.sort_keys import in_order
from curator.library.spans import Ids, Mask

_UNREAD = (-1, -1)
_NO_IDS: Ids = np.zeros(0, np.int64)


@dataclass
class _Members:
    """The photos of one project: ids ascending, their positions, and whether each is in it.

    A removed photo keeps its position: the list that shows it does not move, and a photo that is
    added again returns to its position.
    """

    ids: Ids = field(default_factory=lambda: np.zeros(0, np.int64))
    positions: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    inside: Mask = field(default_factory=lambda: np.zeros(0, bool))

    def update(self, ids: Ids, positions: NDArray[np.float64]) -> None:
        """Apply changes; a NaN position removes a photo."""
        known = self.find(ids)
        fresh = (known < 0) & ~np.isnan(positions)
        self.ids = np.concatenate([self.ids, ids[fresh]])
        self.positions = np.concatenate([self.positions, positions[fresh]])
        self.inside = np.concatenate([self.inside, np.ones(int(fresh.sum()), bool)])
        old = known >= 0
        self.inside[known[old]] = ~np.isnan(positions[old])
        stays = old & ~np.isnan(positions)
        self.positions[known[stays]] = positions[stays]
        if fresh.any():
            order = np.argsort(self.ids)
            self.ids, self.positions = self.ids[order], self.positions[order]
            self.inside = self.inside[order]

    def find(self, ids: Ids) -> NDArray[np.int64]:
        """Return the array index of photos, -1 for photos that were never in the project."""
        at = np.searchsorted(self.ids, ids)
        at[at == len(self.ids)] = 0
        if not len(self.ids):
            return np.full(len(ids), -1)
        return np.where(self.ids[at] == ids, at, -1)


class ProjectIndex:
    """The projects of one catalog, and their photos.

    Thread: the table's.

    Attributes:
        rows: the projects, by name; deleted ones left out.
        open: the project shown in the list, whose order by hand applies; or None.
        serial: grows whenever anything here changed.
    """

    def __init__(self, rows: PhotoRows, catalog: Catalog) -> None:
        """Create an empty index; :meth:`refresh` reads the projects."""
        self._rows, self._catalog = rows, catalog
        self.rows: tuple[ProjectRow, ...] = ()
        self.open: int | None = None
        self.serial = 0
        self._members: dict[int, _Members] = {}
        self._rev = _UNREAD
        self._seen = 0

    def refresh(self) -> set[int]:
        """Read changes.

        Returns:
            The photos added to a project, moved in it or removed; empty if a project itself was
            made, renamed or deleted, and everything was read again.
        """
        rev = self._catalog.projects.revisions()
        if rev == self._rev:
            return set()
        must_reload, self._rev = rev[0] != self._rev[0], rev
        self.serial += 1
        if must_reload:
            self._read()
            return set()
        moved = self._catalog.projects.moves_since(self._seen)
        if not moved:
            return set()
        self._seen = moved[-1][0]
        self._apply(moved)
        return {row[2] for row in moved}

    @property
    def known(self) -> tuple[int, ...]:
        """The revisions read so far, as numbers that only grow."""
        return *self._rev, self._seen

    def dump(self) -> dict[str, NDArray[Any]]:
        """Return the index as arrays, for :meth:`restore`."""
        all_ = self._members.values()
        of = [np.full(len(each.ids), project) for project, each in self._members.items()]
        return {
            "project.rev": np.array(self.known),
            "project.of": np.concatenate([_NO_IDS, *of]),
            "project.photo": np.concatenate([_NO_IDS, *(each.ids for each in all_)]),
            "project.place": np.concatenate([np.zeros(0), *(each.positions for each in all_)]),
            "project.inside": np.concatenate([np.zeros(0, bool), *(e.inside for e in all_)]),
        }

    def restore(self, dumped: Mapping[str, NDArray[Any]]) -> None:
        """Load the arrays another index dumped; :meth:`refresh` then reads later changes."""
        *rev, seen = dumped["project.rev"].tolist()
        if rev[0] != self._catalog.projects.revisions()[0]:
            return
        self._rev, self._seen = (rev[0], rev[1]), seen
        self.rows = self._projects()
        of, inside = dumped["project.of"], dumped["project.inside"]
        ids, positions = dumped["project.photo"], dumped["project.place"]
        for row in self.rows:
            its = of == row.id
            self._members[row.id] = _Members(ids[its], positions[its], inside[its])

    def _read(self) -> None:
        self.rows = self._projects()
        self._seen, rows = self._catalog.projects.positions()
        columns = np.array(rows, np.float64).reshape(-1, 3)
        self._members = {row.id: self._members.get(row.id, _Members()) for row in self.rows}
        for project, members in self._members.items():
            mine = columns[columns[:, 0] == project]
            members.inside[:] = False  # but remember positions
            members.update(mine[:, 1].astype(np.int64), mine[:, 2])

    def _projects(self) -> tuple[ProjectRow, ...]:
        return tuple(in_order(self._catalog.projects.all(counted=False), lambda row: row.name))

    def _apply(self, moved: Sequence[tuple[int, int, int, float | None]]) -> None:
        last = {(project, photo): position for _, project, photo, position in moved}
        for project in {project for project, _ in last}:
            members = self._members.get(project)
            if members is not None:  # else the project was deleted
                mine = {photo: position for (of, photo), position in last.items() if of == project}
                ids, positions = np.array([*mine], np.int64), np.array([*mine.values()], np.float64)
                members.update(ids, positions)

    # --- queries

    def row(self, project: int | None) -> ProjectRow | None:
        """Return a project, None if no project has this id."""
        return next((row for row in self.rows if row.id == project), None)

    def ids(self, project: int) -> Ids:
        """Return a project's photos in their order by hand, hidden ones included."""
        members = self._members.get(project)
        if members is None:
            return np.zeros(0, np.int64)
        ids, positions = members.ids[members.inside], members.positions[members.inside]
        return ids[np.lexsort((ids, positions))]

    def inside(self, project: int) -> Mask:
        """Mark the photos of a project."""
        members = self._members.get(project)
        found = np.zeros(self._rows.size, bool)
        if members is not None:
            ids = members.ids[members.inside]
            found[self._rows.rows_of_known(ids)] = True
        return found

    def count(self, project: int, among: Mask) -> int:
        """Count the photos of a project among the marked rows."""
        members = self._members.get(project)
        if members is None:
            return 0
        ids = members.ids[members.inside]
        return int(among[self._rows.rows_of_known(ids)].sum())

    def in_any(self) -> Mask:
        """Mark the photos that are in any project."""
        found = np.zeros(self._rows.size, bool)
        for project in self._members:
            found |= self.inside(project)
        return found

    def has(self, project: int, ids: Sequence[int] | Ids) -> Mask:
        """Mark which of these photos are in a project."""
        members = self._members.get(project)
        if members is None:
            return np.zeros(len(ids), bool)
        at = members.find(np.asarray(ids, np.int64))
        found: Mask = at >= 0
        found[found] = members.inside[at[found]]
        return found

    def positions(self, project: int, ids: Sequence[int] | Ids) -> NDArray[np.float64]:
        """Return the positions of photos, for removed ones their former position, else NaN."""
        members = self._members.get(project)
        found = np.full(len(ids), np.nan)
        if members is not None:
            at = members.find(np.asarray(ids, np.int64))
            found[at >= 0] = members.positions[at[at >= 0]]
        return found

    def last_position(self, project: int) -> float:
        """Return the highest position in a project, also of removed photos; 0 if it has none."""
        members = self._members.get(project)
        return float(members.positions.max()) if members is not None and len(members.ids) else 0.0

    def of(self, photo_id: int) -> list[ProjectRow]:
        """List the projects a photo is in, by name."""
        return [row for row in self.rows if self.has(row.id, [photo_id])[0]]

    # --- orders

    def by_hand(self) -> NDArray[np.float32]:
        """Return each row's rank in the open project; without it, as :meth:`by_project`."""
        members = None if self.open is None else self._members.get(self.open)
        if members is None:
            return self.by_project()
        found = np.full(self._rows.size, np.float32(np.nan))
        known = self._rows.knows(members.ids)
        _, ranks = np.unique(members.positions, return_inverse=True)
        found[self._rows.rows_of(members.ids[known])] = ranks[known]
        return found

    def by_project(self) -> NDArray[np.float32]:
        """Return sort values by row: by the photo's first project by name, then by hand in it."""
        found = np.full(self._rows.size, np.float32(np.nan))
        ids = np.concatenate([_NO_IDS, *(self.ids(row.id) for row in self.rows)])
        known = np.flatnonzero(self._rows.knows(ids))[::-1]  # the first project is set last
        found[self._rows.rows_of(ids[known])] = known
        return found

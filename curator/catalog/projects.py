"""Projects: photos a person groups, many to many, in an order by hand.

A project's name, notes and cover are written here. Which photos are in it, and at which position,
are decisions like any mark, ``("project", id)`` in `journal`, so that they can be undone. A removed
project keeps its row and photos, and can be restored.

    harbour = catalog.projects.create("Harbour")
    catalog.journal.decide({412: {("project", harbour): 1.0}}, summary="Added DSC_0412 to Harbour")
    catalog.projects.members(harbour)      # [412]
"""

from __future__ import annotations

import contextlib
import time
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from curator.catalog.fields import SHOWN
from curator.catalog.integrity import reports_damage
from curator.catalog.store import Row, Store
from curator.model import NotFoundError, UsageError

NAME_LENGTH = 100
"""Most characters of a project's name."""
_NOTES_LENGTH = 10_000
_JOINERS = "\u200c\u200d"  # invisible, but needed by emoji and many scripts
_ROWS = (
    "SELECT project.id, project.name, project.notes,"
    " CASE WHEN c.removed_at IS NULL AND c.emptied_at IS NULL THEN coalesce(c.merged_into, c.id)"
    " END, project.made_at, project.removed_at"
    " FROM project LEFT JOIN photo AS c ON c.id = project.cover"
)
# Counters: of decisions on positions (see `fields`), and of all other changes of projects.
_POSITIONS_REV, _OTHER_REV = "projects_rev", "projects_anew"


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A project.

    Attributes:
        id: of the project.
        name: of the project.
        notes: what the person wrote about it.
        cover: the photo a person chose; None for the first photo.
        made_at: Unix time.
        removed_at: Unix time; None for a project in use.
        count: how many of its photos are present; None unless asked for.
    """

    id: int
    name: str
    notes: str
    cover: int | None
    made_at: float
    removed_at: float | None = None
    count: int | None = None


def project_name(text: str) -> str:
    """Return a valid project name: one line, no control characters, at most 100 characters.

    Names are plain data, never interpreted as a path, markup or a query.

    Raises:
        UsageError: the name is empty after cleaning.
    """
    text = unicodedata.normalize("NFC", text)
    kept = "".join(_readable(char) for char in text)
    name = " ".join(kept.split())[:NAME_LENGTH].strip()
    if not _comparable(name):
        raise UsageError("A project needs a name.")
    return name


def _readable(char: str) -> str:
    """Return a character of a name: a space for white space, nothing for control characters."""
    kind = unicodedata.category(char)
    if char.isspace() or kind in ("Zl", "Zp"):
        return " "
    return char if kind not in ("Cc", "Cf", "Cs") or char in _JOINERS else ""


def _comparable(name: str) -> str:
    """Return the form in which names are compared: without case and invisible characters."""
    seen = (char for char in unicodedata.normalize("NFKC", name) if char not in _JOINERS)
    return "".join(seen).casefold()


@reports_damage
@dataclass(eq=False)
class Projects:
    """Reads projects and changes their names, notes and covers."""

    _store: Store

    # --- reading

    def all(self, *, counted: bool = True, removed: bool = False) -> list[ProjectRow]:
        """List the projects by name, ignoring case.

        Args:
            counted: count their photos too.
            removed: those that were removed, instead of those in use.
        """
        rows = self._store.rows(f"{_ROWS} WHERE project.removed_at IS {'NOT ' * removed}NULL")
        counts: dict[int, int] = {}
        if counted:
            counts = dict(
                self._store.rows(
                    "SELECT project_id, count(*) FROM photo_project AS m"
                    f" JOIN photo AS p ON p.id = m.photo_id WHERE {SHOWN} GROUP BY project_id"
                )
            )
        found = [ProjectRow(*(*row, counts.get(row[0], 0) if counted else None)) for row in rows]
        return sorted(found, key=lambda each: (_comparable(each.name), each.id))

    def find(self, name: str, *, removed: bool = False) -> ProjectRow:
        """Find a project by name, ignoring case.

        Raises:
            NotFoundError: no project has this name.
        """
        wanted = _comparable(project_name(name))
        found = [each for each in self.all(removed=removed) if _comparable(each.name) == wanted]
        if found:
            return max(found, key=lambda each: each.removed_at or 0)
        raise NotFoundError(
            f"{'Deleted p' if removed else 'P'}roject {project_name(name)} not found.",
            "`curator projects` lists all projects.",
        )

    def members(self, project: int) -> list[int]:
        """List the present photos of a project in their order by hand."""
        return self._store.values(
            "SELECT p.id FROM photo_project AS m JOIN photo AS p ON p.id = m.photo_id"
            f" WHERE m.project_id = ? AND {SHOWN} ORDER BY m.place, p.id",
            (project,),
        )

    def names_of(self, ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """Return the names of the projects photos are in; photos in none are left out."""
        found: dict[int, list[str]] = defaultdict(list)
        for photo, name in self._store.rows_for(
            "SELECT photo_id, name FROM photo_project JOIN project ON project.id = project_id"
            " WHERE removed_at IS NULL AND photo_id IN ({})",
            ids,
        ):
            found[photo].append(name)
        return {photo: tuple(sorted(names, key=_comparable)) for photo, names in found.items()}

    def last_position(self, project: int) -> float:
        """Return the last position in a project's order by hand, 0 if it is empty."""
        return float(
            self._store.value(
                "SELECT max(place) FROM photo_project WHERE project_id = ?", (project,)
            )
            or 0
        )

    # --- positions in bulk, for readers that keep them in memory

    def revisions(self) -> tuple[int, int]:
        """Return two change counters; cheap.

        The second grows with every decision on a photo's position. The first grows when anything
        else changed, so that positions have to be read again.
        """
        names = _OTHER_REV, _POSITIONS_REV
        # One statement for both: it runs between a key press and the paint of the next photo.
        rows = self._store.rows("SELECT key, value FROM meta WHERE key IN (?, ?)", names)
        found: dict[str, str] = dict(rows)
        return int(found.get(_OTHER_REV, 0)), int(found.get(_POSITIONS_REV, 0))

    def positions(self) -> tuple[int, list[Row]]:
        """Read (project id, photo id, position) of all projects in use, including hidden photos.

        Returns:
            The id of the last decision they contain, for :meth:`moves_since`, and the rows.
        """
        seen = int(self._store.value("SELECT coalesce(max(id), 0) FROM decision"))
        rows = self._store.rows(
            "SELECT project_id, photo_id, place FROM photo_project"
            " JOIN project ON project.id = project_id WHERE removed_at IS NULL"
        )
        return seen, rows

    def moves_since(self, since: int) -> list[Row]:
        """Read later decisions as (id, project id, photo id, position or None), in order."""
        return self._store.rows(
            "SELECT id, about, photo_id, after FROM decision WHERE id > ? AND field = 'project'"
            " ORDER BY id",
            (since,),
        )

    # --- writing

    def create(self, name: str) -> int:
        """Create a project; return its id.

        Raises:
            UsageError: the name is empty, or a project has it.
        """
        name = project_name(name)
        with self._changing():
            self._refuse_taken(name)
            return self._store.insert("project", name=name, made_at=time.time())

    def rename(self, project: int, name: str) -> None:
        """Rename a project.

        Raises:
            UsageError: the name is empty, or another project has it.
        """
        name = project_name(name)
        with self._changing(project):
            self._refuse_taken(name, ignored=project)
            self._store.run("UPDATE project SET name = ? WHERE id = ?", (name, project))

    def set_notes(self, project: int, notes: str) -> None:
        """Replace a project's notes; line breaks stay."""
        lines = ("".join(map(_readable, line)) for line in notes.splitlines())
        text = "\n".join(line.rstrip() for line in lines).strip()[:_NOTES_LENGTH]
        with self._changing():
            self._store.run("UPDATE project SET notes = ? WHERE id = ?", (text, project))

    def set_cover(self, project: int, photo: int | None) -> None:
        """Set a project's cover; None: the first of its photos."""
        with self._changing():
            self._store.run("UPDATE project SET cover = ? WHERE id = ?", (photo, project))

    def remove(self, project: int) -> None:
        """Remove a project. No photo is touched, and it can be restored with all it contained."""
        with self._changing(project):
            self._store.run(
                "UPDATE project SET removed_at = ? WHERE id = ? AND removed_at IS NULL",
                (time.time(), project),
            )

    def restore(self, project: int) -> None:
        """Restore a removed project.

        Raises:
            UsageError: another project has its name by now; nothing was changed.
        """
        with self._changing(project):
            name = str(self._store.value("SELECT name FROM project WHERE id = ?", (project,)))
            self._refuse_taken(name, ignored=project)
            self._store.run("UPDATE project SET removed_at = NULL WHERE id = ?", (project,))

    @contextlib.contextmanager
    def _changing(self, named: int = 0) -> Iterator[None]:
        """Open a write transaction and record that projects changed.

        ``named``: a renamed project, whose photos' sidecars have to be written.
        """
        with self._store.transaction(durable=True):
            yield
            self._store.increment(_OTHER_REV)
            self._store.run(
                "INSERT INTO unwritten (photo_id, since)"
                " SELECT photo_id, ? FROM photo_project WHERE project_id = ?"
                " ON CONFLICT (photo_id) DO UPDATE SET since = excluded.since",
                (time.time(), named),
            )

    def _refuse_taken(self, name: str, ignored: int = 0) -> None:
        wanted = _comparable(name)
        # There are few projects, and SQLite folds the case of ASCII only.
        for number, other in self._store.rows(
            "SELECT id, name FROM project WHERE removed_at IS NULL"
        ):
            if number != ignored and _comparable(other) == wanted:
                raise UsageError(f"A project {other} already exists.", "Choose another name.")

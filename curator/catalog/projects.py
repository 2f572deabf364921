"""Projects: photos that belong together as a person sees it, many to many, ordered by hand.

What a project is (its name, its notes, its cover) is written here. Which photos are in it, and
where, are decisions like any mark: ``("project", id)`` in `journal`, so that they can be undone.
A project that is removed keeps its row and its photos, and can be brought back.

    harbour = catalog.make_project("Harbour")
    catalog.decide({412: {("project", harbour): 1.0}}, summary="Added DSC_0412 to Harbour")
    catalog.members(harbour)               # [412]
"""

from __future__ import annotations

import contextlib
import time
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from curator.catalog.integrity import judging
from curator.catalog.store import Row, Store, chunks, marks
from curator.model import NotFoundError, UsageError

NAME_LENGTH = 100
"""Characters of a project's name at most."""
_NOTES_LENGTH = 10_000
_JOINERS = "\u200c\u200d"  # invisible, but what families of emoji and many scripts are joined by
# Photos that are there: of folders that are on, not merged, not removed, their files not emptied.
_HERE = (
    "p.merged_into IS NULL AND p.removed_at IS NULL AND p.emptied_at IS NULL"
    " AND NOT EXISTS (SELECT 1 FROM directory AS d JOIN folder AS f ON f.id = d.folder_id"
    " WHERE d.id = p.directory_id AND NOT f.enabled)"
)
_ROWS = (
    "SELECT project.id, project.name, project.notes,"
    " CASE WHEN c.removed_at IS NULL AND c.emptied_at IS NULL THEN coalesce(c.merged_into, c.id)"
    " END, project.made_at, project.removed_at"
    " FROM project LEFT JOIN photo AS c ON c.id = project.cover"
)
_MEMBERS = "projects_rev"  # grows with every decision on a place, see `fields`
_ANEW = "projects_anew"  # grows when something else about projects changed


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A project. ``cover`` is a photo somebody chose, None for the first one.

    ``count`` is how many photos it has that are there now, None where nobody asked.
    ``removed_at`` is Unix time, None for one that is in use.
    """

    id: int
    name: str
    notes: str
    cover: int | None
    made_at: float
    removed_at: float | None = None
    count: int | None = None


def project_name(text: str) -> str:
    """Bring a name to what a project can be called: one line, no steering characters, no more.

    Names are data: whatever they look like, they are never a path, markup or a query.

    Raises:
        UsageError: nothing is left of it.
    """
    text = unicodedata.normalize("NFC", text)
    kept = "".join(_readable(char) for char in text)
    name = " ".join(kept.split())[:NAME_LENGTH].strip()
    if not _told_apart(name):
        raise UsageError("A project needs a name.")
    return name


def _readable(char: str) -> str:
    """Give a character of a name, a space for what breaks lines, nothing for what steers."""
    kind = unicodedata.category(char)
    if char.isspace() or kind in ("Zl", "Zp"):
        return " "
    return char if kind not in ("Cc", "Cf", "Cs") or char in _JOINERS else ""


def _told_apart(name: str) -> str:
    """Give what names are told apart by: without case, or what nobody sees."""
    seen = (char for char in unicodedata.normalize("NFKC", name) if char not in _JOINERS)
    return "".join(seen).casefold()


@judging
class Projects:
    """The part of the catalog that keeps projects."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # --- reading

    def all(self, *, counted: bool = True, removed: bool = False) -> list[ProjectRow]:
        """List the projects by name, whatever its case.

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
                    f" JOIN photo AS p ON p.id = m.photo_id WHERE {_HERE} GROUP BY project_id"
                )
            )
        found = [ProjectRow(*(*row, counts.get(row[0], 0) if counted else None)) for row in rows]
        return sorted(found, key=lambda each: (_told_apart(each.name), each.id))

    def find(self, name: str, *, removed: bool = False) -> ProjectRow:
        """Find a project by its name, whatever its case.

        Raises:
            NotFoundError: there is none of that name.
        """
        wanted = _told_apart(project_name(name))
        found = [each for each in self.all(removed=removed) if _told_apart(each.name) == wanted]
        if found:
            return max(found, key=lambda each: each.removed_at or 0)
        raise NotFoundError(
            f"There is no {'removed ' * removed}project {project_name(name)}.",
            "`curator projects` lists those there are.",
        )

    def members(self, project: int) -> list[int]:
        """List the photos of a project that are there now, in their order by hand."""
        return [
            row[0]
            for row in self._store.rows(
                "SELECT p.id FROM photo_project AS m JOIN photo AS p ON p.id = m.photo_id"
                f" WHERE m.project_id = ? AND {_HERE} ORDER BY m.place, p.id",
                (project,),
            )
        ]

    def names_of(self, ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """Give the names of the projects photos are in; of those that are in none, nothing."""
        found: dict[int, list[str]] = defaultdict(list)
        for part in chunks(list(ids)):
            for photo, name in self._store.rows(
                "SELECT photo_id, name FROM photo_project JOIN project ON project.id = project_id"
                f" WHERE removed_at IS NULL AND photo_id IN ({marks(len(part))})",
                part,
            ):
                found[photo].append(name)
        return {photo: tuple(sorted(names, key=_told_apart)) for photo, names in found.items()}

    def last_position(self, project: int) -> float:
        """Give the last place of a project's order by hand, 0 where it is empty."""
        return float(
            self._store.value(
                "SELECT max(place) FROM photo_project WHERE project_id = ?", (project,)
            )
            or 0
        )

    # --- for whoever keeps places in memory

    def revisions(self) -> tuple[int, int]:
        """Give two numbers, cheap: the second grows with every decision on a photo's place.

        The first grows when anything else changed, and places are to be read anew.
        """
        found: dict[str, str] = dict(
            self._store.rows("SELECT key, value FROM meta WHERE key IN (?, ?)", (_ANEW, _MEMBERS))
        )
        return int(found.get(_ANEW, 0)), int(found.get(_MEMBERS, 0))

    def positions(self) -> tuple[int, list[Row]]:
        """Read (project id, photo id, place) of all projects in use, photos that are gone too.

        Returns:
            The number of the last decision these have in them, for :meth:`moved`, and the rows.
        """
        seen = int(self._store.value("SELECT coalesce(max(id), 0) FROM decision"))
        rows = self._store.rows(
            "SELECT project_id, photo_id, place FROM photo_project"
            " JOIN project ON project.id = project_id WHERE removed_at IS NULL"
        )
        return seen, rows

    def moves_since(self, since: int) -> list[Row]:
        """Read (number, project id, photo id, place or None) of decisions after one, in order."""
        return self._store.rows(
            "SELECT id, about, photo_id, after FROM decision WHERE id > ? AND field = 'project'"
            " ORDER BY id",
            (since,),
        )

    # --- changing what a project is

    def create(self, name: str) -> int:
        """Make a project; return its id.

        Raises:
            UsageError: the name is empty, or there is a project of that name.
        """
        name = project_name(name)
        with self._changing():
            self._refuse_taken(name)
            number = self._store.run(
                "INSERT INTO project (name, made_at) VALUES (?, ?)", (name, time.time())
            ).lastrowid
        assert number is not None
        return number

    def rename(self, project: int, name: str) -> None:
        """Give a project another name.

        Raises:
            UsageError: the name is empty, or there is another project of that name.
        """
        name = project_name(name)
        with self._changing(project):
            self._refuse_taken(name, but_for=project)
            self._store.run("UPDATE project SET name = ? WHERE id = ?", (name, project))

    def set_notes(self, project: int, notes: str) -> None:
        """Write a project's notes, in place of those there were; lines stay lines."""
        lines = ("".join(map(_readable, line)) for line in notes.splitlines())
        text = "\n".join(line.rstrip() for line in lines).strip()[:_NOTES_LENGTH]
        with self._changing():
            self._store.run("UPDATE project SET notes = ? WHERE id = ?", (text, project))

    def set_cover(self, project: int, photo: int | None) -> None:
        """Choose a project's cover; None: the first of its photos."""
        with self._changing():
            self._store.run("UPDATE project SET cover = ? WHERE id = ?", (photo, project))

    def remove(self, project: int) -> None:
        """Remove a project. No photo is touched, and it can be restored with all it held."""
        with self._changing(project):
            self._store.run(
                "UPDATE project SET removed_at = ? WHERE id = ? AND removed_at IS NULL",
                (time.time(), project),
            )

    def restore(self, project: int) -> None:
        """Bring a removed project back.

        Raises:
            UsageError: another project has its name by now; nothing was changed.
        """
        with self._changing(project):
            name = str(self._store.value("SELECT name FROM project WHERE id = ?", (project,)))
            self._refuse_taken(name, but_for=project)
            self._store.run("UPDATE project SET removed_at = NULL WHERE id = ?", (project,))

    @contextlib.contextmanager
    def _changing(self, named: int = 0) -> Iterator[None]:
        """Hold the write lock, and note that projects changed.

        ``named``: the project that goes by another name now, so that sidecars say another one.
        """
        with self._store.transaction(durable=True):
            yield
            self._store.increment(_ANEW)
            self._store.run(
                "INSERT INTO unwritten (photo_id, since)"
                " SELECT photo_id, ? FROM photo_project WHERE project_id = ?"
                " ON CONFLICT (photo_id) DO UPDATE SET since = excluded.since",
                (time.time(), named),
            )

    def _refuse_taken(self, name: str, but_for: int = 0) -> None:
        wanted = _told_apart(name)
        # Projects are tens, and SQLite folds the case of ASCII only.
        for number, other in self._store.rows(
            "SELECT id, name FROM project WHERE removed_at IS NULL"
        ):
            if number != but_for and _told_apart(other) == wanted:
                raise UsageError(f"There is a project {other} already.", "Choose another name.")

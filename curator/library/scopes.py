"""The scopes of the sidebar: all photos, folders with photos in them, projects, saved searches."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curator.library.sort_keys import in_order
from curator.library.table import Table

if TYPE_CHECKING:
    from curator.catalog import FolderRow, ProjectRow, SavedSearch

_PROJECT = "project:"  # no path begins like it: a folder's is absolute
_SEARCH = "search:"


@dataclass(frozen=True, slots=True)
class Scope:
    """A set of photos to work on.

    ``kind`` is ``all``, ``folder`` (with its subfolders), ``project`` or ``search``. ``key`` is the
    folder's path, ``project:`` or ``search:`` and a number, or empty for all photos; ``title`` is
    its name on screen, ``expression`` the text of a saved search.
    """

    kind: str
    key: str
    title: str
    expression: str = ""

    @property
    def follows_marks(self) -> bool:
        """Whether a mark may move a photo out of it; the photo stays listed until F5."""
        return self.kind in ("project", "search")

    @property
    def search(self) -> int | None:
        """The id of its saved search, None for other kinds."""
        return int(self.key.removeprefix(_SEARCH)) if self.kind == "search" else None

    @property
    def project(self) -> int | None:
        """The id of its project, None for other kinds."""
        return int(self.key.removeprefix(_PROJECT)) if self.kind == "project" else None


EVERYTHING = Scope("all", "", "All photos")


@dataclass(frozen=True, slots=True)
class ScopeRow:
    """One line of the sidebar.

    ``folder_id`` is set for folders that a person added, None for subfolders and all photos.
    ``away`` is why the folder cannot be reached now (``T7 Shield unplugged``), empty if it can.
    """

    scope: Scope
    depth: int
    count: int
    enabled: bool = True
    away: str = ""
    folder_id: int | None = None


def folder_rows(
    folders: Sequence[FolderRow], table: Table, away: Mapping[str, str] | None = None
) -> list[ScopeRow]:
    """List all photos and the folders in sidebar order, with the number of photos in each.

    The time is linear in directories: a library of years has thousands, and the sidebar calls this
    often.

    Args:
        folders: the folders that a person added.
        table: the photos.
        away: paths that cannot be reached → the reason, besides those known to the catalog. Asking
            a dead network drive takes minutes, so this function never asks.
    """
    by_path, copied = _by_path(table)
    listed = [ScopeRow(EVERYTHING, 0, int(table.alive().sum()))]
    for folder in in_order(folders, lambda folder: _by_parts(folder.path)):
        prefix = folder.path.rstrip(os.sep) + os.sep
        inside = {
            path: count
            for path, count in by_path.items()
            if path == folder.path or path.startswith(prefix)
        }
        scope = Scope("folder", folder.path, Path(folder.path).name or folder.path)
        below = [each for each in copied if each.at(prefix)]
        number = sum(inside.values()) + sum(each.number for each in below if each.adds(prefix))
        gone = folder.absence or (away or {}).get(folder.path, "")
        listed.append(ScopeRow(scope, 0, number, folder.enabled, gone, folder.id))
        listed.extend(_subfolders(folder, inside, below))
    return listed


@dataclass(frozen=True, slots=True)
class _Copied:
    """Photos with copies: the folders of their main files and of the copies, ending in ``/``."""

    main: str
    copies: tuple[str, ...]
    number: int

    def at(self, folder: str) -> bool:
        """Whether a copy lies in a folder, or below it."""
        return any(copy.startswith(folder) for copy in self.copies)

    def adds(self, folder: str) -> bool:
        """Whether a folder has these photos only by their copies."""
        return self.at(folder) and not self.main.startswith(folder)


def _by_path(table: Table) -> tuple[Counter[str], list[_Copied]]:
    """Count photos by the path of their main file, and list those with copies elsewhere."""
    paths = table.folders.directories
    by_path = Counter(dict.fromkeys(paths.values(), 0))
    copied = []
    for where, number in table.folders.count_by_directories().items():
        main, *copies = (paths.get(each, "") for each in where)
        by_path[main] += number
        if copies:
            ends = tuple(path.rstrip(os.sep) + os.sep for path in copies)
            copied.append(_Copied(main.rstrip(os.sep) + os.sep, ends, number))
    return by_path, copied


def moved_key(key: str, old: str, new: str) -> str:
    """Return the key of a folder after ``old``, that folder or one above it, moved to ``new``."""
    inside = old.rstrip(os.sep) + os.sep
    if key == old:
        return new
    return new.rstrip(os.sep) + os.sep + key[len(inside) :] if key.startswith(inside) else key


def search_scope(saved: SavedSearch) -> Scope:
    """Return the scope of a saved search."""
    return Scope("search", f"{_SEARCH}{saved.id}", saved.name, saved.expression)


def project_scope(row: ProjectRow) -> Scope:
    """Return the scope of a project."""
    return Scope("project", f"{_PROJECT}{row.id}", row.name)


def project_rows(table: Table) -> list[ScopeRow]:
    """List the projects as scopes, by name, with the number of their visible photos."""
    alive = table.alive()
    return [
        ScopeRow(project_scope(row), 0, table.projects.count(row.id, alive))
        for row in table.projects.rows
    ]


def _subfolders(
    folder: FolderRow, inside: dict[str, int], copied: Sequence[_Copied]
) -> list[ScopeRow]:
    """List the directories below a folder that hold photos themselves, parents first.

    Args:
        folder: a folder that a person added.
        inside: the number of photos by path of their main file, inside the folder.
        copied: the photos with copies in it.
    """
    holding = {copy[: -len(os.sep)] for each in copied for copy in each.copies}
    shown = {
        path for path, count in inside.items() if (count or path in holding) and path != folder.path
    }
    above = {path: [p for p in _parents(path, folder.path) if p in shown] for path in inside}
    totals = Counter(inside)
    for path, parents in above.items():
        for parent in parents:
            totals[parent] += inside[path]
    for each in copied:
        for path in _around(each.copies, folder.path) & shown - _around([each.main], folder.path):
            totals[path] += each.number
    found = []
    for path in in_order(shown, _by_parts):
        parent = above[path][0] if above[path] else folder.path
        scope = Scope("folder", path, path[len(parent.rstrip(os.sep)) + 1 :])
        found.append(ScopeRow(scope, 1 + len(above[path]), totals[path], folder.enabled))
    return found


def _by_parts(path: str) -> str:
    """Return the sort key of a path: "a" comes before "a/b", and both before "a b"."""
    return path.replace(os.sep, "\1")


def _parents(path: str, root: str) -> Iterator[str]:
    """Yield the parents of a path, from its own up to just below ``root``."""
    parent = path.rpartition(os.sep)[0]
    while len(parent) > len(root):
        yield parent
        parent = parent.rpartition(os.sep)[0]


def _around(paths: Iterable[str], root: str) -> set[str]:
    """Return the folders below ``root`` that contain any of some folders, these included."""
    inside = root.rstrip(os.sep) + os.sep
    return {
        folder
        for path in paths
        if path.startswith(inside)
        for folder in (path[: -len(os.sep)], *_parents(path[: -len(os.sep)], root))
    }

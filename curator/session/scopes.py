"""What the sidebar offers: everything, each folder, each subfolder with photos in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curator.session.table import Table

if TYPE_CHECKING:
    from curator.catalog import FolderRow


@dataclass(frozen=True, slots=True)
class Scope:
    """A set of photos one works on: ``all`` of them, or a ``folder`` with its subfolders.

    ``key`` is the folder's path, empty for everything; ``title`` is what the window says.
    """

    kind: str
    key: str
    title: str


EVERYTHING = Scope("all", "", "All photos")


@dataclass(frozen=True, slots=True)
class ScopeRow:
    """One line of the sidebar.

    ``folder_id`` is set for the folders the person opened, None for subfolders and everything.
    ``away``: the folder's drive or path cannot be reached now.
    """

    scope: Scope
    depth: int
    count: int
    enabled: bool = True
    away: bool = False
    folder_id: int | None = None


def rows(folders: Sequence[FolderRow], table: Table) -> list[ScopeRow]:
    """List the scopes in sidebar order with the photos each holds."""
    counts = table.count_by_directory()
    by_path: dict[Path, int] = {}
    for directory, path in table.directories.items():
        by_path[Path(path)] = by_path.get(Path(path), 0) + counts.get(directory, 0)
    listed = [ScopeRow(EVERYTHING, 0, int(table.alive().sum()))]
    for folder in folders:
        root = Path(folder.path)
        inside = {path: count for path, count in by_path.items() if path.is_relative_to(root)}
        listed.append(
            ScopeRow(
                Scope("folder", str(root), root.name or str(root)),
                0,
                sum(inside.values()),
                folder.enabled,
                not root.exists(),
                folder.id,
            )
        )
        below = sorted(path for path, count in inside.items() if path != root and count)
        listed.extend(_subfolder(path, root, below, inside, folder.enabled) for path in below)
    return listed


def _subfolder(
    path: Path, root: Path, below: Sequence[Path], inside: dict[Path, int], enabled: bool
) -> ScopeRow:
    parents = [parent for parent in below if parent != path and path.is_relative_to(parent)]
    title = str(path.relative_to(max(parents, default=root, key=lambda parent: len(parent.parts))))
    count = sum(number for where, number in inside.items() if where.is_relative_to(path))
    return ScopeRow(Scope("folder", str(path), title), 1 + len(parents), count, enabled)

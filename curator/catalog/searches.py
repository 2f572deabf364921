"""Saved searches: expressions of the search language, each with a name; listed in the sidebar."""

from __future__ import annotations

import time
from dataclasses import dataclass

from curator.catalog.integrity import reports_damage
from curator.catalog.store import Store
from curator.catalog.text import plain
from curator.model import NotFoundError, UsageError

NAME_LENGTH = 80
"""Most characters of a search's name."""


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A search saved under a name."""

    id: int
    name: str
    expression: str


@reports_damage
@dataclass(eq=False)
class SavedSearches:
    """Saves, renames and removes searches."""

    _store: Store

    def all(self) -> list[SavedSearch]:
        """List the saved searches by name."""
        rows = self._store.rows("SELECT id, name, expression FROM saved_search")
        return sorted((SavedSearch(*row) for row in rows), key=lambda each: each.name.casefold())

    def save(self, name: str, expression: str) -> SavedSearch:
        """Save a search under a name; an existing search of that name gets the new expression.

        Raises:
            UsageError: the name is empty.
        """
        name = _named(name)
        with self._store.transaction(durable=True):
            self._store.run(
                "INSERT INTO saved_search (name, expression, made_at) VALUES (?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET expression = excluded.expression",
                (name, expression, time.time()),
            )
            row = self._store.row("SELECT id FROM saved_search WHERE name = ?", (name,))
        assert row is not None
        return SavedSearch(int(row[0]), name, expression)

    def rename(self, number: int, name: str) -> None:
        """Rename a saved search.

        Raises:
            UsageError: the name is empty, or another search has it.
            NotFoundError: the search does not exist.
        """
        name = _named(name)
        with self._store.transaction(durable=True):
            if self._store.row(
                "SELECT 1 FROM saved_search WHERE name = ? AND id <> ?", (name, number)
            ):
                raise UsageError(
                    f"Another search is already called {name}.", "Choose another name."
                )
            if not self._store.run(
                "UPDATE saved_search SET name = ? WHERE id = ?", (name, number)
            ).rowcount:
                raise NotFoundError("The saved search no longer exists.")

    def remove(self, number: int) -> None:
        """Remove a saved search; photos stay as they are.

        Raises:
            NotFoundError: the search does not exist.
        """
        with self._store.transaction(durable=True):
            if not self._store.run("DELETE FROM saved_search WHERE id = ?", (number,)).rowcount:
                raise NotFoundError("The saved search no longer exists.")


def _named(name: str) -> str:
    name = " ".join(plain(name).split())[:NAME_LENGTH].strip()
    if not name:
        raise UsageError("A search needs a name.")
    return name

"""Words: the full-text index over what is known of photos, and saved searches.

The index (FTS5) follows its photos by a queue: triggers note whose names, descriptions, tags or
projects changed, :meth:`Texts.fold_text` reads those anew. Marks touch none of it. Nothing a
person types is ever syntax here: a phrase goes in quoted, with all its characters made harmless.

    catalog.fold_text(200)                 # True: more is waiting
    catalog.worded("sea li", "tag")        # ids of photos with a tag "sea lion"
"""

from __future__ import annotations

import itertools
import re
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curator.catalog.store import CHUNK, LET_GO_S, chunks, marks
from curator.catalog.tags import SAID, Tags
from curator.model import NotFoundError, UsageError

# Column of the index → how much a word in it counts (bm25), in the order of the table.
COLUMNS: dict[str, float] = {
    "name": 10.0,
    "tag": 8.0,
    "project": 6.0,
    "subject": 6.0,
    "mood": 3.0,
    "light": 2.0,
    "camera": 3.0,
    "lens": 2.0,
    "folder": 2.0,
}
WITHOUT: dict[str, str] = {
    "camera": "camera IS NULL",
    "lens": "lens IS NULL",
    "tag": f"NOT EXISTS ({SAID.format('t.photo_id = photo.id')})",
    "project": "NOT EXISTS (SELECT 1 FROM photo_project AS p JOIN project"
    " ON project.id = p.project_id WHERE p.photo_id = photo.id AND project.removed_at IS NULL)",
}
"""What a photo may have none of → the condition in SQL."""
RANKED = 10_000
"""Photos up to which it is worked out how well each fits: a word that more have tells little."""
NAME_LENGTH = 80
_WEIGHTS = ", ".join(map(str, COLUMNS.values()))
_PART = 500  # photos whose words are read in one statement
_MERGED_PAGES = 16  # of 4 KB, in one transaction
_DIGITS = re.compile(r"(?<!\d)0+([1-9]\d*)")
# Written without spaces between words: each character is one.
_UNSPACED = re.compile(
    "([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])"
)

_PROJECTS = (
    "SELECT group_concat(project.name, char(10)) FROM photo_project AS p JOIN project"
    " ON project.id = p.project_id WHERE p.photo_id = photo.id AND project.removed_at IS NULL"
)
# Photos that are not to be seen have no words.
_WORDS = (
    f"SELECT photo.id, photo.name, ({_PROJECTS}), subject, mood, lighting, camera, lens,"
    " directory.path FROM photo JOIN directory ON directory.id = photo.directory_id"
    " LEFT JOIN description ON description.photo_id = photo.id"
    " WHERE merged_into IS NULL AND photo.removed_at IS NULL AND emptied_at IS NULL"
)


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A search kept by name; it stands beside the folders."""

    id: int
    name: str
    expression: str


def plain(text: str) -> str:
    """Make text harmless: no control characters, one kind of spelling for each letter."""
    clean = "".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in text)
    return unicodedata.normalize("NFC", clean)


def phrase(text: str, prefix: bool = True) -> str:
    """Quote text for FTS5: its words one behind the other, of the last one perhaps the beginning.

    FTS5 knows no escapes but a doubled quotation mark; inside quotes all else is text.
    """
    quoted = _spaced(plain(text)).strip().replace('"', '""')
    return f'"{quoted}"{"*" if prefix else ""}'


def _spaced(text: str) -> str:
    return _UNSPACED.sub(r" \1 ", text)


class Texts(Tags):
    """The part of the catalog that finds photos by words."""

    # --- keeping the index

    def text_waits(self) -> bool:
        """Tell whether photos changed since the index read their words."""
        return self._value("SELECT 1 FROM photo_text_due LIMIT 1") is not None

    def text_rev(self) -> int:
        """Give a number that grows whenever the index changes; cheap."""
        return int(self._value("SELECT value FROM meta WHERE key = 'text_rev'") or 0)

    def fold_text(self, most: int = _PART) -> bool:
        """Read the words of photos that changed into the index, in one short transaction.

        What they are is worked out before the catalog is locked.

        Args:
            most: photos to read at the most; 500 take some 30 ms.

        Returns:
            Whether more photos are waiting.
        """
        if not self.text_waits():
            return False
        for last in (False, False, True):
            version = self.data_version()
            found = self._due(most)
            with self._writing():
                unchanged = self.data_version() == version
                if unchanged or last:  # in the end also where somebody decides all the time
                    self._fold(*(found if unchanged else self._due(most)))
                    break
        return self.text_waits()

    def _fold(self, due: Sequence[int], rows: Sequence[tuple[object, ...]]) -> None:
        """Put rows of the index in place of what it had of some photos."""
        self._keep_merges_apart()
        for part in chunks(due):
            among = f"({marks(len(part))})"
            self._run(f"DELETE FROM photo_text WHERE rowid IN {among}", part)
            self._run(f"DELETE FROM photo_text_due WHERE photo_id IN {among}", part)
        one = f"({marks(1 + len(COLUMNS))})"
        for some in chunks(rows, CHUNK // (1 + len(COLUMNS))):
            # Many in one statement: each lets go of the interpreter while a mark may wait.
            self._run(
                f"INSERT INTO photo_text (rowid, {', '.join(COLUMNS)})"
                f" VALUES {', '.join([one] * len(some))}",
                tuple(itertools.chain.from_iterable(some)),
            )
        self._grow("text_rev")

    def _due(self, most: int) -> tuple[list[int], list[tuple[object, ...]]]:
        """Read which photos changed, and make their rows of the index."""
        due = [row[0] for row in self._rows("SELECT photo_id FROM photo_text_due LIMIT ?", (most,))]
        rows: list[tuple[object, ...]] = []
        for part in chunks(due):
            tags = self.tags_of(part)
            words = self._rows(f"{_WORDS} AND photo.id IN ({marks(len(part))})", part)
            rows += [_row(*row, [tag.name for tag in tags.get(row[0], ())]) for row in words]
        return due, rows

    def _keep_merges_apart(self) -> None:
        """Have FTS5 merge only when it is told to: by itself it does in the midst of a write.

        Every 64th page written it then merges hundreds of them, and a decision waits.
        """
        if self._value("SELECT v FROM photo_text_config WHERE k = 'automerge'") != 0:
            self._run("INSERT INTO photo_text (photo_text, rank) VALUES ('automerge', 0)")

    def tidy_text(self) -> bool:
        """Merge a little of what was written into the index apart, in one short transaction.

        Returns:
            Whether there was anything to merge; if so, there may be more.
        """
        with self._writing():
            before = self._connection.total_changes
            self._run(
                "INSERT INTO photo_text (photo_text, rank) VALUES ('merge', ?)", (_MERGED_PAGES,)
            )
            # How FTS5 tells (sqlite.org/fts5.html#the_merge_command).
            return self._connection.total_changes - before >= 2

    def fold_all_text(self) -> None:
        """Read the words of all photos that changed, in short transactions."""
        more = True
        while more:
            more = self.fold_text()
            while self.tidy_text():
                time.sleep(LET_GO_S)
            time.sleep(LET_GO_S)  # a decision goes first

    # --- asking it

    def worded(self, text: str, column: str = "", prefix: bool = True) -> NDArray[np.int64]:
        """List photos that have words, case and accents apart; in no order.

        Args:
            text: words that stand one behind the other.
            column: one of COLUMNS they stand in; any without.
            prefix: whether of the last word the beginning does.
        """
        asked = phrase(text, prefix)
        if column:
            asked = f"{column} : {asked}" if column in COLUMNS else '""'
        # One text instead of a hundred thousand rows: SQLite writes it without the interpreter.
        found = self._value(
            "SELECT group_concat(rowid) FROM photo_text WHERE photo_text MATCH ?", (asked,)
        )
        return _numbers(found)

    def ranked(self, groups: Sequence[Sequence[tuple[str, bool]]]) -> NDArray[np.int64]:
        """List photos by how well they fit, best first; none where more than RANKED do.

        Args:
            groups: of each one phrase at least has to be there: (text, prefix).

        The measure is bm25, by the weights of COLUMNS.
        """
        asked = " AND ".join(f"({' OR '.join(phrase(*one) for one in group)})" for group in groups)
        count = self._value(
            "SELECT count(*) FROM (SELECT 1 FROM photo_text WHERE photo_text MATCH ? LIMIT ?)",
            (asked, RANKED + 1),
        )
        if not count or count > RANKED:
            return np.zeros(0, np.int64)
        rows = self._rows(
            f"SELECT rowid FROM photo_text WHERE photo_text MATCH ?"
            f" ORDER BY bm25(photo_text, {_WEIGHTS}), rowid",
            (asked,),
        )
        return np.array(rows, np.int64).ravel()

    def of_type(self, content_type: str) -> NDArray[np.int64]:
        """List photos described as of a content type."""
        sql = "SELECT group_concat(photo_id) FROM description WHERE content_type = ?"
        return _numbers(self._value(sql, (content_type,)))

    def without(self, what: str) -> NDArray[np.int64]:
        """List photos that have none of what a key of WITHOUT names."""
        sql = f"SELECT group_concat(id) FROM photo WHERE merged_into IS NULL AND {WITHOUT[what]}"
        return _numbers(self._value(sql))

    # --- saved searches

    def saved_searches(self) -> list[SavedSearch]:
        """List the saved searches by name."""
        rows = self._rows("SELECT id, name, expression FROM saved_search")
        return sorted((SavedSearch(*row) for row in rows), key=lambda each: each.name.casefold())

    def save_search(self, name: str, expression: str) -> SavedSearch:
        """Keep a search by name; one of that name gets the new expression.

        Raises:
            UsageError: the name is empty.
        """
        name = _named(name)
        with self._writing(durable=True):
            self._run(
                "INSERT INTO saved_search (name, expression, made_at) VALUES (?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET expression = excluded.expression",
                (name, expression, time.time()),
            )
            row = self._row("SELECT id FROM saved_search WHERE name = ?", (name,))
        assert row is not None
        return SavedSearch(int(row[0]), name, expression)

    def rename_search(self, number: int, name: str) -> None:
        """Give a saved search another name.

        Raises:
            UsageError: the name is empty, or another search has it.
            NotFoundError: there is no such search.
        """
        name = _named(name)
        with self._writing(durable=True):
            if self._row("SELECT 1 FROM saved_search WHERE name = ? AND id <> ?", (name, number)):
                raise UsageError(f"Another search is called {name}.", "Choose another name.")
            if not self._run(
                "UPDATE saved_search SET name = ? WHERE id = ?", (name, number)
            ).rowcount:
                raise NotFoundError("There is no such search.")

    def remove_search(self, number: int) -> None:
        """Forget a saved search; photos stay as they are.

        Raises:
            NotFoundError: there is no such search.
        """
        with self._writing(durable=True):
            if not self._run("DELETE FROM saved_search WHERE id = ?", (number,)).rowcount:
                raise NotFoundError("There is no such search.")


def _named(name: str) -> str:
    name = " ".join(plain(name).split())[:NAME_LENGTH].strip()
    if not name:
        raise UsageError("A search needs a name.")
    return name


def _row(photo: int, name: str, *rest: Any) -> tuple[object, ...]:
    """Make a row of the index: with numbers as people say them, and cameras without hyphens."""
    project, subject, mood, light, camera, lens, path, tags = rest
    short = " ".join(_DIGITS.findall(name))
    if camera and "-" in camera:
        camera = f"{camera} {camera.replace('-', '')}"
    folder = " ".join(re.split(r"[/\\]", path)[-2:])
    texts = (
        f"{name} {short}",
        "\n".join(tags),
        project,
        subject,
        mood,
        light,
        camera,
        lens,
        folder,
    )
    return photo, *(text and _spaced(plain(text)) for text in texts)


def _numbers(listed: str | None) -> NDArray[np.int64]:
    return np.fromstring(listed or "", np.int64, sep=",")

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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curator.catalog.integrity import judging
from curator.catalog.store import CHUNK, LET_GO_S, Store, chunks, marks
from curator.catalog.tags import SAID, Tags

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


@judging
class TextIndex:
    """The part of the catalog that finds photos by words."""

    def __init__(self, store: Store, tags: Tags) -> None:
        self._store = store
        self._tags = tags

    # --- keeping the index

    def is_outdated(self) -> bool:
        """Tell whether photos changed since the index read their words."""
        return self._store.value("SELECT 1 FROM photo_text_due LIMIT 1") is not None

    def revision(self) -> int:
        """Give a number that grows whenever the index changes; cheap."""
        return int(self._store.value("SELECT value FROM meta WHERE key = 'text_rev'") or 0)

    def update(self, most: int = _PART) -> bool:
        """Read the words of photos that changed into the index, in one short transaction.

        What they are is worked out before the catalog is locked.

        Args:
            most: photos to read at the most; 500 take some 30 ms.

        Returns:
            Whether more photos are waiting.
        """
        if not self.is_outdated():
            return False
        for last in (False, False, True):
            version = self._store.data_version()
            found = self._due(most)
            with self._store.transaction():
                unchanged = self._store.data_version() == version
                if unchanged or last:  # in the end also where somebody decides all the time
                    self._replace_rows(*(found if unchanged else self._due(most)))
                    break
        return self.is_outdated()

    def _replace_rows(self, due: Sequence[int], rows: Sequence[tuple[object, ...]]) -> None:
        """Put rows of the index in place of what it had of some photos."""
        self._disable_automerge()
        for part in chunks(due):
            among = f"({marks(len(part))})"
            self._store.run(f"DELETE FROM photo_text WHERE rowid IN {among}", part)
            self._store.run(f"DELETE FROM photo_text_due WHERE photo_id IN {among}", part)
        one = f"({marks(1 + len(COLUMNS))})"
        for some in chunks(rows, CHUNK // (1 + len(COLUMNS))):
            # Many in one statement: each lets go of the interpreter while a mark may wait.
            self._store.run(
                f"INSERT INTO photo_text (rowid, {', '.join(COLUMNS)})"
                f" VALUES {', '.join([one] * len(some))}",
                tuple(itertools.chain.from_iterable(some)),
            )
        self._store.increment("text_rev")

    def _due(self, most: int) -> tuple[list[int], list[tuple[object, ...]]]:
        """Read which photos changed, and make their rows of the index."""
        due = [
            row[0]
            for row in self._store.rows("SELECT photo_id FROM photo_text_due LIMIT ?", (most,))
        ]
        rows: list[tuple[object, ...]] = []
        for part in chunks(due):
            tags = self._tags.of(part)
            words = self._store.rows(f"{_WORDS} AND photo.id IN ({marks(len(part))})", part)
            rows += [_row(*row, [tag.name for tag in tags.get(row[0], ())]) for row in words]
        return due, rows

    def _disable_automerge(self) -> None:
        """Have FTS5 merge only when it is told to: by itself it does in the midst of a write.

        Every 64th page written it then merges hundreds of them, and a decision waits.
        """
        if self._store.value("SELECT v FROM photo_text_config WHERE k = 'automerge'") != 0:
            self._store.run("INSERT INTO photo_text (photo_text, rank) VALUES ('automerge', 0)")

    def merge_some(self) -> bool:
        """Merge a little of what was written into the index apart, in one short transaction.

        Returns:
            Whether there was anything to merge; if so, there may be more.
        """
        with self._store.transaction():
            before = self._store.total_changes()
            self._store.run(
                "INSERT INTO photo_text (photo_text, rank) VALUES ('merge', ?)", (_MERGED_PAGES,)
            )
            # How FTS5 tells (sqlite.org/fts5.html#the_merge_command).
            return self._store.total_changes() - before >= 2

    def update_all(self) -> None:
        """Read the words of all photos that changed, in short transactions."""
        more = True
        while more:
            more = self.update()
            while self.merge_some():
                time.sleep(LET_GO_S)
            time.sleep(LET_GO_S)  # a decision goes first

    # --- asking it

    def photos_with(self, text: str, column: str = "", prefix: bool = True) -> NDArray[np.int64]:
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
        found = self._store.value(
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
        count = self._store.value(
            "SELECT count(*) FROM (SELECT 1 FROM photo_text WHERE photo_text MATCH ? LIMIT ?)",
            (asked, RANKED + 1),
        )
        if not count or count > RANKED:
            return np.zeros(0, np.int64)
        rows = self._store.rows(
            f"SELECT rowid FROM photo_text WHERE photo_text MATCH ?"
            f" ORDER BY bm25(photo_text, {_WEIGHTS}), rowid",
            (asked,),
        )
        return np.array(rows, np.int64).ravel()

    def photos_of_type(self, content_type: str) -> NDArray[np.int64]:
        """List photos described as of a content type."""
        sql = "SELECT group_concat(photo_id) FROM description WHERE content_type = ?"
        return _numbers(self._store.value(sql, (content_type,)))

    def photos_without(self, what: str) -> NDArray[np.int64]:
        """List photos that have none of what a key of WITHOUT names."""
        sql = f"SELECT group_concat(id) FROM photo WHERE merged_into IS NULL AND {WITHOUT[what]}"
        return _numbers(self._store.value(sql))

    # --- saved searches


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

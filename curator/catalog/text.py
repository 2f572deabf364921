"""The full-text index: finding photos by the words of their names, tags, descriptions and projects.

The index (FTS5) follows the photos through a queue: triggers record whose words changed, and
:meth:`TextIndex.update` reads those again. Marks touch none of it. Nothing a person types is ever
syntax here: a phrase is quoted, and the quotation marks in it are doubled.

    catalog.text.update(200)                    # True: more is waiting
    catalog.text.photos_with("sea li", "tag")   # ids of photos with a tag "sea lion"
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curator.catalog.fields import PRESENT
from curator.catalog.integrity import reports_damage
from curator.catalog.store import PAUSE_S, Store, chunks, numbers, placeholders
from curator.catalog.tags import EFFECTIVE_TAGS, Tags
from curator.catalog.text_lines import READ_TEXT

# Column of the index → weight of a word in it (bm25), in the order of the table.
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
    "text": 4.0,
}
WITHOUT: dict[str, str] = {
    "camera": "camera IS NULL",
    "lens": "lens IS NULL",
    "tag": f"NOT EXISTS ({EFFECTIVE_TAGS.format('t.photo_id = photo.id')})",
    # Photos whose text was not read are not known to be without.
    "text": "NOT EXISTS (SELECT 1 FROM text_line WHERE photo_id = photo.id) AND EXISTS"
    f" (SELECT 1 FROM work WHERE photo_id = photo.id AND stage = '{READ_TEXT}'"
    " AND state = 'done')",
    "project": "NOT EXISTS (SELECT 1 FROM photo_project AS p JOIN project"
    " ON project.id = p.project_id WHERE p.photo_id = photo.id AND project.removed_at IS NULL)",
}
"""What a photo may lack → SQL for photos without it."""
RANKED = 10_000
"""Matches are ranked up to this many photos: a word that more photos have tells little."""
_WEIGHTS = ", ".join(map(str, COLUMNS.values()))
_PART = 500  # photos whose words are read in one transaction
_MERGED_PAGES = 16  # of 4 KB, in one transaction
_DIGITS = re.compile(r"(?<!\d)0+([1-9]\d*)")
_DIGIT = re.compile(r"\d")
_PHRASE_LENGTH = 24  # letters and digits of a phrase that is also looked for without spaces
_NUMBER_LENGTH = 12  # letters and digits of a number on a car or a bib
# Digits beside letters, as in AB1234CD.
_INSIDE = re.compile(r"(?<=[^\W\d_])\d{2,}|\d{2,}(?=[^\W\d_])")
# Scripts without spaces between words: each character is a word.
_UNSPACED = re.compile(
    "([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])"
)

_PROJECTS = (
    "SELECT group_concat(project.name, char(10)) FROM photo_project AS m JOIN project"
    " ON project.id = m.project_id WHERE m.photo_id = p.id AND project.removed_at IS NULL"
)
_LINES = "SELECT group_concat(text, char(10)) FROM text_line WHERE photo_id = p.id"
# Photos that are gone have no words.
_WORDS = (
    f"SELECT p.id, p.name, ({_PROJECTS}), subject, mood, lighting, camera, lens,"
    f" directory.path, ({_LINES}) FROM photo AS p JOIN directory ON directory.id = p.directory_id"
    " LEFT JOIN description ON description.photo_id = p.id"
    f" WHERE {PRESENT}"
)


def plain(text: str) -> str:
    """Make text harmless: no control characters, and one spelling for each letter."""
    clean = "".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in text)
    return unicodedata.normalize("NFC", clean)


def _folded(text: str) -> str:
    """Return harmless text with one spelling for full-width letters, ligatures and the like."""
    return unicodedata.normalize("NFKC", plain(text))


def phrase(text: str, prefix: bool = True) -> str:
    """Quote text for FTS5: its words in this order, the last one possibly only a beginning.

    FTS5 knows no escapes but a doubled quotation mark; inside quotes everything else is text.
    """
    quoted = as_indexed(text).strip().replace('"', '""')
    return f'"{quoted}"{"*" if prefix else ""}'


def as_indexed(text: str) -> str:
    """Return text as the index reads it: one spelling for each letter, spaces between words."""
    return _UNSPACED.sub(r" \1 ", _folded(text))


def other_spellings(lines: str) -> list[str]:
    """Return how else numbers on signs, bibs and cars are typed.

    "AB-12 34" is also AB1234 and 1234, and 0042 is 42.

    Args:
        lines: text in a photo, a line each.
    """
    found = []
    for line in unicodedata.normalize("NFKC", lines).split("\n"):
        joined = "".join(filter(str.isalnum, line))
        if joined != line and len(joined) <= _NUMBER_LENGTH and _DIGIT.search(joined):
            found.append(joined)
        found += _INSIDE.findall(line)
        found += _DIGITS.findall(line)
    return found


def _asked(text: str, prefix: bool) -> str:
    """Return the FTS5 query for a phrase, which may also be written without spaces.

    Numbers often are, and narrow spaces in pictures are often missed.
    """
    asked = phrase(text, prefix)
    joined = "".join(filter(str.isalnum, _folded(text)))
    if joined and joined != text and len(joined) <= _PHRASE_LENGTH:
        return f"({asked} OR {phrase(joined, prefix)})"
    return asked


@reports_damage
@dataclass(eq=False)
class TextIndex:
    """Keeps the full-text index up to date and answers searches."""

    _store: Store
    _tags: Tags

    # --- keeping the index

    def is_outdated(self) -> bool:
        """Whether the words of photos changed since the index was updated."""
        return self._store.value("SELECT 1 FROM photo_text_due LIMIT 1") is not None

    def revision(self) -> int:
        """Return a number that grows whenever the index changes; cheap."""
        return self._store.counter("text_rev")

    def update(self, most: int = _PART) -> bool:
        """Read the words of changed photos into the index, in one short transaction.

        The words are computed before the catalog is locked.

        Args:
            most: photos to read at most; 500 take some 30 ms.

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
                if unchanged or last:  # after three tries the lock is held while words are computed
                    self._replace_rows(*(found if unchanged else self._due(most)))
                    break
        return self.is_outdated()

    def _replace_rows(self, due: Sequence[int], rows: Sequence[tuple[object, ...]]) -> None:
        """Replace the index rows of some photos."""
        self._disable_automerge()
        for part in chunks(due):
            among = f"({placeholders(len(part))})"
            self._store.run(f"DELETE FROM photo_text WHERE rowid IN {among}", part)
            self._store.run(f"DELETE FROM photo_text_due WHERE photo_id IN {among}", part)
        self._store.insert_rows("photo_text", f"rowid, {', '.join(COLUMNS)}", rows)
        self._store.increment("text_rev")

    def _due(self, most: int) -> tuple[list[int], list[tuple[object, ...]]]:
        """Return photos whose words changed, ``most`` at most, and their new rows of the index."""
        due = self._store.values("SELECT photo_id FROM photo_text_due LIMIT ?", (most,))
        tags = self._tags.of(due)
        return due, [
            _row(*row, [tag.name for tag in tags.get(row[0], ())])
            for row in self._store.rows_for(f"{_WORDS} AND p.id IN ({{}})", due)
        ]

    def _disable_automerge(self) -> None:
        """Make FTS5 merge only on request; by itself it merges in the middle of a write.

        Every 64th page written it would merge hundreds, and a decision would wait.
        """
        if self._store.value("SELECT v FROM photo_text_config WHERE k = 'automerge'") != 0:
            self._store.run("INSERT INTO photo_text (photo_text, rank) VALUES ('automerge', 0)")

    def merge_some(self) -> bool:
        """Merge a few segments of the index in one short transaction.

        Returns:
            Whether anything was merged; if so, there may be more to merge.
        """
        with self._store.transaction():
            before = self._store.total_changes()
            self._store.run(
                "INSERT INTO photo_text (photo_text, rank) VALUES ('merge', ?)", (_MERGED_PAGES,)
            )
            # FTS5 reports it this way (sqlite.org/fts5.html#the_merge_command).
            return self._store.total_changes() - before >= 2

    def update_all(self) -> None:
        """Read the words of all changed photos into the index, in short transactions."""
        more = True
        while more:
            more = self.update()
            while self.merge_some():
                time.sleep(PAUSE_S)
            time.sleep(PAUSE_S)  # a decision goes first

    # --- searching

    def photos_with(self, text: str, column: str = "", prefix: bool = True) -> NDArray[np.int64]:
        """List photos that contain words, ignoring case and accents, in no order.

        Args:
            text: words in this order.
            column: the one of COLUMNS to search; empty for any, with a minus any but this one.
            prefix: match the beginning of the last word.
        """
        asked = _asked(text, prefix)
        if column:
            asked = f"{column} : {asked}" if column.removeprefix("-") in COLUMNS else '""'
        # One text instead of a hundred thousand rows: SQLite builds it without the interpreter.
        found = self._store.value(
            "SELECT group_concat(rowid) FROM photo_text WHERE photo_text MATCH ?", (asked,)
        )
        return numbers(found)

    def ranked(self, groups: Sequence[Sequence[tuple[str, bool]]]) -> NDArray[np.int64]:
        """List photos by how well they match, best first; none if more than RANKED match.

        The measure is bm25 with the weights of COLUMNS.

        Args:
            groups: phrases as (text, prefix); at least one of each group must occur.
        """
        asked = " AND ".join(f"({' OR '.join(_asked(*one) for one in group)})" for group in groups)
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
        """List photos described as being of a content type."""
        sql = "SELECT group_concat(photo_id) FROM description WHERE content_type = ?"
        return numbers(self._store.value(sql, (content_type,)))

    def photos_without(self, what: str) -> NDArray[np.int64]:
        """List photos that lack something; ``what`` is a key of WITHOUT."""
        sql = f"SELECT group_concat(id) FROM photo WHERE merged_into IS NULL AND {WITHOUT[what]}"
        return numbers(self._store.value(sql))


def _row(photo: int, name: str, *rest: Any) -> tuple[object, ...]:
    """Return a row of the index.

    Numbers in names are added without leading zeros, and cameras without hyphens.
    """
    project, subject, mood, light, camera, lens, path, lines, tags = rest
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
        lines and "\n".join((lines, *other_spellings(lines))),
    )
    return photo, *(text and as_indexed(text) for text in texts)

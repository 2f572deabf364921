"""Tags: words photos are found by, who said them, and whether a person agreed.

A machine only ever suggests. What a person confirmed stays theirs whatever is suggested later, and
what they took away is not suggested again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from curator.catalog.store import Store, chunks, marks

_HERE = "t.state <> 'removed'"


@dataclass(frozen=True, slots=True)
class TagDetail:
    """A tag of one photo.

    ``source`` is who said it (person, vision, encoder, file), ``confidence`` how sure it was,
    0-100, and ``state`` suggested or confirmed.
    """

    name: str
    source: str
    confidence: int
    state: str


class Tags(Store):
    """The part of the catalog that keeps words for photos."""

    def tags_rev(self) -> int:
        """Give a number that grows whenever any photo's tags change; cheap."""
        return int(self._value("SELECT value FROM meta WHERE key = 'tags_rev'") or 0)

    def tagged(self, text: str, whole: bool = True) -> list[int]:
        """List photos that have a tag, suggested or confirmed.

        Args:
            text: the tag's name, in any case.
            whole: the whole name; otherwise any part of it.
        """
        wanted = text.casefold()
        # Names are hundreds, photos a hundred thousand; SQLite folds the case of ASCII only.
        names = [
            row[0]
            for row in self._rows("SELECT id, name FROM tag")
            if (wanted == row[1].casefold() if whole else wanted in row[1].casefold())
        ]
        return [
            row[0]
            for part in chunks(names)
            for row in self._rows(
                f"SELECT DISTINCT photo_id FROM photo_tag AS t WHERE {_HERE}"
                f" AND tag_id IN ({marks(len(part))})",
                part,
            )
        ]

    def tags_of(self, ids: Sequence[int]) -> dict[int, tuple[TagDetail, ...]]:
        """Read the tags of photos: confirmed ones first, then the surest suggestions."""
        found: dict[int, list[TagDetail]] = defaultdict(list)
        for part in chunks(list(ids)):
            for photo, *tag in self._rows(
                "SELECT t.photo_id, tag.name, t.source, t.confidence, t.state"
                " FROM photo_tag AS t JOIN tag ON tag.id = t.tag_id"
                f" WHERE {_HERE} AND t.photo_id IN ({marks(len(part))})"
                " ORDER BY t.state <> 'confirmed', t.confidence DESC, tag.name",
                part,
            ):
                found[photo].append(TagDetail(*tag))
        return {photo: tuple(tags) for photo, tags in found.items()}

    def _suggest(self, photo: int, source: str, tags: Sequence[tuple[str, int]]) -> None:
        """Suggest tags for a photo in place of what this source suggested before.

        Only inside a transaction. What a person confirmed or took away, of any source, stays.

        Args:
            photo: its id.
            source: who suggests.
            tags: (name, confidence 0-100); empty takes this source's suggestions back.
        """
        self._run(
            "DELETE FROM photo_tag WHERE photo_id = ? AND source = ? AND state = 'suggested'",
            (photo, source),
        )
        for name, confidence in tags:
            self._run("INSERT INTO tag (name) VALUES (?) ON CONFLICT (name) DO NOTHING", (name,))
            self._run(
                "INSERT INTO photo_tag (photo_id, tag_id, source, confidence, state)"
                " SELECT ?, id, ?, ?, 'suggested' FROM tag WHERE name = ? AND NOT EXISTS"
                " (SELECT 1 FROM photo_tag WHERE photo_id = ? AND tag_id = tag.id"
                " AND (state <> 'suggested' OR source = ?))",
                (photo, source, confidence, name, photo, source),
            )
        self._note_tags()

    def _merge_tags(self, survivor: int, other: int) -> None:
        """Give a photo the tags of another that proved to be the same; a person's word wins."""
        self._run(
            "INSERT INTO photo_tag (photo_id, tag_id, source, confidence, state)"
            " SELECT ?, tag_id, source, confidence, state FROM photo_tag WHERE photo_id = ?"
            " ON CONFLICT (photo_id, tag_id, source) DO UPDATE"
            " SET state = excluded.state WHERE photo_tag.state = 'suggested'",
            (survivor, other),
        )
        self._run("DELETE FROM photo_tag WHERE photo_id = ?", (other,))
        self._note_tags()

    def _note_tags(self) -> None:
        self._run(
            "INSERT INTO meta (key, value) VALUES ('tags_rev', '1')"
            " ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1"
        )

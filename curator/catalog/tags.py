"""Tags: words attached to photos, their sources, and whether a person confirmed them.

Machines only suggest. A person's decision on a tag is a row of its own and overrides all others: a
confirmed tag stays whatever is suggested later, and a removed tag is not suggested again for that
photo. The journal writes decisions; this module writes what machines and files suggest.

A tag that was renamed or merged stays as an alias of the tag it became: using the old
word again gives the new one. Reading always returns present tags.
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from curator.catalog.fields import STANDS
from curator.catalog.integrity import reports_damage
from curator.catalog.store import Row, Store, chunks, placeholders
from curator.model import SuggestedTag, UsageError

SHORTEST, LONGEST = 2, 50
"""Characters of a name; one is enough in scripts where a character is a word."""
_LONGEST_IN_OLD = 64  # characters of names in older catalogs, which may be any
MACHINES = ("vision", "encoder")
BETWEEN = "|"
"""Separates the levels of a keyword path: ``Places|Iceland|Vik``."""

Revision = tuple[int, str, object, object]
"""A change of the vocabulary: tag id, ``name`` or ``merged_into``, value before, value after."""

_JOINERS = "\u200c\u200d"  # invisible, but without them some scripts read differently
_APOSTROPHES = "'’"

# One row for each photo and present tag, from the source that takes precedence: a person's decision
# on the tag, a person's decision on its alias, a file, the most confident machine. With max() alone
# SQLite returns the other columns of the row that has it (sqlite.org/lang_select.html#bareagg).
EFFECTIVE_TAGS = (
    "SELECT photo_id, tag_id, source, confidence, state FROM"
    " (SELECT t.photo_id, coalesce(tag.merged_into, tag.id) AS tag_id, t.source, t.confidence,"
    " t.state, max(CASE t.source WHEN 'person' THEN CASE WHEN tag.merged_into IS NULL THEN 5"
    " WHEN t.state = 'confirmed' THEN 4 ELSE 3 END WHEN 'file' THEN 2"
    " ELSE coalesce(t.confidence, 50) / 101.0 END)"
    " FROM photo_tag AS t JOIN tag ON tag.id = t.tag_id WHERE {}"
    " GROUP BY t.photo_id, coalesce(tag.merged_into, tag.id)) WHERE state <> 'removed'"
)


def plain_name(text: str) -> str:
    """Return text as one visible line of at most 64 characters, the form used to look up names.

    Unicode NFC. Control and formatting characters are removed, runs of white space become one
    space, and double quotes, which end a name in the search box, single quotes. May return an empty
    string.
    """
    shown = (
        " " if char.isspace() else char
        for char in unicodedata.normalize("NFC", text)
        if char.isspace() or char in _JOINERS or unicodedata.category(char)[0] != "C"
    )
    return " ".join("".join(shown).replace('"', "'").split())[:_LONGEST_IN_OLD].strip()


def tag_name(text: str) -> str:
    """Turn any text into a tag name: letters, digits, spaces and hyphens, 2 to 50 characters.

    Apostrophes are left out, every other character becomes a space. May return an empty string.
    """
    text = unicodedata.normalize("NFC", text[: 16 * _LONGEST_IN_OLD])
    allowed = (char if _is_allowed(char) else " " for char in text if char not in _APOSTROPHES)
    name = " ".join("".join(allowed).split())[:LONGEST].strip(" -")
    return name if _is_long_enough(name) else ""


def _is_allowed(char: str) -> bool:
    return char in _JOINERS or char in " -" or unicodedata.category(char)[0] in "LMN"


def _is_long_enough(name: str) -> bool:
    """Whether a name has two characters, or a single one that is a word, as in Chinese."""
    return len(name) >= SHORTEST or (len(name) == 1 and unicodedata.category(name) == "Lo")


def tag_names(text: str) -> list[str]:
    """Parse the tags a person typed, separated by commas.

    A path (``place/iceland/vik`` or ``place|iceland|vik``) is returned with bars.

    Raises:
        UsageError: one of them is not a valid tag name; the message says why.
    """
    names = [
        BETWEEN.join(map(_typed_name, re.split(r"[|/]", part)))
        for part in text.split(",")
        if part.strip()
    ]
    return list({folded(name): name for name in names}.values())


def _typed_name(text: str) -> str:
    """Check a typed name, or one level of a path, and return it with single spaces.

    Raises:
        UsageError: it has characters not allowed in names, too few characters or too many.
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    shown = name if len(name) <= LONGEST else f"{name[:24]}…"
    wrong = "".join(dict.fromkeys(char for char in name if not _is_allowed(char)))
    if wrong:
        characters = plain_name(wrong[:8]) or "an invisible character"
        raise UsageError(
            f"A tag cannot contain {characters}: “{plain_name(shown)}”.",
            "Use letters, digits, spaces and hyphens; / or | puts a tag under another.",
        )
    if len(name) > LONGEST or not _is_long_enough(name):
        raise UsageError(f"A tag has {SHORTEST} to {LONGEST} characters: “{shown}”.")
    return name


def _levels(text: str) -> list[str]:
    """Return the clean names along a path; for a single name just that."""
    return [name for part in text.split(BETWEEN) if (name := tag_name(part))]


def folded(name: str) -> str:
    """Return the form in which names are compared: Harbor becomes harbor."""
    return unicodedata.normalize("NFC", name.casefold())


def known_as(word: str) -> set[str]:
    """Return the folded names a tag for a word may have: as plain name and as tag name."""
    return {folded(plain_name(word)), folded(tag_name(word))}


@dataclass(frozen=True, slots=True)
class TagDetail:
    """A tag of one photo.

    Attributes:
        name: of the tag.
        source: person, vision, encoder or file.
        confidence: 0-100; None where a model gave no number.
        state: suggested or confirmed.
        category: the path above it (``Places|Iceland``), if it has one.
    """

    name: str
    source: str
    confidence: int | None
    state: str
    category: str | None = None


@reports_damage
@dataclass(eq=False)
class Tags:
    """Reads the tags of photos, and saves what machines suggest and files contain."""

    _store: Store

    def revision(self) -> int:
        """Return a number that grows whenever any photo's tags change; cheap."""
        return self._store.counter("tags_rev")

    def photos_with(self, text: str) -> list[int]:
        """List photos that have a tag, suggested or confirmed.

        ``text`` is the tag's name or path in any case, or a former name of it.
        """
        names = known_as(text.rpartition(BETWEEN)[2]) | {folded(text)}
        # Compared here: there are only hundreds of names, and SQLite folds the case of ASCII only.
        present = {
            row[0]
            for row in self._store.rows("SELECT coalesce(merged_into, id), folded FROM tag")
            if row[1] in names
        }
        sql = EFFECTIVE_TAGS.format("t.tag_id IN ({})")
        rows = self._store.rows_for(sql, self._with_aliases(present))
        return list(dict.fromkeys(row[0] for row in rows))

    def of(self, ids: Sequence[int]) -> dict[int, tuple[TagDetail, ...]]:
        """Return the tags of photos: confirmed first, then suggestions by confidence."""
        found: dict[int, list[TagDetail]] = defaultdict(list)
        for photo, *tag in self._store.rows_for(
            "SELECT s.photo_id, tag.name, s.source, s.confidence, s.state, tag.category"
            f" FROM ({EFFECTIVE_TAGS.format('t.photo_id IN ({})')}) AS s"
            " JOIN tag ON tag.id = s.tag_id"
            " ORDER BY s.state <> 'confirmed', s.confidence DESC, tag.folded",
            ids,
        ):
            found[photo].append(TagDetail(*tag))
        return {photo: tuple(tags) for photo, tags in found.items()}

    def keywords_of(self, ids: Sequence[int]) -> dict[int, list[tuple[str, str | None]]]:
        """Return the confirmed tags of photos by name, as (name, category).

        For sidecars and exports.
        """
        found: dict[int, list[tuple[str, str | None]]] = defaultdict(list)
        for photo, name, category in self._store.rows_for(
            "SELECT s.photo_id, tag.name, tag.category"
            f" FROM ({EFFECTIVE_TAGS.format('t.photo_id IN ({})')}) AS s"
            " JOIN tag ON tag.id = s.tag_id WHERE s.state = 'confirmed' ORDER BY tag.folded",
            ids,
        ):
            found[photo].append((name, category))
        return dict(found)

    def links(self, since_rev: int, photos: int) -> tuple[int, str, str, str, str]:
        """Read the tags of the next photos that changed, packed as text, in the order of revisions.

        A million rows as Python objects take a second; numpy reads them from text in a tenth.

        Args:
            since_rev: only photos changed after this revision of the table ``photo``.
            photos: at most this many.

        Returns:
            The revision of the last photo (``since_rev`` if there is none), then lists separated by
            commas: the photo ids; photo id and tag id of each row, alternating; the state of each
            row: 3 confirmed and 4 removed by the person, 2 from a file, suggested 1 by the encoder
            and 0 by a vision model; and its confidence, 50 where a model gave no number.
        """
        last, ids = self._store.row(
            "SELECT max(rev), group_concat(id) FROM"
            " (SELECT rev, id FROM photo WHERE rev > ? ORDER BY rev LIMIT ?)",
            (since_rev, photos),
        ) or (None, None)
        if last is None:
            return since_rev, "", "", "", ""
        pairs, states, sure = self._store.row(
            "SELECT group_concat(t.photo_id || ',' || t.tag_id), group_concat(CASE t.source"
            " WHEN 'person' THEN iif(t.state = 'confirmed', 3, 4) WHEN 'file' THEN 2"
            " WHEN 'encoder' THEN 1 ELSE 0 END),"
            " group_concat(coalesce(t.confidence, 50))"
            " FROM photo AS p CROSS JOIN photo_tag AS t ON t.photo_id = p.id"
            " WHERE p.rev > ? AND p.rev <= ?",
            (since_rev, last),
        ) or (None, None, None)
        return last, ids or "", pairs or "", states or "", sure or ""

    def rows(self) -> list[Row]:
        """Return the vocabulary: (id, name, category, id of the tag it is an alias of or None)."""
        return self._store.rows("SELECT id, name, category, merged_into FROM tag")

    # --- finding tags by name

    def ids(self, names: Iterable[str], make: bool = False) -> dict[str, int]:
        """Find tags by present or former name: name → id of the present tag.

        A path means the tag at its end; the levels before become the category of a tag without one.

        Args:
            names: names in any case, or paths (``animal|bird``).
            make: create tags that do not exist; otherwise they are left out.

        Raises:
            UsageError: a path ends in a tag that has another category; nothing was created.
            CatalogError: the catalog is not writable.
        """
        names = list(names)
        found = {name: tag for name in names if (tag := self.id_for_text(name)) is not None}
        to_make = [name for name in names if self.id_of(plain_name(name)) is None and _levels(name)]
        if make and to_make:
            with self._store.transaction():
                found |= {name: self._ensure_path(*_levels(name)) for name in to_make}
        return found

    def _ensure_path(self, *levels: str) -> int:
        """Return the tag at the end of a path, created if it does not exist.

        Raises:
            UsageError: it has another category.
        """
        *parents, leaf = levels
        category = BETWEEN.join(parents)
        now = self._store.value("SELECT category FROM tag WHERE folded = ?", (folded(leaf),))
        if category and now and folded(now) != folded(category):
            raise UsageError(f"The tag {leaf} already exists under {now}.", "Choose another name.")
        return self.ensure(leaf, category or None)

    def id_of(self, name: str) -> int | None:
        """Return the present id of the tag with exactly this name, in any case, or None."""
        found = self._store.value(
            "SELECT coalesce(merged_into, id) FROM tag WHERE folded = ?", (folded(name),)
        )
        return None if found is None else int(found)

    def id_for_text(self, text: str) -> int | None:
        """Find the tag for a text: with exactly this name, else with the name `tag_name` makes."""
        known = self.id_of(plain_name(text))
        levels = _levels(text)
        return self.id_of(levels[-1]) if known is None and levels else known

    def ensure(self, name: str, category: str | None = None) -> int:
        """Return the tag with a clean name, created if it does not exist.

        A category is set only if the tag has none. Of two paths ending in the same word the first
        stays, and photos are found by either.
        """
        found = None if category else self.id_of(name)
        if found is None:
            self._store.run(
                "INSERT INTO tag (name, category, folded) VALUES (?, ?, ?)"
                " ON CONFLICT (folded) DO UPDATE SET category = excluded.category"
                " WHERE tag.category IS NULL AND excluded.category IS NOT NULL",
                (name, category, folded(name)),
            )
            found = self.id_of(name)
        assert found is not None
        return found

    def _tag_for_word(self, text: str, category: str | None = None) -> int | None:
        """Return the tag for a word of a file or machine, created if needed; None if invalid.

        An existing tag with exactly this name is used, even if the name has unusual characters.
        """
        known = self.id_of(plain_name(text))
        if known is not None and not category:
            return known  # a photo has about seven suggestions; this saves a second lookup each
        name = tag_name(text) if known is None else plain_name(text)
        return self.ensure(name, category) if name else None

    def _with_aliases(self, tags: Iterable[int]) -> list[int]:
        """Return tags with the ids of all tags merged into them."""
        sql = "SELECT id FROM tag WHERE coalesce(merged_into, id) IN ({})"
        return [row[0] for row in self._store.rows_for(sql, tags)]

    # --- suggestions and keywords

    def zero_shot_state(self) -> tuple[str, int]:
        """Return the vocabulary photos were tagged with and the last vector revision used."""
        return self._store.meta("named") or "", self._store.counter("named_rev")

    def save_zero_shot(
        self,
        suggestions: Sequence[tuple[int, Sequence[tuple[str, int]]]],
        categories: Mapping[str, str | None],
        mark: str,
        rev: int,
    ) -> None:
        """Save tags an encoder suggests for photos, in one transaction.

        Args:
            suggestions: photo id and its tags, (name, confidence 0-100).
            categories: of the names.
            mark: identifies the vocabulary and the way tags were chosen from it.
            rev: of the last vector used.
        """
        with self._store.transaction():
            for photo, tags in suggestions:
                named = [SuggestedTag(*tag, categories.get(tag[0])) for tag in tags]
                self.suggest(photo, "encoder", named)
            self._store.set_meta("named", mark)
            self._store.set_meta("named_rev", str(rev))

    def suggest(
        self,
        photo: int,
        source: str,
        tags: Sequence[SuggestedTag | tuple[str, int | None]],
    ) -> None:
        """Suggest tags for a photo, replacing the earlier suggestions of this source.

        Only inside a transaction. The suggestion of a tag on which a person has decided stays as it
        was, and counts as a hit or miss of the source (:meth:`Vocabulary.all`).

        Args:
            photo: its id.
            source: vision or encoder.
            tags: the suggestions; an empty list removes those of this source.
        """
        decided = {
            row[0]
            for row in self._store.rows(
                "SELECT coalesce(tag.merged_into, tag.id) FROM photo_tag AS t"
                " JOIN tag ON tag.id = t.tag_id WHERE t.photo_id = ? AND t.source = 'person'",
                (photo,),
            )
        }
        wanted: dict[int, int | None] = {}
        for text, confidence, category in (SuggestedTag(*tag) for tag in tags):
            tag = self._tag_for_word(text, category)
            if tag is not None:
                known = [each for each in (wanted.get(tag), confidence) if each is not None]
                wanted[tag] = min(max(*known, 0), 100) if known else None
        self._replace(photo, source, {tag: wanted[tag] for tag in wanted.keys() - decided}, decided)

    def set_keywords(self, photo: int, keywords: Iterable[str], paths: Iterable[str] = ()) -> None:
        """Replace the keywords read earlier from a photo's files with the present ones.

        Only inside a transaction. A path (``Places|Iceland|Vik``) means the tag at its end, which
        is what people type and search for; the levels before become its category, to be written to
        files again.

        Args:
            photo: its id.
            keywords: as they are in the file.
            paths: hierarchical ones.
        """
        wanted: dict[int, int | None] = {}
        for text in paths:
            *parents, leaf = [part for part in text.split(BETWEEN) if plain_name(part)] or [""]
            category = BETWEEN.join(filter(None, map(tag_name, parents)))[: 4 * LONGEST] or None
            if (tag := self._tag_for_word(leaf, category)) is not None:
                wanted[tag] = 100
        for text in keywords:
            if (tag := self._tag_for_word(text)) is not None:
                wanted[tag] = 100
        self._replace(photo, "file", wanted)

    def _replace(
        self,
        photo: int,
        source: str,
        wanted: Mapping[int, int | None],
        kept: Collection[int] = (),
    ) -> None:
        """Replace a source's tags of a photo with ``wanted`` (tag → confidence), except ``kept``.

        Rows that already have these values are not written: each write makes a revision.
        """
        now = self._store.rows(
            "SELECT t.tag_id, coalesce(tag.merged_into, tag.id), t.confidence FROM photo_tag AS t"
            " JOIN tag ON tag.id = t.tag_id WHERE t.photo_id = ? AND t.source = ?",
            (photo, source),
        )
        gone = [row for row in now if row[1] not in kept and wanted.get(row[0], -1) != row[2]]
        unchanged = {row[0] for row in now} - {row[0] for row in gone}
        new = {tag: confidence for tag, confidence in wanted.items() if tag not in unchanged}
        if not gone and not new:
            return
        self._store.run_many(
            "DELETE FROM photo_tag WHERE photo_id = ? AND tag_id = ? AND source = ?",
            [(photo, row[0], source) for row in gone],
        )
        state = "confirmed" if source == "file" else "suggested"
        self._store.run_many(
            "INSERT INTO photo_tag (photo_id, tag_id, source, confidence, state)"
            " VALUES (?, ?, ?, ?, ?)",
            [(photo, tag, source, confidence, state) for tag, confidence in new.items()],
        )
        self._store.increment("tags_rev")

    def merge_photo(self, survivor: int, other: int) -> None:
        """Move the tags of a photo to another that turned out to be the same.

        A person's decisions stay; if both photos have one, the later wins.
        """
        newest = (
            "(SELECT coalesce(max(d.id), 0) FROM decision AS d JOIN step AS s ON s.id = d.step_id"
            " WHERE d.photo_id IN (SELECT {0} UNION ALL SELECT id FROM photo"
            " WHERE merged_into = {0})"
            f" AND d.field = 'tag' AND d.about = photo_tag.tag_id AND {STANDS})"
        )
        self._store.run(
            "INSERT INTO photo_tag (photo_id, tag_id, source, confidence, state)"
            " SELECT ?1, tag_id, source, confidence, state FROM photo_tag WHERE photo_id = ?2"
            " ON CONFLICT (photo_id, tag_id, source) DO UPDATE SET state = excluded.state"
            f" WHERE source = 'person' AND {newest.format('?2')} > {newest.format('?1')}",
            (survivor, other),
        )
        self._store.run("DELETE FROM photo_tag WHERE photo_id = ?", (other,))
        self._store.increment("tags_rev")

    # --- changes of the vocabulary

    def revise(self, revisions: Sequence[Revision], back: bool = False) -> None:
        """Rename tags or turn them into aliases; only inside a transaction.

        This changes what photos are tagged with, so each of them gets a new revision, and its
        sidecar is to be written.

        Args:
            revisions: what changes.
            back: restore the values before instead.
        """
        if not revisions:
            return
        touched: set[int] = set()
        for tag, column, before, after in reversed(revisions) if back else revisions:
            if column not in ("name", "merged_into"):
                continue
            value = before if back else after
            self._store.run(f"UPDATE tag SET {column} = ? WHERE id = ?", (value, tag))
            touched |= {each for each in (tag, before, after) if isinstance(each, int)}
        for part in chunks(self._with_aliases(touched)):
            tagged = f"FROM photo_tag WHERE tag_id IN ({placeholders(len(part))})"
            self._store.run(
                f"UPDATE photo SET name = name WHERE id IN (SELECT photo_id {tagged})", part
            )
            self._store.run(
                f"INSERT INTO unwritten (photo_id, since) SELECT DISTINCT photo_id, ? {tagged}"
                " AND state = 'confirmed'"
                " ON CONFLICT (photo_id) DO UPDATE SET since = excluded.since",
                (time.time(), *part),
            )
        self._store.increment("tags_rev")

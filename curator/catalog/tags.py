"""Tags: words photos are found by, who said them, and whether a person agreed.

A machine only ever suggests. A person's word on a tag is a row of its own and goes before all
others: what they confirmed stays whatever is suggested later, and what they took away is not
suggested again for that photo. It is written by the journal; here is what machines and files say.

A tag that was renamed or merged stays as an alias of the one it became, so that whoever says the
old word again, means the new one. What is read here is always the tag of today.
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from curator.catalog.fields import STANDS
from curator.catalog.integrity import judging
from curator.catalog.store import Row, Store, chunks, marks
from curator.model import SuggestedTag, UsageError

SHORTEST, LONGEST = 2, 50
"""Characters of a name; one sign is enough in scripts where it is a word."""
_LONGEST_EVER = 64  # names in catalogs of before may be as long, and of any characters
MACHINES = ("vision", "encoder")
BETWEEN = "|"
"""What stands between the parts of a path of keywords: ``Places|Iceland|Vik``."""

Revision = tuple[int, str, object, object]
"""A change of the vocabulary: tag id, ``name`` or ``merged_into``, what it was, what it is."""

_KEPT = "\u200c\u200d"  # joiners: without them some scripts read differently
_LEFT_OUT = "'’"

# One row a photo and tag of today, the word that counts: a person's on the tag itself, then
# theirs on what it was called before, a file's, the surest machine's. With max() alone SQLite
# gives the other columns of the row that has it (sqlite.org/lang_select.html#bareagg).
SAID = (
    "SELECT photo_id, tag_id, source, confidence, state FROM"
    " (SELECT t.photo_id, coalesce(tag.merged_into, tag.id) AS tag_id, t.source, t.confidence,"
    " t.state, max(CASE t.source WHEN 'person' THEN CASE WHEN tag.merged_into IS NULL THEN 5"
    " WHEN t.state = 'confirmed' THEN 4 ELSE 3 END WHEN 'file' THEN 2"
    " ELSE coalesce(t.confidence, 50) / 101.0 END)"
    " FROM photo_tag AS t JOIN tag ON tag.id = t.tag_id WHERE {}"
    " GROUP BY t.photo_id, coalesce(tag.merged_into, tag.id)) WHERE state <> 'removed'"
)


def plain_name(text: str) -> str:
    """Return any text as one visible line of at most 64 characters; how names are looked up.

    Unicode NFC; control and formatting characters go, runs of white space become one space, a
    double quote a single one, since it ends a name in the search box. Empty if nothing is left.
    """
    shown = (
        " " if char.isspace() else char
        for char in unicodedata.normalize("NFC", text)
        if char.isspace() or char in _KEPT or unicodedata.category(char)[0] != "C"
    )
    return " ".join("".join(shown).replace('"', "'").split())[:_LONGEST_EVER].strip()


def tag_name(text: str) -> str:
    """Make a tag's name of any text: letters, digits, spaces and hyphens, 2 to 50 characters.

    An apostrophe is left out, every other sign becomes a space. Empty if no name is left.
    """
    text = unicodedata.normalize("NFC", text[: 16 * _LONGEST_EVER])
    allowed = (char if _is_of_names(char) else " " for char in text if char not in _LEFT_OUT)
    name = " ".join("".join(allowed).split())[:LONGEST].strip(" -")
    return name if _is_long_enough(name) else ""


def _is_of_names(char: str) -> bool:
    return char in _KEPT or char in " -" or unicodedata.category(char)[0] in "LMN"


def _is_long_enough(name: str) -> bool:
    """Whether a name has two characters, or one that is a word, such as a Chinese sign."""
    return len(name) >= SHORTEST or (len(name) == 1 and unicodedata.category(name) == "Lo")


def tag_names(text: str) -> list[str]:
    """Read the tags a person typed, several separated by commas.

    A path (``place/iceland/vik`` or ``place|iceland|vik``) comes back with bars.

    Raises:
        UsageError: one of them is no name of a tag; says why.
    """
    names = {}
    for part in text.split(","):
        if part.strip():
            name = BETWEEN.join(map(_typed_name, re.split(r"[|/]", part)))
            names[folded(name)] = name
    return list(names.values())


def _typed_name(text: str) -> str:
    """Return a name as typed, or one level of a path.

    Raises:
        UsageError: it has other characters than names may have, or too few or too many.
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    shown = name if len(name) <= LONGEST else f"{name[:24]}…"
    wrong = "".join(dict.fromkeys(char for char in name if not _is_of_names(char)))
    if wrong:
        signs = plain_name(wrong[:8]) or "an invisible sign"
        raise UsageError(
            f"“{plain_name(shown)}” cannot be a tag because of {signs}.",
            "Use letters, digits, spaces and hyphens; / or | puts a tag under another.",
        )
    if len(name) > LONGEST or not _is_long_enough(name):
        raise UsageError(f"A tag has {SHORTEST} to {LONGEST} characters: “{shown}”.")
    return name


def _levels(text: str) -> list[str]:
    """Return the names along a path, clean; of a single name just that."""
    return [name for part in text.split(BETWEEN) if (name := tag_name(part))]


def folded(name: str) -> str:
    """Give the form in which names are compared: Harbor is harbor."""
    return unicodedata.normalize("NFC", name.casefold())


def known_as(word: str) -> set[str]:
    """Return the folded names a tag of this word may have here: as it stands, or cleaned."""
    return {folded(plain_name(word)), folded(tag_name(word))}


@dataclass(frozen=True, slots=True)
class TagDetail:
    """A tag of one photo.

    ``source`` is who said it (person, vision, encoder, file), ``confidence`` how sure it was,
    0-100, None where a model gave no number, and ``state`` suggested or confirmed. ``category``
    is the path above it, if it has one.
    """

    name: str
    source: str
    confidence: int | None
    state: str
    category: str | None = None


@judging
class Tags:
    """The part of the catalog that keeps words for photos."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def revision(self) -> int:
        """Give a number that grows whenever any photo's tags change; cheap."""
        return self._store.counter("tags_rev")

    def photos_with(self, text: str, whole: bool = True) -> list[int]:
        """List photos that have a tag, suggested or confirmed.

        Args:
            text: the tag's name or path, in any case; also one it had before.
            whole: the whole name; otherwise any part of it.
        """
        wanted, names = folded(text), known_as(text.rpartition(BETWEEN)[2]) | {folded(text)}
        # Names are hundreds, photos a hundred thousand; SQLite folds the case of ASCII only.
        today = {
            row[0]
            for row in self._store.rows("SELECT coalesce(merged_into, id), folded FROM tag")
            if (row[1] in names if whole else wanted in row[1])
        }
        found: dict[int, None] = {}
        for part in chunks(self._with_aliases(today)):
            said = SAID.format(f"t.tag_id IN ({marks(len(part))})")
            found |= dict.fromkeys(row[0] for row in self._store.rows(said, part))
        return list(found)

    def of(self, ids: Sequence[int]) -> dict[int, tuple[TagDetail, ...]]:
        """Read the tags of photos: confirmed ones first, then the surest suggestions."""
        found: dict[int, list[TagDetail]] = defaultdict(list)
        for part in chunks(list(ids)):
            said = SAID.format(f"t.photo_id IN ({marks(len(part))})")
            for photo, *tag in self._store.rows(
                "SELECT s.photo_id, tag.name, s.source, s.confidence, s.state, tag.category"
                f" FROM ({said}) AS s JOIN tag ON tag.id = s.tag_id"
                " ORDER BY s.state <> 'confirmed', s.confidence DESC, tag.folded",
                part,
            ):
                found[photo].append(TagDetail(*tag))
        return {photo: tuple(tags) for photo, tags in found.items()}

    def keywords_of(self, ids: Sequence[int]) -> dict[int, list[tuple[str, str | None]]]:
        """Read what photos are certainly tagged with, for others to read: (name, category).

        Suggestions are not among them.
        """
        found: dict[int, list[tuple[str, str | None]]] = defaultdict(list)
        for part in chunks(list(ids)):
            said = SAID.format(f"t.photo_id IN ({marks(len(part))})")
            for photo, name, category in self._store.rows(
                f"SELECT s.photo_id, tag.name, tag.category FROM ({said}) AS s"
                " JOIN tag ON tag.id = s.tag_id WHERE s.state = 'confirmed' ORDER BY tag.folded",
                part,
            ):
                found[photo].append((name, category))
        return dict(found)

    def links(self, since_rev: int, photos: int) -> tuple[int, str, str, str]:
        """Read what is said of the next photos that changed, packed, in the order of revisions.

        A million rows in Python objects take a second; numpy reads them from text in a tenth.

        Args:
            since_rev: only photos changed after this revision of the table ``photo``.
            photos: so many at most.

        Returns:
            The revision of the last of them (``since_rev``: there is none), then lists separated
            by commas: their photo ids; and, row by row of what is said, photo and tag ids in
            turn; and what a row says: 3 confirmed and 4 removed by the person, 2 by a file, 1 a
            suggestion.
        """
        last, ids = self._store.row(
            "SELECT max(rev), group_concat(id) FROM"
            " (SELECT rev, id FROM photo WHERE rev > ? ORDER BY rev LIMIT ?)",
            (since_rev, photos),
        ) or (None, None)
        if last is None:
            return since_rev, "", "", ""
        pairs, said = self._store.row(
            "SELECT group_concat(t.photo_id || ',' || t.tag_id), group_concat(CASE t.source"
            " WHEN 'person' THEN iif(t.state = 'confirmed', 3, 4) WHEN 'file' THEN 2 ELSE 1 END)"
            " FROM photo AS p CROSS JOIN photo_tag AS t ON t.photo_id = p.id"
            " WHERE p.rev > ? AND p.rev <= ?",
            (since_rev, last),
        ) or (None, None)
        return last, ids or "", pairs or "", said or ""

    def rows(self) -> list[Row]:
        """Read the vocabulary: (id, name, category, id of what it is an alias of or None)."""
        return self._store.rows("SELECT id, name, category, merged_into FROM tag")

    # --- finding tags by name

    def ids(self, names: Iterable[str], make: bool = False) -> dict[str, int]:
        """Find tags by name, an old name too: name → id of the tag of today.

        A path is the tag it ends in; the way there becomes the category of a tag without one.

        Args:
            names: in any case, or paths (``animal|bird``).
            make: make those there are not; otherwise they are left out.

        Raises:
            UsageError: a path ends in a tag that stands under another; nothing was made.
            CatalogError: the catalog cannot be written.
        """
        names = list(names)
        found = {name: tag for name in names if (tag := self.id_for_text(name)) is not None}
        to_make = [name for name in names if self.id_of(plain_name(name)) is None and _levels(name)]
        if make and to_make:
            with self._store.transaction():
                found |= {name: self._placed(*_levels(name)) for name in to_make}
        return found

    def _placed(self, *levels: str) -> int:
        """Return the tag a path ends in, made if there is none.

        Raises:
            UsageError: it stands under another path.
        """
        *way, leaf = levels
        category = BETWEEN.join(way)
        now = self._store.value("SELECT category FROM tag WHERE folded = ?", (folded(leaf),))
        if category and now and folded(now) != folded(category):
            raise UsageError(f"{leaf} is a tag under {now} already.", "Take another name for it.")
        return self.ensure(leaf, category or None)

    def id_of(self, name: str) -> int | None:
        """Return the id of the tag with exactly this name, ignoring case, or None."""
        found = self._store.value(
            "SELECT coalesce(merged_into, id) FROM tag WHERE folded = ?", (folded(name),)
        )
        return None if found is None else int(found)

    def id_for_text(self, text: str) -> int | None:
        """Find the tag of any text: of that very name, else of the name it becomes."""
        known = self.id_of(plain_name(text))
        levels = _levels(text)
        return self.id_of(levels[-1]) if known is None and levels else known

    def ensure(self, name: str, category: str | None = None) -> int:
        """Return the tag of a clean name, made if there is none; a category only where it has none.

        Of two paths that end in the same word the first stays: a photo is found by either.
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

    def _heard(self, text: str, category: str | None = None) -> int | None:
        """Return the tag of what a file or a machine says, made if need be; None if it is no name.

        A tag of before that has this very name stays, whatever characters are in it.
        """
        known = self.id_of(plain_name(text))
        if known is not None and not category:
            return known  # a photo has seven suggestions: each is looked up once
        name = tag_name(text) if known is None else plain_name(text)
        return self.ensure(name, category) if name else None

    def _with_aliases(self, tags: Iterable[int]) -> list[int]:
        """Give tags with the ids of all that was merged into them."""
        wanted = list(tags)
        return [
            row[0]
            for part in chunks(wanted)
            for row in self._store.rows(
                f"SELECT id FROM tag WHERE coalesce(merged_into, id) IN ({marks(len(part))})", part
            )
        ]

    # --- what machines and files say

    def zero_shot_state(self) -> tuple[str, int]:
        """Read by which words of a vocabulary photos were named, and up to which vector."""
        mark = self._store.value("SELECT value FROM meta WHERE key = 'named'") or ""
        return mark, self._store.counter("named_rev")

    def save_zero_shot(
        self,
        said: Sequence[tuple[int, Sequence[tuple[str, int]]]],
        categories: Mapping[str, str | None],
        mark: str,
        rev: int,
    ) -> None:
        """Save what an encoder suggests for photos, in one transaction.

        Args:
            said: photo id and its tags, (name, confidence 0-100).
            categories: of the names.
            mark: names the words there were to choose from, and how they were chosen.
            rev: of the last vector this is from.
        """
        with self._store.transaction():
            for photo, tags in said:
                named = [SuggestedTag(*tag, categories.get(tag[0])) for tag in tags]
                self.suggest(photo, "encoder", named)
            for key, value in (("named", mark), ("named_rev", rev)):
                self._store.run(
                    "INSERT INTO meta (key, value) VALUES (?, ?)"
                    " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                    (key, str(value)),
                )

    def suggest(
        self,
        photo: int,
        source: str,
        tags: Sequence[SuggestedTag | tuple[str, int | None]],
    ) -> None:
        """Suggest tags for a photo in place of what this source suggested before.

        Only inside a transaction. What a person has a word on stays as it was suggested, and
        shows how well the source does (:meth:`Vocabulary.removals`); it is not suggested anew.

        Args:
            photo: its id.
            source: who suggests.
            tags: what it suggests; nothing takes this source's suggestions back.
        """
        spoken = {
            row[0]
            for row in self._store.rows(
                "SELECT coalesce(tag.merged_into, tag.id) FROM photo_tag AS t"
                " JOIN tag ON tag.id = t.tag_id WHERE t.photo_id = ? AND t.source = 'person'",
                (photo,),
            )
        }
        wanted: dict[int, int | None] = {}
        for text, sure, category in (SuggestedTag(*tag) for tag in tags):
            tag = self._heard(text, category)
            if tag is not None:
                known = [each for each in (wanted.get(tag), sure) if each is not None]
                wanted[tag] = min(max(*known, 0), 100) if known else None
        self._say(photo, source, {tag: wanted[tag] for tag in wanted.keys() - spoken}, spoken)

    def set_keywords(self, photo: int, keywords: Iterable[str], paths: Iterable[str] = ()) -> None:
        """Take over the keywords a file has, in place of what was read from one before.

        Only inside a transaction. A path (``Places|Iceland|Vik``) is the tag it ends in, which is
        what one types and looks for; the way there is kept as the tag's category, to be written
        out again.

        Args:
            photo: its id.
            keywords: as they are in the file.
            paths: hierarchical ones.
        """
        wanted: dict[int, int | None] = {}
        for text in paths:
            *way, leaf = [part for part in text.split(BETWEEN) if plain_name(part)] or [""]
            category = BETWEEN.join(filter(None, map(tag_name, way)))[: 4 * LONGEST] or None
            if (tag := self._heard(leaf, category)) is not None:
                wanted[tag] = 100
        for text in keywords:
            if (tag := self._heard(text)) is not None:
                wanted[tag] = 100
        self._say(photo, "file", wanted, frozenset())

    def _say(
        self,
        photo: int,
        source: str,
        wanted: Mapping[int, int | None],
        kept: set[int] | frozenset[int],
    ) -> None:
        """Bring what a source says of a photo to ``wanted`` (tag → confidence), but for ``kept``.

        Rows that are so already are not touched: each is a revision.
        """
        now = self._store.rows(
            "SELECT t.tag_id, coalesce(tag.merged_into, tag.id), t.confidence FROM photo_tag AS t"
            " JOIN tag ON tag.id = t.tag_id WHERE t.photo_id = ? AND t.source = ?",
            (photo, source),
        )
        gone = [row for row in now if row[1] not in kept and wanted.get(row[0], -1) != row[2]]
        there = {row[0] for row in now} - {row[0] for row in gone}
        new = {tag: sure for tag, sure in wanted.items() if tag not in there}
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
            [(photo, tag, source, sure, state) for tag, sure in new.items()],
        )
        self._store.increment("tags_rev")

    def merge_photo(self, survivor: int, other: int) -> None:
        """Give a photo the tags of another that proved to be the same.

        A person's word stays; where they said both, the later one.
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

    # --- undoing what was done to the vocabulary

    def revise(self, revisions: Sequence[Revision], back: bool = False) -> None:
        """Rename tags or make them aliases; only inside a transaction.

        What photos are tagged with changes by it, so each of them does, and their sidecars are
        to be written.

        Args:
            revisions: what changes.
            back: give them the values they had before.
        """
        if not revisions:
            return
        touched: set[int] = set()
        for tag, column, before, after in reversed(revisions) if back else revisions:
            value = before if back else after
            if column == "name":
                self._store.run("UPDATE tag SET name = ? WHERE id = ?", (value, tag))
            elif column == "merged_into":
                self._store.run("UPDATE tag SET merged_into = ? WHERE id = ?", (value, tag))
            touched |= {each for each in (tag, before, after) if isinstance(each, int)}
        for part in chunks(self._with_aliases(touched)):
            here = f"(SELECT photo_id FROM photo_tag WHERE tag_id IN ({marks(len(part))}))"
            self._store.run(f"UPDATE photo SET name = name WHERE id IN {here}", part)
            self._store.run(
                "INSERT INTO unwritten (photo_id, since) SELECT DISTINCT photo_id, ? FROM photo_tag"
                f" WHERE state = 'confirmed' AND tag_id IN ({marks(len(part))})"
                " ON CONFLICT (photo_id) DO UPDATE SET since = excluded.since",
                (time.time(), *part),
            )
        self._store.increment("tags_rev")

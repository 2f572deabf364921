"""The vocabulary: which tags exist, how often they are used, and renaming and merging them.

A rename or merge is one undo step, like a mark. It changes no rows of photos: the old word becomes
an alias of the new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from curator.catalog.fields import PRESENT
from curator.catalog.integrity import reports_damage
from curator.catalog.journal import Journal
from curator.catalog.store import Store
from curator.catalog.tags import (
    BETWEEN,
    EFFECTIVE_TAGS,
    MACHINES,
    Revision,
    Tags,
    folded,
    plain_name,
    tag_names,
)
from curator.model import NotFoundError, Step, UsageError

# The id of the tag that a tag is an alias of, or its own.
_CANONICAL = "coalesce(tag.merged_into, tag.id)"
_MOVE = "Enter the name alone. To put a tag under another, add it to a photo as bird|robin."
_OF_PHOTOS = f"t.photo_id IN (SELECT id FROM photo AS p WHERE {PRESENT})"


@dataclass(frozen=True, slots=True)
class TagRow:
    """A tag of the vocabulary.

    Attributes:
        id: of the tag.
        name: of the tag.
        category: the path above it, if it has one.
        count: how many photos have it.
        confirmed: how many of them confirmed by a person or a file.
        suggested: by source, how many photos a machine suggested it for.
        removed: by source, for how many of those a person removed it.
    """

    id: int
    name: str
    category: str | None
    count: int
    confirmed: int
    suggested: Mapping[str, int]
    removed: Mapping[str, int]


@reports_damage
@dataclass(eq=False)
class Vocabulary:
    """Lists, renames and merges tags."""

    _store: Store
    _tags: Tags
    _journal: Journal

    def all(self, prefix: str = "") -> list[TagRow]:
        """List the tags in use, and those suggested and removed, most used first.

        Reads every tag of every photo: seconds at a million. The window counts in memory instead.

        Args:
            prefix: only tags whose name begins with this, in any case.
        """
        wanted = folded(plain_name(prefix))
        names = {
            row[0]: (row[1], row[2])
            for row in self._tags.rows()
            if row[3] is None and folded(row[1]).startswith(wanted)
        }
        counts = {
            row[0]: row[1:]
            for row in self._store.rows(
                "SELECT tag_id, count(*), sum(state = 'confirmed')"
                f" FROM ({EFFECTIVE_TAGS.format(_OF_PHOTOS)}) GROUP BY tag_id"
            )
        }
        suggested: dict[int, dict[str, int]] = {}
        removed: dict[int, dict[str, int]] = {}
        for tag, source, number, misses in self._suggestion_counts():
            suggested.setdefault(tag, {})[source] = number
            removed.setdefault(tag, {})[source] = misses
        found = []
        for tag, (name, category) in names.items():
            if tag in counts or tag in suggested:
                count, confirmed = counts.get(tag, (0, 0))
                judged = suggested.get(tag, {}), removed.get(tag, {})
                found.append(TagRow(tag, name, category, count, confirmed, *judged))
        return sorted(found, key=lambda row: (-row.count, folded(row.name)))

    def _suggestion_counts(self) -> list[tuple[int, str, int, int]]:
        """Count suggestions and removed ones: (tag, source, suggested, removed)."""
        sources = ", ".join(f"'{source}'" for source in MACHINES)
        suggested, removed = (
            {
                (row[0], row[1]): row[2]
                for row in self._store.rows(
                    f"SELECT {_CANONICAL}, t.source, count(DISTINCT t.photo_id) {counted}"
                    f" AND t.source IN ({sources}) GROUP BY 1, 2"
                )
            }
            for counted in (
                "FROM photo_tag AS t JOIN tag ON tag.id = t.tag_id WHERE 1",
                # Starts from a person's decisions, which are few.
                "FROM photo_tag AS p CROSS JOIN tag AS named ON named.id = p.tag_id"
                " CROSS JOIN photo_tag AS t ON t.photo_id = p.photo_id"
                " CROSS JOIN tag ON tag.id = t.tag_id"
                " WHERE p.source = 'person' AND p.state = 'removed'"
                f" AND {_CANONICAL} = coalesce(named.merged_into, named.id)",
            )
        )
        return [(*key, number, removed.get(key, 0)) for key, number in suggested.items()]

    def rename(self, old: str, new: str) -> Step:
        """Rename a tag everywhere; one undo step.

        The old word becomes an alias: a machine that suggests it again suggests the new one.

        Raises:
            NotFoundError: no tag has the old name.
            UsageError: the new name is invalid, too long, a path, or another tag's. Nothing was
                changed.
        """
        tag, names = self._require(old), tag_names(new)
        if len(names) != 1:
            raise UsageError("A tag can have only one new name.", "Remove the comma.")
        name = names[0]
        if BETWEEN in name:
            raise UsageError("A new name cannot be a path.", _MOVE)
        with self._store.transaction(durable=True):
            [(now, category)] = self._store.rows(
                "SELECT name, category FROM tag WHERE id = ?", (tag,)
            )
            if folded(now) == folded(name):
                revisions: list[Revision] = [(tag, "name", now, name)] if now != name else []
            else:
                other = self._tags.id_of(name)
                if other not in (None, tag) and self._in_use(other):
                    raise UsageError(
                        f"A tag {name} already exists.",
                        f"`curator tag merge` merges the two: {now}, {name}.",
                    )
                self._tags.ensure(name, category)
                row = self._store.value("SELECT id FROM tag WHERE folded = ?", (folded(name),))
                revisions = self._merging(tag, row)
            return self._journal.revise_tags(
                "rename tag", f"{now} to {name}", "Renamed tag", revisions
            )

    def merge(self, old: str, into: str) -> Step:
        """Make one tag of two: photos with the first have the second from now on; one undo step.

        Raises:
            NotFoundError: no tag has one of the names.
            UsageError: both are the same tag. Nothing was changed.
        """
        tag, survivor = self._require(old), self._require(into)
        if tag == survivor:
            raise UsageError(f"{old} and {into} are already the same tag.")
        with self._store.transaction(durable=True):
            rows = self._store.rows("SELECT id, name FROM tag WHERE id IN (?, ?)", (tag, survivor))
            names = {row[0]: row[1] for row in rows}
            what = f"{names[tag]} into {names[survivor]}"
            return self._journal.revise_tags(
                "merge tags", what, "Merged tag", self._merging(tag, survivor)
            )

    def _require(self, name: str) -> int:
        tag = self._tags.id_for_text(name)
        if tag is None:
            raise NotFoundError(f"Tag {name!r} not found.", "`curator tags` lists all tags.")
        return tag

    def _in_use(self, tag: int | None) -> bool:
        return bool(
            self._store.value(
                "SELECT EXISTS (SELECT 1 FROM photo_tag AS t JOIN tag ON tag.id = t.tag_id"
                f" WHERE {_CANONICAL} = ? AND t.state <> 'removed')",
                (tag,),
            )
        )

    def _merging(self, tag: int, into: int) -> list[Revision]:
        """Return what changes when a tag and its aliases become aliases of another.

        The other may be one of those aliases: a former name that is right again.
        """
        before = self._store.value("SELECT merged_into FROM tag WHERE id = ?", (into,))
        first = [] if before is None else [(into, before, None)]
        rest = [
            (row[0], row[1], into)
            for row in self._store.rows(
                "SELECT id, merged_into FROM tag WHERE (id = ?1 OR merged_into = ?1) AND id <> ?2",
                (tag, into),
            )
        ]
        return [(each, "merged_into", old, new) for each, old, new in [*first, *rest]]

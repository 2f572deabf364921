"""What the taste model learns from, the predictions made before ratings, and its saved versions.

The learner (`curator.learning`) reads it. The catalog holds no score per photo: the learner
computes scores from vectors and ratings. Blobs go in and come out unchanged; this package knows no
arrays.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from curator.catalog.fields import HERE, STANDS
from curator.catalog.integrity import reports_damage
from curator.catalog.store import Store, chunks, marks
from curator.model import NotFoundError

# Whether a mark was made by the person, not read from a file and never confirmed. If the one
# parameter is true, marks from files count too.
_TEACHES = (
    "(? OR coalesce((SELECT s.source FROM decision AS d JOIN step AS s ON s.id = d.step_id"
    " WHERE d.photo_id IN (SELECT p.id UNION ALL SELECT id FROM photo WHERE merged_into = p.id)"
    f" AND d.field = '{{}}' AND {STANDS} ORDER BY d.id DESC LIMIT 1), 'person') = 'person')"
)
_STARRED = (
    "SELECT count(*) FROM photo AS p WHERE rating IS NOT NULL AND flag IS NOT 'reject'"
    f" AND {HERE} AND {_TEACHES.format('rating')}"
)
# The stack of a photo: the person's choice overrides the machine's, and 0 means no stack.
_STACKED = "coalesce(p.stacked, p.stack, 0)"
_STACK = f"CASE {_STACKED} WHEN 0 THEN -p.id ELSE {_STACKED} END"
# Automatic versions that are kept: the newest; of the older ones the last of each month.
_NEWEST_KEPT = 20
_VERSION = "id, made_at, encoder, ratings, correlation, error, mean_error, reason"


class Judgment(NamedTuple):
    """A person's present marks on one photo.

    Attributes:
        photo_id: the photo.
        rating: 1-5 or None.
        rejected: whether it is flagged as a reject.
        kept: whether it was kept, picked or rated, and is not rejected.
        stack: the stack it is in; for a photo in no stack a number of its own below 0.
        decided_at: when rating or flag last changed, in Unix time; 0 if it has neither.
    """

    photo_id: int
    rating: int | None
    rejected: bool
    kept: bool
    stack: int
    decided_at: float


class Preference(NamedTuple):
    """A comparison that was not undone: a person preferred one of two photos side by side.

    ``stack`` is the winner's, as in Judgment; ``decided_at`` is when the person decided.
    """

    winner: int
    loser: int
    stack: int
    decided_at: float


class PredictedRating(NamedTuple):
    """The first rating of a photo, and of the stack it is in now, with the prediction made before
    it.

    ``expected`` is None if nothing was predicted.
    """

    photo_id: int
    rating: int
    expected: float | None
    order_name: str
    made_at: float


@dataclass(frozen=True, slots=True)
class TasteRow:
    """One version of the taste model; ``numbers`` is empty in lists.

    ``reason`` is why it was kept: ``daily``, at ``closing``, or by ``hand``.
    """

    id: int
    made_at: float
    encoder: str
    ratings: int
    correlation: float | None
    error: float | None
    mean_error: float | None
    reason: str
    numbers: bytes = b""


@reports_damage
class Taste:
    """Reads what the taste model learns from, and keeps its versions."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def count_rated(self, from_files: bool = False) -> int:
        """Count the photos with a rating that are not rejected; ``from_files`` as for ratings."""
        return int(self._store.value(_STARRED, (from_files,)))

    def ratings(self, ids: Sequence[int] | None = None, from_files: bool = False) -> list[Judgment]:
        """Read the marks of all photos a model can learn from, or of the given photos.

        A model learns from rated and rejected photos, and from kept photos of stacks, for the
        rejects of these.

        Args:
            ids: these photos, including unmarked photos and those whose marks were undone; merged
            and
                removed photos are left out.
            from_files: whether ratings and rejects read from files count as well.
        """
        select = (
            f"SELECT p.id, CASE WHEN {_TEACHES.format('rating')} THEN p.rating END,"
            f" p.flag IS 'reject' AND {_TEACHES.format('flag')},"
            " (p.kept OR p.flag IS 'pick' OR p.rating IS NOT NULL) AND p.flag IS NOT 'reject',"
            f" {_STACK}, CASE WHEN p.rating IS NOT NULL OR p.flag IS 'reject' THEN"
            " coalesce((SELECT max(s.made_at) FROM decision AS d JOIN step AS s ON s.id = d.step_id"
            " WHERE d.photo_id = p.id AND d.field IN ('rating', 'flag')), p.added_at) ELSE 0 END"
            f" FROM photo AS p WHERE {HERE}"
        )
        if ids is None:
            rows = self._store.rows(
                f"{select} AND (p.rating IS NOT NULL OR p.flag = 'reject'"
                f" OR (p.kept OR p.flag = 'pick') AND {_STACKED} > 0)",
                (from_files, from_files),
            )
            rows = [row for row in rows if row[1] is not None or row[2] or (row[3] and row[4] > 0)]
        else:
            rows = [
                row
                for part in chunks(list(ids))
                for row in self._store.rows(
                    f"{select} AND p.id IN ({marks(len(part))})", (from_files, from_files, *part)
                )
            ]
        return [Judgment(row[0], row[1], bool(row[2]), bool(row[3]), *row[4:]) for row in rows]

    def preferences(self, ids: Collection[int] | None = None) -> list[Preference]:
        """Read the comparisons not undone: all, or those that involve one of these photos."""
        select = (
            f"SELECT o.winner_id, o.loser_id, {_STACK}, coalesce((SELECT max(s.made_at)"
            " FROM decision AS d JOIN step AS s ON s.id = d.step_id WHERE d.photo_id = o.winner_id"
            " AND d.field = 'over' AND d.about = o.loser_id), p.added_at)"
            " FROM duel AS o JOIN photo AS p ON p.id = o.winner_id"
            " JOIN photo AS q ON q.id = o.loser_id"
            f" WHERE {HERE} AND q.merged_into IS NULL AND q.removed_at IS NULL"
        )
        if ids is None:
            return [Preference(*row) for row in self._store.rows(select)]
        rows = {
            row[:2]: row
            for part in chunks(list(ids))
            for side in ("winner_id", "loser_id")
            for row in self._store.rows(f"{select} AND o.{side} IN ({marks(len(part))})", part)
        }
        return [Preference(*row) for row in rows.values()]

    def predictions(self) -> list[PredictedRating]:
        """Read each photo's first standing rating with its prediction, oldest first.

        Of a stack only the first rated photo counts, as its frames hardly differ. A rating that was
        undone does not count. Later ratings and ratings read from a file do not test the
        prediction, so they do not count either.
        """
        rows = self._store.rows(
            "SELECT d.photo_id, d.after, d.expected, d.order_name, s.made_at FROM decision AS d"
            " JOIN step AS s ON s.id = d.step_id JOIN (SELECT min(d.id) AS first FROM decision AS d"
            " JOIN step AS s ON s.id = d.step_id JOIN photo AS own ON own.id = d.photo_id"
            " JOIN photo AS p ON p.id = coalesce(own.merged_into, own.id)"
            " WHERE d.field = 'rating' AND d.after IS NOT NULL AND s.source = 'person'"
            f" AND {STANDS} GROUP BY {_STACK}) ON first = d.id ORDER BY d.id"
        )
        return [PredictedRating(*row) for row in rows]

    # --- versions

    def save_version(self, version: TasteRow) -> int:
        """Save a version made now; return its number.

        Old automatic versions are deleted: the newest 20 stay, and before those the last of each
        month and encoder. Versions kept by hand and the pinned one stay.
        """
        with self._store.transaction():
            number = self._store.run(
                "INSERT INTO taste_version (made_at, encoder, ratings, correlation, error,"
                " mean_error, reason, numbers) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    time.time(),
                    version.encoder,
                    version.ratings,
                    version.correlation,
                    version.error,
                    version.mean_error,
                    version.reason,
                    version.numbers,
                ),
            ).lastrowid
            self._store.run(
                "DELETE FROM taste_version WHERE reason <> 'hand' AND id <> ? AND id NOT IN"
                " (SELECT id FROM taste_version ORDER BY id DESC LIMIT ?) AND id NOT IN"
                " (SELECT max(id) FROM taste_version"
                " GROUP BY encoder, strftime('%Y-%m', made_at, 'unixepoch'))",
                (self.pinned() or 0, _NEWEST_KEPT),
            )
        assert number is not None
        return number

    def keep_version(self, number: int) -> None:
        """Mark a version as kept by hand, so that it is never deleted automatically."""
        with self._store.transaction():
            self._store.run("UPDATE taste_version SET reason = 'hand' WHERE id = ?", (number,))

    def versions(self) -> list[TasteRow]:
        """List the versions, newest first, without their numbers."""
        rows = self._store.rows(f"SELECT {_VERSION} FROM taste_version ORDER BY id DESC")
        return [TasteRow(*row) for row in rows]

    def version(self, number: int) -> TasteRow:
        """Read one version with its numbers.

        Raises:
            NotFoundError: it does not exist.
        """
        row = self._store.row(
            f"SELECT {_VERSION}, numbers FROM taste_version WHERE id = ?", (number,)
        )
        if row is None:
            raise NotFoundError(
                f"Taste version {number} not found.",
                "`curator taste versions` lists all versions.",
            )
        return TasteRow(*row)

    def pin(self, number: int | None) -> None:
        """Use this version instead of the learned model; None returns to the learned model."""
        with self._store.transaction():
            self._store.run("DELETE FROM meta WHERE key = 'taste_pinned'")
            if number is not None:
                self._store.run(
                    "INSERT INTO meta (key, value) VALUES ('taste_pinned', ?)", (str(number),)
                )

    def pinned(self) -> int | None:
        """Return the number of the pinned version, or None."""
        number = self._store.value("SELECT value FROM meta WHERE key = 'taste_pinned'")
        return None if number is None else int(number)

"""What the taste model learns from, the predictions made before ratings, and its saved versions.

The learner (`curator.learning`) reads it. The catalog holds no score per photo: the learner
computes scores from vectors and ratings.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple

from curator.catalog.fields import NOT_REMOVED, STANDS
from curator.catalog.integrity import reports_damage
from curator.catalog.store import Row, Store
from curator.model import NotFoundError

# SQL: whether a person made the newest decision on a field that was not undone, rather than a file.
# If the parameter is true, marks from files count too.
_TEACHES = (
    "(? OR coalesce((SELECT s.source FROM decision AS d JOIN step AS s ON s.id = d.step_id"
    " WHERE d.photo_id IN (SELECT p.id UNION ALL SELECT id FROM photo WHERE merged_into = p.id)"
    f" AND d.field = '{{}}' AND {STANDS} ORDER BY d.id DESC LIMIT 1), 'person') = 'person')"
)
_STARRED = (
    "SELECT count(*) FROM photo AS p WHERE rating IS NOT NULL AND flag IS NOT 'reject'"
    f" AND {NOT_REMOVED} AND {_TEACHES.format('rating')}"
)
# The stack of a photo: the person's choice overrides the machine's, and 0 means no stack.
_STACKED = "coalesce(p.stacked, p.stack, 0)"
_STACK = f"CASE {_STACKED} WHEN 0 THEN -p.id ELSE {_STACKED} END"
# Repeated ratings, each with the newest rating of the photo before it that was not undone.
_REPEATS = (
    "SELECT coalesce(own.merged_into, own.id), first.after, f.made_at, d.after, s.made_at, f.source"
    " FROM decision AS d JOIN step AS s ON s.id = d.step_id"
    " JOIN photo AS own ON own.id = d.photo_id"
    " JOIN decision AS first ON first.id = (SELECT max(e.id)"
    " FROM decision AS e JOIN step AS t ON t.id = e.step_id"
    f" WHERE e.field = 'rating' AND e.id < d.id AND {STANDS.replace('s.', 't.')} AND e.photo_id IN"
    " (SELECT coalesce(own.merged_into, own.id) UNION ALL SELECT id FROM photo"
    " WHERE merged_into = coalesce(own.merged_into, own.id)))"
    " JOIN step AS f ON f.id = first.step_id"
    f" WHERE d.repeated = 1 AND {STANDS} ORDER BY d.id"
)
RepeatEvent = Literal["planned", "shown"]
_NEWEST_KEPT = 20  # versions; see :meth:`Taste.save_version`
_VERSION = "id, made_at, encoder, ratings, correlation, error, mean_error, reason"


class Judgment(NamedTuple):
    """The present marks on one photo, as far as taste may learn from them.

    Attributes:
        photo_id: the photo.
        rating: 1-5 or None; None too if it was read from a file and these do not count.
        rejected: whether it is flagged as a reject, likewise.
        kept: whether it was kept, picked or rated, here or in a file, and is not rejected.
        stack: the stack it is in; for a photo in no stack a number of its own below 0.
        decided_at: when rating or flag last changed, in Unix time, or when the photo was added if
            only photos merged into it have such decisions; 0 if it is neither rated nor rejected.
    """

    photo_id: int
    rating: int | None
    rejected: bool
    kept: bool
    stack: int
    decided_at: float


class Preference(NamedTuple):
    """A comparison that was not undone: a person preferred one of two photos side by side.

    ``stack`` is the winner's, as in Judgment; ``decided_at`` is in Unix time.
    """

    winner: int
    loser: int
    stack: int
    decided_at: float


class PredictedRating(NamedTuple):
    """The first rating given in a stack or to a single photo, and what was predicted before it.

    ``expected`` is in stars, None if nothing was predicted. ``order_name`` is the order in which
    the photos were seen.
    """

    photo_id: int
    rating: int
    expected: float | None
    order_name: str
    made_at: float


class LastRating(NamedTuple):
    """The rating in force of a photo, given by a person; ``made_at`` is in Unix time."""

    rating: int
    made_at: float


class RepeatRating(NamedTuple):
    """Two ratings by a person of one photo; the stars were hidden until the second was given.

    A photo that came back twice has two: the first with the second rating, and the second with the
    third. Times are Unix times.
    """

    photo_id: int
    first: int
    first_at: float
    again: int
    again_at: float


@dataclass(frozen=True, slots=True)
class TasteRow:
    """One version of the taste model.

    Attributes:
        id: its number.
        made_at: Unix time.
        encoder: key of the encoder whose vectors it is for.
        ratings: how many it learned from.
        correlation: rank correlation of predictions and ratings; None while these are too few.
        error: mean absolute error of predictions in stars, or None.
        mean_error: the same for always guessing the mean of the preceding ratings, or None.
        reason: why it was kept: ``daily``, at ``closing``, or by ``hand``.
        numbers: the model as an npz file; empty in lists.
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
@dataclass(eq=False)
class Taste:
    """Reads what the taste model learns from, and keeps its versions."""

    _store: Store

    def count_rated(self, from_files: bool = False) -> int:
        """Count rated photos that are not rejected; ``from_files`` as for :meth:`ratings`."""
        return int(self._store.value(_STARRED, (from_files,)))

    def ratings(
        self, ids: Sequence[int] | None = None, from_files: bool = False
    ) -> Iterator[Judgment]:
        """Read the marks of all photos a model can learn from, or of the given photos.

        A model learns from rated and rejected photos, and from kept photos of stacks: these are
        better than the rejects of their stack.

        Args:
            ids: these photos, even if they are unmarked; merged and removed photos are left out.
            from_files: whether ratings and rejects read from files count as well.
        """
        counted = (from_files, from_files)
        select = (
            f"SELECT p.id, CASE WHEN {_TEACHES.format('rating')} THEN p.rating END,"
            f" p.flag IS 'reject' AND {_TEACHES.format('flag')},"
            " (p.kept OR p.flag IS 'pick' OR p.rating IS NOT NULL) AND p.flag IS NOT 'reject',"
            f" {_STACK}, CASE WHEN p.rating IS NOT NULL OR p.flag IS 'reject' THEN"
            " coalesce((SELECT max(s.made_at) FROM decision AS d JOIN step AS s ON s.id = d.step_id"
            " WHERE d.photo_id = p.id AND d.field IN ('rating', 'flag')), p.added_at) ELSE 0 END"
            f" FROM photo AS p WHERE {NOT_REMOVED}"
        )
        if ids is None:
            rows: Iterable[Row] = self._store.each_row(
                f"{select} AND (p.rating IS NOT NULL OR p.flag = 'reject'"
                f" OR (p.kept OR p.flag = 'pick') AND {_STACKED} > 0)",
                counted,
            )
        else:
            rows = self._store.rows_for(f"{select} AND p.id IN ({{}})", ids, *counted)
        for row in rows:
            if ids is not None or row[1] is not None or row[2] or (row[3] and row[4] > 0):
                yield Judgment(row[0], row[1], bool(row[2]), bool(row[3]), *row[4:])

    def preferences(self, ids: Collection[int] | None = None) -> list[Preference]:
        """Read the comparisons not undone: all, or those that involve one of these photos."""
        select = (
            f"SELECT o.winner_id, o.loser_id, {_STACK}, coalesce((SELECT max(s.made_at)"
            " FROM decision AS d JOIN step AS s ON s.id = d.step_id WHERE d.photo_id = o.winner_id"
            " AND d.field = 'over' AND d.about = o.loser_id), p.added_at)"
            " FROM duel AS o JOIN photo AS p ON p.id = o.winner_id"
            " JOIN photo AS q ON q.id = o.loser_id"
            f" WHERE {NOT_REMOVED} AND {NOT_REMOVED.replace('p.', 'q.')}"
        )
        if ids is None:
            return [Preference(*row) for row in self._store.rows(select)]
        rows = {
            row[:2]: row
            for side in ("winner_id", "loser_id")
            for row in self._store.rows_for(f"{select} AND o.{side} IN ({{}})", ids)
        }
        return [Preference(*row) for row in rows.values()]

    def predictions(self) -> list[PredictedRating]:
        """Read the first ratings with their predictions, oldest first.

        Of a stack only the first rating counts, as its photos hardly differ. Ratings that were
        undone do not count, nor later ones, nor repeated ones, nor those read from a file: these do
        not test the prediction.
        """
        rows = self._store.rows(
            "SELECT d.photo_id, d.after, d.expected, d.order_name, s.made_at FROM decision AS d"
            " JOIN step AS s ON s.id = d.step_id JOIN (SELECT min(d.id) AS first FROM decision AS d"
            " JOIN step AS s ON s.id = d.step_id JOIN photo AS own ON own.id = d.photo_id"
            " JOIN photo AS p ON p.id = coalesce(own.merged_into, own.id)"
            " WHERE d.field = 'rating' AND d.after IS NOT NULL AND s.source = 'person'"
            f" AND NOT d.repeated AND {STANDS} GROUP BY {_STACK}) ON first = d.id ORDER BY d.id"
        )
        return [PredictedRating(*row) for row in rows]

    def repeats(self) -> list[RepeatRating]:
        """Read the repeated ratings with the ratings before them, oldest repeat first.

        Ratings that were undone do not count. A repeat whose earlier rating is not a person's
        (read from a file, or removed in another window meanwhile) is left out.
        """
        rows = self._store.rows(_REPEATS)
        return [RepeatRating(*row[:5]) for row in rows if row[1] is not None and row[5] == "person"]

    def last_rating(self, photo_id: int) -> LastRating | None:
        """Return the rating of a photo; None without one, or if it was read from a file."""
        row = self._store.row(
            "SELECT d.after, s.made_at, s.source FROM decision AS d JOIN step AS s"
            " ON s.id = d.step_id WHERE d.field = 'rating' AND d.photo_id IN"
            " (SELECT ?1 UNION ALL SELECT id FROM photo WHERE merged_into = ?1)"
            f" AND {STANDS} ORDER BY d.id DESC LIMIT 1",
            (photo_id,),
        )
        return LastRating(*row[:2]) if row and row[0] and row[2] == "person" else None

    def newest_decision(self) -> int:
        """Return the id of the newest decision, 0 if there is none."""
        return int(self._store.value("SELECT coalesce(max(id), 0) FROM decision"))

    def newest_judgment(self) -> tuple[int, float]:
        """Return id and Unix time of the newest decision taste learns from, zeros without any."""
        row = self._store.row(
            "SELECT d.id, s.made_at FROM decision AS d JOIN step AS s ON s.id = d.step_id"
            " WHERE d.field IN ('rating', 'flag', 'over') ORDER BY d.id DESC LIMIT 1"
        )
        return (row[0], row[1]) if row else (0, 0.0)

    def note_repeat(self, planned_after: int) -> None:
        """Record that a photo came back now, planned when this decision was the newest."""
        with self._store.transaction():
            self._store.set_meta("repeat_planned", str(planned_after))
            self._store.set_meta("repeat_shown", str(self.newest_decision()))

    def rated_since(self, event: RepeatEvent, most: int) -> list[int]:
        """Return the photos that got their first stars in the rating mode since an event.

        At most the newest ``most``. Ratings that were undone are among them.
        """
        return self._store.values(
            "SELECT d.photo_id FROM decision AS d JOIN step AS s ON s.id = d.step_id"
            " WHERE d.id > ? AND d.field = 'rating' AND d.before IS NULL AND d.after IS NOT NULL"
            " AND s.kind = 'do' AND s.source = 'person'"
            " AND json_extract(s.context, '$.pass') = 'rate' ORDER BY d.id DESC LIMIT ?",
            (int(self._store.meta(f"repeat_{event}") or 0), most),
        )

    # --- versions

    def save_version(self, version: TasteRow) -> int:
        """Save a version made now; return its number.

        Older versions are deleted: the newest 20 stay, and before those the last of each month and
        encoder, those kept by hand, and the pinned one.
        """
        with self._store.transaction():
            columns = asdict(version) | {"made_at": time.time()}
            del columns["id"]
            number = self._store.insert("taste_version", **columns)
            self._store.run(
                "DELETE FROM taste_version WHERE reason <> 'hand' AND id <> ? AND id NOT IN"
                " (SELECT id FROM taste_version ORDER BY id DESC LIMIT ?) AND id NOT IN"
                " (SELECT max(id) FROM taste_version"
                " GROUP BY encoder, strftime('%Y-%m', made_at, 'unixepoch'))",
                (self.pinned() or 0, _NEWEST_KEPT),
            )
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
            self._store.set_meta("taste_pinned", None if number is None else str(number))

    def pinned(self) -> int | None:
        """Return the number of the pinned version, or None."""
        number = self._store.meta("taste_pinned")
        return None if number is None else int(number)

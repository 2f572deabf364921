"""Vectors, what was rated, how it was foreseen, and versions of the taste model.

The catalog holds no score per photo: whoever wants scores reads vectors and ratings here and
learns (`curator.taste`). Blobs go in and come out as they are; this package knows no arrays.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from curator.catalog.results import Results
from curator.catalog.store import Row, chunks, marks
from curator.model import Embedded, NotFoundError, StageJob

_HERE = "p.merged_into IS NULL AND p.removed_at IS NULL"
_STANDS = "s.kind <> 'undo' AND NOT EXISTS (SELECT 1 FROM step WHERE reverts = s.id)"
# Whether a mark is what the person thinks: not if it was read from a file and they had no word in
# it since. The one parameter says that files teach too.
_TEACHES = (
    "(? OR coalesce((SELECT s.source FROM decision AS d JOIN step AS s ON s.id = d.step_id"
    " WHERE d.photo_id IN (SELECT p.id UNION ALL SELECT id FROM photo WHERE merged_into = p.id)"
    f" AND d.field = '{{}}' AND {_STANDS} ORDER BY d.id DESC LIMIT 1), 'person') = 'person')"
)
_STARRED = (
    "SELECT count(*) FROM photo AS p WHERE rating IS NOT NULL AND flag IS NOT 'reject'"
    f" AND {_HERE} AND {_TEACHES.format('rating')}"
)
# What is judged as one: the person's word on a stack goes before the machine's, and 0 is alone.
_STACKED = "coalesce(p.stacked, p.stack, 0)"
_STACK = f"CASE {_STACKED} WHEN 0 THEN -p.id ELSE {_STACKED} END"
# Automatic versions kept: the newest, and of those before the last of each month.
_NEWEST_KEPT = 20
_VERSION = "id, made_at, encoder, ratings, correlation, error, mean_error, reason"
_NEARLY_ALL = 0.9  # of the photos of the encoder before: some are away, some always fail


class Lesson(NamedTuple):
    """What a person thinks of one photo now.

    ``kept``: it came through and is no reject. ``stack`` is what it is judged with, a number of
    its own (below 0) where it stands alone. ``decided_at`` is when stars or flag last changed,
    seconds since the epoch, 0 where there is neither.
    """

    photo_id: int
    rating: int | None
    rejected: bool
    kept: bool
    stack: int
    decided_at: float


class Preference(NamedTuple):
    """A duel that stands: of two photos side by side a person preferred one.

    ``stack`` is what the winner is judged with, as in Lesson; ``decided_at`` when that was.
    """

    winner: int
    loser: int
    stack: int
    decided_at: float


class Prediction(NamedTuple):
    """A first rating that stands, and the rating foretold before it, if one was.

    The first of its photo, and of the stack the photo is in now.
    """

    photo_id: int
    rating: int
    expected: float | None
    order_name: str
    made_at: float


@dataclass(frozen=True, slots=True)
class TasteRow:
    """One version of the taste model; ``numbers`` is empty where a list was asked for.

    ``reason``: kept ``daily``, at ``closing``, or by ``hand``.
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


@dataclass(frozen=True, slots=True)
class Comparing:
    """How far an encoder is with the photos another has seen before it.

    ``seen`` of ``of`` photos; ``waiting`` of the rest can be compared now, the others are away or
    could not be compared.
    """

    encoder: str
    seen: int
    of: int
    waiting: int

    @property
    def done(self) -> bool:
        """Whether taste may go by this encoder now."""
        return not self.waiting and self.seen >= _NEARLY_ALL * self.of


class Tastes(Results):
    """The part of the catalog that learning reads, and the stage `embed` fills."""

    # --- vectors

    def use_encoder(self, key: str) -> int:
        """Name the encoder that `embed` runs with; what it has not seen yet is to be done.

        Vectors of other encoders stay: taste goes by them until this one has seen all.

        Returns:
            How many photos are to be embedded because of this.
        """
        if self._value("SELECT value FROM meta WHERE key = 'encoder'") == key:
            return 0  # a changed proxy has asked for a new vector by itself
        with self._writing():
            self._run(
                "INSERT INTO meta (key, value) VALUES ('encoder', ?)"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (key,),
            )
            return self._run(
                "UPDATE work SET state = 'waiting', attempts = 0, next_attempt_at = NULL,"
                " reason = NULL WHERE stage = 'embed' AND state IN ('done', 'failed')"
                " AND NOT EXISTS"
                " (SELECT 1 FROM vector AS v JOIN photo AS p ON p.id = v.photo_id"
                " WHERE v.photo_id = work.photo_id AND v.encoder = ?"
                " AND v.source = p.proxy_digest)",
                (key,),
            ).rowcount

    def encoders(self) -> dict[str, int]:
        """Count the photos each encoder has seen, the one to go by first.

        That is the one in use once it has seen what the one before it had; until then the other
        with most vectors. Taste moves over to a better encoder when that is done, not before.
        Photos merged or removed since are counted only where there is nothing to choose from.
        """
        counts, lead, before = self._encoders()
        if before is not None and (
            counts.get(lead, 0) < _NEARLY_ALL * counts[before]
            or not self._comparing(lead, before, counts[before]).done
        ):
            lead = before
        return dict(sorted(counts.items(), key=lambda each: each[0] != lead))

    def comparing_again(self) -> Comparing | None:
        """Say how far the encoder in use is with photos taste goes by another for; None if done."""
        counts, wanted, before = self._encoders()
        if before is None:
            return None
        comparing = self._comparing(wanted, before, counts[before])
        return None if comparing.done else comparing

    def _encoders(self) -> tuple[dict[str, int], str, str | None]:
        """Count vectors by encoder, most first; name the one in use and the one to catch up with.

        Of two or more, only photos that are here are counted: an encoder need not catch up with
        what was removed. It is the others that are looked up and taken off, because they are few;
        to look up those that are here takes three times as long.
        """
        counts: dict[str, int] = dict(
            self._rows("SELECT encoder, count(*) FROM vector GROUP BY encoder")
        )
        if len(counts) > 1:
            gone = self._rows(
                "SELECT v.encoder, count(*) FROM photo AS p"
                " CROSS JOIN vector AS v INDEXED BY vector_photo ON v.photo_id = p.id"
                f" WHERE NOT ({_HERE}) GROUP BY v.encoder"
            )
            for encoder, count in gone:
                counts[encoder] -= count
            counts = {encoder: count for encoder, count in counts.items() if count}
        counts = dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))
        wanted = self._value("SELECT value FROM meta WHERE key = 'encoder'")
        before = next((encoder for encoder in counts if encoder != wanted), None)
        return counts, wanted or "", before if wanted is not None else None

    def _comparing(self, wanted: str, before: str, of: int) -> Comparing:
        """Say how far one encoder is with the ``of`` photos another has seen."""
        lacking, waiting = self._row(
            "SELECT count(*), coalesce(sum(NOT p.missing AND coalesce(f.enabled, 1)"
            " AND w.state IS NOT 'failed'), 0)"
            " FROM vector AS v INDEXED BY vector_photo CROSS JOIN photo AS p ON p.id = v.photo_id"
            " JOIN directory AS d ON d.id = p.directory_id"
            " LEFT JOIN folder AS f ON f.id = d.folder_id"
            " LEFT JOIN work AS w ON w.photo_id = p.id AND w.stage = 'embed'"
            " WHERE v.encoder = ? AND NOT EXISTS (SELECT 1 FROM vector AS n"
            f" WHERE n.photo_id = v.photo_id AND n.encoder = ?) AND {_HERE}",
            (before, wanted),
        ) or (0, 0)
        return Comparing(wanted, of - lacking, of, waiting)

    def save_embedded(self, results: Sequence[tuple[StageJob, Embedded]]) -> list[int]:
        """Save vectors in one transaction; return the ids of the photos they are of.

        A vector of a proxy that is no longer the photo's is dropped, and made again. One of an
        encoder that is no longer in use is kept, and the photo waits for the one that is.
        """
        saved: list[int] = []
        done: dict[int, str | None] = {}
        wanted = self._value("SELECT value FROM meta WHERE key = 'encoder'")
        with self._writing_by(lambda: self._proxies([job.photo_id for job, _ in results])) as now:
            for job, result in results:
                if now.get(job.photo_id) != result.source:
                    self._requeue(job.photo_id, job.stage)
                    continue
                self._run(
                    "INSERT INTO vector (photo_id, encoder, source, vector, tone, rev)"
                    " VALUES (?, ?, ?, ?, ?, (SELECT coalesce(max(rev), 0) + 1 FROM vector"
                    " WHERE encoder = ?)) ON CONFLICT (photo_id, encoder) DO UPDATE SET"
                    " source = excluded.source, vector = excluded.vector, tone = excluded.tone,"
                    " rev = excluded.rev",
                    (
                        job.photo_id,
                        result.encoder,
                        result.source,
                        result.vector,
                        result.tone,
                        result.encoder,
                    ),
                )
                if result.tags is not None:
                    self._suggest(job.photo_id, "encoder", result.tags)
                if wanted in (None, result.encoder):
                    done[job.photo_id] = result.source
                else:
                    self._requeue(job.photo_id, job.stage)
                saved.append(job.photo_id)
            self._done("embed", done)
        return saved

    def _proxies(self, ids: Sequence[int]) -> dict[int, str]:
        """Read the digests of the proxies of photos that have one."""
        return {
            row[0]: row[1]
            for part in chunks(ids)
            for row in self._rows(
                "SELECT id, proxy_digest FROM photo WHERE proxy_digest IS NOT NULL"
                f" AND id IN ({marks(len(part))})",
                part,
            )
        }

    def vectors(self, encoder: str, since_rev: int = 0, limit: int = 2000) -> list[Row]:
        """Read (rev, photo id, vector bytes, tone bytes), oldest first, ``limit`` at most.

        Args:
            encoder: whose.
            since_rev: only those written after this one.
            limit: read on from the last rev until nothing comes.
        """
        return self._rows(
            "SELECT v.rev, v.photo_id, v.vector, v.tone FROM vector AS v"
            f" JOIN photo AS p ON p.id = v.photo_id WHERE {_HERE}"
            " AND v.encoder = ? AND v.rev > ? ORDER BY v.rev LIMIT ?",
            (encoder, since_rev, limit),
        )

    # --- what was rated

    def stars(self, from_files: bool = False) -> int:
        """Count the photos with stars that are not rejected; ``from_files`` as for lessons."""
        return int(self._value(_STARRED, (from_files,)))

    def lessons(self, ids: Sequence[int] | None = None, from_files: bool = False) -> list[Lesson]:
        """Read what a person thinks of photos: all that teach something, or of these.

        Rated and rejected ones teach, and what was kept of a stack, for its rejects.

        Args:
            ids: these photos, also where nothing is thought of them (any more); such as are gone
                (merged, removed) are left out.
            from_files: whether stars and rejects read from files teach as well.
        """
        select = (
            f"SELECT p.id, CASE WHEN {_TEACHES.format('rating')} THEN p.rating END,"
            f" p.flag IS 'reject' AND {_TEACHES.format('flag')},"
            " (p.kept OR p.flag IS 'pick' OR p.rating IS NOT NULL) AND p.flag IS NOT 'reject',"
            f" {_STACK}, CASE WHEN p.rating IS NOT NULL OR p.flag IS 'reject' THEN"
            " coalesce((SELECT max(s.made_at) FROM decision AS d JOIN step AS s ON s.id = d.step_id"
            " WHERE d.photo_id = p.id AND d.field IN ('rating', 'flag')), p.added_at) ELSE 0 END"
            f" FROM photo AS p WHERE {_HERE}"
        )
        if ids is None:
            rows = self._rows(
                f"{select} AND (p.rating IS NOT NULL OR p.flag = 'reject'"
                f" OR (p.kept OR p.flag = 'pick') AND {_STACKED} > 0)",
                (from_files, from_files),
            )
            rows = [row for row in rows if row[1] is not None or row[2] or (row[3] and row[4] > 0)]
        else:
            rows = [
                row
                for part in chunks(list(ids))
                for row in self._rows(
                    f"{select} AND p.id IN ({marks(len(part))})", (from_files, from_files, *part)
                )
            ]
        return [Lesson(row[0], row[1], bool(row[2]), bool(row[3]), *row[4:]) for row in rows]

    def preferences(self, ids: Collection[int] | None = None) -> list[Preference]:
        """Read the duels that stand, of all photos, or those that any of these fought."""
        select = (
            f"SELECT o.winner_id, o.loser_id, {_STACK}, coalesce((SELECT max(s.made_at)"
            " FROM decision AS d JOIN step AS s ON s.id = d.step_id WHERE d.photo_id = o.winner_id"
            " AND d.field = 'over' AND d.about = o.loser_id), p.added_at)"
            " FROM duel AS o JOIN photo AS p ON p.id = o.winner_id"
            " JOIN photo AS q ON q.id = o.loser_id"
            f" WHERE {_HERE} AND q.merged_into IS NULL AND q.removed_at IS NULL"
        )
        if ids is None:
            return [Preference(*row) for row in self._rows(select)]
        rows = {
            row[:2]: row
            for part in chunks(list(ids))
            for side in ("winner_id", "loser_id")
            for row in self._rows(f"{select} AND o.{side} IN ({marks(len(part))})", part)
        }
        return [Preference(*row) for row in rows.values()]

    def foreseen(self) -> list[Prediction]:
        """Read each photo's first rating that stands, oldest first, with what was foretold.

        Of a stack only the first rated counts: its frames are hardly told apart. A rating undone
        never was; a second opinion is no test of the first prediction, and one read from a file
        is none at all.
        """
        rows = self._rows(
            "SELECT d.photo_id, d.after, d.expected, d.order_name, s.made_at FROM decision AS d"
            " JOIN step AS s ON s.id = d.step_id JOIN (SELECT min(d.id) AS first FROM decision AS d"
            " JOIN step AS s ON s.id = d.step_id JOIN photo AS own ON own.id = d.photo_id"
            " JOIN photo AS p ON p.id = coalesce(own.merged_into, own.id)"
            " WHERE d.field = 'rating' AND d.after IS NOT NULL AND s.source = 'person'"
            f" AND {_STANDS} GROUP BY {_STACK}) ON first = d.id ORDER BY d.id"
        )
        return [Prediction(*row) for row in rows]

    # --- versions

    def save_taste_version(self, version: TasteRow) -> int:
        """Keep a snapshot; return its number. The time is now, whatever the row says.

        Old versions kept by themselves go: the newest 20 stay, and of those before the last of
        each month and encoder. What was kept by hand or is pinned stays.
        """
        with self._writing():
            number = self._run(
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
            self._run(
                "DELETE FROM taste_version WHERE reason <> 'hand' AND id <> ? AND id NOT IN"
                " (SELECT id FROM taste_version ORDER BY id DESC LIMIT ?) AND id NOT IN"
                " (SELECT max(id) FROM taste_version"
                " GROUP BY encoder, strftime('%Y-%m', made_at, 'unixepoch'))",
                (self.pinned_taste() or 0, _NEWEST_KEPT),
            )
        assert number is not None
        return number

    def keep_taste_version(self, number: int) -> None:
        """Note that a version was kept by hand: it never goes by itself."""
        with self._writing():
            self._run("UPDATE taste_version SET reason = 'hand' WHERE id = ?", (number,))

    def taste_versions(self) -> list[TasteRow]:
        """List the snapshots, newest first, without their numbers."""
        rows = self._rows(f"SELECT {_VERSION} FROM taste_version ORDER BY id DESC")
        return [TasteRow(*row) for row in rows]

    def taste_version(self, number: int) -> TasteRow:
        """Read one snapshot with its numbers.

        Raises:
            NotFoundError: there is none of that number.
        """
        row = self._row(f"SELECT {_VERSION}, numbers FROM taste_version WHERE id = ?", (number,))
        if row is None:
            raise NotFoundError(
                f"There is no version {number} of taste.",
                "`curator taste versions` lists those there are.",
            )
        return TasteRow(*row)

    def pin_taste(self, number: int | None) -> None:
        """Have a version used from now on, whatever is learned; None goes on with what is."""
        with self._writing():
            self._run("DELETE FROM meta WHERE key = 'taste_pinned'")
            if number is not None:
                self._run(
                    "INSERT INTO meta (key, value) VALUES ('taste_pinned', ?)", (str(number),)
                )

    def pinned_taste(self) -> int | None:
        """Give the number of the version that is pinned, None if none is."""
        number = self._value("SELECT value FROM meta WHERE key = 'taste_pinned'")
        return None if number is None else int(number)

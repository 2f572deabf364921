"""Vectors, what was rated, how it was foreseen, and versions of the taste model.

The catalog holds no score per photo: whoever wants scores reads vectors and ratings here and
learns (`curator.taste`). Blobs go in and come out as they are; this package knows no arrays.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from curator.catalog.results import Results
from curator.catalog.store import Row, chunks, marks
from curator.model import Embedded, StageJob

_STARRED = (
    "SELECT count(*) FROM photo WHERE rating IS NOT NULL AND flag IS NOT 'reject'"
    " AND merged_into IS NULL AND removed_at IS NULL"
)
_HERE = "p.merged_into IS NULL AND p.removed_at IS NULL"
_STANDS = "s.kind <> 'undo' AND NOT EXISTS (SELECT 1 FROM step WHERE reverts = s.id)"


class Lesson(NamedTuple):
    """What a person thinks of one photo now; ``rating`` None and not rejected: nothing.

    ``decided_at`` is when stars or flag last changed, seconds since the epoch.
    """

    photo_id: int
    rating: int | None
    rejected: bool
    decided_at: float


class Foreseen(NamedTuple):
    """A photo's first rating that stands, and the rating foretold before it, if one was."""

    photo_id: int
    rating: int
    expected: float | None
    order_name: str
    made_at: float


@dataclass(frozen=True, slots=True)
class TasteRow:
    """One version of the taste model; ``numbers`` is empty where a list was asked for."""

    id: int
    made_at: float
    encoder: str
    ratings: int
    correlation: float | None
    error: float | None
    mean_error: float | None
    numbers: bytes = b""


class Tastes(Results):
    """The part of the catalog that learning reads, and the stage `embed` fills."""

    # --- vectors

    def use_encoder(self, key: str) -> int:
        """Name the encoder that `embed` runs with; what it has not seen yet is to be done.

        Vectors of other encoders stay: taste goes by them until this one has seen all.

        Returns:
            How many photos are to be embedded because of this.
        """
        with self._writing():
            self._run(
                "INSERT INTO meta (key, value) VALUES ('encoder', ?)"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (key,),
            )
            return self._run(
                "UPDATE work SET state = 'waiting', attempts = 0, next_attempt_at = NULL,"
                " reason = NULL WHERE stage = 'embed' AND state = 'done' AND NOT EXISTS"
                " (SELECT 1 FROM vector AS v JOIN photo AS p ON p.id = v.photo_id"
                " WHERE v.photo_id = work.photo_id AND v.encoder = ?"
                " AND v.source = p.proxy_digest)",
                (key,),
            ).rowcount

    def encoders(self) -> dict[str, int]:
        """Count the photos each encoder has seen, the one to go by first.

        That is the one with most vectors; of equals, the one in use: taste moves over to a
        better encoder when it has caught up, not before.
        """
        rows = self._rows(
            "SELECT v.encoder, count(*) FROM vector AS v JOIN photo AS p ON p.id = v.photo_id"
            f" WHERE {_HERE} GROUP BY v.encoder ORDER BY count(*) DESC,"
            " v.encoder IS NOT (SELECT value FROM meta WHERE key = 'encoder')"
        )
        return {str(encoder): int(count) for encoder, count in rows}

    def save_embedded(self, results: Sequence[tuple[StageJob, Embedded]]) -> list[int]:
        """Save vectors in one transaction; return the ids of the photos they are of.

        A vector of a proxy that is no longer the photo's is dropped, and made again.
        """
        saved: list[int] = []
        with self._writing():
            for job, result in results:
                row = self._row("SELECT proxy_digest FROM photo WHERE id = ?", (job.photo_id,))
                if row is None or row[0] != result.source:
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
                self._done(job.photo_id, job.stage, result.source)
                saved.append(job.photo_id)
        return saved

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

    def stars(self) -> int:
        """Count the photos with stars that are not rejected."""
        return int(self._value(_STARRED))

    def lessons(self, ids: Sequence[int] | None = None) -> list[Lesson]:
        """Read what a person thinks of photos: all that are rated or rejected, or these.

        Args:
            ids: these photos, also where nothing is thought of them (any more).
        """
        select = (
            "SELECT id, rating, flag IS 'reject', coalesce((SELECT max(s.made_at)"
            " FROM decision AS d"
            " JOIN step AS s ON s.id = d.step_id WHERE d.photo_id = photo.id"
            " AND d.field IN ('rating', 'flag')), added_at) FROM photo"
        )
        if ids is None:
            rows = self._rows(
                f"{select} WHERE (rating IS NOT NULL OR flag = 'reject')"
                " AND merged_into IS NULL AND removed_at IS NULL"
            )
        else:
            rows = [
                row
                for part in chunks(list(ids))
                for row in self._rows(f"{select} WHERE id IN ({marks(len(part))})", part)
            ]
        return [Lesson(row[0], row[1], bool(row[2]), row[3]) for row in rows]

    def foreseen(self) -> list[Foreseen]:
        """Read each photo's first rating that stands, oldest first, with what was foretold.

        A rating undone never was; a second opinion is no test of the first prediction.
        """
        rows = self._rows(
            "SELECT d.photo_id, d.after, d.expected, d.order_name, s.made_at FROM decision AS d"
            " JOIN step AS s ON s.id = d.step_id JOIN (SELECT min(d.id) AS first FROM decision AS d"
            " JOIN step AS s ON s.id = d.step_id WHERE d.field = 'rating' AND d.after IS NOT NULL"
            f" AND {_STANDS} GROUP BY d.photo_id) ON first = d.id ORDER BY d.id"
        )
        return [Foreseen(*row) for row in rows]

    # --- versions

    def save_taste_version(self, version: TasteRow) -> int:
        """Keep a snapshot; return its number. The time is now, whatever the row says."""
        with self._writing():
            number = self._run(
                "INSERT INTO taste_version (made_at, encoder, ratings, correlation, error,"
                " mean_error, numbers) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    time.time(),
                    version.encoder,
                    version.ratings,
                    version.correlation,
                    version.error,
                    version.mean_error,
                    version.numbers,
                ),
            ).lastrowid
        assert number is not None
        return number

    def taste_versions(self) -> list[TasteRow]:
        """List the snapshots, newest first, without their numbers."""
        return [
            TasteRow(*row)
            for row in self._rows(
                "SELECT id, made_at, encoder, ratings, correlation, error, mean_error"
                " FROM taste_version ORDER BY id DESC"
            )
        ]

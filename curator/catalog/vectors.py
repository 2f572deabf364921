"""Vectors of photos: which encoder made them, and which encoder taste and search should use.

The stage `embed` fills this table; the learner, search by similarity and stacking read it. Blobs go
in and come out unchanged; this package knows no arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from curator.catalog.fields import HERE
from curator.catalog.integrity import reports_damage
from curator.catalog.store import Row, Store, chunks, marks
from curator.catalog.tags import Tags
from curator.catalog.work import WorkQueue
from curator.model import Embedded, StageJob

_NEARLY_ALL = 0.9  # share of the former encoder's photos: some are away, some always fail


@dataclass(frozen=True, slots=True)
class EncoderProgress:
    """How many of the photos another encoder has encoded the present encoder has done.

    ``seen`` of ``of`` photos are done. ``waiting`` photos can be encoded now; the rest are away
    or failed.
    """

    encoder: str
    seen: int
    of: int
    waiting: int

    @property
    def done(self) -> bool:
        """Whether taste may switch to this encoder now."""
        return not self.waiting and self.seen >= _NEARLY_ALL * self.of


@reports_damage
class Vectors:
    """Stores the results of the stage `embed` and reads them in bulk."""

    def __init__(self, store: Store, work: WorkQueue, tags: Tags) -> None:
        self._store = store
        self._work = work
        self._tags = tags

    def revisions(self, encoder: str, since_rev: int = 0, limit: int = 2000) -> list[Row]:
        """Read (rev, photo id) of an encoder's vectors, oldest first, ``limit`` at most."""
        return self._store.rows(
            "SELECT rev, photo_id FROM vector WHERE encoder = ? AND rev > ? ORDER BY rev LIMIT ?",
            (encoder, since_rev, limit),
        )

    def of(self, encoder: str, ids: Sequence[int]) -> dict[int, bytes]:
        """Read an encoder's vectors of some photos as float16; photos without one are left out."""
        found: dict[int, bytes] = {}
        for part in chunks(list(ids)):
            rows = self._store.rows(
                "SELECT photo_id, vector FROM vector INDEXED BY vector_photo"
                f" WHERE photo_id IN ({marks(len(part))}) AND encoder = ?",
                (*part, encoder),
            )
            found.update({row[0]: row[1] for row in rows})
        return found

    def use_encoder(self, key: str) -> int:
        """Set the encoder that `embed` runs with, and queue what it has not encoded yet.

        Vectors of other encoders stay: taste uses them until this encoder has encoded all.

        Returns:
            How many photos are to be encoded because of this.
        """
        if self._store.value("SELECT value FROM meta WHERE key = 'encoder'") == key:
            return 0  # changed proxies are queued already
        with self._store.transaction():
            self._store.run(
                "INSERT INTO meta (key, value) VALUES ('encoder', ?)"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (key,),
            )
            return self._store.run(
                "UPDATE work SET state = 'waiting', attempts = 0, next_attempt_at = NULL,"
                " reason = NULL WHERE stage = 'embed' AND state IN ('done', 'failed')"
                " AND NOT EXISTS"
                " (SELECT 1 FROM vector AS v JOIN photo AS p ON p.id = v.photo_id"
                " WHERE v.photo_id = work.photo_id AND v.encoder = ?"
                " AND v.source = p.proxy_digest)",
                (key,),
            ).rowcount

    def encoders(self) -> dict[str, int]:
        """Count the photos each encoder has encoded; the one to use comes first.

        That is the present encoder, unless it has not caught up yet with the other encoder that has
        the most vectors; then it is that other encoder. Merged and removed photos count only if
        there is just one encoder.
        """
        counts, lead, before = self._encoders()
        if before is not None and (
            counts.get(lead, 0) < _NEARLY_ALL * counts[before]
            or not self._progress(lead, before, counts[before]).done
        ):
            lead = before
        return dict(sorted(counts.items(), key=lambda each: each[0] != lead))

    def catching_up(self) -> EncoderProgress | None:
        """Return the progress of the present encoder while taste still uses another; else None."""
        counts, wanted, before = self._encoders()
        if before is None:
            return None
        comparing = self._progress(wanted, before, counts[before])
        return None if comparing.done else comparing

    def _encoders(self) -> tuple[dict[str, int], str, str | None]:
        """Count vectors by encoder, most first; also return the present encoder and its rival.

        The rival is the other encoder with the most vectors, None while no encoder is set.

        With two or more encoders only present photos count: an encoder need not catch up with
        removed ones. The removed photos are looked up and subtracted, because they are few; looking
        up the present ones takes three times as long.
        """
        counts: dict[str, int] = dict(
            self._store.rows("SELECT encoder, count(*) FROM vector GROUP BY encoder")
        )
        if len(counts) > 1:
            gone = self._store.rows(
                "SELECT v.encoder, count(*) FROM photo AS p"
                " CROSS JOIN vector AS v INDEXED BY vector_photo ON v.photo_id = p.id"
                f" WHERE NOT ({HERE}) GROUP BY v.encoder"
            )
            for encoder, count in gone:
                counts[encoder] -= count
            counts = {encoder: count for encoder, count in counts.items() if count}
        counts = dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))
        wanted = self._store.value("SELECT value FROM meta WHERE key = 'encoder'")
        before = next((encoder for encoder in counts if encoder != wanted), None)
        return counts, wanted or "", before if wanted is not None else None

    def _progress(self, wanted: str, before: str, of: int) -> EncoderProgress:
        """Return how many of the ``of`` photos another encoder has encoded an encoder has done."""
        lacking, waiting = self._store.row(
            "SELECT count(*), coalesce(sum(NOT p.missing AND coalesce(f.enabled, 1)"
            " AND w.state IS NOT 'failed'), 0)"
            " FROM vector AS v INDEXED BY vector_photo CROSS JOIN photo AS p ON p.id = v.photo_id"
            " JOIN directory AS d ON d.id = p.directory_id"
            " LEFT JOIN folder AS f ON f.id = d.folder_id"
            " LEFT JOIN work AS w ON w.photo_id = p.id AND w.stage = 'embed'"
            " WHERE v.encoder = ? AND NOT EXISTS (SELECT 1 FROM vector AS n"
            f" WHERE n.photo_id = v.photo_id AND n.encoder = ?) AND {HERE}",
            (before, wanted),
        ) or (0, 0)
        return EncoderProgress(wanted, of - lacking, of, waiting)

    def save(self, results: Sequence[tuple[StageJob, Embedded]]) -> list[int]:
        """Save vectors in one transaction; return the ids of the photos they are of.

        A vector of a proxy that is no longer the photo's is dropped and made again. A vector of an
        encoder no longer in use is kept, and the photo waits for the present one.
        """
        saved: list[int] = []
        done: dict[int, str | None] = {}
        wanted = self._store.value("SELECT value FROM meta WHERE key = 'encoder'")
        with self._store.transaction_with(
            lambda: self._proxies([job.photo_id for job, _ in results])
        ) as now:
            for job, result in results:
                if now.get(job.photo_id) != result.source:
                    self._work.requeue(job.photo_id, job.stage)
                    continue
                self._store.run(
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
                    self._tags.suggest(job.photo_id, "encoder", result.tags)
                if wanted in (None, result.encoder):
                    done[job.photo_id] = result.source
                else:
                    self._work.requeue(job.photo_id, job.stage)
                saved.append(job.photo_id)
            self._work.mark_done("embed", done)
        return saved

    def _proxies(self, ids: Sequence[int]) -> dict[int, str]:
        """Return the digests of the proxies of photos that have one."""
        return {
            row[0]: row[1]
            for part in chunks(ids)
            for row in self._store.rows(
                "SELECT id, proxy_digest FROM photo WHERE proxy_digest IS NOT NULL"
                f" AND id IN ({marks(len(part))})",
                part,
            )
        }

    def read(self, encoder: str, since_rev: int = 0, limit: int = 2000) -> list[Row]:
        """Read (rev, photo id, vector bytes, tone bytes), oldest first, ``limit`` at most.

        Args:
            encoder: the encoder that made the vectors.
            since_rev: only those written after this revision.
            limit: continue from the last revision until nothing comes.
        """
        return self._store.rows(
            "SELECT v.rev, v.photo_id, v.vector, v.tone FROM vector AS v"
            f" JOIN photo AS p ON p.id = v.photo_id WHERE {HERE}"
            " AND v.encoder = ? AND v.rev > ? ORDER BY v.rev LIMIT ?",
            (encoder, since_rev, limit),
        )

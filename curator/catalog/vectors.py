"""Vectors of photos: which encoder made them, and which encoder taste and search should use.

The stage `embed` fills this table; the learner, search by similarity and stacking read it. Vectors
go in and come out as bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from curator.catalog.fields import NOT_REMOVED
from curator.catalog.integrity import reports_damage
from curator.catalog.store import Row, Store
from curator.catalog.tags import Tags
from curator.catalog.work import REQUEUE, WorkQueue
from curator.model import Embedded, StageJob

_NEARLY_ALL = 0.9  # share of the other encoder's photos: some are missing, some always fail


@dataclass(frozen=True, slots=True)
class EncoderProgress:
    """How far the present encoder has caught up with another one, which taste uses until then.

    Attributes:
        encoder: key of the present encoder.
        encoded: how many of the other encoder's photos it has encoded.
        total: how many the other encoder has encoded.
        waiting: photos still to be encoded. The rest are missing, in a disabled folder, or failed.
    """

    encoder: str
    encoded: int
    total: int
    waiting: int

    @property
    def done(self) -> bool:
        """Whether taste may switch to this encoder now."""
        return not self.waiting and self.encoded >= _NEARLY_ALL * self.total


@reports_damage
@dataclass(eq=False)
class Vectors:
    """Stores the results of the stage `embed` and reads them in bulk."""

    _store: Store
    _work: WorkQueue
    _tags: Tags

    def revisions(self, encoder: str, since_rev: int = 0, limit: int = 2000) -> list[Row]:
        """Read (rev, photo id) of an encoder's vectors, oldest first, ``limit`` at most.

        Includes merged and removed photos, which :meth:`read` leaves out.
        """
        return self._store.rows(
            "SELECT rev, photo_id FROM vector WHERE encoder = ? AND rev > ? ORDER BY rev LIMIT ?",
            (encoder, since_rev, limit),
        )

    def last_revision(self, encoder: str) -> int:
        """Return the latest revision of an encoder's vectors; 0 without any."""
        return self._store.value(
            "SELECT coalesce(max(rev), 0) FROM vector WHERE encoder = ?", (encoder,)
        )

    def count(self, encoder: str) -> int:
        """Count an encoder's vectors; takes 0.1 s at a million."""
        return self._store.value("SELECT count(*) FROM vector WHERE encoder = ?", (encoder,))

    def of(self, encoder: str, ids: Sequence[int]) -> dict[int, bytes]:
        """Read an encoder's vectors of some photos as float16; photos without one are left out."""
        sql = (
            "SELECT photo_id, vector FROM vector INDEXED BY vector_photo"
            " WHERE encoder = ? AND photo_id IN ({})"
        )
        return dict(self._store.rows_for(sql, ids, encoder))

    def use_encoder(self, key: str) -> int:
        """Set the encoder that `embed` runs with, and queue what it has not encoded yet.

        Vectors of other encoders stay: taste uses them until this encoder has encoded all.

        Returns:
            How many photos are to be encoded because of this.
        """
        if self._store.meta("encoder") == key:
            return 0  # changed proxies are queued already
        with self._store.transaction():
            self._store.set_meta("encoder", key)
            return self._store.run(
                f"{REQUEUE} WHERE stage = 'embed' AND state IN ('done', 'failed') AND NOT EXISTS"
                " (SELECT 1 FROM vector AS v JOIN photo AS p ON p.id = v.photo_id"
                " WHERE v.photo_id = work.photo_id AND v.encoder = ?"
                " AND v.source = p.proxy_digest)",
                (key,),
            ).rowcount

    def encoders(self) -> dict[str, int]:
        """Count the photos each encoder has encoded; the one to use comes first.

        That is the present encoder, unless it has not caught up yet with the other encoder that has
        the most vectors; then it is that other encoder. While no encoder is set, it is the one with
        the most vectors. Merged and removed photos count only if there is just one encoder.
        """
        counts, first, rival = self._encoders()
        if rival is not None and (
            counts.get(first, 0) < _NEARLY_ALL * counts[rival]
            or not self._progress(first, rival, counts[rival]).done
        ):
            first = rival
        return dict(sorted(counts.items(), key=lambda each: each[0] != first))

    def catching_up(self) -> EncoderProgress | None:
        """Return the progress of the present encoder while taste still uses another; else None."""
        counts, present, rival = self._encoders()
        if rival is None:
            return None
        progress = self._progress(present, rival, counts[rival])
        return None if progress.done else progress

    def _encoders(self) -> tuple[dict[str, int], str, str | None]:
        """Count vectors by encoder, most first; also return the present encoder and its rival.

        The rival is the other encoder with the most vectors; None without one, or while no encoder
        is set.

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
                f" WHERE NOT ({NOT_REMOVED}) GROUP BY v.encoder"
            )
            for encoder, count in gone:
                counts[encoder] -= count
            counts = {encoder: count for encoder, count in counts.items() if count}
        counts = dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))
        present = self._store.meta("encoder")
        rival = next((encoder for encoder in counts if encoder != present), None)
        return counts, present or "", rival if present is not None else None

    def _progress(self, present: str, rival: str, total: int) -> EncoderProgress:
        """Return how far an encoder has caught up with the ``total`` photos of its rival."""
        lacking, waiting = self._store.row(
            "SELECT count(*), coalesce(sum(NOT p.missing AND coalesce(f.enabled, 1)"
            " AND w.state IS NOT 'failed'), 0)"
            " FROM vector AS v INDEXED BY vector_photo CROSS JOIN photo AS p ON p.id = v.photo_id"
            " JOIN directory AS d ON d.id = p.directory_id"
            " LEFT JOIN folder AS f ON f.id = d.folder_id"
            " LEFT JOIN work AS w ON w.photo_id = p.id AND w.stage = 'embed'"
            " WHERE v.encoder = ? AND NOT EXISTS (SELECT 1 FROM vector AS n"
            f" WHERE n.photo_id = v.photo_id AND n.encoder = ?) AND {NOT_REMOVED}",
            (rival, present),
        ) or (0, 0)
        return EncoderProgress(present, total - lacking, total, waiting)

    def save(self, results: Sequence[tuple[StageJob, Embedded]]) -> list[int]:
        """Save vectors in one transaction; return the ids of the photos they are of.

        A vector of a proxy that is no longer the photo's is dropped and made again. A vector of an
        encoder no longer in use is kept, and the photo waits for the present one.
        """
        saved: list[int] = []
        done: dict[int, str | None] = {}
        present = self._store.meta("encoder")
        with self._store.transaction_with(
            lambda: self._proxies([job.photo_id for job, _ in results])
        ) as proxies:
            for job, result in results:
                if proxies.get(job.photo_id) != result.source:
                    self._work.requeue(job.photo_id, job.stage)
                    continue
                self._store.run(
                    "INSERT INTO vector (photo_id, encoder, source, vector, tone, rev)"
                    " VALUES (?1, ?2, ?3, ?4, ?5, (SELECT coalesce(max(rev), 0) + 1 FROM vector"
                    " WHERE encoder = ?2)) ON CONFLICT (photo_id, encoder) DO UPDATE SET"
                    " source = excluded.source, vector = excluded.vector, tone = excluded.tone,"
                    " rev = excluded.rev",
                    (job.photo_id, result.encoder, result.source, result.vector, result.tone),
                )
                if result.tags is not None:
                    self._tags.suggest(job.photo_id, "encoder", result.tags)
                if present in (None, result.encoder):
                    done[job.photo_id] = result.source
                else:
                    self._work.requeue(job.photo_id, job.stage)
                saved.append(job.photo_id)
            self._work.mark_done("embed", done)
        return saved

    def _proxies(self, ids: Sequence[int]) -> dict[int, str]:
        """Return the digests of the proxies of photos that have one."""
        sql = "SELECT id, proxy_digest FROM photo WHERE proxy_digest IS NOT NULL AND id IN ({})"
        return dict(self._store.rows_for(sql, ids))

    def read(self, encoder: str, since_rev: int = 0, limit: int = 2000) -> list[Row]:
        """Read (rev, photo id, vector bytes, tone bytes), oldest first.

        Merged and removed photos are left out.

        Args:
            encoder: the encoder that made the vectors.
            since_rev: only those written after this revision.
            limit: rows at most; continue from the last revision until nothing comes.
        """
        return self._store.rows(
            "SELECT v.rev, v.photo_id, v.vector, v.tone FROM vector AS v"
            f" JOIN photo AS p ON p.id = v.photo_id WHERE {NOT_REMOVED}"
            " AND v.encoder = ? AND v.rev > ? ORDER BY v.rev LIMIT ?",
            (encoder, since_rev, limit),
        )

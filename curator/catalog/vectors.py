"""Vectors of photos: which encoder made them, and which encoder taste and search should use.

Blobs go in and come out unchanged; this package knows no arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from curator.catalog.fields import HERE
from curator.catalog.integrity import judging
from curator.catalog.store import Row, Store, chunks, marks
from curator.catalog.tags import Tags
from curator.catalog.work import WorkQueue
from curator.model import Embedded, StageJob

_NEARLY_ALL = 0.9  # of the photos of the encoder before: some are away, some always fail


@dataclass(frozen=True, slots=True)
class EncoderProgress:
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


@judging
class Vectors:
    """Stores the results of the stage `embed` and reads them back in bulk."""

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
        """Read an encoder's vectors of some photos, float16; those without one are left out."""
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
        """Name the encoder that `embed` runs with; what it has not seen yet is to be done.

        Vectors of other encoders stay: taste goes by them until this one has seen all.

        Returns:
            How many photos are to be embedded because of this.
        """
        if self._store.value("SELECT value FROM meta WHERE key = 'encoder'") == key:
            return 0  # a changed proxy has asked for a new vector by itself
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
        """Count the photos each encoder has seen, the one to go by first.

        That is the one in use once it has seen what the one before it had; until then the other
        with most vectors. Taste moves over to a better encoder when that is done, not before.
        Photos merged or removed since are counted only where there is nothing to choose from.
        """
        counts, lead, before = self._encoders()
        if before is not None and (
            counts.get(lead, 0) < _NEARLY_ALL * counts[before]
            or not self._progress(lead, before, counts[before]).done
        ):
            lead = before
        return dict(sorted(counts.items(), key=lambda each: each[0] != lead))

    def catching_up(self) -> EncoderProgress | None:
        """Say how far the encoder in use is with photos taste goes by another for; None if done."""
        counts, wanted, before = self._encoders()
        if before is None:
            return None
        comparing = self._progress(wanted, before, counts[before])
        return None if comparing.done else comparing

    def _encoders(self) -> tuple[dict[str, int], str, str | None]:
        """Count vectors by encoder, most first; name the one in use and the one to catch up with.

        Of two or more, only photos that are here are counted: an encoder need not catch up with
        what was removed. It is the others that are looked up and taken off, because they are few;
        to look up those that are here takes three times as long.
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
        """Say how far one encoder is with the ``of`` photos another has seen."""
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

        A vector of a proxy that is no longer the photo's is dropped, and made again. One of an
        encoder that is no longer in use is kept, and the photo waits for the one that is.
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
        """Read the digests of the proxies of photos that have one."""
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
            encoder: whose.
            since_rev: only those written after this one.
            limit: read on from the last rev until nothing comes.
        """
        return self._store.rows(
            "SELECT v.rev, v.photo_id, v.vector, v.tone FROM vector AS v"
            f" JOIN photo AS p ON p.id = v.photo_id WHERE {HERE}"
            " AND v.encoder = ? AND v.rev > ? ORDER BY v.rev LIMIT ?",
            (encoder, since_rev, limit),
        )

"""The work queue: which stage is to run for which photo, its failures, and its counts.

The conductor asks for :meth:`WorkQueue.pending` work, reports that it starts, and brings back a
result (saved in `results`, `vectors` or `descriptions`) or a failure. Calls that write do so in
short transactions of their own, except for those that say they run inside one.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from curator.catalog.fields import NOT_REMOVED, SHOWN
from curator.catalog.integrity import reports_damage
from curator.catalog.photo_files import PhotoFiles
from curator.catalog.store import Row, Store, paused_chunks, placeholders
from curator.model import Failure, Kind, StageJob, StageState

DESCRIBE = "describe"
"""The stage that photos go through on request, unless the settings ask for all photos."""

BLOCKED = "blocked"
"""A state that is counted but not stored: waiting for a stage that has failed."""

REQUEUE = "UPDATE work SET state = 'waiting', attempts = 0, next_attempt_at = NULL, reason = NULL"
"""SQL without its condition: let work run again, from the first attempt."""

UNFINISHED = ("state = 'waiting' AND ready = 1", "state = 'running'")
"""SQL for work that can run and work that runs; two conditions, each of which uses an index."""


class StageRule(NamedTuple):
    """What the catalog knows about a stage.

    Attributes:
        name: of the stage.
        version: results of a lower version are outdated.
        needs: the stages that must be done before.
        reads: ``file``, ``proxy``, or ``both`` for the file behind a proxy.
        every: whether all photos go through the stage, or only on request.
        variant: a result holds while this is the same, such as the prompt.
    """

    name: str
    version: int
    needs: tuple[str, ...]
    reads: str = "file"
    every: bool = True
    variant: str = ""

    @property
    def holds_for(self) -> str:
        """``file`` or ``proxy``: a result holds while that has the same bytes."""
        return "file" if self.reads == "file" else "proxy"


def _ready(stage: StageRule, photo: str) -> str:
    """Return SQL for whether a stage can run for a photo: the value of ``work.ready``."""
    # A proxy can be read even while the drive of its file is unplugged.
    here = " AND folder.away_since IS NULL" if stage.reads != "proxy" else ""
    needs = "".join(
        f" AND NOT EXISTS (SELECT 1 FROM work AS n WHERE n.photo_id = {photo}"
        f" AND n.stage = '{name}' AND n.state <> 'done')"
        for name in stage.needs
    )
    return (
        "EXISTS (SELECT 1 FROM photo AS p JOIN file ON file.photo_id = p.id AND file.role = 'main'"
        " AND file.missing_since IS NULL JOIN directory ON directory.id = file.directory_id"
        f" LEFT JOIN folder ON folder.id = directory.folder_id WHERE p.id = {photo}"
        f" AND {NOT_REMOVED} AND coalesce(folder.enabled, 1){here}){needs}"
    )


class StageLike(Protocol):
    """What the catalog needs to know of a stage; implemented by the entries of STAGES."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def version(self) -> int: ...  # noqa: D102
    @property
    def needs(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def reads(self) -> str: ...  # noqa: D102
    @property
    def every(self) -> bool: ...  # noqa: D102
    @property
    def variant(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Pending:
    """A photo for which a stage can run now; a StageJob is made of it.

    ``proxy`` is the cache key of its proxy, ``proxy_digest`` the digest of the proxy's bytes, and
    ``sidecars`` are the paths of its known sidecars.
    """

    photo_id: int
    stage: str
    path: str
    kind: Kind
    fallback: str | None
    fingerprint: str | None
    attempts: int
    proxy: str | None
    proxy_digest: str | None
    sidecars: tuple[str, ...] = ()


_PENDING = (
    "SELECT w.photo_id, w.stage, d.path, f.name, f.kind, f.fingerprint, w.attempts,"
    " (SELECT hd.path || char(10) || h.name FROM file AS h JOIN directory AS hd"
    " ON hd.id = h.directory_id WHERE h.photo_id = w.photo_id AND h.role = 'half'"
    " AND h.missing_since IS NULL), p.proxy, p.proxy_digest,"
    " (SELECT json_group_array(path) FROM sidecar WHERE photo_id = w.photo_id)"
    " FROM work AS w {index} JOIN photo AS p ON p.id = w.photo_id"
    " JOIN file AS f ON f.photo_id = w.photo_id AND f.role = 'main'"
    " JOIN directory AS d ON d.id = f.directory_id"
    " WHERE w.stage = ? AND w.state = 'waiting' AND w.ready = 1"
    " AND (w.next_attempt_at IS NULL OR w.next_attempt_at <= ?)"
)


@reports_damage
@dataclass(eq=False)
class WorkQueue:
    """Keeps a row for each photo and stage: waiting, running, done or failed."""

    _store: Store
    _files: PhotoFiles
    _stages: tuple[StageRule, ...] = field(default=(), init=False)
    _read_from: str | None = field(default="[]", init=False)  # None: declared by this connection

    def stages(self) -> tuple[StageRule, ...]:
        """Return the stages photos of this catalog go through, as the conductor declared them."""
        if self._read_from is not None:
            self._read_stages()
        return self._stages

    def _read_stages(self) -> None:
        stored = self._store.meta("stages") or "[]"
        if stored != self._read_from:
            self._stages = tuple(
                StageRule(name, version, tuple(needs), *more)
                for name, version, needs, *more in json.loads(stored)
            )
            self._read_from = stored

    def add_photos(self, photos: Sequence[int]) -> None:
        """Insert waiting rows for new photos whose files are known. Only inside a transaction.

        One row for each stage that every photo goes through.
        """
        ids, queued = json.dumps(photos), set[str]()
        for stage in self.stages() if photos else ():
            if stage.every:
                waits = not queued.isdisjoint(stage.needs)
                self._store.run(
                    "INSERT INTO work (photo_id, stage, version, state, ready) SELECT value, ?, ?,"
                    f" 'waiting', {0 if waits else _ready(stage, 'value')} FROM json_each(?)",
                    (stage.name, stage.version, ids),
                )
                queued.add(stage.name)

    def refresh_ready(self, photos: Iterable[int], of: str = "") -> None:
        """Recompute ``ready`` of the work of photos from everything it depends on.

        Only inside a transaction.

        Args:
            photos: their ids.
            of: a stage, if only its work has changed: it and the stages that need it are updated.
        """
        ids = json.dumps([*photos])
        for stage in self.stages() if ids != "[]" else ():
            if of and of != stage.name and of not in stage.needs:
                continue
            # One statement for all: each releases the GIL while a mark may be waiting.
            self._store.run(
                f"UPDATE work SET ready = {_ready(stage, 'work.photo_id')} WHERE photo_id IN"
                f" (SELECT value FROM json_each(?)) AND stage = '{stage.name}'",
                (ids,),
            )

    def requeue_outdated(self, reads: str, sources: Mapping[int, str | None]) -> None:
        """Queue stages again whose results are of other bytes. Only inside a transaction.

        Stages that photos go through only on request keep their results.

        Args:
            reads: ``file`` or ``proxy``, as in :attr:`StageRule.holds_for`.
            sources: photo id → fingerprint or digest of the present bytes.
        """
        for rule in self.stages():
            if rule.holds_for == reads and rule.every:
                self._store.run(
                    f"{REQUEUE} WHERE photo_id IN (SELECT value FROM json_each(?))"
                    " AND stage = ? AND state IN ('done', 'failed')"
                    " AND source IS NOT json_extract(?, '$.' || photo_id) || ?",
                    (json.dumps([*sources]), rule.name, json.dumps(sources), rule.variant),
                )

    def mark_done(self, stage: str, sources: Mapping[int, str | None]) -> None:
        """Mark a stage as done for photos, with what it read of each. Only inside a transaction."""
        versions = {rule.name: rule.version for rule in self.stages()}
        self._store.run(
            "UPDATE work SET state = 'done', version = ?, attempts = 0, next_attempt_at = NULL,"
            " reason = NULL, source = json_extract(?, '$.' || photo_id)"
            " WHERE photo_id IN (SELECT value FROM json_each(?)) AND stage = ?",
            (versions.get(stage, 1), json.dumps(sources), json.dumps([*sources]), stage),
        )

    def add(self, stage: str, photos: Sequence[int]) -> None:
        """Add waiting rows of a stage for photos that have none. Only inside a transaction."""
        version = next((rule.version for rule in self.stages() if rule.name == stage), 1)
        self._store.run_many(
            "INSERT INTO work (photo_id, stage, version, state) VALUES (?, ?, ?, 'waiting')"
            " ON CONFLICT (photo_id, stage) DO NOTHING",
            [(photo, stage, version) for photo in photos],
        )

    def request(self, stage: str, photos: Sequence[int]) -> None:
        """Queue a stage for photos, including those it is done for. Only inside a transaction."""
        self.add(stage, photos)
        self._store.run_many(
            f"{REQUEUE} WHERE photo_id = ? AND stage = ? AND state <> 'running'",
            [(photo, stage) for photo in photos],
        )
        self.refresh_ready(photos, stage)

    def requeue(self, photo: int, stage: str) -> None:
        """Let a stage run again for a photo, from the first attempt. Only inside a transaction."""
        self._store.run(f"{REQUEUE} WHERE photo_id = ? AND stage = ?", (photo, stage))
        self.refresh_ready([photo])

    def use_stages(self, stages: Sequence[StageLike]) -> int:
        """Declare the stages photos go through, in order; the conductor calls this at its start.

        Photos get rows for stages they have none for. Results of an older version or another
        variant of a stage are queued again (the backfill), and those of a stage that was not
        declared for a while if their proxy is another one now. If a stage runs only on request from
        now on, its waiting rows are deleted.

        Returns:
            How many results are to be made, or made again, because of this.
        """
        rules = tuple(
            StageRule(s.name, s.version, tuple(s.needs), s.reads, s.every, s.variant)
            for s in stages
        )
        self._read_stages()  # compare with what is stored: an earlier call may have failed
        before = {rule.name: rule for rule in self._stages}
        self._stages, self._read_from = rules, None
        touched = 0
        for rule in rules:
            if rule.every:
                touched += self._queue_all(rule, before.get(rule.name))
            elif rule.name in before and before[rule.name].every:
                self._cancel_waiting(rule)
        # Last, so that after an interruption the next call finishes the work.
        with self._store.transaction():
            self._store.set_meta("stages", json.dumps(rules))
        return touched

    def _queue_all(self, rule: StageRule, before: StageRule | None) -> int:
        """Queue a stage for all photos without a valid result; return how many these are."""
        outdated, parameters = "version < ?", [rule.name, rule.version]
        # While a stage runs only on request, a new variant makes no result outdated.
        returns = before is None and rule.holds_for == "proxy"
        if returns or (rule.variant and rule != before):
            states = "('done', 'failed')" if returns else "('done')"
            outdated += (
                f" OR state IN {states} AND source IS NOT"
                " (SELECT proxy_digest || ? FROM photo WHERE id = photo_id)"
            )
            parameters.append(rule.variant)
        lacking = []
        if self._lacks_rows(rule.name):
            lacking = self._store.values(
                "SELECT id FROM photo WHERE merged_into IS NULL"
                " AND NOT EXISTS (SELECT 1 FROM work WHERE photo_id = photo.id AND stage = ?)",
                (rule.name,),
            )
        again = self._store.values(
            f"SELECT photo_id FROM work WHERE stage = ? AND ({outdated})", parameters
        )
        for part in paused_chunks(lacking):
            with self._store.transaction():
                self._store.run_many(
                    "INSERT INTO work (photo_id, stage, version, state)"
                    " VALUES (?, ?, ?, 'waiting')",
                    [(photo, rule.name, rule.version) for photo in part],
                )
                self.refresh_ready(part, rule.name)
        for part in paused_chunks(again):
            with self._store.transaction():
                self._store.run_many(
                    "UPDATE work SET state = 'waiting', version = ?, attempts = 0,"
                    " next_attempt_at = NULL, reason = NULL WHERE photo_id = ? AND stage = ?",
                    [(rule.version, photo, rule.name) for photo in part],
                )
                self.refresh_ready(part, rule.name)
        if returns:
            self._refresh_waiting(rule.name)
        return len(lacking) + len(again)

    def _refresh_waiting(self, stage: str) -> None:
        """Recompute which waiting work of a stage is ready, after nobody did for a while."""
        waiting = self._store.values(
            "SELECT photo_id FROM work WHERE stage = ? AND state = 'waiting'", (stage,)
        )
        for part in paused_chunks(waiting):
            with self._store.transaction():
                self.refresh_ready(part, stage)

    def _lacks_rows(self, stage: str) -> bool:
        """Whether a photo has no row for a stage; counting takes a tenth of looking at each."""
        present, queued = self._store.row(
            "SELECT (SELECT count(*) FROM photo)"
            " - (SELECT count(*) FROM photo WHERE merged_into IS NOT NULL),"
            " (SELECT count(*) FROM work WHERE stage = ?1)"
            " - (SELECT count(*) FROM photo CROSS JOIN work ON work.photo_id = photo.id"
            " AND work.stage = ?1 WHERE photo.merged_into IS NOT NULL)",
            (stage,),
        ) or (0, 0)
        return bool(present != queued)

    def _cancel_waiting(self, rule: StageRule) -> None:
        """Delete the waiting work of a stage."""
        waiting = self._store.values(
            "SELECT photo_id FROM work WHERE stage = ? AND state = 'waiting'", (rule.name,)
        )
        for part in paused_chunks(waiting):
            with self._store.transaction():
                self._store.run_many(
                    "DELETE FROM work WHERE photo_id = ? AND stage = ?",
                    [(photo, rule.name) for photo in part],
                )

    def pending(self, stage: str, limit: int, first: Sequence[int] = ()) -> list[Pending]:
        """Return photos a stage can run for now: ``first`` in its order, then the others by id.

        Of the others, those tried before come last.

        Args:
            stage: its name.
            limit: at most this many.
            first: ids of photos wanted soonest, those on screen.
        """
        now = time.time()
        sql = f"{_PENDING.format(index='')} AND w.photo_id IN ({{}})"
        rows = {row[0]: row for row in self._store.rows_for(sql, first, stage, now)}
        wanted = [rows[photo] for photo in dict.fromkeys(first) if photo in rows][:limit]
        if len(wanted) < limit:
            in_order = _PENDING.format(index="INDEXED BY work_waiting")
            listed = {row[0] for row in wanted}
            # A file that hung once will probably block a process again, so it comes last.
            for tried in ("w.attempts = 0", "w.attempts > 0"):
                room = limit - len(wanted)
                more = self._store.rows(
                    f"{in_order} AND {tried} ORDER BY w.photo_id LIMIT ?",
                    (stage, now, room + len(listed)),
                )
                wanted += [row for row in more if row[0] not in listed][:room]
                if len(wanted) == limit:
                    break
        return [_pending(row) for row in wanted]

    def waiting_among(self, stages: Sequence[str], photos: Sequence[int]) -> list[int]:
        """Return which of some photos wait for one of some stages that can run for them now."""
        return self._store.values(
            "SELECT DISTINCT photo_id FROM work WHERE photo_id IN (SELECT value FROM json_each(?))"
            " AND stage IN (SELECT value FROM json_each(?)) AND state = 'waiting' AND ready = 1"
            " AND (next_attempt_at IS NULL OR next_attempt_at <= ?)",
            (json.dumps(list(photos)), json.dumps(list(stages)), time.time()),
        )

    def not_pending(self, stage: str, ids: Sequence[int]) -> list[int]:
        """Return the photos for which a stage neither runs nor waits for its turn."""
        rows = self._store.rows_for(
            f"SELECT photo_id FROM work WHERE stage = ? AND ({' OR '.join(UNFINISHED)})"
            " AND photo_id IN ({})",
            ids,
            stage,
        )
        pending = {row[0] for row in rows}
        return [photo for photo in dict.fromkeys(ids) if photo not in pending]

    def next_due(self, excluding: Collection[str] = (), only: str = "") -> float | None:
        """Return when the earliest postponed attempt is due, in Unix time, or None.

        Args:
            excluding: the names of stages to leave out.
            only: the name of the only stage to look at.
        """
        # Stages that are not declared do not run.
        names = [s.name for s in self.stages() if s.name not in excluding and only in ("", s.name)]
        return self._store.value(
            "SELECT min(next_attempt_at) FROM work WHERE next_attempt_at IS NOT NULL"
            f" AND state = 'waiting' AND ready = 1 AND stage IN ({placeholders(len(names))})",
            names,
        )

    def start(self, stage: str, ids: Sequence[int]) -> None:
        """Mark a stage as running for photos; each start is an attempt."""
        with self._store.transaction():
            self._store.run(
                "UPDATE work SET state = 'running', attempts = attempts + 1, next_attempt_at = NULL"
                " WHERE photo_id IN (SELECT value FROM json_each(?)) AND stage = ?",
                (json.dumps(list(ids)), stage),
            )

    def put_back(self, stage: str, ids: Sequence[int]) -> None:
        """Requeue work that was started but not done (pause, stop), without counting an attempt."""
        with self._store.transaction():
            self._store.run_many(
                "UPDATE work SET state = 'waiting', attempts = max(attempts - 1, 0)"
                " WHERE photo_id = ? AND stage = ? AND state = 'running'",
                [(photo, stage) for photo in ids],
            )
            self.refresh_ready(ids)  # its drive may have been unplugged meanwhile

    def postpone(self, stage: str, photo: int, reason: str, wait_s: float) -> None:
        """Return started work to the queue for a while, with the reason; no attempt counts."""
        with self._store.transaction():
            self._store.run(
                "UPDATE work SET state = 'waiting', attempts = max(attempts - 1, 0),"
                " next_attempt_at = ?, reason = ? WHERE photo_id = ? AND stage = ?"
                " AND state = 'running'",
                (time.time() + wait_s, reason, photo, stage),
            )
            self.refresh_ready([photo])

    def reset_running(self) -> int:
        """Requeue the work a dead conductor had started; return how many rows that is."""
        with self._store.transaction():
            return self._store.run(
                "UPDATE work SET state = 'waiting', attempts = max(attempts - 1, 0)"
                " WHERE state = 'running'"
            ).rowcount

    # --- failures and counts

    def save_failure(
        self,
        job: StageJob,
        reason: str,
        *,
        retry: bool,
        attempts: int = 3,
        backoff_s: float = 2.0,
        wait_s: float | None = None,
    ) -> bool:
        """Record that a stage failed for a photo, in words a photographer understands.

        Args:
            job: what was run.
            reason: one plain sentence.
            retry: whether another attempt may help; the wait doubles each time.
            attempts: how many are made in all.
            backoff_s: the wait before the second.
            wait_s: the wait before the next one, where a better value is known.

        Returns:
            Whether it has failed for good; otherwise it will be retried, or was merged meanwhile.
        """
        with self._store.transaction():
            made = self._store.value(
                "SELECT attempts FROM work WHERE photo_id = ? AND stage = ?",
                (job.photo_id, job.stage),
            )
            if made is None:
                return False  # the photo was merged into another
            row = self._files.of_job(job)
            if row is not None and row.path != job.path:
                self.requeue(job.photo_id, job.stage)  # its copy can be read instead
                return False
            again = retry and made < attempts
            source = row.fingerprint if row else None
            if job.proxy:  # of a stage that reads both, see StageRule
                source = job.fingerprint
            wait = backoff_s * 2 ** max(made - 1, 0) if wait_s is None else wait_s
            self._store.run(
                "UPDATE work SET state = ?, next_attempt_at = ?, reason = ?, source = ?"
                " WHERE photo_id = ? AND stage = ?",
                (
                    "waiting" if again else "failed",
                    time.time() + wait if again else None,
                    reason,
                    source,
                    job.photo_id,
                    job.stage,
                ),
            )
            self.refresh_ready([job.photo_id])
        return not again

    def retry(self, stage: str | None = None, ids: Sequence[int] | None = None) -> int:
        """Retry failed and postponed work now, with a fresh count of attempts.

        Args:
            stage: only this one.
            ids: only these photos.

        Returns:
            How many will be retried.
        """
        sql = f"{REQUEUE} WHERE (state = 'failed' OR next_attempt_at IS NOT NULL)"
        parameters: list[object] = []
        if stage is not None:
            sql += " AND stage = ?"
            parameters.append(stage)
        if ids is not None:
            sql += " AND photo_id IN (SELECT value FROM json_each(?))"
            parameters.append(json.dumps(list(ids)))
        with self._store.transaction():
            return self._store.run(sql, parameters).rowcount

    def backfill(self, stage: str) -> int:
        """Run a stage again for every photo, even if it otherwise runs only on request.

        Returns:
            For how many photos it will run, or runs already.
        """
        rule = next((rule for rule in self.stages() if rule.name == stage), None)
        if rule is not None:
            self._queue_all(rule._replace(every=True), rule)
        ids = self._store.values(
            "SELECT photo_id FROM work WHERE stage = ? AND state IN ('done', 'failed')", (stage,)
        )
        for part in paused_chunks(ids):
            with self._store.transaction():
                self._store.run_many(
                    f"{REQUEUE} WHERE photo_id = ? AND stage = ? AND state IN ('done', 'failed')",
                    [(photo, stage) for photo in part],
                )
                self.refresh_ready(part, stage)
        counted = self.counts().get(stage, {})
        return counted.get("waiting", 0) + counted.get("running", 0)

    def counts(self) -> dict[str, dict[str, int]]:
        """Count photos by stage and state, stages in order.

        The states are those of StageState, and BLOCKED: an earlier stage failed for the photo, so
        that only a retry helps.
        """
        states = (*map(str, StageState), BLOCKED)
        found = {rule.name: dict.fromkeys(states, 0) for rule in self.stages()}
        for stage, state, count in self._store.rows(
            "SELECT stage, state, count(*) FROM work GROUP BY stage, state"
        ):
            found.setdefault(stage, dict.fromkeys(states, 0))[StageState(state)] = count
        for stage, count in self._store.rows(
            "SELECT stage, count(*) FROM work JOIN photo ON photo.id = work.photo_id"
            " WHERE state = 'waiting' AND ready = 0 AND photo.failed GROUP BY stage"
        ):
            found[stage]["waiting"] -= count
            found[stage][BLOCKED] = count
        return found

    def unfinished(self, reads: str = "file") -> int:
        """Count photos that a stage can run for or runs for; each waits for one at a time.

        Takes 10 ms at 20,000 of them: too much for every tick.

        Args:
            reads: ``file`` or ``proxy``, for the stages that read this; descriptions are left out:
                :meth:`count_unfinished` counts these.
        """
        names = [s.name for s in self.stages() if s.reads == reads and s.name != DESCRIBE]
        return sum(map(self.count_unfinished, names))

    def count_unfinished(self, stage: str) -> int:
        """Count photos that one stage can run for or runs for."""
        return sum(
            self._store.value(f"SELECT count(*) FROM work WHERE stage = ? AND {state}", (stage,))
            for state in UNFINISHED
        )

    def failures(self, ids: Sequence[int] | None = None, later: bool = False) -> list[Failure]:
        """List failures by path.

        Args:
            ids: only these photos.
            later: include work that is retried automatically at its ``next_attempt_at``.
        """
        state = "w.state = 'failed'"
        if later:
            state = f"({state} OR w.state = 'waiting' AND w.reason IS NOT NULL)"
        rows = self._store.rows(
            "SELECT w.photo_id, d.path, f.name, w.stage, w.reason, w.attempts, w.next_attempt_at"
            " FROM work AS w CROSS JOIN file AS f ON f.photo_id = w.photo_id AND f.role = 'main'"
            " JOIN directory AS d ON d.id = f.directory_id JOIN photo AS p ON p.id = w.photo_id"
            f" WHERE {state} AND {SHOWN} ORDER BY d.path, f.name, w.stage"
        )
        wanted = None if ids is None else set(ids)
        return [
            Failure(photo, str(Path(directory, name)), stage, reason or "", attempts, next_at)
            for photo, directory, name, stage, reason, attempts, next_at in rows
            if wanted is None or photo in wanted
        ]


def _pending(row: Row) -> Pending:
    photo, stage, directory, name, kind, fingerprint, attempts, half, proxy, digest, sidecars = row
    return Pending(
        photo,
        stage,
        os.path.join(directory, name),  # noqa: PTH118 (each time the lanes fill)
        Kind(kind),
        str(Path(*half.split("\n", 1))) if half else None,
        fingerprint,
        attempts,
        proxy,
        digest,
        tuple(json.loads(sidecars)),
    )

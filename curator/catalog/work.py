"""What is to be done for which photo, and taking results in.

The conductor asks :meth:`WorkQueue.pending`, says :meth:`WorkQueue.start`, and brings back a
result or a failure. Results are small; a save is one short transaction. Peek's result also
settles who a photo is: content seen before merges, changed content is the same photo, newer, or
another one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Protocol

from curator.catalog.identity import Content, FileReader, FileRow, Identity, StageRule, Twin
from curator.catalog.store import chunks, marks
from curator.model import (
    Capture,
    Converted,
    Failure,
    Found,
    Kind,
    KnownError,
    Peeked,
    StageJob,
)


class StageLike(Protocol):
    """What a stage tells the catalog; entries of STAGES fit."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def version(self) -> int: ...  # noqa: D102
    @property
    def needs(self) -> tuple[str, ...]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Pending:
    """One photo that one stage can be run for now; what a StageJob is made of."""

    photo_id: int
    stage: str
    path: str
    kind: Kind
    fallback: str | None
    fingerprint: str | None
    attempts: int


@dataclass(frozen=True, slots=True)
class StageCount:
    """How many photos stand where with one stage."""

    waiting: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0


_EXIF = (
    "utc_offset_min",
    "camera",
    "lens",
    "exposure_s",
    "f_number",
    "iso",
    "focal_length_mm",
    "latitude",
    "longitude",
    "width",
    "height",
)
_PENDING = (
    "SELECT w.photo_id, w.stage, d.path, f.name, f.kind, f.fingerprint, w.attempts,"
    " (SELECT hd.path || char(10) || h.name FROM file AS h JOIN directory AS hd"
    " ON hd.id = h.directory_id WHERE h.photo_id = w.photo_id AND h.role = 'half'"
    " AND h.missing_since IS NULL)"
    " FROM work AS w JOIN file AS f ON f.photo_id = w.photo_id AND f.role = 'main'"
    " JOIN directory AS d ON d.id = f.directory_id"
    " WHERE w.stage = ? AND w.state = 'waiting' AND w.ready = 1"
    " AND (w.next_attempt_at IS NULL OR w.next_attempt_at <= ?)"
)


class WorkQueue(Identity):
    """The part of the catalog the conductor works with."""

    def use_stages(self, stages: Sequence[StageLike]) -> int:
        """Declare the stages photos go through, in order; the conductor calls it at its start.

        Photos get rows for stages they have none for, and a stage whose version grew has its
        results made again (the backfill).

        Returns:
            How many results are to be made, or made again, because of this.
        """
        rules = tuple(StageRule(stage.name, stage.version, tuple(stage.needs)) for stage in stages)
        with self._writing():
            self._run(
                "INSERT INTO meta (key, value) VALUES ('stages', ?)"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (json.dumps(rules),),
            )
            self._stages = rules
            touched = 0
            for rule in rules:
                added = self._run(
                    "INSERT INTO work (photo_id, stage, version, state)"
                    " SELECT id, ?, ?, 'waiting' FROM photo WHERE merged_into IS NULL"
                    " AND NOT EXISTS (SELECT 1 FROM work WHERE photo_id = photo.id AND stage = ?)",
                    (rule.name, rule.version, rule.name),
                ).rowcount
                again = self._run(
                    "UPDATE work SET state = 'waiting', version = ?, attempts = 0,"
                    " next_attempt_at = NULL, reason = NULL WHERE stage = ? AND version < ?",
                    (rule.version, rule.name, rule.version),
                ).rowcount
                touched += added + again
            if touched:
                self._refresh_ready(row[0] for row in self._rows("SELECT id FROM photo"))
        return touched

    def pending(
        self, stage: str, limit: int, first: Sequence[int] = (), now: float | None = None
    ) -> list[Pending]:
        """Give photos a stage can be run for now: ``first`` in its order, then as scanned.

        Args:
            stage: its name.
            limit: at most so many.
            first: ids of photos wanted soonest, those on screen.
            now: seconds since the epoch; later attempts due by then are among them.
        """
        when = time.time() if now is None else now
        rows: dict[int, tuple[object, ...]] = {}
        for part in chunks(list(first)):
            rows.update(
                (row[0], row)
                for row in self._rows(
                    f"{_PENDING} AND w.photo_id IN ({marks(len(part))})", (stage, when, *part)
                )
            )
        wanted = [rows[photo] for photo in dict.fromkeys(first) if photo in rows][:limit]
        if len(wanted) < limit:
            more = self._rows(
                f"{_PENDING} ORDER BY w.photo_id LIMIT ?", (stage, when, limit + len(wanted))
            )
            taken = {row[0] for row in wanted}
            wanted += [row for row in more if row[0] not in taken][: limit - len(wanted)]
        return [_pending(row) for row in wanted]

    def next_due(self) -> float | None:
        """Give when the earliest postponed attempt is due, seconds since the epoch, or None."""
        return self._value(  # type: ignore[no-any-return]
            "SELECT min(next_attempt_at) FROM work"
            " WHERE next_attempt_at IS NOT NULL AND state = 'waiting' AND ready = 1"
        )

    def start(self, stage: str, ids: Sequence[int]) -> None:
        """Note that a stage has been begun for photos; each beginning is an attempt."""
        with self._writing():
            self._run_many(
                "UPDATE work SET state = 'running', attempts = attempts + 1,"
                " next_attempt_at = NULL WHERE photo_id = ? AND stage = ?",
                [(photo, stage) for photo in ids],
            )

    def put_back(self, stage: str, ids: Sequence[int]) -> None:
        """Take beginnings back that came to nothing (pause, stop): no attempt was made."""
        with self._writing():
            self._run_many(
                "UPDATE work SET state = 'waiting', attempts = max(attempts - 1, 0)"
                " WHERE photo_id = ? AND stage = ? AND state = 'running'",
                [(photo, stage) for photo in ids],
            )

    def reset_running(self) -> int:
        """Put back what a conductor that died had begun; return how much that was."""
        with self._writing():
            return self._run(
                "UPDATE work SET state = 'waiting', attempts = max(attempts - 1, 0)"
                " WHERE state = 'running'"
            ).rowcount

    # --- results

    def save_converted(self, results: Sequence[tuple[StageJob, Converted]]) -> list[int]:
        """Save what convert found, in one transaction; return ids of photos that changed.

        A result for bytes that are no longer the photo's is dropped, and peek looks again.
        """
        changed: list[int] = []
        with self._writing():
            for job, result in results:
                row = self._row_of(job)
                if row is None or row.role != "main":
                    self._requeue(job.photo_id, job.stage)
                    continue
                if result.basis != "fallback" and result.fingerprint != row.fingerprint:
                    self._requeue(job.photo_id, job.stage)
                    self._requeue(job.photo_id, "peek")
                else:
                    self._save_quality(job.photo_id, result)
                    self._done(job.photo_id, job.stage, row.fingerprint)
                changed.append(job.photo_id)
            self._refresh_ready(changed)
        return changed

    def save_peeked(
        self, results: Sequence[tuple[StageJob, Peeked]], reader: FileReader
    ) -> list[int]:
        """Save what peek found, and settle who each photo is.

        Args:
            results: jobs with their results; some tens at a time.
            reader: `curator.files`; opens files only where content was seen before.

        Returns:
            Ids of all photos that changed: those merged away and new ones too.
        """
        changed: list[int] = []
        doubtful: list[tuple[StageJob, Peeked, FileRow]] = []
        with self._writing():
            for job, result in results:
                row = self._row_of(job)
                if row is None:
                    self._requeue(job.photo_id, job.stage)
                elif row.fingerprint not in (None, result.fingerprint) or (
                    result.size and self._twins(result.fingerprint, job.photo_id)
                ):
                    doubtful.append((job, result, row))
                else:
                    self._save_peek(row, result)
                    changed.append(job.photo_id)
            self._settle(changed)
        for job, result, row in doubtful:
            changed += self._settle_content(job, result, row, reader)
        return changed

    def _settle_content(
        self, job: StageJob, result: Peeked, row: FileRow, reader: FileReader
    ) -> list[int]:
        """Save a peek whose content is not what the path held, or is known elsewhere."""
        twins = self._twins(result.fingerprint, job.photo_id) if result.size else []
        twin = self._prove(row.path, twins, reader) if twins else None
        halves = self._changed_halves(job, result, row, reader)
        with self._writing():
            row_now = self._row_of(job)
            if row_now is None:
                return []
            photo = job.photo_id
            if row.fingerprint is None or row.fingerprint == result.fingerprint:
                self._save_peek(row, result)
            elif halves.unchanged or self._agrees(photo, row, result.capture):
                self._keep_former(row)
                self._save_peek(row, result)
                self._set_fingerprints(halves.changed)
            else:
                return self._part(row, result, halves.changed, twin)
            changed = [photo]
            if twin is not None:
                changed.append(twin.row.photo_id)
                self._merge_twin(row, twin)
            self._settle(changed)
        return changed

    def _merge_twin(self, row: FileRow, twin: Twin) -> None:
        """Merge the photo of ``row`` with the one its content was known as."""
        if twin.sha256 is not None:
            self._run(
                "UPDATE file SET sha256 = ? WHERE id IN (?, ?)", (twin.sha256, row.id, twin.row.id)
            )
        if twin.moved:  # one row for one file: this one, where it is now
            self._run("DELETE FROM file WHERE id = ?", (twin.row.id,))
        self._merge((row.photo_id, twin.row.photo_id))

    def _part(
        self,
        row: FileRow,
        result: Peeked,
        halves: list[tuple[FileRow, Found, str]],
        twin: Twin | None,
    ) -> list[int]:
        """Give changed content that is another photo a photo of its own, or its known one.

        The old photo keeps its rows, marks and proxy; its files are missing from now on.
        """
        now = time.time()
        taken = [row, *(half for half, _, _ in halves)]
        self._run_many(
            "UPDATE file SET missing_since = ? WHERE id = ?", [(now, file.id) for file in taken]
        )
        found = Found(row.path, Kind(row.kind), result.size, result.mtime_ns)
        content = Content(result.fingerprint, twin.sha256 if twin else None)
        self._requeue(row.photo_id, "peek")
        if twin is not None:
            photo = twin.row.photo_id
            self._attach(photo, row.directory_id, found, content, twin)
        else:
            photo = self._add_photo(row.directory_id, PurePath(row.name).stem)
            self._add_file(photo, row.directory_id, found, "main", content)
            self._queue(photo)
        for half, half_found, fingerprint in halves:
            self._add_file(photo, half.directory_id, half_found, "half", Content(fingerprint))
        if twin is None:
            made = self._files_where("photo_id = ? AND role = 'main'", (photo,))[0]
            self._save_peek(made, result)
        self._settle((row.photo_id, photo))
        return [row.photo_id, photo]

    def _agrees(self, photo: int, row: FileRow, capture: Capture) -> bool:
        """Say whether changed content is the same exposure: time, camera and size in pixels.

        Without a capture time there is nothing to go by, and it is not.
        """
        if capture.taken_at is None:
            return False
        known = self._row("SELECT taken_at, camera FROM photo WHERE id = ?", (photo,))
        return known == (_taken(capture), capture.camera) and (row.width, row.height) == (
            capture.width,
            capture.height,
        )

    def _changed_halves(
        self, job: StageJob, result: Peeked, row: FileRow, reader: FileReader
    ) -> _Halves:
        """Look whether the other half of a photo changed along with its main file."""
        if row.fingerprint in (None, result.fingerprint):
            return _Halves(False, [])
        unchanged, changed = False, []
        for half in self._files_where(
            "photo_id = ? AND role = 'half' AND missing_since IS NULL", (job.photo_id,)
        ):
            try:
                status = Path(half.path).stat()
                fingerprint = result.half_fingerprint or reader.fingerprint(half.path)
            except (KnownError, OSError):
                continue
            found = Found(half.path, Kind(half.kind), status.st_size, status.st_mtime_ns)
            if half.fingerprint is not None and fingerprint == half.fingerprint:
                unchanged = True
            else:
                changed.append((half, found, fingerprint))
        return _Halves(unchanged, changed)

    def _keep_former(self, row: FileRow) -> None:
        """Remember what a file held before, so that a copy of that is known again."""
        self._run(
            "INSERT INTO file (photo_id, directory_id, name, kind, role, size, mtime_ns,"
            " fingerprint, sha256, width, height, missing_since)"
            " SELECT photo_id, directory_id, name, kind, 'former', size, mtime_ns,"
            " fingerprint, sha256, width, height, ? FROM file WHERE id = ?",
            (time.time(), row.id),
        )

    def _set_fingerprints(self, halves: Sequence[tuple[FileRow, Found, str]]) -> None:
        self._run_many(
            "UPDATE file SET fingerprint = ?, sha256 = NULL, size = ?, mtime_ns = ? WHERE id = ?",
            [(new, found.size, found.mtime_ns, half.id) for half, found, new in halves],
        )

    def _save_peek(self, row: FileRow, result: Peeked) -> None:
        capture = result.capture
        self._run(
            "UPDATE file SET sha256 = CASE WHEN fingerprint = ? THEN sha256 END,"
            " fingerprint = ?, size = ?, mtime_ns = ?, width = ?, height = ? WHERE id = ?",
            (
                result.fingerprint,
                result.fingerprint,
                result.size,
                result.mtime_ns,
                capture.width,
                capture.height,
                row.id,
            ),
        )
        if result.half_fingerprint is not None:
            self._run(
                "UPDATE file SET fingerprint = ? WHERE photo_id = ? AND role = 'half'"
                " AND missing_since IS NULL AND fingerprint IS NULL",
                (result.half_fingerprint, row.photo_id),
            )
        if row.role == "main":
            self._save_capture(row.photo_id, capture, "?")
            self._run(
                "UPDATE photo SET thumb = coalesce(?, thumb) WHERE id = ?",
                (result.thumb, row.photo_id),
            )
            self._done(row.photo_id, "peek", result.fingerprint)

    def _save_capture(self, photo: int, capture: Capture, value: str) -> None:
        """Write capture data; ``value`` is how a column takes its parameter."""
        names = ("taken_at", *_EXIF, "subject_x", "subject_y")
        columns = ", ".join(f"{name} = {value.replace('@', name)}" for name in names)
        self._run(
            f"UPDATE photo SET {columns}, orientation = ? WHERE id = ?",
            (
                _taken(capture),
                *(getattr(capture, name) for name in _EXIF),
                *(capture.subject or (None, None)),
                capture.orientation if 1 <= capture.orientation <= 8 else 1,
                photo,
            ),
        )

    def _save_quality(self, photo: int, result: Converted) -> None:
        # The decoder sees pixels, not always the header: what it does not know stays.
        self._save_capture(photo, result.capture, "coalesce(?, @)")
        quality = result.quality
        self._run(
            "UPDATE photo SET sharpness = ?, exposure = ?, highlights = ?, shadows = ?,"
            " sharpest_x = ?, sharpest_y = ?, basis = ?, damage = ?, thumb = ?, proxy = ?,"
            " proxy_digest = ? WHERE id = ?",
            (
                quality.sharpness,
                quality.exposure,
                quality.highlights,
                quality.shadows,
                *(quality.sharpest or (None, None)),
                result.basis,
                result.damage,
                result.proxy,
                result.proxy,
                result.proxy_digest,
                photo,
            ),
        )

    def save_failure(
        self,
        job: StageJob,
        reason: str,
        *,
        retry: bool,
        attempts: int = 3,
        backoff_s: float = 2.0,
    ) -> bool:
        """Note that a stage failed for a photo, in words a photographer understands.

        Args:
            job: what was run.
            reason: one plain sentence.
            retry: whether another attempt may help; it waits twice as long each time.
            attempts: how many there are in all.
            backoff_s: the wait before the second.

        Returns:
            Whether it counts as failed now (else it will be tried again).
        """
        with self._writing():
            made = self._value(
                "SELECT attempts FROM work WHERE photo_id = ? AND stage = ?",
                (job.photo_id, job.stage),
            )
            if made is None:
                return False  # merged away meanwhile
            again = retry and made < attempts
            row = self._row_of(job)
            self._run(
                "UPDATE work SET state = ?, next_attempt_at = ?, reason = ?, source = ?"
                " WHERE photo_id = ? AND stage = ?",
                (
                    "waiting" if again else "failed",
                    time.time() + backoff_s * 2 ** max(made - 1, 0) if again else None,
                    reason,
                    row.fingerprint if row else None,
                    job.photo_id,
                    job.stage,
                ),
            )
            self._refresh_ready([job.photo_id])
        return not again

    def _row_of(self, job: StageJob) -> FileRow | None:
        """Find the file a job was about, if it still is its photo's."""
        path = PurePath(job.path)
        rows = self._files_where(
            "photo_id = ? AND directory.path = ? AND name = ? AND missing_since IS NULL",
            (job.photo_id, str(path.parent), path.name),
        )
        return rows[0] if rows else None

    def _done(self, photo: int, stage: str, source: str | None) -> None:
        versions = {rule.name: rule.version for rule in self.stages()}
        self._run(
            "UPDATE work SET state = 'done', version = ?, source = ?, attempts = 0,"
            " next_attempt_at = NULL, reason = NULL WHERE photo_id = ? AND stage = ?",
            (versions.get(stage, 1), source, photo, stage),
        )

    def _requeue(self, photo: int, stage: str) -> None:
        self._run(
            "UPDATE work SET state = 'waiting', attempts = 0, next_attempt_at = NULL"
            " WHERE photo_id = ? AND stage = ?",
            (photo, stage),
        )
        self._refresh_ready([photo])

    # --- failures and counts

    def retry(self, stage: str | None = None, ids: Sequence[int] | None = None) -> int:
        """Let failed and postponed work be tried again now, from the first attempt.

        Args:
            stage: only this one.
            ids: only these photos.

        Returns:
            How many will be tried.
        """
        sql = (
            "UPDATE work SET state = 'waiting', attempts = 0, next_attempt_at = NULL,"
            " reason = NULL WHERE (state = 'failed' OR next_attempt_at IS NOT NULL)"
        )
        parameters: list[object] = []
        if stage is not None:
            sql += " AND stage = ?"
            parameters.append(stage)
        with self._writing():
            if ids is None:
                count = self._run(sql, parameters).rowcount
                return count
            return sum(
                self._run(f"{sql} AND photo_id = ?", (*parameters, photo)).rowcount for photo in ids
            )

    def backfill(self, stage: str) -> int:
        """Have a stage done again for every photo; return for how many."""
        with self._writing():
            count = self._run(
                "UPDATE work SET state = 'waiting', attempts = 0, next_attempt_at = NULL,"
                " reason = NULL WHERE stage = ? AND state IN ('done', 'failed')",
                (stage,),
            ).rowcount
            if any(stage in rule.needs for rule in self.stages()):
                self._refresh_ready(row[0] for row in self._rows("SELECT id FROM photo"))
        return count

    def counts(self) -> dict[str, StageCount]:
        """Count photos by stage and state, stages in their order."""
        found: dict[str, dict[str, int]] = {rule.name: {} for rule in self.stages()}
        for stage, state, count in self._rows(
            "SELECT stage, state, count(*) FROM work GROUP BY stage, state"
        ):
            found.setdefault(stage, {})[state] = count
        return {stage: StageCount(**states) for stage, states in found.items()}

    def failures(self, ids: Sequence[int] | None = None) -> list[Failure]:
        """List what failed, by path; ``ids`` limits it to those photos."""
        rows = self._rows(
            "SELECT w.photo_id, d.path, f.name, w.stage, w.reason, w.attempts, w.next_attempt_at"
            " FROM work AS w JOIN file AS f ON f.photo_id = w.photo_id AND f.role = 'main'"
            " JOIN directory AS d ON d.id = f.directory_id JOIN photo AS p ON p.id = w.photo_id"
            " WHERE w.state = 'failed' AND p.removed_at IS NULL ORDER BY d.path, f.name, w.stage"
        )
        wanted = None if ids is None else set(ids)
        return [
            Failure(photo, str(Path(directory, name)), stage, reason or "", attempts, later)
            for photo, directory, name, stage, reason, attempts, later in rows
            if wanted is None or photo in wanted
        ]


@dataclass(frozen=True, slots=True)
class _Halves:
    """Whether a photo's other half is as it was, and halves that are not, with what they are."""

    unchanged: bool
    changed: list[tuple[FileRow, Found, str]]


def _pending(row: tuple[object, ...]) -> Pending:
    photo, stage, directory, name, kind, fingerprint, attempts, half = row
    return Pending(
        photo_id=int(str(photo)),
        stage=str(stage),
        path=str(Path(str(directory), str(name))),
        kind=Kind(str(kind)),
        fallback=None if half is None else str(Path(*str(half).split("\n", 1))),
        fingerprint=None if fingerprint is None else str(fingerprint),
        attempts=int(str(attempts)),
    )


def _taken(capture: Capture) -> str | None:
    taken = capture.taken_at
    return None if taken is None else taken.replace(tzinfo=None).isoformat(timespec="microseconds")

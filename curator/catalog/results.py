"""Saving the results of the stages `peek` and `convert`, and finding out which photo a file is.

The conductor calls this. Content that was seen before makes two photos one. Content that changed
under a path is the same photo, edited, if the exposure is the same (capture time, camera and size
in pixels) or if the other half of the pair did not change. Otherwise it is another photo, and the
old one is missing: cameras use names again, and next week's DSC_0001 must not inherit a reject.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from curator.catalog.identity import Identity, Twin
from curator.catalog.integrity import reports_damage
from curator.catalog.metadata_import import MetadataImport
from curator.catalog.photo_files import Content, FileReader, FileRow, PhotoFiles
from curator.catalog.sidecar_files import SidecarFiles
from curator.catalog.store import Store
from curator.catalog.work import WorkQueue
from curator.model import Capture, Converted, FoundFile, Kind, KnownError, Peeked, StageJob


@dataclass(frozen=True, slots=True)
class PeekSaved:
    """The outcome of saving peeks without opening files.

    Attributes:
        changed: ids of all photos that changed.
        doubtful: jobs and results that were not saved, because their content is known elsewhere
            or replaced other content: :meth:`Results.examine_peek` finds out which photo each is.
    """

    changed: list[int]
    doubtful: list[tuple[StageJob, Peeked]]


@dataclass(frozen=True, slots=True)
class _Halves:
    """Whether one of a photo's halves is unchanged, and the changed: row, file, fingerprint."""

    unchanged: bool
    changed: list[tuple[FileRow, FoundFile, str]]


@dataclass(frozen=True, slots=True)
class PeekFindings:
    """What the files say about one doubtful peek; saved by :meth:`Results.save_examined_peek`.

    Attributes:
        result: the peek, with the fingerprint of the pair's other half.
        row: the file as the catalog knew it; None if the job's file is no longer the photo's.
        twin: the known file that holds the same content.
        halves: which other halves of the photo changed along with this file.
    """

    result: Peeked
    row: FileRow | None
    twin: Twin | None
    halves: _Halves


@reports_damage
@dataclass(eq=False)
class Results:
    """Saves results of `peek` and `convert`; merges and separates photos by their content."""

    _store: Store
    _files: PhotoFiles
    _work: WorkQueue
    _identity: Identity
    _metadata: MetadataImport
    _sidecar_files: SidecarFiles

    def save_converted(self, results: Sequence[tuple[StageJob, Converted]]) -> list[int]:
        """Save results of convert in one transaction; return ids of photos that changed.

        A result for bytes that are no longer the photo's is dropped; peek and convert run again.
        """
        changed: list[int] = []
        sources: dict[int, str | None] = {}
        proxies: dict[int, str | None] = {}
        with self._store.transaction_with(
            lambda: self._files.of_jobs([job for job, _ in results])
        ) as rows:
            for (job, result), row in zip(results, rows, strict=True):
                if row is None or row.role != "main":
                    self._work.requeue(job.photo_id, job.stage)
                    continue
                if result.basis != "fallback" and result.fingerprint != row.fingerprint:
                    self._work.requeue(job.photo_id, job.stage)
                    self._work.requeue(job.photo_id, "peek")
                else:
                    self._save_quality(job.photo_id, result)
                    sources[job.photo_id] = row.fingerprint
                    proxies[job.photo_id] = result.proxy_digest
                changed.append(job.photo_id)
            self._work.mark_done("convert", sources)
            self._work.requeue_outdated("proxy", proxies)
            self._work.refresh_ready(sources, of="convert")
        return changed

    def save_peeks(self, results: Sequence[tuple[StageJob, Peeked]]) -> PeekSaved:
        """Save, in one transaction, the peeks that leave no doubt which photo they are.

        Opens no file.
        """
        saved = PeekSaved([], [])
        sure: list[tuple[FileRow, Peeked]] = []
        with self._store.transaction_with(lambda: self._lookup(results)) as (rows, holders):
            for (job, result), row in zip(results, rows, strict=True):
                photo = job.photo_id
                if row is None or row.role != "main" or _differs(job, result, row):
                    self._work.requeue(photo, job.stage)
                elif (
                    row.fingerprint not in (None, result.fingerprint)
                    or (result.size and holders[result.fingerprint] - {photo})
                    or (job.fallback is not None and result.half_fingerprint is None)
                ):
                    saved.doubtful.append((job, result))
                else:
                    sure.append((row, _as_of(row, result) if job.path != row.path else result))
                    saved.changed.append(photo)
                    for fingerprint in (result.fingerprint, result.half_fingerprint):
                        holders[fingerprint].add(photo)
            self._write_peeks(sure)
            self._import_metadata([(row.photo_id, result) for row, result in sure])
        return saved

    def _lookup(
        self, results: Sequence[tuple[StageJob, Peeked]]
    ) -> tuple[list[FileRow | None], defaultdict[str | None, set[int]]]:
        """Find the files that were peeked at, and the photos with files of the same content."""
        holders: defaultdict[str | None, set[int]] = defaultdict(set)
        for fingerprint, photo in self._store.rows_for(
            "SELECT fingerprint, photo_id FROM file WHERE fingerprint IN ({})",
            [result.fingerprint for _, result in results],
        ):
            holders[fingerprint].add(photo)
        return self._files.of_jobs([job for job, _ in results]), holders

    def examine_peek(self, job: StageJob, result: Peeked, reader: FileReader) -> PeekFindings:
        """Find out which photo a doubtful peek is about; may read whole files, writes nothing."""
        row = self._files.of_job(job)
        result = _with_half(job, result, reader)
        if row is None or _differs(job, result, row):
            return PeekFindings(result, None, None, _Halves(False, []))
        if job.path != row.path:
            result = _as_of(row, result)
        twins = (
            self._files.with_fingerprint(result.fingerprint, job.photo_id) if result.size else []
        )
        twin = self._identity.find_twin(row.path, twins, reader) if twins else None
        return PeekFindings(result, row, twin, self._changed_halves(job, result, row, reader))

    def save_examined_peek(self, job: StageJob, findings: PeekFindings) -> list[int]:
        """Save a doubtful peek as the photo it was found to be; return photos that changed.

        If the files of the photo changed since :meth:`examine_peek`, peek runs again instead.
        """
        result, row = findings.result, findings.row
        twin, halves = findings.twin, findings.halves
        with self._store.transaction():
            photo = job.photo_id
            stale = twin is not None and self._files.where("file.id = ?", (twin.row.id,)) != [
                twin.row
            ]
            if row is None or self._files.of_job(job) != row or stale:
                # Another process may have saved it meanwhile.
                self._work.requeue(photo, job.stage)
                return []
            known = row.fingerprint not in (None, result.fingerprint)
            if not known or self._is_unread(photo):
                self._write_peeks([(row, result)])
                self._set_fingerprints(halves.changed if known else [])
            elif (
                halves.unchanged
                or self._is_same_exposure(photo, row, result.capture)
                or self._held_before(photo, result.fingerprint)
            ):
                self._files.keep_former(row)
                self._write_peeks([(row, result)])
                self._set_fingerprints(halves.changed)
            else:
                return self._split_off(row, result, halves.changed, twin)
            changed = [photo]
            if twin is not None:
                changed.append(twin.row.photo_id)
                self._merge_twin(row, twin)
            self._identity.sync(changed)
            self._import_metadata([(photo, result)])
        return changed

    def _import_metadata(self, results: Sequence[tuple[int, Peeked]]) -> None:
        """Import what the files of photos say; peek again where another sidecar appeared."""
        self._metadata.apply_readings([(photo, result.readings) for photo, result in results])
        for photo in self._sidecar_files.photos_with_unread([photo for photo, _ in results]):
            self._work.requeue(photo, "peek")

    def _merge_twin(self, row: FileRow, twin: Twin) -> None:
        """Merge the photo of ``row`` with the one its content was known as."""
        if twin.sha256 is not None:
            self._store.run(
                "UPDATE file SET sha256 = ? WHERE id IN (?, ?)", (twin.sha256, row.id, twin.row.id)
            )
        if twin.moved:  # one row for one file: this one, where it is now
            self._store.run("DELETE FROM file WHERE id = ?", (twin.row.id,))
        self._identity.merge((row.photo_id, twin.row.photo_id))

    def _split_off(
        self,
        row: FileRow,
        result: Peeked,
        halves: list[tuple[FileRow, FoundFile, str]],
        twin: Twin | None,
    ) -> list[int]:
        """Attach changed content to its photo: a new one, or that of its twin.

        The old photo keeps its rows, marks and proxy; its files are missing from now on.
        """
        now = time.time()
        changed = [row, *(half for half, _, _ in halves)]
        self._store.run_many(
            "UPDATE file SET missing_since = ? WHERE id = ?", [(now, file.id) for file in changed]
        )
        found = FoundFile(row.path, Kind(row.kind), result.size, result.mtime_ns)
        content = Content(result.fingerprint, twin.sha256 if twin else None)
        self._work.requeue(row.photo_id, "peek")
        if twin is not None:
            photo = twin.row.photo_id
            self._identity.attach(photo, row.directory_id, found, content, twin)
        else:
            photo = self._files.add_photo(row.directory_id, PurePath(row.name).stem)
            self._files.add(photo, row.directory_id, found, "main", content)
            self._work.add_photos([photo])
        for half, half_found, fingerprint in halves:
            self._files.add(photo, half.directory_id, half_found, "half", Content(fingerprint))
        if twin is None:
            main = self._files.where("photo_id = ? AND role = 'main'", (photo,))[0]
            self._write_peeks([(main, result)])
        self._identity.sync((row.photo_id, photo))
        self._store.run_many(  # sidecars beside the path belong to the file now at that path
            "UPDATE sidecar SET photo_id = ?, said = NULL, theirs = NULL, digest = ''"
            " WHERE path = ?",
            [(photo, reading.path) for reading in result.readings],
        )
        self._import_metadata([(photo, result)])
        return [row.photo_id, photo]

    def _is_same_exposure(self, photo: int, row: FileRow, capture: Capture) -> bool:
        """Whether changed content is the same exposure: capture time, camera and size in pixels.

        Without a capture time it counts as another exposure.
        """
        if capture.taken_at is None:
            return False
        known = self._store.row("SELECT taken_at, camera FROM photo WHERE id = ?", (photo,))
        return known == (_taken(capture), capture.camera) and (row.width, row.height) == (
            capture.width,
            capture.height,
        )

    def _is_unread(self, photo: int) -> bool:
        """Whether the photo has neither picture nor marks, such as a file still being copied."""
        sql = (
            "SELECT proxy IS NULL AND flag IS NULL AND rating IS NULL AND label IS NULL"
            " AND NOT kept FROM photo WHERE id = ?"
        )
        return bool(self._store.value(sql, (photo,)))

    def _held_before(self, photo: int, fingerprint: str) -> bool:
        """Whether this content was, or was about to be, in one of the photo's files."""
        sql = "SELECT count(*) FROM file WHERE photo_id = ? AND fingerprint = ?"
        return bool(self._store.value(sql, (photo, fingerprint)))

    def _changed_halves(
        self, job: StageJob, result: Peeked, row: FileRow, reader: FileReader
    ) -> _Halves:
        """Find out which other halves of a photo changed along with its main file."""
        if row.fingerprint in (None, result.fingerprint):
            return _Halves(False, [])
        unchanged, changed = False, []
        for half in self._files.where(
            "photo_id = ? AND role = 'half' AND missing_since IS NULL", (job.photo_id,)
        ):
            try:
                status = reader.status(half.path)
                fingerprint = result.half_fingerprint or reader.fingerprint(half.path)
            except KnownError:
                continue
            found = FoundFile(half.path, Kind(half.kind), status.st_size, status.st_mtime_ns)
            if half.fingerprint is not None and fingerprint == half.fingerprint:
                unchanged = True
            else:
                changed.append((half, found, fingerprint))
        return _Halves(unchanged, changed)

    def _set_fingerprints(self, halves: Sequence[tuple[FileRow, FoundFile, str]]) -> None:
        self._store.run_many(
            "UPDATE file SET fingerprint = ?, sha256 = NULL, size = ?, mtime_ns = ? WHERE id = ?",
            [(new, found.size, found.mtime_ns, half.id) for half, found, new in halves],
        )

    def _write_peeks(self, read: Sequence[tuple[FileRow, Peeked]]) -> None:
        """Write what headers say about photos and their files."""
        self._store.run_many(
            "UPDATE file SET sha256 = CASE WHEN fingerprint = ?1 THEN sha256 END,"
            " fingerprint = ?1, size = ?2, mtime_ns = ?3, width = ?4, height = ?5 WHERE id = ?6",
            [
                (
                    result.fingerprint,
                    result.size,
                    result.mtime_ns,
                    result.capture.width,
                    result.capture.height,
                    row.id,
                )
                for row, result in read
            ],
        )
        self._store.run_many(
            "UPDATE file SET fingerprint = ? WHERE photo_id = ? AND role = 'half'"
            " AND missing_since IS NULL AND fingerprint IS NULL",
            [
                (result.half_fingerprint, row.photo_id)
                for row, result in read
                if result.half_fingerprint is not None
            ],
        )
        for row, result in read:
            known = _capture_columns(result.capture)
            if result.thumb is not None:
                known["thumb"] = result.thumb
            self._write_photo(row.photo_id, known)
        self._work.mark_done("peek", {row.photo_id: result.fingerprint for row, result in read})
        self._work.refresh_ready([row.photo_id for row, _ in read], of="peek")

    def _save_quality(self, photo: int, result: Converted) -> None:
        quality = result.quality
        sharpest = quality.sharpest or (None, None)
        # The decoder may not know the header: values it lacks stay.
        capture = _capture_columns(result.capture).items()
        known = {name: value for name, value in capture if value is not None}
        known |= {
            "sharpness": quality.sharpness,
            "exposure": quality.exposure,
            "highlights": quality.highlights,
            "shadows": quality.shadows,
            "sharpest_x": sharpest[0],
            "sharpest_y": sharpest[1],
            "basis": result.basis,
            "damage": result.damage,
            "thumb": result.proxy,
            "proxy": result.proxy,
            "proxy_digest": result.proxy_digest,
            "look": result.look,
        }
        self._write_photo(photo, known)

    def _write_photo(self, photo: int, columns: dict[str, object]) -> None:
        self._store.run(
            f"UPDATE photo SET {', '.join(f'{name} = ?' for name in columns)} WHERE id = ?",
            (*columns.values(), photo),
        )


def _differs(job: StageJob, result: Peeked, row: FileRow) -> bool:
    """Whether a file on a card was read that is not like its copy, the main file now."""
    return job.path != row.path and result.fingerprint != row.fingerprint


def _as_of(row: FileRow, result: Peeked) -> Peeked:
    """Return what was read of a file as if a copy of it had been read."""
    return replace(result, size=row.size, mtime_ns=row.mtime_ns)


def _with_half(job: StageJob, result: Peeked, reader: FileReader) -> Peeked:
    """Add the fingerprint of a pair's other half where the stage did not read it."""
    if job.fallback is None or result.half_fingerprint is not None:
        return result
    try:
        return replace(result, half_fingerprint=reader.fingerprint(job.fallback))
    except KnownError:
        return result  # gone since the scan; the next scan will notice


def _capture_columns(capture: Capture) -> dict[str, object]:
    """Return capture data as columns of the table ``photo``."""
    subject = capture.subject or (None, None)
    orientation = capture.orientation if 1 <= capture.orientation <= 8 else 1
    return {
        "taken_at": _taken(capture),
        **capture.facts(),
        "subject_x": subject[0],
        "subject_y": subject[1],
        "orientation": orientation,
    }


def _taken(capture: Capture) -> str | None:
    taken = capture.taken_at
    return None if taken is None else taken.replace(tzinfo=None).isoformat(timespec="microseconds")

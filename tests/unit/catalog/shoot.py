"""A test shoot without pixels: files whose first line is their EXIF, scanned without workers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from curator import files
from curator.catalog import Applied, Catalog, FileReader, PhotoDetail, Scan, ScanCount
from curator.model import Capture, Converted, Kind, Peeked, Quality, StageJob, UnavailableError
from tests.catalogs import STAGES, Stage

NINE = "2024-05-04T09:00:00.120000"
TEN = "2024-05-04T10:00:00.340000"


def photo_bytes(
    seed: object, taken: str | None = NINE, camera: str = "Test One", size: str = "6000x4000"
) -> bytes:
    """Return the bytes of one exposure; ``seed`` replaces its pixels."""
    return f"{taken or ''};{camera};{size}\n{seed} ".encode() * 40


def read_exif(path: str | Path) -> Capture:
    taken, camera, size = Path(path).read_bytes().split(b"\n")[0].decode().split(";")
    width, height = (int(edge) for edge in size.split("x"))
    moment = datetime.fromisoformat(taken) if taken else None
    return Capture(taken_at=moment, camera=camera, width=width, height=height)


def save_peeked(
    catalog: Catalog, results: Sequence[tuple[StageJob, Peeked]], reader: FileReader
) -> list[int]:
    """Save results of peek, reading files where their photo is in doubt; return changed photos."""
    saved = catalog.results.save_peeks(results)
    changed = [*saved.changed]
    for job, result in saved.doubtful:
        findings = catalog.results.examine_peek(job, result, reader)
        changed += catalog.results.save_examined_peek(job, findings)
    return changed


def finish(catalog: Catalog, scan: Scan, roots: list[str], deep: bool = True) -> list[int]:
    """Mark known files under ``roots`` that are gone; return changed photos."""
    return catalog.scans.mark_missing(scan, catalog.scans.find_missing(scan, roots, deep))


def decide_tag(catalog: Catalog, photo: int, name: str, state: str | None) -> None:
    """Set the state of a tag as a person does."""
    tag = catalog.tags.ids([name], make=True)[name]
    catalog.journal.decide({photo: {("tag", tag): state}}, summary=f"tag {name}")


class Card:
    """Read files as `curator.files` does, but never a complete file on a card."""

    status = staticmethod(files.status)
    fingerprint = staticmethod(files.fingerprint)

    def __init__(self, top: Path) -> None:
        self._top = top

    def sha256(self, path: str) -> str:
        if Path(path).is_relative_to(self._top):
            raise UnavailableError("It is on a card.")
        return files.sha256(path)


@dataclass
class Shoot:
    """A folder of photos and its catalog."""

    catalog: Catalog
    folder: Path
    stages: tuple[Stage, ...] = STAGES
    reader: FileReader = files
    clock_ns: int = field(default=1_700_000_000_000_000_000)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.catalog.work.use_stages(self.stages)

    def write(self, name: str, content: bytes) -> Path:
        """Write a file, each with a later time than the one before."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.clock_ns += 1_000_000_000
        os.utime(path, ns=(self.clock_ns, self.clock_ns))
        return path

    def scan(self, *sources: Path, add: bool = True, sampled: bool = False) -> Applied:
        """Scan without looking into the files; return what the batches did."""
        self.last = None
        done = Applied()
        roots = sources or (self.folder,)
        for source in roots:
            folder = source if not source.is_file() else source.parent
            number = self.catalog.folders.add(folder, sampled=sampled)
            self.last = self.catalog.scans.begin(number, self.reader)
            if source.exists():
                groups = list(files.pair(files.walk([source])))
                for group in (groups[at : at + 6] for at in range(0, len(groups), 6)):
                    done.extend(self.catalog.scans.apply(self.last, group, add=add))
            finish(self.catalog, self.last, [str(source)])
        return done

    def jobs(self, stage: str, ids: Iterable[int] = ()) -> list[StageJob]:
        return [
            StageJob(row.photo_id, stage, row.path, row.kind, "", row.fallback, row.fingerprint)
            for row in self.catalog.work.pending(stage, 1000, list(ids))
        ]

    def peek(self, between: Callable[[], object] = lambda: None) -> list[int]:
        """Run peek for all that wait; ``between`` is called when they have begun."""
        changed: list[int] = []
        jobs = self.jobs("peek")
        self.catalog.work.start("peek", [job.photo_id for job in jobs])
        between()
        for job in jobs:
            status = Path(job.path).stat()
            capture = read_exif(job.path)
            result = Peeked(
                files.fingerprint(job.path), status.st_size, status.st_mtime_ns, capture, "thumb"
            )
            changed += save_peeked(self.catalog, [(job, result)], self.reader)
        return changed

    def convert(self) -> list[int]:
        """Run convert for all that wait."""
        jobs = self.jobs("convert")
        self.catalog.work.start("convert", [job.photo_id for job in jobs])
        return self.catalog.results.save_converted([(job, self.converted(job)) for job in jobs])

    def converted(self, job: StageJob) -> Converted:
        status = Path(job.path).stat()
        mark = files.fingerprint(job.path)
        return Converted(
            mark,
            status.st_size,
            status.st_mtime_ns,
            read_exif(job.path),
            Quality(50.0, 90.0, 0.01, 0.02, (0.25, 0.75)),
            "preview" if job.kind is Kind.RAW else "image",
            mark,
            "digest of " + mark,
        )

    def ingest(self, *sources: Path, sampled: bool = False) -> ScanCount:
        """Do all there is to do; return what the scan counted."""
        self.scan(*sources, sampled=sampled)
        counted = self.last
        assert counted is not None
        for _ in range(5):  # a settled photo may need another look
            if not self.peek() and not self.convert():
                break
            self.convert()
        assert self.catalog.check() == []
        return self.catalog.scans.count_found([counted])

    def listed(self) -> list[PhotoDetail]:
        """All photos, missing ones too; one of those may have the path of what took its place."""
        return [self.catalog.photos.get(photo) for photo in self.catalog.photos.ids()]

    def photos(self) -> dict[str, PhotoDetail]:
        """All photos, by path relative to the folder's parent."""
        return {str(photo.path.relative_to(self.folder.parent)): photo for photo in self.listed()}

    def photo(self, name: str) -> PhotoDetail:
        return self.catalog.photos.get(self.folder / name)

    def reject(self, name: str) -> None:
        self.catalog.journal.decide(
            {self.photo(name).id: {"flag": "reject"}}, summary=f"Rejected {name}"
        )

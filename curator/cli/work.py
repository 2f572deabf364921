"""Verbs about reading photos: ingest, folders, status, failures, retry and backfill."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator import stages
from curator.cli.faces import check_on
from curator.cli.invocation import Invocation
from curator.cli.output import Advance, bar, columns, duration, size
from curator.cli.scores import scored
from curator.home import absolute
from curator.model import (
    BusyError,
    Clause,
    Failure,
    KnownError,
    NotFoundError,
    UsageError,
    Verdict,
    counted,
)

if TYPE_CHECKING:
    from curator.pipeline import Pipeline, Progress, Totals


def stage_names() -> tuple[str, ...]:
    """Return the names of all stages."""
    return tuple(stage.name for stage in stages.STAGES)


@dataclass
class _Run:
    """What a run of the pipeline reported."""

    encoder: str  # in a sentence
    has_encoder: bool
    problems: list[str] = field(default_factory=list)
    held: str = ""  # why photos are not described
    totals: Totals | None = None
    seconds: float = 0.0

    def hold(self, error: KnownError | None) -> None:
        """Note why photos cannot be described, or that they can again."""
        self.held = str(error or "")


def ingest(invocation: Invocation) -> None:
    """Add folders to the catalog in place and read their photos, then exit. Nothing is copied.

    Raises:
        BusyError: another process is reading photos into this catalog.
        KnownError: a folder is missing or its drive is not connected, the encoder is not installed,
            the disk is full, or the catalog cannot be used.
    """
    from curator.pipeline.ingest import check_sources

    arguments = invocation.arguments
    sources = [absolute(folder) for folder in arguments.folders]
    recursive = invocation.settings.scan.recursive and not arguments.no_recursive
    if arguments.encoder is not None:
        _use_encoder(invocation, arguments.encoder)
    if arguments.describe is not None:
        invocation.settings.vision.automatic = arguments.describe
    _check_connected(invocation, sources)
    check_sources(sources)  # a missing folder is the error even while another process reads photos
    run = _run_pipeline(
        invocation, lambda pipeline: pipeline.open_folders(sources, recursive, arguments.sample)
    )
    _answer_ingest(invocation, run, sources)


def _check_connected(invocation: Invocation, sources: Sequence[Path]) -> None:
    """Refuse a missing folder on a known drive, with the name of the drive to connect.

    Raises:
        KnownError: a drive is not connected; nothing was read.
    """
    missing = [source for source in sources if not source.exists()]
    if not missing or not invocation.home.catalog.exists():
        return
    invocation.update_folders()
    for source in missing:
        row = invocation.catalog.folders.containing(source)
        if row is not None and row.away and row.volume_name:
            raise KnownError(
                f"{source} is on {row.volume_name}, which is not connected.",
                "Connect the drive; until then its photos are shown from their proxies.",
            )


def _use_encoder(invocation: Invocation, name: str) -> None:
    """Use an encoder for this run.

    Raises:
        KnownError: it is not installed; nothing was read.
    """
    from curator.encoders import choose, encoder_options

    invocation.settings.encoder.which = name  # type: ignore[assignment] # argparse checked it
    choose(name, encoder_options(invocation.home, invocation.settings))


def _run_pipeline(invocation: Invocation, ask: Callable[[Pipeline], object]) -> _Run:
    """Run the pipeline until it is idle, with progress on a terminal.

    Args:
        invocation: the home and the settings.
        ask: called once with the running pipeline, to ask for work.

    Raises:
        BusyError: another process is reading photos into this catalog.
        KnownError: a folder is missing, the disk is full, or the catalog cannot be used.
    """
    from PySide6.QtCore import Qt

    from curator.library import column_file, table_cache
    from curator.pipeline import Pipeline

    # There is no event loop here to deliver what other threads emit.
    direct = Qt.ConnectionType.DirectConnection
    invocation.home.make()
    begin = time.monotonic()
    pipeline = Pipeline(invocation.home, invocation.settings, catalog_path=invocation.home.catalog)
    run = _Run(pipeline.encoding.sentence, pipeline.encoding.recipe is not None)
    with bar("Reading") as advance:
        pipeline.events.encoder_failed.connect(run.problems.append, direct)
        pipeline.events.faces_failed.connect(run.problems.append, direct)
        pipeline.events.text_failed.connect(run.problems.append, direct)
        pipeline.events.paused_by.connect(run.problems.append, direct)
        pipeline.events.backup_failed.connect(run.problems.append, direct)
        pipeline.events.describing_held.connect(run.hold, direct)
        pipeline.events.progressed.connect(lambda now: _advance(advance, now), direct)
        try:
            pipeline.start()
            ask(pipeline)
            run.totals = pipeline.wait_idle()
        finally:
            pipeline.stop()
    if run.totals is not None and run.totals.converted >= column_file.MIN_PHOTOS:
        table_cache.save(invocation.catalog, invocation.home.table_file)  # for the next window
    run.seconds = time.monotonic() - begin
    run.problems += [run.held] if run.held else []
    return run


def _advance(advance: Advance, progress: Progress) -> None:
    left = f"{duration(progress.left_s)} left" if progress.left_s is not None else ""
    rate = f"{progress.rate_per_s:.1f}/s" if progress.rate_per_s else ""
    parts = [rate, left]
    if progress.measuring and not progress.waiting:
        parts.append(f"faces of {counted(progress.measuring, 'photo')} to measure")
    if progress.analyzing and not progress.waiting:
        parts.append(f"{counted(progress.analyzing, 'photo')} to analyze")
    if progress.describing and not progress.waiting:
        parts += [f"{counted(progress.describing, 'photo')} to describe", progress.held]
    if progress.texts and not progress.waiting:
        parts.append(f"text in {counted(progress.texts, 'photo')} to read")
    words = "  ".join(filter(None, parts))
    advance(progress.done + progress.failed, progress.found, words)


def _answer_ingest(invocation: Invocation, run: _Run, sources: Sequence[Path]) -> None:
    """Print what an ingest found and did, with the failures in its folders."""
    from curator.library.folder_lookup import waiting_for_drives

    failed = [
        failure
        for failure in invocation.catalog.work.failures()
        if any(Path(failure.path).is_relative_to(source) for source in sources)
    ]
    totals = run.totals
    assert totals is not None  # waited for without a time limit
    sentences = [scan.sentence for scan in totals.scans]
    if not totals.found:
        sentences.append(f"No photos in {', '.join(map(str, sources))}. Is that the right folder?")
    problems = [*(text for scan in totals.scans for text in scan.problems), *run.problems]
    away = waiting_for_drives(invocation.catalog)
    document = {
        "found": totals.found,
        "new": totals.new,
        "known": totals.known,
        "converted": totals.converted,
        "faces": totals.measured,
        "embedded": totals.embedded,
        "described": totals.described,
        "texts": totals.texts,
        "failed": len({failure.photo_id for failure in failed}),
        "seconds": round(run.seconds, 3),
        "failures": [_failure(failure) for failure in failed],
        "problems": problems,
        "scan": sentences,
        "encoder": run.encoder,
        "waits": away,
    }
    lines = [sentence for sentence in sentences if sentence != "0 photos"]  # "No photos in ..."
    if not run.has_encoder and invocation.settings.encoder.which != "none":
        lines.append(run.encoder)
    lines += [f"{away}."] if away else []
    invocation.output.answer(document, [*lines, *problems, *_failure_lines(failed)])


def _failure(failure: Failure) -> dict[str, Any]:
    return {
        "id": failure.photo_id,
        "path": failure.path,
        "stage": failure.stage,
        "reason": failure.reason,
        "attempts": failure.attempts,
        "next_attempt_at": failure.next_attempt_at,
    }


def _failure_lines(failed: list[Failure]) -> list[str]:
    if not failed:
        return []
    lines = columns([(failure.path, failure.reason) for failure in failed])
    further = {"faces": "measured", "describe": "described", "read_text": "searched for text"}
    acts = ["read", *(further[each] for each in further if each in {f.stage for f in failed})]
    return [f"{len(failed):,} could not be {' or '.join(acts)}:", *lines]


def failures(invocation: Invocation) -> None:
    """List the photos that could not be read, and why."""
    failed = invocation.catalog.work.failures(later=True)
    invocation.output.answer(
        [_failure(failure) for failure in failed], _failure_lines(failed) or ["No failures."]
    )


def retry(invocation: Invocation) -> None:
    """Retry failed photos.

    If another process is reading photos, that process does it.
    """
    stage, asked = invocation.arguments.stage, 0

    def ask(pipeline: Pipeline) -> None:
        nonlocal asked
        asked = pipeline.retry(stage, timeout_s=None)

    try:
        problems = _run_pipeline(invocation, ask).problems
    except BusyError as error:
        asked, problems = invocation.catalog.work.retry(stage=stage), []
        invocation.output.note(f"{error.args[0]} That process will do this.")
    _answer_repeated(invocation, asked, problems)


def backfill(invocation: Invocation) -> None:
    """Run a stage again for every photo.

    If another process is reading photos, that process does it.

    Raises:
        KnownError: faces are switched off.
    """
    stage = invocation.arguments.stage
    if stage == "faces":
        check_on(invocation)
    if stage == "describe":  # asked for by name, so even if photos are described by hand only
        invocation.settings.vision.automatic = True
    asked, problems = invocation.catalog.work.backfill(stage), []
    try:
        problems = _run_pipeline(invocation, lambda pipeline: None).problems
    except BusyError as error:
        invocation.output.note(f"{error.args[0]} That process will do this.")
    _answer_repeated(invocation, asked, problems)


def _answer_repeated(invocation: Invocation, asked: int, problems: Sequence[str]) -> None:
    """Print how many photos were done again, and all failures."""
    failed = invocation.catalog.work.failures()
    document = {
        "asked": asked,
        "problems": problems,
        "failed": len({failure.photo_id for failure in failed}),
        "failures": [_failure(failure) for failure in failed],
    }
    lines = [
        f"{counted(asked, 'photo')} to do again." if asked else "Nothing to do again.",
        *problems,
    ]
    invocation.output.answer(document, [*lines, *_failure_lines(failed)])


def folders(invocation: Invocation) -> None:
    """List the folders of the catalog, or change them."""
    act, named = invocation.arguments.act, invocation.arguments.folders
    if act == "list":
        _list_folders(invocation)
        return
    if not named:
        raise UsageError(f"`curator folders {act}` needs a folder.")
    paths = [absolute(name) for name in named]
    if act == "add":
        recursive = not invocation.arguments.no_recursive
        run = _run_pipeline(invocation, lambda pipeline: pipeline.open_folders(paths, recursive))
        _answer_ingest(invocation, run, paths)
        return
    ids = [_folder_id(invocation, path) for path in paths]
    if act == "rescan":

        def rescan(pipeline: Pipeline) -> None:
            for number in ids:
                pipeline.rescan(number)

        _answer_ingest(invocation, _run_pipeline(invocation, rescan), paths)
        return
    for number in ids:
        if act == "remove":
            stay = invocation.arguments.photos == "stay"
            invocation.catalog.folders.remove(number, keep_photos=stay)
        else:
            invocation.catalog.folders.enable(number, act == "on")
    _list_folders(invocation)


def _folder_id(invocation: Invocation, path: Path) -> int:
    for row in invocation.catalog.folders.all():
        if path.as_posix().rstrip("/") == row.path.replace("\\", "/").rstrip("/"):
            return row.id
    raise NotFoundError(
        f"{path} is not a folder of the catalog.", "`curator folders` lists its folders."
    )


def _list_folders(invocation: Invocation) -> None:
    invocation.update_folders()
    listed = [
        {
            "path": row.path,
            "enabled": row.enabled,
            "recursive": row.recursive,
            "sampled": row.sampled,
            "photos": row.photos,
            "volume": row.volume_name,
            "there": not row.away,
            "away": row.absence or None,
        }
        for row in invocation.catalog.folders.all(counted=True)
    ]
    rows = [
        (f["photos"], f["path"], "" if f["enabled"] else "off", f["away"] or f["volume"] or "")
        for f in listed
    ]
    lines = columns(rows)
    invocation.output.answer(listed, lines or ["No folders yet."])


def status(invocation: Invocation) -> None:
    """Show what is in the catalog and what is still to do."""
    from curator.encoders import select_encoder
    from curator.library.filters import approved
    from curator.library.folder_lookup import waiting_for_drives

    invocation.update_folders()
    table, learned = scored(invocation)
    alive = table.alive()
    masks = {
        Verdict.UNREVIEWED: table.unreviewed(),
        Verdict.KEPT: table.kept(),
        Verdict.REJECTED: table.rejected(),
    }
    counts = invocation.catalog.work.counts()
    catalog_bytes = invocation.home.catalog.stat().st_size
    verdicts = {verdict.value: int((mask & alive).sum()) for verdict, mask in masks.items()}
    encoding = select_encoder(invocation.home, invocation.settings)
    threshold, folders = invocation.settings.taste.match_threshold, invocation.catalog.folders.all()
    by_clause = Counter(approved(table, threshold).values())
    by_files = by_clause.pop(Clause.FILE, 0)
    away = waiting_for_drives(invocation.catalog)
    document = {
        "home": invocation.home.data,
        "catalog": invocation.home.catalog,
        "cache": invocation.home.cache,
        "bytes": catalog_bytes,
        "folders": len(folders),
        "photos": int(alive.sum()),
        "verdicts": verdicts,
        "picked": int((table.picked() & alive).sum()),
        "rated": int((table.column("rating")[alive] > 0).sum()),
        "approved": by_clause.total(),
        "approved_by_file": by_files,
        "failed": int((table.failed() & alive).sum()),
        "work": counts,
        "away": [row.absence for row in folders if row.away],
        "waits": away,
        "matches": int((table.scores.match[alive] >= threshold).sum())
        if learned and learned.has_match
        else None,
        "taste": learned.sentence if learned else None,
        "encoder": encoding.sentence,
    }
    lines = [
        f"{counted(int(alive.sum()), 'photo')} in {counted(len(folders), 'folder')}:"
        + ",".join(f" {number:,} {verdict}" for verdict, number in verdicts.items()),
        f"{document['picked']:,} picked, {document['rated']:,} with stars,"
        f" {document['approved']:,} approved, {document['failed']:,} could not be read",
        *([f"{by_files:,} more approved only by ratings from other apps"] if by_files else []),
        *(
            f"{stage.title} ({stage.name}): {_state_counts(counts[stage.name])}"
            for stage in stages.STAGES
            if stage.name in counts
        ),
        *([f"{away}."] if away else []),
        encoding.sentence,
        *([learned.sentence] if learned else []),
        f"catalog {invocation.home.catalog}, {size(catalog_bytes)}",
        f"proxies and thumbnails {invocation.home.cache}",
    ]
    invocation.output.answer(document, lines)


def _state_counts(states: dict[str, int]) -> str:
    parts = [f"{number:,} {state}" for state, number in states.items() if number]
    return ", ".join(parts) or "nothing yet"

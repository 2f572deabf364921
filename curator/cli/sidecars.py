"""The sidecar verb: read marks of other editors, write yours for them, resolve conflicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from curator import files
from curator.catalog import Conflict
from curator.cli.invocation import Invocation
from curator.cli.output import bar, columns
from curator.model import FileGroup, KnownError, counted

if TYPE_CHECKING:
    from curator.sidecar import Profile

_BATCH = 32


def sidecar(invocation: Invocation) -> None:
    """Read marks from sidecars, write them for other editors, or embed them in originals."""
    invocation.update_folders()
    acts = {
        "read": _read,
        "write": _write,
        "embed": _embed,
        "conflicts": _conflicts,
        "status": _status,
    }
    acts[invocation.arguments.act](invocation)


def _ids(invocation: Invocation) -> list[int]:
    """Return the photos named, or all photos of folders that are switched on."""
    from curator.library.table import Table

    named = [invocation.catalog.photos.find(name) for name in invocation.arguments.photos]
    if named:
        return list(dict.fromkeys(named))
    table = Table(invocation.catalog)
    return sorted(table.ids[table.alive()].tolist())


# --- reading


def _read(invocation: Invocation) -> None:
    """Read sidecars that are new or changed."""
    from curator.sidecar import batch

    catalog, dry = invocation.catalog, invocation.arguments.dry_run
    groups = _groups(invocation)
    wanted = set(_ids(invocation))
    read = 0
    failed: list[tuple[str, str]] = []
    marks: dict[int, dict[str, object]] = {}
    while some := list(islice(groups, _BATCH)):
        unread = [each for each in catalog.sidecars.find_unread(some) if each[0] in wanted]
        found = [(photo, batch.read_all(paths)) for photo, paths in unread]
        read += sum(len(readings) for _, readings in found)
        failed += [(r.path, r.problem) for _, readings in found for r in readings if r.problem]
        marks |= catalog.metadata.preview_readings(found)
        if not dry:
            catalog.metadata.save_readings(found)
    conflicts = catalog.sidecars.conflicts()
    names = {photo.id: photo.name for photo in catalog.photos.details(list(marks))}
    document = {
        "dry_run": dry,
        "read": read,
        "photos": [{"id": photo, "name": names[photo], **marks[photo]} for photo in marks],
        "conflicts": [_conflict(conflict) for conflict in conflicts],
        "failures": [{"path": path, "reason": reason} for path, reason in failed],
    }
    lines = [f"{names[photo]}: {_marks(fields)}" for photo, fields in marks.items()]
    verb = "would get marks" if dry else "got marks"
    lines.append(f"{counted(read, 'sidecar')} read; {counted(len(marks), 'photo')} {verb} by them.")
    lines += [f"{path}: {reason}" for path, reason in failed]
    invocation.output.answer(document, [*lines, *_hint(conflicts)])


def _groups(invocation: Invocation) -> Iterator[FileGroup]:
    """Walk the folders that are switched on; report and skip those that cannot be read."""
    for folder in invocation.catalog.folders.all():
        if not folder.enabled:
            continue
        try:
            yield from files.pair(files.walk([folder.path], folder.recursive))
        except KnownError as error:
            invocation.output.note(str(error))


def _marks(fields: dict[str, object]) -> str:
    from curator.session.sidecars import in_words

    return ", ".join(in_words(name, mark) for name, mark in fields.items())


# --- writing


def _write(invocation: Invocation) -> None:
    """Write sidecars that differ from the catalog, or show what that would change."""
    from curator.pipeline.sidecars import preview, profile_of, write_some
    from curator.sidecar import PROFILES
    from curator.sidecar.batch import Outcome

    arguments, catalog = invocation.arguments, invocation.catalog
    profile = PROFILES[arguments.profile] if arguments.profile else profile_of(invocation.settings)
    ids = _ids(invocation)
    if arguments.dry_run:
        found = preview(catalog, ids, profile)
        document = {
            "dry_run": True,
            "profile": profile.name,
            "sidecars": [
                {"photo": each.photo_id, "path": each.path, "changes": list(each.lines),
                 "problem": each.problem or None, "changed_elsewhere": each.changed}
                for each in found.differences
            ],
            "same": found.same,
            "without": list(found.without),
        }  # fmt: skip
        lines = [
            f"{each.path}: {each.problem or ', '.join(each.lines) or 'changed elsewhere'}"
            for each in found.differences
        ]
        lines.append(f"{counted(len(found.differences), 'sidecar')} would change.")
        invocation.output.answer(document, [*lines, *_without(len(found.without), profile)])
        return
    written, same, without, todo = 0, 0, 0, ids
    failed: list[tuple[int, str]] = []
    with bar("Writing sidecars", len(ids)) as advance:
        # The first round reads sidecars that another editor changed; the second one writes them.
        for _ in range(2):
            disputed = {conflict.photo_id for conflict in catalog.sidecars.conflicts()}
            todo = [photo for photo in todo if photo not in disputed]
            again: list[int] = []
            for start in range(0, len(todo), _BATCH):
                batch = write_some(catalog, todo[start : start + _BATCH], profile)
                written += len(batch.of(Outcome.WRITTEN))
                same += len(batch.of(Outcome.SAME))
                without += len(batch.without)
                failed += batch.failed
                again += [result.photo_id for result in batch.of(Outcome.CHANGED)]
                advance(min(start + _BATCH, len(ids)), len(ids), "")
            todo = again
    conflicts = catalog.sidecars.conflicts(ids)
    paths = {
        photo.id: str(photo.path) for photo in catalog.photos.details([each[0] for each in failed])
    }
    document = {
        "dry_run": False,
        "profile": profile.name,
        "written": written,
        "same": same,
        "without": without,
        "conflicts": [_conflict(conflict) for conflict in conflicts],
        "failures": [{"path": paths.get(photo), "reason": why} for photo, why in failed],
    }
    lines = [f"{counted(written, 'sidecar')} written; {same:,} already up to date."]
    lines += _without(without, profile)
    lines += [f"{paths.get(photo, photo)}: {why}" for photo, why in failed]
    if written and profile.name == "lightroom":
        lines.append("In Lightroom: Metadata > Read Metadata from Files.")
    invocation.output.answer(document, [*lines, *_hint(conflicts)])


def _without(number: int, profile: Profile) -> list[str]:
    if not number:
        return []
    return [
        f"{profile.ignores(number)}. `curator sidecar embed` embeds the marks in the originals."
        " darktable and digiKam read sidecars of all files (--profile)."
    ]


# --- into originals


def _embed(invocation: Invocation) -> None:
    """Embed marks in originals whose sidecars other editors ignore, or show which would change."""
    from curator import exiftool
    from curator.pipeline import metadata_embedding
    from curator.stages import embed_metadata
    from curator.workers import WorkerPool

    arguments, catalog = invocation.arguments, invocation.catalog
    dry = arguments.dry_run
    program = "" if dry else exiftool.find(invocation.settings)
    change, left = metadata_embedding.find_changes(catalog, _ids(invocation))
    lines = [f"{each.path}: {', '.join(each.lines)}" for each in change]
    if dry or not change:
        document = {
            "dry_run": dry,
            "embedded": [],
            "would": [{"path": each.path, "changes": list(each.lines)} for each in change],
            "left": [{"path": each.path, "reason": each.problem} for each in left],
        }
        lines += [f"{each.path}: {each.problem}" for each in left]
        lines.append(f"{counted(len(change), 'original')} would change.")
        invocation.output.answer(document, lines)
        return
    for line in lines:
        invocation.output.note(line)
    number = counted(len(change), "original")
    if not invocation.confirm(f"{number} will be changed.", "No originals were changed."):
        return
    done = list(left)
    memory_mb = invocation.settings.work.memory_mb
    pool = WorkerPool(1, memory_mb=memory_mb, nice=0, name="embed")
    pool.named("embed metadata", "Embedding in it")
    try:
        with bar("Embedding", len(change)) as advance:
            for start in range(0, len(change), metadata_embedding.BATCH):
                some = [each.photo_id for each in change[start : start + metadata_embedding.BATCH]]
                run = partial(pool.run, embed_metadata.make, timeout_s=metadata_embedding.TIMEOUT_S)
                done += metadata_embedding.embed_some(catalog, some, program, run)
                advance(start + len(some), len(change), "")
    finally:
        pool.close()
    written = [each for each in done if each.lines and not each.problem]
    left = [each for each in done if each.problem]
    document = {
        "dry_run": False,
        "embedded": [each.path for each in written],
        "would": [],
        "left": [{"path": each.path, "reason": each.problem} for each in left],
    }
    lines = [f"{each.path}: {each.problem}" for each in left]
    lines.append(f"Embedded in {counted(len(written), 'original')}.")
    if written:
        lines.append("In Lightroom: Metadata > Read Metadata from Files.")
    invocation.output.answer(document, lines)


# --- two sides


def _conflicts(invocation: Invocation) -> None:
    """List the sidecars that conflict with your marks, or choose which side wins."""
    from curator.session.sidecars import OURS, THEIRS, resolve

    arguments, catalog = invocation.arguments, invocation.catalog
    wanted = [catalog.photos.find(name) for name in arguments.photos] or None
    found = catalog.sidecars.conflicts(wanted)
    if not arguments.take:
        rows = [
            (c.photo_id, c.name, _side(c, 0), _side(c, 1), f"newer: {c.newer}", c.path)
            for c in found
        ]
        heads = ("id", "name", "here", "in the file", "", "")
        lines = columns([heads, *rows]) if rows else ["No conflicts."]
        invocation.output.answer([_conflict(conflict) for conflict in found], lines)
        return
    sides: dict[str, list[Conflict]] = {OURS: [], THEIRS: []}
    for conflict in found:
        newer = THEIRS if conflict.newer == "file" else OURS
        sides[newer if arguments.take == "newer" else arguments.take].append(conflict)
    for side, some in sides.items():
        resolve(catalog, some, side)
    document = {side: [c.photo_id for c in some] for side, some in sides.items()}
    ours, theirs = (counted(len(sides[side]), "photo") for side in (OURS, THEIRS))
    lines = [f"Your marks kept: {ours}; the file's marks taken over: {theirs}."]
    if sides[OURS]:
        lines.append("`curator sidecar write` writes your marks to the files.")
    invocation.output.answer(document, lines)


def _side(conflict: Conflict, side: int) -> str:
    return _marks({name: both[side] for name, both in conflict.differs.items()})


def _conflict(conflict: Conflict) -> dict[str, object]:
    return {
        "photo": conflict.photo_id,
        "name": conflict.name,
        "path": conflict.path,
        "ours": {name: both[0] for name, both in conflict.differs.items()},
        "theirs": {name: both[1] for name, both in conflict.differs.items()},
        "newer": conflict.newer,
    }


def _hint(conflicts: Sequence[Conflict]) -> list[str]:
    if not conflicts:
        return []
    number = counted(len(conflicts), "sidecar")
    return [f"{number} in conflict with your marks: `curator sidecar conflicts` lists them."]


def _status(invocation: Invocation) -> None:
    """Show how many sidecars have to be written, could not be written, or conflict."""
    left = invocation.catalog.sidecars.outstanding()
    document = {
        "background": invocation.settings.sidecars.background,
        "profile": invocation.settings.sidecars.profile,
        "unwritten": left.unwritten,
        "asked": left.asked,
        "failed": left.failed,
        "conflicts": left.conflicts,
        "reason": left.reason or None,
    }
    lines = [
        f"{counted(left.unwritten, 'photo')} marked since their sidecars were written.",
        *([f"{left.failed:,} could not be written: {left.reason}"] if left.failed else []),
        *_hint(invocation.catalog.sidecars.conflicts()),
    ]
    invocation.output.answer(document, lines)

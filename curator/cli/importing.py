"""The verbs for memory cards: import what is new, verified, and list earlier imports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from curator import cards
from curator.cards import Card
from curator.cli.invocation import Invocation
from curator.cli.output import Advance, bar, columns, duration, size
from curator.cli.stopping import on_signal
from curator.home import absolute
from curator.model import KnownError, NotFoundError, UsageError, counted
from curator.settings import in_settings

if TYPE_CHECKING:
    from curator.catalog.imports import ImportRow
    from curator.importing.plan import ImportPlan
    from curator.importing.report import ImportProgress, ImportReport
    from curator.importing.request import ImportRequest

_FOLDERS = 12  # listed by a dry run


def import_(invocation: Invocation) -> int | None:
    """Copy what is new from memory cards into one or two folders, and verify every copy.

    Nothing on a card is changed. The same command continues an import that was stopped.

    Returns:
        None if the import is complete, even if single files could not be read and are listed. 1 if
        it ended early: a card or a destination was removed, or a destination is full. 128 and the
        signal's number if a signal stopped it.

    Raises:
        UsageError: there is no destination, or a template is invalid.
        KnownError: a card is not inserted, there is not enough room, or a destination cannot be
            used.
    """
    inserted = cards.find_cards()
    request = _request(invocation, inserted)
    plan = _plan(invocation, request)
    document: dict[str, Any] = {"dry_run": invocation.arguments.dry_run, "plan": plan.summary()}
    if invocation.arguments.dry_run:
        invocation.output.answer(document, _planned(plan))
        return None
    _check_room(plan)
    report, signaled = _run(invocation, plan)
    summary = report.summary()
    lines = _unread(plan) + _reported(summary)
    if not report.complete:
        lines.append("The same command continues with the rest.")
    elif invocation.arguments.eject:
        document["ejected"] = _eject(request, inserted, lines)
    invocation.output.answer(document | summary, lines)
    return None if report.complete else signaled or 1


def _request(invocation: Invocation, inserted: Sequence[Card]) -> ImportRequest:
    """Return what to import: the arguments over the settings.

    Raises:
        UsageError: there is no destination.
        NotFoundError: a card is not inserted.
    """
    from curator.importing.request import ImportRequest

    arguments, settings = invocation.arguments, invocation.settings.importing
    to = arguments.to or settings.to
    if not to:
        raise UsageError(
            "No folder to import into.", f"Add --to DIR, or set {in_settings('importing.to')}."
        )
    also = arguments.also or [settings.also]
    folders, names = arguments.folders, arguments.names
    return ImportRequest(
        cards=_cards(arguments.cards, inserted),
        destinations=tuple(absolute(each) for each in (to, *also) if each),
        folders=settings.folders if folders is None else folders,
        names=settings.names if names is None else names,
        job=arguments.job or "",
        keepers=arguments.keepers,
        creator=settings.creator if arguments.creator is None else arguments.creator,
        copyright=settings.copyright if arguments.copyright is None else arguments.copyright,
        sidecars=settings.sidecars if arguments.sidecars is None else arguments.sidecars,
    )


def _cards(words: Sequence[str], inserted: Sequence[Card]) -> tuple[Path, ...]:
    """Return the folders to import from: those named, else the only card."""
    if words:
        return tuple(dict.fromkeys(_card(word, inserted) for word in words))
    if not inserted:
        raise NotFoundError("No memory card is inserted.", "Insert one, or name a folder.")
    if len(inserted) > 1:
        raise NotFoundError(
            f"{len(inserted)} memory cards are inserted.",
            f"Name those to import: {_list(inserted)}.",
        )
    return (Path(inserted[0].path),)


def _card(word: str, inserted: Sequence[Card]) -> Path:
    """Return the folder that a word names: a path, or the label of a card."""
    if Path(word).is_dir():
        return absolute(word)
    named = [card for card in inserted if card.label.casefold() == word.casefold()]
    if len(named) == 1:
        return Path(named[0].path)
    if named:
        raise NotFoundError(
            f"{len(named)} memory cards are called {word}.", f"Name their folders: {_list(named)}."
        )
    remedy = f"Inserted: {_list(inserted)}." if inserted else "No memory card is inserted."
    raise NotFoundError(f"{word} is neither a folder nor a memory card.", remedy)


def _list(inserted: Sequence[Card]) -> str:
    return ", ".join(f"{card.label} ({card.path})" for card in inserted)


def _plan(invocation: Invocation, request: ImportRequest) -> ImportPlan:
    """Find the files on the cards, read their headers and plan the import."""
    from curator.importing.card_files import find_files
    from curator.importing.headers import make_pool, read_headers
    from curator.importing.plan import make_plan

    pool = make_pool(invocation.settings.work.memory_mb)
    try:
        pool.warm(pool.size)  # the processes start while the card is listed
        invocation.update_folders()
        contents = find_files(request.cards)
        with bar("Reading the card") as advance:
            facts = read_headers(
                contents, pool, progressed=lambda done, total: advance(done, total, "")
            )
    finally:
        pool.close()
    return make_plan(request, contents, facts, invocation.catalog)


def _check_room(plan: ImportPlan) -> None:
    """Check that everything fits, before anything is written.

    Raises:
        KnownError: it does not.
    """
    for room in plan.rooms:
        if not room.is_enough:
            raise KnownError(
                f"The import needs {size(room.needed)} in {room.destination}, which has"
                f" {size(room.free)} free.",
                "Free disk space, or choose another folder. Nothing was copied.",
            )


def _run(invocation: Invocation, plan: ImportPlan) -> tuple[ImportReport, int | None]:
    """Import; a signal stops it cleanly.

    Returns:
        The report, and the exit code of a signal that stopped it.
    """
    from curator.importing.run import ImportRun

    signals: list[int] = []

    def stop(number: int) -> None:
        signals.append(number)
        run.stop()

    with bar("Importing") as advance:
        run = ImportRun(
            plan,
            invocation.catalog,
            progressed=lambda progress: _advance(advance, progress),
            profile=invocation.settings.sidecars.profile,
        )
        with on_signal(stop):
            report = run.run()
    return report, 128 + signals[0] if signals else None


def _advance(advance: Advance, progress: ImportProgress) -> None:
    """Show how many files are verified everywhere, and rate and time left of each destination."""
    destinations = progress.destinations
    parts = [PurePosixPath(progress.current).name] if progress.current else []
    for each in destinations:
        rate = f"{size(each.rate_bps)}/s" if each.rate_bps else ""
        left = f"{duration(each.left_s)} left" if each.left_s is not None else ""
        words = each.reason or ", ".join(filter(None, (rate, left)))
        parts.append(f"{each.path.name}: {words}" if words and len(destinations) > 1 else words)
    parts.append(progress.reason)
    done = min((each.files for each in destinations), default=0)
    total = max((each.total_files for each in destinations), default=0)
    advance(done, total, "  ".join(filter(None, parts)))


def _eject(request: ImportRequest, inserted: Sequence[Card], lines: list[str]) -> list[str]:
    """Eject the cards of an import; add to the lines what happened, and return the labels."""
    ejected = []
    for card in inserted:
        if not any(path.is_relative_to(card.path) for path in request.cards):
            continue
        try:
            cards.eject(card)
        except KnownError as error:
            lines.append(str(error))
        else:
            ejected.append(card.label)
            lines.append(f"{card.label} can be removed now.")
    return ejected


def _planned(plan: ImportPlan) -> list[str]:
    """Return the lines of a dry run."""
    lines = [plan.sentence]
    if plan.undated:
        lines.append(f"Without capture time, dated by the file: {counted(plan.undated, 'photo')}.")
    for room in plan.rooms:
        lines.append(
            f"{room.destination}: {size(room.needed)} needed, {size(room.free)} free"
            f"{'.' if room.is_enough else ': not enough room.'}"
        )
    lines += _examples(plan)
    lines += [f"renamed: {path} to {name}" for path, name in plan.renamed]
    lines += [f"stays on the card: {file.path}" for file in plan.contents.others]
    return lines + _unread(plan)


def _examples(plan: ImportPlan) -> list[str]:
    """Return the folders to be filled, with the number of files and the first name of each."""
    folders: dict[str, list[str]] = {}
    for item in plan.new:
        for file in item.files:
            name = PurePosixPath(file.name)
            folders.setdefault(str(name.parent), []).append(name.name)
    shown = list(folders.items())[:_FOLDERS]
    lines = columns([(folder, len(names), names[0]) for folder, names in shown])
    more = len(folders) - len(shown)
    return [*lines, f"and {counted(more, 'more folder')}"] if more else lines


def _unread(plan: ImportPlan) -> list[str]:
    unreadable = (*plan.contents.unreadable, *plan.unreadable)
    return [f"{path}: {reason}" for path, reason in unreadable]


def _reported(summary: Mapping[str, Any]) -> list[str]:
    """Return the lines that say what is where, what failed, and whether the card is safe.

    Args:
        summary: of an `ImportReport`, as the catalog stores it.
    """
    lines = []
    for each in summary["destinations"]:
        parts = [f"{counted(each['verified'], 'file')} copied and verified, {size(each['bytes'])}"]
        parts += [f"{each['checked']:,} compared with files already there"] * bool(each["checked"])
        parts += [f"{each['kept']:,} verified earlier"] * bool(each["kept"])
        parts += [counted(each["sidecars"], "sidecar") + " written"] * bool(each["sidecars"])
        lines.append(f"{each['path']}: {', '.join(parts)}.")
        lines += [f"Checksums: {each['checksums']}"] if each["checksums"] else []
        lines += [each["reason"]] if each["reason"] else []
    lines += [
        f"{each['path']}: {each['reason']} ({each['destination']})" for each in summary["failures"]
    ]
    return [*lines, *summary["problems"], summary["sentence"]]


def imports(invocation: Invocation) -> None:
    """List earlier imports, or show the report of one.

    Raises:
        NotFoundError: there is no import of that number.
    """
    stored, number = invocation.catalog.imports, invocation.arguments.number
    if number is not None:
        row = stored.get(number)
        lines = _reported(row.report) if row.report else [_state(row)]
        invocation.output.answer(row, lines)
        return
    rows = stored.all()
    lines = columns([(row.id, _moment(row.started_at), row.job, _state(row)) for row in rows])
    invocation.output.answer(rows, lines or ["No imports yet."])


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M}"


def _state(row: ImportRow) -> str:
    """Return the sentence of an import's report, or why it has none."""
    if row.report is not None:
        return str(row.report["sentence"])
    return "Running, or interrupted; import again to continue."

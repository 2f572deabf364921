"""What background work reports: one object of typed signals, and the values they carry.

The conductor and its parts emit on a :class:`PipelineEvents`, on their own threads; the session,
the window and the command line connect to it. Nothing passes these signals on.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QObject, Signal

from curator.pipeline.folder_availability import FolderNews
from curator.pipeline.sidecars import SidecarNews


@dataclass(frozen=True, slots=True)
class Progress:
    """Background work since it was last idle; ``found`` = ``done`` + ``failed`` + ``waiting``.

    ``left_s`` is None while it cannot be estimated: at first, during a scan, and paused.
    ``comparing`` photos can be looked at already and wait for the encoder only; ``describing``
    wait for the vision model, and ``held`` tells why it is not asked now. ``away`` tells how many
    photos wait for drives that are unplugged; they are in none of the counts.
    """

    found: int = 0
    done: int = 0
    failed: int = 0
    waiting: int = 0
    rate_per_s: float = 0.0
    left_s: float | None = None
    scanning: bool = False
    paused: bool = False
    comparing: int = 0
    describing: int = 0
    held: str = ""
    away: str = ""


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What a scan found: photos (a pair is one), and files that were skipped.

    ``sentence`` describes it: "3,012 photos (2,980 pairs); 12 videos and 4 other files skipped".
    ``problems`` are folders that could not be read, a sentence each. ``watched``: a change in a
    folder started the scan, no person; the sentence is "12 new in Iceland", or empty. ``again``:
    the scan was reported before, when not all headers were read; now copies and photos rated in
    other apps are known.
    """

    found: int
    new: int
    known: int
    pairs: int
    sentence: str
    problems: tuple[str, ...] = ()
    watched: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Totals:
    """What was done from the first request until idle; found = new + known.

    ``converted`` and ``failed`` count photos that were read, or failed for good; ``embedded``
    those an encoder analyzed, ``described`` those a vision model described. ``scans`` are the
    reports of all scans, by what is known at the end: when a scan ended, copies within it counted
    as photos.
    """

    found: int = 0
    new: int = 0
    known: int = 0
    converted: int = 0
    failed: int = 0
    embedded: int = 0
    described: int = 0
    scans: tuple[ScanReport, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class DescriptionNews:
    """What came of a photo a person wanted described; ``reason`` is empty if it was.

    ``again``: it is tried again by itself, and reported again.
    """

    photo_id: int
    reason: str = ""
    again: bool = False


class PipelineEvents(QObject):
    """The signals of one pipeline.

    Signals:
        photos_saved(list[int]): ids of photos whose rows changed, after each transaction.
        progressed(Progress): at most four times a second, and when something changed for good.
        scan_ended(ScanReport): a scan ended; ``again`` once the headers of all it found are read.
        paused_by(str): work paused itself: the problem and what to do. `Pipeline.resume` goes on.
        backup_failed(str): no backup could be made: why, and what to do; work goes on.
        idle(Totals): all that was asked for is done.
        encoder_failed(str): photos are no longer analyzed: why, and what to do.
        description_ended(DescriptionNews): what came of a photo `Pipeline.describe` was asked for.
        describing_held(object): the KnownError that keeps photos from being described by
            themselves; None once nothing does.
        sidecars_changed(SidecarNews): how many sidecars wait, whenever that changes.
        folders_changed(FolderNews): folders are here again, away, or at another path.
        watching_limited(str): not all folders can be watched: why, and what to do; once.

    Thread: signals are emitted on threads of the pipeline; a receiver that belongs to the window's
    thread gets them queued.
    """

    photos_saved = Signal(object)
    progressed = Signal(Progress)
    scan_ended = Signal(ScanReport)
    paused_by = Signal(str)
    backup_failed = Signal(str)
    idle = Signal(Totals)
    encoder_failed = Signal(str)
    description_ended = Signal(DescriptionNews)
    describing_held = Signal(object)
    sidecars_changed = Signal(SidecarNews)
    folders_changed = Signal(FolderNews)
    watching_limited = Signal(str)

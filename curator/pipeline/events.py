"""The signals of background work, and the values they carry.

The conductor and its parts emit them on their own threads; the session, the window and the command
line connect to :class:`PipelineEvents` directly.
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
    ``analyzing`` photos can be viewed already and wait for the encoder only; ``measuring`` photos
    wait for their faces to be measured, ``texts`` photos for their text to be read, ``describing``
    photos for the vision model, and ``held`` is why none of these is described now, or empty.
    ``away`` is a sentence about photos that wait for unplugged drives; they are in none of the
    counts.
    """

    found: int = 0
    done: int = 0
    failed: int = 0
    waiting: int = 0
    rate_per_s: float = 0.0
    left_s: float | None = None
    scanning: bool = False
    paused: bool = False
    analyzing: int = 0
    measuring: int = 0
    texts: int = 0
    describing: int = 0
    held: str = ""
    away: str = ""


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What a scan found: photos (a pair is one), and files that were skipped.

    ``sentence`` describes it: "3,012 photos (2,980 pairs); 12 videos and 4 other files skipped".
    ``problems`` are folders that could not be read, a sentence each. ``watched``: a change in a
    folder started the scan, not a person; the sentence is "12 new in Iceland", or empty. ``again``:
    the scan was reported before; now all headers are read, so that copies and photos rated in other
    apps are known.
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

    ``converted`` and ``failed`` count photos that were read, or failed permanently; ``measured``
    those whose faces were measured, ``embedded`` those an encoder analyzed, ``described`` those a
    vision model described, ``texts`` those whose text was read. ``scans`` are the reports of all
    requested scans, without the copies that each report at a scan's end counted.
    """

    found: int = 0
    new: int = 0
    known: int = 0
    converted: int = 0
    failed: int = 0
    measured: int = 0
    embedded: int = 0
    described: int = 0
    texts: int = 0
    scans: tuple[ScanReport, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class RequestNews:
    """The result for a photo that a person wanted described, or its text read.

    ``reason`` is why it failed, or empty. ``again``: it is tried again automatically, and reported
    again.
    """

    photo_id: int
    reason: str = ""
    again: bool = False


class PipelineEvents(QObject):
    """The signals of one pipeline.

    Signals:
        photos_saved(list[int]): ids of photos whose rows changed, after each transaction.
        progressed(Progress): progress changed; four times a second at most, but at once when work
            is paused, resumed or done.
        scan_ended(ScanReport): a scan ended; again once all headers are read, if that revealed
            more.
        paused_by(str): the problem that paused all work, and what to do before `Pipeline.resume`.
        backup_failed(str): why no backup could be made, and what to do; work continues.
        idle(Totals): every photo has been read; descriptions and text may still be under way.
        encoder_failed(str): why photos are no longer analyzed, and what to do.
        faces_failed(str): why faces are no longer measured, and what to do.
        text_failed(str): why text in photos is not read, and what to do.
        text_ended(RequestNews): the result for a photo of `Pipeline.read_text`.
        description_ended(RequestNews): the result for a photo of `Pipeline.describe`.
        describing_held(object): the KnownError that keeps photos from being described, except those
            a person asks for; None once nothing does.
        sidecars_changed(SidecarNews): how many sidecars wait, whenever that changes.
        folders_changed(FolderNews): folders are here again, away, or at another path.
        watching_limited(str): why not all folders can be watched, and what to do; emitted once.

    Thread: emitted on threads of the pipeline; receivers on the window's thread get them queued.
    """

    photos_saved = Signal(object)
    progressed = Signal(Progress)
    scan_ended = Signal(ScanReport)
    paused_by = Signal(str)
    backup_failed = Signal(str)
    idle = Signal(Totals)
    encoder_failed = Signal(str)
    faces_failed = Signal(str)
    text_failed = Signal(str)
    text_ended = Signal(RequestNews)
    description_ended = Signal(RequestNews)
    describing_held = Signal(object)
    sidecars_changed = Signal(SidecarNews)
    folders_changed = Signal(FolderNews)
    watching_limited = Signal(str)

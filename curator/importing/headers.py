"""Capture time, camera and fingerprint of the files on a card, read in worker processes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What the header of a file says.

    Attributes:
        fingerprint: of its content; empty if it could not be read.
        taken_at: the wall clock of the camera; None if the file has no capture time.
        camera: the camera's name, or None.
        problem: why the file could not be read, in one sentence, or empty.
    """

    fingerprint: str = ""
    taken_at: datetime | None = None
    camera: str | None = None
    problem: str = ""

"""exiftool, the external program that writes into originals and their copies: find it and run it.

Embedding marks and exporting without location use it. It runs in the folder of its files and reads
its arguments from standard input: names of photos must never reach a command line. The user's
configuration of exiftool is never used, because it is a program that can change what tags mean.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from curator.model import KnownError
from curator.settings import Settings

_COMPLAINT_LENGTH = 200


class ExiftoolError(Exception):
    """exiftool did not run to its end; the message completes a sentence after "exiftool"."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What exiftool wrote to standard output and to standard error."""

    output: str
    errors: str

    def complaint(self, about: str = "") -> str:
        """Return the first line that names ``about``, else the first error; "" if there is none."""
        lines = self.errors.splitlines()
        line = next((line for line in lines if about and about in line), "")
        line = line or next((line for line in lines if line.startswith("Error")), "")
        return line.partition(" - ./")[0].removeprefix("Error: ").strip()[:_COMPLAINT_LENGTH]


def find(settings: Settings) -> str:
    """Return the path of exiftool.

    Raises:
        KnownError: it is not installed, or not where the settings say.
    """
    named = settings.sidecars.exiftool.strip()
    found = shutil.which(named or "exiftool")
    if found is None:
        raise KnownError(
            f"exiftool is not at {named}." if named else "exiftool is not installed.",
            "Curator needs it to write into originals. Get it from exiftool.org, or as the package"
            " libimage-exiftool-perl (Debian, Ubuntu) or exiftool (Homebrew). If it is not on the"
            " PATH, set sidecars.exiftool to its path.",
        )
    return found


def find_if_any(settings: Settings) -> str:
    """Return the path of exiftool; empty if :func:`find` finds none."""
    try:
        return find(settings)
    except KnownError:
        return ""


def run(program: str, arguments: Sequence[str], folder: Path, timeout_s: float) -> Answer:
    """Run exiftool in a folder.

    Args:
        program: from :func:`find`.
        arguments: passed one per line; ``-execute`` ends a command.
        folder: the working folder; file names in arguments begin with ``./``.
        timeout_s: seconds after which exiftool is killed.

    Raises:
        ExiftoolError: it could not be started, or took too long.
    """
    try:
        done = subprocess.run(
            [program, "-config", "", "-@", "-"],
            input="\n".join([*arguments, ""]).encode("utf-8", "replace"),
            capture_output=True,
            cwd=folder,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ExiftoolError("took too long") from error
    except OSError as error:
        raise ExiftoolError(f"does not run ({error.strerror or error})") from error
    return Answer(done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))

"""Opens photos in the external editor that the settings name."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QProcess

from curator import volumes
from curator.model import KnownError, NotFoundError, counted

_MOST = 100  # files at a time: Windows limits a command line to 32 KiB


def open_in(program: str, files: Sequence[Path]) -> None:
    """Start the editor on files; it outlives Curator.

    Args:
        program: the setting: a program with options, quoted as in a shell where they contain
            blanks. No shell runs it. No file name can be taken for an option, because paths are
            absolute.
        files: the originals.

    Raises:
        KnownError: no editor is set, it is not found or does not start, or there are too many
            files; nothing was opened.
        NotFoundError: a file is missing.
    """
    words = command(program)
    if len(files) > _MOST:
        raise KnownError(
            f"{counted(len(files), 'photo')} are too many to open at once.",
            f"Select at most {_MOST}.",
        )
    missing = next((path for path in files if volumes.status(path) is None), None)
    if missing is not None:
        raise NotFoundError(f"{missing} is missing.", "Is its drive connected?")
    started, _ = QProcess.startDetached(words[0], [*words[1:], *(str(f.absolute()) for f in files)])
    if not started:
        raise KnownError(f"{words[0]} did not start.", "Check the editor in the settings.")


def command(program: str) -> list[str]:
    """Split the setting into a program and its options.

    Raises:
        KnownError: no editor is set, its quotes do not match, or it is not found.
    """
    remedy = "Name a program under Editing in the settings."
    if not program.strip():
        raise KnownError("No editor is set.", remedy)
    path = Path(program.strip()).expanduser()
    if path.exists():  # file managers copy paths with blanks unquoted
        words = [str(path)]
    else:
        try:
            words = shlex.split(program, posix=os.name != "nt")
        except ValueError as error:
            raise KnownError("The quotes in the editor setting do not match.", remedy) from error
        words = [word.strip('"') for word in words] if os.name == "nt" else words
    if sys.platform == "darwin" and words[0].endswith(".app"):
        return ["open", "-a", words[0], *words[1:]]
    found = shutil.which(str(Path(words[0]).expanduser()))
    if found is None:
        raise KnownError(f"Editor not found: {words[0]}.", remedy)
    return [found, *words[1:]]

"""Opening photos in another program: the one the settings name, with a list of arguments."""

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

_MOST = 100  # files at a time: command lines end at 32 KiB on Windows


def open_in(program: str, files: Sequence[Path]) -> None:
    """Start the editor on files; it lives on without us.

    Args:
        program: what the settings say: a program, perhaps with options, quoted as in a shell
            where there are blanks in them. No shell ever sees it, and no file's name is read as
            an option: paths are absolute.
        files: the originals.

    Raises:
        KnownError: no editor is set, it is not found or does not start, or there are too many
            files; nothing was opened.
        NotFoundError: a file is not there now.
    """
    words = command(program)
    if len(files) > _MOST:
        raise KnownError(f"{counted(len(files), 'photo')} are too many to open at once.")
    gone = [path for path in files if volumes.status(path) is None]
    if gone:
        raise NotFoundError(f"{gone[0]} is not there now.", "Is its drive connected?")
    started, _ = QProcess.startDetached(words[0], [*words[1:], *(str(f.absolute()) for f in files)])
    if not started:
        raise KnownError(f"{words[0]} does not start.", "Look at the editor in the settings.")


def command(program: str) -> list[str]:
    """Read what the settings say into a program and its options.

    Raises:
        KnownError: none is set, the quotes do not match, or there is no such program.
    """
    remedy = "Name a program under Editing in the settings (Ctrl+,)."
    if not program.strip():
        raise KnownError("No editor is set.", remedy)
    whole = Path(program.strip()).expanduser()
    if whole.exists():  # a path with blanks in it, not quoted, is what a file manager copies
        words = [str(whole)]
    else:
        try:
            words = shlex.split(program, posix=os.name != "nt")
        except ValueError as error:
            raise KnownError("The quotes of the editor do not match.", remedy) from error
        words = [word.strip('"') for word in words] if os.name == "nt" else words
    if sys.platform == "darwin" and words[0].endswith(".app"):
        return ["open", "-a", words[0], *words[1:]]
    found = shutil.which(str(Path(words[0]).expanduser()))
    if found is None:
        raise KnownError(f"The editor {words[0]} is not found.", remedy)
    return [found, *words[1:]]

"""What is nobody else's: folders and files of their owner alone, and secrets left out of texts.

Folders (0700) and files (0600) are everything in the home folder, whatever the umask: the catalog,
its copies, the log and the proxies show what somebody photographs. Where a system has no such
rights, as Windows, its own profile folder has.

Secrets are passwords in addresses, and keys: :func:`masked` takes them out of whatever is logged
or said.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

FILE, FOLDER = 0o600, 0o700
_OTHERS = 0o077
_MASK = "***"
_SECRETS = tuple(
    re.compile(rf"(?i)(?P<name>{name})(?P<secret>{secret})")
    for name, secret in (
        # A name and password in an address: with a slash in them, too, and without a scheme.
        ("://", r"[^\s/?#\"'<>]*:[^\s\"'<>]*(?=@)"),
        ("://", r"[^\s/?#\"'<>]*(?=@)"),
        (r"(?:^|(?<=[\s=\"']))", r"[^\s=/:@\"']{2,}:[^\s/\\@\"']+(?=@[\w\[])"),
        # What comes after the name of a secret, in JSON, in addresses and in the environment.
        (
            r"(?<![a-z])(?:api[-_]?key|vision[-_]key|access[-_]?token|token|password|passwd|secret"
            r"|authorization)[\"']?\s*[:=]\s*[\"']?(?:bearer |basic )?",
            r"[^\s\"',;&]+",
        ),
        (r"\b(?:bearer|basic) ", r"[\w.~+/=-]{16,}"),
        (r"\bsk-", r"[\w-]{6,}"),
    )
)
_known: set[str] = set()


def remember_secret(value: str) -> None:
    """Remember a secret for :func:`masked`, such as a key that was just found.

    Thread: any, as that of :func:`masked`.
    """
    if len(value) >= 6:  # a shorter one is found in too many words, and keeps nobody out
        _known.add(value)


def masked(text: str) -> str:
    """Return a text without the passwords and keys in it; "***" stands in their place."""
    # The longest first: one may begin with another. A copy: another thread may find one just now.
    for value in sorted(_known, key=len, reverse=True):
        text = text.replace(value, _MASK)
    for pattern in _SECRETS:
        text = pattern.sub(lambda found: f"{found['name']}{_MASK}", text)
    return text


def opener(path: str, flags: int) -> int:
    """Open a file for ``open(..., opener=opener)``; a new one is its owner's alone."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0), FILE)  # a pipe is not waited for


def make_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing; the new ones are the owner's alone.

    Raises:
        OSError: it cannot be made, or a file is in its place (FileExistsError).
    """
    try:
        path.mkdir(FOLDER)
    except FileNotFoundError:
        if path.parent == path:
            raise
        make_folder(path.parent)
        path.mkdir(FOLDER, exist_ok=True)
    except FileExistsError:
        if not path.is_dir():
            raise


def touch(path: Path) -> None:
    """Make a file the owner's alone: an empty one where there is none.

    What the system refuses is left to whoever opens it next to say.
    """
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE))
        return
    restrict(path)


def restrict(path: str | os.PathLike[str]) -> None:
    """Take what others may do with a file or folder away; one that is somebody else's stays."""
    with contextlib.suppress(OSError):
        mode = os.stat(path).st_mode  # noqa: PTH116 - also what scandir gives, as text
        if mode & _OTHERS:
            os.chmod(path, mode & 0o7700)  # noqa: PTH101


def restrict_known(folder: Path, ours: re.Pattern[str], *, whole: bool = False) -> None:
    """Restrict a folder and the files in it, but nothing that is not ours.

    A folder that holds anything else stays open, as one somebody chose as a home beside other
    things does; links stay, too, and what is in subfolders.

    Args:
        folder: one that need not be there.
        ours: what the names in it match.
        whole: the folder is ours, whatever is in it.
    """
    if os.name == "nt":
        return
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        names = list(entries)
        known = [entry for entry in names if ours.fullmatch(entry.name)]
        if whole or len(known) == len(names):
            restrict(folder)
        for entry in known:
            if entry.is_file(follow_symlinks=False):
                restrict(entry.path)

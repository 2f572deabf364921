"""Privacy on this computer: folders and files only their owner may open, and masking of secrets.

Everything in the home folder is private under any umask (folders 0700, files 0600), because the
catalog, its backups, the log and the proxies show what somebody photographs. Windows has no such
permission bits; there the user's profile folder is private already.

Secrets are keys, and passwords in URLs. Every text that is logged or printed goes through
:func:`mask_secrets`; a secret must never reach a log, a message or a report.
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
        # User name and password in a URL; they may contain a slash, and the scheme may be missing.
        ("://", r"[^\s/?#\"'<>]*:[^\s\"'<>]*(?=@)"),
        ("://", r"[^\s/?#\"'<>]*(?=@)"),
        (r"(?:^|(?<=[\s=\"']))", r"[^\s=/:@\"']{2,}:[^\s/\\@\"']+(?=@[\w\[])"),
        # The value after the name of a secret, in JSON, URLs and environment variables.
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
    """Register a secret, such as a key that was just read, so that :func:`mask_secrets` hides it.

    Thread: any.
    """
    if len(value) >= 6:  # a shorter secret occurs in ordinary words and protects nothing
        _known.add(value)


def mask_secrets(text: str) -> str:
    """Return a text with passwords and keys replaced by "***".

    Thread: any.
    """
    # Longest first, because one secret may start with another. Sorting copies the set, to which
    # another thread may be adding.
    for value in sorted(_known, key=len, reverse=True):
        text = text.replace(value, _MASK)
    for pattern in _SECRETS:
        text = pattern.sub(lambda found: f"{found['name']}{_MASK}", text)
    return text


def opener(path: str, flags: int) -> int:
    """Open a file for ``open(..., opener=opener)``; a new file is readable by its owner only."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0), FILE)  # a pipe must not block us


def make_folder(path: Path) -> None:
    """Create a private folder and its missing parents; existing folders are left unchanged.

    Raises:
        OSError: it cannot be created, or a file is in its place (FileExistsError).
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
    """Make a file private; create an empty one if it does not exist.

    Errors are ignored: opening the file reports them.
    """
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE))
        return
    restrict(path)


def restrict(path: str | os.PathLike[str]) -> None:
    """Remove the permissions of other users from a file or folder, if it is ours to change."""
    with contextlib.suppress(OSError):
        mode = os.stat(path).st_mode  # noqa: PTH116 - accepts the plain text scandir returns
        if mode & _OTHERS:
            os.chmod(path, mode & 0o7700)  # noqa: PTH101


def restrict_known(folder: Path, ours: re.Pattern[str], *, is_ours: bool = False) -> None:
    """Make Curator's files in a folder private, and the folder if it holds nothing else.

    A folder that also holds other files stays as it is, because the user may have chosen a shared
    folder as home. Links and subfolders are left alone.

    Args:
        folder: the folder; it need not exist.
        ours: matches the names of Curator's files.
        is_ours: whether the folder belongs to Curator even if it contains other files.
    """
    if os.name == "nt":
        return
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        names = list(entries)
        known = [entry for entry in names if ours.fullmatch(entry.name)]
        if is_ours or len(known) == len(names):
            restrict(folder)
        for entry in known:
            if entry.is_file(follow_symlinks=False):
                restrict(entry.path)

"""How packages can be added to this installation: the remedies of messages about missing packages.

A command names the Python that runs Curator, because a bare `pip` is often that of another. It
never names Curator itself: PyPI has another package named `curator`, which pip takes when the
installed Curator does not meet a requirement.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path


def is_frozen() -> bool:
    """Whether this is a packaged program, into which nothing can be installed."""
    return bool(getattr(sys, "frozen", False))


def install_command(*arguments: str) -> str:
    """Return the command that installs packages for this Python.

    Args:
        arguments: packages and options of `pip install`, without characters special to a shell.
    """
    python = sys.executable
    if sys.platform == "win32":  # the window may run in pythonw, which prints nothing
        python = str(Path(python).with_name("python.exe"))
    command = [python, "-m", "pip", "install", *arguments]
    return subprocess.list2cmdline(command) if sys.platform == "win32" else shlex.join(command)


def install_remedy(action: str, *arguments: str) -> str:
    """Return the remedy for a missing or broken package.

    Args:
        action: what the command does, as "Install it again".
        arguments: as of :func:`install_command`.
    """
    if is_frozen():
        return (
            "Nothing can be added to this build: install Curator as its README describes instead."
            " Your photos and ratings stay."
        )
    return f"{action} with `{install_command(*arguments)}`."

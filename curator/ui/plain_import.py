"""Import modules without PySide's look at their source."""

from __future__ import annotations

import builtins

import PySide6.QtCore  # noqa: F401  # replaces ``__import__``


def restore() -> None:
    """Restore Python's own ``__import__``.

    PySide's reads the source of every module imported after PySide, to learn whether the module may
    want names in snake case. None here does, and it took a tenth of a start.
    """
    builtins.__import__ = vars(builtins).get("__orig_import__", builtins.__import__)

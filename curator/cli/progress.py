"""Progress on a terminal, on stderr; nothing if stderr is a file or a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

Advance = Callable[[int, int, str], None]


@contextmanager
def bar(title: str, total: int | None = None) -> Iterator[Advance]:
    """Show a progress bar while the block runs; the yielded function updates it.

    Its arguments are photos done, photos in all and a few words (a name, a rate, a time left).
    """
    if not sys.stderr.isatty():
        yield lambda done, total, words: None
        return
    shown = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[words]}", markup=False),
        console=Console(stderr=True),
        transient=True,
    )
    with shown:
        task = shown.add_task(title, total=total, words="")
        yield lambda done, total, words: shown.update(
            task, completed=done, total=total, words=words
        )

"""Where the command line writes: answers to stdout, progress and errors to stderr."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, cast

from curator import atomic, private
from curator.home import Home
from curator.model import KnownError, Step, file_size, time_span
from curator.private import mask_secrets

_LOG_BYTES = 1_000_000  # three files of this: an evening's work fits, a runaway loop does not
_LOG_FILES = 2
# Control characters, line and paragraph ends, and marks that change the direction of text (a name
# "gpj.exe" that reads "exe.jpg").
_CONTROL = {
    code: ascii(chr(code))[1:-1]
    for code in (*range(32), *range(127, 160), *range(0x2028, 0x202F), *range(0x2066, 0x206A))
}
# `model.bidi_safe` puts these marks around names for the window; a terminal needs none.
_ISOLATED = re.compile("\u2066([^\u2066-\u2069]*)\u2069")

Advance = Callable[[int, int, str], None]
"""Updates a progress bar: photos done, photos in all, and a few words (a name, a rate)."""


def plain(value: object) -> Any:
    """Convert a value for JSON: paths and times to text, dataclasses to objects."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    return str(value)


class Output:
    """Prints the answer of a verb: lines for a person, or one JSON document."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    def answer(self, document: object, lines: Iterable[str]) -> None:
        """Print the answer: ``document`` with ``--json``, else ``lines``."""
        if self.as_json:
            print(_json(plain(document), indent=2))
            return
        for line in lines:
            print(encodable(shown(line)))

    def part(self, lines: Iterable[str]) -> None:
        """Print a part of an answer that takes long, at once; with ``--json`` nothing."""
        if not self.as_json:
            self.answer(None, lines)
            sys.stdout.flush()

    def error(self, error: KnownError) -> None:
        """Print an error and its remedy on one line to stderr; with ``--json`` to stdout."""
        message = mask_secrets(str(error.args[0]) if error.args else str(error))
        if self.as_json:
            print(_json({"error": message, "remedy": mask_secrets(error.remedy)}))
        else:
            print(f"curator: {shown(mask_secrets(' '.join(str(error).split())))}", file=sys.stderr)

    def note(self, text: str) -> None:
        """Print a remark beside the answer, to stderr."""
        print(mask_secrets(text), file=sys.stderr)


def shown(text: str) -> str:
    """Escape control characters in text from a file, so that it is one line on a terminal."""
    return _ISOLATED.sub(r"\1", text).translate(_CONTROL)


def encodable(text: str) -> str:
    """Escape what stdout cannot encode (invalid bytes, another code page)."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _json(document: object, indent: int | None = None) -> str:
    """Return JSON that stdout can encode: letters as they are, or all but ASCII escaped."""
    text = json.dumps(document, ensure_ascii=False, indent=indent)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(document, indent=indent)
    return text


def columns(rows: Sequence[Sequence[object]]) -> list[str]:
    """Align rows in columns, numbers to the right; an empty list stays empty."""
    if not rows:
        return []
    texts = [["" if cell is None else _cell(cell) for cell in row] for row in rows]
    widths = [max(len(row[at]) for row in texts) for at in range(len(texts[0]))]
    lines = []
    for row, cells in zip(rows, texts, strict=True):
        laid = [
            text.rjust(width) if isinstance(cell, int | float) else text.ljust(width)
            for cell, text, width in zip(row, cells, widths, strict=True)
        ]
        lines.append("  ".join(laid).rstrip())
    return lines


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else shown(str(value))


def step_document(step: Step) -> dict[str, object]:
    """Return a step of the journal for JSON: its id (None if nothing changed), text and photos."""
    changed = sorted({change.photo_id for change in step.changes})
    return {"step": step.id or None, "summary": step.summary, "changed": changed}


size = file_size
duration = time_span


class _OneLine(logging.Formatter):
    """Formats warnings for the terminal: the first line; tracebacks are for the log file."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the message's first line."""
        return f"curator: {_safe(record.getMessage().strip()).splitlines()[0]}"


class _LogLine(logging.Formatter):
    """Formats records for the log file: no message can forge another record or show a secret."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's lines; those after the first, as of a traceback, are indented."""
        return _safe(super().format(record))


def _safe(text: str) -> str:
    """Escape control characters in each line, indent all but the first, and mask secrets."""
    return "\n    ".join(shown(line) for line in mask_secrets(text).split("\n"))


class _LogFile(RotatingFileHandler):
    """The log file of a home; on a full disk, lines are lost and nothing else."""

    _failure_reported = False

    def _open(self) -> TextIOWrapper:
        """Open the file, readable by its owner only."""
        options = (self.mode, -1, self.encoding, self.errors)
        return cast("TextIOWrapper", open(self.baseFilename, *options, opener=private.opener))

    def handleError(self, record: logging.LogRecord) -> None:
        """Report once that the log cannot be written; the next line is tried again."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self._failure_reported and sys.stderr is not None:
            self._failure_reported = True
            line = f"curator: {self.baseFilename} cannot be written ({error.strerror or error})"
            print(line, file=sys.stderr)

    def close(self) -> None:
        """Close the file, even if its last lines cannot be written."""
        with contextlib.suppress(OSError):
            super().close()


@contextlib.contextmanager
def bar(title: str, total: int | None = None) -> Iterator[Advance]:
    """Show a progress bar on stderr while the block runs; nothing if stderr is no terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total, words: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[words]}", markup=False),
        console=Console(stderr=True),
        transient=True,
    )
    with progress:
        task = progress.add_task(title, total=total, words="")
        yield lambda done, total, words: progress.update(
            task, completed=done, total=total, words=words
        )


def start_logging(home: Home) -> None:
    """Send the package's log to the home's rotating file, and warnings as one line to stderr.

    A home that cannot be written still logs to stderr. Calling it again replaces the handlers.
    """
    root = logging.getLogger("curator")
    stop_logging()
    root.setLevel(logging.DEBUG)
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setLevel(logging.WARNING)
    terminal.setFormatter(_OneLine())
    root.addHandler(terminal)
    try:
        private.make_folder(home.data)
        file = _LogFile(home.log, "a", _LOG_BYTES, _LOG_FILES, "utf-8", errors="backslashreplace")
    except OSError as error:
        root.debug("no log file: %s", error)
        return
    file.setLevel(logging.INFO)
    file.setFormatter(_LogLine("%(asctime)s %(process)d %(levelname)-7s %(name)s: %(message)s"))
    root.addHandler(file)


def stop_logging() -> None:
    """Close what :func:`start_logging` opened."""
    root = logging.getLogger("curator")
    for handler in list(root.handlers):
        if isinstance(handler, RotatingFileHandler) or isinstance(handler.formatter, _OneLine):
            root.removeHandler(handler)
            handler.close()


def tail(path: Path, count: int) -> list[str]:
    """Return the last lines of a log file, without secrets; none if it is not there.

    Raises:
        KnownError: it cannot be read.
    """
    try:
        with atomic.open_plain(path) as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - count * 400))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise KnownError(
            f"{path} cannot be read ({error.strerror or error}).", "Check its permissions."
        ) from error
    return mask_secrets(text).rstrip("\n").split("\n")[-count:] if text else []

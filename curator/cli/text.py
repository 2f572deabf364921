"""The verb that lists the text in photos or in any image files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator.cli.files import one_worker
from curator.cli.invocation import Invocation
from curator.cli.output import columns, shown
from curator.model import KnownError, TextLine

if TYPE_CHECKING:
    from curator.catalog import PhotoDetail
    from curator.workers import WorkerPool

_DOING = "reading the text in"


def text(invocation: Invocation) -> int | None:
    """List the text in photos or any image files: signs, bibs, number plates, slides.

    Photos whose text was not read yet are read now, with ``--again`` all of them. Each is listed as
    soon as it is read; one of several that cannot be read costs no other.

    Returns:
        The exit code 1 if one of several photos could not be read.

    Raises:
        NotFoundError: there is no such photo or file, and it is the only one.
        KnownError: the only file cannot be decoded, or the networks are missing; says which.
    """
    from curator.ocr.models import TextModelError

    names = invocation.arguments.photos
    documents: list[dict[str, Any]] = []
    failures: set[str] = set()
    with one_worker(invocation) as pool:
        for name in names:
            try:
                document, lines = _listed(invocation, pool, name)
            except KnownError as error:
                if len(names) == 1:
                    raise
                document = _document(None, name, error=str(error))
                # Missing networks are reported once, not for each photo.
                reason = str(error) if isinstance(error, TextModelError) else f"{name}: {error}"
                if reason not in failures:
                    failures.add(reason)
                    invocation.output.note(shown(reason))
            else:
                invocation.output.part([*([document["path"]] if len(names) > 1 else ()), *lines])
            documents.append(document)
    invocation.output.answer(documents, ())
    return 1 if failures else None


def _listed(
    invocation: Invocation, pool: WorkerPool, name: str
) -> tuple[dict[str, Any], list[str]]:
    """Return the text in a photo or file for JSON, and as lines for a person."""
    detail, path = invocation.photo_or_file(name)
    if detail is None or detail.proxy is None:
        found, size = _read_file(invocation, pool, path)
    else:
        size = (detail.capture.width or 0, detail.capture.height or 0)
        known = None if invocation.arguments.again else detail.text
        found = _read_photo(invocation, pool, detail) if known is None else known
    rows = [(f"{line.confidence:.0%}", line.text) for line in found]
    number = None if detail is None else detail.id
    document = _document(number, str(path), text_document(found, size))
    return document, columns(rows) or ["No text"]


def _document(number: int | None, path: str, text: Any = None, error: str = "") -> dict[str, Any]:
    return {"id": number, "path": path, "text": text, "error": error or None}


def text_document(lines: Sequence[TextLine] | None, size: tuple[int, int]) -> Any:
    """Return text as JSON shows it; None while it is not read.

    Args:
        lines: the text in a photo.
        size: (width, height) of the upright original in px; corners are in these px.
    """
    if lines is None:
        return None
    width, height = size
    return [
        {
            "text": line.text,
            "confidence": line.confidence,
            "corners": [[round(x * width), round(y * height)] for x, y in line.corners],
        }
        for line in lines
    ]


def _read_photo(
    invocation: Invocation, pool: WorkerPool, photo: PhotoDetail
) -> tuple[TextLine, ...]:
    """Read the text in a photo that has a proxy, and save it."""
    from curator.catalog.text_lines import READ_TEXT
    from curator.pipeline.file_preview import job_of_photo, run_on_file
    from curator.stages.read_text import read_text, save_text

    _check_installed()
    job = job_of_photo(photo, READ_TEXT, invocation.settings, invocation.home.cache)
    result = run_on_file(pool, invocation.settings, _DOING, read_text, job)
    save_text(invocation.catalog, [(job, result)])
    return result.lines


def _read_file(
    invocation: Invocation, pool: WorkerPool, path: Path
) -> tuple[tuple[TextLine, ...], tuple[int, int]]:
    """Read the text in a file; also return its upright size in px."""
    from curator.pipeline.file_preview import job_of, run_on_file
    from curator.stages.read_text import text_of_file

    _check_installed()
    job = job_of(str(path), invocation.settings)
    return run_on_file(pool, invocation.settings, _DOING, text_of_file, job)


def _check_installed() -> None:
    from curator.ocr import models

    if models.folder() is None:
        raise models.not_installed()

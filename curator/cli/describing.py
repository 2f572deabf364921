"""The verb that shows all that is known of a photo, or of an image file without adding it."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from curator.cli.invocation import Invocation
from curator.cli.output import columns, size
from curator.cli.tastes import compare_file, see_file
from curator.library.captions import suggestion
from curator.model import Described, Embedded, KnownError, NotFoundError
from curator.settings import absolute

if TYPE_CHECKING:
    from curator.catalog import TagDetail
    from curator.session.file_preview import FilePreview


def describe(invocation: Invocation) -> int:
    """Print all there is to know of a photo, or of a file; the vision model is asked if need be.

    What it says of a photo is kept in the catalog; of a file that is none, nothing is. Without the
    model the rest is printed all the same.

    Returns:
        The exit code: 1 where the model was asked and described nothing.

    Raises:
        NotFoundError: there is no such photo or file.
        KnownError: no picture can be made of the file; says why.
    """
    from curator.session.file_preview import FilePreview, of_photo

    name = invocation.arguments.photo
    preview = FilePreview(absolute(name))
    if invocation.home.catalog.exists():  # else a catalog would be made for nothing
        try:
            detail = invocation.catalog.photos.get(name)
        except NotFoundError:
            if not preview.path.exists():
                raise
        else:
            preview = of_photo(detail)
    if preview.refused:
        raise KnownError(preview.refused, "`curator retry` tries it again.")
    if preview.photo is None or preview.quality is None:
        preview = _of_file(invocation, preview)
    else:
        preview = _with_why(invocation, _of_catalog(invocation, preview))
    invocation.output.answer(_document(preview), _lines(preview))
    return 1 if preview.undescribed else 0


def _of_catalog(invocation: Invocation, preview: FilePreview) -> FilePreview:
    """Have a photo of the catalog described now, if nobody did or if it was asked for."""
    from curator.imaging.proxy import proxy_path
    from curator.pipeline.describing import prompt_key
    from curator.session.file_preview import of_photo

    catalog, number = invocation.catalog, preview.photo or 0
    if preview.description is not None and not invocation.arguments.again:
        return preview
    detail = catalog.photos.get(number)
    try:
        proxy = proxy_path(invocation.home.cache, detail.proxy or "").read_bytes()
    except OSError:
        gone = "Its proxy is missing; `curator backfill convert` makes a new one."
        return replace(preview, undescribed=gone)
    told = _ask(invocation, proxy, detail.proxy_digest or "")
    if isinstance(told, KnownError):
        return preview.with_description(told)
    catalog.descriptions.save([(number, told)], prompt_key())
    return of_photo(catalog.photos.get(number))


def _ask(invocation: Invocation, proxy: bytes, source: str = "") -> Described | KnownError:
    """Ask the vision model; without it the rest is said all the same."""
    from curator.pipeline.describing import asking
    from curator.stages.describe import describe_proxy

    whom = asking(invocation.settings)
    invocation.output.note(f"Asking {whom.options.model} at {whom.options.shown_url}…")
    try:
        return describe_proxy(proxy, whom, source)
    except KnownError as error:
        return error


def _of_file(invocation: Invocation, preview: FilePreview) -> FilePreview:
    """Look at a file as the window does, in processes of their own."""
    from curator.encoders import select_encoder

    encoding = select_encoder(invocation.home, invocation.settings)
    found = see_file(invocation, preview.path)
    preview = replace(preview.with_decoded(found), compared=encoding.sentence)
    if preview.photo is None and invocation.home.catalog.exists():
        photo = invocation.catalog.photos.find_file(preview.path, found.fingerprint)
        if photo is not None:
            preview = preview.with_photo(invocation.catalog.photos.get(photo))
    if preview.description is None or invocation.arguments.again:
        preview = preview.with_description(_ask(invocation, found.proxy))
    if encoding.recipe is None:
        return preview
    try:
        vector = compare_file(invocation, encoding.recipe, found)
    except KnownError as error:
        return replace(preview, compared=str(error))
    return _with_why(invocation, preview.with_tags(vector), vector)


def _with_why(
    invocation: Invocation, preview: FilePreview, found: Embedded | None = None
) -> FilePreview:
    """Add what the learned taste makes of a photo, or of what an encoder found in a file."""
    from curator.learning.explanations import insight, opinion
    from curator.learning.learner import Learned

    if not invocation.home.catalog.exists():
        return replace(preview, unmatched=Learned("", 0, 0, 0).sentence)
    learner = invocation.learner
    if found is None:
        told = insight(learner, preview.photo or 0)
        return replace(preview, why=told.why, unmatched=told.missing)
    try:
        return replace(preview, why=opinion(learner, found))
    except KnownError as error:
        return replace(preview, unmatched=str(error))


def _document(preview: FilePreview) -> dict[str, Any]:
    capture, quality, why = preview.capture, preview.quality, preview.why
    assert capture is not None and quality is not None
    return {
        "id": preview.photo,
        "name": preview.path.stem,
        "path": preview.path,
        "format": preview.form,
        "bytes": preview.size,
        "taken_at": capture.taken_at,
        **capture.facts(),
        "sharpness": None if preview.damage else quality.sharpness,
        "exposure": None if preview.damage else quality.exposure,
        "highlights": round(quality.highlights, 5),
        "shadows": round(quality.shadows, 5),
        "basis": preview.basis,
        "damage": preview.damage,
        "match_score": why.match if why else None,
        "expected_stars": round(why.expected, 2) if why else None,
        "uncertainty_stars": round(why.std, 2) if why else None,
        "doubt": why.doubt if why else preview.unmatched or None,
        "tags": None if preview.tags is None else [asdict(tag) for tag in preview.tags],
        "description": _description(preview.description),
        "undescribed": preview.undescribed or None,
        "encoder": preview.compared or None,
    }


def _lines(preview: FilePreview) -> list[str]:
    """Lay the preview out as the window does: what it is, what was measured, its words."""
    from curator.library.captions import MEASURED
    from curator.session.file_preview import capture_lines, clipping_line

    capture, quality, why = preview.capture, preview.quality, preview.why
    assert capture is not None and quality is not None
    rows = []
    if not preview.damage:
        rows.append(("sharpness", f"{quality.sharpness:.0f}", MEASURED.get(preview.basis, "")))
        rows.append(("exposure", f"{quality.exposure:.0f}", clipping_line(quality)))
    if why is not None:
        told = f"{why.expected:.1f} stars expected, ± {why.std:.1f}; {why.doubt}"
        rows.append(("match", f"{why.match}", told))
    elif preview.unmatched:
        rows.append(("match", "", preview.unmatched))
    known = "not in the catalog" if preview.photo is None else f"photo {preview.photo}"
    pixels = f"{capture.width} × {capture.height} px"
    lines = [preview.path.stem, *capture_lines(capture), "", *columns(rows)]
    if preview.damage:
        lines.append(preview.damage)
    if preview.tags:
        lines.append("tags: " + ", ".join(_tag(tag) for tag in preview.tags))
    lines += [*_said(preview), ""]
    lines.append(f"{preview.form} · {pixels} · {size(preview.size)} · {known}")
    return [*lines, str(preview.path), *filter(None, [preview.compared])]


def _description(told: Described | None) -> dict[str, Any] | None:
    if told is None:
        return None
    return {
        "subject": told.subject,
        "content_type": told.content_type,
        "lighting": told.lighting,
        "mood": told.mood,
        "provider": told.provider,
        "model": told.model,
    }


def _said(preview: FilePreview) -> list[str]:
    told = preview.description
    if told is None:
        return [f"description: {preview.undescribed}"] if preview.undescribed else []
    rows = [
        ("subject", told.subject),
        ("light", told.lighting),
        ("mood", told.mood),
        ("kind", f"{told.content_type.replace('_', ' ')}, said by {told.model}"),
    ]
    return ["", *columns([row for row in rows if row[1]])]


def _tag(tag: TagDetail) -> str:
    if tag.state == "confirmed":
        return tag.name
    return f"{tag.name} ({suggestion(tag)})"

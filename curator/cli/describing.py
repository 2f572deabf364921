"""The verb that shows everything known about a photo, or about an image file without adding it."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from curator.cli.faces import faces_document
from curator.cli.files import decode_file, encode_file
from curator.cli.invocation import Invocation
from curator.cli.output import columns, size
from curator.library.captions import suggestion
from curator.model import Described, Embedded, KnownError

if TYPE_CHECKING:
    from curator.catalog import TagDetail
    from curator.session.file_preview import FilePreview


def describe(invocation: Invocation) -> int:
    """Show everything known about a photo or any image file, with the vision model's description.

    The model is asked if there is no description yet, or with ``--again``. Its description of a
    photo is saved in the catalog; that of a file outside the catalog is only printed. If the model
    does not answer, the rest is printed all the same.

    Returns:
        The exit code: 1 if the model was asked and described nothing.

    Raises:
        NotFoundError: there is no such photo or file.
        KnownError: the file cannot be decoded; says why.
    """
    from curator.session.file_preview import FilePreview, of_photo

    detail, path = invocation.photo_or_file(invocation.arguments.photo)
    preview = FilePreview(path) if detail is None else of_photo(detail)
    if preview.refused:
        raise KnownError(preview.refused, "`curator retry` tries it again.")
    if preview.photo is None or preview.quality is None:
        preview = _read_file(invocation, preview)
    else:
        preview = _with_match(invocation, _described_photo(invocation, preview))
    invocation.output.answer(_document(preview), _lines(preview))
    return 1 if preview.undescribed else 0


def _described_photo(invocation: Invocation, preview: FilePreview) -> FilePreview:
    """Describe a photo of the catalog, if it has no description or if asked to do so again."""
    from curator.imaging.proxy import proxy_path
    from curator.pipeline.describing import prompt_key
    from curator.session.file_preview import of_photo

    catalog, photo = invocation.catalog, preview.photo or 0
    if preview.description is not None and not invocation.arguments.again:
        return preview
    detail = catalog.photos.get(photo)
    try:
        proxy = proxy_path(invocation.home.cache, detail.proxy or "").read_bytes()
    except OSError:
        missing = "Its proxy is missing; `curator backfill convert` makes a new one."
        return replace(preview, undescribed=missing)
    described = _ask_model(invocation, proxy, detail.proxy_digest or "")
    if isinstance(described, KnownError):
        return preview.with_description(described)
    catalog.descriptions.save([(photo, described)], prompt_key())
    return of_photo(catalog.photos.get(photo))


def _ask_model(invocation: Invocation, proxy: bytes, source: str = "") -> Described | KnownError:
    """Ask the vision model; return its description, or why there is none."""
    from curator.pipeline.describing import asking
    from curator.stages.describe import describe_proxy

    request = asking(invocation.settings)
    invocation.output.note(f"Asking {request.options.model} at {request.options.shown_url}…")
    try:
        return describe_proxy(proxy, request, source)
    except KnownError as error:
        return error


def _read_file(invocation: Invocation, preview: FilePreview) -> FilePreview:
    """Decode, describe and analyze a file in worker processes, as the window does."""
    from curator.encoders import select_encoder

    encoding = select_encoder(invocation.home, invocation.settings)
    found = decode_file(invocation, preview.path, faces=True)
    preview = replace(preview.with_decoded(found), encoder_sentence=encoding.sentence)
    if preview.photo is None and invocation.home.catalog.exists():
        photo = invocation.catalog.photos.find_file(preview.path, found.fingerprint)
        if photo is not None:
            preview = preview.with_photo(invocation.catalog.photos.get(photo))
    if preview.description is None or invocation.arguments.again:
        preview = preview.with_description(_ask_model(invocation, found.proxy))
    if encoding.recipe is None:
        return preview
    try:
        vector = encode_file(invocation, encoding.recipe, found)
    except KnownError as error:
        return replace(preview, encoder_sentence=str(error))
    return _with_match(invocation, preview.with_tags(vector), vector)


def _with_match(
    invocation: Invocation, preview: FilePreview, vector: Embedded | None = None
) -> FilePreview:
    """Add the predicted rating of a photo, or of the vector of a file, or why there is none."""
    from curator.learning.explanations import explain_photo, explain_picture
    from curator.learning.learner import Learned

    if not invocation.home.catalog.exists():
        return replace(preview, unmatched=Learned("", 0, 0, 0).sentence)
    learner = invocation.learner
    if vector is None:
        found = explain_photo(learner, preview.photo or 0)
        return replace(preview, why=found.why, unmatched=found.missing)
    try:
        return replace(preview, why=explain_picture(learner, vector))
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
        "faces": faces_document(preview.faces, (capture.width or 0, capture.height or 0)),
        "match_score": why.match if why else None,
        "expected_stars": round(why.expected, 2) if why else None,
        "uncertainty_stars": round(why.std, 2) if why else None,
        "certainty": why.certainty if why else None,
        "no_prediction": preview.unmatched or None,
        "tags": None if preview.tags is None else [asdict(tag) for tag in preview.tags],
        "description": _description(preview.description),
        "undescribed": preview.undescribed or None,
        "encoder": preview.encoder_sentence or None,
    }


def _lines(preview: FilePreview) -> list[str]:
    """Return the lines to print: name and capture data, measures, tags and description, file."""
    from curator.library.captions import MEASURED, face_lines
    from curator.session.file_preview import capture_lines, clipping_line

    capture, quality, why = preview.capture, preview.quality, preview.why
    assert capture is not None and quality is not None
    rows = []
    if not preview.damage:
        rows.append(("sharpness", f"{quality.sharpness:.0f}", MEASURED.get(preview.basis, "")))
        rows.append(("exposure", f"{quality.exposure:.0f}", clipping_line(quality)))
    if why is not None:
        expected = f"{why.stars:.1f} stars expected, ±{why.std:.1f}; {why.certainty}"
        rows.append(("match", "" if why.match is None else f"{why.match}", expected))
    elif preview.unmatched:
        rows.append(("match", "", preview.unmatched))
    photo = "not in the catalog" if preview.photo is None else f"photo {preview.photo}"
    pixels = f"{capture.width} × {capture.height} px"
    lines = [preview.path.stem, *capture_lines(capture), "", *columns(rows)]
    if preview.damage:
        lines.append(preview.damage)
    if preview.faces:
        lines += face_lines(preview.faces)
    if preview.tags:
        lines.append("tags: " + ", ".join(_tag(tag) for tag in preview.tags))
    lines += [*_description_lines(preview), ""]
    lines.append(f"{preview.form} · {pixels} · {size(preview.size)} · {photo}")
    return [*lines, str(preview.path), *filter(None, [preview.encoder_sentence])]


def _description(described: Described | None) -> dict[str, Any] | None:
    if described is None:
        return None
    return {
        "subject": described.subject,
        "content_type": described.content_type,
        "lighting": described.lighting,
        "mood": described.mood,
        "provider": described.provider,
        "model": described.model,
    }


def _description_lines(preview: FilePreview) -> list[str]:
    described = preview.description
    if described is None:
        return [f"description: {preview.undescribed}"] if preview.undescribed else []
    rows = [
        ("subject", described.subject),
        ("light", described.lighting),
        ("mood", described.mood),
        ("kind", f"{described.content_type.replace('_', ' ')}, described by {described.model}"),
    ]
    return ["", *columns([row for row in rows if row[1]])]


def _tag(tag: TagDetail) -> str:
    if tag.state == "confirmed":
        return tag.name
    return f"{tag.name} ({suggestion(tag)})"

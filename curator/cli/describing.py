"""The placard on a terminal: what is known of a photo, or of any picture file without adding it."""

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
    from curator.session.file_preview import Placard


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
    from curator.session.file_preview import Placard, of_photo

    name = invocation.arguments.photo
    placard = Placard(absolute(name))
    if invocation.home.catalog.exists():  # else a catalog would be made for nothing
        try:
            detail = invocation.catalog.photos.get(name)
        except NotFoundError:
            if not placard.path.exists():
                raise
        else:
            placard = of_photo(detail)
    if placard.refused:
        raise KnownError(placard.refused, "`curator retry` tries it again.")
    if placard.photo is None or placard.quality is None:
        placard = _of_file(invocation, placard)
    else:
        placard = _with_why(invocation, _of_catalog(invocation, placard))
    invocation.output.answer(_document(placard), _lines(placard))
    return 1 if placard.undescribed else 0


def _of_catalog(invocation: Invocation, placard: Placard) -> Placard:
    """Have a photo of the catalog described now, if nobody did or if it was asked for."""
    from curator.imaging.proxy import proxy_path
    from curator.pipeline.describing import prompt_key
    from curator.session.file_preview import of_photo

    catalog, number = invocation.catalog, placard.photo or 0
    if placard.description is not None and not invocation.arguments.again:
        return placard
    detail = catalog.photos.get(number)
    try:
        proxy = proxy_path(invocation.home.cache, detail.proxy or "").read_bytes()
    except OSError:
        gone = "Its proxy is gone; `curator backfill convert` makes it again."
        return replace(placard, undescribed=gone)
    told = _ask(invocation, proxy, detail.proxy_digest or "")
    if isinstance(told, KnownError):
        return placard.with_description(told)
    catalog.descriptions.save([(number, told)], prompt_key())
    return of_photo(catalog.photos.get(number))


def _ask(invocation: Invocation, proxy: bytes, source: str = "") -> Described | KnownError:
    """Ask the vision model; without it the rest is said all the same."""
    from curator.pipeline.describing import asking
    from curator.stages.describe import described

    whom = asking(invocation.settings)
    invocation.output.note(f"Asking {whom.options.model} at {whom.options.shown_url}…")
    try:
        return described(proxy, whom, source)
    except KnownError as error:
        return error


def _of_file(invocation: Invocation, placard: Placard) -> Placard:
    """Look at a file as the window does, in processes of their own."""
    from curator.encoders.selection import select_encoder

    encoding = select_encoder(invocation.home, invocation.settings)
    found = see_file(invocation, placard.path)
    placard = replace(placard.with_seen(found), compared=encoding.sentence)
    if placard.photo is None and invocation.home.catalog.exists():
        photo = invocation.catalog.photos.find_file(placard.path, found.fingerprint)
        if photo is not None:
            placard = placard.with_photo(invocation.catalog.photos.get(photo))
    if placard.description is None or invocation.arguments.again:
        placard = placard.with_description(_ask(invocation, found.proxy))
    if encoding.recipe is None:
        return placard
    try:
        vector = compare_file(invocation, encoding.recipe, found)
    except KnownError as error:
        return replace(placard, compared=str(error))
    return _with_why(invocation, placard.with_tags(vector), vector)


def _with_why(invocation: Invocation, placard: Placard, found: Embedded | None = None) -> Placard:
    """Add what the learned taste makes of a photo, or of what an encoder found in a file."""
    from curator.learning.explanations import insight, opinion
    from curator.learning.learner import Learned

    if not invocation.home.catalog.exists():
        return replace(placard, unmatched=Learned("", 0, 0, 0).sentence)
    learner = invocation.learner
    if found is None:
        told = insight(learner, placard.photo or 0)
        return replace(placard, why=told.why, unmatched=told.missing)
    try:
        return replace(placard, why=opinion(learner, found))
    except KnownError as error:
        return replace(placard, unmatched=str(error))


def _document(placard: Placard) -> dict[str, Any]:
    capture, quality, why = placard.capture, placard.quality, placard.why
    assert capture is not None and quality is not None
    return {
        "id": placard.photo,
        "name": placard.path.stem,
        "path": placard.path,
        "format": placard.form,
        "bytes": placard.size,
        "taken_at": capture.taken_at,
        **capture.facts(),
        "sharpness": None if placard.damage else quality.sharpness,
        "exposure": None if placard.damage else quality.exposure,
        "highlights": round(quality.highlights, 5),
        "shadows": round(quality.shadows, 5),
        "basis": placard.basis,
        "damage": placard.damage,
        "match_score": why.match if why else None,
        "expected_stars": round(why.expected, 2) if why else None,
        "uncertainty_stars": round(why.std, 2) if why else None,
        "doubt": why.doubt if why else placard.unmatched or None,
        "tags": None if placard.tags is None else [asdict(tag) for tag in placard.tags],
        "description": _description(placard.description),
        "undescribed": placard.undescribed or None,
        "encoder": placard.compared or None,
    }


def _lines(placard: Placard) -> list[str]:
    """Lay the placard out as the window does: what it is, what was measured, its words."""
    from curator.library.captions import MEASURED
    from curator.session.file_preview import clipped, made

    capture, quality, why = placard.capture, placard.quality, placard.why
    assert capture is not None and quality is not None
    rows = []
    if not placard.damage:
        rows.append(("sharpness", f"{quality.sharpness:.0f}", MEASURED.get(placard.basis, "")))
        rows.append(("exposure", f"{quality.exposure:.0f}", clipped(quality)))
    if why is not None:
        told = f"{why.expected:.1f} stars expected, ± {why.std:.1f}; {why.doubt}"
        rows.append(("match", f"{why.match}", told))
    elif placard.unmatched:
        rows.append(("match", "", placard.unmatched))
    known = "not in the catalog" if placard.photo is None else f"photo {placard.photo}"
    pixels = f"{capture.width} × {capture.height} px"
    lines = [placard.path.stem, *made(capture), "", *columns(rows)]
    if placard.damage:
        lines.append(placard.damage)
    if placard.tags:
        lines.append("tags: " + ", ".join(_tag(tag) for tag in placard.tags))
    lines += [*_said(placard), ""]
    lines.append(f"{placard.form} · {pixels} · {size(placard.size)} · {known}")
    return [*lines, str(placard.path), *filter(None, [placard.compared])]


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


def _said(placard: Placard) -> list[str]:
    told = placard.description
    if told is None:
        return [f"description: {placard.undescribed}"] if placard.undescribed else []
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

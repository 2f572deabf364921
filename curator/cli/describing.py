"""The placard on a terminal: what is known of a photo, or of any picture file without adding it."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from curator.cli.invocation import Invocation
from curator.cli.output import columns, size
from curator.cli.tastes import compare_file, see_file
from curator.model import Embedded, KnownError, NotFoundError
from curator.settings import absolute

if TYPE_CHECKING:
    from curator.catalog import TagDetail
    from curator.session import Placard


def describe(invocation: Invocation) -> None:
    """Say what the catalog knows of a photo, else look at the file; nothing of it is kept.

    Raises:
        NotFoundError: there is no such photo or file.
        KnownError: no picture can be made of the file; says why.
    """
    from curator.session.placard import Placard, of_photo

    name = invocation.arguments.photo
    placard = Placard(absolute(name))
    if invocation.home.catalog.exists():  # else a catalog would be made for nothing
        try:
            detail = invocation.catalog.photo(name)
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
        placard = _with_why(invocation, placard)
    invocation.output.answer(_document(placard), _lines(placard))


def _of_file(invocation: Invocation, placard: Placard) -> Placard:
    """Look at a file as the window does, in processes of their own."""
    from curator.pipeline import settled

    encoding = settled(invocation.home, invocation.settings)
    found = see_file(invocation, placard.path)
    placard = replace(placard.with_seen(found), compared=encoding.sentence)
    if placard.photo is None and invocation.home.catalog.exists():
        photo = invocation.catalog.known(placard.path, found.fingerprint)
        if photo is not None:
            placard = placard.with_photo(invocation.catalog.photo(photo))
    if encoding.recipe is None:
        return placard
    try:
        vector = compare_file(invocation, encoding.recipe, found)
    except KnownError as error:
        return replace(placard, compared=str(error))
    return _with_why(invocation, placard.with_tags(vector), vector)


def _with_why(invocation: Invocation, placard: Placard, found: Embedded | None = None) -> Placard:
    """Add what the learned taste makes of a photo, or of what an encoder found in a file."""
    from curator.session import Learned
    from curator.session.evidence import insight, opinion

    if not invocation.home.catalog.exists():
        return replace(placard, unmatched=Learned("", 0, 0, 0).sentence)
    pupil = invocation.pupil
    if found is None:
        told = insight(pupil, placard.photo or 0)
        return replace(placard, why=told.why, unmatched=told.missing)
    try:
        return replace(placard, why=opinion(pupil, found))
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
        "sharpness": quality.sharpness,
        "exposure": quality.exposure,
        "highlights": round(quality.highlights, 5),
        "shadows": round(quality.shadows, 5),
        "basis": placard.basis,
        "damage": placard.damage,
        "match_score": why.match if why else None,
        "expected_stars": round(why.expected, 2) if why else None,
        "uncertainty_stars": round(why.std, 2) if why else None,
        "doubt": why.doubt if why else placard.unmatched or None,
        "tags": None if placard.tags is None else [asdict(tag) for tag in placard.tags],
        "description": None,
        "encoder": placard.compared or None,
    }


def _lines(placard: Placard) -> list[str]:
    """Lay the placard out as the window does: what it is, what was measured, its words."""
    from curator.session.captions import MEASURED
    from curator.session.placard import UNDESCRIBED, clipped, made

    capture, quality, why = placard.capture, placard.quality, placard.why
    assert capture is not None and quality is not None
    rows = [
        ("sharpness", f"{quality.sharpness:.0f}", MEASURED.get(placard.basis, "")),
        ("exposure", f"{quality.exposure:.0f}", clipped(quality)),
    ]
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
    lines += [f"description: {UNDESCRIBED}", ""]
    lines.append(f"{placard.form} · {pixels} · {size(placard.size)} · {known}")
    return [*lines, str(placard.path), *filter(None, [placard.compared])]


def _tag(tag: TagDetail) -> str:
    return tag.name if tag.state == "confirmed" else f"{tag.name} ({tag.source} {tag.confidence})"

"""Verbs about taste: what was learned from ratings, how reliable it is, and similar photos."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from curator.cli.files import decode_file, encode_file
from curator.cli.invocation import Invocation
from curator.cli.output import columns
from curator.home import absolute
from curator.model import KnownError, NotFoundError, UsageError, counted

if TYPE_CHECKING:
    from curator.catalog import EncoderProgress, TasteRow
    from curator.learning.outlook import Choices, Outlook
    from curator.learning.report import Report
    from curator.taste import Accuracy
    from curator.taste.ceiling import Agreement

_SIMILAR = 10  # photos, unless --limit says otherwise


def taste(invocation: Invocation) -> None:
    """Show how well Curator predicts your ratings, or manage the versions of your taste.

    Raises:
        UsageError: a version is missing, or named where none belongs.
        KnownError: that version cannot be used; nothing was changed.
    """
    arguments = invocation.arguments
    act, number = arguments.act, arguments.version
    if act == "rollback" and number is None:
        raise UsageError(
            "Name the version to roll back to.", "`curator taste versions` lists them."
        )
    if act in ("unpin", "keep") and number is not None:
        raise UsageError(f"`curator taste {act}` takes no version.")
    acts = {
        None: _summary,
        "versions": _versions if number is None else _biggest_changes,
        "rollback": _roll_back,
        "unpin": _unpin,
        "keep": _keep,
    }
    acts[act](invocation)


def _summary(invocation: Invocation) -> None:
    from curator.encoders import select_encoder
    from curator.learning.learner import MIN_RATINGS
    from curator.learning.outlook import OutlookReport
    from curator.learning.report import MEANING, report

    learned = invocation.learner.learned
    assert learned is not None
    found = report(invocation.learner)
    outlook = OutlookReport()(invocation.learner)
    encoding = select_encoder(invocation.home, invocation.settings)
    document = {
        "ratings": learned.ratings,
        "needed": MIN_RATINGS,
        "missing": max(MIN_RATINGS - learned.ratings, 0),
        "ready": learned.ready,
        "state": learned.sentence,
        "pinned": learned.pinned,
        "vectors": learned.vectors,
        "damaged_vectors": learned.damaged,
        "encoder": found.encoder or None,
        "encoder_state": encoding.sentence,
        "analyzing_again": _progress(found.analyzing_again),
        "agreement": _agreement(found.agreement),
        "reached": None if found.reached is None else round(found.reached, 4),
        "outlook": _forecast(outlook, found),
        "stacks": _choices(outlook.choices),
        "accuracy": _accuracy(found.accuracy),
        "accuracy_by_time": _accuracy(found.by_time),
        "curve": [{"at": at} | _accuracy(point) for at, point in found.curve],
        "versions": [_version_document(row, learned.pinned) for row in found.versions],
    }
    lines = [
        f"{counted(learned.ratings, 'photo')} with stars. {learned.sentence}",
        encoding.sentence,
        found.analysis_sentence,
        *filter(None, [found.damaged]),
        found.accuracy.sentence,
        *filter(None, [found.reached_sentence, outlook.sentence(found)]),
        *([found.agreement.sentence] if found.agreement is not None and learned.ratings else []),
        *([outlook.choices.sentence] if outlook.choices is not None else []),
        MEANING,
    ]
    if found.by_time.count and found.by_time.count != found.accuracy.count:
        lines.append(f"Seen in order of capture time: {found.by_time.sentence}")
    lines += [_version_line(row, learned.pinned) for row in found.versions]
    invocation.output.answer(document, lines)


def _progress(again: EncoderProgress | None) -> dict[str, Any] | None:
    if again is None:
        return None
    return {
        "encoder": again.encoder,
        "analyzed": again.encoded,
        "of": again.total,
        "waiting": again.waiting,
    }


def _versions(invocation: Invocation) -> None:
    catalog = invocation.catalog
    rows, pinned = catalog.taste.versions(), catalog.taste.pinned()
    lines = [_version_line(row, pinned) for row in rows]
    invocation.output.answer(
        [_version_document(row, pinned) for row in rows], lines or ["No versions yet."]
    )


def _biggest_changes(invocation: Invocation) -> None:
    """List the photos whose match score changed most from the version before to this one."""
    number, catalog = invocation.arguments.version, invocation.catalog
    catalog.taste.version(number)  # refuse an unknown version before learning
    moved = invocation.learner.score_changes(number)
    names = {
        photo.id: photo.name for photo in catalog.photos.details([each.photo_id for each in moved])
    }
    listed = [
        {"id": each.photo_id, "name": names[each.photo_id], "before": each.before, "now": each.now}
        for each in moved
        if each.photo_id in names
    ]
    lines = [f"{each['name']}: match {each['before']}, now {each['now']}" for each in listed]
    invocation.output.answer(
        listed, lines or [f"Version {number} has no earlier version to compare with."]
    )


def _roll_back(invocation: Invocation) -> None:
    from curator.learning.versions import roll_back

    number = invocation.arguments.version
    roll_back(invocation.catalog, number)
    row = invocation.catalog.taste.version(number)
    line = (
        f"Taste is pinned to version {number}, learned from {counted(row.ratings, 'rating')}. Later"
        " ratings are saved, and learned from once you unpin it."
    )
    invocation.output.answer({"pinned": number, "state": line}, [line])


def _unpin(invocation: Invocation) -> None:
    from curator.learning.versions import unpin

    was = unpin(invocation.catalog)
    line = "No version is pinned."
    if was is not None:
        line = f"Version {was} is unpinned: taste is learned from all ratings again."
    invocation.output.answer({"pinned": None, "was": was, "state": line}, [line])


def _keep(invocation: Invocation) -> None:
    number = invocation.learner.keep_version()
    row = invocation.catalog.taste.version(number)
    invocation.output.answer(_version_document(row, None), [_version_line(row, None)])


def _accuracy(judged: Accuracy) -> dict[str, Any]:
    known = {
        "rank_correlation": judged.correlation,
        "at_least": judged.low,
        "error_stars": judged.error,
        "error_of_your_mean_stars": judged.mean_error,
    }
    return {
        "predicted": judged.count,
        **{name: round(value, 4) if judged.count else None for name, value in known.items()},
        "trust": judged.trust,
        "sentence": judged.sentence,
    }


def _agreement(found: Agreement | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "rank_correlation": round(found.value, 4),
        "low": round(found.low, 4),
        "high": round(found.high, 4),
        "ceiling": round(found.ceiling, 4),
        "repeats": found.repeats,
        "same_stars": found.same,
        "assumed_share": round(found.assumed, 4),
        "sentence": found.sentence,
    }


def _forecast(outlook: Outlook, found: Report) -> dict[str, Any] | None:
    """Return what more ratings would bring; None if that cannot be known."""
    forecast = outlook.forecast
    if forecast is None:
        return None
    return {
        "more_ratings": forecast.more,
        "gain": round(forecast.gain, 4),
        "gain_error": round(forecast.error, 4),
        "sentence": outlook.sentence(found),
    }


def _choices(found: Choices | None) -> dict[str, Any] | None:
    if found is None:
        return None
    shares = {"prediction": found.prediction, "sharpness": found.sharpness}
    return {
        "pairs": found.pairs,
        "stacks": found.stacks,
        **{
            name: {key: round(each, 4) for key, each in asdict(value).items()}
            for name, value in shares.items()
        },
        "chance": 0.5,
        "sentence": found.sentence,
    }


def _version_document(row: TasteRow, pinned: int | None) -> dict[str, Any]:
    return {
        "version": row.id,
        "made_at": datetime.fromtimestamp(row.made_at).astimezone(),
        "encoder": row.encoder,
        "ratings": row.ratings,
        "rank_correlation": row.correlation,
        "error_stars": row.error,
        "error_of_your_mean_stars": row.mean_error,
        "reason": row.reason,
        "pinned": row.id == pinned,
    }


def _version_line(row: TasteRow, pinned: int | None) -> str:
    from curator.learning.report import REASONS

    when = datetime.fromtimestamp(row.made_at).strftime("%Y-%m-%d %H:%M")
    how = "" if row.correlation is None else f", rank correlation {row.correlation:.2f}"
    line = f"version {row.id}, {when}: {counted(row.ratings, 'rating')}{how}, {REASONS[row.reason]}"
    return f"{line}; pinned" if row.id == pinned else line


def similar(invocation: Invocation) -> None:
    """List the photos most similar to a photo, or to any image file.

    Raises:
        NotFoundError: there is no such photo or file, or it is not analyzed yet.
        KnownError: the file cannot be read, or no encoder is installed.
    """
    from curator.learning.vector_index import VectorIndex

    catalog, name = invocation.catalog, invocation.arguments.photo
    index = VectorIndex(invocation.home.cache)
    index.sync(catalog)
    photo: int | None = None
    try:
        photo = catalog.photos.find(name)
    except NotFoundError:
        if not absolute(name).is_file():
            raise
        vector = _vector_of(invocation, absolute(name), index.encoder)
    else:
        place = int(index.rows_of([photo])[0])
        if place < 0:
            raise NotFoundError(
                f"Photo {photo} is not analyzed yet.", "`curator status` says what waits, and why."
            )
        vector = index.take([place])[0, : index.dimension]
    most = invocation.arguments.limit or _SIMILAR
    # Removed photos keep their vectors; search only those in the catalog.
    present = np.array(catalog.photos.ids(), np.int64)
    ids, similarity = index.nearest(vector, most + 1, present)
    pairs = zip(ids.tolist(), similarity.tolist(), strict=True)
    _list_similar(invocation, [pair for pair in pairs if pair[0] != photo][:most])


def _list_similar(invocation: Invocation, nearest: list[tuple[int, float]]) -> None:
    ids = [photo for photo, _ in nearest]
    photos = {photo.id: photo for photo in invocation.catalog.photos.details(ids)}
    listed = [
        {
            "id": photo,
            "name": photos[photo].name,
            "path": photos[photo].path,
            "similarity": round(similarity, 4),
        }
        for photo, similarity in nearest
        if photo in photos
    ]
    lines = columns([(e["id"], e["name"], f"{e['similarity']:.2f}", e["path"]) for e in listed])
    invocation.output.answer(listed, lines or ["No photos are analyzed yet."])


def _vector_of(invocation: Invocation, path: Path, encoder: str) -> np.ndarray:
    """Encode a file that is not in the catalog, in worker processes.

    Raises:
        KnownError: there is no encoder, or not the one of the catalog's vectors; or the file cannot
            be decoded.
    """
    from curator.encoders import select_encoder

    encoding = select_encoder(invocation.home, invocation.settings)
    if encoding.recipe is None:
        raise KnownError(encoding.sentence)
    if encoder and encoding.recipe.key != encoder:
        raise KnownError(
            "The photos here were analyzed with another encoder than the one in use.",
            "Let `curator backfill embed` finish first.",
        )
    found = encode_file(invocation, encoding.recipe, decode_file(invocation, path))
    return np.frombuffer(found.vector, np.float16).astype(np.float32)

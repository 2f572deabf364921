"""Verbs about taste: what was learned from stars, how honest it is, and which photos are alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from curator.cli.invocation import Invocation
from curator.cli.output import columns
from curator.model import Embedded, Kind, KnownError, NotFoundError, StageJob, counted
from curator.settings import absolute

if TYPE_CHECKING:
    from curator.catalog import Foreseen
    from curator.session import Learned, Table
    from curator.taste import Accuracy

_SIMILAR = 10  # photos, unless --limit says otherwise
_LOADED_S = 180.0  # loading an encoder and reading one picture


def learned(invocation: Invocation) -> Learned:
    """Learn from all stars there are; a second at 100,000 photos."""
    from curator.session import learned_now

    return learned_now(invocation.catalog, invocation.settings.taste, invocation.home.cache)


def scored(invocation: Invocation) -> tuple[Table, Learned | None]:
    """Read all photos, with match scores where there are enough stars."""
    from curator.session import START, Table

    table = Table(invocation.catalog)
    if invocation.catalog.stars() < START:
        return table, None
    known = learned(invocation)
    table.set_scores(known.ids, known.scores, known.predicted)
    return table, known


def foretell(
    invocation: Invocation, changes: Mapping[int, Mapping[str, object]]
) -> dict[int, float]:
    """Give the stars foretold for photos about to get their first, by id."""
    from curator.session import START

    wanted = {photo for photo, fields in changes.items() if fields.get("rating") is not None}
    if not wanted or invocation.catalog.stars() < START:
        return {}
    first = [each for each in invocation.catalog.lessons(sorted(wanted)) if each.rating is None]
    known = learned(invocation)
    told = dict(zip(known.ids.tolist(), known.predicted.tolist(), strict=True))
    return {each.photo_id: told[each.photo_id] for each in first if each.photo_id in told}


def taste(invocation: Invocation) -> None:
    """Say what was learned from stars so far, and how good predictions have been."""
    from curator.pipeline import settled
    from curator.session import START, judge

    catalog, known = invocation.catalog, learned(invocation)
    encoder, seen = next(iter(catalog.encoders().items()), (None, 0))
    foreseen = catalog.foreseen()
    by_time = [told for told in foreseen if told.order_name != "match"]
    judged, apart = judge(foreseen), judge(by_time)
    versions = [
        {name: value for name, value in asdict(row).items() if name != "numbers"}
        for row in catalog.taste_versions()
    ]
    encoding = settled(invocation.home, invocation.settings)
    document = {
        "ratings": known.stars,
        "needed": START,
        "missing": max(START - known.stars, 0),
        "ready": known.ready,
        "state": known.sentence,
        "vectors": seen,
        "encoder": encoder,
        "encoder_state": encoding.sentence,
        "accuracy": _plain(judged),
        "accuracy_not_by_match": _plain(apart),
        "curve": [_plain(point) for point in _curve(foreseen)],
        "versions": versions,
    }
    lines = [
        f"{counted(known.stars, 'photo')} with stars. {known.sentence}",
        encoding.sentence,
        f"{counted(seen, 'photo')} compared by {encoder or 'no encoder'}.",
        judged.sentence,
    ]
    if apart.count != judged.count and apart.count:
        lines.append(f"Seen in another order than by match: {apart.sentence}")
    lines += [_version_line(row) for row in versions]
    invocation.output.answer(document, lines)


def _curve(foreseen: list[Foreseen]) -> list[Accuracy]:
    from curator.taste import learning_curve

    predicted = [np.nan if told.expected is None else told.expected for told in foreseen]
    return learning_curve(predicted, [told.rating for told in foreseen])


def _plain(judged: Accuracy) -> dict[str, Any]:
    known = {
        "rank_correlation": judged.correlation,
        "at_least": judged.low,
        "error_stars": judged.error,
        "error_of_your_mean_stars": judged.mean_error,
    }
    return {
        "foreseen": judged.count,
        **{name: round(value, 4) if judged.count else None for name, value in known.items()},
        "trust": judged.trust,
        "sentence": judged.sentence,
    }


def _version_line(row: Mapping[str, Any]) -> str:
    when = datetime.fromtimestamp(row["made_at"]).strftime("%Y-%m-%d %H:%M")
    how = "" if row["correlation"] is None else f", rank correlation {row['correlation']:.2f}"
    return f"version {row['id']}, {when}: {counted(row['ratings'], 'rating')}{how}"


def similar(invocation: Invocation) -> None:
    """List the photos most like one: a photo of the catalog, or any picture file.

    Raises:
        NotFoundError: there is no such photo or file, or it was not compared yet.
        KnownError: the file cannot be read, or there is no encoder to compare it with.
    """
    from curator.session import Archive

    catalog, name = invocation.catalog, invocation.arguments.photo
    archive = Archive(invocation.home.cache)
    archive.sync(catalog)
    own: int | None = None
    try:
        own = catalog.find(name)
    except NotFoundError:
        if not absolute(name).is_file():
            raise
        vector = _vector_of(invocation, absolute(name), archive.encoder)
    else:
        place = int(archive.places([own])[0])
        if place < 0:
            raise NotFoundError(
                f"Photo {own} was not compared yet.", "`curator status` says what waits, and why."
            )
        vector = archive.rows[place, : archive.dimension]
    most = invocation.arguments.limit or _SIMILAR
    ids, likeness = archive.nearest(vector, most + 1)
    pairs = zip(ids.tolist(), likeness.tolist(), strict=True)
    _list_similar(invocation, [pair for pair in pairs if pair[0] != own][:most])


def _list_similar(invocation: Invocation, nearest: list[tuple[int, float]]) -> None:
    ids = [photo for photo, _ in nearest]
    photos = {photo.id: photo for photo in invocation.catalog.details(ids)}
    listed = [
        {
            "id": photo,
            "name": photos[photo].name,
            "path": photos[photo].path,
            "similarity": round(likeness, 4),
        }
        for photo, likeness in nearest
        if photo in photos
    ]
    lines = columns([(e["id"], e["name"], f"{e['similarity']:.2f}", e["path"]) for e in listed])
    invocation.output.answer(listed, lines or ["No photos were compared yet."])


def _vector_of(invocation: Invocation, path: Path, encoder: str) -> np.ndarray:
    """Encode a file that is in no catalog, in a process of its own."""
    from curator.pipeline import settled
    from curator.pipeline.encoding import make_pool
    from curator.stages.embed import embed

    encoding = settled(invocation.home, invocation.settings)
    if encoding.recipe is None:
        raise KnownError(encoding.sentence)
    if encoder and encoding.recipe.key != encoder:
        raise KnownError(
            "The photos here were compared by another encoder than the one in use.",
            "Let `curator backfill embed` finish first.",
        )
    pool = make_pool(invocation.settings)
    job = StageJob(0, "embed", str(path), Kind.IMAGE, "", fingerprint="", encoder=encoding.recipe)
    try:
        (found,) = pool.run(embed, [job], timeout_s=_LOADED_S).results
    finally:
        pool.close()
    if not isinstance(found, Embedded):
        raise found
    return np.frombuffer(found.vector, np.float16).astype(np.float32)

"""Verbs about searching: by words and looks, and saved searches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from curator.cli.invocation import Invocation
from curator.cli.output import columns
from curator.cli.photos import in_order
from curator.cli.tastes import scored
from curator.model import KnownError, NotFoundError, UsageError

if TYPE_CHECKING:
    from curator.learning.vector_index import VectorIndex
    from curator.library.query import Query
    from curator.library.table import Table

_FOUND = 50  # photos, unless --limit says otherwise


def fold(invocation: Invocation) -> None:
    """Index the newest words of all photos; without them a search still finds the older ones."""
    try:
        invocation.catalog.text.update_all()
    except KnownError as error:
        invocation.output.note(f"The newest words could not be searched. {error}")


def search(invocation: Invocation) -> None:
    """List the photos that match best, by their words and, with CLIP, by what they show.

    Raises:
        FilterError: the text is not valid; with the position.
        KnownError: the photo to find similar ones of is not analyzed yet.
    """
    from curator.library.filters import mask, parse
    from curator.library.relevance import REASONS, relevance
    from curator.library.sort_orders import sorted_ids

    arguments = invocation.arguments
    query = parse(" ".join(arguments.text))
    fold(invocation)
    table, _ = scored(invocation)
    near, said = near_of(invocation, query, table)
    fits = mask(query, table, invocation.settings.taste.match_threshold, near) & table.alive()
    found = relevance(query, table, fits, near)
    table.scores.set_answer("relevance", found.ids, found.value)
    order = "relevance" if query.is_ranked else "taken"
    ids = sorted_ids(table, fits, order, units=False)
    listed = ids[: arguments.limit or _FOUND].tolist()
    why = dict(zip(found.ids.tolist(), found.by.tolist(), strict=True))
    photos: list[dict[str, Any]] = [
        {
            "id": photo.id,
            "name": photo.name,
            "path": photo.path,
            "found_by": REASONS[why.get(photo.id, 0)] or "fields",
        }
        for photo in in_order(invocation, listed)
    ]
    lines = columns([(p["id"], p["name"], p["found_by"], p["path"]) for p in photos])
    if len(ids) > len(listed):
        lines.append(f"{len(ids):,} photos match; these match best.")
    if said:
        invocation.output.note(said)
    invocation.output.answer(photos, lines or ["No photos."])


def near_of(
    invocation: Invocation, query: Query, table: Table
) -> tuple[dict[str | int, NDArray[np.int64]], str]:
    """Return the photos that vectors find for a search, and why there are none.

    Raises:
        KnownError: a photo to find similar ones of is not analyzed yet.
    """
    from curator.learning.vector_index import VectorIndex
    from curator.library.relevance import alike, looking_like

    near: dict[str | int, NDArray[np.int64]] = {}
    if not query.is_ranked:
        return near, ""
    archive = VectorIndex(invocation.home.cache)
    archive.sync(invocation.catalog)
    among = table.ids[table.alive()]
    for photo in query.similar:
        near[photo] = alike(archive, photo, among)[0]
    if not query.phrase:
        return near, ""
    try:
        vector = _read(invocation, query.phrase, archive)
    except KnownError as error:
        return near, f"Found by words only. {error}"
    if vector is not None:
        near[query.phrase] = looking_like(archive, vector, among)[0]
    return near, ""


def _read(invocation: Invocation, phrase: str, archive: VectorIndex) -> NDArray[np.float32] | None:
    """Encode a phrase in a process of its own; None if the encoder knows no words."""
    from curator.encoders import select_encoder

    recipe = select_encoder(invocation.home, invocation.settings).recipe
    if recipe is None or not recipe.supports_text or recipe.key != archive.encoder:
        return None
    from curator.pipeline.encoder_lane import make_pool
    from curator.pipeline.text_encoding import encode_in_worker

    pool = make_pool(invocation.settings)
    try:
        return np.frombuffer(
            encode_in_worker(pool, recipe, phrase, invocation.settings), np.float32
        )
    finally:
        pool.close()


def searches(invocation: Invocation) -> None:
    """List the saved searches, save one, or remove one.

    Raises:
        UsageError: a name or a search is missing.
        FilterError: the search is not valid; with the position. Nothing was saved.
        NotFoundError: there is no search of that name.
    """
    from curator.library.filters import parse

    arguments, catalog = invocation.arguments, invocation.catalog
    if arguments.act == "add":
        expression = " ".join(arguments.text)
        if not arguments.name or not expression.strip():
            raise UsageError(
                "A name or a search is missing.", "Use `curator searches add NAME TEXT...`"
            )
        parse(expression)
        catalog.searches.save(arguments.name, expression)
    elif arguments.act == "remove":
        found = [each for each in catalog.searches.all() if each.name == arguments.name]
        if not found:
            raise NotFoundError(
                f"There is no saved search {arguments.name or ''}.",
                "`curator searches` lists them.",
            )
        catalog.searches.remove(found[0].id)
    listed = catalog.searches.all()
    document = [{"name": each.name, "expression": each.expression} for each in listed]
    lines = columns([(each.name, each.expression) for each in listed])
    invocation.output.answer(document, lines or ["No saved searches."])

"""Verbs about searching: by words and looks, and saved searches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from curator.cli.invocation import Invocation
from curator.cli.output import columns
from curator.cli.photos import in_order
from curator.cli.scores import scored
from curator.model import KnownError, NotFoundError, UsageError

if TYPE_CHECKING:
    from curator.encoders import Recipe
    from curator.learning.vector_index import VectorIndex
    from curator.library.query import Query
    from curator.library.table import Table

_FOUND = 50  # photos, unless --limit says otherwise


def search(invocation: Invocation) -> None:
    """Find photos by words, by fields and, with CLIP, by what they show.

    Raises:
        FilterError: the text is not valid; the message has the position.
        KnownError: a photo of ``similar:`` is not analyzed yet.
    """
    from curator.library.filters import mask, parse
    from curator.library.relevance import REASONS, kind_reasons, relevance
    from curator.library.sort_orders import sorted_ids

    arguments = invocation.arguments
    query = parse(" ".join(arguments.text))
    invocation.index_words()
    table, _ = scored(invocation)
    near, problem = _nearest(invocation, query, table)
    fits = mask(query, table, invocation.settings.taste.match_threshold, near) & table.alive()
    found = relevance(query, table, fits, near)
    table.scores.set_sort_values("relevance", found.ids, found.value)
    order = "relevance" if query.is_ranked else "taken"
    ids = sorted_ids(table, fits, order, units=False)
    listed = ids[: arguments.limit or _FOUND].tolist()
    by = dict(zip(found.ids.tolist(), found.by.tolist(), strict=True))
    found_by = {photo: REASONS[by.get(photo, 0)] or "fields" for photo in listed}
    found_by |= table.text_hits.reasons(query, listed)
    found_by |= {photo: str(why) for photo, why in kind_reasons(query, table, listed).items()}
    photos: list[dict[str, Any]] = [
        {
            "id": photo.id,
            "name": photo.name,
            "path": photo.path,
            "found_by": found_by[photo.id],
        }
        for photo in in_order(invocation, listed)
    ]
    lines = columns([(p["id"], p["name"], p["found_by"], p["path"]) for p in photos])
    if len(ids) > len(listed):
        lines.append(f"{len(ids):,} photos match; these match best.")
    if query.words and query.phrase not in near and not problem:
        problem = "Found by words only. CLIP finds more: it searches by what photos show."
    elif query.tags and not query.words and _recipe_for_words(invocation) is None:
        problem = "CLIP finds more: it suggests tags for more kinds of things."
    if problem:
        invocation.output.note(problem)
    invocation.output.answer(photos, lines or ["No photos."])


def _nearest(
    invocation: Invocation, query: Query, table: Table
) -> tuple[dict[str | int, NDArray[np.int64]], str]:
    """Return the photos that vectors find for a search, and why the phrase was not compared.

    Raises:
        KnownError: a photo of ``similar:`` is not analyzed yet.
    """
    from curator.learning.vector_index import VectorIndex
    from curator.library.relevance import similar_to_photo, similar_to_phrase

    near: dict[str | int, NDArray[np.int64]] = {}
    if not query.is_ranked:
        return near, ""
    index = VectorIndex(invocation.home.cache)
    index.sync(invocation.catalog)
    among = table.ids[table.alive()]
    for photo in query.similar:
        near[photo] = similar_to_photo(index, photo, among)[0]
    if not query.phrase:
        return near, ""
    try:
        vector = _encode_phrase(invocation, query.phrase, index)
    except KnownError as error:
        return near, f"Found by words only. {error}"
    if vector is not None:
        near[query.phrase] = similar_to_phrase(index, vector, among)[0]
    return near, ""


def _recipe_for_words(invocation: Invocation) -> Recipe | None:
    """Return how to encode phrases; None if the encoder in use knows no words."""
    from curator.encoders import select_encoder

    recipe = select_encoder(invocation.home, invocation.settings).recipe
    return recipe if recipe is not None and recipe.supports_text else None


def _encode_phrase(
    invocation: Invocation, phrase: str, index: VectorIndex
) -> NDArray[np.float32] | None:
    """Encode a phrase in a worker process; None if the encoder of the vectors knows no words."""
    recipe = _recipe_for_words(invocation)
    if recipe is None or recipe.key != index.encoder:
        return None
    from curator.pipeline.encoder_lane import make_pool
    from curator.pipeline.text_encoding import encode_in_worker

    pool = make_pool(invocation.settings)
    try:
        vector = encode_in_worker(pool, recipe, phrase, invocation.settings)
        return np.frombuffer(vector, np.float32)
    finally:
        pool.close()


def searches(invocation: Invocation) -> None:
    """List saved searches, or add or remove one.

    Raises:
        UsageError: a name or a search is missing.
        FilterError: the search is not valid; the message has the position. Nothing was saved.
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
        found = next((s for s in catalog.searches.all() if s.name == arguments.name), None)
        if found is None:
            raise NotFoundError(
                f"Saved search {arguments.name or ''} not found.",
                "`curator searches` lists all of them.",
            )
        catalog.searches.remove(found.id)
    listed = catalog.searches.all()
    document = [{"name": each.name, "expression": each.expression} for each in listed]
    lines = columns([(each.name, each.expression) for each in listed])
    invocation.output.answer(document, lines or ["No saved searches."])

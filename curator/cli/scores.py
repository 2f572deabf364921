"""Match scores for verbs that list, rate or export photos; kept from one command to the next."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from curator import __version__
from curator.cli.invocation import Invocation

if TYPE_CHECKING:
    from curator.learning.stored_scores import Scores
    from curator.library.table import Table

_LEARNED_FROM = ("flag", "rating", "kept", "elsewhere", "stack", "stacked")  # columns of a table


def scored(invocation: Invocation) -> tuple[Table, Scores | None]:
    """Read all photos, with match scores if there are enough ratings or a version is pinned.

    Learns only if something it learns from has changed since the last time.

    Returns:
        The photos, and their scores; None if there are none.
    """
    from curator.learning import stored_scores
    from curator.library.table_cache import open_table
    from curator.settings import DEFAULT_RULE

    if invocation.settings.approval.rule != DEFAULT_RULE:  # it may search for words and tags
        invocation.index_words()
    home, approval = invocation.home, invocation.settings.approval
    table = open_table(invocation.catalog, home.table_file, approval)
    state = _taste_state(invocation, table)
    scores = stored_scores.load(home.scores_file, state)
    if scores is None:
        if not _can_predict(invocation):
            return table, None
        learned = invocation.learner.learned
        assert learned is not None
        scores = learned.without_model()
        stored_scores.save(home.scores_file, state, scores)
    table.scores.set(scores.ids, scores.match, scores.predicted)
    return table, scores


def _taste_state(invocation: Invocation, table: Table) -> str:
    """Return what scores depend on, as text: they are the same as long as it is.

    Marks and stacks count by their present values, so that viewing or tagging photos changes
    nothing.
    """
    catalog, settings = invocation.catalog, invocation.settings.taste
    rows, marks = table.alive(), hashlib.blake2b(digest_size=16)
    for column in (table.ids, *map(table.column, _LEARNED_FROM)):
        marks.update(column[rows].tobytes())
    known = (
        __version__,
        marks.hexdigest(),
        catalog.taste.newest_judgment(),
        [(each, catalog.vectors.last_revision(each)) for each in catalog.vectors.encoders()],
        [(version.id, version.made_at) for version in catalog.taste.versions()[:1]],
        catalog.taste.pinned(),
        settings.half_life_days,
        settings.from_files,
    )
    return repr(known)


def _can_predict(invocation: Invocation) -> bool:
    """Whether there are enough ratings to predict others, or a version is pinned."""
    from curator.taste import MIN_RATINGS

    catalog = invocation.catalog
    rated = catalog.taste.count_rated(invocation.settings.taste.from_files)
    return rated >= MIN_RATINGS or catalog.taste.pinned() is not None


def predictions_for(
    invocation: Invocation, changes: Mapping[int, Mapping[str, object]]
) -> dict[int, float]:
    """Return the predicted ratings of photos about to get their first rating, by id."""
    wanted = {photo for photo, fields in changes.items() if fields.get("rating") is not None}
    if not wanted or not _can_predict(invocation):
        return {}
    rated = invocation.catalog.taste.ratings(sorted(wanted))
    first = {each.photo_id for each in rated if each.rating is None}
    if not first:
        return {}
    _, scores = scored(invocation)
    assert scores is not None
    predicted = zip(scores.ids.tolist(), scores.predicted.tolist(), strict=True)
    return {photo: stars for photo, stars in predicted if photo in first}

"""Imports as the window and the command line run them, for tests.

report = import_cards(catalog, [card], [library, backup])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from curator.catalog import Catalog
from curator.importing.card_files import find_files
from curator.importing.headers import read_headers
from curator.importing.plan import ImportPlan, make_plan
from curator.importing.report import ImportProgress, ImportReport
from curator.importing.request import ImportRequest
from curator.importing.run import ImportRun
from curator.workers import InlinePool


def plan_import(
    catalog: Catalog, cards: Sequence[Path], destinations: Sequence[Path], **options: object
) -> ImportPlan:
    """Plan an import; ``options`` are further fields of the request."""
    request = ImportRequest(tuple(cards), tuple(destinations), **options)  # type: ignore[arg-type]
    contents = find_files(request.cards)
    return make_plan(request, contents, read_headers(contents, InlinePool()), catalog)


def import_cards(
    catalog: Catalog,
    cards: Sequence[Path],
    destinations: Sequence[Path],
    *,
    progressed: Callable[[ImportProgress], None] = lambda progress: None,
    give_way: Callable[[], bool] = lambda: False,
    waits: bool = False,
    **options: object,
) -> ImportReport:
    """Import everything new from cards; see `curator.importing`."""
    plan = plan_import(catalog, cards, destinations, **options)
    run = ImportRun(plan, catalog, progressed=progressed, give_way=give_way, waits=waits)
    return run.run()

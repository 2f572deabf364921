"""What is known of all photos, left for the next window: by one that closes, or by a long read."""

from __future__ import annotations

import logging
from pathlib import Path

from curator.catalog import Catalog
from curator.library.table import Table
from curator.model import KnownError

log = logging.getLogger(__name__)

WORTH = 5000  # photos; fewer are read within 50 ms


def leave(known: Table | Catalog, path: Path) -> None:
    """Keep what a table knows for the next one, where reading all photos would be slow.

    If it cannot be kept the next start takes a second longer, and nothing else is lost.

    Args:
        known: the table, or the catalog it is to be read from.
        path: where it is kept.

    Thread: the catalog's.
    """
    try:
        table = known if isinstance(known, Table) else Table(known, path)
        if table.size >= WORTH:
            table.refresh()
            table.keep(path)
    except (KnownError, OSError, ValueError) as error:
        log.info("the next start reads all photos: %s", error)

"""Export options from settings and choices, for the export dialog and the command line."""

from __future__ import annotations

from pathlib import Path

from curator import exiftool
from curator.catalog import FolderRow
from curator.export import Options
from curator.export.size_estimates import Proxies
from curator.home import Home
from curator.library.approval import all_clauses
from curator.settings import ExportSettings, Settings


def base_options(
    settings: Settings, home: Home, folder: Path, choices: ExportSettings, sources: list[FolderRow]
) -> Options:
    """Return the options for an export into ``folder``; the caller adds what to export.

    Args:
        settings: the settings.
        home: has the proxies.
        folder: the target folder.
        choices: of the settings, a preset or the dialog.
        sources: the folders of originals, into which no export may write.
    """
    return Options(
        folder=folder,
        rule=tuple(clause.name for clause in all_clauses(settings.approval.rule)),
        profile=settings.sidecars.profile,
        exiftool=exiftool.find_if_any(settings),
        proxies=Proxies(home.cache, settings.proxy.long_edge_px, settings.proxy.quality),
        sources=tuple(Path(row.path) for row in sources if row.recursive),
        flat_sources=tuple(Path(row.path) for row in sources if not row.recursive),
        **dict(choices),
    )

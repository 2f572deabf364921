"""Export options from the settings, for the export dialog and the command line."""

from __future__ import annotations

from pathlib import Path

from curator import exiftool
from curator.export import Options
from curator.export.size_estimates import Proxies
from curator.library.approval import all_clauses
from curator.settings import Home, Settings


def options_from_settings(settings: Settings, home: Home, folder: Path) -> Options:
    """Return the options for an export into ``folder``; the caller adds what to export and how."""
    return Options(
        folder=folder,
        rule=tuple(clause.name for clause in all_clauses(settings.approval.rule)),
        profile=settings.sidecars.profile,
        exiftool=exiftool.find_if_any(settings),
        proxies=Proxies(home.cache, settings.proxy.long_edge_px, settings.proxy.quality),
    )

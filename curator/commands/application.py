"""The application itself: settings and quitting."""

from __future__ import annotations

from curator.commands.registry import command
from curator.session import Session


@command("Settings…", "Files")
def settings(session: Session) -> None:
    """Change the settings."""
    session.requests.settings_requested.emit()


@command("Quit", "Files")
def quit_(session: Session) -> None:
    """Close Curator. The next start opens at this photo."""
    session.requests.quit_requested.emit()

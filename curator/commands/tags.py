"""Tagging photos."""

from __future__ import annotations

from curator.commands.registry import command
from curator.session import Session


@command("Tags…", "Rate and flag")
def tag(session: Session) -> None:
    """Tag the selection or the photo: type and press Enter; separate several with commas."""
    photos = session.tags.targets()
    if photos:
        session.requests.tag_entry_requested.emit(photos)


@command("Repeat last tags", "Rate and flag")
def tag_again(session: Session) -> None:
    """Add the same tags as last time."""
    session.tags.repeat_last(session.tags.targets())

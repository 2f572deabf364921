"""Tags: say in words what is in photos."""

from __future__ import annotations

from curator.commands.registry import command
from curator.session import Session


@command("Tags…", "Rate and flag")
def tag(session: Session) -> None:
    """Tag the photo, or the selection: type, Enter adds, several with commas; also to take off."""
    photos = session.tags.begin()
    if photos:
        session.requests.tag_entry_requested.emit(photos)


@command("Repeat last tags", "Rate and flag")
def tag_again(session: Session) -> None:
    """Add the tags that were added last."""
    session.tags.again(session.tags.begin())

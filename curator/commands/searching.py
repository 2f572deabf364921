"""Searching: what is like a photo, and searches kept by name."""

from __future__ import annotations

from curator.commands.registry import command
from curator.session import Session


@command("Find similar", "View")
def find_similar(session: Session) -> None:
    """Show the photos most like this one, nearest first; Esc returns to where you were."""
    session.search.find_similar()


@command("Save this search…", "View")
def save_search(session: Session) -> None:
    """Keep the search in the box by name, beside the folders."""
    if session.criteria.filter:
        session.requests.save_search_requested.emit()
    else:
        key = session.preferences.keys.get("search")
        session.messages.say(f"Search first{f' ({key})' if key else ''}, then it can be saved.")

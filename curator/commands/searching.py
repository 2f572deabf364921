"""Searching: similar photos and saved searches."""

from __future__ import annotations

from curator.commands.registry import command
from curator.session import Session


@command("Find similar", "View")
def find_similar(session: Session) -> None:
    """Show the photos most similar to this one, best first; Esc goes back."""
    session.search.find_similar()


@command("Save this search…", "View")
def save_search(session: Session) -> None:
    """Save the search under a name, in the sidebar."""
    if session.criteria.filter:
        session.requests.save_search_requested.emit()
    else:
        key = session.preferences.hint("search")
        session.messages.say(f"Search for something first{key}, then save it.")

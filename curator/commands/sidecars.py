"""Sidecars: exchanging marks with other editors."""

from __future__ import annotations

from curator.commands.registry import command
from curator.session import Session


@command("Write sidecars", "Files")
def write_sidecars(session: Session) -> None:
    """Write the marks and tags of the selection, or of the photo, to sidecars for other apps."""
    session.sidecars.write(session.stacks.targets())


@command("Sidecars…", "Files")
def sidecars(session: Session) -> None:
    """Preview what writing sidecars for this folder would change, and resolve conflicts."""
    session.requests.sidecars_requested.emit()


@command("Include photos rated in other apps", "Modes")
def include_rated_externally(session: Session) -> None:
    """Include photos rated in other apps in the cull until you review them."""
    session.modes.cull_rated_too()

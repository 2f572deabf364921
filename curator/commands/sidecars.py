"""Sidecars: what other editors are told of one's marks, and what they said."""

from __future__ import annotations

from curator.commands.registry import command
from curator.session import Session


@command("Write sidecars", "Files")
def write_sidecars(session: Session) -> None:
    """Write marks and tags of the photo, or of the selection, to its sidecar for other editors."""
    session.sidecars.write(session.stacks.targets())


@command("Sidecars…", "Files")
def sidecars(session: Session) -> None:
    """Show what writing the sidecars of this scope would change, and choose where two differ."""
    session.requests.sidecars_requested.emit()


@command("Include photos rated in other apps", "Modes")
def cull_elsewhere(session: Session) -> None:
    """Put photos whose marks were read from files into the cull too, until you judged them."""
    session.modes.cull_rated_too()

"""Text in photos: signs, bibs, number plates, slides."""

from __future__ import annotations

from curator.commands.registry import command
from curator.session import Session


@command("Text in the photo", "View")
def step_text(session: Session) -> None:
    """Show all text in the photo, then none, then the lines that a search found."""
    session.text.step()


@command("Read text", "View")
def read_text(session: Session) -> None:
    """Read the text in this photo now, or in the grid in the selected photos."""
    session.text.read()


@command("Read text in all photos", "View")
def read_all_text(session: Session) -> None:
    """Read the text in all photos in the background, last of all work, or stop doing so."""
    session.text.switch()

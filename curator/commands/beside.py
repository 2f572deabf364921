"""Photos side by side: compare and survey, and going from pane to pane."""

from __future__ import annotations

from curator.commands.registry import command
from curator.session import Session


@command("Compare", "Passes")
def compare(session: Session) -> None:
    """Put the photo beside another: the winner stays at the left, the arrows bring challengers."""
    session.compare()


@command("Survey", "Passes")
def survey(session: Session) -> None:
    """Lay out the selection, or the stack, up to eight photos at once."""
    session.survey()


@command("Other pane", "Moves")
def switch_pane(session: Session) -> None:
    """Go to the next photo side by side; marks act on that one alone."""
    session.switch_pane()


@command("Challenger wins", "Moves")
def promote(session: Session) -> None:
    """Make the challenger the winner, and bring the next one."""
    session.promote()


@command("Drop from survey", "Moves")
def drop(session: Session) -> None:
    """Take the photo out of the survey; nothing is decided."""
    session.drop()

"""Photos side by side: compare and survey, going from pane to pane, and nearby maybes."""

from __future__ import annotations

from curator.commands.registry import command
from curator.session import Session


@command("Compare", "Modes")
def compare(session: Session) -> None:
    """Put the photo beside another: the winner stays at the left, the arrows bring challengers."""
    session.compare.open()


@command("Survey", "Modes")
def survey(session: Session) -> None:
    """Lay out the selection, or the stack, up to eight photos at once."""
    session.compare.open_survey()


@command("Other pane", "Navigate")
def switch_pane(session: Session) -> None:
    """Go to the next photo side by side; marks act on that one alone."""
    session.compare.switch_pane()


@command("Challenger wins", "Rate and flag")
def promote(session: Session) -> None:
    """Prefer the challenger to the winner, whose place it takes; taste learns from it."""
    session.decisions.prefer()


@command("Remove from survey", "Navigate")
def drop(session: Session) -> None:
    """Take the photo out of the survey; nothing is decided."""
    session.compare.drop()


@command("Swap in candidate 1", "Navigate")
def maybe_1(session: Session) -> None:
    """Swap in the first of the maybes beside the photo one rates; again, and back."""
    session.requests.candidate_swap_requested.emit(0)


@command("Swap in candidate 2", "Navigate")
def maybe_2(session: Session) -> None:
    """Swap in the second of the maybes beside the photo one rates; again, and back."""
    session.requests.candidate_swap_requested.emit(1)


@command("Swap in candidate 3", "Navigate")
def maybe_3(session: Session) -> None:
    """Swap in the third of the maybes beside the photo one rates; again, and back."""
    session.requests.candidate_swap_requested.emit(2)


@command("Swap in candidate 4", "Navigate")
def maybe_4(session: Session) -> None:
    """Swap in the fourth of the maybes beside the photo one rates; again, and back."""
    session.requests.candidate_swap_requested.emit(3)

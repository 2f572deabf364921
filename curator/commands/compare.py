"""Photos side by side: compare, survey, the face table, and candidates beside a photo."""

from __future__ import annotations

from curator.commands.navigate import no_stack
from curator.commands.registry import command
from curator.session import Session


@command("Compare", "Modes")
def compare(session: Session) -> None:
    """Compare two photos: the winner stays on the left, arrows bring challengers."""
    session.compare.open()


@command("Survey", "Modes")
def survey(session: Session) -> None:
    """Show the selection, or the stack, side by side: up to eight photos."""
    session.compare.open_survey()


@command("Face table", "View", disabled_reason=no_stack)
def face_table(session: Session) -> None:
    """Show the faces in a stack, a column per person and a row per frame, or go back."""
    session.face_table.open()


@command("Open the frame", "View")
def open_frame(session: Session) -> None:
    """Open the frame of the face table in the loupe; Esc comes back to the table."""
    session.face_table.open_frame()


@command("Other pane", "Navigate")
def switch_pane(session: Session) -> None:
    """Go to the next of the photos side by side; marks apply only to the photo in focus."""
    session.compare.switch_pane()


@command("Challenger wins", "Rate and flag")
def promote(session: Session) -> None:
    """Make the challenger the winner. Taste learns from it."""
    session.decisions.prefer()


@command("Remove from survey", "Navigate")
def drop(session: Session) -> None:
    """Remove the photo from the survey; its marks do not change."""
    session.compare.drop()


@command("Similar photo 1", "Navigate")
def candidate_1(session: Session) -> None:
    """Show the first similar photo in the panel on the right; press again to go back."""
    session.requests.candidate_swap_requested.emit(0)


@command("Similar photo 2", "Navigate")
def candidate_2(session: Session) -> None:
    """Show the second similar photo in the panel on the right; press again to go back."""
    session.requests.candidate_swap_requested.emit(1)


@command("Similar photo 3", "Navigate")
def candidate_3(session: Session) -> None:
    """Show the third similar photo in the panel on the right; press again to go back."""
    session.requests.candidate_swap_requested.emit(2)


@command("Similar photo 4", "Navigate")
def candidate_4(session: Session) -> None:
    """Show the fourth similar photo in the panel on the right; press again to go back."""
    session.requests.candidate_swap_requested.emit(3)

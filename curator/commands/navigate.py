"""Moving through the list, and selecting in it."""

from __future__ import annotations

from curator.commands.registry import command
from curator.model import Pass, View
from curator.session import Session


@command("Next photo", "Navigate")
def next_photo(session: Session) -> None:
    """Go to the next photo without marking this one; in the face table, to the next person."""
    _go_by_photo(session, 1)


@command("Previous photo", "Navigate")
def previous_photo(session: Session) -> None:
    """Go back to the previous photo; in the face table, to the previous person."""
    _go_by_photo(session, -1)


def _go_by_photo(session: Session, step: int) -> None:
    if session.view_state.view is View.FACES and not session.view_state.finished:
        session.face_table.step_person(step)
    else:
        session.navigator.step(step)


@command("Row down", "Navigate")
def down(session: Session) -> None:
    """Go one row down; in the loupe, to the suggested best of the next stack."""
    _go_by_row(session, 1)


@command("Row up", "Navigate")
def up(session: Session) -> None:
    """Go one row up; in the loupe, to the previous stack."""
    _go_by_row(session, -1)


def _go_by_row(session: Session, step: int) -> None:
    if session.view_state.view in (View.GRID, View.SURVEY):
        session.requests.row_requested.emit(step)
    else:
        session.navigator.step_unit(step)


@command("Page down", "Navigate")
def page_down(session: Session) -> None:
    """Go one screen down in the grid; in the face table, to the next stack with faces."""
    _go_by_page(session, 1)


@command("Page up", "Navigate")
def page_up(session: Session) -> None:
    """Go one screen up in the grid; in the face table, to the previous stack with faces."""
    _go_by_page(session, -1)


def _go_by_page(session: Session, step: int) -> None:
    if session.view_state.view is View.FACES:
        session.face_table.step_stack(step)
    else:
        session.requests.page_requested.emit(step)


@command("Next unreviewed", "Navigate")
def next_unreviewed(session: Session) -> None:
    """Go to the next unreviewed photo."""
    session.navigator.step_unreviewed(1)


@command("Previous unreviewed", "Navigate")
def previous_unreviewed(session: Session) -> None:
    """Go back to the previous unreviewed photo."""
    session.navigator.step_unreviewed(-1)


@command("First photo", "Navigate")
def first(session: Session) -> None:
    """Go to the first photo of the list."""
    session.navigator.go_to_end(-1)


@command("Last photo", "Navigate")
def last(session: Session) -> None:
    """Go to the last photo of the list."""
    session.navigator.go_to_end(1)


@command("Finish page", "Navigate")
def finish(session: Session) -> None:
    """Show the finish page of the cull or the rating, with its numbers and what to do next."""
    if session.criteria.mode is Pass.BROWSE:
        session.messages.say("Only the cull and the rating have a finish page.")
    else:
        session.navigator.finish()


def no_stack(session: Session) -> str:
    """Return why the current photo has no frames to show; empty if it is in a stack."""
    here = session.current
    stacked = here is not None and len(session.photos.listing.unit(here)) > 1
    return "" if stacked else "no stack"


@command("Expand the stack", "Navigate", disabled_reason=no_stack)
def toggle_stack(session: Session) -> None:
    """Expand the stack in the grid, or collapse it again."""
    if session.current is not None:
        session.stacks.toggle(session.current)


@command("Select all", "Navigate")
def select_all(session: Session) -> None:
    """Select all photos in the list."""
    session.photos.select_all()


@command("Select none", "Navigate")
def select_none(session: Session) -> None:
    """Clear the selection."""
    session.photos.clear_selection()

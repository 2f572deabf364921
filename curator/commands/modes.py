"""Passes and views: what one does, and how photos are shown."""

from __future__ import annotations

from curator.commands.registry import command, run
from curator.model import Pass, View
from curator.session import Session


@command("Browse", "Modes")
def browse(session: Session) -> None:
    """Look around the scope without a pass."""
    session.set_pass(Pass.BROWSE)


@command("Cull", "Modes")
def cull(session: Session) -> None:
    """Go through the unreviewed photos: may it stay?"""
    session.set_pass(Pass.CULL)


@command("Rate", "Modes")
def rate(session: Session) -> None:
    """Go through what came through the cull: how much do I want it?"""
    session.set_pass(Pass.RATE)


@command("Sort order", "Modes")
def order(session: Session) -> None:
    """Choose the order of the list."""
    session.ask("order")


@command("Reverse sort order", "Modes")
def reverse_order(session: Session) -> None:
    """Turn the order of the list round."""
    session.set_order(session.order, not session.reversed)


@command("Grid", "Modes")
def grid(session: Session) -> None:
    """Show the list as thumbnails."""
    session.set_view(View.GRID)


@command("Loupe", "Modes")
def loupe(session: Session) -> None:
    """Show one photo, large."""
    session.set_view(View.LOUPE)


@command("Open", "Modes")
def enter(session: Session) -> None:
    """Open the photo in the loupe; in a folder nobody has judged yet, start the cull."""
    if not session.table.alive().any():
        session.ask("add_folder")
    elif session.pass_ is Pass.BROWSE and not session.filter and session.is_fresh():
        session.set_pass(Pass.CULL)
    else:
        session.set_view(View.LOUPE)


@command("Back", "Modes")
def back(session: Session) -> None:
    """Go one step back: 100 % to fit, compare to loupe, loupe to grid, selection and filter off.

    Where nothing of that is left, dismiss what is offered.
    """
    if session.fullscreen:
        run(session, "toggle_fullscreen")
    elif session.zoom is not None:
        session.set_zoom(None)
    elif session.panes is not None and not session.finished:
        session.leave_panes()
    elif session.view is View.LOUPE or session.finished:
        session.set_view(View.GRID)
    elif len(session.selection) > 1:
        session.clear_selection()
    elif session.filter:
        session.leave_filter()
    else:
        session.ask("dismiss")

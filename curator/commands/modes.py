"""Modes and views: what you do, and how photos are shown."""

from __future__ import annotations

from curator.commands.registry import command, run
from curator.model import Pass, View
from curator.session import Session


@command("Browse", "Modes")
def browse(session: Session) -> None:
    """View all photos without culling or rating."""
    session.modes.set_mode(Pass.BROWSE)


@command("Cull", "Modes")
def cull(session: Session) -> None:
    """Go through the unreviewed photos: keep or reject."""
    session.modes.set_mode(Pass.CULL)


@command("Rate", "Modes")
def rate(session: Session) -> None:
    """Go through the kept photos and rate them."""
    session.modes.set_mode(Pass.RATE)


@command("Sort order", "Modes")
def order(session: Session) -> None:
    """Choose the sort order of the list."""
    session.requests.orders_requested.emit()


@command("Reverse sort order", "Modes")
def reverse_order(session: Session) -> None:
    """Reverse the sort order of the list."""
    session.ordering.set_order(session.criteria.order, not session.criteria.is_reversed)


@command("Grid", "Modes")
def grid(session: Session) -> None:
    """Show the list as thumbnails."""
    session.viewer.set_view(View.GRID)


@command("Loupe", "Modes")
def loupe(session: Session) -> None:
    """Show one photo, large."""
    session.viewer.set_view(View.LOUPE)


@command("Open", "Modes")
def enter(session: Session) -> None:
    """Open the photo in the loupe; in a folder without any marks, start the cull."""
    if not session.table.alive().any():
        session.requests.add_folder_requested.emit()
    elif (
        session.criteria.mode is Pass.BROWSE
        and not session.criteria.filter
        and session.statistics.is_fresh()
    ):
        session.modes.set_mode(Pass.CULL)
    else:
        session.viewer.set_view(View.LOUPE)


@command("Back", "Modes")
def back(session: Session) -> None:
    """Leave full screen, 100 %, compare or the loupe; else clear the selection, then the filter.

    From a frame of the face table, return to the table. If there is nothing to leave or clear,
    dismiss the notification.
    """
    if session.view_state.fullscreen:
        run(session, "toggle_fullscreen")
    elif session.face_table.returns:
        session.face_table.return_to_table()
    elif session.view_state.zoom is not None:
        session.view_state.set_zoom(None)
    elif session.compare.panes is not None and not session.view_state.finished:
        session.compare.leave()
    elif session.view_state.view is View.LOUPE or session.view_state.finished:
        session.viewer.set_view(View.GRID)
    elif len(session.photos.selection) > 1:
        session.photos.clear_selection()
    elif session.criteria.filter:
        session.search.leave_filter()
    else:
        session.requests.dismissal_requested.emit()

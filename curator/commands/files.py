"""Files: opening, exporting, reading again."""

from __future__ import annotations

from curator.commands.registry import command
from curator.session import Session


@command("Open a folder…", "Files")
def open_folder(session: Session) -> None:
    """Add a folder of photos. Nothing is moved, changed or uploaded."""
    session.requests.add_folder_requested.emit()


@command("Import from a card…", "Files")
def import_card(session: Session) -> None:
    """Copy new photos from memory cards, verified; or show the import that is running."""
    session.requests.import_requested.emit()


@command("Inspect file…", "Files")
def inspect_file(session: Session) -> None:
    """Show a file with its scores and tags without adding it; or drop one on the window."""
    session.requests.file_preview_requested.emit()


@command("Rescan folders", "Files")
def rescan(session: Session) -> None:
    """Look for new, moved and missing files in every folder that is switched on."""
    if session.pipeline is not None:
        session.pipeline.rescan()
        session.messages.say("Looking for new and missing files…")


@command("Export…", "Files")
def export(session: Session) -> None:
    """Export the approved photos of this folder, project or search: files or a web gallery."""
    session.requests.export_requested.emit(None)


@command("Export selected…", "Files")
def export_selected(session: Session) -> None:
    """Export the approved photos in the selection, or the current photo if it is approved."""
    selected = session.stacks.selected()
    if selected:
        session.requests.export_requested.emit(selected)
    else:
        session.messages.say("No photo selected. Select one in the grid.")


@command("Delete rejected photos…", "Files")
def delete_rejects(session: Session) -> None:
    """Review the rejected photos and move their files to the trash. No key does this."""
    session.requests.delete_rejects_requested.emit()


@command("Unreadable photos…", "Files")
def failures(session: Session) -> None:
    """List the photos that could not be read, with the reason, and retry them."""
    session.requests.failures_requested.emit()


@command("Pause or resume background work", "Files")
def pause(session: Session) -> None:
    """Pause the background work, or resume it."""
    if session.pipeline is None:
        return
    if session.pipeline.paused:
        session.pipeline.resume()
        session.messages.say("Background work resumed")
    else:
        session.pipeline.pause()
        session.messages.say("Background work paused")


@command("Show in the file manager", "Files")
def show_file(session: Session) -> None:
    """Show the original in the file manager."""
    if session.current is not None:
        session.requests.show_file_requested.emit(session.current)


@command("Open in the editor", "Files")
def open_in_editor(session: Session) -> None:
    """Open the originals in the editor chosen in the settings."""
    session.requests.editor_requested.emit(session.stacks.targets())

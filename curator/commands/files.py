"""Files: opening, exporting, reading."""

from __future__ import annotations

from curator.commands.registry import command
from curator.session import Session


@command("Open a folder…", "Files")
def open_folder(session: Session) -> None:
    """Add a folder of photos. Nothing is moved, changed or uploaded."""
    session.requests.add_folder_requested.emit()


@command("Inspect file…", "Files")
def placard(session: Session) -> None:
    """Look at one file, its scores and tags, without adding it. Dropping it here does the same."""
    session.requests.file_preview_requested.emit()


@command("Rescan folders", "Files")
def rescan(session: Session) -> None:
    """Look for new, moved and missing files in every folder that is switched on."""
    if session.pipeline is not None:
        session.pipeline.rescan()
        session.messages.say("Looking for new and missing files…")


@command("Export…", "Files")
def export(session: Session) -> None:
    """Bring the approved photos of this scope out: as they are, as JPEGs, as a web gallery."""
    session.requests.export_requested.emit(None)


@command("Export selected…", "Files")
def export_selected(session: Session) -> None:
    """Export the selected photos, or the one on screen. Of these, only the approved go."""
    selected = session.stacks.selected()
    if selected:
        session.requests.export_requested.emit(selected)
    else:
        session.messages.say("No photo is selected.")


@command("Delete rejected photos…", "Files")
def remove_rejects(session: Session) -> None:
    """Review the rejects of this scope and move their files to the trash. No key does this."""
    session.requests.remove_rejects_requested.emit()


@command("Unreadable photos…", "Files")
def failures(session: Session) -> None:
    """List the photos that could not be read, with the reason, and try again."""
    session.requests.failures_requested.emit()


@command("Pause or resume background work", "Files")
def pause(session: Session) -> None:
    """Hold the background work, or let it go on."""
    if session.pipeline is None:
        return
    if session.pipeline.paused:
        session.pipeline.resume()
        session.messages.say("Reading goes on.")
    else:
        session.pipeline.pause()
        session.messages.say("Reading is paused.")


@command("Show in the file manager", "Files")
def show_file(session: Session) -> None:
    """Show the photo's original where it lies on disk."""
    if session.current is not None:
        session.requests.show_file_requested.emit(session.current)


@command("Open in the editor", "Files")
def open_in_editor(session: Session) -> None:
    """Open the originals in the program that the settings name as editor."""
    session.requests.editor_requested.emit(session.stacks.targets())

"""Files: opening, exporting, reading."""

from __future__ import annotations

from curator.commands.registry import command
from curator.session import Session


@command("Open a folder…", "Files")
def open_folder(session: Session) -> None:
    """Add a folder of photos. Nothing is moved, changed or uploaded."""
    session.ask("add_folder")


@command("Inspect file…", "Files")
def placard(session: Session) -> None:
    """Look at one file, its scores and tags, without adding it. Dropping it here does the same."""
    session.ask("placard")


@command("Read the folders again", "Files")
def rescan(session: Session) -> None:
    """Look for new, moved and missing files in every folder that is switched on."""
    if session.pipeline is not None:
        session.pipeline.rescan()
        session.say("Looking for new and missing files…")


@command("Export…", "Files")
def export(session: Session) -> None:
    """Bring the approved photos of this scope out: as they are, as JPEGs, as a web gallery."""
    session.ask("export")


@command("Export selected…", "Files")
def export_selected(session: Session) -> None:
    """Export the selected photos, or the one on screen. Of these, only the approved go."""
    selected = session.selected()
    if selected:
        session.ask("export", selected)
    else:
        session.say("No photo is selected.")


@command("Delete rejected photos…", "Files")
def remove_rejects(session: Session) -> None:
    """Review the rejects of this scope and move their files to the trash. No key does this."""
    session.ask("remove_rejects")


@command("Unreadable photos…", "Files")
def failures(session: Session) -> None:
    """List the photos that could not be read, with the reason, and try again."""
    session.ask("failures")


@command("Pause or resume reading", "Files")
def pause(session: Session) -> None:
    """Hold the background work, or let it go on."""
    if session.pipeline is None:
        return
    if session.pipeline.paused:
        session.pipeline.resume()
        session.say("Reading goes on.")
    else:
        session.pipeline.pause()
        session.say("Reading is paused.")


@command("Show in the file manager", "Files")
def show_file(session: Session) -> None:
    """Show the photo's original where it lies on disk."""
    if session.current is not None:
        session.ask("show_file", session.current)


@command("Open in the editor", "Files")
def open_in_editor(session: Session) -> None:
    """Open the originals in the program that the settings name as editor."""
    session.ask("open_in_editor", session.targets())

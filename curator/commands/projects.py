"""Projects: adding photos, choosing and making projects, ordering by hand."""

from __future__ import annotations

from curator.commands.registry import command
from curator.model import KnownError
from curator.session import Session


@command("Add to project", "Rate and flag")
def toggle_project(session: Session) -> None:
    """Add the photo to the current project; press again to remove it."""
    session.projects.toggle()


@command("Choose a project…", "Files")
def choose_project(session: Session) -> None:
    """Choose the project that photos are added to, or type a name to create one."""
    session.requests.choose_project_requested.emit()


@command("Project name and notes…", "Files")
def edit_project(session: Session) -> None:
    """Change the name and notes of the project, or delete it."""
    row = session.projects.open or session.projects.current
    if row is None:
        raise session.projects.none_chosen()
    session.requests.edit_project_requested.emit(row.id)


@command("Use as project cover", "Files")
def make_cover(session: Session) -> None:
    """Use this photo as the project's cover."""
    session.projects.make_cover()


@command("New project from 4–5 stars…", "Files")
def project_from_stars(session: Session) -> None:
    """Make a project from the photos of this folder or search with 4 or 5 stars."""
    photos = session.projects.starred()
    if not photos:
        raise KnownError("No photo here has four or five stars yet.")
    session.requests.new_project_requested.emit(session.criteria.scope.title, photos)


@command("Find related photos…", "Files")
def find_related(session: Session) -> None:
    """Find approved photos that look alike and are in no project yet; you choose what to add."""
    session.requests.related_photos_requested.emit()


@command("Move earlier", "Navigate")
def move_earlier(session: Session) -> None:
    """In a project in custom order, move the selection one place toward the front."""
    session.projects.shift(-1)


@command("Move later", "Navigate")
def move_later(session: Session) -> None:
    """In a project in custom order, move the selection one place toward the end."""
    session.projects.shift(1)


@command("Move to the front", "Navigate")
def move_to_front(session: Session) -> None:
    """In a project in custom order, move the selection to the front."""
    session.projects.shift_to_end(-1)


@command("Move to the end", "Navigate")
def move_to_end(session: Session) -> None:
    """In a project in custom order, move the selection to the end."""
    session.projects.shift_to_end(1)

"""Projects: photos into one and out of it, choosing and making one, the order by hand."""

from __future__ import annotations

from curator.commands.registry import command
from curator.model import KnownError
from curator.session import Session


@command("Add to the project", "Rate and flag")
def toggle_project(session: Session) -> None:
    """Put the photo into the current project; again, and it is out of it."""
    session.projects.toggle()


@command("Choose a project…", "Files")
def choose_project(session: Session) -> None:
    """Choose the project photos are put into, or make one by typing its name."""
    session.requests.choose_project_requested.emit()


@command("Project page…", "Files")
def edit_project(session: Session) -> None:
    """Change the name and the notes of the project, or remove it."""
    row = session.projects.open or session.projects.current
    if row is None:
        raise KnownError("No project is chosen yet.")
    session.requests.edit_project_requested.emit(row.id)


@command("Make it the project's cover", "Files")
def make_cover(session: Session) -> None:
    """Have this photo stand for the project."""
    session.projects.make_cover()


@command("New project from 4–5 stars…", "Files")
def project_from_stars(session: Session) -> None:
    """Make a project of the scope's photos with four or five stars."""
    photos = session.projects.starred()
    if not photos:
        raise KnownError("No photo here has four or five stars yet.")
    session.requests.new_project_requested.emit(session.criteria.scope.title, photos)


@command("Find related photos…", "Files")
def find_series(session: Session) -> None:
    """Look for approved photos that look alike and are in no project; nothing happens by itself."""
    session.requests.related_photos_requested.emit()


@command("Move earlier", "Navigate")
def move_earlier(session: Session) -> None:
    """In a project ordered by hand, move the selection one place towards the front."""
    session.projects.shift(-1)


@command("Move later", "Navigate")
def move_later(session: Session) -> None:
    """In a project ordered by hand, move the selection one place towards the end."""
    session.projects.shift(1)


@command("Move to the front", "Navigate")
def move_to_front(session: Session) -> None:
    """In a project ordered by hand, move the selection to its front."""
    session.projects.shift_to_end(-1)


@command("Move to the end", "Navigate")
def move_to_end(session: Session) -> None:
    """In a project ordered by hand, move the selection to its end."""
    session.projects.shift_to_end(1)

"""How photos are shown: zoom, rotation, overlays, panels, search."""

from __future__ import annotations

from curator.commands.registry import command
from curator.model import View
from curator.session import Session
from curator.settings import SURROUNDS


@command("Zoom", "View")
def zoom(session: Session) -> None:
    """Switch between fit and 100 % at the pointer; hold to zoom for a moment."""
    session.requests.zoom_requested.emit()


@command("Zoom to the next face", "View")
def next_face(session: Session) -> None:
    """Zoom to the eyes of the largest face; press again for the next face."""
    session.requests.face_requested.emit(None)


@command("Zoom in", "View")
def larger(session: Session) -> None:
    """Zoom in, up to 800 %; in the grid, make thumbnails larger."""
    session.requests.resize_requested.emit(1)


@command("Zoom out", "View")
def smaller(session: Session) -> None:
    """Zoom out; in the grid, make thumbnails smaller."""
    session.requests.resize_requested.emit(-1)


@command("File names and dates", "View")
def toggle_captions(session: Session) -> None:
    """Show or hide file name and capture date below each photo in the grid."""
    settings = session.settings.grid
    settings.captions = not settings.captions
    session.messages.say(f"File names and dates are {'shown' if settings.captions else 'hidden'}")
    session.preferences.save()


@command("RAW or JPEG", "View")
def switch_source(session: Session) -> None:
    """Switch between RAW and JPEG of a pair, or between a RAW's preview and its sensor data."""
    session.viewer.switch_source()


@command("Clipping", "View")
def toggle_clipping(session: Session) -> None:
    """Show or hide clipped highlights (white) and clipped shadows (black)."""
    _overlay(session, "clipping", not session.settings.loupe.clipping)


@command("Focus", "View")
def step_focus(session: Session) -> None:
    """Show the sharpest areas, then edges in focus, then neither."""
    steps = ("off", "tiles", "peaking")
    following = (steps.index(session.settings.loupe.focus) + 1) % len(steps)
    _overlay(session, "focus", steps[following])


@command("Histogram", "View")
def toggle_histogram(session: Session) -> None:
    """Show or hide the red, green and blue histogram."""
    _overlay(session, "histogram", not session.settings.loupe.histogram)


@command("Faces", "View")
def toggle_faces(session: Session) -> None:
    """Show or hide close-ups of the faces beside the photo, at 100 %; closed eyes are outlined."""
    _overlay(session, "faces", not session.settings.loupe.faces)


def _overlay(session: Session, name: str, value: object) -> None:
    setattr(session.settings.loupe, name, value)
    session.preferences.save()


@command("Rotate left", "View")
def turn_left(session: Session) -> None:
    """Rotate the photo 90° counterclockwise, in the catalog only."""
    _turn(session, 3)


@command("Rotate right", "View")
def turn_right(session: Session) -> None:
    """Rotate the photo 90° clockwise, in the catalog only."""
    _turn(session, 1)


def _turn(session: Session, quarters: int) -> None:
    photos = session.stacks.targets()
    if photos:
        session.decisions.turn(photos, quarters)


@command("Background color", "View")
def surround(session: Session) -> None:
    """Change the background around the photo: dark gray, black, middle gray, white."""
    following = SURROUNDS.index(session.view_state.surround) + 1
    session.view_state.set_surround(SURROUNDS[following % len(SURROUNDS)])
    session.settings.loupe.surround = session.view_state.surround
    session.preferences.save(announce=False)


@command("Inspector", "View")
def toggle_inspector(session: Session) -> None:
    """Show or hide the inspector with details of the photo."""
    session.view_state.show_inspector(not session.view_state.inspector)


@command("Sidebar", "View")
def toggle_sidebar(session: Session) -> None:
    """Show or hide folders, projects and filters; in a narrow window they cover the photos."""
    session.requests.sidebar_requested.emit()


@command("Why", "View")
def why(session: Session) -> None:
    """Show what Curator predicts for the photo, and why. Before you decide, press it twice."""
    session.explanations.ask_why()


@command("Panels", "View")
def toggle_panels(session: Session) -> None:
    """Hide everything but the photo, or show it again."""
    session.view_state.hide_panels(not session.view_state.panels_hidden)


@command("Full screen", "View")
def toggle_fullscreen(session: Session) -> None:
    """Switch full screen on or off."""
    session.view_state.set_fullscreen(not session.view_state.fullscreen)


@command("Search", "View")
def search(session: Session) -> None:
    """Search by words, or by fields: is:picked rating:>=4 camera:x100."""
    session.requests.search_requested.emit()


@command("Refresh the list", "View")
def reapply(session: Session) -> None:
    """Apply the filter and the sort order again."""
    session.photos.rebuild(keep=None)


@command("Overview", "View")
def overview(session: Session) -> None:
    """Show charts of these photos: progress, months, cameras, kinds and stars."""
    session.requests.overview_requested.emit()


@command("Taste…", "View")
def taste(session: Session) -> None:
    """Show how well Curator predicts your ratings, and manage the versions of your taste."""
    session.requests.taste_requested.emit()


@command("Command palette", "View")
def palette(session: Session) -> None:
    """Find a command, a folder, a sort order or a filter by typing."""
    session.requests.palette_requested.emit()


@command("Menu", "View")
def menu(session: Session) -> None:
    """Open the menu of all commands and their keys."""
    session.requests.menu_requested.emit()


@command("All keys", "View")
def help_(session: Session) -> None:
    """Show all keys of this view."""
    session.requests.help_requested.emit()


@command("Quick tour", "View")
def tour(session: Session) -> None:
    """Show the quick tour again: six keys, each fading once you have used it."""
    session.viewer.set_view(View.LOUPE)
    session.requests.tour_requested.emit()

"""How the window shows photos: the view, the finish page, the zoom and the panels.

Views read the state here and subscribe to its signals. An action that changes several facts sets
them all and publishes once at its end, so that no view draws a state between.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from curator.model import View
from curator.settings import Surround


class ViewState(QObject):
    """The view state of one window.

    Signals:
        view_changed: :attr:`view` or :attr:`finished` changed.
        zoom_changed: :attr:`zoom`, :attr:`center` or :attr:`developed` changed, in the same view.
        panels_changed: :attr:`inspector`, :attr:`panels_hidden` or :attr:`surround` changed.
        fullscreen_changed: :attr:`fullscreen` changed.
        arrangement_changed: any of these facts except the zoom, or criteria of the list, changed;
            emitted last and only once, for views that depend on several of them.

    Attributes:
        finished: whether the finish page of a mode is shown in place of photos.
        zoom: None fits the picture; 1.0 shows a pixel of the original on a pixel of the screen.
        center: the point of the picture in the middle of the loupe, as fractions (x, y).
        dragged: the center while the picture is dragged, which is not published; else None.
        developed: whether the person chose the RAW (True) or the camera's picture (False); None:
            neither.
        resting_view: the last view that was no compare or survey, to return to.
        surround: the name of the color around the picture.

    Thread: GUI only.
    """

    view_changed = Signal()
    zoom_changed = Signal()
    panels_changed = Signal()
    fullscreen_changed = Signal()
    arrangement_changed = Signal()

    def __init__(self, surround: Surround) -> None:
        super().__init__()
        self._view = self.resting_view = View.GRID
        self.finished = False
        self.zoom: float | None = None
        self.center = (0.5, 0.5)
        self.dragged: tuple[float, float] | None = None
        self.developed: bool | None = None
        self.inspector = self.panels_hidden = self.fullscreen = False
        self.surround = surround
        self._published = self._facts()

    @property
    def view(self) -> View:
        """How photos are shown."""
        return self._view

    @view.setter
    def view(self, view: View) -> None:
        if not view.side_by_side:
            self.resting_view = view
        self._view = view

    def _facts(self) -> tuple[tuple[object, ...], ...]:
        return (
            (self._view, self.finished),
            (self.zoom, self.center, self.developed),
            (self.inspector, self.panels_hidden, self.surround),
            (self.fullscreen,),
        )

    def publish(self, criteria_changed: bool = False) -> None:
        """Emit the signal of each fact that changed since the last call.

        Args:
            criteria_changed: whether the same action changed criteria of the list.
        """
        before, self._published = self._published, self._facts()
        changes = (old != new for old, new in zip(before, self._published, strict=True))
        view, zoom, panels, fullscreen = changes
        if view:
            self.view_changed.emit()
        elif zoom:
            self.zoom_changed.emit()
        if panels:
            self.panels_changed.emit()
        if fullscreen:
            self.fullscreen_changed.emit()
        if criteria_changed or view or panels or fullscreen:
            self.arrangement_changed.emit()

    @property
    def bare(self) -> bool:
        """Whether only the picture is shown."""
        return self.panels_hidden or self.fullscreen

    def set_zoom(self, zoom: float | None, center: tuple[float, float] | None = None) -> None:
        """Zoom the loupe, around this point of the picture or the former one; end a drag."""
        self.zoom, self.dragged = zoom, None
        if center is not None:
            self.center = center
        self.publish()

    def develop(self, developed: bool) -> None:
        """Show the RAW or the camera's picture, for the following photos too."""
        self.developed = developed
        self.publish()

    def set_surround(self, surround: Surround) -> None:
        """Change the color around the picture."""
        self.surround = surround
        self.publish()

    def show_inspector(self, shown: bool) -> None:
        """Open or close the inspector."""
        self.inspector = shown
        self.publish()

    def hide_panels(self, hidden: bool) -> None:
        """Hide all panels around the picture, or show them again."""
        self.panels_hidden = hidden
        self.publish()

    def set_fullscreen(self, fullscreen: bool) -> None:
        """Enter or leave full screen."""
        self.fullscreen = fullscreen
        self.publish()

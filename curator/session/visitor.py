"""Goes to a photo wherever it is: in the list, in the scope, or anywhere in the catalog."""

from __future__ import annotations

from curator.library.scopes import EVERYTHING, Scope
from curator.model import Pass, bidi_safe
from curator.session.modes import ModeController
from curator.session.navigation import Navigator
from curator.session.search import SearchController
from curator.session.services import Services
from curator.session.sources import SourceController


class PhotoVisitor:
    """Shows photos that need not be in the list.

    Thread: GUI only.
    """

    def __init__(
        self,
        services: Services,
        navigator: Navigator,
        sources: SourceController,
        modes: ModeController,
        search: SearchController,
    ) -> None:
        photos = navigator.photos
        self._navigator, self._photos, self._viewer = navigator, photos, navigator.viewer
        self._sources, self._modes, self._search = sources, modes, search
        self._criteria, self._view_state = photos.criteria, photos.view_state
        self._preferences, self._messages = services.preferences, services.messages

    def visit(self, photo_id: int) -> None:
        """Go to a photo: in the list, else browsing the scope, else browsing everything.

        The place one leaves is kept: in the mode, and in the scope.
        """
        photos, criteria = self._photos, self._criteria
        if photo_id in photos.listing:
            self._navigator.go_to(photo_id)
            return
        view, left = self._view_state.view, (criteria.scope, criteria.mode)
        if not photos.membership.has_in_scope(photo_id):
            self._sources.open_scope(EVERYTHING)
        self._modes.set_mode(Pass.BROWSE)
        if photo_id not in photos.listing:
            self._search.set_filter("")
        self._navigator.go_to(photo_id)
        self._viewer.set_view(view)
        self._messages.say(self._way_back(*left))

    def _way_back(self, scope: Scope, mode: Pass) -> str:
        """Return where the person is now, and how they get back to where they were."""
        where = f"Browsing {bidi_safe(self._criteria.scope.title)}"
        if scope != self._criteria.scope:
            return f"{where}; {bidi_safe(scope.title)} is as you left it"
        key = self._preferences.keys.get(mode.value)
        return where if mode is Pass.BROWSE or key is None else f"{where}; {key} goes on"

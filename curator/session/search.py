"""Searching: the typed text limits the list, and may be saved under a name.

Words and fields are answered at once. Photos that look like a phrase or like another photo are
found by their vectors and join a moment later, sorted by relevance; once the person has moved in
the list, its current photo stays current.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from PySide6.QtCore import QObject, Signal

from curator.learning.learner import TasteLearner
from curator.library import filters
from curator.library.query import Query
from curator.library.relevance import Likeness, similar_to_photo, similar_to_phrase
from curator.library.scopes import EVERYTHING
from curator.library.spans import Ids
from curator.model import KnownError, Pass, View
from curator.session.criteria import RELEVANCE
from curator.session.listing import Listing
from curator.session.modes import ModeController
from curator.session.photo_list import PhotoList
from curator.session.services import Services
from curator.session.sources import SourceController
from curator.session.taste import TasteController

_WORDS_READ = 100  # photos whose words are read before a search, at most; the conductor reads more


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where the person was when the search began."""

    mode: Pass
    view: View
    finished: bool
    listing: Listing


class SearchController(QObject):
    """Searches the scope of one window, and keeps saved searches.

    Attributes:
        pipeline: encodes phrases; None where another process reads photos.

    Thread: GUI only.
    """

    _phrase_encoded = Signal(object, object)  # from the pipeline's thread

    def __init__(
        self,
        services: Services,
        photos: PhotoList,
        sources: SourceController,
        modes: ModeController,
        taste: TasteController,
    ) -> None:
        super().__init__()
        self._catalog, self._settings = services.catalog, services.settings
        self.pipeline, self._messages = services.pipeline, services.messages
        self._table, self._criteria = photos.table, photos.criteria
        self._photos, self._view_state = photos, photos.view_state
        self._sources, self._taste = sources, taste
        self._origin: _Origin | None = None
        self._latest: object = None  # identifies the last request; older answers are dropped
        self._phrase_encoded.connect(_call)
        sources.scope_opened.connect(self._start_scope)
        modes.mode_opened.connect(self._follow_mode)

    @property
    def compares_words(self) -> bool:
        """Whether words are compared with what photos show; only CLIP can do that."""
        recipe = None if self.pipeline is None else self.pipeline.encoding.recipe
        return recipe is not None and recipe.supports_text

    # --- searching

    def set_filter(self, text: str) -> None:
        """Search in the scope, in the grid; an empty text shows the whole scope.

        Raises:
            FilterError: the text is not valid; the list stays as it is.
        """
        query, text = filters.parse(text), text.strip()
        criteria, photos = self._criteria, self._photos
        with contextlib.suppress(KnownError):  # then the words read before are searched
            self._catalog.text.update(_WORDS_READ)
        photos.note_words()
        if text != criteria.filter:
            self._forget_matches()
        if not text:
            self._origin = None
        elif not criteria.filter:
            state = self._view_state
            self._origin = _Origin(
                criteria.mode, state.resting_view, state.finished, photos.listing
            )
        photos.untouched = photos.untouched and not text
        criteria.filter, criteria.mode = text, Pass.BROWSE
        self._view_state.view = View.GRID
        here = photos.current
        stays = here is not None and photos.membership.first_fitting([here]) is not None
        photos.detach(copied=stays)
        photos.rebuild()
        if query.is_ranked and criteria.order == RELEVANCE:
            photos.go_to_first()
        self._ask_vectors()

    def leave_filter(self) -> None:
        """End the search and return to the mode, view and photo where it began.

        If those are no longer known, show everything in the scope.
        """
        origin, self._origin = self._origin, None
        if origin is None:
            self.set_filter("")
            return
        self._forget_matches()
        self._criteria.filter, self._criteria.mode = "", origin.mode
        self._view_state.view, self._view_state.finished = origin.view, origin.finished
        self._photos.restore(origin.listing)
        self._ask_vectors()

    def find_similar(self) -> None:
        """Search for photos similar to the current one."""
        photo = self._photos.current
        if photo is None:
            self._messages.say("There is no photo here.")
            return
        self.set_filter(f"similar:{photo}")

    def _forget_matches(self) -> None:
        self._photos.membership.forget_search()
        self._latest = None

    def _start_scope(self) -> None:
        self._origin = None
        self._ask_vectors()

    def _follow_mode(self) -> None:
        """Forget where a search began, unless the mode was and still is browsing."""
        mode = self._criteria.mode
        if self._origin is not None and {mode, self._origin.mode} != {Pass.BROWSE}:
            self._origin = None

    # --- asking vectors

    def _ask_vectors(self) -> None:
        """Ask for photos that look like what is searched for; they join when the answer arrives."""
        query, request = self._criteria.query, object()
        self._latest = request
        if not query.is_ranked:
            return
        for photo in query.similar:
            self._ask(request, photo, partial(_similar_to, photo))
        phrase, pipeline = query.phrase, self.pipeline
        recipe = None if pipeline is None else pipeline.encoding.recipe
        if not phrase or pipeline is None or recipe is None:
            return

        def on_vector(answer: bytes | KnownError) -> None:
            if self._latest is not request:
                return
            if isinstance(answer, KnownError):
                self._messages.say(f"Found by words only. {answer}")
                return
            vector = np.frombuffer(answer, np.float32)
            self._ask(
                request,
                phrase,
                lambda learner, among: similar_to_phrase(learner.vectors, vector, among),
            )

        pipeline.text_encoder.request(
            phrase, recipe, lambda answer: self._phrase_encoded.emit(on_vector, answer)
        )

    def _ask(
        self, request: object, key: str | int, question: Callable[[TasteLearner, Ids], Likeness]
    ) -> None:
        """Ask the learner about the photos that match the fields of the search."""
        rest = Query(
            tuple(
                group
                for group in self._criteria.query.fields
                if not any(term.field == "similar" for term in group)
            )
        )
        threshold, membership = self._settings.taste.match_threshold, self._photos.membership
        searched = (
            membership.in_scope() if self._criteria.filter else membership.in_folder_or_project()
        )
        among = self._table.ids[searched & filters.mask(rest, self._table, threshold)]

        def on_answer(answer: Likeness | KnownError) -> None:
            if self._latest is not request:
                return
            if isinstance(answer, KnownError):
                self._messages.say(str(answer))
                return
            self._join(key, *answer)

        self._taste.learner.ask(lambda learner: question(learner, among), on_answer)

    def _join(self, key: str | int, ids: Ids, similarity: np.ndarray) -> None:
        """Add photos to the list that look like what is searched for."""
        photos = self._photos
        has_moved = photos.index > 0 or len(photos.selection) > 1
        photos.membership.add_similar(key, ids, similarity)
        if has_moved:
            photos.membership.rank()
            photos.recheck()
        else:
            photos.rebuild()
            photos.go_to_first()
        if isinstance(key, int):
            known = key in self._table
            self._messages.say(f"Similar to {self._table.name(key)}" if known else "")

    # --- saved searches

    def save_search(self, name: str) -> None:
        """Save the search in force under a name, as a scope; a search of that name is replaced.

        Raises:
            KnownError: no search is in force, or the name is empty.
        """
        if not self._criteria.filter:
            raise KnownError("There is no search to save.")
        saved = self._catalog.searches.save(name, self._criteria.filter)
        self._follow_saved()
        self._messages.say(f"Saved as {saved.name}")

    def rename_search(self, number: int, name: str) -> None:
        """Rename a saved search.

        Raises:
            KnownError: another search has the name, or it is empty.
        """
        self._catalog.searches.rename(number, name)
        self._follow_saved()

    def remove_search(self, number: int) -> None:
        """Remove a saved search; photos stay as they are."""
        self._catalog.searches.remove(number)
        self._follow_saved()

    def _follow_saved(self) -> None:
        """React to a renamed, changed or removed search that is open as the scope."""
        criteria, before = self._criteria, self._criteria.scope
        if before.kind == "search":
            scopes = (row.scope for row in self._sources.scopes())
            here = next((scope for scope in scopes if scope.key == before.key), None)
            if here is None:
                self._sources.open_scope(EVERYTHING)
            else:
                criteria.scope = here
                if here.expression != before.expression:
                    self._origin = None  # its list is outdated
                    self._forget_matches()
                    self._photos.rebuild(self._photos.current)
                    self._ask_vectors()
        self._photos.publish()
        self._photos.counts_changed.emit()


def _call(on_answer: Callable[[object], None], answer: object) -> None:
    on_answer(answer)


def _similar_to(photo: int, learner: TasteLearner, among: Ids) -> Likeness:
    return similar_to_photo(learner.vectors, photo, among)

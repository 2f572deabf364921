"""Searching: what is typed limits the list, and may be saved under a name.

Words are answered at once. Photos that look like a phrase or like another photo come a moment
later, from vectors, and join; as long as nobody has begun to walk through the results, they take
their place by relevance.
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
from curator.library.relevance import Likeness, alike, looking_like
from curator.library.spans import Ids
from curator.model import KnownError, Pass, View
from curator.session.criteria import RELEVANCE
from curator.session.listing import Listing
from curator.session.modes import ModeController
from curator.session.photo_list import PhotoList
from curator.session.services import Services
from curator.session.sources import SourceController
from curator.session.taste import TasteController

_FOLDED = 100  # photos whose words are read before a search, at most; the conductor reads more


@dataclass(frozen=True, slots=True)
class _Left:
    """Where the person was when the search began."""

    mode: Pass
    view: View
    finished: bool
    listing: Listing


class SearchController(QObject):
    """Searches in one window.

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
        self._left: _Left | None = None
        self._latest: object = None  # stands for the search that was asked about last
        self._phrase_encoded.connect(_hand_over)
        sources.scope_opened.connect(self._start_scope)
        modes.mode_opened.connect(self._follow_mode)

    # --- searching

    def set_filter(self, text: str) -> None:
        """Search in the scope; an empty text shows all of it.

        Raises:
            FilterError: the text is not valid; the list stays as it is.
        """
        query, text = filters.parse(text), text.strip()
        criteria, photos = self._criteria, self._photos
        with contextlib.suppress(KnownError):  # then it finds what was there before
            self._catalog.text.update(_FOLDED)
        photos.note_words()
        if text != criteria.filter:
            self._forget_matches()
        if not text:
            self._left = None
        elif not criteria.filter:
            state = self._view_state
            self._left = _Left(criteria.mode, state.resting_view, state.finished, photos.listing)
        photos.untouched = photos.untouched and not text
        criteria.filter, criteria.mode = text, Pass.BROWSE
        self._view_state.view = View.GRID
        here = photos.current
        stays = here is not None and photos.membership.first_fitting([here]) is not None
        photos.leave_behind(copied=stays)
        photos.rebuild()
        if query.is_ranked and criteria.order == RELEVANCE:
            photos.go_to_first()
        self._ask_vectors()

    def leave_filter(self) -> None:
        """End the search and return to the exact place where it began."""
        left, self._left = self._left, None
        if left is None:
            self.set_filter("")
            return
        self._forget_matches()
        self._criteria.filter, self._criteria.mode = "", left.mode
        self._view_state.view, self._view_state.finished = left.view, left.finished
        self._photos.restore(left.listing)
        self._ask_vectors()

    def find_similar(self) -> None:
        """Search for photos similar to the current one."""
        photo = self._photos.current
        if photo is None:
            self._messages.say("There is no photo here.")
            return
        self.set_filter(f"similar:{photo}")

    def _forget_matches(self) -> None:
        self._photos.matches.forget()
        self._latest = None

    def _start_scope(self) -> None:
        self._left = None
        self._ask_vectors()

    def _follow_mode(self) -> None:
        """Forget where a search began, unless it still goes on in the mode it began in."""
        mode = self._criteria.mode
        if self._left is not None and not (mode is Pass.BROWSE is self._left.mode):
            self._left = None

    # --- asking vectors

    def _ask_vectors(self) -> None:
        """Ask for photos that look like what is searched for; they join when the answer comes."""
        query, asked = self._criteria.query, object()
        self._latest = asked
        if not query.is_ranked:
            return
        for photo in query.similar:
            self._ask(asked, photo, partial(_alike, photo))
        phrase, pipeline = query.phrase, self.pipeline
        if not phrase or pipeline is None or pipeline.encoding.recipe is None:
            return

        def take(answer: bytes | KnownError) -> None:
            if self._latest is not asked:
                return
            if isinstance(answer, KnownError):
                self._messages.say(f"Found by words only. {answer}")
                return
            vector = np.frombuffer(answer, np.float32)
            self._ask(
                asked, phrase, lambda learner, among: looking_like(learner.vectors, vector, among)
            )

        pipeline.request_text_vector(phrase, lambda answer: self._phrase_encoded.emit(take, answer))

    def _ask(
        self, asked: object, key: str | int, question: Callable[[TasteLearner, Ids], Likeness]
    ) -> None:
        """Ask among the photos that the rest of the search finds."""
        rest = Query(
            tuple(
                group
                for group in self._criteria.query.fields
                if not any(term.field == "similar" for term in group)
            )
        )
        threshold, membership = self._settings.taste.match_threshold, self._photos.membership
        beneath = (
            membership.in_scope() if self._criteria.filter else membership.in_folder_or_project()
        )
        among = self._table.ids[beneath & filters.mask(rest, self._table, threshold)]

        def take(answer: Likeness | KnownError) -> None:
            if self._latest is not asked:
                return
            if isinstance(answer, KnownError):
                self._messages.say(str(answer))
                return
            self._join(key, *answer)

        self._taste.learner.ask(lambda learner: question(learner, among), take)

    def _join(self, key: str | int, ids: Ids, similarity: np.ndarray) -> None:
        """Let photos join that look like what is searched for."""
        photos = self._photos
        walking = photos.index > 0 or len(photos.selection) > 1
        photos.matches.add(key, ids, similarity)
        if walking:
            photos.rank()
            photos.settle_again()
        else:
            photos.rebuild()
            photos.go_to_first()
        if isinstance(key, int):
            known = key in self._table
            self._messages.say(f"Like {self._table.name(key)}" if known else "")

    # --- searches with a name

    def save_search(self, name: str) -> None:
        """Save the search in force under a name; it is a scope from now on.

        Raises:
            KnownError: there is none, or the name is empty.
        """
        if not self._criteria.filter:
            raise KnownError("There is no search to save.")
        saved = self._catalog.searches.save(name, self._criteria.filter)
        self._follow_saved()
        self._messages.say(f"Saved as {saved.name}")

    def rename_search(self, number: int, name: str) -> None:
        """Give a saved search another name.

        Raises:
            KnownError: another has it, or it is empty.
        """
        self._catalog.searches.rename(number, name)
        self._follow_saved()

    def remove_search(self, number: int) -> None:
        """Remove a saved search; photos stay as they are."""
        self._catalog.searches.remove(number)
        self._follow_saved()

    def _follow_saved(self) -> None:
        """Follow the saved search that is open: it was renamed, changed, or removed."""
        rows, criteria = self._sources.scopes(), self._criteria
        if criteria.scope.kind == "search":
            before = criteria.scope
            here = next((row.scope for row in rows if row.scope.key == before.key), None)
            if here is None:
                self._sources.open_scope(rows[0].scope)
            else:
                criteria.scope = here
                if here.expression != before.expression:
                    self._left = None  # that list was of what it searched for before
                    self._forget_matches()
                    self._photos.rebuild(self._photos.current)
                    self._ask_vectors()
        self._photos.publish()
        self._photos.counts_changed.emit()


def _hand_over(take: Callable[[object], None], answer: object) -> None:
    take(answer)


def _alike(photo: int, learner: TasteLearner, among: Ids) -> Likeness:
    return alike(learner.vectors, photo, among)

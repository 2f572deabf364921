"""Why a photo has its match score, and which photos are similar to it.

The learner's thread computes the answers; nothing here waits for them. Before a person has
decided about a photo, its prediction stays hidden, unless they ask for it (W twice, or Show now) or
have turned on match scores in the settings.
"""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from curator.learning.explanations import Insight, SimilarPhoto, explain_photo
from curator.model import KnownError, Verdict
from curator.session.messages import Messages
from curator.session.photo_list import PhotoList
from curator.session.preferences import Preferences
from curator.session.taste import TasteController

HIDDEN = "Hidden until you decide."
"""Shown in place of a prediction before the person has decided about a photo."""


class ExplanationController(QObject):
    """Explains single photos to the inspector.

    Signals:
        insight_ready(Insight): the answer for a photo, which may no longer be current.
        why_changed: the explanation of the current photo was asked for; views check
            :meth:`may_show_why` again.
        why_requested: the inspector is to scroll to the explanation of the current photo.

    Thread: GUI only.
    """

    insight_ready = Signal(object)
    why_changed = Signal()
    why_requested = Signal()

    def __init__(
        self,
        photos: PhotoList,
        taste: TasteController,
        preferences: Preferences,
        messages: Messages,
    ) -> None:
        super().__init__()
        self._table = photos.table
        self._photos, self._view_state = photos, photos.view_state
        self._taste, self._preferences, self._messages = taste, preferences, messages
        self._wanted: int | None = None  # the photo to ask about after the pending answer
        self._is_asking = False
        self._asked_for: int | None = None  # the photo that W was pressed for
        self._shown_for: int | None = None  # the unreviewed photo that W was pressed twice for
        self._opened_inspector = False  # W opened the inspector, so W closes it
        photos.current_changed.connect(self._forget)

    # --- one photo

    def explain(self, photo_id: int) -> None:
        """Ask for the insight of a photo; :attr:`insight_ready` follows.

        During a pending answer only the last of several requests is kept.
        """
        self._wanted = photo_id
        if not self._is_asking:
            self._ask()

    def _ask(self) -> None:
        photo, self._wanted = self._wanted, None
        if photo is None:
            return
        self._is_asking = True

        def on_answer(answer: Insight | KnownError) -> None:
            self._is_asking = False
            if isinstance(answer, KnownError):
                answer = Insight(photo, missing=str(answer))
            self.insight_ready.emit(self._visible(answer))
            self._ask()

        self._taste.learner.ask(lambda learner: explain_photo(learner, photo), on_answer)

    def _visible(self, insight: Insight) -> Insight:
        """Return an insight without photos that are not :meth:`alive <Table.alive>`."""
        alive, why = self._table.alive(), insight.why

        def visible(near: tuple[SimilarPhoto, ...]) -> tuple[SimilarPhoto, ...]:
            hidden = self._photos.hidden_stars  # high or low would say what these got
            known = [each for each in near if each[0] in self._table and each[0] not in hidden]
            return tuple(each for each in known if alive[self._table.rows_of([each[0]])[0]])

        if why is not None:
            why = replace(why, high=visible(why.high), low=visible(why.low))
        return replace(insight, similar=visible(insight.similar), why=why)

    # --- why

    def may_show_why(self, photo_id: int) -> bool:
        """Whether the explanation of a photo may be shown."""
        decided = self._table.verdict(photo_id) is not Verdict.UNREVIEWED
        shows_match = self._preferences.settings.taste.show_match
        return decided or shows_match or self._shown_for == photo_id

    def ask_why(self) -> None:
        """Explain the current photo's score in the inspector, opening it if needed.

        Asked again, close the inspector if this opened it. For an unreviewed photo, the first
        request shows a hint and the second the explanation.
        """
        photo, state = self._photos.current, self._view_state
        if photo is None or state.finished:
            self._messages.say("There is no photo here.")
            return
        shown = state.inspector and not state.panels_hidden
        if not self.may_show_why(photo):
            self._hint_or_show(photo)
        elif shown and self._opened_inspector and self._asked_for == photo:
            self._asked_for = self._shown_for = None
            self._opened_inspector = False
            state.show_inspector(False)
            return
        else:
            self._asked_for = photo
        if not shown:
            state.inspector, state.panels_hidden, self._opened_inspector = True, False, True
            state.publish()
        self.why_changed.emit()
        self.why_requested.emit()

    def _hint_or_show(self, photo: int) -> None:
        """Explain an unreviewed photo at the second request; show a hint at the first."""
        if self._asked_for == photo:
            self._shown_for = photo
            self._messages.say("")
            return
        keys = self._preferences.keys
        again = f" Press {keys['why']} again to show." if "why" in keys else ""
        self._asked_for = photo
        self._messages.say(HIDDEN + again)

    def show_why(self) -> None:
        """Explain the current photo although it is unreviewed."""
        self._asked_for = self._shown_for = self._photos.current
        self.why_changed.emit()
        self.why_requested.emit()

    def _forget(self) -> None:
        self._asked_for = self._shown_for = None

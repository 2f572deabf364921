"""The person's taste in one window: match scores, predictions, and versions of the model.

The learner runs on a thread of its own; its scores are kept in memory. No prediction of a photo is
shown before the person has decided about it, unless a setting asks for match scores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from curator.learning import versions
from curator.learning.learner import Learned, ScoreChange
from curator.learning.learner_thread import LearnerThread
from curator.learning.outlook import Outlook, OutlookReport
from curator.learning.report import Report, report
from curator.model import Changes, KnownError, Pass, Step
from curator.session.catalog_watcher import CatalogWatcher
from curator.session.photo_list import PhotoList
from curator.session.services import Services
from curator.taste import Accuracy

_SYNC_MS = 2000  # a hundred vectors a second may arrive; scores need not follow as often


class Revealed(NamedTuple):
    """What was predicted for a photo before it got its stars, and the line that says so."""

    photo_id: int
    line: str
    match: int | None
    expected: float


class TasteController(QObject):
    """Keeps the scores of one window up to date, and reports marks to the learner.

    Signals:
        scores_changed: every photo may have another match score.
        captions_changed: captions show match scores, and those changed.
        trust_changed: the order by match became reliable, or is no longer; the window may suggest
            another order.
        version_changed: scores come from another version.

    Attributes:
        learner: the thread that learns and answers questions.
        learned: what it learned last; None before the first time.

    Thread: GUI only.
    """

    scores_changed = Signal()
    captions_changed = Signal()
    trust_changed = Signal()
    version_changed = Signal()

    def __init__(self, services: Services, photos: PhotoList, watcher: CatalogWatcher) -> None:
        super().__init__()
        self._catalog, self._settings = services.catalog, services.settings
        self._messages = services.messages
        self._table, self._criteria = photos.table, photos.criteria
        self._photos, self._view_state = photos, photos.view_state
        pipeline = services.pipeline
        self._reads_here = pipeline is not None
        self.learned: Learned | None = None
        self._outlook = OutlookReport()
        self._is_accurate = False
        self._revealed: Revealed | None = None  # the photo just rated
        self._changed_elsewhere: set[int] = set()
        self._marked: set[int] = set()
        self._left_out: set[int] | None = None  # to report to the learner
        # Of a list to be sorted by match once there are scores: its current photo when it was made,
        # and whether it was opened at its front. None: no list waits.
        self._waits_at: tuple[int | None, bool] | None = None
        self.learner = LearnerThread(
            services.catalog.path, services.settings.taste, services.home.cache
        )
        self.learner.learned.connect(self._on_learned)
        self.learner.accuracy_changed.connect(self._on_accuracy)
        self.learner.problem.connect(services.messages.announce)
        self.learner.rested.connect(self._table.rows.release_texts)
        photos.current_changed.connect(self.forget_revealed)
        photos.rebuilt.connect(self._note_rebuilt)
        photos.refreshed.connect(self._sync_soon)
        watcher.committed_elsewhere.connect(self._follow_commit)
        if pipeline is not None:
            pipeline.events.photos_saved.connect(self._sync_soon)
        self._sync_timer = QTimer(self, singleShot=True, interval=_SYNC_MS)
        self._sync_timer.timeout.connect(self._sync)
        # The learner takes the interpreter as soon as it has work. Posted paints come before
        # timers, so the next photo is on screen by then.
        self._after_paint = QTimer(self, singleShot=True, interval=0)
        self._after_paint.timeout.connect(self._teach_now)
        # Started once the window is painted: the first fit takes seconds of processor time.
        self._start = QTimer(self, singleShot=True, interval=0)
        self._start.timeout.connect(self.learner.start)
        self._start.start()

    # --- scores

    def _on_learned(self, learned: Learned) -> None:
        """Show new scores; the list is sorted again only if it was waiting for the first ones."""
        was_ready, version = self.has_scores, self.pinned_version
        self.learned = learned
        self._check_trust()
        if self.pinned_version != version:
            self.version_changed.emit()
        if not (learned.ready or was_ready):
            self._emit_scores_changed()
            return
        self._table.scores.set(learned.ids, learned.scores, learned.predicted)
        if self._waits_at is not None and learned.ready and self._criteria.order == "match":
            (here, at_front), self._waits_at = self._waits_at, None
            photos = self._photos
            # A pass in which the person has moved stays: photos would move behind the current one.
            if self._criteria.mode is Pass.BROWSE or photos.current == here:
                photos.rebuild(photos.current)
                if at_front:
                    photos.go_to_first()
        self._emit_scores_changed()
        self._photos.counts_changed.emit()

    def _emit_scores_changed(self) -> None:
        self.scores_changed.emit()
        if self._settings.taste.show_match:
            self.captions_changed.emit()

    def _on_accuracy(self, accuracy: Accuracy) -> None:
        self._is_accurate = accuracy.trusted
        self._check_trust()

    def _check_trust(self) -> None:
        """Record whether the order by match can be trusted, once something was learned."""
        if self.learned is None:
            return
        before = self.is_reliable
        self._criteria.trust_match(self.has_scores and self._is_accurate)
        self._photos.publish()
        if self.is_reliable != before:
            self.trust_changed.emit()

    @property
    def is_reliable(self) -> bool:
        """Whether the order by match can be trusted, as the Taste page says."""
        return self._criteria.match_trusted

    @property
    def suggested_order(self) -> str | None:
        """The order to suggest for the photos on screen; None if theirs is right."""
        return None if self._view_state.finished else self._criteria.suggested_order

    @property
    def has_scores(self) -> bool:
        """Whether ratings are predicted, so that photos can be sorted by match."""
        return self.learned is not None and self.learned.ready

    @property
    def has_match(self) -> bool:
        """Whether photos have match scores."""
        return self.learned is not None and self.learned.has_match

    @property
    def sentence(self) -> str:
        """How far learning has come, in a sentence; empty before the first time."""
        return self.learned.sentence if self.learned is not None else ""

    @property
    def pinned_version(self) -> int | None:
        """The version that scores come from; None while they come from all ratings."""
        return self.learned.pinned if self.learned is not None else None

    def scores_for_export(self) -> tuple[dict[int, int], str | None]:
        """Return match scores by photo id, and the name of the model that made them."""
        if self.learned is None or not self.learned.ready:
            return {}, None
        return self.learned.by_id(), self.learned.name

    def _note_rebuilt(self, keep: int | None) -> None:
        """Note whether and where the list is to be rebuilt when the first scores arrive."""
        photos, by_match = self._photos, self._criteria.order == "match"
        waits = by_match and not np.isfinite(self._table.scores.expected).any()
        self._waits_at = (photos.current, keep is None and photos.index == 0) if waits else None

    # --- teaching

    def teach(self, ids: Iterable[int]) -> None:
        """Report marks just made or undone to the learner, once the next photo is painted."""
        self._marked |= set(ids)
        self._after_paint.start()

    def leave_out(self, ids: Iterable[int]) -> None:
        """Predict these photos, until the next call, as if they had no marks."""
        self._left_out = set(ids)
        self._after_paint.start()

    def _teach_now(self) -> None:
        if self._left_out is not None:
            self.learner.leave_out(self._left_out)
            self._left_out = None
        if self._marked:
            self.learner.marks_changed(self._marked)
            self._marked = set()

    def _follow_commit(self) -> None:
        if self._reads_here:
            self._sync_soon()  # a version may have been pinned
        else:
            self.learner.everything_changed()

    def _sync_soon(self, ids: Iterable[int] = ()) -> None:
        """Let the learner read vectors, stacks and marks that others changed, soon."""
        self._changed_elsewhere |= set(ids)
        if not self._sync_timer.isActive():
            self._sync_timer.start()

    def _sync(self) -> None:
        self.learner.vectors_changed(self._changed_elsewhere)
        self._changed_elsewhere = set()

    # --- the Taste page; callbacks get the answer on the GUI thread, a moment later

    def report(self, callback: Callable[[Report | KnownError], None]) -> None:
        """Compute what the Taste page shows."""
        self.learner.ask(report, callback)

    def outlook(self, callback: Callable[[Outlook | KnownError], None]) -> None:
        """Compute what more ratings would bring; up to a second while it is not known."""
        self.learner.ask(self._outlook, callback)

    def moved(
        self, number: int, callback: Callable[[list[ScoreChange] | KnownError], None]
    ) -> None:
        """Find the photos whose match changed most from the version before to this one."""
        self.learner.ask(lambda learner: learner.score_changes(number), callback)

    def keep_version(self, callback: Callable[[int | KnownError], None]) -> None:
        """Keep a version now; the callback gets its number."""
        self.learner.ask(lambda learner: learner.keep_version(), callback)

    def roll_back(self, number: int) -> None:
        """Take scores and predictions from a version until it is unpinned.

        Raises:
            KnownError: that version cannot be used; nothing was changed.
        """
        versions.roll_back(self._catalog, number)
        self.learner.vectors_changed()
        self._messages.say(f"Taste is pinned to version {number}")

    def unpin(self) -> None:
        """Take scores from all ratings again."""
        if versions.unpin(self._catalog) is not None:
            self.learner.vectors_changed()
            self._messages.say("Taste learns from all your ratings again")

    # --- predictions

    def predict(self, changes: Changes) -> dict[int, float]:
        """Return the predicted ratings of photos about to get their first stars, by id."""
        found: dict[int, float] = {}
        for photo_id, fields in changes.items():
            if fields.get("rating") is None or self._table.marks(photo_id).rating is not None:
                continue
            expected = self._table.scores.expected_of(photo_id)
            if expected is not None:
                found[photo_id] = expected
        return found

    def reveal(self, step: Step) -> None:
        """Reveal the prediction if the step gave a single photo its first stars."""
        self._revealed = None
        stars = [change for change in step.changes if change.field == "rating"]
        if len(stars) != 1 or stars[0].after is None or stars[0].before is not None:
            return
        photo, scores = stars[0].photo_id, self._table.scores
        expected = scores.expected_of(photo)
        if expected is not None:
            line = f"you {stars[0].after} · expected {min(max(expected, 1.0), 5.0):.1f}"
            self._revealed = Revealed(photo, line, scores.match_of(photo), expected)

    def forget_revealed(self) -> None:
        """Hide the prediction again: the stars were undone, or the person moved on."""
        self._revealed = None

    def revealed(self, photo_id: int) -> Revealed | None:
        """Return what was predicted for the photo just rated; None for any other photo."""
        found = self._revealed
        return found if found is not None and found.photo_id == photo_id else None

    def caption(self, photo_id: int, line: str) -> str:
        """Return a line of capture data with the match or the prediction, if shown, before it."""
        parts, revealed = [line], self.revealed(photo_id)
        if revealed is not None:
            parts.insert(0, revealed.line)
        if self._settings.taste.show_match:
            # A revealed match is of the same prediction, made without these stars.
            score = revealed.match if revealed else self._table.scores.match_of(photo_id)
            if score is not None:
                parts.insert(0, f"match {score}")
        return " · ".join(parts)

    def close(self) -> None:
        """Report the last marks to the learner, and end its thread."""
        self._sync_timer.stop()
        self._after_paint.stop()
        self._start.stop()
        self._teach_now()
        self.learner.close()

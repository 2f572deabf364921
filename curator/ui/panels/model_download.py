"""CLIP's weights in the window: offered once, fetched when asked for, told while they come."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from curator.encoders import DownloadJob, DownloadPlan, download_plan
from curator.encoders.selection import encoder_options
from curator.model import KnownError
from curator.session import Session
from curator.ui.panels.notification_bar import Offer, OfferLine
from curator.ui.widgets import dialogs, theme, words
from curator.ui.widgets.dialogs import Choice, Question

_LOOK_MS = 250
_COMING = "clip-coming"


class Weights(QObject):
    """What one window does about the encoder and its weights.

    The download runs in a process of its own; here it is only looked at, four times a second.

    Signals:
        changed: :meth:`state` says something else.
    """

    changed = Signal()

    def __init__(self, session: Session, offers: OfferLine, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._offers, self._window = session, offers, window
        self._fetch: DownloadJob | None = None
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self._look)
        if session.pipeline is not None:
            session.pipeline.idle.connect(self._offer)
            session.pipeline.encoder_said.connect(self._said)

    # --- saying

    def state(self) -> str:
        """Say what compares photos here and why, or how its weights are coming."""
        if self._fetch is not None:
            return _coming(self._fetch)
        pipeline = self._session.pipeline
        return pipeline.encoding.sentence if pipeline is not None else ""

    def plan(self) -> DownloadPlan | None:
        """Give what there is to fetch; None where there is nothing, or it may not be."""
        pipeline = self._session.pipeline
        recipe = pipeline.encoding.recipe if pipeline is not None else None
        if recipe is None or recipe.name != "starter":
            return None
        try:
            told = encoder_options(self._session.home, self._session.settings)
            return download_plan(told, usual_only=True)
        except KnownError:
            return None  # the sentence about the encoder says what is missing

    @property
    def coming(self) -> bool:
        """Whether weights are being fetched."""
        return self._fetch is not None

    def _said(self) -> None:
        self.changed.emit()

    # --- asking and fetching

    def _offer(self) -> None:
        """Offer CLIP where the starter compares because nothing else is here."""
        if self._fetch is not None or self._session.settings.encoder.which != "auto":
            return
        if not self._session.table.size:
            return  # an empty window says the one thing to do
        plan = self.plan()
        if plan is None:
            return
        text = f"CLIP compares photos better than the built-in starter: {plan.size} to download."
        self._offers.offer(Offer("clip", text, "Download…", self.ask))

    def ask(self) -> None:
        """Say how much comes from where to where, and fetch it if the person says so."""
        plan = self.plan()
        if plan is None or self._fetch is not None:
            return
        question = Question(
            f"Download {plan.title}",
            f"{plan.sentence}\n"
            "Everything goes on meanwhile. The download can be stopped, and goes on later from "
            "there. Then all photos are compared again in the background.",
            (Choice("yes", f"Download {plan.size}", primary=True),),
        )
        if dialogs.ask(self._window, question) == "yes":
            self._begin(plan)

    def _begin(self, plan: DownloadPlan) -> None:
        self._offers.withdraw("clip")
        self._fetch = DownloadJob(plan)
        self._fetch.start()
        self._timer.start()
        text = _coming(self._fetch)
        self._offers.offer(Offer(_COMING, text, "Stop", self.stop, once=False))
        self.changed.emit()

    def stop(self) -> None:
        """Stop the download; what has come stays for another time."""
        if self._fetch is not None:
            self._fetch.cancel()
            self._look()

    def close(self) -> None:
        """Stop what runs; the window closes."""
        self._timer.stop()
        if self._fetch is not None:
            self._fetch.cancel()
            self._fetch.wait()

    def _look(self) -> None:
        fetch = self._fetch
        assert fetch is not None
        if fetch.running and not fetch.cancelled:
            self._offers.amend(_COMING, _coming(fetch))
            self.changed.emit()
            return
        fetch.wait()
        self._timer.stop()
        self._fetch = None
        self._offers.withdraw(_COMING)
        if fetch.path is not None:
            self.settle()
        elif fetch.error is not None:
            again = Offer("clip-failed", str(fetch.error), "Try again", self.ask, once=False)
            self._offers.offer(again)
        else:
            self._session.announce("Stopped the download; what has come is kept")
        self.changed.emit()

    # --- which encoder

    def settings_changed(self, changed: set[str]) -> None:
        """Take over other settings of the encoder."""
        if any(name.startswith("encoder.") for name in changed):
            self.settle()

    def settle(self) -> None:
        """Settle anew which encoder there is, and say so."""
        if self._session.pipeline is not None:
            self._session.announce(self._session.pipeline.settle_encoder().sentence)
        self.changed.emit()


class EncoderPanel(QWidget):
    """What stands over the encoder's settings: the sentence, and a button to fetch or stop."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self._weights = weights
        self.said = theme.plain("", role="quiet")
        self.said.setWordWrap(True)
        self.button = QPushButton()
        self.button.setAutoDefault(False)
        self.button.clicked.connect(self._press)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 8)
        column.setSpacing(8)
        column.addWidget(self.said)
        row = QHBoxLayout()
        row.addWidget(self.button)
        row.addStretch(1)
        column.addLayout(row)
        weights.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show how things are."""
        weights = self._weights
        self.said.setText(weights.state())
        self.button.setText("Stop the download" if weights.coming else "Download CLIP…")
        self.button.setVisible(weights.coming or weights.plan() is not None)

    def _press(self) -> None:
        if self._weights.coming:
            self._weights.stop()
        else:
            self._weights.ask()


def _coming(fetch: DownloadJob) -> str:
    done, total = fetch.progress
    of = f" of {words.size(total)}" if total else ""
    return f"Downloading {fetch.plan.title}: {words.size(done)}{of}"

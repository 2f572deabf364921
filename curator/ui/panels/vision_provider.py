"""The vision model in the window: what keeps it from describing, a test of it, and a pull."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import ValidationError
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from curator import vision
from curator.model import KnownError
from curator.pipeline.provider import Pulled, Pulling
from curator.session import Session
from curator.settings import VisionSettings
from curator.ui.dialogs.settings_dialog import SettingsDialog
from curator.ui.panels.notification_bar import Offer, OfferLine
from curator.ui.widgets import theme, words
from curator.vision import Health, VisionOptions

_HELD, _PULLING = "describing-held", "pulling"
CHOOSE = "Models it has…"


class ProviderWatch(QObject):
    """Says in the offer line why photos wait to be described, and how a pull is going.

    Signals:
        changed: a pull began, went on or ended.

    Attributes:
        pulling: how far the pull under way is; None if there is none.
    """

    changed = Signal()

    def __init__(self, session: Session, offers: OfferLine, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._offers = session, offers
        self.pulling: Pulling | None = None
        session.clerk.held_changed.connect(self._hold)
        session.clerk.answered.connect(self._take)

    def _hold(self, error: KnownError | None) -> None:
        if error is None or not self._session.settings.vision.automatic:
            self._offers.withdraw(_HELD)
            return
        text = f"{error} Describing goes on by itself then."
        if getattr(error, "pull", False):
            model = self._session.settings.vision.model
            offer = Offer(_HELD, str(error.args[0]), f"Pull {model}", self._pull, once=False)
        else:
            act = "Vision model…"
            offer = Offer(_HELD, text, act, lambda: self._session.ask("provider"), once=False)
        self._offers.offer(offer)

    def _pull(self) -> None:
        self.pull(self._session.clerk.options())

    def pull(self, options: VisionOptions) -> None:
        """Have the provider fetch a model; everything goes on meanwhile."""
        self.pulling = Pulling(options.model, "")
        self._session.clerk.pull(options)
        self._offers.withdraw(_HELD)
        self._offers.offer(Offer(_PULLING, said(self.pulling), "Stop", self.stop, once=False))
        self.changed.emit()

    def stop(self) -> None:
        """Stop the pull; it goes on from there another time."""
        self._session.clerk.stop()

    def _take(self, answer: object) -> None:
        if isinstance(answer, Pulling):
            self.pulling = answer
            self._offers.amend(_PULLING, said(answer))
        elif isinstance(answer, Pulled):
            self.pulling = None
            self._offers.withdraw(_PULLING)
            self._end(answer)
        else:
            return
        self.changed.emit()

    def _end(self, end: Pulled) -> None:
        if end.stopped:
            self._session.announce(
                f"Stopped pulling {end.model}; it goes on from there another time"
            )
        elif end.error is not None:
            self._session.announce(str(end.error))
        else:
            self._session.announce(f"{end.model} is here")
            self._session.clerk.settle()


class ProviderPanel(QWidget):
    """Stands over the settings of the vision model: test it, choose a model, have it fetched.

    Args:
        session: who has it tested.
        watch: who pulls.
        entered: gives whom to ask, as the fields around it say now.
        choose: puts a model's name into its field.
    """

    def __init__(
        self,
        session: Session,
        watch: ProviderWatch,
        entered: Callable[[QWidget], VisionOptions],
        choose: Callable[[QWidget, str], None],
    ) -> None:
        super().__init__()
        self._session, self._watch = session, watch
        self._entered, self._choose = entered, choose
        self._tested: VisionOptions | None = None
        self.said = theme.plain("", role="quiet")
        self.said.setWordWrap(True)
        self.test = QPushButton("Test provider")
        self.pull = QPushButton("")
        self.models = QComboBox()
        self.models.setAccessibleName("Models the provider has")
        for button in (self.test, self.pull):
            button.setAutoDefault(False)
        self.test.clicked.connect(self._test)
        self.pull.clicked.connect(self._pull)
        self.models.activated.connect(self._take_model)
        self._lay_out()
        session.clerk.answered.connect(self._take)
        watch.changed.connect(self.refresh)
        held = session.clerk.held
        self.said.setText(str(held) if held is not None else "")
        self.models.hide()
        self._may_pull = bool(getattr(held, "pull", False))
        self.refresh()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 8)
        column.setSpacing(8)
        column.addWidget(self.said)
        row = QHBoxLayout()
        row.setSpacing(8)
        for each in (self.test, self.pull, self.models):
            row.addWidget(each)
        row.addStretch(1)
        column.addLayout(row)

    def refresh(self) -> None:
        """Show how things are."""
        pulling = self._watch.pulling
        if pulling is not None:
            self.said.setText(said(pulling))
        model = self._tested.model if self._tested else self._session.settings.vision.model
        self.pull.setText("Stop pulling" if pulling else f"Pull {model}")
        self.pull.setVisible(pulling is not None or self._may_pull)
        self.said.setVisible(bool(self.said.text()))

    def _test(self) -> None:
        try:
            self._tested = self._entered(self)
        except ValidationError:
            self.said.setText("One of the values below cannot be.")
        else:
            self.test.setEnabled(False)
            self.said.setText(f"Asking {self._tested.shown_url} to describe a small picture…")
            self._session.clerk.test(self._tested)
        self.refresh()

    def _take(self, answer: object) -> None:
        if isinstance(answer, Health):
            parts = [answer.sentence, answer.remedy]
            if answer.description is not None:
                parts.append(f"“{answer.description.subject}”")
            self.said.setText(" ".join(part for part in parts if part))
            self._may_pull = answer.pull
            self.models.clear()
            self.models.addItem(CHOOSE)
            self.models.addItems(list(answer.models))
            self.models.setVisible(bool(answer.models))
        elif isinstance(answer, Pulled):
            self._may_pull = answer.stopped or answer.error is not None
            text = f"{answer.model} is here." if not self._may_pull else str(answer.error or "")
            self.said.setText(text)
        elif isinstance(answer, KnownError):
            self.said.setText(str(answer))
        self.test.setEnabled(True)
        self.refresh()

    def _pull(self) -> None:
        if self._watch.pulling is not None:
            self._watch.stop()
        else:
            self._watch.pull(self._tested or self._session.clerk.options())

    def _take_model(self, number: int) -> None:
        if number:
            self._choose(self, self.models.itemText(number))


def for_settings(session: Session, watch: ProviderWatch) -> ProviderPanel:
    """Make the panel as it stands in the settings: it tests what is typed there, saved or not."""

    def entered(panel: QWidget) -> VisionOptions:
        dialog = panel.window()
        assert isinstance(dialog, SettingsDialog)
        typed = session.settings.model_copy(
            update={"vision": VisionSettings(**dialog.entered("vision"))}
        )
        return vision.options(typed)

    def choose(panel: QWidget, model: str) -> None:
        dialog = panel.window()
        assert isinstance(dialog, SettingsDialog)
        dialog.enter("vision.model", model)

    return ProviderPanel(session, watch, entered, choose)


def said(pulling: Pulling) -> str:
    """Say how far a pull is: ``Pulling llava: 1.2 GB of 4.7 GB``."""
    text = f"Pulling {pulling.model}"
    if pulling.total:
        return f"{text}: {words.size(pulling.done)} of {words.size(pulling.total)}"
    return f"{text}: {pulling.doing}" if pulling.doing else f"{text}…"

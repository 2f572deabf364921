"""Reports on the vision model: why photos are not described, a test of it, and its download.

`VisionNotices` posts to the notification bar; `ProviderPanel` stands above the vision settings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import ValidationError
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QComboBox, QPushButton, QWidget

from curator import vision
from curator.model import KnownError
from curator.pipeline.provider import DownloadEnd, DownloadProgress
from curator.session import Session
from curator.settings import VisionSettings
from curator.ui.notices.notification_bar import Notification, NotificationBar
from curator.ui.widgets import layouts, theme, words
from curator.vision import Health, VisionOptions

if TYPE_CHECKING:
    from curator.ui.dialogs.settings_dialog import SettingsDialog

_HELD, _PULLING = "describing-held", "pulling"
CHOOSE = "Installed models…"


class VisionNotices(QObject):
    """Posts why photos wait for their descriptions, and the progress of a model's download.

    Signals:
        changed: a download started, progressed or ended.

    Attributes:
        pulling: progress of the running download; None if there is none.
    """

    changed = Signal()

    def __init__(self, session: Session, notifications: NotificationBar, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._notifications = session, notifications
        self.pulling: DownloadProgress | None = None
        session.descriptions.held_changed.connect(self._show_held)
        session.descriptions.answered.connect(self._on_answer)

    def _show_held(self, error: KnownError | None) -> None:
        if error is None or not self._session.settings.vision.automatic:
            self._notifications.withdraw(_HELD)
            return
        session = self._session
        text, act_title = f"{error} Then describing continues by itself.", "Vision model…"
        act: Callable[[], None] = session.requests.vision_settings_requested.emit
        if getattr(error, "pull", False):
            text, act_title = str(error.args[0]), f"Download {session.settings.vision.model}"
            act = self._pull
        self._notifications.post(Notification(_HELD, text, act_title, act))

    def _pull(self) -> None:
        self.pull(self._session.descriptions.options())

    def pull(self, options: VisionOptions) -> None:
        """Ask the provider to download a model, in the background."""
        self.pulling = DownloadProgress(options.model, "")
        self._session.descriptions.pull(options)
        self._notifications.withdraw(_HELD)
        text = progress_text(self.pulling)
        self._notifications.post(Notification(_PULLING, text, "Stop", self.stop))
        self.changed.emit()

    def stop(self) -> None:
        """Stop the download; the next one continues where it stopped."""
        self._session.descriptions.stop()

    def _on_answer(self, answer: object) -> None:
        if isinstance(answer, DownloadProgress):
            self.pulling = answer
            self._notifications.update_text(_PULLING, progress_text(answer))
        elif isinstance(answer, DownloadEnd):
            self.pulling = None
            self._notifications.withdraw(_PULLING)
            self._report_end(answer)
        else:
            return
        self.changed.emit()

    def _report_end(self, end: DownloadEnd) -> None:
        if end.stopped:
            text = f"Stopped the download of {end.model}; the next one continues it"
            self._session.messages.announce(text)
        elif end.error is not None:
            self._session.messages.announce(str(end.error))
        else:
            self._session.messages.announce(f"{end.model} is installed")
            self._session.descriptions.apply_settings()


class ProviderPanel(QWidget):
    """Tests the vision model, lists the installed models and downloads one.

    It stands in the settings dialog, and tests the values typed there, saved or not.

    Args:
        session: runs the test.
        notices: runs the download.
    """

    def __init__(self, session: Session, notices: VisionNotices) -> None:
        super().__init__()
        self._session, self._notices = session, notices
        self._tested: VisionOptions | None = None
        self.result = theme.wrapped("", "quiet")
        self.test = QPushButton("Test provider")
        self.pull = QPushButton("")
        self.models = QComboBox()
        self.models.setAccessibleName("Installed models")
        for button in (self.test, self.pull):
            button.setAutoDefault(False)
        self.test.clicked.connect(self._test)
        self.pull.clicked.connect(self._pull)
        self.models.activated.connect(self._choose_model)
        self._lay_out()
        session.descriptions.answered.connect(self._on_answer)
        notices.changed.connect(self.refresh)
        held = session.descriptions.held
        self.result.setText(str(held) if held is not None else "")
        self.models.hide()
        self._may_pull = bool(getattr(held, "pull", False))
        self.refresh()

    def _lay_out(self) -> None:
        column = layouts.column(self, spacing=8, margins=(0, 2, 0, 8))
        column.addWidget(self.result)
        row = layouts.row(spacing=8)
        for part in (self.test, self.pull, self.models):
            row.addWidget(part)
        row.addStretch(1)
        column.addLayout(row)

    def refresh(self) -> None:
        """Show the last result and the download's progress."""
        pulling = self._notices.pulling
        if pulling is not None:
            self.result.setText(progress_text(pulling))
        model = self._tested.model if self._tested else self._session.settings.vision.model
        self.pull.setText("Stop download" if pulling else f"Download {model}")
        self.pull.setVisible(pulling is not None or self._may_pull)
        self.result.setVisible(bool(self.result.text()))

    def _dialog(self) -> SettingsDialog:
        from curator.ui.dialogs.settings_dialog import SettingsDialog  # see `window_actions`

        dialog = self.window()
        assert isinstance(dialog, SettingsDialog)
        return dialog

    def _entered(self) -> VisionOptions:
        """Return the provider's options as the fields have them now."""
        entered = VisionSettings(**self._dialog().entered("vision"))
        return vision.options(self._session.settings.model_copy(update={"vision": entered}))

    def _test(self) -> None:
        try:
            self._tested = self._entered()
        except ValidationError:
            self.result.setText("A value below is invalid.")
        else:
            self.test.setEnabled(False)
            self.result.setText(f"Asking {self._tested.shown_url} to describe a small picture…")
            self._session.descriptions.test(self._tested)
        self.refresh()

    def _on_answer(self, answer: object) -> None:
        if isinstance(answer, Health):
            parts = [answer.sentence, answer.remedy]
            if answer.description is not None:
                parts.append(f"“{answer.description.subject}”")
            self.result.setText(" ".join(part for part in parts if part))
            self._may_pull = answer.pull
            self.models.clear()
            self.models.addItem(CHOOSE)
            self.models.addItems(list(answer.models))
            self.models.setVisible(bool(answer.models))
        elif isinstance(answer, DownloadEnd):
            self._may_pull = answer.stopped or answer.error is not None
            installed = f"{answer.model} is installed."
            self.result.setText(str(answer.error or "") if self._may_pull else installed)
        elif isinstance(answer, KnownError):
            self.result.setText(str(answer))
        self.test.setEnabled(True)
        self.refresh()

    def _pull(self) -> None:
        if self._notices.pulling is not None:
            self._notices.stop()
        else:
            self._notices.pull(self._tested or self._session.descriptions.options())

    def _choose_model(self, number: int) -> None:
        if number:
            self._dialog().enter("vision.model", self.models.itemText(number))


def progress_text(pulling: DownloadProgress) -> str:
    """Return a download's progress: ``Downloading llava: 1.2 GB of 4.7 GB``."""
    text = f"Downloading {pulling.model}"
    if pulling.total:
        return f"{text}: {words.size(pulling.done)} of {words.size(pulling.total)}"
    return f"{text}: {pulling.doing}" if pulling.doing else f"{text}…"

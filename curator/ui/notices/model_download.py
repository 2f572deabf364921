"""Offers CLIP once: shows how to install it, or downloads its weights and reports progress.

The main window owns the download, the settings dialog shows it. Nothing is installed by Curator,
and nothing is downloaded without the person's consent.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from curator.encoders import (
    PACKAGES_GB,
    DownloadJob,
    DownloadPlan,
    clip_command,
    download_plan,
    encoder_options,
)
from curator.model import KnownError
from curator.session import Session
from curator.ui.notices.notification_bar import Notification, NotificationBar
from curator.ui.widgets import dialogs, layouts, theme, words
from curator.ui.widgets.dialogs import Choice, Question

_POLL_MS = 250
_BRINGS = "CLIP finds photos by any description"
# Keys of notifications. A person who dismisses the command is still offered the weights later.
_INSTALL, _DOWNLOAD, _RUNNING = "clip-install", "clip", "clip-running"


class ModelDownload(QObject):
    """Downloads the encoder's weights in a process of its own, which it polls.

    Signals:
        changed: `status` returns another text.
    """

    changed = Signal()

    def __init__(self, session: Session, notifications: NotificationBar, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._notifications, self._window = session, notifications, window
        self._job: DownloadJob | None = None
        self._timer = QTimer(self, interval=_POLL_MS)
        self._timer.timeout.connect(self._poll)
        if session.pipeline is not None:
            session.pipeline.events.idle.connect(self._suggest)
            session.pipeline.events.encoder_failed.connect(self.changed)

    # --- state

    def status(self) -> str:
        """Return the download's progress; without one, which encoder is in use and why."""
        if self._job is not None:
            return _progress_text(self._job)
        pipeline = self._session.pipeline
        return pipeline.encoding.sentence if pipeline is not None else ""

    def plan(self) -> DownloadPlan | None:
        """Return what can be downloaded; None if there is nothing, or downloads are off."""
        if not self._starter_in_use():
            return None
        try:
            options = encoder_options(self._session.home, self._session.settings)
            return download_plan(options, usual_only=True)
        except KnownError:
            return None  # `status` says what is missing

    @property
    def command(self) -> str | None:
        """The command that installs CLIP; None if it is installed, or cannot be here."""
        return clip_command() if self._starter_in_use() else None

    def _starter_in_use(self) -> bool:
        pipeline = self._session.pipeline
        recipe = pipeline.encoding.recipe if pipeline is not None else None
        return recipe is not None and recipe.name == "starter"

    @property
    def running(self) -> bool:
        """Whether a download is running."""
        return self._job is not None

    # --- downloading

    def _suggest(self) -> None:
        """Suggest CLIP if the starter is in use because CLIP is missing."""
        if self._job is not None or self._session.settings.encoder.which != "auto":
            return
        if not self._session.table.size:
            return  # the empty window asks for a folder, and nothing else
        if (plan := self.plan()) is not None:
            self._notifications.withdraw(_INSTALL)
            key, text, action = _DOWNLOAD, f"{_BRINGS}: {plan.size} to download.", "Download…"
        elif self.command is not None:
            key, action = _INSTALL, "How…"
            text = f"{_BRINGS}: about {PACKAGES_GB:g} GB to install."
        else:
            return
        self._notifications.post(Notification(key, text, action, self.ask, once=True))

    def ask(self) -> None:
        """Ask whether to download, or show how to install CLIP if it is not installed."""
        if (command := self.command) is not None:
            self._show_command(command)
            return
        plan = self.plan()
        if plan is None or self._job is not None:
            return
        question = Question(
            f"Download {plan.title}",
            f"{plan.sentence}\n"
            "You can keep working. If you stop the download, it can continue later. When it is"
            " complete, all photos are analyzed again in the background.",
            (Choice("yes", f"Download {plan.size}", primary=True),),
        )
        if dialogs.ask(self._window, question) == "yes":
            self._start(plan)

    def _show_command(self, command: str) -> None:
        question = Question(
            "Install CLIP",
            "With CLIP you search by any description, such as “a red door at night”, and tags and"
            " predictions get better. It is much larger than Curator itself: about"
            f" {PACKAGES_GB:g} GB, and Curator then offers to download its weights, 1.7 GB.\n"
            "Close Curator, enter this in a terminal, and start Curator again:\n"
            f"{command}\n"
            "Your photos, ratings and tags stay. All photos are analyzed again in the background.",
            (Choice("copy", "Copy command", primary=True),),
        )
        if dialogs.ask(self._window, question) == "copy":
            QGuiApplication.clipboard().setText(command)
            self._session.messages.announce("Copied the command that installs CLIP")

    def _start(self, plan: DownloadPlan) -> None:
        self._notifications.withdraw(_DOWNLOAD)
        self._job = DownloadJob(plan)
        self._job.start()
        self._timer.start()
        text = _progress_text(self._job)
        self._notifications.post(Notification(_RUNNING, text, "Stop", self.stop))
        self.changed.emit()

    def stop(self) -> None:
        """Stop the download; the part downloaded so far is kept."""
        if self._job is not None:
            self._job.cancel()
            self._poll()

    def close(self) -> None:
        """Stop the download and wait for its process, because the window closes."""
        self._timer.stop()
        if self._job is not None:
            self._job.cancel()
            self._job.wait()

    def _poll(self) -> None:
        job = self._job
        assert job is not None
        if job.running and not job.cancelled:
            self._notifications.update_text(_RUNNING, _progress_text(job))
            self.changed.emit()
            return
        job.wait()
        self._timer.stop()
        self._job = None
        self._notifications.withdraw(_RUNNING)
        if job.path is not None:
            self.select_encoder()
        elif job.error is not None:
            failed = Notification("clip-failed", str(job.error), "Try again", self.ask)
            self._notifications.post(failed)
        else:
            self._session.messages.announce("Download stopped; what was downloaded is kept")
        self.changed.emit()

    # --- which encoder

    def settings_changed(self, changed: set[str]) -> None:
        """Select the encoder again if its settings changed."""
        if any(name.startswith("encoder.") for name in changed):
            self.select_encoder()

    def select_encoder(self) -> None:
        """Select the encoder to use from now on, and report it."""
        if self._session.pipeline is not None:
            self._session.messages.announce(self._session.pipeline.reselect_encoder().sentence)
        self.changed.emit()


class EncoderPanel(QWidget):
    """Shows the encoder's status above its settings, with a button to get CLIP or to stop."""

    def __init__(self, download: ModelDownload) -> None:
        super().__init__()
        self._download = download
        self.status = theme.wrapped("", "quiet")
        self.button = QPushButton()
        self.button.setAutoDefault(False)
        self.button.clicked.connect(self._click)
        column = layouts.column(self, spacing=8, margins=(0, 2, 0, 8))
        column.addWidget(self.status)
        row = QHBoxLayout()
        row.addWidget(self.button)
        row.addStretch(1)
        column.addLayout(row)
        download.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the current status."""
        download = self._download
        self.status.setText(download.status())
        missing = download.command is not None
        get = "How to install CLIP…" if missing else "Download CLIP…"
        self.button.setText("Stop download" if download.running else get)
        self.button.setVisible(download.running or missing or download.plan() is not None)

    def _click(self) -> None:
        if self._download.running:
            self._download.stop()
        else:
            self._download.ask()


def _progress_text(job: DownloadJob) -> str:
    done, total = job.progress
    of = f" of {words.size(total)}" if total else ""
    return f"Downloading {job.plan.title}: {words.size(done)}{of}"

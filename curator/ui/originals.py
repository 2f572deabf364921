"""Pixels of the originals for the loupe: read by the pipeline's worker, put among the frames.

The pipeline has one request waiting, the newest, so asking is cheap and asking for something else
is how one gives up.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, Qt, Signal

from curator.imaging import screen
from curator.model import KnownError
from curator.session import Session
from curator.stages.frame import Frame as Decoded
from curator.ui.frames import ORIGINAL, Frame, FrameStore, Want

log = logging.getLogger(__name__)


class Originals(QObject):
    """Asks for originals and delivers them into a :class:`FrameStore`.

    Signals:
        failed: the :class:`Want` and the reason, one sentence.

    Thread: GUI; pixels land on a thread of the pipeline and hop over.
    """

    failed = Signal(object, str)
    _landed = Signal(object, object)

    def __init__(self, session: Session, store: FrameStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._store = store
        self._pending: Want | None = None
        self._reasons: dict[Want, str] = {}
        self._landed.connect(self._take, Qt.ConnectionType.QueuedConnection)

    @staticmethod
    def want(photo_id: int, proxy: str | None, size: tuple[int, int] | None, turn: int) -> Want:
        """Name an original's pixels: by content where that is known, else by the photo.

        Args:
            photo_id: the photo.
            proxy: its proxy's cache key, which changes with the file.
            size: (width, height) device px with ``turn`` applied; None for every pixel there is.
            turn: the user's quarter turns.
        """
        return Want(ORIGINAL, proxy or f"photo {photo_id}", size, turn)

    def reason(self, want: Want) -> str | None:
        """Say why an original did not come, or None."""
        return self._reasons.get(want)

    def ask(self, photo_id: int, want: Want) -> bool:
        """Ask for a photo's original; what was asked for before and still waits is given up.

        Returns:
            Whether it is on its way or there; False without a pipeline, or if it has failed.
        """
        if want == self._pending or self._store.get(want) is not None:
            return True
        pipeline = self._session.pipeline
        if pipeline is None or want in self._reasons:
            return False
        self._pending = want
        path = self._session.detail(photo_id).path
        long_edge = max(want.size) if want.size else None
        pipeline.request_frame(photo_id, path, "preview", long_edge, partial(self._land, want))
        return True

    def forgive(self) -> None:
        """Try again what failed: a drive may be back, a file mended."""
        self._reasons.clear()

    # --- on a thread of the pipeline

    def _land(self, want: Want, result: Decoded | KnownError) -> None:
        if isinstance(result, KnownError):
            self._landed.emit(want, str(result))
            return
        try:
            rgb = result.array
            made: Callable[[], object]
            if want.size is None:
                # Whole originals stay RGB: 24 megapixels are 72 MB so, and a blit of a window's
                # part of them takes 0.7 ms, against 0.3 ms from four bytes a pixel.
                made = partial(screen.turned, rgb, want.turn)
            else:
                made = partial(screen.from_rgb, rgb, want.size, want.turn)
            self._landed.emit(want, Frame.of(made()))
        except Exception:
            log.exception("Taking in the pixels of %s failed", want)
            self._landed.emit(want, "Curator made a mistake here (see the log).")

    # --- on the GUI thread

    def _take(self, want: Want, result: object) -> None:
        if want == self._pending:
            self._pending = None
        if isinstance(result, Frame):
            self._store.put(want, result)
        else:
            self._reasons[want] = str(result)
            self.failed.emit(want, str(result))

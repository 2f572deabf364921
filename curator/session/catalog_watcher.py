"""Refreshes the list when the pipeline or another process has written to the catalog.

Photos that the pipeline saved are collected for a moment before the table is read again, without
the list of folders, which rarely changes. Commits of other processes are noticed by polling the
catalog's data version. Of many changes only some are read at a time, in one event, and the list
follows in another, so that keys pressed meanwhile come in between. After
:meth:`CatalogWatcher.close` no signal makes it read the catalog any more.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from curator.catalog import Catalog
from curator.pipeline import Pipeline
from curator.session.photo_list import PhotoList

_REFRESH_MS = 120  # dozens of results a second may arrive; the eye needs a few updates
_AT_ONCE = 60  # photos read in one event; a key press may wait for that event
_PACK_MS = 3000  # without a move; then texts are packed, some milliseconds a column
_OTHERS_MS = 1000  # how soon a decision made by another process shows


class CatalogWatcher(QObject):
    """Keeps the list of one window up to date with its catalog.

    Signals:
        committed_elsewhere: another process, or the pipeline, wrote to the catalog.

    Thread: GUI only.
    """

    committed_elsewhere = Signal()

    def __init__(self, catalog: Catalog, photos: PhotoList, pipeline: Pipeline | None) -> None:
        super().__init__()
        self._catalog, self._photos = catalog, photos
        self._table, self._details = photos.table, photos.details
        self._closed = False
        self._data_version = catalog.store.data_version()
        self._scanned_rev = -1  # revision of the photos after the last scan that was followed
        self._read_timer = QTimer(self, singleShot=True)
        self._read_timer.timeout.connect(self._read_some)
        self._follow_timer = QTimer(self, singleShot=True, interval=0)
        self._follow_timer.timeout.connect(self._follow)
        self._more_waits = False  # whether changes were left for another event
        self._poll_timer = QTimer(self, interval=_OTHERS_MS)
        self._poll_timer.timeout.connect(self.check_for_commits)
        self._poll_timer.start()
        self._pack_timer = QTimer(self, singleShot=True, interval=_PACK_MS)
        self._pack_timer.timeout.connect(self._pack_texts)
        photos.current_changed.connect(lambda: self._pack_timer.start())
        if pipeline is not None:
            pipeline.events.photos_saved.connect(self.refresh_soon)
            pipeline.events.folders_changed.connect(self._follow_folders)
            pipeline.events.scan_ended.connect(self.follow_scan)

    def data_version(self) -> int:
        """Return a number that changes when another connection writes to the catalog."""
        return self._catalog.store.data_version()

    def refresh(self) -> None:
        """Update the list with all changes in the catalog."""
        # Signals of an ending pipeline may arrive after the catalog was closed.
        if not self._closed:
            self._photos.refresh()

    def refresh_soon(self, _: object = None) -> None:
        """Refresh the photos in a moment; of many calls only the first counts until then."""
        if not (self._closed or self._read_timer.isActive()):
            self._read_timer.start(_REFRESH_MS)

    def _pack_texts(self) -> None:
        if self._table.rows.pack_texts():
            self._pack_timer.start()  # the next column

    def _read_some(self) -> None:
        """Read some changes; the list follows in an event of its own, and then the others."""
        self._more_waits = self._photos.read_changes(False, _AT_ONCE)
        self._follow_timer.start()

    def _follow(self) -> None:
        self._photos.follow_changes()
        if not self._pack_timer.isActive():
            self._pack_timer.start()
        if self._more_waits and not self._closed:
            self._read_timer.start(0)

    def _take_over(self) -> None:
        """Update the list now with folders and some changes; the others follow."""
        self._more_waits = self._photos.read_changes(True, _AT_ONCE)
        self._follow_timer.stop()
        self._follow()

    def _follow_folders(self, _: object = None) -> None:
        if not self._closed:
            self._take_over()

    def follow_scan(self, _: object = None) -> None:
        """Update the names of photos that a scan found copies of, and then sort the list again."""
        if self._closed:
            return
        rev = self._catalog.photos.last_rev()
        if rev != self._scanned_rev:  # every change of a file changes its photo
            self._scanned_rev = rev
            if renamed := self._table.refresh_copies():
                self._details.forget(renamed)
                self._photos.photos_changed.emit(renamed)
            self._photos.counts_changed.emit()  # folders that are not shown count their copies, too
        self._take_over()

    def check_for_commits(self) -> None:
        """Refresh if another connection has written to the catalog since the last check."""
        version = self._catalog.store.data_version()
        if version != self._data_version:
            self._data_version = version
            self._take_over()
            self.committed_elsewhere.emit()

    def reload(self, photo_ids: Sequence[int]) -> None:
        """Read photos again whose details changed, which the table does not show."""
        self.refresh()
        self._details.forget(photo_ids)
        self._photos.photos_changed.emit(set(photo_ids))

    def close(self) -> None:
        """Stop watching."""
        self._closed = True
        self._read_timer.stop()
        self._follow_timer.stop()
        self._poll_timer.stop()
        self._pack_timer.stop()

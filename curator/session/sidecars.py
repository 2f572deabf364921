"""Sidecars: writing them, previewing the changes, and resolving conflicts with marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing

from PySide6.QtCore import QObject, QThreadPool, Signal

from curator import exiftool
from curator.catalog import Catalog, Conflict
from curator.library.table import Table
from curator.model import KnownError, Step, counted, read_elsewhere
from curator.pipeline import Pipeline
from curator.pipeline.sidecars import SidecarNews, news_of, preview, profile_of
from curator.session.decisions import DecisionController
from curator.session.services import Services

OURS, THEIRS = "ours", "theirs"


class SidecarController(QObject):
    """Writes and compares sidecars for one window.

    Signals:
        changed: :attr:`news` changed.
        previewed(Preview | KnownError): the answer to :meth:`preview`.
        compared(list[MetadataResult] | KnownError): the answer to :meth:`compare_originals`.

    Attributes:
        news: how many sidecars wait to be written, conflict with marks, or cannot be written.

    Thread: GUI only.
    """

    changed = Signal()
    previewed = Signal(object)
    compared = Signal(object)

    def __init__(self, services: Services, table: Table, decisions: DecisionController) -> None:
        super().__init__()
        self._catalog, self._settings = services.catalog, services.settings
        self._pipeline, self._messages = services.pipeline, services.messages
        self._table, self._decisions = table, decisions
        catalog, settings, pipeline = services.catalog, services.settings, services.pipeline
        self.news = news_of(catalog.sidecars.outstanding(), settings)
        if pipeline is not None:
            pipeline.events.sidecars_changed.connect(self._on_news)

    def _on_news(self, news: SidecarNews) -> None:
        self.news = news
        if news.message:
            self._messages.announce(news.message)
        self.changed.emit()

    # --- writing

    def write(self, ids: Sequence[int]) -> None:
        """Write the sidecars of photos now; the result is reported when it is done.

        Raises:
            KnownError: the catalog cannot be written; nothing was requested.
        """
        if not ids:
            return
        self._catalog.sidecars.request_write(ids)
        one = len(ids) == 1
        what = self._table.name(ids[0]) if one else counted(len(ids), "sidecar")
        if self._pipeline is None:
            self._messages.say(f"Another Curator writes {what}")
            return
        self._messages.say(f"Writing {what}…")
        self._pipeline.write_sidecars()

    def preview(self, ids: Sequence[int]) -> None:
        """Compute what writing the sidecars of photos would change; emit :attr:`previewed`."""
        profile = profile_of(self._settings)
        if self._pipeline is not None:
            self._pipeline.sidecars.preview(ids, profile, self.previewed.emit)
            return
        path, emit = self._catalog.path, self.previewed.emit  # receivers get it on their thread

        def compare() -> None:
            try:
                with closing(Catalog.open(path)) as catalog:
                    emit(preview(catalog, ids, profile))
            except KnownError as error:
                emit(error)

        QThreadPool.globalInstance().start(compare)

    def compare_originals(self, ids: Sequence[int]) -> None:
        """Compute what embedding would change in originals; emit :attr:`compared`.

        Raises:
            KnownError: exiftool is not installed, or another Curator reads photos here.
        """
        pipeline, _ = self._embedding()
        pipeline.sidecars.compare_originals(ids, self.compared.emit)

    def embed(self, ids: Sequence[int]) -> None:
        """Embed marks in originals; call it only after the person has confirmed.

        Raises:
            KnownError: as :meth:`compare_originals`; nothing was started.
        """
        pipeline, program = self._embedding()
        self._messages.say(f"Embedding in {counted(len(ids), 'original')}…")
        pipeline.sidecars.embed(ids, program)

    def _embedding(self) -> tuple[Pipeline, str]:
        """Return the pipeline, and the path of exiftool."""
        if self._pipeline is None:
            raise read_elsewhere()
        return self._pipeline, exiftool.find(self._settings)

    # --- conflicts

    def conflicts(self) -> list[Conflict]:
        """Return the sidecars whose marks differ from the person's."""
        return self._catalog.sidecars.conflicts()

    def resolve(self, choices: Mapping[int, str]) -> None:
        """Resolve conflicts by photo: OURS writes the sidecar, THEIRS takes its marks as one step.

        Raises:
            KnownError: the catalog cannot be written.
        """
        ours = [photo for photo, side in choices.items() if side == OURS]
        theirs = [photo for photo, side in choices.items() if side == THEIRS]
        changes = file_marks(self._catalog.sidecars.conflicts(theirs))
        if changes:
            self._decisions.decide("take the file's marks", changes)
        self._catalog.sidecars.resolve_conflicts(theirs, write=False)
        self._catalog.sidecars.resolve_conflicts(ours, write=True)
        if ours and not theirs:
            self._messages.announce(f"Kept your marks: {counted(len(ours), 'photo')}")
        if self._pipeline is not None:
            self._pipeline.write_sidecars()


def file_marks(conflicts: Sequence[Conflict]) -> dict[int, dict[str, object]]:
    """Return the differing marks of the sidecars by photo; of two sidecars, the first counts."""
    found: dict[int, dict[str, object]] = {}
    for conflict in conflicts:
        fields = found.setdefault(conflict.photo_id, {})
        for name, (_, theirs) in conflict.differs.items():
            fields.setdefault(name, theirs)
    return found


def resolve(catalog: Catalog, conflicts: Sequence[Conflict], side: str) -> Step | None:
    """Resolve conflicts for the command line; return the step that took marks, if any."""
    ids = list(dict.fromkeys(conflict.photo_id for conflict in conflicts))
    step = None
    if side == THEIRS and ids:
        step = catalog.journal.decide(
            file_marks(conflicts),
            summary=f"Take the file's marks: {counted(len(ids), 'photo')}",
            context={"from": "command line"},
        )
    catalog.sidecars.resolve_conflicts(ids, write=side == OURS)
    return step


def in_words(field: str, mark: object) -> str:
    """Format a mark: ``4 stars``, ``rejected``, ``red``, ``no flag``."""
    if field == "rating":
        return counted(mark, "star") if isinstance(mark, int) else "no stars"
    if mark is None:
        return f"no {field}"
    return {"reject": "rejected"}.get(str(mark), str(mark))

"""Dialogs, and actions on folders and files, that commands request from the window.

The main window owns one; nothing here knows the main window. A dialog is imported when it opens:
most windows close without it.
"""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from PySide6.QtCore import QObject, QStandardPaths, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from curator import commands, volumes
from curator.files import IMAGE_SUFFIXES, RAW_SUFFIXES
from curator.model import KnownError, NotFoundError, View, bidi_safe, path_label
from curator.session import Session
from curator.settings import ExportSettings
from curator.ui import external_editor
from curator.ui.pages.finish_page import how_to_approve
from curator.ui.widgets import dialogs, words
from curator.ui.widgets.frames import Pictures
from curator.ui.window_keyboard import WindowKeyboard

if TYPE_CHECKING:
    from curator.ui.dialogs.export_request import ExportRequest

_PICTURES = "Photos ({});;All files (*)".format(
    " ".join(f"*{suffix} *{suffix.upper()}" for suffix in sorted(IMAGE_SUFFIXES | RAW_SUFFIXES))
)


P = ParamSpec("P")


def _says_errors(
    act: Callable[Concatenate[WindowActions, P], None],
) -> Callable[Concatenate[WindowActions, P], None]:
    """Make a method show its KnownError in the status line instead of raising it."""

    @functools.wraps(act)
    def saying(self: WindowActions, *args: P.args, **kwargs: P.kwargs) -> None:
        self._session.messages.say_errors(lambda: act(self, *args, **kwargs))

    return saying


class WindowActions(QObject):
    """Opens the dialogs of one window, and acts on folders and files.

    Args:
        window: the parent of dialogs.
        session: the window's session.
        pictures: the decoded pictures; a setting limits their memory.
        state: facts the window keeps between runs; changed in place.
        keyboard: the window's keyboard, which the settings can change.
        notes: builds the widgets that stand above a section of the settings, by section.

    Signals:
        settings_changed(set[str]): the names of settings that changed, once they are in effect.
        preview_requested(Path): the person chose a file to inspect.

    Thread: GUI.
    """

    settings_changed = Signal(object)
    preview_requested = Signal(object)

    def __init__(
        self,
        window: QWidget,
        session: Session,
        pictures: Pictures,
        state: dict[str, Any],
        keyboard: WindowKeyboard,
        notes: Callable[[], dict[str, QWidget]],
    ) -> None:
        super().__init__(window)
        self._window, self._session, self._pictures = window, session, pictures
        self._state, self._keyboard, self.notes = state, keyboard, notes
        requests = session.requests
        requests.add_folder_requested.connect(self._choose_folder)
        requests.export_requested.connect(self._export)
        requests.failures_requested.connect(self._show_failures)
        requests.settings_requested.connect(self._show_settings)
        requests.vision_settings_requested.connect(self._show_vision_settings)
        requests.editor_requested.connect(self._open_in_editor)
        requests.show_file_requested.connect(self._show_file)
        requests.show_path_requested.connect(self._show_path)
        requests.file_preview_requested.connect(self._choose_preview)
        requests.taste_requested.connect(self._open_taste)
        requests.delete_rejects_requested.connect(self._review_rejects)
        requests.remove_folder_requested.connect(self._remove_folder)
        requests.rescan_folder_requested.connect(self._rescan)

    # --- folders

    def _choose_folder(self) -> None:
        pictures = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
        start = str(self._state.get("last_folder") or pictures)
        chosen = dialogs.choose_folder(self._window, "Open a folder of photos", start)
        if chosen:
            self.open([Path(chosen)])

    def open(self, sources: Sequence[Path]) -> None:
        """Open folders and files; the first becomes the scope.

        If one is missing or cannot be read, report it and open nothing.
        """
        session = self._session
        if not sources:
            return
        if not session.messages.say_errors(lambda: session.sources.open_sources(list(sources))):
            return
        self._state["last_folder"] = str(sources[0].absolute().parent)
        more = f" and {len(sources) - 1:,} more" if len(sources) > 1 else ""
        session.messages.say(f"Opened {bidi_safe(path_label(sources[0]))}{more}")

    def switch_folder(self, folder_id: int, on: bool) -> None:
        """Switch a folder on, and rescan it, or off."""
        session = self._session
        switched = session.messages.say_errors(lambda: session.sources.enable_folder(folder_id, on))
        if switched and on:
            self._rescan(folder_id)

    def _rescan(self, folder: int) -> None:
        if self._session.pipeline is not None:
            self._session.pipeline.rescan(folder)
            self._session.messages.say("Looking for new and missing files…")

    @_says_errors
    def _remove_folder(self, folder: int) -> None:
        """Ask whether to remove a folder, and whether its photos stay."""
        sources = self._session.sources
        row = next((row for row in sources.folders(counted=True) if row.id == folder), None)
        answer = dialogs.ask(self._window, dialogs.folder_removal(row)) if row else None
        if row is None or answer is None:
            return
        sources.remove_folder(row.id, keep_photos=answer == "stay")
        stay = "its photos stay" if answer == "stay" else "its files are untouched"
        self._session.messages.announce(f"Removed {Path(row.path).name}; {stay}")

    # --- files

    @_says_errors
    def _show_file(self, photo: int) -> None:
        _show_in_file_manager(self._session.detail(photo).path)

    @_says_errors
    def _show_path(self, path: str) -> None:
        _show_in_file_manager(Path(path))

    @_says_errors
    def _open_in_editor(self, photos: Sequence[int]) -> None:
        paths = [self._session.detail(photo).path for photo in photos]
        if paths:
            external_editor.open_in(self._session.settings.editing.program, paths)
            name = bidi_safe(paths[0].name) if len(paths) == 1 else words.photos(len(paths))
            self._session.messages.say(f"Opened {name} in the editor")

    def _choose_preview(self) -> None:
        chosen = dialogs.choose_file(self._window, "Inspect file", pattern=_PICTURES)
        if chosen:
            self.preview_requested.emit(Path(chosen))

    # --- going to a photo

    def visit(self, photo_id: int) -> None:
        """Show a photo in the loupe, wherever it is."""
        self._session.visit(photo_id)
        self._session.viewer.set_view(View.LOUPE)

    def show_in_loupe(self, photo_id: int) -> None:
        """Show a photo of the finish page in the loupe: in the pass, or else in the scope."""
        session = self._session
        if photo_id not in session.photos.listing:
            commands.run(session, "browse")
        if photo_id not in session.photos.listing:
            session.search.set_filter("")
        session.navigator.go_to(photo_id)
        session.viewer.set_view(View.LOUPE)

    # --- dialogs

    @_says_errors
    def _export(self, selected: Collection[int] | None) -> None:
        """Open the export dialog for the scope; with ``selected`` at first for these photos only.

        Raises:
            KnownError: no photo to export is approved.
        """
        from curator.ui.dialogs.export_dialog import ExportDialog

        session = self._session
        request = self._export_request(selected)
        if request.only_selected and not request.selected:  # they are shown until F5
            raise KnownError(
                f"The selected photos are no longer in {bidi_safe(request.title)}.",
                "Put them back, or export from their folder.",
            )
        if request.only_selected and not request.approved(only_selected=True):
            number = len(request.selected)
            text = f"None of the {number:,} selected photos is approved yet."
            if number == 1:
                text = f"{session.table.name(request.selected[0])} is not approved yet."
            raise KnownError(text, how_to_approve(session))
        if not request.approved():
            raise KnownError("No photo here is approved yet.", how_to_approve(session))
        dialog = ExportDialog(request, session.settings, self._window)
        dialog.exec()
        if dialog.report is not None:
            folder = {dialog.form.kind: str(dialog.report.folder)}
            self._state["export_folders"] = {**self._export_folders(), **folder}
            self._state["export_choices"] = dialog.form.choices().model_dump(mode="json")
            session.messages.announce(dialog.title.text())
        dialog.deleteLater()

    def _export_request(self, asked: Collection[int] | None) -> ExportRequest:
        from curator.ui.dialogs.export_request import ExportRequest

        session = self._session
        project = session.table.projects.row(session.criteria.scope.project)
        ids = session.projects.members(project.id) if project else session.statistics.scope_ids()
        chosen = frozenset(asked or ())
        if asked is None and len(session.photos.selection) > 1:
            chosen = frozenset(session.photos.selection)
        scores, model = session.taste.scores_for_export()
        try:
            choices = ExportSettings.model_validate(self._state.get("export_choices"))
        except ValueError:  # none yet, or from another version
            choices = None
        return ExportRequest(
            session.criteria.scope.title,
            ids,
            session.statistics.approved(),
            session.home,
            folders=session.sources.folders(),
            last_folders=self._export_folders(),
            scores=scores,
            match_model=model,
            project=project.name if project else None,
            notes=project.notes if project else "",
            choices=choices,
            selected=[photo for photo in ids if photo in chosen],
            only_selected=asked is not None,
        )

    def _export_folders(self) -> dict[str, str]:
        """Return the folder of the last export of each kind."""
        kept = self._state.get("export_folders")
        return dict(kept) if isinstance(kept, dict) else {}

    @_says_errors
    def _show_failures(self) -> None:
        from curator.ui.dialogs.failures_dialog import FailuresDialog

        sources, show = self._session.sources, self._session.visit
        dialog = FailuresDialog(sources.failures, sources.retry_all, show, self._window)
        dialog.exec()
        dialog.deleteLater()

    @_says_errors
    def _show_settings(self) -> None:
        self.settings()

    @_says_errors
    def _show_vision_settings(self) -> None:
        self.settings(section="vision")

    def settings(self, page: str = "Settings", section: str = "") -> None:
        """Open the settings at one of their pages or sections."""
        from curator.ui.dialogs.settings_dialog import SettingsDialog

        session, keys = self._session, self._keyboard.keyboard
        dialog = SettingsDialog(session.settings, session.home, self._window, self.notes(), keys)
        dialog.show_page(page)
        if section:
            dialog.turn_to_section(section)
        if dialog.exec():
            self._keyboard.use(dialog.keys.keyboard)
            if dialog.changed or dialog.keys.keyboard != keys:
                session.messages.say("Settings saved")
        if dialog.changed:
            self.apply_settings(dialog.changed)
        dialog.deleteLater()

    def apply_settings(self, changed: set[str]) -> None:
        """Put changed settings into effect, as far as they need no restart."""
        session, pipeline = self._session, self._session.pipeline
        settings = session.settings
        session.view_state.set_surround(settings.loupe.surround)
        self._pictures.frames.budget_bytes = settings.loupe.frames_mb << 20
        session.descriptions.settings_changed(changed)
        if "scan.watch" in changed and pipeline is not None:
            pipeline.apply_watching_settings()
        if "faces.on" in changed and pipeline is not None:
            pipeline.apply_faces_settings()
        if "text.automatic" in changed:
            session.text.apply_settings()
        if changed & {"taste.match_threshold", "approval.rule"}:
            session.photos.rebuild(session.current)
            session.photos.counts_changed.emit()
        if any(name.startswith("sidecars.") for name in changed) and pipeline is not None:
            pipeline.write_sidecars()
        if any(name.startswith("taste.") for name in changed):
            if "taste.from_files" in changed:
                session.taste.learner.everything_changed()
            session.taste.learner.vectors_changed()  # the weight of recent ratings may have changed
        self.settings_changed.emit(changed)
        session.preferences.changed.emit()

    def _open_taste(self) -> None:
        from curator.ui.pages.taste_page import TastePage

        page = TastePage(self._session, self._pictures, self._window)
        page.finished.connect(page.deleteLater)
        page.open()

    @_says_errors
    def _review_rejects(self) -> None:
        from curator.ui.dialogs.rejects_dialog import review_rejects

        review_rejects(self._session, self._pictures, self._window)


def _show_in_file_manager(path: Path) -> None:
    """Show a file in the file manager, selected if possible; open a folder.

    Raises:
        NotFoundError: there is no such file or folder.
    """
    if volumes.status(path) is None:
        raise NotFoundError(f"{path} is missing.", "Is its drive connected?")
    if sys.platform == "darwin":
        subprocess.run(["open", "-R", str(path)], check=False)
    elif sys.platform == "win32":
        subprocess.run(["explorer", "/select,", str(path)], check=False)
    else:
        folder = path if volumes.is_folder(path) else path.parent
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

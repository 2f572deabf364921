"""The preview of one file without adding it to the catalog: its picture and its facts.

The main window opens it for a single dropped file. It covers the window and takes every key, so
that no key can mark a photo below it. Nothing of the file is kept when it closes.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from curator.model import bidi_safe
from curator.session import FilePreviewLoader, Session
from curator.session.file_preview import FilePreview
from curator.ui.loupe.picture_view import PictureView
from curator.ui.panels.photo_sections import Section, breakable, in_words, section_block, sections
from curator.ui.widgets import layouts, theme, words
from curator.ui.widgets.overlay_panel import OverlayPanel

# Width of the facts and their margins, px; the narrow ones below theme.NARROW.
_WIDTH, _MARGIN = 376, 32
_NARROW_WIDTH, _NARROW_MARGIN = 320, 20
_LARGEST_PX = 3840


class FileFacts(QWidget):
    """Name, kind and facts of a file, in the sections of the inspector."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumWidth(1)  # never wider than the panel, however long a file name is
        column = layouts.column(self)
        self._sections = QVBoxLayout()
        column.addLayout(self._sections)
        column.addStretch(1)

    def show_preview(self, preview: FilePreview) -> None:
        """Show everything known about a file so far."""
        theme.clear_layout(self._sections)
        name = preview.path.name if preview.quality is None else preview.path.stem
        self._add(theme.wrapped(breakable(bidi_safe(name) or words.path(preview.path)), "large"))
        if preview.quality is None:
            folder = breakable(str(preview.path.parent))
            self._add(theme.wrapped(folder if preview.refused else "Reading…", "quiet"))
            return
        self._add(theme.wrapped(preview.form, "quiet"))
        match, undescribed = _match_rows(preview), preview.undescribed
        for section in sections(preview.detail(), taste=match, describing=undescribed):
            self._add(section_block(section))
        if preview.tags == ():
            self._add(section_block(Section("Tags", [("Suggested", "none")])))
        note = theme.wrapped(preview.encoder_sentence, "caption")
        note.setContentsMargins(0, 14, 0, 0)
        self._add(note)

    def _add(self, widget: QWidget) -> None:
        self._sections.addWidget(widget)
        widget.show()


def _match_rows(preview: FilePreview) -> list[tuple[str, str]]:
    """Return what the taste model predicts, or why it does not."""
    why = preview.why
    if why is not None:
        sure = f"±{why.std:.1f} · {why.certainty}"
        if why.match is None:
            return [("Expected", f"{why.stars:.1f} stars\n{sure}")]
        return [("Match", f"{why.match}\n{why.stars:.1f} stars expected\n{sure}")]
    return [("Match", preview.unmatched)] if preview.unmatched else []


class FilePreviewPanel(OverlayPanel):
    """Covers the window with picture and facts of one file; Esc closes it.

    Signals:
        folder_requested(Path): the folder of the file is to be opened.
        photo_requested(int): the photo the file belongs to is to be shown.

    Attributes:
        picture: shows the picture, or why there is none.
        facts: shows what is known about the file.

    Thread: GUI.
    """

    folder_requested = Signal(object)
    photo_requested = Signal(int)

    def __init__(self, parent: QWidget, session: Session) -> None:
        super().__init__(parent, _WIDTH)
        self._session = session
        self._loader: FilePreviewLoader | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("File preview")
        self.panel.setObjectName("filepreview")
        self.picture, self.facts = PictureView(self), FileFacts()
        column = layouts.column(self.panel, margins=(1, 0, 0, 0))
        self._scroll = theme.scrolled(self.facts)
        column.addWidget(self._scroll, 1)
        column.addWidget(self._make_footer())

    def _make_footer(self) -> QWidget:
        self._footer = QWidget()
        theme.style_as(self._footer, "filepreviewfoot")
        column = layouts.column(self._footer, spacing=12)
        self.standing = theme.wrapped("", "caption")
        self.show_button = QPushButton("Show photo")
        self.folder_button = QPushButton("Open folder")
        self.close_button = QPushButton("Close")
        row = layouts.row(spacing=8)
        self.show_button.clicked.connect(self._show_photo)
        self.folder_button.clicked.connect(self._open_folder)
        self.close_button.clicked.connect(self.close_panel)
        self.buttons = self.show_button, self.folder_button, self.close_button
        for button in self.buttons:
            button.setAutoDefault(False)
            row.addWidget(button)
        row.addStretch(1)
        column.addWidget(self.standing)
        column.addLayout(row)
        return self._footer

    # --- opening and closing

    def open(self, path: Path) -> None:
        """Cover the window with the preview of a file; the preview of another file closes."""
        self._release()
        self._loader = self._session.preview_file(path)
        self._loader.changed.connect(self._show)
        self.setAccessibleName(f"Preview of {path.name}")
        self._show(self._loader.preview)
        self.place()
        self.show()
        self.raise_()
        self.setFocus()
        screen = self.screen().size() * self.devicePixelRatioF()
        self._loader.begin(min(max(screen.width(), screen.height()), _LARGEST_PX))

    def close_panel(self) -> None:
        """Uncover the window and release everything about the file."""
        if self._loader is not None:
            self._release()
            super().close_panel()

    def _release(self) -> None:
        if self._loader is not None:
            self._loader.close()
            self._loader.deleteLater()
            self._loader = None
        self.picture.show_message("")

    def _show(self, preview: FilePreview) -> None:
        if preview.picture is None:
            if preview.refused:
                self.picture.show_message(preview.refused)
        else:
            height, width = preview.picture.array.shape[:2]
            capture = preview.detail().capture
            full_size = QSize(capture.width or width, capture.height or height)
            self.picture.show_picture(preview.picture.array, full_size)
        self.facts.show_preview(preview)
        table = self._session.table
        self.show_button.setVisible(preview.photo is not None and preview.photo in table)
        self.standing.setText(self._standing(preview))
        self.standing.setVisible(bool(self.standing.text()))

    def _standing(self, preview: FilePreview) -> str:
        """Return whether the file is in the catalog, and its marks there."""
        if preview.photo is None:
            return "Not in the catalog. Curator stores nothing about it." if preview.form else ""
        if preview.photo not in self._session.table:
            return "In the catalog."
        (marks,) = self._session.photos.details.marks_of([preview.photo])
        return f"In the catalog: {in_words(marks)}."

    def _show_photo(self) -> None:
        photo = self._loader.preview.photo if self._loader is not None else None
        self.close_panel()
        if photo is not None:
            self.photo_requested.emit(photo)

    def _open_folder(self) -> None:
        if self._loader is not None:
            folder = self._loader.preview.path.parent
            self.close_panel()
            self.folder_requested.emit(folder)

    def place(self) -> None:
        """Place the picture and the facts side by side over the whole window."""
        self.setGeometry(self._covered.rect())
        narrow = self.width() < theme.NARROW
        width, margin = (_NARROW_WIDTH, _NARROW_MARGIN) if narrow else (_WIDTH, _MARGIN)
        self.facts.setContentsMargins(margin, margin + 8, margin, 22)
        self._footer.setContentsMargins(margin, 14, margin, margin - 8)
        self.panel.setGeometry(self.width() - width, 0, width, self.height())
        self.picture.setGeometry(0, 0, self.width() - width, self.height())

    # --- keys and mouse

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close with Esc, scroll the facts, press the focused button with Enter."""
        if event.key() == Qt.Key.Key_Escape:
            self.close_panel()
        elif theme.scroll_by_key(self._scroll, event.key()):
            return
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            for button in self.buttons:
                if button.hasFocus():
                    button.click()
                    return

    def focusNextPrevChild(self, following: bool) -> bool:
        """Move the focus among the buttons only; widgets below the preview are not reached."""
        shown = [button for button in self.buttons if button.isVisible()]
        if not shown:  # while the preview is closing, the page takes the keyboard
            return False
        focused = [button for button in shown if button.hasFocus()]
        at = shown.index(focused[0]) + (1 if following else -1) if focused else 0
        shown[at % len(shown)].setFocus(Qt.FocusReason.TabFocusReason)
        return True

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Accept every press, so that none reaches the widgets below or closes the preview."""

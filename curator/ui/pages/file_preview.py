"""A photo that is in no catalog, shown as a museum shows a picture: beside it a label, no more."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import (
    QAbstractSlider,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from curator.library.captions import MEASURED
from curator.model import bidi_safe
from curator.session import Session
from curator.session.file_preview import Glance, Placard, clipped, made
from curator.ui.panels.description import sentences
from curator.ui.panels.inspector import breakable, in_words
from curator.ui.widgets import theme, words
from curator.ui.widgets.frames import Frame
from curator.ui.widgets.tag_chips import TagChips

# Width of the label and its margins, px; the narrow ones under theme.NARROW.
_LABEL, _MARGIN = 376, 32
_NARROW_LABEL, _NARROW_MARGIN = 320, 20
_AROUND = 24  # of the picture
_GAP = 22  # between parts of the label
_LARGEST_PX = 3840
_SCROLLS = {
    Qt.Key.Key_Down: QAbstractSlider.SliderAction.SliderSingleStepAdd,
    Qt.Key.Key_Up: QAbstractSlider.SliderAction.SliderSingleStepSub,
    Qt.Key.Key_PageDown: QAbstractSlider.SliderAction.SliderPageStepAdd,
    Qt.Key.Key_PageUp: QAbstractSlider.SliderAction.SliderPageStepSub,
}


class Wall(QWidget):
    """The picture on canvas, fitted, never larger than the file's own pixels.

    Attributes:
        words: what stands there without a picture.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._frame: Frame | None = None
        self._whole = QSize()
        self._fitted: tuple[QSize, QPixmap] | None = None
        self.words = ""

    def hang(self, placard: Placard) -> None:
        """Show a placard's picture, or in its place the reason why there is none."""
        pixels, capture = placard.picture, placard.capture
        if pixels is None or (self._frame is not None and self._frame.pixels is pixels.array):
            self.words = placard.refused
        else:
            self._frame = Frame.of(pixels.array)
            image = self._frame.image
            width = capture.width if capture is not None else None
            height = capture.height if capture is not None else None
            self._whole = QSize(width or image.width(), height or image.height())
            self._fitted, self.words = None, ""
        self.update()

    def clear(self) -> None:
        """Take the picture down, and let its memory go."""
        self._frame = self._fitted = None
        self.words = ""
        self.update()

    def place(self) -> QRect:
        """Say where the picture hangs, logical px; empty without one."""
        if self._frame is None:
            return QRect()
        ratio = self.devicePixelRatioF()
        room = self.rect().adjusted(_AROUND, _AROUND, -_AROUND, -_AROUND)
        size = QSize(self._whole)
        if size.width() > room.width() * ratio or size.height() > room.height() * ratio:
            size.scale(room.size() * ratio, Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect(
            0, 0, max(round(size.width() / ratio), 1), max(round(size.height() / ratio), 1)
        )
        place.moveCenter(room.center())
        return place

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the picture, or the words in its place."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.CANVAS)
        if self._frame is not None:
            place = self.place()
            painter.drawPixmap(place.topLeft(), self._pixmap(place.size()))
        elif self.words:
            painter.setPen(theme.QUIET)
            room = self.rect().adjusted(2 * _MARGIN, _MARGIN, -2 * _MARGIN, -_MARGIN)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(room, int(flags), self.words)

    def _pixmap(self, size: QSize) -> QPixmap:
        """Scale the picture once for a size, not at every paint."""
        assert self._frame is not None
        ratio = self.devicePixelRatioF()
        if self._fitted is None or self._fitted[0] != size * ratio:
            smooth = Qt.TransformationMode.SmoothTransformation
            aspect = Qt.AspectRatioMode.IgnoreAspectRatio
            shown = QPixmap.fromImage(self._frame.image.scaled(size * ratio, aspect, smooth))
            shown.setDevicePixelRatio(ratio)
            self._fitted = size * ratio, shown
        return self._fitted[1]


class Label(QWidget):
    """What is known of the file: how it was made, what was measured, its tags, the file."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumWidth(1)  # never wider than its column, whatever a file is called
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        self._parts = QVBoxLayout()
        self._parts.setSpacing(_GAP)
        whole.addLayout(self._parts)
        whole.addStretch(1)

    def show_placard(self, placard: Placard) -> None:
        """Show all that is known of a file now."""
        theme.clear_layout(self._parts)
        self._title(placard)
        if placard.quality is not None:
            self._scores(placard)
            self._description(placard)
            self._tags(placard)
            self._file(placard)

    def _part(self) -> QVBoxLayout:
        widget = QWidget()
        column = QVBoxLayout(widget)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self._parts.addWidget(widget)
        widget.show()
        return column

    def _title(self, placard: Placard) -> None:
        part = self._part()
        name = placard.path.name if placard.quality is None else placard.path.stem
        part.addWidget(_line(breakable(bidi_safe(name) or words.path(placard.path)), "large"))
        part.addSpacing(4)
        if placard.capture is not None:
            taken, *rest = made(placard.capture) or ("Its maker wrote nothing into it.",)
            part.addWidget(_line(taken, "" if rest else "quiet"))
            for text in rest:
                part.addWidget(_line(text, "quiet"))
        else:
            told = breakable(str(placard.path.parent)) if placard.refused else "Reading…"
            part.addWidget(_line(told, "quiet"))
        if placard.damage:
            part.addSpacing(4)
            part.addWidget(_line(placard.damage))

    def _scores(self, placard: Placard) -> None:
        quality, why = placard.quality, placard.why
        assert quality is not None
        measured = "" if placard.basis in ("", "image") else MEASURED[placard.basis]
        of = words.joined(("of 100", measured))
        rows = []
        if not placard.damage:
            rows.append(("Sharpness", f"{quality.sharpness:.0f}", of))
            rows.append(("Exposure", f"{quality.exposure:.0f}", clipped(quality)))
        if why is not None:
            told = f"{why.stars:.1f} stars expected, ±\u00a0{why.std:.1f}\n{why.doubt}"
            rows.append(("Match", f"{why.match}", told))
        elif placard.unmatched:
            rows.append(("Match", "", placard.unmatched))
        part = self._part()
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        grid.setColumnMinimumWidth(0, 72)
        grid.setColumnStretch(2, 1)
        top = Qt.AlignmentFlag.AlignTop
        for number, (name, value, said) in enumerate(rows):
            head = _line(name)
            head.setContentsMargins(0, 2, 0, 0)
            grid.addWidget(head, number, 0, top)
            if value:
                score = theme.plain(value, role="score")
                score.setAlignment(Qt.AlignmentFlag.AlignCenter)
                grid.addWidget(score, number, 1, top)
            words_ = _line(said, "quiet")
            words_.setContentsMargins(0, 2, 0, 0)
            grid.addWidget(words_, number, 2 if value else 1, 1, 1 if value else 2, top)
        part.addLayout(grid)

    def _description(self, placard: Placard) -> None:
        if placard.description is None and not placard.undescribed:
            return
        part = self._part()
        part.addWidget(_head("Description"))
        if placard.description is None:
            part.addWidget(_line(placard.undescribed, "quiet"))
            return
        for label in sentences(placard.description):
            part.addWidget(label)

    def _tags(self, placard: Placard) -> None:
        if placard.tags is None:
            return
        part = self._part()
        part.addWidget(_head("Tags"))
        if placard.tags:
            part.addWidget(TagChips(placard.tags))
        else:
            part.addWidget(_line("The encoder is sure of none.", "quiet"))

    def _file(self, placard: Placard) -> None:
        capture, part = placard.capture, self._part()
        part.addWidget(_head("File"))
        size = capture and capture.width and capture.height
        pixels = words.megapixels(capture.width, capture.height) if capture and size else None  # type: ignore[arg-type]
        part.addWidget(_line(words.joined((placard.form, words.size(placard.size)))))
        if pixels:
            part.addWidget(_line(pixels, "quiet"))
        part.addWidget(_line(breakable(str(placard.path.parent)), "quiet"))
        part.addSpacing(_GAP - 4)
        part.addWidget(_line(placard.compared, "caption"))


def _line(text: str, role: str = "") -> QLabel:
    label = theme.plain(text, role=role)
    label.setWordWrap(True)
    return label


def _head(text: str) -> QLabel:
    return theme.plain(text, role="section")


class FilePreview(QWidget):
    """Lies over the whole window; Esc takes it away, and everything is as it was.

    Signals:
        left: it was closed; somebody should take the keyboard.
        folder_requested(Path): the folder of the file is to be opened.
        photo_requested(int): the photo the file is, is to be shown.

    Thread: GUI.
    """

    closed = Signal()
    folder_requested = Signal(object)
    photo_requested = Signal(int)

    def __init__(self, parent: QWidget, session: Session) -> None:
        super().__init__(parent)
        self._covered, self._session = parent, session
        self._glance: Glance | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Placard")
        self.wall = Wall(self)
        self.panel = QWidget(self)
        self.panel.setObjectName("placard")
        self.panel.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.label = Label()
        self._make_foot()
        parent.installEventFilter(self)
        self.hide()

    def _make_foot(self) -> None:
        column = QVBoxLayout(self.panel)
        column.setContentsMargins(1, 0, 0, 0)
        column.setSpacing(0)
        self._scroll = theme.scrolled(self.label)
        column.addWidget(self._scroll, 1)
        self._foot = QWidget()
        self._foot.setObjectName("placardfoot")
        self._foot.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        foot = QVBoxLayout(self._foot)
        foot.setContentsMargins(0, 0, 0, 0)
        foot.setSpacing(12)
        self.standing = _line("", "caption")
        self.show_ = QPushButton("Show it")
        self.folder = QPushButton("Open its folder")
        self.shut = QPushButton("Close")
        acts = QHBoxLayout()
        acts.setSpacing(8)
        self.buttons = (self.show_, self.folder, self.shut)
        for button, act in zip(
            self.buttons, (self._show_photo, self._open_folder, self.close_panel), strict=True
        ):
            button.setAutoDefault(False)
            button.clicked.connect(act)
            acts.addWidget(button)
        acts.addStretch(1)
        foot.addWidget(self.standing)
        foot.addLayout(acts)
        column.addWidget(self._foot)

    # --- coming and going

    def open(self, path: Path) -> None:
        """Cover the window with the placard of a file; another one's goes."""
        self._let_go()
        self._glance = Glance(self._session, path, self)
        self._glance.told.connect(self._show)
        self.setAccessibleName(f"Placard of {path.name}")
        self._show(self._glance.placard)
        self._cover()
        self.show()
        self.raise_()
        self.setFocus()
        screen = self.screen().size() * self.devicePixelRatioF()
        self._glance.begin(min(max(screen.width(), screen.height()), _LARGEST_PX))

    def close_panel(self) -> None:
        """Uncover the window; nothing of the file is kept."""
        if self._glance is None:
            return
        self._let_go()
        self.hide()
        self.closed.emit()

    def _let_go(self) -> None:
        if self._glance is not None:
            self._glance.close()
            self._glance.deleteLater()
            self._glance = None
        self.wall.clear()

    def _show(self, placard: Placard) -> None:
        self.wall.hang(placard)
        self.label.show_placard(placard)
        known = placard.photo is not None
        self.show_.setVisible(known and placard.photo in self._session.table)
        self.standing.setText(self._said_of(placard))
        self.standing.setVisible(bool(self.standing.text()))

    def _said_of(self, placard: Placard) -> str:
        if placard.photo is None:
            return "Not in the catalog, and nothing of it is kept." if placard.form else ""
        if placard.photo not in self._session.table:
            return "In the catalog."
        return f"In the catalog: {in_words(self._session.table.marks(placard.photo))}."

    def _show_photo(self) -> None:
        photo = self._glance.placard.photo if self._glance is not None else None
        self.close_panel()
        if photo is not None:
            self.photo_requested.emit(photo)

    def _open_folder(self) -> None:
        if self._glance is not None:
            folder = self._glance.placard.path.parent
            self.close_panel()
            self.folder_requested.emit(folder)

    # --- place

    def _cover(self) -> None:
        self.setGeometry(self._covered.rect())
        narrow = self.width() < theme.NARROW
        wide, margin = (_NARROW_LABEL, _NARROW_MARGIN) if narrow else (_LABEL, _MARGIN)
        self.label.setContentsMargins(margin, margin + 8, margin, _GAP)
        self._foot.setContentsMargins(margin, 14, margin, margin - 8)
        self.panel.setGeometry(self.width() - wide, 0, wide, self.height())
        self.wall.setGeometry(0, 0, self.width() - wide, self.height())

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """Follow the size of the window."""
        if event.type() is QEvent.Type.Resize and self.isVisible():
            self._cover()
        return False

    # --- keys

    def event(self, event: QEvent) -> bool:
        """Take every key for itself: none of them may mark a photo under the placard."""
        if event.type() is QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close with Esc, scroll with what scrolls, press with Enter the button one is on."""
        if event.key() == Qt.Key.Key_Escape:
            self.close_panel()
        elif event.key() in _SCROLLS:
            self._scroll.verticalScrollBar().triggerAction(_SCROLLS[Qt.Key(event.key())])
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            for button in self.buttons:
                if button.hasFocus():
                    button.click()
                    return

    def focusNextPrevChild(self, following: bool) -> bool:
        """Walk from button to button; what lies under the placard is not reached."""
        shown = [button for button in self.buttons if button.isVisible()]
        if not shown:  # on its way out of sight: whoever it uncovers takes the keyboard
            return False
        focused = [button for button in shown if button.hasFocus()]
        at = shown.index(focused[0]) + (1 if following else -1) if focused else 0
        shown[at % len(shown)].setFocus(Qt.FocusReason.TabFocusReason)
        return True

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Keep a press from what lies beneath."""

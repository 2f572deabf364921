"""The export dialog's form: preset, format, size, metadata and file names, as `ExportSettings`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QRadioButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from curator import naming
from curator.export import presets
from curator.export.presets import Preset
from curator.home import Home
from curator.model import KnownError
from curator.settings import ExportSettings, kept_metadata
from curator.ui.widgets import layouts, theme

LABELS = 76  # px: width of the column of labels
_NUMBER = 64

_CUSTOM = "Custom"
_SHARPEN = {
    "off": "Not sharpened",
    "screen": "Sharpened for screens",
    "print": "Sharpened for print",
}
_METADATA = {"all": "All, with location", "no_location": "Without location", "none": "None"}
_LOCATION = {"all": "Include location", "no_location": "Remove location"}  # of copies
_PAIRS = {"both": "Both files", "raw": "RAW only", "jpeg": "JPEG only"}
_MADE_OF = {"raw": "From the RAW", "jpeg": "From the JPEG"}


class ExportForm(QWidget):
    """Edits export settings, and saves them as presets.

    Args:
        home: contains the presets.
        choices: the settings to start from.

    Signals:
        changed: the person changed a setting.
    """

    changed = Signal()

    def __init__(self, home: Home, choices: ExportSettings) -> None:
        super().__init__()
        self._home = home
        self._filling = False
        self._presets: Sequence[Preset] = ()
        self._metadata_is_chosen = False  # whether the person chose the metadata
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnMinimumWidth(0, LABELS)
        self._grid.setColumnStretch(1, 1)
        self._add_presets()
        self._add_kinds()
        self._add_picture()
        self._add_metadata()
        self._add_names()
        # The typed fields by setting, each with the function that reads it.
        self._typed: Mapping[str, tuple[QLineEdit, Callable[[str], object]]] = {
            "long_edge_px": (self.long_edge, _long_edge),
            "jpeg_quality": (self.quality, _quality),
            "names": (self.names, _names),
        }
        self.fill(choices)
        self._list_presets()

    # --- choices

    def choices(self) -> ExportSettings:
        """Return the chosen settings; of a hidden field that is invalid, its last valid value.

        Raises:
            KnownError: a size or the quality is out of range, or the file names are invalid.
        """
        kind = self.kind
        for name, (field, read) in self._typed.items():
            try:
                self._valid[name] = read(field.text())
            except KnownError:
                if field.isVisibleTo(self):
                    raise
        return ExportSettings(
            target="folder" if kind in ("original", "jpeg") else kind,
            form="original" if kind in ("original", "sidecar") else "jpeg",
            sharpen=self.sharpen.currentData(),
            metadata=self.metadata.currentData(),
            pair=self.pair.currentData(),
            **self._valid,
        )

    def fill(self, choices: ExportSettings) -> None:
        """Show settings."""
        self._filling = True
        # The last valid values of the typed fields.
        self._valid: dict[str, Any] = {name: getattr(choices, name) for name in self._typed}
        kind = choices.form if choices.target == "folder" else choices.target
        self.kinds[kind].setChecked(True)
        self.long_edge.setText(str(choices.long_edge_px))
        self.quality.setText(str(choices.jpeg_quality))
        self.names.setText(choices.names)
        self._metadata_is_chosen = choices.metadata != "auto"
        self._show_kind()
        for combo, value in (
            (self.sharpen, choices.sharpen),
            (self.metadata, choices.kept),
            (self.pair, choices.pair),
        ):
            combo.setCurrentIndex(max(0, combo.findData(value)))
        self._filling = False

    def preview(self, names: list[str]) -> None:
        """Show the names of the first few files as an example."""
        shown = ", ".join(name.rpartition("/")[2] for name in names)
        metrics, elide = self.name_examples.fontMetrics(), Qt.TextElideMode.ElideRight
        self.name_examples.setText(metrics.elidedText(shown, elide, self.names.width()))

    @property
    def kind(self) -> str:
        """The kind of export: "original", "jpeg", "gallery" or "sidecar"."""
        return next(kind for kind, button in self.kinds.items() if button.isChecked())

    # --- parts

    def _row(self, label: str, part: QWidget | QHBoxLayout) -> QLabel:
        row = self._grid.rowCount()
        title = theme.plain(label, role="quiet")
        title.setFixedHeight(theme.ROW)
        self._grid.addWidget(title, row, 0, Qt.AlignmentFlag.AlignTop)
        if isinstance(part, QWidget):
            self._grid.addWidget(part, row, 1)
        else:
            self._grid.addLayout(part, row, 1)
        return title

    def _add_presets(self) -> None:
        self.preset = QComboBox()
        self.preset.setAccessibleName("Preset")
        self.preset.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.preset.activated.connect(self._use_preset)
        self.preset_name = QLineEdit()
        self.preset_name.setPlaceholderText("Name of the preset")
        self.preset_name.setAccessibleName("Name of the preset")
        self.preset_name.returnPressed.connect(self.save_preset)
        self.save_button = _link("Save as…", self.save_preset)
        self.remove_button = _link("Remove", self.remove_preset)
        line = layouts.row(spacing=8)
        for part in (self.preset, self.preset_name):
            line.addWidget(part, 1)
        line.addWidget(self.save_button)
        line.addWidget(self.remove_button)
        self._row("Preset", line)
        self.preset_name.hide()

    def _add_kinds(self) -> None:
        line = layouts.row(spacing=20)
        self._group = QButtonGroup(self)
        self.kinds: dict[str, QRadioButton] = {}
        for kind, title in (
            ("original", "Originals"),
            ("jpeg", "JPEGs"),
            ("gallery", "Web gallery"),
            ("sidecar", "Sidecars only"),
        ):
            button = QRadioButton(title)
            button.toggled.connect(self._kind_toggled)
            self._group.addButton(button)
            line.addWidget(button)
            self.kinds[kind] = button
        line.addStretch(1)
        self._row("As", line)

    def _add_picture(self) -> None:
        self.long_edge, self.quality = QLineEdit(), QLineEdit()
        for field, name in ((self.long_edge, "Long edge in pixels"), (self.quality, "Quality")):
            field.setFixedWidth(_NUMBER)
            field.setAlignment(Qt.AlignmentFlag.AlignRight)
            field.setAccessibleName(name)
            field.textChanged.connect(self._on_edited)
        self.sharpen = _combo(_SHARPEN, "Sharpening", self._on_edited)
        self._picture = QWidget()
        line = layouts.row(self._picture, spacing=8)
        line.addWidget(self.long_edge)
        line.addWidget(theme.plain("px", role="quiet"))
        line.addSpacing(8)
        line.addWidget(theme.plain("Quality", role="quiet"))
        line.addWidget(self.quality)
        line.addStretch(1)
        line.addWidget(self.sharpen)
        self._picture_label = self._row("Long edge", self._picture)

    def _add_metadata(self) -> None:
        self.metadata = _combo(_METADATA, "Metadata", self._on_edited)
        self.metadata.activated.connect(self._on_metadata_chosen)
        self.pair = _combo(_PAIRS, "RAW+JPEG pairs", self._on_edited)
        line = layouts.row(spacing=8)
        line.addWidget(self.metadata)
        line.addSpacing(8)
        self._pair_label = theme.plain("RAW+JPEG pairs", role="quiet")
        line.addWidget(self._pair_label)
        line.addWidget(self.pair)
        line.addStretch(1)
        self._metadata_label = self._row("Metadata", line)

    def _add_names(self) -> None:
        self.names = QLineEdit()
        self.names.setAccessibleName("Names of files")
        self.names.textChanged.connect(self._on_edited)
        known = "\n".join(map("  ".join, naming.words(naming.Purpose.EXPORT).items()))
        self.names.setToolTip(theme.plain_tip(known))
        self.name_examples = theme.plain("", role="caption")
        self.name_examples.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        holder = QWidget()
        column = layouts.column(holder, spacing=2)
        column.addWidget(self.names)
        column.addWidget(self.name_examples)
        self._names_label = self._row("Names", holder)

    # --- reactions

    def _on_edited(self) -> None:
        if self._filling:
            return
        self.preset.setCurrentIndex(0)
        self._show_remove_button()
        self.changed.emit()

    def _kind_toggled(self, on: bool) -> None:
        if on:
            self._show_kind()
            self._on_edited()

    def _on_metadata_chosen(self) -> None:
        self._metadata_is_chosen = True  # for all formats

    def _show_kind(self) -> None:
        only_sidecars = self.kind == "sidecar"  # they are named after their photos
        copies = only_sidecars or self.kind == "original"
        for part in (self._picture, self._picture_label):
            part.setVisible(not copies)
        for part in (self._pair_label, self.pair, self.names, self._names_label):
            part.setVisible(not only_sidecars)
        self._metadata_label.setText("Location" if copies else "Metadata")
        form = "original" if copies else "jpeg"
        asked = str(self.metadata.currentData()) if self._metadata_is_chosen else "auto"
        kept = kept_metadata(asked, "folder", form)
        self._refill(self.metadata, _LOCATION if copies else _METADATA, kept)
        self._refill(self.pair, _PAIRS if copies else _MADE_OF)

    def _refill(self, combo: QComboBox, titles: dict[str, str], wanted: str = "") -> None:
        """Replace a list's entries and select ``wanted``, else the one that was selected."""
        wanted = wanted or combo.currentData()
        was, self._filling = self._filling, True
        combo.clear()
        for value, title in titles.items():
            combo.addItem(title, value)
        combo.setCurrentIndex(max(0, combo.findData(wanted)))
        combo.setMinimumWidth(combo.sizeHint().width())  # Qt remembers that of the first list
        self._filling = was

    # --- presets

    def _list_presets(self, chosen: str = "") -> None:
        self._presets = presets.presets(self._home)
        self.preset.clear()
        self.preset.addItem(_CUSTOM)
        for preset in self._presets:
            self.preset.addItem(preset.name)
        names = [preset.name for preset in self._presets]
        if not chosen:
            now = self.choices()
            chosen = next((p.name for p in self._presets if _explicit(p.choices) == now), "")
        self.preset.setCurrentIndex(names.index(chosen) + 1 if chosen in names else 0)
        self._show_remove_button()

    def chosen_preset(self) -> Preset | None:
        """Return the preset that is selected; None for custom settings."""
        at = self.preset.currentIndex()
        return self._presets[at - 1] if at > 0 else None

    def _use_preset(self, at: int) -> None:
        if at > 0:
            self.fill(self._presets[at - 1].choices)
            self._show_remove_button()
            self.changed.emit()

    def _show_remove_button(self) -> None:
        preset = self.chosen_preset()
        self.remove_button.setVisible(preset is not None and preset.path is not None)

    def save_preset(self) -> None:
        """Ask for a name in place of the list of presets, then save the settings under it."""
        if self.preset_name.isHidden():
            self._show_preset_name(True)
            return
        try:
            saved = presets.save(self._home, self.preset_name.text(), self.choices())
        except KnownError as error:
            self.name_examples.setText(str(error))
            return
        self._show_preset_name(False)
        self._list_presets(saved.name)

    def _show_preset_name(self, on: bool) -> None:
        self.preset.setVisible(not on)
        self.preset_name.setVisible(on)
        self.save_button.setText("Save" if on else "Save as…")
        if on:
            self.preset_name.clear()
            self.preset_name.setFocus()

    def remove_preset(self) -> None:
        """Delete the selected preset; the settings stay."""
        preset = self.chosen_preset()
        if preset is not None:
            presets.remove(preset)
            self._list_presets()


def _explicit(choices: ExportSettings) -> ExportSettings:
    """Return settings with "auto" replaced by what it stands for."""
    return choices.model_copy(update={"metadata": choices.kept})


def _combo(titles: dict[str, str], name: str, changed: Callable[[], None]) -> QComboBox:
    made = QComboBox()
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)  # its list may change
    for value, title in titles.items():
        made.addItem(title, value)
    made.setAccessibleName(name)
    made.currentIndexChanged.connect(lambda _: changed())
    return made


def _link(text: str, act: Callable[[], None]) -> QToolButton:
    made = QToolButton()
    made.setText(text)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    made.clicked.connect(act)
    return made


def _long_edge(text: str) -> int:
    return _number(text, 320, 20000, "The long edge must be", " px")


def _quality(text: str) -> int:
    return _number(text, 60, 100, "The quality must be", "")


def _names(text: str) -> str:
    naming.check(text)
    try:
        return ExportSettings(names=text).names
    except ValidationError as error:
        raise KnownError(f"Names: {error.errors()[0]['msg']}.") from error


def _number(text: str, low: int, high: int, begin: str, unit: str) -> int:
    plain = text.strip().replace(",", "")
    if not (plain.isdecimal() and low <= int(plain) <= high):
        raise KnownError(f"{begin} {low:,} to {high:,}{unit}.")
    return int(plain)

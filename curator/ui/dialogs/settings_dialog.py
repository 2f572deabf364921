"""The settings dialog, built from the pydantic models: a new setting needs no code here.

Each section of the models is a group; each field is a row with title, description and range. An
invalid value is reported in its own row.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLineEdit,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from curator import keyboard, naming
from curator.home import Home
from curator.library.filters import parse_rule
from curator.model import KnownError
from curator.settings import Settings, save
from curator.ui.dialogs.keys_page import KeysPage
from curator.ui.widgets import layouts, theme, words
from curator.ui.widgets.dialogs import Dialog

_FIELD_WIDTH = 132
_TEXT_WIDTH = 220
_FULL_WIDTH = 4096  # px, more than any dialog has
_AROUND = 160  # px of the dialog above and below the settings
# Searches and templates, which the models cannot check.
_CHECKS: dict[str, Callable[[str], object]] = {
    "approval.rule": parse_rule,
    "export.names": naming.check,
    "importing.folders": naming.check_folders,
    "importing.names": partial(naming.check, purpose=naming.Purpose.IMPORT),
}
_NAMES = {
    "original": "Originals",
    "jpeg": "JPEGs",
    "ollama": "Ollama",
    "openai_compatible": "Other server",
    "folder": "Folder",
    "gallery": "Web gallery",
    "off": "Off",
    "dark": "Dark gray",
    "black": "Black",
    "gray": "Middle gray",
    "white": "White",
    "screen": "For screens",
    "print": "For print",
    "all": "All",
    "no_location": "Without location",
    "none": "None",
    "both": "Both files",
    "raw": "RAW",
    "sidecar": "Sidecars only",
    "found": "Search hits",
    "tiles": "Sharpest areas",
    "peaking": "Focus peaking",
    "auto": "Auto",
    "open_clip": "CLIP",
    "starter": "Built-in",
    "cpu": "CPU",
    "cuda": "CUDA",
    "mps": "MPS",
    "lightroom": "Lightroom",
    "digikam": "digiKam",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its section, name and field of the model."""

    section: str
    name: str
    info: FieldInfo

    @property
    def path(self) -> str:
        """The name on the command line: ``work.workers``."""
        return f"{self.section}.{self.name}"

    @property
    def title(self) -> str:
        """The row's title."""
        return self.info.title or self.name.replace("_", " ")

    @property
    def range(self) -> str:
        """The range of a number, in words; empty without limits."""
        low, high = _bound(self.info, "ge"), _bound(self.info, "le")
        return "" if low is None or high is None else f"{low:,g} to {high:,g}"

    @property
    def variable(self) -> str:
        """The environment variable that overrides the file."""
        return f"CURATOR_{self.section}__{self.name}".upper()


def all_settings() -> Iterator[tuple[str, list[Setting]]]:
    """Yield each section's title and settings, in the order of the models."""
    for section, info in Settings.model_fields.items():
        model = info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            title = info.title or section.capitalize()
            yield title, [Setting(section, name, each) for name, each in model.model_fields.items()]


class SettingRow:
    """The widgets of one setting.

    Attributes:
        setting: the setting.
        field: the widget with the value.
        note: the description and range below the title, or what is wrong.
        locked: whether an environment variable sets the value.
    """

    def __init__(self, setting: Setting, value: object) -> None:
        self.setting = setting
        self.field = _field(setting, value)
        self.field.setAccessibleName(setting.title)
        self.note = theme.wrapped("", "caption")
        self.locked = setting.variable in os.environ
        self.field.setEnabled(not self.locked)
        self.show_error("")

    @property
    def value(self) -> object:
        """The entered value, as the model takes it."""
        if isinstance(self.field, QCheckBox):
            return self.field.isChecked()
        if isinstance(self.field, QComboBox):
            return self.field.currentData()
        assert isinstance(self.field, QLineEdit)
        text = self.field.text().strip()
        return text if self.setting.info.annotation is str else text.replace(",", "")

    def show_error(self, text: str) -> None:
        """Show what is wrong with the value; an empty text restores the description."""
        info, setting = self.setting.info, self.setting
        self.field.setProperty("wrong", bool(text))
        theme.restyle(self.field)
        usual = words.joined(((info.description or "").removesuffix("."), setting.range))
        if self.locked:
            usual = f"Set by the environment variable {setting.variable}"
        self.note.setText(text or usual)
        self.note.setProperty("role", "error" if text else "caption")
        theme.restyle(self.note)
        self.note.setVisible(bool(self.note.text()))


class SettingsDialog(Dialog):
    """Edits settings and keys.

    Args:
        settings: changed in place when all values are valid and the file was written.
        home: contains the files of settings and keys.
        parent: the window.
        notes: widgets between the title and the rows of a section, by the section's name.
        keys: the current keys; Curator's preset if None.

    Attributes:
        changed: names of the settings that were changed and saved.
        keys: the keys page.
    """

    def __init__(
        self,
        settings: Settings,
        home: Home,
        parent: QWidget | None = None,
        notes: Mapping[str, QWidget] | None = None,
        keys: keyboard.Keyboard | None = None,
    ) -> None:
        super().__init__("Settings", parent)
        self._settings, self._home = settings, home
        self._notes = notes or {}
        self.rows: dict[str, SettingRow] = {}
        self.changed: set[str] = set()
        content = QWidget()
        column = layouts.column(content, margins=(0, 0, 12, 0))
        for title, fields in all_settings():
            if column.count():
                column.addSpacing(20)
            head = theme.plain(title)
            head.setFont(theme.font(theme.BODY_PX, semibold=True))
            column.addWidget(head)
            column.addSpacing(4)
            if notes and (note := notes.get(fields[0].section)) is not None:
                column.addWidget(note)
            for setting in fields:
                column.addWidget(self._row(setting))
        self._scroll = theme.scrolled(content)
        self._scroll.setMinimumHeight(min(480, self.max_size.height() - _AROUND))
        self.keys = KeysPage(keys or keyboard.Keyboard())
        self._keys_before = self.keys.keyboard
        self._pages = QStackedWidget()
        self._where = theme.plain("", role="caption")
        self._lay_out_pages({"Settings": self._scroll, "Keys": self.keys})
        self.body.addWidget(self.problem)
        cancel, done = self.button("Cancel"), self.button("Save settings", primary=True)
        cancel.clicked.connect(self.reject)
        done.clicked.connect(self.commit)
        self.add_buttons(cancel, done, left=(self._where,))

    def _lay_out_pages(self, pages: Mapping[str, QWidget]) -> None:
        """Put the pages behind tabs."""
        self._tabs: dict[str, QToolButton] = {}
        row = layouts.row()
        for title, page in pages.items():
            tab = QToolButton()
            tab.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            tab.setText(title)
            tab.setCheckable(True)
            tab.setProperty("pass", True)
            tab.clicked.connect(lambda _=False, title=title: self.show_page(title))
            self._tabs[title] = tab
            row.addWidget(tab)
            self._pages.addWidget(page)
        row.addStretch(1)
        self.title.hide()
        outer = self.layout()
        assert isinstance(outer, QVBoxLayout)
        outer.insertLayout(0, row)
        self.body.addWidget(self._pages)
        self.show_page("Settings")

    def show_page(self, title: str) -> None:
        """Show a page: ``Settings`` or ``Keys``."""
        for place, (name, tab) in enumerate(self._tabs.items()):
            tab.setChecked(name == title)
            if name == title:
                self._pages.setCurrentIndex(place)
        first = self.keys.search_field if title == "Keys" else next(iter(self.rows.values())).field
        first.setFocus()
        keys_file = keyboard.keys_file(self._home)
        file = keys_file if title == "Keys" else self._home.settings_file
        self._where.setText(f"Saved in {file.name}")
        self._where.setToolTip(theme.plain_tip(str(file)))

    def _row(self, setting: Setting) -> QWidget:
        row = SettingRow(setting, getattr(getattr(self._settings, setting.section), setting.name))
        self.rows[setting.path] = row
        block = QWidget()
        across = layouts.row(block, spacing=16, margins=(0, 5, 0, 5))
        texts = layouts.column(spacing=1)
        title = theme.wrapped(setting.title)
        title.setBuddy(row.field)
        texts.addStretch(1)
        texts.addWidget(title)
        texts.addWidget(row.note)
        texts.addStretch(1)
        across.addLayout(texts, 1)
        if setting.path in _CHECKS:  # these are long: below the title, at full width
            row.field.setMinimumWidth(_TEXT_WIDTH)
            row.field.setMaximumWidth(_FULL_WIDTH)
            texts.insertWidget(texts.count() - 1, row.field)
        else:
            across.addWidget(row.field, 0, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)
        return block

    def entered(self, section: str) -> dict[str, object]:
        """Return the values of a section as entered, valid or not."""
        return {
            row.setting.name: row.value
            for row in self.rows.values()
            if row.setting.section == section
        }

    def enter(self, path: str, text: str) -> None:
        """Set the text of a setting's field."""
        field = self.rows[path].field
        if isinstance(field, QLineEdit):
            field.setText(text)

    def turn_to_section(self, section: str) -> None:
        """Show the settings of a section."""
        self.show_page("Settings")
        first = next(row for row in self.rows.values() if row.setting.section == section)
        first.field.setFocus()
        head = self._notes.get(section) or first.field

        def scroll() -> None:
            content = self._scroll.widget()
            assert content is not None
            top = head.mapTo(content, QPoint(0, 0)).y()
            self._scroll.verticalScrollBar().setValue(top - theme.ROW)

        QTimer.singleShot(0, self, scroll)  # after the layout

    def commit(self) -> None:
        """Save the values if all are valid; else show which ones are not."""
        for row in self.rows.values():
            row.show_error("")
        wrong = [row for path, check in _CHECKS.items() if self._fails(self.rows[path], check)]
        made: dict[str, BaseModel] = {}
        for section in dict.fromkeys(row.setting.section for row in self.rows.values()):
            try:
                made[section] = type(getattr(self._settings, section))(**self.entered(section))
            except ValidationError as error:
                wrong += self._show_errors(section, error)
        if wrong:
            self.show_page("Settings")
            wrong[0].field.setFocus()
        else:
            self.accept_after(lambda: self._save(made))

    def _fails(self, row: SettingRow, check: Callable[[str], object]) -> bool:
        try:
            check(str(row.value))
        except KnownError as error:
            row.show_error(str(error))
            return True
        return False

    def _save(self, made: Mapping[str, BaseModel]) -> None:
        """Save the settings, then the keys if they changed or their file is invalid.

        Raises:
            KnownError: a file could not be written; what it would hold is not in effect.
        """
        changes = [
            (getattr(self._settings, section), section, name, getattr(model, name))
            for section, model in made.items()
            for name in type(model).model_fields
            if getattr(model, name) != getattr(getattr(self._settings, section), name)
        ]
        before = [getattr(values, name) for values, _, name, _ in changes]
        # Set field by field, because other objects hold references to the sections.
        for values, _, name, value in changes:
            setattr(values, name, value)
        try:
            save(self._settings, self._home)
        except KnownError:
            for (values, _, name, _), value in zip(changes, before, strict=True):
                setattr(values, name, value)
            raise
        self.changed |= {f"{section}.{name}" for _, section, name, _ in changes}
        path, keys = keyboard.keys_file(self._home), self.keys.keyboard
        if keys != self._keys_before or keyboard.problem_in(path):
            keyboard.save(keys, path)

    def _show_errors(self, section: str, error: ValidationError) -> list[SettingRow]:
        wrong = []
        for each in error.errors():
            row = self.rows.get(f"{section}.{each['loc'][0]}")
            if row is not None:
                row.show_error(_sentence(row.setting, each["type"], each["msg"]))
                wrong.append(row)
        return wrong


def _sentence(setting: Setting, kind: str, message: str) -> str:
    if kind.startswith(("int_", "float_")):
        return f"Enter a {'whole ' if 'int' in kind else ''}number, {setting.range}."
    if kind.startswith(("greater_", "less_")):
        return f"Enter {setting.range}."
    return f"{message[:1].upper()}{message[1:]}."


def _bound(info: FieldInfo, name: str) -> float | None:
    return next((float(getattr(each, name)) for each in info.metadata if hasattr(each, name)), None)


def _field(setting: Setting, value: object) -> QWidget:
    if isinstance(value, bool):
        box = QCheckBox()
        box.setProperty("bare", True)
        box.setChecked(value)
        return box
    if get_origin(setting.info.annotation) is Literal:
        choice = QComboBox()
        for each in get_args(setting.info.annotation):
            choice.addItem(_NAMES.get(str(each), str(each)), each)
        choice.setCurrentIndex(choice.findData(value))
        choice.setFixedWidth(_FIELD_WIDTH)
        return choice
    line = QLineEdit(f"{value:g}" if isinstance(value, float) else str(value))
    if isinstance(value, str):
        line.setFixedWidth(_TEXT_WIDTH)
        line.setCursorPosition(0)  # show the beginning of an address
    else:
        line.setAlignment(Qt.AlignmentFlag.AlignRight)
        line.setFixedWidth(_FIELD_WIDTH)
    return line

"""The settings dialog, built from the pydantic models: a new setting needs no code here.

Each section of the models is a group, each field a row with its title, description and range. An
invalid value is reported in its own row.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from curator import keyboard
from curator.library.filters import parse_rule
from curator.model import KnownError
from curator.settings import Home, Settings, save
from curator.ui.dialogs.keys_page import KeysPage
from curator.ui.widgets import theme
from curator.ui.widgets.dialogs import Dialog

_FIELD_WIDTH = 132
_TEXT_WIDTH = 220
_FULL_WIDTH = 4096  # px, more than any dialog has
_AROUND = 160  # px of the dialog above and below the settings
# Settings in the search language, which the models cannot check.
_CHECKS: dict[str, Callable[[str], object]] = {"approval.rule": parse_rule}
_NAMES = {
    "original": "Originals",
    "jpeg": "JPEGs",
    "ollama": "Ollama",
    "openai_compatible": "Other server",
    "folder": "Folder",
    "gallery": "Web gallery",
    "off": "Off",
    "screen": "For screens",
    "print": "For print",
    "all": "All",
    "no_location": "Without location",
    "none": "None",
    "both": "Both files",
    "raw": "RAW",
    "sidecar": "Sidecars only",
    "tiles": "Sharpest tiles",
    "peaking": "Peaking",
    "auto": "Auto",
    "open_clip": "CLIP",
    "starter": "Starter",
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
        """The name as the command line spells it: ``work.workers``."""
        return f"{self.section}.{self.name}"

    @property
    def title(self) -> str:
        """The row's title."""
        return self.info.title or self.name.replace("_", " ")

    @property
    def range(self) -> str:
        """The range of a number, in words; empty without limits."""
        low = _bound(self.info, "ge")
        high = _bound(self.info, "le")
        if low is None or high is None:
            return ""
        return f"{low:,g} to {high:,g}"

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
        self.note = theme.plain("", role="caption")
        self.note.setWordWrap(True)
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
        self.field.style().unpolish(self.field)
        self.field.style().polish(self.field)
        description = (info.description or "").removesuffix(".")
        usual = " · ".join(part for part in (description, setting.range) if part)
        if self.locked:
            usual = f"Set by the environment variable {setting.variable}"
        self.note.setText(text or usual)
        self.note.setProperty("role", "error" if text else "caption")
        self.note.style().unpolish(self.note)
        self.note.style().polish(self.note)
        self.note.setVisible(bool(self.note.text()))


class SettingsDialog(Dialog):
    """Edits settings and keys.

    Args:
        settings: changed in place when all values are valid and the file was written.
        home: contains the files of settings and keys.
        parent: the window.
        notes: widgets below the titles of sections, by the section's name.
        keys: the current keys; Curator's preset if None.

    Attributes:
        changed: names of the changed settings, once the dialog was accepted.
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
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 12, 0)
        column.setSpacing(0)
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
        scroll = QScrollArea()
        scroll.setWidget(content)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setMinimumHeight(min(480, self.max_size.height() - _AROUND))
        self.keys = KeysPage(keys or keyboard.Keyboard())
        self._keys = self.keys.keyboard
        self._pages = QStackedWidget()
        self._where = theme.plain("", role="caption")
        self._lay_out_pages({"Settings": scroll, "Keys": self.keys})
        self.problem = self.wrapped("", "error")
        self.problem.hide()
        self.body.addWidget(self.problem)
        cancel, done = self.button("Cancel"), self.button("Save settings", primary=True)
        cancel.clicked.connect(self.reject)
        done.clicked.connect(self.commit)
        self.buttons.addWidget(self._where)
        self.buttons.addStretch(1)
        self.buttons.addWidget(cancel)
        self.buttons.addWidget(done)

    def _lay_out_pages(self, pages: Mapping[str, QWidget]) -> None:
        """Put the pages behind tabs."""
        self._tabs: dict[str, QToolButton] = {}
        row = QHBoxLayout()
        row.setSpacing(0)
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
        keys = keyboard.keys_file(self._home)
        file = keys if title == "Keys" else self._home.settings_file
        self._where.setText(f"Saved in {file.name}")
        self._where.setToolTip(theme.plain_tip(str(file)))

    def _row(self, setting: Setting) -> QWidget:
        row = SettingRow(setting, getattr(getattr(self._settings, setting.section), setting.name))
        self.rows[setting.path] = row
        block = QWidget()
        across = QHBoxLayout(block)
        across.setContentsMargins(0, 5, 0, 5)
        across.setSpacing(16)
        words = QVBoxLayout()
        words.setSpacing(1)
        title: QLabel = theme.plain(setting.title)
        title.setBuddy(row.field)
        title.setWordWrap(True)
        words.addStretch(1)
        words.addWidget(title)
        words.addWidget(row.note)
        words.addStretch(1)
        across.addLayout(words, 1)
        if setting.path in _CHECKS:  # searches are long: below the title, at full width
            row.field.setMinimumWidth(_TEXT_WIDTH)
            row.field.setMaximumWidth(_FULL_WIDTH)
            words.insertWidget(words.count() - 1, row.field)
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
        """Scroll to the settings of a section."""
        self.show_page("Settings")
        first = next(row for row in self.rows.values() if row.setting.section == section)
        first.field.setFocus()
        head = self._notes.get(section) or first.field

        def scroll() -> None:
            area = self._pages.currentWidget()
            content = area.widget() if isinstance(area, QScrollArea) else None
            assert isinstance(area, QScrollArea) and content is not None
            top = head.mapTo(content, QPoint(0, 0)).y()
            area.verticalScrollBar().setValue(top - theme.ROW)

        QTimer.singleShot(0, self, scroll)  # after the layout

    def commit(self) -> None:
        """Save the values if all are valid; else show which ones are not."""
        wanted: dict[str, dict[str, object]] = {}
        for row in self.rows.values():
            row.show_error("")
            wanted.setdefault(row.setting.section, {})[row.setting.name] = row.value
        sections = {name: type(getattr(self._settings, name)) for name in wanted}
        made: dict[str, BaseModel] = {}
        wrong = [row for path, check in _CHECKS.items() if self._fails(self.rows[path], check)]
        for name, model in sections.items():
            try:
                made[name] = model(**wanted[name])
            except ValidationError as error:
                wrong += self._show_errors(name, error)
        if wrong:
            self.show_page("Settings")
            wrong[0].field.setFocus()
            return
        before = {name: getattr(self._settings, name) for name in made}
        changed = {
            f"{name}.{key}"
            for name, section in made.items()
            for key, value in section.model_dump().items()
            if value != getattr(before[name], key)
        }
        if not self._write(made, before, changed):
            return
        self.changed |= changed
        if self._write_keys():
            self.accept()

    def _fails(self, row: SettingRow, check: Callable[[str], object]) -> bool:
        try:
            check(str(row.value))
        except KnownError as error:
            row.show_error(str(error))
            return True
        return False

    def _write(self, made: dict[str, BaseModel], before: dict[str, Any], changed: set[str]) -> bool:
        old = {path: _get(self._settings, path) for path in changed}
        # Set field by field, because other objects hold references to the sections.
        for path in changed:
            section, _, name = path.partition(".")
            setattr(before[section], name, getattr(made[section], name))
        try:
            save(self._settings, self._home)
        except KnownError as error:
            for path, value in old.items():
                section, _, name = path.partition(".")
                setattr(before[section], name, value)
            self.problem.setText(str(error))
            self.problem.show()
            return False
        return True

    def _write_keys(self) -> bool:
        """Save the keys if they changed, or if the current file is invalid."""
        path, keys = keyboard.keys_file(self._home), self.keys.keyboard
        if keys == self._keys and not keyboard.problem_in(path):
            return True
        try:
            keyboard.save(keys, path)
        except KnownError as error:
            self.problem.setText(str(error))
            self.problem.show()
            return False
        return True

    def _show_errors(self, section: str, error: ValidationError) -> list[SettingRow]:
        wrong = []
        for each in error.errors():
            row = self.rows.get(f"{section}.{each['loc'][0]}")
            if row is not None:
                row.show_error(_sentence(row.setting, each["type"], each["msg"]))
                wrong.append(row)
        return wrong


def _get(settings: Settings, path: str) -> object:
    section, _, name = path.partition(".")
    return getattr(getattr(settings, section), name)


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

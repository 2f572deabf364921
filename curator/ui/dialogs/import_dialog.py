"""The import dialog: choose cards, destinations and names, see what will happen, import.

Plans are made on the thread of :class:`~curator.session.imports.ImportController`, from the cards
as they were read once; a change of a template reads nothing again. The import itself goes on
after the dialog has closed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QCheckBox, QFrame, QLabel, QScrollArea, QWidget

from curator.cards import Card
from curator.importing.plan import ImportPlan
from curator.importing.request import ImportRequest
from curator.model import KnownError, bidi_safe, counted
from curator.session import Session
from curator.session.import_thread import Planned, ReadProgress
from curator.ui.dialogs import import_texts
from curator.ui.dialogs.import_form import ImportForm
from curator.ui.widgets import dialogs, layouts, theme, words
from curator.ui.widgets.dialogs import Dialog

_LEAST = 120  # px of the form on the smallest screen
_REPLAN_MS = 250  # after the last change, before planning again


class SourceList(QWidget):
    """A check box for each card and chosen folder, with what is on it.

    Args:
        changed: called when the person ticks another one.
        choose: called when the person wants to choose a folder.
    """

    def __init__(self, changed: Callable[[], None], choose: Callable[[], None]) -> None:
        super().__init__()
        self._changed = changed
        outer = layouts.column(self)
        self._column = layouts.column()
        outer.addLayout(self._column)
        self.choose = theme.link_button("Choose a folder…", choose)
        self.choose.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        outer.addWidget(self.choose, 0, Qt.AlignmentFlag.AlignLeft)
        self.boxes: dict[Path, QCheckBox] = {}
        self._notes: dict[Path, QLabel] = {}

    def add(self, path: Path, label: str, ticked: bool) -> None:
        """Add a card or a folder; one that is listed is ticked."""
        if path in self.boxes:
            self.boxes[path].setChecked(ticked or self.boxes[path].isChecked())
            return
        box = QCheckBox(bidi_safe(label).replace("&", "&&"))
        box.setToolTip(theme.plain_tip(str(path)))
        box.setChecked(ticked)
        box.toggled.connect(lambda _: self._changed())
        note = theme.plain("", role="quiet")
        line = QWidget()
        row = layouts.row(line, spacing=12)
        row.addWidget(box)
        row.addStretch(1)
        row.addWidget(note)
        self._column.addWidget(line)
        self.boxes[path], self._notes[path] = box, note

    def remove(self, path: Path) -> None:
        """Remove a card that is no longer here."""
        box = self.boxes.pop(path, None)
        self._notes.pop(path, None)
        line = box.parentWidget() if box is not None else None
        if line is not None:
            self._column.removeWidget(line)
            line.hide()
            line.deleteLater()

    def ticked(self) -> list[Path]:
        """Return the chosen cards and folders."""
        return [path for path, box in self.boxes.items() if box.isChecked()]

    def title(self) -> str:
        """Return a name for the chosen ones: ``EOS_DIGITAL``, ``2 cards``; empty for none."""
        chosen = self.ticked()
        if len(chosen) == 1:
            return self.boxes[chosen[0]].text().replace("&&", "&")
        return counted(len(chosen), "card") if chosen else ""

    def describe(self, describe: Callable[[Path], str]) -> None:
        """Show what is on each chosen card."""
        for path, note in self._notes.items():
            note.setText(describe(path) if self.boxes[path].isChecked() else "")


class ImportDialog(Dialog):
    """Plans an import and starts it.

    Args:
        session: the window's session.
        ticked: paths of cards that are chosen at first; empty for all.
        show_reports: shows the reports of earlier imports.
        parent: the window.
    """

    def __init__(
        self,
        session: Session,
        ticked: Sequence[str] = (),
        show_reports: Callable[[], None] = lambda: None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__("Import photos", parent)
        self._session, self._imports = session, session.imports
        self._settings = session.settings.importing
        self._show_reports = show_reports
        self._plan: ImportPlan | None = None
        self._asked: ImportRequest | None = None
        self._edited = False  # whether the person changed anything
        self._replan = QTimer(self, singleShot=True, interval=_REPLAN_MS)
        self._replan.timeout.connect(self.make_plan)
        self._add_sources(ticked)
        self.form = ImportForm(self._settings, self.sources)
        self.form.changed.connect(self._on_edited)
        self.form.resized.connect(self._shrink)
        self._scroll = QScrollArea()  # with no space for a hidden scroll bar
        self._scroll.setWidget(self.form)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.body.addWidget(self._scroll)
        self._add_outcome()
        self._imports.planned.connect(self._on_planned)
        self._imports.reading.connect(self._on_reading)
        session.cards.changed.connect(self._on_cards)
        self.finished.connect(self._on_closed)
        self.make_plan()

    # --- parts

    def _add_sources(self, ticked: Sequence[str]) -> None:
        self.sources = SourceList(self._on_edited, self._choose_folder)
        for card in self._session.cards.cards:
            self._add_card(card, not ticked or card.path in ticked)

    def _add_outcome(self) -> None:
        self.outcome = self.wrapped("")
        self.details = self.wrapped("", "caption")
        self.body.addSpacing(8)
        self.body.addWidget(self.outcome)
        self.body.addWidget(self.details)
        self.body.addStretch(1)
        self.earlier = theme.link_button("Earlier imports", self._open_reports)
        self.cancel = self.button("Cancel")
        self.go = self.button("Import", primary=True)
        self.go.setEnabled(False)
        self.cancel.clicked.connect(self.reject)
        self.go.clicked.connect(self._start)
        self.add_buttons(self.cancel, self.go, left=(self.earlier,))

    # --- cards

    def _add_card(self, card: Card, ticked: bool) -> None:
        self.sources.add(Path(card.path), card.label, ticked)

    def _on_cards(self) -> None:
        """Add cards that were inserted meanwhile, and remove those that are gone."""
        here = {Path(card.path) for card in self._session.cards.cards}
        for path in [path for path in self.sources.boxes if path not in here | self._folders]:
            self.sources.remove(path)
        for card in self._session.cards.cards:
            self._add_card(card, not self.sources.ticked())
        self._shrink()
        self._changed()

    _folders: frozenset[Path] = frozenset()  # chosen by the person

    def _choose_folder(self) -> None:
        chosen = dialogs.choose_folder(self, "Import from a card or folder")
        if chosen:
            self._folders |= {Path(chosen)}
            self.sources.add(Path(chosen), Path(chosen).name or chosen, True)
            self._shrink()
            self._on_edited()

    # --- planning

    def _on_edited(self) -> None:
        self._edited = True
        self._changed()

    def _changed(self) -> None:
        self._plan = self._asked = None
        self.go.setEnabled(False)
        self._replan.start()

    def make_plan(self) -> None:
        """Plan the import as the dialog stands, in the background."""
        self._replan.stop()
        chosen, title = self.sources.ticked(), self.sources.title()
        text = f"Import from {title}" if title else "Import photos"
        self.title.setText(text)
        self.setWindowTitle(text)
        self._show_kept(chosen)
        try:
            request = self.form.request(chosen)
        except KnownError as error:
            self._refuse(str(error))
            return
        if not chosen:
            self._refuse("Insert a card, or choose a folder to import from.")
            return
        self._asked = request
        if not self.outcome.text():
            self._show_outcome("Reading…")
        self._imports.make_plan(request)

    def _show_kept(self, chosen: Sequence[Path]) -> None:
        """Show how many photos on the cards were kept; without any the choice is disabled."""
        kept, box = self._imports.kept_on(chosen), self.form.keepers
        box.setText(f"Only photos I kept ({words.count(kept)})")
        box.setEnabled(kept > 0 or box.isChecked())
        box.setToolTip("" if kept else "Cull the card first; the others can follow later.")

    def _on_reading(self, progress: ReadProgress) -> None:
        if self._asked is not None and self._plan is None:
            done, total = words.count(progress.done), words.count(progress.total)
            self._show_outcome(f"Reading {done} of {total} files…")

    def _on_planned(self, answer: Planned) -> None:
        if answer.request is not self._asked:
            return
        plan = self._plan = answer.plan
        if plan is None:
            self._refuse(answer.problem)
            return
        self.form.preview(plan)
        self.sources.describe(lambda path: import_texts.contents(plan, path))
        self.go.setText(import_texts.act(plan))
        self.go.setEnabled(bool(plan.items) and all(room.is_enough for room in plan.rooms))
        details, names = import_texts.consequences(plan)
        self.details.setToolTip(theme.plain_tip(names) if names else "")
        self._show_outcome(plan.sentence, details)
        if not self._edited and self.go.isEnabled():
            self.go.setFocus()

    def _refuse(self, text: str) -> None:
        self.form.preview(None)
        self.go.setText("Import")
        self._show_outcome(text)

    def _show_outcome(self, text: str, more: str = "") -> None:
        self.outcome.setText(text)
        self.details.setText(more)
        self.details.setVisible(bool(more))
        self.fit_content()

    def fit_content(self) -> None:
        """Grow to the height of the content; on a small screen the form scrolls."""
        layout = self.layout()
        if layout is not None and self.isVisible():
            layout.activate()
            around = layout.totalHeightForWidth(self.width()) - self._scroll.height()
            room = max(self.max_size.height() - around, _LEAST)
            self._scroll.setFixedHeight(min(self.form.sizeHint().height(), room))
        super().fit_content()
        self.resize(self.width(), min(self.height(), self.max_size.height()))

    def _shrink(self) -> None:
        """Fit the content after lines disappeared, too."""
        if self.isVisible():
            self.resize(self.width(), 0)
            self.fit_content()

    # --- the end

    def _start(self) -> None:
        plan = self._plan
        if plan is None:
            return
        self._remember(plan.request)
        if self._session.messages.say_errors(lambda: self._imports.start(plan)):
            self.accept()

    def _remember(self, request: ImportRequest) -> None:
        """Keep the choices for the next import; the job changes each time."""
        settings, paths = self._settings, [str(path) for path in request.destinations]
        settings.to, settings.also = paths[0], paths[1] if len(paths) > 1 else ""
        settings.folders, settings.names = request.folders, request.names
        settings.creator, settings.copyright = request.creator, request.copyright
        settings.sidecars = request.sidecars
        self._session.preferences.save()

    def _open_reports(self) -> None:
        self.reject()
        self._show_reports()

    def _on_closed(self) -> None:
        self._replan.stop()
        self._imports.forget_plan()

"""Dialogs: questions, settings, failures and export."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QLabel, QLineEdit, QPushButton

from curator.catalog.folders import Folders
from curator.catalog.work import WorkQueue
from curator.export import write
from curator.home import Home
from curator.keyboard import Keyboard
from curator.model import Clause, Failure, KnownError
from curator.session import Session
from curator.session.sources import folder_scope
from curator.settings import Settings
from curator.ui.dialogs.export_dialog import ExportDialog
from curator.ui.dialogs.export_request import ExportRequest
from curator.ui.dialogs.failures_dialog import FailuresDialog
from curator.ui.dialogs.settings_dialog import SettingsDialog, all_settings
from curator.ui.main_window import MainWindow
from curator.ui.widgets import dialogs, theme
from tests.conftest import PATIENCE_MS
from tests.gui import swatches

# --- questions

QUESTION = dialogs.Question(
    "Remove Iceland",
    "60 photos <b>go</b>.",
    (dialogs.Choice("go", "Remove", removes=True), dialogs.Choice("stay", "Keep", primary=True)),
)
REMOVAL_ONLY = dialogs.Question("Remove", "", (dialogs.Choice("go", "Remove", removes=True),))


@pytest.mark.parametrize(("question", "result"), [(QUESTION, 2), (REMOVAL_ONLY, 0)])
def test_enter_never_confirms_a_removal(
    dressed, qtbot, question: dialogs.Question, result: int
) -> None:
    dialog = dialogs.question_dialog(None, question)
    qtbot.addWidget(dialog)
    dialog.show()
    assert QTest.qWaitForWindowActive(dialog, PATIENCE_MS)
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert dialog.result() == result and dialog.isHidden()


def test_a_dialog_is_560_wide_and_has_its_action_as_title(dressed, qtbot) -> None:
    dialog = dialogs.question_dialog(None, QUESTION)
    qtbot.addWidget(dialog)
    assert dialog.width() == theme.DIALOG
    assert dialog.title.text() == "Remove Iceland" == dialog.windowTitle()


def test_dialogs_fit_a_small_screen(dressed, qtbot, monkeypatch) -> None:
    room = QSize(784, 584)
    monkeypatch.setattr(dialogs.Dialog, "max_size", room)
    long = dialogs.Question("Remove", "\n".join(["One more line of explanation."] * 18), ())
    for dialog in (
        FailuresDialog(lambda: FAILURES, lambda _: 2, lambda _: None),
        dialogs.question_dialog(None, long),
    ):
        qtbot.addWidget(dialog)
        dialog.show()
        assert dialog.width() <= room.width() and dialog.height() <= room.height()
        for button in dialog.findChildren(QPushButton):
            if button.parent() is dialog:
                assert dialog.rect().contains(button.geometry()), button.text()


def test_a_dialog_is_as_high_as_its_content(dressed, qtbot) -> None:
    dialog = dialogs.Dialog("A long title that does not fit into one line. " * 2, None)
    qtbot.addWidget(dialog)
    for _ in range(14):
        dialog.body.addWidget(
            dialog.wrapped("These are all alike and do not fit into one line. " * 2)
        )
    dialog.show()
    for label in dialog.findChildren(QLabel):
        assert label.height() >= label.heightForWidth(label.width()), label.text()
    assert dialog.title.height() >= 2 * dialog.title.fontMetrics().height()


# --- settings


@pytest.fixture
def settings_dialog(dressed, qtbot, home: Home) -> SettingsDialog:
    dialog = SettingsDialog(Settings.load(home), home)
    qtbot.addWidget(dialog)
    return dialog


def text_field(dialog: SettingsDialog, path: str) -> QLineEdit:
    found = dialog.rows[path].field
    assert isinstance(found, QLineEdit)
    return found


def test_the_settings_open_with_the_most_used_sections(settings_dialog: SettingsDialog) -> None:
    sections = list(dict.fromkeys(row.setting.section for row in settings_dialog.rows.values()))
    assert sections[:2] == ["loupe", "grid"] and sections[-2:] == ["proxy", "work"]
    first = next(iter(settings_dialog.rows.values()))
    assert first.setting.path == "loupe.stars_advance"


def test_every_setting_has_a_row_with_title_and_range(settings_dialog: SettingsDialog) -> None:
    wanted = {setting.path for _, settings in all_settings() for setting in settings}
    assert set(settings_dialog.rows) == wanted and "work.workers" in wanted
    assert settings_dialog.rows["loupe.frames_mb"].note.text() == "64 to 8,192"
    assert isinstance(settings_dialog.rows["loupe.stars_advance"].field, QCheckBox)


@pytest.mark.parametrize(
    ("path", "text", "note"),
    [
        ("loupe.frames_mb", "7", "Enter 64 to 8,192."),
        ("work.workers", "many", "Enter a whole number, 0 to 64."),
        ("work.timeout_s", "", "Enter a number, 1 to 3,600."),
    ],
)
def test_an_invalid_value_is_reported_in_its_row_and_nothing_is_saved(
    settings_dialog: SettingsDialog, home: Home, path: str, text: str, note: str
) -> None:
    text_field(settings_dialog, path).setText(text)
    text_field(settings_dialog, "grid.thumb_px").setText("200")
    settings_dialog.commit()
    assert settings_dialog.rows[path].note.text() == note
    assert settings_dialog.rows["grid.thumb_px"].note.text() == "120 to 360"
    assert not home.settings_file.exists()
    assert settings_dialog.changed == set()


def test_an_approval_rule_is_checked_in_its_row(
    settings_dialog: SettingsDialog, home: Home
) -> None:
    rule = text_field(settings_dialog, "approval.rule")
    rule.setText("rating:5; color:red")
    settings_dialog.commit()
    note = settings_dialog.rows["approval.rule"].note
    assert "color:" in note.text() and "at character 11" in note.text()
    assert not home.settings_file.exists()
    rule.setText('rating:5; tag:"wedding, church"')
    settings_dialog.commit()
    saved = json.loads(home.settings_file.read_text())
    assert saved == {"approval": {"rule": 'rating:5; tag:"wedding, church"'}}


@pytest.mark.parametrize(
    ("path", "template", "problem"),
    [
        ("export.names", "{job}", "Unknown placeholder {job}"),
        ("importing.names", "{name}/{seq}", "a separator of folders"),
        ("importing.folders", "../{date}", "leads out of the destination"),
    ],
)
def test_a_template_is_checked_in_its_row(
    settings_dialog: SettingsDialog, home: Home, path: str, template: str, problem: str
) -> None:
    text_field(settings_dialog, path).setText(template)
    settings_dialog.commit()
    assert problem in settings_dialog.rows[path].note.text()
    assert not home.settings_file.exists()


def test_settings_are_saved_and_take_effect(dressed, qtbot, home: Home, settings: Settings) -> None:
    grid = settings.grid
    dialog = SettingsDialog(settings, home)
    qtbot.addWidget(dialog)
    text_field(dialog, "grid.thumb_px").setText("200")
    text_field(dialog, "work.memory_mb").setText("8,192")
    dialog.commit()
    assert dialog.changed == {"grid.thumb_px", "work.memory_mb"}
    assert grid.thumb_px == 200  # holders of the section see the new value
    saved = json.loads(home.settings_file.read_text())
    assert saved == {"grid": {"thumb_px": 200}, "work": {"memory_mb": 8192}}


def test_a_full_disk_leaves_the_settings_unchanged(
    dressed, qtbot, home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from curator.model import KnownError

    def full(*_: object) -> None:
        raise KnownError("Settings could not be saved (No space left on device).")

    monkeypatch.setattr("curator.ui.dialogs.settings_dialog.save", full)
    dialog = SettingsDialog(settings, home)
    qtbot.addWidget(dialog)
    text_field(dialog, "grid.thumb_px").setText("200")
    dialog.commit()
    assert dialog.problem.text() == "Settings could not be saved (No space left on device)."
    assert settings.grid.thumb_px == 184 and dialog.changed == set()


def test_settings_from_the_environment_cannot_be_changed(
    dressed, qtbot, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CURATOR_WORK__WORKERS", "3")
    dialog = SettingsDialog(Settings.load(home), home)
    qtbot.addWidget(dialog)
    row = dialog.rows["work.workers"]
    assert not row.field.isEnabled()
    assert row.note.text() == "Set by the environment variable CURATOR_WORK__WORKERS"


# --- failures

FAILURES = [
    Failure(4, "/photos/a/<b>x</b>.jpg", "convert", "The file is empty.", 1),
    Failure(9, "/photos/b/y.nef", "peek", "Only the first 12 % is there.", 3),
]


def test_failures_name_file_stage_and_reason(dressed, qtbot) -> None:
    dialog = FailuresDialog(lambda: FAILURES, lambda _: 2, lambda _: None)
    qtbot.addWidget(dialog)
    model = dialog.model
    row = [model.index(1, column).data() for column in range(model.columnCount())]
    assert row == ["b/y.nef", "Only the first 12 % is there.", "Headers", "3", ""]
    assert dialog.sentence.text().startswith("2 photos could not be read.")


def test_selected_or_all_failures_are_retried(dressed, qtbot) -> None:
    retried: list[object] = []

    def retry(ids: object) -> int:
        retried.append(ids)
        return 1 if ids else 2

    dialog = FailuresDialog(lambda: FAILURES, retry, lambda _: None)
    qtbot.addWidget(dialog)
    assert not dialog.some.isEnabled()
    dialog.table.selectRow(1)
    dialog.some.click()
    assert dialog.sentence.text() == "Retrying 1 photo."
    dialog.all.click()
    assert retried == [[9], None]


def test_without_failures_the_dialog_says_so(dressed, qtbot) -> None:
    dialog = FailuresDialog(list, lambda _: 0, lambda _: None)
    qtbot.addWidget(dialog)
    assert dialog.sentence.text() == "All photos could be read."
    assert not dialog.all.isEnabled()


def test_retry_goes_through_the_pipeline(window, pipeline, monkeypatch) -> None:
    monkeypatch.setattr(WorkQueue, "failures", lambda *_, **__: FAILURES)
    assert window.session.sources.retry_all([4, 9]) == 2
    assert pipeline.asked == [("retry", [4, 9])]


def test_photos_that_wait_for_another_try_are_counted(session, pipeline, qtbot) -> None:
    swatches.fail(session, 7, "The server is busy.", retry=True)
    dialog = FailuresDialog(session.sources.failures, session.sources.retry_all, print)
    qtbot.addWidget(dialog)
    dialog.all.click()
    assert dialog.sentence.text() == "Retrying 1 photo."
    assert pipeline.asked == [("retry", None)]


@pytest.mark.parametrize("folder", ["/photos", "/elsewhere"])
def test_a_double_click_shows_the_photo_in_any_list_and_scope(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    session, failed = window.session, Failure(7, "/photos/7.jpg", "embed", "It crashed.", 1)
    monkeypatch.setattr(WorkQueue, "failures", lambda *_, **__: [failed])
    session.sources.open_scope(folder_scope(Path(folder)))
    session.search.set_filter("rating:5")
    assert 7 not in session.ids

    def double_click(dialog: FailuresDialog) -> None:
        dialog.show()
        at = dialog.table.visualRect(dialog.model.index(0, 0)).center()
        for press in (QTest.mouseClick, QTest.mouseDClick):
            press(dialog.table.viewport(), Qt.MouseButton.LeftButton, pos=at)

    monkeypatch.setattr(FailuresDialog, "exec", double_click)
    window.run("failures")
    assert session.current == 7 and not session.criteria.query.groups


# --- export


@pytest.fixture
def exporting(
    dressed, qtbot, tmp_path: Path, make_session: Callable[..., Session], settings: Settings
) -> Callable[..., ExportDialog]:
    """Open the export dialog for sixty photos with small files."""
    session = make_session(folder=str(tmp_path / "originals"))
    folder = tmp_path / "originals" / "000"
    folder.mkdir(parents=True)
    for number in range(60):
        for ending in (".NEF", ".JPG") if number % 5 == 0 else (".JPG",):
            (folder / f"DSC_{number:04d}{ending}").write_bytes(b"photo %d" % number)
    for number in (2, 3, 4):
        session.catalog.journal.decide({number: {"rating": 5}}, summary="-")
    session.refresh()

    def make(into: Path | None = None, selected: list[int] = [], **folders: str) -> ExportDialog:  # noqa: B006
        wanted = ExportRequest(
            session.criteria.scope.title,
            session.statistics.scope_ids(),
            session.statistics.approved(),
            session.home,
            session.catalog.folders.all(),
            folders
            or dict.fromkeys(
                ("original", "jpeg", "gallery", "sidecar"), str(into or tmp_path / "out")
            ),
            selected=selected,
            only_selected=bool(selected),
        )
        dialog = ExportDialog(wanted, settings)
        qtbot.addWidget(dialog)
        dialog.show()
        return dialog

    make.session = session  # type: ignore[attr-defined]
    return make


def test_the_dialog_counts_what_would_be_exported(exporting, qtbot) -> None:
    dialog = exporting()
    assert dialog.title.text() == "Export 4 photos" == dialog.go.text()
    assert dialog.choices.clauses[Clause.STARS].isChecked()
    assert not dialog.choices.clauses[Clause.MATCH].isEnabled()
    assert "no match scores yet" in [label.text() for label in dialog.choices.findChildren(QLabel)]
    qtbot.waitUntil(dialog.go.isEnabled)
    assert dialog.outcome.text().startswith("4 photos, 5 files, ")
    dialog.reject()


def test_a_custom_rule_has_a_line_for_each_of_its_searches(exporting, settings, qtbot) -> None:
    settings.approval.rule = exporting.session.settings.approval.rule = (
        "rating:5; dsc_0040; is:match"
    )
    dialog = exporting()
    boxes = {box.text(): box.isChecked() for box in dialog.choices.clauses.values()}
    assert boxes == {
        "rating:5": True,
        "dsc_0040": False,
        "is:match": False,
        "Rated in other apps": False,
    }
    assert dialog.title.text() == "Export 3 photos"
    qtbot.waitUntil(dialog.go.isEnabled)
    assert dialog.outcome.text().startswith("3 photos, ")
    dialog.reject()


def test_the_button_counts_exportable_photos_and_no_choice_is_cut_off(exporting, qtbot) -> None:
    dialog = exporting()
    qtbot.waitUntil(dialog.go.isEnabled)
    dialog.form.kinds["gallery"].click()
    pair = dialog.form.pair
    words = pair.fontMetrics().horizontalAdvance("From the JPEG")
    qtbot.waitUntil(lambda: pair.width() > words + 20)
    dialog.form.kinds["sidecar"].click()  # Lightroom ignores sidecars of JPEGs without a RAW
    qtbot.waitUntil(dialog.go.isEnabled)
    assert "3 photos cannot be exported" in dialog.details.text()
    assert dialog.title.text() == "Export 1 photo" == dialog.go.text()
    dialog.reject()


def test_each_kind_of_export_remembers_its_folder_and_a_gallery_gets_its_own(exporting) -> None:
    dialog = exporting(original="/out/originals", jpeg="/out/small")
    kinds, into = dialog.form.kinds, dialog.folder.text
    assert into() == "/out/originals"
    kinds["jpeg"].click()
    assert into() == "/out/small"
    kinds["gallery"].click()
    assert Path(into()).name == "All photos gallery"
    kinds["original"].click()
    assert into() == "/out/originals"
    dialog.folder.setText("/out/mine")
    kinds["gallery"].click()
    assert into() == "/out/mine", "a typed folder stays"
    dialog.reject()


def test_a_refusal_of_two_lines_covers_no_field(exporting, qtbot, tmp_path: Path) -> None:
    dialog = exporting(tmp_path / ("long " * 12))
    qtbot.waitUntil(dialog.go.isEnabled)
    dialog.go.click()
    qtbot.waitUntil(lambda: dialog.report is not None)
    dialog.accept()
    dialog = exporting(tmp_path / ("long " * 12))
    qtbot.waitUntil(dialog.go.isEnabled)
    assert dialog.form.name_examples.text()
    dialog.form.kinds["gallery"].click()
    qtbot.waitUntil(lambda: "another kind" in dialog.outcome.text())
    names, called = dialog.form.names, dialog.form.name_examples
    assert called.geometry().top() > names.geometry().bottom()
    assert not called.text()
    dialog.reject()


def test_unchecking_a_clause_updates_the_counts(exporting, qtbot) -> None:
    dialog = exporting()
    dialog.choices.clauses[Clause.PICK].setChecked(False)
    assert dialog.go.text() == "Export 3 photos"
    assert not dialog.go.isEnabled()
    qtbot.waitUntil(dialog.go.isEnabled)
    assert dialog.outcome.text().startswith("3 photos, 3 files")
    dialog.reject()


def test_of_a_selection_only_approved_photos_are_exported(exporting, qtbot, tmp_path: Path) -> None:
    dialog = exporting()
    assert not dialog.choices.selection.isVisible()
    dialog.reject()
    dialog = exporting(selected=[2, 3, 9])
    assert (
        dialog.choices.selection.text() == "Selected photos only (3)"
        and dialog.choices.selection.isChecked()
    )
    assert dialog.go.text() == "Export 2 photos"
    qtbot.waitUntil(dialog.go.isEnabled)
    assert dialog.details.text().startswith("1 photo cannot be exported: It is not approved")
    dialog.choices.selection.click()
    assert dialog.go.text() == "Export 4 photos"
    dialog.choices.selection.click()
    qtbot.waitUntil(dialog.go.isEnabled)
    dialog.go.click()
    qtbot.waitUntil(lambda: dialog.report is not None)
    assert len(dialog.report.written) == 2
    dialog.accept()


def test_selected_photos_only_is_offered_if_there_is_a_selection(window, monkeypatch) -> None:
    session, wanted = window.session, []
    messages: list[str] = []
    session.messages.status_message.connect(messages.append)
    monkeypatch.setattr(
        "curator.ui.dialogs.export_dialog.ExportDialog",
        lambda want, *_: wanted.append(want) or NoDialog(),
    )
    session.catalog.journal.decide({4: {"rating": 5}}, summary="-")
    session.refresh()
    window.run("export")
    assert not wanted[-1].selected
    for photo in (4, 5, 6):
        session.photos.toggle_selected(photo)
    window.run("export")
    assert set(wanted[-1].selected) >= {4, 5, 6} and not wanted[-1].only_selected
    window.run("export_selected")
    assert wanted[-1].only_selected and wanted[-1].approved(True) == {Clause.STARS: 1}
    session.photos.select_only(5)
    window.run("export_selected")
    assert messages[-1].startswith(f"{session.table.name(5)} is not approved yet. ")
    assert len(wanted) == 3, "no dialog opens"


class NoDialog:
    """Stand in for a dialog and do nothing."""

    report = None

    def exec(self) -> None: ...

    def deleteLater(self) -> None: ...


def test_a_second_export_finds_every_file_already_there(exporting, qtbot, tmp_path: Path) -> None:
    dialog = exporting()
    qtbot.waitUntil(dialog.go.isEnabled)
    dialog.go.click()
    qtbot.waitUntil(lambda: dialog.report is not None)
    assert dialog.title.text() == "Exported 4 photos"
    assert dialog.outcome.text().startswith("5 files written")
    assert (tmp_path / "out" / "photos.json").exists()
    dialog.accept()
    again = exporting()
    qtbot.waitUntil(again.go.isEnabled)
    assert again.outcome.text() == "4 photos, 5 files, all already exported"
    again.reject()


def test_an_export_into_the_originals_is_refused_in_place(exporting, qtbot, tmp_path) -> None:
    dialog = exporting(tmp_path / "originals" / "out")
    qtbot.waitUntil(lambda: "is inside" in dialog.outcome.text())
    assert not dialog.go.isEnabled()
    dialog.reject()


def test_an_invalid_long_edge_is_reported(exporting, qtbot) -> None:
    dialog = exporting()
    dialog.form.kinds["jpeg"].setChecked(True)
    dialog.form.long_edge.setText("12")
    dialog.make_plan()
    assert dialog.outcome.text() == "The long edge must be 320 to 20,000 px."
    assert not dialog.go.isEnabled()
    dialog.reject()


def test_only_fields_that_are_shown_must_be_valid(exporting, qtbot) -> None:
    dialog = exporting()
    form = dialog.form
    form.kinds["jpeg"].click()
    form.long_edge.setText("3000")
    assert form.choices().long_edge_px == 3000
    for field in (form.long_edge, form.quality):
        field.setText("12")
    form.kinds["original"].click()
    qtbot.waitUntil(dialog.go.isEnabled)
    assert (form.choices().long_edge_px, form.choices().jpeg_quality) == (3000, 92)
    form.names.setText("{nmae}")
    qtbot.waitUntil(lambda: dialog.outcome.text().startswith("Unknown placeholder {nmae}"))
    form.kinds["sidecar"].click()
    qtbot.waitUntil(dialog.go.isEnabled)
    assert form.choices().names == "{name}"
    form.kinds["jpeg"].click()
    qtbot.waitUntil(lambda: dialog.outcome.text().startswith("The long edge must be "))
    dialog.reject()


def test_file_names_are_previewed(exporting, qtbot) -> None:
    dialog = exporting()
    dialog.form.names.setText("{seq} {name}")
    qtbot.waitUntil(lambda: dialog.form.name_examples.text().startswith("001 DSC_"))
    dialog.form.names.setText("{nmae}")
    qtbot.waitUntil(lambda: dialog.outcome.text().startswith("Unknown placeholder {nmae}"))
    assert not dialog.go.isEnabled()
    dialog.reject()


def test_choices_are_saved_as_a_preset(exporting, qtbot) -> None:
    dialog = exporting()
    form = dialog.form
    assert form.preset.currentText() == "Originals"
    form.preset.setCurrentText("JPEGs for the web")
    form.preset.activated.emit(form.preset.currentIndex())
    assert form.choices().sharpen == "screen" and form.kinds["jpeg"].isChecked()
    form.long_edge.setText("3000")
    assert form.preset.currentText() == "Custom"
    form.save_button.click()
    form.preset_name.setText("For Ann")
    form.save_button.click()
    assert form.preset.currentText() == "For Ann" and not form.remove_button.isHidden()
    dialog.reject()
    dialog = exporting()
    again = dialog.form
    again.preset.setCurrentText("For Ann")
    again.preset.activated.emit(again.preset.currentIndex())
    assert again.choices().long_edge_px == 3000
    again.remove_button.click()
    assert again.preset.findText("For Ann") == -1
    dialog.reject()


def test_a_gallery_leaves_the_location_out_unless_included(exporting, qtbot) -> None:
    dialog = exporting()
    dialog.form.kinds["gallery"].setChecked(True)
    assert dialog.form.choices().metadata == "no_location"
    assert dialog.options().target == "gallery" and not dialog.heading.isHidden()
    dialog.form.metadata.setCurrentIndex(0)
    assert dialog.form.choices().metadata == "all"
    dialog.reject()


def test_a_choice_about_location_applies_to_every_kind_of_export(exporting, qtbot) -> None:
    dialog = exporting()
    form = dialog.form

    def metadata(kind: str) -> str:
        form.kinds[kind].setChecked(True)
        return str(form.choices().metadata)

    assert [metadata(kind) for kind in ("original", "jpeg", "gallery")] == [
        "all",
        "no_location",
        "no_location",
    ]
    form.kinds["original"].setChecked(True)
    form.metadata.setCurrentIndex(1)
    form.metadata.activated.emit(1)
    assert form.metadata.currentText() == "Remove location"
    assert [metadata("jpeg"), metadata("original")] == ["no_location", "no_location"]
    form.kinds["jpeg"].setChecked(True)
    form.metadata.setCurrentIndex(form.metadata.findData("none"))
    form.metadata.activated.emit(2)
    assert [metadata("original"), metadata("gallery")] == ["no_location", "no_location"]
    dialog.reject()


def test_ratings_read_from_files_have_their_own_line(exporting, qtbot) -> None:
    read = {7: {"rating": 5, "kept": True}}
    exporting.session.catalog.journal.decide(read, summary="-", source="file")
    exporting.session.refresh()
    dialog = exporting()
    box = dialog.choices.clauses[Clause.FILE]
    assert box.isEnabled() and not box.isChecked()
    assert dialog.go.text() == "Export 4 photos"
    box.setChecked(True)
    assert dialog.go.text() == "Export 5 photos"
    dialog.reject()


def test_a_stopped_export_reports_what_it_wrote(
    exporting, qtbot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopping(plan, *, progress, cancelled):  # type: ignore[no-untyped-def]
        dialog._jobs.stop()  # as Stop does, before the first photo
        return write(plan, progress=progress, cancelled=cancelled)

    monkeypatch.setattr("curator.ui.dialogs.export_dialog.write", stopping)
    dialog = exporting()
    qtbot.waitUntil(dialog.go.isEnabled)
    dialog.go.click()
    qtbot.waitUntil(lambda: dialog.report is not None)
    assert dialog.outcome.text().startswith("Stopped. 0 files written")
    dialog.accept()


def test_after_a_failed_export_the_rest_can_be_exported(
    exporting, qtbot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(plan, **_):  # type: ignore[no-untyped-def]
        monkeypatch.setattr("curator.ui.dialogs.export_dialog.write", write)
        raise KnownError("The folder is full.", "Make room on it.")

    monkeypatch.setattr("curator.ui.dialogs.export_dialog.write", failing)
    dialog = exporting()
    qtbot.waitUntil(dialog.go.isEnabled)
    dialog.go.click()
    qtbot.waitUntil(dialog.problem.isVisible)
    assert dialog.cancel.text() == "Cancel" and dialog.bar.isHidden()
    qtbot.waitUntil(dialog.go.isEnabled)
    assert dialog.problem.text() == "The folder is full. Make room on it."
    assert dialog.outcome.text().startswith("4 photos, 5 files, ")
    dialog.go.click()
    qtbot.waitUntil(lambda: dialog.report is not None)
    assert dialog.problem.isHidden() and len(dialog.report.written) == 5
    dialog.reject()


@pytest.mark.parametrize("way", ["x", "escape", "stop"])
def test_closing_stops_an_export_and_shows_its_report(
    exporting, qtbot, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def waiting(plan, **how):  # type: ignore[no-untyped-def]
        begun.set()
        assert go_on.wait(20)
        return write(plan, **how)

    monkeypatch.setattr("curator.ui.dialogs.export_dialog.write", waiting)
    dialog = exporting()
    close = {
        "x": dialog.close,
        "escape": lambda: QTest.keyClick(dialog, Qt.Key.Key_Escape),
        "stop": dialog.cancel.click,
    }[way]
    qtbot.waitUntil(dialog.go.isEnabled)
    dialog.go.click()
    assert begun.wait(60)
    close()
    assert dialog.isVisible() and dialog.outcome.text() == "Stopping after this photo…"
    go_on.set()
    qtbot.waitUntil(lambda: dialog.report is not None)
    assert dialog.outcome.text().startswith("Stopped. 0 files written")
    close()
    assert dialog.isHidden()


def test_an_export_may_go_below_a_folder_read_without_subfolders(
    exporting, qtbot, monkeypatch
) -> None:
    (row,) = exporting.session.catalog.folders.all()
    flat = [dataclasses.replace(row, recursive=False)]
    monkeypatch.setattr(Folders, "all", lambda _: flat)
    dialog = exporting(into=Path(row.path) / "out")
    qtbot.waitUntil(dialog.go.isEnabled)


def test_without_approved_photos_the_message_says_how_to_approve(window) -> None:
    messages: list[str] = []
    window.session.messages.status_message.connect(messages.append)
    window.session.catalog.journal.decide(
        {int(i): {"flag": None, "rating": None, "kept": True} for i in window.session.ids},
        summary="-",
    )
    window.session.refresh()
    assert window.session.statistics.approved() == {}
    window.session.requests.export_requested.emit(None)
    assert messages[-1] == (
        "No photo here is approved yet."
        " Photos with 4 or 5 stars, picks (P) not rated 1 or 2, and 3-star photos that match your"
        " taste are approved for export."
    )
    window.keys.use(Keyboard("photo_mechanic"))
    window.session.requests.export_requested.emit(None)
    assert "picks (T) not rated" in messages[-1]


def test_choosing_a_folder_that_does_not_exist_yet_begins_above_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(
        dialogs.QFileDialog, "getExistingDirectory", lambda *asked: opened.append(asked[2]) or ""
    )
    for start in (tmp_path / "Curator exports" / "Iceland", tmp_path):
        assert dialogs.choose_folder(None, "Export into", str(start)) is None
    assert dialogs.choose_folder(None, "Open a folder of photos") is None
    assert opened == [str(tmp_path), str(tmp_path), ""]

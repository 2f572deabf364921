"""The evening from the card to the gallery: one culls while the card is copied and verified."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from curator.model import Pass
from curator.ui.dialogs.export_dialog import ExportDialog
from curator.ui.dialogs.import_dialog import ImportDialog
from tests.cards import draw_card, must_be_copied
from tests.drives import Drives, drives  # noqa: F401 # a fixture
from tests.journeys.evening import Evening, answer


@pytest.mark.slow
def test_from_the_card_to_the_gallery(
    evening: Evening,
    drives: Drives,  # noqa: F811
    tmp_path: Path,
) -> None:
    drives.make("eos", "EOS_DIGITAL")
    card = drives.plug("eos")
    draw_card(card, photos=6)
    before = must_be_copied(card)
    library, backup, gallery = tmp_path / "library", tmp_path / "backup", tmp_path / "gallery"

    # The card is offered; nothing opens by itself.
    session = evening.start().session
    evening.reads("EOS_DIGITAL inserted")
    assert not len(session.ids)

    def import_into_both(dialog: ImportDialog) -> None:
        dialog.form.into.field.setText(str(library))
        dialog.form.also.field.setText(str(backup))
        dialog.form.also.holder.show()
        evening.until(lambda: dialog.go.isEnabled())
        assert dialog.go.text() == "Import 6 photos"
        dialog.go.click()

    answer(ImportDialog, import_into_both)
    evening.press("Ctrl+Shift+I")

    # Cull while it copies: the card's photos are on screen.
    evening.window.activateWindow()
    evening.until(lambda: len(session.ids) == 6)
    assert session.criteria.scope.title == "EOS_DIGITAL"
    evening.press("Alt+1", "X", "P", "Space")
    assert session.criteria.mode is Pass.CULL
    evening.until(lambda: session.imports.report is not None)
    evening.reads("Safe to format EOS_DIGITAL: 12 files (2 copies each) read back and equal")
    here = evening.name()

    # The card is pulled out: the same photo, from the copy, and every mark.
    drives.pull("eos")
    evening.until(lambda: session.criteria.scope.key.startswith(str(library)))
    assert (evening.name(), session.criteria.mode) == (here, Pass.CULL)
    counts = session.statistics.counts()
    assert (counts["all"], counts["rejected"], counts["picked"], counts["kept"]) == (6, 1, 1, 2)
    evening.press("X", "X", "X")

    evening.press("Alt+2", "5", "Right", "4")

    def export_gallery(dialog: ExportDialog) -> None:
        dialog.form.kinds["gallery"].setChecked(True)
        dialog.folder.setText(str(gallery))
        evening.until(lambda: dialog.go.isEnabled())
        dialog.go.click()
        evening.until(lambda: dialog.report is not None)
        dialog.accept()

    answer(ExportDialog, export_gallery)
    evening.press("Ctrl+Shift+E")
    evening.until((gallery / "photos.json").exists)
    assert len(json.loads((gallery / "photos.json").read_text("utf-8"))["photos"]) == 2

    # The copies are those of the card, the list beside them proves it, and the card is unchanged.
    for place in (library, backup):
        [checksums] = place.glob("*.sha256")
        subprocess.run(["sha256sum", "--quiet", "-c", checksums.name], cwd=place, check=True)
    assert must_be_copied(drives.plug("eos")) == before

"""Presets: named choices in a file that can be shared."""

from __future__ import annotations

from pathlib import Path

import pytest

from curator.export import presets
from curator.home import Home
from curator.model import KnownError, NotFoundError, UsageError
from curator.settings import ExportSettings


def test_a_preset_is_saved_found_shared_and_removed(home: Home, tmp_path: Path) -> None:
    choices = ExportSettings(form="jpeg", long_edge_px=3000, sharpen="print", names="{date}_{name}")
    saved = presets.save(home, "  Ann's\nprints ", choices)
    assert saved.name == "Ann's prints" and saved.path is not None
    assert presets.find(home, "ANN'S PRINTS").choices == choices
    sent = tmp_path / "from a friend.json"
    saved.path.rename(sent)
    assert presets.find(home, str(sent)).choices == choices
    assert str(home.data) not in sent.read_text("utf-8")
    presets.save(home, "Ann's prints", ExportSettings())
    again = presets.save(home, "Ann's prints", choices)
    assert [p.name for p in presets.presets(home) if p.path] == ["Ann's prints"]
    presets.remove(again)
    assert presets.presets(home) == list(presets.BUILT_IN)


def test_two_names_with_the_same_file_name_are_two_presets(home: Home) -> None:
    for name in ("a/b", "a:b", "../../etc"):
        presets.save(home, name, ExportSettings())
    assert {p.name for p in presets.presets(home) if p.path} == {"a/b", "a:b", "../../etc"}
    assert {path.parent for path in home.data.rglob("*.json")} == {presets.folder(home)}


def test_built_in_presets_cannot_be_changed(home: Home) -> None:
    assert {preset.choices.target for preset in presets.BUILT_IN} == {"folder", "gallery"}
    with pytest.raises(UsageError, match="comes with Curator"):
        presets.save(home, "originals", ExportSettings())
    with pytest.raises(UsageError):
        presets.remove(presets.BUILT_IN[0])
    with pytest.raises(NotFoundError) as caught:
        presets.find(home, "no such")
    assert "Originals" in caught.value.remedy


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{", "[" * 9000, '{"long_edge_px": 1}', '{"folder": "/etc"}', '{"form": "gif"}'],
    ids=range(7),
)
def test_a_file_that_is_not_a_preset_is_skipped(home: Home, content: str, expected_log) -> None:
    path = presets.folder(home) / "odd.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(KnownError, match="is not an export preset"):
        presets.read(path)
    expected_log("a preset was skipped: .*odd.json is not an export preset")
    assert presets.presets(home) == list(presets.BUILT_IN)

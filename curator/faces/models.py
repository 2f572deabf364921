"""The networks for faces: files in ``resources/models/``, checked and loaded once per process.

``resources/models/provenance.json`` says where each file comes from. Worker processes use this; a
missing or damaged file must cost nothing but the faces.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import cv2

from curator.model import KnownError

FINDER = "centerface.onnx"
MESH = "face_landmarks_detector.tflite"
EXPRESSIONS = "face_blendshapes.tflite"


class ModelError(KnownError):
    """A network for faces is missing, damaged, or not supported by this OpenCV."""


@cache
def load(name: str) -> Any:
    """Load a network (cv2.dnn.Net); one thread may use it at a time.

    Raises:
        ModelError: the file is missing or damaged; faces cannot be measured.
    """
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


def _failed(name: str, what: str) -> ModelError:
    return ModelError(
        f"Faces cannot be measured: the file “models/{name}” of Curator {what}.",
        "Install Curator again.",
    )

"""The networks for faces, loaded once per process."""

from __future__ import annotations

from typing import Any

from curator import networks

FINDER = "centerface.onnx"
MESH = "face_landmarks_detector.tflite"
EXPRESSIONS = "face_blendshapes.onnx"
WITHOUT = "Faces cannot be measured"


def load(name: str, size: tuple[int, int] | None = None) -> Any:
    """Load a network for faces; the arguments and errors of :func:`curator.networks.load`."""
    return networks.load(name, WITHOUT, size)

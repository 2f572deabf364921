"""The networks that come with Curator: files in ``resources/models/``, run by OpenCV.

``resources/models/provenance.json`` says where each file comes from. Worker processes use this for
faces and for the starter encoder. A missing or damaged file must disable only the feature that uses
it.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from curator.model import KnownError

FOLDER = "models"
# Once it ran, a network of OpenCV 4 computes nonsense for an input of another size.
_ONE_SIZE = not hasattr(cv2.dnn, "ENGINE_NEW")
_KEPT = 8  # networks in memory, 4 to 20 MB each


class ModelError(KnownError):
    """A network is missing, damaged, or not supported by this OpenCV."""


def load(name: str, without: str, size: tuple[int, int] | None = None) -> Any:
    """Load a network (cv2.dnn.Net) once for each process; one thread may use it at a time.

    Args:
        name: its file.
        without: what cannot be done without it, to begin an error with.
        size: height and width of the input, if they vary.

    Raises:
        ModelError: the file is missing or damaged, or OpenCV cannot load it.
    """
    return _load(name, without, size if _ONE_SIZE else None)


@lru_cache(maxsize=_KEPT)
def _load(name: str, without: str, size: tuple[int, int] | None) -> Any:
    # ``size`` only tells kept networks apart: one network is used for one size of input.
    data, path = read(name, without), str(_folder() / name)
    # On Windows OpenCV opens no path with letters that are not ASCII.
    by_content = name.endswith(".onnx")
    try:
        if by_content:
            return cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
        # The newer engine of OpenCV 5 returns only one output of such a network. Given bytes in
        # place of a path, OpenCV 5.0 always takes that engine.
        engine = getattr(cv2.dnn, "ENGINE_CLASSIC", None)
        return cv2.dnn.readNetFromTFLite(path, *([] if engine is None else [engine]))
    except cv2.error as error:
        if _is_out_of_memory(error):
            raise ModelError(
                f"{without}: there is not enough memory.", "Close other programs."
            ) from error
        remedy = "Install another version of it."
        if sys.platform == "win32" and not by_content and not path.isascii():
            remedy = "Install Curator into a folder whose path has only English letters."
        raise ModelError(f"OpenCV {cv2.__version__} cannot load “{name}”.", remedy) from error


def read(name: str, without: str) -> bytes:
    """Return the content of a file, after it was compared with the recorded sha256.

    Args:
        name: a file in ``resources/models/``.
        without: as of :func:`load`.

    Raises:
        ModelError: the file is missing or damaged.
    """
    folder = _folder()
    try:
        expected = json.loads((folder / "provenance.json").read_text("utf-8"))[name]["sha256"]
        data = (folder / name).read_bytes()
    except (OSError, ValueError, KeyError) as error:
        raise _failed(name, without, "is missing") from error
    if hashlib.sha256(data).hexdigest() != expected:
        raise _failed(name, without, "is damaged")
    return data


def forget() -> None:
    """Load and check networks again when they are next needed."""
    _load.cache_clear()


def run(
    network: Any, given: npt.NDArray[np.float32], outputs: Sequence[str]
) -> list[npt.NDArray[np.float32]]:
    """Run a network and return copies of its outputs by name.

    Raises:
        MemoryError: there is not enough memory.
    """
    try:
        network.setInput(given)
        return [np.array(found, np.float32) for found in network.forward(list(outputs))]
    except cv2.error as error:
        if _is_out_of_memory(error):
            raise MemoryError from error
        raise


def use_threads(count: int) -> None:
    """Let OpenCV use so many threads in this process."""
    cv2.setNumThreads(count)


def _folder() -> Path:
    from curator.home import resource

    return resource(FOLDER)


def _is_out_of_memory(error: cv2.error) -> bool:
    return error.code == cv2.Error.StsNoMem or "bad_alloc" in str(error)


def _failed(name: str, without: str, what: str) -> ModelError:
    return ModelError(
        f"{without}: the file “{FOLDER}/{name}” of Curator {what}.", "Install Curator again."
    )

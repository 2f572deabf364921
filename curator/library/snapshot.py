"""What a table held when its window closed, so that the next opens without reading every photo.

Arrays by name in one file of the cache, which may be thrown away at any time. The catalog names
the one that holds by a token, written after the file: what changed since has a later revision, and
a catalog that was put back from before has another token, or none.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curator import arrays, atomic

log = logging.getLogger(__name__)

Arrays = Mapping[str, NDArray[Any]]
TOKEN = "token"
_NONE = "\1"  # stands for a text that is not there; catalogs hold no control characters


def write(path: Path, token: str, held: Arrays) -> None:
    """Write arrays whole or not at all.

    Raises:
        OSError: it could not be written; a former file stays.
    """
    atomic.put(path, arrays.dump({TOKEN: token, **held}), sync=False)


def read(path: Path, token: str) -> Arrays | None:
    """Read what was written with this token; None where nothing whole was."""
    if not token:
        return None
    try:
        held = arrays.load(path)
    except FileNotFoundError:
        return None
    except arrays.DamagedArraysError as error:
        log.info("%s is read anew from the catalog: %s", path.name, error)
        return None
    return held if str(held.get(TOKEN)) == token else None


def packed(texts: Sequence[object]) -> NDArray[np.uint8]:
    """Lay texts, None among them, end to end.

    Raises:
        ValueError: one of them cannot be told from what stands between them.
    """
    joined = "\0".join(_NONE if text is None else str(text) for text in texts)
    if joined.count("\0") != max(len(texts) - 1, 0):
        raise ValueError("a text holds a NUL")
    return np.frombuffer(joined.encode("utf-8", "surrogatepass"), np.uint8)


def unpacked(content: NDArray[np.uint8], count: int) -> list[object]:
    """Give the texts that were laid end to end.

    Raises:
        ValueError: there are not as many.
    """
    texts = content.tobytes().decode("utf-8", "surrogatepass").split("\0") if count else []
    if len(texts) != count:
        raise ValueError(f"{len(texts)} texts of {count}")
    return [None if text == _NONE else text for text in texts]

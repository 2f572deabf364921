"""Named numpy arrays as bytes: npz files without pickles, and a single error for damaged ones.

    content = dump({"places": places, "scale": 0.5})
    load(content)["places"]     # or load(path)

Caches and learned models use it. Never allow a pickle here: loading one can run code.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from curator import atomic


class DamagedArraysError(ValueError):
    """The bytes or the file do not hold readable arrays."""


def dump(arrays: Mapping[str, ArrayLike], *, compressed: bool = False) -> bytes:
    """Serialize arrays by name; ``compressed`` takes longer and makes fewer bytes."""
    buffer = io.BytesIO()
    named: dict[str, Any] = dict(arrays)
    (np.savez_compressed if compressed else np.savez)(buffer, **named)
    return buffer.getvalue()


def load(source: bytes | Path) -> dict[str, NDArray[Any]]:
    """Load arrays written by :func:`dump`, from bytes or a file.

    Raises:
        FileNotFoundError: the file does not exist.
        DamagedArraysError: it cannot be read, or holds something else.
    """
    try:
        with contextlib.ExitStack() as stack:
            content = stack.enter_context(
                io.BytesIO(source) if isinstance(source, bytes) else atomic.open_plain(source)
            )
            with np.load(content, allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
    except FileNotFoundError:
        raise
    # A damaged archive raises different errors depending on where the damage is; zip may even ask
    # for a password or a later version.
    except Exception as error:
        raise DamagedArraysError(str(error)) from error

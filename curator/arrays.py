"""Arrays by name as bytes: an npz, never a pickle, and one error for whatever is wrong with one.

content = dump({"places": places, "scale": 0.5})
load(content)["places"]     # or load(path)
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
    """What was to hold arrays does not, or not whole."""


def dump(arrays: Mapping[str, ArrayLike], *, packed: bool = False) -> bytes:
    """Lay arrays down by their names; ``packed`` takes longer, and less room."""
    held = io.BytesIO()
    named: dict[str, Any] = dict(arrays)
    (np.savez_compressed if packed else np.savez)(held, **named)
    return held.getvalue()


def load(source: bytes | Path) -> dict[str, NDArray[Any]]:
    """Read what :func:`dump` laid down, from bytes or a file.

    Raises:
        FileNotFoundError: there is no such file.
        DamagedArraysError: it cannot be read, or holds something else.
    """
    try:
        with contextlib.ExitStack() as stack:
            content = stack.enter_context(
                io.BytesIO(source) if isinstance(source, bytes) else atomic.opened(source)
            )
            with np.load(content, allow_pickle=False) as held:
                return {name: held[name] for name in held.files}
    except FileNotFoundError:
        raise
    # What a damaged archive raises depends on where the damage is: in zip's own words even that it
    # needs a password, or a later version of zip.
    except Exception as error:
        raise DamagedArraysError(str(error)) from error

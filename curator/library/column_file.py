"""Columns in one file that is mapped instead of read: a page is in memory once something is on it.

A file begins with a header: the label, the type, shape and place of each column, and a checksum of
all that follows. Opening it reads it once from front to back to compare that, a tenth of a second
for a million photos. What is then changed is changed in a copy of the page, never in the file.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from curator import atomic, private

_MAGIC = b"curator columns\n"
_PREFIX = struct.Struct(">16sII")  # of a file: the magic, the header's length and its checksum
_ALIGNMENT = 64  # bytes
_BLOCK = 1 << 20  # bytes read at a time
_LARGEST_HEADER = 1 << 16
_KINDS = "biufM"  # of numpy types: no objects


class DamagedFileError(ValueError):
    """The file does not hold what was written to it."""


def write(path: Path, label: str, columns: Mapping[str, NDArray[Any]]) -> None:
    """Write columns atomically; nobody waits for the disk, as the checksum finds what is missing.

    Raises:
        OSError: the file cannot be written; a former file stays.
    """
    stored = {name: np.asarray(column, order="C") for name, column in columns.items()}
    places: dict[str, tuple[str, tuple[int, ...], int]] = {}
    parts: list[memoryview | bytes] = []
    size = 0
    for name, column in stored.items():
        places[name] = column.dtype.str, column.shape, size
        gap = bytes(-column.nbytes % _ALIGNMENT)
        parts += [column.reshape(-1).view(np.uint8).data, gap]
        size += column.nbytes + len(gap)
    check = 0
    for part in parts:
        check = zlib.crc32(part, check)
    header = json.dumps({"label": label, "columns": places, "size": size, "check": check}).encode()
    header += b" " * (-(_PREFIX.size + len(header)) % _ALIGNMENT)
    with (
        atomic.replacing(path) as temporary,
        open(temporary, "xb", opener=private.opener) as file,
    ):
        file.write(_PREFIX.pack(_MAGIC, len(header), zlib.crc32(header)))
        file.write(header)
        file.writelines(parts)


def read(path: Path) -> tuple[str, dict[str, NDArray[Any]]]:
    """Map the columns of a file; return its label and the columns, which may be changed.

    Raises:
        FileNotFoundError: there is none.
        DamagedFileError: it cannot be read, or does not hold what was written.
    """
    try:
        with atomic.open_plain(path) as file:
            header, begin = _header(file)
            _check(file, header["size"], header["check"])
            content = _mapped(file)
            columns = {
                name: np.ndarray(tuple(shape), _dtype(of), content, begin + place)
                for name, (of, shape, place) in header["columns"].items()
            }
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedFileError(str(error)) from error
    return header["label"], columns


def _header(file: BinaryIO) -> tuple[dict[str, Any], int]:
    """Return the header, and where the columns begin."""
    prefix = file.read(_PREFIX.size)
    if len(prefix) < _PREFIX.size:
        raise ValueError("it is too short")
    magic, length, check = _PREFIX.unpack(prefix)
    if magic != _MAGIC or length > _LARGEST_HEADER:
        raise ValueError("it has another format")
    header = file.read(length)
    if zlib.crc32(header) != check:
        raise ValueError("its header is damaged")
    return json.loads(header), _PREFIX.size + length


def _check(file: BinaryIO, size: int, check: int) -> None:
    """Compare the rest of the file with its checksum.

    Reading it in blocks takes no memory, which looking at all that is mapped would.
    """
    block = memoryview(bytearray(_BLOCK))
    found = read = 0
    while count := file.readinto(block):  # type: ignore[attr-defined]
        found, read = zlib.crc32(block[:count], found), read + count
    if (read, found) != (size, check):
        raise ValueError("its columns are damaged")


def _mapped(file: BinaryIO) -> mmap.mmap | bytearray:
    if os.name == "nt":  # a mapped file could not be replaced by the next one
        file.seek(0)
        return bytearray(file.read())
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)


def _dtype(name: str) -> np.dtype[Any]:
    dtype = np.dtype(name)
    if dtype.kind not in _KINDS:
        raise ValueError(f"columns of {name} are not stored")
    return dtype

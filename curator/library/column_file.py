"""Numpy columns in one memory-mapped file.

The system loads a page when it is first accessed. A file starts with a header: a label, the type,
shape and offset of each column, and a checksum of the rest. Opening reads the file once to verify
the checksum, 0.1 s for a million photos. Changes stay in private copies of pages.

The table of photos and the stacker save what the next start needs with it. A file must never be
changed in place, only replaced, and its drive must stay: the system ends a process that accesses a
page it cannot load.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from curator import atomic, private

MIN_PHOTOS = 5000  # no file for fewer: the catalog reads them within 50 ms
_MAGIC = b"curator columns\n"
_PREFIX = struct.Struct(">16sII")  # of a file: the magic, the header's length and its checksum
_ALIGNMENT = 64  # bytes
_BLOCK = 1 << 20  # bytes read at a time
_LARGEST_HEADER = 1 << 16
_MAPS = os.name != "nt"  # Windows could not replace a mapped file with the next one
_KINDS = "biufM"  # of numpy types: no objects


class DamagedFileError(ValueError):
    """The file does not hold what was written to it."""


def write(path: Path, label: str, columns: Mapping[str, NDArray[Any]]) -> None:
    """Write columns atomically.

    Does not sync to disk; the checksum detects a file that was written incompletely.

    Args:
        path: the file.
        label: what :func:`read` returns with the columns, so that readers know what they are of.
        columns: by name, of any shape; numbers, booleans or times.

    Raises:
        OSError: the file cannot be written; a former file stays.
        ValueError: the label and the names of columns take too many bytes.
    """
    stored = {name: np.asarray(column, order="C") for name, column in columns.items()}
    described: dict[str, tuple[str, tuple[int, ...], int]] = {}
    parts: list[memoryview | bytes] = []
    size = 0
    for name, column in stored.items():
        described[name] = column.dtype.str, column.shape, size
        gap = bytes(-column.nbytes % _ALIGNMENT)
        parts += [column.reshape(-1).view(np.uint8).data, gap]
        size += column.nbytes + len(gap)
    check = 0
    for part in parts:
        check = zlib.crc32(part, check)
    content = {"label": label, "columns": described, "size": size, "check": check}
    header = json.dumps(content).encode()
    header += b" " * (-(_PREFIX.size + len(header)) % _ALIGNMENT)
    if len(header) > _LARGEST_HEADER:
        raise ValueError(f"a header of {len(header):,} bytes is too large")
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
        FileNotFoundError: the file does not exist.
        DamagedFileError: it cannot be read, or does not hold what was written.
    """
    try:
        with atomic.open_plain(path) as file:
            header, begin = _header(file)
            _verify_checksum(file, header["size"], header["check"])
            content = _mapped(file)
            columns = {
                name: np.ndarray(tuple(shape), _dtype(of), content, begin + offset)
                for name, (of, shape, offset) in header["columns"].items()
            }
            return str(header["label"]), columns
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedFileError(str(error)) from error


def release(column: NDArray[Any]) -> None:
    """Return the memory of a mapped column to the system, which loads its pages again when needed.

    Args:
        column: one from :func:`read` that is read-only, because changes would be lost; any other
            array keeps its memory.
    """
    mapped = column.base
    if sys.platform != "win32" and isinstance(mapped, mmap.mmap) and not column.flags.writeable:
        begin = column.ctypes.data - np.frombuffer(mapped, np.uint8).ctypes.data
        end = (begin + column.nbytes) // mmap.PAGESIZE * mmap.PAGESIZE
        begin += -begin % mmap.PAGESIZE  # other columns may be in the first and the last page
        if begin < end:
            mapped.madvise(mmap.MADV_DONTNEED, begin, end - begin)


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


def _verify_checksum(file: BinaryIO, size: int, check: int) -> None:
    """Compare the rest of the file with its checksum.

    Reading it in blocks takes no memory, unlike accessing all that is mapped.
    """
    block = memoryview(bytearray(_BLOCK))
    found = read = 0
    while count := file.readinto(block):  # type: ignore[attr-defined]
        found, read = zlib.crc32(block[:count], found), read + count
    if (read, found) != (size, check):
        raise ValueError("its columns are damaged")


def _mapped(file: BinaryIO) -> mmap.mmap | bytearray:
    if not _MAPS:
        content = bytearray(os.fstat(file.fileno()).st_size)
        file.seek(0)
        file.readinto(content)  # type: ignore[attr-defined]
        return content
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)


def _dtype(name: str) -> np.dtype[Any]:
    dtype = np.dtype(name)
    if dtype.kind not in _KINDS:
        raise ValueError(f"columns of {name} are not stored")
    return dtype

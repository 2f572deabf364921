"""Work on one image file, which need not be in the catalog, in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from curator.cli.invocation import Invocation

if TYPE_CHECKING:
    from curator.encoders import Recipe
    from curator.model import Embedded
    from curator.stages.file_preview import DecodedFile
    from curator.workers import WorkerPool


def decode_file(invocation: Invocation, path: Path, faces: bool = False) -> DecodedFile:
    """Decode a file in a worker process, and measure its faces if asked; nothing is written.

    Raises:
        KnownError: it cannot be decoded.
    """
    from curator.pipeline.file_preview import decode_in_worker

    with one_worker(invocation) as pool:
        return decode_in_worker(pool, str(path), invocation.settings, faces=faces)


@contextmanager
def one_worker(invocation: Invocation) -> Iterator[WorkerPool]:
    """Provide one process for work on a file that a person waits for."""
    from curator.workers import WorkerPool

    memory_mb = invocation.settings.work.memory_mb
    with closing(WorkerPool(1, memory_mb=memory_mb, nice=0, name="preview")) as pool:
        yield pool


def encode_file(invocation: Invocation, recipe: Recipe, found: DecodedFile) -> Embedded:
    """Encode a decoded file in a worker process.

    Raises:
        KnownError: it cannot be encoded.
    """
    from curator.pipeline.encoder_lane import make_pool
    from curator.pipeline.file_preview import encode_in_worker

    pool = make_pool(invocation.settings)
    try:
        return encode_in_worker(pool, recipe, found, invocation.settings)
    finally:
        pool.close()

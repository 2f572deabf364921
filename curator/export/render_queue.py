"""A queue that renders the JPEGs of the next photos ahead, while earlier ones are written."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from curator.export.name_allocator import FileAction
from curator.export.plan import Plan, PlannedPhoto
from curator.export.render import Rendered, RenderJob, render
from curator.workers import WorkerPool

_MOST = 4  # processes; each needs some 300 MB for a 24-megapixel photo
_AHEAD = 2  # photos per process, so that none waits for the disk
_MEMORY_MB = 4096
_TIMEOUT_S = 120.0


class RenderQueue:
    """Renders the JPEGs of a plan's photos in its order.

    Thread: one.
    """

    def __init__(self, plan: Plan, pool: WorkerPool | None) -> None:
        self._options = plan.options
        self._pool, self._owns_pool = pool, pool is None
        wanted = [chosen for chosen in plan.chosen if _needs_jpegs(chosen)]
        self._waiting: Iterator[PlannedPhoto] = iter(wanted)
        size = pool.size if pool else min(_MOST, os.cpu_count() or 1, len(wanted))
        self._size = max(1, size)
        self._threads: ThreadPoolExecutor | None = None
        self._under_way: deque[tuple[PlannedPhoto, Future[Rendered]]] = deque()
        self._latest: tuple[PlannedPhoto, Future[Rendered]] | None = None

    def jpeg(self, chosen: PlannedPhoto, edge: int) -> tuple[bytes, tuple[int, int], str]:
        """Return one JPEG of a photo, its (width, height), and the sha256 of the original.

        Raises:
            KnownError: the original cannot be rendered, with the reason.
        """
        if self._latest is None or self._latest[0] is not chosen:
            self._latest = self._next(chosen)
        rendered = self._latest[1].result()
        at = self._options.jpeg_edges.index(edge)
        return rendered.contents[at], rendered.sizes[at], rendered.original_sha256

    def _next(self, chosen: PlannedPhoto) -> tuple[PlannedPhoto, Future[Rendered]]:
        if not _needs_jpegs(chosen):  # planned as a rename, but somebody changed the file since
            return self._start(chosen)
        self._fill()
        while self._under_way[0][0] is not chosen:
            self._under_way.popleft()  # that photo failed before its JPEG was taken
        found = self._under_way.popleft()
        self._fill()
        return found

    def close(self) -> None:
        """Cancel pictures not taken yet, and end the processes started here."""
        for _, future in self._under_way:
            future.cancel()
        if self._pool is not None and self._owns_pool:
            self._pool.close()
        if self._threads is not None:
            self._threads.shutdown(wait=True, cancel_futures=True)

    def _fill(self) -> None:
        while len(self._under_way) < self._size * _AHEAD:
            chosen = next(self._waiting, None)
            if chosen is None:
                return
            self._under_way.append(self._start(chosen))

    def _start(self, chosen: PlannedPhoto) -> tuple[PlannedPhoto, Future[Rendered]]:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._size, "export")
            self._pool = self._pool or WorkerPool(
                self._size, memory_mb=_MEMORY_MB, nice=5, name="export"
            )
        return chosen, self._threads.submit(self._render, chosen)

    def _render(self, chosen: PlannedPhoto) -> Rendered:
        options, output = self._options, chosen.files[0].output
        job = RenderJob(
            str(output.source.path),
            options.jpeg_edges,
            options.jpeg_quality,
            options.sharpen,
            options.metadata_kept,
            chosen.photo.turn,
            output.fallback,
            output.metadata,
        )
        assert self._pool is not None
        return self._pool.run(render, job, timeout_s=_TIMEOUT_S)


def _needs_jpegs(chosen: PlannedPhoto) -> bool:
    return any(
        item.output.edge is not None and item.action not in (FileAction.KEEP, FileAction.RENAME)
        for item in chosen.files
    )

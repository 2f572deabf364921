"""Spawned processes that may crash, hang or be killed without harm.

All use of ``multiprocessing`` is here; the pipeline, the export and the command line use it. A
:class:`WorkerPool` runs a module-level function in one of its processes and returns the value, or
raises an error that a photographer understands. Each process has its own pipe, so a process that
dies fails only its own job: in a ``ProcessPoolExecutor`` one segmentation fault failed 16 of 20
jobs. The pool starts and replaces processes, enforces time limits and watches memory from outside.

    pool = WorkerPool(2, memory_mb=4096, preload=("curator.stages",))
    peeked = pool.run(peek, job, timeout_s=60)       # blocks; call it from any thread
    pool.close()

Pixels cross in shared memory: the function returns ``share(rgb)`` and the caller reads
``.array``. Nothing may stay in shared memory once that array is gone, even after a kill.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import itertools
import logging
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
import traceback
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import connection, shared_memory
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from curator import deadline
from curator.model import KnownError

if TYPE_CHECKING:
    import numpy as np
    import psutil

log = logging.getLogger(__name__)

J = TypeVar("J")
T = TypeVar("T")

SAMPLE_S = 0.1  # how often memory is measured: a decoder fills about 2 GB/s at the very most
KILL_S = 2.0  # how long to wait for a killed process to end
START_S = 60.0  # how long a process may take to start
GRACE_S = 10.0  # a process whose parent is gone ends itself this long after the time limit
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of glibc's malloc.h
_REUSED_BYTES = 256 << 20  # the most a process keeps for its next job
_REST_S = 2.0  # a process without a job for so long frees that
_LONGER = b"longer"  # a worker asks for a longer limit; no pickle starts with these bytes
_START = threading.Lock()
_POOLS = itertools.count()


class WorkerError(KnownError):
    """A process returned no result for its job; the message says why."""


class WorkerCrashed(WorkerError):
    """The process died during the job."""


class WorkerTimeout(WorkerError):
    """The job took longer than its limit; its process was killed."""


class WorkerMemory(WorkerError):
    """The job needed more memory than its limit; its process was killed."""


class WorkerCancelled(WorkerError):
    """The job was canceled, or its pool closed."""


class WorkerUnavailable(WorkerError):
    """No process could be started; the job is not the cause."""


class WorkerBug(Exception):
    """The function raised something other than a KnownError or an OSError: a bug.

    The message is the traceback of the worker process.
    """


class Pixels:
    """An image, which a worker process may have sent in shared memory.

    Pickling hands it over: from then on the receiving process owns the memory, and the sender must
    not use its object any more. The memory is freed with the last array made from it.
    """

    __slots__ = ("_segment", "array")

    def __init__(self, array: np.ndarray, segment: shared_memory.SharedMemory | None = None):
        self.array = array
        self._segment = segment

    @property
    def nbytes(self) -> int:
        """Size of the pixels in bytes."""
        return int(self.array.nbytes)

    def __reduce__(self) -> tuple[Callable[..., Pixels], tuple[Any, ...]]:
        if self._segment is None:
            raise TypeError("only pixels made by share() inside a worker can be sent")
        return _receive, (self._segment.name, self.array.shape, self.array.dtype.str)


class _Mapping:
    """Keeps a shared segment mapped for as long as arrays use it.

    An array over ``SharedMemory.buf`` would prevent closing the mapping (BufferError at exit). An
    array made through ``__array_interface__`` owns this object instead, and both go together.
    """

    def __init__(
        self, segment: shared_memory.SharedMemory, shape: tuple[int, ...], dtype: str
    ) -> None:
        import numpy as np

        assert segment.buf is not None
        address = np.frombuffer(segment.buf, np.uint8).__array_interface__["data"][0]
        self.__array_interface__ = {
            "shape": shape,
            "typestr": dtype,
            "data": (address, False),
            "version": 3,
        }
        weakref.finalize(self, segment.close).atexit = False


def _receive(name: str, shape: tuple[int, ...], dtype: str) -> Pixels:
    import numpy as np

    segment = shared_memory.SharedMemory(name)
    segment.unlink()  # removes the name now, so nothing is left behind however this process ends
    return Pixels(np.asarray(_Mapping(segment, shape, dtype)))


class _Outbox:
    """Segments the running job of this worker shared, under names that the parent can compute."""

    prefix: str | None = None
    sent: list[shared_memory.SharedMemory] = []  # noqa: RUF012 - one worker, one list

    @classmethod
    def begin(cls, prefix: str) -> None:
        cls.release()
        cls.prefix = prefix

    @classmethod
    def release(cls) -> None:
        """Unmap segments the parent has received; Windows frees memory with its last mapping."""
        while cls.sent:
            cls.sent.pop().close()


def share(array: np.ndarray) -> Pixels:
    """Copy an array into shared memory, to return it from a job.

    Outside a worker process, the array itself is wrapped without a copy.

    Args:
        array: any shape and dtype, usually (H, W, 3) uint8.

    Raises:
        WorkerUnavailable: shared memory is full; nothing was shared.
    """
    if _Outbox.prefix is None or array.nbytes == 0:
        return Pixels(array)
    import numpy as np

    _check_room(array.nbytes)
    segment = shared_memory.SharedMemory(
        f"{_Outbox.prefix}{len(_Outbox.sent)}", create=True, size=array.nbytes
    )
    _Outbox.sent.append(segment)
    np.ndarray(array.shape, array.dtype, buffer=segment.buf)[...] = array
    return Pixels(array, segment)


def _check_room(size: int) -> None:
    """Raise if an array does not fit: writing to a full /dev/shm is a bus error."""
    if sys.platform != "linux":
        return
    room = os.statvfs("/dev/shm")
    if room.f_bavail * room.f_frsize < size:
        raise WorkerUnavailable(
            "There is not enough shared memory to hand over the picture.",
            "Enlarge /dev/shm (containers: --shm-size).",
        )


# ---------------------------------------------------------------- inside a worker process


def run_each(function: Callable[[J], T], jobs: Sequence[J]) -> list[T]:
    """Call a function for each of several short jobs, to be run in a pool; the first error ends it.

    The function must not share pixels.
    """
    return [function(job) for job in jobs]


def _run_worker(
    pipe: connection.Connection, nice: int, preload: tuple[str, ...], environment: dict[str, str]
) -> None:
    """Run jobs until the pipe is closed or the parent ends; the main function of a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl+C
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _lower_priority(nice)
    os.environ.update(environment)
    free_memory = _reuse_memory()
    for name in preload:
        importlib.import_module(name)
    pipe.send_bytes(b"ready")
    with Path(os.devnull).open("w") as devnull:
        # Libraries print warnings about files, which must not end up in the terminal or in JSON.
        for stream in (1, 2):
            os.dup2(devnull.fileno(), stream)
        while True:
            try:
                if not pipe.poll(_REST_S):
                    free_memory()
                message = pipe.recv_bytes()
            except (EOFError, OSError):
                return
            if message == b"release":
                _Outbox.release()
                continue
            pipe.send_bytes(_run_job(message, devnull, pipe))


def _reuse_memory() -> Callable[[], object]:
    """Let the next job use the memory of the last; return a function that frees it.

    By default glibc returns the memory of each picture to the system, and the next picture pays for
    its pages again: 5,000 page faults for 12 MP, which took 8 to 25 ms of a conversion's 75 to 95.
    Other systems keep their defaults.
    """
    if sys.platform != "linux":
        return lambda: None
    import ctypes

    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallopt"):  # another C library than glibc
        return lambda: None
    libc.mallopt(_M_MMAP_MAX, 0)
    libc.mallopt(_M_TRIM_THRESHOLD, _REUSED_BYTES)
    return lambda: libc.malloc_trim(0)


def _run_job(message: bytes, devnull: Any, pipe: connection.Connection) -> bytes:
    """Run a pickled job; return (whether it succeeded, value or error, shared segments) pickled."""
    try:
        prefix, timeout_s, call = pickle.loads(message)
        _Outbox.begin(prefix)

        def limit(times: float) -> None:
            # This runs on a C thread, so it also ends a decoder that holds the interpreter lock.
            faulthandler.dump_traceback_later(times * timeout_s + GRACE_S, exit=True, file=devnull)

        def longer(times: float) -> None:
            limit(times)
            pipe.send_bytes(_LONGER + pickle.dumps(times))

        limit(1.0)
        deadline.set_listener(longer)
        try:
            function, arguments = pickle.loads(call)
            value = function(*arguments)
        finally:
            deadline.set_listener(None)
            faulthandler.cancel_dump_traceback_later()
        return pickle.dumps((True, value, len(_Outbox.sent)), pickle.HIGHEST_PROTOCOL)
    except BaseException as error:
        return _pickled_error(error)


def _pickled_error(error: BaseException) -> bytes:
    """Pickle an error of a job; bugs become WorkerBug, with their traceback as text."""
    text = "".join(traceback.format_exception(error))
    if isinstance(error, MemoryError):
        error = WorkerMemory("It needs more memory than there is.")
    if isinstance(error, KnownError | OSError):
        error.__traceback__ = error.__cause__ = error.__context__ = None
        with contextlib.suppress(Exception):
            return pickle.dumps((False, error, len(_Outbox.sent)))
    return pickle.dumps((False, WorkerBug(text), len(_Outbox.sent)))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _lower_priority(nice: int) -> None:
    if nice <= 0:
        return
    if sys.platform == "win32":
        import psutil

        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
    else:
        os.nice(nice)


# ---------------------------------------------------------------- in the window's process


class _Worker:
    """One process and the pipe to it; used by one thread at a time."""

    def __init__(self, name: str, nice: int, preload: tuple[str, ...]) -> None:
        import psutil

        spawn = multiprocessing.get_context("spawn")
        with _START:
            self.pipe, theirs = spawn.Pipe()
            self.process = spawn.Process(
                target=_run_worker,
                args=(theirs, nice, preload, _ENVIRONMENT),
                name=name,
                daemon=True,
            )
            try:
                self.process.start()
            except OSError:
                self.pipe.close()
                raise
            finally:
                theirs.close()
        self.ready = False
        self.token: object = None
        self.cancelled = False
        self.idle_since = time.monotonic()
        self.segments = ""
        self._meter: psutil.Process | None = None
        with contextlib.suppress(psutil.Error):
            self._meter = psutil.Process(self.process.pid)

    def resident_mb(self) -> float:
        """Measure resident memory from outside, in MB; 0 once the process is gone."""
        import psutil

        try:
            return self._meter.memory_info().rss / 1e6 if self._meter else 0.0
        except psutil.Error:
            return 0.0

    def wait(self, until: float, memory_mb: float) -> bytes:
        """Wait for the next message.

        Raises:
            EOFError: the process ended first.
            TimeoutError: ``until`` (on the monotonic clock) came first.
            MemoryError: resident memory went over ``memory_mb``.
        """
        while True:
            left = until - time.monotonic()
            ready = connection.wait(
                [self.pipe, self.process.sentinel], max(0.0, min(left, SAMPLE_S))
            )
            if self.pipe in ready:
                return self.pipe.recv_bytes()
            if ready:
                raise EOFError
            if left <= 0:
                raise TimeoutError
            if self.resident_mb() > memory_mb:
                raise MemoryError

    def kill(self) -> int | None:
        """End the process at once, free its resources, and return its exit code.

        A process that waits for a drive that does not answer cannot be ended before the drive
        answers. It is not waited for; the exit code is then None.
        """
        self.process.kill()
        self.process.join(KILL_S)
        code = self.process.exitcode
        if code is not None:
            self.process.close()
        self.pipe.close()
        if self.segments:
            self.sweep()
        return code

    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return not connection.wait([self.process.sentinel], 0)

    def sweep(self, made: int = 0) -> None:
        """Remove shared memory that the last job made and nobody received.

        Tries at least ``made`` names, then continues until a name does not exist.
        """
        for number in itertools.count():
            try:
                orphan = shared_memory.SharedMemory(f"{self.segments}{number}")
            except (FileNotFoundError, ValueError):  # ValueError: created, but still without size
                if number >= made:
                    return
            else:
                orphan.close()
                orphan.unlink()


# Each process decodes on one core: libraries that start a thread per core would slow each other.
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
}


@dataclass(eq=False, slots=True)
class _Call:
    """A job that waits for a process."""

    token: object
    cancelled: bool = False


class WorkerPool:
    """Runs functions in a bounded number of spawned processes.

    Attributes:
        size: the largest number of processes.
        purpose: what they are needed for, in errors: "No process could be started to read photos".
        doing: what a job does, in errors: "Reading it took longer than 60 s."

    Thread: any, for every method.
    """

    def __init__(
        self,
        size: int,
        *,
        memory_mb: int,
        nice: int = 10,
        name: str = "decode",
        preload: tuple[str, ...] = (),
        keeps_memory: bool = False,
    ) -> None:
        """Make a pool; no process starts before :meth:`warm` or the first :meth:`run`.

        Args:
            size: the largest number of processes.
            memory_mb: resident memory at which a process is killed.
            nice: niceness of the processes; 0 for work a person waits for.
            name: of the processes, for logs and process lists.
            preload: modules a process imports before its first job.
            keeps_memory: memory that a process holds between jobs is a model, not a leak.
        """
        self.size = size
        self._memory_mb = memory_mb
        self._nice = nice
        self._name = name
        self.purpose, self.doing = "read photos", "Reading it"
        self._preload = preload
        self._keeps_memory = keeps_memory
        self._lock = threading.Lock()
        self._slots = threading.Semaphore(size)
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._waiting: set[_Call] = set()
        self._closed = False
        self._prefix = f"cu{os.getpid():x}p{next(_POOLS):x}"
        self._serial = itertools.count()

    def named(self, purpose: str, doing: str) -> WorkerPool:
        """Name the work in errors, see :attr:`purpose` and :attr:`doing`; return this pool."""
        self.purpose, self.doing = purpose, doing
        return self

    def run(
        self,
        function: Callable[..., T],
        *arguments: object,
        timeout_s: float,
        token: object = None,
    ) -> T:
        """Run a function in a process and wait for its value.

        Args:
            function: importable by name in a fresh process.
            *arguments: picklable.
            timeout_s: limit for the function alone, without waiting for a free process. A large
                file may extend it (`curator.deadline`).
            token: identifies this job for :meth:`cancel`.

        Raises:
            WorkerCrashed, WorkerTimeout, WorkerMemory: the job ended that way; other jobs go on.
            WorkerCancelled: the job was canceled, or the pool is closed.
            WorkerUnavailable: no process could be started.
            KnownError, OSError: raised by the function, and passed on with the same type.
            WorkerBug: the function raised anything else.
        """
        message = pickle.dumps((function, arguments), pickle.HIGHEST_PROTOCOL)
        call = _Call(token)
        with self._lock:
            self._waiting.add(call)
        with self._slots:
            worker = self._acquire(call)
            try:
                good, value = self._run_on(worker, message, timeout_s)
            except BaseException:
                self._discard(worker)
                raise
            self._release(worker)
        if good:
            return value
        raise value

    def warm(self, count: int = 1) -> None:
        """Start processes ahead of the first job, without waiting for them.

        Raises:
            WorkerUnavailable: the system starts no process.
        """
        for _ in range(count):
            with self._lock:
                if self._closed or len(self._idle) + len(self._busy) >= self.size:
                    return
            worker = self._start()
            with self._lock:
                if not self._closed:
                    self._idle.append(worker)
                    continue
            worker.kill()

    def cancel(self, token: object) -> bool:
        """Cancel the job with this token, also while it waits; return whether there was one."""
        with self._lock:
            waiting = [call for call in self._waiting if call.token == token]
            for call in waiting:
                call.cancelled = True
            running = [worker for worker in self._busy if worker.token == token]
            for worker in running:
                worker.cancelled = True
                worker.process.kill()
        return bool(waiting or running)

    def end_idle(self, for_s: float = 0.0) -> None:
        """End the processes that had nothing to do for some seconds, and free their memory."""
        until = time.monotonic() - for_s
        with self._lock:
            ended = [worker for worker in self._idle if worker.idle_since <= until]
            self._idle = [worker for worker in self._idle if worker not in ended]
        for worker in ended:
            worker.kill()

    def close(self) -> None:
        """End all processes at once; running jobs raise WorkerCancelled. Safe to repeat."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            for worker in self._busy:
                worker.cancelled = True
                worker.process.kill()
        for worker in idle:
            worker.kill()

    def processes(self) -> list[int]:
        """Return the ids of the processes alive now."""
        with self._lock:
            pids = [worker.process.pid for worker in (*self._idle, *self._busy)]
        return [pid for pid in pids if pid is not None]

    def _start(self) -> _Worker:
        try:
            return _Worker(f"curator-{self._name}", self._nice, self._preload)
        except OSError as error:
            raise WorkerUnavailable(
                f"No process could be started to {self.purpose} ({error.strerror or error}).",
                "Close other programs and try again.",
            ) from error

    def _acquire(self, call: _Call) -> _Worker:
        try:
            with self._lock:
                if self._closed or call.cancelled:
                    raise self._cancelled()
                worker = self._idle.pop() if self._idle else None
            if worker is not None and not worker.is_alive():  # killed by the system while it waited
                worker.kill()
                worker = None
            worker = worker or self._start()
            with self._lock:
                worker.token = call.token
                self._busy.add(worker)
                if not (self._closed or call.cancelled):
                    return worker
            self._discard(worker)
            raise self._cancelled()
        finally:
            with self._lock:
                self._waiting.discard(call)

    def _run_on(self, worker: _Worker, message: bytes, timeout_s: float) -> tuple[bool, Any]:
        if not worker.ready:
            try:
                worker.wait(time.monotonic() + START_S, self._memory_mb)
            except (EOFError, OSError, MemoryError) as error:
                self._check_cancelled(worker)
                raise WorkerUnavailable(
                    f"The process needed to {self.purpose} does not start."
                ) from error
            worker.ready = True
        worker.segments = f"{self._prefix}j{next(self._serial):x}s"
        try:
            worker.pipe.send_bytes(
                pickle.dumps((worker.segments, timeout_s, message), pickle.HIGHEST_PROTOCOL)
            )
            begun, limit_s = time.monotonic(), timeout_s
            answer = worker.wait(begun + limit_s, self._memory_mb)
            while answer.startswith(_LONGER):
                times = float(pickle.loads(answer.removeprefix(_LONGER)))
                limit_s = times * timeout_s
                answer = worker.wait(begun + limit_s, self._memory_mb)
        except TimeoutError:
            raise WorkerTimeout(f"{self.doing} took longer than {limit_s:.3g} s.") from None
        except MemoryError:
            raise WorkerMemory(f"{self.doing} needs more than {self._memory_mb:,} MB.") from None
        except (EOFError, OSError):
            self._check_cancelled(worker)
            raise WorkerCrashed(f"{self.doing} ended in a crash.") from None
        good, value, shared = pickle.loads(answer)
        if shared:
            worker.sweep(shared)  # a function may share and then fail, or return only some
            with contextlib.suppress(OSError):  # the process died meanwhile; the next job notices
                worker.pipe.send_bytes(b"release")
        return good, value

    def _cancelled(self) -> WorkerCancelled:
        return WorkerCancelled(f"{self.doing} was stopped.")

    def _check_cancelled(self, worker: _Worker) -> None:
        if worker.cancelled:
            raise self._cancelled()

    def _release(self, worker: _Worker) -> None:
        # A process that still holds much of its memory limit would fail the next photo.
        small = self._keeps_memory or worker.resident_mb() < self._memory_mb / 2
        if small and not worker.cancelled:
            with self._lock:
                self._busy.discard(worker)
                worker.token = None
                worker.idle_since = time.monotonic()
                if not self._closed and not worker.cancelled:
                    self._idle.append(worker)
                    return
        self._discard(worker)

    def _discard(self, worker: _Worker) -> None:
        with self._lock:
            self._busy.discard(worker)
        code = worker.kill()
        log.debug("worker %s ended with exit code %s", self._name, code)


class InlinePool(WorkerPool):
    """The same interface without processes: runs jobs on the calling thread, for tests.

    Its ``size`` is 0.
    """

    def __init__(self) -> None:
        super().__init__(0, memory_mb=0)

    def run(
        self,
        function: Callable[..., T],
        *arguments: object,
        timeout_s: float,
        token: object = None,
    ) -> T:
        """Call the function here; errors have the same types as from a process."""
        try:
            return function(*arguments)
        except (KnownError, OSError):
            raise
        except Exception as error:
            raise WorkerBug("".join(traceback.format_exception(error))) from error

    def warm(self, count: int = 1) -> None:
        """Do nothing: there are no processes."""

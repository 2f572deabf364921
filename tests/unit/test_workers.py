"""Jobs that crash, hang or eat memory cost themselves and nothing else."""

from __future__ import annotations

import gc
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import connection
from pathlib import Path

import numpy as np
import psutil
import pytest

from curator import workers
from curator.model import UnreadableError
from curator.pipeline import _PRELOAD
from curator.workers import InlinePool, WorkerPool
from tests import misbehaving

SHM = Path("/dev/shm")
LIMIT_S = 60.0


def segments() -> list[str]:
    return sorted(path.name for path in SHM.glob(f"cu{os.getpid():x}p*"))


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    pool = WorkerPool(2, memory_mb=400, preload=("tests.misbehaving",))
    yield pool
    pids = pool.processes()
    pool.close()
    _, alive = psutil.wait_procs([psutil.Process(p) for p in pids if psutil.pid_exists(p)], LIMIT_S)
    assert not alive, "close() left a process behind"
    gc.collect()
    assert segments() == [], "shared memory was left behind"


def test_a_job_runs_in_another_process_of_lower_priority(pool: WorkerPool) -> None:
    assert pool.run(misbehaving.double, 21, timeout_s=LIMIT_S) == 42
    assert pool.run(misbehaving.process_id, timeout_s=LIMIT_S) in pool.processes()
    assert os.getpid() not in pool.processes()
    assert pool.run(misbehaving.priority, timeout_s=LIMIT_S) == min(os.nice(0) + 10, 19)


def test_a_worker_loads_neither_the_window_nor_the_catalog(pool: WorkerPool) -> None:
    heavy = ("PySide6", "curator.catalog", "peewee", "pytest", "torch", "pydantic")
    assert pool.run(misbehaving.loaded, heavy, timeout_s=LIMIT_S) == []


@pytest.mark.slow
def test_a_worker_that_reads_photos_starts_without_what_it_does_not_need() -> None:
    pool = WorkerPool(1, memory_mb=400, preload=_PRELOAD)
    try:
        heavy = ("pydantic", "urllib.request", "asyncio", "PySide6", "sklearn")
        assert pool.run(misbehaving.loaded, heavy, timeout_s=LIMIT_S) == []
    finally:
        pool.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be told to keep memory")
def test_the_memory_of_a_picture_is_used_again_by_the_next(pool: WorkerPool) -> None:
    first, second = (
        pool.run(misbehaving.page_faults, 40 << 20, timeout_s=LIMIT_S) for _ in range(2)
    )
    assert first > 1000 > 10 * second


def test_output_of_libraries_stays_off_the_terminal(
    pool: WorkerPool, capfd: pytest.CaptureFixture[str]
) -> None:
    pool.run(misbehaving.chatter, timeout_s=LIMIT_S)
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.parametrize("death", [misbehaving.abort, misbehaving.segfault])
def test_a_crash_is_reported_and_the_pool_continues(pool: WorkerPool, death: object) -> None:
    first = pool.run(misbehaving.process_id, timeout_s=LIMIT_S)
    with pytest.raises(workers.WorkerCrashed, match="Reading it ended in a crash"):
        pool.run(death, timeout_s=LIMIT_S)  # type: ignore[arg-type]
    assert pool.run(misbehaving.process_id, timeout_s=LIMIT_S) != first


@pytest.mark.slow
def test_a_hanging_job_is_killed_at_its_time_limit(pool: WorkerPool) -> None:
    pool.run(misbehaving.double, 1, timeout_s=LIMIT_S)
    for hang in (misbehaving.hang, misbehaving.hang_holding_the_interpreter):
        with pytest.raises(workers.WorkerTimeout, match=r"longer than 0\.2 s"):
            pool.run(hang, timeout_s=0.2)
    assert pool.run(misbehaving.double, 2, timeout_s=LIMIT_S) == 4


class FakeWorker:
    """A worker, and the pipe to it, with prepared answers; records the messages it receives."""

    ready = True

    def __init__(self, *answers: bytes) -> None:
        self.answers, self.pipe = list(answers), self
        self.until: list[float] = []
        self.received: list[bytes] = []

    def wait(self, until: float, memory_mb: float) -> bytes:
        self.until.append(until)
        return self.answers.pop(0)

    def send_bytes(self, message: bytes) -> None:
        self.received.append(message)


def test_the_time_limit_grows_with_the_picture(
    pool: WorkerPool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A HEIC of 200 megapixels has four times as long as one of 50."""
    monkeypatch.setattr(workers._Outbox, "prefix", None)
    pipe = FakeWorker()
    for megapixels in (12, 200):
        call = pickle.dumps((misbehaving.large, (megapixels,)))
        with (tmp_path / "nowhere").open("w") as nowhere:
            answer = workers._run_job(pickle.dumps(("p", 60.0, call)), nowhere, pipe)
        assert pickle.loads(answer)[:2] == (True, "done")
    (longer,) = pipe.received
    worker = FakeWorker(longer, answer)
    assert pool._run_on(worker, b"", 60.0) == (True, "done")
    assert worker.until[1] - worker.until[0] == pytest.approx(180.0)


@pytest.mark.slow
def test_a_job_that_fills_memory_is_killed_at_the_memory_limit(pool: WorkerPool) -> None:
    with pytest.raises(workers.WorkerMemory, match="more than 400 MB"):
        pool.run(misbehaving.eat, 600, timeout_s=LIMIT_S)
    assert pool.run(misbehaving.double, 2, timeout_s=LIMIT_S) == 4


def test_one_crash_among_many_jobs_fails_only_its_job(pool: WorkerPool) -> None:
    def job(number: int) -> object:
        try:
            if number % 5 == 3:
                return pool.run(misbehaving.abort, timeout_s=LIMIT_S)
            return pool.run(misbehaving.double, number, timeout_s=LIMIT_S)
        except workers.WorkerCrashed:
            return "crashed"

    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(job, range(20)))
    assert results == ["crashed" if n % 5 == 3 else 2 * n for n in range(20)]


def test_errors_of_the_function_are_raised_with_their_type(pool: WorkerPool) -> None:
    with pytest.raises(UnreadableError, match="empty") as known:
        pool.run(misbehaving.unreadable, timeout_s=LIMIT_S)
    assert known.value.remedy == "Copy it again."
    with pytest.raises(OSError) as full:
        pool.run(misbehaving.disk_full, timeout_s=LIMIT_S)
    assert (full.value.errno, full.value.filename) == (28, "/somewhere")
    with pytest.raises(workers.WorkerBug, match=r"ZeroDivisionError: ours") as bug:
        pool.run(misbehaving.mistake, timeout_s=LIMIT_S)
    assert "misbehaving.py" in str(bug.value), "the worker's traceback is kept"
    with pytest.raises(workers.WorkerBug, match="pickle"):
        pool.run(misbehaving.unpicklable, timeout_s=LIMIT_S)
    first, *rest = pool.processes()
    assert rest == [], "an exception does not cost the process"
    assert pool.run(misbehaving.process_id, timeout_s=LIMIT_S) == first


def test_pixels_are_passed_in_shared_memory_that_is_freed(pool: WorkerPool) -> None:
    pixels = pool.run(misbehaving.gradient, 300, 200, timeout_s=LIMIT_S)
    assert segments() == [], "the name goes as soon as the pixels are received"
    assert pixels.array.shape == (300, 200, 3)
    assert pixels.array.dtype == np.uint8
    assert pixels.array[299, 199, 2] == (299 * 7 + 199 * 3 + 2) % 251
    corner = pixels.array[290:, 190:]
    del pixels
    pool.close()
    assert corner[9, 9, 2] == (299 * 7 + 199 * 3 + 2) % 251, "a view keeps the memory alive"


def test_shared_memory_is_unmapped_with_its_last_array(pool: WorkerPool) -> None:
    maps = Path("/proc/self/maps")
    if not maps.exists():
        pytest.skip("no /proc here")
    pixels = pool.run(misbehaving.gradient, 300, 200, timeout_s=LIMIT_S)
    name = f"cu{os.getpid():x}p"
    assert name in maps.read_text()
    del pixels
    assert name not in maps.read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "error", "limit_s"),
    [
        (misbehaving.share_and_abort, workers.WorkerCrashed, LIMIT_S),
        (misbehaving.share_and_hang, workers.WorkerTimeout, 1.0),
        (misbehaving.share_two_and_fail, UnreadableError, LIMIT_S),
    ],
)
def test_shared_memory_of_a_failed_job_is_removed(
    pool: WorkerPool, function: object, error: type[Exception], limit_s: float
) -> None:
    pool.run(misbehaving.double, 1, timeout_s=LIMIT_S)
    with pytest.raises(error):
        pool.run(function, timeout_s=limit_s)  # type: ignore[arg-type]
    assert segments() == []


def test_pixels_outside_a_worker_are_the_array_itself() -> None:
    array = np.zeros((4, 5, 3), np.uint8)
    assert workers.share(array).array is array


def test_a_job_can_be_canceled(pool: WorkerPool) -> None:
    pool.run(misbehaving.double, 1, timeout_s=LIMIT_S)
    outcome: list[Exception] = []

    def wait_for_it() -> None:
        try:
            pool.run(misbehaving.hang, timeout_s=LIMIT_S, token="frame 7")
        except workers.WorkerCancelled as error:
            outcome.append(error)

    thread = threading.Thread(target=wait_for_it)
    thread.start()
    while not pool.cancel("frame 7"):
        thread.join(0.01)
    thread.join(LIMIT_S)
    assert [str(error) for error in outcome] == ["Reading it was stopped."]
    assert not pool.cancel("frame 7")


def test_only_processes_idle_for_long_enough_end(pool: WorkerPool) -> None:
    pool.run(misbehaving.double, 1, timeout_s=LIMIT_S)
    [process] = pool.processes()
    pool.end_idle(3600)
    assert pool.processes() == [process]
    pool.end_idle()
    assert not pool.processes()


def test_a_job_that_waits_for_a_process_can_be_canceled() -> None:
    pool = WorkerPool(1, memory_mb=512)
    try:
        with ThreadPoolExecutor(2) as threads:
            first = threads.submit(pool.run, misbehaving.hang, timeout_s=LIMIT_S, token="first")
            while not pool._busy:
                time.sleep(0.01)
            second = threads.submit(pool.run, misbehaving.hang, timeout_s=LIMIT_S, token="second")
            while not pool.cancel("second"):
                time.sleep(0.01)
            assert pool.cancel("first")
            for job in (first, second):
                assert isinstance(job.exception(LIMIT_S), workers.WorkerCancelled)
    finally:
        pool.close()


def test_closing_ends_jobs_and_refuses_new_ones(pool: WorkerPool) -> None:
    pool.run(misbehaving.double, 1, timeout_s=LIMIT_S)
    with ThreadPoolExecutor(1) as threads:
        job = threads.submit(pool.run, misbehaving.hang, timeout_s=LIMIT_S)
        pool.close()
        assert isinstance(job.exception(LIMIT_S), workers.WorkerCancelled)
    with pytest.raises(workers.WorkerCancelled):
        pool.run(misbehaving.double, 1, timeout_s=LIMIT_S)


@pytest.mark.slow
def test_warming_starts_no_more_than_the_pool_holds(pool: WorkerPool) -> None:
    pool.warm(5)
    started = pool.processes()
    assert len(started) == 2
    assert pool.run(misbehaving.process_id, timeout_s=LIMIT_S) in started


@pytest.mark.slow
def test_an_idle_process_that_was_killed_is_replaced(pool: WorkerPool) -> None:
    pid = pool.run(misbehaving.process_id, timeout_s=LIMIT_S)
    os.kill(pid, 9)
    (worker,) = pool._idle
    assert connection.wait([worker.process.sentinel], LIMIT_S)  # its last thread is gone, too
    assert pool.run(misbehaving.double, 3, timeout_s=LIMIT_S) == 6


def test_a_process_that_cannot_start_raises_unavailable() -> None:
    pool = WorkerPool(1, memory_mb=400, preload=("tests.no_such_module",))
    with pytest.raises(workers.WorkerUnavailable):
        pool.run(misbehaving.double, 1, timeout_s=LIMIT_S)
    pool.close()


PARENT = """
import sys, threading
from pathlib import Path
from curator.workers import WorkerPool
from tests import misbehaving

if __name__ == "__main__":
    pool = WorkerPool(3, memory_mb=400)
    for job in ((misbehaving.hang,), (misbehaving.share_and_hang, sys.argv[1])):
        threading.Thread(target=pool.run, args=job, kwargs={"timeout_s": 600}).start()
    pool.run(misbehaving.double, 1, timeout_s=60)
    pool.warm(3)
    while not Path(sys.argv[1]).exists():
        threading.Event().wait(0.01)
    print(*pool.processes(), flush=True)
    threading.Event().wait()
"""


@pytest.mark.slow
@pytest.mark.skipif(not SHM.exists(), reason="needs /dev/shm to look into")
def test_kill_9_of_the_parent_leaves_no_worker_and_no_memory(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    root = str(Path(__file__).parents[2])
    parent = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "shared")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": root},
    )
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    children = psutil.Process(parent.pid).children(recursive=True)
    assert len(pids) == 3
    parent.kill()
    parent.wait()
    parent.stdout.close()
    _, alive = psutil.wait_procs(children, timeout=60)
    assert not alive
    assert list(SHM.glob(f"cu{parent.pid:x}p*")) == []


def test_an_inline_pool_runs_on_the_calling_thread() -> None:
    pool = InlinePool()
    assert pool.run(misbehaving.process_id, timeout_s=1) == os.getpid()
    with pytest.raises(UnreadableError):
        pool.run(misbehaving.unreadable, timeout_s=1)
    with pytest.raises(workers.WorkerBug, match="ZeroDivisionError"):
        pool.run(misbehaving.mistake, timeout_s=1)

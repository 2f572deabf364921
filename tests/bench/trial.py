"""Read files in worker processes as the pipeline does, and collect the outcomes."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from curator.imaging.overlay import KINDS
from curator.model import Converted, Kind, KnownError, StageJob
from curator.pipeline import _PRELOAD
from curator.settings import Settings
from curator.stages.convert import convert
from curator.stages.frame import DecodeRequest, frame
from curator.stages.peek import peek
from curator.workers import WorkerCrashed, WorkerMemory, WorkerPool, WorkerTimeout
from tests.bench.mutations import Base, Mutant

DIED = (WorkerCrashed, WorkerMemory, WorkerTimeout)
_LOOKS: tuple[dict[str, Any], ...] = (
    {"size": (800, 600)},
    {"overlays": frozenset(KINDS)},
    {"want": "demosaic"},
)
_ODD = re.compile(r"0x[0-9a-f]|Error|Exception|Traceback|[<>{}\\/_\n]|\b(?!WebP)[A-Z][a-z]+[A-Z]")


def is_plain(reason: str) -> bool:
    """Whether a reason is a sentence for photographers, without class, address or path."""
    sentence = reason[:1].isupper() and reason[-1:] in ".!?" and 10 < len(reason) <= 200
    return sentence and not _ODD.search(reason)


def measured(job: StageJob) -> tuple[Converted, float]:
    """Convert a photo; return the result and the processor time in seconds."""
    begin = time.process_time()
    found = convert(job)
    return found, time.process_time() - begin


@dataclass
class Trial:
    """A worker pool with the default limits, and its outcomes.

    Attributes:
        table: number of files by format and outcome.
        reasons: number of files by reason.
        mistakes: unexpected exceptions, with the file.
        died: files that killed their process.
        slowest: seconds and name of the slowest file.
        peak_mb: most memory a process ever held.
    """

    folder: Path
    table: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    mistakes: list[str] = field(default_factory=list)
    died: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")
    peak_mb: float = 0.0

    def __post_init__(self) -> None:
        self.work = Settings().work
        self.pool = WorkerPool(1, memory_mb=self.work.memory_mb, preload=_PRELOAD)
        self.folder.mkdir(parents=True, exist_ok=True)

    def job(self, path: Path, number: int = 0) -> StageJob:
        """Return the job to convert a file."""
        return StageJob(number, "convert", str(path), Kind.IMAGE, str(self.folder / "cache"))

    def good(self, path: Path) -> tuple[Converted, float]:
        """Convert a good photo; return the result and the processor time in seconds."""
        return self.pool.run(measured, self.job(path), timeout_s=self.work.timeout_s)

    def put(self, mutant: Mutant, number: int) -> None:
        """Peek at a file and convert it; every tenth is also decoded as for the loupe."""
        path = self.folder / mutant.name
        path.write_bytes(mutant.data)
        job = self.job(path, number)
        self._run(mutant, peek, job)
        self._run(mutant, convert, job, counts=True)
        if number % 10 == 0:
            look = DecodeRequest(str(path), **_LOOKS[number // 10 % len(_LOOKS)])
            self._run(mutant, frame, look, self.work.max_megapixels)
        path.unlink()

    def _run(self, mutant: Mutant, stage: Any, *arguments: object, counts: bool = False) -> None:
        file = f"{mutant.base}: {mutant.how} ({mutant.name}, {stage.__name__})"
        begin, ended = time.monotonic(), "read"
        try:
            found = self.pool.run(stage, *arguments, timeout_s=self.work.timeout_s)
            if getattr(found, "damage", None):
                ended = "damaged"
                self.reasons[found.damage] += 1
            del found
        except KnownError as error:
            ended = "died" if isinstance(error, DIED) else "refused"
            self.reasons[str(error.args[0])] += 1
            if ended == "died":
                self.died.append(f"{file}: {error}")
        except Exception as error:
            ended = "mistake"
            self.mistakes.append(f"{file}: {str(error)[-400:]}")
        self.slowest = max(self.slowest, (time.monotonic() - begin, file))
        self.table[mutant.form, ended] += counts
        self.peak_mb = max(self.peak_mb, *(_peak_mb(pid) for pid in self.pool.processes()), 0.0)

    def spent_s(self) -> float:
        """Return the processor time of the current worker process, in seconds."""
        times = [psutil.Process(pid).cpu_times() for pid in self.pool.processes()]
        return sum(each.user + each.system for each in times)

    def report(self) -> str:
        """Return the outcomes as a table."""
        ends = ("read", "damaged", "refused", "died", "mistake")
        rows = [f"{'':8}" + "".join(f"{end:>9}" for end in ends)]
        for form in sorted({form for form, _ in self.table}):
            rows.append(f"{form:8}" + "".join(f"{self.table[form, end]:9}" for end in ends))
        rows.append(f"slowest {self.slowest[0]:.1f} s: {self.slowest[1]}; {self.peak_mb:.0f} MB")
        return "\n".join([*rows, *self.died, *self.mistakes])


def reaped_s() -> float:
    """Return the processor time of all child processes that have ended, in seconds."""
    spent = psutil.Process().cpu_times()
    return spent.children_user + spent.children_system


def written(bases: Iterable[Base], folder: Path) -> list[Path]:
    """Write files into a folder; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number, base in enumerate(bases):
        path = folder / f"{number:03}{base.suffix}"
        path.write_bytes(base.data)
        made.append(path)
    return made


def _peak_mb(pid: int) -> float:
    """Return the most memory a process ever held, in MB; 0 if the system does not tell."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) / 1000 if found else 0.0
    except OSError:
        return 0.0

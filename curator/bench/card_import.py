"""The bar for imports: a memory card copied and verified, compared with a bare copy and hashes.

The files have the sizes and headers of camera files; what follows the headers is random. The
reference is `cp`, and then a process that syncs every copy, drops it from the system's cache, and
hashes the files of the card and of every copy with the library that Curator uses. The command as a
whole is compared with `cp` and `sha256sum`, which neither sync the copies nor read them from the
disk.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

from curator.bench.draw import TAKEN, draw_jpeg, write_dng
from curator.bench.figures import Figure, Reference, Workspace, no_bare_python, program
from curator.bench.photo_sets import many_small
from curator.bench.window import bare_first
from curator.bench.window_driver import application, opened, wait
from curator.catalog import Catalog
from curator.home import Home
from curator.importing.card_files import find_files
from curator.importing.headers import read_headers
from curator.importing.plan import ImportPlan, make_plan
from curator.importing.request import ImportRequest
from curator.importing.run import ImportRun
from curator.model import KnownError
from curator.session.import_thread import Planned
from curator.workers import InlinePool

_PAIRS, _RAW_BYTES, _JPEG_BYTES = 20, 24_000_000, 6_000_000
_SIDECAR = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'
_ROUNDS = 3
_MANY = 2_000
_BARE = "cp, then sync, reread and hash the same files"
_PLAIN = "cp, then sha256sum of the card and of the copies"
# Without Curator: sync each copy, drop it from the cache, and hash it. The files of the card, which
# were just read, come from the cache.
_HASH = """
import hashlib, os, sys
card, *paths = sys.argv[1:]
for path in paths:
    with open(path, "rb", buffering=0) as file:
        if not path.startswith(card):
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        print(hashlib.file_digest(file, "sha256").hexdigest())
"""


class Cost(NamedTuple):
    """The seconds something took: elapsed, and processor time of this process and children."""

    elapsed: float
    worked: float


Act = Callable[[], object]
Trial = Callable[[Sequence[Path]], contextlib.AbstractContextManager[Act]]
"""Prepares what is measured for some destinations, and yields it."""


def missing() -> str | None:
    """Return what the reference needs that this system or build does not have."""
    if (why := no_bare_python()) is not None:
        return why
    if sys.platform != "linux" or not shutil.which("sha256sum"):
        return "Its reference needs the commands and system calls of Linux."
    return None


def measure(workspace: Workspace) -> list[Figure]:
    """Import a card into one folder and into two, in turn with the bare copies."""
    scratch, card = workspace.scratch, _draw_card(workspace.scratch / "CARD")
    bare, imported = partial(_copied_bare, card), partial(_imported, scratch, card)
    trials: list[tuple[Trial, int]] = [
        (bare, 1),
        (imported, 1),
        (bare, 2),
        (imported, 2),
        (partial(_copied_plainly, card), 1),
        (partial(_commanded, scratch, card), 1),
    ]
    rounds = []
    for turn in range(_ROUNDS):
        order = range(len(trials))[:: -1 if turn % 2 else 1]
        costs = {at: _cost(scratch, card, *trials[at]) for at in order}
        rounds.append([costs[at] for at in range(len(trials))])
    files = _files(card)
    note = f"{len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.0f} MB"
    figures = []
    for at, unit in enumerate(("time", "processor time")):
        spent = [[cost[at] for cost in costs] for costs in rounds]
        bare_one, one, bare_two, two, *_ = map(median, zip(*spent, strict=True))
        *_, plain, command = map(min, zip(*spent, strict=True))
        ratios = ", ".join(f"{copied / bare:.2f}" for bare, copied, *_ in spent)
        figures += [
            _figure(f"import, {unit}", one, _BARE, bare_one, f"{note}; rounds: {ratios}"),
            _figure(
                f"second destination, {unit}", two - one, "one more bare copy", bare_two - bare_one
            ),
            _figure(f"the whole command, {unit}", command, _PLAIN, plain),
        ]
    return [*figures, _first_photo(workspace)]


def _first_photo(workspace: Workspace) -> Figure:
    """Start an import in a window, and wait for the first photo of the card."""
    application()
    card = many_small(workspace.scratch / "MANY" / "DCIM" / "100CURAT", _MANY)
    request = ImportRequest((workspace.scratch / "MANY",), (workspace.scratch / "photos",))
    plans: list[Planned] = []
    seen: list[float] = []
    with opened(Home.at(workspace.scratch / "window")) as running:
        imports, thumbs = running.session.imports, running.window.pictures.thumbs
        thumbs.arrived.connect(lambda *_: seen.append(time.perf_counter()))
        imports.planned.connect(plans.append)
        imports.make_plan(request)
        wait(lambda: bool(plans), imports.planned)
        if (plan := plans[-1].plan) is None:
            raise KnownError(plans[-1].problem)
        before = bare_first(card)
        _forget(_files(card))
        begin = time.perf_counter()
        imports.start(plan)
        wait(lambda: bool(seen), thumbs.arrived)
        running.window.grid.viewport().repaint()
        shown = time.perf_counter() - begin
        imports.stop()
        wait(lambda: not imports.is_running, imports.ended)
    return Figure(
        f"import started to first of {_MANY:,} photos shown",
        shown,
        "s",
        1.0,
        Reference("listing the files, and decoding and drawing one thumbnail", before),
    )


def _figure(what: str, spent: float, reference: str, bare: float, note: str = "") -> Figure:
    # A second destination may cost no time at all: it is written while the first is verified.
    value = max(spent, 0.001)
    return Figure(what, value, "s", 1.2, Reference(reference, bare), per_reference=True, note=note)


def _draw_card(card: Path) -> Path:
    """Write pairs of RAW and JPEG and some sidecars, all with different content."""
    noise, folder = random.Random(1).randbytes(_RAW_BYTES), card / "DCIM" / "100CURAT"
    folder.mkdir(parents=True)
    for number in range(_PAIRS):
        taken, name = TAKEN + timedelta(seconds=number), f"DSC_{number:04}"
        raw = write_dng(folder / f"{name}.DNG", size=(600, 400), seed=number % 8, taken=taken)
        jpeg = draw_jpeg(folder / f"{name}.JPG", seed=number % 8, taken=taken)
        for path, size in ((raw, _RAW_BYTES), (jpeg, _JPEG_BYTES)):
            with path.open("ab") as file:
                file.write(noise[: size - file.tell()])
        if number % 3 == 0:
            (folder / f"{name}.XMP").write_bytes(_SIDECAR)
    return card


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _cost(scratch: Path, card: Path, trial: Trial, count: int) -> Cost:
    """Measure a trial with some new destinations; the files of the card are not in the cache."""
    destinations = [scratch / f"copies {number}" for number in range(count)]
    for folder in destinations:
        folder.mkdir()
    with trial(destinations) as act:
        _forget(_files(card))
        begin, before = time.perf_counter(), os.times()
        act()
        elapsed, after = time.perf_counter() - begin, os.times()
    for folder in destinations:
        shutil.rmtree(folder)
    return Cost(elapsed, sum(after[:4]) - sum(before[:4]))


def _forget(paths: Sequence[Path]) -> None:
    """Drop files from the system's cache."""
    if sys.platform != "linux":
        return  # nothing is measured there; see `missing`
    os.sync()
    for path in paths:
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@contextlib.contextmanager
def _copied_bare(card: Path, destinations: Sequence[Path]) -> Iterator[Act]:
    """Copy, then sync, reread and hash, without Curator."""

    def act() -> None:
        _copy(card, destinations)
        _hash([sys.executable, "-I", "-S", "-c", _HASH, str(card)], card, destinations)

    yield act


@contextlib.contextmanager
def _copied_plainly(card: Path, destinations: Sequence[Path]) -> Iterator[Act]:
    """Copy and hash with commands that neither sync nor avoid the cache."""

    def act() -> None:
        _copy(card, destinations)
        _hash(["sha256sum"], card, destinations)

    yield act


def _copy(card: Path, destinations: Sequence[Path]) -> None:
    for folder in destinations:
        subprocess.run(["cp", "-Rp", card / "DCIM", folder], check=True)


def _hash(command: Sequence[str], card: Path, destinations: Sequence[Path]) -> None:
    """Hash the files of the card and of the copies with a command that prints the hashes."""
    paths = [path for folder in (card, *destinations) for path in _files(folder)]
    done = subprocess.run([*command, *paths], check=True, capture_output=True, text=True)
    hashes = {line.partition(" ")[0] for line in done.stdout.splitlines()}
    if len(hashes) > len(_files(card)):
        raise KnownError("A copy differs from the file on the card.")


@contextlib.contextmanager
def _imported(scratch: Path, card: Path, destinations: Sequence[Path]) -> Iterator[Act]:
    """Import with a new catalog; the plan is made before."""
    home = Home.at(scratch / "home").make()
    with contextlib.closing(Catalog.open(home.catalog)) as catalog:
        run = ImportRun(_plan(catalog, card, destinations), catalog)

        def act() -> None:
            report = run.run()
            if not report.safe:
                raise KnownError(report.sentence)

        yield act
    shutil.rmtree(home.data)


def _plan(catalog: Catalog, card: Path, destinations: Sequence[Path]) -> ImportPlan:
    request = ImportRequest((card,), tuple(destinations))
    contents = find_files(request.cards)
    return make_plan(request, contents, read_headers(contents, InlinePool()), catalog)


@contextlib.contextmanager
def _commanded(scratch: Path, card: Path, destinations: Sequence[Path]) -> Iterator[Act]:
    """Import with the command line: the whole process, with a new catalog."""
    home, [to] = scratch / "command", destinations
    words = ["--home", home, "import", card, "--to", to, "--json"]
    act = partial(subprocess.run, [*program(), *words], check=True, stdout=subprocess.DEVNULL)
    yield act
    shutil.rmtree(home)

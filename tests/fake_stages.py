"""Quick stages over text files whose first word tells them how to behave.

The word is what convert does: ``ok``, ``crash``, ``hang``, ``greedy``, ``unreadable``,
``mistake`` (a bug), ``gone``, ``shaky N`` (crashes N times, then succeeds), ``full`` (no room on
the disk while a file ``disk-is-full`` is in the cache), ``wait`` (until a file ``go`` exists). For
embed see :func:`embed`.
"""

from __future__ import annotations

import errno
import os
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np

from curator import stages
from curator.encoders import EncodingError
from curator.files import fingerprint
from curator.model import (
    Capture,
    Converted,
    Embedded,
    Embeddings,
    FacesMeasured,
    GoneError,
    KnownError,
    Peeked,
    Quality,
    StageJob,
    TextLine,
    TextRead,
    UnreadableError,
)
from curator.networks import ModelError
from curator.ocr.models import TextModelError
from curator.stages.frame import DecodeRequest, Frame
from curator.workers import WorkerMemory, share
from tests.face_data import OPEN


def write(folder: Path, *wishes: str) -> Path:
    """Fill a folder with files 000.jpg, 001.jpg ..., each with its wish as the first word."""
    folder.mkdir(parents=True, exist_ok=True)
    start = len(list(folder.iterdir()))
    for number, wish in enumerate(wishes, start):
        (folder / f"{number:03}.jpg").write_text(f"{wish} - picture {number} of {folder.name}")
    return folder


def peek(job: StageJob) -> Peeked:
    status = Path(job.path).stat()
    capture = Capture(taken_at=datetime(2024, 5, 4), width=60, height=40)
    return Peeked(fingerprint(job.path), status.st_size, status.st_mtime_ns, capture)


def convert(job: StageJob) -> Converted:
    cache = Path(job.cache)
    behave(Path(job.path).read_text().split()[0:2], cache, Path(job.path).stem)
    status = Path(job.path).stat()
    key = fingerprint(job.path)
    wish = Path(job.path).read_text().split()[0]
    if wish in ("poison", "vague"):
        (cache / f"{key * 2}.wish").write_text(wish)
    with (cache / "order.log").open("a") as order:
        order.write(f"{job.photo_id}\n")
    capture = Capture(taken_at=datetime(2024, 5, 4), width=60, height=40)
    quality = Quality(50.0, 100.0, 0.0, 0.0)
    return Converted(
        key, status.st_size, status.st_mtime_ns, capture, quality, "image", key, key * 2
    )


def faces(job: StageJob) -> FacesMeasured:
    """Find a face for each word ``smiling``; fail as a first word says after ``face-``.

    While there is a file ``no-models`` in the cache, the face models are damaged. Each call writes
    a line to ``faces.log``.
    """
    cache = Path(job.cache)
    with (cache / "faces.log").open("a") as log:
        log.write(f"{job.photo_id}\n")
    wish = Path(job.path).read_text().split()
    if (cache / "no-models").exists():
        raise ModelError("The face models are damaged.", "Install Curator again.")
    if wish[0].startswith("face-"):
        behave([wish[0].removeprefix("face-"), wish[1]], cache, Path(job.path).stem)
    assert job.fingerprint is not None and job.proxy.endswith(f"{job.fingerprint[:32]}.jpg")
    return FacesMeasured(job.fingerprint, (OPEN,) * wish.count("smiling"))


def read_text(job: StageJob) -> TextRead:
    """Read a line for each word that begins with ``says:``; fail as a first word says after
    ``text-``.

    While there is a file ``no-models`` in the cache, the networks are damaged. Each call writes a
    line to ``text.log``.
    """
    cache = Path(job.cache)
    with (cache / "text.log").open("a") as log:
        log.write(f"{job.photo_id}\n")
    wish = Path(job.path).read_text().split()
    if (cache / "no-models").exists():
        raise TextModelError("The text models are damaged.", "Install them again.")
    if wish[0].startswith("text-"):
        behave([wish[0].removeprefix("text-"), wish[1]], cache, Path(job.path).stem)
    assert job.fingerprint is not None and job.proxy.endswith(f"{job.fingerprint[:32]}.jpg")
    said = [word.removeprefix("says:") for word in wish if word.startswith("says:")]
    corners = ((0.1, 0.1), (0.3, 0.1), (0.3, 0.2), (0.1, 0.2))
    return TextRead(job.fingerprint, tuple(TextLine(each, 0.9, corners) for each in said))


def behave(wish: Sequence[str], cache: Path, name: str) -> None:
    match wish:
        case ["crash", *_]:
            os.abort()
        case ["hang", *_]:
            threading.Event().wait()
        case ["greedy", *_]:
            raise WorkerMemory("Reading it needs more than 512 MB.")
        case ["unreadable", *_]:
            raise UnreadableError("The file is empty.")
        case ["gone", *_]:
            raise GoneError("The file is not there any more.")
        case ["mistake", *_]:
            raise ZeroDivisionError("ours")
        case ["shaky", times, *_]:
            tries = cache / f"tries-{name}"
            with tries.open("a") as log:
                log.write("x")
            if tries.stat().st_size <= int(times):
                os.abort()
        case ["full", *_]:
            if (cache / "disk-is-full").exists():
                raise OSError(errno.ENOSPC, "No space left on device")
        case ["wait", *_]:
            while not (cache / "go").exists():
                time.sleep(0.005)


def frame(look: DecodeRequest, max_megapixels: int) -> Frame:
    path = Path(look.path)
    text = path.read_text().split()
    behave(text[0:2], path.parent, path.stem)
    level = int(text[text.index("picture") + 1])
    width, height = look.size or (90, 60)
    return Frame(share(np.full((height, width, 3), level, np.uint8)), "image", None, (90, 60))


def embed(jobs: Sequence[StageJob]) -> Embeddings:
    """Compute vectors from the proxies' digests, or fail as the encoder's name tells.

    ``blind`` cannot be loaded, ``deadly`` crashes on every picture, ``greedy`` on more than two at
    once, ``gpu`` unless it is on the CPU. A picture whose wish is ``poison`` kills the process, a
    ``vague`` one cannot be encoded. Each call writes a line to ``calls.log``.
    """
    encoder, cache = jobs[0].encoder, Path(jobs[0].cache)
    device = encoder.options.device
    with (cache / "calls.log").open("a") as log:
        log.write(f"{len(jobs)} {device}\n")
    match encoder.name:
        case "blind":
            raise KnownError("The weights are damaged.", "Download them again.")
        case "deadly":
            os.abort()
        case "greedy" if len(jobs) > 2:
            os.kill(os.getpid(), signal.SIGKILL)
        case "gpu" if device != "cpu":
            os.abort()
        case "clumsy":
            raise ZeroDivisionError("ours")
    return Embeddings(tuple(_embedded(job) for job in jobs), 8)


def _embedded(job: StageJob) -> Embedded | Exception:
    assert job.fingerprint is not None and job.path.endswith(".jpg")
    wish = Path(job.cache, f"{job.fingerprint}.wish")
    match wish.read_text() if wish.exists() else "":
        case "poison":
            os.abort()
        case "vague":
            return EncodingError("The encoder gave no numbers for a picture.")
    rng = np.random.default_rng(sum(job.fingerprint.encode()))
    vector = rng.normal(size=8)
    vector /= np.linalg.norm(vector)
    tone = np.zeros(76, np.float32)
    half = vector.astype(np.float16).tobytes()
    tags = (("harbor", 80), ("boat", 30)) if job.encoder.name == "wordy" else None
    return Embedded(job.encoder.key, job.fingerprint, half, tone.tobytes(), tags)


_PEEK, _CONVERT, _FACES, _EMBED, _, _TEXT = stages.STAGES
STAGES = (replace(_PEEK, version=1, run=peek), replace(_CONVERT, version=1, run=convert))
MEASURING = (*STAGES, replace(_FACES, version=1, run=faces))
READING = (*STAGES, replace(_TEXT, version=1, run=read_text))
EMBEDDING = (*STAGES, replace(_EMBED, version=1, run=embed))

"""Fetching weights from the model hub: the only place where Curator asks the hub for anything.

Nothing here runs until a person has read :attr:`DownloadPlan.sentence` and agreed. A worker process
does the transfer, so neither a slow host nor a canceled download can hold up a window. What has
arrived stays in a part file, and the next attempt continues from there::

    fetch = DownloadJob(plan)             # plan = open_clip.download_plan(options)
    fetch.start()
    fetch.progress                  # (bytes so far, bytes in all), at any time
    fetch.wait(); fetch.error       # None: the weights are here
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from curator import private
from curator.model import KnownError
from curator.workers import WorkerCancelled, WorkerError, WorkerPool

HUB = "https://huggingface.co"
log = logging.getLogger(__name__)

LATER = "Try again later; what has come so far is kept."
_ASK_S = 120.0  # importing what speaks to the hub, and a few answers
_WHOLE_S = 7 * 86_400.0  # a slow line; a dead one is noticed within seconds by who reads it
_MEMORY_MB = 2048
_QUIET = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_XET": "1",  # plain HTTP can go on in the middle of a file
}


@dataclass(frozen=True)
class DownloadPlan:
    """What a download would bring: from where, how much (None: only the hub knows), to where.

    ``names`` are the file names to ask for, best first; ``title`` says whose weights they are.
    """

    title: str
    repository: str
    names: tuple[str, ...]
    bytes: int | None
    folder: Path
    endpoint: str = HUB

    @property
    def host(self) -> str:
        """Who is asked, as people know it."""
        return urlsplit(self.endpoint).netloc

    @property
    def size(self) -> str:
        """How much it is, in words."""
        return f"{self.bytes / 1e9:.1f} GB" if self.bytes else "an amount only the hub knows"

    @property
    def sentence(self) -> str:
        """Say it before asking."""
        return f"Download {self.size} from {self.host}/{self.repository} to {self.folder}."


def endpoint() -> str:
    """Say which hub is meant: ``HF_ENDPOINT`` where a mirror is used, else the usual one."""
    return os.environ.get("HF_ENDPOINT", HUB).rstrip("/")


@dataclass(frozen=True)
class Remote:
    """One file of the hub: where its bytes are, how many, and the tag that names just these."""

    name: str
    url: str
    size: int
    etag: str

    def part(self, folder: Path) -> Path:
        """Where its bytes gather until all have come; other bytes have another part."""
        tag = hashlib.blake2b(self.etag.encode(), digest_size=6).hexdigest()
        return folder / f"{self.name}.{tag}.part"


class DownloadJob:
    """One download, in the background.

    Thread: any.
    """

    def __init__(self, plan: DownloadPlan) -> None:
        self.plan = plan
        self.error: KnownError | None = None
        self.path: Path | None = None
        self._remote: Remote | None = None
        self._pool = WorkerPool(1, memory_mb=_MEMORY_MB, name="download")
        self._thread = threading.Thread(target=self._run, name="curator-download", daemon=True)
        self._cancelled = False

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    @property
    def progress(self) -> tuple[int, int | None]:
        """Bytes here so far, and bytes in all once that is known."""
        remote = self._remote
        if remote is None:
            return 0, self.plan.bytes
        if self.path is not None:
            return remote.size, remote.size
        try:
            return remote.part(self.plan.folder).stat().st_size, remote.size
        except OSError:
            return 0, remote.size

    @property
    def running(self) -> bool:
        """Whether it still goes on."""
        return self._thread.is_alive()

    @property
    def cancelled(self) -> bool:
        """Whether it was stopped by :meth:`cancel`; then there is neither path nor error."""
        return self._cancelled

    def cancel(self) -> None:
        """Stop at once; what has come is kept for another try. Safe to repeat, and when done."""
        self._cancelled = self._cancelled or self.running
        self._pool.close()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; say whether it came."""
        self._thread.join(timeout_s)
        return not self.running

    def _run(self) -> None:
        try:
            self._remote = self._pool.run(looked_up, self.plan, timeout_s=_ASK_S)
            self.path = self._pool.run(
                brought, self._remote, self.plan.folder, self.plan.host, timeout_s=_WHOLE_S
            )
        except WorkerCancelled:
            self._cancelled = True
        except WorkerError as error:
            self.error = KnownError(f"The download from {self.plan.host} broke off.", LATER)
            self.error.__cause__ = error
        except KnownError as error:
            self.error = error
        except Exception as error:
            log.exception("the download from %s failed", self.plan.host)
            self.error = KnownError(f"The download from {self.plan.host} failed ({error}).", LATER)
        finally:
            self._pool.close()


# --- in the worker process


def looked_up(plan: DownloadPlan) -> Remote:
    """Find the file to fetch and how large it is.

    Raises:
        KnownError: the hub cannot be reached, refuses, or has no such file.
    """
    os.environ.update(_QUIET)
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError

    for name in plan.names:
        url = hf_hub_url(plan.repository, name, endpoint=plan.endpoint)
        try:
            found = _told(plan.host, get_hf_file_metadata, url, token=False)
        except EntryNotFoundError:
            continue
        if not found.size or not found.etag:
            raise KnownError(f"{plan.host} does not say how large {name} is.", LATER)
        return Remote(name, found.location, int(found.size), found.etag)
    raise KnownError(
        f"{plan.host}/{plan.repository} holds no weights that can be used.",
        "Name a weights file of your own: encoder.checkpoint.",
    )


def brought(remote: Remote, folder: Path, host: str) -> Path:
    """Fetch a file, or the rest of it, and put it in place whole and checked.

    Raises:
        KnownError: no room, the line broke, or other bytes came than were announced; the part
            stays for the next try unless it is of no use.
    """
    os.environ.update(_QUIET)
    from huggingface_hub.file_download import http_get

    part = remote.part(folder)
    try:
        private.make_folder(folder)
        for other in folder.glob(f"{remote.name}.*.part"):
            if other != part:
                other.unlink()
        have = part.stat().st_size if part.exists() else 0
        if have > remote.size:
            part.unlink()
            have = 0
        _check_room(folder, remote.size - have)
        if have < remote.size:
            with part.open("ab") as file:
                _told(
                    host,
                    http_get,
                    remote.url,
                    file,
                    resume_size=have,
                    headers={"Accept-Encoding": "identity"},
                    expected_size=remote.size,
                )
        _check_bytes(part, remote)
        part.replace(folder / remote.name)
    except OSError as error:
        reason = error.strerror or str(error)
        raise KnownError(f"{folder} cannot be written ({reason}).", "Make room there.") from error
    return folder / remote.name


def _check_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size:
        raise KnownError(
            f"{folder} has room for {free / 1e9:.1f} GB; {size / 1e9:.1f} GB are to come.",
            "Make room there and try again.",
        )


def _check_bytes(part: Path, remote: Remote) -> None:
    """Hold what came against what was announced; the hub's tag of a large file is its sha256."""
    wrong = part.stat().st_size != remote.size
    if not wrong and len(remote.etag) == 64:
        with part.open("rb") as file:
            wrong = hashlib.file_digest(file, "sha256").hexdigest() != remote.etag
    if wrong:
        part.unlink()
        raise KnownError(f"{remote.name} came damaged.", "Try again; it starts anew.")


def _told(host: str, ask: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Ask the hub; whatever goes wrong on the way is said in one sentence.

    What a client of the hub raises depends on its version (its own errors, those of the HTTP
    library below, OSError), so everything is caught, and said with its name.
    """
    from huggingface_hub.errors import EntryNotFoundError

    try:
        return ask(*arguments, **options)
    except EntryNotFoundError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EACCES):
            raise
        status = getattr(getattr(error, "response", None), "status_code", None)
        text = str(error).strip() or type(error).__name__
        if type(error).__name__ == "OfflineModeIsEnabled":
            raise KnownError(
                f"{host} may not be asked: HF_HUB_OFFLINE is set.",
                "Take it out of the environment.",
            ) from error
        if status is not None:
            raise KnownError(f"{host} refused (HTTP {status}).", LATER) from error
        with contextlib.suppress(Exception):
            text = text.splitlines()[0][:120]
        raise KnownError(f"{host} could not be reached ({text}).", LATER) from error

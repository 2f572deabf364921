"""Download weights from the model hub: the only module that connects to the hub.

It connects only after a person has read :attr:`DownloadPlan.sentence` and agreed. A worker process
downloads, so neither a slow host nor a canceled download can block a window. What has arrived stays
in a part file, and the next attempt continues from there::

    job = DownloadJob(plan)       # plan = encoders.download_plan(options)
    job.start()
    job.progress                  # (bytes so far, bytes in all), at any time
    job.wait(); job.error         # None: the weights have arrived
"""

from __future__ import annotations

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
from curator.settings import in_settings
from curator.workers import WorkerCancelled, WorkerError, WorkerPool

HUB = "https://huggingface.co"
log = logging.getLogger(__name__)

LATER = "Try again later; the part downloaded so far is kept."
OWN_WEIGHTS = f"Choose a weights file of your own: {in_settings('encoder.checkpoint')}."
_LOOKUP_S = 120.0  # time to import the hub's client and get a few answers
_DOWNLOAD_S = 7 * 86_400.0  # for a slow line; the client notices a dead one within seconds
_MEMORY_MB = 2048
ENVIRONMENT = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_XET": "1",  # plain HTTP can resume in the middle of a file
}


@dataclass(frozen=True)
class DownloadPlan:
    """A download to offer: the weights, their source, size (None: unknown) and destination.

    ``names`` are the file names to try, best first; ``title`` names the weights.
    """

    title: str
    repository: str
    names: tuple[str, ...]
    bytes: int | None
    folder: Path
    endpoint: str = HUB

    @property
    def host(self) -> str:
        """The host name of the hub."""
        return urlsplit(self.endpoint).netloc

    @property
    def size(self) -> str:
        """The size in words."""
        return f"{self.bytes / 1e9:.1f} GB" if self.bytes else "an unknown amount"

    @property
    def sentence(self) -> str:
        """The sentence to show before the user agrees."""
        return f"Download {self.size} from {self.host}/{self.repository} to {self.folder}."


def endpoint() -> str:
    """Return the URL of the hub: the mirror in ``HF_ENDPOINT``, else the usual hub."""
    return os.environ.get("HF_ENDPOINT", HUB).rstrip("/")


@dataclass(frozen=True)
class RemoteFile:
    """A file on the hub: its URL, its size, and the tag that identifies its content."""

    name: str
    url: str
    size: int
    etag: str

    def part(self, folder: Path) -> Path:
        """Return the path of the part file, which differs for different content."""
        tag = hashlib.blake2b(self.etag.encode(), digest_size=6).hexdigest()
        return folder / f"{self.name}.{tag}.part"


class DownloadJob:
    """A download in the background.

    Thread: any.
    """

    def __init__(self, plan: DownloadPlan) -> None:
        self.plan = plan
        self.error: KnownError | None = None
        self.path: Path | None = None
        self._remote: RemoteFile | None = None
        self._pool = WorkerPool(1, memory_mb=_MEMORY_MB, name="download")
        self._thread = threading.Thread(target=self._run, name="curator-download", daemon=True)
        self._cancelled = False

    def start(self) -> None:
        """Start the download and return at once."""
        self._thread.start()

    @property
    def progress(self) -> tuple[int, int | None]:
        """Bytes downloaded so far, and bytes in all; None while unknown."""
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
        """Whether the download is still running."""
        return self._thread.is_alive()

    @property
    def cancelled(self) -> bool:
        """Whether :meth:`cancel` stopped it; it then has neither path nor error."""
        return self._cancelled

    def cancel(self) -> None:
        """Stop at once and keep the part file. May be called again, or after the end."""
        self._cancelled = self._cancelled or self.running
        self._pool.close()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end of the download; return whether it ended."""
        self._thread.join(timeout_s)
        return not self.running

    def _run(self) -> None:
        try:
            self._remote = self._pool.run(find_file, self.plan, timeout_s=_LOOKUP_S)
            self.path = self._pool.run(
                fetch_file, self._remote, self.plan.folder, self.plan.host, timeout_s=_DOWNLOAD_S
            )
        except WorkerCancelled:
            self._cancelled = True
        except WorkerError as error:
            self.error = KnownError(f"The download from {self.plan.host} was interrupted.", LATER)
            self.error.__cause__ = error
        except KnownError as error:
            self.error = error
        except Exception as error:
            log.exception("the download from %s failed", self.plan.host)
            self.error = KnownError(f"The download from {self.plan.host} failed ({error}).", LATER)
        finally:
            self._pool.close()


# --- in the worker process


def find_file(plan: DownloadPlan) -> RemoteFile:
    """Ask the hub for the URL and size of the file to download.

    Raises:
        KnownError: the hub cannot be reached, refuses, or has no such file.
    """
    os.environ.update(ENVIRONMENT)
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError

    for name in plan.names:
        url = hf_hub_url(plan.repository, name, endpoint=plan.endpoint)
        try:
            found = _request(plan.host, get_hf_file_metadata, url, token=False)
        except EntryNotFoundError:
            continue
        if not found.size or not found.etag:
            raise KnownError(f"{plan.host} does not report the size of {name}.", LATER)
        return RemoteFile(name, found.location, int(found.size), found.etag)
    raise KnownError(
        f"{plan.host}/{plan.repository} holds no weights that can be used.",
        OWN_WEIGHTS,
    )


def fetch_file(remote: RemoteFile, folder: Path, host: str) -> Path:
    """Download a file, or the rest of it, check it, and move it into place.

    Raises:
        KnownError: the disk is full, the connection broke, or the content is wrong. The part file
            stays for the next attempt unless its content is wrong.
    """
    os.environ.update(ENVIRONMENT)
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
                _request(
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
        raise KnownError(f"{folder} cannot be written ({reason}).", "Free disk space.") from error
    return folder / remote.name


def _check_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size:
        raise KnownError(
            f"{folder} has {free / 1e9:.1f} GB free, the download needs {size / 1e9:.1f} GB.",
            "Free disk space and try again.",
        )


def _check_bytes(part: Path, remote: RemoteFile) -> None:
    """Compare size and sha256 with those announced, and delete a part file that differs.

    The hub's tag of a large file is its sha256.
    """
    wrong = part.stat().st_size != remote.size
    if not wrong and len(remote.etag) == 64:
        with part.open("rb") as file:
            wrong = hashlib.file_digest(file, "sha256").hexdigest() != remote.etag
    if wrong:
        part.unlink()
        raise KnownError(f"{remote.name} arrived damaged.", "Try again; the download starts over.")


def _request(host: str, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call the hub's client and turn any error into a KnownError.

    Which errors the client raises depends on its version (its own, those of its HTTP library,
    OSError), so this catches all. EntryNotFoundError and errors of the disk are raised as they are.
    """
    from huggingface_hub.errors import EntryNotFoundError

    try:
        return call(*arguments, **options)
    except EntryNotFoundError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EACCES):
            raise
        status = getattr(getattr(error, "response", None), "status_code", None)
        text = (str(error).strip() or type(error).__name__).splitlines()[0][:120]
        if type(error).__name__ == "OfflineModeIsEnabled":
            raise KnownError(
                f"Connecting to {host} is disabled by HF_HUB_OFFLINE.",
                "Remove it from the environment.",
            ) from error
        if status is not None:
            raise KnownError(f"{host} refused the request (HTTP {status}).", LATER) from error

        raise KnownError(f"{host} could not be reached ({text}).", LATER) from error

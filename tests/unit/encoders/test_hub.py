"""Downloading weights over a real socket: progress, broken connections, canceled downloads."""

from __future__ import annotations

import hashlib
import random
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from curator.encoders import DownloadJob, DownloadPlan, EncoderOptions, download_plan, hub
from curator.encoders import open_clip as clip_module
from curator.model import KnownError
from tests import hubs
from tests.hubs import LIMIT_S, NAME, PIECE, Hub

pytest.importorskip("huggingface_hub")


@pytest.fixture
def server() -> Iterator[tuple[Hub, str]]:
    """A local hub and its address."""
    with hubs.serving() as served:
        yield served


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    hubs.clear_environment(monkeypatch)


@pytest.fixture(scope="module")
def weights() -> bytes:
    """Two and a half pieces of random bytes."""
    return random.Random(1).randbytes(PIECE * 5 // 2)


def plan(address: str, folder: Path) -> DownloadPlan:
    names = clip_module.HUB_FILES
    return DownloadPlan("CLIP tiny", "somebody/tiny", names, None, folder, address)


@pytest.mark.slow
def test_a_download_ends_with_the_weights_where_they_are_looked_for(
    server: tuple[Hub, str], weights: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served, address = server
    served.files[NAME] = weights
    monkeypatch.setenv("HF_ENDPOINT", address)
    options = EncoderOptions(folder=tmp_path / "models")
    wanted = download_plan(options)
    assert served.asked == [], "no request before the user agreed"
    assert "1.7 GB" in wanted.sentence and str(tmp_path) in wanted.sentence
    job = DownloadJob(wanted)
    job.start()
    assert job.wait(LIMIT_S) and job.error is None
    assert job.progress == (len(weights), len(weights))
    assert job.path == clip_module.weights_file(options)
    assert job.path is not None and job.path.read_bytes() == weights
    assert [path.name for path in job.path.parent.iterdir()] == [NAME]


@pytest.mark.slow
def test_a_canceled_download_resumes_where_it_stopped(
    server: tuple[Hub, str], weights: bytes, tmp_path: Path
) -> None:
    served, address = server
    served.files[NAME] = weights
    served.holds = PIECE + PIECE // 2
    job = DownloadJob(plan(address, tmp_path))
    job.start()
    while job.progress[0] < PIECE and not job.wait(0.02):
        pass
    job.cancel()
    assert job.wait(LIMIT_S)
    assert job.cancelled and job.error is None and job.path is None
    assert clip_module.weights_file(EncoderOptions(folder=tmp_path)) is None
    served.go.set()
    served.holds, served.asked = 0, []
    again = DownloadJob(plan(address, tmp_path))
    again.start()
    assert again.wait(LIMIT_S) and again.error is None
    assert served.asked[-1] == ("GET", NAME, f"bytes={PIECE}-")
    assert (tmp_path / NAME).read_bytes() == weights


@pytest.mark.slow
def test_a_broken_connection_is_resumed_where_it_broke(
    server: tuple[Hub, str], weights: bytes, tmp_path: Path
) -> None:
    served, address = server
    served.files[NAME] = weights
    served.breaks, served.broken = PIECE + 1000, 1
    found = hub.find_file(plan(address, tmp_path))
    hub.fetch_file(found, tmp_path, "127.0.0.1")
    assert [ranged for method, _, ranged in served.asked if method == "GET"] == [
        None,
        f"bytes={PIECE}-",
    ]
    assert (tmp_path / NAME).read_bytes() == weights


def test_content_with_another_digest_is_never_used(server: tuple[Hub, str], tmp_path: Path) -> None:
    served, address = server
    served.files[NAME] = b"some bytes"
    served.tag = hashlib.sha256(b"others").hexdigest()
    found = hub.find_file(plan(address, tmp_path))
    with pytest.raises(KnownError, match="arrived damaged"):
        hub.fetch_file(found, tmp_path, "127.0.0.1")
    assert list(tmp_path.iterdir()) == []


def test_the_second_file_name_is_tried_if_the_first_does_not_exist(
    server: tuple[Hub, str], tmp_path: Path
) -> None:
    served, address = server
    served.files["open_clip_pytorch_model.bin"] = b"some bytes"
    found = hub.find_file(plan(address, tmp_path))
    assert (found.name, found.size) == ("open_clip_pytorch_model.bin", 10)


def test_a_hub_without_such_weights_is_an_error(server: tuple[Hub, str], tmp_path: Path) -> None:
    with pytest.raises(KnownError, match="holds no weights") as refusal:
        hub.find_file(plan(server[1], tmp_path))
    assert "encoder.checkpoint" in refusal.value.remedy


@pytest.mark.parametrize("status", [403, 404, 503])
def test_a_refusal_is_told_with_its_status(
    server: tuple[Hub, str], tmp_path: Path, status: int
) -> None:
    served, address = server
    served.status = status
    with pytest.raises(KnownError, match=f"refused the request .HTTP {status}.") as refusal:
        hub.find_file(plan(address, tmp_path))
    assert "kept" in refusal.value.remedy


def test_an_unreachable_hub_is_an_error_and_leaves_no_files(tmp_path: Path) -> None:
    with socket.socket() as taken:  # a port without a listener
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        job = DownloadJob(plan(address, tmp_path / "models"))
        job.start()
        assert job.wait(LIMIT_S)
    assert job.error is not None and job.path is None
    assert "could not be reached" in str(job.error) and "Try again" in job.error.remedy
    assert not (tmp_path / "models").exists()


def test_a_disk_that_is_too_small_is_noticed_before_the_download(
    server: tuple[Hub, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served, address = server
    served.files[NAME] = b"some bytes"
    usage = type("Usage", (), {"free": 5})
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage)
    found = hub.find_file(plan(address, tmp_path))
    with pytest.raises(KnownError, match="GB free, the download needs"):
        hub.fetch_file(found, tmp_path, "127.0.0.1")
    assert not [asked for asked in served.asked if asked[0] == "GET"]


@pytest.mark.slow
def test_killing_the_download_process_is_an_error(
    server: tuple[Hub, str], weights: bytes, tmp_path: Path
) -> None:
    import psutil

    served, address = server
    served.files[NAME] = weights
    served.holds = PIECE + PIECE // 2
    job = DownloadJob(plan(address, tmp_path))
    job.start()
    while job.progress[0] < PIECE and not job.wait(0.02):
        pass
    for process in job._pool.processes():
        psutil.Process(process).kill()
    assert job.wait(LIMIT_S)
    assert job.error is not None and "was interrupted" in str(job.error)

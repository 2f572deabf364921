"""Weights from the hub, over a real socket: progress, broken lines, second thoughts."""

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
    """A hub on this machine, and its address."""
    with hubs.serving() as served:
        yield served


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    hubs.cleared(monkeypatch)


@pytest.fixture(scope="module")
def weights() -> bytes:
    """Two and a half pieces of bytes that nothing compresses or repeats."""
    return random.Random(1).randbytes(PIECE * 5 // 2)


def plan(address: str, folder: Path) -> DownloadPlan:
    names = clip_module.HUB_FILES
    return DownloadPlan("CLIP tiny", "somebody/tiny", names, None, folder, address)


@pytest.mark.slow
def test_weights_come_whole_and_lie_where_they_are_looked_for(
    server: tuple[Hub, str], weights: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served, address = server
    served.files[NAME] = weights
    monkeypatch.setenv("HF_ENDPOINT", address)
    options = EncoderOptions(folder=tmp_path / "models")
    wanted = download_plan(options)
    assert served.asked == [], "nothing is asked before a person said yes"
    assert "1.7 GB" in wanted.sentence and str(tmp_path) in wanted.sentence
    fetch = DownloadJob(wanted)
    fetch.start()
    assert fetch.wait(LIMIT_S) and fetch.error is None
    assert fetch.progress == (len(weights), len(weights))
    assert fetch.path == clip_module.weights_file(options)
    assert fetch.path is not None and fetch.path.read_bytes() == weights
    assert [path.name for path in fetch.path.parent.iterdir()] == [NAME]


@pytest.mark.slow
def test_stopped_in_the_middle_it_goes_on_there_the_next_time(
    server: tuple[Hub, str], weights: bytes, tmp_path: Path
) -> None:
    served, address = server
    served.files[NAME] = weights
    served.holds = PIECE + PIECE // 2
    fetch = DownloadJob(plan(address, tmp_path))
    fetch.start()
    while fetch.progress[0] < PIECE and not fetch.wait(0.02):
        pass
    fetch.cancel()
    assert fetch.wait(LIMIT_S)
    assert fetch.cancelled and fetch.error is None and fetch.path is None
    assert clip_module.weights_file(EncoderOptions(folder=tmp_path)) is None
    served.go.set()
    served.holds, served.asked = 0, []
    again = DownloadJob(plan(address, tmp_path))
    again.start()
    assert again.wait(LIMIT_S) and again.error is None
    assert served.asked[-1] == ("GET", NAME, f"bytes={PIECE}-")
    assert (tmp_path / NAME).read_bytes() == weights


@pytest.mark.slow
def test_a_line_that_breaks_is_taken_up_where_it_broke(
    server: tuple[Hub, str], weights: bytes, tmp_path: Path
) -> None:
    served, address = server
    served.files[NAME] = weights
    served.breaks, served.broken = PIECE + 1000, 1
    found = hub.looked_up(plan(address, tmp_path))
    hub.brought(found, tmp_path, "127.0.0.1")
    assert [ranged for method, _, ranged in served.asked if method == "GET"] == [
        None,
        f"bytes={PIECE}-",
    ]
    assert (tmp_path / NAME).read_bytes() == weights


def test_other_bytes_than_were_announced_are_never_used(
    server: tuple[Hub, str], tmp_path: Path
) -> None:
    served, address = server
    served.files[NAME] = b"some bytes"
    served.tag = hashlib.sha256(b"others").hexdigest()
    found = hub.looked_up(plan(address, tmp_path))
    with pytest.raises(KnownError, match="came damaged"):
        hub.brought(found, tmp_path, "127.0.0.1")
    assert list(tmp_path.iterdir()) == []


def test_the_second_name_is_asked_for_where_there_is_no_first(
    server: tuple[Hub, str], tmp_path: Path
) -> None:
    served, address = server
    served.files["open_clip_pytorch_model.bin"] = b"some bytes"
    found = hub.looked_up(plan(address, tmp_path))
    assert (found.name, found.size) == ("open_clip_pytorch_model.bin", 10)


def test_a_hub_without_such_weights_says_so(server: tuple[Hub, str], tmp_path: Path) -> None:
    with pytest.raises(KnownError, match="holds no weights") as refusal:
        hub.looked_up(plan(server[1], tmp_path))
    assert "encoder.checkpoint" in refusal.value.remedy


@pytest.mark.parametrize("status", [403, 404, 503])
def test_a_hub_that_refuses_is_quoted(server: tuple[Hub, str], tmp_path: Path, status: int) -> None:
    served, address = server
    served.status = status
    with pytest.raises(KnownError, match=f"refused .HTTP {status}.") as refusal:
        hub.looked_up(plan(address, tmp_path))
    assert "kept" in refusal.value.remedy


def test_a_hub_out_of_reach_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    with socket.socket() as taken:  # a port of ours where nobody listens
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        fetch = DownloadJob(plan(address, tmp_path / "models"))
        fetch.start()
        assert fetch.wait(LIMIT_S)
    assert fetch.error is not None and fetch.path is None
    assert "could not be reached" in str(fetch.error) and "Try again" in fetch.error.remedy
    assert not (tmp_path / "models").exists()


def test_a_disk_that_is_too_small_is_said_before_anything_comes(
    server: tuple[Hub, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served, address = server
    served.files[NAME] = b"some bytes"
    usage = type("Usage", (), {"free": 5})
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage)
    found = hub.looked_up(plan(address, tmp_path))
    with pytest.raises(KnownError, match="has room for"):
        hub.brought(found, tmp_path, "127.0.0.1")
    assert not [asked for asked in served.asked if asked[0] == "GET"]


@pytest.mark.slow
def test_a_downloading_process_that_is_killed_is_said(
    server: tuple[Hub, str], weights: bytes, tmp_path: Path
) -> None:
    import psutil

    served, address = server
    served.files[NAME] = weights
    served.holds = PIECE + PIECE // 2
    fetch = DownloadJob(plan(address, tmp_path))
    fetch.start()
    while fetch.progress[0] < PIECE and not fetch.wait(0.02):
        pass
    for process in fetch._pool.processes():
        psutil.Process(process).kill()
    assert fetch.wait(LIMIT_S)
    assert fetch.error is not None and "broke off" in str(fetch.error)

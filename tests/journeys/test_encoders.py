"""Analyzing photos with real processes: other CLIP models, bad weights, no connection."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.photos import draw_jpeg

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SMALLEST = "ViT-S-32-alt"  # of what open_clip knows by name

# Runs at the start of every Python process below: notes each address anything connects to.
WATCH = """
import os, sys
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        address = arguments[1] if event == "socket.connect" else arguments[0]
        if not isinstance(address, (str, bytes)) or event == "socket.getaddrinfo":
            with open(os.environ["WATCHED"], "a") as log:
                log.write(f"{event} {address} {sys.argv}\\n")
sys.addaudithook(watch)
"""


class Machine:
    """Curator on the command line, with its connections recorded."""

    def __init__(self, base: Path) -> None:
        self.home = base / "home"
        self.watched = base / "connections.log"
        (base / "watch").mkdir()
        (base / "watch" / "sitecustomize.py").write_text(WATCH)
        root = Path(__file__).resolve().parents[2]
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(base / "watch"), str(root))),
            "WATCHED": str(self.watched),
        }
        self.environment.pop("CURATOR_ENCODER__WHICH", None)

    def run(self, *words: object, **settings: object) -> Any:
        """Run a verb with encoder settings; return its JSON document."""
        named = {
            name.replace("__", ".") if "__" in name else f"encoder.{name}": value
            for name, value in settings.items()
        }
        told = [f"--set={name}={value}" for name, value in named.items()]
        command = [sys.executable, "-m", "curator", "--home", self.home, *words, "--json", *told]
        done = subprocess.run(
            [str(word) for word in command],
            capture_output=True,
            text=True,
            check=False,
            env=self.environment,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return json.loads(done.stdout)

    @property
    def connections(self) -> str:
        return self.watched.read_text() if self.watched.exists() else ""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(5):
        draw_jpeg(tmp_path / "in" / f"DSC_{number}.jpg", seed=number)
    return tmp_path / "in"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training checkpoint of a small CLIP with random weights."""
    open_clip, torch = pytest.importorskip("open_clip"), pytest.importorskip("torch")
    path = tmp_path_factory.mktemp("weights") / "small.pt"
    torch.manual_seed(0)
    made = open_clip.create_model(SMALLEST, load_weights=False)
    torch.save({"state_dict": made.state_dict(), "epoch": 32}, path)
    return path


def test_connections_are_recorded(machine: Machine) -> None:
    code = "import socket; socket.create_connection(('127.0.0.1', 9), 1)"
    subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        stderr=subprocess.DEVNULL,
        env=machine.environment,
    )
    assert "127.0.0.1" in machine.connections


def test_the_starter_analyzes_and_tags_without_a_connection(machine: Machine, folder: Path) -> None:
    done = machine.run("ingest", folder, tags__threshold=5, tags__most=10)
    assert (done["embedded"], done["problems"]) == (5, [])
    photos = machine.run("photos")
    tags = [tag for photo in photos for tag in photo["tags"]]
    assert tags and {tag["source"] for tag in tags} == {"encoder"}
    name = tags[0]["name"]
    found = machine.run("photos", "--filter", f'tag:"{name}"')
    assert {photo["id"] for photo in found} == {
        photo["id"] for photo in photos if name in [tag["name"] for tag in photo["tags"]]
    }
    assert machine.connections == ""


def test_any_clip_model_can_be_set_and_needs_no_connection(
    machine: Machine, folder: Path, weights: Path
) -> None:
    told = {"which": "open_clip", "model": SMALLEST, "pretrained": "", "checkpoint": weights}
    done = machine.run("ingest", folder, **told)
    assert (done["embedded"], done["problems"], done["failed"]) == (5, [], 0)
    (key,) = machine.run("encoder")["vectors"]
    assert key.startswith(f"open_clip/{SMALLEST}/")
    similar = machine.run("similar", folder / "DSC_0.jpg", **told)
    assert len(similar) == 4
    assert machine.connections == ""


def bad(kind: str, good: Path, folder: Path) -> Path:
    """Write bad weights."""
    import torch

    path = folder / "bad.pt"
    if kind == "cut off":
        path.write_bytes(good.read_bytes()[:1_000_000])
    elif kind == "another model":
        torch.save({"conv.weight": torch.zeros(3, 3)}, path)
    else:
        torch.save({"state_dict": {"x": Evil(folder / "code-ran")}}, path)
    return path


class Evil:
    """A pickle that contains code."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("kind", ["cut off", "another model", "code"])
def test_bad_weights_give_one_error_and_stop_no_other_work(
    machine: Machine, folder: Path, weights: Path, tmp_path: Path, kind: str
) -> None:
    path = bad(kind, weights, tmp_path)
    told = {"which": "open_clip", "model": SMALLEST, "pretrained": "", "checkpoint": path}
    done = machine.run("ingest", folder, **told)
    assert (done["converted"], done["embedded"], done["failed"]) == (5, 0, 0)
    (problem,) = done["problems"]
    assert "bad.pt" in problem and "encoder.checkpoint" in problem
    assert not (tmp_path / "code-ran").exists()
    again = machine.run("ingest", folder)  # the starter, which needs nothing
    assert (again["embedded"], again["problems"]) == (5, [])
    assert machine.connections == ""


def test_a_model_that_needs_the_hub_is_refused_without_a_connection(
    machine: Machine, folder: Path, weights: Path
) -> None:
    model = "roberta-ViT-B-32"
    done = machine.run("ingest", folder, which="open_clip", model=model, checkpoint=weights)
    assert (done["converted"], done["embedded"], done["failed"]) == (5, 0, 0)
    assert len(done["problems"]) == 1 and model in done["problems"][0]
    assert machine.connections == ""


def test_clip_suggests_words_of_the_users_vocabulary_and_of_a_changed_one(
    machine: Machine, folder: Path, weights: Path
) -> None:
    told = {"which": "open_clip", "model": SMALLEST, "pretrained": "", "checkpoint": weights}
    told |= {"tags__threshold": 0, "tags__most": 2}
    list_ = machine.home / "vocabulary.txt"
    machine.home.mkdir(parents=True, exist_ok=True)
    list_.write_text("[Place]\nharbor\nmeadow\npier\n", "utf-8")
    assert machine.run("ingest", folder, **told)["embedded"] == 5

    def tags() -> set[tuple[str, str, str]]:
        found = [tag for photo in machine.run("photos") for tag in photo["tags"]]
        assert len(found) == 10
        return {(tag["name"], tag["source"], tag["state"]) for tag in found}

    before = tags()
    assert {name for name, _, _ in before} <= {"harbor", "meadow", "pier"}
    assert {(source, state) for _, source, state in before} == {("encoder", "suggested")}
    assert {row["category"] for row in machine.run("tags")} == {"Place"}
    list_.write_text("lens cap\nwindow\n", "utf-8")
    again = machine.run("ingest", folder, **told)
    assert again["embedded"] == 0, "no picture is looked at again"
    assert {name for name, _, _ in tags()} == {"lens cap", "window"}
    assert machine.connections == ""

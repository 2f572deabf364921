"""Promises that always hold: originals never change, and only a person decides."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.photos import draw_jpeg, write_dng
from tests.unit.cli.conftest import typed

Curator = Callable[..., Any]
QUICK = ("--set", "work.workers=1", "--set", "work.attempts=1")


@pytest.fixture
def curator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Curator:
    """Run a command that must succeed; return its JSON."""

    def type_(*words: object) -> Any:
        said = typed(capsys, "--home", tmp_path / "home", "--json", *QUICK, *words)
        assert said.code == 0, said.out
        return said.json

    return type_


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A card with files of cameras and other programs."""
    card = tmp_path / "card"
    for number in range(4):
        taken = datetime(2024, 5, 4, 18, 0, number)
        draw_jpeg(card / "100" / f"DSC_{number}.JPG", size=(240, 160), seed=number, taken=taken)
    write_dng(card / "100" / "DSC_3.DNG", size=(240, 160), seed=3)
    (card / "100" / "DSC_3.xmp").write_text("<x:xmpmeta/>")
    (card / "100" / "cut.JPG").write_bytes((card / "100" / "DSC_0.JPG").read_bytes()[:900])
    (card / "clip.mov").write_bytes(b"a video")
    for path in card.rglob("*"):
        os.utime(path, ns=(1_600_000_000_123_456_789, 1_600_000_000_123_456_789))
    return card


def as_it_is(folder: Path) -> dict[str, tuple[object, ...]]:
    """Return everything about a folder that could change, including its directories."""
    found: dict[str, tuple[object, ...]] = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        status = path.lstat()
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        facts = (status.st_mode, status.st_size, status.st_mtime_ns, status.st_ino, digest)
        found[str(path.relative_to(folder))] = facts
    return found


def through_it_all(curator: Curator, folder: Path, out: Path) -> None:
    """Do everything that Curator can do with a folder of photos."""
    ids = [photo["id"] for photo in curator("photos")]
    curator("mark", "--rate", 5, *ids[:2])
    curator("mark", "--pick", ids[2])
    curator("mark", "--reject", *ids[3:])
    curator("mark", "--label", "green", ids[0])
    curator("undo", 2)
    curator("redo", 2)
    curator("export", out / "originals")
    curator("export", out / "jpegs", "--as", "jpeg", "--long-edge", 320)
    curator("mark", "--clear", ids[0])
    curator("export", out / "originals")
    curator("backfill", "convert")
    curator("retry")
    curator("folders", "rescan", folder)
    curator("rejects", "restore")
    curator("folders", "remove", folder, "--photos", "go")


def test_originals_are_never_changed(curator: Curator, card: Path, tmp_path: Path) -> None:
    before = as_it_is(card)
    assert curator("ingest", card)["found"] == 5
    through_it_all(curator, card, tmp_path / "out")
    assert as_it_is(card) == before


@pytest.mark.slow
def test_every_real_file_is_read_or_fails_with_a_reason_and_is_unchanged(
    curator: Curator, corpus: Path, tmp_path: Path
) -> None:
    card = tmp_path / "corpus"
    shutil.copytree(corpus, card)
    before = as_it_is(card)
    answer = curator("ingest", card)
    assert answer["found"] == answer["new"] > 0
    photos = {photo["id"]: photo for photo in curator("photos")}
    assert {photo["status"] for photo in photos.values()} <= {"ok", "failed"}
    failed = {failure["id"] for failure in answer["failures"]}
    assert failed == {number for number, photo in photos.items() if photo["status"] == "failed"}
    assert all(failure["reason"].endswith(".") for failure in answer["failures"])
    assert curator("ingest", card)["new"] == 0
    through_it_all(curator, card, tmp_path / "out")
    assert as_it_is(card) == before


def test_no_score_decides_and_no_unreviewed_photo_is_exported(
    curator: Curator, card: Path, tmp_path: Path
) -> None:
    curator("ingest", card)
    photos = curator("photos")
    assert {photo["sharpness"] is not None for photo in photos} == {True, False}
    marks = {(p["flag"], p["rating"], p["label"], p["kept"], p["verdict"]) for p in photos}
    assert marks == {(None, None, None, False, "unreviewed")}
    out = tmp_path / "out"
    assert curator("export", out)["photos"] == 0 and not out.exists()
    first, second, third, fourth, *_ = [photo["id"] for photo in photos]
    curator("mark", "--keep", first)  # let through is not approved
    curator("mark", "--label", "red", second)
    curator("mark", "--rate", 3, third)  # three stars need a match, and there is no taste yet
    curator("mark", "--rate", 5, fourth)
    curator("mark", "--reject", fourth)  # whatever its stars
    assert curator("export", out)["photos"] == 0 and not out.exists()
    curator("mark", "--unflag", fourth)
    assert curator("export", out)["photos"] == 1


@pytest.mark.slow
def test_a_reject_never_comes_back_by_itself(curator: Curator, card: Path, tmp_path: Path) -> None:
    curator("ingest", card)
    rejected = next(photo for photo in curator("photos") if photo["name"] == "DSC_3")
    curator("mark", "--reject", rejected["id"])

    def check(found: int) -> None:
        photos = {photo["id"]: photo for photo in curator("photos")}
        assert len(photos) == found
        assert {n for n, p in photos.items() if p["flag"] == "reject"} == {rejected["id"]}
        assert curator("export", tmp_path / "out", "--dry-run")["photos"] == 0

    folder = card / "100"
    for half in ("JPG", "DNG"):
        (folder / f"DSC_3.{half}").rename(folder / f"renamed.{half}")
    assert curator("ingest", card)["new"] == 0
    check(5)
    (folder / "sub").mkdir()
    for half in ("JPG", "DNG"):
        (folder / f"renamed.{half}").rename(folder / "sub" / f"renamed.{half}")
    assert curator("ingest", card)["new"] == 0
    check(5)
    shutil.copytree(card, tmp_path / "backup")
    assert curator("ingest", tmp_path / "backup")["new"] == 0
    check(5)
    card.rename(tmp_path / "elsewhere")
    assert curator("ingest", tmp_path / "elsewhere")["new"] == 0
    check(5)
    for place in (card, tmp_path / "backup", tmp_path / "elsewhere"):
        curator("folders", "remove", place, "--photos", "go")
    assert curator("photos") == []
    assert curator("ingest", tmp_path / "elsewhere")["new"] == 0
    check(5)

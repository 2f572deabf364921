"""Faces, as the pipeline calls it: only photos with faces are decoded again, and upright."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curator.faces import measuring
from curator.imaging import proxy
from curator.model import Face, GoneError, Kind, StageJob, UnreadableError
from curator.stages.convert import convert
from curator.stages.faces import faces, faces_of_file
from tests.face_data import OPEN
from tests.photos import draw_jpeg, write_dng


class Networks:
    """Stands for the networks: finds as many faces as told, and notes the pictures it saw."""

    def __init__(self) -> None:
        self.count = 1
        self.searched: list[tuple[int, ...]] = []
        self.measured: list[np.ndarray] = []

    def find(self, small: np.ndarray) -> list[int]:
        self.searched.append(small.shape[:2])
        return list(range(self.count))

    def measure(self, found: Sequence[int], rgb: np.ndarray, icc: bytes | None) -> list[Face]:
        self.measured.append(rgb)
        return [OPEN] * len(found)


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> Networks:
    made = Networks()
    monkeypatch.setattr(measuring, "find", made.find)
    monkeypatch.setattr(measuring, "measure", made.measure)
    return made


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the originals that are decoded from now on."""
    paths: list[str] = []

    def note(job: StageJob) -> Any:
        paths.append(job.path)
        return decode_photo(job)

    stage = sys.modules[faces.__module__]
    decode_photo = stage.decode_photo
    monkeypatch.setattr(stage, "decode_photo", note)
    return paths


def converted(path: Path, cache: Path, **more: object) -> StageJob:
    """Convert a photo; return the job that measures its faces."""
    kind = Kind.RAW if path.suffix == ".dng" else Kind.IMAGE
    job = replace(StageJob(7, "convert", str(path), kind, str(cache)), **more)  # type: ignore[arg-type]
    made = convert(job)
    where = str(proxy.proxy_path(job.cache, made.proxy))
    return replace(job, stage="faces", proxy=where, fingerprint=made.proxy_digest)


def test_a_photo_without_faces_is_not_decoded_again(
    tmp_path: Path, networks: Networks, decoded: list[str]
) -> None:
    job = converted(draw_jpeg(tmp_path / "a.jpg", size=(300, 200)), tmp_path / "cache")
    networks.count = 0
    result = faces(job)
    assert (result.source, result.faces) == (job.fingerprint, ())
    assert networks.searched == [(200, 300)] and decoded == []


def test_faces_are_measured_on_the_upright_original(
    tmp_path: Path, networks: Networks, decoded: list[str]
) -> None:
    path = draw_jpeg(tmp_path / "a.jpg", size=(3000, 2000), orientation=6)
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    job = converted(path, tmp_path / "cache")
    assert faces(job).faces == (OPEN,)
    assert networks.searched == [(1440, 960)], "found on the proxy"
    (original,) = networks.measured
    assert original.shape == (3000, 2000, 3) and decoded == [str(path)]
    upright = np.rot90(decode(path), -1).astype(int)
    assert np.abs(upright[::9, ::9] - original[::9, ::9]).mean() < 4
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def decode(path: Path) -> np.ndarray:
    import cv2

    return cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)[..., ::-1]


def test_of_a_damaged_raw_the_other_half_is_measured(tmp_path: Path, networks: Networks) -> None:
    raw = tmp_path / "a.dng"
    raw.write_bytes(write_dng(tmp_path / "b.dng", size=(600, 400)).read_bytes()[:400])
    half = draw_jpeg(tmp_path / "a.jpg", size=(600, 400))
    assert faces(converted(raw, tmp_path / "cache", fallback=str(half))).faces == (OPEN,)
    assert networks.measured[0].shape == (400, 600, 3)


def test_an_original_that_is_gone_or_damaged_by_now_is_an_error(
    tmp_path: Path, networks: Networks
) -> None:
    path = draw_jpeg(tmp_path / "a.jpg", size=(300, 200))
    job = converted(path, tmp_path / "cache")
    path.write_bytes(b"this was a photo once")
    with pytest.raises(UnreadableError, match="not a picture"):
        faces(job)
    path.unlink()
    with pytest.raises(GoneError, match="no longer there"):
        faces(job)
    Path(job.proxy).unlink()
    with pytest.raises(GoneError, match="curator backfill convert"):
        faces(job)


def test_a_file_of_its_own_is_decoded_once(
    tmp_path: Path, networks: Networks, decoded: list[str]
) -> None:
    path = draw_jpeg(tmp_path / "a.jpg", size=(3000, 2000), orientation=6)
    found, size = faces_of_file(StageJob(0, "faces", str(path), Kind.IMAGE, ""))
    assert (found, size) == ((OPEN,), (2000, 3000))
    assert networks.searched == [(1440, 960)] and decoded == [str(path)]


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (400, 1)])
def test_a_picture_one_pixel_wide_has_no_faces(tmp_path: Path, size: tuple[int, int]) -> None:
    from PIL import Image

    Image.new("RGB", size, (90, 90, 90)).save(tmp_path / "line.png")
    job = converted(tmp_path / "line.png", tmp_path / "cache")
    assert faces(job).faces == ()

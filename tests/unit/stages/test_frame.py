"""Decoding an original for the loupe: the right pixels and overlays, never another file's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rawpy

from curator import files
from curator.imaging import color, decode, overlay, raw
from curator.model import GoneError, UnreadableError
from curator.stages.frame import ChangedError, Crop, DecodeRequest, Frame, frame
from tests.photos import draw_jpeg, write_dng

MOST = 400


def array(seen: Frame) -> np.ndarray:
    assert seen.array is not None
    return seen.array


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("turn", [0, 1])
def test_every_pixel_comes_upright_and_turned(tmp_path: Path, orientation: int, turn: int) -> None:
    path = str(draw_jpeg(tmp_path / "a.jpg", size=(120, 80), orientation=orientation))
    seen = frame(DecodeRequest(path, turn=turn), MOST)
    upright = decode.decode(path).rgb
    assert np.array_equal(array(seen), np.rot90(upright, -turn))
    assert seen.full_size == array(seen).shape[1::-1]
    assert (seen.basis, seen.damage, seen.measured()) == ("image", None, None)


def test_a_size_comes_ready_for_the_screen(tmp_path: Path) -> None:
    path = str(draw_jpeg(tmp_path / "a.jpg", size=(600, 400)))
    seen = frame(DecodeRequest(path, size=(150, 100)), MOST)
    assert array(seen).shape == (100, 150, 4)
    assert seen.full_size == (600, 400)


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("turn", [0, 1, 3])
def test_crops_have_the_original_s_own_pixels_at_100_percent(
    tmp_path: Path, orientation: int, turn: int
) -> None:
    path = str(draw_jpeg(tmp_path / "a.jpg", size=(600, 400), orientation=orientation))
    upright = decode.decode(path).rgb
    height, width = upright.shape[:2]
    # 100 and 60 px of the original, and one that the catalog's size misses by a few px.
    boxes = [(100, 40, 100, 60), (width - 60, 0, 60, 60), (10.4, 20.4, 97, 97)]
    sizes = [(100, 60), (60, 60), (100, 100)]
    crops = tuple(
        Crop((x / width, y / height, w / width, h / height), size[::-1] if turn % 2 else size)
        for (x, y, w, h), size in zip(boxes, sizes, strict=True)
    )
    seen = frame(DecodeRequest(path, turn=turn, pixels=False, crops=crops), MOST)
    assert seen.array is None
    found = seen.crops(crops)
    wanted = [upright[40:100, 100:200], upright[0:60, width - 60 :], upright[19:119, 9:109]]
    for crop, part in zip(found, wanted, strict=True):
        assert np.array_equal(crop[..., 2::-1], np.rot90(part, -turn))


def test_a_crop_of_a_large_face_is_made_of_a_smaller_decode(tmp_path: Path) -> None:
    path = str(draw_jpeg(tmp_path / "a.jpg", size=(2400, 1600)))
    crop = Crop((0.25, 0.25, 0.5, 0.75), (120, 120))
    request = DecodeRequest(path, pixels=False, crops=(crop,))
    assert request.long_edge_px == 240
    (found,) = frame(request, MOST).crops((crop,))
    best = decode.decode(path).rgb[400:1600, 600:1800]
    small = best.reshape(120, 10, 120, 10, 3).mean(axis=(1, 3))
    assert np.abs(small - found[..., 2::-1]).mean() < 6
    assert DecodeRequest(path, crops=(crop,)).long_edge_px is None
    assert DecodeRequest(path, size=(300, 200), crops=(crop,)).long_edge_px == 300


def test_a_picture_one_pixel_wide_has_crops(tmp_path: Path) -> None:
    path = str(draw_jpeg(tmp_path / "a.jpg", size=(1, 400)))
    crop = Crop((0.0, 0.5, 1.0, 0.25), (1, 100))
    (found,) = frame(DecodeRequest(path, pixels=False, crops=(crop,)), MOST).crops((crop,))
    assert found.shape == (100, 1, 4)


def test_pictures_over_the_limit_come_at_half_size(tmp_path: Path) -> None:
    path = str(draw_jpeg(tmp_path / "a.jpg", size=(600, 400)))
    whole = 600 * 400 * 3
    assert array(frame(DecodeRequest(path, limit_bytes=whole), MOST)).shape == (400, 600, 3)
    seen = frame(DecodeRequest(path, limit_bytes=whole - 1), MOST)
    assert array(seen).shape == (200, 300, 3)
    assert seen.full_size == (600, 400)
    assert array(frame(DecodeRequest(path, limit_bytes=whole // 5), MOST)).shape == (100, 150, 3)
    clipping = frozenset({overlay.CLIPPING})
    measured = frame(DecodeRequest(path, limit_bytes=whole - 1, overlays=clipping), MOST).measured()
    assert measured is not None and measured.marks is None
    assert measured.shares is not None and measured.shares.shape == (100, 150, 3)


def test_overlays_are_measured_on_every_pixel_in_the_same_turn(tmp_path: Path) -> None:
    path = str(draw_jpeg(tmp_path / "a.jpg", size=(240, 160), orientation=8))
    kinds = frozenset(overlay.KINDS)
    seen = frame(DecodeRequest(path, turn=1, size=(60, 40), overlays=kinds), MOST)
    measured = seen.measured()
    wanted = overlay.measure(np.rot90(decode.decode(path).rgb, -1).copy(), kinds)
    assert array(seen).shape == (40, 60, 4)
    assert measured is not None and measured.kinds == kinds
    for name in ("marks", "shares", "tiles", "histogram"):
        assert np.array_equal(getattr(measured, name), getattr(wanted, name))
    alone = frame(DecodeRequest(path, pixels=False, overlays=frozenset({overlay.HISTOGRAM})), MOST)
    assert alone.array is None
    assert alone.measured() is not None


def test_a_raw_shows_its_preview_unless_a_demosaic_is_requested(tmp_path: Path) -> None:
    path = str(write_dng(tmp_path / "a.dng", size=(120, 80)))
    assert frame(DecodeRequest(path), MOST).basis == "preview"
    assert frame(DecodeRequest(path, "demosaic"), MOST).basis == "demosaic"


def test_a_failed_demosaic_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise rawpy.LibRawDataError("damaged")

    monkeypatch.setattr(raw, "_demosaic", fails)
    path = str(write_dng(tmp_path / "a.dng", size=(480, 320)))
    with pytest.raises(UnreadableError, match="picture data is damaged"):
        frame(DecodeRequest(path, "demosaic"), MOST)
    assert frame(DecodeRequest(path), MOST).basis == "preview"


def test_another_file_of_that_name_is_refused(tmp_path: Path) -> None:
    path = str(draw_jpeg(tmp_path / "a.jpg", seed=1))
    known = files.fingerprint(path)
    assert frame(DecodeRequest(path, fingerprint=known), MOST).array is not None
    draw_jpeg(tmp_path / "a.jpg", seed=2)
    with pytest.raises(ChangedError, match="changed since it was read"):
        frame(DecodeRequest(path, fingerprint=known), MOST)


def test_a_file_replaced_while_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = draw_jpeg(tmp_path / "a.jpg", seed=1)
    load = decode.load

    def slowly(*arguments: object) -> object:
        found = load(*arguments)  # type: ignore[arg-type]
        draw_jpeg(path, seed=2)
        return found

    monkeypatch.setattr(decode, "load", slowly)
    with pytest.raises(ChangedError, match="being written"):
        frame(DecodeRequest(str(path), fingerprint=files.fingerprint(path)), MOST)


def test_a_missing_or_too_large_file_gives_the_reason(tmp_path: Path) -> None:
    with pytest.raises(GoneError):
        frame(DecodeRequest(str(tmp_path / "none.jpg")), MOST)
    path = str(draw_jpeg(tmp_path / "a.jpg", size=(1200, 900)))
    with pytest.raises(UnreadableError, match="the limit is"):
        frame(DecodeRequest(path), 1)


def test_clipping_is_counted_on_the_files_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def blown(rgb: np.ndarray, icc: object) -> np.ndarray:
        return np.full_like(rgb, 255)

    monkeypatch.setattr(color, "to_srgb", blown)
    path = str(draw_jpeg(tmp_path / "a.jpg", size=(120, 80)))
    seen = frame(DecodeRequest(path, overlays=frozenset({overlay.CLIPPING})), MOST)
    measured = seen.measured()
    assert measured is not None and measured.clipped is not None
    assert array(seen).min() == 255
    assert measured.clipped[0] < 0.1

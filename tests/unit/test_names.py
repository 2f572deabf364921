"""Facts and file names as text: one rule for each, whatever the name is made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from curator.cli.output import shown
from curator.export.page import _exposure
from curator.library import captions
from curator.model import Capture, aperture, bidi_safe, focal_length, shutter
from curator.ui.widgets import words

ARABIC, HEBREW = "صورة 2025.jpg", "תמונה_12"


@pytest.mark.parametrize(
    ("mm", "text"), [(3.5, "3.5 mm"), (85.0, "85 mm"), (6.765, "6.8 mm"), (0, ""), (None, "")]
)
def test_a_focal_length_has_a_decimal_where_it_needs_one(mm: float | None, text: str) -> None:
    assert focal_length(mm) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(2.8, "f/2.8"), (1.78, "f/1.8"), (0.95, "f/0.95"), (11.0, "f/11"), (22, "f/22"), (0, "")],
)
def test_an_aperture_reads_as_on_the_lens(number: float, text: str) -> None:
    assert aperture(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1 / 250, "1/250"), (0.6, "0.6 s"), (30.0, "30 s"), (0.25, "1/4"), (0, ""), (-1, "")],
)
def test_a_shutter_time_reads_as_on_the_camera(seconds: float, text: str) -> None:
    assert shutter(seconds) == text


def test_caption_inspector_and_gallery_write_the_same_figures() -> None:
    capture = Capture(focal_length_mm=3.5, f_number=1.78, exposure_s=1 / 60, iso=100)
    facts = {"1/60", "f/1.8", "ISO 100", "3.5 mm"}
    assert set(captions.exposure_line(capture).split(" · ")) == facts
    rows = dict(words.capture_rows(capture))
    assert {*rows["Exposure"].split(" · "), rows["Focal length"]} == facts
    entry = {"capture": {"focal_length_mm": 3.5, "f_number": 1.78, "exposure_s": 1 / 60}}
    assert set(_exposure(entry).split(" · ")) == facts - {"ISO 100"}


def test_a_right_to_left_name_keeps_its_suffix_and_the_text_beside_it() -> None:
    assert bidi_safe(ARABIC) == f"\u2066{ARABIC}\u2069"
    line = captions.capture_line(bidi_safe(HEBREW), Capture(exposure_s=1 / 250))
    assert line == f"\u2066{HEBREW}\u2069 · 1/250"
    folder = words.path(Path("/photos") / "صور" / ARABIC)
    assert folder == f"/photos/\u2066صور\u2069/\u2066{ARABIC}\u2069"
    assert shown(f"Rejected {bidi_safe(ARABIC)}") == f"Rejected {ARABIC}", "a terminal turns itself"


@pytest.mark.parametrize("name", ["DSC_0412", "Café", "写真 2025", "a · b"])
def test_other_names_are_unchanged(name: str) -> None:
    assert bidi_safe(name) == name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("holiday\u202egpj.exe", "holiday\\u202egpj.exe"),
        ("a\nb\x1b[31m", "a\\nb\\x1b[31m"),
        ("x\u2069 · approved", "x\\u2069 · approved"),
    ],
)
def test_control_characters_are_escaped(name: str, text: str) -> None:
    assert bidi_safe(name) == text

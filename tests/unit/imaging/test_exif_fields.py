"""EXIF fields in all the variants that cameras write."""

from __future__ import annotations

from datetime import datetime

import pytest

from curator.imaging import exif_fields, tiff


@pytest.mark.parametrize(
    ("written", "meant", "offset"),
    [
        ("2024:05:04 18:42:07", datetime(2024, 5, 4, 18, 42, 7), None),
        ("2024.05.04 18:42:07", datetime(2024, 5, 4, 18, 42, 7), None),
        ("2024:05:04 18:42:70", datetime(2024, 5, 4, 18, 42, 59), None),
        ("2024-05-04T18:42:07.25+02:00", datetime(2024, 5, 4, 18, 42, 7, 250000), 120),
        ("2024-05-04T18:42:07Z", datetime(2024, 5, 4, 18, 42, 7), 0),
        ("Tue May  7 21:48:30 2002", datetime(2002, 5, 7, 21, 48, 30), None),
        ("2000:01:01 00:00:00", datetime(2000, 1, 1), None),
        ("0000:00:00 00:00:00", None, None),
        ("1601:01:01 00:00:00", None, None),
        ("1919:12:31 10:00:00", None, None),
        ("1970:01:01 00:00:00", None, None),
        ("2024:13:40 18:42:07", None, None),
        ("    :  :     :  :  ", None, None),
        ("yesterday", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_times_are_parsed_in_every_format_found(
    written: str | None, meant: datetime | None, offset: int | None
) -> None:
    assert exif_fields.parse_time(written) == (meant, offset)


@pytest.mark.parametrize(
    ("written", "minutes"),
    [("+05:45", 345), ("-0330", -210), ("Z", 0), ("+25:00", None), ("CET", None), ("", None)],
)
def test_offsets_are_parsed(written: str, minutes: int | None) -> None:
    assert exif_fields.parse_offset(written) == minutes


def directories(main: dict[int, tiff.Value], exif: dict[int, tiff.Value]) -> list[tiff.Directory]:
    return [tiff.Directory("page", 8, main), tiff.Directory("exif", 99, exif)]


@pytest.mark.parametrize(
    ("make", "model", "name"),
    [
        ("NIKON CORPORATION", "NIKON D90", "NIKON D90"),
        ("Canon", "Canon EOS 20D", "Canon EOS 20D"),
        ("OLYMPUS IMAGING CORP.  ", "E-P3", "OLYMPUS E-P3"),
        ("SONY", "ILCE-7M4\0\0", "SONY ILCE-7M4"),
        ("", "Lonely", "Lonely"),
    ],
)
def test_a_camera_is_named_once(make: str, model: str, name: str) -> None:
    assert exif_fields.capture_of(directories({271: make, 272: model}, {})).camera == name


def test_absurd_values_count_as_missing() -> None:
    nan = float("nan")
    found = exif_fields.capture_of(
        directories(
            {274: (99.0,)}, {33434: (nan,), 33437: (0.0,), 34855: (0.0,), 37386: (1e9,), 42036: b""}
        )
    )
    assert found.orientation == 1
    assert (found.exposure_s, found.f_number, found.iso, found.focal_length_mm) == (None,) * 4
    assert found.lens is None


def test_iso_over_65535_is_in_the_longer_field() -> None:
    found = exif_fields.capture_of(directories({}, {34855: (65535.0,), 34866: (102400.0,)}))
    assert found.iso == 102400


def test_a_location_without_a_gps_fix_is_ignored() -> None:
    zero: tiff.Value = (0.0, 0.0, 0.0)
    gps = tiff.Directory("gps", 5, {1: "N", 2: zero, 3: "E", 4: zero})
    assert exif_fields.capture_of([gps]).latitude is None
    gps.tags.update({1: "S", 2: (33.0, 30.0, 0.0), 3: "E", 4: (151.0, 15.0, 0.0)})
    found = exif_fields.capture_of([gps])
    assert (found.latitude, found.longitude) == (-33.5, 151.25)


@pytest.mark.parametrize(
    ("orientation", "upright"),
    [(1, (0.1, 0.3)), (3, (0.9, 0.7)), (6, (0.7, 0.1)), (8, (0.3, 0.9)), (5, (0.3, 0.1))],
)
def test_the_subject_turns_with_the_picture(orientation: int, upright: tuple[float, float]) -> None:
    found = exif_fields.capture_of(
        directories(
            {274: (float(orientation),)},
            {37396: (100.0, 150.0), 40962: (1000.0,), 40963: (500.0,)},
        )
    )
    assert found.subject == pytest.approx(upright)


def test_broken_directories_stop_reading_without_an_error() -> None:
    loop = b"II*\0\x08\0\0\0" + b"\x01\0" + b"\x69\x87\x04\0\x01\0\0\0\x08\0\0\0" + b"\x08\0\0\0"
    assert len(tiff.directories(tiff.from_bytes(loop))) == 1
    for broken in (b"", b"II", b"II*\0", b"MM\0*\xff\xff\xff\xff", loop[:14], b"\0" * 64):
        assert len(tiff.directories(tiff.from_bytes(broken))) <= 1

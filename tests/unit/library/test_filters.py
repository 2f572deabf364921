"""The filter language, with twelve photos: 1 is a pick with one star, 11 a reject."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from curator.home import Home
from curator.library import filters
from curator.library.query import FilterError
from curator.session import Session
from tests import catalogs, face_data, taste_data
from tests.face_data import CLOSED, OPEN, UNKNOWN


def found(session: Session, expression: str) -> list[int]:
    session.catalog.text.update_all()
    marked = filters.mask(filters.parse(expression), session.table)
    return session.table.ids[marked].tolist()


@pytest.mark.parametrize(
    ("expression", "photos"),
    [
        ("", list(range(1, 13))),
        ("is:picked", [1]),
        ("is:rejected", [11]),
        ("is:rated", [1]),
        ("rating:1", [1]),
        ("rating:>=2", []),
        ("rating:<1", list(range(2, 13))),
        ("-is:unreviewed", [1, 11]),
        ("is:kept", [1]),
        ("is:through", [1]),  # its name in version 0.1
        ("-is:undecided", [1, 11]),
        ("is:passed-over OR is:proposed", []),
        ("is:pair", [1, 6, 11]),
        ("is:pair -is:rejected", [1, 6]),
        ("is:match", []),
        ("is:approved", []),
        ("is:failed", []),
        ("0003", [4]),
        ("dsc_000 name:9", [10]),
        ('"DSC_0011"', [12]),
        ("dsc_0003.jpg", [4]),
        ("name:DSC_0003.NEF", [4]),
        ("dsc_000.jpg", []),
        ("camera:two", [1, 4, 7, 10]),
        ("sharpness:<10", [1, 4, 7, 10]),
        ("label:none", list(range(1, 13))),
        ("camera:none", []),
        ("-camera:none camera:two", [1, 4, 7, 10]),
        ("tag:none", list(range(1, 13))),
        ("project:none is:pair", [1, 6, 11]),
        ('project:"none"', []),
        ("before:2024-05", []),
        ("after:2024-05-04", list(range(1, 13))),
    ],
)
def test_a_query_finds_its_photos(session: Session, expression: str, photos: list[int]) -> None:
    if expression == "sharpness:<10":  # 37 n mod 1000 / 10
        photos = [n + 1 for n in range(12) if n * 37 % 1000 / 10 < 10]
    assert found(session, expression) == photos


VIK = {"latitude": 63.4187, "longitude": -19.0064}
REYKJAVIK = {"latitude": 64.1466, "longitude": -21.9426}  # 163 km from Vik


@pytest.fixture
def shot(session: Session, home: Home) -> Session:
    """Twelve photos at ISO 800, f/2.8, 1/250 s, 50 mm; four of them differ."""
    found(session, "iso:800")  # capture data was read before it changes
    night = {"iso": 6400, "exposure_s": 0.01666, "f_number": 1.4, "focal_length_mm": 24.0}
    catalogs.capture(home.catalog, 2, **night, **REYKJAVIK)
    catalogs.capture(home.catalog, 3, iso=1600, exposure_s=2.5, f_number=2.83, **VIK)
    catalogs.capture(home.catalog, 4, focal_length_mm=3.5, width=4000, height=6000)
    catalogs.capture(home.catalog, 5, iso=None, exposure_s=None, f_number=None)
    session.table.refresh()
    return session


REST = list(range(6, 13))


@pytest.mark.parametrize(
    ("expression", "photos"),
    [
        ("iso:>=1600", [2, 3]),
        ("iso:1000..2000", [3]),
        ("iso:1600-6400", [2, 3]),
        ("iso:..800", [1, 4, *REST]),
        ("iso:1601..", [2]),
        ("iso:>6400", []),
        ("-iso:<102400", [5]),
        ("aperture:2.8", [1, 3, 4, *REST]),
        ("aperture:f/1.4", [2]),
        ("aperture:<f2.8", [2]),
        ("shutter:1/60", [2]),
        ("shutter:1/250", [1, 4, *REST]),
        ("shutter:>1/60", [3]),
        ("shutter:>=1/60", [2, 3]),
        ("shutter:1/100-1s", [2]),
        ("shutter:2.5s", [3]),
        ("focal:3.5mm", [4]),
        ("focal:20..35", [2]),
        ("width:<6000", [4]),
        ("height:>=6000", [4]),
        ("gps:yes", [2, 3]),
        ("gps:no is:picked", [1]),
        ("near:64.1466,-21.9426", [2]),
        ("near:64.1,-21.9,5km", []),
        ("near:64.1,-21.9,6km", [2]),
        ("near:64.1,-21.9,200km", [2, 3]),
        ("near:64.1,-21.9,90mi", [2]),
        ("near:64.1,-21.9,110mi", [2, 3]),
        ("ext:nef", [1, 6, 11]),
        ("ext:.JPG is:rejected", [11]),
        ("ext:jp", []),
        ("ext:%", []),
        ("rating:1..5", [1]),
        ("on:2024-05-01..2024-05-04", list(range(1, 13))),
        ("on:2023..2024-04", []),
    ],
)
def test_capture_data_is_compared(shot: Session, expression: str, photos: list[int]) -> None:
    assert found(shot, expression) == photos


@pytest.mark.parametrize(
    ("expression", "photos"),
    [
        ("faces:0", [1]),
        ("faces:2", [4]),
        ("faces:>=3", [5]),
        ("faces:<2", [1, 2, 3]),
        ("-faces:0 -is:rejected", [2, 3, 4, 5, 6, 7, 8, 9, 10, 12]),  # 6 and on: not measured
        ("-faces:>=0", [6, 7, 8, 9, 10, 11, 12]),
        ("eyes:closed", [4, 5]),
        ("eyes:open", [2]),
        ("eyes:unknown", [3]),
        ("faces:>0 -eyes:closed", [2, 3]),
        ("eyes:open OR eyes:closed faces:<=2", [2, 4]),
    ],
)
def test_photos_are_found_by_their_faces_and_eyes(
    session: Session, expression: str, photos: list[int]
) -> None:
    one_blinks = {4: [OPEN, CLOSED], 5: [OPEN, OPEN, CLOSED, UNKNOWN]}
    face_data.save(session.catalog, {1: [], 2: [OPEN], 3: [UNKNOWN], **one_blinks})
    session.table.refresh()
    assert found(session, expression) == photos


def test_soft_eyes_are_those_softer_than_the_rest_of_the_picture(
    session: Session, home: Home
) -> None:
    for photo, sharpness in ((2, 85.0), (3, 85.0), (4, 12.0)):
        catalogs.capture(home.catalog, photo, sharpness=sharpness)
    soft, sharp = replace(OPEN, eye_sharpness=12.0), replace(OPEN, eye_sharpness=70.0)
    face_data.save(session.catalog, {2: [soft, sharp], 3: [sharp, soft], 4: [soft], 5: []})
    session.table.refresh()
    assert found(session, "eyes:soft") == [2]


def test_one_face_nobody_can_judge_leaves_the_others_open(session: Session) -> None:
    face_data.save(session.catalog, {2: [OPEN, UNKNOWN]})
    session.table.refresh()
    assert found(session, "eyes:open") == [2]


def test_width_and_height_are_those_of_the_rotated_picture(shot: Session) -> None:
    shot.catalog.photos.turn([6], 1)
    shot.table.refresh()
    assert found(shot, "width:<6000") == [4, 6]
    assert found(shot, "height:>=6000") == [4, 6]


def test_capture_data_is_read_once_until_a_photo_changes(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    real = session.catalog.photos.capture_columns
    monkeypatch.setattr(
        session.catalog.photos, "capture_columns", lambda rev: asked.append(rev) or real(rev)
    )
    for _ in range(3):
        assert len(found(session, "iso:800 aperture:2.8")) == 12
    session.catalog.journal.decide({5: {"rating": 2}}, summary="")
    session.table.refresh()
    assert len(found(session, "iso:800")) == 12
    assert len(asked) == 2 and asked[0] == 0 < asked[1]


def test_photos_added_later_are_found_by_capture_data(session: Session, home: Home) -> None:
    assert len(found(session, "iso:800")) == len(found(session, "ext:jpg")) == 12
    catalogs.append(home.catalog, 13, "late.PNG", iso=3200)
    session.table.refresh()
    assert found(session, "iso:3200") == [13] == found(session, "iso:>800 ext:png")


@pytest.mark.parametrize(
    ("expression", "photos"),
    [
        ("tag:harbor", [2, 3]),
        ("tag:Harbor is:rejected", []),
        ("tag:harb", []),
        ("harb", [2, 3]),
        ('tag:"sea lion"', [3]),
        ("lion", [3]),
        ("-tag:harbor is:pair", [1, 6, 11]),
        ("-tag:none", [2, 3]),
        ("name:harbor", []),
        ("0003", [4]),
    ],
)
def test_words_are_also_searched_in_tags(
    session: Session, expression: str, photos: list[int]
) -> None:
    tag(session, 2, ("harbor", 80))
    tag(session, 3, ("harbor", 40), ("sea lion", 30))
    assert found(session, expression) == photos


def test_tags_are_read_once_until_they_change(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag(session, 2, ("harbor", 80))
    asked: list[str] = []
    real = session.catalog.tags.photos_with
    monkeypatch.setattr(
        session.catalog.tags,
        "photos_with",
        lambda text: asked.append(text) or real(text),
    )
    for rating in (1, 2, 3):
        assert found(session, "tag:harbor") == [2]
        session.catalog.journal.decide({5: {"rating": rating}}, summary="")
    assert asked == ["harbor"]
    tag(session, 5, ("harbor", 70))
    assert found(session, "tag:harbor") == [2, 5]


def tag(session: Session, photo: int, *tags: tuple[str, int]) -> None:
    """Save tags suggested by an encoder."""
    seen = taste_data.result(session.catalog, photo, taste_data.ENCODER, np.ones(4), np.ones(76))
    session.catalog.vectors.save([(taste_data.job(photo), replace(seen, tags=tags))])


@pytest.mark.parametrize(
    ("expression", "position", "says"),
    [
        ("is:lovely", 3, "must be one of"),
        ("sea & b", 4, "at least one letter"),
        ("harbor rating:many", 14, "expects a number"),
        ("label:teal", 6, "red, yellow"),
        ("before:soon", 7, "expects a date"),
        ("before:2024-13", 7, "date"),
        ("after:2024-05-01..2024-05-17", 6, "expects a date"),
        ("on:2024-05-17..2024-05-01", 3, "expects a date"),
        ("on:0000", 3, "expects a date"),
        ("rating:5..3", 7, "expects a number or a range"),
        ("sea iso:..", 8, "expects a number or a range, as in 1600..6400"),
        ("iso:>=fast", 4, "expects a number"),
        ("shutter:1/0", 8, "expects a number"),
        ("aperture:2.8mm", 9, "expects a number"),
        ("gps:perhaps", 4, "must be one of yes, no"),
        ("near:Vik", 5, "latitude, longitude and a distance"),
        ("near:91,0", 5, "latitude, longitude"),
        ("colour:red", 0, "Unknown field “colour:”"),
        ('"open', 0, "quotation mark"),
        ("harbor rating>=3", 7, "rating>=3 needs a colon: rating:>=3"),
        ("-Rating = 3", 1, "needs a colon: rating:3"),
        ("match >70 harbor", 0, "match >70 needs a colon: match:>70"),
    ],
)
def test_an_error_has_its_position(expression: str, position: int, says: str) -> None:
    with pytest.raises(FilterError, match=says) as refused:
        filters.parse(expression)
    assert refused.value.position == position


def test_cameras_are_completed_most_used_first_without_a_catalog_query(
    session: Session,
) -> None:
    noted: list[str] = []
    session.catalog.store.trace(noted.append)
    offered = [hint.text for hint in session.search_hints.hints("camera:").found]
    session.catalog.store.trace(None)
    rows = session.table.rows
    names = [rows.cameras[number] for number in rows.column("camera")]
    assert len(offered) > 1 and noted == []
    uses = [names.count(text.removeprefix("camera:").strip(' "')) for text in offered]
    assert uses == sorted(uses, reverse=True) and sum(uses) == len(names)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("sea rating>=3", "rating:>=3 "), ("camera=x100", "camera:x100 "), ("tag:a or", "OR ")],
)
def test_a_typing_error_gets_a_suggestion(session: Session, typed: str, offered: str) -> None:
    assert session.search_hints.hints(typed).found[0].text == offered


def test_a_valid_word_gets_no_suggestion(session: Session) -> None:
    for expression in ('"rating>=3"', "berating=3", "rating", "sea or"):
        filters.parse(expression)
    assert "OR " not in [hint.text for hint in session.search_hints.hints("or").found]
    assert "OR " not in [hint.text for hint in session.search_hints.hints("sea OR").found]

"""Which frame of a burst of people is suggested, and why, as a photographer would say it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from curator.catalog import Catalog
from curator.faces import people
from curator.home import Home
from curator.library import stack_eyes, table_cache
from curator.library.filters import mask, parse
from curator.library.table import Table
from curator.model import Face
from tests import catalogs, face_data
from tests.face_data import CLOSED, OPEN, UNKNOWN, at

FRAMES = range(3, 9)


def eyes(sharpness: float | None, face: Face = OPEN, x: float = 0.4) -> Face:
    return at(replace(face, eye_sharpness=sharpness), x)


@pytest.fixture
def catalog(home: Home) -> Iterator[Catalog]:
    """Ten photos; 3 to 8 are a burst, equally sharp and well exposed."""
    catalogs.fill(home.catalog, 10)
    for photo in FRAMES:
        catalogs.capture(home.catalog, photo, sharpness=60.0, exposure=90.0, damage=None, look=None)
    catalogs.stack(home.catalog, *FRAMES)
    opened = Catalog.open(home.catalog)
    yield opened
    opened.close()


Suggest = Callable[[Sequence[Sequence[Face]]], tuple[int, str]]


@pytest.fixture
def suggest(catalog: Catalog) -> Suggest:
    """Save the faces of the six frames; return which of them (1-6) is suggested, and why."""

    def suggested(frames: Sequence[Sequence[Face]]) -> tuple[int, str]:
        face_data.save(catalog, dict(zip(FRAMES, frames, strict=True)))
        return best(Table(catalog))

    return suggested


def best(table: Table) -> tuple[int, str]:
    (photo,) = table.ids[mask(parse("is:suggested"), table)].tolist()
    return photo - 2, table.stacks.reason(int(table.rows_of([photo])[0]))


def test_the_only_frame_with_open_eyes_is_suggested(suggest: Suggest) -> None:
    blinks = [[CLOSED]] * 3 + [[OPEN]] + [[CLOSED]] * 2
    assert suggest(blinks) == (4, "the only frame of 6 with open eyes")


def test_of_frames_with_open_eyes_the_one_with_the_sharpest_eyes_is_suggested(
    suggest: Suggest,
) -> None:
    values = (40, 55, 71, 64, 48, 60)
    assert suggest([[eyes(value)] for value in values]) == (3, "eyes open; sharpest eyes of 6")


def test_eyes_closed_or_out_of_focus_lose_against_open_and_sharp_ones(suggest: Suggest) -> None:
    frames = [
        [eyes(80, CLOSED)],
        [eyes(30)],
        [eyes(62)],
        [eyes(40)],
        [eyes(81, CLOSED)],
        [eyes(50)],
    ]
    assert suggest(frames) == (3, "eyes open, as in 3 other frames; sharpest eyes of these")


def test_in_a_group_everybody_counts_and_the_worst_decides(suggest: Suggest) -> None:
    def group(*values: float | None, blinks: int = -1) -> list[Face]:
        faces = [eyes(value, OPEN, 0.15 + 0.25 * n) for n, value in enumerate(values)]
        return [
            replace(face, left=CLOSED.left, left_blink=0.9) if n == blinks else face
            for n, face in enumerate(faces)
        ]

    one_soft = [group(90, 90, 30), group(60, 64, 66), *([group(50, 50, 50)] * 4)]
    assert suggest(one_soft) == (2, "everyone's eyes open; sharpest eyes of 6")
    one_blinks = [group(90, 90, 90, blinks=n % 3) for n in range(5)] + [group(40, 40, 40)]
    assert suggest(one_blinks) == (6, "the only frame of 6 with everyone's eyes open")


def test_if_somebody_blinks_in_every_frame_the_most_open_eyes_win_and_it_says_so(
    suggest: Suggest,
) -> None:
    def trio(*faces: Face) -> list[Face]:
        return [at(face, 0.15 + 0.25 * n) for n, face in enumerate(faces)]

    frames = [trio(OPEN, CLOSED, CLOSED), trio(CLOSED, OPEN, OPEN)]
    frames += [trio(CLOSED, CLOSED, OPEN), trio(CLOSED, OPEN, CLOSED)] * 2
    assert suggest(frames) == (2, "someone blinks in every frame; eyes open in 2 of 3 faces")


def test_if_nobody_opens_their_eyes_the_sharpest_picture_is_suggested(
    suggest: Suggest, catalog: Catalog, home: Home
) -> None:
    catalogs.capture(home.catalog, 5, sharpness=70.0)
    assert suggest([[CLOSED]] * 6) == (3, "eyes closed in every frame; sharpest of 6")
    pair = [at(CLOSED, 0.2), at(CLOSED, 0.6)]
    assert suggest([pair] * 6) == (3, "no open eyes in any frame; sharpest of 6")


def test_if_no_eyes_are_sharp_the_least_soft_are_suggested_and_it_says_so(suggest: Suggest) -> None:
    values = (4, 8, 15, 6, 9, 5)
    words = "eyes open; soft eyes in every frame, sharpest here"
    assert suggest([[eyes(value)] for value in values]) == (3, words)


def test_eyes_nobody_can_judge_are_not_closed(suggest: Suggest) -> None:
    hidden = eyes(None, replace(UNKNOWN, size_px=600))
    assert suggest([[CLOSED]] * 5 + [[hidden]]) == (6, "no closed eyes")
    assert suggest([[hidden]] * 6)[1] == "sharpest of 6"
    assert suggest([[OPEN]] + [[hidden]] * 5) == (1, "the only frame of 6 with open eyes")


def test_a_passer_by_in_the_background_does_not_decide(suggest: Suggest) -> None:
    def passer_by(face: Face) -> Face:
        return replace(at(face, 0.8), box=(0.8, 0.3, 0.02, 0.03), size_px=120)

    frames = [[eyes(60 + n), passer_by(OPEN if n < 5 else CLOSED)] for n in range(6)]
    frames[5][0] = eyes(80)
    assert suggest(frames) == (6, "eyes open; sharpest eyes of 6")


def test_who_walks_through_one_frame_close_to_the_camera_does_not_decide(suggest: Suggest) -> None:
    near = replace(CLOSED, box=(0.0, 0.0, 0.4, 0.6), size_px=2400)
    frames = [[eyes(50)] for _ in range(6)]
    frames[2] = [near, eyes(70)]
    assert suggest(frames) == (3, "eyes open; sharpest eyes of 6")


def test_faces_too_small_to_judge_leave_the_choice_to_the_picture(
    suggest: Suggest, home: Home
) -> None:
    catalogs.capture(home.catalog, 7, sharpness=70.0)
    tiny = [replace(face, box=(0.4, 0.3, 0.006, 0.009), size_px=36) for face in (CLOSED, OPEN)]
    assert suggest([[tiny[n % 2]] for n in range(6)]) == (5, "sharpest of 6")


def test_equally_sharp_eyes_leave_the_choice_to_the_exposure(suggest: Suggest, home: Home) -> None:
    catalogs.capture(home.catalog, 6, exposure=99.0)
    values = (60, 58, 64, 62, 61, 30)
    words = "eyes open; eyes as sharp as any of 6, and better exposed"
    assert suggest([[eyes(value)] for value in values]) == (4, words)


def test_open_eyes_do_not_make_up_for_a_spoiled_exposure(suggest: Suggest, home: Home) -> None:
    catalogs.capture(home.catalog, 3, exposure=20.0)
    frames = [[eyes(90)], [eyes(50)], [eyes(60)], *([[CLOSED]] * 3)]
    assert suggest(frames)[0] == 3


def test_a_damaged_or_rejected_frame_is_not_suggested_but_tells_what_is_usual(
    suggest: Suggest, catalog: Catalog, home: Home
) -> None:
    catalogs.capture(home.catalog, 5, damage="The file is damaged.")
    catalog.journal.decide({6: {"flag": "reject"}}, summary="")
    narrow = [replace(OPEN, left_blink=0.5, right_blink=0.5)] * 3
    blinks = [replace(CLOSED, left_blink=0.6, right_blink=0.6)] * 3
    assert suggest([[face] for face in (*narrow, *blinks)])[0] in (1, 2)


def test_until_all_frames_are_measured_the_picture_decides(catalog: Catalog, home: Home) -> None:
    catalogs.capture(home.catalog, 8, sharpness=70.0)
    face_data.save(catalog, {photo: [OPEN if photo == 3 else CLOSED] for photo in range(3, 8)})
    table = Table(catalog)
    assert best(table) == (6, "sharpest of 6")
    face_data.save(catalog, {8: [CLOSED]})
    table.refresh()
    assert best(table) == (1, "the only frame of 6 with open eyes")


def test_with_faces_switched_off_the_picture_decides_again(catalog: Catalog, home: Home) -> None:
    catalogs.capture(home.catalog, 8, sharpness=70.0)
    face_data.save(catalog, {photo: [OPEN if photo == 3 else CLOSED] for photo in FRAMES})
    table = Table(catalog)
    assert best(table) == (1, "the only frame of 6 with open eyes")
    catalog.faces.switch(False)
    table.refresh()
    assert best(table) == (6, "sharpest of 6")


def test_copies_of_one_picture_are_chosen_by_their_size(catalog: Catalog, home: Home) -> None:
    catalogs.stack(home.catalog, *FRAMES, kind="duplicate")
    catalogs.capture(home.catalog, 8, width=8000)
    face_data.save(catalog, {photo: [OPEN if photo == 3 else CLOSED] for photo in FRAMES})
    assert best(Table(catalog)) == (6, "largest of 6")


def test_a_mark_reads_no_faces_and_a_changed_stack_does(catalog: Catalog) -> None:
    face_data.save(catalog, {photo: [OPEN if photo == 5 else CLOSED] for photo in FRAMES})
    table = Table(catalog)
    assert best(table)[0] == 3
    read: list[str] = []
    catalog.store.trace(lambda sql: read.append(sql) if " face " in sql else None)
    catalog.journal.decide({4: {"rating": 3}}, summary="")
    table.refresh()
    assert best(table)[0] == 3 and not read
    catalog.journal.decide({5: {"stacked": 0}}, summary="")
    table.refresh()
    assert best(table) == (1, "eyes closed in every frame; sharpest of 5") and read
    catalog.store.trace(None)


def test_a_stored_table_knows_the_eyes_and_what_changed_since(catalog: Catalog, home: Home) -> None:
    face_data.save(catalog, {photo: [OPEN if photo == 5 else CLOSED] for photo in FRAMES})
    table_cache.write_table(Table(catalog), home.table_file)
    read: list[str] = []
    catalog.store.trace(lambda sql: read.append(sql) if " face " in sql else None)
    assert best(table_cache.open_table(catalog, home.table_file))[0] == 3 and not read
    catalog.store.trace(None)
    face_data.save(catalog, {5: [CLOSED], 7: [OPEN]})
    assert best(table_cache.open_table(catalog, home.table_file))[0] == 5


def test_frames_are_compared_again_by_a_later_version(
    catalog: Catalog, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    face_data.save(catalog, {photo: [OPEN if photo == 5 else CLOSED] for photo in FRAMES})
    table_cache.write_table(Table(catalog), home.table_file)

    def reversed_eyes(*columns: Any) -> people.FrameEyes:
        return people.FrameEyes(*(column[::-1] for column in people.compare(*columns)))

    monkeypatch.setattr(stack_eyes, "compare", reversed_eyes)
    assert best(table_cache.open_table(catalog, home.table_file))[0] == 3
    monkeypatch.setattr(people, "VERSION", people.VERSION + 1)
    assert best(table_cache.open_table(catalog, home.table_file))[0] == 4

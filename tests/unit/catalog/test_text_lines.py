"""Text in photos in the catalog: saved with its places, found by its words, and never syntax."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from curator.catalog import Catalog
from curator.model import Kind, StageJob, TextLine, TextRead
from curator.stages import STAGES

CORNERS = ((0.1, 0.1), (0.3, 0.1), (0.3, 0.2), (0.1, 0.2))


def line(text: str) -> TextLine:
    return TextLine(text, 0.9, CORNERS)


def save(catalog: Catalog, photo: int, *texts: str) -> list[int]:
    """Save text as the pipeline does."""
    catalog.work.use_stages(STAGES)
    sql = "UPDATE photo SET proxy_digest = 'proxy' WHERE id = ?"
    with catalog.store.transaction():
        catalog.store.run(sql, (photo,))
    job = StageJob(photo, "read_text", "", Kind.IMAGE, "", fingerprint="proxy")
    return catalog.text_lines.save([(job, TextRead("proxy", tuple(map(line, texts))))])


def found(catalog: Catalog, text: str, column: str = "text", prefix: bool = True) -> list[int]:
    catalog.text.update_all()
    return sorted(catalog.text.photos_with(text, column, prefix).tolist())


def test_text_comes_back_as_it_was_read(twelve: Catalog) -> None:
    assert save(twelve, 3, "EXIT 12", "Linden Ave") == [3]
    assert save(twelve, 4) == [4]
    assert twelve.text_lines.of([2, 3, 4]) == {3: (line("EXIT 12"), line("Linden Ave")), 4: ()}
    assert twelve.photos.get(3).text == (line("EXIT 12"), line("Linden Ave"))
    assert twelve.photos.get(2).text is None, "not read yet"
    save(twelve, 3, "EXIT 13")
    assert twelve.text_lines.of([3]) == {3: (line("EXIT 13"),)}


def test_the_text_on_a_former_proxy_is_dropped(twelve: Catalog) -> None:
    job = StageJob(3, "read_text", "", Kind.IMAGE, "", fingerprint="old")
    assert twelve.text_lines.save([(job, TextRead("old", (line("EXIT"),)))]) == []
    assert twelve.text_lines.of([3]) == {}


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("EXIT 12", "exit"),
        ("EXIT 12", "exit 12"),
        ("EXIT 12", "ex"),
        ("Café de Paris", "cafe"),
        ("1234", "1234"),
        ("AB-1234 CD", "1234"),
        ("AB-1234 CD", "ab1234cd"),
        ("AB1234CD", "AB-1234 CD"),
        ("AB1234CD", "1234"),
        ("1 234", "1234"),
        ("0042", "42"),
        ("0042", "0042"),
        ("Nr. 0042", "42"),
        ("AB-0042", "42"),
        ("１２３４", "1234"),
        ("1234", "１２３４"),
        ("ＥＸＩＴ", "exit"),
        ("超值特选", "特选"),
        ("692·EKD", "692ekd"),
        ("LASVEGAS", "las vegas"),
        ("692·EKD", "692-ekd"),
    ],
)
def test_signs_and_numbers_are_found_however_they_are_typed(
    twelve: Catalog, text: str, asked: str
) -> None:
    save(twelve, 3, "Other words", text)
    save(twelve, 4, "Nothing of it", "98765")
    assert found(twelve, asked) == [3]
    assert found(twelve, asked, "") == [3], "without a field, too"
    assert found(twelve, asked, "subject") == []


def test_a_number_is_not_found_in_the_middle_of_a_longer_one(twelve: Catalog) -> None:
    save(twelve, 3, "812345")
    assert found(twelve, "1234") == []
    assert found(twelve, "8123") == [3], "its beginning is"
    assert found(twelve, "8123", prefix=False) == []


HOSTILE: Sequence[str] = (
    '" OR name : "x',
    "'; DROP TABLE text_line; --",
    "NEAR(a b) AND NOT c*",
    "<b>bold</b> <img src=x onerror=alert(1)>",
    "\u202eevil\u202c",
    "a\x00b\x1b[31m",
    "שלום عالم",
    "^col: {a} -b + (c",
)


def test_whatever_a_sign_says_is_text(twelve: Catalog) -> None:
    save(twelve, 3, *HOSTILE)
    assert [each.text for each in twelve.text_lines.of([3])[3]] == list(HOSTILE)
    for text in HOSTILE:
        assert found(twelve, text) == [3], text
        assert found(twelve, text, "name") == [], text
    assert twelve.check() == []


def test_ten_thousand_words_are_found_and_replaced(twelve: Catalog) -> None:
    save(twelve, 3, *(" ".join(f"w{n}x{m}" for m in range(50)) for n in range(200)))
    assert found(twelve, "w199x49") == [3]
    save(twelve, 3, "short")
    assert found(twelve, "w199x49") == [] and found(twelve, "short") == [3]


def test_photos_without_text_are_those_that_were_read(twelve: Catalog) -> None:
    save(twelve, 3, "EXIT")
    save(twelve, 4)
    assert twelve.text.photos_without("text").tolist() == [4]


def test_a_photo_is_read_on_request_and_again(twelve: Catalog) -> None:
    twelve.work.use_stages(STAGES)
    twelve.text_lines.request([3, 4])
    assert twelve.work.counts()["read_text"]["waiting"] == 2
    save(twelve, 3, "EXIT")
    assert twelve.work.counts()["read_text"]["done"] == 1
    twelve.text_lines.request([3])
    assert twelve.work.counts()["read_text"]["waiting"] == 2
    assert twelve.text_lines.of([3]) == {3: (line("EXIT"),)}, "until it is read again"


def test_two_photos_that_prove_to_be_one_keep_the_text(twelve: Catalog) -> None:
    save(twelve, 5, "EXIT")
    with twelve.store.transaction():
        twelve.identity.merge([3, 5])
    assert twelve.text_lines.of([3]) == {3: (line("EXIT"),)}
    assert found(twelve, "exit") == [3]

"""Which lines of text a search found: the same that the text index finds."""

from __future__ import annotations

from contextlib import closing

import pytest

from curator.catalog import Catalog
from curator.home import Home
from curator.library import text_hits
from curator.library.filters import mask, parse
from curator.library.table import Table
from tests import catalogs, text_data

LINES = (
    "EXIT 12",
    "Linden Ave",
    "AB-1234 CD",
    "Café",
    "超值特选",
    "１２３",
    "Main",
    "Street",
    "0042",
)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("text:exit", ["EXIT 12"]),
        ("exit", ["EXIT 12"]),
        ("text:ex", ["EXIT 12"]),
        ('text:"ex"', []),
        ("text:12", ["EXIT 12", "AB-1234 CD", "１２３"]),
        ('text:"12"', ["EXIT 12"]),
        ("text:1234", ["AB-1234 CD"]),
        ("text:ab1234cd", ["AB-1234 CD"]),
        ("text:AB1234-CD", ["AB-1234 CD"]),
        ("text:cafe", ["Café"]),
        ("text:42", ["0042"]),
        ("text:特选", ["超值特选"]),
        ("text:123", ["AB-1234 CD", "１２３"]),
        ('text:"main street"', ["Main", "Street"]),
        ("text:exit OR text:linden", ["EXIT 12", "Linden Ave"]),
        ("-text:exit linden", ["Linden Ave"]),
        ("rating:>=4", []),
        ("name:exit", []),
        ("text:taxi", []),
        ("text:★", []),
        ("😀", []),
    ],
)
def test_the_lines_found_are_those_the_index_finds(
    home: Home, search: str, found: list[str]
) -> None:
    lines = [text_data.line(text) for text in LINES]
    query = parse(search)
    assert [lines[place].text for place in text_hits.hits(query, lines)] == found
    catalogs.fill(home.catalog, 3)
    with closing(Catalog.open(home.catalog)) as catalog:
        text_data.save(catalog, {3: LINES})
        matched = mask(parse(search.replace("-text:exit ", "")), Table(catalog))
    assert bool(matched[2]) == bool(found), "the index agrees"


def test_a_symbol_beside_a_word_marks_no_other_line() -> None:
    lines = [text_data.line(text) for text in LINES]
    assert text_hits.hits(parse("😀 exit"), lines) == [0]


def test_a_hit_says_why() -> None:
    lines = [text_data.line(text) for text in LINES]
    assert text_hits.reason(parse("text:exit"), lines) == "text: EXIT 12"
    assert text_hits.reason(parse("text:12"), lines) == "text: EXIT 12 +2"
    assert text_hits.reason(parse("text:taxi"), lines) == ""

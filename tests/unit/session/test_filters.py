"""The filter language, over twelve photos of which 1 is a pick with one star and 11 a reject."""

from __future__ import annotations

import pytest

from curator.session import FilterError, Session, filters


def found(session: Session, expression: str) -> list[int]:
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
        ("-is:undecided", [1, 11]),
        ("is:through", [1]),
        ("is:pair", [1, 6, 11]),
        ("is:pair -is:rejected", [1, 6]),
        ("is:match", []),
        ("is:approved", []),
        ("is:failed", []),
        ("0003", [4]),
        ("dsc_000 name:9", [10]),
        ('"DSC_0011"', [12]),
        ("camera:two", [1, 4, 7, 10]),
        ("sharpness:<10", [1, 4, 7, 10]),
        ("label:none", list(range(1, 13))),
        ("before:2024-05", []),
        ("after:2024-05-04", list(range(1, 13))),
    ],
)
def test_an_expression_finds(session: Session, expression: str, photos: list[int]) -> None:
    if expression == "sharpness:<10":  # 37 n mod 1000 / 10
        photos = [n + 1 for n in range(12) if n * 37 % 1000 / 10 < 10]
    assert found(session, expression) == photos


@pytest.mark.parametrize(
    ("expression", "position", "says"),
    [
        ("is:lovely", 3, "none of"),
        ("harbor rating:many", 14, "wants a number"),
        ("label:teal", 6, "red, yellow"),
        ("before:soon", 7, "wants a date"),
        ("before:2024-13", 7, "date"),
        ("colour:red", 7, "no field colour"),
        ('"open', 0, "quotation mark"),
    ],
)
def test_a_mistake_says_where(expression: str, position: int, says: str) -> None:
    with pytest.raises(FilterError, match=says) as refused:
        filters.parse(expression)
    assert refused.value.position == position

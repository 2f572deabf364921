"""The filter language, over twelve photos of which 1 is a pick with one star and 11 a reject."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from curator.session import FilterError, Session, filters
from curator.session.hints import hints
from tests import likings


def found(session: Session, expression: str) -> list[int]:
    session.catalog.fold_all_text()
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
def test_an_expression_finds(session: Session, expression: str, photos: list[int]) -> None:
    if expression == "sharpness:<10":  # 37 n mod 1000 / 10
        photos = [n + 1 for n in range(12) if n * 37 % 1000 / 10 < 10]
    assert found(session, expression) == photos


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
def test_words_are_looked_for_in_tags_too(
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
    real = session.catalog.tagged
    monkeypatch.setattr(
        session.catalog, "tagged", lambda text, whole: asked.append(text) or real(text, whole)
    )
    for rating in (1, 2, 3):
        assert found(session, "tag:harbor") == [2]
        session.catalog.decide({5: {"rating": rating}}, summary="")
    assert asked == ["harbor"]
    tag(session, 5, ("harbor", 70))
    assert found(session, "tag:harbor") == [2, 5]


def tag(session: Session, photo: int, *tags: tuple[str, int]) -> None:
    """Have an encoder suggest tags for a photo."""
    seen = likings.result(session.catalog, photo, likings.ENCODER, np.ones(4), np.ones(76))
    session.catalog.save_embedded([(likings.job(photo), replace(seen, tags=tags))])


@pytest.mark.parametrize(
    ("expression", "position", "says"),
    [
        ("is:lovely", 3, "none of"),
        ("sea & b", 4, "no letter"),
        ("harbor rating:many", 14, "wants a number"),
        ("label:teal", 6, "red, yellow"),
        ("before:soon", 7, "wants a date"),
        ("before:2024-13", 7, "date"),
        ("colour:red", 0, "no field colour"),
        ('"open', 0, "quotation mark"),
        ("harbor rating>=3", 7, "rating>=3 wants a colon: rating:>=3"),
        ("-Rating = 3", 1, "wants a colon: rating:3"),
        ("match >70 harbor", 0, "match >70 wants a colon: match:>70"),
    ],
)
def test_a_mistake_says_where(expression: str, position: int, says: str) -> None:
    with pytest.raises(FilterError, match=says) as refused:
        filters.parse(expression)
    assert refused.value.position == position


def test_cameras_are_offered_the_most_used_first_without_asking_the_catalog(
    session: Session,
) -> None:
    noted: list[str] = []
    session.catalog._connection.set_trace_callback(noted.append)
    offered = [hint.text for hint in hints(session, "camera:").found]
    session.catalog._connection.set_trace_callback(None)
    names = [str(name) for name in session.table.strings("camera")]
    assert len(offered) > 1 and noted == []
    uses = [names.count(text.removeprefix("camera:").strip(' "')) for text in offered]
    assert uses == sorted(uses, reverse=True) and sum(uses) == len(names)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("sea rating>=3", "rating:>=3 "), ("camera=x100", "camera:x100 "), ("tag:a or", "OR ")],
)
def test_a_slip_is_offered_as_it_was_meant(session: Session, typed: str, offered: str) -> None:
    assert hints(session, typed).found[0].text == offered


def test_what_only_looks_like_a_slip_is_looked_for_as_it_stands(session: Session) -> None:
    for expression in ('"rating>=3"', "berating=3", "rating", "sea or"):
        filters.parse(expression)
    assert "OR " not in [hint.text for hint in hints(session, "or").found]
    assert "OR " not in [hint.text for hint in hints(session, "sea OR").found]

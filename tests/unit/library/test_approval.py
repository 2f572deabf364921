"""Which photos are approved for export: one rule for every command, editable by a person."""

from __future__ import annotations

import itertools
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from curator.library import filters
from curator.library.approval import all_clauses, chosen_clauses, cut_rule
from curator.library.filters import FILTERS
from curator.library.query import FilterError
from curator.model import Clause, Flag, Marks, UsageError
from curator.session import Session
from curator.settings import DEFAULT_RULE, ApprovalSettings
from tests.unit.library.test_filters import found


def expected(marks: Marks, score: int | None, threshold: int) -> str | None:
    """Whether the default rule, as designed, approves a photo."""
    if marks.flag is Flag.REJECT:
        return None
    if (marks.rating or 0) >= 4:
        return "stars"
    if marks.flag is Flag.PICK and marks.rating not in (1, 2):
        return "pick"
    if marks.rating == 3 and score is not None and score >= threshold:
        return "match"
    return None


@pytest.mark.parametrize("threshold", [0, 70])
def test_the_default_rule_is_as_documented(threshold: int) -> None:
    every = list(
        itertools.product(
            (None, Flag.PICK, Flag.REJECT), (None, 1, 2, 3, 4, 5), (False, True), (None, 69, 70)
        )
    )
    ratings = np.array([rating or 0 for _, rating, _, _ in every], "i1")
    marks = [Marks(flag, rating, None, kept) for flag, rating, kept, _ in every]
    ids, nobody = np.arange(len(every)), np.zeros(len(every), bool)
    table = SimpleNamespace(
        size=len(every),
        ids=ids,
        approval=ApprovalSettings(),
        alive=lambda: ~nobody,
        column=lambda name: {"rating": ratings, "elsewhere": nobody}[name],
        picked=lambda: np.array([mark.flag is Flag.PICK for mark in marks]),
        kept=lambda: np.array([mark.verdict == "kept" for mark in marks]),
        scores=SimpleNamespace(
            match=np.array([np.nan if score is None else score for *_, score in every])
        ),
    )
    table.rows = table.folders = table
    clauses = filters.approved(table, threshold)  # type: ignore[arg-type]
    assert [clauses.get(number) for number in ids] == [
        expected(mark, score, threshold) for mark, (*_, score) in zip(marks, every, strict=True)
    ]
    approved = FILTERS["approved"].mask(table, threshold)  # type: ignore[arg-type]
    assert np.flatnonzero(approved).tolist() == list(clauses)
    assert Counter(clauses.values()).keys() == {"stars", "pick", "match"}


def test_ratings_read_from_files_approve_nothing_until_a_person_reviews(session: Session) -> None:
    session.catalog.journal.decide({2: {"rating": 5}, 3: {"rating": 4}}, summary="-", source="file")
    session.catalog.journal.decide({4: {"rating": 5}}, summary="-")
    session.refresh()
    assert found(session, "is:approved") == [4]
    assert found(session, "is:approved-by-file") == [2, 3]
    assert session.statistics.approved() == {2: "file", 3: "file", 4: "stars"}
    assert session.statistics.counts()["approved"] == 1
    session.catalog.journal.decide({2: {"kept": True}}, summary="-")  # reviewed here
    session.refresh()
    assert found(session, "is:approved") == [2, 4]


@pytest.mark.parametrize(
    "rule", ["rating:0", "is:rejected", "-name:nothing", "is:unreviewed", "dsc"]
)
def test_no_rule_approves_a_reject_or_an_unreviewed_photo(session: Session, rule: str) -> None:
    session.settings.approval.rule = rule
    assert not {2, 11} & set(found(session, "is:approved"))
    assert not {2, 11} & session.statistics.approved().keys()


def test_each_photo_names_the_search_of_a_custom_rule_that_approves_it(session: Session) -> None:
    session.catalog.journal.decide(
        {2: {"rating": 5}, 3: {"rating": 3}, 4: {"kept": True}}, summary="-"
    )
    session.refresh()
    session.settings.approval.rule = "rating:>=4;is:picked ; label:none rating:3;"
    assert session.statistics.approved() == {1: "is:picked", 2: "stars", 3: "label:none rating:3"}
    titles = [clause.title for clause in all_clauses(session.settings.approval.rule)]
    assert titles[:3] == ["4–5 stars", "is:picked", "label:none rating:3"]
    assert found(session, "is:approved") == [1, 2, 3]


def test_a_semicolon_in_quotes_is_part_of_a_search() -> None:
    assert [clause.search for clause in cut_rule('tag:"a;b" ; "c;d";')] == ['tag:"a;b"', '"c;d"']
    assert [clause.name for clause in cut_rule("stars; rating:>=4")] == ['"stars"', "stars"]


def test_a_clause_is_chosen_by_name_or_number() -> None:
    assert chosen_clauses(DEFAULT_RULE, ["stars", "3", "file"]) == {"stars", "match", Clause.FILE}
    own = chosen_clauses("rating:5; tag:bride OR tag:groom", ["2"])
    assert own == {"tag:bride OR tag:groom"}
    with pytest.raises(UsageError, match="no clause luck") as caught:
        chosen_clauses("rating:5; rating:>=4", ["luck"])
    assert caught.value.remedy == "It has 1 (rating:5), stars, file."


@pytest.mark.parametrize(
    ("rule", "message", "position"),
    [
        (" ; ", "at least one search", 0),
        ("rating:5; colour:red", "colour", 10),
        ("rating:5; is:approved", "cannot use is:approved", 13),
        ("is:approved-by-file", "cannot use", 3),
        ("similar:4", "cannot use similar:4", 8),
        (";".join(f"rating:{n}" for n in range(9)), "at most 8 searches", 72),
        ('tag:"open', "quotation mark", 4),
    ],
)
def test_an_invalid_rule_is_refused_with_the_position(
    rule: str, message: str, position: int
) -> None:
    with pytest.raises(FilterError, match=message) as caught:
        filters.parse_rule(rule)
    assert caught.value.position == position

"""The search language: what the search box, saved searches and ``--filter`` accept.

    is:picked rating:>=4 harbor        picked, four stars or more, "harbor" in any of its words
    -is:rejected sharpness:<30         not rejected, soft
    is:unreviewed match:>=60           unreviewed, predicted match 60 or more
    camera:x100 before:2024-05 label:red tag:"sea lion"
    tag:harbor OR tag:port             either tag

    camera:none                        the camera wrote no name of its own
    iso:>=3200 shutter:1/60..1/15      high ISO and a long exposure
    near:64.1,-21.9,5km ext:nef        within 5 km of Reykjavik, as NEF
    faces:>=3 -eyes:closed             three faces or more, none known to blink
    text:"main street" OR text:1234    a sign, or a number on a bib or a car

A word matches the beginnings of words in file names, tags, projects, descriptions, text in photos,
cameras and folders, ignoring case and accents, and tags that are kinds of it: "birds" matches the
tag heron (`nouns`). Words in quotes must match completely, and stand for nothing else. `query`
parses an expression. This module evaluates it, for the window and the command line, as a mask over
the rows of a :class:`~curator.library.table.Table`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curator import files
from curator.catalog.text import WITHOUT
from curator.faces.judging import eyes_soft
from curator.library import approval, ranges
from curator.library.approval import FROM_FILES, RuleClause
from curator.library.query import ANYWHERE, FilterError, Group, Query, Term, cut
from curator.library.ranges import Values
from curator.library.spans import Ids, Mask
from curator.library.table import Table
from curator.model import LABELS, ContentType, Label, StackKind, UsageError
from curator.stages.stack import KIND_CODE


class Filter(NamedTuple):
    """A filter: its title on screen, and what marks its photos, given the least match."""

    title: str
    mask: Callable[[Table, int], Mask]


# By name. To add a filter, add one line.
FILTERS = {
    "unreviewed": Filter("Unreviewed", lambda table, _: table.unreviewed()),
    "skipped": Filter(
        "Skipped",
        lambda table, _: table.unreviewed() & ~table.failed() & table.column("seen"),
    ),
    "kept": Filter("Kept", lambda table, _: table.kept()),
    "picked": Filter("Picked", lambda table, _: table.picked()),
    "rejected": Filter("Rejected", lambda table, _: table.rejected()),
    "rated": Filter("Rated", lambda table, _: table.column("rating") > 0),
    "match": Filter("Match", lambda table, threshold: table.scores.match >= threshold),
    "approved": Filter("Approved", lambda table, threshold: _approved(table, threshold)),
    "approved-by-file": Filter(
        "Approved elsewhere",
        lambda table, threshold: _approved(table, threshold, by_file=True),
    ),
    "failed": Filter("Unreadable", lambda table, _: table.failed()),
    "damaged": Filter("Damaged", lambda table, _: table.column("damaged")),
    "missing": Filter("Missing", lambda table, _: table.missing()),
    "stack": Filter("Stacks", lambda table, _: table.stacks.shared()),
    "suggested": Filter("Suggested best", lambda table, _: table.stacks.suggested()),
    "pair": Filter("RAW+JPEG", lambda table, _: table.column("pair")),
}

# Former names of filters, for searches saved before version 0.2.
_FORMER_NAMES = {
    "undecided": "unreviewed",
    "passed-over": "skipped",
    "through": "kept",
    "proposed": "suggested",
}

VectorMatches = Mapping[str | int, Ids]
"""Photos found by vectors, nearest first: by a phrase, or by the id of a similar photo."""


_FROM_FILES_CODE = -1  # the code of that clause; those of a rule count from 1


def _approved(table: Table, threshold: int, *, by_file: bool = False) -> Mask:
    codes = _clause_codes(table, threshold)
    marked: Mask = codes == _FROM_FILES_CODE if by_file else codes > 0
    return marked


def _clause_codes(table: Table, threshold: int) -> NDArray[np.int8]:
    """Return the number of the clause that approves each row, (rows,) int8; 0 for none.

    _FROM_FILES_CODE stands for any clause that only marks read from a file meet.

    This defines approved: the first clause of the rule that matches counts, but only for a photo
    whose verdict is kept.
    """
    codes = np.zeros(table.size, np.int8)
    for number, (_, query) in reversed([*enumerate(parse_rule(table.approval.rule), 1)]):
        codes[mask(query, table, threshold)] = number
    codes[table.column("elsewhere") & (codes > 0)] = _FROM_FILES_CODE
    codes[~table.kept()] = 0
    return codes


def filter_masks(table: Table, threshold: int) -> dict[str, Mask]:
    """Return the mask of every filter, by name; the approval rule is evaluated only once.

    ``suggested`` is left out until all suggestions are computed.
    """
    codes = _clause_codes(table, threshold)
    approvals = {"approved": codes > 0, "approved-by-file": codes == _FROM_FILES_CODE}
    return {
        name: approvals[name] if name in approvals else holds(table, threshold)
        for name, (_, holds) in FILTERS.items()
        if name != "suggested" or table.stacks.is_complete
    }


def approved(table: Table, threshold: int) -> dict[int, str]:
    """Return the approved photos by id, each with the name of the clause that approves it.

    Photos approved by ratings read from files are among them, as `Clause.FILE`.
    """
    codes = _clause_codes(table, threshold)
    rows = np.flatnonzero((codes != 0) & table.alive())
    named = _names_by_code(table)
    pairs = zip(table.ids[rows].tolist(), codes[rows].tolist(), strict=True)
    return {photo: named[code] for photo, code in pairs}


def clause_of(table: Table, threshold: int, photo_id: int) -> str | None:
    """Return the name of the clause that approves a photo, None if it is not approved."""
    codes = _clause_codes(table, threshold)
    return _names_by_code(table).get(int(codes[table.rows_of([photo_id])[0]]))


def _names_by_code(table: Table) -> dict[int, str]:
    clauses = enumerate(parse_rule(table.approval.rule), 1)
    return {_FROM_FILES_CODE: FROM_FILES.name} | {
        code: clause.name for code, (clause, _) in clauses
    }


Holds = Callable[[Term, Table, int], Mask]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the search language: the word before a colon.

    Attributes:
        about: what it searches, in a few words.
        example: an example of a value.
        holds: returns the mask of photos that match a term, given the match threshold.
        values: all possible values, if there are few.
        check: raises FilterError for an invalid value.
    """

    about: str
    example: str
    holds: Holds
    values: Sequence[str] = ()
    check: Callable[[Term], None] = lambda term: None


def _check_one_of(values: Sequence[str], term: Term) -> None:
    if term.text.lower() not in values:
        raise term.mistake(f"{term.field}: must be one of {', '.join(values)}")


def _is(term: Term, table: Table, threshold: int) -> Mask:
    name = term.text.lower()
    return FILTERS[_FORMER_NAMES.get(name, name)].mask(table, threshold)


def _check_filter(term: Term) -> None:
    if term.text.lower() not in _FORMER_NAMES:
        _check_one_of(tuple(FILTERS), term)


def _check_readable(read: Callable[[str], object], wanted: str, term: Term) -> None:
    """Refuse a value that cannot be parsed; ``wanted`` describes a valid one."""
    try:
        read(term.text)
    except ValueError as error:
        raise term.mistake(f"{term.field}: expects {wanted}") from error


def _check_photo(term: Term) -> None:
    if not (term.text.isascii() and term.text.isdigit() and len(term.text) < 16):
        raise term.mistake("similar: expects the number of a photo")
    if term.negate:
        raise term.mistake("similar: cannot be negated")


def _words(column: str, term: Term, table: Table, _: int) -> Mask:
    if column in WITHOUT and _is_none(term):
        return table.text_matches.without(column)
    return table.matching(term.text, column, prefix=not term.quoted)


def _is_none(term: Term) -> bool:
    """Whether a term asks for ``none``; in quotes it is a name."""
    return term.text.lower() == "none" and not term.quoted


def _tagged(term: Term, table: Table, _: int) -> Mask:
    if _is_none(term):
        return table.text_matches.without("tag")
    found = table.text_matches.tagged(term.text)
    return found | table.of_kind(term.text) if term.finds_kinds else found


def _scores(term: Term, table: Table, _: int) -> Values:
    return table.scores.match if term.field == "match" else table.column(term.field)


def _captured(column: str, term: Term, table: Table, _: int) -> Values:
    return table.capture.column(column)


def _upright_side(side: int, term: Term, table: Table, _: int) -> Values:
    """Return the widths (0) or heights (1) of the upright images, in px."""
    sides = table.column("width"), table.column("height")
    turned = table.column("turn") % 2 == 1
    return np.where(turned, sides[1 - side], sides[side])


def _number_field(
    about: str,
    example: str,
    values: Callable[[Term, Table, int], Values] = _scores,
    read: Callable[[str], float] = ranges.number,
    slack: float = 0.0,
) -> Field:
    """Make a field of numbers; a photo without a value never matches."""

    def span(text: str) -> ranges.Range:
        return ranges.read_range(text, read, slack)

    def holds(term: Term, table: Table, threshold: int) -> Mask:
        return span(term.text).holds(values(term, table, threshold))

    wanted = f"a number or a range, as in {example}"
    return Field(about, example, holds, check=partial(_check_readable, span, wanted))


def _located(term: Term, table: Table, _: int) -> Mask:
    known = ~np.isnan(table.capture.column("latitude"))
    return known if term.text.lower() == "yes" else ~known


def _near(term: Term, table: Table, _: int) -> Mask:
    location = table.capture.column("latitude"), table.capture.column("longitude")
    return ranges.circle(term.text).holds(*location)


def _before(term: Term, table: Table, _: int) -> Mask:
    before: Mask = table.column("taken_at") < ranges.day(term.text)
    return before


def _after(term: Term, table: Table, _: int) -> Mask:
    after: Mask = table.column("taken_at") >= ranges.day(term.text)
    return after


def _on(term: Term, table: Table, _: int) -> Mask:
    taken, (first, next_day) = table.column("taken_at"), ranges.days(term.text)
    within: Mask = (taken >= first) & (taken < next_day)
    return within


def _date_field(read: Callable[[str], object], about: str, example: str, holds: Holds) -> Field:
    """Make a field of dates; a photo without a capture time never matches."""
    return Field(
        about, example, holds, check=partial(_check_readable, read, f"a date, as in {example}")
    )


def _labeled(term: Term, table: Table, _: int) -> Mask:
    text = term.text.lower()
    return table.column("label") == (0 if text == "none" else LABELS.index(Label(text)))


# Value of ``eyes:`` → mask. Every photo with faces matches exactly one of the first three; soft are
# the eyes of the main face.
EYES: dict[str, Callable[[Table], Mask]] = {
    "open": lambda table: (table.column("eyes_open") > 0) & (table.column("eyes_closed") == 0),
    "closed": lambda table: table.column("eyes_closed") > 0,
    "unknown": lambda table: (
        (table.column("faces") > 0)
        & (table.column("eyes_open") == 0)
        & (table.column("eyes_closed") == 0)
    ),
    "soft": lambda table: eyes_soft(table.column("eye_sharpness"), table.column("sharpness")),
}


def _stacked(term: Term, table: Table, _: int) -> Mask:
    text, by_hand = term.text.lower(), table.column("stacked") > 0
    if text == "hand":
        return by_hand & table.stacks.shared()
    of_kind: Mask = table.column("stack_kind") == KIND_CODE[StackKind(text)]
    return of_kind & ~by_hand & table.stacks.shared()


def _choice_field(about: str, example: str, holds: Holds, values: Sequence[str]) -> Field:
    return Field(about, example, holds, values, partial(_check_one_of, values))


def _text_field(column: str, about: str, example: str) -> Field:
    return Field(about, example, partial(_words, column))


# Name → what it means. To add a field, add one line.
FIELDS: dict[str, Field] = {
    "is": Field(
        "flag, rating or state, as listed below",
        "picked",
        _is,
        tuple(FILTERS),
        _check_filter,
    ),
    "rating": _number_field("stars; 0 means none", ">=4"),
    "label": _choice_field("color", "red", _labeled, (*Label, "none")),
    "tag": Field("full name of a tag or of a kind of things, or none", "bird", _tagged),
    "project": _text_field("project", "name of a project, or none", "iceland"),
    "type": _choice_field(
        "kind of photo in the description",
        "portrait",
        lambda term, table, _: table.text_matches.typed(term.text.lower()),
        tuple(ContentType),
    ),
    "camera": _text_field("camera", "name of the camera, or none", "x100"),
    "lens": _text_field("lens", "name of the lens, or none", "35mm"),
    "before": _date_field(ranges.day, "taken before", "2024-05", _before),
    "after": _date_field(ranges.day, "taken on or after", "2024-05-17", _after),
    "on": _date_field(
        ranges.days, "taken in a year, month or day, or between two", "2024-05-01..2024-05-17", _on
    ),
    "iso": _number_field("ISO", "1600..6400", partial(_captured, "iso")),
    "aperture": _number_field(
        "f-number", "<=2.8", partial(_captured, "f_number"), ranges.f_number, 0.015
    ),
    "shutter": _number_field(
        "exposure time in seconds; > means longer",
        "<=1/500",
        partial(_captured, "exposure_s"),
        ranges.seconds,
        0.05,
    ),
    "focal": _number_field(
        "focal length in mm",
        "24..70",
        partial(_captured, "focal_length_mm"),
        ranges.millimeters,
        0.01,
    ),
    "width": _number_field("width in px", ">=6000", partial(_upright_side, 0)),
    "height": _number_field("height in px", ">=4000", partial(_upright_side, 1)),
    "gps": _choice_field("whether the file has a GPS location", "yes", _located, ("yes", "no")),
    "near": Field(
        "taken near a location: latitude, longitude, distance",
        "64.1,-21.9,5km",
        _near,
        check=partial(
            _check_readable,
            ranges.circle,
            "latitude, longitude and a distance, as in 64.1,-21.9,5km",
        ),
    ),
    "ext": Field(
        "file name extension",
        "nef",
        lambda term, table, _: table.capture.suffixed(term.text.removeprefix(".")),
    ),
    "name": _text_field("name", "file name", "DSC_04"),
    "folder": _text_field("folder", "name of its folder", "iceland"),
    "subject": _text_field("subject", "subject in the description", "boat"),
    "mood": _text_field("mood", "mood in the description", "calm"),
    "light": _text_field("light", "light in the description", "backlit"),
    "text": _text_field("text", "text in the photo, such as a sign or a number, or none", "exit"),
    "match": _number_field("predicted to please you more than this % of your rated photos", ">=70"),
    "sharpness": _number_field("sharpness, 0-100", "<30"),
    "exposure": _number_field("exposure, 0-100", "<50"),
    "faces": _number_field("number of faces", ">=3"),
    "eyes": _choice_field(
        "eyes: closed in any face, open in all that can be judged, unknown in all, or softer than"
        " the background",
        "closed",
        lambda term, table, _: EYES[term.text.lower()](table),
        tuple(EYES),
    ),
    "stack": _choice_field("kind of stack", "burst", _stacked, (*StackKind, "hand")),
    "similar": Field(
        "similar to the photo with this id",
        "412",
        lambda _, table, __: table.marked(()),
        check=_check_photo,
    ),
}


def _is_indexed(character: str) -> bool:
    """Whether the text index contains a character: letters, marks, digits and emoji."""
    category = unicodedata.category(character)
    return category[0] in "LNM" or category in ("Co", "So")


@lru_cache(maxsize=64)
def parse(expression: str) -> Query:
    """Parse an expression and check each term.

    Raises:
        FilterError: an unknown field, filter, label, number or date; with its position.
    """
    query = cut(expression, tuple(FIELDS))
    for group in query.groups:
        for term in group:
            if term.field != ANYWHERE:
                FIELDS[term.field].check(term)
            elif not any(_is_indexed(character) for character in term.text):
                raise term.mistake("Type at least one letter or digit")
    return Query(tuple(tuple(map(_without_suffix, group)) for group in query.groups))


@lru_cache(maxsize=16)
def parse_rule(rule: str) -> tuple[tuple[RuleClause, Query], ...]:
    """Parse an approval rule into its clauses, each with its search.

    Words and tags stand for themselves only, because approval decides what is exported: a pizza
    that an encoder suggests does not meet ``tag:food``.

    Raises:
        FilterError: a search is not valid, or the rule has none or too many; with its position.
    """
    clauses = approval.cut_rule(rule)
    if not clauses:
        raise FilterError("An approval rule needs at least one search", 0, len(rule))
    if len(clauses) > approval.MOST:
        last = clauses[approval.MOST]
        raise FilterError(f"An approval rule has at most {approval.MOST} searches", last.start)
    found = []
    for clause in clauses:
        query = parse(" " * clause.start + clause.search)  # errors have positions in the rule
        for term in (term for group in query.groups for term in group):
            if term.field == "similar" or (term.field, term.text.lower()) in _APPROVAL_FILTERS:
                raise term.mistake(f"An approval rule cannot use {term.field}:{term.text}")
        literal = (tuple(replace(term, literal=True) for term in group) for group in query.groups)
        found.append((clause, Query(tuple(literal))))
    return tuple(found)


_APPROVAL_FILTERS = (("is", "approved"), ("is", "approved-by-file"))


def check_rule(rule: str) -> None:
    """Check an approval rule.

    Raises:
        UsageError: the rule is not valid.
    """
    try:
        parse_rule(rule)
    except FilterError as error:
        from curator.settings import in_settings

        raise UsageError(
            f"The approval rule {rule!r} is not valid: {error}",
            f"Correct {in_settings('approval.rule')}.",
        ) from error


def _without_suffix(term: Term) -> Term:
    """Replace a complete file name with its stem, because photos are named without suffix."""
    stem = term.text.rpartition(".")[0]
    if stem and term.field in (ANYWHERE, "name") and files.is_picture_name(term.text):
        return replace(term, text=stem, quoted=True)
    return term


def mask(
    query: Query, table: Table, threshold: int = 70, by_vector: VectorMatches | None = None
) -> Mask:
    """Mark the rows that match all groups of a query.

    Args:
        query: the query.
        table: the photos.
        threshold: the match threshold.
        by_vector: a photo found by the phrase counts as matching its words.
    """
    by_vector = by_vector or {}
    found = np.ones(table.size, bool)
    for group in query.words:
        found &= _matches_any(group, table, threshold, by_vector)
    if query.compound:
        found |= table.of_kind(query.compound)
    if query.phrase in by_vector and query.words:
        found |= table.marked(by_vector[query.phrase])
    for group in query.fields:
        found &= _matches_any(group, table, threshold, by_vector)
    return found


def _matches_any(group: Group, table: Table, threshold: int, by_vector: VectorMatches) -> Mask:
    found = np.zeros(table.size, bool)
    for term in group:
        if term.field == "similar":
            holds = table.marked(by_vector.get(int(term.text), ()))
        elif term.field == ANYWHERE:
            holds = table.matching(term.text, prefix=not term.quoted)
            if term.finds_kinds:
                holds = holds | table.of_kind(term.text)
        else:
            holds = FIELDS[term.field].holds(term, table, threshold)
        found |= ~holds if term.negate else holds
    return found

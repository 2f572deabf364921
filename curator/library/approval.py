"""The approval rule as text: searches separated by semicolons, of which one must match.

Each search is a clause with a name (in ``photos.json`` and for ``--approve``) and a title (on
screen). The default rule has three clauses; a person may write other rules in the settings.
`filters` evaluates a rule; no rule ever approves a rejected or unreviewed photo.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from curator.library.query import asks_for_match
from curator.model import Clause, UsageError

MOST = 8
"""The maximum number of searches in a rule: each is a line of the export dialog."""
# A semicolon in quotation marks is part of a search.
_PARTS = re.compile(r'(?:[^;"]|"[^"]*"|")+')


@dataclass(frozen=True, slots=True)
class RuleClause:
    """One search of a rule; ``start`` is its position in the rule, in characters."""

    name: str
    title: str
    search: str = ""
    start: int = 0

    @property
    def needs_scores(self) -> bool:
        """Whether it asks for match scores, which photos may not have yet."""
        return asks_for_match(self.search)


FROM_FILES = RuleClause(Clause.FILE, "Rated in other apps")
"""The clause of photos whose marks were read from files and that nobody reviewed here."""

NO_SCORES = "no match scores yet"
"""Shown in place of the number of photos of a clause that needs match scores, without any."""

# The searches of the default rule → (name, title). The first that matches counts: a pick with 4 or
# 5 stars counts as stars.
_DEFAULT = {
    "rating:>=4": (Clause.STARS, "4–5 stars"),
    "is:picked -rating:1 -rating:2": (Clause.PICK, "Picks (no stars, or 3+)"),
    "rating:3 is:match": (Clause.MATCH, "3 stars and match"),
}


def cut_rule(rule: str) -> tuple[RuleClause, ...]:
    """Split a rule into its clauses, without checking the searches."""
    found: dict[str, RuleClause] = {}
    for part in _PARTS.finditer(rule):
        search = part[0].strip()
        if search:
            name, title = _DEFAULT.get(search, (search, search))
            if search in set(Clause):  # a search for that word, not the clause of that name
                name = f'"{search}"'
            start = part.start() + len(part[0]) - len(part[0].lstrip())
            found.setdefault(search, RuleClause(name, title, search, start))
    return tuple(found.values())


def all_clauses(rule: str) -> tuple[RuleClause, ...]:
    """Return the clauses of a rule, and last the clause of ratings read from files."""
    return (*cut_rule(rule), FROM_FILES)


def chosen_clauses(rule: str, words: Collection[str]) -> frozenset[str]:
    """Return the names of the clauses given to ``--approve``, by name or by number.

    Raises:
        UsageError: the rule has no such clause.
    """
    known = {clause.name: clause.name for clause in all_clauses(rule)}
    known |= {str(number): clause.name for number, clause in enumerate(cut_rule(rule), 1)}
    for word in words:
        if word not in known:
            raise UsageError(
                f"The approval rule has no clause {word}.", f"It has {', '.join(_offered(rule))}."
            )
    return frozenset(known[word] for word in words)


def _offered(rule: str) -> Iterator[str]:
    """Yield what ``--approve`` accepts: the name or number of each clause."""
    for number, clause in enumerate(cut_rule(rule), 1):
        yield str(clause.name) if clause.name in set(Clause) else f"{number} ({clause.search})"
    yield FROM_FILES.name

"""Completions for the search box: fields, their values, and corrections of near misses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from curator.library.filters import FIELDS, FILTERS
from curator.library.nouns import nouns
from curator.library.query import slip
from curator.library.table import Table
from curator.session.projects import ProjectController
from curator.session.tags import TagController

MOST = 9
"""The most completions returned."""
_NAMED = 2  # tags that explain a kind; of three, the rest of the line would be cut off
_CAMERAS = 50  # completions at most
_WORD = re.compile(r'(?:^|(?<=\s))-?((?:[a-z]+:)?(?:"[^"]*|[^\s"]*))$', re.IGNORECASE)


class Hint(NamedTuple):
    """A completion: ``text`` replaces what was typed, ``about`` explains it."""

    text: str
    about: str


class Hints(NamedTuple):
    """Completions, which replace the text from position ``start`` on."""

    start: int
    found: list[Hint]


class SearchHints:
    """Completes searches in one window.

    Thread: GUI only.
    """

    def __init__(
        self,
        table: Table,
        projects: ProjectController,
        tags: TagController,
        compares_words: Callable[[], bool],
    ) -> None:
        """Create it; ``compares_words`` tells whether searches look at the photos themselves."""
        self._table, self._projects, self._tags = table, projects, tags
        self._compares_words = compares_words

    def hints(self, text: str) -> Hints:
        """Return completions for the text before the cursor, fields first.

        A word that is neither the start of a field or filter nor a kind of things has none.
        """
        match = _WORD.search(text)
        if match is None:
            return Hints(len(text), [])
        start, word = match.start(1), match[1].lower()
        name, colon, value = word.partition(":")
        if not colon:
            found = _fields(word) if word or not text.strip() else []
            if mistake := slip(word, tuple(FIELDS)):
                found = [Hint(f"{mistake.corrected} ", "a field is followed by a colon")]
            elif word == "or" and match[1] != "OR" and text[:start].strip():
                found = [
                    Hint("OR ", "one of the two is enough; in lower case it is a word"),
                    *found,
                ]
            found += self._kinds(word)
        elif name == "tag":
            found = self._tags_and_kinds(value.lstrip('"'))
        elif name in FIELDS:
            value = value.lstrip('"')
            found = [
                Hint(f"{name}:{_quoted(each)} ", about)
                for each, about in self._values(name, value)
                if each.lower() != value
            ]
        else:
            found = []
        return Hints(start, found[:MOST])

    def _values(self, name: str, begun: str) -> Iterable[tuple[str, str]]:
        """Return values of a field that match a beginning, each with an explanation."""
        if name == "is":
            known = [(key, title.lower()) for key, (title, _) in FILTERS.items()]
        elif name == "project":
            known = [(row.name, "") for row in self._projects.rows()]
        elif name == "camera":
            known = [(camera, "") for camera in self._cameras()]
            return [pair for pair in known if begun in pair[0].lower()]
        else:
            known = [(value, "") for value in FIELDS[name].values]
            if not known and not begun:
                known = [(FIELDS[name].example, FIELDS[name].about)]
        return [pair for pair in known if pair[0].lower().startswith(begun)]

    def _tags_and_kinds(self, begun: str) -> list[Hint]:
        """Return kinds and tags; a tag whose name is also a kind is quoted, to be itself only."""
        tags = []
        for tag in self._tags.completions(begun):
            if nouns().kinds(tag.name):
                tags.append(Hint(f'tag:"{tag.name}" ', f"{tag.count:,}"))
            elif tag.name.lower() != begun:
                tags.append(Hint(f"tag:{_quoted(tag.name)} ", f"{tag.count:,}"))
        return [*self._kinds(begun), *tags]

    def _kinds(self, word: str) -> list[Hint]:
        """Return the search for the kinds of a word, if the catalog has tags of it."""
        tags = [tag.name for tag in self._tags.kinds_of(word)]
        if not tags:
            return []
        more = "" if self._compares_words() else " · CLIP finds more"
        listed = ", ".join(tags[:_NAMED]) + ("…" if len(tags) > _NAMED else "")
        query = nouns().singular(word).replace(" ", "-")
        return [Hint(f"tag:{query} ", f"{listed}{more}")]

    def _cameras(self) -> list[str]:
        """Return the names of cameras, the most used first."""
        rows = self._table.rows
        counted = np.bincount(rows.column("camera"), minlength=len(rows.cameras))
        most = np.argsort(-counted, kind="stable")[:_CAMERAS].tolist()
        return [rows.cameras[number] for number in most if number and counted[number]]


def _fields(word: str) -> list[Hint]:
    """Return the fields and filters that begin with a word."""
    fields = [
        Hint(f"{name}:", f"{field.about} · {name}:{field.example}")
        for name, field in FIELDS.items()
        if name.startswith(word)
    ]
    filters = [
        Hint(f"is:{name} ", title.lower())
        for name, (title, _) in FILTERS.items()
        if word and (name.startswith(word) or title.lower().startswith(word))
    ]
    return fields + filters


def _quoted(value: str) -> str:
    return f'"{value}"' if re.search(r"\s", value) else value

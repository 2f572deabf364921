"""What words are kinds of: a heron is a bird, a car and an automobile are the same.

Tags name what is special, such as the starter encoder's herons and taxis; people search for birds
and cars. The table comes from WordNet (`.ci/word_table.py`). A tag of any source takes part if its
name is in the table, except names: Robin and Jersey with a capital letter are no bird and no shirt.
Nothing is stored with photos: a search asks which tags of the catalog it means.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from curator.catalog import folded
from curator.catalog.tags import BETWEEN
from curator.home import resource

FILE = "words/nouns.txt"
_LONGEST = 3  # words in a name whose plural is looked for
_ENDINGS = (("ies", "y"), ("ves", "f"), ("men", "man"), ("es", ""), ("s", ""))
_FORMS = ("a", "an", "some", "these", "like")  # before words of the table; see its header

Kinds = frozenset[str]
"""Synsets of WordNet."""
_NONE: Kinds = frozenset()


@dataclass(eq=False)
class Nouns:
    """The table of words.

    Attributes:
        names: kind → the word to show for it.
        meanings: word → kinds it is a word for.
        named: name of a class of the starter, or of a word of CLIP → its kind; a tag of that name
            means nothing else.
        parents: kind → the nearest kinds above it.
        groups: the kinds that make a group of tags.
        singulars: irregular plural → singular.
        forms: word → how it stands in a sentence, where its first letter does not say so.
        also_names: words that are names of people or places, too.
    """

    names: Mapping[str, str]
    meanings: Mapping[str, Kinds]
    named: Mapping[str, Kinds]
    parents: Mapping[str, Sequence[str]]
    groups: Kinds
    singulars: Mapping[str, str]
    forms: Mapping[str, str] = field(default_factory=dict)
    also_names: frozenset[str] = frozenset()
    _above: dict[str, Kinds] = field(default_factory=dict)  # by kind
    _of_tag: dict[tuple[str, str | None], Kinds] = field(default_factory=dict)

    def singular(self, word: str) -> str:
        """Return a word as it is in the table, singular or not, or the word itself.

        It may be in any case, with hyphens for spaces, and several of its parts plural.
        """
        word = _plain(word)
        parts = word.split()
        if word in self.meanings or len(parts) > _LONGEST:
            return word
        forms = map(" ".join, itertools.product(*map(self._forms, parts)))
        return next((each for each in forms if each in self.meanings), word)

    def _forms(self, part: str) -> Iterator[str]:
        yield part
        if part in self.singulars:
            yield self.singulars[part]
        for ending, singular in _ENDINGS:
            if part.endswith(ending) and len(part) > len(ending) + 1:
                yield part.removesuffix(ending) + singular

    def kinds(self, word: str) -> Kinds:
        """Return what a typed word means; nothing if the table does not have it."""
        return self.meanings.get(self.singular(word), _NONE)

    def above(self, tag: str, category: str | None = None) -> Kinds:
        """Return what the thing a tag names is, and everything that is a kind of.

        A word that is also a name means a thing in lower case (robin) or under a kind of it
        (Birds|Robin); else it means nothing (Robin, People|robin).

        Args:
            tag: its name.
            category: the path above it, if it has one.
        """
        key = tag, category
        if key not in self._of_tag:
            word = self.singular(tag)
            own = self.named.get(word) or self.meanings.get(word, _NONE)
            found = own.union(*map(self._ancestors, own))
            if word in self.also_names and not self._is_thing(tag, found, category or ""):
                found = _NONE
            self._of_tag[key] = found
        return self._of_tag[key]

    def _is_thing(self, tag: str, found: Kinds, category: str) -> bool:
        """Whether a tag means a thing instead of a name, by its category, else by its case."""
        around = _NONE.union(*map(self.kinds, category.split(BETWEEN)))
        return tag[:1].islower() if not around else not around.isdisjoint(found)

    def _ancestors(self, kind: str) -> Kinds:
        if kind not in self._above:
            direct = frozenset(self.parents[kind])
            self._above[kind] = direct.union(*map(self._ancestors, direct))
        return self._above[kind]

    def is_kind(self, tag: str, word: str, category: str | None = None) -> bool:
        """Whether a tag names a kind of what a word means, or the same."""
        return not self.kinds(word).isdisjoint(self.above(tag, category))

    def all_groups_of(self, tag: str, category: str | None = None) -> frozenset[str]:
        """Return the names of all groups a tag belongs to: animal and bird."""
        return frozenset(self.names[kind] for kind in self.above(tag, category) & self.groups)

    def groups_of(self, tag: str, category: str | None = None) -> list[str]:
        """Return the names of the most special groups a tag belongs to: mostly none or one."""
        found = self.above(tag, category) & self.groups
        return sorted(
            self.names[kind]
            for kind in found
            if not any(kind in self._ancestors(other) for other in found)
        )

    def sentence(self, tags: Sequence[str], word: str, more: int = 0) -> str:
        """Return why tags were found by a word: "heron or jay is a bird", "ox: cattle".

        Args:
            tags: one or two of them.
            word: the word searched for.
            more: how many other tags there are.
        """
        one = self.singular(word)
        if self.forms.get(one) == "like":  # a pug need not be a puppy
            one = min(self.names[kind] for kind in self.meanings[one])
        shown = [tag if _plain(tag) == self.singular(tag) else self.singular(tag) for tag in tags]
        form = self.forms.get(one, "an" if one[0] in "aeiou" else "a")
        if "these" in (form, *(self.forms.get(_plain(tag)) for tag in shown)):
            return f"{joined(shown, more)}: {one}"
        return f"{joined(shown, more)} is {one if form == 'some' else f'{form} {one}'}"


def joined(tags: Sequence[str], more: int = 0) -> str:
    """Return the names of tags as alternatives: "jay, magpie or 1 more"."""
    *most, last = [*tags, f"{more} more"] if more else tags
    return f"{', '.join(most)} or {last}" if most else last


@cache
def nouns() -> Nouns:
    """Read the table; some 5 ms."""
    names: dict[str, str] = {}
    parents: dict[str, Sequence[str]] = {}
    meanings: dict[str, set[str]] = {}
    named: dict[str, set[str]] = {}
    groups, singulars = set(), {}
    forms: dict[str, str] = {}
    also_names: frozenset[str] = frozenset()
    for line in resource(FILE).read_text("utf-8").splitlines():
        match line.split("\t"):
            case [number, words, above]:
                kind = number.rstrip("*=")
                if "*" in number:
                    groups.add(kind)
                first, *rest = (_in_sentence(each, forms) for each in words.split(", "))
                names[kind], parents[kind] = first, above.split()
                if "=" in number:
                    named.setdefault(_plain(first), set()).add(kind)
                for word in map(_plain, (first, *rest)):
                    meanings.setdefault(word, set()).add(kind)
            case [plural, singular]:
                singulars[plural] = singular
            case [listed] if listed and not listed.startswith("#"):
                also_names = frozenset(listed.split(", "))
    return Nouns(
        names,
        _frozen(meanings),
        _frozen(named),
        parents,
        frozenset(groups),
        singulars,
        forms,
        also_names,
    )


def _in_sentence(entry: str, forms: dict[str, str]) -> str:
    """Return a word of the table, and record the form before it."""
    form, _, word = entry.partition(" ")
    if form not in _FORMS:
        return entry
    forms[_plain(word)] = form
    return word


def _plain(word: str) -> str:
    """Return a word as the table is searched: folded, with spaces for hyphens, no apostrophes."""
    return " ".join(folded(word).replace("-", " ").replace("'", "").replace("’", "").split())


def _frozen(found: Mapping[str, set[str]]) -> dict[str, Kinds]:
    return {word: frozenset(kinds) for word, kinds in found.items()}

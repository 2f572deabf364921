"""What words are kinds of: a heron is a bird, a car and an automobile are the same.

Tags name what is special, such as the starter encoder's herons and taxis; people search for birds
and cars. The table comes from WordNet (`.ci/word_table.py`). A tag of any source takes part if its
name is in the table. Nothing is stored with photos: a search asks which tags of the catalog it
means.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from curator.catalog import folded
from curator.settings import resource

FILE = "words/nouns.txt"
_LONGEST = 3  # words in a name whose plural is looked for
_ENDINGS = (("ies", "y"), ("ves", "f"), ("men", "man"), ("es", ""), ("s", ""))
_WITHOUT_ARTICLE = frozenset(
    ("clothing", "equipment", "food", "footwear", "furniture", "people", "tableware")
)

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
    """

    names: Mapping[str, str]
    meanings: Mapping[str, Kinds]
    named: Mapping[str, Kinds]
    parents: Mapping[str, Sequence[str]]
    groups: Kinds
    singulars: Mapping[str, str]
    _above: dict[str, Kinds] = field(default_factory=dict)  # by kind
    _of_tag: dict[str, Kinds] = field(default_factory=dict)

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

    def above(self, tag: str) -> Kinds:
        """Return what the thing a tag names is, and everything that is a kind of."""
        if tag not in self._of_tag:
            word = self.singular(tag)
            own = self.named.get(word) or self.meanings.get(word, _NONE)
            self._of_tag[tag] = own.union(*map(self._ancestors, own))
        return self._of_tag[tag]

    def _ancestors(self, kind: str) -> Kinds:
        if kind not in self._above:
            direct = frozenset(self.parents[kind])
            self._above[kind] = direct.union(*map(self._ancestors, direct))
        return self._above[kind]

    def is_kind(self, tag: str, word: str) -> bool:
        """Whether a tag names a kind of what a word means, or the same."""
        return not self.kinds(word).isdisjoint(self.above(tag))

    def all_groups_of(self, tag: str) -> frozenset[str]:
        """Return the names of all groups a tag belongs to: animal and bird."""
        return frozenset(self.names[kind] for kind in self.above(tag) & self.groups)

    def groups_of(self, tag: str) -> list[str]:
        """Return the names of the most special groups a tag belongs to: mostly none or one."""
        found = self.above(tag) & self.groups
        return sorted(
            self.names[kind]
            for kind in found
            if not any(kind in self._ancestors(other) for other in found)
        )

    def sentence(self, tag: str, word: str) -> str:
        """Return why a tag was found by a word: "heron is a bird"."""
        one, own = self.singular(word), self.singular(tag)
        article = "" if one in _WITHOUT_ARTICLE else "an " if one[0] in "aeiou" else "a "
        return f"{tag if _plain(tag) == own else own} is {article}{one}"


@cache
def nouns() -> Nouns:
    """Read the table; some 5 ms."""
    names: dict[str, str] = {}
    parents: dict[str, Sequence[str]] = {}
    meanings: dict[str, set[str]] = {}
    named: dict[str, set[str]] = {}
    groups, singulars = set(), {}
    for line in resource(FILE).read_text("utf-8").splitlines():
        match line.split("\t"):
            case [number, words, above]:
                kind = number.rstrip("*=")
                if "*" in number:
                    groups.add(kind)
                first, *rest = words.split(", ")
                names[kind], parents[kind] = first, above.split()
                if "=" in number:
                    named.setdefault(_plain(first), set()).add(kind)
                for word in map(_plain, (first, *rest)):
                    meanings.setdefault(word, set()).add(kind)
            case [plural, singular]:
                singulars[plural] = singular
    return Nouns(names, _frozen(meanings), _frozen(named), parents, frozenset(groups), singulars)


def _plain(word: str) -> str:
    """Return a word as the table is searched: folded, with spaces for hyphens, no apostrophes."""
    return " ".join(folded(word).replace("-", " ").replace("'", "").replace("’", "").split())


def _frozen(found: Mapping[str, set[str]]) -> dict[str, Kinds]:
    return {word: frozenset(kinds) for word, kinds in found.items()}

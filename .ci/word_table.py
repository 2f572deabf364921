"""Make `resources/words/nouns.txt`: what the words of tags are kinds of, from WordNet 3.0.

Run it only to make the file again: `apt install wordnet-base`, then `python .ci/word_table.py`.

The words are the starter encoder's classes, whose synsets are known, and those words of CLIP's
vocabulary that WordNet has below the same kinds. Above them come WordNet's hypernyms, with two
cuts, because a search is for what is in a picture:

- WordNet's file of most general concepts ("noun.Tops": entity, object, whole, artifact, matter)
  is left out except `KEPT_TOPS`.
- A word means a kind only if people use it so. It must be the kind's own name and otherwise rare,
  or WordNet's texts have it in that sense at least a tenth as often as in its most common one:
  "wind" is no musical instrument, "arm" no weapon, "cat" no lion. A kind without a word left goes.

`EVERYDAY` adds what people say and WordNet does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

RESOURCES = Path(__file__).resolve().parents[1] / "resources"
CLASSES = RESOURCES / "models" / "starter_classes.txt"
VOCABULARY = RESOURCES / "vocabulary.txt"
TABLE = RESOURCES / "words" / "nouns.txt"
WORDNET = Path("/usr/share/wordnet")
TOPS = "03"  # the number of WordNet's file noun.Tops
KEPT_TOPS = frozenset({"00015388", "00017222", "00007846", "00021265"})  # animal plant person food
RARE = 10  # uses of a word's most common sense in WordNet's texts, below which all senses count
SHARE = 10  # a sense is in use if it has a tenth of the most common sense's uses

# Kind → kinds that people count among it, too.
EVERYDAY = {
    "00021265": ["07555863"],  # food: solid food, which WordNet has beside "food, nutrient"
    "11669921": ["12454159", "12620196"],  # flower: tulip, rose
    "02913152": ["02980441", "02814860", "03546340", "04202417", "04005630"],
    # building: castle, lighthouse, housing, shop, prison
    "03574816": ["03800933"],  # instrument: musical instrument
}
# Kinds that nobody counts among the kind WordNet has above them.
CUT = {
    "04576211": "03094503",  # wheeled vehicles are no containers
    "06359193": "03082979",  # web sites are no computers
}
# Synset → what people call it, which WordNet lacks or counts as rare.
ALSO_CALLED = {
    "00007846": ["person", "people"],
    "03546340": ["house"],  # housing
    "03964744": ["toy"],  # plaything
    "04530566": ["boat"],  # watercraft
    "07881800": ["drink"],  # beverage
    "09428293": ["beach"],  # seashore
}
# Kinds that the tag cloud shows with a number, to be opened; the most special one has the word.
GROUPS = (
    *("animal", "bird", "dog", "cat", "fish", "insect", "reptile", "monkey", "flora", "flower"),
    *("food", "fruit", "vegetable", "drink", "tableware", "person", "clothing", "footwear", "hat"),
    *("vehicle", "car", "watercraft", "aircraft", "building", "furniture", "container", "tool"),
    *("weapon", "musical_instrument", "toy", "timepiece", "computer", "sports_equipment"),
    "mountain",
)


@dataclass(frozen=True)
class Synset:
    """A WordNet synset: its words with the keys of their uses, and the synsets above it."""

    file: str
    words: tuple[str, ...]
    keys: tuple[str, ...]
    above: tuple[str, ...]


@dataclass
class WordNet:
    """The nouns of WordNet, as in its files; see wndb(5WN).

    Attributes:
        synsets: by number.
        senses: the numbers of each word's synsets, the most common first.
        uses: how often WordNet's texts have a word in a sense.
    """

    folder: Path
    synsets: dict[str, Synset] = field(default_factory=dict)
    senses: dict[str, list[str]] = field(default_factory=dict)
    uses: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the files."""
        for parts in self._lines("data.noun"):
            number, file, count = parts[0], parts[1], int(parts[3], 16)
            named = parts[4 : 4 + 2 * count]
            words = tuple(word.lower() for word in named[::2])
            ids = (int(each, 16) for each in named[1::2])
            keys = (f"{w}%1:{file}:{i:02}::" for w, i in zip(words, ids, strict=True))
            rest = parts[5 + 2 * count :]
            above = (rest[at + 1] for at in range(0, len(rest) - 3, 4) if rest[at] in ("@", "@i"))
            self.synsets[number] = Synset(file, words, tuple(keys), tuple(above))
        for parts in self._lines("index.noun"):
            self.senses[parts[0]] = parts[-int(parts[2]) :]
        for key, _, uses in self._lines("cntlist.rev"):
            self.uses[key] = int(uses)

    def _lines(self, name: str) -> Iterator[list[str]]:
        for line in (self.folder / name).read_text("ascii").splitlines():
            if not line.startswith("  "):  # the license
                yield line.partition(" | ")[0].split()

    def above(self, number: str) -> set[str]:
        """Return all synsets above a synset."""
        found: set[str] = set()
        waiting = [number]
        while waiting:
            new = set(self.synsets[waiting.pop()].above) - found
            found |= new
            waiting += new
        return found

    def used(self, word: str, number: str) -> int:
        """Return how often WordNet's texts have a word in the sense of a synset."""
        synset = self.synsets[number]
        return self.uses.get(synset.keys[synset.words.index(word)], 0)

    def meant(self, number: str) -> list[str]:
        """Return the words of a synset that people use in this sense."""
        return [
            word
            for at, word in enumerate(self.synsets[number].words)
            for most in [max(self.used(word, sense) for sense in self.senses[word])]
            if self.used(word, number) * SHARE >= most or (not at and most < RARE)
        ]


def classes() -> dict[str, str]:
    """Return the name of each class of the starter by the number of its synset."""
    lines = CLASSES.read_text("utf-8").splitlines()
    return {number.lstrip("n"): name for number, _, name in (line.partition(" ") for line in lines)}


def vocabulary(wordnet: WordNet, known: set[str]) -> dict[str, str]:
    """Return the words of CLIP's vocabulary that are not known, by the number of their synset."""
    found = {}
    for line in VOCABULARY.read_text("utf-8").splitlines():
        name = line.partition("#")[0].partition(":")[0].strip()
        word = name.replace(" ", "_")
        for singular in (word, word.removesuffix("s")):
            if singular in wordnet.senses and not {word, singular} & known:
                found[wordnet.senses[singular][0]] = name  # its most common sense
                break
    return found


def table(wordnet: WordNet) -> str:
    """Return the text of the table."""
    named = classes()
    kinds = {
        above
        for number in named
        for above in wordnet.above(number)
        if wordnet.synsets[above].file != TOPS or above in KEPT_TOPS
    }
    words = {number: wordnet.meant(number) for number in kinds}
    kinds = {number for number in kinds if words[number]}
    known = {word for number in kinds for word in words[number]}
    known |= {word for number in named for word in wordnet.synsets[number].words}
    others = vocabulary(wordnet, known)
    named |= {number: name for number, name in others.items() if wordnet.above(number) & kinds}
    words |= {number: [name, *wordnet.synsets[number].words] for number, name in named.items()}
    for number, called in ALSO_CALLED.items():
        words[number] = [*called, *words[number]]
    rows = sorted(kinds | set(named))
    parents = {number: _parents(wordnet, number, set(rows)) for number in rows}
    for kind, members in EVERYDAY.items():
        for member in members:
            assert kind in parents and member in parents, (kind, member)
            parents[member] = sorted({*parents[member], kind})
    for kind, above in CUT.items():
        parents[kind].remove(above)
    groups = {_group(wordnet, word, kinds) for word in GROUPS}
    lines = [
        "\t".join(
            (
                f"{number}{'*' * (number in groups)}{'=' * (number in named)}",
                ", ".join(dict.fromkeys(word.replace("_", " ") for word in words[number])),
                " ".join(parents[number]),
            )
        )
        for number in rows
    ]
    known = {word.replace("_", " ") for number in rows for word in words[number]}
    return "\n".join((HEADER, *lines, "", *_plurals(wordnet.folder, known), ""))


def _parents(wordnet: WordNet, number: str, rows: set[str]) -> list[str]:
    """Return the nearest rows above a synset."""
    found: set[str] = set()
    waiting = list(wordnet.synsets[number].above)
    while waiting:
        above = waiting.pop()
        if above in rows:
            found.add(above)
        else:
            waiting += wordnet.synsets[above].above
    return sorted(found)


def _group(wordnet: WordNet, word: str, kinds: set[str]) -> str:
    return next(sense for sense in wordnet.senses[word] if sense in kinds)


def _plurals(folder: Path, known: set[str]) -> list[str]:
    """Return the irregular plurals of the words of the table, as "plural singular"."""
    lines = (folder / "noun.exc").read_text("ascii").splitlines()
    pairs: Mapping[str, str] = {plural: single for plural, single, *_ in map(str.split, lines)}
    parts = {part for word in known for part in word.split()}
    return [f"{plural}\t{single}" for plural, single in sorted(pairs.items()) if single in parts]


HEADER = """\
# Made by .ci/word_table.py from WordNet 3.0, Copyright 2006 by Princeton University (see
# LICENSE-WordNet.txt). Synset, its words with the name of the tag first, and the synsets it is a
# kind of. A star marks a group of the tag cloud; = a tag of the first name, which means only this.
# Then irregular plurals."""


def main() -> None:
    """Write the table."""
    text = table(WordNet(WORDNET))
    TABLE.write_text(text, "utf-8", newline="\n")
    print(f"{TABLE.name}: {len(text.splitlines()):,} lines, {len(text.encode()):,} bytes")


if __name__ == "__main__":
    main()

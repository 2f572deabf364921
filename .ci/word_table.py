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

`EVERYDAY` adds what people say and WordNet does not. `tests/data/words/kinds.txt` lists what the
most usual searches find.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
    "00021265": ["07555863", "12144580", "12998815", "13052670", "13054560"],
    # food: solid food, which WordNet has beside "food, nutrient"; corn, edible fungi
    "07707451": ["12144580"],  # vegetable: corn
    "11669921": ["12454159", "12620196"],  # flower: tulip, rose
    "12102133": ["07802026"],  # grass: hay
    "13086908": ["13133613"],  # plant part: ear of corn
    "12992868": ["07734744"],  # fungus: mushroom, which is a vegetable
    "01749582": ["01749939"],  # mamba: green mamba
    "02120997": ["02124623"],  # feline: lynx, cougar
    "02913152": [
        "02980441",
        "02814860",
        "03546340",
        "04202417",
        "04005630",
        "03316406",
        "04295881",
    ],
    # building: castle, lighthouse, housing, shop, prison, factory, stadium
    "04202417": ["03461385"],  # shop: grocery store
    "04524313": ["04019101", "03496892"],  # vehicle: public transport, harvester
    "04468005": ["03684823", "02959942"],  # train: locomotive, railway car
    "03790512": ["03791053"],  # motorcycle: motor scooter
    "03381126": ["03380867"],  # footwear that is clothing: shoes, which WordNet has beside it
    "03241496": ["07930864"],  # drinking vessel: cup, as in pictures
    "02938886": ["04238763"],  # calculator: slide rule
    "03278248": ["03529860"],  # electronic equipment: home theater
    "03322099": ["02727426"],  # farm: apiary
    "03574816": ["03800933"],  # instrument: musical instrument
    "04371563": ["03710637"],  # swimsuit: maillot
    "09428293": ["09217230"],  # seashore: beach
}
# Kind → the kind WordNet has above it, among which nobody counts it.
CUT = {
    "01749939": "01749742",  # green mamba: black mambas
    "02124623": "02121620",  # lynx and cougar: cats, which lions are not either
    "02153203": "02152991",  # game birds: game
    "02727426": "04187547",  # apiary: sheds
    "03529860": "04417809",  # home theater: theaters
    "03710637": "04434932",  # maillot: tights
    "04099429": "04524313",  # rockets: vehicles
    "04238763": "02708224",  # slide rule: computers
    "04576211": "03094503",  # wheeled vehicles: containers
    "06359193": "03082979",  # web sites: computers
    "07565083": "07560652",  # menu: food
    "07802026": "07800740",  # hay: food
    "07871810": "07683786",  # meat loaf: bread
    "07884567": "03248958",  # wine and eggnog: drugs
    "07930864": "07930554",  # cup: drinks
    "13133613": "13134947",  # ear of corn: fruit
    "13135832": "13134947",  # seeds, among them corn: fruit
}
# Synset → what people call it, which WordNet lacks or counts as rare.
ALSO_CALLED = {
    "00007846": ["person", "people"],
    "01514668": ["cock", "rooster", "chicken"],
    "01514859": ["hen", "chicken"],
    "02084071": ["dog", "puppy", "doggy", "doggie"],
    "02121620": ["cat", "kitten"],
    "02159955": ["insect", "bug"],
    "02324045": ["rabbit", "bunny"],
    "02691156": ["airplane", "jet"],
    "02870880": ["bookcase", "bookshelf"],
    "02977058": ["cash machine", "atm"],
    "02992529": ["cellular telephone", "smartphone"],
    "03017168": ["chime", "bell"],
    "03546340": ["house"],  # housing
    "03790512": ["motorcycle", "motorbike"],
    "03964744": ["toy"],  # plaything
    "04065272": ["recreational vehicle", "camper", "motorhome"],
    "04070727": ["refrigerator", "fridge"],
    "04120489": ["running shoe", "sneaker", "trainer"],
    "04370456": ["sweatshirt", "hoodie"],
    "04404412": ["television", "tv", "telly"],
    "04489008": ["trousers", "pants"],
    "04490091": ["truck", "lorry"],
    "04530566": ["boat"],  # watercraft
    "07881800": ["drink"],  # beverage
    "09428293": ["seashore", "beach"],
    "10148035": ["groom", "bridegroom"],
    "12144580": ["corn", "maize"],
    "12768682": ["buckeye", "horse chestnut"],
    "12992868": ["fungus", "mushroom"],
}
# Synset → words of it that people mean otherwise.
NOT_CALLED = {
    "02756098": ["dress"],  # attire: wig, mask
    "03956922": ["plant"],  # works
}
# Words that are also names of people, places and brands. WordNet lacks given names, and among its
# places are Bikini and Hippo.
NAMES = frozenset(
    (
        *("afghan", "airedale", "bath", "bob", "chihuahua", "cliff", "daisy", "drake", "java"),
        *("jack", "jay", "jean", "jersey", "kit", "leonberg", "lhasa", "mike", "mini", "murphy"),
        *("newfoundland", "pembroke", "reed", "robin", "rod", "rose", "shetland", "teddy"),
    )
)
# How a word stands in a sentence, unless as its first letter says: "bagel is bread", "ox: cattle",
# "pug is a dog" for a search for puppies.
FORMS = {
    "a": {"u-boat", "unicycle", "uniform", "univalve", "utensil"},
    "an": {"hourglass", "r.v.", "rv"},
    "some": {
        *("afters", "alcohol", "apparatus", "apparel", "armor", "armour", "attire", "bedding"),
        *("brass", "bread", "breadstuff", "carpeting", "cloth", "clothing", "coffee", "cookware"),
        *("corn", "crockery", "cushioning", "cutlery", "dishware", "dough", "equipment", "fauna"),
        *("fencing", "flora", "food", "footgear", "footwear", "furniture", "garb", "gear"),
        *("graffiti", "grass", "handwear", "hay", "headgear", "hosiery", "hose", "housing", "java"),
        *("jewellery", "jewelry", "linen", "lodging", "maize", "make-up", "makeup", "material"),
        *("media", "medication", "medicine", "neckwear", "nightwear", "nourishment", "nutriment"),
        *("nutrition", "outerwear", "padding", "paper", "paraphernalia", "plant life", "produce"),
        *("protection", "sleepwear", "somebody", "someone", "staff of life", "stuff"),
        *("sustenance", "swimwear", "tableware", "tissue", "transport", "vesture", "vino"),
        *("war paint", "ware", "wear", "wine", "woodenware", "wool", "woolen", "woollen"),
        *("workwear", "chain mail", "ring mail"),
    },
    "these": {
        *("articles", "bars", "bathing trunks", "bedclothes", "binoculars", "brakes", "cattle"),
        *("clothes", "cows", "durables", "drygoods", "eyeglasses", "fireworks", "fixings"),
        *("glasses", "goods", "green groceries", "insects", "jammies", "kine", "leotards"),
        *("living accommodations", "nightclothes", "overclothes", "oxen", "pants", "people"),
        *("pj's", "shades", "specs", "spectacles", "starches", "sunglasses", "swimming trunks"),
        *("tights", "trousers", "tulips", "victuals", "works"),
    },
    "like": {"doggie", "doggy", "kitten", "puppy"},
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
            if word not in NOT_CALLED.get(number, ())
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
    words |= {number: [name, *wordnet.meant(number)] for number, name in named.items()}
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
    rows = sorted(_used(parents, named))
    groups = {_group(wordnet, word, kinds) for word in GROUPS}
    lines = [
        "\t".join(
            (
                f"{number}{'*' * (number in groups)}{'=' * (number in named)}",
                ", ".join(dict.fromkeys(_in_sentence(word) for word in words[number])),
                " ".join(parents[number]),
            )
        )
        for number in rows
    ]
    known = {word.replace("_", " ") for number in rows for word in words[number]}
    names = ", ".join(sorted(NAMES & known))
    return "\n".join((HEADER, *lines, "", names, "", *_plurals(wordnet.folder, known), ""))


def _in_sentence(word: str) -> str:
    """Return a word behind the form it has in sentences: "some bread"; most have none."""
    word = word.replace("_", " ")
    last = "" if " of " in word else word.rpartition(" ")[2]
    plain = (form for form, words in FORMS.items() if word in words)
    behind = (form for form in ("some", "these") if last in FORMS[form])
    form = next(plain, "") or next(behind, "")
    return f"{form} {word}".lstrip()


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


def _used(parents: Mapping[str, list[str]], named: Iterable[str]) -> set[str]:
    """Return the rows that have a name, and all rows above these."""
    found: set[str] = set()
    waiting = [*named]
    while waiting:
        number = waiting.pop()
        if number not in found:
            found.add(number)
            waiting += parents[number]
    return found


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
# "some" is before words without an article, "these" before plurals, "like" before words for some
# of a kind only. Then words that are also names, and irregular plurals."""


def main() -> None:
    """Write the table."""
    text = table(WordNet(WORDNET))
    TABLE.write_text(text, "utf-8", newline="\n")
    print(f"{TABLE.name}: {len(text.splitlines()):,} lines, {len(text.encode()):,} bytes")


if __name__ == "__main__":
    main()

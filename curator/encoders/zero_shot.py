"""Words for pictures without training: which words of a vocabulary a picture lies nearest to.

CLIP puts pictures and sentences in one space. A word is asked for in several sentences, whose mean
is its place there; the softmax over all words is how sure CLIP is of each (Radford et al. 2021,
"Learning Transferable Visual Models From Natural Language Supervision", 3.1.4). It is numpy over
vectors that are there already: other words cost no second look at any picture.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from curator import atomic
from curator.encoders.network import unit_rows
from curator.model import KnownError
from curator.settings import resource

if TYPE_CHECKING:
    from curator.encoders import Encoder

TEMPLATES = (
    "a photo of a {}.",
    "a photo of {}.",
    "a photograph of the {}.",
    "a close photo of {}.",
)
FILE = "vocabulary.txt"
MOST_WORDS = 2000
_LONGEST = 64
_LONGEST_PROMPT = 200
_SENTENCES = 128  # encoded in one go
_HEADING = re.compile(r"\[(.*)\]")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the vocabulary: ``prompt`` is what stands in the sentences for it."""

    name: str
    category: str | None
    prompt: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words an encoder may suggest. ``digest`` is another when the words are."""

    words: tuple[Word, ...]

    @property
    def digest(self) -> str:
        """Name these words and how they are asked for."""
        said = repr((TEMPLATES, self.words))
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def sentences(self) -> list[str]:
        """Write the sentences, all templates of a word together."""
        return [template.format(word.prompt) for word in self.words for template in TEMPLATES]


def read_vocabulary(home: Path) -> Vocabulary:
    """Read the words a person lists in their home, else those that come with Curator.

    Raises:
        KnownError: the file cannot be read or lists too many words; says which file.
    """
    own = home / FILE
    path = own if own.exists() else resource(FILE)
    try:
        text = atomic.read(path).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KnownError(f"The vocabulary {path} cannot be read ({error}).", _REMEDY) from error
    found = parse(text)
    if len(found.words) > MOST_WORDS:
        raise KnownError(f"The vocabulary {path} has more than {MOST_WORDS:,} words.", _REMEDY)
    return found


_REMEDY = "Mend it, or remove it to use the one that comes with Curator."


def parse(text: str) -> Vocabulary:
    """Read a vocabulary: ``[Category]``, ``word`` or ``word: what is asked``, ``# remark``.

    Of a word that stands there twice the first counts.
    """
    words: dict[str, Word] = {}
    category: str | None = None
    for line in text.splitlines():
        line = " ".join(line.partition("#")[0].split())
        heading = _HEADING.fullmatch(line)
        if heading:
            category = heading[1].strip()[:_LONGEST] or None
            continue
        name, _, prompt = (part.strip() for part in line.partition(":"))
        if name:
            word = Word(name[:_LONGEST], category, (prompt or name)[:_LONGEST_PROMPT])
            words.setdefault(name.casefold(), word)
    return Vocabulary(tuple(words.values()))


def word_vectors(encoder: Encoder, sentences: Sequence[str]) -> NDArray[np.float32] | None:
    """Find the places of words, (W, dimension) of unit length; None if it knows no words.

    Args:
        encoder: a loaded one.
        sentences: of :meth:`Vocabulary.sentences`.
    """
    found = []
    for start in range(0, len(sentences), _SENTENCES):
        vectors = encoder.encode_texts(sentences[start : start + _SENTENCES])
        if vectors is None:
            return None
        found.append(vectors)
    if not found:
        return np.zeros((0, encoder.dimension), np.float32)
    each = np.concatenate(found).reshape(-1, len(TEMPLATES), encoder.dimension)
    return unit_rows(each.mean(axis=1))


def suggest(
    vectors: NDArray[np.float32],
    words: NDArray[np.float32],
    scale: float,
    least: float,
    most: int,
) -> list[list[tuple[int, float]]]:
    """Choose words for pictures: (word, probability) of each, the surest first.

    Args:
        vectors: (N, D) of unit length.
        words: (W, D) of unit length.
        scale: what the network multiplies cosines with; 100 where it was trained out.
        least: no word below this probability, 0.0-1.0.
        most: words for one picture.
    """
    if not len(words) or most < 1:
        return [[] for _ in vectors]
    likeness = scale * (vectors @ words.T).astype(np.float64)
    chance = np.exp(likeness - likeness.max(axis=1, keepdims=True))
    chance /= chance.sum(axis=1, keepdims=True)
    best = np.argsort(-chance, axis=1)[:, :most]
    return [
        [(word, float(row[word])) for word in order.tolist() if row[word] >= least]
        for row, order in zip(chance, best, strict=True)
    ]

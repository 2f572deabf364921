"""Zero-shot tags: the words of a vocabulary whose vectors are most similar to a picture's vector.

CLIP puts pictures and sentences in one space. The vector of a word is the mean of several sentences
with that word; the softmax over all words is the confidence in each (Radford et al. 2021,
"Learning Transferable Visual Models From Natural Language Supervision", 3.1.4). Suggesting is numpy
over stored vectors: after a change of the vocabulary no picture is encoded again.
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
from curator.encoders.options import unit_rows
from curator.home import resource
from curator.model import KnownError

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
_MAX_NAME = 64  # characters
_MAX_PROMPT = 200
_SENTENCES = 128  # encoded at a time
_HEADING = re.compile(r"\[(.*)\]")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the vocabulary; ``prompt`` is the text used for it in the sentences."""

    name: str
    category: str | None
    prompt: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words an encoder may suggest."""

    words: tuple[Word, ...]

    @property
    def digest(self) -> str:
        """A digest of the words and the sentence templates."""
        content = repr((TEMPLATES, self.words))
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def sentences(self) -> list[str]:
        """Return the sentences to encode, all templates of a word together."""
        return [template.format(word.prompt) for word in self.words for template in TEMPLATES]


def read_vocabulary(folder: Path) -> Vocabulary:
    """Read the user's vocabulary in ``folder``, else the built-in vocabulary.

    Raises:
        KnownError: the file cannot be read, or lists too many words.
    """
    own = folder / FILE
    path = own if own.exists() else resource(FILE)
    try:
        text = atomic.read(path).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KnownError(f"The vocabulary {path} cannot be read ({error}).", _REMEDY) from error
    found = parse(text)
    if len(found.words) > MOST_WORDS:
        raise KnownError(f"The vocabulary {path} has more than {MOST_WORDS:,} words.", _REMEDY)
    return found


_REMEDY = "Correct it, or remove it to use the vocabulary that comes with Curator."


def parse(text: str) -> Vocabulary:
    """Parse a vocabulary: lines of ``[Category]``, ``word``, ``word: prompt`` or ``# comment``.

    If a word occurs twice, the first counts.
    """
    words: dict[str, Word] = {}
    category: str | None = None
    for line in text.splitlines():
        line = " ".join(line.partition("#")[0].split())
        heading = _HEADING.fullmatch(line)
        if heading:
            category = heading[1].strip()[:_MAX_NAME] or None
            continue
        name, _, prompt = (part.strip() for part in line.partition(":"))
        if name:
            word = Word(name[:_MAX_NAME], category, (prompt or name)[:_MAX_PROMPT])
            words.setdefault(name.casefold(), word)
    return Vocabulary(tuple(words.values()))


def word_vectors(encoder: Encoder, sentences: Sequence[str]) -> NDArray[np.float32] | None:
    """Return the vectors of words, (W, dimension) of unit length; None if texts are unsupported.

    Args:
        encoder: a loaded encoder.
        sentences: as of :meth:`Vocabulary.sentences`.
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
    """Suggest words for each picture: (index of the word, probability), most probable first.

    Args:
        vectors: (N, D) of the pictures, of unit length.
        words: (W, D) of the words, of unit length.
        scale: the network's factor on cosines; 100 for fully trained networks.
        least: the least probability of a suggestion, 0.0-1.0.
        most: the most words for one picture.
    """
    if not len(words) or most < 1:
        return [[] for _ in vectors]
    logits = scale * (vectors @ words.T).astype(np.float64)
    probability = np.exp(logits - logits.max(axis=1, keepdims=True))
    probability /= probability.sum(axis=1, keepdims=True)
    best = np.argsort(-probability, axis=1)[:, :most]
    return [
        [(word, float(row[word])) for word in order.tolist() if row[word] >= least]
        for row, order in zip(probability, best, strict=True)
    ]

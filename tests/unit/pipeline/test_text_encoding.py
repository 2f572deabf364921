"""Encoding search texts: in the encoder's process, cached, and only the last one counts."""

from __future__ import annotations

from queue import SimpleQueue

import numpy as np
import pytest

from curator.encoders import EncoderOptions, Recipe
from curator.model import KnownError
from curator.pipeline.text_encoding import TextEncoder
from curator.settings import Settings
from curator.stages.embed import embed
from curator.workers import InlinePool

CLIP = Recipe("open_clip", "open_clip/test", EncoderOptions())
WAIT_S = 60.0


class Words:
    """An encoder whose vector of a text is its length, and which has no words for silence."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def encode_texts(self, texts: list[str]) -> np.ndarray | None:
        self.read += texts
        if texts == ["boom"]:
            raise KnownError("The encoder is ill.")
        return None if texts == ["silence"] else np.full((1, 4), len(texts[0]), np.float64)


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> Words:
    encoder = Words()
    monkeypatch.setitem(embed.__globals__, "_encoder", lambda recipe: encoder)
    return encoder


def test_a_text_is_encoded_once(words: Words) -> None:
    reported: SimpleQueue[bytes | KnownError] = SimpleQueue()
    phrases = TextEncoder(Settings(), InlinePool())
    phrases.request("a boat", CLIP, reported.put)
    answer = reported.get(timeout=WAIT_S)
    assert isinstance(answer, bytes)
    assert np.frombuffer(answer, np.float32).tolist() == [6, 6, 6, 6]
    phrases.request("a boat", CLIP, reported.put)
    assert reported.get(timeout=WAIT_S) == answer
    phrases.close()
    assert words.read == ["a boat"]


@pytest.mark.parametrize(
    ("text", "says"), [("boom", "is ill"), ("silence", "cannot search by text")]
)
def test_a_text_that_cannot_be_encoded_gives_the_reason(words: Words, text: str, says: str) -> None:
    reported: SimpleQueue[bytes | KnownError] = SimpleQueue()
    phrases = TextEncoder(Settings(), InlinePool())
    phrases.request(text, CLIP, reported.put)
    assert says in str(reported.get(timeout=WAIT_S))
    phrases.close()


def test_an_encoder_without_text_is_not_asked(words: Words) -> None:
    phrases = TextEncoder(Settings(), InlinePool())
    starter = Recipe("starter", "starter/1", EncoderOptions())
    phrases.request("a boat", starter, pytest.fail)
    phrases.close()
    assert words.read == []

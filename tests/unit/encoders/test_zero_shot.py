"""Zero-shot tags: reading a vocabulary, vectors of its words, and the words of a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from curator.encoders import EncoderOptions, zero_shot
from curator.model import KnownError


def test_the_built_in_words_have_categories_and_are_all_different() -> None:
    words = zero_shot.read_vocabulary(Path("/nowhere")).words
    assert 100 < len(words) < zero_shot.MOST_WORDS
    assert len({word.name.casefold() for word in words}) == len(words)
    assert all(word.category for word in words)
    assert next(word for word in words if word.name == "snow").prompt.startswith("a landscape")


def test_the_users_words_replace_the_built_in_ones(tmp_path: Path) -> None:
    usual = zero_shot.read_vocabulary(tmp_path)
    (tmp_path / "vocabulary.txt").write_text(
        "lens cap  # by mistake\n\n[ Harbor ]\npier: a wooden pier\nPIER\n: nothing\n", "utf-8"
    )
    own = zero_shot.read_vocabulary(tmp_path)
    assert own.words == (
        zero_shot.Word("lens cap", None, "lens cap"),
        zero_shot.Word("pier", "Harbor", "a wooden pier"),
    )
    assert own.digest != usual.digest
    assert own.sentences()[0] == "a photo of a lens cap."
    assert len(own.sentences()) == 2 * len(zero_shot.TEMPLATES)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"a\n" + b"\n".join(b"%d" % n for n in range(2001))]
)
def test_the_error_about_a_bad_vocabulary_names_the_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "vocabulary.txt").write_bytes(content)
    with pytest.raises(KnownError, match=r"vocabulary\.txt"):
        zero_shot.read_vocabulary(tmp_path)


def test_words_are_chosen_by_softmax_over_all_of_them() -> None:
    words = np.eye(3, dtype=np.float32)
    pictures = np.array([[0.8, 0.6, 0.0], [0.0, 0.0, 1.0]], np.float32)
    found = zero_shot.suggest(pictures, words, 10.0, 0.1, 2)
    e = np.exp([8.0, 6.0, 0.0])
    assert [word for word, _ in found[0]] == [0, 1]
    assert [sure for _, sure in found[0]] == pytest.approx((e[:2] / e.sum()).tolist(), rel=1e-5)
    assert [word for word, _ in found[1]] == [2]
    assert zero_shot.suggest(pictures, words, 10.0, 0.9, 2) == [[], [(2, found[1][0][1])]]
    assert zero_shot.suggest(pictures, words, 10.0, 0.0, 0) == [[], []]
    assert zero_shot.suggest(pictures, words[:0], 10.0, 0.0, 3) == [[], []]


def test_an_encoder_without_texts_has_no_word_vectors() -> None:
    class Wordless:
        dimension = 4

        def encode_texts(self, texts: list[str]) -> None:
            return None

    assert zero_shot.word_vectors(Wordless(), ["a", "b"]) is None  # type: ignore[arg-type]
    assert EncoderOptions().vocabulary_folder is None

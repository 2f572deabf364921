"""What a model says comes in as short plain text, whatever it says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from curator.model import SuggestedTag
from curator.vision import Description
from curator.vision.description import LONGEST, plain, tags
from tests.ollama import RECORD


def read(**changes: Any) -> Description:
    return Description.model_validate_json(json.dumps(RECORD | changes))


def test_a_good_record_comes_through_as_it_is() -> None:
    assert read() == Description(**RECORD)
    assert [tag.name for tag in read().suggested_tags] == RECORD["suggested_tags"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("a\x00b\x1b[31mc\x07", "ab[31mc"),
        ("line one\nline two\r\n\tthree\u2028four", "line one line two three four"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("lone \ud800 half", "lone half"),
        ("<b>bold</b> & <script>", "<b>bold</b> & <script>"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("  ", ""),
    ],
)
def test_plain_text_is_one_line_without_control_characters(said: str, kept: str) -> None:
    assert plain(said, 100) == kept


def test_long_text_is_cut_at_a_word() -> None:
    cut = plain("harbor " * 1000, 50)
    assert len(cut) <= 50 and cut.endswith("harbor…")
    assert len(plain("x" * 10_000, 50)) == 50


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=200))
def test_no_text_breaks_the_limit_or_brings_in_a_control_character(text: str) -> None:
    found = plain(text, 40)
    assert len(found) <= 40 and found.isprintable()
    assert plain(found, 40) == found
    for tag in (each.name for each in tags([text])):
        assert 0 < len(tag) <= LONGEST["tag"] and tag == " ".join(tag.split())


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (["Harbor", "harbor", " HARBOR. "], ["harbor"]),
        (["photo", "Photography", "photographs"], []),
        (["street photography", "black and white photo"], ["street", "black and white"]),
        (["golden_hour", "#sunset", '"calm"'], ["golden hour", "sunset", "calm"]),
        (["boat, water; rope"], ["boat", "water", "rope"]),
        (["places|norway"], ["places norway"]),
        (["a tag that goes on and on until it is a whole sentence about things"], []),
        (["...", "", "-"], []),
        (["photojournalism"], ["photojournalism"]),
        ([f"tag {n}" for n in range(12)], [f"tag {n}" for n in range(7)]),
        (["Wei\u00dfer Strand", "\u6d77\u8fba"], ["wei\u00dfer strand", "\u6d77\u8fba"]),
    ],
)
def test_tags_take_the_vocabularys_form(said: list[str], kept: list[str]) -> None:
    assert [tag.name for tag in tags(said)] == kept


@pytest.mark.parametrize(
    "said", ["boat, harbor, evening, water, rope", "Boat; harbor\nevening, #water, rope."]
)
def test_tags_in_one_text_are_taken_apart(said: str) -> None:
    """LLaVA answers so, whatever it is asked for."""
    assert read(suggested_tags=said).suggested_tags == [
        SuggestedTag(name) for name in ("boat", "harbor", "evening", "water", "rope")
    ]


@pytest.mark.parametrize(
    ("said", "confidence"),
    [(0.8, 80), (80, 80), ("80%", 80), (1, 100), (0, 0), (None, None), (True, None), (180, None)],
)
def test_a_tags_confidence_and_category_are_the_models_own(
    said: object, confidence: int | None
) -> None:
    told = [{"tag": "Boat", "confidence": said, "category": "Vehicle"}, {"name": "harbor"}]
    assert tags(told) == [SuggestedTag("boat", confidence, "vehicle"), SuggestedTag("harbor")]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Still Life", "still_life"),
        ("STREET", "street"),
        ("wildlife", "other"),
        ("", "other"),
        (7, "other"),
        (None, "other"),
        (["street"], "other"),
    ],
)
def test_any_other_content_type_becomes_other(said: Any, kept: str) -> None:
    assert read(content_type=said).content_type == kept


def test_the_lighting_is_one_sentence() -> None:
    said = "Soft light at f/2.8, i.e. wide open, from the left. Increase the exposure. Now!"
    light = read(lighting_critique=said).lighting_critique
    assert light == "Soft light at f/2.8, i.e. wide open, from the left."
    assert len(read(lighting_critique="light " * 999).lighting_critique) <= LONGEST["lighting"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"subject": 5},
        {"subject": " \u200b "},
        {"lighting_critique": None},
        {"artistic_mood": ["calm"]},
        {"suggested_tags": "boat, harbor"},
        {"suggested_tags": {"boat": 1}},
        {"suggested_tags": 7},
        {"suggested_tags": [1, 2, 3, 4, 5]},
        {"suggested_tags": ["boat", "photo", "boats at sea", "Boat", "photography"]},
    ],
)
def test_what_is_no_record_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(**wrong)


@pytest.mark.parametrize("text", ["", "no", "{", "[]", '{"subject":' + "[" * 50_000, "{}"])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        Description.model_validate_json(text)


@pytest.mark.parametrize(
    "around", ["```json\n{}\n```", "Here you are:\n{}\nEnjoy.", "<think>a {{ b</think>{}"]
)
def test_a_fence_or_a_sentence_around_the_record_does_not_count(around: str) -> None:
    text = around.replace("{{", "\0").replace("{}", json.dumps(RECORD)).replace("\0", "{")
    assert Description.model_validate_json(text) == Description(**RECORD)


def test_the_schema_says_what_is_wanted_without_references() -> None:
    schema = Description.model_json_schema()
    assert set(schema["required"]) == set(RECORD)
    assert schema["properties"]["content_type"]["enum"][-1] == "other"
    assert schema["properties"]["suggested_tags"]["minItems"] == 5
    assert "$" not in json.dumps(schema) and "description" not in schema

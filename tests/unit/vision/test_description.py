"""The answer of a model becomes short plain text, whatever it contains."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from curator.model import SuggestedTag
from curator.vision import Description
from curator.vision.description import MAX_LENGTH, plain, tags
from tests.ollama import RECORD


def read(**changes: Any) -> Description:
    return Description.model_validate_json(json.dumps(RECORD | changes))


def test_a_good_record_is_unchanged() -> None:
    assert read() == Description(**RECORD)
    assert [tag.name for tag in read().suggested_tags] == RECORD["suggested_tags"]


@pytest.mark.parametrize(
    ("given", "expected"),
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
def test_plain_text_is_one_line_without_control_characters(given: str, expected: str) -> None:
    assert plain(given, 100) == expected


def test_long_text_is_cut_at_a_word() -> None:
    cut = plain("harbor " * 1000, 50)
    assert len(cut) <= 50 and cut.endswith("harbor…")
    assert len(plain("x" * 10_000, 50)) == 50


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=200))
def test_no_text_exceeds_the_limit_or_keeps_a_control_character(text: str) -> None:
    found = plain(text, 40)
    assert len(found) <= 40 and found.isprintable()
    assert plain(found, 40) == found
    for tag in (each.name for each in tags([text])):
        assert 0 < len(tag) <= MAX_LENGTH["tag"] and tag == " ".join(tag.split())


@pytest.mark.parametrize(
    ("given", "expected"),
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
def test_tags_are_normalized(given: list[str], expected: list[str]) -> None:
    assert [tag.name for tag in tags(given)] == expected


@pytest.mark.parametrize(
    "text", ["boat, harbor, evening, water, rope", "Boat; harbor\nevening, #water, rope."]
)
def test_tags_in_one_text_are_split(text: str) -> None:
    """LLaVA answers like this, whatever it is asked for."""
    assert read(suggested_tags=text).suggested_tags == [
        SuggestedTag(name) for name in ("boat", "harbor", "evening", "water", "rope")
    ]


@pytest.mark.parametrize(
    ("given", "confidence"),
    [(0.8, 80), (80, 80), ("80%", 80), (1, 100), (0, 0), (None, None), (True, None), (180, None)],
)
def test_confidence_and_category_of_a_tag_come_from_the_model(
    given: object, confidence: int | None
) -> None:
    objects = [{"tag": "Boat", "confidence": given, "category": "Vehicle"}, {"name": "harbor"}]
    assert tags(objects) == [SuggestedTag("boat", confidence, "vehicle"), SuggestedTag("harbor")]


@pytest.mark.parametrize(
    ("given", "expected"),
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
def test_an_unknown_content_type_becomes_other(given: Any, expected: str) -> None:
    assert read(content_type=given).content_type == expected


def test_the_lighting_is_one_sentence() -> None:
    text = "Soft light at f/2.8, i.e. wide open, from the left. Increase the exposure. Now!"
    light = read(lighting_critique=text).lighting_critique
    assert light == "Soft light at f/2.8, i.e. wide open, from the left."
    assert len(read(lighting_critique="light " * 999).lighting_critique) <= MAX_LENGTH["lighting"]


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
def test_a_wrong_record_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(**wrong)


@pytest.mark.parametrize("text", ["", "no", "{", "[]", '{"subject":' + "[" * 50_000, "{}"])
def test_text_that_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        Description.model_validate_json(text)


@pytest.mark.parametrize(
    "around", ["```json\n{}\n```", "Here you are:\n{}\nEnjoy.", "<think>a {{ b</think>{}"]
)
def test_a_code_fence_or_a_sentence_around_the_record_is_ignored(around: str) -> None:
    text = around.replace("{{", "\0").replace("{}", json.dumps(RECORD)).replace("\0", "{")
    assert Description.model_validate_json(text) == Description(**RECORD)


def test_the_schema_describes_all_fields_without_references() -> None:
    schema = Description.model_json_schema()
    assert set(schema["required"]) == set(RECORD)
    assert schema["properties"]["content_type"]["enum"][-1] == "other"
    assert schema["properties"]["suggested_tags"]["minItems"] == 5
    assert "$" not in json.dumps(schema) and "description" not in schema

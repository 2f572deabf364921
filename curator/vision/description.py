"""The description of a photo by a vision model, cleaned on its way in.

The answer of a model is data. Whatever it contains, it becomes short plain text on one line,
without control characters, invisible characters or marks that change the reading direction.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationInfo,
    WithJsonSchema,
)

from curator.model import ContentType, SuggestedTag

MIN_TAGS, MAX_TAGS = 5, 7
MAX_LENGTH = {"subject": 240, "lighting": 300, "mood": 80, "tag": 40}  # characters

_CONTENT_TYPES = tuple(str(kind) for kind in ContentType)
# Schemas without references, which some servers' grammars do not follow.
_CONTENT_TYPE_SCHEMA: dict[str, Any] = {"type": "string", "enum": list(_CONTENT_TYPES)}
_TAGS_SCHEMA: dict[str, Any] = {
    "type": "array",
    "items": {"type": "string"},
    "minItems": MIN_TAGS,
    "maxItems": MAX_TAGS,
}
# Names that models use for these when they answer with objects.
_NAMES = ("name", "tag", "label", "keyword")
_CATEGORIES = ("category", "type", "kind")
_CONFIDENCES = ("confidence", "score", "probability")
# Words that fit every picture are useless as tags.
_EMPTY_WORDS = frozenset(
    ("photo", "photos", "photograph", "photographs", "photography", "photographic")
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[^\W\d_a-z])")
_THOUGHT_END = "</think>"  # ends the reasoning of some models


def plain(text: str, longest: int) -> str:
    """Return text as one line of plain text, cut at a word if it is too long.

    Removes control, format (zero width, direction), private and unassigned characters and lone
    surrogates. Markup stays, as plain text.
    """
    # Text far beyond the limit is not worth composing.
    text = unicodedata.normalize("NFC", text[: longest * 8])
    text = " ".join(text.split())
    text = "".join(char for char in text if not unicodedata.category(char).startswith("C"))
    text = " ".join(text.split())
    if len(text) <= longest:
        return text
    cut = text[: longest - 1]
    return (cut.rpartition(" ")[0] if " " in cut[longest // 2 :] else cut).rstrip() + "…"


def tags(given: Sequence[object]) -> list[SuggestedTag]:
    """Normalize suggested tags: lower case, no duplicates, seven at most.

    Removes words that fit every picture ("photo", "photography"), also inside longer tags:
    "street photography" becomes "street". Tags that are not short names are dropped.

    Args:
        given: names, perhaps several in one text, or objects with a name, category and confidence.
    """
    found: dict[str, SuggestedTag] = {}
    for each in given:
        fields = each if isinstance(each, Mapping) else {"name": each}
        text = _first(fields, _NAMES)
        for part in re.split(r"[,;\n]", text[:1000]) if isinstance(text, str) else ():
            if name := _tag_name(part):
                category = _first(fields, _CATEGORIES)
                above = _tag_name(category) if isinstance(category, str) else ""
                confidence = _confidence(_first(fields, _CONFIDENCES))
                found.setdefault(name, SuggestedTag(name, confidence, above or None))
    return list(found.values())[:MAX_TAGS]


def _first(fields: Mapping[object, object], names: Sequence[str]) -> object:
    return next((fields[name] for name in names if name in fields), None)


def _tag_name(text: str) -> str:
    words = re.sub(r"[_|#\"“”]+", " ", plain(text, 400)).lower().split()
    tag = " ".join(word for word in words if word.strip(".!:") not in _EMPTY_WORDS)
    tag = tag.strip(" .!?:'*-/\\()[]{}")
    return tag if len(tag) <= MAX_LENGTH["tag"] and any(char.isalnum() for char in tag) else ""


def _confidence(value: object) -> int | None:
    """Return a confidence as 0-100, from 0.8, 80 or "80 %"; None for anything else."""
    if isinstance(value, str):
        try:
            value = float(value.strip().removesuffix("%"))
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        return None
    return round(value * 100 if value <= 1 else value)


# The messages of these validators are sent back to the model.


def _not_empty(text: str) -> str:
    if not any(char.isalnum() for char in text):
        raise ValueError("must say something")
    return text


def _content_type(value: Any) -> str:
    text = re.sub(r"[^a-z]+", "_", value.lower()).strip("_") if isinstance(value, str) else ""
    return text if text in _CONTENT_TYPES else str(ContentType.OTHER)


def _first_sentence(text: str) -> str:
    limit = MAX_LENGTH["lighting"]
    return plain(_SENTENCE_END.split(plain(text, 4 * limit))[0], limit)


def _parse_tags(given: object) -> list[SuggestedTag]:
    """Parse tags from a list, or from one text with commas, as LLaVA often writes them."""
    if isinstance(given, str):
        given = [given]
    if not isinstance(given, list) or not all(isinstance(each, str | dict) for each in given):
        raise ValueError("must be a list")
    return tags(given)


def _enough_tags(found: list[SuggestedTag], info: ValidationInfo) -> list[SuggestedTag]:
    if len(found) < (1 if info.context else MIN_TAGS):
        raise ValueError(
            f"must be {MIN_TAGS} to {MAX_TAGS} different short tags without the words photo or"
            f" photography; there are {len(found)}"
        )
    return found


def _line(field: str) -> AfterValidator:
    return AfterValidator(lambda text: _not_empty(plain(text, MAX_LENGTH[field])))


class Description(BaseModel):
    """What a picture shows and how its light looks; never whether it is good.

    Its schema is sent to the model; :meth:`model_validate_json` checks the answer.
    """

    model_config = ConfigDict(json_schema_extra=lambda schema: schema.pop("description", None))

    subject: Annotated[str, _line("subject")]
    content_type: Annotated[
        ContentType, BeforeValidator(_content_type), WithJsonSchema(_CONTENT_TYPE_SCHEMA)
    ]
    lighting_critique: Annotated[str, AfterValidator(_first_sentence), AfterValidator(_not_empty)]
    artistic_mood: Annotated[str, _line("mood")]
    suggested_tags: Annotated[
        list[SuggestedTag],
        BeforeValidator(_parse_tags),
        AfterValidator(_enough_tags),
        WithJsonSchema(_TAGS_SCHEMA),
    ]

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **how: Any) -> Description:
        """Parse and check a model's answer, ignoring code fences or sentences around its JSON.

        With a ``context`` a single tag is enough.

        Raises:
            pydantic.ValidationError: the answer is wrong.
        """
        text = json_data if isinstance(json_data, str) else bytes(json_data).decode("utf-8")
        text = text.rpartition(_THOUGHT_END)[2]
        first, last = text.find("{"), text.rfind("}")
        return super().model_validate_json(text[first : last + 1] if first >= 0 else text, **how)

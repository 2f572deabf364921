"""Description: what a vision model says of a photo, made harmless on its way in.

What a model says is data. Whatever it is, it comes out of here as short plain text on one line:
no control characters, none that is invisible or turns the direction of reading.
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

TAGS_LEAST, TAGS_MOST = 5, 7
LONGEST = {"subject": 240, "lighting": 300, "mood": 80, "tag": 40}  # characters

_CONTENT_TYPES = tuple(str(kind) for kind in ContentType)
# Written out, without references: not every server's grammar follows them.
_KINDS: dict[str, Any] = {"type": "string", "enum": list(_CONTENT_TYPES)}
_TAGS: dict[str, Any] = {
    "type": "array",
    "items": {"type": "string"},
    "minItems": TAGS_LEAST,
    "maxItems": TAGS_MOST,
}
# What models call these, where they answer with objects.
_NAMES = ("name", "tag", "label", "keyword")
_CATEGORIES = ("category", "type", "kind")
_CONFIDENCES = ("confidence", "score", "probability")
# Said of every picture, so they find none.
_EMPTY_WORDS = frozenset(
    ("photo", "photos", "photograph", "photographs", "photography", "photographic")
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[^\W\d_a-z])")
_THOUGHT_END = "</think>"  # how reasoning models close what they say to themselves


def plain(text: str, longest: int) -> str:
    """Make any text one line of plain text, cut at a word where it is too long.

    Control, format (zero width, direction), private and unassigned characters and lone
    surrogates are taken out; what looks like markup stays, as the text it is.
    """
    # Whatever is far over the limit is not worth the work of composing it.
    text = unicodedata.normalize("NFC", text[: longest * 8])
    text = " ".join(text.split())
    text = "".join(char for char in text if not unicodedata.category(char).startswith("C"))
    text = " ".join(text.split())
    if len(text) <= longest:
        return text
    cut = text[: longest - 1]
    return (cut.rpartition(" ")[0] if " " in cut[longest // 2 :] else cut).rstrip() + "…"


def tags(given: Sequence[object]) -> list[SuggestedTag]:
    """Bring suggested tags into the vocabulary's form: lower case, each once, seven at most.

    Words that fit every picture ("photo", "photography") are taken out, also of a longer tag:
    "street photography" is "street". What is no short name is left out.

    Args:
        given: names, several in one text perhaps, or objects with a name and what else a model
            says of it.
    """
    found: dict[str, SuggestedTag] = {}
    for each in given:
        said = each if isinstance(each, Mapping) else {"name": each}
        text = _first(said, _NAMES)
        for part in re.split(r"[,;\n]", text[:1000]) if isinstance(text, str) else ():
            if name := _tag_name(part):
                category = _first(said, _CATEGORIES)
                above = _tag_name(category) if isinstance(category, str) else ""
                sure = _confidence(_first(said, _CONFIDENCES))
                found.setdefault(name, SuggestedTag(name, sure, above or None))
    return list(found.values())[:TAGS_MOST]


def _first(said: Mapping[object, object], names: Sequence[str]) -> object:
    return next((said[name] for name in names if name in said), None)


def _tag_name(text: str) -> str:
    words = re.sub(r"[_|#\"“”]+", " ", plain(text, 400)).lower().split()
    tag = " ".join(word for word in words if word.strip(".!:") not in _EMPTY_WORDS)
    tag = tag.strip(" .!?:'*-/\\()[]{}")
    return tag if len(tag) <= LONGEST["tag"] and any(char.isalnum() for char in tag) else ""


def _confidence(said: object) -> int | None:
    """Read how sure a model is, as 0-100, from 0.8, 80 or "80 %"; None for anything else."""
    if isinstance(said, str):
        try:
            said = float(said.strip().removesuffix("%"))
        except ValueError:
            return None
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 <= said <= 100:
        return None
    return round(said * 100 if said <= 1 else said)


def _stated(text: str) -> str:
    if not any(char.isalnum() for char in text):
        raise ValueError("must say something")
    return text


def _kind(value: Any) -> str:
    text = re.sub(r"[^a-z]+", "_", value.lower()).strip("_") if isinstance(value, str) else ""
    return text if text in _CONTENT_TYPES else str(ContentType.OTHER)


def _sentence(text: str) -> str:
    return plain(_SENTENCE_END.split(plain(text, 4 * LONGEST["lighting"]))[0], LONGEST["lighting"])


def _listed(given: object) -> list[SuggestedTag]:
    """Read the tags of a list, or of one text with commas, which LLaVA likes to write."""
    if isinstance(given, str):
        given = [given]
    if not isinstance(given, list) or not all(isinstance(each, str | dict) for each in given):
        raise ValueError("is no list")
    return tags(given)


def _suggested(found: list[SuggestedTag], info: ValidationInfo) -> list[SuggestedTag]:
    if len(found) < (1 if info.context else TAGS_LEAST):
        raise ValueError(
            f"must be {TAGS_LEAST} to {TAGS_MOST} different short tags without the words photo or"
            f" photography; these are {len(found)}"
        )
    return found


def _line(longest: str) -> AfterValidator:
    return AfterValidator(lambda text: _stated(plain(text, LONGEST[longest])))


class Description(BaseModel):
    """What is in a picture and how its light reads; never whether it is good.

    Its schema is what a model is held to; :meth:`model_validate_json` what an answer goes through.
    """

    model_config = ConfigDict(json_schema_extra=lambda schema: schema.pop("description", None))

    subject: Annotated[str, _line("subject")]
    content_type: Annotated[ContentType, BeforeValidator(_kind), WithJsonSchema(_KINDS)]
    lighting_critique: Annotated[str, AfterValidator(_sentence), AfterValidator(_stated)]
    artistic_mood: Annotated[str, _line("mood")]
    suggested_tags: Annotated[
        list[SuggestedTag],
        BeforeValidator(_listed),
        AfterValidator(_suggested),
        WithJsonSchema(_TAGS),
    ]

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **how: Any) -> Description:
        """Check a model's answer; a fence or a sentence around its JSON does not count.

        With a ``context`` fewer tags will do: one is better than no description.

        Raises:
            pydantic.ValidationError: it is not what was asked for; says what is wrong.
        """
        text = json_data if isinstance(json_data, str) else bytes(json_data).decode("utf-8")
        text = text.rpartition(_THOUGHT_END)[2]
        first, last = text.find("{"), text.rfind("}")
        return super().model_validate_json(text[first : last + 1] if first >= 0 else text, **how)

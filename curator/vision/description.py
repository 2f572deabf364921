"""Description: what a vision model says of a photo, made harmless on its way in.

What a model says is data. Whatever it is, it comes out of here as short plain text: no control
characters, no invisible or direction-changing ones, one line, of limited length.
"""

from __future__ import annotations

from pydantic import BaseModel

TAG_CONFIDENCE = 60  # 0-100; a vision model gives no number of its own worth keeping


class Description(BaseModel):
    """What is in a picture and how its light reads; never whether it is good."""

    subject: str
    content_type: str
    lighting_critique: str
    artistic_mood: str
    suggested_tags: list[str]

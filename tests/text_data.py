"""Text in photos for tests: pictures of it, and lines in a catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from curator.catalog import Catalog
from curator.model import Kind, StageJob, TextLine, TextRead
from curator.ocr import models

needs_models = pytest.mark.skipif(models.folder() is None, reason="the extra text is not installed")

CORNERS = ((0.1, 0.1), (0.3, 0.1), (0.3, 0.2), (0.1, 0.2))
"""Where the lines of :func:`save` are; each further line is below."""


def line(text: str, place: int = 0) -> TextLine:
    return TextLine(text, 0.9, tuple((x, y + 0.15 * place) for x, y in CORNERS))


def save(catalog: Catalog, texts: Mapping[int, Sequence[str]]) -> None:
    """Save the text in photos whose proxies are in the catalog, as the stage would."""
    results = []
    for photo, said in texts.items():
        digest = catalog.store.value("SELECT proxy_digest FROM photo WHERE id = ?", (photo,))
        job = StageJob(photo, "read_text", "", Kind.IMAGE, "", fingerprint=digest)
        lines = tuple(line(text, place) for place, text in enumerate(said))
        results.append((job, TextRead(digest, lines)))
    assert catalog.text_lines.save(results) == list(texts)
    catalog.text.update_all()

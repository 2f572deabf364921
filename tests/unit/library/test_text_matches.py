"""What searches by words find is cached, up to a limit of memory."""

from __future__ import annotations

import pytest

from curator.catalog import Catalog
from curator.library import text_matches
from curator.library.tag_index import TagIndex
from curator.library.text_matches import TextMatches


def test_found_photos_are_cached_until_they_hold_too_much(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[str] = []

    def search(name: str) -> list[int]:
        searched.append(name)
        return [3, 5, 8]

    monkeypatch.setattr(catalog.tags, "photos_with", search)
    matches = TextMatches(catalog, TagIndex(catalog), lambda ids: ids > 4)
    names = ["heron", "owl"]
    for name in names * 2:
        assert matches.tagged(name).tolist() == [False, True, True]
    assert searched == names
    monkeypatch.setattr(text_matches, "_CACHED_BYTES", 20)
    matches.tagged("heron")
    matches.tagged("heron")
    assert searched == [*names, "heron"], "both were dropped once"

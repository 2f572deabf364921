"""Stacks on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from curator.catalog import Catalog, StackChange
from curator.home import Home
from curator.model import StackKind
from tests import catalogs
from tests.unit.cli.conftest import Type


def test_photos_have_the_first_photo_of_their_stack_and_the_suggested_best(
    curator: Type, tmp_path: Path
) -> None:
    home = Home.at(tmp_path / "home").make()
    catalogs.fill(home.catalog, 9)
    catalog = Catalog.open(home.catalog)
    burst, bracket = StackKind.BURST, StackKind.BRACKET
    kinds = {2: burst, 3: burst, 4: burst, 5: bracket, 6: bracket}
    catalog.stacks.save([StackChange(n, 2 if n < 5 else 5, kind) for n, kind in kinds.items()])
    catalog.journal.decide(
        {8: {"stacked": 9}, 9: {"stacked": 9}, 4: {"stacked": 0}}, summary="Stacked 2"
    )
    catalog.close()
    listed: dict[int, dict[str, Any]] = {
        photo["id"]: photo for photo in curator("photos", "--json").json
    }
    said = {n: (p["stack"], p["stack_kind"]) for n, p in listed.items() if p["stack"]}
    assert said == {
        2: (2, "burst"),
        3: (2, "burst"),
        5: (5, "bracket"),
        6: (5, "bracket"),
        8: (8, "hand"),
        9: (8, "hand"),
    }
    assert listed[4]["stack"] is listed[4]["stack_kind"] is None
    # Sharpness rises with the number here, up to the 27th photo.
    assert [n for n, photo in listed.items() if photo["proposed"]] == [3, 9]

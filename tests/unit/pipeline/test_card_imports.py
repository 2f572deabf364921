"""A card is imported while the conductor reads it, is pulled, and comes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from curator.catalog import Catalog
from curator.home import Home
from curator.pipeline import Pipeline
from curator.settings import Settings
from tests import catalogs, fake_stages
from tests.copies import copy_verified
from tests.drives import Drives, drives  # noqa: F401 # a fixture


@pytest.fixture
def pipeline(home: Home, pipelines: list[Pipeline]) -> Pipeline:
    catalogs.empty(home.catalog)
    pipeline = Pipeline(home, Settings.load(home), inline=True, stages=fake_stages.STAGES)
    pipelines.append(pipeline)
    pipeline.start()
    return pipeline


def test_photos_of_a_card_go_on_from_their_copies(
    pipeline: Pipeline,
    catalog: Catalog,
    drives: Drives,  # noqa: F811
    home: Home,
    tmp_path: Path,
) -> None:
    fake_stages.write(drives.make("C0FFEE", "EOS_DIGITAL") / "DCIM", "ok", "ok", "ok")
    card, library, imports = drives.plug("C0FFEE"), tmp_path / "photos", catalog.imports
    pipeline.open_folders([card])
    catalog.journal.decide({2: {"flag": "reject"}, 3: {"rating": 5}}, summary="Marked two")
    imports.add_library(library, is_new=True)
    run = imports.begin({}, "")

    def copy(number: int) -> None:
        name = f"DCIM/{number:03}.jpg"
        imports.record(run, [copy_verified(card, name, library)], library)

    def seen() -> list[tuple[str, str]]:
        details = [catalog.photos.get(photo) for photo in catalog.photos.ids()]
        return [(str(detail.path.parents[1]), detail.state) for detail in details]

    def settled() -> list[bool]:
        return [imports.settle_card(row.id) for row in catalog.folders.all()]

    copy(0)
    copy(1)
    pipeline.rescan()
    assert seen() == [(str(library), ""), (str(library), ""), (str(card), "")]
    drives.pull("C0FFEE")
    pipeline.rescan()
    assert seen() == [(str(library), ""), (str(library), ""), (str(card), "missing")]
    assert not any(settled())
    card = drives.plug("C0FFEE", "EOS_DIGITAL 1")
    pipeline.rescan()
    assert seen() == [(str(library), ""), (str(library), ""), (str(card), "")]
    copy(2)
    drives.pull("C0FFEE")
    pipeline.rescan()
    assert sorted(settled()) == [False, True]
    card = drives.plug("C0FFEE")
    pipeline.open_folders([card])
    pipeline.rescan()
    assert seen() == [(str(library), "")] * 3
    assert [str(catalog.photos.get(n).marks.verdict) for n in (1, 2, 3)] == [
        *("unreviewed", "rejected", "kept")
    ]
    assert (home.cache / "order.log").read_text().split() == ["1", "2", "3"]  # nothing twice

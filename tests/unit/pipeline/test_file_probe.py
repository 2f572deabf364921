"""The probe: questions about files, answered beside the conductor."""

from __future__ import annotations

from pathlib import Path
from queue import SimpleQueue

import pytest

from curator.catalog import Catalog
from curator.home import Home
from curator.model import CatalogError
from curator.pipeline import file_probe
from curator.pipeline.file_probe import FileProbe

LIMIT_S = 60


def test_a_question_that_finds_the_catalog_locked_fails_alone(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: SimpleQueue[object] = SimpleQueue()
    open_beside, locked = file_probe.open_beside, [True]

    def opened(path: Path) -> Catalog:
        if locked:
            locked.pop()
            raise CatalogError("The catalog is locked by another program.", "Try again.")
        return open_beside(path)

    monkeypatch.setattr(file_probe, "open_beside", opened)
    home.make()
    catalog = Catalog.open(home.catalog)
    probe = FileProbe(catalog, lambda act: act())
    try:
        for _ in range(2):
            probe.look(lambda beside, _: beside.photos.ids(), answers.put, answers.put)
        assert isinstance(answers.get(timeout=LIMIT_S), CatalogError)
        assert answers.get(timeout=LIMIT_S) == []
    finally:
        probe.stop()
        catalog.close()

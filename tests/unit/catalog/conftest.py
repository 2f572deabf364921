from __future__ import annotations

from pathlib import Path

import pytest

from curator.catalog import Catalog
from curator.stages import STAGES
from tests import catalogs
from tests.unit.catalog.shoot import Shoot, photo_bytes


@pytest.fixture
def shoot(catalog: Catalog, tmp_path: Path) -> Shoot:
    """A folder of photos next to an empty catalog."""
    return Shoot(catalog, tmp_path / "shoot")


@pytest.fixture
def photos(shoot: Shoot) -> list[int]:
    """The ids of three photos, scanned but not processed."""
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        shoot.write(name, photo_bytes(name))
    shoot.scan()
    return shoot.catalog.store.values("SELECT id FROM photo ORDER BY id")


@pytest.fixture
def twelve(catalog: Catalog) -> Catalog:
    """A catalog of twelve photos and all stages."""
    catalogs.fill(catalog.path, 12)
    catalog.work.use_stages(STAGES)
    return catalog

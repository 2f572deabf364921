from __future__ import annotations

from pathlib import Path

import pytest

from curator.catalog import Catalog
from tests.unit.catalog.shoot import Shoot


@pytest.fixture
def shoot(catalog: Catalog, tmp_path: Path) -> Shoot:
    """A folder of photos next to an empty catalog."""
    return Shoot(catalog, tmp_path / "shoot")

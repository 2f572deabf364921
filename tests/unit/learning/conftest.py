"""A learner of taste over the catalog of a test."""

from __future__ import annotations

import pytest

from curator.catalog import Catalog
from curator.home import Home
from curator.learning.learner import TasteLearner
from curator.settings import Settings


@pytest.fixture
def learner(catalog: Catalog, home: Home) -> TasteLearner:
    return TasteLearner(catalog, Settings.load(home).taste, home.cache)

"""Fixtures for tests of the pipeline."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from curator.home import Home
from curator.pipeline import Pipeline


@pytest.fixture
def pipelines(home: Home) -> Iterator[list[Pipeline]]:
    """Pipelines to stop at the end of the test, while its home is still there."""
    made: list[Pipeline] = []
    yield made
    for pipeline in made:
        pipeline.stop()

"""A server that may misbehave, and whom to ask there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from curator.vision import VisionOptions
from tests.ollama import Ollama


@pytest.fixture
def ollama() -> Iterator[Ollama]:
    """A server on the loopback that has llava."""
    with Ollama() as server:
        yield server


@pytest.fixture
def options(ollama: Ollama) -> VisionOptions:
    """Ask that server; a test that means to wait takes less time."""
    return VisionOptions(url=ollama.url, timeout_s=60)

"""A fake Ollama, and the options to use it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from curator.vision import VisionOptions
from tests.ollama import Ollama


@pytest.fixture
def ollama() -> Iterator[Ollama]:
    """A fake Ollama with the model llava."""
    with Ollama() as server:
        yield server


@pytest.fixture
def options(ollama: Ollama) -> VisionOptions:
    """Options for that server; tests of the time limit lower it."""
    return VisionOptions(url=ollama.url, timeout_s=60)

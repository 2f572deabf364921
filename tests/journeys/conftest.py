"""What every journey begins with: somebody at the window."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from curator.settings import Home
from tests.journeys.evening import Evening


@pytest.fixture
def evening(qtbot: QtBot, home: Home) -> Iterator[Evening]:
    """Somebody at the window, in a home of their own; it is closed at the end."""
    made = Evening(qtbot, home)
    yield made
    made.close()

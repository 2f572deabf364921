"""The fixture of all journeys: a user at the window."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from curator.home import Home
from tests.journeys.evening import Evening


@pytest.fixture
def evening(qtbot: QtBot, home: Home) -> Iterator[Evening]:
    """A user at the window, with an empty home; the window is closed at the end."""
    made = Evening(qtbot, home)
    yield made
    made.close()

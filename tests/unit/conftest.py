"""A session over a catalog of twelve photos, ids 1 to 12 in order of capture.

Photo 1 is a pick with one star, photo 11 a reject; the other ten are unreviewed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QCoreApplication

from curator import commands
from curator.catalog import Catalog
from curator.home import Home
from curator.session import Session
from curator.settings import Settings
from tests import catalogs

UNREVIEWED = [2, 3, 4, 5, 6, 7, 8, 9, 10, 12]


class Person:
    """Someone at the keyboard, who waits for the picture before marking."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.messages: list[str] = []
        session.messages.status_message.connect(self.messages.append)

    def run(self, *names: str, invert: bool = False) -> Person:
        for name in names:
            panes = self.session.compare.panes
            if panes is not None:
                self.session.viewer.note_painted(*panes.photos)
            elif self.session.current is not None:
                self.session.viewer.note_painted(self.session.current)
            commands.run(self.session, name, invert)
        return self


@pytest.fixture
def open_session(qapp: QCoreApplication, home: Home) -> Iterator[Callable[[], Session]]:
    """Open the session; a second call closes the first and opens it as the next start would."""
    catalogs.fill(home.catalog, 12)
    opened: list[tuple[Session, Catalog]] = []

    def start() -> Session:
        while opened:
            session, catalog = opened.pop()
            session.close()
            catalog.close()
        catalog = Catalog.open(home.catalog)
        session = Session(catalog, home, Settings.load(home))
        opened.append((session, catalog))
        return session

    yield start
    for session, catalog in opened:
        session.close()
        catalog.close()


@pytest.fixture
def session(open_session: Callable[[], Session]) -> Session:
    return open_session()


@pytest.fixture
def person(session: Session) -> Person:
    return Person(session)

"""What most parts of a session use: the catalog, the settings, the pipeline, the messages."""

from __future__ import annotations

from dataclasses import dataclass

from curator.catalog import Catalog
from curator.home import Home
from curator.pipeline import Pipeline
from curator.session.messages import Messages
from curator.session.preferences import Preferences
from curator.session.requests import Requests
from curator.settings import Settings


@dataclass(frozen=True)
class Services:
    """The services of one window; they know nothing of its photos.

    Attributes:
        catalog: the window's own connection.
        home: the folder with the catalog and the cache.
        settings: as in ``preferences``.
        pipeline: None where another process reads photos.
    """

    catalog: Catalog
    home: Home
    settings: Settings
    pipeline: Pipeline | None
    messages: Messages
    preferences: Preferences
    requests: Requests

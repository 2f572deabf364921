"""Descriptions by the vision model."""

from __future__ import annotations

from curator.commands.registry import command
from curator.session import Session


@command("Describe", "View")
def describe(session: Session) -> None:
    """Describe this photo now with the vision model."""
    session.descriptions.describe()


@command("Describe all photos", "View")
def describe_all(session: Session) -> None:
    """Describe all photos in the background, or stop doing so."""
    session.descriptions.switch()


@command("Vision model…", "View")
def provider(session: Session) -> None:
    """Test the vision model, choose another, or download one."""
    session.requests.vision_settings_requested.emit()

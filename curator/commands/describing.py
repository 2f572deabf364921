"""Describing: have the vision model say what is in photos."""

from __future__ import annotations

from curator.commands.registry import command
from curator.session import Session


@command("Describe", "View")
def describe(session: Session) -> None:
    """Have the vision model say what is in this photo, now."""
    session.descriptions.describe()


@command("Describe all photos", "View")
def describe_all(session: Session) -> None:
    """Have all photos described in the background, or no longer."""
    session.descriptions.switch()


@command("Vision model…", "View")
def provider(session: Session) -> None:
    """Test what describes photos, choose its model, or fetch one."""
    session.requests.vision_settings_requested.emit()

"""Memory cards: removable volumes with a DCIM folder, as cameras make them.

Import, sidecars and removal use it: nothing on a card is ever written or deleted by Curator.
"""

from __future__ import annotations

from dataclasses import dataclass

from curator.volumes import Mount

DCIM = "DCIM"


@dataclass(frozen=True, slots=True)
class Card:
    """A memory card that is mounted now."""

    mount: Mount

    @property
    def path(self) -> str:
        """The root of the card."""
        return self.mount.path

    @property
    def label(self) -> str:
        """Its name for people, ``EOS_DIGITAL``."""
        return self.mount.label

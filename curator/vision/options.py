"""What the vision model is, where it runs, and how long it may take: plain data."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from curator.private import mask_secrets
from curator.settings import Settings
from curator.vision.errors import UnreachableError


@dataclass(frozen=True)
class VisionOptions:
    """Which provider describes photos, and its limits; may be sent to another process.

    Attributes:
        provider: a name in PROVIDERS.
        url: the one address Curator connects to, ``http://localhost:11434``.
        model: the provider's name of the model.
        timeout_s: strict limit of one description, with the one repeat after a wrong answer.
        long_edge_px: larger pictures are sent at this size.
        key: of an openai_compatible server; empty: the environment, else the system keyring.
            Never shown, saved or logged.
    """

    provider: str = "ollama"
    url: str = "http://localhost:11434"
    model: str = "llava"
    timeout_s: float = 120.0
    long_edge_px: int = 1440
    key: str = field(default="", repr=False)

    @property
    def is_local(self) -> bool:
        """Whether the server runs on this machine: the environment's proxies do not apply."""
        host = urlsplit(self.url).hostname or ""
        if host == "localhost":
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False

    @property
    def client_options(self) -> dict[str, Any]:
        """What any HTTP client is made with, so that it connects to this address and no other."""
        return {
            "follow_redirects": False,
            "trust_env": not self.is_local,
            # Reading the certificates to trust takes longer than a request that needs none.
            "verify": not (self.is_local and self.base.startswith("http:")),
        }

    @property
    def base(self) -> str:
        """The address to connect to, without a slash at its end.

        Raises:
            VisionError: it is no http address.
        """
        try:
            parts = urlsplit(self.url.strip())
            fits = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
        except ValueError:  # a port that is no number
            fits = False
        if not fits:
            raise UnreachableError(
                f"{mask_secrets(self.url)[:200]!r} is no address of a server.",
                "Set vision.url to one such as http://localhost:11434.",
                retry=False,
                stops_all=True,
            )
        return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")

    @property
    def server_name(self) -> str:
        """What the server is called in a sentence."""
        return "Ollama" if self.provider == "ollama" and self.is_local else self.shown_url

    @property
    def shown_url(self) -> str:
        """The address as people may see it: a name and password in it are left out."""
        scheme, _, rest = self.url.strip().partition("://")
        if not rest:
            return mask_secrets(scheme)[:200]
        return f"{scheme}://{rest.rpartition('@')[2]}"[:200].rstrip("/")


def options(settings: Settings) -> VisionOptions:
    """Take the options out of the settings; asks neither network nor keyring."""
    vision = settings.vision
    return VisionOptions(
        vision.provider, vision.url, vision.model, vision.timeout_s, vision.long_edge_px
    )

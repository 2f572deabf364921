"""The options of a vision provider: its address, model and limits; and its API key."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from curator.private import mask_secrets, remember_secret
from curator.settings import Settings, in_settings
from curator.vision.errors import VisionError

_VARIABLE = "CURATOR_VISION_KEY"
_SERVICE = "curator"
_keys: dict[str, str] = {}  # address → key in the keyring


@dataclass(frozen=True)
class VisionOptions:
    """The provider that describes photos, and its limits.

    Attributes:
        provider: a name in PROVIDERS.
        url: the only address Curator connects to, such as ``http://localhost:11434``.
        model: the provider's name of the model.
        timeout_s: strict limit of one description, including the repeat after a wrong answer.
        long_edge_px: larger pictures are reduced to this size.
    """

    provider: str = "ollama"
    url: str = "http://localhost:11434"
    model: str = "llava"
    timeout_s: float = 120.0
    long_edge_px: int = 1440

    @property
    def is_local(self) -> bool:
        """Whether the server runs on this machine, so that proxies do not apply."""
        host = urlsplit(self.url).hostname or ""
        if host == "localhost":
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False

    @property
    def client_options(self) -> dict[str, Any]:
        """Options for any HTTP client, which restrict it to this address."""
        return {
            "follow_redirects": False,
            "trust_env": not self.is_local,
            # Loading certificates takes longer than a local request, which needs none.
            "verify": not (self.is_local and self.base.startswith("http:")),
        }

    @property
    def base(self) -> str:
        """The address to connect to, without a trailing slash.

        Raises:
            VisionError: it is not an http address.
        """
        try:
            parts = urlsplit(self.url.strip())
            fits = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
        except ValueError:  # a port that is not a number
            fits = False
        if not fits:
            raise VisionError(
                f"{mask_secrets(self.url)[:200]!r} is not the address of a server.",
                f"Correct {in_settings('vision.url')}, for example to http://localhost:11434.",
                retry=False,
                stops_all=True,
            )
        return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")

    @property
    def server_name(self) -> str:
        """The name of the server in a sentence."""
        return "Ollama" if self.provider == "ollama" and self.is_local else self.shown_url

    @property
    def shown_url(self) -> str:
        """The address to show to people, without user name and password."""
        scheme, _, rest = self.url.strip().partition("://")
        if not rest:
            return mask_secrets(scheme)[:200]
        return f"{scheme}://{rest.rpartition('@')[2]}"[:200].rstrip("/")


def options(settings: Settings) -> VisionOptions:
    """Return the options from the settings, without using network or keyring."""
    vision = settings.vision
    return VisionOptions(
        vision.provider, vision.url, vision.model, vision.timeout_s, vision.long_edge_px
    )


def find_key(url: str) -> str:
    """Return the API key for an address from the environment, else the keyring; "" if none.

    Curator never stores a key: ``keyring set curator ADDRESS`` does. In the keyring it belongs to
    that address, so it is never sent to another. The keyring is read once per address until
    :func:`forget_keys`: otherwise the system could ask the user to unlock it for each photo.

    Thread: any but the window's, as the system may ask the user to unlock the keyring.
    """
    if key := os.environ.get(_VARIABLE, "").strip():
        remember_secret(key)
        return key
    if url not in _keys:
        _keys[url] = _read_keyring(url)
        remember_secret(_keys[url])
    return _keys[url]


def forget_keys() -> None:
    """Read the keyring again at the next use; it may hold another key, or be unlocked."""
    _keys.clear()


def _read_keyring(url: str) -> str:
    import keyring
    import keyring.errors

    try:
        return keyring.get_password(_SERVICE, url) or ""
    except keyring.errors.KeyringError:  # no keyring, or it stays locked
        return ""

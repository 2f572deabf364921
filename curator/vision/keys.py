"""The API key of a vision server, from the environment or the system's keyring.

A key must never be stored elsewhere. In the keyring it belongs to one address, so it is never sent
to another.
"""

from __future__ import annotations

import os

from curator.model import KnownError
from curator.private import remember_secret

VARIABLE = "CURATOR_VISION_KEY"
SERVICE = "curator"
_cache: dict[str, str] = {}  # address → key in the keyring


def find_key(url: str) -> str:
    """Return the key for an address from the environment, else the keyring; "" if there is none.

    The keyring is read once per address until :func:`forget_keys`: otherwise the system could ask
    the user to unlock it for each photo.

    Thread: any but the window's, as the system may ask the user to unlock the keyring.
    """
    if key := os.environ.get(VARIABLE, "").strip():
        remember_secret(key)
        return key
    if url not in _cache:
        _cache[url] = _read_keyring(url)
        remember_secret(_cache[url])
    return _cache[url]


def forget_keys() -> None:
    """Read the keyring again at the next use; it may hold another key, or be unlocked."""
    _cache.clear()


def _read_keyring(url: str) -> str:
    import keyring
    import keyring.errors

    try:
        return keyring.get_password(SERVICE, url) or ""
    except keyring.errors.KeyringError:  # no keyring, or it stays locked
        return ""


def save_key(url: str, key: str) -> None:
    """Store the key for an address in the system's keyring; an empty key removes it.

    Raises:
        KnownError: the system has no usable keyring.
    """
    import keyring
    import keyring.errors

    forget_keys()
    try:
        if key:
            keyring.set_password(SERVICE, url, key)
        elif keyring.get_password(SERVICE, url) is not None:
            keyring.delete_password(SERVICE, url)
    except keyring.errors.KeyringError as error:
        raise KnownError(
            "This system has no keyring for keys, or it is locked.",
            f"Unlock it, or set {VARIABLE} in the environment.",
        ) from error

"""The API key of a vision server, from the environment or the system's keyring.

Curator never stores a key. In the keyring it belongs to one address, so it is never sent to
another; ``keyring set curator ADDRESS`` puts it there.
"""

from __future__ import annotations

import os

from curator.private import remember_secret

_VARIABLE = "CURATOR_VISION_KEY"
_SERVICE = "curator"
_cache: dict[str, str] = {}  # address → key in the keyring


def find_key(url: str) -> str:
    """Return the key for an address from the environment, else the keyring; "" if there is none.

    The keyring is read once per address until :func:`forget_keys`: otherwise the system could ask
    the user to unlock it for each photo.

    Thread: any but the window's, as the system may ask the user to unlock the keyring.
    """
    if key := os.environ.get(_VARIABLE, "").strip():
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
        return keyring.get_password(_SERVICE, url) or ""
    except keyring.errors.KeyringError:  # no keyring, or it stays locked
        return ""

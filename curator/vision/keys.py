"""The key of a vision server: from the environment or the system's keyring, nowhere else.

In the keyring it belongs to one address, so that it is never sent to another.
"""

from __future__ import annotations

import os

from curator.model import KnownError
from curator.private import remember_secret

VARIABLE = "CURATOR_VISION_KEY"
SERVICE = "curator"
_found: dict[str, str] = {}  # address → what the keyring said


def find_key(url: str) -> str:
    """Find the key for an address: the environment's, else the keyring's; empty without one.

    The keyring is asked once for an address until :func:`forget_keys`: for a whole shoot, a person
    would be asked to unlock it for each photo.

    Thread: any but the window's; the system may ask a person to unlock the keyring.
    """
    if key := os.environ.get(VARIABLE, "").strip():
        remember_secret(key)
        return key
    if url not in _found:
        _found[url] = _asked(url)
        remember_secret(_found[url])
    return _found[url]


def forget_keys() -> None:
    """Have the keyring asked anew: a person has put another key there, or unlocked it."""
    _found.clear()


def _asked(url: str) -> str:
    import keyring
    import keyring.errors

    try:
        return keyring.get_password(SERVICE, url) or ""
    except keyring.errors.KeyringError:  # no keyring here, or it stays locked: as without a key
        return ""


def save_key(url: str, key: str) -> None:
    """Put the key for an address into the system's keyring; an empty one is taken out.

    Raises:
        KnownError: the system keeps none; says where else it may be.
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
            "This system keeps no keys, or its keyring is locked.",
            f"Unlock it, or set {VARIABLE} in the environment.",
        ) from error

"""The checksum list beside the copies, for ``sha256sum -c`` and tools that read its format."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from curator.catalog import VerifiedCopy

SUFFIX = ".sha256"


def list_name(begun: float) -> str:
    """Return the name of the list of an import that began at this Unix time."""
    return f"curator-import-{datetime.fromtimestamp(begun):%Y-%m-%d-%H%M%S}{SUFFIX}"


def checksum_list(copies: Iterable[VerifiedCopy]) -> bytes:
    """Return the list of the copies at one destination, by name.

    Names contain no backslash and no line break (`curator.naming.safe`), so that no line needs the
    escapes of GNU's format.
    """
    lines = sorted({(copy.name, copy.sha256) for copy in copies})
    return "".join(f"{sha256} *{name}\n" for name, sha256 in lines).encode()

"""Creator, copyright and job of photos, added to sidecars; the import uses it."""

from __future__ import annotations

from dataclasses import dataclass

from curator.sidecar import fields
from curator.sidecar.merging import NEW, unless_blank
from curator.sidecar.packet import Packet
from curator.sidecar.sidecar_data import clean

_WANTED = frozenset({fields.CREATOR, fields.RIGHTS, fields.JOB})


@dataclass(frozen=True, slots=True)
class Credits:
    """What to state about photos; empty where nothing is."""

    creator: str = ""
    copyright: str = ""
    job: str = ""


def add_credits(existing: bytes | None, stated: Credits) -> bytes:
    """Return a sidecar with creator, copyright and job added where it states none.

    What it states already stays, and so does every other byte.

    Args:
        existing: the sidecar's bytes; None if there is none yet.
        stated: what to add.

    Returns:
        The new bytes; ``existing``, or ``b""`` for None, if nothing has to be added.

    Raises:
        SidecarError: ``existing`` cannot be read as XMP.
    """
    packet = Packet(unless_blank(existing) or NEW, _WANTED)
    if not packet.descriptions:
        packet = Packet(packet.with_description(), _WANTED)
    for name, kind, text in (
        (fields.CREATOR, "Seq", stated.creator),
        (fields.RIGHTS, "Alt", stated.copyright),
    ):
        if not packet.values(name):
            packet.change_items(name, kind, list(clean([text])), set())
    job = clean([stated.job])
    if job and not packet.value(fields.JOB):
        packet.set_value(fields.JOB, job[0])
    if not packet.changed:
        return existing or b""
    return packet.spliced()

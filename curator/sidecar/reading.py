"""Bytes of an XMP packet -> what it says of a photo."""

from __future__ import annotations

from collections.abc import Sequence

from curator.sidecar.said import Content


def read(data: bytes) -> Content:
    """Read what a sidecar or a packet embedded in a picture says of its photo.

    Understood: ``xmp:Rating`` (-1 a reject), ``xmpDM:pick`` and ``good``, ``xmp:Label`` (English,
    Bridge's own and known translations), ``dc:subject``, ``lr:hierarchicalSubject``,
    ``digiKam:TagsList``, ``PickLabel`` and ``ColorLabel``, ``darktable:colorlabels``,
    ``photomechanic:Tagged``, and Curator's own namespace. Where two fields disagree about the
    same thing, the one changed since we wrote the file counts.

    Args:
        data: the packet in any encoding XML knows; no external thing is read, nothing expanded.

    Returns:
        What it says; a file without any of these fields says nothing.

    Raises:
        SidecarError: no XMP, broken, too large or too deep, or it declares entities.
    """
    raise NotImplementedError


def read_embedded(
    packets: Sequence[bytes], keywords: Sequence[str] = (), exif_rating: int | None = None
) -> Content:
    """Read what a picture carries inside (`curator.imaging.packets.carried` fetches the parts).

    Args:
        packets: its XMP packet and the extended one, if any. A broken packet is a note, no error.
        keywords: of IPTC-IIM.
        exif_rating: EXIF 0x4746.

    Returns:
        XMP goes before EXIF; keywords are those of XMP and IPTC together.
    """
    raise NotImplementedError

"""Files on memory cards: photos with their companions, and what stays on the card."""

from __future__ import annotations

from pathlib import Path

from curator.importing.card_files import CardFile, CardItem, ItemKind


def test_an_item_counts_all_its_files() -> None:
    card = Path("/media/EOS")
    raw = CardFile(card, "DCIM/100CANON/IMG_0001.CR3", 30, 0)
    memo = CardFile(card, "DCIM/100CANON/IMG_0001.WAV", 12, 0)
    item = CardItem(ItemKind.PHOTO, (raw, memo), photo_files=1)
    assert item.main == raw
    assert item.bytes == 42
    assert raw.path == card / "DCIM" / "100CANON" / "IMG_0001.CR3"

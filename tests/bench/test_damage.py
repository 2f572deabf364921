"""How much damage is detected, and none in clean photos; -s prints the table."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import simplejpeg

from curator.imaging import containers, decode, jpeg
from curator.imaging.pixels import DecodeOptions
from curator.model import UnreadableError

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

CLEAN = ("photos", "bursts", "formats", "orientation", "sidecars", "raw")
"""Folders of the corpus with undamaged files; hostile/ holds the others."""
CHUNK = 4096  # bytes: a block of a memory card
VISIBLE, OFF = 0.01, 12  # damage is visible if this share of pixels is off by more levels
Harm = Callable[[bytearray, int, random.Random], None]


def one_bit(data: bytearray, body: int, rng: random.Random) -> None:
    data[rng.randrange(body, len(data) - 2)] ^= 1 << rng.randrange(8)


def ten_bits(data: bytearray, body: int, rng: random.Random) -> None:
    for _ in range(10):
        one_bit(data, body, rng)


def zeroed_block(data: bytearray, body: int, rng: random.Random) -> None:
    at = rng.randrange(body, max(len(data) - CHUNK, body + 1))
    data[at : at + CHUNK] = bytes(len(data[at : at + CHUNK]))


def swapped_blocks(data: bytearray, body: int, rng: random.Random) -> None:
    one, other = sorted(rng.sample(range(body, len(data) - CHUNK, CHUNK), 2))
    data[one : one + CHUNK], data[other : other + CHUNK] = (
        data[other : other + CHUNK],
        data[one : one + CHUNK],
    )


def cut_tail(data: bytearray, body: int, rng: random.Random) -> None:
    del data[rng.randrange(body + (len(data) - body) // 10, len(data) - 2) :]


# Kind → the change, and the least share of visible damage that must be detected.
KINDS: dict[str, tuple[Harm, float]] = {
    "one flipped bit": (one_bit, 0.7),
    "ten flipped bits": (ten_bits, 0.9),
    "zeroed block of 4 KB": (zeroed_block, 0.9),
    "swapped blocks of 4 KB": (swapped_blocks, 0.9),
    "cut tail": (cut_tail, 0.98),
}


@pytest.fixture(scope="module")
def clean(request: pytest.FixtureRequest) -> list[bytes]:
    """A hundred clean color JPEGs of the corpus, at least 0.3 MP each."""
    corpus: Path = request.getfixturevalue("corpus")
    found = []
    for path in (each for top in CLEAN for each in sorted((corpus / top).rglob("*"))):
        data = path.read_bytes() if path.is_file() else b""
        head = containers.read_jpeg_header(data) if data[:3] == b"\xff\xd8\xff" else None
        if head and head.components == 3 and 3e5 <= head.width * head.height <= 9e6:
            try:
                simplejpeg.decode_jpeg(data, strict=True)
            except ValueError:
                continue
            # Data after the picture (other frames, maker notes) stays undamaged.
            end = data.find(b"\xff\xd9", head.body) + 2
            if end - head.body > 4 * CHUNK:
                found.append(data[:end])
    random.Random(1).shuffle(found)
    return found[:100]


def test_damage_is_found_by_kind(clean: list[bytes]) -> None:
    rng, table = random.Random(2), {kind: Counter[str]() for kind in KINDS}
    for data in clean:
        body = containers.read_jpeg_header(data).body + 20
        whole = simplejpeg.decode_jpeg(data).astype(np.int16)
        for kind, (harm, _) in KINDS.items():
            hurt = bytearray(data)
            harm(hurt, body, rng)
            table[kind][outcome(bytes(hurt), whole)] += 1
    print(f"\n{'of ' + str(len(clean)) + ' photos':24s} found  missed  not visible (said damaged)")
    shares = {}
    for kind, counts in table.items():
        found, missed = counts["found"], counts["missed"]
        shares[kind] = found / max(found + missed, 1)
        unseen = counts["unseen"] + counts["unseen, found"]
        print(f"{kind:24s} {found:5d}  {missed:6d}  {unseen:11d} ({counts['unseen, found']})"
              f"   {shares[kind]:.0%}")  # fmt: skip
    assert all(shares[kind] >= least for kind, (_, least) in KINDS.items())


def outcome(hurt: bytes, whole: np.ndarray) -> str:
    try:
        stored = jpeg.decode(hurt, DecodeOptions())
    except UnreadableError:
        return "found"  # refused
    same = stored.rgb.shape == whole.shape
    off = (np.abs(stored.rgb.astype(np.int16) - whole).max(axis=2) > OFF).mean() if same else 1.0
    if off < VISIBLE:
        return "unseen, found" if stored.damage else "unseen"
    return "found" if stored.damage else "missed"


def test_no_clean_photo_is_called_damaged(corpus: Path) -> None:
    counted: Counter[str] = Counter()
    for top in CLEAN:
        for path in sorted((corpus / top).rglob("*")):
            try:
                damage = decode.decode(path).damage if path.is_file() else ""
            except UnreadableError:
                continue  # sidecars, truncated headers, unsupported formats
            if damage != "":
                counted[top] += 1
                assert damage is None, path
    print(f"\nclean: {dict(counted)}, {counted.total()} in all")
    assert counted.total() > 500

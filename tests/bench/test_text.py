"""Text over drawn and real pictures: how much of it is found, and how much is found that is none.

The real ones are photos of the corpus, labelled by eye.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageOps

from curator.bench.draw import scene
from curator.bench.draw_text import Drawn, draw
from curator.imaging.pixels import Image, shrink
from curator.library import text_hits
from curator.library.filters import parse
from curator.model import TextLine
from curator.ocr.finder import find
from curator.ocr.reader import read
from tests.text_data import needs_models

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800), needs_models]

PROXY = (1440, 960)
WORDS = [
    "EXIT",
    "Taxi",
    "Bakery",
    "MARKET",
    "Hotel",
    "Station",
    "PIER",
    "Linden",
    "Harbor",
    "School",
    "Museum",
    "Street",
]
LETTERS = "ABCDEFGHJKLMNPRSTVWXYZ"


def lines_of(rgb: Image) -> list[TextLine]:
    """Find text on a proxy and read it on the original, as the stage does."""
    small = shrink(rgb, PROXY[0])
    return read(find(small), max(rgb.shape[:2]) / max(small.shape[:2]), rgb)


def said(number: int, rng: random.Random) -> str:
    """Return a word, the number of a bib, or that of a car."""
    if number % 3 == 0:
        return rng.choice(WORDS)
    digits = str(rng.randrange(100, 9999))
    return digits if number % 3 == 1 else f"{''.join(rng.choices(LETTERS, k=2))}-{digits}"


def recall(
    cap_px: float,
    scale: float = 1.0,
    degrees: float = 0.0,
    spoil: Callable[[Image], Image] = lambda rgb: rgb,
) -> float:
    """Return the share of drawn texts that a search finds, dark and light ones, over scenes."""
    found = total = 0
    for seed in (1, 2):
        rng = random.Random(seed)
        width, height = (round(edge * scale) for edge in PROXY)
        texts = [
            Drawn(
                said(number, rng),
                ((number % 3 + 0.5) * width / 3, (number // 3 + 0.5) * height / 4),
                cap_px,
                degrees,
            )
            for number in range(12)
        ]
        color = (250, 250, 250) if seed % 2 else (20, 20, 30)
        lines = lines_of(spoil(draw((width, height), texts, scene((width, height), seed), color)))
        for text in texts:
            found += bool(text_hits.hits(parse(f'text:"{text.text}"'), lines))
            total += 1
    return found / total


@pytest.mark.parametrize(
    ("cap_px", "scale", "least"),
    [
        (8, 1.0, 0.5),
        (10, 1.0, 0.75),
        (16, 1.0, 0.75),
        (24, 1.0, 0.85),
        (60, 1.0, 0.85),
        (30, 25 / 6, 0.4),  # of 24 megapixels: 7 px on the proxy
        (40, 25 / 6, 0.6),
        (60, 25 / 6, 0.8),
    ],
)
def test_text_of_many_sizes_is_found(cap_px: float, scale: float, least: float) -> None:
    assert recall(cap_px, scale) >= least


@pytest.mark.parametrize(
    ("degrees", "least"), [(10, 0.85), (30, 0.75), (45, 0.7), (60, 0.7), (90, 0.6)]
)
def test_text_at_angles_is_found(degrees: float, least: float) -> None:
    assert recall(24, degrees=degrees) >= least


@pytest.mark.parametrize(("sigma", "least"), [(1.0, 0.85), (2.0, 0.8), (3.0, 0.3)])
def test_blurred_text_is_found(sigma: float, least: float) -> None:
    def blur(rgb: Image) -> Image:
        return np.asarray(cv2.GaussianBlur(rgb, (0, 0), sigma), np.uint8)

    assert recall(24, spoil=blur) >= least


# --- real photos

SIGNS: dict[str, tuple[str, ...]] = {
    "photos/metadata-extractor/Sony DigitalMavica.jpg": ("Linden", "Ave"),
    "photos/metadata-extractor/Apple iPhone 4.jpg": ("Tavolo 30", "Conto 01", "0080", "13:37"),
    "photos/metadata-extractor/Canon EOS REBEL T3i.jpg": ("BANK",),
    "photos/metadata-extractor/Olympus PEN E-P3.jpg": (
        *("OLYMPUS", "PEN", "E-P3", "Generation System", "Cameras", "CALUMET PHOTOGRAPHIC"),
        *("OM05040", "BLS-1", "BCS-1", "Serial No", "B9U505495", "EAN/JAN", "UPC", "BLK", "28-84"),
    ),
    "photos/pigallery2-demo/wild-1.jpg": ("BEARIZONA",),
    "photos/metadata-extractor/Nikon D90.jpg": (
        *("The stroke", "theory of writing", "Gerrit Noordzij"),
    ),
    "photos/metadata-extractor/Issue 211.jpg": ("RECONYX", "HYPERFIRE", "2016-04-19"),
    "photos/metadata-extractor/FLIR.jpg": ("FLIR", "89.4", "73.7"),
    "photos/metadata-extractor/Kodak DC3400.jpg": ("ECKO", "UNLTD"),
    "photos/metadata-extractor/Sony Cybershot (8).jpg": ("2000 9 30",),
    "bursts/imagededup/base_images/ukbench01380.jpg": (
        *("PAGANINI", "24 Caprices", "Op. 1", "Ilya Kaler", "Violin", "DDD", "8.550717"),
    ),
    "bursts/imagededup/base_images/ukbench09060.jpg": ("692EKD", "TEXAS"),
    "bursts/imagededup/base_images/ukbench09268.jpg": ("Oral-B",),
    "bursts/imagededup/base_images/ukbench09348.jpg": (
        *("New", "Johnson's", "softcream", "extra care", "healing hand cream", "lasts through"),
        *("multiple hand washings", "baby soft hands"),
    ),
    "bursts/imagededup/base_images/ukbench09380.jpg": (
        *("AMERICA'S", "FAVORITE", "NATURALLY", "BREWED", "PURPOSE", "KIKKOMAN", "Soy Sauce"),
    ),
    "bursts/kphotoalbum-demo/cold_water.jpg": ("LAS VEGAS",),
    "bursts/kphotoalbum-demo/spiff_2.jpg": ("Carlsberg",),
    "bursts/kphotoalbum-demo/pool_2.jpg": ("LAS VEGAS",),
    "bursts/photoprism-dups/assets/examples/IMG_4120.JPG": ("Lufthansa", "efs", "692"),
    "bursts/photoprism-dups/internal/photoprism/testdata/2015-02-04.jpg": ("MACHMER", "Don Pino"),
}
"""Photo of the corpus → what a person can read in it."""

TEXTLESS = (
    "photos/immich/*.jpg",
    "photos/photoprism/[bcdef]*.jpg",
    "photos/pigallery2-demo/IMG_*.jpg",
    "photos/andyzg/DSCF*[0-9].jpg",
    "bursts/brighton-beach-dji/*.JPG",
    "bursts/focus-stack/pcb/*.jpg",
)
# Photos of these with text on signs, coins and chips.
WITH_TEXT = ("DSCF3621", "bitcoin", "coin_gold", "clock")


def opened(path: Path) -> Image:
    with Pillow.open(path) as file:
        return np.asarray(ImageOps.exif_transpose(file).convert("RGB"))


def test_signs_in_real_photos_are_found(corpus: Path) -> None:
    missed, total = [], 0
    for name, labels in SIGNS.items():
        lines = lines_of(opened(corpus / name))
        for label in labels:
            total += 1
            if not text_hits.hits(parse(f'text:"{label}"'), lines):
                missed.append(f"{Path(name).stem}: {label}")
    print(f"{total - len(missed)} of {total} found; missed: {missed}")
    assert len(missed) <= 0.25 * total, missed


def test_photos_without_text_have_few_words(corpus: Path) -> None:
    photos = sorted(
        path
        for pattern in TEXTLESS
        for path in corpus.glob(pattern)
        if not any(name in path.name for name in WITH_TEXT)
    )
    found = {path.name: [line.text for line in lines_of(opened(path))] for path in photos}
    words = {name: texts for name, texts in found.items() if texts}
    print(f"{len(photos)} photos, {sum(map(len, words.values()))} false lines: {words}")
    assert len(photos) > 40 and sum(map(len, words.values())) <= 0.1 * len(photos), words

"""Ten thousand broken files: each is read or refused with a reason, and affects no other file."""

from __future__ import annotations

import os
import shutil
import struct
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import psutil
import pytest

from curator import sidecar
from curator.imaging import embedded_metadata, embedded_thumbnail, exif
from curator.model import Capture, KnownError
from curator.settings import Settings
from tests.bench.mutations import FORMS, Base, cameras, drawn, mutants, of_corpus
from tests.bench.trial import Trial, is_plain, reaped_s, written
from tests.photos import draw_jpeg
from tests.unit.cli.conftest import typed

pytestmark = pytest.mark.slow

COUNT = 1000  # in each of ten parts
SEED = 7
SAMPLE_MB = 300  # memory a decoder may allocate between two checks
GROWTH_MB = 60


@pytest.fixture
def bases(tmp_path: Path) -> tuple[Base, ...]:
    """Good files of every format, with real ones if the corpus is available."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "corpus"
    corpus = Path(os.environ.get("CURATOR_CORPUS") or beside)
    real = of_corpus(corpus) if (corpus / "formats").is_dir() else ()
    return (*drawn(), *cameras(tmp_path / "cameras"), *real)


@pytest.mark.parametrize("part", range(10))
def test_broken_files_do_not_affect_good_ones(
    tmp_path: Path, bases: tuple[Base, ...], part: int
) -> None:
    good = written(drawn(), tmp_path / "good")
    good.insert(0, draw_jpeg(tmp_path / "good" / "large.jpg", size=(1800, 1200)))
    whole = draw_jpeg(tmp_path / "whole.jpg", size=(4000, 3000))
    among, apart = [], []  # processor time of the large photo, s
    dirty, clean = Trial(tmp_path / "dirty"), Trial(tmp_path / "clean")
    try:
        expected = {path: clean.good(path)[0] for path in good}
        reaped, resident, on_good = reaped_s(), 0, 0.0
        for number, mutant in enumerate(mutants(Random(SEED + part), bases, COUNT)):
            dirty.put(mutant, number)
            if number % 4 == 0:  # one in five is good
                path = good[number // 4 % 10 and number // 4 % len(good)]
                found, cost = dirty.good(path)
                assert found == expected[path], path.name
                on_good += cost
                if path is good[0]:
                    among.append(cost)
                    apart.append(clean.good(path)[1])
            if number == COUNT // 10:
                resident = psutil.Process().memory_info().rss
        spent = dirty.spent_s() + reaped_s() - reaped - on_good
        grown = (psutil.Process().memory_info().rss - resident) / 1e6
        camera = min(clean.good(whole)[1] for _ in range(3))
    finally:
        dirty.pool.close()
        clean.pool.close()
    # The lower quartiles, to exclude other load on the machine.
    ratio = sorted(among)[len(among) // 4] / sorted(apart)[len(apart) // 4]
    print(dirty.report())
    print(f"good photos among broken ones / apart: {ratio:.2f}; the parent grew by {grown:.0f} MB")
    print(f"a broken file: {spent / COUNT:.3f} s, a photo of 12 megapixels: {camera:.3f} s")
    assert {form for form, _ in dirty.table} == FORMS and dirty.table.total() == COUNT
    assert dirty.mistakes == []
    assert [reason for reason in dirty.reasons if not is_plain(reason)] == []
    assert dirty.slowest[0] < dirty.work.timeout_s + 60, dirty.slowest
    assert dirty.peak_mb < dirty.work.memory_mb + SAMPLE_MB
    assert grown < GROWTH_MB
    assert ratio < 1.2, "good photos between broken ones take longer"
    assert spent / COUNT < 1.2 * camera, "a broken file takes longer than a good photo"


Curator = Callable[..., Any]


@pytest.fixture
def curator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Curator:
    """Run a command with a home; return its exit code and its JSON."""

    def type_(home: str, *words: object) -> tuple[int, Any]:
        said = typed(capsys, "--home", tmp_path / home, "--json", *words)
        return said.code, said.json

    return type_


def derived(home: Path) -> dict[str, bytes]:
    """Return the content of a home's proxies, by name."""
    found = sorted((home / "cache" / "proxies").rglob("*.jpg"))
    return {path.name: path.read_bytes() for path in found}


def test_a_card_three_quarters_broken_is_read(
    curator: Curator, tmp_path: Path, bases: tuple[Base, ...]
) -> None:
    good = tmp_path / "good"
    for number in range(100):
        draw_jpeg(good / f"DSC_{number:04}.JPG", size=(240, 160), seed=number)
    card = tmp_path / "card"
    shutil.copytree(good, card / "100")
    (card / "101").mkdir()
    for mutant in mutants(Random(SEED + 1), bases, 300):
        (card / "101" / mutant.name).write_bytes(mutant.data)
    assert curator("clean", "ingest", good)[0] == 0
    code, answer = curator("home", "ingest", card)
    assert (code, answer["found"], answer["problems"]) == (0, 400, [])
    assert answer["failed"] == len(answer["failures"]) > 100
    assert answer["converted"] + answer["failed"] == 400
    assert [f["reason"] for f in answer["failures"] if not is_plain(f["reason"])] == []
    photos = curator("home", "photos")[1]
    told = {failure["id"] for failure in answer["failures"]}
    assert told == {photo["id"] for photo in photos if photo["status"] == "failed"}
    assert not {photo["id"] for photo in photos if photo["name"].startswith("DSC_")} & told
    assert derived(tmp_path / "clean").items() <= derived(tmp_path / "home").items()
    again = curator("home", "retry")[1]
    assert again["asked"] == again["failed"] == answer["failed"]
    assert curator("home", "failures")[1] == again["failures"]
    # One of them is copied from the card again, undamaged this time.
    path = Path(answer["failures"][0]["path"])
    draw_jpeg(good / "again.jpg", size=(240, 160), seed=1000).replace(path)
    curator("home", "ingest", card)
    found = [
        photo["status"] for photo in curator("home", "photos")[1] if photo["name"] == path.stem
    ]
    assert "ok" in found


def test_files_known_to_crash_other_programs_are_read_or_refused(
    curator: Curator, corpus: Path, tmp_path: Path
) -> None:
    shutil.copytree(corpus / "hostile", tmp_path / "hostile")
    code, answer = curator("home", "ingest", tmp_path / "hostile")
    assert (code, answer["problems"]) == (0, [])
    assert answer["converted"] + answer["failed"] == answer["found"] > 200
    reasons = sorted({failure["reason"] for failure in answer["failures"]})
    print(*reasons, sep="\n")
    assert [reason for reason in reasons if not is_plain(reason)] == []


# ---------------------------------------------------------------- fifty megabytes of junk

MB = 1 << 20
LIMIT_S = Settings().work.timeout_s / 4
"""Processor time of a part of reading a photo; a slow machine stays within the time limit."""


def _rdf(inside: bytes) -> bytes:
    return (
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.'
        b'org/dc/elements/1.1/" xmlns:lr="http://ns.adobe.com/lightroom/1.0/"><rdf:Description>'
        + inside
        + b"</rdf:Description></rdf:RDF>"
    )


def _bag(name: bytes, inside: bytes) -> bytes:
    return _rdf(b"<%b><rdf:Bag>%b</rdf:Bag></%b>" % (name, inside, name))


_ITEM = b"<rdf:li>%d</rdf:li>"
FILES: dict[str, Callable[[], bytes]] = {
    "a.jpg zeros": lambda: b"\xff\xd8\xff" + bytes(50 * MB),
    "b.jpg fill": lambda: b"\xff\xd8" + b"\xff" * (50 * MB),
    "c.jpg restarts": lambda: b"\xff\xd8\xff\xe1\0\4\0\0" + b"\xff\xd0" * (25 * MB),
    "d.jpg segments": lambda: b"\xff\xd8" + b"\xff\xe1\0\2" * (12 * MB),
    "e.tif directories": lambda: b"II*\0\x08\0\0\0" + struct.pack("<H", 512) * (25 * MB),
    "f.nef links": lambda: b"II*\0" + struct.pack("<I", 8) * (12 * MB),
    "g.cr3 boxes": lambda: struct.pack(">I4s4s", 12, b"ftyp", b"crx ") + b"\0\0\0\x08free" * MB,
}  # fmt: skip
PACKETS: dict[str, Callable[[], bytes]] = {
    "large": lambda: b" " * 50 * MB,
    "deep": lambda: b"<a>" * (5 * MB),
    "words": lambda: _bag(b"dc:subject", b"".join(map(_ITEM.__mod__, range(200_000)))),
    "word": lambda: _bag(b"dc:subject", b"<rdf:li>" + b"x" * 15 * MB + b"</rdf:li>"),
    "path": lambda: _bag(b"lr:hierarchicalSubject", b"<rdf:li>" + b"a|" * 7 * MB + b"</rdf:li>"),
    "paths": lambda: _bag(b"lr:hierarchicalSubject", b"<rdf:li>a|b</rdf:li>" * 200_000),
    "entities": lambda: b'<!DOCTYPE a [<!ENTITY b "cc">]><a>&b;</a>',
}  # fmt: skip


@pytest.mark.parametrize("what", FILES)
def test_fifty_megabytes_of_junk_are_skipped_fast(tmp_path: Path, what: str) -> None:
    path = tmp_path / what.split()[0]
    path.write_bytes(FILES[what]())
    begin = time.process_time()
    exif.read_capture(path)
    embedded_metadata.read(path)
    embedded_thumbnail.thumbnail(str(path), Capture(width=60, height=40))
    assert time.process_time() - begin < LIMIT_S


@pytest.mark.parametrize("what", PACKETS)
def test_a_giant_xmp_packet_is_read_or_refused_fast(what: str) -> None:
    data = PACKETS[what]()
    begin = time.process_time()
    try:
        found = sidecar.read(data).metadata
    except KnownError as error:
        assert str(error)
    else:
        assert len(found.keywords or ()) <= 10_000
        assert sum(map(len, found.hierarchical or ())) <= 16 * MB
    assert time.process_time() - begin < LIMIT_S

"""Creator, copyright and job of imported photos: beside the copies only, and losing nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import rdflib

from curator import files
from curator.catalog import VerifiedCopy
from curator.importing.credits import write_sidecars
from curator.importing.request import ImportRequest
from curator.model import Kind
from curator.sidecar import PROFILES, Credits, SidecarError, add_credits, merge, read
from curator.sidecar.sidecar_data import SidecarMetadata
from tests.sidecars import xmp
from tests.unit.sidecar.graphs import graph

ANN = Credits("Ann Lee", "© 2026 Ann Lee & Sons", "Wedding “A&B”")
LIGHTROOM, DARKTABLE = PROFILES["lightroom"], PROFILES["darktable"]
DC, PHOTOSHOP = "http://purl.org/dc/elements/1.1/", "http://ns.adobe.com/photoshop/1.0/"


def stated(data: bytes) -> dict[str, str]:
    """Return creator, rights and job as another XMP reader understands them."""
    found = graph(data)
    texts = {}
    for name in (f"{DC}creator", f"{DC}rights", f"{PHOTOSHOP}TransmissionReference"):
        for value in found.objects(None, rdflib.URIRef(name)):
            items = [value] if isinstance(value, rdflib.Literal) else list(found.objects(value))
            texts[name.rpartition("/")[2]] = next(
                str(item) for item in items if isinstance(item, rdflib.Literal)
            )
    return texts


def test_a_new_sidecar_states_creator_copyright_and_job() -> None:
    data = add_credits(None, ANN)
    assert stated(data) == {
        "creator": ANN.creator,
        "rights": ANN.copyright,
        "TransmissionReference": ANN.job,
    }
    assert b'<rdf:li xml:lang="x-default">' in data and b"<rdf:Seq>" in data
    assert add_credits(data, ANN) == data, "once is enough"
    assert add_credits(None, Credits()) == b""


def test_what_a_sidecar_states_already_stays() -> None:
    data = xmp(4, "Red", ("dog",))
    first = add_credits(data, Credits("Bob"))
    second = add_credits(first, ANN)
    assert stated(second)["creator"] == "Bob" and stated(second)["rights"] == ANN.copyright
    assert read(second).metadata == read(data).metadata
    assert b'crs:Exposure2012="+0.35"' in second
    rated = merge(second, SidecarMetadata(rating=5), read(second).metadata, LIGHTROOM)
    assert stated(rated) == stated(second)


def test_only_what_xml_can_hold_is_written() -> None:
    assert stated(add_credits(None, Credits("Ann\x00\n Lee")))["creator"] == "Ann Lee"
    with pytest.raises(SidecarError):
        add_credits(b"no xmp", ANN)


class Place:
    """A destination with copies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "2026").mkdir(parents=True)

    def copy(self, name: str, kind: Kind | None = None, content: bytes = b"copy") -> VerifiedCopy:
        path = self.path / name
        path.write_bytes(content)
        status = path.stat()
        return VerifiedCopy(
            "/card", name, "f", files.sha256(path), status.st_size, str(self.path), name,
            status.st_mtime_ns, kind=kind,
        )  # fmt: skip

    def request(self, sidecars: bool = True) -> ImportRequest:
        return ImportRequest(
            (Path("/card"),), (self.path,), job=ANN.job, creator=ANN.creator,
            copyright=ANN.copyright, sidecars=sidecars,
        )  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "library")


def test_sidecars_are_completed_or_created_beside_the_copies(place: Place) -> None:
    pair = [place.copy("2026/A.NEF", Kind.RAW), place.copy("2026/A.JPG", Kind.IMAGE)]
    told = [place.copy("2026/B.CR3", Kind.RAW), place.copy("2026/B.xmp", None, xmp(3))]
    lone, video = [place.copy("2026/C.JPG", Kind.IMAGE)], [place.copy("2026/D.MP4")]
    done = write_sidecars(place.request(), place.path, [pair, told, lone, video], LIGHTROOM)
    assert (done.created, done.changed) == (["2026/A.xmp"], ["2026/B.xmp"])
    assert done.without == ["2026/C.JPG"] and not done.problems
    for name in ("A", "B"):
        data = (place.path / "2026" / f"{name}.xmp").read_bytes()
        assert stated(data)["creator"] == ANN.creator
    assert read((place.path / "2026" / "B.xmp").read_bytes()).metadata.rating == 3
    again = write_sidecars(place.request(), place.path, [pair, told], LIGHTROOM)
    assert not (again.created or again.changed)
    done = write_sidecars(place.request(), place.path, [lone], DARKTABLE)
    assert done.created == ["2026/C.JPG.xmp"]


def test_nothing_is_written_unless_asked_for(place: Place) -> None:
    raw = [place.copy("A.NEF", Kind.RAW)]
    assert not write_sidecars(place.request(sidecars=False), place.path, [raw], LIGHTROOM).created
    assert [path.name for path in place.path.iterdir() if path.is_file()] == ["A.NEF"]


def test_a_sidecar_that_cannot_be_read_stays_and_is_named(place: Place) -> None:
    raw = [place.copy("A.NEF", Kind.RAW), place.copy("A.xmp", None, b"broken")]
    good = [place.copy("B.NEF", Kind.RAW)]
    done = write_sidecars(place.request(), place.path, [raw, good], LIGHTROOM)
    assert [name for name, _ in done.problems] == ["A.xmp"] and done.created == ["B.xmp"]
    assert (place.path / "A.xmp").read_bytes() == b"broken"

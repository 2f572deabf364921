"""Reading rating, flag, label and keywords from the fields of each program."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from curator.model import Flag, Label, Marks
from curator.sidecar import SidecarError, SidecarMetadata, fields, read, read_embedded

SPACES = " ".join(f'xmlns:{prefix}="{uri}"' for uri, prefix in fields.PREFIXES.items())


def xmp(attributes: str = "", inside: str = "") -> bytes:
    """Build a packet of one description."""
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{fields.RDF}">'
        f'<rdf:Description rdf:about="" {SPACES} {attributes}>{inside}</rdf:Description>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def bag(name: str, *items: str, kind: str = "Bag") -> str:
    """Build a property of several values."""
    inside = "".join(f"<rdf:li>{item}</rdf:li>" for item in items)
    return f"<{name}><rdf:{kind}>{inside}</rdf:{kind}></{name}>"


MARKS: list[tuple[str, str, int | None, str | None, str | None]] = [
    ("", "", None, None, None),
    ('xmp:Rating="4"', "", 4, None, None),
    ("", "<xmp:Rating>4</xmp:Rating>", 4, None, None),
    ("", "<xmp:Rating> 4.0 </xmp:Rating>", 4, None, None),
    (
        "",
        '<xmp:Rating rdf:parseType="Resource"><rdf:value>4</rdf:value></xmp:Rating>',
        4,
        None,
        None,
    ),
    (
        "",
        "<xmp:Rating><rdf:Description><rdf:value>4</rdf:value></rdf:Description></xmp:Rating>",
        4,
        None,
        None,
    ),
    ('xmp:Rating="0"', "", 0, None, None),
    ('xmp:Rating="7"', "", None, None, None),
    ('xmp:Rating="many"', "", None, None, None),
    ('xmp:Rating="3.5"', "", None, None, None),
    ('xmp:Rating="1e999"', "", None, None, None),
    # Bridge, darktable
    ('xmp:Rating="-1"', "", None, "reject", None),
    # Lightroom since 13.2
    ('xmp:Rating="5" xmpDM:pick="1" xmpDM:good="True"', "", 5, "pick", None),
    ('xmp:Rating="2" xmpDM:pick="-1" xmpDM:good="False"', "", 2, "reject", None),
    ('xmpDM:pick="0"', "", None, "none", None),
    ('xmpDM:good="False"', "", None, "reject", None),
    ('xmp:Rating="-1" xmpDM:pick="1"', "", None, "reject", None),
    # digiKam: none, rejected, pending, accepted
    ('digiKam:PickLabel="0"', "", None, "none", None),
    ('digiKam:PickLabel="1"', "", None, "reject", None),
    ('digiKam:PickLabel="2"', "", None, "none", None),
    ('digiKam:PickLabel="3"', "", None, "pick", None),
    ('xmpDM:pick="0" digiKam:PickLabel="3"', "", None, "pick", None),
    # Photo Mechanic
    ('photomechanic:Tagged="True"', "", None, "pick", None),
    ('photomechanic:Tagged="False"', "", None, "none", None),
    # labels, in English, as Bridge names them, and as Lightroom elsewhere writes them
    ('xmp:Label="Red"', "", None, None, "red"),
    ('xmp:Label="Approved"', "", None, None, "green"),
    ('xmp:Label="To Do"', "", None, None, "purple"),
    ('xmp:Label="Gelb"', "", None, None, "yellow"),
    ('xmp:Label="Bleu"', "", None, None, "blue"),
    ('xmp:Label="レッド"', "", None, None, "red"),
    ('xmp:Label=""', "", None, None, "none"),
    ('xmp:Label="Client choice"', "", None, None, None),
    ('digiKam:ColorLabel="4"', "", None, None, "green"),
    ('digiKam:ColorLabel="2"', "", None, None, None),  # orange is not one of our colors
    ("", bag("darktable:colorlabels", "3", kind="Seq"), None, None, "blue"),
    ("", bag("darktable:colorlabels", "9", kind="Seq"), None, None, "none"),
    ('xmp:Label="Blue" digiKam:ColorLabel="0"', "", None, None, "blue"),
]
"""Attributes, what is inside; then the rating, flag and label they say."""


def test_marks_are_read_from_each_editors_fields() -> None:
    wrong = []
    for attributes, inside, *marks in MARKS:
        metadata = read(xmp(attributes, inside)).metadata
        if [metadata.rating, metadata.flag, metadata.label] != marks:
            wrong.append((attributes or inside, marks, metadata))
    assert not wrong


def test_of_two_contradicting_fields_the_one_changed_since_we_wrote_counts() -> None:
    # We wrote a reject with 3 stars for darktable, then somebody changed one of the fields there.
    ours = 'curator:flag="reject" curator:rating="3" xmpDM:pick="-1"'
    untouched = read(xmp(f'xmp:Rating="-1" {ours}')).metadata
    assert (untouched.rating, untouched.flag) == (3, "reject")
    restored = read(xmp(f'xmp:Rating="2" {ours}')).metadata
    assert (restored.rating, restored.flag) == (2, "none")
    # for digiKam: its label speaks when it changed, and not when ours did through Lightroom
    ours = 'xmp:Rating="3" curator:flag="reject"'
    accepted = f'{ours} xmpDM:pick="-1" digiKam:PickLabel="3"'
    assert read(xmp(accepted)).metadata.flag == "pick"
    assert read(xmp(f'{ours} xmpDM:pick="1" digiKam:PickLabel="1"')).metadata.flag == "pick"
    # labels: darktable leaves xmp:Label and writes its own, none for none
    ours = 'xmp:Label="Red" curator:label="red"'
    assert read(xmp(ours, bag("darktable:colorlabels", "2", kind="Seq"))).metadata.label == "green"
    assert read(xmp(f'{ours} darktable:xmp_version="5"')).metadata.label == "none"
    assert read(xmp(f'{ours} digiKam:ColorLabel="5"')).metadata.label == "blue"


def test_a_sidecar_of_ours_edited_by_darktable_is_read() -> None:
    # We wrote a green reject with 3 stars; in darktable 4.2 it was given 2 stars and blue instead.
    # It wrote this: its own fields are new, xmpDM:pick, xmp:Label and the date are as we left them.
    metadata = read(
        xmp(
            'curator:flag="reject" curator:label="green" curator:rating="3" xmp:Label="Green"'
            ' xmp:MetadataDate="2026-11-21T10:32:33+00:00" xmp:Rating="2" xmpDM:good="False"'
            ' xmpDM:pick="-1" darktable:change_timestamp="-1" darktable:xmp_version="5"',
            bag("darktable:colorlabels", "3", kind="Seq")
            + bag("dc:subject", "Europe", "Norway", "Places", "from darktable")
            + bag("lr:hierarchicalSubject", "Places|Europe|Norway", "from darktable"),
        )
    ).metadata
    assert (metadata.rating, metadata.flag, metadata.label) == (2, "none", "blue")
    assert set(metadata.keywords or ()) == {"Norway", "Europe", "Places", "from darktable"}


def test_keywords_of_all_fields_are_joined() -> None:
    inside = (
        bag("dc:subject", "Iceland", "  two   words ", "Iceland")
        + bag("lr:hierarchicalSubject", "Places|Europe|Iceland", "Sea")
        + bag("digiKam:TagsList", "Places/Europe/Norway", kind="Seq")
    )
    metadata = read(xmp("", inside)).metadata
    assert metadata.keywords == ("Iceland", "two words", "Sea", "Norway")
    assert metadata.hierarchical == ("Places|Europe|Iceland", "Places|Europe|Norway")


def test_darktables_internal_tags_are_ignored() -> None:
    inside = bag("dc:subject", "cr2", "Folk") + bag(
        "lr:hierarchicalSubject", "darktable|format|cr2", "Folk"
    )
    metadata = read(xmp("", inside)).metadata
    assert (metadata.keywords, metadata.hierarchical) == (("Folk",), ())


def test_odd_lists_are_read() -> None:
    assert read(xmp('dc:subject="alone"')).metadata.keywords == ("alone",)
    assert read(xmp("", "<dc:subject>alone</dc:subject>")).metadata.keywords == ("alone",)
    assert read(xmp("", "<dc:subject/>")).metadata.keywords == ()
    numbered = "<dc:subject><rdf:Bag><rdf:_1>a</rdf:_1><rdf:_2>b</rdf:_2></rdf:Bag></dc:subject>"
    assert read(xmp("", numbered)).metadata.keywords == ("a", "b")
    several = bag("dc:subject", "a") + bag("dc:subject", "b")
    assert read(xmp("", several)).metadata.keywords == ("a", "b")


def test_text_is_made_safe() -> None:
    inside = bag("dc:subject", "a&#10;b", "x" * 5000, "\u202eevil", "&lt;b&gt;", "e\u0301")
    keywords = read(xmp("", inside)).metadata.keywords
    assert keywords is not None
    assert keywords[0] == "a b" and len(keywords[1]) == 1024
    assert keywords[3] == "<b>" and keywords[4] == "é"
    assert "\n" not in "".join(keywords) and "\u202e" not in "".join(keywords)
    odd = read(xmp('xmp:Label="&lt;script&gt;"'))
    assert odd.metadata.label is None
    assert odd.notes == ("Unknown label “<script>”; it stays in the file.",)


def test_the_date_is_read() -> None:
    date = read(xmp('xmp:MetadataDate="2024-01-30T23:02:06Z"')).metadata_date
    assert date == datetime(2024, 1, 30, 23, 2, 6, tzinfo=UTC)
    assert read(xmp('xmp:MetadataDate="2024-01-30T23:02:06"')).metadata_date is not None
    for odd in ("yesterday", "0000-00-00", "0001-01-01", "9999-99-99T99:99:99", "2" * 100):
        date = read(xmp(f'xmp:MetadataDate="{odd}"')).metadata_date
        assert date is None or date.tzinfo is not None


PACKET = xmp('xmp:Rating="4" xmp:Label="Red"', bag("dc:subject", "Ísland", "火山"))


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + PACKET,
        PACKET + b"\0" * 2048,
        b"\n\n<?xml version='1.0'?>" + PACKET + b" \n",
        b'<?xml version="1.0" encoding="UTF-16"?>' + PACKET,  # it lies
        PACKET.decode().encode("utf-16"),
        PACKET.decode().encode("utf-16-be"),
        b"\xfe\xff" + PACKET.decode().encode("utf-16-be") + b"\0\0" * 10,
        PACKET.decode().encode("utf-32"),
        b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>' + PACKET + b'<?xpacket end="w"?>',
        b'<?xml version="1.0" encoding="iso-8859-1"?>'
        + PACKET.decode().encode("iso-8859-1", "xmlcharrefreplace"),
    ],
    ids=lambda data: data[:12].hex(),
)
def test_every_encoding_is_read(data: bytes) -> None:
    metadata = read(data).metadata
    assert (metadata.rating, metadata.label, metadata.keywords) == (4, "red", ("Ísland", "火山"))


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(9))
    + b"]><x>&j;</x>"
)
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + xmp(
    "", "<dc:subject>&a;</dc:subject>"
)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 500,
        b"no xml",
        b"<html><body/></html>",
        PACKET[:-20],
        PACKET.replace(b"4", b"\xff", 1),
        PACKET.replace(b"Red", b"R\0d"),
        PACKET.replace(b"xmlns:dc", b"xmlns:dd"),
        PACKET + PACKET,
        BOMB,
        OUTSIDE,
        OUTSIDE.replace(b"SYSTEM", b"PUBLIC 'x'"),
        xmp("", "<dc:subject>" * 2000 + "</dc:subject>" * 2000),
        xmp("", "<a/>" * 500_000),
        xmp().replace(b"<rdf:Des", b"<rdf:Description/>" * 2000 + b"<rdf:Des", 1),
        xmp(" ".join(f'xmlns:n{number}="urn:n"' for number in range(2000))),
        b"<a>" + b" " * 50_000_000 + b"</a>",
        PACKET.decode().encode("utf-16")[:-1],
    ],
    ids=range(18),
)
def test_bad_input_is_refused_in_plain_words(data: bytes) -> None:
    with pytest.raises(SidecarError) as caught:
        read(data)
    assert str(caught.value)[0].isupper() and str(caught.value).endswith(".")
    assert len(str(caught.value)) < 200


def test_embedded_packets_and_keywords_are_joined() -> None:
    more = xmp("", bag("dc:subject", "more"))
    found = read_embedded([PACKET, more], ["from IPTC", "ísland"], 2)
    assert found.metadata.rating == 4
    assert found.metadata.keywords == ("Ísland", "火山", "more", "from IPTC")
    assert read_embedded([], [], 5).metadata == SidecarMetadata(rating=5)
    assert read_embedded([], [], 65535).metadata == SidecarMetadata()
    broken = read_embedded([PACKET[:-9]], ["kept"])
    assert broken.metadata == SidecarMetadata(keywords=("kept",))
    assert broken.notes[0].startswith("Embedded metadata could not be read")


def test_metadata_goes_to_the_catalog_and_back() -> None:
    metadata = SidecarMetadata.of(
        Marks(Flag.PICK, None, Label.RED), ["sea"], ["Places|Iceland", "alone"], ["P"]
    )
    assert metadata.keywords == ("sea", "Iceland", "alone")
    assert metadata.marks() == {"rating": None, "flag": Flag.PICK, "label": Label.RED}
    assert SidecarMetadata.from_json(metadata.as_json()) == metadata
    assert SidecarMetadata.from_json({"rating": 3, "of a later version": 1}) == SidecarMetadata(
        rating=3
    )
    assert SidecarMetadata().marks() == {} and not SidecarMetadata()
    assert (
        not SidecarMetadata(0, "none", "none", ())
        and SidecarMetadata(1)
        and SidecarMetadata(keywords=("a",))
    )

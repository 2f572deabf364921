"""What is written into a sidecar for each editor, and what is left alone."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.model import Flag, Label, Marks
from curator.sidecar import (
    PROFILES,
    SidecarError,
    SidecarMetadata,
    difference,
    fields,
    merge,
    read,
)
from curator.sidecar.packet import Packet
from tests.unit.sidecar.graphs import OURS, tree
from tests.unit.sidecar.test_reading import bag, xmp

LIGHTROOM, DARKTABLE, DIGIKAM = PROFILES.values()
NOW = datetime(2026, 3, 1, 12, 30, tzinfo=timezone(timedelta(hours=1)))
REJECT3 = SidecarMetadata.of(Marks(Flag.REJECT, 3, Label.RED), ["sea"], ["Places|Iceland"])


def written(data: bytes, *names: str) -> dict[str, str | list[str] | None]:
    """Read the fields of a file by their local names."""
    packet = Packet(data, fields.WANTED)
    lists = {fields.SUBJECT, fields.HIERARCHICAL, fields.TAGS_LIST, fields.COLORLABELS}
    every = names or sorted(fields.WANTED - {fields.METADATA_DATE})
    found = {n: packet.values(n) if n in lists else packet.value(n) for n in every}
    return {name.split(" ")[1]: value for name, value in found.items() if value is not None}


# --- what each profile writes


def test_lightroom_gets_stars_flag_label_and_keywords() -> None:
    assert written(merge(None, REJECT3, None, LIGHTROOM)) == {
        "Rating": "3",
        "pick": "-1",
        "good": "False",
        "Label": "Red",
        "subject": ["sea", "Iceland"],
        "hierarchicalSubject": ["sea", "Places|Iceland"],
    }
    assert written(merge(None, SidecarMetadata.of(Marks(Flag.PICK)), None, LIGHTROOM)) == {
        "pick": "1",
        "good": "True",
    }


def test_darktable_gets_a_reject_as_its_rating_and_the_stars_stay_beside_it() -> None:
    data = merge(None, REJECT3, None, DARKTABLE)
    found = written(data)
    assert (found["Rating"], found["rating"], found["pick"]) == ("-1", "3", "-1")
    assert (found["Label"], found["colorlabels"]) == ("Red", ["0"])
    assert read(data).metadata.rating == 3
    # undone, the stars are its rating again
    back = merge(data, SidecarMetadata.of(Marks(None, 3, None, True)), REJECT3, DARKTABLE)
    assert written(back, fields.RATING, fields.OUR_RATING, fields.PICK) == {
        "Rating": "3",
        "pick": "0",
    }
    assert (
        written(merge(None, SidecarMetadata.of(Marks(Flag.PICK, 4)), None, DARKTABLE))["Rating"]
        == "4"
    )


def test_digikam_gets_its_own_labels_and_tags() -> None:
    found = written(merge(None, REJECT3, None, DIGIKAM))
    assert (found["Rating"], found["PickLabel"], found["ColorLabel"]) == ("3", "1", "1")
    assert found["TagsList"] == ["sea", "Places/Iceland"]
    metadata = SidecarMetadata.of(Marks(label=Label.PURPLE), ["either/or"])
    found = written(merge(None, metadata, None, DIGIKAM))
    assert (found["ColorLabel"], found["subject"]) == ("6", ["either/or"])
    assert "TagsList" not in found  # digiKam would read two levels


def test_without_metadata_no_sidecar_is_made() -> None:
    for profile in PROFILES.values():
        assert merge(None, SidecarMetadata.of(Marks(kept=True)), None, profile) == b""
    assert merge(b"\0\0", SidecarMetadata.of(Marks()), None, LIGHTROOM) == b"\0\0"


def test_the_date_is_ours_when_something_changed() -> None:
    data = merge(xmp('xmp:MetadataDate="2020-01-01T00:00:00Z"'), REJECT3, None, LIGHTROOM, NOW)
    assert read(data).metadata_date == NOW
    assert b"2026-03-01T" in data


# --- three-way merge


def test_only_what_we_changed_is_written() -> None:
    base = SidecarMetadata.of(Marks(None, 2, Label.RED), ["a", "b"])
    # meanwhile Lightroom gave 5 stars, a pick, and exchanged a keyword
    theirs = xmp(
        'xmp:Rating="5" xmpDM:pick="1" xmpDM:good="True" xmp:Label="Red"',
        bag("dc:subject", "b", "theirs"),
    )
    ours = SidecarMetadata.of(Marks(None, 2, Label.GREEN), ["a", "c"])  # a label, b away, c added
    metadata = read(merge(theirs, ours, base, LIGHTROOM)).metadata
    assert (metadata.rating, metadata.flag, metadata.label) == (5, "pick", "green")
    assert metadata.keywords == ("theirs", "c")


def test_without_a_base_nothing_is_removed() -> None:
    theirs = xmp('xmp:Rating="5" xmp:Label="Red" xmpDM:pick="1"', bag("dc:subject", "theirs"))
    assert merge(theirs, SidecarMetadata.of(Marks()), None, DARKTABLE) is theirs
    metadata = read(merge(theirs, SidecarMetadata.of(Marks(None, 2)), None, DARKTABLE)).metadata
    assert (metadata.rating, metadata.flag, metadata.label) == (2, "pick", "red")
    assert metadata.keywords == ("theirs",)


def test_undo_removes_ours_and_keeps_later_changes() -> None:
    first = merge(None, REJECT3, None, LIGHTROOM)
    touched = first.replace(b"<rdf:li>sea</rdf:li>", b"<rdf:li>sea</rdf:li><rdf:li>new</rdf:li>", 1)
    back = merge(touched, SidecarMetadata.of(Marks(), (), ()), REJECT3, LIGHTROOM)
    assert read(back).metadata == SidecarMetadata(0, "none", None, ("new",), None)
    assert written(back, fields.LABEL, fields.GOOD, fields.PICK) == {"pick": "0"}


def test_a_removed_keyword_is_removed_from_all_lists() -> None:
    base = SidecarMetadata.of(Marks(), ["Iceland", "sea"])
    inside = (
        bag("dc:subject", "Iceland", "sea", "ICELAND ")
        + bag("lr:hierarchicalSubject", "Places|Iceland", "sea")
        + bag("digiKam:TagsList", "Places/Iceland", "sea", kind="Seq")
    )
    data = merge(xmp("", inside), SidecarMetadata.of(Marks(), ["sea"]), base, LIGHTROOM)
    assert written(data) == {
        "subject": ["sea"],
        "hierarchicalSubject": ["sea"],
        "TagsList": ["sea"],
    }


def test_an_existing_keyword_in_another_spelling_is_not_added_again() -> None:
    data = xmp("", bag("dc:subject", "ICELAND") + bag("lr:hierarchicalSubject", "Places|Iceland"))
    assert merge(data, SidecarMetadata.of(Marks(), ["Iceland"]), None, LIGHTROOM) is data


def test_fields_already_in_the_file_are_updated() -> None:
    theirs = xmp(
        'digiKam:PickLabel="3" digiKam:ColorLabel="4" photomechanic:Tagged="True" xmp:Label="Green"'
    )
    data = merge(theirs, SidecarMetadata.of(Marks(Flag.REJECT, None, Label.BLUE)), None, LIGHTROOM)
    found = written(data)
    assert (found["PickLabel"], found["ColorLabel"], found["Tagged"]) == ("1", "5", "False")
    assert (read(data).metadata.flag, read(data).metadata.label) == ("reject", "blue")


def test_bridges_reject_stays_as_bridge_wrote_it_until_stars_need_its_place() -> None:
    theirs = xmp('xmp:Rating="-1"')
    found = written(merge(theirs, SidecarMetadata.of(Marks(Flag.REJECT)), None, LIGHTROOM))
    assert found == {"Rating": "-1", "pick": "-1", "good": "False"}
    starred = merge(theirs, SidecarMetadata(rating=4), read(theirs).metadata, LIGHTROOM)
    assert written(starred) == {"Rating": "4", "pick": "-1", "good": "False"}
    kept = merge(theirs, SidecarMetadata(rating=4), read(theirs).metadata, DARKTABLE)
    assert (read(kept).metadata.rating, read(kept).metadata.flag) == (4, "reject")
    assert written(kept)["Rating"] == "-1"


def test_labels_of_other_programs_stay() -> None:
    client = xmp('xmp:Label="Client choice"')
    assert merge(client, SidecarMetadata.of(Marks(None, None)), None, LIGHTROOM) is client
    assert written(merge(client, SidecarMetadata.of(Marks(label=Label.RED)), None, LIGHTROOM)) == {
        "Label": "Red"
    }
    german = xmp('xmp:Label="Rot"')
    assert merge(german, SidecarMetadata.of(Marks(label=Label.RED)), None, LIGHTROOM) is german


# --- bytes


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (xmp('xmp:Rating="1"'), b'xmp:Rating="4"'),
        (xmp("xmp:Rating='1'"), b"xmp:Rating='4'"),
        (xmp("", "<xmp:Rating>1</xmp:Rating>"), b"<xmp:Rating>4</xmp:Rating>"),
        (xmp("", "<xmp:Rating />"), b"<xmp:Rating >4</xmp:Rating>"),
        (xmp("", '<xmp:Rating rdf:value="1" dc:type="x"/>'), b'rdf:value="4" dc:type="x"/>'),
        (xmp("", '<xmp:Rating xml:lang="en"/>'), b'<xmp:Rating xml:lang="en">4<'),
        (xmp("", '<xmp:Rating rdf:resource="1"/>'), b"<xmp:Rating>4</xmp:Rating>"),
        (
            xmp(
                "",
                '<xmp:Rating rdf:parseType="Resource"><rdf:value>1</rdf:value>'
                "<dc:source>who</dc:source></xmp:Rating>",
            ),
            b"<rdf:value>4</rdf:value><dc:source>who</dc:source>",
        ),
        (xmp().replace(b"xmlns:xmp=", b"xmlns:xap="), b'xap:Rating="4"'),
        (xmp().replace(b'xmlns:xmp="http://ns.adobe.com/xap/1.0/"', b""), b'xmlns:xmp="http'),
        (
            xmp("", "<xmp:own/>").replace(fields.XMP.encode(), b"urn:other"),
            b'xmlns:xmp2="http://ns.adobe.com/xap/1.0/"',
        ),
    ],
)
def test_each_spelling_of_a_property_keeps_its_form(before: bytes, after: bytes) -> None:
    data = merge(before, SidecarMetadata(rating=4), None, LIGHTROOM)
    assert after in data
    assert read(data).metadata.rating == 4
    assert tree(data, OURS) == tree(before, OURS)


@pytest.mark.parametrize(
    "data",
    [
        b'<rdf:RDF xmlns:rdf="%s"/>' % fields.RDF.encode(),
        b'<rdf:RDF xmlns:rdf="%s"></rdf:RDF>' % fields.RDF.encode(),
        b'<a:RDF xmlns:a="%s"><a:Description/></a:RDF>' % fields.RDF.encode(),
        b'<RDF xmlns="%s"><Description/></RDF>' % fields.RDF.encode(),
        b'<RDF xmlns="%s"/>' % fields.RDF.encode(),
    ],
)
def test_an_empty_packet_takes_all_fields(data: bytes) -> None:
    for profile in PROFILES.values():
        full = merge(data, REJECT3, None, profile)
        assert read(full).metadata == read(merge(None, REJECT3, None, profile)).metadata
        assert tree(full, OURS) == tree(data, OURS) == frozenset()


def test_a_prefix_declared_in_another_element_does_not_leak() -> None:
    inside = '<other:a xmlns:other="urn:o"><other:b xmlns:xmp="urn:not"/></other:a>'
    first = xmp("", inside).replace(f'xmlns:xmp="{fields.XMP}"'.encode(), b"")
    both = first.replace(b"</rdf:RDF>", b'<rdf:Description rdf:about=""/></rdf:RDF>')
    assert "xmp" not in Packet(both, fields.WANTED).descriptions[1].spaces
    data = merge(both, SidecarMetadata(rating=4), None, LIGHTROOM)
    assert f'xmlns:xmp="{fields.XMP}" xmp:Rating="4"'.encode() in data
    assert tree(data, OURS) == tree(both, OURS)


def test_items_with_qualifiers_and_comments_between_stay() -> None:
    inside = (
        '<dc:subject><rdf:Bag><!-- mine --><rdf:li xml:lang="is">Ísland</rdf:li>'
        '<rdf:li rdf:parseType="Resource"><rdf:value>sea</rdf:value><dc:type>x</dc:type></rdf:li>'
        "<rdf:li>gone</rdf:li></rdf:Bag></dc:subject>"
    )
    data = merge(
        xmp("", inside),
        SidecarMetadata(keywords=("new",)),
        SidecarMetadata(keywords=("gone",)),
        LIGHTROOM,
    )
    expected = inside.replace("<rdf:li>gone</rdf:li>", "<rdf:li>new</rdf:li>")
    assert expected.encode() in data


def test_one_line_stays_one_line_and_windows_line_ends_stay() -> None:
    assert b"\n" not in merge(xmp(), REJECT3, None, DIGIKAM)
    pretty = merge(None, SidecarMetadata.of(Marks(None, 1), ["a"]), None, DIGIKAM).replace(
        b"\n", b"\r\n"
    )
    data = merge(pretty, REJECT3, None, DIGIKAM)
    inside = data[data.index(b"<rdf:RDF") : data.index(b"</rdf:RDF>")]
    assert inside.count(b"\n") == inside.count(b"\r\n") > pretty.count(b"\r\n")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le", "utf-32", "utf-8-sig"])
def test_the_encoding_stays(encoding: str) -> None:
    before = xmp('xmp:Rating="1"', bag("dc:subject", "火山")).decode().encode(encoding)
    data = merge(before, SidecarMetadata(rating=4, keywords=("Ísland",)), None, LIGHTROOM)
    assert data.decode(encoding).replace("\ufeff", "")[0] == "<"
    assert data[:2] == before[:2]
    assert read(data).metadata.keywords == ("火山", "Ísland")


def test_characters_missing_in_an_old_encoding_are_written_as_references() -> None:
    before = b'<?xml version="1.0" encoding="ISO-8859-1"?>' + xmp("", bag("dc:subject", "Sæ"))
    before = before.decode().encode("latin-1")
    data = merge(before, SidecarMetadata(keywords=("火山",)), None, LIGHTROOM)
    assert b"&#28779;" in data and "Sæ".encode("latin-1") in data
    assert read(data).metadata.keywords == ("Sæ", "火山")


def test_an_unreadable_sidecar_is_not_merged() -> None:
    for data in (b"<x", b"<?xml version='1.0'?><!DOCTYPE x><x/>", b"<a/>", xmp()[:-5]):
        with pytest.raises(SidecarError):
            merge(data, REJECT3, None, LIGHTROOM)


def test_padding_and_wrapper_keep_their_bytes() -> None:
    before = (
        b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        + xmp('xmp:Rating="1"')
        + b" " * 2000
        + b'<?xpacket end="w"?>'
        + b"\0" * 7
    )
    data = merge(before, SidecarMetadata(rating=4), None, LIGHTROOM, NOW)
    start = before.index(b'xmp:Rating="1"')
    assert data.startswith(before[:start]) and data.endswith(before[start + 14 :])


# --- descriptions


def test_difference_lists_each_change() -> None:
    theirs = xmp('xmp:Rating="2" xmp:Label="Client"', bag("dc:subject", "old"))
    base = SidecarMetadata.of(Marks(None, 2), ["old"])
    ours = SidecarMetadata.of(Marks(Flag.PICK, 4, Label.RED), ["new"], None, ["Book"])
    assert difference(theirs, ours, base, LIGHTROOM) == [
        "rating: 2 → 4",
        "flag: none → pick",
        "label: none → red",
        "not kept: Unknown label “Client”; it stays in the file.",
        "keyword added: new",
        "keyword removed: old",
        "project added: Book",
    ]
    assert difference(theirs, base, base, LIGHTROOM) == []
    picked = xmp('xmpDM:pick="1" xmpDM:good="True"')
    lines = difference(picked, SidecarMetadata.of(Marks(Flag.PICK)), None, DIGIKAM)
    assert lines == ["the same, in the fields digiKam reads"]


# --- any metadata, any profile

names = st.text(st.characters(codec="utf-8"), max_size=12)
saids = st.builds(
    SidecarMetadata.of,
    st.builds(
        Marks,
        st.sampled_from([None, *Flag]),
        st.sampled_from([None, 1, 2, 3, 4, 5]),
        st.sampled_from([None, *Label]),
    ),
    st.lists(names, max_size=4),
    st.lists(st.lists(names, max_size=3).map("|".join), max_size=3),
    st.lists(names, max_size=2),
)


@settings(max_examples=60, deadline=None)
@given(saids, saids, st.sampled_from(list(PROFILES.values())))
def test_any_metadata_survives_writing_and_reading(
    first: SidecarMetadata, second: SidecarMetadata, profile: object
) -> None:
    assert isinstance(profile, type(LIGHTROOM))
    data, base = None, None
    for metadata in (first, second, first):
        data = merge(data, metadata, base, profile)
        if not data:
            assert not metadata
            return
        found = read(data).metadata
        for name in ("rating", "flag", "label"):
            none = 0 if name == "rating" else "none"
            assert (getattr(found, name) or none) == getattr(metadata, name)
        for name in ("keywords", "hierarchical", "projects"):
            here = {one.casefold() for one in getattr(found, name) or ()}
            wanted = {one.casefold() for one in getattr(metadata, name)}
            assert here == wanted, name
        assert merge(data, metadata, metadata, profile) is data
        assert merge(data, metadata, None, profile) == data
        base = metadata


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 500))
def test_any_bytes_are_read_or_refused(noise: bytes, at: int) -> None:
    whole = xmp('xmp:Rating="4"', bag("dc:subject", "a"))
    for data in (noise, whole[:at] + noise + whole[at:], whole[:at] + noise):
        try:
            read(data)
            merge(data, REJECT3, None, DIGIKAM)
        except SidecarError:
            pass

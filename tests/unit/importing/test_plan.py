"""Plans of imports: what is new, how it is named, and whether it can be done at all."""

from __future__ import annotations

import json
import os
import shutil
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from curator import cards, volumes
from curator.cards import Card
from curator.catalog import Catalog
from curator.imaging import exif
from curator.importing import destinations
from curator.importing.card_files import CardContents, CardFile, CardItem, ItemKind, find_files
from curator.importing.headers import FileFacts, read_headers
from curator.importing.plan import Action, ImportPlan, make_plan
from curator.importing.request import ImportRequest
from curator.importing.run import ImportRun
from curator.model import Flag, KnownError
from curator.volumes import Mount
from curator.workers import InlinePool
from tests.cards import draw_card, jpeg, write
from tests.faulty_drive import FaultyDrive, Traits
from tests.photos import TAKEN
from tests.unit.catalog import shoot

FIRST = TAKEN
DAY = f"{FIRST:%Y}/{FIRST:%Y-%m-%d}"


@dataclass
class Bench:
    """A card of three photos with companions, a library, a backup and an empty catalog."""

    catalog: Catalog
    top: Path

    @property
    def card(self) -> Path:
        return self.top / "EOS_DIGITAL"

    @property
    def library(self) -> Path:
        return self.top / "library"

    @property
    def backup(self) -> Path:
        return self.top / "backup"

    def plan(self, *also: Path, **request: object) -> ImportPlan:
        """Plan to import the card into the library."""
        chosen = {"cards": (self.card,), "destinations": (self.library, *also)} | request
        asked = ImportRequest(**chosen)  # type: ignore[arg-type]
        contents = find_files(asked.cards)
        return make_plan(asked, contents, read_headers(contents, InlinePool()), self.catalog)

    def run(self, *also: Path, **request: object) -> ImportPlan:
        """Import; return the plan."""
        plan = self.plan(*also, **request)
        report = ImportRun(plan, self.catalog).run()
        assert report.complete and not report.failures
        return plan

    def scan(self, folder: Path) -> None:
        """Have the catalog know the photos of a folder."""
        shoot.Shoot(self.catalog, folder).ingest()


@pytest.fixture
def bench(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(shoot, "read_exif", exif.read_capture)  # these photos are real ones
    draw_card(tmp_path / "EOS_DIGITAL", photos=3)
    return Bench(catalog, tmp_path)


def names(plan: ImportPlan) -> list[str]:
    return [file.name for item in plan.items for file in item.files]


def actions(plan: ImportPlan, destination: int = 0) -> dict[str, Action]:
    """Return what is done by name on the card."""
    return {
        file.file.path.name: file.actions[destination] for item in plan.items for file in item.files
    }


def known(plan: ImportPlan) -> list[str]:
    return [each.item.main.path.name for each in plan.known]


# --- names


def test_photos_are_named_by_their_dates_with_all_that_belongs_to_them(bench: Bench) -> None:
    plan = bench.plan(bench.backup)
    assert names(plan) == [
        f"{DAY}/{name}"
        for name in (
            *("IMG_0001.DNG", "IMG_0001.JPG", "IMG_0002.JPG", "IMG_0002.xmp"),
            *("IMG_0003.JPG", "IMG_0003.WAV"),
        )
    ]
    assert set(actions(plan).values()) == set(actions(plan, 1).values()) == {Action.COPY}
    assert [item.taken_at for item in plan.items] == [
        FIRST + timedelta(minutes=n) for n in range(3)
    ]
    assert not (plan.known or plan.renamed or plan.undated or plan.unreadable or plan.held_back)
    assert not bench.library.exists(), "a plan writes nothing"


def test_templates_name_folders_and_files_in_the_order_of_capture(bench: Bench) -> None:
    late = FIRST + timedelta(days=1)
    write(bench.card / "DCIM" / "100CANON" / "IMG_0000.JPG", jpeg(late, b"late"), FIRST)
    plan = bench.plan(folders="{job}/{date:%d}", names="{job}_{seq:4}", job="Ann: & Bo/2")
    assert names(plan) == [
        *("Ann_ & Bo_2/04/Ann_ & Bo_2_0001.DNG", "Ann_ & Bo_2/04/Ann_ & Bo_2_0001.JPG"),
        *("Ann_ & Bo_2/04/Ann_ & Bo_2_0002.JPG", "Ann_ & Bo_2/04/Ann_ & Bo_2_0002.xmp"),
        *("Ann_ & Bo_2/04/Ann_ & Bo_2_0003.JPG", "Ann_ & Bo_2/04/Ann_ & Bo_2_0003.WAV"),
        "Ann_ & Bo_2/05/Ann_ & Bo_2_0004.JPG",
    ]
    assert plan.renamed[0] == ("DCIM/100CANON/IMG_0001.DNG", names(plan)[0]), "a job with / and :"
    assert "IMG_0001.DNG" in names(bench.plan(folders=""))


def test_sidecars_that_name_the_whole_file_keep_their_form(bench: Bench) -> None:
    folder = bench.card / "DCIM" / "100CANON"
    (folder / "IMG_0001.DNG.xmp").write_text("<x/>")
    (folder / "IMG_0001.WAV").write_bytes(b"one")
    (folder / "IMG_0001.wav").write_bytes(b"other")
    assert names(bench.plan(folders="", names="A{seq}"))[:5] == [
        *("A001.DNG", "A001.JPG", "A001.DNG.xmp", "A001.WAV", "A001_.wav"),
    ]


def test_undated_photos_and_videos_are_dated_by_the_file(bench: Bench) -> None:
    moment = datetime(2021, 2, 3, 4, 5, 6)
    write(bench.card / "DCIM" / "A.JPG", b"no picture", moment)
    write(bench.card / "DCIM" / "B.MP4", b"video", moment)
    plan = bench.plan()
    assert names(plan)[:2] == ["2021/2021-02-03/A.JPG", "2021/2021-02-03/B.MP4"]
    assert plan.undated == 1, "videos are always dated so"


def test_the_same_name_on_two_cards_gets_a_number_for_all_its_files(bench: Bench) -> None:
    other = draw_card(bench.top / "B", photos=3, seed="other")
    plan = bench.plan(cards=(bench.card, other))
    assert len(plan.items) == 6 and len(set(names(plan))) == 12
    assert names(plan)[2:4] == [f"{DAY}/IMG_0001-2.DNG", f"{DAY}/IMG_0001-2.JPG"]
    assert ("DCIM/100CANON/IMG_0003.WAV", f"{DAY}/IMG_0003-2.WAV") in plan.renamed
    assert len(plan.renamed) == 6


def test_a_jpeg_of_another_shot_does_not_become_the_half_of_a_raw(bench: Bench) -> None:
    other = write(bench.top / "B" / "IMG_0001.JPG", jpeg(FIRST, b"x"), FIRST)
    (bench.card / "DCIM" / "100CANON" / "IMG_0001.JPG").unlink()
    at_once = bench.plan(cards=(bench.card, other.parent))
    assert f"{DAY}/IMG_0001.JPG" in names(at_once), "same moment and camera: one photo"
    write(other, jpeg(FIRST + timedelta(hours=1), b"x"), FIRST + timedelta(hours=1))
    assert f"{DAY}/IMG_0001-2.JPG" in names(bench.plan(cards=(bench.card, other.parent)))
    bench.run()
    later = bench.plan(cards=(other.parent,))
    assert names(later) == [f"{DAY}/IMG_0001-2.JPG"], "the library has a RAW of that name"
    write(other, jpeg(FIRST, b"x"), FIRST)
    assert names(bench.plan(cards=(other.parent,))) == [f"{DAY}/IMG_0001.JPG"]


@pytest.mark.parametrize("taken", ["img_0002.jpg", "IMG_0002.JPG", "IMG_0002.NEF"])
def test_a_name_taken_at_any_destination_is_taken_for_all_files(bench: Bench, taken: str) -> None:
    write(bench.backup / DAY / taken, b"of somebody else", datetime(2020, 1, 1))
    plan = bench.plan(bench.backup)
    assert [name.rpartition("/")[2] for name in names(plan)][2:4] == [
        "IMG_0002-2.JPG",
        "IMG_0002-2.xmp",
    ]
    assert len(plan.renamed) == 2


def test_names_that_differ_in_unicode_form_are_the_same_name(bench: Bench) -> None:
    folder, bad = bench.card / "DCIM", unicodedata.normalize("NFD", "café.JPG")
    write(folder / bad, jpeg(FIRST, b"1"), FIRST)
    write(bench.library / "café.JPG", b"another", FIRST - timedelta(days=1))
    assert "café-2.JPG" in names(bench.plan(folders=""))


def test_names_that_are_illegal_elsewhere_are_made_legal_and_named(bench: Bench) -> None:
    if os.name == "nt":
        pytest.skip("Windows has no such names")
    for name in ("a:b?.JPG", "aux.JPG", "-rf.JPG"):
        write(bench.card / "DCIM" / name, jpeg(FIRST, name.encode()), FIRST)
    plan = bench.plan(folders="")
    assert {"a_b_.JPG", "_aux.JPG", "_rf.JPG"} <= set(names(plan))
    assert ("DCIM/aux.JPG", "_aux.JPG") in plan.renamed and len(plan.renamed) == 3


def test_numbers_continue_where_names_are_taken(bench: Bench) -> None:
    bench.run(folders="", names="W{seq:3}")
    write(bench.card / "DCIM" / "IMG_0009.JPG", jpeg(FIRST, b"new"), FIRST)
    again = bench.plan(folders="", names="W{seq:3}")
    assert dict(zip(actions(again), names(again), strict=True))["IMG_0009.JPG"] == "W004.JPG"
    assert not again.renamed and "W001.DNG" in names(again)


# --- what is new


def test_a_second_import_keeps_what_was_verified_and_copies_what_is_new(bench: Bench) -> None:
    bench.run()
    again = bench.plan(bench.backup)
    assert set(actions(again).values()) == {Action.KEEP}
    assert set(actions(again, 1).values()) == {Action.COPY}
    assert all(file.verified[0] and not file.verified[1] for i in again.items for file in i.files)
    assert [room.needed > 0 for room in again.rooms] == [False, True]
    write(bench.card / "DCIM" / "IMG_0009.JPG", jpeg(FIRST, b"new"), FIRST)
    assert [n for n, a in actions(bench.plan()).items() if a is Action.COPY] == ["IMG_0009.JPG"]


def test_a_copy_that_is_gone_is_copied_again_and_one_unrecorded_is_compared(bench: Bench) -> None:
    bench.run()
    (bench.library / DAY / "IMG_0001.DNG").unlink()
    touched = bench.library / DAY / "IMG_0002.JPG"
    os.utime(touched, ns=(10**18, 10**18))  # as when FAT's clock moved to another time zone
    plan = bench.plan()
    assert actions(plan)["IMG_0001.DNG"] is Action.COPY
    assert actions(plan)["IMG_0002.JPG"] is Action.CHECK
    assert actions(plan)["IMG_0003.JPG"] is Action.KEEP
    assert sorted(names(plan)) == sorted(names(bench.plan(names="{name}")))
    assert all("-2" not in name for name in names(plan))


def test_a_file_of_the_planned_name_with_equal_content_is_compared(bench: Bench) -> None:
    for path in (bench.card / "DCIM" / "100CANON").glob("IMG_000?.*"):
        (bench.library / DAY).mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, bench.library / DAY)
    (bench.library / DAY / "IMG_0002.xmp").write_text("edited since")
    plan = bench.plan()
    assert actions(plan).pop("IMG_0002.xmp") is Action.COPY
    assert names(plan)[3] == f"{DAY}/IMG_0002-2.xmp", "nothing is lost, and its photo stays"
    checks = {name for name, action in actions(plan).items() if action is Action.CHECK}
    assert len(checks) == 5


def test_a_sidecar_edited_after_the_import_is_not_copied_again(bench: Bench) -> None:
    bench.run(bench.backup)
    for place in (bench.library, bench.backup):
        (place / DAY / "IMG_0002.xmp").write_text("<rated/>")
    plan = bench.plan(bench.backup)
    assert set(actions(plan).values()) == {Action.KEEP}
    assert f"{DAY}/IMG_0002.xmp" not in names(plan) and len(names(plan)) == 5
    (bench.backup / DAY / "IMG_0002.xmp").unlink()
    plan = bench.plan(bench.backup)
    assert actions(plan, 1)["IMG_0002.xmp"] is Action.COPY


def test_equal_sidecars_of_two_photos_are_both_copied(bench: Bench) -> None:
    bench.run()
    folder = bench.card / "DCIM" / "100CANON"
    shutil.copy2(folder / "IMG_0002.xmp", folder / "IMG_0003.xmp")
    plan = bench.plan()
    assert actions(plan)["IMG_0003.xmp"] is Action.COPY
    assert f"{DAY}/IMG_0003.xmp" in names(plan)


def test_photos_in_the_library_are_not_copied_again(bench: Bench) -> None:
    archive = bench.top / "archive"
    archive.mkdir()
    for name in ("IMG_0001.DNG", "IMG_0001.JPG", "IMG_0003.JPG"):
        shutil.copy2(bench.card / "DCIM" / "100CANON" / name, archive)
    bench.scan(archive)
    plan = bench.plan()
    assert known(plan) == ["IMG_0001.DNG", "IMG_0003.JPG"]
    assert [each.proved for each in plan.known] == [False, False]
    assert plan.known[0].where == (str(archive / "IMG_0001.DNG"), str(archive / "IMG_0001.JPG"))
    (archive / "IMG_0001.JPG").unlink()
    assert known(bench.plan()) == ["IMG_0003.JPG"], "half a pair is not the photo"
    assert bench.plan().sentence.endswith("; 1 photo is in your library already.")


def test_a_photo_elsewhere_in_the_destination_is_known_and_not_copied_twice(bench: Bench) -> None:
    write(bench.library / "old" / "x.JPG", b"", FIRST)
    shutil.copy2(bench.card / "DCIM" / "100CANON" / "IMG_0003.JPG", bench.library / "old" / "x.JPG")
    bench.scan(bench.library)
    assert known(bench.plan()) == ["IMG_0003.JPG"]


def test_verified_copies_elsewhere_prove_an_item(bench: Bench) -> None:
    bench.run()
    plan = bench.plan(destinations=(bench.backup,))
    assert [each.proved for each in plan.known] == [True] * 3 and not plan.items
    (bench.library / DAY / "IMG_0003.WAV").unlink()
    plan = bench.plan(destinations=(bench.backup,))
    assert [each.proved for each in plan.known] == [True, True, False]


def test_files_of_the_card_itself_and_of_other_cards_are_no_copies(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin = bench.top / "TWIN"
    shutil.copytree(bench.card, twin)
    for card in (bench.card, twin):
        bench.scan(card)
    mount = Mount("/dev/sdb1", str(twin), "exfat", "AB-CD", "TWIN", True, False)
    monkeypatch.setattr(volumes, "mounted", lambda: (mount,))
    assert not bench.plan().known
    folder = bench.catalog.folders.containing(twin)
    assert folder is not None
    bench.catalog.volumes.set_away(folder.id, away=True, unplugged=True)
    shutil.rmtree(twin)
    assert not bench.plan().known, "a folder with DCIM that is away may be a card"


def test_a_photo_on_a_drive_that_is_away_is_known_without_proof(bench: Bench) -> None:
    archive = bench.top / "T7"
    archive.mkdir()
    shutil.copy2(bench.card / "DCIM" / "100CANON" / "IMG_0003.JPG", archive)
    bench.scan(archive)
    shutil.rmtree(archive)
    assert not bench.plan().known, "gone, as far as the catalog knows"
    folder = bench.catalog.folders.containing(archive)
    assert folder is not None
    bench.catalog.volumes.set_away(folder.id, away=True, unplugged=True)
    plan = bench.plan()
    assert known(plan) == ["IMG_0003.JPG"] and not plan.known[0].proved


def test_deleted_photos_are_named_and_not_copied_again(bench: Bench) -> None:
    archive = bench.top / "archive"
    archive.mkdir()
    shutil.copy2(bench.card / "DCIM" / "100CANON" / "IMG_0003.JPG", archive)
    bench.scan(archive)
    bench.catalog.journal.decide({1: {"flag": Flag.REJECT}}, summary="rejected")
    with bench.catalog.store.transaction():
        bench.catalog.store.run("UPDATE file SET emptied_at = 1, missing_since = 1")
    (archive / "IMG_0003.JPG").unlink()
    plan = bench.plan()
    assert known(plan) == ["IMG_0003.JPG"] and plan.known[0].deleted
    assert "1 photo you deleted before, not copied again" in plan.sentence


def test_only_keepers_are_copied_and_the_rest_later(bench: Bench) -> None:
    bench.scan(bench.card)
    rows = {bench.catalog.photos.get(number).files[0].path.name: number for number in (1, 2, 3)}
    bench.catalog.journal.decide({rows["IMG_0001.DNG"]: {"kept": True}}, summary="kept")
    bench.catalog.journal.decide({rows["IMG_0002.JPG"]: {"flag": Flag.REJECT}}, summary="no")
    kept = bench.run(keepers=True)
    assert list(actions(kept)) == ["IMG_0001.DNG", "IMG_0001.JPG"]
    assert [item.main.path.name for item in kept.held_back] == ["IMG_0002.JPG", "IMG_0003.JPG"]
    rest = bench.plan()
    assert [n for n, a in actions(rest).items() if a is Action.COPY] == [
        *("IMG_0002.JPG", "IMG_0002.xmp", "IMG_0003.JPG", "IMG_0003.WAV"),
    ]


def test_a_photo_on_two_cards_is_copied_once_and_compared_with_both(bench: Bench) -> None:
    twin = bench.top / "TWIN"
    shutil.copytree(bench.card, twin)
    plan = bench.plan(cards=(bench.card, twin))
    assert len(plan.items) == 6 and len(set(names(plan))) == 6
    assert plan.sentence.endswith("; 3 photos found twice, copied once.")
    doubled = [file for item in plan.items for file in item.files if file.file.card == twin]
    assert {file.actions for file in doubled} == {(Action.CHECK,)}
    assert [room.needed for room in plan.rooms] == [room.needed for room in bench.plan().rooms]
    report = ImportRun(plan, bench.catalog).run()
    assert report.complete and not report.failures
    assert not [path for path in bench.library.rglob("*-2*") if path.suffix != ".sha256"]


def test_files_that_cannot_be_read_stay_and_the_others_are_copied(bench: Bench) -> None:
    contents = find_files([bench.card])
    facts = read_headers(contents, InlinePool())
    raw, wav = (next(bench.card.rglob(name)) for name in ("IMG_0001.DNG", "IMG_0003.WAV"))
    facts |= {path: FileFacts(problem="It is damaged.") for path in (raw, wav)}
    request = ImportRequest((bench.card,), (bench.library,))
    plan = make_plan(request, contents, facts, bench.catalog)
    assert plan.unreadable == [(str(raw), "It is damaged."), (str(wav), "It is damaged.")]
    assert [name.rpartition("/")[2] for name in names(plan)] == [
        *("IMG_0001.JPG", "IMG_0002.JPG", "IMG_0002.xmp", "IMG_0003.JPG"),
    ]
    assert [item.item.photo_files for item in plan.items] == [1, 1, 1]
    assert "2 files cannot be read" in plan.sentence


def test_a_drive_that_folds_and_decomposes_names_is_understood(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    traits = Traits(folds_names=True, decomposes_names=True, links=False)
    drive = FaultyDrive(bench.top, "MAC", monkeypatch, traits)
    try:
        there = drive.plug() / "photos"
        folder = bench.card / "DCIM"
        for name in ("café.JPG", "CAFÉ.jpg", "Straße.JPG", "STRASSE.JPG"):
            write(folder / name, jpeg(FIRST, name.encode()), FIRST)
        bench.run(folders="", destinations=(there,))
        copies = [path for path in drive.files.rglob("*") if path.suffix.lower() == ".jpg"]
        assert len(copies) == 7 and any("\u0301" in path.name for path in copies)
        again = bench.plan(folders="", destinations=(there,))
        assert set(actions(again).values()) == {Action.KEEP}
        with bench.catalog.store.transaction():
            bench.catalog.store.run("DELETE FROM verified_copy")
        unrecorded = bench.plan(folders="", destinations=(there,))
        assert set(actions(unrecorded).values()) == {Action.CHECK}
    finally:
        drive.close()


# --- room


def test_destinations_on_one_disk_share_its_room(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(destinations, "_cluster", lambda folder: 1 << 20)
    plan = bench.plan(bench.backup)
    needed = 6 * (1 << 20) + destinations._RESERVE
    assert [room.needed for room in plan.rooms] == [needed] * 2, "whole clusters, and a reserve"

    def rooms(free: int) -> list[bool]:
        found = destinations.rooms(plan.request.destinations, [[1] * 6] * 2, lambda folder: free)
        return [room.is_enough for room in found]

    assert rooms(2 * needed) == [True, True]
    assert rooms(2 * needed - 1) == [True, False]
    assert rooms(needed - 1) == [False, False]


# --- what cannot be


def refused(bench: Bench, **request: object) -> KnownError:
    with pytest.raises(KnownError) as caught:
        bench.plan(**request)
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("EOS_DIGITAL/DCIM/new", "is inside"),
        ("linked/new", "is inside"),
        ("EOS_DIGITAL", "is inside"),
        (".", "from which the photos come, is inside"),
        ("file.txt", "is a file"),
        ("file.txt/new", "is inside a file"),
    ],
)
def test_a_destination_that_cannot_be_is_refused(bench: Bench, place: str, message: str) -> None:
    (bench.top / "file.txt").write_text("x")
    (bench.top / "linked").symlink_to(bench.card, target_is_directory=True)
    assert message in str(refused(bench, destinations=(bench.top / place,)))


def test_destinations_must_be_apart(bench: Bench) -> None:
    same = refused(bench, destinations=(bench.library, bench.top / "x" / ".." / "library"))
    assert "is given twice" in str(same)
    inside = refused(bench, destinations=(bench.library / "backup", bench.library))
    assert "is inside the other destination" in str(inside)
    assert "are needed" in str(refused(bench, destinations=()))


def test_a_destination_on_any_card_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = draw_card(bench.top / "B", photos=1)
    mount = Mount("/dev/sdb1", str(other), "exfat", "AB-CD", "NIKON D780", True, False)
    monkeypatch.setattr(cards, "card_of", lambda path: Card(mount) if "B" in path.parts else None)
    assert "on the card NIKON D780" in str(refused(bench, destinations=(other / "in",)))


def test_a_drive_that_is_away_or_read_only_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(volumes, "_MOUNT_POINTS", ((str(bench.top / "media"), 2),))
    away = bench.top / "media" / "ann" / "T7" / "photos"
    assert "The drive T7 is not connected" in str(refused(bench, destinations=(away,)))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "is read-only" in str(refused(bench))


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"folders": "{date:%Y/%m}"}, "separator"),
        ({"folders": "../{date}"}, "leads out"),
        ({"names": "{rating}"}, "Unknown placeholder {rating}"),
        ({"names": ""}, "is empty"),
    ],
)
def test_a_bad_template_is_refused(bench: Bench, request_: dict[str, object], message: str) -> None:
    assert message in str(refused(bench, **request_))


def test_a_card_that_is_gone_and_a_file_where_a_folder_must_be_are_refused(bench: Bench) -> None:
    contents = find_files([bench.card])
    gone = ImportRequest((bench.top / "gone",), (bench.library,))
    with pytest.raises(KnownError, match="gone does not exist"):
        make_plan(gone, contents, {}, bench.catalog)
    write(bench.library / f"{FIRST:%Y}", b"a file", FIRST)
    assert "a file has its name" in str(refused(bench))


# --- what people read


def test_the_plan_is_told_in_one_sentence(bench: Bench) -> None:
    draw_card(bench.card, photos=5)
    assert bench.plan().sentence.startswith("5 photos (1 pair), 1 video and 3 accompanying files, ")
    bench.run()
    assert bench.plan().sentence == "Nothing new; 5 photos and 1 video already at the destination."
    elsewhere = bench.plan(destinations=(bench.backup,))
    assert elsewhere.sentence == "Nothing new; 5 photos and 1 video are in your library already."


def test_the_plan_is_told_as_json(bench: Bench) -> None:
    (bench.card / "NOTES.TXT").write_text("mine")
    told = json.loads(json.dumps(bench.plan().summary()))
    assert (told["photos"], told["pairs"], told["files"]) == (3, 1, 6)
    assert told["folders"] == {DAY: 6} and told["others"] == [str(bench.card / "NOTES.TXT")]
    assert told["destinations"][0]["actions"] == {"copy": 6}


def test_ten_thousand_files_with_wild_names_get_names_of_their_own(bench: Bench) -> None:
    wild = ("DSC_{}", "dsc_{}", "CON.{}", "é{}", "e\u0301{}")
    contents = CardContents()
    for number in range(5000):
        stem = f"DCIM/{number % 3}/{wild[number % 5].format(number // 5)}"
        pair = [CardFile(bench.card, f"{stem}.{end}", 1000, 10**18) for end in ("NEF", "JPG")]
        contents.items.append(CardItem(ItemKind.PHOTO, tuple(pair), 2))
    facts = {
        file.path: FileFacts(f"{at:031x}{half}", FIRST + timedelta(seconds=at), "Test One")
        for at, item in enumerate(contents.items)
        for half, file in enumerate(item.files)
    }
    request = ImportRequest((bench.card,), (bench.library, bench.backup))
    plan = make_plan(request, contents, facts, bench.catalog)
    made = {unicodedata.normalize("NFC", name).casefold() for name in names(plan)}
    assert len(made) == 10_000
    assert [item.item for item in plan.items] == contents.items, "in the order of capture"

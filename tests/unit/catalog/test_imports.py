"""Imports from cards: copies take over as files of their photos, and are found again."""

from __future__ import annotations

import itertools
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator import files
from curator.catalog import Catalog, VerifiedCopy, WriteResult
from curator.model import NotFoundError, Verdict
from tests.copies import copy_verified
from tests.unit.catalog.shoot import Card, Shoot, photo_bytes


@dataclass
class CardImport:
    """A card beside an empty catalog, a library to import into, and an import that runs."""

    shoot: Shoot
    library: Path
    run: int = 0

    def __post_init__(self) -> None:
        self.catalog.imports.add_library(self.library, is_new=True)
        self.run = self.catalog.imports.begin({"cards": [str(self.card)]}, "Wedding")

    @property
    def catalog(self) -> Catalog:
        return self.shoot.catalog

    @property
    def card(self) -> Path:
        return self.shoot.folder

    def copy(self, name: str, to: str = "", library: Path | None = None) -> VerifiedCopy:
        """Copy a file of the card without telling the catalog."""
        to = to or f"2024/{Path(name).name}"
        return copy_verified(self.card, name, library or self.library, to)

    def import_files(self, *names: str) -> list[VerifiedCopy]:
        """Copy files of the card and record each by itself, as they are verified."""
        copies = [self.copy(name) for name in names]
        for copy in copies:
            self.record(copy)
        return copies

    def record(self, *copies: VerifiedCopy) -> None:
        self.catalog.imports.record(self.run, copies, self.library)

    def rescan(self) -> None:
        """Scan card and library again, as the conductor does when a drive comes back."""
        for folder in (self.card, self.library):
            self.shoot.ingest(folder)

    def roles(self, photo: int = 1) -> dict[str, str]:
        """Roles of a photo's present files, by path relative to card and library."""
        top = self.library.parent
        return {
            file.path.relative_to(top).as_posix(): file.role
            for file in self.catalog.photos.get(photo).files
            if not file.missing
        }

    def pull(self) -> int:
        """Pull the card; return the id of its folder."""
        folder = self.catalog.folders.containing(self.card)
        assert folder is not None
        self.catalog.volumes.set_away(folder.id, away=True, unplugged=True)
        return folder.id


@pytest.fixture
def evening(catalog: Catalog, tmp_path: Path) -> CardImport:
    shoot = Shoot(catalog, tmp_path / "card")
    shoot.reader = Card(shoot.folder)
    return CardImport(shoot, tmp_path / "photos")


MAIN_AND_COPY = {"photos/2024/A.JPG": "main", "card/DCIM/A.JPG": "copy"}


# --- copies become files of photos


def test_the_copy_takes_over_with_marks_and_without_new_work(evening: CardImport) -> None:
    evening.shoot.write("DCIM/A.JPG", photo_bytes(1))
    evening.shoot.ingest()
    evening.catalog.journal.decide({1: {"rating": 4}}, summary="4 stars")
    rev = evening.catalog.store.value("SELECT rev FROM photo")
    [copy] = evening.import_files("DCIM/A.JPG")
    photo = evening.catalog.photos.get(1)
    assert evening.roles() == MAIN_AND_COPY
    assert (photo.path, photo.marks.rating) == (Path(copy.path), 4)
    assert {file.sha256 for file in photo.files} == {copy.sha256}
    assert {entry.state for entry in photo.work} == {"done"}
    assert evening.catalog.store.value("SELECT rev FROM photo") > rev  # the window reads it again
    evening.rescan()
    evening.rescan()
    assert evening.roles() == MAIN_AND_COPY
    assert len(evening.catalog.photos.ids()) == 1


def test_a_copy_is_verified_before_the_header_was_read(evening: CardImport) -> None:
    evening.shoot.write("DCIM/A.JPG", photo_bytes(1))
    evening.shoot.scan()
    evening.import_files("DCIM/A.JPG")
    assert evening.roles() == MAIN_AND_COPY
    [job] = evening.shoot.jobs("peek")
    assert job.path == str(evening.library / "2024/A.JPG")
    evening.rescan()
    assert evening.roles() == MAIN_AND_COPY


@pytest.mark.parametrize("taken", ["2024-05-04T09:00:00", None])
@pytest.mark.parametrize("known", [False, True], ids=["unread", "read"])
def test_a_scan_that_came_first_makes_no_second_photo(
    taken: str | None, known: bool, evening: CardImport
) -> None:
    evening.shoot.write("DCIM/A.JPG", photo_bytes(1, taken))
    (evening.shoot.ingest if known else evening.shoot.scan)()
    evening.shoot.reject("DCIM/A.JPG")
    copy = evening.copy("DCIM/A.JPG")
    evening.shoot.scan(evening.library)
    evening.record(copy)
    assert evening.roles() == MAIN_AND_COPY
    evening.rescan()
    assert evening.roles() == MAIN_AND_COPY
    [photo] = evening.shoot.listed()
    assert (photo.id, photo.marks.verdict) == (1, Verdict.REJECTED)


@pytest.mark.parametrize("order", list(itertools.permutations(["DCIM/A.NEF", "DCIM/A.JPG"])))
@pytest.mark.parametrize("scanned", [False, True])
def test_a_pair_stays_one_photo(order: tuple[str, str], scanned: bool, evening: CardImport) -> None:
    evening.shoot.write("DCIM/A.NEF", photo_bytes("raw"))
    evening.shoot.write("DCIM/A.JPG", photo_bytes("jpeg"))
    if scanned:
        evening.shoot.ingest()
    evening.import_files(*order)
    evening.shoot.ingest(evening.library)
    copies = {"photos/2024/A.NEF": "main", "photos/2024/A.JPG": "half"}
    on_card = {"card/DCIM/A.NEF": "copy", "card/DCIM/A.JPG": "copy"}
    assert evening.roles() == copies | (on_card if scanned else {})
    evening.rescan()
    assert evening.roles() == copies | on_card
    assert len(evening.shoot.listed()) == 1


@pytest.mark.parametrize("pair", [False, True])
def test_what_was_read_on_the_card_meanwhile_holds_for_the_copy(
    pair: bool, evening: CardImport
) -> None:
    """Stages begin before the copy is verified, and end after it."""
    names = [f"DCIM/A.{ending}" for ending in (("NEF", "JPG") if pair else ("JPG",))]
    for name in names:
        evening.shoot.write(name, photo_bytes(name))
    evening.shoot.scan()
    library = evening.library / f"2024/{Path(names[0]).name}"
    evening.shoot.peek(between=lambda: evening.import_files(*names))
    assert evening.catalog.photos.get(1).capture.camera == "Test One"
    assert evening.shoot.jobs("peek") == []
    [job] = evening.shoot.jobs("convert")
    assert job.path == str(library)
    on_card = replace(job, path=str(evening.card / names[0]))
    evening.catalog.work.start("convert", [1])
    evening.catalog.results.save_converted([(on_card, evening.shoot.converted(on_card))])
    photo = evening.catalog.photos.get(1)
    assert {entry.state for entry in photo.work} == {"done"} and photo.proxy
    assert evening.shoot.scan(evening.library).changed == []
    # Only a file of known width and height is the same photo after another program edited it.
    size = evening.catalog.store.row("SELECT width, height FROM file WHERE role = 'main'")
    assert size == (6000, 4000)


def test_a_card_that_reads_differently_is_not_believed(evening: CardImport) -> None:
    evening.shoot.write("DCIM/A.JPG", photo_bytes(1))
    evening.shoot.scan()

    def spoil() -> None:
        evening.import_files("DCIM/A.JPG")
        (evening.card / "DCIM/A.JPG").write_bytes(photo_bytes("flipped bits"))

    evening.shoot.peek(between=spoil)
    [job] = evening.shoot.jobs("peek")
    assert job.path == str(evening.library / "2024/A.JPG")
    assert len(evening.shoot.listed()) == 1


def test_a_file_that_fails_on_the_card_is_read_from_its_copy(evening: CardImport) -> None:
    evening.shoot.write("DCIM/A.JPG", photo_bytes(1))
    evening.shoot.scan()
    [job] = evening.shoot.jobs("peek")
    evening.catalog.work.start("peek", [1])
    evening.import_files("DCIM/A.JPG")
    assert not evening.catalog.work.save_failure(job, "The card was removed.", retry=False)
    [again] = evening.shoot.jobs("peek")
    assert again.path == str(evening.library / "2024/A.JPG")


def test_a_pair_split_by_hand_stays_split(evening: CardImport) -> None:
    evening.shoot.write("DCIM/A.NEF", photo_bytes("raw"))
    evening.shoot.write("DCIM/A.JPG", photo_bytes("jpeg"))
    evening.shoot.ingest()
    evening.catalog.journal.decide({1: {"apart": True}}, summary="Split A")
    raw, jpeg = (evening.copy(f"DCIM/A.{ending}") for ending in ("NEF", "JPG"))
    evening.record(raw)
    evening.record(jpeg)
    assert evening.roles(1) == {"photos/2024/A.NEF": "main", "card/DCIM/A.NEF": "copy"}
    assert evening.roles(2) == {"photos/2024/A.JPG": "main", "card/DCIM/A.JPG": "copy"}
    evening.rescan()
    assert len(evening.shoot.listed()) == 2


def test_photos_are_imported_without_a_scan_of_the_card(evening: CardImport) -> None:
    evening.shoot.write("DCIM/A.JPG", photo_bytes(1))
    evening.shoot.write("DCIM/A.TIF", photo_bytes(2))  # an edit, no half of a pair
    video = replace(evening.copy("DCIM/A.JPG", "2024/A.MOV"), kind=None, fingerprint="video")
    evening.record(*(evening.copy(f"DCIM/A.{ending}") for ending in ("JPG", "TIF")), video)
    assert [job.path for job in evening.shoot.jobs("peek")] == [
        str(evening.library / f"2024/A.{ending}") for ending in ("JPG", "TIF")
    ]
    evening.rescan()
    assert len(evening.shoot.listed()) == 2
    assert evening.roles() == MAIN_AND_COPY


@pytest.mark.parametrize("taken", ["2024-05-04T09:00:00", None])
def test_a_scan_that_comes_to_the_card_later_makes_no_second_photo(
    taken: str | None, evening: CardImport
) -> None:
    evening.shoot.write("DCIM/A.JPG", photo_bytes(1, taken))
    evening.catalog.folders.add(evening.card)
    evening.import_files("DCIM/A.JPG")
    evening.shoot.scan(evening.card)
    evening.rescan()
    assert evening.roles() == MAIN_AND_COPY
    assert len(evening.shoot.listed()) == 1


@pytest.mark.parametrize("taken", ["2024-05-04T09:00:00", None])
def test_a_scan_of_the_card_between_the_halves_of_a_pair_makes_no_second_photo(
    taken: str | None, evening: CardImport
) -> None:
    for ending in ("NEF", "JPG"):
        evening.shoot.write(f"DCIM/A.{ending}", photo_bytes(ending, taken))
    evening.catalog.folders.add(evening.card)
    evening.import_files("DCIM/A.NEF")
    evening.shoot.scan(evening.card)
    evening.import_files("DCIM/A.JPG")
    evening.rescan()
    assert evening.roles() == {
        **{"photos/2024/A.NEF": "main", "photos/2024/A.JPG": "half"},
        **{"card/DCIM/A.NEF": "copy", "card/DCIM/A.JPG": "copy"},
    }
    assert len(evening.shoot.listed()) == 1


def test_a_merged_or_removed_photo_gets_the_copy(evening: CardImport, tmp_path: Path) -> None:
    """The card was in the catalog before, and its folder was removed with its photos."""
    evening.shoot.write("DCIM/A.JPG", photo_bytes(1))
    evening.shoot.ingest()
    evening.shoot.reject("DCIM/A.JPG")
    [folder] = [row.id for row in evening.catalog.folders.all() if row.path == str(evening.card)]
    evening.catalog.folders.remove(folder, keep_photos=False)
    assert evening.shoot.listed() == []
    evening.import_files("DCIM/A.JPG")
    [photo] = evening.shoot.listed()
    assert (photo.id, photo.marks.verdict, photo.state) == (1, Verdict.REJECTED, "")


def test_a_copy_takes_the_place_of_a_deleted_file(evening: CardImport) -> None:
    """Somebody deleted a photo at the destination, and no scan has noticed yet."""
    old = evening.library / "2024/A.JPG"
    old.parent.mkdir(parents=True)
    old.write_bytes(photo_bytes("another"))
    evening.shoot.ingest(evening.library)
    old.unlink()
    evening.shoot.write("DCIM/A.JPG", photo_bytes(1))
    evening.shoot.ingest()
    evening.import_files("DCIM/A.JPG")
    assert evening.roles(2) == MAIN_AND_COPY
    assert evening.catalog.photos.get(1).state == "missing"


def test_a_card_with_used_names_makes_new_photos(evening: CardImport) -> None:
    evening.shoot.write("DCIM/A.JPG", photo_bytes(1))
    evening.shoot.ingest()
    evening.import_files("DCIM/A.JPG")
    evening.shoot.write("DCIM/A.JPG", photo_bytes("next week"))
    evening.rescan()
    assert evening.roles(1) == {"photos/2024/A.JPG": "main"}
    assert evening.roles(2) == {"card/DCIM/A.JPG": "main"}
    evening.record(evening.copy("DCIM/A.JPG", "2024/A-2.JPG"))
    assert evening.roles(2) == {"photos/2024/A-2.JPG": "main", "card/DCIM/A.JPG": "copy"}


def test_what_was_postponed_on_the_card_is_tried_with_the_copy(evening: CardImport) -> None:
    evening.shoot.write("DCIM/A.JPG", photo_bytes(1))
    evening.shoot.scan()
    evening.shoot.reject("DCIM/A.JPG")
    catalog = evening.catalog
    catalog.work.start("peek", [1])
    catalog.work.postpone("peek", 1, "The card does not answer.", 600.0)
    catalog.sidecars.save_written([WriteResult(1, None, None, "It is on a card.")])
    revision = catalog.sidecars.revision()
    assert catalog.sidecars.outstanding().failed == 1
    evening.import_files("DCIM/A.JPG")
    assert [job.photo_id for job in evening.shoot.jobs("peek")] == [1]
    assert catalog.sidecars.outstanding().failed == 0
    assert catalog.sidecars.revision() != revision


# --- the card goes, and comes back


def test_a_pulled_card_leaves_its_photos_workable_from_the_copies(evening: CardImport) -> None:
    evening.shoot.write("DCIM/A.JPG", photo_bytes(1))
    evening.shoot.write("DCIM/B.JPG", photo_bytes(2))
    evening.shoot.scan()
    evening.import_files("DCIM/A.JPG")
    evening.pull()
    assert [job.photo_id for job in evening.shoot.jobs("peek")] == [1]
    assert evening.catalog.volumes.away_among([1, 2]) == [2]


def test_the_folder_of_a_copied_card_is_removed_once_it_is_away(evening: CardImport) -> None:
    evening.shoot.write("DCIM/A.JPG", photo_bytes(1))
    evening.shoot.write("DCIM/B.JPG", photo_bytes(2))
    evening.shoot.ingest()
    evening.import_files("DCIM/A.JPG")
    folder = evening.pull()
    imports = evening.catalog.imports
    assert not imports.is_copied(folder) and not imports.settle_card(folder)
    evening.import_files("DCIM/B.JPG")
    assert imports.is_copied(folder) and imports.settle_card(folder)
    assert [row.path for row in evening.catalog.folders.all()] == [str(evening.library)]
    assert {photo.state for photo in evening.shoot.listed()} == {""}
    evening.rescan()  # it is back
    assert evening.roles() == MAIN_AND_COPY
    assert len(evening.shoot.listed()) == 2


def test_a_card_in_use_stays_in_the_catalog(evening: CardImport) -> None:
    evening.shoot.write("DCIM/A.JPG", photo_bytes(1))
    evening.shoot.ingest()
    evening.import_files("DCIM/A.JPG")
    folder = evening.catalog.folders.containing(evening.card)
    assert folder is not None and evening.catalog.imports.is_copied(folder.id)
    assert not evening.catalog.imports.settle_card(folder.id)


# --- what is known


def test_verified_copies_are_found_by_content(evening: CardImport, tmp_path: Path) -> None:
    evening.shoot.write("DCIM/A.JPG", photo_bytes(1))
    first = evening.copy("DCIM/A.JPG")
    backup = replace(evening.copy("DCIM/A.JPG", library=tmp_path / "backup"), cache_answered=True)
    evening.record(first, backup)
    found = evening.catalog.imports.verified([first.fingerprint, "unknown"])
    assert found == {first.fingerprint: [first, backup]}
    again = replace(first, mtime_ns=7)
    evening.record(again)  # copied again, because it was changed
    found = evening.catalog.imports.verified([first.fingerprint])
    assert found == {first.fingerprint: [backup, again]}
    evening.catalog.imports.forget([again])
    assert evening.catalog.imports.verified([first.fingerprint]) == {first.fingerprint: [backup]}


def test_copies_are_found_on_a_drive_with_another_mount_point(evening: CardImport) -> None:
    evening.shoot.write("DCIM/A.JPG", photo_bytes(1))
    copy = evening.copy("DCIM/A.JPG")
    imports = evening.catalog.imports
    for within, path in (("2024/wedding", "/media/T7 1/2024/wedding"), ("", "/media/T7 1")):
        run = imports.begin({}, "", {copy.destination: ("T7-UUID", within)})
        imports.record(run, [copy], "")
        found = imports.verified([copy.fingerprint], {"T7-UUID": "/media/T7 1"})
        assert found[copy.fingerprint][-1].path == str(Path(path, "2024/A.JPG"))
        assert imports.verified([copy.fingerprint], {"other": "/media/T7 1"}) == {
            copy.fingerprint: [copy]
        }


def test_known_photos_are_found_by_content(evening: CardImport) -> None:
    evening.shoot.write("DCIM/A.JPG", photo_bytes(1))
    evening.shoot.ingest()
    evening.catalog.journal.decide({1: {"kept": True}}, summary="Kept A")
    [copy] = evening.import_files("DCIM/A.JPG")
    evening.pull()
    photo = evening.catalog.imports.photos([copy.fingerprint, "unknown"])[copy.fingerprint]
    assert (photo.photo_id, photo.verdict, photo.emptied) == (1, Verdict.KEPT, False)
    assert [(file.path, file.away, file.missing) for file in photo.files] == [
        (copy.path, False, False),
        (copy.source_path, True, False),
    ]
    assert {(file.size, file.sha256) for file in photo.files} == {(copy.size, copy.sha256)}


def test_a_photo_whose_files_a_person_deleted_is_known(evening: CardImport) -> None:
    evening.shoot.write("DCIM/A.JPG", photo_bytes(1))
    [copy] = evening.import_files("DCIM/A.JPG")
    evening.shoot.ingest(evening.library)
    evening.catalog.removal.note_removed(1, {copy.path: ""})
    photo = evening.catalog.imports.photos([copy.fingerprint])[copy.fingerprint]
    assert photo.emptied and [file.missing for file in photo.files] == [True]


def test_a_photo_is_known_after_metadata_was_embedded(evening: CardImport) -> None:
    evening.shoot.write("DCIM/A.JPG", photo_bytes(1))
    [copy] = evening.import_files("DCIM/A.JPG")
    evening.shoot.ingest(evening.library)
    Path(copy.path).write_bytes(photo_bytes("1 with five stars"))
    evening.shoot.ingest(evening.library)
    photo = evening.catalog.imports.photos([copy.fingerprint])[copy.fingerprint]
    [file] = photo.files
    assert (photo.photo_id, file.path, file.changed) == (1, copy.path, True)
    assert (file.missing, file.sha256) == (False, None)


# --- the imports


def test_imports_are_listed_with_their_reports(evening: CardImport) -> None:
    imports = evening.catalog.imports
    imports.finish(evening.run, {"sentence": "Safe to format"})
    second = imports.begin({"cards": ["/media/B"]}, "Portraits")
    assert [(row.id, row.job, row.ended_at is None) for row in imports.all()] == [
        (second, "Portraits", True),
        (evening.run, "Wedding", False),
    ]
    assert imports.get(evening.run).report == {"sentence": "Safe to format"}
    assert imports.get(second).request == {"cards": ["/media/B"]}
    with pytest.raises(NotFoundError):
        imports.get(99)


def test_a_killed_import_is_found_until_another_ends(evening: CardImport) -> None:
    imports, store = evening.catalog.imports, evening.catalog.store
    assert imports.unfinished() is None  # it runs
    with store.transaction():
        store.run("UPDATE import_run SET started_at = 1.0")  # long before this process began
    found = imports.unfinished()
    assert found is not None and found.id == evening.run
    imports.finish(imports.begin({}, ""), {})
    assert imports.unfinished() is None


# --- the library


def test_a_new_destination_becomes_a_folder_and_a_used_one_a_sampled(
    catalog: Catalog, tmp_path: Path
) -> None:
    new, used = tmp_path / "new", tmp_path / "Pictures"
    catalog.imports.add_library(new, is_new=True)
    catalog.imports.add_library(used, is_new=False)
    assert {row.path: row.sampled for row in catalog.folders.all()} == {
        str(new): False,
        str(used): True,
    }
    inside = catalog.imports.add_library(new / "2024", is_new=True)
    assert inside == catalog.imports.add_library(new, is_new=False)
    within_used = catalog.imports.add_library(used / "2024", is_new=True)
    catalog.folders.enable(inside, False)
    assert catalog.imports.add_library(new, is_new=True) == inside
    assert catalog.imports.add_library(used, is_new=False) != within_used
    assert {row.path: (row.sampled, row.enabled) for row in catalog.folders.all()} == {
        str(new): (False, True),
        str(used): (True, True),
        str(used / "2024"): (False, True),
    }


def test_a_copy_in_a_disabled_folder_is_shown(evening: CardImport) -> None:
    """The folder around the destination was switched off, with photos in the destination."""
    around = evening.library.parent
    evening.shoot.write("DCIM/A.JPG", photo_bytes(1))
    (evening.library / "2024").mkdir(parents=True)
    (evening.library / "2024/old.JPG").write_bytes(photo_bytes("old"))
    number = evening.catalog.folders.add(around)
    evening.catalog.folders.remove(evening.catalog.imports.add_library(evening.library, True), True)
    evening.shoot.scan(around)
    evening.catalog.folders.enable(number, False)
    library = evening.catalog.imports.add_library(evening.library, is_new=False)
    evening.import_files("DCIM/A.JPG")
    folder = evening.catalog.store.value(
        "SELECT folder_id FROM directory WHERE path = ?", (str(evening.library / "2024"),)
    )
    assert folder == library


def test_copies_in_a_folder_without_its_subfolders_belong_to_it(evening: CardImport) -> None:
    catalog = evening.catalog
    catalog.folders.remove(1, keep_photos=False)
    folder = catalog.folders.add(evening.library, recursive=False)
    assert catalog.imports.add_library(evening.library, is_new=False) == folder
    evening.shoot.write("DCIM/A.JPG", photo_bytes(1))
    evening.import_files("DCIM/A.JPG")
    assert {owner for _, owner, _ in catalog.folders.directories()} == {folder}


# --- any series of events

NAME = st.sampled_from(("A.JPG", "B.JPG", "B.NEF", "C.NEF"))
EVENT = st.tuples(
    st.sampled_from(
        ("shoot", "import", "copy", "reject", "delete", "rename", "card", "library", "pull")
    ),
    NAME,
)


def happen(evening: CardImport, number: int, event: str, name: str) -> set[str]:
    """Let one thing happen; return the fingerprints of what was rejected."""
    card, library = evening.card / name, evening.library
    here = evening.catalog.folders.containing(card)
    if here is not None and event in ("card", "reject"):  # the card is back
        evening.catalog.volumes.set_away(here.id, away=False)
    if event == "shoot":  # names are used again
        minute = f"2024-05-04T{number // 60:02d}:{number % 60:02d}:00"
        evening.shoot.write(name, photo_bytes(f"seed {number}", minute))
    elif event == "card":
        evening.shoot.scan(evening.card)
    elif event == "library":
        evening.shoot.ingest(library)
    elif event == "pull" and here is not None:
        evening.catalog.volumes.set_away(here.id, away=True)
        evening.catalog.imports.settle_card(here.id)
    elif event in ("delete", "rename"):
        for path in sorted(library.glob(f"*{name}")):
            path.unlink() if event == "delete" else path.rename(path.with_name(f"R{number}{name}"))
    elif event == "reject" and card.exists():
        evening.shoot.scan(library)  # whatever was deleted there is not read
        evening.shoot.ingest(evening.card)
        [photo] = [
            photo
            for photo in evening.shoot.listed()
            if any(file.path == card and not file.missing for file in photo.files)
        ]
        evening.catalog.journal.decide({photo.id: {"flag": "reject"}}, summary="Rejected")
        return {file.fingerprint or "" for file in photo.files}
    elif event in ("import", "copy"):
        known = {files.fingerprint(path) for path in library.rglob("*.*")}
        copies = [
            evening.copy(path.name, f"{number}-{path.name}")
            for path in sorted(evening.card.glob("*.*"))
            if event == "import" or path.stem == card.stem
            if files.fingerprint(path) not in known
        ]
        for copy in copies:
            evening.record(copy)
    return set()


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(events=st.lists(EVENT, max_size=14))
def test_after_any_evening_each_content_is_one_photo_read_from_the_library(
    events: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    top = tmp_path_factory.mktemp("evening")
    with closing(Catalog.open(top / "home" / "catalog.db")) as catalog:
        shoot = Shoot(catalog, top / "card")
        shoot.reader = Card(shoot.folder)
        evening = CardImport(shoot, top / "photos")
        evening.library.mkdir()
        rejected: set[str] = set()
        for number, (event, name) in enumerate(events):
            rejected |= happen(evening, number, event, name)
        for event in ("import", "library", "card", "library", "card", "library", "pull"):
            happen(evening, 99, event, "A.JPG")
        present = [photo for photo in shoot.listed() if photo.state != "missing"]
        for photo in present:
            assert photo.path.is_relative_to(evening.library)
            marked = any(file.fingerprint in rejected for file in photo.files)
            assert (photo.marks.verdict is Verdict.REJECTED) == marked
        on_disk = [str(path) for path in evening.library.rglob("*.*")]
        known = [str(file.path) for photo in present for file in photo.files if not file.missing]
        assert sorted(known) == sorted(on_disk), "each file belongs to one photo"
        assert catalog.work.pending("peek", 5) == catalog.work.pending("convert", 5) == []
        assert catalog.check() == []

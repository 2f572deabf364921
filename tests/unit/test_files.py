"""Finding photo files, pairing them, and identifying content."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from curator import files
from curator.files import WalkReport, fingerprint, pair, sha256, walk
from curator.home import Home
from curator.model import FoundFile, GoneError, Kind, KnownError, UnreadableError


def lay(folder: Path, *names: str) -> None:
    """Create a small file of each name in a folder."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def names_of(folder: Path, **how: bool) -> list[str]:
    return [os.path.relpath(found.path, folder) for found in walk([folder], **how)]


def groups_of(*names: str, directory: str = "/photos") -> list[list[str]]:
    """Pair files of these names, as a walk yields them; return the names of each photo."""
    found = [
        FoundFile(
            f"{directory}/{name}",
            Kind.RAW if Path(name).suffix.lower() in files.RAW_SUFFIXES else Kind.IMAGE,
            1,
            1,
        )
        for name in sorted(names)
    ]
    return [[Path(file.path).name for file in group.files] for group in pair(found)]


# --- walking


def test_a_walk_goes_folder_by_folder_in_the_order_of_names(tmp_path: Path) -> None:
    lay(tmp_path, "b.jpg", "a.NEF", "z/c.jpg", "m/d.HEIC", "m/x/e.tif")
    assert names_of(tmp_path) == ["a.NEF", "b.jpg", "m/d.HEIC", "m/x/e.tif", "z/c.jpg"]
    assert names_of(tmp_path, recursive=False) == ["a.NEF", "b.jpg"]


def test_a_walk_returns_the_kind_of_each_file(tmp_path: Path) -> None:
    lay(tmp_path, "a.cr3")
    os.utime(tmp_path / "a.cr3", ns=(5, 7))
    [found] = walk([tmp_path])
    assert found == FoundFile(str(tmp_path / "a.cr3"), Kind.RAW, 5, 7)


def test_hidden_and_system_files_are_left_out(tmp_path: Path) -> None:
    lay(
        tmp_path,
        "._a.jpg",
        ".hidden/b.jpg",
        "$RECYCLE.BIN/c.jpg",
        "@eaDir/d.jpg",
        "__MACOSX/e.jpg",
        "f.jpg",
    )
    assert names_of(tmp_path) == ["f.jpg"]


def test_videos_and_other_files_are_counted_and_companions_are_not(tmp_path: Path) -> None:
    lay(tmp_path, "a.jpg", "a.xmp", "a.AAE", "a.pp3", "b.MOV", "c.mp4", "readme.txt", "noname")
    report = WalkReport()
    photos = list(pair(walk([tmp_path], report=report)))
    assert (report.videos, report.others, report.unreadable) == (2, 2, [])
    assert report.sentence(len(photos)) == "1 photo; 2 videos and 2 other files skipped"


def test_the_sentence_counts_photos_and_pairs() -> None:
    report = WalkReport(videos=12, others=4)
    said = report.sentence(3012, 2980)
    assert said == "3,012 photos (2,980 pairs); 12 videos and 4 other files skipped"
    assert WalkReport().sentence(0) == "0 photos"


def test_loops_of_links_end_and_nothing_is_found_twice(tmp_path: Path) -> None:
    lay(tmp_path, "real/a.jpg")
    (tmp_path / "real" / "loop").symlink_to(tmp_path)
    (tmp_path / "a link before real").symlink_to(tmp_path / "real")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    assert names_of(tmp_path) == ["real/a.jpg"]


def test_a_linked_folder_elsewhere_is_walked(tmp_path: Path) -> None:
    lay(tmp_path, "elsewhere/a.jpg", "here/b.jpg")
    (tmp_path / "here" / "link").symlink_to(tmp_path / "elsewhere")
    assert names_of(tmp_path / "here") == ["b.jpg", "link/a.jpg"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="another file system that is there")
def test_a_link_out_of_the_file_system_is_skipped_and_reported(tmp_path: Path) -> None:
    """`x -> /proc` once yielded 34,709 photos."""
    lay(tmp_path, "here/b.jpg")
    (tmp_path / "here" / "x").symlink_to("/proc")
    report = WalkReport()
    (found,) = walk([tmp_path / "here"], report=report)
    assert found.path.endswith("b.jpg")
    assert report.sentence(1) == (
        f"1 photo; 1 linked folder skipped ({tmp_path}/here/x → /proc):"
        " to include it, add that folder directly"
    )


def test_a_link_to_a_folder_around_the_one_walked_is_skipped(tmp_path: Path) -> None:
    lay(tmp_path, "a/here/b.jpg", "a/c.jpg", "d.jpg", "a/here/in/e.jpg")
    for name, to in (("disk", "/"), ("up", tmp_path), ("in/above", tmp_path / "a")):
        (tmp_path / "a" / "here" / name).symlink_to(to)
    report = WalkReport()
    found = walk([tmp_path / "a" / "here"], report=report)
    assert sorted(Path(each.path).name for each in found) == ["b.jpg", "e.jpg"]
    assert sorted(Path(link).name for link in report.links) == ["above", "disk", "up"]
    assert "3 linked folders skipped" in report.sentence(2) and ", others)" in report.sentence(2)


def test_a_link_to_a_folder_of_the_system_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(tmp_path, "system/share/a.jpg", "system/mine/b.jpg", "here/c.jpg")
    monkeypatch.setattr(files, "_SYSTEM_PLACES", (str(tmp_path / "system"),))
    (tmp_path / "here" / "x").symlink_to(tmp_path / "system" / "share")
    (tmp_path / "system" / "mine" / "x").symlink_to(tmp_path / "system" / "share")
    assert names_of(tmp_path / "here") == ["c.jpg"]
    assert names_of(tmp_path / "system" / "mine") == ["b.jpg", "x/a.jpg"], "who is there may stay"


def test_a_drive_mounted_in_a_folder_is_walked_but_not_behind_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(tmp_path, "here/a.jpg", "here/mount/b.jpg", "there/c.jpg", "there/mount/d.jpg")
    (tmp_path / "here" / "x").symlink_to(tmp_path / "there")
    identity = files.directory_id

    def mounted(path: str) -> tuple[int, int] | None:
        found = identity(path)
        return (found[0] + (Path(path).name == "mount"), found[1]) if found else None

    monkeypatch.setattr(files, "directory_id", mounted)
    assert names_of(tmp_path / "here") == ["a.jpg", "mount/b.jpg", "x/c.jpg"]


def test_a_folder_nobody_may_enter_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "closed", "z"):
        (tmp_path / name).mkdir()
    stat = Path.stat

    def refused(path: Path, **options: bool) -> os.stat_result:
        if path.parent.name == "closed":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", refused)
    found = {Path(each).name for each in files.directories(str(tmp_path))}
    assert found >= {"a", "z"}
    assert files.is_reached_from(str(tmp_path), str(tmp_path / "closed"))


def test_is_reached_from_agrees_with_a_walk(tmp_path: Path) -> None:
    lay(tmp_path, "a/here/b.jpg", "there/c.jpg")
    here = tmp_path / "a" / "here"
    (here / "up").symlink_to(tmp_path)
    (here / "there").symlink_to(tmp_path / "there")
    assert files.is_reached_from(str(here), str(here / "there"))
    assert not files.is_reached_from(str(here), str(here / "up"))
    assert not files.is_reached_from(str(here), str(here / "up" / "there"))


def test_nested_sources_yield_each_file_once(tmp_path: Path) -> None:
    lay(tmp_path, "a.jpg", "in/b.jpg")
    sources = [tmp_path / "in", tmp_path, tmp_path / "a.jpg", tmp_path / "in" / ".." / "a.jpg"]
    assert sorted(Path(found.path).name for found in walk(sources)) == ["a.jpg", "b.jpg"]


def test_files_can_be_given_by_name(tmp_path: Path) -> None:
    lay(tmp_path, "a.jpg", "a.nef", "b.jpg", "c.txt")
    report = WalkReport()
    found = list(walk([tmp_path / "c.txt", tmp_path / "a.nef", tmp_path / "a.jpg"], report=report))
    assert [Path(file.path).name for file in found] == ["a.jpg", "a.nef"]
    assert len(list(pair(found))) == 1
    assert report.unreadable == [
        (str(tmp_path / "c.txt"), "It is not a picture format that Curator supports.")
    ]


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(KnownError, match="does not exist") as caught:
        list(walk([tmp_path / "gone"]))
    assert caught.value.remedy


def test_an_unreadable_folder_is_reported_and_an_unreadable_subfolder_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(tmp_path, "a.jpg", "locked/b.jpg", "open/c.jpg")
    scandir = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("locked"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    report = WalkReport()
    assert [Path(found.path).name for found in walk([tmp_path], report=report)] == [
        "a.jpg",
        "c.jpg",
    ]
    [(place, reason)] = report.unreadable
    assert place == str(tmp_path / "locked")
    assert "Permission denied" in reason
    assert report.sentence(2) == "2 photos; 1 place could not be read"
    with pytest.raises(KnownError, match="Permission denied"):
        list(walk([tmp_path / "locked"]))


def test_an_empty_folder_has_no_photos(tmp_path: Path) -> None:
    assert list(walk([tmp_path])) == []


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_odd_names_are_found_and_names_that_are_not_text_are_reported(tmp_path: Path) -> None:
    odd = [
        "-dash.jpg",
        "quo'te\".jpg",
        "two  spaces.jpg",
        "\u00e9.jpg",
        "e\u0301.jpg",
        "n" * 184 + ".jpg",
    ]
    lay(tmp_path, *odd)
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.jpg")).write_bytes(b"x")
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "link.jpg").symlink_to("nowhere")
    report = WalkReport()
    assert sorted(Path(f.path).name for f in walk([tmp_path], report=report)) == sorted(odd)
    assert {reason for _, reason in report.unreadable} == {
        "Its name is not valid text. Rename it.",
        "It is not a file.",
        "It is a link to a file that does not exist.",
    }
    given = WalkReport()
    assert list(walk([tmp_path / "pipe.jpg"], report=given)) == [], "opened, it waits for ever"
    assert given.unreadable == [(str(tmp_path / "pipe.jpg"), "It is not a file.")]


def test_folders_marked_as_a_cache_are_left_out_such_as_our_own(tmp_path: Path) -> None:
    lay(tmp_path, "a.jpg", "home/cache/proxies/ab/ab12.jpg")
    Home(tmp_path / "home", tmp_path / "home" / "cache").make()
    assert [Path(found.path).name for found in walk([tmp_path])] == ["a.jpg"]


# --- pairing


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        (("A.NEF", "A.JPG"), [["A.NEF", "A.JPG"]]),
        (("a.nef", "A.JPG"), [["a.nef", "A.JPG"]]),
        (("A.CR3", "A.HIF"), [["A.CR3", "A.HIF"]]),
        (("A.JPG", "B.NEF"), [["A.JPG"], ["B.NEF"]]),
        (("A.NEF", "A.TIF"), [["A.NEF"], ["A.TIF"]]),
        (("A.JPG", "A.HEIC"), [["A.HEIC"], ["A.JPG"]]),
        (("A.NEF", "A.JPG", "A.HEIC"), [["A.HEIC"], ["A.NEF", "A.JPG"]]),
        (("A.DNG", "A.NEF", "A.JPG"), [["A.DNG"], ["A.NEF", "A.JPG"]]),
        (("A.DNG", "A.JPG"), [["A.DNG", "A.JPG"]]),
        (("A.NEF", "A.JPG", "a.jpg"), [["A.NEF", "A.JPG"], ["a.jpg"]]),
        (("A.1.NEF", "A.JPG"), [["A.1.NEF"], ["A.JPG"]]),
    ],
)
def test_a_raw_and_its_jpeg_are_one_photo(names: tuple[str, ...], groups: list[list[str]]) -> None:
    assert groups_of(*names) == groups


def test_pairs_do_not_reach_across_folders(tmp_path: Path) -> None:
    lay(tmp_path, "A.NEF", "jpeg/A.JPG")
    groups = list(pair(walk([tmp_path])))
    assert [(Path(group.directory).name, group.name) for group in groups] == [
        (tmp_path.name, "A"),
        ("jpeg", "A"),
    ]


def test_pairing_begins_before_the_walk_ends() -> None:
    def endless():
        yield FoundFile("/photos/one/A.JPG", Kind.IMAGE, 1, 1)
        yield FoundFile("/photos/two/B.JPG", Kind.IMAGE, 1, 1)
        raise AssertionError("read too far ahead")

    assert next(pair(endless())).name == "A"


# --- identifying content

EDGE = 64 * 1024


@pytest.mark.parametrize("size", [0, 1, EDGE - 1, EDGE, EDGE + 1, 2 * EDGE, 2 * EDGE + 1, 5 * EDGE])
def test_a_fingerprint_is_size_and_both_ends(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    mark = fingerprint(path)
    wanted = hashlib.blake2b(size.to_bytes(8, "little"), digest_size=16)
    wanted.update(content[:EDGE] + content[max(EDGE, size - EDGE) :])
    assert mark == wanted.hexdigest()
    assert sha256(path) == hashlib.sha256(content).hexdigest()
    for place in {0, size - 1} if size else set():
        other = bytearray(content)
        other[place] ^= 1
        path.write_bytes(other)
        assert fingerprint(path) != mark


def test_a_file_that_grew_has_another_fingerprint(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(bytes(10))
    mark = fingerprint(path)
    path.write_bytes(bytes(11))
    assert fingerprint(path) != mark


@pytest.mark.parametrize("read", [fingerprint, sha256])
def test_a_missing_file_and_an_unreadable_file_raise_different_errors(tmp_path: Path, read) -> None:
    with pytest.raises(GoneError, match="no longer there"):
        read(tmp_path / "gone.jpg")
    with pytest.raises(UnreadableError, match="cannot be read"):
        read(tmp_path)


def test_reading_changes_nothing_on_disk(tmp_path: Path) -> None:
    lay(tmp_path, "a.jpg")
    os.utime(tmp_path / "a.jpg", ns=(5, 7))
    list(walk([tmp_path]))
    fingerprint(tmp_path / "a.jpg")
    sha256(tmp_path / "a.jpg")
    status = (tmp_path / "a.jpg").stat()
    assert (status.st_mtime_ns, (tmp_path / "a.jpg").read_bytes()) == (7, b"a.jpg")


def test_suffixes_are_lower_case_and_in_one_list_only() -> None:
    assert not files.RAW_SUFFIXES & files.IMAGE_SUFFIXES
    every = files.RAW_SUFFIXES | files.IMAGE_SUFFIXES
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in every)
    assert files.is_picture_name("DSC.NEF") and files.is_picture_name("a.b.JPeG")
    assert not files.is_picture_name("jpeg")


# --- sidecars


def beside(*names: str) -> dict[str, list[str]]:
    """Pair files of these names; return the sidecars of each photo by its main file."""
    kinds = {".xmp": Kind.SIDECAR}
    found = []
    for name in sorted(names):
        suffix = Path(name).suffix.lower()
        raw = suffix in files.RAW_SUFFIXES
        kind = kinds.get(suffix, Kind.RAW if raw else Kind.IMAGE)
        found.append(FoundFile(f"/photos/{name}", kind, 1, 1))
    return {
        Path(group.files[0].path).name: [Path(file.path).name for file in group.sidecars]
        for group in pair(found)
        if group.sidecars
    }


def test_a_sidecar_belongs_to_the_file_it_names() -> None:
    assert beside("A.NEF", "A.JPG", "A.xmp", "A.NEF.xmp", "a.jpg.XMP") == {
        "A.NEF": ["A.NEF.xmp", "A.xmp", "a.jpg.XMP"]
    }
    assert beside("A.JPG", "A.xmp") == {"A.JPG": ["A.xmp"]}


def test_a_sidecar_that_names_a_stem_belongs_to_the_raw_not_to_an_edit() -> None:
    assert beside("A.CR3", "A.DNG", "A.tif", "A.xmp") == {"A.CR3": ["A.xmp"]}


def test_a_sidecar_without_a_photo_is_left_out() -> None:
    assert beside("A.JPG", "B.xmp", "A_01.JPG.xmp", "clip.mp4.xmp") == {}


def test_a_walk_finds_sidecars_without_counting_them(tmp_path: Path) -> None:
    lay(tmp_path, "A.NEF", "A.xmp", "A.NEF.xmp", "B.jpg")
    report = WalkReport()
    groups = list(pair(walk([tmp_path], report=report)))
    assert [len(group.sidecars) for group in groups] == [2, 0]
    assert report.others == 0
    single = next(iter(pair(walk([tmp_path / "A.NEF"]))))
    assert [Path(found.path).name for found in single.sidecars] == ["A.NEF.xmp", "A.xmp"]

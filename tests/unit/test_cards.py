"""Memory cards: found by their DCIM folder, recognized wherever they are, protected and ejected."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from curator import cards, volumes
from curator.cards import Card, Protection, can_eject, card_of, eject, find_cards
from curator.model import KnownError, UnavailableError
from curator.volumes import Mount
from tests.drives import Drives, Silence


@pytest.fixture
def drives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Drives:
    return Drives(tmp_path, monkeypatch)


@pytest.fixture
def silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Silence]:
    made = Silence(tmp_path / "media", monkeypatch)
    yield made
    made.end()


def make(drives: Drives, key: str, label: str, *folders: str) -> None:
    root = drives.make(key, label)
    for folder in folders:
        (root / folder).mkdir(parents=True)


def change(monkeypatch: pytest.MonkeyPatch, **values: object) -> None:
    """Change what the system reports about every drive but its own disk."""
    own, *others = volumes.mounted()
    changed = (own, *(replace(each, **values) for each in others))  # type: ignore[arg-type]
    monkeypatch.setattr(volumes, "mounted", lambda: changed)


def test_a_removable_volume_with_a_dcim_folder_in_any_case_is_a_card(drives: Drives) -> None:
    make(drives, "1", "EOS_DIGITAL", "DCIM/100CANON")
    make(drives, "2", "NIKON", "dcim")
    make(drives, "3", "T7 Shield", "photos/DCIM")
    (drives.make("4", "STICK") / "DCIM").write_text("a file, no folder")
    for key in "1234":
        drives.plug(key)
    assert [card.label for card in find_cards()] == ["EOS_DIGITAL", "NIKON"]


@pytest.mark.parametrize(
    ("reported", "is_card"),
    [
        ({"removable": False}, True),  # exFAT: a reader that does not say that its cards come out
        ({"removable": False, "kind": "ext4"}, False),
        ({"kind": "apfs"}, False),  # an external disk that a card was copied to
        ({"kind": "ext4"}, True),
        ({"network": True}, False),
    ],
)
def test_what_is_a_card_depends_on_what_the_system_says_about_the_volume(
    drives: Drives, monkeypatch: pytest.MonkeyPatch, reported: dict[str, object], is_card: bool
) -> None:
    make(drives, "1", "EOS_DIGITAL", "DCIM")
    root = drives.plug("1")
    change(monkeypatch, **reported)
    assert [card.path for card in find_cards()] == [str(root)] * is_card
    assert bool(Protection().reason(root / "DCIM" / "IMG_1.JPG")) is is_card


def test_files_on_a_card_are_protected_even_through_a_link_and_no_others(
    drives: Drives, tmp_path: Path
) -> None:
    make(drives, "1", "EOS_DIGITAL", "DCIM/100CANON", "PRIVATE")
    card = drives.plug("1")
    (tmp_path / "here").mkdir()
    (tmp_path / "link").symlink_to(card / "DCIM")
    protection = Protection()
    sentence = "On the card EOS_DIGITAL, which Curator never changes."
    for path in (
        card / "IMG.JPG",
        card / "DCIM" / "100CANON" / "IMG_1.CR3",
        card / "PRIVATE" / "new folder" / "x.xmp",
        tmp_path / "link" / "100CANON" / "IMG_1.xmp",
    ):
        assert protection.reason(path) == sentence
        assert protection.reason(path, "Copy it.") == f"{sentence} Copy it."
        assert (found := card_of(path)) and found.path == str(card)
    for path in (tmp_path / "here" / "a.jpg", card.with_name("EOS_DIGITAL 2") / "a.jpg"):
        assert protection.reason(path, "Copy it.") == "" and card_of(path) is None


def test_a_card_is_recognized_under_another_mount_point(drives: Drives) -> None:
    make(drives, "1", "EOS_DIGITAL", "DCIM")
    make(drives, "2", "EOS_DIGITAL", "DCIM")
    drives.plug("1")
    [before] = find_cards()
    drives.pull("1")
    assert find_cards() == []
    drives.plug("2")
    drives.plug("1", "EOS_DIGITAL1")
    other, again = find_cards()
    assert again.mount.key == before.mount.key and again.path != before.path
    assert other.mount.key != before.mount.key and other.path == before.path


def test_a_card_that_does_not_answer_is_waited_for_a_moment_and_never_written_to(
    drives: Drives, silence: Silence
) -> None:
    make(drives, "1", "EOS_DIGITAL", "DCIM")
    make(drives, "2", "NIKON", "DCIM")
    for key in "12":
        drives.plug(key)
    path = Path(find_cards()[0].path, "DCIM", "IMG_1.JPG")
    silence.begin()
    assert find_cards() == []
    with pytest.raises(UnavailableError, match="does not answer"):
        card_of(path)
    assert "does not answer" in Protection().reason(path)
    silence.end()


def test_without_anything_like_a_card_no_path_is_touched(drives: Drives, silence: Silence) -> None:
    silence.begin()
    assert Protection().reason(drives.make("1", "T7").parents[1] / "media" / "x" / "a.jpg") == ""
    assert silence.waiting == set()


# --- ejecting


class Programs:
    """Programs of the system, in a folder that is all of PATH; `said` is what they were given."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder, self._said = folder, folder / "said"
        folder.mkdir()
        monkeypatch.setenv("PATH", str(folder))

    def add(self, name: str, then: str = "exit 0") -> None:
        program = self._folder / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> "{self._said}"\n{then}\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    @property
    def said(self) -> list[str]:
        return self._said.read_text().splitlines() if self._said.exists() else []


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    if os.name == "nt":
        pytest.skip("Windows ejects without a program")
    return Programs(tmp_path / "bin", monkeypatch)


CARD = Card(
    Mount("/dev/sdb1", "/media/ada/$(touch x); EOS", "exfat", "AB-12", "EOS_DIGITAL", True, False)
)


def test_a_card_is_ejected_by_the_first_program_that_can(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards.sys, "platform", "linux")
    programs.add("umount")
    programs.add("udisksctl", "echo 'Error connecting to the udisks daemon' >&2; exit 1")
    programs.add("gio")
    assert can_eject(CARD)
    eject(CARD)
    assert programs.said == [
        "udisksctl unmount --no-user-interaction --block-device /dev/sdb1",
        f"gio mount --unmount {CARD.path}",  # one word: no shell reads it
    ]


def test_macos_ejects_the_whole_card(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards.sys, "platform", "darwin")
    programs.add("diskutil")
    programs.add("umount")
    eject(CARD)
    assert programs.said == [f"diskutil eject {CARD.path}"]


def test_a_card_in_use_is_not_ejected_and_the_system_says_why(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards.sys, "platform", "linux")
    programs.add("umount", "echo 'umount: /media/EOS: target is busy.' >&2; exit 32")
    with pytest.raises(
        KnownError, match=r"EOS_DIGITAL was not ejected: .*target is busy"
    ) as caught:
        eject(CARD)
    assert "file manager" in caught.value.remedy


def test_a_program_that_never_ends_is_given_up(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards.sys, "platform", "linux")
    monkeypatch.setattr(cards, "_EJECT_S", 0.05)
    programs.add("udisksctl", "exec /bin/sleep 60")
    programs.add("umount")
    with pytest.raises(KnownError, match="still busy"):
        eject(CARD)


def test_without_any_program_nothing_is_offered(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards.sys, "platform", "linux")
    assert not can_eject(CARD)
    with pytest.raises(KnownError, match="no program for it"):
        eject(CARD)

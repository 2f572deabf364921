"""Importing memory cards on the command line."""

from __future__ import annotations

import hashlib
import shutil
import signal
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from curator.cards import Card
from curator.importing.run import ImportRun
from curator.volumes import Mount
from curator.workers import InlinePool
from tests.cards import draw_card, must_be_copied
from tests.unit.cli.conftest import Type


@pytest.fixture(autouse=True)
def inserted(monkeypatch: pytest.MonkeyPatch) -> list[Card]:
    """The cards that are inserted: none yet. Headers are read in this process, for speed."""
    found: list[Card] = []
    monkeypatch.setattr("curator.cards.find_cards", lambda: found)
    monkeypatch.setattr("curator.importing.headers.WorkerPool", lambda *_, **__: InlinePool())
    return found


@pytest.fixture
def card(tmp_path: Path) -> Path:
    return draw_card(tmp_path / "EOS_DIGITAL", photos=5)


def as_card(root: Path) -> Card:
    return Card(Mount("/dev/sdb1", str(root), "exfat", root.name, root.name, True, False))


def tree(folder: Path) -> dict[str, tuple[int, str]]:
    """Return modification time and sha256 of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): (
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in folder.rglob("*")
        if path.is_file()
    }


def photos_in(folder: Path) -> list[str]:
    """Return the hashes of the files below a folder, without the checksum list."""
    return sorted(sha256 for name, (_, sha256) in tree(folder).items() if ".sha256" not in name)


def test_a_card_is_copied_twice_and_nothing_on_it_changes(
    curator: Type, card: Path, tmp_path: Path
) -> None:
    before, wanted = tree(card), sorted(must_be_copied(card).values())
    to, also = tmp_path / "photos", tmp_path / "backup"
    said = curator("import", card, "--to", to, "--also", also)
    assert said.code == 0, said.err
    assert photos_in(to) == photos_in(also) == wanted
    assert tree(card) == before
    lines = said.out.splitlines()
    assert f"{len(wanted)} files (2 copies each)" in lines[-1]
    assert any(str(also) in line and "copied and verified" in line for line in lines)
    (found,) = curator("imports", "--json").json
    assert found["report"]["sentence"] == lines[-1]
    assert curator("imports", 1).out.splitlines() == lines
    assert lines[-1] in curator("imports").out


def test_importing_again_copies_nothing_twice(curator: Type, card: Path, tmp_path: Path) -> None:
    to = tmp_path / "photos"
    curator("import", card, "--to", to)
    copied = tree(to)
    again = curator("import", card, "--to", to, "--json").json
    [there] = again["destinations"]
    assert (there["verified"], there["kept"]) == (0, len(must_be_copied(card)))
    assert again["safe"] and tree(to) == copied
    planned = curator("import", card, "--to", to, "--dry-run").out
    assert planned.startswith("Nothing new; 5 photos and 1 video")


def test_a_dry_run_writes_nothing(curator: Type, card: Path, tmp_path: Path) -> None:
    before, to = tree(card), tmp_path / "photos"
    options = ("--to", to, "--folders", "{job}/{date:%m}", "--job", "Wedding", "--dry-run")
    said = curator("import", card, *options)
    assert said.code == 0 and not to.exists() and tree(card) == before
    lines = said.out.splitlines()
    assert lines[0].startswith("5 photos (1 pair), 1 video")
    assert any(line.startswith("Wedding/05 ") and "IMG_0001" in line for line in lines)
    plan = curator("import", card, *options, "--json").json["plan"]
    assert plan["folders"] == {"Wedding/05": len(must_be_copied(card))}
    assert curator("imports").out == "No imports yet.\n"
    assert curator("photos", "--json").json == []


def test_a_card_is_found_by_its_label_or_because_it_is_the_only_one(
    curator: Type, card: Path, tmp_path: Path, inserted: list[Card]
) -> None:
    to = tmp_path / "photos"
    none = curator("import", "--to", to)
    assert none.code == 1 and "No memory card is inserted." in none.err
    inserted.append(as_card(card))
    assert curator("import", "--to", to, "--dry-run").out.startswith("5 photos")
    inserted.append(as_card(tmp_path / "NIKON"))
    several = curator("import", "--to", to)
    assert several.code == 1 and f"EOS_DIGITAL ({card}), NIKON" in several.err
    assert curator("import", "eos_digital", "--to", to, "--dry-run").code == 0
    unknown = curator("import", "LEICA", "--to", to)
    assert unknown.code == 1 and "neither a folder nor a memory card" in unknown.err
    inserted.append(as_card(tmp_path / "other" / "NIKON"))
    assert "2 memory cards are called NIKON" in curator("import", "NIKON", "--to", to).err
    assert not to.exists()


def test_the_settings_are_used_where_nothing_else_is_said(
    curator: Type, card: Path, tmp_path: Path
) -> None:
    nowhere = curator("import", card)
    assert nowhere.code == 2 and "No folder to import into" in nowhere.err
    curator("settings", f"importing.to={tmp_path / 'photos'}", "importing.folders={date:%B}")
    plan = curator("import", card, "--dry-run", "--json").json["plan"]
    assert list(plan["folders"]) == ["May"]
    assert [each["path"] for each in plan["destinations"]] == [str(tmp_path / "photos")]
    plan = curator("import", card, "--folders", "", "--dry-run", "--json").json["plan"]
    assert list(plan["folders"]) == ["."]


def test_an_import_that_does_not_fit_is_refused_before_it_starts(
    curator: Type, card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(1 << 30, 1 << 30, 5000))
    to = tmp_path / "photos"
    said = curator("import", card, "--to", to)
    assert said.code == 1 and "which has 5 kB free" in said.err and not to.exists()
    assert "not enough room" in curator("import", card, "--to", to, "--dry-run").out


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_ctrl_c_stops_cleanly_and_the_same_command_continues(
    curator: Type, card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    copy = ImportRun._copy

    def interrupted(run: ImportRun, job: object, lanes: object) -> None:
        begun.append("")
        if len(begun) == 3:
            signal.raise_signal(signal.SIGINT)
        copy(run, job, lanes)  # type: ignore[arg-type]

    to = tmp_path / "photos"
    with monkeypatch.context() as patched:
        patched.setattr(ImportRun, "_copy", interrupted)
        said = curator("import", card, "--to", to)
    assert said.code == 130 and "Not safe to format" not in said.err
    assert "The same command continues with the rest." in said.out
    done = set(photos_in(to))
    assert done < set(must_be_copied(card).values())
    rest = curator("import", card, "--to", to, "--json")
    assert rest.code == 0 and rest.json["safe"]
    assert rest.json["destinations"][0]["kept"] == len(done)
    assert photos_in(to) == sorted(must_be_copied(card).values())


def test_a_file_that_cannot_be_read_is_listed_and_the_rest_is_imported(
    curator: Type, card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("curator.files.fingerprint", failing("IMG_0003.JPG"))
    said = curator("import", card, "--to", tmp_path / "photos")
    lines = said.out.splitlines()
    assert said.code == 0 and lines[0].endswith("IMG_0003.JPG: It is broken.")
    assert "1 file could not be read" in lines[-1]


def failing(name: str) -> object:
    from curator.files import fingerprint
    from curator.model import KnownError

    def read(path: str | Path) -> str:
        if Path(path).name == name:
            raise KnownError("It is broken.")
        return fingerprint(path)

    return read


@pytest.mark.parametrize(
    ("profile", "written", "line"),
    [("darktable", 4, "4 sidecars written"), ("lightroom", 0, "got no sidecar")],
)
def test_the_photographer_is_written_into_sidecars_of_the_copies(
    curator: Type, card: Path, tmp_path: Path, profile: str, written: int, line: str
) -> None:
    before, to = tree(card), tmp_path / "photos"
    options = ("--sidecars", "--creator", "Ada Lovelace", "--set", f"sidecars.profile={profile}")
    said = curator("import", card, "--to", to, *options)
    assert said.code == 0 and line in said.out
    stating = [path for path in to.rglob("*.xmp") if b"Ada Lovelace" in path.read_bytes()]
    assert len(stating) == written and tree(card) == before


def test_a_card_is_ejected_once_everything_is_verified(
    curator: Type,
    card: Path,
    tmp_path: Path,
    inserted: list[Card],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ejected: list[Card] = []
    monkeypatch.setattr("curator.cards.eject", ejected.append)
    inserted += [as_card(card), as_card(tmp_path / "NIKON")]
    said = curator("import", card / "DCIM", "--to", tmp_path / "photos", "--eject")
    assert ejected == [inserted[0]]
    assert said.out.splitlines()[-1] == "EOS_DIGITAL can be removed now."

"""The command line: arguments, output and exit codes."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from curator.catalog import Catalog, ConductorLock
from curator.home import Home
from curator.library import column_file
from tests.photos import draw_jpeg
from tests.unit.cli.conftest import NAMES, Type


def by_name(shoot: Type, *words: str) -> dict[str, dict[str, Any]]:
    return {photo["name"]: photo for photo in shoot("photos", "--json", *words).json}


# --- ingest


def test_ingest_reports_new_photos_and_failures(
    curator: Type, card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(column_file, "MIN_PHOTOS", 4)
    said = curator("ingest", card, "--json", "--set", "work.workers=1", "--set", "work.attempts=1")
    assert said.code == 0
    answer = said.json
    assert (answer["found"], answer["new"], answer["known"]) == (5, 5, 0)
    assert (answer["converted"], answer["embedded"], answer["described"]) == (4, 0, 0)
    assert answer["failed"] == 1
    (failure,) = answer["failures"]
    assert failure["path"].endswith("DSC_5.JPG") and failure["reason"]
    assert answer["scan"] == ["5 photos (1 pair); 1 video skipped"]
    assert Home.at(tmp_path / "home").table_file.exists(), "the window need not read them all anew"


def test_a_second_ingest_finds_nothing_new(shoot: Type, card: Path) -> None:
    answer = shoot("ingest", card, "--json").json
    assert (answer["found"], answer["new"], answer["known"]) == (5, 0, 5)


@pytest.mark.parametrize("words", [("ingest", "NOWHERE"), ("folders", "add", "NOWHERE")])
def test_a_missing_folder_is_one_line_and_exit_1(curator: Type, words: tuple[str, ...]) -> None:
    said = curator(*words)
    assert said.code == 1
    assert said.out == "" and said.err.count("\n") == 1 and "NOWHERE" in said.err


def test_a_second_ingest_at_the_same_time_says_so(shoot: Type, card: Path, tmp_path: Path) -> None:
    lock = ConductorLock(Home.at(tmp_path / "home"))
    lock.acquire()
    try:
        said = shoot("ingest", card, "--json")
        gone = shoot("ingest", card / "nope", "--json")
        retried = shoot("retry", "--json")
    finally:
        lock.release()
    assert gone.code == 1 and "nope" in gone.json["error"], "that waits for nobody"
    assert said.code == 1 and "reading photos" in said.json["error"]
    assert retried.code == 0 and retried.json["asked"] == 1, "the other one takes it up"


def test_an_empty_folder_is_reported_and_no_error(curator: Type, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    said = curator("ingest", tmp_path / "empty")
    assert said.code == 0
    assert said.out == f"No photos in {tmp_path / 'empty'}. Is that the right folder?\n"


@pytest.mark.parametrize(
    "words", [("ingest", ""), ("--home", "", "status"), ("mark", "--pick", " "), ("export", "")]
)
def test_an_empty_name_is_not_the_current_folder(shoot: Type, words: tuple[str, ...]) -> None:
    said = shoot(*words)
    assert said.code == 2 and "must not be empty" in said.err


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
@pytest.mark.parametrize("name", ["bad\udcff.jpg", "bad\udcff"], ids=["file", "folder"])
def test_an_undecodable_name_is_reported_in_one_readable_line(
    curator: Type, tmp_path: Path, name: str
) -> None:
    if name.endswith(".jpg"):
        (tmp_path / name).write_bytes(b"x")
    else:
        (tmp_path / name).mkdir()
    said = curator("ingest", tmp_path / name)
    assert said.code == 1 and said.err.count("\n") == 1 and "not valid text" in said.err
    said = curator("ingest", tmp_path / name, "--json")
    assert said.json["remedy"] == "Rename it."


def test_a_file_that_is_no_picture_adds_no_folder(curator: Type, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a photo")
    assert "It is not a picture" in curator("ingest", tmp_path / "notes.txt").out
    assert curator("folders", "--json").json == []


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no such names there")
def test_names_with_control_characters_are_handled_and_escaped(
    curator: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = [
        "-dash",
        "new\nline",
        "100%",
        "%s%d",
        "esc\x1b[31m",
        "\u202egpj.exe",
        "\u00e9",
        "e\u0301",
    ]
    odd += ["quo'te\"", "two  \U0001f600", "7"]
    for number, name in enumerate(odd):
        draw_jpeg(tmp_path / "card" / f"{name}.jpg", size=(60, 40), seed=number)
    monkeypatch.chdir(tmp_path / "card")
    answer = curator("ingest", ".", "--json", "--set", "work.workers=1").json
    assert (answer["found"], answer["converted"]) == (len(odd), len(odd))
    files = [f"{name}.jpg" for name in odd]
    assert len(curator("mark", "--pick", "--json", "--", *files).json["changed"]) == len(odd)
    assert {photo["name"] for photo in curator("photos", "--json").json} == set(odd)
    lines = curator("photos").out
    assert lines.count("\n") == len(odd) + 1
    assert "\x1b" not in lines and "\u202e" not in lines and "esc\\x1b[31m" in lines
    assert len(curator("export", tmp_path / "out", "--json").json["written"]) == len(odd)
    # As every system takes them: macOS takes both spellings of an é for one name.
    safe = {"_dash", "new_line", "100%", "%s%d", "esc_[31m", "gpj.exe", "\u00e9", "\u00e9-2"}
    safe |= {"quo'te_", "two  \U0001f600", "7"}
    assert {path.stem for path in (tmp_path / "out").glob("*.jpg")} == safe


def test_single_files_can_be_read(curator: Type, card: Path) -> None:
    said = curator("ingest", card / "DSC_1.JPG", "--json", "--set", "work.workers=1")
    assert (said.json["found"], said.json["converted"]) == (1, 1)


def test_a_sample_has_the_requested_size(curator: Type, card: Path) -> None:
    words = ("--json", "--set", "work.workers=1", "--set", "work.attempts=1")
    assert curator("ingest", card, "--sample", "2", *words).json["new"] == 2
    assert len(curator("photos", "--json").json) == 2


# --- photos


def test_photos_json_has_the_documented_fields(shoot: Type, card: Path) -> None:
    photos = by_name(shoot)
    assert list(photos) == [*NAMES[:4], "DSC_5"]
    first = photos["DSC_4"]
    wanted = "id path files status verdict kept taken_at width height camera sharpness exposure"
    wanted += " rating flag label match_score tags stack projects"
    assert set(wanted.split()) <= set(first)
    assert (first["width"], first["height"]) == (240, 160)
    assert {Path(file).name for file in first["files"]} == {"DSC_4.DNG", "DSC_4.JPG"}
    assert (first["status"], first["verdict"], first["kept"]) == ("ok", "unreviewed", False)
    assert photos["DSC_5"]["status"] == "failed"


def test_photos_filters_sorts_and_limits(shoot: Type) -> None:
    shoot("mark", "--rate", 4, 2)
    assert list(by_name(shoot, "--filter", "rating:>=4")) == ["DSC_2"]
    named = [p["name"] for p in shoot("photos", "--sort", "name", "--reverse", "--json").json]
    assert named == ["DSC_5", "DSC_4", "DSC_3", "DSC_2", "DSC_1"]
    assert len(shoot("photos", "--limit", 2, "--json").json) == 2


def test_a_damaged_photo_says_so_and_has_no_sharpness(curator: Type, tmp_path: Path) -> None:
    whole = draw_jpeg(tmp_path / "card" / "a.jpg", size=(240, 160)).read_bytes()
    (tmp_path / "card" / "b.jpg").write_bytes(whole[: len(whole) * 3 // 4])
    curator("ingest", tmp_path / "card", "--set", "work.workers=1")
    (found,) = curator("photos", "--filter", "is:damaged", "--json").json
    assert (found["name"], found["status"]) == ("b", "ok") and "is missing" in found["damage"]
    assert (found["sharpness"], found["exposure"]) == (None, None)
    (clean,) = curator("photos", "--filter", "name:a", "--json").json
    assert clean["damage"] is None and clean["sharpness"] is not None
    told = curator("describe", tmp_path / "card" / "b.jpg").out
    assert "is missing" in told and "sharpness" not in told


def test_photos_prints_lines_by_default(shoot: Type) -> None:
    lines = shoot("photos").out.splitlines()
    assert len(lines) == 6 and "DSC_1" in lines[1]


@pytest.mark.parametrize(
    "words",
    [
        ("photos", "--filter", "is:nonsense"),
        ("photos", "--sort", "colour"),
        ("photos", "--limit", "0"),
        ("photos", "--limit", "²"),
        ("mark", "--rate", "9", "1"),
        ("mark", "--keep"),
        ("mark", "1"),
        ("mark", "--keep", "--reject", "1"),
        ("mark", "--label", "beige", "1"),
        ("export",),
        ("export", "out", "--approve", "luck"),
        ("backfill", "dreams"),
        ("folders", "remove"),
        ("settings", "work.workers=many"),
        ("settings", "work.helpers=3"),
        ("status", "--set", "nonsense"),
        ("status", "--set", "work.workers=-1"),
        ("--no-such-flag",),
    ],
)
def test_wrong_usage_is_exit_2_and_one_line(shoot: Type, words: tuple[str, ...]) -> None:
    said = shoot(*words)
    assert said.code == 2
    assert said.out == "" and said.err.count("\n") == 1
    as_json = shoot(*words, "--json")
    assert as_json.code == 2 and set(as_json.json) == {"error", "remedy"}
    assert as_json.json["error"]


# --- decide, undo, redo


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--rate", "4"), {"rating": 4, "kept": True, "verdict": "kept"}),
        (("--keep",), {"kept": True, "verdict": "kept"}),
        (("--pick",), {"flag": "pick", "kept": True, "verdict": "kept"}),
        (("--reject",), {"flag": "reject", "kept": False, "verdict": "rejected"}),
        (("--label", "green"), {"label": "green", "verdict": "unreviewed"}),
    ],
)
def test_a_decision_is_saved_and_can_be_undone(
    shoot: Type, words: tuple[str, ...], expected: dict[str, object]
) -> None:
    before = by_name(shoot)["DSC_1"]
    answer = shoot("mark", *words, before["id"], "--json").json
    assert answer["changed"] == [before["id"]]
    after = by_name(shoot)["DSC_1"]
    assert {name: after[name] for name in expected} == expected
    assert shoot("undo", "--json").json["undone"][0]["photos"] == [before["id"]]
    assert by_name(shoot)["DSC_1"] == before
    shoot("redo")
    assert by_name(shoot)["DSC_1"] == after


def test_the_former_verb_and_mark_still_work(shoot: Type) -> None:
    assert shoot("decide", "--pick", 1).code == 0 == shoot("--json", "decide", "--keep", 2).code
    assert "A catalog exists" in shoot("doctor", "anew").err


def test_many_photos_are_one_undo_step(shoot: Type) -> None:
    shoot("mark", "--reject", 1, 2, 3)
    assert shoot("undo").out.count("\n") == 1
    assert {photo["verdict"] for photo in by_name(shoot).values()} == {"unreviewed"}


def test_several_steps_can_be_undone_at_once(shoot: Type) -> None:
    for number in (1, 2, 3):
        shoot("mark", "--keep", number)
    assert len(shoot("undo", 2, "--json").json["undone"]) == 2
    assert sum(photo["kept"] for photo in by_name(shoot).values()) == 1
    assert len(shoot("undo", 9, "--json").json["undone"]) == 1
    assert shoot("undo").out == "Nothing to undo.\n"


def test_a_photo_is_named_by_id_or_by_path(shoot: Type, card: Path) -> None:
    shoot("mark", "--pick", card / "DSC_4.JPG")
    assert by_name(shoot)["DSC_4"]["flag"] == "pick"


@pytest.mark.parametrize("photo", ["4711", "nowhere/DSC_1.JPG"])
def test_an_unknown_photo_changes_nothing(shoot: Type, photo: str) -> None:
    said = shoot("mark", "--reject", 1, photo)
    assert said.code == 1 and said.err.count("\n") == 1 and photo in said.err
    assert by_name(shoot)["DSC_1"]["flag"] is None


def test_keeping_a_reject_makes_it_kept(shoot: Type) -> None:
    shoot("mark", "--reject", 1)
    shoot("mark", "--keep", 1)
    assert by_name(shoot)["DSC_1"]["verdict"] == "kept"


def test_no_stars_keeps_a_photo_and_clear_removes_all_marks(shoot: Type) -> None:
    shoot("mark", "--rate", 3, 1)
    shoot("mark", "--rate", 0, 1)
    assert by_name(shoot)["DSC_1"]["verdict"] == "kept"
    shoot("mark", "--clear", 1)
    assert by_name(shoot)["DSC_1"]["verdict"] == "unreviewed"


# --- export, rejects


def test_export_copies_what_is_approved_and_a_dry_run_does_not(shoot: Type, tmp_path: Path) -> None:
    shoot("mark", "--rate", 5, 1)
    shoot("mark", "--pick", 4)
    out = tmp_path / "out"
    planned = shoot("export", out, "--dry-run", "--json").json
    assert planned["approved"] == {"stars": 1, "pick": 1, "match": 0, "file": 0}
    assert planned["new_files"] == 3 and not out.exists()
    told = shoot("export", out, "--dry-run").out.splitlines()
    assert told[2].split("  ")[0] == "3 stars and match" and "no match scores yet" in told[2]
    done = shoot("export", out, "--json").json
    assert sorted(done["written"]) == ["DSC_1.JPG", "DSC_4.DNG", "DSC_4.JPG"]
    again = shoot("export", out, "--json").json
    assert again["written"] == [] and again["unchanged_files"] == 3
    assert json.loads((out / "photos.json").read_text())["photos"][0]["rating"] == 5


def test_export_names_failures_and_is_exit_1_if_nothing_was_exported(
    shoot: Type, tmp_path: Path
) -> None:
    shoot("mark", "--rate", 5, 1)
    words = ("export", tmp_path / "out", "--target", "sidecar")
    said = shoot(*words)
    assert "DSC_1.JPG: Lightroom, Bridge" in said.out and said.code == 1
    assert shoot(*words, "--set", "sidecars.profile=darktable").code == 0


def test_export_of_one_clause_and_of_one_folder(shoot: Type, tmp_path: Path, card: Path) -> None:
    shoot("mark", "--rate", 5, 1)
    shoot("mark", "--pick", 2)
    picks = shoot("export", tmp_path / "a", "--approve", "pick", "--json").json
    assert picks["written"] == ["DSC_2.JPG"]
    both = shoot("export", tmp_path / "b", "--scope", card, "--dry-run", "--json").json
    assert both["photos"] == 2
    assert shoot("export", tmp_path / "c", "--scope", tmp_path / "elsewhere").code == 1


def test_export_of_named_photos_exports_the_approved_ones(shoot: Type, tmp_path: Path) -> None:
    shoot("mark", "--pick", 1, 2, 3)
    shoot("project", "add", "Harbour", 1, 3)
    out, project = tmp_path / "out", ("--project", "Harbour")
    assert shoot("export", out, *project, "--json").json["photos"] == 2
    some = shoot("export", out, 3, *project, "--json").json
    assert (some["photos"], some["withdrawn"]) == (1, []), "the other one stays as it is"
    mixed = shoot("export", tmp_path / "b", 2, 4, "--json").json
    assert mixed["photos"] == 1 and "not approved" in mixed["skipped"][0]["reason"]
    assert shoot("export", tmp_path / "c", 4).code == 1
    assert "not among the photos" in shoot("export", out, 2, *project).err


def test_export_of_a_project_by_a_preset(shoot: Type, tmp_path: Path) -> None:
    shoot("mark", "--pick", 1, 2, 3)
    shoot("project", "add", "Harbour", 3, 1)
    words = ("--project", "harbour", "--names", "{project}-{seq}", "--dry-run", "--json")
    planned = shoot("export", tmp_path / "out", "--preset", "web gallery", *words).json
    assert (planned["target"], planned["photos"]) == ("gallery", 2)
    assert planned["names"][0] == "images/Harbour-001-2560.jpg"
    assert shoot("export", tmp_path / "out", "--project", "nowhere").code == 1
    assert shoot("export", tmp_path / "out", "--preset", "nothing").code == 1
    assert shoot("export", tmp_path / "out", "--names", "{what}").code == 1


def test_export_into_the_originals_is_refused(shoot: Type, card: Path) -> None:
    said = shoot("export", card / "best", "--json")
    assert said.code == 1 and "contains originals" in said.json["error"]
    assert not (card / "best").exists()


def test_rejects_are_listed_with_their_size_and_restored(shoot: Type, card: Path) -> None:
    shoot("mark", "--reject", 1, 4)
    listed = shoot("rejects", "--json").json
    assert [photo["name"] for photo in listed] == ["DSC_1", "DSC_4"]
    pair = sum((card / name).stat().st_size for name in ("DSC_4.JPG", "DSC_4.DNG"))
    assert listed[1]["bytes"] == pair
    assert shoot("rejects", "restore", 1, "--json").json["restored"] == [1]
    assert [photo["name"] for photo in shoot("rejects", "list", "--json").json] == ["DSC_4"]
    shoot("rejects", "restore")
    assert shoot("rejects").out == "0 rejects, 0 bytes.\n"
    shoot("undo")
    assert len(shoot("rejects", "--json").json) == 1


def test_ctrl_d_at_a_question_is_a_no(
    shoot: Type, card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end_of_input(_: str) -> str:
        raise EOFError

    shoot("mark", "--reject", 1)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", end_of_input)
    said = shoot("rejects", "empty", "--permanent")
    assert (said.code, said.out) == (0, "No files were deleted.\n")
    assert (card / f"{NAMES[0]}.JPG").exists()


def test_files_of_rejects_are_deleted_only_on_request_and_for_good(shoot: Type, card: Path) -> None:
    shoot("mark", "--reject", 4)
    (card / "DSC_4.xmp").write_text("stars")
    asked = shoot("rejects", "empty", "--permanent")
    assert asked.code == 2 and "3 files" in asked.err and (card / "DSC_4.DNG").exists()
    done = shoot("rejects", "empty", "--permanent", "--yes", "--json").json
    assert {Path(path).name for path in done["removed"]} == {"DSC_4.DNG", "DSC_4.JPG", "DSC_4.xmp"}
    assert not list(card.glob("DSC_4*"))
    shoot("ingest", card)
    assert "DSC_4" not in by_name(shoot)
    assert shoot("rejects", "--json").json == []


# --- folders, status, failures, settings, keys, logs, doctor


def test_folders_are_listed_switched_off_and_removed(shoot: Type, card: Path) -> None:
    (folder,) = shoot("folders", "--json").json
    assert (folder["path"], folder["photos"], folder["enabled"]) == (str(card), 5, True)
    shoot("folders", "off", card / ".." / card.name)
    assert shoot("photos", "--json").json == []
    shoot("folders", "on", card)
    assert len(shoot("photos", "--json").json) == 5
    assert shoot("folders", "remove", card, "--photos", "go", "--json").json == []
    assert shoot("photos", "--json").json == []
    assert shoot("folders", "off", card).code == 1


def test_status_counts(shoot: Type) -> None:
    shoot("mark", "--reject", 1)
    shoot("mark", "--pick", 2)
    status = shoot("status", "--json").json
    assert status["verdicts"] == {"unreviewed": 3, "kept": 1, "rejected": 1}
    assert (status["photos"], status["approved"], status["failed"]) == (5, 1, 1)
    assert status["work"]["convert"]["done"] == 4
    said = shoot("status").out
    assert "5 photos" in said and status["catalog"] in said and status["cache"] in said


def test_failures_have_reasons_and_can_be_retried(shoot: Type, tmp_path: Path) -> None:
    (failure,) = shoot("failures", "--json").json
    assert failure["path"].endswith("DSC_5.JPG") and failure["reason"].endswith(".")
    said = shoot("retry", "--json", "--set", "work.attempts=1", "--set", "work.workers=1")
    assert said.code == 0 and said.json["asked"] == 1 and said.json["failed"] == 1


def test_a_setting_comes_from_file_environment_and_flag_in_that_order(
    curator: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    def workers(*words: str) -> object:
        return curator("settings", "--json", *words).json["work.workers"]["value"]

    assert workers() == 0
    assert workers("work.workers=3") == 3
    assert workers() == 3
    monkeypatch.setenv("CURATOR_WORK__WORKERS", "4")
    assert workers() == 4
    assert workers("--set", "work.workers=5") == 5


def test_the_log_records_the_command_line(shoot: Type) -> None:
    shoot("mark", "--pick", 1)
    answer = shoot("logs", "--json").json
    assert any("mark --pick 1" in line for line in answer["lines"])


def test_the_doctor_decodes_every_format(curator: Type) -> None:
    said = curator("doctor", "--json")
    ills = [f for f in said.json["findings"] if not f["well"] and "space" not in f["what"]]
    assert said.code == 0 and ills == []
    assert {"JPEG", "HEIC", "RAW (DNG)"} <= {f["what"] for f in said.json["findings"]}


# --- a verb or a folder; home; mishaps


def test_a_verb_wins_over_a_folder_of_that_name(
    curator: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    assert curator("photos", "--json").json == []
    assert curator("./photos").code == 77, "the window opens on the folder"
    assert curator().code == 77
    assert curator("--", "photos").code == 77


def test_home_may_be_given_before_or_after_the_verb(curator: Type, tmp_path: Path) -> None:
    for place in ("before", "after"):
        words = ["--home", tmp_path / place]
        said = curator(*words, "status", "--json") if place == "before" else None
        said = said or curator("status", "--json", *words)
        assert said.json["home"] == str(tmp_path / place)


def test_a_damaged_catalog_is_one_line_and_stays_unchanged(shoot: Type, tmp_path: Path) -> None:
    catalog = tmp_path / "home" / "catalog.db"
    catalog.write_bytes(b"not a database, surely" * 100)
    for beside in catalog.parent.glob("catalog.db-*"):
        beside.unlink()
    before = catalog.read_bytes()
    said = shoot("status")
    assert said.code == 1 and said.err.count("\n") == 1 and "Traceback" not in said.err
    assert catalog.read_bytes() == before


def test_a_newer_catalog_is_refused_politely(shoot: Type, tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "home" / "catalog.db")
    database.execute("PRAGMA user_version = 9999")
    database.commit()
    database.close()
    said = shoot("photos", "--json")
    assert said.code == 1 and "newer" in said.json["error"]


def test_a_home_that_cannot_be_created_is_one_line(curator: Type, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    said = curator("--home", tmp_path / "file" / "home", "status")
    assert said.code == 1 and said.err.count("\n") == 1


def test_a_bug_is_one_line_with_the_traceback_in_the_log(
    shoot: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a planted mistake")

    monkeypatch.setattr("curator.library.table_cache.Table", broken)
    said = shoot("status", "--json")
    assert said.code == 1 and "planted mistake" in said.json["error"]
    log_file = tmp_path / "home" / "curator.log"
    assert said.json["remedy"] == f"The details are in {log_file}.", "the home that was asked for"
    log = log_file.read_text()
    assert "ZeroDivisionError" in log and "Traceback" in log


def test_the_active_keys_are_listed(curator: Type, tmp_path: Path) -> None:
    said = curator("keys", "--json").json
    assert said["preset"] == "curator" and said["refused"] is None
    assert said["keys"]["reject"] == ["X"] and said["keys"]["finish"] == []
    home = Home.at(tmp_path / "home").make()
    Path(said["file"]).write_text('preset = "darktable"\nreject = ["Y"]\n')
    assert Path(said["file"]).parent == home.data
    assert curator("keys", "--json").json["keys"]["reject"] == ["Y"]
    assert curator("keys", "lightroom", "--json").json["keys"]["reject"] == ["X"]
    assert "reject  " in curator("keys").out
    Path(said["file"]).write_text('reject = ["P"]')
    broken = curator("keys")
    assert broken.code == 0 and "P is bound to both" in broken.err
    assert curator("keys", "nikon").code == 2


def test_a_search_finds_words_and_can_be_saved(shoot: Type) -> None:
    found = shoot("search", "dsc_4", "OR", "3", "--json").json
    assert [(each["name"], each["found_by"]) for each in found] == [
        ("DSC_3", "words"),
        ("DSC_4", "words"),
    ]
    assert shoot("searches", "add", "Four", "name:4", "is:unreviewed").code == 0
    assert shoot("searches", "--json").json == [
        {"name": "Four", "expression": "name:4 is:unreviewed"}
    ]
    wrong = shoot("searches", "add", "Wrong", "rating:many", "--json")
    assert wrong.code == 2 and "at character 8" in wrong.json["error"]
    assert shoot("searches", "remove", "Four", "--json").json == []
    assert shoot("searches", "remove", "Four").code == 1


def test_approved_means_the_same_to_every_command(shoot: Type, tmp_path: Path) -> None:
    with closing(Catalog.open(tmp_path / "home" / "catalog.db")) as catalog:
        catalog.journal.decide({1: {"rating": 5}, 2: {"rating": 4}}, summary="-", source="file")
    shoot("mark", "--pick", 3)
    shoot("mark", "--rate", 3, 4)
    shoot("project", "add", "Harbour", 1, 2, 3, 4)

    def numbers(*words: object) -> tuple[object, ...]:
        status, planned = shoot("status", "--json", *words).json, plan(shoot, tmp_path, *words)
        listed = shoot("photos", "--filter", "is:approved", "--json", *words).json
        by_file = shoot("photos", "--filter", "is:approved-by-file", "--json", *words).json
        assert all(photo["approved"] == "file" for photo in by_file)
        assert status["approved_by_file"] == len(by_file) == planned["approved"]["file"]
        assert status["approved"] == len(listed) == planned["photos"]
        assert shoot("projects", "--json", *words).json[0]["approved"] == len(listed)
        return [photo["approved"] for photo in listed], len(by_file)

    assert numbers() == (["pick"], 2)
    assert "1 approved" in shoot("status").out
    assert "2 more approved only by ratings from other apps" in shoot("status").out
    shoot("settings", "approval.rule=rating:3; rating:5")
    assert numbers() == (["rating:3"], 1)
    assert numbers("--set", "approval.rule=-is:rejected") == (["-is:rejected"] * 2, 2)


def plan(shoot: Type, to: Path, *words: object) -> dict[str, Any]:
    return dict(shoot("export", to / "out", "--dry-run", "--json", *words).json)


def test_an_invalid_approval_rule_is_not_saved(shoot: Type) -> None:
    refused = shoot("settings", "approval.rule=rating:>=4; colour:red")
    assert refused.code == 2 and "colour" in refused.err
    assert shoot("settings", "--json").json["approval.rule"]["value"].startswith("rating:>=4; is:")
    assert shoot("status", "--set", "approval.rule=is:approved").code == 2


def test_the_location_is_exported_only_if_included(
    shoot: Type, tmp_path: Path, monkeypatch
) -> None:  # type: ignore[no-untyped-def]
    shoot("mark", "--pick", 1)
    monkeypatch.setattr("shutil.which", lambda name: None)
    refused = shoot("export", tmp_path / "out", "--no-location")
    assert refused.code == 1 and "Only exiftool can remove the location" in refused.err
    assert not (tmp_path / "out").exists()
    for words in (("--target", "gallery"), ("--as", "jpeg"), ("--preset", "JPEGs for the web")):
        assert plan(shoot, tmp_path, *words)["metadata"] == "no_location"
        assert plan(shoot, tmp_path, *words, "--metadata", "all")["metadata"] == "all"
    assert "location removed" in shoot("export", tmp_path / "web", "--as", "jpeg").out
    assert plan(shoot, tmp_path)["metadata"] == "all"

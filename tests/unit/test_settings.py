"""Settings: which source overrides which, what is saved, and errors in settings files."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from curator.home import Home, absolute, resource, with_capital_drive
from curator.model import KnownError, SuggestedTag, UsageError
from curator.settings import Settings, TagSettings, read_file, save


def test_each_source_overrides_the_one_before(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.load(home).work.attempts == 3
    home.settings_file.write_text('{"work": {"attempts": 4, "workers": 2}}', "utf-8")
    assert Settings.load(home).work.attempts == 4
    monkeypatch.setenv("CURATOR_WORK__ATTEMPTS", "5")
    assert Settings.load(home).work.attempts == 5
    settings = Settings.load(home, {"work": {"attempts": 6}})
    assert (settings.work.attempts, settings.work.workers) == (6, 2)


def test_only_values_that_differ_from_the_defaults_are_saved(home: Home) -> None:
    settings = Settings.load(home)
    settings.loupe.stars_advance = True
    save(settings, home)
    assert json.loads(home.settings_file.read_text("utf-8")) == {"loupe": {"stars_advance": True}}
    assert Settings.load(home).loupe.stars_advance


def test_values_of_flags_and_environment_are_not_saved(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.settings_file.write_text('{"work": {"attempts": 4}}', "utf-8")
    monkeypatch.setenv("CURATOR_WORK__ATTEMPTS", "5")
    settings = Settings.load(home, {"proxy": {"quality": 70}})
    settings.grid.thumb_px = 200
    save(settings, home)
    assert read_file(home) == {"work": {"attempts": 4}, "grid": {"thumb_px": 200}}


@pytest.mark.parametrize("value", [0, 900, "many"])
def test_the_error_about_a_bad_value_names_the_setting(home: Home, value: object) -> None:
    with pytest.raises(UsageError, match=r"work\.attempts"):
        Settings.load(home, {"work": {"attempts": value}})


def test_a_variable_of_a_whole_section_is_an_error(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CURATOR_WORK", "fast")
    with pytest.raises(UsageError, match="environment"):
        Settings.load(home)


def test_an_unknown_setting_is_an_error(home: Home) -> None:
    with pytest.raises(UsageError, match=r"work\.speed"):
        Settings.load(home, {"work": {"speed": 9}})


@pytest.mark.parametrize(
    ("content", "message"), [("{", "cannot be read"), ("[1]", "holds no settings")]
)
def test_the_error_about_a_bad_settings_file_names_it(
    home: Home, content: str, message: str
) -> None:
    home.settings_file.write_text(content, "utf-8")
    with pytest.raises(KnownError, match=message) as caught:
        Settings.load(home)
    assert str(home.settings_file) in str(caught.value)


def test_a_file_in_the_way_of_the_home_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "home"):
        with pytest.raises(KnownError, match="a file is in the way"):
            Home.at(folder).make()


def test_a_tilde_is_the_users_home_and_an_unknown_user_is_a_file_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute("~/photos") == Path.home() / "photos"
    assert str(absolute("work/../photos/.")) == str(tmp_path / "photos")
    assert absolute("~no-such-user/photos") == tmp_path / "~no-such-user" / "photos"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (r"c:\photos\iceland", r"C:\photos\iceland"),
        ("e:/", "E:/"),
        (r"D:\a", r"D:\a"),
        (r"\\nas\photos\a", r"\\nas\photos\a"),
    ],
)
def test_the_letter_of_a_windows_drive_is_capitalized(typed: str, expected: str) -> None:
    assert str(with_capital_drive(PureWindowsPath(typed))) == str(PureWindowsPath(expected))
    assert with_capital_drive(PurePosixPath("/c:/photos")) == PurePosixPath("/c:/photos")


def test_the_error_about_an_unwritable_home_has_a_remedy(home: Home) -> None:
    (home.data / "file").write_text("")
    with pytest.raises(KnownError, match="--home or CURATOR_HOME"):
        Home.at(home.data / "file" / "home").make()


def test_resources_are_found() -> None:
    assert resource("photos.schema.json").is_file()


def test_the_most_confident_of_the_suggested_tags_are_selected() -> None:
    told = (("boat", 30), ("harbor", 80), ("sky", 10), ("pier", 50), ("rope",))
    said = [SuggestedTag(*tag) for tag in told]
    assert TagSettings(threshold=20, most=2).select(said) == [said[1], said[3]]
    assert TagSettings(threshold=20, most=9).select(said)[-1] == SuggestedTag("rope"), (
        "no number, no limit"
    )
    assert TagSettings(threshold=0).select(said) == sorted(
        said, key=lambda tag: -(tag.confidence or 0)
    )
    assert TagSettings(most=0).select(said) == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"[" * 50_000, "it is nested too deeply"),
        (b'{"a":' * 12_000, "it is nested too deeply"),
        (b"[" + b"1," * 40_000 + b"1]", "larger than 64 KB"),
        (b"\0" * 100, "it is not JSON: see line 1, column 1"),
        (b"\xff\xfe{\0}\0", "it is not UTF-8 text"),
        (b'{"work": {"workers": ' + b"9" * 5000 + b"}}", "a number in it is too long"),
    ],
    ids=["arrays", "objects", "large", "zeros", "utf-16", "giant"],
)
def test_the_error_about_a_broken_settings_file_tells_the_reason(
    home: Home, content: bytes, why: str
) -> None:
    home.settings_file.write_bytes(content)
    with pytest.raises(KnownError, match=why):
        Settings.load(home)


@pytest.mark.parametrize("digits", [4000, 6000])
def test_a_giant_number_is_not_repeated_in_the_error(home: Home, digits: int) -> None:
    home.settings_file.write_text(json.dumps({"work": {"attempts": "9" * digits}}))
    with pytest.raises(UsageError) as refused:
        Settings.load(home)
    assert len(str(refused.value)) < 400 and "work.attempts" in str(refused.value)


@pytest.mark.parametrize("stored", [2, "2", "gray"])
def test_a_background_stored_as_a_number_is_read(stored: object, home: Home) -> None:
    home.settings_file.write_text(json.dumps({"loupe": {"surround": stored}}))
    assert Settings.load(home).loupe.surround == "gray"

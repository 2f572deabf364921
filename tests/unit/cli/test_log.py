"""Which parts of a command line are logged, and which never are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Type

URL = "vision.url=http://joe:hunter2@127.0.0.1:9"


def test_a_filter_with_line_breaks_is_one_line_of_the_log(curator: Type, tmp_path: Path) -> None:
    typed = "is:picked\n2026-01-01 00:00:00,000 1 INFO    curator: forged\x1b[2K"
    curator("photos", "--filter", typed)
    lines = (tmp_path / "home" / "curator.log").read_text().split("\n")
    (line,) = (line for line in lines if "photos" in line)
    assert "is:picked\\n2026-01-01" in line and "forged\\x1b[2K" in line


def test_a_password_in_an_address_is_neither_logged_nor_shown(
    curator: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CURATOR_VISION__URL")
    said = [
        curator("status", "--set", URL),
        curator("settings", URL),
        curator("settings", "--json"),
        curator("settings", "vision.port=http://joe:hunter2@127.0.0.1:9"),
    ]
    log = tmp_path / "home" / "curator.log"
    with log.open("a") as old:  # as earlier versions wrote it
        old.write(f"2026-01-01 00:00:00,000 1 INFO    curator: curator status --set {URL}\n")
    said += [curator("logs"), curator("logs", "--json")]
    assert "***@127.0.0.1:9" in said[1].out and "***@127.0.0.1:9" in said[2].out
    assert [each for each in said if "hunter2" in each.out + each.err] == []
    assert "hunter2" not in log.read_text().rpartition("2026-01-01")[0]

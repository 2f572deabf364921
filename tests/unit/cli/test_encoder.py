"""`curator encoder`: the encoder in use, and downloading the other one on request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from curator.encoders.options import missing_package
from tests import hubs
from tests.hubs import NAME, Hub
from tests.unit.cli.conftest import Type


def test_the_encoder_in_use_and_the_missing_parts_of_the_other_are_shown(curator: Type) -> None:
    said = curator("encoder", "--set", "encoder.which=auto", "--json").json
    assert set(said["available"]) == {"open_clip", "starter"}
    assert said["sentence"].startswith("Photos are")
    assert said["vectors"] == {}


def test_without_permission_to_download_the_setting_is_named(curator: Type) -> None:
    said = curator("encoder", "download", "--yes", "--set", "encoder.hub=false")
    assert said.code == 1
    assert "encoder.hub" in said.err


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A local server in place of the public hub."""
    if (lack := missing_package("torch", "open_clip", "huggingface_hub")) is not None:
        pytest.skip(lack)
    hubs.clear_environment(monkeypatch)
    with hubs.serving() as (served, address):
        monkeypatch.setenv("HF_ENDPOINT", address)
        yield served


def test_no_request_is_sent_to_the_hub_before_a_yes(curator: Type, server: Hub) -> None:
    said = curator("encoder", "download")
    assert said.code == 2
    assert "1.7 GB" in said.err and "--yes" in said.err
    assert server.asked == []


def test_a_yes_downloads_the_weights_for_the_next_ingest(
    curator: Type, server: Hub, tmp_path: Path
) -> None:
    server.files[NAME] = b"weights"
    said = curator("encoder", "download", "--yes", "--json")
    assert said.code == 0
    assert "1.7 GB" in said.err, "size and place are said even so"
    assert Path(said.json["path"]).read_bytes() == b"weights"
    assert Path(said.json["path"]).is_relative_to(tmp_path / "home")
    known = curator("encoder", "--set", "encoder.which=auto", "--json").json
    assert known["encoder"] == "open_clip" and known["available"]["open_clip"] is None
    asked = list(server.asked)
    assert curator("encoder", "download", "--yes").code == 0
    assert server.asked == asked, "they are here"


def test_a_hub_that_refuses_is_one_sentence(curator: Type, server: Hub) -> None:
    server.status = 503
    said = curator("encoder", "download", "--yes")
    assert said.code == 1
    assert "503" in said.err and "kept" in said.err and "Traceback" not in said.err

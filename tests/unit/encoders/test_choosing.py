"""Which encoder is chosen and why, and what is said of one that is missing; without torch."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from curator.encoders import (
    ENCODERS,
    EncoderOptions,
    Recipe,
    choose,
    clip_command,
    load,
    missing_by_encoder,
)
from curator.encoders import open_clip as clip_module
from curator.encoders.options import missing_package
from curator.model import KnownError, UsageError


def test_finding_out_what_is_installed_loads_no_torch():
    code = (
        "import sys; from curator.pipeline import Pipeline;"
        " from curator.encoders import EncoderOptions, choose, missing_by_encoder;"
        " choose('auto', EncoderOptions()); missing_by_encoder(EncoderOptions());"
        " sys.exit(bool({'torch', 'timm', 'open_clip'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.fixture
def installed(monkeypatch):
    """Set which encoders lack what, whatever this machine has."""

    def install(**lacks: str | None):
        kinds = tuple(
            replace(kind, missing=lambda _, n=kind.name: lacks.get(n), key=lambda _: "key")
            for kind in ENCODERS
        )
        monkeypatch.setattr("curator.encoders.ENCODERS", kinds)

    return install


def test_auto_takes_clip_when_its_weights_are_installed(installed):
    installed()
    encoding = choose("auto", EncoderOptions())
    assert encoding.recipe == Recipe("open_clip", "key", EncoderOptions())
    assert encoding.sentence == "Photos are analyzed with CLIP."


def test_auto_takes_the_starter_otherwise_and_tells_why(installed):
    installed(open_clip="CLIP's weights (ViT-L-14, 1.7 GB) are not downloaded.")
    encoding = choose("auto", EncoderOptions())
    assert encoding.recipe == Recipe("starter", "key", EncoderOptions())
    assert "built-in encoder. CLIP's weights" in encoding.sentence


def test_an_encoder_set_by_name_must_be_installed(installed):
    installed(open_clip="CLIP's weights (ViT-L-14, 1.7 GB) are not downloaded.")
    with pytest.raises(KnownError, match="not downloaded"):
        choose("open_clip", EncoderOptions())
    with pytest.raises(KnownError, match="not downloaded"):
        load("open_clip", EncoderOptions())
    encoding = choose("starter", EncoderOptions())
    assert encoding.recipe == Recipe("starter", "key", EncoderOptions())
    assert encoding.sentence == f"Photos are analyzed with {ENCODERS[1].title}, as chosen."
    assert choose("none", EncoderOptions()).recipe is None
    with pytest.raises(UsageError, match="clipp"):
        choose("clipp", EncoderOptions())


@pytest.mark.parametrize("error", [OSError(126, "c10.dll is not there"), ImportError("no kernels")])
def test_a_torch_that_cannot_be_loaded_is_a_known_error(monkeypatch, error):
    def load_none(options):
        raise error

    kinds = [replace(kind, missing=lambda _: None, load=load_none) for kind in ENCODERS]
    monkeypatch.setattr("curator.encoders.ENCODERS", kinds)
    with pytest.raises(KnownError, match=r"not there|kernels") as caught:
        load("open_clip", EncoderOptions())
    again = f"{sys.executable} -m pip install --force-reinstall torch open-clip-torch"
    assert caught.value.remedy == f"Install it again with `{again}`."


def test_without_torch_clip_says_what_it_brings_and_how_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    found = missing_by_encoder(EncoderOptions())
    assert found["starter"] is None
    assert "searches by description" in found["open_clip"]
    assert f"Install it with `{clip_command()}`." in found["open_clip"]
    assert clip_command() == f"{sys.executable} -m pip install torch open-clip-torch"
    monkeypatch.setattr("sys.frozen", True, raising=False)
    found = missing_by_encoder(EncoderOptions())
    assert "Nothing can be added to this build" in found["open_clip"]
    assert clip_command() is None
    with pytest.raises(KnownError, match="Nothing can be added to this build"):
        clip_module.download_plan(EncoderOptions(folder=tmp_path))


def test_downloaded_weights_are_found_and_partial_ones_are_not(tmp_path):
    if (lack := missing_package("torch", "open_clip")) is not None:
        pytest.skip(lack)
    options = EncoderOptions(folder=tmp_path)
    folder = options.folder / "ViT-L-14-laion2b_s32b_b82k"
    (folder / ".cache").mkdir(parents=True)
    (folder / ".cache" / "open_clip_model.safetensors.incomplete").touch()
    assert "1.7 GB" in (clip_module.missing(options) or "")
    (folder / "open_clip_model.safetensors").touch()
    assert clip_module.missing(options) is None

"""Nothing on a memory card is ever changed, whatever writes beside or into originals elsewhere.

The card is writable, so that only Curator's own rule protects it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from curator import cli, export, files, removal
from curator.catalog import Catalog, VerifiedCopy
from curator.export import Options
from curator.export.target_folder import Originals, open_to_write
from curator.home import Home
from curator.model import Kind, KnownError
from curator.pipeline import Pipeline, SidecarNews, sidecars
from curator.pipeline.metadata_embedding import embed_some, find_changes
from curator.pipeline.sidecars import SidecarWriter, preview, write_some
from curator.settings import Settings
from curator.sidecar import PROFILES, read
from curator.stages import STAGES
from curator.workers import InlinePool
from tests.drives import Drives
from tests.photos import draw_jpeg
from tests.unit.pipeline.test_metadata_embedding import fake

NEEDED = tuple(stage for stage in STAGES if stage.reads == "file")
DARKTABLE = PROFILES["darktable"]
NEVER = "On the card EOS_DIGITAL, which Curator never changes."
COPY_FIRST = f"{NEVER} Copy the photo first."


class CardShoot:
    """A card of two photos in the catalog: a reject with a sidecar, and five stars."""

    def __init__(self, base: Path, drives: Drives) -> None:
        self.home, self.drives = Home.at(base / "home").make(), drives
        files_of_card = drives.make("1", "EOS_DIGITAL") / "DCIM" / "100CANON"
        for number, name in enumerate(("IMG_1.JPG", "IMG_2.JPG")):
            draw_jpeg(files_of_card / name, size=(96, 64), seed=number)
        self.root = drives.plug("1")
        self.folder = self.root / "DCIM" / "100CANON"
        pipeline = Pipeline(self.home, Settings.load(self.home), inline=True, stages=NEEDED)
        pipeline.start()
        try:
            pipeline.open_folders([self.root])
        finally:
            pipeline.stop()
        (self.folder / "IMG_1.xmp").write_text("theirs")
        self.catalog = Catalog.open(self.home.catalog)
        self.ids = [self.catalog.photos.find(self.folder / f"IMG_{n}.JPG") for n in (1, 2)]
        self.reject, self.rated = self.ids
        self.catalog.journal.decide({self.reject: {"flag": "reject"}}, summary="Rejected")
        self.catalog.journal.decide({self.rated: {"rating": 5}}, summary="5 stars")
        self.before = self.state()

    def state(self) -> dict[str, tuple[bytes | None, int]]:
        """Everything on the card, with times; a file made and removed again changes a folder's."""
        return {
            str(path): (path.read_bytes() if path.is_file() else None, path.stat().st_mtime_ns)
            for path in [self.root, *self.root.rglob("*")]
        }

    def curator(self, *words: str) -> int:
        def window(*_: object) -> int:
            raise AssertionError("no window was asked for")

        return cli.main(["--home", str(self.home.data), *words], window, window)


@pytest.fixture
def shoot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CardShoot]:
    made = CardShoot(tmp_path, Drives(tmp_path, monkeypatch))
    yield made
    made.catalog.close()
    assert made.state() == made.before, "the card was changed"


def test_a_sidecar_is_not_written_and_the_dry_run_says_so(shoot: CardShoot) -> None:
    shown = preview(shoot.catalog, [shoot.rated], DARKTABLE)
    assert [(each.problem, each.lines) for each in shown.differences] == [(COPY_FIRST, ())]
    wrote = write_some(shoot.catalog, [shoot.rated], DARKTABLE)
    assert wrote.failed == ((shoot.rated, COPY_FIRST),)


def test_sidecars_in_the_background_and_by_ctrl_s_stay_pending(
    shoot: CardShoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    news: list[SidecarNews] = []
    settings = Settings.load(shoot.home, {"sidecars": {"profile": "darktable", "background": True}})
    writer = SidecarWriter(shoot.home.catalog, settings, InlinePool(), news.append, lambda _: None)
    monkeypatch.setattr(sidecars, "QUIET_S", 0.0)  # a person paused
    writer.work_off()
    assert (news[-1].pending, news[-1].reason) == (2, COPY_FIRST)
    shoot.catalog.sidecars.request_write([shoot.rated])
    writer.work_off()
    assert "not written: On the card EOS_DIGITAL" in "".join(each.message for each in news)
    assert shoot.catalog.sidecars.outstanding().unwritten == 2


def test_a_pending_sidecar_is_written_beside_the_copy_once_that_is_the_photos_file(
    shoot: CardShoot, tmp_path: Path
) -> None:
    catalog, library = shoot.catalog, tmp_path / "library"
    catalog.sidecars.request_write([shoot.rated])
    write_some(catalog, catalog.sidecars.due(9, False, 0.0), DARKTABLE)
    assert catalog.sidecars.due(9, False, 0.0) == [], "it would be tried again and again"
    source, copy = shoot.folder / "IMG_2.JPG", library / "IMG_2.JPG"
    library.mkdir()
    shutil.copy2(source, copy)
    catalog.imports.add_library(library, is_new=True)
    run = catalog.imports.begin({}, "Wedding")
    status = copy.stat()
    copied = VerifiedCopy(
        str(shoot.root), "DCIM/100CANON/IMG_2.JPG", files.fingerprint(copy), files.sha256(copy),
        status.st_size, str(library), "IMG_2.JPG", status.st_mtime_ns, kind=Kind.IMAGE,
    )  # fmt: skip
    catalog.imports.record(run, [copied], library)
    due = catalog.sidecars.due(9, False, 0.0)
    assert due == [shoot.rated]
    assert write_some(catalog, due, DARKTABLE).failed == ()
    assert read(copy.with_name("IMG_2.JPG.xmp").read_bytes()).metadata.rating == 5


def test_marks_are_not_embedded_in_originals(shoot: CardShoot, tmp_path: Path) -> None:
    program = fake(tmp_path)
    change, left = find_changes(shoot.catalog, shoot.ids)
    assert change == [] and {each.problem for each in left} == {COPY_FIRST}
    done = embed_some(shoot.catalog, shoot.ids, program)
    assert [each.problem for each in done] == [COPY_FIRST] * len(left)


@pytest.mark.parametrize("permanently", [False, True])
def test_rejects_are_listed_but_stay(shoot: CardShoot, permanently: bool) -> None:
    photos = [shoot.catalog.photos.get(photo) for photo in shoot.ids]
    listed = removal.plan(photos, permanently=permanently)
    wanted = {file.path for file in listed.files}
    assert {Path(path).name for path in wanted} == {"IMG_1.JPG", "IMG_1.xmp"}
    again = removal.plan(photos, wanted, permanently=permanently)
    assert again.going == []
    assert again.staying() == {NEVER: 1, "It also belongs to IMG_1.JPG, which stays.": 1}


def export_to(shoot: CardShoot, folder: Path) -> object:
    photos = [shoot.catalog.photos.get(shoot.rated)]
    options = Options(folder, {shoot.rated: "stars"}, sources=(shoot.root,))
    return export.make_plan(photos, options)


@pytest.mark.parametrize("name", ["DCIM/out", "out/deeper"])
@pytest.mark.parametrize(
    "act", [export_to, lambda _, folder: open_to_write(folder, Originals(frozenset(), frozenset()))]
)
def test_nothing_is_exported_to_a_card(
    shoot: CardShoot, name: str, act: Callable[[CardShoot, Path], object]
) -> None:
    with pytest.raises(KnownError, match="which Curator never changes") as caught:
        act(shoot, shoot.root / name)
    assert caught.value.remedy == "Choose another folder for the export."


def test_the_command_line_leaves_a_card_alone_and_says_so(
    shoot: CardShoot, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    fake(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    for words in (
        "sidecar write --profile darktable --dry-run",
        "sidecar write --profile darktable",
        "sidecar embed --dry-run",
        "sidecar embed --yes",
        "rejects empty --yes",
        "rejects empty --permanent --yes",
    ):
        assert shoot.curator(*words.split()) == 0
        assert NEVER in "".join(capsys.readouterr()), words

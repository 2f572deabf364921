"""Embedding marks in originals: the same picture, the same photo, all or nothing."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from curator import exiftool, files
from curator.catalog import Catalog
from curator.catalog.rewrites import Rewrites
from curator.home import Home
from curator.imaging import embedded_metadata
from curator.model import KnownError
from curator.pipeline import MetadataResult, Pipeline
from curator.pipeline.metadata_embedding import embed_some, find_changes
from curator.settings import Settings
from curator.sidecar import SidecarMetadata, read_embedded
from curator.stages import STAGES, embed_metadata
from tests.photos import draw_jpeg

# As much of exiftool as is asked of it: a packet into a JPEG, by a list of arguments on stdin.
FAKE = """\
#!{python} -SEs
import sys
from pathlib import Path
assert sys.argv[1:] == ["-config", "", "-@", "-"], sys.argv
for words in sys.stdin.read().split("-execute\\n")[:-1]:
    options, packet, name = words.split()
    assert options == "-overwrite_original" and name.startswith("./.curator-embed-")
    data = Path(name).read_bytes()
    body = b"http://ns.adobe.com/xap/1.0/\\0" + Path(packet.partition("<=")[2]).read_bytes()
    {act}
"""
WRITES = 'Path(name).write_bytes(data[:2] + b"\\xff\\xe1" + (len(body) + 2).to_bytes(2, "big") + body + data[2:])'  # noqa: E501
NEEDED = tuple(stage for stage in STAGES if stage.reads == "file")
ODD = "-x\n☃ '.jpg"


def fake(folder: Path, act: str = WRITES) -> str:
    program = folder / "exiftool"
    text = FAKE.format(python=sys.executable, act=textwrap.dedent(act)).replace("\\\\", "\\")
    program.write_text(text)
    program.chmod(0o755)
    return str(program)


class Shoot:
    """Photos read into a catalog as the window reads them, and again when asked."""

    def __init__(self, base: Path) -> None:
        self.home, self.folder = Home.at(base / "home").make(), base / "photos"
        for number, name in enumerate(("a.jpg", ODD)):
            draw_jpeg(self.folder / name, size=(96, 64), seed=number)
        self.scan()
        self.catalog = Catalog.open(self.home.catalog)
        self.ids = [self.catalog.photos.find(self.folder / name) for name in ("a.jpg", ODD)]

    def scan(self) -> None:
        pipeline = Pipeline(self.home, Settings.load(self.home), inline=True, stages=NEEDED)
        pipeline.start()
        try:
            pipeline.open_folders([self.folder])
        finally:
            pipeline.stop()

    def rate(self, stars: int) -> None:
        self.catalog.journal.decide(
            {p: {"rating": stars} for p in self.ids}, summary=f"{stars} stars"
        )

    def rows(self) -> list[tuple[int, str | None, str | None, list[tuple[str, str]]]]:
        found = self.catalog.photos.details(self.ids)
        return [(p.id, p.proxy, p.thumb, [(w.stage, w.state) for w in p.work]) for p in found]


@pytest.fixture
def shoot(tmp_path: Path) -> Iterator[Shoot]:
    made = Shoot(tmp_path)
    yield made
    made.catalog.close()


def says(path: Path) -> SidecarMetadata:
    carried = embedded_metadata.read(path)
    return read_embedded(carried.packets, carried.keywords, carried.rating).metadata


def left_over(shoot: Shoot) -> list[str]:
    return [path.name for path in shoot.folder.iterdir() if path.name.startswith(".")]


def check_embedding(shoot: Shoot, program: str) -> None:
    """Embed, read again, undo, embed again: always the same two photos."""
    (shoot.folder / "a.jpg").chmod(0o640)
    shoot.rate(4)
    before, bytes_before = shoot.rows(), (shoot.folder / "a.jpg").read_bytes()
    change, left = find_changes(shoot.catalog, shoot.ids)
    assert ([each.lines for each in change], left) == ([("rating: none → 4",)] * 2, [])
    assert (shoot.folder / "a.jpg").read_bytes() == bytes_before
    done = embed_some(shoot.catalog, shoot.ids, program)
    assert [each.problem for each in done] == ["", ""] and left_over(shoot) == []
    assert [says(shoot.folder / name).rating for name in ("a.jpg", ODD)] == [4, 4]
    assert (shoot.folder / "a.jpg").stat().st_mode & 0o777 == 0o640
    for photo in shoot.catalog.photos.details(shoot.ids):
        (file,) = photo.files
        status = file.path.stat()
        assert (file.size, file.mtime_ns) == (status.st_size, status.st_mtime_ns)
        assert file.fingerprint == files.fingerprint(file.path)
        assert file.sha256 == files.sha256(file.path)
    # A scan finds nothing new, nothing waits, and the pictures are unchanged.
    assert shoot.rows() == before
    shoot.scan()
    assert shoot.rows() == before and len(shoot.catalog.photos.ids()) == 2
    assert embed_some(shoot.catalog, shoot.ids, program)[0].lines == ()
    # An undone decision does not touch the file; it waits to be embedded again.
    shoot.catalog.journal.undo()
    assert says(shoot.folder / "a.jpg").rating == 4
    assert find_changes(shoot.catalog, shoot.ids)[0][0].lines == ("rating: 4 → none",)
    embed_some(shoot.catalog, shoot.ids, program)
    assert not says(shoot.folder / "a.jpg").rating


def test_embedding_keeps_the_photos_identity(shoot: Shoot, tmp_path: Path) -> None:
    check_embedding(shoot, fake(tmp_path))


@pytest.mark.slow
def test_embedding_with_exiftool_keeps_the_photos_identity(shoot: Shoot) -> None:
    check_embedding(shoot, exiftool.find(Settings()) if shutil.which("exiftool") else pytest.skip(
        "exiftool is not installed"))  # fmt: skip


def test_a_kill_before_the_catalog_is_updated_keeps_the_photo(
    shoot: Shoot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """Nothing after this line is run."""

    def killed(*_: object) -> None:
        raise Killed

    # Without a capture time, only its content identifies the photo.
    with shoot.catalog.store.transaction():
        shoot.catalog.store.run("UPDATE photo SET taken_at = NULL")
    shoot.rate(3)
    monkeypatch.setattr(Rewrites, "save", killed)
    with pytest.raises(Killed):
        embed_some(shoot.catalog, shoot.ids[:1], fake(tmp_path))
    assert says(shoot.folder / "a.jpg").rating == 3
    shoot.scan()
    (photo,) = shoot.catalog.photos.details(shoot.ids[:1])
    assert shoot.catalog.photos.find(shoot.folder / "a.jpg") == photo.id and photo.marks.rating == 3
    assert [file.role for file in photo.files] == ["main"] and photo.state == ""
    assert photo.files[0].fingerprint == files.fingerprint(shoot.folder / "a.jpg")


@pytest.mark.parametrize(
    ("act", "why"),
    [
        ("pass", "exiftool could not write into it."),
        ('sys.exit("Error: disk on fire - " + name)', "disk on fire"),
        (WRITES.replace("data[2:]", 'data[2:-9] + b"x" + data[-8:]'), "would not stay the same"),
    ],
)
def test_a_wrong_copy_never_replaces_the_original(
    shoot: Shoot, tmp_path: Path, act: str, why: str
) -> None:
    shoot.rate(4)
    before = (shoot.folder / "a.jpg").read_bytes()
    (done,) = embed_some(shoot.catalog, shoot.ids[:1], fake(tmp_path, act))
    assert why in done.problem and left_over(shoot) == []
    assert (shoot.folder / "a.jpg").read_bytes() == before


@pytest.mark.slow
def test_changed_protected_or_missing_originals_are_skipped(shoot: Shoot, tmp_path: Path) -> None:
    shoot.rate(4)
    program, path = fake(tmp_path), shoot.folder / "a.jpg"
    path.chmod(0o444)
    assert "write-protected" in embed_some(shoot.catalog, shoot.ids[:1], program)[0].problem
    path.chmod(0o644)
    original = path.read_bytes()

    def changed_meanwhile(
        jobs: Sequence[embed_metadata.MetadataJob], program: str
    ) -> Sequence[MetadataResult]:
        made = embed_metadata.make(jobs, program)
        path.write_bytes(original + b"!")
        return made

    (done,) = embed_some(shoot.catalog, shoot.ids[:1], program, changed_meanwhile)
    assert "changed since" in done.problem and path.read_bytes() == original + b"!"
    assert "changed since" in embed_some(shoot.catalog, shoot.ids[:1], program)[0].problem
    path.unlink()
    assert "not there" in embed_some(shoot.catalog, shoot.ids[:1], program)[0].problem
    assert left_over(shoot) == []


def test_an_original_that_was_not_read_yet_is_skipped_for_now(shoot: Shoot, tmp_path: Path) -> None:
    shoot.rate(4)
    with shoot.catalog.store.transaction():
        shoot.catalog.store.run("UPDATE file SET fingerprint = NULL")
    _, left = find_changes(shoot.catalog, shoot.ids)
    assert {each.problem for each in left} == {
        "The file has not been read yet. Try again in a moment."
    }
    assert embed_some(shoot.catalog, shoot.ids, fake(tmp_path)) == left


def test_without_exiftool_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(KnownError, match=r"not installed.*exiftool\.org"):
        exiftool.find(Settings())
    settings = Settings()
    settings.sidecars.exiftool = "/nowhere/exiftool"
    with pytest.raises(KnownError, match="not at /nowhere"):
        exiftool.find(settings)

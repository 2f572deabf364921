"""No manifest and no link in a target folder makes an export touch anything outside it."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator import opened_folder
from curator.catalog import PhotoDetail
from curator.export import Options, write
from curator.export.render import Rendered, RenderJob
from curator.model import KnownError, Marks
from curator.opened_folder import OpenedFolder
from curator.sidecar import SidecarMetadata, batch
from tests.photos import draw_jpeg
from tests.unit.export.conftest import PICK, STARS, make_plan, photo
from tests.unit.export.test_folder import manifest

Standing = dict[str, tuple[object, ...]]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need a right of their own there")


def standing(*folders: Path) -> Standing:
    """Record every name below folders: content, inode, time, mode and the target of links."""
    found: Standing = {}
    for top in folders:
        for path in (top, *sorted(top.rglob("*"))):
            status = path.lstat()
            content: object = path.readlink() if path.is_symlink() else ""
            if path.is_file() and not path.is_symlink():
                content = path.read_bytes()
            found[str(path)] = (content, status.st_ino, status.st_mtime_ns, status.st_mode)
    return found


@pytest.fixture
def one(tmp_path: Path) -> PhotoDetail:
    return photo(1, STARS, draw_jpeg(tmp_path / "photos" / "IMG_0.JPG", size=(96, 64)))


def export(photos: list[PhotoDetail], to: Path, **options: object) -> list[str]:
    """Export as an unsuspecting user would; return the messages."""
    try:
        report = write(make_plan(photos, Options(to, **options)))  # type: ignore[arg-type]
    except KnownError as error:
        return [str(error)]
    return [skip.reason for skip in report.failed]


def rewrite(out: Path, **record: object) -> None:
    """Change the only entry of a manifest, as an attacker would."""
    content = manifest(out)
    (entry,) = content["photos"]
    entry["files"][0] |= record  # type: ignore[index]
    entry |= {key: value for key, value in record.items() if key in entry}  # type: ignore[operator]
    (out / "photos.json").write_text(json.dumps(content), "utf-8")


@pytest.mark.parametrize("name", ["sub", "Sub", "Fuß", "cafe\u0301", "caf\u00e9", "a/Sub"])
def test_a_manifest_moves_no_original_through_a_link(
    one: PhotoDetail, tmp_path: Path, name: str
) -> None:
    out, photos = tmp_path / "out", one.path.parent
    export([one], out)
    (out / "IMG_0.JPG").unlink()
    (out / name).parent.mkdir(exist_ok=True)
    (out / name).symlink_to(photos)
    rewrite(out, filename=f"{name}/IMG_0.JPG")
    before = standing(photos)
    (message,) = export([one], out, names="{date}_{name}")
    assert standing(photos) == before
    assert "not in its folder" in message


@pytest.mark.parametrize("nested", [True, False])
def test_photos_inside_the_target_are_never_touched(tmp_path: Path, nested: bool) -> None:
    out = tmp_path / "Pictures"
    photos = out / "2024" if nested else out
    some = photo(1, STARS, draw_jpeg(photos / "IMG_0.JPG", size=(96, 64)))
    victim = draw_jpeg(photos / "IMG_1.JPG", size=(96, 64), seed=1)
    before = standing(victim.parent)
    if not nested:
        # A folder that is read without those below it; the scope is of another.
        elsewhere = photo(2, STARS, draw_jpeg(tmp_path / "card" / "a.JPG", size=(96, 64)))
        assert "contains originals" in export([elsewhere], out, flat_sources=(out,))[0]
    else:
        export([some], out, sources=(photos,))
        sha = hashlib.sha256(victim.read_bytes()).hexdigest()
        rewrite(out, filename="2024/IMG_1.JPG", sha256=sha, size=victim.stat().st_size)
        assert "not in its folder" in export([some], out, sources=(photos,), names="{seq}")[0]
    assert standing(victim.parent) == before


def test_sidecars_of_photos_inside_the_target_are_not_written_among_them(tmp_path: Path) -> None:
    pictures = tmp_path / "Pictures"
    some = []
    for number, name in enumerate(("2024", "2025"), 1):
        path = pictures / name / "DSC_1.NEF"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"RAW" * 99)
        made = photo(number, PICK, path)
        some.append(replace(made, files=(replace(made.files[0], kind="raw"),)))
    sources = tuple(path.path.parent for path in some)
    before = standing(*sources)
    plan = make_plan(some, Options(pictures, target="sidecar", sources=sources))
    write(plan)
    assert ["contains originals" in skip.reason for skip in plan.skipped] == [True, True]
    assert standing(*sources) == before


@pytest.mark.parametrize("name", ["photos.json", "index.html", ".curator-export.json"])
@pytest.mark.parametrize("how", ["symlink_to", "hardlink_to"])
def test_a_link_in_place_of_an_exports_file_is_not_followed(
    one: PhotoDetail, tmp_path: Path, name: str, how: str
) -> None:
    out, photos = tmp_path / "out", one.path.parent
    out.mkdir()
    getattr(out / name, how)(one.path)
    before = standing(photos)
    export([one], out)
    export([one], out, target="gallery", long_edge_px=60)
    assert standing(photos) == before


def test_a_target_that_became_a_link_to_the_photos_after_the_plan_is_refused(
    one: PhotoDetail, tmp_path: Path
) -> None:
    out, photos = tmp_path / "out", one.path.parent
    plans = [make_plan([one], Options(to, sources=(photos,))) for to in (out, out / "a" / "b")]
    out.symlink_to(photos)
    before = standing(photos)
    for plan in plans:
        with pytest.raises(KnownError, match="contains originals"):
            write(plan)
    assert standing(photos) == before


def test_a_copy_that_became_a_link_is_ignored_and_the_photo_is_written_beside_it(
    one: PhotoDetail, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    export([one], out)
    (out / "IMG_0.JPG").unlink()
    (out / "IMG_0.JPG").symlink_to(one.path)
    export([one], out)
    assert (out / "IMG_0.JPG").is_symlink()
    assert (out / "IMG_0-2.JPG").read_bytes() == one.path.read_bytes()


def test_a_pipe_in_place_of_an_original_fails_that_photo_only(
    one: PhotoDetail, tmp_path: Path
) -> None:
    other = photo(2, STARS, draw_jpeg(tmp_path / "photos" / "IMG_1.JPG", size=(96, 64)))
    one.path.unlink()
    os.mkfifo(one.path)
    (message,) = export([one, other], tmp_path / "out")
    assert "cannot be read (it is not a plain file)" in message
    assert (tmp_path / "out" / "IMG_1.JPG").exists()


def test_no_template_leads_out_of_the_folder(tmp_path: Path) -> None:
    path = draw_jpeg(tmp_path / "photos" / "..\\x.JPG", size=(60, 40))
    wild = photo(1, STARS, path)
    wild = replace(wild, capture=replace(wild.capture, camera="../../../etc/passwd\0/.."))
    before = standing(path.parent)
    for number, names in enumerate(
        ("../{name}", "/etc/{name}", "{camera}/{name}", "..", ".", "{project}/..", "~/{name}")
    ):
        out = tmp_path / "outs" / str(number)
        assert export([wild], out, names=names, project="../..") == []
        (made,) = {path.name for path in out.iterdir()} - {"photos.json"}
        assert made.endswith(".JPG")
    assert standing(path.parent) == before
    assert {each.name for each in tmp_path.iterdir()} == {"photos", "outs"}
    assert len(list((tmp_path / "outs").iterdir())) == 7


# --- manifests and folders poisoned at random

NAMES = ("A.NEF", "B.NEF")
LINKS = ("Sub", "sub", "Fuß", "cafe\u0301", "images", "mon", "photos")
POISON = (
    *(f"{link}/A.NEF" for link in LINKS),
    *(
        "../photos/A.NEF",
        "{}/photos/A.NEF",
        "images/../../photos/A.NEF",
        "./A.NEF",
        "images//A.NEF",
    ),
    *("", ".", "..", "\0", "\ud800", "n" * 300, "A.NEF", "a.nef", "mon/A.xmp", "images/A-60.jpg"),
    *("photos.json", "index.html", ".curator-export.json", "images", "stranger.txt"),
)
PLACES = (
    *LINKS, *NAMES, "mon/A.xmp", "images/A-60.jpg", "photos.json", "index.html", "stranger.txt",
    ".curator-export.json", ".curator-page", ".curator-1.part", ".curator-photos.json.part", "",
)  # fmt: skip
THINGS = (
    "link to photos", "link to elsewhere", "link to a photo", "link to nowhere",
    "link to the target", "twin", "pipe",
    "folder", "file", "nothing", "photos moved in",
)  # fmt: skip

change = st.tuples(st.sampled_from(PLACES), st.sampled_from(THINGS))
choices = st.fixed_dictionaries(
    {
        "target": st.sampled_from(("folder", "gallery", "sidecar")),
        "names": st.sampled_from(("{name}", "{date}_{name}", "{seq}", "a_{name}", "A_{name}")),
        "profile": st.sampled_from(("lightroom", "darktable")),
    }
)
record = st.fixed_dictionaries(
    {},
    optional={
        "filename": st.sampled_from(POISON),
        "sha256": st.sampled_from(("of A", "of B", "0" * 64, 7)),
        "size": st.sampled_from((300, 0, -1, 10**30, None)),
        "kind": st.sampled_from(("raw", "sidecar", "image")),
        "fingerprint": st.sampled_from((None, "x", [])),
        "original_path": st.sampled_from((None, "/", "A.NEF")),
        "said": st.sampled_from(({}, {"rating": "x"}, {"keywords": [None]}, [])),
        "form": st.sampled_from(("original", "jpeg 60 px q92", "", None)),
        "seq": st.sampled_from((None, 1, -1, 10**40, "x")),
        "capture": st.sampled_from(({}, None, {"taken_at": 3}, {"exposure_s": 1e-320})),
        "tags": st.sampled_from(([], None, ["x"], [{"name": "x", "state": "confirmed"}])),
        "files": st.sampled_from(([], None, [None], [{}])),
    },
)


class World:
    """Photos, a target with an earlier export, and an attacker."""

    def __init__(self, top: Path) -> None:
        self.photos, self.elsewhere, self.out = top / "photos", top / "elsewhere", top / "out"
        for folder, names in ((self.photos, NAMES), (self.photos / "mon", NAMES)):
            folder.mkdir()
            for name in names:
                (folder / name).write_bytes(f"{folder.name} {name} ".encode() * 30)
        self.elsewhere.mkdir()
        for name in ("A.NEF", "A-60.jpg"):  # a backup of one
            (self.elsewhere / name).write_bytes((self.photos / "A.NEF").read_bytes())
        self.shoot = [
            self._raw(number, folder / name)
            for number, (folder, name) in enumerate(
                (folder, name) for folder in (self.photos, self.photos / "mon") for name in NAMES
            )
        ]

    @staticmethod
    def _raw(number: int, path: Path) -> PhotoDetail:
        made = photo(number, PICK if number % 2 else STARS, path)
        return replace(made, files=(replace(made.files[0], kind="raw"),))

    def export(self, moved: bool = False, **options: Any) -> None:
        """Export everything; only errors about the folder are allowed."""
        chosen = {"long_edge_px": 60, "sources": (self.photos,), **options}
        shoot = [replace(each, marks=Marks(rating=5, kept=True)) if moved else each
                 for each in self.shoot]  # fmt: skip
        try:
            plan = make_plan(shoot, Options(self.out, **chosen))
            write(plan, pool=_Rendering())  # type: ignore[arg-type]
        except KnownError as error:
            assert "Errno" not in str(error) and "\n" not in str(error)

    def replace(self, place: str, thing: str, at: Path | None = None) -> None:
        """Replace something in the target."""
        path = (at or self.out) / place if place else self.out
        if os.path.realpath(path.parent) != str(path.parent) or f"{place}{thing}" == THINGS[1]:
            return  # the test itself would write outside the target
        spare = self.out.with_name(f"spare-{len(list(self.out.parent.iterdir()))}")
        if path.is_symlink() or path.exists():
            path.rename(spare)
        if not path.parent.is_dir() or thing == "nothing":
            return
        victim = self.photos / ("mon/A.NEF" if "mon" in place else "A.NEF")
        match thing:
            case "link to photos":
                path.symlink_to(self.photos)
            case "link to elsewhere":
                path.symlink_to(self.elsewhere)
            case "link to a photo":
                path.symlink_to(victim)
            case "link to nowhere":
                path.symlink_to(self.photos / "new")
            case "link to the target":
                path.symlink_to(self.out)
            case "twin":
                path.hardlink_to(victim)
            case "pipe":
                os.mkfifo(path)
            case "folder":
                path.mkdir()
                (path / "A.NEF").write_bytes(victim.read_bytes())
            case "file":
                path.write_bytes(victim.read_bytes())
            case "photos moved in" if place:
                path.mkdir()
                for name in NAMES:
                    (path / name).hardlink_to(self.photos / name)

    def manifest(self) -> dict[str, Any]:
        """Read the manifest."""
        with OpenedFolder.at(self.out) as folder:
            found: dict[str, Any] = json.loads(folder.read("photos.json") or b"")
        return found

    def poison(self, number: int, written: dict[str, Any], withdrawn: bool) -> None:
        """Change an entry of the manifest, if there still is one."""
        path = self.out / "photos.json"
        try:
            content = self.manifest()
            entry = content["photos"][number % len(content["photos"])]
            first = dict(entry["files"][0])
        except (ValueError, OSError, KnownError, LookupError, TypeError):
            return
        written = {
            key: hashlib.sha256((self.photos / f"{value[-1]}.NEF").read_bytes()).hexdigest()
            if str(value).startswith("of ") else value
            for key, value in written.items()
        }  # fmt: skip
        if isinstance(written.get("filename"), str):
            written["filename"] = written["filename"].format(self.out.parent)
        entry["files"][0] = first | {key: written[key] for key in written.keys() & first.keys()}
        entry |= {key: value for key, value in written.items() if key in entry}
        if withdrawn:
            content["photos"].remove(entry)
            content["withdrawn"].append({**entry, "reason": "rejected"})
        path.write_text(json.dumps(content), "utf-8")

    def outside(self) -> Standing:
        return standing(self.photos, self.elsewhere)


class _Rendering:
    """Replaces the worker pool: returns bytes for a picture at once."""

    size = 1

    def run(self, function: Callable[..., Any], job: RenderJob, timeout_s: float) -> Rendered:
        sha = hashlib.sha256(Path(job.path).read_bytes()).hexdigest()
        pictures = tuple(f"{job.path} {edge}".encode() for edge in job.long_edges_px)
        return Rendered(pictures, ((60, 40),) * len(pictures), sha)


@contextmanager
def worlds() -> Iterator[World]:
    with (
        tempfile.TemporaryDirectory() as top,
        mock.patch.object(os, "fsync"),  # power cuts are not tested here
    ):
        yield World(Path(top).resolve())


@contextmanager
def between(number: int, act: Callable[[], None]) -> Iterator[None]:
    """Do something right before the n-th disk operation, like another program."""
    counted = 0

    def hooked(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            nonlocal counted
            counted += 1
            if counted == number:
                act()
            return real(*args, **more)

        return call

    with ExitStack() as hooks:
        for name in ("open", "link", "replace", "unlink", "mkdir", "stat"):
            hooks.enter_context(
                mock.patch.object(opened_folder.os, name, hooked(getattr(os, name)))
            )
        rename = hooked(opened_folder._rename_exclusively)
        hooks.enter_context(mock.patch.object(opened_folder, "_rename_exclusively", rename))
        yield


Attack = tuple[
    dict[str, Any],  # how it was exported before
    dict[str, Any],  # and how it is exported then
    list[tuple[int, dict[str, Any], bool]],  # what is written into the manifest
    list[tuple[str, str]],  # what is put into the folder
    tuple[int, tuple[str, str]] | None,  # and right before which act of the export
]
at_random = st.tuples(
    choices,
    choices,
    st.lists(st.tuples(st.integers(0, 3), record, st.booleans()), max_size=3),
    st.lists(change, max_size=4),
    st.none() | st.tuples(st.integers(1, 300), change),
)


@st.composite
def aimed(draw: st.DrawFn) -> Attack:
    """Aim at an original: a name behind a link, with exactly the known content.

    The link exists from the beginning, or replaces a folder in the middle.
    """
    target = draw(st.sampled_from(("folder", "gallery", "sidecar")))
    link = {"gallery": "images", "sidecar": "mon"}.get(target) or draw(st.sampled_from(LINKS))
    how = {"target": target, "profile": draw(st.sampled_from(("lightroom", "darktable")))}
    written = {"filename": f"{link}/A.NEF", "sha256": "of A", "size": 300}
    records = [(draw(st.integers(0, 3)), written, draw(st.booleans()))]
    thing = draw(st.sampled_from(("link to photos", "link to elsewhere", "photos moved in")))
    late = draw(st.none() | st.integers(1, 120))
    first = (link, "folder" if late else thing)
    return (
        {**how, "names": "{name}"},
        {**how, "names": "{date}_{name}"},
        draw(st.sampled_from((records, []))),
        [first],
        (late, (link, thing)) if late else None,
    )


attacks = aimed() | at_random


def attack(poison: Attack) -> None:
    """Export, let an attacker change the target, export again: nothing outside may change."""
    before, after, records, changes, late = poison
    with worlds() as world:
        untouched = world.outside()
        world.export(**before)
        assert world.outside() == untouched and len(world.manifest()["photos"]) == len(world.shoot)
        for written in records:
            world.poison(*written)
        for where, thing in changes:
            world.replace(where, thing)
        with ExitStack() as hook:
            if late is not None:
                number, (where, thing) = late
                hook.enter_context(between(number, lambda: world.replace(where, thing)))
            world.export(moved=True, **after)
        assert world.outside() == untouched
        world.export(moved=True, **before)
        assert world.outside() == untouched


@settings(max_examples=20, deadline=None, derandomize=True)
@given(attacks)
def test_whatever_is_put_into_a_target_nothing_outside_it_changes(poison: Attack) -> None:
    attack(poison)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(attacks)
def test_whatever_is_put_into_a_target_nothing_outside_it_changes_at_length(poison: Attack) -> None:
    attack(poison)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(attacks)
def test_without_folder_handles_links_are_detected_before_each_operation(poison: Attack) -> None:
    with mock.patch.object(opened_folder, "_BY_HANDLE", False):
        attack((*poison[:4], None))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.sampled_from(THINGS), st.integers(0, 12))
def test_a_sidecar_beside_a_photo_is_written_nowhere_else(thing: str, swap: int) -> None:
    with worlds() as world:
        metadata = SidecarMetadata(rating=4).as_json()
        job = batch.SidecarJob(
            1, str(world.photos / "mon" / "A.xmp"), metadata, None, "", "lightroom"
        )
        originals = [each.path for each in world.shoot]
        before = [standing(path) for path in originals], standing(world.elsewhere)
        if thing not in ("photos moved in", "link to the target"):
            world.replace("mon/A.xmp", thing, world.photos)
        with between(swap, lambda: world.replace("mon/A.xmp", "link to nowhere", world.photos)):
            (done,) = batch.write([job])
        assert ([standing(path) for path in originals], standing(world.elsewhere)) == before
        assert not (world.photos / "new").exists()
        assert done.outcome in (batch.Outcome.WRITTEN, batch.Outcome.FAILED, batch.Outcome.CHANGED)

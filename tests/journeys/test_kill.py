"""Two hundred kills at random moments: no data is lost, duplicated or left behind.

Half of the kills come after a time drawn over what the undisturbed act takes, half at a drawn
touch of a file, which no clock would hit. After each, and after the next run that nobody
disturbs, all there is must be whole: decisions, catalog, copies, sidecars, originals, settings.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any

import psutil
import pytest

from curator import removal
from curator.catalog import Catalog, backups
from curator.home import Home
from curator.learning import versions
from curator.pipeline import Pipeline
from curator.settings import Settings
from curator.sidecar import read
from tests import catalogs, taste_data
from tests.photos import draw_jpeg
from tests.sidecars import xmp

SERIES, KILLS = 4, 10  # of reading and deciding; the other 160 are below
EXPORT, SIDECARS, LEARN, MIGRATE, REMOVE, BACK_UP, CHOICES = 20, 24, 20, 12, 20, 12, 12
PHOTOS_EACH = 8  # new ones before each start, so that there is always something to read
ROOT = Path(__file__).parents[2]
OLD = ROOT / "tests" / "data" / "catalogs"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="kill -9 is a word of POSIX systems"),
]


# --- what may be there afterwards


HOME = {
    "catalog.db",
    "catalog.db-wal",
    "catalog.db-shm",
    "conductor.lock",
    "catalog.lock",
    "catalog.reserve",
    "cache",
    "backups",
    "settings.json",
    "keys.toml",
}


def check_home(home: Home) -> None:
    """Check that the home has only its own files, and no temporary ones."""
    names = {path.name for path in home.data.iterdir()}
    assert names <= HOME, f"left in the home: {names - HOME}"
    for folder in (home.cache, home.backups):
        left = [path for path in folder.rglob("*") if path.name.startswith(".")]
        assert left == [], f"left in {folder.name}: {left}"


def shared(pid: int) -> list[str]:
    """Return the shared memory segments that a process's workers left, if the system lists them."""
    return [path.name for path in Path("/dev/shm").glob(f"cu{pid:x}p*")]


def tree(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file below a folder, including hidden ones."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


# --- reading and deciding


def add_photos(folder: Path, drawn: bytes, number: int) -> None:
    """Add new photos to the folder, all with different content."""
    folder.mkdir(exist_ok=True)
    for photo in range(number * PHOTOS_EACH, (number + 1) * PHOTOS_EACH):
        (folder / f"IMG_{photo:05}.jpg").write_bytes(drawn + photo.to_bytes(8, "little"))


def cull_until_killed(
    home: Home, folder: Path, seed: int, decisions: int, after_s: float
) -> list[str]:
    """Start a culler, kill it but not its workers, and return its output.

    The kill comes so many seconds after so many decisions, however slow the machine is.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.journeys.culler", str(home.data), str(folder), str(seed)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
    )
    assert process.stdout is not None
    with process.stdout:
        opened = process.stdout.readline()
        assert opened == "opened\n", "the culler did not start"
        children = psutil.Process(process.pid).children(recursive=True)
        first = [process.stdout.readline() for _ in range(decisions)]
        timer = Timer(after_s, process.kill)
        timer.start()
        said = "".join([*first, process.stdout.read()])
        timer.join()
    assert process.wait() == -signal.SIGKILL, "the culler ended before it was killed"
    _, alive = psutil.wait_procs(children, timeout=60)
    assert not alive, "workers outlived the process that started them"
    assert shared(process.pid) == [], "shared memory was left"
    return [line for line in said.splitlines(keepends=True) if line.endswith("\n")]


def check_decisions(catalog: Catalog, said: list[str]) -> None:
    """Check every decision reported as saved against the journal and the photos."""
    journal: dict[tuple[str, str, str], object] = {}
    for photo in {line.split()[1] for line in said}:
        for step in catalog.journal.history(int(photo)):
            for change in step.changes:
                journal[str(step.id), photo, change.field] = change.after
    for line in said:
        step_id, photo, field, value = line.split()
        assert (step_id, photo, field) in journal, f"decision {line!r} is lost"
        after = journal[step_id, photo, field]
        assert str(bool(after) if field == "kept" else after) == value


def check_photos(catalog: Catalog) -> None:
    """Check that each file is one photo, with the marks of its last journal entry."""
    assert catalog.check() == []
    paths: Counter[Path] = Counter()
    for photo in catalog.photos.ids():
        detail = catalog.photos.get(photo)
        paths.update(file.path for file in detail.files)
        last = {
            change.field: change.after
            for step in catalog.journal.history(detail.id)
            for change in step.changes
        }
        marks = detail.marks
        assert last.get("rating") == marks.rating
        assert last.get("flag") == marks.flag
        assert bool(last.get("kept")) == marks.kept
    assert [path for path, count in paths.items() if count > 1] == []


@pytest.mark.parametrize("series", range(SERIES))
def test_kills_while_reading_lose_and_duplicate_no_photo(
    home: Home, tmp_path: Path, series: int
) -> None:
    drawn = draw_jpeg(tmp_path / "drawn.jpg", size=(900, 600)).read_bytes()
    folder = tmp_path / "card"
    chance = random.Random(series)
    decided = 0
    for kill in range(KILLS):
        add_photos(folder, drawn, kill)
        wanted = chance.randint(1, 60) if kill % 3 else 0  # a third while all begins
        seed, after_s = kill + KILLS * series, chance.uniform(0.0, 0.6)
        said = cull_until_killed(home, folder, seed, wanted, after_s)
        assert len(said) >= wanted
        decided += len(said)
        with contextlib.closing(Catalog.open(home.catalog)) as catalog:
            check_decisions(catalog, said)
            check_photos(catalog)
    assert decided > 5 * KILLS, "the culler hardly got to decide anything"
    originals = tree(folder)
    pipeline = Pipeline(home, Settings.load(home))
    pipeline.start()
    try:
        pipeline.open_folders([folder])
        totals = pipeline.wait_idle(300)
    finally:
        pipeline.stop()
    with contextlib.closing(Catalog.open(home.catalog)) as catalog:
        assert totals is not None
        assert totals.found == len(catalog.photos.ids()) == KILLS * PHOTOS_EACH
        assert catalog.work.failures() == []
        states = {
            work.state for photo in catalog.photos.ids() for work in catalog.photos.get(photo).work
        }
        assert states == {"done"}
        check_photos(catalog)
        keys = {catalog.photos.get(photo).proxy for photo in catalog.photos.ids()}
    check_home(home)
    for kind in ("proxies", "thumbs"):
        assert {path.stem for path in (home.cache / kind).rglob("*.jpg")} == keys
    assert tree(folder) == originals


# --- acts of a moment, in children of one process


@dataclass
class Outcome:
    """The exit status of a child, its output, and the seconds it took."""

    ended: str
    said: list[str]
    took_s: float


class Victims:
    """A process that forks a child for each action; it ends with the test."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, act: str, /, **args: object) -> Outcome:
        """Run an action without killing it."""
        outcome = self._order(act, args)
        assert outcome.ended == "done", f"{act} failed: {outcome.said}"
        return outcome

    def kills(
        self, number: int, act: str, usual: Outcome, fresh: Callable[[int], dict[str, Any]]
    ) -> Iterator[Outcome]:
        """Kill an action a number of times, at random moments of its usual duration.

        ``fresh`` prepares each and gives its arguments. One that was done before it could be
        killed does not count.
        """
        chance, killed = random.Random(act), 0
        touched = int(next((s.split()[1] for s in usual.said if s.startswith("touched")), 40))
        for turn in range(3 * number):
            when: dict[str, float] = {"after_s": chance.uniform(0.0, usual.took_s)}
            if turn % 2:
                when = {"at": chance.randint(1, touched), "after_s": 2 * usual.took_s}
            outcome = self._order(act, fresh(turn), **when)
            assert outcome.ended != "failed", f"{act} failed: {outcome.said}"
            yield outcome
            killed += outcome.ended == "killed"
            if killed == number:
                return
        raise AssertionError(f"of {3 * number} times {act} could be killed only {killed}")

    def begin(self, act: str, args: dict[str, Any], **when: float) -> Callable[[], Outcome]:
        """Begin an action; return a function that waits for its end."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"act": act, "args": args, **when}) + "\n")
        self._process.stdin.flush()
        answers = self._process.stdout

        def end() -> Outcome:
            said: list[str] = []
            for line in answers:
                if line.startswith("# "):
                    _, ended, took = line.split()
                    return Outcome(ended, said, float(took))
                said.append(line)
            raise AssertionError(f"the process for {act} ended: {said}")

        return end

    def _order(self, act: str, args: dict[str, Any], **when: float) -> Outcome:
        return self.begin(act, args, **when)()


@contextlib.contextmanager
def start_victims(top: Path) -> Iterator[Victims]:
    """Start a process whose children can be killed; its trash is below a folder."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.journeys.victim"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ
        | {
            "HOME": str(top),
            "XDG_DATA_HOME": str(top / "data"),
            "OPENBLAS_NUM_THREADS": "1",
        },
    ) as process:
        yield Victims(process)
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture
def victims(tmp_path: Path) -> Iterator[Victims]:
    with start_victims(tmp_path) as started:
        yield started


def ingest(home: Home, folder: Path, photos: int, **drawn: Any) -> dict[str, int]:
    """Read some photos into the catalog; return their ids by name."""
    for number in range(photos):
        draw_jpeg(folder / f"IMG_{number:02}.jpg", seed=number, size=(320, 200), **drawn)
    pipeline = Pipeline(home, Settings.load(home), inline=True)
    pipeline.start()
    try:
        pipeline.open_folders([folder])
        assert pipeline.wait_idle() is not None
    finally:
        pipeline.stop()
    with contextlib.closing(Catalog.open(home.catalog)) as catalog:
        return {catalog.photos.get(photo).name: photo for photo in catalog.photos.ids()}


def decide(home: Home, ids: Any, **fields: object) -> None:
    with contextlib.closing(Catalog.open(home.catalog)) as catalog:
        catalog.journal.decide({photo: dict(fields) for photo in ids}, summary="Marked")


def check_export(out: Path, whole: dict[str, str]) -> None:
    """Check that a folder has only complete files and a correct manifest."""
    if not out.exists():
        return
    for name, sha in tree(out).items():
        if name.endswith(".jpg"):
            assert whole.get(name) == sha, f"{name} is not whole"
    for entry in book(out)["photos"] + book(out)["withdrawn"]:
        for file in entry["files"]:
            assert whole[file["filename"]] == file["sha256"]
            assert (out / file["filename"]).exists()


def book(out: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the manifest of an export, an empty one if it does not exist."""
    path = out / "photos.json"
    found = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return {name: found.get(name, []) for name in ("photos", "withdrawn")}


def listed(out: Path) -> list[dict[str, Any]]:
    """Return the entries of a manifest by file name."""
    return sorted(book(out)["photos"], key=lambda entry: str(entry["filename"]))


@pytest.mark.parametrize(
    ("target", "form"), [("folder", "original"), ("folder", "jpeg"), ("gallery", "jpeg")]
)
def test_the_next_export_completes_a_killed_one(
    victims: Victims, home: Home, tmp_path: Path, target: str, form: str
) -> None:
    some = list(ingest(home, tmp_path / "card", 8).values())
    originals = tree(tmp_path / "card")
    how: dict[str, Any] = {"home": str(home.data), "target": target, "form": form}
    clean, out = tmp_path / "clean" / "out", tmp_path / "killed" / "out"

    def first_thought() -> None:
        decide(home, some[:6], rating=5, flag=None, kept=True)
        decide(home, some[6:], rating=None)

    def second_thought() -> None:
        decide(home, some[6:], rating=4, kept=True)
        decide(home, some[:1], flag="reject")

    first_thought()
    usual = victims.run("export_to", folder=str(clean), **how)
    expected = [(tree(clean), listed(clean))]
    second_thought()
    victims.run("export_to", folder=str(clean), **how)
    expected.append((tree(clean), listed(clean)))
    whole = expected[0][0] | expected[1][0]

    def fresh(turn: int) -> dict[str, Any]:
        if turn % 4 != 3:  # else the one that completed it is killed, too
            first_thought()
            shutil.rmtree(out, ignore_errors=True)
        return {**how, "folder": str(out)}

    for turn, _ in enumerate(victims.kills(EXPORT, "export_to", usual, fresh)):
        check_export(out, whole)
        if turn % 4 == 2:
            continue  # killed again before anybody completes it
        thought = int(turn % 4 == 1)
        if thought:
            second_thought()
        victims.run("export_to", folder=str(out), **how)
        now, (files, entries) = tree(out), expected[thought]
        assert listed(out) == entries
        assert now.get("index.html") == files.get("index.html"), "the page was not brought up"
        assert now.keys() <= whole.keys() if thought else now.keys() == files.keys()
        check_export(out, whole)
    assert tree(tmp_path / "card") == originals
    check_swept(home)


def test_after_a_kill_sidecars_are_old_or_new(victims: Victims, home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "card"
    ids = ingest(home, folder, 8)
    for name, photo in ids.items():
        if photo % 2:
            (folder / f"{name}.jpg.xmp").write_bytes(xmp(1, keywords=(f"Word {name}",)))
    theirs = set(folder.glob("*.xmp"))
    rescan(home)
    originals = {name: sha for name, sha in tree(folder).items() if name.endswith(".jpg")}
    how: dict[str, Any] = {"home": str(home.data), "rounds": 3}
    usual = victims.run("write_sidecars", seed=0, **how)
    for turn, _ in enumerate(
        victims.kills(SIDECARS, "write_sidecars", usual, lambda turn: {**how, "seed": turn})
    ):
        for path in folder.glob("*.xmp"):
            said = read(path.read_bytes()).metadata
            if path in theirs:
                assert said.keywords == (f"Word {path.name.partition('.')[0]}",), path.name
                assert b'crs:Exposure2012="+0.35"' in path.read_bytes()
        with contextlib.closing(Catalog.open(home.catalog)) as catalog:
            differing = [
                photo.id
                for photo in catalog.photos.details(list(ids.values()))
                if photo.marks.rating is not None and written(photo.path) != photo.marks.rating
            ]
            pending = catalog.sidecars.outstanding()
            assert pending.conflicts == 0 and pending.failed == 0
            assert set(differing) <= set(catalog.sidecars.due(100, True, 0.0)), "forgotten"
        if turn % 3 == 0:
            assert victims.run("finish_sidecars", home=str(home.data)).said[0] == "unwritten 0\n"
            with contextlib.closing(Catalog.open(home.catalog)) as catalog:
                for photo in catalog.photos.details(list(ids.values())):
                    assert written(photo.path) == photo.marks.rating
            names = {path.name for path in folder.iterdir()}
            allowed = originals.keys() | {f"{name}.xmp" for name in originals}
            assert names <= allowed, f"left beside originals: {names - allowed}"
    assert {name: sha for name, sha in tree(folder).items() if name in originals} == originals
    check_swept(home)


def written(path: Path) -> int | None:
    """Return the rating in the sidecar of a photo, None if it has none."""
    sidecar = Path(f"{path}.xmp")
    return (read(sidecar.read_bytes()).metadata.rating or None) if sidecar.exists() else None


def rescan(home: Home) -> None:
    pipeline = Pipeline(home, Settings.load(home), inline=True)
    pipeline.start()
    try:
        pipeline.rescan()
        assert pipeline.wait_idle() is not None
    finally:
        pipeline.stop()


def test_after_a_kill_taste_and_every_rating_are_kept(victims: Victims, home: Home) -> None:
    catalogs.fill(home.catalog, 60)
    with contextlib.closing(Catalog.open(home.catalog)) as catalog:
        vectors = taste_data.embed(catalog, range(1, 61))
        taste_data.rate(catalog, vectors, range(1, 31))
    usual = Outcome("killed", [], 0.8)
    kept = 0
    for outcome in victims.kills(
        LEARN, "learn", usual, lambda turn: {"home": str(home.data), "seed": turn}
    ):
        said = [line.split() for line in outcome.said if line.endswith("\n")]
        with contextlib.closing(Catalog.open(home.catalog)) as catalog:
            check_decisions(catalog, [" ".join(w[1:]) for w in said if w[0] == "step"])
            assert catalog.check() == []
            rows = {row.id: row for row in catalog.taste.versions()}
            for number in (int(w[1]) for w in said if w[0] == "version"):
                kept += 1
                assert number in rows and rows[number].ratings >= 20
                assert versions.read(catalog, number).to_numbers(), "cannot be read again"
        assert not list(home.cache.rglob("tmp*")), "a copy of the vectors was left"
    assert kept >= LEARN // 2, "hardly a version was kept"
    check_swept(home)


@pytest.mark.parametrize("old", ["v1", "v3"])
def test_a_killed_migration_is_complete_or_undone(
    victims: Victims, tmp_path: Path, old: str
) -> None:
    source = OLD / f"{old}.db"
    path = tmp_path / "home" / "catalog.db"

    def fresh(_: int) -> dict[str, Any]:
        shutil.rmtree(path.parent, ignore_errors=True)
        path.parent.mkdir()
        shutil.copyfile(source, path)
        return {"path": str(path)}

    usual = victims.run("open_catalog", **fresh(0))
    before, newest = journal_of(path), version_of(path)
    for _ in victims.kills(MIGRATE // 2, "open_catalog", usual, fresh):
        reached = version_of(path)
        assert journal_of(path) == before
        for step in range(int(old[1:]), reached):
            assert len(list(path.parent.glob(f"backups/catalog-v{step}-*.db"))) == 1
        victims.run("open_catalog", path=str(path))
        with contextlib.closing(Catalog.open(path)) as catalog:
            assert catalog.check() == []
        assert (version_of(path), journal_of(path)) == (newest, before)
        Home(path.parent, path.parent / "cache").make()
        check_swept(Home(path.parent, path.parent / "cache"))


def version_of(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def journal_of(path: Path) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(
            "SELECT step_id, photo_id, field, before, after FROM decision ORDER BY rowid"
        ).fetchall()


def check_swept(home: Home) -> None:
    """Open a window until it has read all photos, then check the home."""
    pipeline = Pipeline(home, Settings.load(home), inline=True)
    pipeline.start()
    pipeline.stop()
    check_home(home)


def test_after_a_kill_a_rejected_file_is_in_place_or_in_the_trash(
    victims: Victims, home: Home, tmp_path: Path
) -> None:
    folder, trash = tmp_path / "card", tmp_path / "data" / "Trash" / "files"
    ids = ingest(home, folder, 8)
    rejects = dict(list(ids.items())[:6])
    for name in rejects:
        (folder / f"{name}.jpg.xmp").write_bytes(xmp(1))
    rescan(home)
    decide(home, rejects.values(), flag="reject")
    before = tree(folder)
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    times = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    pristine = tmp_path / "pristine.db"
    shutil.copyfile(home.catalog, pristine)  # the log is folded in: nobody has it open

    def fresh(_: int) -> dict[str, Any]:
        shutil.rmtree(trash.parent, ignore_errors=True)
        for path in home.data.glob("catalog.db*"):
            path.unlink()
        shutil.copyfile(pristine, home.catalog)
        for name, content in kept.items():
            (folder / name).write_bytes(content)
            os.utime(folder / name, ns=(times[name], times[name]))
        return {"home": str(home.data)}

    usual = victims.run("delete_rejects", **fresh(0))
    assert len(tree(folder)) == 2
    for _ in victims.kills(REMOVE, "delete_rejects", usual, fresh):
        here, there = tree(folder), tree(trash) if trash.exists() else {}
        assert not here.keys() & there.keys(), "doubled"
        assert here | there == before, "lost"
        rescan(home)
        victims.run("delete_rejects", home=str(home.data))
        assert len(tree(folder)) == 2
        # The system gives another name where a kill left its note of an earlier one.
        now = Counter([*tree(folder).values(), *tree(trash).values()])
        assert now == Counter(before.values())
        with contextlib.closing(Catalog.open(home.catalog)) as catalog:
            photos = list(catalog.photos.details(list(ids.values())))
            assert removal.plan(photos).going == []
            assert all(photo.marks.flag == "reject" for photo in photos if photo.name in rejects)
    check_swept(home)


def test_after_a_kill_a_backup_is_sound_or_missing(victims: Victims, home: Home) -> None:
    catalogs.fill(home.catalog, 60)
    usual = Outcome("killed", ["touched 30"], 0.3)
    sound = 0
    for outcome in victims.kills(BACK_UP, "back_up", usual, lambda turn: {"home": str(home.data)}):
        said = [line.strip() for line in outcome.said if line.endswith("\n")]
        assert all(Path(line).exists() for line in said[-4:])
        for path in home.backups.glob("*.db"):
            with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as copy:
                assert copy.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
                assert copy.execute("SELECT count(*) FROM photo").fetchone()[0] == 60
                sound += 1
        with contextlib.closing(Catalog.open(home.catalog)) as catalog:
            assert backups.make_if_due(catalog.path, -1.0) is not None
        check_swept(home)
    assert sound > BACK_UP


def test_after_a_kill_settings_and_keys_are_old_or_new(victims: Victims, home: Home) -> None:
    for _ in victims.kills(
        CHOICES,
        "save_choices",
        victims.run("save_choices", home=str(home.data)),
        lambda turn: {"home": str(home.data)},
    ):
        saved = json.loads(home.settings_file.read_text("utf-8"))
        assert saved == {} or 0 <= saved["taste"]["match_threshold"] < 90
        assert tomllib.loads((home.data / "keys.toml").read_text("utf-8"))["preset"] == "curator"
        check_swept(home)

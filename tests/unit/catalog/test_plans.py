"""Frequent queries use an index and never scan a whole table.

Each operation runs on a catalog of a few evenings, its statements are recorded as SQLite gets them,
and SQLite is asked how it goes about each. ANALYZE is never run, so that plans do not depend on
how many rows there are: what is searched here is searched among a million. What is seldom asked
stands in COLD with the reason; a new method of the catalog has to be in one of both.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from curator import files
from curator.bench import synthetic_library
from curator.catalog import Catalog, StackChange, VerifiedCopy, WriteResult
from curator.home import Home
from curator.model import (
    Embedded,
    FacesMeasured,
    FileMarks,
    Kind,
    StackKind,
    StageJob,
    TextLine,
    TextRead,
)
from curator.stages import STAGES
from tests import catalogs
from tests.face_data import OPEN

Act = Callable[[Catalog], object]

GROWING = {
    *("photo", "file", "work", "vector", "step", "decision", "photo_tag", "description"),
    *("photo_project", "photo_text", "photo_text_due", "unwritten", "sidecar", "duel", "directory"),
    *("verified_copy", "text_line"),
}
"""Tables with a row a photo, or many."""

PHOTO, SOME = 40, [3, 40, 41, 77]


def _job(catalog: Catalog, stage: str) -> StageJob:
    detail = catalog.photos.get(PHOTO)
    return StageJob(PHOTO, stage, str(detail.path), detail.files[0].kind, "")


def _undo_and_redo(catalog: Catalog) -> None:
    catalog.journal.decide({PHOTO: {"rating": 2, "flag": "pick"}}, summary="2 stars")
    catalog.journal.undo()
    catalog.journal.redo()


def _relate(catalog: Catalog) -> None:
    tag = catalog.tags.ids(["sea lion"], make=True)["sea lion"]
    project = catalog.projects.all(counted=False)[0].id
    changes = {("tag", tag): "confirmed", ("project", project): 1.5, ("over", 41): True}
    catalog.journal.decide({PHOTO: changes}, summary="Added")
    catalog.journal.undo()


def _scan(catalog: Catalog) -> None:
    path = catalog.photos.get(PHOTO).path
    root = path.parents[2]
    scan = catalog.scans.begin(catalog.folders.all()[0].id, files)
    from curator.bench.synthetic_catalog import _group

    catalog.scans.apply(scan, [_group(root, number) for number in (PHOTO - 1, 5000, 5001)])
    catalog.scans.count_found([scan])
    assert catalog.scans.awaits_headers() and not catalog.scans.counts_outdated([scan])


def _read(catalog: Catalog) -> None:
    """Save the stage results of a new photo."""
    from curator.bench.synthetic_catalog import _converted, _group, _peeked

    root = catalog.photos.get(PHOTO).path.parents[2]
    scan = catalog.scans.begin(catalog.folders.all()[0].id, files)
    (new,) = catalog.scans.apply(scan, [_group(root, 6000)]).new
    home = Home(root.parent, root.parent / "cache")
    catalog.work.start("peek", [new])
    catalog.results.save_peeks([_peeked(home, root, new, 6000)])
    catalog.results.save_converted([_converted(home, root, new, 6000)])
    catalog.text.update(20)


def _sidecars(catalog: Catalog) -> None:
    """Write two sidecars: one requested, one that fails on a full disk."""
    catalog.sidecars.request_write(SOME)
    first, second = catalog.sidecars.to_write(SOME)[:2]
    catalog.sidecars.start_writing({each.photo_id: each.fields for each in (first, second)})
    now = FileMarks("/nowhere/x.xmp", "0", 1, 1, "", first.fields)
    catalog.metadata.save_readings([(first.photo_id, [now])])
    catalog.sidecars.save_written(
        [
            WriteResult(first.photo_id, first.since, now),
            WriteResult(second.photo_id, second.since, None, "The disk is full."),
        ]
    )
    catalog.sidecars.conflicts(SOME)
    catalog.sidecars.resolve_conflicts(SOME, write=True)


def _compared(catalog: Catalog) -> None:
    source = catalog.photos.get(PHOTO).proxy_digest or ""
    vector, tone = np.zeros(384, np.float16).tobytes(), np.zeros(8, np.float32).tobytes()
    seen = Embedded("drawn/1", source, vector, tone, (("sea", 60),))
    job = StageJob(PHOTO, "embed", "", Kind.IMAGE, "")
    assert catalog.vectors.save([(job, seen)]) == [PHOTO]
    _, rev = catalog.tags.zero_shot_state()
    catalog.tags.save_zero_shot([(PHOTO, [("sea", 60)])], {"sea": None}, "some words", rev + 1)


def _measured(catalog: Catalog) -> None:
    source = catalog.photos.get(PHOTO).proxy_digest or ""
    job = StageJob(PHOTO, "faces", "", Kind.IMAGE, "")
    assert catalog.faces.save([(job, FacesMeasured(source, (OPEN,)))]) == [PHOTO]
    catalog.faces.remove_outdated(SOME)
    assert catalog.faces.of(SOME)[PHOTO] and catalog.faces.columns(SOME)


def _text_read(catalog: Catalog) -> None:
    source = catalog.photos.get(PHOTO).proxy_digest or ""
    line = TextLine("EXIT 12", 0.9, ((0.1, 0.1), (0.2, 0.1), (0.2, 0.2), (0.1, 0.2)))
    catalog.text_lines.request([PHOTO])
    job = StageJob(PHOTO, "read_text", "", Kind.IMAGE, "")
    assert catalog.text_lines.save([(job, TextRead(source, (line,)))]) == [PHOTO]
    catalog.text_lines.remove_outdated(SOME)
    assert catalog.text_lines.of(SOME)[PHOTO]
    catalog.text.update(20)


def _import(catalog: Catalog) -> None:
    """Record the copies of a known photo and of a new one."""
    file = catalog.photos.get(PHOTO).files[0]
    run = catalog.imports.begin({}, "")
    for name, fingerprint in ((file.path.name, file.fingerprint or ""), ("new.JPG", "new")):
        copy = VerifiedCopy(
            *(str(file.path.parent), name, fingerprint, "0" * 64, file.size, "/photos", name, 1),
            kind=file.kind,
        )
        catalog.imports.record(run, [copy], "/photos")
    catalog.imports.verified([file.fingerprint or "", "new"])
    catalog.imports.photos([file.fingerprint or "", "new"])
    catalog.imports.is_copied(catalog.folders.all()[0].id)
    assert catalog.imports.count_files(run) == 2
    catalog.imports.finish(run, {})


HOT: dict[str, Act] = {
    # a key
    "decide": lambda c: c.journal.decide({PHOTO: {"rating": 4}}, summary="4 stars"),
    "decide for many": lambda c: c.journal.decide(
        {photo: {"flag": "reject"} for photo in SOME}, summary="Rejected 4"
    ),
    "undo and redo": _undo_and_redo,
    "tag, project, preference": _relate,
    "what is to be undone": lambda c: (
        c.journal.next_undo(),
        c.journal.next_redo(),
        c.journal.last_decision_at(),
        c.folders.moves(),
    ),
    "seen": lambda c: c.photos.mark_seen([PHOTO]),
    "turn": lambda c: c.photos.turn([PHOTO], 1),
    "place": lambda c: (c.folders.save_position("x", {"photo": 1}), c.folders.position("x")),
    "a key is answered": lambda c: (c.store.hold_background(True), c.store.hold_background(False)),
    "photos of a project": lambda c: c.projects.members(c.projects.all(counted=False)[0].id),
    # what changed
    "folders": lambda c: (c.folders.all(), c.folders.directories(), c.searches.all()),
    "changed columns": lambda c: (
        c.photos.changed(catalogs.last_rev(c) - 5),
        c.photos.changed(catalogs.last_rev(c) - 5, at_most=2),
    ),
    "changed capture data": lambda c: (
        c.photos.capture_columns(catalogs.last_rev(c) - 5),
        c.photos.suffixes(catalogs.last_rev(c) - 5),
        c.photos.capture_names("lens", catalogs.last_rev(c) - 5),
    ),
    "sharpness": lambda c: c.photos.sharpness(SOME),
    "moved in projects": lambda c: (
        c.projects.revisions(),
        c.projects.moves_since(c.projects.revisions()[0]),
    ),
    "words changed": lambda c: (c.tags.revision(), c.text.revision(), c.text.is_outdated()),
    "tags changed": lambda c: (c.tags.links(c.tags.revision(), 5), c.tags.rows()),
    "somebody else": lambda c: c.store.data_version(),
    # one photo
    "photo": lambda c: c.photos.get(PHOTO),
    "photo by path": lambda c: c.photos.find(c.photos.get(PHOTO).path),
    "photo by content": lambda c: c.photos.find_file("/nowhere/else.jpg", f"{PHOTO - 1:032x}"),
    "history": lambda c: c.journal.history(PHOTO),
    "tags": lambda c: (c.tags.of(SOME), c.tags.keywords_of(SOME)),
    "description": lambda c: c.descriptions.of(SOME),
    "projects of": lambda c: c.projects.names_of(SOME),
    "whole of": lambda c: c.identity.pair_of(PHOTO),
    "copies": lambda c: (c.photos.copy_locations(SOME), c.photos.copy_locations()),
    "size on disk": lambda c: c.photos.file_bytes(SOME),
    # search
    "words": lambda c: (c.text.photos_with("ba"), c.text.photos_with("sea li", "tag")),
    "words ranked": lambda c: c.text.ranked([[("ba", True)]]),
    "tag": lambda c: c.tags.photos_with("sea"),
    "content type": lambda c: c.text.photos_of_type("portrait"),
    # taste
    "new vectors": lambda c: c.vectors.read("drawn/1", 110),
    "ratings of some": lambda c: list(c.taste.ratings(SOME)),
    "preferences of some": lambda c: c.taste.preferences(SOME),
    "vectors of some": lambda c: (
        c.vectors.of("drawn/1", SOME),
        c.vectors.revisions("drawn/1", 110),
        c.vectors.last_revision("drawn/1"),
    ),
    "pinned": lambda c: c.taste.pinned(),
    "rated again": lambda c: (
        c.taste.rated_since("planned", 50),
        c.taste.newest_decision(),
        c.taste.last_rating(PHOTO),
        c.journal.repeat(PHOTO, {"rating": 4}, summary="4 stars"),
        c.taste.note_repeat(1),
        c.taste.repeats(),
    ),
    # the conductor
    "pending": lambda c: [c.work.pending(stage.name, 20) for stage in STAGES],
    "pending on screen": lambda c: (
        c.work.pending("convert", 20, SOME),
        c.work.waiting_among(["peek", "convert"], SOME),
    ),
    "next due": lambda c: (c.work.next_due(), c.work.next_due(only="describe")),
    "unfinished": lambda c: (
        c.work.unfinished(),
        c.work.unfinished("proxy"),
    ),
    "start and put back": lambda c: (c.work.start("peek", SOME), c.work.put_back("peek", SOME)),
    "failure and retry": lambda c: (
        c.work.save_failure(_job(c, "convert"), "It is broken.", retry=False),
        c.work.retry(None, [PHOTO]),
    ),
    "failures": lambda c: c.work.failures(),
    "scan": _scan,
    "peek, convert, words": _read,
    "described": lambda c: synthetic_library.describe(c, SOME),
    "shots": lambda c: c.stacks.shots(catalogs.last_rev(c) - 5),
    "stacks": lambda c: (
        c.stacks.members([40, 41]),
        c.stacks.made_by(),
        c.stacks.set_made_by(None),
        c.stacks.save([StackChange(photo, 40, StackKind.BURST) for photo in (40, 41)]),
    ),
    "compared, named": _compared,
    "measured": _measured,
    "text read": _text_read,
    "to be described": lambda c: (
        c.descriptions.request(SOME),
        c.work.not_pending("describe", SOME),
        c.work.postpone("describe", PHOTO, "Its provider is busy.", 2.0),
    ),
    "drives": lambda c: (
        c.volumes.waiting_by_volume(),
        c.volumes.away_among(SOME),
        c.files.main(SOME),
    ),
    "folder of": lambda c: c.folders.containing(c.photos.get(PHOTO).path),
    "merge and checkpoint": lambda c: (
        c.text.merge_some(),
        c.store.checkpoint(),
        c.store.checkpoint_if_long(),
    ),
    "import": _import,
    "whether sidecars are wanted": lambda c: c.sidecars.revision(),
    "sidecars": _sidecars,
    "start afterwards": lambda c: c.work.reset_running(),
}

WHOLE: dict[str, str] = {
    r"SELECT 1 FROM photo_text_due LIMIT 1": "ends at the first row",
    r"SELECT photo_id FROM photo_text_due LIMIT": "ends after so many rows",
    r"SELECT id FROM step AS s WHERE kind .* ORDER BY id DESC LIMIT 1": "from the newest on, past"
    " steps taken back",
    r"SELECT made_at FROM step ORDER BY id DESC LIMIT 1": "ends at the newest",
    r"UPDATE work SET state = 'waiting', .* WHERE state = 'running'": "once a start, the index",
    r"SELECT id, folder_id, path FROM directory$": "a row a folder, all of which are shown",
}
"""Statements (by how they begin) that may go through a table, and why."""

COLD: dict[str, str] = {
    "once a start or an end, or when another drive is here": """
        open close store.close store.connect store.reserve_log
        store.keep_disk_reserve work.use_stages
        vectors.use_encoder removal.interrupted photos.snapshot photos.iterate_columns
        photos.last_rev photos.last_id store.first_rows store.each_row
        stacks.snapshot stacks.set_snapshot
        volumes.sample_files
        volumes.note volumes.set_aside volumes.set_away volumes.refresh_waiting
        volumes.relink""",
    "at a fault of ours": """
        store.damage_error""",
    "at a start, and when projects changed otherwise than by a mark: 10 ms at 100,000": """
        projects.positions""",
    "to measure unrelated photos once the vectors have doubled": """
        vectors.count""",
    "once a window closed": """
        photos.new_snapshot photos.set_snapshot""",
    "when somebody wants sidecars, each half minute, or in the background, where few are left": """
        sidecars.due sidecars.outstanding""",
    "a person asked once, and it is about the one or the few": """
        folders.add folders.ensure folders.enable folders.remove projects.create projects.rename
        projects.set_notes projects.set_cover projects.remove projects.restore
        vocabulary.merge vocabulary.rename searches.save searches.rename searches.remove
        removal.begin removal.end removal.note_removed removal.is_reject rewrites.expect
        rewrites.cancel rewrites.save taste.pin taste.keep_version""",
    "a scan: the sidecars of one folder": """
        sidecar_files.below""",
    "an import begins, a card is away or unreliable, or a list of all imports": """
        imports.forget imports.add_library imports.settle_card imports.all
        imports.get imports.unfinished""",
    "the command line alone": """
        work.backfill check store.check text.update_all projects.last_position projects.find
        photos.ids
        sidecars.find_unread metadata.preview_readings vocabulary.all taste.count_rated
        taste.newest_judgment""",
    "a scan or a person found that two photos are one, or one is two": """
        decisions.standing files.keep_former identity.find_twin identity.join identity.merge
        identity.reads_whole identity.split results.examine_peek results.save_examined_peek
        scans.find_missing scans.mark_missing sidecar_files.merge_photo
        sidecar_files.remove tags.merge_photo work.requeue""",
    "a tag was renamed": "journal.revise_tags",
    "faces were switched on or off": "faces.switch faces.remove_all",
    "putting a catalog back": """
        recovery.replay""",
    "a filter for what has none of it: kept until words change": """
        text.photos_without""",
    "the counts of work, on another thread while their page is open: 26 ms at 100,000": """
        work.counts""",
    "the learner's thread, before it takes in vectors: 13 ms at 100,000": """
        vectors.encoders""",
    "the page on taste, on another thread, or a version a day": """
        vectors.catching_up taste.predictions taste.version taste.versions
        taste.save_version""",
}
"""Methods that are seldom asked, by why; these may go through a table."""

FEW = (
    "USING INDEX work_failed",
    "USING INDEX file_copy",
    "VIRTUAL TABLE INDEX 0:M",
    "VIRTUAL TABLE INDEX 0:=",
)
"""Ends of steps that are no walk: an index of just what is wanted, words, a rowid."""


@pytest.fixture(scope="module")
def shoot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = Home.at(tmp_path_factory.mktemp("plans") / "home")
    synthetic_library.make(home, 120, pictures=False)
    return home.catalog


@pytest.fixture
def catalog(shoot: Path) -> Iterator[Catalog]:
    catalog = Catalog.open(shoot)
    yield catalog
    catalog.close()


def statements_of(catalog: Catalog, act: Act) -> list[str]:
    """Return the statements of an operation with their values filled in."""
    statements: list[str] = []
    catalog.store.trace(statements.append)
    try:
        act(catalog)
    finally:
        catalog.store.trace(None)
    words = ("SELECT", "INSERT", "UPDATE", "DELETE")
    return [sql for sql in dict.fromkeys(statements) if sql.lstrip().upper().startswith(words)]


def scans_of(catalog: Catalog, sql: str) -> list[str]:
    """Return the growing tables a statement scans completely."""
    called = dict(re.findall(r"\b(\w+) AS (\w+)", sql))
    names = {short: table for table, short in called.items()}
    found = []
    for *_, detail in catalog.store.rows(f"EXPLAIN QUERY PLAN {sql}"):
        if not detail.startswith("SCAN "):
            continue
        table = detail.split()[1]
        if names.get(table, table) in GROWING and not any(few in detail for few in FEW):
            found.append(detail)
    return found


def permitted(sql: str) -> bool:
    return any(re.match(begin, sql) for begin in WHOLE)


class Recorded(NamedTuple):
    """The statements of each hot operation, and the methods of the catalog they ran."""

    statements: dict[str, list[str]]
    methods: set[str]


def public(catalog: Catalog) -> Iterator[tuple[str, object, str]]:
    """Yield the methods of a catalog: `work.pending`, the part, the method name."""
    for prefix, part in (
        ("", catalog),
        *((f"{name}.", part) for name, part in vars(catalog).items()),
    ):
        for name in dir(type(part)):
            if not name.startswith("_") and callable(getattr(type(part), name)):
                yield prefix + name, part, name


@pytest.fixture(scope="module")
def recorded(shoot: Path) -> Recorded:
    found = Recorded({}, set())

    def noting(name: str, method: Callable[..., object]) -> Callable[..., object]:
        @functools.wraps(method)
        def note(*about: object, **more: object) -> object:
            found.methods.add(name)
            return method(*about, **more)

        return note

    for name, act in HOT.items():
        catalog = Catalog.open(shoot)
        for called, part, method in public(catalog):
            setattr(part, method, noting(called, getattr(part, method)))
        found.statements[name] = statements_of(catalog, act)
        catalog.close()
    return found


def test_each_method_is_listed_as_hot_or_cold(catalog: Catalog, recorded: Recorded) -> None:
    cold = [name for names in COLD.values() for name in names.split()]
    known = {called for called, _, _ in public(catalog)}
    recorded.methods.difference_update({"close", "store.close"})  # the test itself closes
    assert sorted(known - recorded.methods - set(cold)) == [], "in neither HOT nor COLD"
    assert sorted(set(cold) - known) == [], "no methods"
    assert sorted(recorded.methods.intersection(cold)) == [], "run by what is hot"
    assert len(cold) == len(set(cold))


@pytest.mark.parametrize("name", HOT)
def test_no_hot_statement_scans_a_table(catalog: Catalog, recorded: Recorded, name: str) -> None:
    statements = recorded.statements[name]
    assert statements or name in ("somebody else", "a key is answered")
    wrong = [
        f"{' '.join(sql.split())[:200]}\n    {details}"
        for sql in statements
        if (details := scans_of(catalog, sql)) and not permitted(sql)
    ]
    assert not wrong, "\n".join(wrong)


def test_queued_work_is_read_in_order_without_sorting(catalog: Catalog) -> None:
    (*_, asked) = statements_of(catalog, lambda c: c.work.pending("convert", 20))
    details = [row[-1] for row in catalog.store.rows(f"EXPLAIN QUERY PLAN {asked}")]
    assert any("work_waiting" in detail for detail in details)
    assert not any("TEMP B-TREE" in detail for detail in details)


def test_no_trigger_scans_a_table(catalog: Catalog) -> None:
    bodies = catalog.store.rows("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    assert len(bodies) > 10
    wrong = []
    for name, sql in bodies:
        body = re.search(r"\bBEGIN (.*);\s*END$", sql, re.S)
        assert body is not None, name
        for statement in body.group(1).split("; "):
            if "RAISE" in statement:
                continue
            plain = re.sub(r"\b(NEW|OLD)\.\w+", "1", statement)
            wrong += [f"{name}: {detail}" for detail in scans_of(catalog, plain)]
    assert not wrong, "\n".join(wrong)


def test_a_table_scan_is_detected(catalog: Catalog) -> None:
    assert scans_of(catalog, "SELECT id FROM photo AS p WHERE p.iso = 400")
    assert scans_of(catalog, "SELECT count(*) FROM work WHERE attempts > 3")
    assert not scans_of(catalog, "SELECT id FROM photo WHERE id = 4")

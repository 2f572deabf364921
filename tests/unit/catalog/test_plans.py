"""What the program asks of the catalog all day touches an index, and no table from end to end.

Each operation runs on a catalog of a few evenings, its statements are noted as SQLite gets them,
and SQLite is asked how it goes about each. ANALYZE is never run, so that plans do not depend on
how many rows there are: what is searched here is searched among a million. What is seldom asked
stands in COLD with the reason; a new method of the catalog has to be in one of both.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from curator import files
from curator.bench import synthetic_library
from curator.catalog import Catalog, StackChange, Wrote
from curator.model import Embedded, FileMarks, Kind, StackKind, StageJob
from curator.settings import Home
from curator.stages import STAGES

Act = Callable[[Catalog], object]

GROWING = {
    *("photo", "file", "work", "vector", "step", "decision", "photo_tag", "description"),
    *("photo_project", "photo_text", "photo_text_due", "unwritten", "sidecar", "duel", "directory"),
}
"""Tables with a row a photo, or many."""

PHOTO, SOME = 40, [3, 40, 41, 77]


def _job(catalog: Catalog, stage: str) -> StageJob:
    detail = catalog.photo(PHOTO)
    return StageJob(PHOTO, stage, str(detail.path), detail.files[0].kind, "")


def _undo_and_redo(catalog: Catalog) -> None:
    catalog.decide({PHOTO: {"rating": 2, "flag": "pick"}}, summary="2 stars")
    catalog.undo()
    catalog.redo()


def _relate(catalog: Catalog) -> None:
    tag = catalog.tag_ids(["sea lion"], make=True)["sea lion"]
    project = catalog.projects(counted=False)[0].id
    changes = {("tag", tag): "confirmed", ("project", project): 1.5, ("over", 41): True}
    catalog.decide({PHOTO: changes}, summary="Added")
    catalog.undo()


def _scan(catalog: Catalog) -> None:
    path = catalog.photo(PHOTO).path
    root = path.parents[2]
    scan = catalog.begin_scan(catalog.folders()[0].id, files)
    from curator.bench.synthetic_catalog import _group

    scan.apply([_group(root, number) for number in (PHOTO - 1, 5000, 5001)])
    catalog.count_met([scan])
    assert catalog.awaits_headers() and not catalog.learned_more([scan])


def _read(catalog: Catalog) -> None:
    """Save what the stages find of a photo that has just come."""
    from curator.bench.synthetic_catalog import _converted, _group, _peeked

    root = catalog.photo(PHOTO).path.parents[2]
    (new,) = catalog.begin_scan(catalog.folders()[0].id, files).apply([_group(root, 6000)]).new
    home = Home(root.parent, root.parent / "cache")
    catalog.start("peek", [new])
    catalog.save_peeked([_peeked(home, root, new, 6000)], files)
    catalog.save_converted([_converted(home, root, new, 6000)])
    catalog.fold_text(20)


def _sidecars(catalog: Catalog) -> None:
    """Write two sidecars: one that was asked for, one for which there is no room."""
    catalog.ask_written(SOME)
    first, second = catalog.to_write(SOME)[:2]
    catalog.start_writing({each.photo_id: each.said for each in (first, second)})
    now = FileMarks("/nowhere/x.xmp", "0", 1, 1, "", first.said)
    catalog.save_readings([(first.photo_id, [now])])
    catalog.save_written(
        [
            Wrote(first.photo_id, first.since, now),
            Wrote(second.photo_id, second.since, None, "The disk is full."),
        ]
    )
    catalog.conflicts(SOME)
    catalog.settle_conflicts(SOME, write=True)


def _compared(catalog: Catalog) -> None:
    source = catalog.photo(PHOTO).proxy_digest or ""
    vector, tone = np.zeros(384, np.float16).tobytes(), np.zeros(8, np.float32).tobytes()
    seen = Embedded("drawn/1", source, vector, tone, (("sea", 60),))
    job = StageJob(PHOTO, "embed", "", Kind.IMAGE, "")
    assert catalog.save_embedded([(job, seen)]) == [PHOTO]
    _, rev = catalog.named()
    catalog.save_named([(PHOTO, [("sea", 60)])], {"sea": None}, "some words", rev + 1)


HOT: dict[str, Act] = {
    # a key
    "decide": lambda c: c.decide({PHOTO: {"rating": 4}}, summary="4 stars"),
    "decide for many": lambda c: c.decide(
        {photo: {"flag": "reject"} for photo in SOME}, summary="Rejected 4"
    ),
    "undo and redo": _undo_and_redo,
    "tag, project, preference": _relate,
    "what is to be undone": lambda c: (c.next_undo(), c.next_redo(), c.decided_at(), c.moves()),
    "seen": lambda c: c.mark_seen([PHOTO]),
    "turn": lambda c: c.turn([PHOTO], 1),
    "place": lambda c: (c.save_place("x", {"photo": 1}), c.place("x")),
    "a key is answered": lambda c: (c.hold_others(True), c.hold_others(False)),
    "photos of a project": lambda c: c.members(c.projects(counted=False)[0].id),
    # what changed
    "folders": lambda c: (c.folders(), c.directories(), c.saved_searches()),
    "changed rows": lambda c: c.columns(since_rev=c.last_rev() - 5),
    "changed capture data": lambda c: (
        c.capture_columns(c.last_rev() - 5),
        c.suffixes(c.last_rev() - 5),
        c.capture_names("lens", c.last_rev() - 5),
    ),
    "rows of some": lambda c: c.columns(ids=SOME),
    "moved in projects": lambda c: (c.projects_rev(), c.moved(c.projects_rev()[0])),
    "words changed": lambda c: (c.tags_rev(), c.text_rev(), c.text_waits()),
    "tags changed": lambda c: (c.tag_links(c.tags_rev(), 5), c.tag_rows()),
    "somebody else": lambda c: c.data_version(),
    # one photo
    "photo": lambda c: c.photo(PHOTO),
    "photo by path": lambda c: c.find(c.photo(PHOTO).path),
    "photo by content": lambda c: c.known("/nowhere/else.jpg", f"{PHOTO - 1:032x}"),
    "history": lambda c: c.history(PHOTO),
    "tags": lambda c: (c.tags_of(SOME), c.keywords_of(SOME)),
    "description": lambda c: c.descriptions_of(SOME),
    "projects of": lambda c: c.projects_of(SOME),
    "whole of": lambda c: c.whole_of(PHOTO),
    "size on disk": lambda c: c.file_bytes(SOME),
    # search
    "words": lambda c: (c.worded("ba"), c.worded("sea li", "tag")),
    "words ranked": lambda c: c.ranked([[("ba", True)]]),
    "tag": lambda c: c.tagged("sea", True),
    "content type": lambda c: c.of_type("portrait"),
    # taste
    "new vectors": lambda c: c.vectors("drawn/1", 110),
    "lessons of some": lambda c: c.lessons(SOME),
    "preferences of some": lambda c: c.preferences(SOME),
    "vectors of some": lambda c: (c.vectors_of("drawn/1", SOME), c.seen_by("drawn/1", 110)),
    "pinned": lambda c: c.pinned_taste(),
    # the conductor
    "pending": lambda c: [c.pending(stage.name, 20) for stage in STAGES],
    "pending on screen": lambda c: c.pending("convert", 20, SOME),
    "next due": lambda c: (c.next_due(), c.next_due(only="describe")),
    "unfinished": lambda c: (c.unfinished(), c.unfinished("proxy"), c.to_describe()),
    "start and put back": lambda c: (c.start("peek", SOME), c.put_back("peek", SOME)),
    "failure and retry": lambda c: (
        c.save_failure(_job(c, "convert"), "It is broken.", retry=False),
        c.retry(None, [PHOTO]),
    ),
    "failures": lambda c: c.failures(),
    "scan": _scan,
    "peek, convert, words": _read,
    "described": lambda c: synthetic_library.describe(c, SOME),
    "shots": lambda c: c.shots(c.last_rev() - 5),
    "stacks": lambda c: (
        c.stacks_made_by(),
        c.note_stacks(None),
        c.save_stacks([StackChange(photo, 40, StackKind.BURST) for photo in (40, 41)]),
    ),
    "compared, named": _compared,
    "to be described": lambda c: (
        c.want_described(SOME),
        c.not_to_describe(SOME),
        c.postpone("describe", PHOTO, "Its provider is busy.", 2.0),
    ),
    "drives": lambda c: (c.waiting_for(), c.away_of(SOME), c.main_files(SOME)),
    "folder of": lambda c: c.folder(c.photo(PHOTO).path),
    "fold": lambda c: (c.tidy_text(), c.checkpoint(), c.fold_if_long()),
    "whether sidecars are wanted": lambda c: c.sidecars_rev(),
    "sidecars": _sidecars,
    "start afterwards": lambda c: c.reset_running(),
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
        open connect close reserve_room use_stages use_encoder left_emptying snapshot
        some_files note_volume set_aside set_away settle_waiting relink""",
    "at a fault of ours": "blamed",
    "at a start, and when projects changed otherwise than by a mark: 10 ms at 100,000": "places",
    "once a window closed": "new_snapshot hold_snapshot",
    "when somebody wants sidecars, each half minute, or in the background, where few are left": """
        due_sidecars outstanding""",
    "a person asked once, and it is about the one or the few": """
        add_folder enable_folder remove_folder make_project rename_project note_project
        cover_project remove_project restore_project merge_tags rename_tag save_search
        rename_search remove_search begin_emptying end_emptying note_emptied is_reject
        expect_content forget_expected save_rewritten pin_taste keep_taste_version""",
    "a scan: the sidecars of one folder": "sidecars_below",
    "the command line alone": """
        backfill check fold_all_text last_place project unread_sidecars weigh_readings
        vocabulary stars""",
    "putting a catalog back": "replay",
    "when a scan ended, or a folder is new: 25 ms at 100,000, as no index holds copies alone": """
        placements""",
    "a filter for what has none of it: kept until words change": "without",
    "how work stands, on a thread apart while the page of it is open: 26 ms at 100,000": "counts",
    "the learner's thread, before it takes in vectors: 13 ms at 100,000": "encoders",
    "the page on taste, on a thread apart, or a version a day": """
        comparing_again foreseen taste_version taste_versions save_taste_version""",
}
"""Methods that are seldom asked, by why; these may go through a table."""

FEW = ("USING INDEX work_failed", "VIRTUAL TABLE INDEX 0:M", "VIRTUAL TABLE INDEX 0:=")
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


def said(catalog: Catalog, act: Act) -> list[str]:
    """Note the statements an act runs, each with its values in place."""
    noted: list[str] = []
    catalog._connection.set_trace_callback(noted.append)
    try:
        act(catalog)
    finally:
        catalog._connection.set_trace_callback(None)
    words = ("SELECT", "INSERT", "UPDATE", "DELETE")
    return [sql for sql in dict.fromkeys(noted) if sql.lstrip().upper().startswith(words)]


def walked(catalog: Catalog, sql: str) -> list[str]:
    """Say which growing tables a statement goes through from end to end."""
    called = dict(re.findall(r"\b(\w+) AS (\w+)", sql))
    names = {short: table for table, short in called.items()}
    found = []
    for *_, detail in catalog._rows(f"EXPLAIN QUERY PLAN {sql}"):
        if not detail.startswith("SCAN "):
            continue
        table = detail.split()[1]
        if names.get(table, table) in GROWING and not any(few in detail for few in FEW):
            found.append(detail)
    return found


def permitted(sql: str) -> bool:
    return any(re.match(begin, sql) for begin in WHOLE)


class Heard(NamedTuple):
    """The statements of each hot operation, and the methods of the catalog they ran."""

    statements: dict[str, list[str]]
    methods: set[str]


def _public() -> list[str]:
    return [
        name
        for name in dir(Catalog)
        if not name.startswith("_") and callable(getattr(Catalog, name))
    ]


@pytest.fixture(scope="module")
def heard(shoot: Path) -> Heard:
    found = Heard({}, set())

    def noting(name: str, method: Callable[..., object]) -> Callable[..., object]:
        @functools.wraps(method)
        def note(*about: object, **more: object) -> object:
            found.methods.add(name)
            return method(*about, **more)

        return note

    for name, act in HOT.items():
        catalog = Catalog.open(shoot)
        with pytest.MonkeyPatch.context() as patched:
            for public in _public():
                if inspect.isfunction(inspect.getattr_static(Catalog, public)):
                    patched.setattr(Catalog, public, noting(public, getattr(Catalog, public)))
            found.statements[name] = said(catalog, act)
        catalog.close()
    return found


def test_each_method_is_known_as_hot_or_as_cold(heard: Heard) -> None:
    cold = [name for names in COLD.values() for name in names.split()]
    assert sorted(set(_public()) - heard.methods - set(cold)) == [], "in neither HOT nor COLD"
    assert sorted(set(cold) - set(_public())) == [], "no methods"
    assert sorted(heard.methods.intersection(cold)) == [], "run by what is hot"
    assert len(cold) == len(set(cold))


@pytest.mark.parametrize("name", HOT)
def test_no_hot_statement_goes_through_a_table(catalog: Catalog, heard: Heard, name: str) -> None:
    statements = heard.statements[name]
    assert statements or name in ("somebody else", "a key is answered")
    wrong = [
        f"{' '.join(sql.split())[:200]}\n    {details}"
        for sql in statements
        if (details := walked(catalog, sql)) and not permitted(sql)
    ]
    assert not wrong, "\n".join(wrong)


def test_what_waits_is_read_in_order_without_sorting(catalog: Catalog) -> None:
    (*_, asked) = said(catalog, lambda c: c.pending("convert", 20))
    details = [row[-1] for row in catalog._rows(f"EXPLAIN QUERY PLAN {asked}")]
    assert any("work_waiting" in detail for detail in details)
    assert not any("TEMP B-TREE" in detail for detail in details)


def test_no_trigger_goes_through_a_table(catalog: Catalog) -> None:
    bodies = catalog._rows("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    assert len(bodies) > 10
    wrong = []
    for name, sql in bodies:
        body = re.search(r"\bBEGIN (.*);\s*END$", sql, re.S)
        assert body is not None, name
        for statement in body.group(1).split("; "):
            if "RAISE" in statement:
                continue
            plain = re.sub(r"\b(NEW|OLD)\.\w+", "1", statement)
            wrong += [f"{name}: {detail}" for detail in walked(catalog, plain)]
    assert not wrong, "\n".join(wrong)


def test_a_walk_is_noticed(catalog: Catalog) -> None:
    assert walked(catalog, "SELECT id FROM photo AS p WHERE p.iso = 400")
    assert walked(catalog, "SELECT count(*) FROM work WHERE attempts > 3")
    assert not walked(catalog, "SELECT id FROM photo WHERE id = 4")

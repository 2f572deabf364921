"""The scopes of the sidebar and their counts."""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from curator import commands
from curator.catalog import Catalog, FolderRow
from curator.home import Home
from curator.library import scopes
from curator.pipeline import Pipeline
from curator.session import Session
from curator.settings import Settings
from tests import fake_stages


def rows(photos: dict[str, int], *roots: str) -> list[tuple[str, int, int]]:
    """Return title, depth and count of each scope of a tree, without All photos."""
    paths = [str(Path(path)) for path in photos]
    tree = SimpleNamespace(
        directories=dict(enumerate(paths)),
        count_by_directories=lambda: {(n,): number for n, number in enumerate(photos.values())},
        alive=lambda: np.ones(sum(photos.values()), bool),
    )
    table = SimpleNamespace(folders=tree, alive=tree.alive)
    folders = [
        FolderRow(number, str(Path(root)), True, True, False, 0.0, None)
        for number, root in enumerate(roots)
    ]
    found = scopes.folder_rows(folders, table)  # type: ignore[arg-type]
    assert found[0].scope == scopes.EVERYTHING and found[0].count == sum(photos.values())
    return [(row.scope.title.replace(os.sep, "/"), row.depth, row.count) for row in found[1:]]


def test_folders_count_all_photos_below_them() -> None:
    tree = {"/p/iceland": 2, "/p/iceland/day 1": 3, "/p/iceland/day 1/b cam": 4, "/p/oslo": 5}
    assert rows(tree, "/p") == [
        ("p", 0, 14),
        ("iceland", 1, 9),
        ("day 1", 2, 7),
        ("b cam", 3, 4),
        ("oslo", 1, 5),
    ]


def test_directories_without_photos_have_no_rows() -> None:
    assert rows({"/p/2026/05/a": 1, "/p/2026/05/b": 2}, "/p") == [
        ("p", 0, 3),
        ("2026/05/a", 1, 1),
        ("2026/05/b", 1, 2),
    ]


def test_folders_are_in_natural_order() -> None:
    days = ("Evening 10", "evening 2", "Evening 1", "Evening 1/b", "Evening 1 b", "Evening 101")
    found = rows({f"/p/{day}": 1 for day in days}, "/p")
    assert [title for title, *_ in found[1:]] == [
        *("Evening 1", "b", "Evening 1 b", "evening 2", "Evening 10", "Evening 101")
    ]
    assert [title for title, *_ in rows({}, "/p/10", "/p/9", "/o/11")] == ["11", "9", "10"]


def test_a_folder_is_not_inside_one_with_the_same_name_prefix() -> None:
    assert rows({"/p/a": 1, "/p/a b": 2, "/p/a/c": 4}, "/p/a", "/p/a b") == [
        ("a", 0, 5),
        ("c", 1, 4),
        ("a b", 0, 2),
    ]
    assert [title for title, _, _ in rows({"/p/a": 1, "/p/a b": 2, "/p/a/c": 4}, "/p")] == [
        "p",
        "a",
        "c",
        "a b",
    ]


def test_each_folder_counts_the_photos_it_lists_including_copies(
    qapp: object, home: Home, tmp_path: Path
) -> None:
    card = fake_stages.write(tmp_path / "card", *["ok"] * 6)
    backup, again = tmp_path / "backup", tmp_path / "backup" / "again"
    for copy, to in ((0, backup), (1, backup), (1, again), (2, again), (3, card / "best")):
        to.mkdir(exist_ok=True, parents=True)
        shutil.copy(card / f"{copy:03}.jpg", to / f"IMG_{copy}.jpg")
    (again / "own.jpg").write_text("ok - of nobody else")
    settings = Settings.load(home)
    pipeline = Pipeline(home, settings, inline=True, stages=fake_stages.STAGES)
    pipeline.start()
    pipeline.open_folders([card])
    pipeline.open_folders([backup])
    with closing(Catalog.open(home.catalog)) as catalog:
        session = Session(catalog, home, settings)

        def shown() -> dict[str, tuple[int, int]]:
            found = {}
            for row in session.sources.scopes():
                session.sources.open_scope(row.scope)
                found[row.scope.title] = (row.count, session.statistics.counts()["all"])
            return found

        assert shown() == {
            **{"All photos": (7, 7), "card": (6, 6), "best": (1, 1)},
            **{"backup": (4, 4), "again": (3, 3)},
        }
        catalog.folders.enable(catalog.folders.containing(card / "000.jpg").id, False)
        session.refresh()
        counts = shown()  # in a folder of copies, commands act on the copies
        assert (counts["backup"], counts["again"], counts["All photos"]) == ((4, 4), (3, 3), (4, 4))
        assert {Path(session.table.folders.directory_of(photo)) for photo in session.ids} <= {
            backup,
            again,
        }
        session.sources.open_scope(scopes.Scope("folder", str(card / "best"), "best"))
        assert session.sources.switched_off() == [str(card)]
        session.close()
    pipeline.stop()


def test_a_folder_opened_by_an_indirect_path_is_the_scope(
    qapp: object, home: Home, tmp_path: Path
) -> None:
    card = fake_stages.write(tmp_path / "card", "ok")
    settings = Settings.load(home)
    pipeline = Pipeline(home, settings, inline=True, stages=fake_stages.STAGES)
    pipeline.start()
    with closing(Catalog.open(home.catalog)) as catalog:
        session = Session(catalog, home, settings, pipeline)
        session.sources.open_sources([tmp_path / "card" / ".." / "card"])
        session.refresh()
        assert (session.criteria.scope.key, session.statistics.counts()["all"]) == (str(card), 1)
        session.close()
    pipeline.stop()


def test_a_missing_folder_says_so(tmp_path: Path) -> None:
    nobody = np.zeros(0, bool)
    tree = SimpleNamespace(directories={}, count_by_directories=dict, alive=lambda: nobody)
    table = SimpleNamespace(folders=tree, alive=tree.alive)
    folders = [
        FolderRow(n, str(path), True, True, False, 0.0, None)
        for n, path in enumerate((tmp_path, tmp_path / "gone"))
    ]
    away = {str(tmp_path / "gone"): "T7 Shield unplugged"}
    listed = scopes.folder_rows(folders, table, away)  # type: ignore[arg-type]
    assert [row.away for row in listed] == ["", "", "T7 Shield unplugged"]


def test_in_a_folder_of_copies_photos_have_their_names_of_that_folder(
    qapp: object, home: Home, tmp_path: Path
) -> None:
    card = fake_stages.write(tmp_path / "card", *["ok"] * 3)
    backup = tmp_path / "backup"
    backup.mkdir()
    ten = "Ha\u0301rbor_10"  # as macOS writes names: letter and accent apart
    for copy, name in ((0, "Harbor_9.jpg"), (1, f"{ten}.jpg")):
        shutil.copy(card / f"{copy:03}.jpg", backup / name)
    (backup / "own.jpg").write_text("ok - of nobody else")
    settings = Settings.load(home)
    pipeline = Pipeline(home, settings, inline=True, stages=fake_stages.STAGES)
    pipeline.start()
    pipeline.open_folders([card])
    pipeline.open_folders([backup])
    with closing(Catalog.open(home.catalog)) as catalog:
        session = Session(catalog, home, settings)
        messages: list[str] = []
        session.messages.status_message.connect(messages.append)
        catalog.text.update_all()

        def shown(title: str) -> dict[str, str]:
            """Open a scope; return the names of its photos, and their folders."""
            session.sources.open_scope(
                next(r.scope for r in session.sources.scopes() if r.scope.title == title)
            )
            session.ordering.set_order("name")
            ids = session.ids.tolist()
            named = [tile.name for tile in session.tiles(ids)]
            assert named == [session.table.name(photo) for photo in ids]
            assert named == [session.detail(photo).name for photo in ids]
            assert all(n in session.caption(p)[1] for n, p in zip(named, ids, strict=True))
            return {n: session.detail(p).path.name for n, p in zip(named, ids, strict=True)}

        def found(search: str) -> list[str]:
            session.search.set_filter(search)
            names = [session.table.name(photo) for photo in session.ids.tolist()]
            session.search.set_filter("")
            return names

        main = {"000": "000.jpg", "001": "001.jpg", "002": "002.jpg"}
        there = {"Harbor_9": "Harbor_9.jpg", ten: f"{ten}.jpg", "own": "own.jpg"}
        assert shown("card") == main
        assert shown("backup") == there and list(there) == list(shown("backup"))
        assert found("name:harb") == found("h\u00e1rb") == ["Harbor_9", ten]
        assert found("harbor") == ["Harbor_9", ten]
        assert found('"Harbor 1"') == [] and found("Harbor_10.jpg") == [ten]
        session.photos.go(0)
        photo = session.ids.tolist()[0]
        commands.run(session, "reject")
        assert "Harbor_9" in messages[-1] and session.table.name(photo) == "Harbor_9"
        assert shown("card") == main and shown("All photos") == main | {"own": "own.jpg"}
        assert found("harbor") == []
        session.close()
    pipeline.stop()

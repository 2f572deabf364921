"""The figures of the overview: known values, each equal to the count of its search."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from curator.catalog import Catalog
from curator.home import Home
from curator.library import filters
from curator.library.statistics import DAY, MONTH, YEAR, Figure, Overview, overview
from curator.library.table import Table
from curator.model import Described
from curator.session.background_status import DiskUsage, StageCounts, measure, stage_counts
from tests import catalogs

# Photo → when and with what; twelve photos over twenty years, two without a date.
CAMERAS = {
    **dict.fromkeys((1, 2, 3), "Canon EOS 5D"),
    **dict.fromkeys((4, 5), "Canon EOS 5D Mark II"),
    **dict.fromkeys((6, 7, 8, 9), 'Café "Box" 1'),
    12: "---",
}
TAKEN = {
    **dict.fromkeys((1, 2, 3), "2024-05-04T08:00:00.000000"),
    **dict.fromkeys((4, 5), "2024-05-31T23:59:59.999999"),
    6: "2024-06-01T00:00:00.000000",
    **dict.fromkeys((7, 8, 9), "2024-09-09T12:00:00.000000"),
    10: "2004-01-01T00:00:00.000000",
}
MARKS: dict[int, dict[str, object]] = {
    1: {"flag": "pick", "rating": 1, "kept": True},
    2: {"rating": 4, "kept": True},
    3: {"rating": 4, "flag": "reject"},
    4: {"kept": True},
    5: {"flag": "reject"},
    11: {"flag": None, "kept": False},
}


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    path = tmp_path_factory.mktemp("overview") / "catalog.db"
    catalogs.fill(path, 12)
    with closing(sqlite3.connect(path)) as connection:
        for photo in range(1, 13):
            connection.execute(
                "UPDATE photo SET taken_at = ?, camera = ?, seen_at = NULL WHERE id = ?",
                (TAKEN.get(photo), CAMERAS.get(photo), photo),
            )
        connection.execute("UPDATE photo SET failed = 1 WHERE id = 11")
        digests = dict(connection.execute("SELECT id, proxy_digest FROM photo"))
        connection.commit()
    opened = Catalog.open(path)
    opened.journal.decide(MARKS, summary="Marked")
    opened.photos.mark_seen([6, 7])
    opened.descriptions.save(
        [
            (photo, Described("test", "test", digests[photo], "", kind, "", "", ()))
            for photo, kind in ((1, "street"), (2, "street"), (5, "still_life"))
        ]
    )
    opened.text.update_all()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def table(catalog: Catalog) -> Table:
    return Table(catalog)


@pytest.fixture(scope="module")
def stats(table: Table) -> Overview:
    return overview(table, table.alive())


def numbers(figures: tuple[Figure, ...]) -> dict[str, int]:
    return {figure.name: figure.photos for figure in figures}


def test_each_photo_is_in_one_part_of_the_strip(stats: Overview) -> None:
    assert numbers(stats.verdicts) == {
        "picked": 1,
        "rated, not picked": 1,
        "kept": 1,
        "rejected": 2,
        "skipped": 2,
        "not seen yet": 4,
        "unreadable": 1,
    }
    assert stats.whole == Figure("photos", 12, 3, 2)
    assert (stats.starred.photos, stats.approved.photos) == (2, 1)


def test_stars_of_rejects_do_not_count(stats: Overview) -> None:
    assert [figure.photos for figure in stats.stars] == [1, 0, 0, 1, 0]


def test_cameras_come_most_used_first(stats: Overview) -> None:
    assert numbers(stats.cameras) == {
        "Café Box 1": 4,
        "Canon EOS 5D": 3,
        "Canon EOS 5D Mark II": 2,
        "---": 1,
    }
    assert next(iter(numbers(stats.cameras))) == "Café Box 1"
    assert stats.nameless.photos == 2
    assert stats.cameras[-1].query == "", "no words, so no search finds it"


def test_categories_come_from_descriptions(stats: Overview) -> None:
    assert numbers(stats.kinds) == {"street": 2, "still life": 1}
    assert stats.kinds[0].kept == 2


def test_time_is_grouped_by_month_and_long_gaps_are_folded(stats: Overview) -> None:
    assert stats.grain == MONTH
    shown = [period and (period.figure.name, period.figure.photos) for period in stats.periods]
    assert shown == [
        ("January 2004", 1),
        None,
        ("May 2024", 5),
        ("June 2024", 1),
        ("July 2024", 0),
        ("August 2024", 0),
        ("September 2024", 3),
    ]
    assert (stats.first, stats.last) == (date(2004, 1, 1), date(2024, 9, 9))
    assert stats.undated.photos == 2
    may = stats.periods[2]
    assert may is not None
    assert (may.figure.kept, may.figure.rejected, may.figure.unreviewed) == (3, 2, 0)


def test_a_short_period_is_grouped_by_day(table: Table) -> None:
    stats = overview(table, table.marked([1, 4, 6]))
    assert stats.grain == DAY
    assert [period and period.figure.name for period in stats.periods] == [
        "4 May 2024",
        None,
        "31 May 2024",
        "1 June 2024",
    ]


def test_a_long_period_is_grouped_by_year(table: Table) -> None:
    taken = table.column("taken_at")
    before = taken.copy()
    taken[:] = np.datetime64("1990-01-15") + np.arange(12) * np.timedelta64(2 * 366, "D")
    try:
        stats = overview(table, table.alive())
    finally:
        taken[:] = before
    assert stats.grain == YEAR
    assert len(stats.periods) == 23


def test_every_figure_equals_the_count_of_its_search(table: Table, stats: Overview) -> None:
    periods = tuple(period.figure for period in stats.periods if period is not None)
    single = (stats.starred, stats.approved, stats.undated)
    found = [*stats.verdicts, *single, *periods, *stats.cameras, *stats.kinds, *stats.stars]
    asked = [figure for figure in found if figure.query]
    assert len(asked) >= 20
    for figure in asked:
        mask = filters.mask(filters.parse(figure.query), table) & table.alive()
        verdicts = int((mask & table.kept()).sum()), int((mask & table.rejected()).sum())
        assert (figure.photos, figure.kept, figure.rejected) == (mask.sum(), *verdicts), figure


def test_without_photos_there_are_no_figures(table: Table) -> None:
    stats = overview(table, np.zeros(table.size, bool))
    assert stats.whole.photos == 0
    assert (stats.verdicts, stats.periods, stats.cameras, stats.kinds) == ((), (), (), ())


def test_failed_photos_do_not_wait_for_later_stages() -> None:
    counts = {
        "peek": {"done": 9, "failed": 1},
        "convert": {"done": 5, "waiting": 1, "running": 1, "failed": 2, "blocked": 1},
        "embed": {"done": 4, "waiting": 3, "blocked": 3},
        "describe": {"waiting": 1},
    }
    assert stage_counts(counts) == (
        StageCounts("peek", "Reading headers", done=9, failed=1),
        StageCounts("convert", "Making proxies", 5, waiting=1, running=1, failed=2, blocked=1),
        StageCounts("embed", "Analyzing photos", 4, waiting=3, blocked=3),
        StageCounts("describe", "Describing photos", waiting=1),
    )


def test_the_disk_usage_of_curator_is_measured(home: Home) -> None:
    home.make()
    for where, name, size in (
        (home.cache / "proxies" / "0a", "1.jpg", 300),
        (home.cache / "proxies" / "0b", "2.jpg", 50),
        (home.cache / "thumbs" / "0a", "1.jpg", 7),
    ):
        where.mkdir(parents=True, exist_ok=True)
        (where / name).write_bytes(bytes(size))
    home.catalog.write_bytes(bytes(1000))
    assert measure(home, threading.Event()) == DiskUsage(350, 7, 1000)


def test_a_file_deleted_while_it_is_measured_counts_as_0(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = home.make().cache / "proxies" / "0a"
    folder.mkdir(parents=True)
    (folder / "1.jpg").write_bytes(bytes(300))
    (folder / "2.jpg").symlink_to(folder / "deleted.jpg")
    monkeypatch.setattr(Path, "exists", lambda _: True)  # the write-ahead log, just before
    assert measure(home, threading.Event()) == DiskUsage(proxies=300)

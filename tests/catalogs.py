"""Catalogs filled with photos that never were, in seconds: 100,000 rows to read, list and mark.

Every photo has a main file, both stages done, capture data and scores; every fifth is a pair, one
in ten is marked. The same arguments always give the same rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from curator import stages
from curator.catalog import Catalog, schema

PER_DIRECTORY = 2_000
ADDED_AT = 1_700_000_000.0
_FEW = 100
_FILLED: dict[tuple[int, str, bool], bytes] = {}  # small catalogs, made once: tests ask for many
_EMPTY: list[bytes] = []  # and the one with nothing in it
FIRST = datetime(2024, 5, 4, 8, 0, 0, 120000)


@dataclass(frozen=True)
class Stage:
    """As much of a stage as the catalog knows."""

    name: str
    version: int = 1
    needs: tuple[str, ...] = ()
    reads: str = "file"
    every: bool = True
    variant: str = ""


STAGES = tuple(Stage(s.name, s.version, s.needs) for s in stages.STAGES if s.reads == "file")


def empty(path: Path) -> None:
    """Make a catalog without photos, as `Catalog.open` makes one, but once for all tests.

    One that is there stays: another fixture made it, and it may be open.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if not _EMPTY:
        Catalog.open(path).close()
        _EMPTY.append(path.read_bytes())
    else:
        path.write_bytes(_EMPTY[0])


def fill(path: Path, photos: int, *, folder: str = "/photos", converted: bool = True) -> None:
    """Make a catalog of ``photos`` photos; ``converted=False`` leaves convert waiting for all."""
    asked, fresh = (photos, folder, converted), not path.exists()
    if fresh and asked in _FILLED:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_FILLED[asked])
        return
    empty(path)
    catalog = Catalog.open(path)
    catalog.work.use_stages(STAGES)
    catalog.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        triggers = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for (name,) in triggers:  # a row each would be slow; what they keep is written here
            connection.execute(f"DROP TRIGGER {name}")
        _fill(connection, photos, folder, converted)
        connection.execute("INSERT INTO photo_text_due SELECT id FROM photo")
        for statement in schema.TRIGGERS:
            connection.execute(statement)
        connection.execute("COMMIT")
    if fresh and photos <= _FEW:  # all of it is in the one file: nobody else has it open
        _FILLED[asked] = path.read_bytes()


def stack(path: Path, *photos: int, kind: str = "burst") -> None:
    """Let the machine have found a stack of these photos, as the stage would save it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany(
            "UPDATE photo SET stack = ?, stack_kind = ? WHERE id = ?",
            [(min(photos), kind, photo) for photo in photos],
        )
        connection.commit()


def capture(path: Path, photo: int, **facts: float | str | None) -> None:
    """Let peek have read other capture data, by column."""
    with closing(sqlite3.connect(path)) as connection:
        names = ", ".join(f"{name} = ?" for name in facts)
        connection.execute(f"UPDATE photo SET {names} WHERE id = ?", (*facts.values(), photo))
        connection.commit()


def append(path: Path, photo: int, name: str, **facts: float | str | None) -> None:
    """Let a scan have found one photo more, of one file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO photo (id, directory_id, name, added_at) VALUES (?, 1, ?, ?)",
            (photo, name.partition(".")[0], ADDED_AT),
        )
        connection.execute(
            "INSERT INTO file (photo_id, directory_id, name, kind, role, size, mtime_ns)"
            " VALUES (?, 1, ?, 'image', 'main', 1000, 1)",
            (photo, name),
        )
        connection.commit()
    capture(path, photo, **facts)


def _fill(connection: sqlite3.Connection, photos: int, folder: str, converted: bool) -> None:
    connection.execute(
        "INSERT INTO folder (id, path, added_at) VALUES (1, ?, ?)", (folder, ADDED_AT)
    )
    connection.executemany(
        "INSERT INTO directory (id, folder_id, path) VALUES (?, 1, ?)",
        [
            (1 + number, f"{folder}/{number:03d}")
            for number in range((photos + PER_DIRECTORY - 1) // PER_DIRECTORY)
        ],
    )
    connection.executemany(
        "INSERT INTO photo (id, directory_id, name, added_at, taken_at, camera, lens, exposure_s,"
        " f_number, iso, focal_length_mm, width, height, sharpness, exposure, highlights, shadows,"
        " basis, thumb, proxy, proxy_digest, flag, rating, kept, pair, rev)"
        " VALUES (?, ?, ?, ?, ?, ?, 'TW 24-70mm F2.8', 0.004, 2.8, 800, 50.0, 6000, 4000,"
        " ?, ?, 0.0, 0.0, 'image', ?, ?, ?, ?, ?, ?, ?, ?)",
        _photos(photos, converted),
    )
    connection.executemany(
        "INSERT INTO file (photo_id, directory_id, name, kind, role, size, mtime_ns, fingerprint,"
        " width, height) VALUES (?, ?, ?, ?, ?, ?, 1, ?, 6000, 4000)",
        _files(photos),
    )
    for stage in STAGES:
        state = "done" if converted or stage.name == "peek" else "waiting"
        connection.execute(
            "INSERT INTO work (photo_id, stage, version, state, ready, source)"
            " SELECT photo_id, ?, ?, ?, 1, fingerprint FROM file WHERE role = 'main'",
            (stage.name, stage.version, state),
        )


def _is_pair(number: int) -> bool:
    return number % 5 == 0


def _photos(count: int, converted: bool) -> Iterator[tuple[object, ...]]:
    for number in range(count):
        marked = number % 10 == 0
        taken = FIRST + timedelta(seconds=2 * number)
        key = f"{number:032x}" if converted else None
        yield (
            number + 1,
            1 + number // PER_DIRECTORY,
            f"DSC_{number % 10_000:04d}",
            ADDED_AT,
            taken.isoformat(timespec="microseconds"),
            f"Curator Works Test {'One' if number % 3 else 'Two'}",
            float(number * 37 % 1000) / 10 if converted else None,
            float(number * 73 % 1000) / 10 if converted else None,
            f"{number:032x}",
            key,
            f"{number:064x}" if converted else None,
            ("pick", "reject", None)[number // 10 % 3] if marked else None,
            1 + number // 10 % 5 if marked and number % 20 == 0 else None,
            int(marked),
            int(_is_pair(number)),
            number + 1,
        )


def _files(count: int) -> Iterator[tuple[object, ...]]:
    for number in range(count):
        directory, stem = 1 + number // PER_DIRECTORY, f"DSC_{number % 10_000:04d}"
        size = 20_000_000 + number
        if _is_pair(number):
            yield (number + 1, directory, f"{stem}.NEF", "raw", "main", size, f"{number:032x}")
            half = f"a{number:031x}"
            yield (number + 1, directory, f"{stem}.JPG", "image", "half", size // 4, half)
        else:
            yield (number + 1, directory, f"{stem}.JPG", "image", "main", size, f"{number:032x}")


def last_rev(catalog: Catalog) -> int:
    """Return the revision of the newest change of a photo."""
    return int(catalog.store.value("SELECT coalesce(max(rev), 0) FROM photo"))

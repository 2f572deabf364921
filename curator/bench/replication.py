"""Enlarge a small library by repeating its rows in SQL, as further photos, folders and days.

The catalog's own code takes a millisecond per row, this a tenth of that. The rows are those the
catalog wrote, with ids, names, dates and fingerprints shifted; the columns come from its schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

from curator.bench.synthetic_catalog import DAYS, EVENING, index
from curator.catalog import Catalog

# Table → column → SQL for its value in the copy; ``:photos`` is the offset of photo ids. A table
# comes after those it refers to.
_SHIFTED: dict[str, dict[str, str]] = {
    "photo": {
        "id": "id + :photos",
        "directory_id": "directory_id + :directorys",
        "name": "'DSC_' || printf('%06d', substr(name, 5) + :photos)",
        "taken_at": "strftime('%Y-%m-%dT%H:%M:%f000', taken_at, :days)",
        "stack": "stack + :photos",
        # Other pictures: each half of the hash rotates by itself, so that 256 repetitions differ.
        "look": "substr(look, 1 + :left, 16 - :left) || substr(look, 1, :left)"
        " || substr(look, 17 + :right, 16 - :right) || substr(look, 17, :right)"
        " || substr(look, 33)",
        "rev": "rev + :revs",
    },
    "file": {
        "id": "id + :files",
        "photo_id": "photo_id + :photos",
        "directory_id": "directory_id + :directorys",
        "name": "'DSC_' || printf('%06d', substr(name, 5, 6) + :photos) || '.JPG'",
        "size": "size + :photos",
        "fingerprint": "printf('%06x', :photos) || substr(fingerprint, 7)",
    },
    "work": {
        "photo_id": "photo_id + :photos",
        "source": "CASE WHEN stage IN ('faces', 'embed', 'describe') THEN source"
        " ELSE printf('%06x', :photos) || substr(source, 7) END",
    },
    "face": {"photo_id": "photo_id + :photos"},
    "description": {"photo_id": "photo_id + :photos"},
    "photo_tag": {"photo_id": "photo_id + :photos"},
    "project": {"id": "id + :projects", "name": "'Evening ' || (substr(name, 9) + :evenings)"},
    "photo_project": {"photo_id": "photo_id + :photos", "project_id": "project_id + :projects"},
    "step": {"id": "id + :steps"},
    "decision": {
        "id": "id + :decisions",
        "step_id": "step_id + :steps",
        "photo_id": "photo_id + :photos",
    },
    "unwritten": {"photo_id": "photo_id + :photos"},
}
_WHERE = {  # the rows to repeat of tables without photo_id; ``:last`` is the last photo
    "photo": "id <= :last",
    "project": "id <= :first_project",
    "step": "id <= :first_step",
}
_COUNTED = ("photo", "directory", "file", "project", "step", "decision")


def repeat(path: Path, count: int, root: Path) -> None:
    """Enlarge the catalog at ``path`` to ``count`` photos by repeating its photos.

    Its photos must fill complete evenings; folders of the new photos are under ``root``.
    """
    catalog = Catalog.open(path)
    try:
        first = {
            name: int(catalog.store.value(f"SELECT coalesce(max(id), 0) FROM {name}"))
            for name in _COUNTED
        }
        for start in range(first["photo"], count, first["photo"]):
            _repeat_once(catalog, first, start, min(first["photo"], count - start), root)
            index(catalog)
            catalog.store.checkpoint()
    finally:
        catalog.close()


def _repeat_once(
    catalog: Catalog, first: Mapping[str, int], start: int, some: int, root: Path
) -> None:
    """Repeat the first ``some`` photos after the first ``start``, in one transaction."""
    evenings, times = start // EVENING, start // first["photo"]
    values: dict[str, object] = {
        **{f"{name}s": times * number for name, number in first.items()},
        "revs": catalog.store.value("SELECT max(rev) FROM photo"),
        "days": f"+{DAYS * evenings} days",
        "evenings": evenings,
        "left": times % 16,
        "right": times // 16 % 16,
        "last": some,
        "first_project": first["project"],
        "first_step": first["step"],
    }
    with catalog.store.transaction():
        # The rows that triggers would add are repeated, too.
        triggers = catalog.store.rows("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        for name, _ in triggers:
            catalog.store.run(f"DROP TRIGGER {name}")
        days = catalog.store.rows(
            "SELECT id, folder_id, path FROM directory WHERE id <= ?", (first["directory"],)
        )
        catalog.store.run_many(
            "INSERT INTO directory (id, folder_id, path) VALUES (?, ?, ?)",
            [
                (number + times * first["directory"], folder, _folder_after(day, evenings, root))
                for number, folder, day in days
            ],
        )
        for table, shifted in _SHIFTED.items():
            columns = [row[1] for row in catalog.store.rows(f"PRAGMA table_info({table})")]
            given = ", ".join(shifted.get(column, column) for column in columns)
            catalog.store.run(
                f"INSERT INTO {table} ({', '.join(columns)}) SELECT {given} FROM {table}"
                f" WHERE {_WHERE.get(table, 'photo_id <= :last')}",
                values,
            )
        catalog.store.run(
            "INSERT INTO photo_text_due (photo_id) SELECT id + :photos FROM photo"
            " WHERE id <= :last",
            values,
        )
        for _, sql in triggers:
            catalog.store.run(sql)


def _folder_after(day: str, evenings: int, root: Path) -> str:
    """Return the folder of a day a number of evenings later."""
    later = date.fromisoformat(Path(day).name) + timedelta(days=DAYS * evenings)
    return str(root / f"{later:%Y}" / f"{later:%Y-%m-%d}")

"""The migrations of the schema: bring a catalog made by an older Curator up to date.

A new catalog is created from `schema` as it is now. An older one goes through the steps of
MIGRATIONS it has not seen, each in a transaction of its own, after a verified backup in ``backups``
beside the catalog. The version is SQLite's ``user_version``. Steps that were released must never
change.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import peewee

from curator.catalog import backups, schema
from curator.model import CatalogError

log = logging.getLogger(__name__)

Step = Callable[[peewee.Database], None]

_REFUSED = "BEGIN SELECT RAISE(ABORT, 'the journal is only ever added to'); END"
# The columns whose changes give a photo a new revision, as of version 3.
_OF_PHOTO = (
    "directory_id, name, taken_at, utc_offset_min, camera, lens, exposure_s, f_number, iso,"
    " focal_length_mm, latitude, longitude, width, height, orientation, subject_x, subject_y,"
    " sharpness, exposure, highlights, shadows, sharpest_x, sharpest_y, basis, damage, thumb,"
    " proxy, proxy_digest, turn, flag, rating, label, kept, seen_at, pair, missing, failed,"
    " removed_at, merged_into, look, stack, stack_kind, stacked"
)


def _work_triggers(stages: str) -> Iterator[str]:
    """Replace the triggers that set a photo's ``failed``; failures of some stages do not count."""
    failed = (
        "UPDATE photo SET failed = EXISTS (SELECT 1 FROM work WHERE photo_id = {0}.photo_id"
        f" AND state = 'failed' AND stage {stages}) WHERE id = {{0}}.photo_id;"
    )
    yield "DROP TRIGGER work_changed"
    yield "DROP TRIGGER work_removed"
    yield (
        "CREATE TRIGGER work_changed AFTER UPDATE OF state, reason ON work"
        f" WHEN (NEW.state = 'failed') <> (OLD.state = 'failed') BEGIN {failed.format('NEW')} END"
    )
    yield (
        "CREATE TRIGGER work_removed AFTER DELETE ON work WHEN OLD.state = 'failed'"
        f" BEGIN {failed.format('OLD')} END"
    )


def _photo_trigger(columns: str) -> Iterator[str]:
    """Replace the trigger that gives changed photos a new revision."""
    yield "DROP TRIGGER photo_changed"
    yield (
        f"CREATE TRIGGER photo_changed AFTER UPDATE OF {columns} ON photo"
        " BEGIN UPDATE photo SET rev = (SELECT coalesce(max(rev), 0) + 1 FROM photo)"
        " WHERE id = NEW.id; END"
    )


def _copied_journal(fields: str, about: str, copied: str) -> Iterator[str]:
    """Copy the table ``decision``: SQLite changes a check only by copying the table."""
    yield (
        "CREATE TABLE journal (id INTEGER NOT NULL PRIMARY KEY,"
        " step_id INTEGER NOT NULL REFERENCES step (id),"
        " photo_id INTEGER NOT NULL REFERENCES photo (id), field TEXT NOT NULL"
        f" CHECK (field IN ({fields})),{about}"
        " before, after, expected REAL, order_name TEXT NOT NULL)"
    )
    yield (
        f"INSERT INTO journal SELECT id, step_id, photo_id, field,{copied} before, after, expected,"
        " order_name FROM decision"
    )
    yield "DROP TABLE decision"
    yield "ALTER TABLE journal RENAME TO decision"
    yield "CREATE INDEX decision_step_id ON decision (step_id)"
    yield "CREATE INDEX decision_field ON decision (photo_id, field, id)"
    yield "CREATE INDEX decision_rating ON decision (photo_id, id) WHERE field = 'rating'"
    yield f"CREATE TRIGGER decision_no_update BEFORE UPDATE ON decision {_REFUSED}"
    yield f"CREATE TRIGGER decision_no_delete BEFORE DELETE ON decision {_REFUSED}"


def _add_taste(database: peewee.Database) -> None:
    """Add vectors; a photo that failed only at that stage no longer counts as unreadable."""
    for statement in (
        "CREATE TABLE vector (id INTEGER NOT NULL PRIMARY KEY,"
        " photo_id INTEGER NOT NULL REFERENCES photo (id), encoder TEXT NOT NULL,"
        " source TEXT NOT NULL, vector BLOB NOT NULL, tone BLOB NOT NULL, rev INTEGER NOT NULL)",
        "CREATE TABLE taste_version (id INTEGER NOT NULL PRIMARY KEY, made_at REAL NOT NULL,"
        " encoder TEXT NOT NULL, ratings INTEGER NOT NULL, correlation REAL, error REAL,"
        " mean_error REAL, numbers BLOB NOT NULL)",
        "CREATE UNIQUE INDEX vector_photo ON vector (photo_id, encoder)",
        "CREATE INDEX vector_rev ON vector (encoder, rev)",
        "CREATE INDEX decision_rating ON decision (photo_id, id) WHERE field = 'rating'",
        *_work_triggers("<> 'embed'"),
    ):
        database.execute_sql(statement)


def _add_stacks_and_tags(database: peewee.Database) -> None:
    """Add stacks, by the machine and by hand, and tags; the journal gets one more field."""
    for statement in (
        "ALTER TABLE photo ADD COLUMN look TEXT",
        "ALTER TABLE photo ADD COLUMN stack INTEGER",
        "ALTER TABLE photo ADD COLUMN stack_kind TEXT"
        " CHECK (stack_kind IN ('burst', 'bracket', 'duplicate'))",
        "ALTER TABLE photo ADD COLUMN stacked INTEGER CHECK (stacked >= 0)",
        "CREATE INDEX photo_stack ON photo (stack) WHERE stack IS NOT NULL",
        *_photo_trigger(_OF_PHOTO),
        "ALTER TABLE taste_version ADD COLUMN reason TEXT NOT NULL DEFAULT 'closing'"
        " CHECK (reason IN ('daily', 'closing', 'hand'))",
        "CREATE TABLE tag (id INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, category TEXT)",
        "CREATE UNIQUE INDEX tag_name ON tag (name)",
        "CREATE TABLE photo_tag (photo_id INTEGER NOT NULL REFERENCES photo (id),"
        " tag_id INTEGER NOT NULL REFERENCES tag (id),"
        " source TEXT NOT NULL CHECK (source IN ('person', 'vision', 'encoder', 'file')),"
        " confidence INTEGER NOT NULL CHECK (confidence BETWEEN 0 AND 100),"
        " state TEXT NOT NULL CHECK (state IN ('suggested', 'confirmed', 'removed')),"
        " PRIMARY KEY (photo_id, tag_id, source)) WITHOUT ROWID",
        "CREATE INDEX photo_tag_tag_id ON photo_tag (tag_id)",
        *_copied_journal("'flag', 'rating', 'label', 'kept', 'stacked'", "", ""),
    ):
        database.execute_sql(statement)


def _add_descriptions_projects_sidecars(database: peewee.Database) -> None:
    """Add descriptions, projects, comparisons and the contents of sidecars.

    The journal gets relations: fields about a photo and something else.
    """
    for statement in (
        "ALTER TABLE photo ADD COLUMN elsewhere INTEGER NOT NULL DEFAULT 0"
        " CHECK (elsewhere IN (0, 1))",
        "ALTER TABLE photo ADD COLUMN apart INTEGER NOT NULL DEFAULT 0 CHECK (apart IN (0, 1))",
        "ALTER TABLE photo ADD COLUMN half_of INTEGER REFERENCES photo (id)",
        "CREATE INDEX photo_half ON photo (half_of) WHERE half_of IS NOT NULL",
        "ALTER TABLE photo ADD COLUMN emptied_at REAL",
        "ALTER TABLE file ADD COLUMN emptied_at REAL",
        *_photo_trigger(f"{_OF_PHOTO}, elsewhere, apart, half_of, emptied_at"),
        *_work_triggers("NOT IN ('embed', 'describe')"),
        *_tag_statements(),
        *_copied_journal(
            "'flag', 'rating', 'label', 'kept', 'stacked', 'elsewhere', 'apart', 'tag', 'project',"
            " 'over'",
            " about INTEGER,",
            " NULL,",
        ),
        *_NEW_TABLES,
        *_text_statements(),
    ):
        database.execute_sql(statement)


_NEW_TABLES = (
    "CREATE TABLE description (photo_id INTEGER NOT NULL PRIMARY KEY REFERENCES photo (id),"
    " provider TEXT NOT NULL, model TEXT NOT NULL, source TEXT NOT NULL,"
    " subject TEXT NOT NULL, content_type TEXT NOT NULL, lighting TEXT NOT NULL,"
    " mood TEXT NOT NULL, made_at REAL NOT NULL)",
    "CREATE INDEX description_content_type ON description (content_type)",
    "CREATE TABLE project (id INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL,"
    " notes TEXT NOT NULL DEFAULT '', cover INTEGER REFERENCES photo (id),"
    " made_at REAL NOT NULL, removed_at REAL)",
    "CREATE UNIQUE INDEX project_name ON project (name) WHERE removed_at IS NULL",
    "CREATE TABLE photo_project (photo_id INTEGER NOT NULL REFERENCES photo (id),"
    " project_id INTEGER NOT NULL REFERENCES project (id), place REAL NOT NULL,"
    " PRIMARY KEY (photo_id, project_id)) WITHOUT ROWID",
    "CREATE INDEX photo_project_project_id ON photo_project (project_id)",
    "CREATE TABLE duel (winner_id INTEGER NOT NULL REFERENCES photo (id),"
    " loser_id INTEGER NOT NULL REFERENCES photo (id),"
    " PRIMARY KEY (winner_id, loser_id)) WITHOUT ROWID",
    "CREATE INDEX duel_loser_id ON duel (loser_id)",
    "CREATE TABLE saved_search (id INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL,"
    " expression TEXT NOT NULL, made_at REAL NOT NULL)",
    "CREATE UNIQUE INDEX saved_search_name ON saved_search (name)",
    "CREATE TABLE sidecar (id INTEGER NOT NULL PRIMARY KEY,"
    " photo_id INTEGER NOT NULL REFERENCES photo (id), path TEXT NOT NULL,"
    " digest TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,"
    " metadata_date TEXT, said TEXT, theirs TEXT, synced_at REAL, state TEXT NOT NULL"
    " CHECK (state IN ('unread', 'synced', 'conflict', 'failed')), reason TEXT)",
    "CREATE UNIQUE INDEX sidecar_path ON sidecar (path)",
    "CREATE INDEX sidecar_photo_id ON sidecar (photo_id)",
    "CREATE TABLE unwritten (photo_id INTEGER NOT NULL PRIMARY KEY REFERENCES photo (id),"
    " since REAL NOT NULL, asked INTEGER NOT NULL DEFAULT 0 CHECK (asked IN (0, 1)),"
    " intent TEXT, reason TEXT, tried_at REAL)",
    "CREATE TRIGGER decision_unwritten AFTER INSERT ON decision"
    " WHEN NEW.field IN ('flag', 'rating', 'label', 'tag', 'project')"
    " AND (SELECT source FROM step WHERE id = NEW.step_id) = 'person'"
    " BEGIN INSERT INTO unwritten (photo_id, since)"
    " SELECT coalesce(p.merged_into, p.id), s.made_at FROM photo AS p, step AS s"
    " WHERE p.id = NEW.photo_id AND s.id = NEW.step_id"
    " ON CONFLICT (photo_id) DO UPDATE SET since = excluded.since; END",
    # No sidecar has been written so far.
    "INSERT INTO unwritten (photo_id, since) SELECT coalesce(p.merged_into, p.id), max(s.made_at)"
    " FROM decision AS d JOIN step AS s ON s.id = d.step_id JOIN photo AS p ON p.id = d.photo_id"
    " WHERE d.field IN ('flag', 'rating', 'label') AND s.source = 'person' GROUP BY 1",
)


def _tag_statements() -> Iterator[str]:
    """Add folded names and merging to tags; a photo whose tags change gets a new revision."""
    yield "ALTER TABLE tag ADD COLUMN merged_into INTEGER REFERENCES tag (id)"
    yield "ALTER TABLE tag ADD COLUMN folded TEXT"
    yield "UPDATE tag SET folded = lower(name)"  # so far all tags are an encoder's plain words
    yield "CREATE UNIQUE INDEX tag_folded ON tag (folded)"
    for what, act, row in (
        ("added", "INSERT", "NEW"),
        ("changed", "UPDATE", "NEW"),
        ("removed", "DELETE", "OLD"),
    ):
        yield (
            f"CREATE TRIGGER photo_tag_{what} AFTER {act} ON photo_tag BEGIN UPDATE photo SET"
            f" rev = (SELECT coalesce(max(rev), 0) + 1 FROM photo) WHERE id = {row}.photo_id; END"
        )


def _text_statements() -> Iterator[str]:
    """Add the full-text index and its queue, in which all photos wait."""
    yield (
        "CREATE VIRTUAL TABLE photo_text USING fts5 (name, tag, project, subject, mood, light,"
        " camera, lens, folder, tokenize ="
        " \"unicode61 remove_diacritics 2 categories 'L* N* M* Co So'\", prefix = '1 2 3')"
    )
    yield (
        "CREATE TABLE photo_text_due (photo_id INTEGER NOT NULL PRIMARY KEY REFERENCES photo (id))"
    )
    yield "INSERT INTO photo_text_due SELECT id FROM photo"
    columns = "name, directory_id, camera, lens, merged_into, removed_at, emptied_at"
    new, old = (
        ", ".join(f"{row}.{name}" for name in columns.split(", ")) for row in ("NEW", "OLD")
    )
    changed = [
        ("photo_added", "INSERT ON photo", "VALUES (NEW.id)"),
        (
            "photo_changed",
            f"UPDATE OF {columns} ON photo WHEN ({new}) IS NOT ({old})",
            "VALUES (NEW.id)",
        ),
        (
            "tag_changed",
            "UPDATE OF name, merged_into ON tag",
            "SELECT photo_id FROM photo_tag WHERE tag_id IN"
            " (SELECT id FROM tag WHERE id = NEW.id OR merged_into = NEW.id)",
        ),
        (
            "project_changed",
            "UPDATE OF name, removed_at ON project",
            "SELECT photo_id FROM photo_project WHERE project_id = NEW.id",
        ),
    ]
    for table in ("description", "photo_tag", "photo_project"):
        for act, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
            event = f"{act} ON {table}"
            changed.append((f"{table}_{act.lower()}", event, f"VALUES ({row}.photo_id)"))
    for name, event, photos in changed:
        yield (
            f"CREATE TRIGGER text_{name} AFTER {event}"
            f" BEGIN INSERT INTO photo_text_due (photo_id) {photos} ON CONFLICT DO NOTHING; END"
        )


def _add_volumes(database: peewee.Database) -> None:
    """Add the volume of folders, which the first check of each folder fills in."""
    for column in (
        "volume TEXT",
        "volume_name TEXT",
        "within TEXT",
        "away_since REAL",
        "unplugged INTEGER NOT NULL DEFAULT 0 CHECK (unplugged IN (0, 1))",
    ):
        database.execute_sql(f"ALTER TABLE folder ADD COLUMN {column}")
    database.execute_sql("CREATE INDEX folder_away ON folder (id) WHERE away_since IS NOT NULL")
    database.execute_sql("CREATE INDEX sidecar_state ON sidecar (state, path)")


def _allow_no_confidence(database: peewee.Database) -> None:
    """Allow tags without a confidence, and remove the default of 60 from vision tags.

    SQLite changes a constraint only by copying the table. Its indexes and triggers are dropped
    with it and created again last, so that no photo counts as changed by the copying.
    """
    attached = database.execute_sql(
        "SELECT sql FROM sqlite_master WHERE tbl_name = 'photo_tag' AND type <> 'table'"
        " AND sql IS NOT NULL"
    ).fetchall()
    for statement in (
        "CREATE TEMP TABLE kept_tag AS SELECT * FROM photo_tag",
        "DROP TABLE photo_tag",
        "CREATE TABLE photo_tag (photo_id INTEGER NOT NULL REFERENCES photo (id),"
        " tag_id INTEGER NOT NULL REFERENCES tag (id),"
        " source TEXT NOT NULL CHECK (source IN ('person', 'vision', 'encoder', 'file')),"
        " confidence INTEGER CHECK (confidence BETWEEN 0 AND 100),"
        " state TEXT NOT NULL CHECK (state IN ('suggested', 'confirmed', 'removed')),"
        " PRIMARY KEY (photo_id, tag_id, source)) WITHOUT ROWID",
        "INSERT INTO photo_tag SELECT photo_id, tag_id, source,"
        " iif(source = 'vision', NULL, confidence), state FROM kept_tag",
        "DROP TABLE kept_tag",
        *(sql for (sql,) in attached),
    ):
        database.execute_sql(statement)


def _add_faces(database: peewee.Database) -> None:
    """Add faces; a photo whose faces could not be measured does not count as unreadable."""
    for statement in (
        "ALTER TABLE photo ADD COLUMN faces INTEGER CHECK (faces >= 0)",
        "ALTER TABLE photo ADD COLUMN eyes_open INTEGER",
        "ALTER TABLE photo ADD COLUMN eyes_closed INTEGER",
        "ALTER TABLE photo ADD COLUMN eye_sharpness REAL CHECK (eye_sharpness BETWEEN 0 AND 100)",
        "CREATE TABLE face (photo_id INTEGER NOT NULL REFERENCES photo (id),"
        " place INTEGER NOT NULL, x REAL NOT NULL, y REAL NOT NULL, width REAL NOT NULL,"
        " height REAL NOT NULL, size_px INTEGER NOT NULL, score REAL NOT NULL,"
        " left_eye TEXT NOT NULL CHECK (left_eye IN ('open', 'closed', 'unknown')),"
        " right_eye TEXT NOT NULL CHECK (right_eye IN ('open', 'closed', 'unknown')),"
        " left_blink REAL, right_blink REAL, smile REAL, yaw_deg REAL, eye_sharpness REAL,"
        " left_x REAL, left_y REAL, right_x REAL, right_y REAL,"
        " PRIMARY KEY (photo_id, place)) WITHOUT ROWID",
        *_photo_trigger(
            f"{_OF_PHOTO}, elsewhere, apart, half_of, emptied_at, faces, eyes_open, eyes_closed,"
            " eye_sharpness"
        ),
        *_work_triggers("NOT IN ('embed', 'faces', 'describe')"),
    ):
        database.execute_sql(statement)


def _add_imports(database: peewee.Database) -> None:
    """Add imports from memory cards and the copies they verified."""
    for statement in (
        "CREATE TABLE import_run (id INTEGER NOT NULL PRIMARY KEY, started_at REAL NOT NULL,"
        " ended_at REAL, process INTEGER NOT NULL, job TEXT NOT NULL, request TEXT NOT NULL,"
        " report TEXT)",
        "CREATE TABLE import_destination (id INTEGER NOT NULL PRIMARY KEY,"
        " run_id INTEGER NOT NULL REFERENCES import_run (id), path TEXT NOT NULL, volume TEXT,"
        " within TEXT)",
        "CREATE UNIQUE INDEX import_destination_run_id_path ON import_destination (run_id, path)",
        "CREATE TABLE verified_copy (id INTEGER NOT NULL PRIMARY KEY,"
        " destination_id INTEGER NOT NULL REFERENCES import_destination (id), name TEXT NOT NULL,"
        " card TEXT NOT NULL, source TEXT NOT NULL, kind TEXT CHECK (kind IN ('raw', 'image')),"
        " fingerprint TEXT NOT NULL, sha256 TEXT NOT NULL,"
        " size INTEGER NOT NULL CHECK (size >= 0), mtime_ns INTEGER NOT NULL,"
        " cache_answered INTEGER NOT NULL DEFAULT 0 CHECK (cache_answered IN (0, 1)),"
        " verified_at REAL NOT NULL)",
        "CREATE INDEX verified_copy_destination_id ON verified_copy (destination_id)",
        "CREATE INDEX verified_copy_fingerprint ON verified_copy (fingerprint)",
    ):
        database.execute_sql(statement)


def _add_repeats(database: peewee.Database) -> None:
    """Mark the ratings of photos whose earlier stars were hidden; so far there are none."""
    for statement in (
        "ALTER TABLE decision ADD COLUMN repeated INTEGER NOT NULL DEFAULT 0"
        " CHECK (repeated IN (0, 1))",
        "CREATE INDEX decision_repeated ON decision (id) WHERE repeated = 1",
    ):
        database.execute_sql(statement)


def _add_text_in_photos(database: peewee.Database) -> None:
    """Add text in photos, and index it: all photos wait to be indexed again."""
    for statement in (
        "CREATE TABLE text_line (photo_id INTEGER NOT NULL REFERENCES photo (id),"
        " place INTEGER NOT NULL, text TEXT NOT NULL,"
        " confidence REAL NOT NULL CHECK (confidence BETWEEN 0 AND 1), x1 REAL NOT NULL,"
        " y1 REAL NOT NULL, x2 REAL NOT NULL, y2 REAL NOT NULL, x3 REAL NOT NULL,"
        " y3 REAL NOT NULL, x4 REAL NOT NULL, y4 REAL NOT NULL, PRIMARY KEY (photo_id, place))"
        " WITHOUT ROWID",
        *_work_triggers("NOT IN ('embed', 'faces', 'describe', 'read_text')"),
        "DROP TABLE photo_text",
        "CREATE VIRTUAL TABLE photo_text USING fts5 (name, tag, project, subject, mood, light,"
        " camera, lens, folder, text, tokenize ="
        " \"unicode61 remove_diacritics 2 categories 'L* N* M* Co So'\", prefix = '1 2 3')",
        "INSERT INTO photo_text_due SELECT id FROM photo WHERE true ON CONFLICT DO NOTHING",
        *(
            f"CREATE TRIGGER text_text_line_{act.lower()} AFTER {act} ON text_line BEGIN INSERT"
            f" INTO photo_text_due (photo_id) VALUES ({row}.photo_id) ON CONFLICT DO NOTHING; END"
            for act, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
        ),
    ):
        database.execute_sql(statement)


def _index_copies(database: peewee.Database) -> None:
    database.execute_sql("CREATE INDEX file_copy ON file (photo_id) WHERE role = 'copy'")


# (number, what changes, function). To add one: change the models in `schema`, append a line here
# with the next number and a function that brings a catalog of the number before it there, and
# put a catalog of the old version under tests/data/catalogs. Numbers are never reused.
# Version 1 is what the first release creates, so its step never runs on a catalog.
MIGRATIONS: tuple[tuple[int, str, Step], ...] = (
    (1, "the first schema", schema.create),
    (2, "vectors and versions of taste", _add_taste),
    (3, "stacks, looks and tags", _add_stacks_and_tags),
    (4, "descriptions, projects, sidecars and duels", _add_descriptions_projects_sidecars),
    (5, "folders know their volume", _add_volumes),
    (6, "tags without a confidence", _allow_no_confidence),
    (7, "faces and eyes", _add_faces),
    (8, "imports and verified copies", _add_imports),
    (9, "repeated ratings", _add_repeats),
    (10, "text in photos", _add_text_in_photos),
    (11, "an index of copies", _index_copies),
)


def bring_up_to_date(
    database: peewee.SqliteDatabase,
    path: Path,
    steps: Sequence[tuple[int, str, Step]] = MIGRATIONS,
) -> None:
    """Create the schema in an empty file, or migrate an older one.

    Raises:
        CatalogError: the file belongs to a newer Curator or to another program, or a backup could
            not be made; the catalog is as it was before the step that failed.
    """
    connection: sqlite3.Connection = database.connection()
    newest = steps[-1][0]
    if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        _create(database, newest)
        return
    if connection.execute("PRAGMA application_id").fetchone()[0] != schema.APPLICATION_ID:
        raise CatalogError(
            f"{path} is not a catalog of Curator.",
            "Move it away, or choose another folder with --home or CURATOR_HOME.",
        )
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > newest:
        raise CatalogError(
            f"The catalog {path} was made by a newer Curator (version {version}, this one knows"
            f" {newest}).",
            "Install the newer Curator, or choose another folder with --home or CURATOR_HOME.",
        )
    for number, what, step in steps:
        if number > version:
            log.info("migrating %s to version %d: %s", path, number, what)
            backups.back_up(connection, backups.before_migration(path, number - 1))
            with database.atomic("IMMEDIATE"):
                if connection.execute("PRAGMA user_version").fetchone()[0] >= number:
                    continue  # another process did it meanwhile
                step(database)
                connection.execute(f"PRAGMA user_version = {number}")


def _create(database: peewee.SqliteDatabase, version: int) -> None:
    """Create the newest schema, unless another process has just done so."""
    connection: sqlite3.Connection = database.connection()
    with database.atomic("IMMEDIATE"):
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return
        schema.create(database)
        connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {version}")

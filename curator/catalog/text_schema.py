"""The schema of the full-text index, and the triggers that record whose words changed.

`text` keeps the index up to date. Marks fire none of these triggers and must never wait for one.
"""

from __future__ import annotations

# A column a kind of word. Accents are folded; emoji are words, and marks that stand on letters
# belong to them.
TEXT_INDEX = (
    "CREATE VIRTUAL TABLE photo_text USING fts5 (name, tag, project, subject, mood, light, camera,"
    " lens, folder, tokenize = \"unicode61 remove_diacritics 2 categories 'L* N* M* Co So'\","
    " prefix = '1 2 3')"
)

_NAMED = "name, directory_id, camera, lens, merged_into, removed_at, emptied_at"
_NEW, _OLD = (
    ", ".join(f"{row}.{column}" for column in _NAMED.split(", ")) for row in ("NEW", "OLD")
)


def _reread(name: str, event: str, photos: str) -> str:
    """Return a trigger that queues photos for the index after an event.

    ``OR IGNORE`` would not do: an upsert that fires the trigger overrides it.
    """
    return (
        f"CREATE TRIGGER text_{name} AFTER {event}"
        f" BEGIN INSERT INTO photo_text_due (photo_id) {photos} ON CONFLICT DO NOTHING; END"
    )


TEXT_TRIGGERS = (
    _reread("photo_added", "INSERT ON photo", "VALUES (NEW.id)"),
    _reread(
        "photo_changed",
        f"UPDATE OF {_NAMED} ON photo WHEN ({_NEW}) IS NOT ({_OLD})",
        "VALUES (NEW.id)",
    ),
    *(
        _reread(f"{table}_{act.lower()}", f"{act} ON {table}", f"VALUES ({row}.photo_id)")
        for table in ("description", "photo_tag", "photo_project")
        for act, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
    ),
    _reread(
        "tag_changed",
        "UPDATE OF name, merged_into ON tag",
        "SELECT photo_id FROM photo_tag WHERE tag_id IN"
        " (SELECT id FROM tag WHERE id = NEW.id OR merged_into = NEW.id)",
    ),
    _reread(
        "project_changed",
        "UPDATE OF name, removed_at ON project",
        "SELECT photo_id FROM photo_project WHERE project_id = NEW.id",
    ),
)

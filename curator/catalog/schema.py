"""The schema of the catalog: tables, columns, constraints, indexes and triggers.

The models describe the newest schema and are only used to create it and to check values; the parts
of the catalog run SQL. `migrations` brings older catalogs here, and a test checks that both ways
give the same result. Rules that must always hold are in the database: checks, foreign keys, unique
paths, and triggers for the revision counter and the append-only journal.

Times ending in ``_at`` are seconds since the epoch, except ``taken_at``, which is the camera's wall
clock as ISO text with microseconds (it has no time zone, and text sorts).
"""

from __future__ import annotations

from peewee import (
    SQL,
    AutoField,
    BareField,
    BigIntegerField,
    BlobField,
    Check,
    CompositeKey,
    Database,
    FloatField,
    ForeignKeyField,
    IntegerField,
    Model,
    SchemaManager,
    TextField,
)

APPLICATION_ID = 0x43555241  # "CURA": tells our file from any other program's SQLite file


def _yes_no(column: str, default: int) -> IntegerField:
    """Return a column that holds 0 or 1."""
    return IntegerField(constraints=[SQL(f"DEFAULT {default}"), Check(f"{column} IN (0, 1)")])


class Table(Model):
    """A table named like its class, in snake case."""

    class Meta:  # noqa: D106
        legacy_table_names = False


class Meta(Table):
    """Single values by key: revision counters, the encoder in use, folder moves, and so on."""

    key = TextField(primary_key=True)
    value = TextField()

    class Meta:  # noqa: D106
        without_rowid = True


class Folder(Table):
    """A folder the person added; scans add no photos to a ``sampled`` one.

    ``volume`` is the key of the volume it is on (`curator.volumes`), ``volume_name`` what people
    call it, and ``within`` the path from its mount point to the folder, with ``/`` as separator;
    NULL where volumes cannot be told apart. ``away_since``: the folder could not be reached at the
    last look; its files count as absent, and work that reads them waits. ``unplugged``: the volume
    itself is away. Otherwise the volume is mounted or unknown, and the folder is not on it.
    """

    id = AutoField()
    path = TextField(unique=True)
    enabled = _yes_no("enabled", 1)
    recursive = _yes_no("recursive", 1)
    sampled = _yes_no("sampled", 0)
    added_at = FloatField()
    scanned_at = FloatField(null=True)
    volume = TextField(null=True)
    volume_name = TextField(null=True)
    within = TextField(null=True)
    away_since = FloatField(null=True)
    unplugged = _yes_no("unplugged", 0)


class Directory(Table):
    """A directory with files of photos; without a folder once its folder was removed."""

    id = AutoField()
    folder = ForeignKeyField(Folder, null=True, on_delete="SET NULL")
    path = TextField(unique=True)


class Photo(Table):
    """A photo as the photographer counts it. Rows are never deleted: a reject stays a reject.

    ``directory`` and ``name`` are those of the main file and its stem. Capture data and scores are
    facts about the content; ``turn`` to ``kept`` are the person's. ``pair``, ``missing`` and
    ``failed`` repeat what the rows of files and work say, so that a hundred thousand photos are
    read from one table; triggers maintain them. A photo ``merged_into`` another turned out to have
    the same content: its decisions stay in the journal under its own id. ``removed_at``: its folder
    was removed from the catalog with its photos. ``emptied_at``: the person deleted its files, and
    taste still learns from it. In both cases the photo returns with its marks if its files do.
    ``elsewhere``: its marks were read from a file, and nobody has reviewed it here. ``apart``: its
    other half was split off by hand; that photo is ``half_of`` it.

    ``stack`` and ``stack_kind`` are the machine's stacks: photos of one stack have the same
    number, the id of one of them. ``stacked`` is the person's choice and overrides it: 0 is no
    stack, any other number names a stack made by hand. ``look`` is a perceptual hash of the
    picture.

    ``faces`` to ``eye_sharpness`` sum up the rows of ``face``: how many faces there are, how many
    of them have open and closed eyes, and how sharp the eyes of the largest face are. They are NULL
    until the faces are measured.
    """

    id = AutoField()
    directory = ForeignKeyField(Directory)
    name = TextField()
    added_at = FloatField()
    taken_at = TextField(null=True)
    utc_offset_min = IntegerField(null=True)
    camera = TextField(null=True)
    lens = TextField(null=True)
    exposure_s = FloatField(null=True)
    f_number = FloatField(null=True)
    iso = IntegerField(null=True)
    focal_length_mm = FloatField(null=True)
    latitude = FloatField(null=True)
    longitude = FloatField(null=True)
    width = IntegerField(null=True)
    height = IntegerField(null=True)
    orientation = IntegerField(constraints=[SQL("DEFAULT 1"), Check("orientation BETWEEN 1 AND 8")])
    subject_x = FloatField(null=True)
    subject_y = FloatField(null=True)
    sharpness = FloatField(null=True, constraints=[Check("sharpness BETWEEN 0 AND 100")])
    exposure = FloatField(null=True, constraints=[Check("exposure BETWEEN 0 AND 100")])
    highlights = FloatField(null=True)
    shadows = FloatField(null=True)
    sharpest_x = FloatField(null=True)
    sharpest_y = FloatField(null=True)
    basis = TextField(null=True)
    damage = TextField(null=True)
    thumb = TextField(null=True)
    proxy = TextField(null=True)
    proxy_digest = TextField(null=True)
    turn = IntegerField(constraints=[SQL("DEFAULT 0"), Check("turn BETWEEN 0 AND 3")])
    flag = TextField(null=True, constraints=[Check("flag IN ('pick', 'reject')")])
    rating = IntegerField(null=True, constraints=[Check("rating BETWEEN 1 AND 5")])
    label = TextField(
        null=True, constraints=[Check("label IN ('red', 'yellow', 'green', 'blue', 'purple')")]
    )
    kept = _yes_no("kept", 0)
    seen_at = FloatField(null=True)
    pair = _yes_no("pair", 0)
    missing = _yes_no("missing", 0)
    failed = _yes_no("failed", 0)
    removed_at = FloatField(null=True)
    merged_into = ForeignKeyField("self", null=True, column_name="merged_into", index=False)
    rev = IntegerField(index=True, constraints=[SQL("DEFAULT 0")])
    look = TextField(null=True)
    stack = IntegerField(null=True)
    stack_kind = TextField(
        null=True, constraints=[Check("stack_kind IN ('burst', 'bracket', 'duplicate')")]
    )
    stacked = IntegerField(null=True, constraints=[Check("stacked >= 0")])
    elsewhere = _yes_no("elsewhere", 0)
    apart = _yes_no("apart", 0)
    half_of = ForeignKeyField("self", null=True, column_name="half_of", index=False)
    emptied_at = FloatField(null=True)
    faces = IntegerField(null=True, constraints=[Check("faces >= 0")])
    eyes_open = IntegerField(null=True)
    eyes_closed = IntegerField(null=True)
    eye_sharpness = FloatField(null=True, constraints=[Check("eye_sharpness BETWEEN 0 AND 100")])


class File(Table):
    """A file of a photo, known by its fingerprint (size, first and last 64 KiB).

    ``main`` is what the stages read (the RAW of a pair), ``half`` the other half, ``copy`` the same
    content elsewhere, ``former`` what a file contained before it was changed, or will soon contain.
    ``width`` and ``height`` are from the header: with capture time and camera they decide whether
    changed content is still the same photo. ``missing_since``: the last scan did not find it.
    ``emptied_at``: the person deleted it with the rejects.
    """

    id = AutoField()
    photo = ForeignKeyField(Photo)
    directory = ForeignKeyField(Directory, index=False)
    name = TextField()
    kind = TextField(constraints=[Check("kind IN ('raw', 'image')")])
    role = TextField(constraints=[Check("role IN ('main', 'half', 'copy', 'former')")])
    size = BigIntegerField(constraints=[Check("size >= 0")])
    mtime_ns = BigIntegerField()
    fingerprint = TextField(null=True)
    sha256 = TextField(null=True)
    width = IntegerField(null=True)
    height = IntegerField(null=True)
    missing_since = FloatField(null=True)
    emptied_at = FloatField(null=True)


class Step(Table):
    """The journal, one row for each step: done, undone or redone. Rows are only ever added.

    ``reverts`` names the step an undo or redo reverts; no step is reverted twice. ``context`` is
    JSON by which the photo is brought back on screen.
    """

    id = AutoField()
    kind = TextField(constraints=[Check("kind IN ('do', 'undo', 'redo')")])
    summary = TextField()
    made_at = FloatField()
    reverts = ForeignKeyField("self", null=True, column_name="reverts", unique=True)
    source = TextField(constraints=[Check("source IN ('person', 'file')")])
    scope = TextField()
    context = TextField()

    class Meta:  # noqa: D106
        constraints = (Check("(kind = 'do') = (reverts IS NULL)"),)


class Decision(Table):
    """The journal, one row for each changed field. Rows are only added, and keep their photo id.

    ``about`` is the id of the other thing for relations: a tag, a project, or the photo that was
    preferred less. ``before`` and ``after`` are text, number or NULL, as the field is. ``expected``
    is the rating the taste model predicted before the person gave one. ``repeated``: the photo was
    rated earlier, and its stars were hidden until this rating.
    """

    id = AutoField()
    step = ForeignKeyField(Step)
    photo = ForeignKeyField(Photo, index=False)
    field = TextField(
        constraints=[
            Check(
                "field IN ('flag', 'rating', 'label', 'kept', 'stacked', 'elsewhere', 'apart',"
                " 'tag', 'project', 'over')"
            )
        ]
    )
    about = IntegerField(null=True)
    before = BareField(null=True)
    after = BareField(null=True)
    expected = FloatField(null=True)
    order_name = TextField()
    repeated = _yes_no("repeated", 0)


class Work(Table):
    """The state of one stage for one photo.

    ``source`` is the fingerprint of what the stage read, followed by the stage's variant; with
    ``version`` it tells whether the result is still valid. ``ready``: everything the stage needs is
    there (earlier stages, the file, an enabled folder and, for stages that read the file, one that
    is not away), so that asking what to do next touches only what can be done.
    """

    photo = ForeignKeyField(Photo, index=False)
    stage = TextField()
    version = IntegerField()
    state = TextField(constraints=[Check("state IN ('waiting', 'running', 'done', 'failed')")])
    ready = _yes_no("ready", 0)
    attempts = IntegerField(constraints=[SQL("DEFAULT 0")])
    next_attempt_at = FloatField(null=True)
    reason = TextField(null=True)
    source = TextField(null=True)

    class Meta:  # noqa: D106
        primary_key = CompositeKey("photo", "stage")
        without_rowid = True


class Vector(Table):
    """The vector of one photo by one encoder; vectors of different encoders are never compared.

    ``source`` is the digest of the proxy it was made of, ``vector`` float16 of unit length,
    ``tone`` float32. ``rev`` grows with every write, so that readers find what is new.
    """

    photo = ForeignKeyField(Photo, index=False)
    encoder = TextField()
    source = TextField()
    vector = BlobField()
    tone = BlobField()
    rev = IntegerField()


class FaceRow(Table):
    """One face of a photo; ``place`` is 0 for the largest. See `curator.model.Face`."""

    photo = ForeignKeyField(Photo, index=False)
    place = IntegerField()
    x = FloatField()
    y = FloatField()
    width = FloatField()
    height = FloatField()
    size_px = IntegerField()
    score = FloatField()
    left_eye = TextField(constraints=[Check("left_eye IN ('open', 'closed', 'unknown')")])
    right_eye = TextField(constraints=[Check("right_eye IN ('open', 'closed', 'unknown')")])
    left_blink = FloatField(null=True)
    right_blink = FloatField(null=True)
    smile = FloatField(null=True)
    yaw_deg = FloatField(null=True)
    eye_sharpness = FloatField(null=True)
    left_x = FloatField(null=True)
    left_y = FloatField(null=True)
    right_x = FloatField(null=True)
    right_y = FloatField(null=True)

    class Meta:  # noqa: D106
        table_name = "face"
        primary_key = CompositeKey("photo", "place")
        without_rowid = True


class TextLineRow(Table):
    """One line of text in a photo; ``place`` is 0 for the topmost. See `curator.model.TextLine`."""

    photo = ForeignKeyField(Photo, index=False)
    place = IntegerField()
    text = TextField()
    confidence = FloatField(constraints=[Check("confidence BETWEEN 0 AND 1")])
    x1 = FloatField()
    y1 = FloatField()
    x2 = FloatField()
    y2 = FloatField()
    x3 = FloatField()
    y3 = FloatField()
    x4 = FloatField()
    y4 = FloatField()

    class Meta:  # noqa: D106
        table_name = "text_line"
        primary_key = CompositeKey("photo", "place")
        without_rowid = True


class TasteVersion(Table):
    """A version of the taste model: ``numbers`` is an npz without pickles.

    ``reason`` is why it was kept: ``daily``, at ``closing``, or by ``hand``. ``ratings`` counts
    what it learned from. ``correlation``, ``error`` and ``mean_error`` rate the predictions stored
    up to then, NULL while these are too few.
    """

    id = AutoField()
    made_at = FloatField()
    encoder = TextField()
    ratings = IntegerField()
    correlation = FloatField(null=True)
    error = FloatField(null=True)
    mean_error = FloatField(null=True)
    numbers = BlobField()
    reason = TextField(
        constraints=[SQL("DEFAULT 'closing'"), Check("reason IN ('daily', 'closing', 'hand')")]
    )


class Tag(Table):
    """A word photos are found by; one vocabulary for all sources.

    ``folded`` is the form in which names are compared. A tag ``merged_into`` another stays as a
    row, since the journal refers to it and a machine may suggest it again; it never points to an
    alias.
    """

    id = AutoField()
    name = TextField(unique=True)
    category = TextField(null=True)
    merged_into = ForeignKeyField("self", null=True, column_name="merged_into", index=False)
    folded = TextField(unique=True, null=True)


class PhotoTag(Table):
    """A tag of a photo, its source, and its confidence (0-100, NULL if none was given).

    Rows of machines are ``suggested``, those read from a file ``confirmed``. A person's decision on
    a tag is a row of its own, ``confirmed`` or ``removed``, and overrides all others: a
    removed tag is not suggested again.
    """

    photo = ForeignKeyField(Photo, index=False)
    tag = ForeignKeyField(Tag)
    source = TextField(constraints=[Check("source IN ('person', 'vision', 'encoder', 'file')")])
    confidence = IntegerField(null=True, constraints=[Check("confidence BETWEEN 0 AND 100")])
    state = TextField(constraints=[Check("state IN ('suggested', 'confirmed', 'removed')")])

    class Meta:  # noqa: D106
        primary_key = CompositeKey("photo", "tag", "source")
        without_rowid = True


class LastPosition(Table):
    """The last position in a scope as JSON: mode, view, order, photo."""

    scope = TextField(primary_key=True)
    value = TextField()

    class Meta:  # noqa: D106
        table_name = "place"
        without_rowid = True


class Description(Table):
    """What a vision model says about a picture; ``source`` is the digest of the proxy it saw."""

    photo = ForeignKeyField(Photo, primary_key=True)
    provider = TextField()
    model = TextField()
    source = TextField()
    subject = TextField()
    content_type = TextField(index=True)
    lighting = TextField()
    mood = TextField()
    made_at = FloatField()


class Project(Table):
    """A group of photos a person made; it can be restored after ``removed_at``."""

    id = AutoField()
    name = TextField()
    notes = TextField(constraints=[SQL("DEFAULT ''")])
    cover = ForeignKeyField(Photo, null=True, column_name="cover", index=False)
    made_at = FloatField()
    removed_at = FloatField(null=True)


class PhotoProject(Table):
    """A photo in a project; ``place`` is its position in the order by hand."""

    photo = ForeignKeyField(Photo, index=False)
    project = ForeignKeyField(Project)
    place = FloatField()

    class Meta:  # noqa: D106
        primary_key = CompositeKey("photo", "project")
        without_rowid = True


class Duel(Table):
    """A comparison: a person preferred one of two photos side by side."""

    winner = ForeignKeyField(Photo, index=False)
    loser = ForeignKeyField(Photo)

    class Meta:  # noqa: D106
        primary_key = CompositeKey("winner", "loser")
        without_rowid = True


class SavedSearch(Table):
    """A search under a name, shown beside the folders."""

    id = AutoField()
    name = TextField(unique=True)
    expression = TextField()
    made_at = FloatField()


class Sidecar(Table):
    """A sidecar found beside a photo, with its content when last read or written.

    ``size`` and ``mtime_ns`` are as last found; ``digest`` is the sha256 of the bytes last read or
    written, empty before. ``said`` is JSON of the content file and catalog agreed on then, so that
    later changes on either side are recognized. ``theirs`` is JSON of the file's content if that
    contradicts a person's decision here (``conflict``).
    """

    id = AutoField()
    photo = ForeignKeyField(Photo)
    path = TextField(unique=True)
    digest = TextField()
    size = BigIntegerField()
    mtime_ns = BigIntegerField()
    metadata_date = TextField(null=True)
    said = TextField(null=True)
    theirs = TextField(null=True)
    synced_at = FloatField(null=True)
    state = TextField(constraints=[Check("state IN ('unread', 'synced', 'conflict', 'failed')")])
    reason = TextField(null=True)


class Unwritten(Table):
    """A photo whose sidecar lacks its present marks, tags or projects, ``since`` they changed.

    ``asked``: a person wants it written now, whatever the settings say. ``intent`` is a JSON list
    of contents we started to write: after a crash they tell our own file from another program's.
    ``reason`` says why it could not be written at ``tried_at``.
    """

    photo = ForeignKeyField(Photo, primary_key=True)
    since = FloatField()
    asked = _yes_no("asked", 0)
    intent = TextField(null=True)
    reason = TextField(null=True)
    tried_at = FloatField(null=True)


class ImportRun(Table):
    """An import from memory cards, written when it begins and again when it ends.

    ``process`` is the id of the process that runs it: without ``ended_at`` it was killed if that
    process is gone. ``request`` and ``report`` are JSON.
    """

    id = AutoField()
    started_at = FloatField()
    ended_at = FloatField(null=True)
    process = IntegerField()
    job = TextField()
    request = TextField()
    report = TextField(null=True)


class ImportDestination(Table):
    """A folder an import copies into.

    ``volume`` is the key of its volume (`curator.volumes`), and ``within`` its path from the mount
    point, with ``/`` as separator; NULL where volumes cannot be told apart.
    """

    id = AutoField()
    run = ForeignKeyField(ImportRun, index=False)
    path = TextField()
    volume = TextField(null=True)
    within = TextField(null=True)

    class Meta:  # noqa: D106
        indexes = ((("run", "path"), True),)


class VerifiedCopyRow(Table):
    """A file of an import that was read back from its destination.

    See `imports.VerifiedCopy`. ``kind`` is NULL for what is not a photo.
    """

    id = AutoField()
    destination = ForeignKeyField(ImportDestination)
    name = TextField()
    card = TextField()
    source = TextField()
    kind = TextField(null=True, constraints=[Check("kind IN ('raw', 'image')")])
    fingerprint = TextField(index=True)
    sha256 = TextField()
    size = BigIntegerField(constraints=[Check("size >= 0")])
    mtime_ns = BigIntegerField()
    cache_answered = _yes_no("cache_answered", 0)
    verified_at = FloatField()

    class Meta:  # noqa: D106
        table_name = "verified_copy"


class PhotoTextDue(Table):
    """A photo whose words changed since the full-text index ``photo_text`` read them."""

    photo = ForeignKeyField(Photo, primary_key=True)


TABLES = (
    Meta,
    Folder,
    Directory,
    Photo,
    File,
    Step,
    Decision,
    Work,
    LastPosition,
    Vector,
    FaceRow,
    TextLineRow,
    TasteVersion,
    Tag,
    PhotoTag,
    Description,
    Project,
    PhotoProject,
    Duel,
    SavedSearch,
    Sidecar,
    Unwritten,
    ImportRun,
    ImportDestination,
    VerifiedCopyRow,
    PhotoTextDue,
)

INDEXES = (
    # One present file per path; a missing file may share its path with the file that replaced it.
    "CREATE UNIQUE INDEX file_path ON file (directory_id, name) WHERE missing_since IS NULL",
    "CREATE INDEX file_directory ON file (directory_id, name)",
    "CREATE INDEX file_size ON file (size, fingerprint)",
    # The few copies: a window reads all of them after each scan that changed something.
    "CREATE INDEX file_copy ON file (photo_id) WHERE role = 'copy'",
    "CREATE INDEX file_fingerprint ON file (fingerprint) WHERE fingerprint IS NOT NULL",
    "CREATE INDEX photo_stack ON photo (stack) WHERE stack IS NOT NULL",
    "CREATE INDEX photo_half ON photo (half_of) WHERE half_of IS NOT NULL",
    "CREATE INDEX photo_merged ON photo (merged_into) WHERE merged_into IS NOT NULL",
    "CREATE INDEX step_done ON step (id) WHERE kind = 'do'",
    # The few conflicts, asked for at each batch of sidecars.
    "CREATE INDEX sidecar_state ON sidecar (state, path)",
    "CREATE INDEX decision_field ON decision (photo_id, field, id)",
    # The conductor's most frequent query: waiting and ready work, in the order of the folders.
    "CREATE INDEX work_waiting ON work (stage, photo_id) WHERE state = 'waiting' AND ready = 1",
    "CREATE INDEX work_state ON work (stage, state)",
    "CREATE INDEX work_later ON work (next_attempt_at) WHERE next_attempt_at IS NOT NULL",
    "CREATE INDEX work_failed ON work (photo_id) WHERE state = 'failed'",
    "CREATE UNIQUE INDEX vector_photo ON vector (photo_id, encoder)",
    "CREATE INDEX vector_rev ON vector (encoder, rev)",
    # Predictions and times of ratings: for the few rated among the many marked.
    "CREATE INDEX decision_rating ON decision (photo_id, id) WHERE field = 'rating'",
    "CREATE INDEX decision_repeated ON decision (id) WHERE repeated = 1",
    "CREATE INDEX folder_away ON folder (id) WHERE away_since IS NOT NULL",
    # A removed project frees its name.
    "CREATE UNIQUE INDEX project_name ON project (name) WHERE removed_at IS NULL",
)

# A revision is one more than the largest so far. Photo rows are never deleted, so it only grows,
# and `Photos.changed` finds what changed by the index on it.
_NEXT = "(SELECT coalesce(max(rev), 0) + 1 FROM photo)"
_OF_PHOTO = ", ".join(
    field.column_name
    for field in Photo._meta.sorted_fields
    if field.name not in ("id", "rev", "added_at")
)


def _derived(photo: str) -> str:
    """Return a statement that sets a photo's ``pair`` and ``missing`` from its files."""
    return (
        "UPDATE photo SET"
        f" pair = EXISTS (SELECT 1 FROM file WHERE photo_id = {photo} AND role = 'half'"
        " AND missing_since IS NULL),"
        f" missing = NOT EXISTS (SELECT 1 FROM file WHERE photo_id = {photo}"
        f" AND missing_since IS NULL) WHERE id = {photo};"
    )


def _failed(photo: str) -> str:
    """Return a statement that sets a photo's ``failed`` from the work on its picture.

    A photo can be viewed and rated without a vector, measured faces, a description or its text.
    """
    return (
        f"UPDATE photo SET failed = EXISTS (SELECT 1 FROM work WHERE photo_id = {photo} AND state ="
        f" 'failed' AND stage NOT IN ('embed', 'faces', 'describe', 'read_text')) WHERE id ="
        f" {photo};"
    )


_WORK_TRIGGERS = (
    "CREATE TRIGGER work_changed AFTER UPDATE OF state, reason ON work"
    " WHEN (NEW.state = 'failed') <> (OLD.state = 'failed')"
    f" BEGIN {_failed('NEW.photo_id')} END",
    "CREATE TRIGGER work_removed AFTER DELETE ON work WHEN OLD.state = 'failed'"
    f" BEGIN {_failed('OLD.photo_id')} END",
)


def _refuse(table: str, act: str) -> str:
    return (
        f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table}"
        " BEGIN SELECT RAISE(ABORT, 'the journal is only ever added to'); END"
    )


# The full-text index that `text` keeps up to date: a column for each kind of word. Accents are
# folded. Emoji are words, and combining marks belong to the letter before them.
_TEXT_INDEX = (
    "CREATE VIRTUAL TABLE photo_text USING fts5 (name, tag, project, subject, mood, light, camera,"
    " lens, folder, text, tokenize = \"unicode61 remove_diacritics 2 categories 'L* N* M* Co So'\","
    " prefix = '1 2 3')"
)

_INDEXED = "name, directory_id, camera, lens, merged_into, removed_at, emptied_at"
_NEW, _OLD = (
    ", ".join(f"{row}.{column}" for column in _INDEXED.split(", ")) for row in ("NEW", "OLD")
)


def _text_trigger(name: str, event: str, photos: str) -> str:
    """Return a trigger that queues photos for the index after an event.

    ``OR IGNORE`` would not do: an upsert that fires the trigger overrides it.
    """
    return (
        f"CREATE TRIGGER text_{name} AFTER {event}"
        f" BEGIN INSERT INTO photo_text_due (photo_id) {photos} ON CONFLICT DO NOTHING; END"
    )


# Triggers that record whose words changed. Marks fire none of these and never wait for one.
_TEXT_TRIGGERS = (
    _text_trigger("photo_added", "INSERT ON photo", "VALUES (NEW.id)"),
    _text_trigger(
        "photo_changed",
        f"UPDATE OF {_INDEXED} ON photo WHEN ({_NEW}) IS NOT ({_OLD})",
        "VALUES (NEW.id)",
    ),
    *(
        _text_trigger(f"{table}_{act.lower()}", f"{act} ON {table}", f"VALUES ({row}.photo_id)")
        for table in ("description", "photo_tag", "photo_project", "text_line")
        for act, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
    ),
    _text_trigger(
        "tag_changed",
        "UPDATE OF name, merged_into ON tag",
        "SELECT photo_id FROM photo_tag WHERE tag_id IN"
        " (SELECT id FROM tag WHERE id = NEW.id OR merged_into = NEW.id)",
    ),
    _text_trigger(
        "project_changed",
        "UPDATE OF name, removed_at ON project",
        "SELECT photo_id FROM photo_project WHERE project_id = NEW.id",
    ),
)

TRIGGERS = (
    f"CREATE TRIGGER photo_added AFTER INSERT ON photo"
    f" BEGIN UPDATE photo SET rev = {_NEXT} WHERE id = NEW.id; END",
    f"CREATE TRIGGER photo_changed AFTER UPDATE OF {_OF_PHOTO} ON photo"
    f" BEGIN UPDATE photo SET rev = {_NEXT} WHERE id = NEW.id; END",
    f"CREATE TRIGGER file_added AFTER INSERT ON file BEGIN {_derived('NEW.photo_id')} END",
    "CREATE TRIGGER file_changed AFTER UPDATE OF photo_id, directory_id, name, role,"
    f" missing_since ON file BEGIN {_derived('NEW.photo_id')} END",
    "CREATE TRIGGER file_moved AFTER UPDATE OF photo_id ON file"
    f" WHEN OLD.photo_id <> NEW.photo_id BEGIN {_derived('OLD.photo_id')} END",
    f"CREATE TRIGGER file_removed AFTER DELETE ON file BEGIN {_derived('OLD.photo_id')} END",
    *_WORK_TRIGGERS,
    *_TEXT_TRIGGERS,
    # Its sidecar has to be written, unless the marks were read from a sidecar.
    "CREATE TRIGGER decision_unwritten AFTER INSERT ON decision"
    " WHEN NEW.field IN ('flag', 'rating', 'label', 'tag', 'project')"
    " AND (SELECT source FROM step WHERE id = NEW.step_id) = 'person'"
    " BEGIN INSERT INTO unwritten (photo_id, since)"
    " SELECT coalesce(p.merged_into, p.id), s.made_at FROM photo AS p, step AS s"
    " WHERE p.id = NEW.photo_id AND s.id = NEW.step_id"
    " ON CONFLICT (photo_id) DO UPDATE SET since = excluded.since; END",
    *(
        f"CREATE TRIGGER photo_tag_{what} AFTER {act} ON photo_tag"
        f" BEGIN UPDATE photo SET rev = {_NEXT} WHERE id = {row}.photo_id; END"
        for what, act, row in (
            ("added", "INSERT", "NEW"),
            ("changed", "UPDATE", "NEW"),
            ("removed", "DELETE", "OLD"),
        )
    ),
    _refuse("step", "UPDATE"),
    _refuse("step", "DELETE"),
    _refuse("decision", "UPDATE"),
    _refuse("decision", "DELETE"),
    "CREATE TRIGGER photo_no_delete BEFORE DELETE ON photo"
    " BEGIN SELECT RAISE(ABORT, 'a photo is never forgotten'); END",
)


def create(database: Database) -> None:
    """Create the newest schema in an empty database; the caller holds the transaction."""
    for table in TABLES:
        SchemaManager(table, database).create_all(safe=False)
    for statement in (_TEXT_INDEX, *INDEXES, *TRIGGERS):
        database.execute_sql(statement)

"""Reading photos: compact rows for the table in memory, and everything about single photos.

The table of `curator.library`, the inspector and the command line read here. Two facts without
undo are written too: that a photo was seen, and how it is turned.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from curator.catalog.descriptions import Descriptions
from curator.catalog.faces import FACES, Faces
from curator.catalog.fields import PRESENT
from curator.catalog.folders import absence
from curator.catalog.integrity import reports_damage
from curator.catalog.store import Row, Store, chunks, numbers, placeholders
from curator.catalog.tags import TagDetail, Tags
from curator.catalog.text_lines import READ_TEXT, TextLines
from curator.catalog.work import DESCRIBE
from curator.home import absolute
from curator.model import (
    FLAGS,
    LABELS,
    STACK_KINDS,
    STATES,
    Capture,
    Described,
    Face,
    Flag,
    Kind,
    Label,
    Marks,
    NotFoundError,
    Quality,
    StageState,
    TextLine,
)


def _coded(column: str, values: Iterable[object]) -> str:
    """Return SQL for the number of a column's value among ``values``, the first of which is 0."""
    cases = (f"WHEN '{value}' THEN {code}" for code, value in enumerate(values) if code)
    return f"CASE {column} {' '.join(cases)} ELSE 0 END"


# Name → (SQL of a small number, the largest). They are read as one number: a million photos load a
# second faster than with a text for each.
_PACKED_FIELDS: dict[str, tuple[str, int]] = {
    "turn": ("turn", 3),
    "flag": (_coded("flag", FLAGS), len(FLAGS) - 1),
    "rating": ("coalesce(rating, 0)", 5),
    "label": (_coded("label", LABELS), len(LABELS) - 1),
    "kept": ("kept", 1),
    "elsewhere": ("elsewhere", 1),
    "seen": ("seen_at IS NOT NULL", 1),
    "pair": ("pair", 1),
    "damaged": ("damage IS NOT NULL", 1),
    "state": (
        f"CASE WHEN missing THEN {STATES.index('missing')}"
        f" WHEN failed THEN {STATES.index('failed')} ELSE 0 END",
        len(STATES) - 1,
    ),
    "stack_kind": (_coded("stack_kind", STACK_KINDS), len(STACK_KINDS) - 1),
    "gone": (f"NOT ({PRESENT})", 1),
}
_BITS = {name: largest.bit_length() for name, (_, largest) in _PACKED_FIELDS.items()}
_SHIFTS = dict(zip(_PACKED_FIELDS, accumulate([0, *_BITS.values()]), strict=False))
_PACKED_SQL = " | ".join(
    f"(({sql}) << {_SHIFTS[name]})" for name, (sql, _) in _PACKED_FIELDS.items()
)

Columns = Mapping[str, Any]
"""Columns of photos by name: arrays of one length, and texts joined by NULs."""
NO_TEXT = "\1"
"""Stands for a missing text among joined ones; catalogs hold no control characters."""


def _floats(joined: str) -> NDArray[np.float64]:
    return np.fromstring(joined, np.float64, sep=",")


def _counts(joined: str) -> NDArray[np.float64]:
    counts = numbers(joined)
    return np.where(counts < 0, np.nan, counts)


def _seconds(joined: str) -> NDArray[np.float64]:
    return numbers(joined) / 1e6


def _times(joined: str) -> NDArray[np.datetime64]:
    return np.array(joined.split(","), "datetime64[us]")


def _texts(joined: str) -> str:
    return joined


# How the values of a column are joined by SQLite, and how Python reads them: with a Python object
# for each value, a million photos take twice as long.
_NUMBER = "group_concat({})", numbers
_OR_ZERO = "group_concat(coalesce({}, 0))", numbers
_OR_MINUS_ONE = "group_concat(coalesce({}, -1))", numbers
_COUNT = "group_concat(coalesce({}, -1))", _counts
_SCORE = "group_concat(coalesce({}, 'nan'))", _floats  # takes five times as long
# As a text, SQLite rounds a REAL to 15 digits, which are not enough for a time of today.
_TIME = "group_concat(CAST({} * 1000000 AS INTEGER))", _seconds
_TAKEN = "group_concat(coalesce({}, 'NaT'))", _times
_TEXT = "group_concat(coalesce({}, char(1)), char(0))", _texts
# Measurements of a damaged picture are no scores.
_OF_SOUND = "CASE WHEN damage IS NULL THEN {} END"
# Name → (SQL of a value, how it is joined, how it is read).
_COLUMNS: dict[str, tuple[str, str, Callable[[str], Any]]] = {
    "id": ("id", *_NUMBER),
    "directory_id": ("directory_id", *_NUMBER),
    "name": ("name", *_TEXT),
    "taken_at": ("taken_at", *_TAKEN),
    "added_at": ("added_at", *_TIME),
    "width": ("width", *_OR_ZERO),
    "height": ("height", *_OR_ZERO),
    "thumb": ("thumb", *_TEXT),
    "proxy": ("proxy", *_TEXT),
    "camera": ("camera", *_TEXT),
    "stack": ("stack", *_OR_ZERO),
    "stacked": ("stacked", *_OR_MINUS_ONE),
    "faces": ("faces", *_COUNT),
    "eyes_open": ("eyes_open", *_COUNT),
    "eyes_closed": ("eyes_closed", *_COUNT),
    "sharpness": (_OF_SOUND.format("sharpness"), *_SCORE),
    "exposure": (_OF_SOUND.format("exposure"), *_SCORE),
    "eye_sharpness": (_OF_SOUND.format("eye_sharpness"), *_SCORE),
    # Mean light in stops, which `curator.imaging.perceptual_hash` appends to the hash.
    "light": ("CAST(substr(look, 33) AS REAL) / -10", *_SCORE),
    "packed": (_PACKED_SQL, *_NUMBER),
}
_JOINED = ", ".join(join.format(sql) for sql, join, _ in _COLUMNS.values())
_SELECT = f"SELECT count(*), max(rev), {_JOINED} FROM photo AS p"
_PART = 5000  # photos read at a time; as many as the processor caches
CAPTURE_COLUMNS = ("iso", "f_number", "exposure_s", "focal_length_mm", "latitude", "longitude")
"""Columns that only searches need."""


@dataclass(frozen=True, slots=True)
class FileDetail:
    """One file of a photo.

    Attributes:
        path: where it is, or was.
        kind: RAW or another picture.
        role: ``main``, ``half`` or ``copy``.
        size: in bytes.
        mtime_ns: as the file system has it.
        fingerprint: None until it was read.
        sha256: None until the whole file was read.
        missing: whether the last scan did not find it, or its folder is away.
        emptied: whether the person had it deleted with the rejects.
        away: why its folder cannot be reached (``T7 Shield unplugged``); the file is not lost.
    """

    path: Path
    kind: Kind
    role: str
    size: int
    mtime_ns: int
    fingerprint: str | None
    sha256: str | None
    missing: bool
    emptied: bool = False
    away: str = ""


@dataclass(frozen=True, slots=True)
class WorkDetail:
    """The state of one stage for one photo."""

    stage: str
    version: int
    state: StageState
    attempts: int
    next_attempt_at: float | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class PhotoDetail:
    """Everything the catalog knows about one photo.

    ``files`` has the main file first, then the other half, then copies; former contents are left
    out. ``path`` is the main file's. ``turn`` counts the user's quarter turns clockwise. ``state``
    is "", "failed" or "missing" (none of its files can be reached), and ``reason`` says why it
    failed. The tags of ``description`` are among ``tags``. ``faces`` are None until they are
    measured, and ``text`` is until it is read. ``elsewhere``: its marks were read from a file, and
    nobody has reviewed it here.
    """

    id: int
    name: str
    path: Path
    files: tuple[FileDetail, ...]
    marks: Marks = field(default_factory=Marks)
    capture: Capture = field(default_factory=Capture)
    quality: Quality | None = None
    turn: int = 0
    basis: str | None = None
    damage: str | None = None
    thumb: str | None = None
    proxy: str | None = None
    proxy_digest: str | None = None
    added_at: float = 0.0
    seen_at: float | None = None
    state: str = ""
    reason: str | None = None
    work: tuple[WorkDetail, ...] = ()
    tags: tuple[TagDetail, ...] = ()
    description: Described | None = None
    faces: tuple[Face, ...] | None = None
    text: tuple[TextLine, ...] | None = None
    elsewhere: bool = False

    @property
    def scores(self) -> Quality | None:
        """The photo's quality; None while unknown, and always for a damaged picture."""
        return None if self.damage else self.quality


_DETAIL = (
    "id, name, flag, rating, label, kept, taken_at, utc_offset_min, camera, lens, exposure_s,"
    " f_number, iso, focal_length_mm, latitude, longitude, width, height, orientation,"
    " subject_x, subject_y, sharpness, exposure, highlights, shadows, sharpest_x, sharpest_y,"
    " turn, basis, damage, thumb, proxy, proxy_digest, added_at, seen_at, missing, failed,"
    " elsewhere"
)


@reports_damage
@dataclass(eq=False)
class Photos:
    """Reads photos in bulk and one by one."""

    _store: Store
    _tags: Tags
    _descriptions: Descriptions
    _faces: Faces
    _text_lines: TextLines

    def mark_seen(self, ids: Sequence[int]) -> None:
        """Record when photos were first looked at; neither a decision nor undoable."""
        now = time.time()
        with self._store.transaction():
            self._store.run_many(
                "UPDATE photo SET seen_at = ? WHERE id = ? AND seen_at IS NULL",
                [(now, photo) for photo in ids],
            )

    def turn(self, ids: Sequence[int], quarter: int) -> None:
        """Turn photos clockwise by ``quarter`` quarter turns; negative turns the other way."""
        with self._store.transaction(durable=True):
            self._store.run_many(
                "UPDATE photo SET turn = ((turn + ?) % 4 + 4) % 4 WHERE id = ?",
                [(quarter, photo) for photo in ids],
            )

    def ids(self) -> list[int]:
        """Return the ids of all present photos, ascending."""
        return self._store.values(f"SELECT id FROM photo AS p WHERE {PRESENT} ORDER BY id")

    def sharpness(self, ids: Sequence[int]) -> dict[int, float | None]:
        """Return the sharpness of photos by id; None if it is not measured or the file damaged."""
        sql = f"SELECT id, {_COLUMNS['sharpness'][0]} FROM photo WHERE id IN ({{}})"
        return dict(self._store.rows_for(sql, ids))

    def changed(self, since_rev: int, at_most: int | None = None) -> Columns | None:
        """Read the photos that changed after a revision, also those that are gone.

        Args:
            since_rev: the revision.
            at_most: read only as many, those that changed first; None reads all.

        Returns:
            Their columns; None if there are none. ``flag``, ``label``, ``state`` and
            ``stack_kind`` are indexes into FLAGS, LABELS, STATES and STACK_KINDS, ``rating`` is 0
            without one, ``stacked`` is -1 without a decision, ``seen`` and ``gone`` (merged,
            removed or emptied) are booleans, and ``rev`` is the last revision of these photos.
        """
        if at_most is None:
            return self._read("rev > ?", (since_rev,))
        last = "SELECT max(rev) FROM (SELECT rev FROM photo WHERE rev > ? ORDER BY rev LIMIT ?)"
        return self._read(f"rev > ? AND rev <= ({last})", (since_rev, since_rev, at_most))

    def iterate_columns(self) -> Iterator[Columns]:
        """Yield the columns of all present photos, as :meth:`changed`, in the order of their ids.

        Lazy: parts are read a little ahead of the caller. Photos may change between parts, after
        :meth:`last_rev` as it was before the first.
        """
        where = f"id BETWEEN ? AND ? AND {PRESENT}"
        parts = [(first, first + _PART - 1) for first in range(1, self.last_id() + 1, _PART)]
        rows = self._store.first_rows(f"{_SELECT} WHERE {where}", parts)
        for row, among in zip(rows, parts, strict=True):
            if (part := self._parsed(row, where, among)) is not None:
                yield part

    def _read(self, where: str, values: Sequence[int]) -> Columns | None:
        """Return the columns of some photos; None if there are none."""
        row = self._store.row(f"{_SELECT} WHERE {where}", values)
        assert row is not None
        return self._parsed(row, where, values)

    def _parsed(self, row: Row, where: str, values: Sequence[int]) -> Columns | None:
        """Return the columns in the row of a query; None if it found no photos."""
        count, rev, *joined = row
        if not count:
            return None
        kinds = zip(_COLUMNS.items(), joined, strict=True)
        found = {name: read(text) for (name, (_, _, read)), text in kinds}
        for name, column in found.items():
            if isinstance(column, str):
                if column.count("\0") != count - 1:  # a damaged catalog may hold NULs
                    found[name] = self._without_nuls(name, where, values)
            elif len(column) != count:
                raise ValueError(f"the {name} of a photo is of the wrong type")
        packed = found.pop("packed")
        for name, bits in _BITS.items():
            found[name] = packed >> _SHIFTS[name] & (1 << bits) - 1
        return found | {"rev": rev}

    def _without_nuls(self, name: str, where: str, values: Sequence[int]) -> str:
        """Return texts as :meth:`_read`, without the NULs in them."""
        rows = self._store.rows(f"SELECT {name} FROM photo AS p WHERE {where}", values)
        return "\0".join(NO_TEXT if text is None else text.replace("\0", "") for (text,) in rows)

    def last_id(self) -> int:
        """Return the largest id of a photo, 0 without any."""
        return int(self._store.value("SELECT max(id) FROM photo") or 0)

    def last_rev(self) -> int:
        """Return the revision of the last change of a photo, 0 without any."""
        return int(self._store.value("SELECT max(rev) FROM photo") or 0)

    def capture_columns(self, since_rev: int = 0) -> list[Row]:
        """Return (id, one value for each of CAPTURE_COLUMNS) of photos changed since a revision."""
        return self._store.rows(
            f"SELECT id, {', '.join(CAPTURE_COLUMNS)} FROM photo WHERE rev > ?", (since_rev,)
        )

    def capture_names(
        self, column: Literal["camera", "lens"], since_rev: int = 0
    ) -> list[tuple[str, NDArray[np.int64]]]:
        """Return each distinct name, "" for none, with the ids of its photos changed since."""
        # One text for each name instead of a hundred thousand rows: SQLite builds it by itself.
        sql = f"SELECT {column}, group_concat(id) FROM photo WHERE rev > ? GROUP BY {column}"
        return [(name or "", numbers(ids)) for name, ids in self._store.rows(sql, (since_rev,))]

    def suffixes(self, since_rev: int = 0) -> list[tuple[int, str]]:
        """Return (id, suffix as in ``nef``) of each file of photos changed since a revision.

        Missing files count only where all of the photo's files are missing.
        """
        return self._store.rows(
            "SELECT p.id, lower(replace(f.name, rtrim(f.name, replace(f.name, '.', '')), ''))"
            " FROM photo AS p JOIN file AS f ON f.photo_id = p.id"
            " WHERE rev > ? AND role <> 'former' AND (missing_since IS NULL OR p.missing)",
            (since_rev,),
        )

    # --- a saved copy of the columns

    def snapshot(self) -> str:
        """Return the token of the saved copy of the columns that is still valid, or "".

        The copy is valid together with what :meth:`changed` returns since its revision. A catalog
        that was restored to an earlier state has another token, or none.
        """
        token = self._store.meta("snapshot") or ""
        return token if token.startswith(self._form()) else ""

    def new_snapshot(self) -> str:
        """Return a new token for a copy of the present columns."""
        return self._form() + secrets.token_hex(8)

    def set_snapshot(self, token: str) -> None:
        """Record that a copy with this token was saved, of a revision before now."""
        with self._store.transaction():
            self._store.set_meta("snapshot", token)

    def _form(self) -> str:
        """Return a short hash of what the columns mean, which a newer Curator may change."""
        form = f"{self._store.value('PRAGMA user_version')} {_SELECT}"
        return hashlib.sha256(form.encode()).hexdigest()[:12] + "-"

    def find(self, id_or_path: int | str | Path) -> int:
        """Find a photo by id (a number, or digits) or by the path of one of its files.

        Returns:
            Its id; for a merged photo that of the one it was merged into.

        Raises:
            NotFoundError: no photo matches.
        """
        text, row = str(id_or_path), None
        if text.isascii() and text.isdigit():
            row = self._store.row(
                "SELECT coalesce(merged_into, id) FROM photo WHERE id = ?", (min(int(text), 2**62),)
            )
        if row is None and not isinstance(id_or_path, int):
            row = self._store.row(
                "SELECT photo_id FROM file JOIN directory ON directory.id = file.directory_id"
                " WHERE path = ? AND name = ? ORDER BY missing_since IS NOT NULL, file.id DESC",
                _folder_and_name(text),
            )
        if row is None:
            raise NotFoundError(f"Photo {text} not found.", "`curator photos` lists all photos.")
        return int(row[0])

    def find_file(self, path: str | Path, fingerprint: str) -> int | None:
        """Find the photo a file belongs to, by path or else by content; None if it is unknown.

        Args:
            path: of the file, whose content may have changed since it was read.
            fingerprint: of its content (`curator.files.fingerprint`).
        """
        conditions: tuple[tuple[str, tuple[str | None, ...]], ...] = (
            ("directory.path = ? AND file.name = ?", _folder_and_name(path)),
            ("fingerprint = ?", (fingerprint,)),
        )
        for condition, values in conditions:
            row = self._store.row(
                "SELECT photo_id FROM file JOIN directory ON directory.id = file.directory_id"
                f" WHERE role <> 'former' AND {condition}"
                f" AND EXISTS (SELECT 1 FROM photo AS p WHERE p.id = photo_id AND {PRESENT})"
                " ORDER BY missing_since IS NOT NULL, file.id",
                values,
            )
            if row is not None:
                return int(row[0])
        return None

    def get(self, id_or_path: int | str | Path) -> PhotoDetail:
        """Read everything about one photo; see :meth:`find` for how to name it.

        Raises:
            NotFoundError: no photo matches.
        """
        return next(self.details([self.find(id_or_path)]))

    def details(self, ids: Sequence[int]) -> Iterator[PhotoDetail]:
        """Read everything about many photos, in ascending order of id.

        Unknown ids and merged photos are left out. Takes a few queries per 900 photos, where
        :meth:`get` takes as many for each.
        """
        absent: dict[int | None, str] = {
            folder: absence(*why)
            for folder, *why in self._store.rows(
                "SELECT id, unplugged, volume, volume_name FROM folder WHERE away_since IS NOT NULL"
            )
        }
        for part in chunks(sorted(set(ids))):
            among = f"IN ({placeholders(len(part))})"
            files: dict[int, list[FileDetail]] = defaultdict(list)
            for photo, path, name, kind, *rest, missing, emptied, folder in self._store.rows(
                "SELECT photo_id, d.path, name, kind, role, size, mtime_ns, fingerprint, sha256,"
                " missing_since IS NOT NULL, file.emptied_at IS NOT NULL, folder_id"
                " FROM file JOIN directory AS d ON d.id = file.directory_id"
                f" WHERE photo_id {among} AND role <> 'former'"
                " ORDER BY role <> 'main', role <> 'half', missing_since IS NOT NULL, 2, name",
                part,
            ):
                why = "" if missing else absent.get(folder, "")
                gone = (bool(missing or why), bool(missing and emptied))
                known = FileDetail(Path(path, name), Kind(kind), *[*rest, *gone, why])
                files[photo].append(known)
            work: dict[int, list[WorkDetail]] = defaultdict(list)
            for photo, stage, version, state, attempts, later, reason in self._store.rows(
                "SELECT photo_id, stage, version, state, attempts, next_attempt_at, reason"
                f" FROM work WHERE photo_id {among} ORDER BY stage",
                part,
            ):
                entry = WorkDetail(stage, version, StageState(state), attempts, later, reason)
                work[photo].append(entry)
            tags, descriptions = self._tags.of(part), self._descriptions.of(part)
            faces, text = self._faces.of(part), self._text_lines.of(part)
            rows = self._store.rows(
                f"SELECT {_DETAIL} FROM photo WHERE id {among} AND merged_into IS NULL ORDER BY id",
                part,
            )
            for row in rows:
                photo = row[0]
                detail = _detail(row, tuple(files[photo]), tuple(work[photo]))
                yield replace(
                    detail,
                    tags=tags.get(photo, ()),
                    description=descriptions.get(photo),
                    faces=faces.get(photo),
                    text=text.get(photo),
                )

    def file_bytes(self, ids: Sequence[int], copies: bool = True) -> int:
        """Return the size of these photos' files on disk in bytes, with or without copies."""
        roles = "('former')" if copies else "('former', 'copy')"
        sizes = self._store.rows_for(
            f"SELECT coalesce(sum(size), 0) FROM file WHERE role NOT IN {roles}"
            " AND missing_since IS NULL AND photo_id IN ({})",
            ids,
        )
        return sum(row[0] for row in sizes)

    def copy_locations(self, ids: Sequence[int] | None = None) -> list[tuple[int, int, str]]:
        """List the folders in which photos have copies: (photo id, directory id, name of a file).

        The folder of the main file is left out. A scope may want to show these photos too.

        Args:
            ids: only of these photos.
        """
        sql = (
            "SELECT photo_id, file.directory_id, min(file.name) FROM file JOIN photo"
            " ON photo.id = photo_id WHERE role = 'copy' AND missing_since IS NULL"
            " AND file.directory_id <> photo.directory_id{} GROUP BY photo_id, file.directory_id"
        )
        if ids is None:
            return self._store.rows(sql.format(""))
        return self._store.rows_for(sql.format(" AND photo_id IN ({})"), ids)


def _folder_and_name(path: str | Path) -> tuple[str | None, ...]:
    """Return folder and name of a file as the catalog has them; None if they are not valid text."""
    where = absolute(path)
    try:
        str(where).encode()
    except UnicodeEncodeError:  # no photo can have such a name
        return None, None
    return str(where.parent), where.name


def _detail(row: Row, files: tuple[FileDetail, ...], work: tuple[WorkDetail, ...]) -> PhotoDetail:
    number, name, flag, rating, label, kept, taken, *exif = row[:19]
    subject_x, subject_y, sharpness, exposure, highlights, shadows, x, y = row[19:27]
    turn, basis, damage, thumb, proxy, digest, added_at, seen_at, missing, failed = row[27:-1]
    reasons = [
        entry.reason
        for entry in work
        if entry.state is StageState.FAILED
        and entry.stage not in ("embed", FACES, DESCRIBE, READ_TEXT)
    ]
    gone = missing or all(file.missing for file in files)
    return PhotoDetail(
        id=number,
        name=name,
        path=files[0].path,
        files=files,
        marks=Marks(
            Flag(flag) if flag else None, rating, Label(label) if label else None, bool(kept)
        ),
        capture=Capture(
            *[
                datetime.fromisoformat(taken) if taken else None,
                *exif,
                None if subject_x is None else (subject_x, subject_y),
            ]
        ),
        quality=None
        if sharpness is None
        else Quality(sharpness, exposure, highlights, shadows, None if x is None else (x, y)),
        turn=turn,
        basis=basis,
        damage=damage,
        thumb=thumb,
        proxy=proxy,
        proxy_digest=digest,
        added_at=added_at,
        seen_at=seen_at,
        state="missing" if gone else "failed" if failed else "",
        reason=reasons[0] if reasons and failed else None,
        work=work,
        elsewhere=bool(row[-1]),
    )

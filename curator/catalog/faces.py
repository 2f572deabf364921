"""Faces of photos: where they are, whether the eyes are open, and how sharp they are.

The stage `faces` fills this table; filters, stacks and every view of faces read it. It holds
measures only: nothing in it tells who a person is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from curator.catalog.integrity import reports_damage
from curator.catalog.store import Row, Store, chunks, paused_chunks, placeholders
from curator.catalog.work import WorkQueue
from curator.model import Eye, Face, FacesMeasured, StageJob

FACES = "faces"
"""The stage that measures faces."""

_COLUMNS = (
    "photo_id, place, x, y, width, height, size_px, score, left_eye, right_eye, left_blink,"
    " right_blink, smile, yaw_deg, eye_sharpness, left_x, left_y, right_x, right_y"
)
# Name → SQL. The eye that is shut further counts; an eye that cannot be judged does not.
_COMPACT = {
    **{name: name for name in ("photo_id", "x", "y", "width", "height", "size_px")},
    "blink": "nullif(max("
    "CASE WHEN left_eye = 'unknown' THEN -1 ELSE ifnull(left_blink, -1) END,"
    " CASE WHEN right_eye = 'unknown' THEN -1 ELSE ifnull(right_blink, -1) END), -1)",
    "closed": "left_eye = 'closed' OR right_eye = 'closed'",
    "eye_sharpness": "eye_sharpness",
}
FACE_COLUMNS: tuple[str, ...] = tuple(_COMPACT)
SUMMARY = ("faces", "eyes_open", "eyes_closed", "eye_sharpness")
"""Columns of a photo with what its faces come to; NULL until they are measured."""


@reports_damage
@dataclass(eq=False)
class Faces:
    """Saves and reads the faces of photos."""

    _store: Store
    _work: WorkQueue

    def of(self, ids: Sequence[int]) -> dict[int, tuple[Face, ...]]:
        """Return the faces of photos, largest first; photos not measured yet are left out."""
        # One query, so that faces saved at the same moment are either all seen or not at all.
        sql = (
            f"SELECT {_COLUMNS} FROM (SELECT id AS photo_id FROM photo WHERE faces IS NOT NULL"
            " AND id IN ({})) LEFT JOIN face USING (photo_id) ORDER BY photo_id, place"
        )
        found: dict[int, list[Face]] = {}
        for photo, place, *row in self._store.rows_for(sql, ids):
            faces = found.setdefault(photo, [])
            if place is not None:
                faces.append(_face(row))
        return {photo: tuple(faces) for photo, faces in found.items()}

    def columns(self, ids: Sequence[int]) -> list[Row]:
        """Read the faces of photos as compact rows, one value for each of FACE_COLUMNS."""
        sql = f"SELECT {', '.join(_COMPACT.values())} FROM face WHERE photo_id IN ({{}})"
        return self._store.rows_for(sql, ids)

    def save(self, results: Sequence[tuple[StageJob, FacesMeasured]]) -> list[int]:
        """Save results of the stage in one transaction; return the photos that changed.

        A result for a proxy that is no longer the photo's is dropped and made again. If faces were
        switched off meanwhile, all are dropped.
        """
        saved: dict[int, str | None] = {}
        with self._store.transaction():
            if not self.is_on():
                return []
            for job, result in results:
                photo = job.photo_id
                sql = "SELECT proxy_digest FROM photo WHERE id = ? AND merged_into IS NULL"
                if self._store.value(sql, (photo,)) != result.source:
                    self._work.requeue(photo, FACES)
                    continue
                self._replace(photo, result.faces)
                saved[photo] = result.source
            self._work.mark_done(FACES, saved)
        return list(saved)

    def _replace(self, photo: int, faces: Sequence[Face]) -> None:
        self._store.run("DELETE FROM face WHERE photo_id = ?", (photo,))
        self._store.run_many(
            f"INSERT INTO face ({_COLUMNS}) VALUES ({placeholders(19)})",
            [(photo, place, *_row(face)) for place, face in enumerate(faces)],
        )
        eyes = Counter(face.eyes for face in faces)
        self._store.run(
            "UPDATE photo SET faces = ?, eyes_open = ?, eyes_closed = ?, eye_sharpness = ?"
            " WHERE id = ?",
            (
                len(faces),
                eyes[Eye.OPEN],
                eyes[Eye.CLOSED],
                faces[0].eye_sharpness if faces else None,
                photo,
            ),
        )

    def is_on(self) -> bool:
        """Whether faces are measured in this catalog, as switched last by any process."""
        return self._store.meta("faces") != "off"

    def switch(self, on: bool) -> list[int]:
        """Note whether faces are measured; if not, remove all. Return the photos that changed.

        A pipeline in another process follows.
        """
        if on != self.is_on():
            with self._store.transaction():
                self._store.set_meta("faces", "on" if on else "off")
        return [] if on else self.remove_all()

    def remove_outdated(self, photos: Sequence[int]) -> None:
        """Remove faces that were found on a former proxy of photos: they may be elsewhere now."""
        outdated = self._store.rows_for(
            "SELECT id FROM photo JOIN work ON photo_id = id AND stage = ? WHERE faces IS NOT NULL"
            " AND source IS NOT proxy_digest AND id IN ({})",
            photos,
            FACES,
        )
        if outdated:
            with self._store.transaction():
                self._remove([row[0] for row in outdated])

    def remove_all(self) -> list[int]:
        """Remove what was measured, and all work of the stage; return the photos it was of."""
        measured = self._store.values("SELECT id FROM photo WHERE faces IS NOT NULL")
        queued = self._store.values("SELECT photo_id FROM work WHERE stage = ?", (FACES,))
        for part in paused_chunks(sorted({*measured, *queued})):
            with self._store.transaction():
                self._remove(part)
                for ids in chunks(part):
                    among = f"IN ({placeholders(len(ids))})"
                    self._store.run(
                        f"DELETE FROM work WHERE photo_id {among} AND stage = '{FACES}'", ids
                    )
        return measured

    def _remove(self, photos: Sequence[int]) -> None:
        cleared = ", ".join(f"{name} = NULL" for name in SUMMARY)
        for ids in chunks(photos):
            among = f"IN ({placeholders(len(ids))})"
            self._store.run(f"DELETE FROM face WHERE photo_id {among}", ids)
            self._store.run(
                f"UPDATE photo SET {cleared} WHERE faces IS NOT NULL AND id {among}", ids
            )


def _row(face: Face) -> tuple[object, ...]:
    """Return a face as the columns of its row, from ``x`` on."""
    return (
        *face.box,
        face.size_px,
        face.score,
        face.left,
        face.right,
        face.left_blink,
        face.right_blink,
        face.smile,
        face.yaw_deg,
        face.eye_sharpness,
        *(face.left_at or (None, None)),
        *(face.right_at or (None, None)),
    )


def _face(row: Sequence[Any]) -> Face:
    """Return the face in a row, whose columns start at ``x``."""
    x, y, width, height, size_px, score, left, right, *row = row
    left_blink, right_blink, smile, yaw, sharpness, *at = row
    return Face(
        box=(x, y, width, height),
        size_px=size_px,
        score=score,
        left=Eye(left),
        right=Eye(right),
        left_blink=left_blink,
        right_blink=right_blink,
        smile=smile,
        yaw_deg=yaw,
        eye_sharpness=sharpness,
        left_at=None if at[0] is None else (at[0], at[1]),
        right_at=None if at[2] is None else (at[2], at[3]),
    )

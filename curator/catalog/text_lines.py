"""Text in photos: what each line says and where it is, and which photos are to be read.

The stage `read_text` fills this table; the full-text index (`text`) and every view of the text read
it. It is data from pictures, which anybody can write: shown as plain text, and exported nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from curator.catalog.integrity import reports_damage
from curator.catalog.store import Store, paused_chunks, placeholders
from curator.catalog.work import WorkQueue
from curator.model import StageJob, TextLine, TextRead

READ_TEXT = "read_text"
"""The stage that reads text in photos, on request unless the settings ask for all photos."""

_COLUMNS = "photo_id, place, text, confidence, x1, y1, x2, y2, x3, y3, x4, y4"


@reports_damage
@dataclass(eq=False)
class TextLines:
    """Saves and reads the text in photos, and queues photos to be read."""

    _store: Store
    _work: WorkQueue

    def of(self, ids: Sequence[int]) -> dict[int, tuple[TextLine, ...]]:
        """Return the text in photos, from the top; photos that were not read are left out."""
        rows = self._store.rows_for(
            "SELECT photo.id, text, confidence, x1, y1, x2, y2, x3, y3, x4, y4 FROM photo"
            " LEFT JOIN text_line AS line ON line.photo_id = photo.id"
            " WHERE (line.photo_id IS NOT NULL OR EXISTS (SELECT 1 FROM work WHERE photo_id ="
            " photo.id AND stage = ? AND state = 'done')) AND photo.id IN ({})"
            " ORDER BY photo.id, place",
            ids,
            READ_TEXT,
        )
        found: dict[int, list[TextLine]] = {}
        for photo, text, confidence, *corners in rows:
            lines = found.setdefault(photo, [])
            if text is not None:
                lines.append(TextLine(text, confidence, _points(corners)))
        return {photo: tuple(lines) for photo, lines in found.items()}

    def save(self, results: Sequence[tuple[StageJob, TextRead]]) -> list[int]:
        """Save results of the stage in one transaction; return the photos that changed.

        A result for a proxy that is no longer the photo's is dropped and made again.
        """
        saved: dict[int, str | None] = {}
        with self._store.transaction():
            for job, result in results:
                photo = job.photo_id
                sql = "SELECT proxy_digest FROM photo WHERE id = ? AND merged_into IS NULL"
                if self._store.value(sql, (photo,)) != result.source:
                    self._work.requeue(photo, READ_TEXT)
                    continue
                self._store.run("DELETE FROM text_line WHERE photo_id = ?", (photo,))
                self._store.run_many(
                    f"INSERT INTO text_line ({_COLUMNS}) VALUES ({placeholders(12)})",
                    [
                        (photo, place, line.text, line.confidence, *sum(line.corners, ()))
                        for place, line in enumerate(result.lines)
                    ],
                )
                # Gives the photo a new revision, so that every view shows the text.
                self._store.run(
                    "UPDATE photo SET proxy_digest = proxy_digest WHERE id = ?", (photo,)
                )
                self._work.add(READ_TEXT, [photo])
                saved[photo] = result.source
            self._work.mark_done(READ_TEXT, saved)
        return list(saved)

    def remove_outdated(self, photos: Sequence[int]) -> None:
        """Remove text read on a former proxy of photos, and queue these photos to be read again.

        Text on request, too: a person wanted it, and now it may say or be something else.
        """
        outdated = self._store.rows_for(
            "SELECT photo_id FROM work JOIN photo ON photo.id = photo_id WHERE stage = ?"
            " AND source IS NOT NULL AND source IS NOT proxy_digest AND photo_id IN ({})",
            photos,
            READ_TEXT,
        )
        if outdated:
            with self._store.transaction():
                self._store.run_many("DELETE FROM text_line WHERE photo_id = ?", outdated)
                self._work.request(READ_TEXT, [row[0] for row in outdated])

    def request(self, ids: Sequence[int]) -> None:
        """Queue photos to be read, including those read before."""
        for part in paused_chunks(ids):
            with self._store.transaction():
                self._work.request(READ_TEXT, part)


def _points(corners: Sequence[Any]) -> tuple[tuple[float, float], ...]:
    return tuple((x, y) for x, y in zip(corners[::2], corners[1::2], strict=True))

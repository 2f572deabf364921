"""Descriptions of photos by a vision model, and which photos are to be described.

The stage `describe` fills this table. A description stays until a newer one replaces it, even if
proxy, model or prompt have changed since. Its tags are saved as suggestions, never as confirmed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from curator.catalog.integrity import reports_damage
from curator.catalog.store import Store, paused_chunks
from curator.catalog.tags import Tags
from curator.catalog.work import DESCRIBE, WorkQueue
from curator.model import Described

# The columns of a description, which are also the first fields of Described, in this order.
_COLUMNS = ("provider", "model", "source", "subject", "content_type", "lighting", "mood")


@reports_damage
@dataclass(eq=False)
class Descriptions:
    """Saves descriptions and queues photos for the stage `describe`."""

    _store: Store
    _work: WorkQueue
    _tags: Tags

    def of(self, ids: Sequence[int]) -> dict[int, Described]:
        """Return the descriptions of photos; their tags are among the photos' tags, not here."""
        sql = f"SELECT photo_id, {', '.join(_COLUMNS)} FROM description WHERE photo_id IN ({{}})"
        return {
            photo: Described(*[*columns, ()]) for photo, *columns in self._store.rows_for(sql, ids)
        }

    def save(self, results: Sequence[tuple[int, Described]], prompt: str = "") -> list[int]:
        """Save descriptions in one transaction; return the ids of the photos they are of.

        A description of a proxy that is no longer the photo's is dropped and made again. If a photo
        was merged into another meanwhile, that one gets the description, and the ids of both are
        returned.

        Args:
            results: by photo.
            prompt: what the model was asked with (see `curator.stages.Stage.variant`).
        """
        saved: list[int] = []
        with self._store.transaction():
            for asked, description in results:
                photo = (
                    self._store.value("SELECT merged_into FROM photo WHERE id = ?", (asked,))
                    or asked
                )
                row = self._store.row("SELECT proxy_digest FROM photo WHERE id = ?", (photo,))
                if row is None or row[0] != description.source:
                    self._work.requeue(photo, DESCRIBE)
                    continue
                columns = {name: getattr(description, name) for name in _COLUMNS}
                self._store.upsert(
                    "description", "photo_id", photo_id=photo, **columns, made_at=time.time()
                )
                self._tags.suggest(photo, "vision", description.tags)
                # Gives the photo a new revision, so that every view shows the description.
                self._store.run(
                    "UPDATE photo SET proxy_digest = proxy_digest WHERE id = ?", (photo,)
                )
                self._work.add(DESCRIBE, [photo])
                self._work.mark_done(DESCRIBE, {photo: description.source + prompt})
                saved += dict.fromkeys((asked, photo))
        return saved

    def request(self, ids: Sequence[int]) -> None:
        """Queue photos to be described, including those described before.

        A photo with a proxy can be described even while its file is away.
        """
        for part in paused_chunks(ids):
            with self._store.transaction():
                self._work.request(DESCRIBE, part)
                self._store.run_many(
                    "UPDATE work SET ready = 1 WHERE photo_id = ? AND stage = ? AND EXISTS"
                    " (SELECT 1 FROM photo WHERE id = photo_id AND proxy IS NOT NULL)",
                    [(photo, DESCRIBE) for photo in part],
                )

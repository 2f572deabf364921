"""Descriptions of photos by a vision model, and which photos are to be described.

The stage `describe` fills this table. A description stays until a newer one replaces it, even if
proxy, model or prompt have changed since. Tags of a description are saved as suggestions, never
more.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from curator.catalog.integrity import reports_damage
from curator.catalog.store import Store, by_part, chunks, marks
from curator.catalog.tags import Tags
from curator.catalog.work import DESCRIBE, WorkQueue
from curator.model import Described


@reports_damage
class Descriptions:
    """Saves descriptions and queues photos for the stage `describe`."""

    def __init__(self, store: Store, work: WorkQueue, tags: Tags) -> None:
        self._store = store
        self._work = work
        self._tags = tags

    def of(self, ids: Sequence[int]) -> dict[int, Described]:
        """Return the descriptions of photos; their tags are among the photos' tags, not here."""
        found: dict[int, Described] = {}
        for part in chunks(list(ids)):
            for photo, *columns in self._store.rows(
                "SELECT photo_id, provider, model, source, subject, content_type, lighting, mood"
                f" FROM description WHERE photo_id IN ({marks(len(part))})",
                part,
            ):
                found[photo] = Described(*[*columns, ()])
        return found

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
                self._store.run(
                    "INSERT INTO description (photo_id, provider, model, source, subject,"
                    " content_type, lighting, mood, made_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
                    " ON CONFLICT (photo_id) DO UPDATE SET provider = excluded.provider,"
                    " model = excluded.model, source = excluded.source,"
                    " subject = excluded.subject, content_type = excluded.content_type,"
                    " lighting = excluded.lighting, mood = excluded.mood,"
                    " made_at = excluded.made_at",
                    (
                        photo,
                        description.provider,
                        description.model,
                        description.source,
                        description.subject,
                        description.content_type,
                        description.lighting,
                        description.mood,
                        time.time(),
                    ),
                )
                self._tags.suggest(photo, "vision", description.tags)
                # Gives the photo a new revision, so that every view shows the description.
                self._store.run(
                    "UPDATE photo SET proxy_digest = proxy_digest WHERE id = ?", (photo,)
                )
                self.add_work(photo)
                self._work.mark_done(DESCRIBE, {photo: description.source + prompt})
                saved += dict.fromkeys((asked, photo))
        return saved

    def request(self, ids: Sequence[int]) -> None:
        """Queue photos to be described, including those described before.

        The file of the proxy may be away: the model sees the proxy.
        """
        for part in by_part(ids):
            rows = [(photo, DESCRIBE) for photo in part]
            with self._store.transaction():
                for photo in part:
                    self.add_work(photo)
                self._store.run_many(
                    "UPDATE work SET state = 'waiting', attempts = 0, next_attempt_at = NULL,"
                    " reason = NULL WHERE photo_id = ? AND stage = ? AND state <> 'running'",
                    rows,
                )
                self._work.refresh_ready(part, DESCRIBE)
                self._store.run_many(
                    "UPDATE work SET ready = 1 WHERE photo_id = ? AND stage = ? AND EXISTS"
                    " (SELECT 1 FROM photo WHERE id = photo_id AND proxy IS NOT NULL)",
                    rows,
                )

    def not_pending(self, ids: Sequence[int]) -> list[int]:
        """Return the photos whose description is neither running nor queued."""
        left = dict.fromkeys(ids)
        for part in chunks(list(ids)):
            for (photo,) in self._store.rows(
                "SELECT photo_id FROM work WHERE stage = ? AND (state = 'running' OR"
                f" state = 'waiting' AND ready = 1) AND photo_id IN ({marks(len(part))})",
                (DESCRIBE, *part),
            ):
                del left[photo]
        return list(left)

    def count_pending(self) -> int:
        """Count the photos that are being described or waiting for it."""
        return sum(
            self._store.value(f"SELECT count(*) FROM work WHERE stage = ? AND {state}", (DESCRIBE,))
            for state in ("state = 'waiting' AND ready = 1", "state = 'running'")
        )

    def add_work(self, photo: int) -> None:
        """Add a waiting row of the stage `describe` for a photo that has none."""
        version = next((rule.version for rule in self._work.stages() if rule.name == DESCRIBE), 1)
        self._store.run(
            "INSERT INTO work (photo_id, stage, version, state) VALUES (?, ?, ?, 'waiting')"
            " ON CONFLICT (photo_id, stage) DO NOTHING",
            (photo, DESCRIBE, version),
        )

"""Records which files of rejects a person deleted: their rows stay, so that no photo comes back.

`curator.removal` deletes the files and reports each step here, so that a kill in between loses
nothing and takes no file for missing.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from curator import atomic
from curator.catalog.fields import NOT_REMOVED
from curator.catalog.identity import Identity
from curator.catalog.integrity import reports_damage
from curator.catalog.store import Store

_INTENT = "emptying"  # first part of the keys in ``meta`` that name files about to be deleted


@reports_damage
@dataclass(eq=False)
class Removal:
    """Records deletions of files: intent, result, and what was interrupted."""

    _store: Store
    _identity: Identity

    def is_reject(self, photo_id: int) -> bool:
        """Whether a photo is rejected at this moment."""
        sql = f"SELECT count(*) FROM photo AS p WHERE id = ? AND flag = 'reject' AND {NOT_REMOVED}"
        return bool(self._store.value(sql, (photo_id,)))

    def begin(self, wanted: Mapping[int, Sequence[str]]) -> str:
        """Record which files are about to be deleted: after a kill they do not count as missing.

        Args:
            wanted: the paths of each photo.

        Returns:
            The intent, to be passed to :meth:`end`.
        """
        intent = f"{_INTENT}/{os.getpid()}/{time.time():.6f}"
        with self._store.transaction(durable=True):
            self._store.set_meta(intent, json.dumps(wanted))
        return intent

    def end(self, intent: str) -> None:
        """Record that an intent is finished: its files were deleted and recorded, or kept."""
        with self._store.transaction():
            self._store.set_meta(intent, None)

    def interrupted(self) -> dict[str, dict[int, list[str]]]:
        """Return the unfinished intents of dead processes, and earlier ones of this process."""
        rows = self._store.rows(
            "SELECT key, value FROM meta WHERE key >= ? AND key < ?", (f"{_INTENT}/", f"{_INTENT}0")
        )
        return {
            key: {int(photo): paths for photo, paths in json.loads(value).items()}
            for key, value in rows
            if _is_abandoned(key)
        }

    def note_removed(self, photo_id: int, gone: Mapping[str, str]) -> None:
        """Record that files of a photo were deleted by the person.

        A photo without any file left disappears from every list. It keeps its marks and the
        fingerprints of its files: if that content is found again, it is still rejected.

        Args:
            photo_id: its id.
            gone: path → sha256 of the whole file as hex, empty where it was not read.
        """
        now = time.time()
        with self._store.transaction(durable=True):
            for path, sha256 in gone.items():
                name = PurePath(path)
                self._store.run(
                    "UPDATE file SET missing_since = coalesce(missing_since, ?1),"
                    " emptied_at = ?1, sha256 = coalesce(nullif(?2, ''), sha256)"
                    " WHERE photo_id = ?3 AND name = ?4 AND emptied_at IS NULL"
                    " AND role <> 'former'"
                    " AND directory_id = (SELECT id FROM directory WHERE path = ?5)",
                    (now, sha256, photo_id, name.name, str(name.parent)),
                )
                self._store.run("DELETE FROM sidecar WHERE path = ?", (path,))
            self._identity.sync([photo_id])
            self._store.run(
                "UPDATE photo SET emptied_at = ? WHERE id = ? AND NOT EXISTS"
                " (SELECT 1 FROM file WHERE photo_id = photo.id AND missing_since IS NULL)",
                (now, photo_id),
            )


def _is_abandoned(intent: str) -> bool:
    _, process, begun = intent.split("/")
    return int(process) == os.getpid() or atomic.writer_is_gone(int(process), float(begun))

"""Photos whose files the person removed: their rows stay, so that nothing comes back by itself."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import PurePath

from curator.catalog.identity import Identity


class Removals(Identity):
    """The part of the catalog that remembers what was removed."""

    def is_reject(self, photo_id: int) -> bool:
        """Say whether a photo is a reject at this very moment."""
        return bool(
            self._value(
                "SELECT count(*) FROM photo WHERE id = ? AND flag = 'reject'"
                " AND merged_into IS NULL AND removed_at IS NULL",
                (photo_id,),
            )
        )

    def note_emptied(self, photo_id: int, gone: Mapping[str, str]) -> None:
        """Note that files of a photo were removed by the person.

        A photo without any file left goes out of every list. It keeps its marks, and what its
        files held: should that turn up again, it is the reject it was.

        Args:
            photo_id: its id.
            gone: path → sha256 of the whole file as hex, empty where it was not read.
        """
        now = time.time()
        with self._writing(durable=True):
            for path, sha256 in gone.items():
                name = PurePath(path)
                self._run(
                    "UPDATE file SET missing_since = ?1, emptied_at = ?1,"
                    " sha256 = coalesce(nullif(?2, ''), sha256)"
                    " WHERE photo_id = ?3 AND name = ?4 AND missing_since IS NULL"
                    " AND directory_id = (SELECT id FROM directory WHERE path = ?5)",
                    (now, sha256, photo_id, name.name, str(name.parent)),
                )
                self._run("DELETE FROM sidecar WHERE path = ?", (path,))
            self._settle([photo_id])
            self._run(
                "UPDATE photo SET emptied_at = ? WHERE id = ? AND NOT EXISTS"
                " (SELECT 1 FROM file WHERE photo_id = photo.id AND missing_since IS NULL)",
                (now, photo_id),
            )

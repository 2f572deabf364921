"""Caches the details of single photos, read on demand and kept until they change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from curator.catalog import Catalog, PhotoDetail
from curator.library.table import Table

_MOST = 256  # photos kept


class PhotoDetails:
    """Caches the details of photos for the loupe, the inspector and captions.

    Thread: GUI only; a photo that is not cached costs a read of the catalog.
    """

    def __init__(self, catalog: Catalog, table: Table) -> None:
        self._catalog, self._table = catalog, table
        self._cached: dict[int, PhotoDetail] = {}

    def of(self, photo_id: int) -> PhotoDetail:
        """Return the details of a photo."""
        if photo_id not in self._cached:
            if len(self._cached) > _MOST:
                self._cached.clear()
            self._cached[photo_id] = self._named_here(self._catalog.photos.get(photo_id))
        return self._cached[photo_id]

    def _named_here(self, detail: PhotoDetail) -> PhotoDetail:
        """Name a photo by its copy if the scope is a folder with only a copy."""
        here, name = (
            Path(self._table.folders.directory_of(detail.id)),
            self._table.folders.name(detail.id),
        )
        copies = (file for file in detail.files if file.role == "copy" and file.path.parent == here)
        paths = [copy.path for copy in copies if name in (copy.path.stem, copy.path.name)]
        if here == detail.path.parent or not paths:
            return detail
        return replace(detail, name=name, path=paths[0])

    def forget(self, photo_ids: Iterable[int]) -> None:
        """Drop the details of photos that changed."""
        for photo_id in photo_ids:
            self._cached.pop(photo_id, None)

    def clear(self) -> None:
        """Drop all details."""
        self._cached.clear()

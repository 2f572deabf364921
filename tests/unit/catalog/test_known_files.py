"""Whether a file is a photo of the catalog: by path, else by content."""

from __future__ import annotations

from curator.catalog import Catalog
from tests import catalogs

OTHER = "f" * 32


def test_a_file_is_recognized_by_path_or_content(catalog: Catalog) -> None:
    catalogs.fill(catalog.path, 12)
    photo = catalog.photos.get(6)  # a pair
    assert [catalog.photos.find_file(file.path, OTHER) for file in photo.files] == [6, 6]
    content = photo.files[0].fingerprint or ""
    assert catalog.photos.find_file("/elsewhere/copy.nef", content) == 6
    assert catalog.photos.find_file("/elsewhere/copy.nef", OTHER) is None
    assert (
        catalog.photos.find_file(photo.path, catalog.photos.get(7).files[0].fingerprint or "") == 6
    )


def test_a_photo_of_a_removed_folder_is_unknown(catalog: Catalog) -> None:
    catalogs.fill(catalog.path, 3)
    photo = catalog.photos.get(2)
    catalog.folders.remove(1, keep_photos=False)
    assert catalog.photos.find_file(photo.path, photo.files[0].fingerprint or "") is None

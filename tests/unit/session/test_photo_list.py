"""An open list stays unchanged while photos of other folders are read."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from curator import files
from curator.catalog import Catalog
from curator.model import FileGroup, FoundFile, Kind
from curator.session import Session


def scan_photo(catalog: Catalog, folder: str, name: str) -> None:
    """Scan one photo."""
    found = FoundFile(f"{folder}/{name}.JPG", Kind.IMAGE, 4_000, 1)
    scan = catalog.scans.begin(catalog.folders.add(Path(folder)), files)
    catalog.scans.apply(scan, [FileGroup(folder, name, (found,))])


@pytest.mark.parametrize("mode", ["browse", "cull"])
def test_photos_of_other_folders_do_not_rebuild_the_list(
    session: Session, person, mode: str
) -> None:
    session.sources.open_scope(
        next(r.scope for r in session.sources.scopes() if r.scope.key == "/photos")
    )
    person.run(mode)
    ids, lengths = session.ids, []
    session.photos.list_changed.connect(lambda: lengths.append(len(session.ids)))
    with closing(Catalog.open(session.catalog.path)) as other:
        scan_photo(other, "/others", "DSC_9000")
        session.refresh()
        assert not lengths and session.ids is ids
        with other.store.transaction():  # a second later, but still before the next one
            other.store.run("UPDATE photo SET taken_at = taken_at || '1' WHERE id = 3")
        session.refresh()
        assert not lengths and session.ids is ids
        scan_photo(other, "/photos", "DSC_9001")
        session.refresh()
    assert lengths == [len(ids) + 1]

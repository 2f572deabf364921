"""An open list and what the pipeline or another process changes meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from curator import files
from curator.catalog import Catalog
from curator.home import Home
from curator.model import FileGroup, FoundFile, Kind, KnownError
from curator.session import Session
from tests import catalogs
from tests.unit.conftest import Person


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


@pytest.fixture(params=["before it is read", "before the list follows"])
def mark_between(request: pytest.FixtureRequest, session: Session) -> Callable[..., None]:
    """Return what takes over changes of others, with a mark of the person in between."""

    def take_over(mark: Callable[[], object]) -> None:
        if request.param == "before it is read":
            mark()
        session.photos.read_changes()
        if request.param == "before the list follows":
            mark()
        session.photos.follow_changes()

    return take_over


def test_a_stack_found_while_a_photo_is_marked_moves_none_behind_it_in_a_cull(
    person: Person, home: Home, mark_between: Callable[..., None]
) -> None:
    session = person.run("cull").session
    session.navigator.go_to(4)
    catalogs.stack(home.catalog, 4, 9)
    mark_between(lambda: person.run("reject"))
    assert 9 in session.ids[session.photos.index :], "nobody would see it"


def test_a_photo_added_to_a_project_while_another_is_marked_joins_it(
    session: Session, mark_between: Callable[..., None]
) -> None:
    project = session.projects.create("Iceland")
    session.projects.add(project, [1, 2, 3], on_screen=False)
    session.projects.open_scope(project)
    session.ordering.set_order("hand")
    with closing(Catalog.open(session.catalog.path)) as other:
        other.journal.decide({7: {("project", project): 1_000.0}}, summary="Added")
    mark_between(lambda: session.decisions.decide("reject", {2: {"flag": "reject"}}))
    assert session.ids.tolist() == [1, 2, 3, 7]


def test_a_browsed_list_is_sorted_by_stacks_found_while_a_photo_is_marked(
    session: Session, home: Home, mark_between: Callable[..., None]
) -> None:
    session.ordering.set_order("stack")
    catalogs.stack(home.catalog, 6, 7, 8)
    mark_between(lambda: session.decisions.decide("reject", {2: {"flag": "reject"}}))
    assert session.ids[:3].tolist() == [6, 7, 8]


@pytest.mark.parametrize("at", ["stacks._suggest", "membership.fits"])
def test_what_a_failing_disk_interrupted_is_shown_later(
    session: Session, home: Home, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    told: set[int] = set()
    session.photos.photos_changed.connect(told.update)
    session.ordering.set_order("stack")
    before = session.photos.details.of(7)

    def fail(*_: object) -> None:
        raise KnownError("The disk reports errors.")

    catalogs.capture(home.catalog, 7, iso=12_800)
    catalogs.stack(home.catalog, 6, 7, 8)
    owner, name = at.split(".")
    with monkeypatch.context() as failing:
        failing.setattr(
            session.table.stacks if owner == "stacks" else session.photos.membership, name, fail
        )
        with pytest.raises(KnownError):
            session.refresh()
    assert 7 not in told
    session.refresh()
    assert told >= {6, 7, 8} and session.ids[:3].tolist() == [6, 7, 8]
    assert session.photos.details.of(7) != before

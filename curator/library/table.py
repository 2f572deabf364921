"""All photos of the catalog as columns in memory, for lists, filters and counts.

The window and the command line each keep a table. A hundred thousand photos are some 12 MB of numpy
columns and 15 MB of texts, most of them in a mapped file (`table_cache`); a filter or a sort over
them takes milliseconds, a query of the catalog takes longer than a key press may. The catalog
remains the source: :meth:`Table.refresh` reads the rows changed since the last revision, by other
processes, too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curator.catalog import Catalog
from curator.catalog.photos import Columns
from curator.library.capture_columns import CaptureColumns
from curator.library.columns import (
    DRAWN,
    NUMBERS,
    ORDERING,
    as_measure,
)
from curator.library.photo_folders import PhotoFolders
from curator.library.photo_rows import PhotoRows
from curator.library.project_index import ProjectIndex
from curator.library.scores import Scores
from curator.library.sort_keys import SortRanks, ranked
from curator.library.spans import Ids, Mask
from curator.library.stack_index import StackIndex
from curator.library.tag_index import TagIndex
from curator.library.text_hits import TextHits
from curator.library.text_matches import TextMatches, words_of
from curator.library.texts import Texts
from curator.model import Flag, Marks, Verdict, bidi_safe
from curator.settings import ApprovalSettings

# Spare rows in a dump (1/16 plus 1000), so that new photos do not force a copy of all columns.
_SPARE_SHARE, _SPARE_ROWS = 1 / 16, 1000


@dataclass(frozen=True, slots=True)
class Tile:
    """The data of one photo for the grid, the filmstrip and captions.

    ``width`` and ``height`` are of the upright picture in px with the user's ``turn`` (quarter
    turns clockwise, 0-3) applied, 0 while unknown. ``thumb`` and ``proxy`` are cache keys.
    ``stale``: no longer fits the filter, but listed until F5. ``suggested``: unreviewed, and the
    suggested best of its stack. ``uncertainty`` is of the predicted rating, in stars, if an order
    requested it; ``found`` says why a search found the photo.
    """

    id: int
    name: str
    width: int
    height: int
    turn: int
    thumb: str | None
    proxy: str | None
    marks: Marks
    seen: bool
    pair: bool
    state: str
    taken: datetime | None
    sharpness: float | None
    exposure: float | None
    eye_sharpness: float | None
    match: int | None
    rejected: bool = False
    stale: bool = False
    suggested: bool = False
    damaged: bool = False
    uncertainty: float | None = None
    found: str = ""


class Table:
    """The photos of one catalog, by column, and the indexes over them.

    Thread: one, the owner of ``catalog``.

    Attributes:
        rows: the columns, and the row of each photo.
        folders: the folders of photos.
        ranks: ranks by time and by name.
        scores: the taste model's predictions.
        stacks: which photos are stacked.
        projects: which photos are in which project, in which order.
        capture: capture data, read when a search first needs it.
        tags: the tags of all photos, read when they are first needed.
        text_matches: which photos are found by words and tags.
        text_hits: which lines of text in photos a search found.
        approval: the setting of which photos are approved; `filters` evaluates it.
        cache_key: the token of the file that holds this table, and what was :attr:`known` then;
            set by `table_cache`.
        order_serial: grows whenever something that lists are sorted by, other than marks, changed
            (a photo came, a capture time arrived), so that views know to sort again.
    """

    def __init__(
        self,
        catalog: Catalog,
        approval: ApprovalSettings | None = None,
        dumped: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        """Read all photos, or only what changed since another table was dumped (:meth:`dump`)."""
        self.catalog = catalog
        self.approval = approval or ApprovalSettings()
        self.cache_key: tuple[str | int, ...] = ()
        self.order_serial = 0
        self.rows = PhotoRows()
        self.folders = PhotoFolders(self.rows, catalog)
        self.ranks = SortRanks(self.rows, self.folders)
        self.scores = Scores(self.rows)
        self.stacks = StackIndex(self.rows, self.folders, self.ranks, catalog)
        self.projects = ProjectIndex(self.rows, catalog)
        self.capture = CaptureColumns(self.rows, catalog)
        self.tags = TagIndex(catalog)
        self.text_matches = TextMatches(catalog, self.tags, self.rows.marked)
        self.text_hits = TextHits(catalog, lambda: self.text_matches.rev)
        if dumped is not None:
            self._restore(dumped)
        self._refresh_folders()
        if not self.size:
            self._read_all()
        self.refresh(folders=False)

    # --- saving and restoring

    @property
    def known(self) -> tuple[int, ...]:
        """The revisions read so far, and the hidden directories: equal if a dump would be."""
        return self.rows.rev, *self.projects.known, *self.folders.hidden

    def dump(self) -> dict[str, NDArray[Any]]:
        """Return the contents as arrays, for the next table.

        Photos that are gone (merged, removed or emptied) are left out.
        """
        by_time, by_name = self.ranks.dump()
        here = ~self.column("gone")
        rows = np.flatnonzero(here)
        capacity = len(rows) + int(len(rows) * _SPARE_SHARE) + _SPARE_ROWS
        dumped = self.rows.dump(rows, capacity)
        new_rows = np.cumsum(here) - 1
        dumped["by_name"] = new_rows[by_name[here[by_name]]]
        dumped["by_time"] = ranked(by_time[rows])
        dumped["known"] = np.array(self.known)
        dumped["hidden"] = np.array(self.folders.hidden, np.int64)
        return dumped | self.projects.dump() | self.stacks.dump(rows, capacity)

    def _restore(self, dumped: Mapping[str, NDArray[Any]]) -> None:
        self.rows.restore(dumped)
        self.folders.restore(dumped["hidden"])
        self.ranks.restore(dumped["by_time"], dumped["by_name"])
        self.scores.resize()
        self.stacks.restore(dumped)
        self.projects.restore(dumped)

    # --- reading changes

    def refresh(self, folders: bool = True, at_most: int | None = None) -> set[int]:
        """Read the changes in the catalog since the last call.

        Args:
            folders: whether to read the list of folders, of which a library of years has
                thousands and which a mark never changes. It is read in any case if a photo is in
                an unknown folder.
            at_most: of more changed photos than this, only the first are read now; None reads all.

        Returns:
            The ids of changed photos; photos added to or removed from a project are among them.
        """
        if folders:
            self._refresh_folders()
        found = self.catalog.photos.changed(self.rows.rev, at_most)
        changed = set() if found is None else self._apply(found)
        return changed | self.projects.refresh()

    def refresh_copies(self) -> set[int]:
        """Read all copies again; return the photos whose names in the viewed folder changed."""
        renamed = self.folders.refresh_copies()
        self.order_serial += bool(renamed)
        return renamed

    def _refresh_folders(self) -> None:
        if self.folders.refresh():
            self.stacks.invalidate()

    def _read_all(self) -> None:
        rev = self.catalog.photos.last_rev()
        self.rows.reserve(self.catalog.photos.last_id())  # hardly more than there are photos
        for part in self.catalog.photos.iterate_columns():
            self._apply(part)
        self.rows.rev = rev

    def _apply(self, columns: Columns) -> set[int]:
        """Put changed photos of the catalog into the columns; return their ids."""
        ids = columns["id"]
        if not self.folders.directories.keys() >= set(np.unique(columns["directory_id"]).tolist()):
            self._refresh_folders()
        known = self.size
        rows, fresh = self.rows.add(ids)
        moved = fresh > 0
        numbers = {}
        relocated = ids[:0]  # known photos whose main files are in other directories now
        cameras = self.rows.camera_numbers(columns["camera"])
        for name, dtype in NUMBERS.items():
            values = cameras if name == "camera" else columns[name]
            numbers[name] = values = values.astype(dtype)
            if name in ORDERING:
                before = self.column(name)[rows]
                if not np.array_equal(before.view("i1"), values.view("i1")):
                    moved = True
                    if name == "taken_at":
                        self.ranks.forget_times()
                    elif name == "directory_id":
                        self.ranks.forget_directories()
                        relocated = ids[(rows < known) & (before != values)]
        self.rows.set_numbers(rows, numbers)
        if self.rows.set_texts(rows, columns, fresh):
            self.ranks.forget_names()
        if len(relocated):
            self.folders.refresh_copies(relocated)
        elif moved:
            self.folders.photos_moved()
        self.scores.resize()
        self.stacks.update(rows)
        self.rows.rev = max(self.rows.rev, int(columns["rev"]))
        if moved:
            self.order_serial += 1
        return set(ids.tolist())

    # --- rows

    @property
    def size(self) -> int:
        """Rows in use; a photo keeps its row for life."""
        return self.rows.size

    @property
    def ids(self) -> Ids:
        """Photo ids by row."""
        return self.rows.ids

    def column(self, name: str) -> NDArray[Any]:
        """Return one numeric column, a view of length ``size``."""
        return self.rows.column(name)

    def texts(self, name: str) -> Texts:
        """Return one column of text (``name``, ``thumb``, ``proxy``)."""
        return self.rows.texts(name)

    def rows_of(self, ids: Sequence[int] | Ids) -> NDArray[np.int64]:
        """Return the rows of known photos, in the same order."""
        return self.rows.rows_of(ids)

    def marked(self, ids: Sequence[int] | Ids) -> Mask:
        """Mark the rows of photos; unknown ids are ignored."""
        return self.rows.marked(ids)

    def knows(self, ids: Ids) -> Mask:
        """Mark the ids of known photos."""
        return self.rows.knows(ids)

    def known_ids(self, ids: Collection[int]) -> Ids:
        """Return those of the ids whose photos are known."""
        listed = np.fromiter(ids, np.int64, len(ids))
        return listed[self.rows.knows(listed)]

    def __contains__(self, photo_id: object) -> bool:
        """Whether a photo of this id is known."""
        return photo_id in self.rows

    # --- masks over rows

    def alive(self) -> Mask:
        """Mark the photos that are not merged, removed, deleted or in a disabled folder."""
        return self.folders.alive()

    def missing(self) -> Mask:
        """Mark the photos whose files are missing or cannot be reached now."""
        return self.folders.missing()

    def failed(self) -> Mask:
        """Mark the photos that could not be read."""
        return self.rows.failed()

    def rejected(self) -> Mask:
        """Mark the photos flagged as rejects."""
        return self.rows.rejected()

    def picked(self) -> Mask:
        """Mark the picks."""
        return self.rows.picked()

    def kept(self) -> Mask:
        """Mark the photos whose verdict is kept."""
        return self.rows.kept()

    def unreviewed(self) -> Mask:
        """Mark the photos that are neither kept nor rejected."""
        return self.rows.unreviewed()

    def matching(self, text: str, column: str = "", prefix: bool = True) -> Mask:
        """Mark photos that match a text, by the name of their copy in the viewed folder, too.

        Args:
            text: words to look for.
            column: where to look, as in :meth:`TextMatches.matching`; empty looks everywhere.
            prefix: whether the beginning of a word is enough.
        """
        found = self.text_matches.matching(text, column, prefix)
        words, here = " ".join(words_of(text)), self.folders.copies_here
        if here and words and column in ("", "name"):
            wanted = f" {words}{'' if prefix else ' '}"
            names = ((photo, " ".join(words_of(name))) for photo, (name, _) in here.items())
            found = found | self.marked([photo for photo, name in names if wanted in f" {name} "])
        return found

    def of_kind(self, word: str) -> Mask:
        """Mark photos with tags that are kinds of a word: herons and swans for "birds"."""
        return self.marked(self.text_matches.kinds(word).ids)

    # --- one photo

    def marks(self, photo_id: int) -> Marks:
        """Return the four fields a person decides."""
        return self.rows.marks(photo_id)

    def marks_of(self, photo_ids: Sequence[int]) -> list[Marks]:
        """Return the marks of several photos, in the same order."""
        return self.rows.marks_of(photo_ids)

    def verdict(self, photo_id: int) -> Verdict:
        """Return the verdict that follows from a photo's marks."""
        return self.rows.marks(photo_id).verdict

    def name(self, photo_id: int) -> str:
        """Return a photo's name for a sentence on screen, safe beside text of any direction."""
        return bidi_safe(self.folders.name(photo_id))

    def state(self, photo_id: int) -> str:
        """Return ``""``, ``"failed"`` or ``"missing"``, as in :meth:`missing`."""
        return self.folders.state(photo_id)

    def tiles(self, photo_ids: Sequence[int]) -> list[Tile]:
        """Return the tiles of photos, in the same order; cheapest for all photos at once."""
        rows, marks = self.rows_of(photo_ids), self.marks_of(photo_ids)
        number = self.rows.numbers_at(rows, DRAWN)
        name, thumb, proxy = self.rows.texts_at(rows, ("name", "thumb", "proxy"))
        if self.folders.copies_here:
            name = list(map(self.folders.name, photo_ids))
        turned, width, height = number["turn"] % 2 == 1, number["width"], number["height"]
        unreviewed = [each.verdict is Verdict.UNREVIEWED for each in marks]
        columns = (  # in the order of Tile's fields
            photo_ids,
            map(bidi_safe, name),
            np.where(turned, height, width).tolist(),
            np.where(turned, width, height).tolist(),
            number["turn"].tolist(),
            thumb,
            proxy,
            marks,
            number["seen"].tolist(),
            number["pair"].tolist(),
            map(self.state, photo_ids),
            number["taken_at"].tolist(),  # None without a capture time
            map(as_measure, number["sharpness"].tolist()),
            map(as_measure, number["exposure"].tolist()),
            map(as_measure, number["eye_sharpness"].tolist()),
            self.scores.matches_at(rows),
            [each.flag is Flag.REJECT for each in marks],
            repeat(False),
            (self.stacks.suggested_at(rows) & unreviewed).tolist(),
            number["damaged"].tolist(),
            self.scores.uncertainties_at(rows),
        )
        return list(map(Tile, *columns))

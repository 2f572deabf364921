"""All photos of the catalog as columns in memory: what lists, filters and counts are made from.

A hundred thousand photos are some 12 MB of numpy columns and two lists of strings; a filter or
a sort over them takes milliseconds, where a query per key press would not. The catalog stays the
truth: :meth:`Table.refresh` asks it for what changed since the last revision seen, whoever
changed it, and takes just that over.
"""

from __future__ import annotations

import gc
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import repeat
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curator.catalog import PHOTO_COLUMNS, Catalog, FolderRow
from curator.files import is_picture_name
from curator.library import snapshot
from curator.library.capture_columns import CaptureColumns
from curator.library.columns import (
    DRAWN,
    FLAG_CODE,
    FLAGS,
    LABELS,
    MARKS,
    NUMBERS,
    OBJECTS,
    ORDERING,
    STATE_CODE,
    STATES,
    as_measure,
    as_score,
    widened,
)
from curator.library.photo_folders import Places, counted
from curator.library.project_index import Shelf
from curator.library.sort_keys import Names, by_time, ranked
from curator.library.spans import Ids, Mask
from curator.library.stack_index import Stacks
from curator.library.text_matches import Lexicon, words_of
from curator.model import Flag, Marks, Verdict, bidi_safe
from curator.settings import ApprovalSettings

_FIRST_CAPACITY = 1024
_AS_THEY_ARE: Mapping[int, tuple[str, int]] = MappingProxyType({})
_NOTHING = np.zeros(0, "f4")


@dataclass(frozen=True, slots=True)
class Tile:
    """What the grid, the filmstrip and a caption need of one photo.

    ``width`` and ``height`` are of the upright picture in px with the user's ``turn`` (quarter
    turns clockwise, 0-3) applied, 0 while unknown. ``thumb`` and ``proxy`` are cache keys.
    ``struck``: rejected while still in the list; ``stale``: no longer fits the filter;
    ``proposed``: by the machine, of an unreviewed stack. ``doubt`` is how unsure the taste model
    is, in stars, where an order asked for it; ``found`` says why a search found it.
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
    match: int | None
    struck: bool = False
    stale: bool = False
    proposed: bool = False
    damaged: bool = False
    doubt: float | None = None
    found: str = ""


class Table:
    """The photos of one catalog, by column.

    Thread: one, the owner of ``catalog``.

    Attributes:
        rev: the revision of the catalog taken over so far.
        size: rows in use; a row keeps its number for life.
        order_serial: grows whenever something that lists are sorted by other than marks
            changed (a photo came, a capture time arrived), so that views know to sort again.
        folder_serial: grows whenever folders went, came back, or are at another path.
        moved: former and new path of folders, for who follows them; whoever does empties it.
        stacks: which photos show as one.
        projects: which photos are in which project, and where.
        capture: what the cameras wrote, read when a search asks for it.
        approval: the setting of which photos are approved; `filters` evaluates it.
    """

    def __init__(
        self, catalog: Catalog, kept: Path | None = None, approval: ApprovalSettings | None = None
    ) -> None:
        """Read all photos; with ``kept``, the file of :meth:`keep`, just what changed since."""
        self._catalog = catalog
        self.approval = approval or ApprovalSettings()
        self.rev = 0
        self.size = 0
        self.order_serial = 0
        self._row_by_id = np.full(_FIRST_CAPACITY, -1, np.int64)  # ids are dense: an array, no dict
        self._ids: Ids = np.zeros(_FIRST_CAPACITY, np.int64)
        self._numbers = {
            name: np.zeros(_FIRST_CAPACITY, dtype) for name, (dtype, _) in NUMBERS.items()
        }
        self.stacks = Stacks(self)
        self.projects = Shelf(self, catalog)
        self._match = np.full(_FIRST_CAPACITY, np.nan, "f4")
        self._expected = np.full(_FIRST_CAPACITY, np.nan, "f4")
        self._answers: dict[str, NDArray[np.float32]] = {}
        self._objects: dict[str, list[object]] = {name: [] for name in OBJECTS}
        self._names = Names(self._objects["name"])
        self._name_rank: NDArray[np.int64] | None = None
        self._time_rank: NDArray[np.int64] | None = None
        self._directories: dict[int, str] = {}
        self._hidden_directories: frozenset[int] = frozenset()
        self._away_directories: frozenset[int] = frozenset()
        self._folders: dict[int, str] = {}
        self.moved: list[tuple[str, str]] = []
        self.folder_serial = 0
        self._copies = np.zeros((0, 2), np.int64)  # photo id, directory id
        self._copy_names: list[str] = []
        self._seen_in = ""  # the folder that is looked at
        self._here: dict[int, tuple[str, int]] = {}  # name and directory there, of copies alone
        self.lexicon = Lexicon(catalog, self.marked)
        self.capture = CaptureColumns(self, catalog)
        self._kept: tuple[object, ...] = ()  # the file's token, and what was known as it was made
        if kept is not None:
            self._recall(kept)
        self.refresh()

    # --- from one window to the next

    def keep(self, path: Path) -> None:
        """Keep what is known now in a file, for the next :class:`Table`, unless it is there.

        Raises:
            OSError: it cannot be written; the former one stays.
            KnownError: the catalog cannot take note of it; the next table reads all photos.
        """
        if self._kept == (self._catalog.snapshot(), *self._known()) and path.exists():
            return
        by_time, by_name = self.time_ranks(), self._names.whole()  # sorted now, not at first use
        here = ~self.column("merged_into")
        rows = np.flatnonzero(here)
        arrays: dict[str, NDArray[Any]] = {"id": self.ids[rows], "rev": np.array(self.rev)}
        arrays |= {name: self.column(name)[rows] for name in NUMBERS}
        places = np.cumsum(here) - 1
        arrays["by_name"] = places[by_name[here[by_name]]]
        arrays["by_time"] = ranked(by_time[rows])
        for name, texts in self._objects.items():
            arrays[name] = snapshot.packed([texts[row] for row in rows.tolist()])
        token = self._catalog.new_snapshot()
        snapshot.write(path, token, arrays | self.projects.kept())
        self._catalog.hold_snapshot(token)
        self._kept = token, *self._known()

    def _known(self) -> tuple[object, ...]:
        return self.rev, self.projects.known

    def _recall(self, path: Path) -> None:
        """Take over what a table kept, as far as the catalog says that it holds."""
        kept = snapshot.read(path, self._catalog.snapshot())
        if kept is None or not {*NUMBERS, *OBJECTS, "by_name", "by_time"} <= kept.keys():
            return
        ids = kept["id"]
        count = len(ids)
        texts = {name: snapshot.unpacked(kept[name], count) for name in OBJECTS}
        self._reach(int(ids.max(initial=0)))
        self._grow(count)
        self._row_by_id[ids] = np.arange(count)
        self._ids[:count] = ids
        self.size = count
        for name in NUMBERS:
            self._numbers[name][:count] = kept[name]
        for name, values in texts.items():
            self._objects[name].extend(values)
        self._names.order = kept["by_name"]
        self._time_rank = kept["by_time"]
        self.stacks.take(np.arange(count))
        self.projects.recall(kept)
        self.rev = int(kept["rev"])
        self._kept = str(kept[snapshot.TOKEN]), *self._known()

    # --- taking over what changed

    def refresh(self, folders: bool = True) -> set[int]:
        """Take over what changed in the catalog since the last call; return those photo ids.

        Photos that came into a project or left one are among them.

        Without ``folders`` the list of folders is read only if a photo lies in an unknown one:
        a mark changes none, and a library of years has thousands.
        """
        if folders:
            self._refresh_directories()
        return self._refresh_photos() | self.projects.refresh()

    def _refresh_photos(self) -> set[int]:
        if self.size:
            return self._take(self._catalog.columns(since_rev=self.rev))
        # A hundred thousand rows wake the collector a hundred times for nothing.
        collecting = gc.isenabled()
        gc.disable()
        try:
            return self._take(self._catalog.columns(since_rev=self.rev))
        finally:
            if collecting:
                gc.enable()

    def _take(self, rows: list[tuple[Any, ...]]) -> set[int]:
        if not rows:
            return set()
        columns = dict(zip(PHOTO_COLUMNS, zip(*rows, strict=True), strict=True))
        if not self._directories.keys() >= set(columns["directory_id"]):
            self._refresh_directories()
        ids = np.array(columns["id"], np.int64)
        self._reach(int(ids.max()))
        fresh = ids[self._row_by_id[ids] < 0]
        self._grow(len(fresh))
        self._row_by_id[fresh] = np.arange(self.size, self.size + len(fresh))
        self.size += len(fresh)
        at = self._row_by_id[ids]
        self._ids[at] = ids
        moved = len(fresh) > 0
        for name, (dtype, convert) in NUMBERS.items():
            values = np.array(convert(columns[name]) if convert else columns[name], dtype)
            column = self._numbers[name]
            if name in ORDERING and not np.array_equal(column[at].view("i1"), values.view("i1")):
                moved = True
                self._time_rank = None
                if name == "directory_id":
                    self._name_rank = None
            column[at] = values
        self._take_objects(at, columns, len(fresh))
        if moved and self._seen_in:
            self._name_copies()
        self.stacks.take(at)
        self.rev = max(self.rev, int(max(columns["rev"])))
        if moved:
            self.order_serial += 1
        return set(ids.tolist())

    def _take_objects(self, at: Ids, columns: dict[str, tuple[Any, ...]], fresh: int) -> None:
        if fresh == len(at):  # all new: they stand in the order of their rows
            for name, values in self._objects.items():
                values.extend(columns[name])
            return
        rows, names = at.tolist(), self._objects["name"]
        known = [row for row in rows if row < len(names)]
        before = [names[row] for row in known]
        for name, values in self._objects.items():
            values.extend([None] * fresh)
            for row, value in zip(rows, columns[name], strict=True):
                values[row] = value
        if before != [names[row] for row in known]:
            self._names.forget()
            self._name_rank = self._time_rank = None

    def _reach(self, photo_id: int) -> None:
        if photo_id >= len(self._row_by_id):
            wider = np.full(max(photo_id + 1, 2 * len(self._row_by_id)), -1, np.int64)
            wider[: len(self._row_by_id)] = self._row_by_id
            self._row_by_id = wider

    def _grow(self, count: int) -> None:
        needed = self.size + count
        if needed <= len(self._ids):
            return
        capacity = max(needed, 2 * len(self._ids))
        self._ids = np.resize(self._ids, capacity)
        self._numbers = {
            name: np.resize(column, capacity) for name, column in self._numbers.items()
        }
        self._match = widened(self._match, self.size, capacity)
        self._expected = widened(self._expected, self.size, capacity)

    def _refresh_directories(self) -> None:
        folders = self._catalog.folders()
        on = {folder.id for folder in folders if folder.enabled}
        listed = self._catalog.directories()
        self._follow_folders(folders, listed)
        known = len(self._directories)
        self._directories = {directory: path for directory, _, path in listed}
        hidden = frozenset(
            directory for directory, folder, _ in listed if folder is not None and folder not in on
        )
        switched, self._hidden_directories = hidden != self._hidden_directories, hidden
        if len(listed) != known or switched:
            self.look_for_copies()
        if switched:
            self.stacks.doubt()

    def _follow_folders(
        self, folders: Sequence[FolderRow], listed: Sequence[tuple[int, int | None, str]]
    ) -> None:
        """Notice which folders are away, and which have another path."""
        paths = {folder.id: folder.path for folder in folders}
        was = self._folders
        moved = [(was[n], path) for n, path in paths.items() if was.get(n, path) != path]
        absent = {folder.id for folder in folders if folder.away}
        away = frozenset(directory for directory, folder, _ in listed if folder in absent)
        if moved or away != self._away_directories:
            self.folder_serial += 1
        self._folders, self._away_directories = paths, away
        self.moved += moved

    # --- masks over rows

    def column(self, name: str) -> NDArray[Any]:
        """Give one numeric column, a view of length ``size``."""
        return self._numbers[name][: self.size]

    def strings(self, name: str) -> Sequence[object]:
        """Give one column of text (``name``, ``camera``, ``thumb``, ``proxy``)."""
        return self._objects[name]

    def marked(self, ids: Sequence[int] | Ids) -> Mask:
        """Mark the rows of photos; such as are not known here have none."""
        wanted = np.asarray(ids, np.int64)
        rows = self._row_by_id[wanted[wanted < len(self._row_by_id)]]
        found = np.zeros(self.size, bool)
        found[rows[rows >= 0]] = True
        return found

    @property
    def id_limit(self) -> int:
        """No photo known here has this id or a larger one."""
        return len(self._row_by_id)

    @property
    def ids(self) -> Ids:
        """Photo ids by row."""
        return self._ids[: self.size]

    def alive(self) -> Mask:
        """Mark the photos there are: not merged away, in no folder that is switched off."""
        mask: Mask = ~self.column("merged_into")
        if self._hidden_directories:
            mask &= ~np.isin(self.column("directory_id"), list(self._hidden_directories))
        return mask

    def inside(self, path: str) -> Mask:
        """Mark the photos in the folder ``path`` and its subfolders."""
        wanted = self._below(path)
        mask: Mask = np.isin(self.column("directory_id"), wanted)
        copied, where = self._copied()
        mask[copied[np.isin(where, wanted)]] = True
        return mask

    def _below(self, path: str) -> list[int]:
        """List the directories at a path and below it."""
        prefix = path.rstrip(os.sep) + os.sep
        return [
            directory
            for directory, where in self._directories.items()
            if where == path or where.startswith(prefix)
        ]

    def look_for_copies(self) -> set[int]:
        """Learn which photos have a copy in another folder, where they show as well.

        Returns:
            The photos that are called otherwise now in the folder that is looked at.
        """
        rows = self._catalog.placements()
        self._copies = np.array([row[:2] for row in rows], np.int64).reshape(-1, 2)
        self._copy_names = [row[2] for row in rows]
        return self._name_copies()

    def look_in(self, folder: str) -> None:
        """Call photos as their copies in a folder are called, where their main file is not in it.

        Args:
            folder: its path; empty, and all are called by their main file.
        """
        self._seen_in = folder
        self._name_copies()

    def _name_copies(self) -> set[int]:
        before, self._here = self._here, {}
        wanted = set(self._below(self._seen_in)) if self._seen_in else set()
        wanted -= self._hidden_directories
        known = self.knows(self._copies[:, 0]) & np.isin(self._copies[:, 1], list(wanted))
        for place in np.flatnonzero(known).tolist():
            photo, where = self._copies[place].tolist()
            row = self._row_by_id[photo]
            if self._numbers["directory_id"][row] not in wanted:
                file = self._copy_names[place]
                # A half of a pair that was split goes by its whole name.
                whole = is_picture_name(str(self._objects["name"][row]))
                self._here.setdefault(photo, (file if whole else PurePath(file).stem, where))
        changed = {photo for photo, _ in before.items() ^ self._here.items()}
        if changed:
            self._name_rank = None
        return changed

    def _copied(self) -> tuple[Ids, Ids]:
        """Give the rows that have a copy in another folder, and the directory ids of these."""
        photos, where = self._copies[self.knows(self._copies[:, 0])].T
        return self.rows_of(photos), where

    def rejected(self) -> Mask:
        """Mark the photos flagged as rejects."""
        return self.column("flag") == FLAG_CODE[Flag.REJECT]

    def picked(self) -> Mask:
        """Mark the picks."""
        return self.column("flag") == FLAG_CODE[Flag.PICK]

    def kept(self) -> Mask:
        """Mark the photos whose verdict is through; :attr:`Marks.verdict` by column."""
        yes = self.column("kept") | self.picked() | (self.column("rating") > 0)
        return yes & ~self.rejected()

    def unreviewed(self) -> Mask:
        """Mark the photos nobody has judged."""
        return ~(self.kept() | self.rejected())

    def failed(self) -> Mask:
        """Mark the photos that could not be read."""
        return self.column("state") == STATE_CODE["failed"]

    def missing(self) -> Mask:
        """Mark the photos whose files are not where they were, or cannot be reached now."""
        mask: Mask = self.column("state") == STATE_CODE["missing"]
        if self._away_directories:
            away = np.isin(self.column("directory_id"), list(self._away_directories))
            copied, where = self._copied()
            away[copied[~np.isin(where, list(self._away_directories))]] = False
            mask |= away & ~self.failed()
        return mask

    @property
    def match(self) -> NDArray[np.float32]:
        """Match scores 0-100 by row, NaN where there is none."""
        return self._match[: self.size]

    def set_scores(self, ids: Ids, match: NDArray[np.int16], expected: NDArray[np.float32]) -> None:
        """Take over what a taste model says; photos it does not name have no score.

        Args:
            ids: (N,) photo ids; such as are not known here are left out.
            match: (N,) match scores 0-100.
            expected: (N,) stars foretold.
        """
        self._match[:] = np.nan
        self._expected[:] = np.nan
        inside = ids < len(self._row_by_id)
        rows = self._row_by_id[ids[inside]]
        here = rows >= 0
        self._match[rows[here]] = match[inside][here]
        self._expected[rows[here]] = expected[inside][here]

    def set_answer(self, order: str, ids: Ids, values: NDArray[np.float32]) -> None:
        """Take over what an order sorts by that had to be asked for; others have none any more.

        Args:
            order: its name.
            ids: (N,) known photos.
            values: (N,) what it sorts by, NaN for none.
        """
        found = self._answers[order] = np.full(self.size, np.nan, "f4")
        found[self._row_by_id[ids]] = values

    def answer(self, order: str) -> NDArray[np.float32]:
        """Give what was asked for an order, by row; NaN where there is nothing."""
        known = self._answers.get(order, _NOTHING)
        return widened(known, len(known), self.size)

    def score(self, photo_id: int) -> int | None:
        """Give a photo's match score 0-100, None without one."""
        return as_score(self._match[self._row_by_id[photo_id]])

    def expected(self, photo_id: int) -> float | None:
        """Give the stars foretold for a photo, None without a prediction."""
        return as_measure(self._expected[self._row_by_id[photo_id]])

    def expected_of(self, ids: Ids) -> NDArray[np.float32]:
        """Give the stars foretold for known photos, (N,) float32; NaN without a prediction."""
        return self._expected[self._row_by_id[ids]]

    # --- ranks, by which orders break ties

    def time_ranks(self) -> Ids:
        """Give each row's place by capture time, folder, name; photos without a time come last."""
        if self._time_rank is None or len(self._time_rank) != self.size:
            self._time_rank = by_time(self.column("taken_at"), self._by_name)
        return self._time_rank

    def name_ranks(self) -> Ids:
        """Give each row's place by folder and name; equal ones keep the order they came in."""
        if self._name_rank is None or len(self._name_rank) != self.size:
            self._name_rank = self._by_name(np.arange(self.size), self._here)
        return self._name_rank

    def _by_name(self, rows: Ids, here: Mapping[int, tuple[str, int]] = _AS_THEY_ARE) -> Ids:
        """Give the place of each of some rows among them, by folder and name, or by those here."""
        by_path = np.zeros(max(self._directories, default=0) + 1, np.int64)
        for place, where in enumerate(sorted(self._directories, key=self._directories.get)):  # type: ignore[arg-type]
            by_path[where] = place
        places = np.empty(len(rows), np.int64)
        directory, by_name = self.column("directory_id")[rows], self._names.places
        if here:
            names = self._objects["name"][: self.size]
            directory = directory.copy()
            for photo, (name, where) in here.items():
                names[self._row_by_id[photo]], directory[self._row_by_id[photo]] = name, where
            by_name = Names(names).places
        places[np.lexsort((by_name(rows), by_path[directory]))] = np.arange(len(rows))
        return places

    # --- one photo

    def __contains__(self, photo_id: object) -> bool:
        """Tell whether a photo is known here."""
        return (
            isinstance(photo_id, int)
            and 0 <= photo_id < len(self._row_by_id)
            and self._row_by_id[photo_id] >= 0
        )

    def knows(self, ids: Ids) -> Mask:
        """Tell of each id whether a photo of it is known here."""
        inside = (ids >= 0) & (ids < len(self._row_by_id))
        found: Mask = inside.copy()
        found[inside] = self._row_by_id[ids[inside]] >= 0
        return found

    def rows_of(self, ids: Sequence[int] | Ids) -> NDArray[np.int64]:
        """Give the rows of known photos, in the same order."""
        return self._row_by_id[np.asarray(ids, np.int64)]

    def marks(self, photo_id: int) -> Marks:
        """Give the four fields a person decided."""
        return self._marks(int(self._row_by_id[photo_id]))

    def marks_of(self, photo_ids: Sequence[int]) -> list[Marks]:
        """Give those of several photos, in the same order."""
        rows = self.rows_of(photo_ids)
        fields = (self._numbers[name][rows].tolist() for name in MARKS)
        return [_decoded(*coded) for coded in zip(*fields, strict=True)]

    def name(self, photo_id: int) -> str:
        """Return the name shown on screen, for a sentence: :meth:`plain_name`, bidi_safe."""
        return bidi_safe(self.plain_name(photo_id))

    def plain_name(self, photo_id: int) -> str:
        """Return what a photo is called: in a folder of copies, by the one that lies there."""
        here = self._here.get(photo_id)
        return here[0] if here else str(self._objects["name"][self._row_by_id[photo_id]])

    def state(self, photo_id: int) -> str:
        """Give ``""``, ``"failed"`` or ``"missing"``, as :meth:`missing` has it."""
        row = self._row_by_id[photo_id]
        state = STATES[self._numbers["state"].item(row)]
        if state or self._numbers["directory_id"][row] not in self._away_directories:
            return state
        copies = self._copies[self._copies[:, 0] == photo_id, 1].tolist()
        return "missing" if self._away_directories.issuperset(copies) else state

    def verdict(self, photo_id: int) -> Verdict:
        """Give what a photo's marks amount to."""
        return self.marks(photo_id).verdict

    def directory(self, photo_id: int) -> str:
        """Return the folder a photo's main file lies in, or in a folder of copies its copy."""
        here = self._here.get(photo_id)
        main = self._numbers["directory_id"].item(self._row_by_id[photo_id])
        return self._directories.get(here[1] if here else main, "")

    def worded(self, text: str, column: str = "", prefix: bool = True) -> Mask:
        """Mark photos with words, those of a copy's name in the folder looked at among them."""
        found = self.lexicon.worded(text, column, prefix)
        words = " ".join(words_of(text))
        if self._here and words and column in ("", "name"):
            wanted = f" {words}{'' if prefix else ' '}"
            names = ((photo, " ".join(words_of(name))) for photo, (name, _) in self._here.items())
            found = found | self.marked([photo for photo, name in names if wanted in f" {name} "])
        return found

    def tiles(self, photo_ids: Sequence[int]) -> list[Tile]:
        """Gather what is drawn of photos, in the same order; all at once that is cheap."""
        rows, marks = self.rows_of(photo_ids), self.marks_of(photo_ids)
        number = {column: self._numbers[column][rows] for column in DRAWN}
        name, thumb, proxy = (
            [self._objects[column][row] for row in rows.tolist()]
            for column in ("name", "thumb", "proxy")
        )
        if self._here:
            name = list(map(self.plain_name, photo_ids))
        turned, width, height = number["turn"] % 2 == 1, number["width"], number["height"]
        unreviewed = [each.verdict is Verdict.UNREVIEWED for each in marks]
        columns = (
            photo_ids,
            map(bidi_safe, name),
            np.where(turned, height, width).tolist(),
            np.where(turned, width, height).tolist(),
            number["turn"].tolist(),
            thumb,
            proxy,
            marks,
            number["seen_at"].tolist(),
            number["pair"].tolist(),
            map(self.state, photo_ids),
            number["taken_at"].tolist(),  # None where no time is known
            map(as_measure, number["sharpness"].tolist()),
            map(as_measure, number["exposure"].tolist()),
            map(as_score, self._match[rows].tolist()),
            [each.flag is Flag.REJECT for each in marks],
            repeat(False),
            (self.stacks.proposed_at(rows) & unreviewed).tolist(),
            number["damaged"].tolist(),
            map(as_measure, self._doubts(rows)),
        )
        return list(map(Tile, *columns))

    def _doubts(self, rows: Ids) -> list[float]:
        known = self._answers.get("uncertain", _NOTHING)
        return [known.item(row) if row < len(known) else math.nan for row in rows.tolist()]

    def _marks(self, row: int) -> Marks:
        return _decoded(*(self._numbers[name].item(row) for name in MARKS))

    # --- the tree of folders

    @property
    def directories(self) -> dict[int, str]:
        """Folder paths by directory id."""
        return self._directories

    def count_by_places(self) -> dict[Places, int]:
        """Count photos, merged ones left out, by the directories they are to be seen in."""
        copied, where = self._copied()
        seen = self.alive()[copied]
        here = ~self.column("merged_into")
        return counted(self.column("directory_id"), here, copied[seen], where[seen])


@lru_cache(maxsize=1024)
def _decoded(flag: int, rating: int, label: int, kept: bool) -> Marks:
    """Give what these values of the columns say; alike marks are one object."""
    return Marks(FLAGS[flag], rating or None, LABELS[label], kept)

"""Which directories changed, when to list them, and which of their files are completely written.

    changes.note("/photos/iceland")              # thousands a second while a card is copied
    for directory in changes.due():              # few: once quiet, or after some seconds
        still = changes.look(directory, files.walk([...]))

`folder_watcher` uses this. A file is *still* when two looks at least a second apart found the same
size and time, and it was not written within the last second. Curator waits much longer for an empty
file, or one that another program locks. A copy over a network that stalls for longer looks
complete; when it continues, it is a changed file and is read again.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from curator.model import FoundFile

QUIET_S = 1.0  # a directory is listed after this long without a change,
LATEST_S = 4.0  # or this long after the first change in any case,
EACH_S = 0.0005  # plus this for each file in it, because listing takes longer
APART_S = 1.0  # the shortest time between two looks at a file
SLOWEST_S = 10.0  # the longest time between two looks while files are not still
PATIENCE_S = 600.0  # how long to wait for an empty or locked file
_WRITTEN_NS = 1_000_000_000  # a file written so recently is not still


@dataclass
class ChangingDirectory:
    """A directory in which something changed.

    Attributes:
        directory: its path.
        deep: everything below it may have changed too.
    """

    directory: str
    deep: bool = False
    _since: float = 0.0  # when the first change since the last look came
    _last: float | None = None  # when the last such change came; None if there is none
    _again_at: float | None = None  # when to look again without a further change
    _pause: float = APART_S
    _paired: bool = False  # the last look was the second of two
    _seen: dict[str, tuple[int, int, float]] = field(default_factory=dict)
    _passed_on: dict[str, tuple[int, int]] | None = None  # size and time of files

    def note(self, now: float) -> None:
        """Note a change."""
        if self._last is None:
            self._since = now
        self._last = now

    @property
    def due_at(self) -> float:
        """When to look at the directory, on the monotonic clock."""
        if self._last is not None and (self._again_at is None or self._paired):
            latest = LATEST_S + EACH_S * len(self._seen)
            return min(self._last + QUIET_S, self._since + latest)
        return self._again_at if self._again_at is not None else self._since

    def begin(self) -> None:
        """Begin a look: changes from now on count for the next."""
        self._last = None

    def end(self, found: list[FoundFile], now: float, wall_ns: int) -> list[FoundFile] | None:
        """Return the files that are still; None if they are the same as before."""
        seen: dict[str, tuple[int, int, float]] = {}
        moving: set[tuple[str, str]] = set()
        for file in found:
            size, mtime_ns, since = self._seen.get(file.path, (-1, -1, now))
            if (size, mtime_ns) != (file.size, file.mtime_ns):
                since = now
            seen[file.path] = (file.size, file.mtime_ns, since)
            if not _is_still(file, now - since, wall_ns, self._passed_on):
                moving.add(_photo_key(file))
        self._pause = APART_S if seen != self._seen else min(2 * self._pause, SLOWEST_S)
        self._seen = seen
        self._paired = self._again_at is not None and not self._paired
        self._again_at = now + self._pause if moving else None
        # A RAW, its JPEG and its sidecar are one photo and are passed on together.
        still = [file for file in found if _photo_key(file) not in moving] if moving else found
        passed_on = {file.path: (file.size, file.mtime_ns) for file in still}
        if passed_on == self._passed_on or (self._passed_on is None and moving and not still):
            return None
        self._passed_on = passed_on
        return still

    @property
    def done(self) -> bool:
        """Whether all files are still and were passed on."""
        return self._last is None and self._again_at is None


class Changes:
    """Gathers the changes in one folder until it is quiet.

    Thread: one at a time; the owner holds a lock.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Begin without changes; ``clock`` is monotonic, in s, ``wall_ns`` is Unix time in ns."""
        self._clock, self._wall_ns = clock, wall_ns
        self._changing: dict[str, ChangingDirectory] = {}

    def note(self, directory: str, deep: bool = False) -> None:
        """Note a change in a directory; ``deep``: or anywhere below it."""
        changing = self._changing.get(directory)
        if changing is None:
            changing = self._changing[directory] = ChangingDirectory(directory)
        changing.deep = changing.deep or deep
        changing.note(self._clock())

    def wait_s(self) -> float | None:
        """Return for how long no directory is due, in s; None: until something changes."""
        if not self._changing:
            return None
        return max(0.0, min(each.due_at for each in self._changing.values()) - self._clock())

    def due(self) -> list[ChangingDirectory]:
        """Return the directories to look at now; each must then be looked at or dropped."""
        self._gather()
        now = self._clock()
        found = [changing for changing in self._changing.values() if changing.due_at <= now]
        for changing in found:
            changing.begin()
        return found

    def _gather(self) -> None:
        """Drop directories below one that is listed with everything below it."""
        top: ChangingDirectory | None = None
        for path in sorted(self._changing, key=lambda path: PurePath(path).parts):
            changing = self._changing[path]
            if top is not None and path.startswith(top.directory.rstrip(os.sep) + os.sep):
                if changing._last is not None:
                    top.note(max(changing._last, top._last or 0.0))
                del self._changing[path]
            elif changing.deep:
                top = changing

    def look(
        self, changing: ChangingDirectory, found: Iterable[FoundFile]
    ) -> list[FoundFile] | None:
        """Return which files of a directory are still; None if they are the same as before."""
        still = changing.end(list(found), self._clock(), self._wall_ns())
        if changing.done:
            self.drop(changing)
        return still

    def renew(self, directory: str, deep: bool) -> None:
        """Look at a directory again from scratch: what was passed on got lost."""
        self._changing.pop(directory, None)
        self.note(directory, deep)

    def drop(self, changing: ChangingDirectory) -> None:
        """Stop looking at a directory until something changes there."""
        self._changing.pop(changing.directory, None)

    def clear(self) -> None:
        """Forget all changes."""
        self._changing.clear()

    def __bool__(self) -> bool:
        return bool(self._changing)


def _is_still(
    file: FoundFile, same_s: float, wall_ns: int, passed_on: dict[str, tuple[int, int]] | None
) -> bool:
    if passed_on is not None and passed_on.get(file.path) == (file.size, file.mtime_ns):
        return True
    # A time in the future means a wrong clock; two equal looks decide.
    if same_s < APART_S or 0 <= wall_ns - file.mtime_ns < _WRITTEN_NS:
        return False
    return same_s >= PATIENCE_S or (file.size > 0 and not _is_held(file.path))


def _is_held(path: str) -> bool:
    """Whether another program locks a file: on Windows, while it is copied."""
    if sys.platform != "win32":
        return False
    try:
        Path(path).open("rb").close()
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def _photo_key(file: FoundFile) -> tuple[str, str]:
    """Return a key shared by the files of one photo: DSC_1.NEF, DSC_1.JPG, DSC_1.NEF.xmp.

    Files of other photos may share it (a.1.jpg, a.2.jpg); they then wait for each other.
    """
    directory, _, name = file.path.rpartition(os.sep)  # a Path would cost as much as the rest
    return directory, name.partition(".")[0].casefold()

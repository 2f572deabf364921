"""The photos that a person asked to be described, or their text read, and what became of them.

`descriptions` and `photo_text` use it. Photos asked for until all results are there are counted
together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from curator.model import counted
from curator.pipeline.events import RequestNews
from curator.session.catalog_watcher import CatalogWatcher
from curator.session.messages import Messages
from curator.session.photo_list import PhotoList


class Wording(NamedTuple):
    """The sentences about one kind of work, as templates.

    Attributes:
        began: the work began for ``{photos}``.
        failed: it failed for ``{name}``.
        counts: the results of several photos: ``{found}``, ``{done}``, ``{total}``, ``{failed}``
            and ``{left}``; the last two are empty if there are none.
        nothing: nothing was found in a single photo.
    """

    began: str
    failed: str
    counts: str
    nothing: str = ""


class RequestedPhotos:
    """The photos for whose results a person waits.

    Thread: GUI only.
    """

    def __init__(
        self, photos: PhotoList, watcher: CatalogWatcher, messages: Messages, wording: Wording
    ) -> None:
        self._photos, self._watcher = photos, watcher
        self._messages, self._wording = messages, wording
        self._names: dict[int, str] = {}  # by id, of the photos whose results are not there
        self._total = self._found = self._failed = 0  # counts of the photos asked for together

    def __contains__(self, photo_id: int) -> bool:
        """Whether the person waits for the result of a photo."""
        return photo_id in self._names

    def ask(self, photos: Sequence[int], refusal: str) -> list[int]:
        """Note that the person asked for photos, and say so, or why nothing can be done.

        Args:
            photos: the photos; those that could not be read are left out.
            refusal: why no photo can be asked for now; empty if they can.

        Returns:
            The photos to work on; empty if there are none.
        """
        table, named = self._photos.table, self._photos.named
        wanted = [photo for photo in photos if table.state(photo) != "failed"]
        if not photos:
            self._messages.say("There is no photo here.")
        elif refusal:
            self._messages.say(refusal)
        elif not wanted:
            self._messages.say(f"{named(photos)} could not be read.")
        else:
            self._total += sum(photo not in self._names for photo in wanted)
            self._names |= {photo: table.name(photo) for photo in wanted}
            self._messages.say(self._wording.began.format(photos=named(wanted)))
            return wanted
        return []

    def take(self, news: RequestNews, result: Callable[[int], str]) -> None:
        """Read a photo the person waits for again, and announce its result.

        Args:
            news: whether the work failed.
            result: returns what was found in a photo, for people; empty if nothing was.
        """
        photo, name = news.photo_id, self._names[news.photo_id]
        if not news.again:
            del self._names[photo]
        self._watcher.reload([photo])
        failure = f"{self._wording.failed.format(name=name)} {news.reason}" if news.reason else ""
        if news.again:
            self._messages.announce(f"{failure} It will be retried.")
            return
        found = "" if failure else result(photo)
        self._found += bool(found)
        self._failed += bool(failure)
        if self._total == 1:
            self._messages.announce(failure or f"{name}: {found or self._wording.nothing}")
        else:
            self._messages.announce(f"{failure} {self._counts()}".lstrip())
        if not self._names:
            self._total = self._found = self._failed = 0

    def _counts(self) -> str:
        left = len(self._names)
        return self._wording.counts.format(
            found=f"{self._found:,}",
            done=counted(self._total - left, "photo"),
            total=f"{self._total:,}",
            failed=f", {self._failed:,} failed" if self._failed else "",
            left=f", {left:,} left" if left else "",
        )

"""When changed folders are checked, and which files are no longer being written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from curator.model import FoundFile, Kind
from curator.pipeline.file_stability import (
    LATEST_S,
    PATIENCE_S,
    SLOWEST_S,
    Changes,
    ChangingDirectory,
)

DAY = 86_400.0
TOP = os.sep + "card"


class Card:
    """A folder whose files and clock the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.files: dict[str, tuple[int, float]] = {}  # size, and when it was written
        self.looks: list[float] = []
        self.changes = Changes(lambda: self.now, lambda: int((DAY + self.now) * 1e9))

    def write(self, name: str, size: int, at: float | None = None) -> None:
        self.files[name] = (size, DAY + (self.now if at is None else at))
        self.changes.note(TOP)

    def found(self) -> list[FoundFile]:
        return [
            FoundFile(
                str(Path(TOP, name)),
                Kind.SIDECAR if name.endswith(".xmp") else Kind.IMAGE,
                size,
                int(at * 1e9),
            )
            for name, (size, at) in sorted(self.files.items())
        ]

    def look(self) -> list[set[str]]:
        reported = []
        for place in self.changes.due():
            self.looks.append(self.now)
            still = self.changes.look(place, self.found())
            if still is not None:
                reported.append({Path(file.path).name for file in still})
        return reported

    def until(self, end: float, step: float = 0.1) -> list[tuple[float, set[str]]]:
        """Advance the clock; return which files were reported, and when."""
        reported = []
        while self.now < end:
            reported += [(self.now, still) for still in self.look()]
            self.now += step
        return reported


@pytest.fixture
def card() -> Card:
    return Card()


def test_a_file_is_still_after_two_equal_checks_a_second_apart(card: Card) -> None:
    card.write("1.jpg", 10)
    reported = card.until(1010)
    assert [still for _, still in reported] == [{"1.jpg"}]
    assert 1002 <= reported[0][0] < 1002.5
    assert len(card.looks) == 2
    assert card.changes.wait_s() is None  # nothing is left to look at


def test_a_growing_file_is_waited_for(card: Card) -> None:
    for _ in range(40):  # it says nothing of itself between its beginning and its end
        card.files["1.jpg"] = (card.files.get("1.jpg", (0, 0))[0] + 1, DAY + card.now)
        if card.now == 1000:
            card.changes.note(TOP)
        assert card.until(card.now + 0.5) == []
    reported = card.until(card.now + 20)
    assert [still for _, still in reported] == [{"1.jpg"}]
    assert reported[0][0] >= 1020.5


def test_a_copy_with_an_old_time_needs_two_checks_too(card: Card) -> None:
    card.write("1.jpg", 10, at=-50_000)
    card.until(1001.05)
    card.files["1.jpg"] = (20, card.files["1.jpg"][1])  # written on with its old time
    reported = card.until(1010)
    assert [still for _, still in reported] == [{"1.jpg"}]
    assert reported[0][0] >= 1003


def test_a_clock_that_is_ahead_does_not_keep_a_file_out(card: Card) -> None:
    card.write("1.jpg", 10, at=90_000)
    assert [still for _, still in card.until(1010)] == [{"1.jpg"}]


def test_files_of_one_photo_are_reported_together(card: Card) -> None:
    card.write("1.NEF", 10, at=0)
    card.write("1.jpg", 10, at=0)
    card.write("1.NEF.xmp", 10, at=0)
    card.write("2.jpg", 10, at=0)
    card.until(1001.05)
    card.files["1.jpg"] = (11, card.files["1.jpg"][1])
    reported = [still for _, still in card.until(1010)]
    assert reported == [{"2.jpg"}, {"1.NEF", "1.jpg", "1.NEF.xmp", "2.jpg"}]


def test_an_empty_file_is_waited_for_but_not_forever(card: Card) -> None:
    card.write("1.jpg", 0)
    reported = card.until(1000 + PATIENCE_S + 60)
    assert [still for _, still in reported] == [{"1.jpg"}]
    assert reported[0][0] >= 1000 + PATIENCE_S
    assert len(card.looks) < PATIENCE_S / SLOWEST_S + 10


def test_a_file_that_keeps_changing_does_not_delay_others(card: Card) -> None:
    reported: list[set[str]] = []
    for number in range(100):  # a photo every half second: it is never quiet here
        card.write(f"{number:02}.jpg", 10)
        reported += [still for _, still in card.until(card.now + 0.5)]
    assert 3 <= len(reported) <= 2 * 50 / LATEST_S  # few looks
    assert max(map(len, reported)) > 70
    reported += [still for _, still in card.until(card.now + 10)]
    assert len(reported[-1]) == 100


def test_a_removed_file_is_reported_at_the_first_check(card: Card) -> None:
    card.write("1.jpg", 10, at=0)
    card.until(1010)
    del card.files["1.jpg"]
    card.changes.note(TOP)
    reported = card.until(1020)
    assert [still for _, still in reported] == [set()]
    assert reported[0][0] < 1011.5


def test_a_directory_tree_is_checked_only_once(card: Card) -> None:
    below = str(Path(TOP, "a", "b"))
    card.changes.note(TOP, deep=True)
    card.changes.note(below)
    card.changes.note(TOP + " 2")
    card.now += 1.5
    card.changes.note(below)  # not quiet yet
    assert [place.directory for place in card.changes.due()] == [TOP + " 2"]
    card.now += 1.5
    assert ChangingDirectory(TOP, True).deep
    due = {place.directory: place.deep for place in card.changes.due()}
    assert due[TOP] is True
    assert below not in due


def test_thousands_of_events_make_one_changed_directory(card: Card) -> None:
    for _ in range(5000):
        card.changes.note(TOP)
    card.now += 2
    assert len(card.changes.due()) == 1

"""Learning a person's taste from the catalog: what was rated goes in, scores come out.

    pupil = Pupil(catalog, settings.taste, home.cache)
    pupil.look()                    # vectors that are new
    pupil.study()                   # what is thought of photos, all of it or of some
    learned = pupil.learn()         # one solve, one product; Learned.scores by Learned.ids

The command line uses it once, the window keeps one on a thread of its own (`live`).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curator import taste
from curator.catalog import Catalog, Foreseen, Lesson, TasteRow
from curator.session.archive import Archive
from curator.settings import Taste

START = taste.START
# A reject says less than a star: it may be the third of three good ones. Below one star.
_REJECT_STARS, _REJECT_WEIGHT = 0.5, 0.5
_SAMPLE = 4000  # rows the space is learned from
_GROWN = 2.0  # times the archive may grow before the space is learned anew
_DAY_S = 86_400.0


@dataclass(frozen=True, eq=False)
class Learned:
    """What is known of a person's taste now.

    ``ids``, ``predicted`` (stars, float32, not stretched) and ``scores`` (0-100, int16) go
    together; they are empty while there is no ``model``. ``stars`` counts photos with stars,
    ``taught`` those of them that have a vector, ``vectors`` the photos an encoder has seen.
    """

    encoder: str
    stars: int
    taught: int
    vectors: int
    model: taste.TasteModel | None = None
    ids: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    predicted: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    scores: NDArray[np.int16] = field(default_factory=lambda: np.zeros(0, np.int16))

    @property
    def ready(self) -> bool:
        """Whether there are scores."""
        return self.model is not None

    @property
    def name(self) -> str:
        """Name the model: by which encoder, from how many ratings."""
        return f"{self.encoder}, {self.taught} ratings"

    def by_id(self) -> dict[int, int]:
        """Give the match scores by photo id."""
        return dict(zip(self.ids.tolist(), self.scores.tolist(), strict=True))

    @property
    def sentence(self) -> str:
        """Say in one line where learning stands."""
        if self.ready:
            return f"Taste is ready: learned from {self.taught:,} photos with stars."
        if self.stars < START:
            missing = START - self.stars
            return f"{missing} more photo{'s' * (missing > 1)} with stars until taste is ready."
        if not self.vectors:
            return "Photos were not compared yet, so nothing can be learned from their stars."
        return f"{START - self.taught} photos with stars are still to be compared."


class Pupil:
    """Keeps all that makes the next lesson cheap.

    Thread: one, that of the catalog.
    """

    def __init__(self, catalog: Catalog, settings: Taste, scratch: Path) -> None:
        """Begin without having looked at anything; ``scratch`` is for a temporary file."""
        self.catalog = catalog
        self.archive = Archive(scratch)
        self.learned: Learned | None = None  # by the last :meth:`learn`
        self._settings = settings
        self._known: dict[int, Lesson] = {}
        self._lessons: taste.Lessons | None = None
        self._spaced_at = 0
        self._epoch: float | None = None

    def look(self) -> bool:
        """Take in vectors that are new; say whether there were any."""
        encoder = self.archive.encoder
        fresh = self.archive.sync(self.catalog)
        if encoder != self.archive.encoder:
            self._lessons = None
        if self._lessons is not None and self.archive.size < _GROWN * self._spaced_at:
            self._put([self._known[photo] for photo in fresh.tolist() if photo in self._known])
        elif len(fresh):
            self._lessons = None  # the archive's structure changed: a new space
        return len(fresh) > 0

    def study(self, ids: Sequence[int] | None = None) -> None:
        """Take in what is thought of photos now: of all, or of those whose marks changed."""
        found = self.catalog.lessons(ids)
        gone = set(ids or ()) if ids is not None else set(self._known)
        told = [lesson for lesson in found if lesson.rating is not None or lesson.rejected]
        gone -= {lesson.photo_id for lesson in told}
        for photo in gone:
            if self._known.pop(photo, None) is not None and self._lessons is not None:
                self._lessons.drop(photo)
        changed = [lesson for lesson in told if self._known.get(lesson.photo_id) != lesson]
        self._known |= {lesson.photo_id: lesson for lesson in changed}
        if self._lessons is not None:
            self._put(changed)

    def _put(self, lessons: Sequence[Lesson]) -> None:
        assert self._lessons is not None
        places = self.archive.places([lesson.photo_id for lesson in lessons])
        seen = [
            (lesson, place) for lesson, place in zip(lessons, places, strict=True) if place >= 0
        ]
        if not seen:
            return
        keys = [lesson.photo_id for lesson, _ in seen]
        times = [lesson.decided_at for lesson, _ in seen]
        if self._epoch is None:
            self._epoch = min(times)
        strength = np.array([_REJECT_WEIGHT if lesson.rejected else 1.0 for lesson, _ in seen])
        strength *= taste.recency(times, self._settings.half_life_days * _DAY_S, self._epoch)
        stars = [_REJECT_STARS if each.rejected else float(each.rating or 0) for each, _ in seen]
        rows = self.archive.rows[[place for _, place in seen]]
        self._lessons.put(keys, rows, stars, strength, keys)

    def _begin(self) -> taste.Lessons:
        """Learn the space of the archive, and put all that is known into it."""
        rows, size = self.archive.rows, self.archive.size
        step = max(size // _SAMPLE, 1)
        space = taste.Space.of(np.array(rows[::step]), self.archive.dimension)
        self._lessons, self._spaced_at = taste.Lessons(space), size
        self._put(list(self._known.values()))
        return self._lessons

    def learn(self) -> Learned:
        """Learn from all that was studied, and score the archive; from START stars on."""
        self.learned = self._learn()
        return self.learned

    def _learn(self) -> Learned:
        archive = self.archive
        rated = [lesson.photo_id for lesson in self._known.values() if _has_stars(lesson)]
        taught = int((archive.places(rated) >= 0).sum())
        where = Learned(archive.encoder, len(rated), taught, archive.size)
        if taught < START:
            return where
        lessons = self._lessons or self._begin()
        model = lessons.fit()
        predicted = model.rating(archive.rows)
        return Learned(
            archive.encoder,
            len(rated),
            taught,
            archive.size,
            model,
            archive.ids.copy(),
            predicted,
            model.scores(predicted),
        )

    def search(self) -> Callable[[], taste.Choice] | None:
        """Give the search of the penalty that is due, for another thread; None if none is."""
        lessons = self._lessons
        return lessons.search_job() if lessons is not None and lessons.search_due else None

    def adopt(self, choice: taste.Choice) -> None:
        """Use what a search settled, from the next :meth:`learn` on."""
        if self._lessons is not None:
            self._lessons.adopt(choice)

    def snapshot(self) -> int | None:
        """Keep a version of the model, if it learned anything since the newest; its number."""
        learned = self.learned
        if learned is None or learned.model is None:
            return None
        newest = next(iter(self.catalog.taste_versions()), None)
        if newest is not None and (newest.encoder, newest.ratings) == (
            learned.encoder,
            learned.taught,
        ):
            return None
        judged = judge(self.catalog.foreseen())
        enough = judged.count >= START
        held = io.BytesIO()
        np.savez_compressed(held, allow_pickle=False, **learned.model.to_numbers())
        return self.catalog.save_taste_version(
            TasteRow(
                0,
                0.0,
                learned.encoder,
                learned.taught,
                judged.correlation if enough else None,
                judged.error if enough else None,
                judged.mean_error if enough else None,
                held.getvalue(),
            )
        )


def judge(foreseen: Sequence[Foreseen]) -> taste.Accuracy:
    """Judge the predictions that were stored before ratings, oldest first."""
    predicted = [np.nan if told.expected is None else told.expected for told in foreseen]
    return taste.accuracy(predicted, [told.rating for told in foreseen])


def learned_now(catalog: Catalog, settings: Taste, scratch: Path) -> Learned:
    """Learn once from all there is: what the command line does. A second at 100,000 photos."""
    pupil = Pupil(catalog, settings, scratch)
    if catalog.stars() >= START:
        pupil.look()
    pupil.study()
    return pupil.learn()


def _has_stars(lesson: Lesson) -> bool:
    return lesson.rating is not None and not lesson.rejected

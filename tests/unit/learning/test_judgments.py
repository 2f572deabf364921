"""Marks as columns: what changed, and the training examples made of them."""

from __future__ import annotations

import numpy as np
import pytest

from curator.catalog import Judgment
from curator.learning.judgments import Judgments, examples


def drawn(rng: np.random.Generator, photo: int) -> Judgment:
    """Return random marks of a photo; every third is in no stack."""
    stack = -photo if photo % 3 == 0 else int(rng.integers(1, 15))
    rejected = bool(rng.random() < 0.4)
    rating = int(rng.integers(1, 6)) if rng.random() < 0.4 else None
    kept = not rejected and (rating is not None or bool(rng.random() < 0.3))
    return Judgment(photo, rating, rejected, kept, stack, float(rng.integers(1, 9)))


def test_an_update_returns_what_changed_and_nothing_else() -> None:
    marks = Judgments()
    first = [Judgment(each, 3, False, True, -each, 1.0) for each in (5, 2, 9)]
    gone, new = marks.update(first)
    assert len(gone) == 0 and new["photo_id"].tolist() == [2, 5, 9]
    gone, new = marks.update([first[0], first[1]._replace(rating=4)], [5, 2, 9])
    assert gone["photo_id"].tolist() == [2, 9] and new[["photo_id", "rating"]].tolist() == [(2, 4)]
    assert marks.marks["photo_id"].tolist() == [2, 5]
    gone, new = marks.update([Judgment(2, None, False, False, -2, 0.0)], [2, 7])
    assert gone["photo_id"].tolist() == [2] and len(new) == 0
    assert [len(each) for each in marks.update([], [7])] == [0, 0]
    assert marks.update([])[0]["photo_id"].tolist() == [5] and len(marks.marks) == 0


@pytest.mark.parametrize("seed", range(5))
def test_examples_are_those_found_stack_by_stack(seed: int) -> None:
    rng = np.random.default_rng(seed)
    photos = [drawn(rng, photo) for photo in range(1, 60)]
    judgments = Judgments()
    judgments.update(photos)
    present = set(judgments.marks["photo_id"].tolist())
    analyzed = rng.random(len(present)) < 0.8
    known = set(judgments.marks["photo_id"][analyzed].tolist())
    found = examples(judgments.marks, analyzed)
    rated, lost = {}, {}
    for stack in {each.stack for each in photos}:
        frames = [each for each in photos if each.stack == stack and each.photo_id in present]
        usable = [each for each in frames if each.photo_id in known]
        rejected = [each for each in usable if each.rejected]
        kept = [each for each in usable if each.kept]
        rated |= {each.photo_id: 1.0 for each in usable if each.rating and not each.rejected}
        if not any(each.kept for each in frames):
            rated |= {each.photo_id: 1 / len(rejected) for each in rejected}
        elif kept:
            best = max(kept, key=lambda each: (each.rating or 0, -each.photo_id)).photo_id
            lost |= {each.photo_id: (best, 1 / len(rejected)) for each in rejected}
    assert dict(zip(found.rated["photo_id"].tolist(), found.rated_shares, strict=True)) == rated
    pairs = zip(found.best["photo_id"].tolist(), found.rejected_shares, strict=True)
    assert dict(zip(found.rejected["photo_id"].tolist(), pairs, strict=True)) == lost

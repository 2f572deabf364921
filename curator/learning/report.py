"""The report on taste: how far learning has come, how reliable predictions are, and the versions.

The Taste page and the command line show it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from curator.catalog import EncoderProgress, TasteRow
from curator.encoders import ENCODERS
from curator.learning.learner import Learned, TasteLearner, accuracy_of, prediction_columns
from curator.model import counted
from curator.taste import Accuracy, learning_curve

_BY_TIME = "taken"  # the order that does not reveal predictions
MEANING = (
    "Measured on predictions made before you rated. In a stack, only the first photo you rated "
    "counts. Photos very similar to one rated in the ten minutes before don't count, and neither "
    "does what your last ten ratings alone would have predicted."
)
"""What the figures of accuracy mean."""
REASONS = {"daily": "daily", "closing": "at closing", "hand": "by hand"}


@dataclass(frozen=True, eq=False)
class Report:
    """Everything the Taste page shows.

    Attributes:
        learned: the taste learned now.
        accuracy: the accuracy of all predictions.
        by_time: the same for photos seen in order of capture time.
        curve: how accuracy changed, as of :func:`curator.taste.learning_curve`.
        versions: newest first, without the numbers of their models.
        encoder: the encoder in use when no version is pinned; empty if there is none.
        comparing: progress of analyzing photos with a better encoder, or None.
    """

    learned: Learned
    accuracy: Accuracy
    by_time: Accuracy
    curve: Sequence[tuple[int, Accuracy]]
    versions: Sequence[TasteRow]
    encoder: str
    comparing: EncoderProgress | None

    @property
    def compared(self) -> str:
        """The encoder and how many photos it has analyzed, in one sentence or two."""
        known, now = self.learned, encoder_title(self.encoder)
        if not self.encoder:
            return "No photos are analyzed yet."
        if known.pinned is not None and known.encoder and known.encoder != self.encoder:
            return (
                f"Version {known.pinned} was learned with {encoder_title(known.encoder)}. Photos"
                f" analyzed only with {now} have no score."
            )
        if self.comparing is None:
            return f"{counted(known.vectors, 'photo')} analyzed with {now}."
        again, of = self.comparing, self.comparing.total
        line = (
            f"Analyzing again with {encoder_title(again.encoder)}: {again.encoded:,} of {of:,}."
            f" Taste uses {now} until that is done."
        )
        if again.waiting:
            return line
        rest = counted(of - again.encoded, "photo")
        return f"{line} {rest} cannot be analyzed now: offline or failed."

    @property
    def damaged(self) -> str:
        """How many photos have no score because of a damaged vector; empty if none."""
        number = self.learned.damaged
        if not number:
            return ""
        return (
            f"{counted(number, 'photo')} cannot be scored: their stored vectors are damaged."
            " `curator backfill embed` makes new ones."
        )


def report(learner: TasteLearner) -> Report:
    """Compute the report on taste; a tenth of a second at 10,000 ratings."""
    catalog, learned = learner.catalog, learner.learned or learner.fit()
    predicted = learner.predictions()
    return Report(
        learned,
        accuracy_of(predicted),
        accuracy_of([each for each in predicted if each.order_name == _BY_TIME]),
        learning_curve(*prediction_columns(predicted)),
        catalog.taste.versions(),
        next(iter(catalog.vectors.encoders()), ""),
        catalog.vectors.catching_up(),
    )


def encoder_title(key: str) -> str:
    """Return the title of an encoder, from the key its vectors are stored under."""
    name = key.partition("/")[0]
    return next((kind.title for kind in ENCODERS if kind.name == name), key)

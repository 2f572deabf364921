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
from curator.taste import Accuracy, ceiling, learning_curve
from curator.taste.accuracy import MIN_JUDGED
from curator.taste.ceiling import Agreement

_BY_TIME = "taken"  # the order that does not reveal predictions
MEANING = (
    "Measured on predictions made before you rated. In a stack, only the first photo you rated "
    "counts. Photos very similar to one rated in the ten minutes before don't count. The "
    "correlation counts only what predictions add to the trend of your last ten ratings."
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
        agreement: how well the person agrees with themselves; None if all ratings are equal.
        analyzing_again: progress of analyzing photos with a better encoder, or None.
    """

    learned: Learned
    accuracy: Accuracy
    by_time: Accuracy
    curve: Sequence[tuple[int, Accuracy]]
    versions: Sequence[TasteRow]
    encoder: str
    agreement: Agreement | None
    analyzing_again: EncoderProgress | None

    @property
    def reached(self) -> float | None:
        """The share of what can be reached that predictions reach; None if that is not known."""
        judged, found = self.accuracy, self.agreement
        if found is None or not found.ceiling or judged.count < MIN_JUDGED or judged.low <= 0:
            return None
        return found.reached(judged.correlation)

    @property
    def reached_sentence(self) -> str:
        """:attr:`reached` in words; empty if it is not known."""
        share = self.reached
        if share is None:
            return ""
        # The ceiling is then mostly that of other people.
        assumed = self.agreement is not None and self.agreement.assumed >= 0.5
        like_most = ", if you are as consistent as most people" if assumed else ""
        return (
            f"Curator's predictions are {100 * share:.0f} % as good as predictions of your ratings"
            f" can be{like_most}."
        )

    @property
    def analysis_sentence(self) -> str:
        """The encoder and how many photos it has analyzed, in one sentence or two."""
        known, now = self.learned, encoder_title(self.encoder)
        if not self.encoder:
            return "No photos are analyzed yet."
        if known.pinned is not None and known.encoder and known.encoder != self.encoder:
            return (
                f"Version {known.pinned} was learned with {encoder_title(known.encoder)}. Photos"
                f" analyzed only with {now} have no score."
            )
        if self.analyzing_again is None:
            return f"{counted(known.vectors, 'photo')} analyzed with {now}."
        again, of = self.analyzing_again, self.analyzing_again.total
        better = encoder_title(again.encoder)
        line = (
            f"Analyzing again with {better}: {again.encoded:,} of {of:,}. Taste uses"
            f" {now if now != better else 'the earlier analysis'} until that is done."
        )
        if again.waiting:
            return line
        rest = counted(of - again.encoded, "photo")
        return f"{line} {rest} cannot be analyzed now: offline or failed."

    @property
    def damaged(self) -> str:
        """How many photos have no score because of a damaged analysis; empty if none."""
        number = self.learned.damaged
        if not number:
            return ""
        return (
            f"{counted(number, 'photo')} cannot be scored: their analysis is damaged."
            " `curator backfill embed` analyzes all photos again."
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
        own_agreement(learner),
        catalog.vectors.catching_up(),
    )


def own_agreement(learner: TasteLearner) -> Agreement | None:
    """Return how well the person agrees with themselves; None if all ratings are equal."""
    repeats = learner.catalog.taste.repeats()
    return ceiling.agreement(
        [each.first for each in repeats],
        [each.again for each in repeats],
        learner.rated_photos()["rating"].tolist(),
    )


def encoder_title(key: str) -> str:
    """Return the title of an encoder, from the key its vectors are stored under."""
    name = key.partition("/")[0]
    return next((kind.title for kind in ENCODERS if kind.name == name), key)

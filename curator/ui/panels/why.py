"""The inspector's sections Why (the predicted rating and its reasons) and Similar.

Why stays hidden until the person has marked the photo, because it would influence the decision.
"""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtWidgets import QLabel, QWidget

from curator.learning.explanations import Insight, Why
from curator.session import Session
from curator.session.explanations import HIDDEN
from curator.ui.panels.similar_photos import SimilarPhotos
from curator.ui.widgets import layouts, theme, words
from curator.ui.widgets.frames import Pictures


class _Section(QWidget):
    """A titled section of the inspector."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.column = layouts.column(self, spacing=3, margins=(0, 14, 0, 0))
        self.column.addWidget(theme.plain(title, role="section"))

    def line(self, role: str = "", above: int = 0) -> QLabel:
        """Add a line of text."""
        label = theme.wrapped("", role)
        label.setContentsMargins(0, above, 0, 0)
        self.column.addWidget(label)
        return label


class WhySection(_Section):
    """Match, expected rating and its uncertainty, and the nearest photos rated high and low."""

    def __init__(self, session: Session, pictures: Pictures) -> None:
        super().__init__("Why")
        self._session = session
        self.notice = theme.wrapped("", "quiet")
        self.show_now = theme.link_button("Show now", session.explanations.show_why)
        hidden = layouts.row(spacing=4)
        hidden.addWidget(self.notice, 1)
        hidden.addWidget(self.show_now)
        self.column.addLayout(hidden)
        self.score = self.line()
        self.meaning = self.line("quiet")
        self.uncertainty = self.line("quiet")
        self.includes_own = self.line("quiet")
        self.titles, self.similar = {}, {}
        for name, title in (
            ("high", "Most similar you rated high"),
            ("low", "Most similar you rated low or rejected"),
        ):
            self.titles[name] = self.line("quiet", above=8)
            self.titles[name].setText(title)
            self.similar[name] = SimilarPhotos(session, pictures, title)
            self.similar[name].pressed.connect(session.visit)
            self.column.addWidget(self.similar[name])

    def show_insight(self, photo_id: int, insight: Insight | None) -> None:
        """Show why a photo has its score, or why not; ``insight`` is None until it is computed."""
        allowed = self._session.explanations.may_show_why(photo_id)
        why = insight.why if insight is not None and allowed else None
        missing = insight.missing if insight is not None and insight.why is None else ""
        hidden = not missing and not allowed
        self.notice.setText(missing or HIDDEN)
        self.notice.setVisible(bool(missing) or hidden)
        self.show_now.setVisible(hidden)
        self.show_now.setToolTip(theme.tip("Show now", self._session.preferences.keys.get("why")))
        revealed = self._session.taste.revealed(photo_id)
        if why is not None and revealed is not None:  # as the caption shows, without these stars
            why = replace(why, match=revealed.match, expected=revealed.expected)
        [marks] = self._session.photos.details.marks_of([photo_id])
        self._show(why, marks.rating is not None, before=revealed is not None)
        self.setVisible(why is not None or bool(missing) or hidden)

    def _show(self, why: Why | None, rated: bool, before: bool) -> None:
        if why is not None:
            match = "" if why.match is None else f"Match {why.match}"
            self.score.setText(words.joined((match, f"{why.stars:.1f} stars expected")))
            self.meaning.setText(why.meaning)
            self.uncertainty.setText(f"±{why.std:.1f} · {why.certainty}")
            includes = (
                "Predicted before you rated" if before else "Includes your rating of this photo"
            )
            self.includes_own.setText(includes)
        for label in (self.score, self.meaning):
            label.setVisible(why is not None)
        self.uncertainty.setVisible(why is not None and not before)  # it is of the later model
        self.includes_own.setVisible(why is not None and rated)
        for name, similar in self.similar.items():
            photos = getattr(why, name) if why is not None else ()
            similar.show_photos(photos)
            similar.setVisible(bool(photos))
            self.titles[name].setVisible(bool(photos))


class SimilarSection(_Section):
    """The most similar photos, in any folder."""

    def __init__(self, session: Session, pictures: Pictures) -> None:
        super().__init__("Similar")
        self._session = session
        self.similar = SimilarPhotos(session, pictures, "Similar", rows=2)
        self.similar.pressed.connect(session.visit)
        self.column.addWidget(self.similar)

    def show_insight(self, photo_id: int, insight: Insight | None) -> None:
        """Show similar photos; with their marks only if Why may be shown."""
        marked = self._session.explanations.may_show_why(photo_id)
        self.similar.show_photos(insight.similar if insight is not None else (), marked=marked)
        self.setVisible(bool(self.similar.ids))

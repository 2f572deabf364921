"""The inspector's sections Why (the predicted rating and its reasons) and Similar.

Why stays hidden until the person has marked the photo, because it would influence the decision.
"""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QWidget

from curator.learning.explanations import Insight, Why
from curator.session import Session
from curator.ui.panels.similar_photos import SimilarPhotos
from curator.ui.widgets import layouts, theme
from curator.ui.widgets.frames import Pictures

_HIDDEN = "Hidden until you decide."


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
    """Match and expected rating, their uncertainty, and the nearest photos rated high and low."""

    def __init__(self, session: Session, pictures: Pictures | None) -> None:
        super().__init__("Why")
        self._session = session
        self.closed = theme.wrapped("", "quiet")
        self.open_ = theme.link_button("Show now", session.explanations.show_why)
        hidden = layouts.row(spacing=4)
        hidden.addWidget(self.closed, 1)
        hidden.addWidget(self.open_)
        self.column.addLayout(hidden)
        self.score = self.line()
        self.doubt = self.line("quiet")
        self.own = self.line("quiet")
        self.heads, self.near = {}, {}
        for name, title in (
            ("high", "Most similar you rated high"),
            ("low", "Most similar you rated low or rejected"),
        ):
            self.heads[name] = self.line("quiet", above=8)
            self.heads[name].setText(title)
            self.near[name] = SimilarPhotos(session, pictures, title)
            self.near[name].pressed.connect(session.visit)
            self.column.addWidget(self.near[name])

    def show_insight(self, photo_id: int, insight: Insight | None) -> None:
        """Show a photo's insight if allowed, or what it lacks; None while it is computed."""
        allowed = self._session.explanations.may_show_why(photo_id)
        why = insight.why if insight is not None and allowed else None
        missing = insight.missing if insight is not None and insight.why is None else ""
        hidden = not missing and not allowed
        self.closed.setText(missing or _HIDDEN)
        self.closed.setVisible(bool(missing) or hidden)
        self.open_.setVisible(hidden)
        self.open_.setToolTip(theme.tip("Show now", self._session.preferences.keys.get("why")))
        self._show(why, bool(self._session.table.marks(photo_id).rating))
        self.setVisible(why is not None or bool(missing) or hidden)

    def _show(self, why: Why | None, rated: bool) -> None:
        if why is not None:
            self.score.setText(f"Match {why.match} · {why.stars:.1f} stars expected")
            self.doubt.setText(f"±{why.std:.1f} · {why.doubt}")
            self.own.setText("Includes your rating of this photo")
        for label in (self.score, self.doubt):
            label.setVisible(why is not None)
        self.own.setVisible(why is not None and rated)
        for name, similar in self.near.items():
            photos = getattr(why, name) if why is not None else ()
            similar.show_photos(photos)
            similar.setVisible(bool(photos))
            self.heads[name].setVisible(bool(photos))


class SimilarSection(_Section):
    """The most similar photos, in any folder."""

    def __init__(self, session: Session, pictures: Pictures | None) -> None:
        super().__init__("Similar")
        self._session = session
        self.near = SimilarPhotos(session, pictures, "Similar", rows=2)
        self.near.pressed.connect(session.visit)
        self.column.addWidget(self.near)

    def show_insight(self, photo_id: int, insight: Insight | None) -> None:
        """Show similar photos; with their marks only if Why may be shown."""
        marked = self._session.explanations.may_show_why(photo_id)
        self.near.show_photos(insight.similar if insight is not None else (), marked=marked)
        self.setVisible(bool(self.near.ids))

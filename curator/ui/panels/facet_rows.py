"""The sidebar's filters by label, camera, faces, date …; each unfolds to rows of its values."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtWidgets import QWidget

from curator.library.facets import FACETS, Facet, Value, conditions_on, with_condition
from curator.session import Session
from curator.ui.widgets import layouts, words
from curator.ui.widgets.rows import Row, Rows

_MOST = 60  # values shown at each level of a facet; the search box finds the others


class FacetRows(QWidget):
    """A row for each facet, and below an unfolded one its values with their counts.

    Only unfolded and optional facets are counted. While a facet is unfolded, its values keep their
    places and new values are appended, so that no row moves under the pointer.

    Args:
        session: the window's session.
        unfolded: keys of the rows the person unfolded, and of a level's only row if they folded it;
            folders included; changed in place.
    """

    def __init__(self, session: Session, unfolded: set[str]) -> None:
        super().__init__()
        self._session = session
        self.unfolded = unfolded
        self._places: dict[str, dict[str, int]] = {}  # query → position, by facet and parent value
        self._scope = session.criteria.scope.key
        self._presses: dict[str, tuple[Facet, str]] = {}
        self.rows = Rows()
        column = layouts.column(self)
        column.addWidget(self.rows)
        self.rows.pressed.connect(self._press)
        self.rows.folded.connect(self._fold)
        self.refresh()

    def refresh(self) -> None:
        """Count the unfolded facets, and mark the values the current search filters by."""
        if self._scope != self._session.criteria.scope.key:
            self._scope = self._session.criteria.scope.key
            self._places.clear()
        self._presses.clear()
        self.rows.show_rows([row for name in FACETS for row in self._rows_of(name)])

    def _rows_of(self, name: str) -> Iterator[Row]:
        facet, key = FACETS[name], _key(name)
        active = conditions_on(self._session.criteria.filter, facet.fields)
        opens = key in self.unfolded
        counted = opens or (facet.optional and not active)
        values = self._values(facet) if counted else []
        if facet.optional and counted and not values:
            return
        yield Row(key, facet.title, current=bool(active) and not opens, opens=opens)
        if not opens:
            for level in [level for level in self._places if level.startswith(f"{name} ")]:
                del self._places[level]
            return
        if not values:
            yield Row("", "None here", depth=1, dim=True)
        inside: dict[str, list[Value]] = {}
        for value in values:
            inside.setdefault(value.inside, []).append(value)
        yield from self._level(name, "", inside, 1)

    def _values(self, facet: Facet) -> list[Value]:
        return facet.values(self._session.table, self._session.photos.membership.in_scope())

    def _level(
        self, name: str, above: str, inside: dict[str, list[Value]], depth: int
    ) -> Iterator[Row]:
        facet = FACETS[name]
        active = conditions_on(self._session.criteria.filter, facet.fields)
        values = self._in_place(f"{name} {above}", inside.get(above, []))
        for value in values:
            key, opens = _key(f"{name} {value.query}"), None
            if value.query in inside:  # a level's only value is unfolded at first
                opens = (key in self.unfolded) != (len(values) == 1)
            self._presses[key] = facet, value.query
            yield Row(
                key,
                value.title,
                words.count(value.photos),
                depth=depth,
                current=active == conditions_on(value.query, facet.fields),
                opens=opens,
                tip=value.query,
                swatch=value.title.lower() if name == "label" else "",
            )
            if opens:
                yield from self._level(name, value.query, inside, depth + 1)

    def _in_place(self, level: str, values: list[Value]) -> list[Value]:
        """Return the values in the order in which they first appeared, new ones last."""
        places = self._places.setdefault(level, {})
        for value in values:
            places.setdefault(value.query, len(places))
        return sorted(values, key=lambda value: places[value.query])[:_MOST]

    def _fold(self, key: str) -> None:
        self.unfolded ^= {key}
        self.refresh()

    def _press(self, key: str) -> None:
        """Filter by a value or remove that filter; a row without a value folds."""
        if key not in self._presses:
            if key:
                self._fold(key)
            return
        facet, query = self._presses[key]
        narrow(self._session, facet.fields, query)


def narrow(session: Session, fields: frozenset[str], query: str) -> None:
    """Set the search's conditions on some fields, or remove them if they are set already."""
    text = with_condition(session.criteria.filter, fields, query)
    search = session.search
    session.messages.say_errors(lambda: search.set_filter(text) if text else search.leave_filter())


def _key(name: str) -> str:
    return f":{name}"  # never equals a folder's path

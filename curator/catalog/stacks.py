"""The machine's stacks: reading what they are made from, in bulk, and saving them.

The pipeline decides with `curator.stages.stack` which photos belong together. What a person decided
about a stack, or about a photo in it, is never undone by the machine: :meth:`Stacks.save` checks
again in the transaction that writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from curator.catalog.fields import PRESENT
from curator.catalog.integrity import reports_damage
from curator.catalog.store import Row, Store
from curator.model import StackKind

_MARKED = "(flag IS NOT NULL OR rating IS NOT NULL OR label IS NOT NULL OR kept)"
# Name → SQL. ``stack`` is 0 for no stack; ``person`` is the stack a person chose, -1 for no choice.
_SHOTS = {
    **{name: name for name in ("rev", "id", "taken_at", "camera", "exposure_s", "f_number")},
    **{name: name for name in ("iso", "width", "height", "look", "stack_kind")},
    "stack": "coalesce(stack, 0)",
    "person": "coalesce(stacked, -1)",
    "marked": _MARKED,
    "here": PRESENT,
}
SHOT_COLUMNS: tuple[str, ...] = tuple(_SHOTS)


class StackChange(NamedTuple):
    """The machine's stack for one photo: the smallest id in the stack, or none."""

    photo_id: int
    stack: int | None
    kind: StackKind | None


@reports_damage
@dataclass(eq=False)
class Stacks:
    """Reads what stacks are made from, and saves them."""

    _store: Store

    def shots(self, since_rev: int = 0, limit: int = 2000) -> list[Row]:
        """Read what stacks are made from: a value for each of SHOT_COLUMNS, oldest change first.

        Args:
            since_rev: only photos changed after this revision, including merged and removed ones.
            limit: rows at most; continue from the last revision until nothing comes.
        """
        return self._store.rows(
            f"SELECT {', '.join(_SHOTS.values())} FROM photo AS p"
            " WHERE rev > ? ORDER BY rev LIMIT ?",
            (since_rev, limit),
        )

    def members(self, stacks: Iterable[int]) -> list[int]:
        """Return the photos in some of the machine's stacks."""
        rows = self._store.rows_for("SELECT id FROM photo WHERE stack IN ({})", stacks)
        return [row[0] for row in rows]

    def save(self, changes: Sequence[StackChange]) -> list[int]:
        """Put photos into stacks and remove them, in one transaction; return the changed ids.

        A stack in which a person marked or moved a photo meanwhile stays unchanged, and so does
        everything that was to be joined with it.

        Args:
            changes: some tens; all of one stack in the same call.
        """
        changed: list[int] = []
        with self._store.transaction_with(lambda: self._present(changes)) as (stacks, decided):
            blocked = {
                change.stack
                for change in changes
                if {change.stack, stacks[change.photo_id]} & decided
                or stacks[change.photo_id] is None
            } - {None}
            for change in changes:
                before = stacks[change.photo_id]
                if before is None or before in decided or change.stack in blocked:
                    continue
                changed += [change.photo_id] * self._store.run(
                    "UPDATE photo SET stack = ?, stack_kind = ? WHERE id = ?"
                    " AND (stack IS NOT ? OR stack_kind IS NOT ?)",
                    (change.stack, change.kind, change.photo_id, change.stack, change.kind),
                ).rowcount
        return changed

    def _present(
        self, changes: Sequence[StackChange]
    ) -> tuple[dict[int, int | None], set[int | None]]:
        """Return each photo's stack (0 none, None if a person decided), and the decided stacks."""
        select = f"SELECT id, coalesce(stack, 0), stacked, {_MARKED} FROM photo"
        photos = [change.photo_id for change in changes]
        rows = self._store.rows_for(f"{select} WHERE id IN ({{}})", photos)
        stacks = {row[0]: row[1] if row[2] is None else None for row in rows}
        names = {row[1] for row in rows} | {change.stack for change in changes}
        rows += self._store.rows_for(f"{select} WHERE stack IN ({{}})", filter(None, names))
        decided = {row[1] for row in rows if row[1] and (row[3] or row[2] is not None)}
        return stacks, decided

    def snapshot(self) -> str:
        """Return the token of the stacker's file that is still valid, or ""."""
        return self._store.meta("stacks_snapshot") or ""

    def set_snapshot(self, token: str) -> None:
        """Record that a file with this token was saved, of a revision before now."""
        with self._store.transaction():
            self._store.set_meta("stacks_snapshot", token)

    def made_by(self) -> str | None:
        """Return the version of the code that made all stacks; None while some are pending."""
        return self._store.meta("stacks")

    def set_made_by(self, made_by: str | None) -> None:
        """Record that all stacks were made by this version; None: some are pending."""
        with self._store.transaction():
            self._store.set_meta("stacks", made_by)

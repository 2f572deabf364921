"""The journal of decisions: what a person set, undid and redid.

The window and the command line write every mark through it. The journal is only ever added to. The
undo stack consists of the *do* and *redo* steps that no other step reverts; the redo stack of the
*undo* steps that no other step reverts and that came after the newest *do*. The newest step is on
top of each. Both are queries, so they survive restarts.

    step = catalog.journal.decide({412: {"flag": "reject"}}, summary="Rejected DSC_0412")
    catalog.journal.undo()      # the flag is what it was before; on disk when this returns
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from curator.catalog.decisions import Decisions
from curator.catalog.fields import FIELDS, VERDICT, FieldKey, checked, nothing
from curator.catalog.folders import Folders, moved
from curator.catalog.identity import Identity
from curator.catalog.integrity import reports_damage
from curator.catalog.store import Row, Store, placeholders
from curator.catalog.tags import Revision, Tags
from curator.model import Change, Changes, Fields, KnownError, Step

# Marks read from files are not acts of the person, so undo skips them.
_TOP_UNDO = (
    "SELECT id FROM step AS s WHERE kind <> 'undo' AND source = 'person'"
    " AND NOT EXISTS (SELECT 1 FROM step WHERE reverts = s.id) ORDER BY id DESC LIMIT 1"
)
_TOP_REDO = (
    "SELECT id FROM step AS s WHERE kind = 'undo'"
    " AND id > (SELECT coalesce(max(id), 0) FROM step WHERE kind = 'do' AND source = 'person')"
    " AND NOT EXISTS (SELECT 1 FROM step WHERE reverts = s.id) ORDER BY id DESC LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class StepDetails:
    """What is recorded beside a step: the scope and order on screen, predictions, and source."""

    scope: str = ""
    order_name: str = ""
    expected: Mapping[int, float] = field(default_factory=dict)
    source: str = "person"


@reports_damage
@dataclass(eq=False)
class Journal:
    """Records decisions as steps, and undoes and redoes them."""

    _store: Store
    _decisions: Decisions
    _tags: Tags
    _identity: Identity
    _folders: Folders

    def decide(
        self,
        changes: Changes,
        *,
        summary: str,
        context: Mapping[str, object] | None = None,
        order_name: str = "",
        expected: Mapping[int, float] | None = None,
        source: str = "person",
    ) -> Step:
        """Set fields of photos as one step, which is on disk when this returns.

        Args:
            changes: photo id → field → value: ``flag`` pick, reject or None; ``rating`` 1-5 or
                None; ``label`` a color or None; ``kept`` True or False; ``stacked`` the number
                of a stack made by hand, 0 for no stack, None for the machine's stack. Relations are
                named with the id of the other thing: ``("tag", tag)`` confirmed, removed or
                None; ``("project", project)`` a position, by which its photos are ordered, or None;
                ``("over", photo)`` True or None. The id of a merged photo means the photo it was
                merged into.
            summary: the step as the status line names it.
            context: JSON-able facts by which undo brings the photo back on screen; ``scope`` is
                where the person was.
            order_name: the order the photos were seen in.
            expected: photo id → stars the taste model predicted; stored beside a rating.
            source: ``person``, or ``file`` for marks read from a file: undo never reverts these,
                and ``photo.elsewhere`` says that nobody reviewed the photo here.

        Returns:
            The step with what really changed: fields that already have their value are left out.
            If nothing changes, nothing is written, and the step has id 0 and no changes.

        Raises:
            UsageError: an unknown field, or a value it cannot have (a rating of 9).
            NotFoundError: a photo, tag or project does not exist.
            KnownError: photos that were merged get different values.
            CatalogError: the catalog is not writable.
            In each case nothing was decided.
        """
        # In a batch most photos share one object of fields, which is checked once.
        distinct = {id(fields): fields for fields in changes.values()}
        valid = {number: checked(fields) for number, fields in distinct.items()}
        wanted = {photo: valid[id(fields)] for photo, fields in changes.items()}
        with self._store.transaction(durable=True):
            made = self._changes(wanted, source)
            step = Step(0, "do", summary, time.time(), tuple(made), None, dict(context or {}))
            if not made:
                return step
            scope = str(step.context.get("scope", ""))
            return self.enter(step, StepDetails(scope, order_name, expected or {}, source))

    def repeat(
        self,
        photo_id: int,
        fields: Fields,
        *,
        summary: str,
        context: Mapping[str, object] | None = None,
        order_name: str = "",
    ) -> Step:
        """Rate a photo again whose earlier stars were hidden; also if the stars are the same.

        As :meth:`decide`, but the rating is always recorded, and marked as repeated: see
        :meth:`Taste.repeats`. No prediction is stored with it: only first ratings test those.

        Args:
            photo_id: the photo.
            fields: new values; among them ``rating``, 1-5.
            summary: as for :meth:`decide`.
            context: as for :meth:`decide`.
            order_name: as for :meth:`decide`.
        """
        wanted = {photo_id: checked(fields)}
        with self._store.transaction(durable=True):
            made = self._changes(wanted, "person", repeat=True)
            step = Step(0, "do", summary, time.time(), tuple(made), None, dict(context or {}))
            return self.enter(step, StepDetails(str(step.context.get("scope", "")), order_name))

    def _changes(
        self, wanted: Mapping[int, Mapping[FieldKey, object]], source: str, repeat: bool = False
    ) -> list[Change]:
        """Return what would really change, including whether the photo was reviewed here.

        With ``repeat`` ratings count as changes even if they are the same.
        """
        now = self._decisions.marks(wanted)
        meant: dict[int, Mapping[FieldKey, object]] = {}
        made: dict[tuple[int, FieldKey], Change] = {}
        for asked, fields in wanted.items():
            photo, current = now[asked]
            if meant.setdefault(photo, fields) != fields and source == "person":
                raise KnownError(
                    "Two of these photos were just found to be one.", "Look again, then decide."
                )
            for (name, about), after in fields.items():
                about = self._decisions.current_id(name, about)
                before = self._decisions.value_before(photo, current, name, about)
                repeated = repeat and name == "rating"
                if before != after or repeated:
                    change = Change(photo, name, before, after, about, repeated)
                    made[photo, (name, about)] = change
            reviewed = [name for name, _ in fields if name in VERDICT]
            if source == "file":  # a file that repeats a value or a person's mark is no review
                reviewed = [name for name in reviewed if (photo, (name, None)) in made]
                if any(current[FIELDS.index(name)] for name in VERDICT):
                    reviewed = []
            elsewhere = current[FIELDS.index("elsewhere")]
            if reviewed and elsewhere != (source == "file"):
                change = Change(photo, "elsewhere", elsewhere, 1 - int(elsewhere))
                made[photo, ("elsewhere", None)] = change
        return list(made.values())

    def enter(self, step: Step, details: StepDetails) -> Step:
        """Write a step, its decisions and their effects on photos. Only inside a transaction."""
        number = self._store.insert(
            "step",
            kind=step.kind,
            summary=step.summary,
            made_at=step.made_at,
            reverts=step.reverts,
            source=details.source,
            scope=details.scope,
            context=json.dumps(step.context, default=str),
        )
        self._store.insert_rows(
            "decision",
            "step_id, photo_id, field, about, before, after, order_name, repeated, expected",
            [
                (
                    number,
                    change.photo_id,
                    change.field,
                    change.about,
                    change.before,
                    change.after,
                    details.order_name,
                    change.repeated,
                    details.expected.get(change.photo_id)
                    if change.field == "rating" and change.after is not None
                    else None,
                )
                for change in step.changes
            ],
        )
        self._decisions.apply(step.changes)
        for change in step.changes:
            if change.field == "apart" and change.after:
                self._identity.split(change.photo_id, undo_join=step.kind == "undo")
            elif change.field == "apart":
                self._identity.join(change.photo_id)
        return replace(step, id=number)

    def revise_tags(self, act: str, what: str, done: str, revisions: Sequence[Revision]) -> Step:
        """Change the vocabulary as one step; write nothing if nothing changes.

        Only inside a transaction.

        Args:
            act: the name of the change in the step's context.
            what: the rest of the summary, such as "Iceland to Island".
            done: the beginning of the summary, such as "Renamed tag".
            revisions: what changes.

        Returns:
            The step; its id is 0 if ``revisions`` is empty.
        """
        context: dict[str, object] = {"act": act, "what": what}
        context["vocabulary"] = [list(each) for each in revisions]
        step = Step(0, "do", f"{done} {what}", time.time(), (), None, context)
        if not revisions:
            return step
        self._tags.revise(revisions)
        return self.enter(step, StepDetails())

    def undo(self, only: int | None = None) -> Step | None:
        """Undo the newest step in one transaction; return None if nothing can be undone.

        Args:
            only: undo this step or none: another process may have decided something since.

        Returns:
            The new step. Its changes have the present values of each photo; its context is that of
            the reverted step.
        """
        return self._revert("undo", _TOP_UNDO, only)

    def redo(self, only: int | None = None) -> Step | None:
        """Redo the newest undone step; return None if there is none or a decision came after it.

        With ``only``, redo this undo step or none.
        """
        return self._revert("redo", _TOP_REDO, only)

    def last_decision_at(self) -> float:
        """Return when the last step was made, in Unix time, also by a file; 0 if never."""
        return float(self._store.value("SELECT made_at FROM step ORDER BY id DESC LIMIT 1") or 0)

    def next_undo(self) -> Step | None:
        """Return the step that :meth:`undo` would undo."""
        return self._top(_TOP_UNDO)

    def next_redo(self) -> Step | None:
        """Return the undo step :meth:`redo` would revert; its summary is the original step's."""
        return self._top(_TOP_REDO)

    def _top(self, top: str) -> Step | None:
        number = self._store.value(top)
        return None if number is None else self._step(number)

    def _revert(self, kind: str, top: str, only: int | None) -> Step | None:
        with self._store.transaction(durable=True):
            old = self._top(top)
            if old is None or only not in (None, old.id):
                return None
            scope, order_name = self._store.row(
                "SELECT scope, (SELECT order_name FROM decision WHERE step_id = step.id LIMIT 1)"
                " FROM step WHERE id = ?",
                (old.id,),
            ) or ("", "")
            now = self._decisions.marks({change.photo_id for change in old.changes})
            made = {}
            again = kind == "redo" and self._was_repeated(old.id)
            for change in old.changes:
                photo, current = now[change.photo_id]
                about = self._decisions.current_id(change.field, change.about)
                before = self._decisions.value_before(photo, current, change.field, about)
                after = change.before
                if kind == "undo":
                    after = self._value_without(photo, old.id, change)
                made[photo, (change.field, about)] = Change(
                    photo, change.field, before, after, about, again and change.field == "rating"
                )
            if kind == "undo":
                made |= self._left_by_files(made, dict(now.values()), old.id)
            new = Step(0, kind, old.summary, time.time(), tuple(made.values()), old.id, old.context)
            expected = self._predicted(old.id) if kind == "redo" else {}
            self._tags.revise(revisions(old), back=kind == "undo")
            return self.enter(new, StepDetails(scope, order_name or "", expected))

    def _left_by_files(
        self, made: Mapping[tuple[int, FieldKey], Change], now: Mapping[int, Row], step: int
    ) -> dict[tuple[int, FieldKey], Change]:
        """Return the changes of photos that only files judge once a step is undone.

        Stars that were read from a file after a person had kept the photo do not say so themselves.

        Args:
            made: what the undo changes.
            now: photo → the present values of FIELDS.
            step: the step that is undone.
        """
        judged = {photo for photo, (field, _) in made if field in VERDICT}
        by_file = {
            row[0]
            for row in self._store.rows_for(
                "SELECT d.photo_id FROM decision AS d JOIN step AS s ON s.id = d.step_id"
                " WHERE s.source = 'file' AND d.photo_id IN ({})",
                judged,
            )
        }
        left: dict[tuple[int, FieldKey], Change] = {}
        for photo in by_file:
            values = {
                name: made[key].after if (key := (photo, (name, None))) in made else value
                for name, value in zip(FIELDS, now[photo], strict=True)
            }
            if values["elsewhere"] or not any(values[name] for name in VERDICT):
                continue
            family = self._decisions.family(photo)
            fields = (*VERDICT, "elsewhere")  # which a person changes by confirming a file's mark
            standing = [self._decisions.standing(family, (name, None), step) for name in fields]
            if {row[2] for row in standing if row} == {"file"}:
                left[photo, ("elsewhere", None)] = Change(photo, "elsewhere", 0, 1)
        return left

    def _was_repeated(self, undo: int) -> bool:
        """Whether an undo reverted the rating of a photo rated again, for the redo to repeat."""
        return bool(
            self._store.value(
                "SELECT max(repeated) FROM decision"
                " WHERE step_id = (SELECT reverts FROM step WHERE id = ?)",
                (undo,),
            )
        )

    def _predicted(self, undo: int) -> dict[int, float]:
        """Read the predictions stored with the ratings an undo reverted, for the redo to keep."""
        return dict(
            self._store.rows(
                "SELECT photo_id, expected FROM decision WHERE expected IS NOT NULL"
                " AND step_id = (SELECT reverts FROM step WHERE id = ?)",
                (undo,),
            )
        )

    def _value_without(self, photo: int, step: int, change: Change) -> object:
        """Return the value a field would have without one step.

        For a photo with others merged into it, decisions about all of them count: the newest of the
        remaining ones wins. Otherwise it is the value before the step.
        """
        family = self._decisions.family(photo)
        abouts: Sequence[int | None] = [change.about]
        if change.field == "over" and change.about is not None:
            abouts = self._decisions.family(self._decisions.current_id("over", change.about) or 0)
        if len(family) == len(abouts) == 1:
            return change.before
        standing = [
            self._decisions.standing(family, (change.field, about), step) for about in abouts
        ]
        newest = max((row for row in standing if row), default=None)
        return newest[1] if newest else nothing(change.field)

    def _step(self, number: int) -> Step:
        row = self._store.row(
            "SELECT kind, summary, made_at, reverts, context FROM step WHERE id = ?", (number,)
        )
        assert row is not None
        changes = self._store.rows(
            "SELECT photo_id, field, before, after, about, repeated FROM decision WHERE step_id = ?"
            " ORDER BY id",
            (number,),
        )
        kind, summary, made_at, reverts, context = row
        return Step(
            number,
            kind,
            summary,
            made_at,
            tuple(Change(*change) for change in changes),
            reverts,
            self._with_current_scope(json.loads(context), made_at),
        )

    def _with_current_scope(self, context: dict[str, object], made_at: float) -> dict[str, object]:
        """Replace the scope a step was made in with its present path, if folders moved since."""
        scope = context.get("scope")
        if scope:
            for when, old, new in self._folders.moves():
                scope = moved(str(scope), old, new) if when > made_at else scope
            context["scope"] = scope
        return context

    def history(self, photo_id: int) -> list[Step]:
        """List the steps that changed a photo, oldest first, each with only this photo's changes.

        Includes the steps of photos merged into it, under their own ids.
        """
        family = self._decisions.family(photo_id)
        rows = self._store.rows(
            "SELECT s.id, s.kind, s.summary, s.made_at, s.reverts, s.context,"
            " d.photo_id, d.field, d.before, d.after, d.about, d.repeated"
            " FROM decision AS d JOIN step AS s ON s.id = d.step_id"
            f" WHERE d.photo_id IN ({placeholders(len(family))}) ORDER BY d.id",
            family,
        )
        steps: dict[int, tuple[Row, list[Change]]] = {}
        for row in rows:
            steps.setdefault(row[0], (row, []))[1].append(Change(*row[6:]))
        return [
            Step(row[0], row[1], row[2], row[3], tuple(changes), row[4], json.loads(row[5]))
            for row, changes in steps.values()
        ]


def revisions(step: Step) -> list[Revision]:
    """Return the changes of the vocabulary that a step made."""
    listed = step.context.get("vocabulary") or []
    return [(tag, column, before, after) for tag, column, before, after in listed]  # type: ignore[attr-defined]

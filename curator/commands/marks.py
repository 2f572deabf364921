"""Rating, flagging and labeling photos, and undoing it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from curator.commands.modes import enter
from curator.commands.registry import command
from curator.model import (
    Flag,
    Label,
    Marks,
    Pass,
    Verdict,
    View,
    counted,
    keep_fields,
    pick_fields,
    rating_fields,
    reject_fields,
)
from curator.session import Session, StepText


def _mark(
    session: Session,
    act: str,
    fields: Callable[[Marks], Mapping[str, object]],
    advance: bool,
    whole: bool = False,
) -> None:
    """Mark the photos that a mark applies to; ``fields`` returns what a photo's marks become.

    The journal leaves out what a photo has already: another process may have marked it since.
    ``whole``: of a collapsed stack, mark every unreviewed frame, not only the one shown.
    """
    photos = session.stacks.targets(whole)
    new: dict[Marks, Mapping[str, object]] = {}  # most of ten thousand are equal
    changes = {}
    for photo, marks in zip(photos, session.photos.details.marks_of(photos), strict=True):
        if marks not in new:
            new[marks] = fields(marks)
        changes[photo] = new[marks]
        if photo in session.photos.hidden_stars:  # stars that are not shown cannot be removed
            changes[photo] = {k: v for k, v in new[marks].items() if v != getattr(marks, k)}
    if changes:
        session.decisions.mark(act, changes, advance=advance)


@command("Keep, or next photo", "Rate and flag")
def space(session: Session, invert: bool) -> None:
    """In the grid, open the photo; in the cull, keep it and go to the next; else, go to the next.

    On a collapsed stack in the grid of the cull, keep every unreviewed frame of it.
    """
    culling = session.criteria.mode is Pass.CULL
    if session.view_state.view is View.GRID and not (culling and session.stacks.on_collapsed_stack):
        enter(session)
    elif culling:
        keep(session, invert)
    else:
        session.navigator.step(1)


@command("Keep", "Rate and flag")
def keep(session: Session, invert: bool) -> None:
    """Keep the photo, even if it was rejected, and go to the next."""
    _mark(session, "keep", keep_fields, not invert, whole=True)


@command("Pick", "Rate and flag")
def pick(session: Session, invert: bool) -> None:
    """Flag the photo as a pick, keep it and go to the next (in some key presets, stay)."""
    _mark(session, "pick", pick_fields, session.preferences.flags_advance != invert)


@command("Reject", "Rate and flag")
def reject(session: Session, invert: bool) -> None:
    """Reject the photo and go to the next (in some key presets, stay). Nothing is deleted."""
    _mark(session, "reject", reject_fields, session.preferences.flags_advance != invert, whole=True)


@command("Keep this, reject the rest", "Rate and flag")
def keep_this(session: Session, invert: bool) -> None:
    """Keep this frame and reject the unreviewed rest of its stack; keep all of a bracket.

    A single photo is kept. Frames that you marked before do not change.
    """
    table, kept = session.table, session.stacks.targets()
    stacks = session.stacks.frames_of_each(kept)
    known = set[int]().union(*stacks)  # frames that join now were not on screen
    if any(len(frames) > 1 for frames in stacks):
        session.refresh()  # others may have decided, or files proved to be one photo, a moment ago
        if session.stacks.targets() != kept:
            session.messages.say("The stack has just changed. Look again before you decide.")
            return
        stacks = session.stacks.frames_of_each(kept)
    rest = {
        frame
        for frame in set().union(*stacks).intersection(known).difference(kept)
        if table.verdict(frame) is Verdict.UNREVIEWED
    }
    if session.criteria.mode is not Pass.RATE:
        rest &= {frame for photo in kept for frame in session.photos.listing.unit(photo).tolist()}
    elif not rest and any(len(frames) > 1 for frames in stacks):  # rating lists kept frames only
        session.messages.say("Nothing unreviewed here.")
        return
    brackets = {frame for frames in stacks if session.stacks.is_bracket(frames) for frame in frames}
    rejected = rest - brackets
    changes = {
        photo: keep_fields(table.marks(photo)) for photo in [*kept, *sorted(rest & brackets)]
    }
    changes |= {photo: reject_fields(table.marks(photo)) for photo in sorted(rejected)}
    act, text = "keep", None
    if rejected:
        name = session.photos.named(kept)
        act = f"reject {len(rejected):,} and keep"
        text = StepText(name, f"Kept {name}, rejected {len(rejected):,}")
    if changes:
        session.decisions.mark(act, changes, advance=not invert, by_stack=True, text=text)


@command("Keep the whole stack", "Rate and flag")
def keep_stack(session: Session) -> None:
    """Keep every frame of the stack, rejected ones too, and go to the next."""
    frames = set[int]().union(*session.stacks.frames_of_each(session.stacks.targets()))
    changes = {photo: keep_fields(session.table.marks(photo)) for photo in sorted(frames)}
    if changes:
        session.decisions.mark("keep", changes, advance=True, by_stack=True)


@command("No flag", "Rate and flag")
def unflag(session: Session, invert: bool) -> None:
    """Remove the flag; in the cull the photo is unreviewed again, unless it has stars."""
    culling = session.criteria.mode is Pass.CULL

    def fields(marks: Marks) -> dict[str, object]:
        if culling:
            return {"flag": None, "kept": False}
        return {"flag": None} | ({"kept": True} if marks.kept or marks.flag is Flag.PICK else {})

    _mark(session, "unflag", fields, session.preferences.unflag_advances != invert)


def _stars(session: Session, number: int, invert: bool) -> None:
    act = counted(number, "star") if number else "no stars"
    advance = session.preferences.stars_advance != invert
    _mark(session, act, lambda marks: rating_fields(marks, number), advance)


@command("1 star", "Rate and flag")
def stars_1(session: Session, invert: bool) -> None:
    """Rate 1 star; the photo is kept."""
    _stars(session, 1, invert)


@command("2 stars", "Rate and flag")
def stars_2(session: Session, invert: bool) -> None:
    """Rate 2 stars; the photo is kept."""
    _stars(session, 2, invert)


@command("3 stars", "Rate and flag")
def stars_3(session: Session, invert: bool) -> None:
    """Rate 3 stars; the photo is kept."""
    _stars(session, 3, invert)


@command("4 stars", "Rate and flag")
def stars_4(session: Session, invert: bool) -> None:
    """Rate 4 stars; the photo is kept and, by default, approved for export."""
    _stars(session, 4, invert)


@command("5 stars", "Rate and flag")
def stars_5(session: Session, invert: bool) -> None:
    """Rate 5 stars; the photo is kept and, by default, approved for export."""
    _stars(session, 5, invert)


@command("No stars", "Rate and flag")
def stars_0(session: Session, invert: bool) -> None:
    """Remove the stars; a kept photo stays kept."""
    _stars(session, 0, invert)


def _label(session: Session, label: Label, invert: bool) -> None:
    """Set a label, or remove it if every marked photo has it already."""
    has = all(session.table.marks(photo_id).label is label for photo_id in session.stacks.targets())
    value = None if has else label
    act = f"{label} label off" if has else f"{label} label"
    _mark(session, act, lambda _: {"label": value}, session.preferences.stars_advance != invert)


@command("Red label", "Rate and flag")
def label_red(session: Session, invert: bool) -> None:
    """Label red; press again to remove."""
    _label(session, Label.RED, invert)


@command("Yellow label", "Rate and flag")
def label_yellow(session: Session, invert: bool) -> None:
    """Label yellow; press again to remove."""
    _label(session, Label.YELLOW, invert)


@command("Green label", "Rate and flag")
def label_green(session: Session, invert: bool) -> None:
    """Label green; press again to remove."""
    _label(session, Label.GREEN, invert)


@command("Blue label", "Rate and flag")
def label_blue(session: Session, invert: bool) -> None:
    """Label blue; press again to remove."""
    _label(session, Label.BLUE, invert)


@command("Purple label", "Rate and flag")
def label_purple(session: Session, invert: bool) -> None:
    """Label purple; run again to remove."""
    _label(session, Label.PURPLE, invert)


@command("Auto-advance after stars", "Rate and flag")
def toggle_stars_advance(session: Session) -> None:
    """Choose whether stars and labels also go to the next photo; Shift inverts it once."""
    loupe = session.settings.loupe
    loupe.stars_advance = not loupe.stars_advance
    marks = "Marks" if session.preferences.flags_stay else "Stars"
    session.messages.say(
        f"{marks} advance" if loupe.stars_advance else f"{marks} stay on the photo"
    )
    session.preferences.save()


@command("Undo", "Rate and flag")
def undo(session: Session) -> None:
    """Undo the last marks, even those of an earlier session, and show their photo."""
    session.history.undo()


@command("Redo", "Rate and flag")
def redo(session: Session) -> None:
    """Redo the marks that were undone."""
    session.history.redo()


@command("No key deletes files", "Rate and flag")
def delete(session: Session) -> None:
    """Show a reminder that no key deletes files; the menu can delete rejected photos."""
    key = session.preferences.keys.get("reject")
    session.messages.say(
        f"{key} rejects. No key deletes a file." if key else "No key deletes a file."
    )


def _skipped(session: Session) -> list[int]:
    return session.statistics.scope_ids("skipped")


@command("Keep skipped photos", "Rate and flag")
def keep_skipped(session: Session) -> None:
    """Keep every photo that you saw in the cull and left unreviewed, as one undo step."""
    session.decisions.decide("keep", {photo_id: {"kept": True} for photo_id in _skipped(session)})


@command("Reject skipped photos", "Rate and flag")
def reject_skipped(session: Session) -> None:
    """Reject every photo that you saw in the cull and left unreviewed, as one undo step."""
    photos = _skipped(session)
    session.decisions.decide("reject", {photo_id: {"flag": Flag.REJECT} for photo_id in photos})


@command("Review skipped photos", "Modes")
def review_skipped(session: Session) -> None:
    """Go once more through the photos that are still unreviewed."""
    session.modes.set_mode(session.criteria.mode)


@command("Continue with unseen photos", "Modes")
def continue_with_unseen(session: Session) -> None:
    """Go to the first photo that you have not seen yet."""
    session.navigator.go_to_unseen()

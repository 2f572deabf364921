"""Stacks: keeping one frame or all, and making stacks by hand."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from curator.commands.registry import command
from curator.model import Pass, Verdict, counted, keeping, rejecting
from curator.session import Session, Words


@command("Keep this, reject the rest", "Marks")
def keep_this(session: Session, invert: bool) -> None:
    """Keep this frame, reject the undecided rest of its stack, go to the next; whole if a bracket.

    A single photo is kept. What was decided before stays as it is.
    """
    kept = session.targets()
    stacks = [session.stack(photo) for photo in kept]
    table = session.table
    rest = {
        frame
        for frames in stacks
        for frame in frames
        if frame not in kept and table.verdict(frame) is Verdict.UNDECIDED
    }
    if session.pass_ is Pass.RATE and not rest and any(len(frames) > 1 for frames in stacks):
        session.say("Nothing undecided here.")
        return
    whole = {frame for frames in stacks if session.is_bracket(frames) for frame in frames}
    changes = {photo: keeping(table.marks(photo)) for photo in [*kept, *sorted(rest & whole)]}
    rejected = rest - whole
    changes |= {photo: rejecting(table.marks(photo)) for photo in sorted(rejected)}
    words = None
    if rejected:
        name = table.name(kept[0]) if len(kept) == 1 else counted(len(kept), "photo")
        number = f"{len(rejected):,}"
        words = Words(name, f"Kept {name}, rejected {number}")
    act = f"reject {number} and keep" if rejected else "keep"
    if changes:
        session.mark(act, changes, advance=not invert, over="units", words=words)


@command("Keep the whole stack", "Marks")
def keep_stack(session: Session) -> None:
    """Keep every frame of the stack, rejected ones too, and go to the next."""
    frames = {frame for photo in session.targets() for frame in session.stack(photo)}
    changes = {photo: keeping(session.table.marks(photo)) for photo in sorted(frames)}
    if changes:
        session.mark("keep", changes, advance=True, over="units")


@command("Expand the stack", "Moves")
def toggle_stack(session: Session) -> None:
    """Show the frames of the stack in the grid, or one tile for all of them again."""
    if session.current is not None:
        session.toggle_stack(session.current)


@command("Stack the selection", "Marks")
def stack_selection(session: Session) -> None:
    """Make one stack of the selected photos; stacks among them become one."""
    ids = np.array(sorted(session.selected()), np.int64)
    stacks = session.table.stacks.of(ids)
    if len(ids) < 2:
        session.say("Select two or more photos in the grid to stack them.")
    elif stacks[0] and set(session.stack(int(ids[0]))) == set(ids.tolist()):
        session.say("These are one stack already.")
    else:
        _set(session, "stack", ids.tolist(), session.table.stacks.free_number(ids))


@command("Split off its stack", "Marks")
def split_off(session: Session) -> None:
    """Take the photo out of its stack; it then stands alone."""
    _leave(session, "split off", session.targets())


@command("Unstack", "Marks")
def unstack(session: Session) -> None:
    """Take the stack apart: every frame of it then stands alone."""
    _leave(session, "unstack", {f for photo in session.targets() for f in session.stack(photo)})


def _leave(session: Session, act: str, photos: Collection[int]) -> None:
    ids = np.array(sorted(photos), np.int64)
    stacked = ids[session.table.stacks.of(ids) > 0]
    if len(stacked):
        _set(session, act, stacked.tolist(), 0)
    elif len(ids) == 1:
        session.say(f"{session.table.name(int(ids[0]))} is in no stack.")
    elif len(ids):
        session.say("None of these is in a stack.")


def _set(session: Session, act: str, photos: list[int], number: int) -> None:
    session.decide_many(act, {photo: {"stacked": number} for photo in photos})

"""Stacks by hand: making one, taking a frame out, taking one apart."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from curator.commands.registry import command
from curator.session import Session


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
    _leave(session, "unstack", set().union(*session.stacks_of(session.targets())))


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

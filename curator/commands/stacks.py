"""Stacks by hand: making, splitting and dissolving them."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from curator.commands.registry import command
from curator.session import Session, StepText


@command("Stack the selection", "Rate and flag")
def stack_selection(session: Session) -> None:
    """Stack the selected photos, merging the stacks among them."""
    ids = np.array(sorted(session.stacks.selected()), np.int64)
    stacks = session.table.stacks.of(ids)
    if len(ids) < 2:
        session.messages.say("Select two or more photos in the grid to stack them.")
    elif stacks[0] and set(session.stacks.frames_of_each([int(ids[0])])[0]) == set(ids.tolist()):
        session.messages.say("These photos are already one stack.")
    else:
        _set(session, "stack", ids.tolist(), session.table.stacks.unused_number(ids))


def _none_stacked(session: Session) -> str:
    """Return why there is nothing to unstack; empty if one of the photos is in a stack."""
    stacks = session.table.stacks.of(np.array(session.stacks.targets(), np.int64))
    return "" if stacks.any() else "no stack"


@command("Remove from stack", "Rate and flag", disabled_reason=_none_stacked)
def remove_from_stack(session: Session) -> None:
    """Remove the photo from its stack."""
    _leave(session, "remove from stack", session.stacks.targets())


@command("Unstack", "Rate and flag", disabled_reason=_none_stacked)
def unstack(session: Session) -> None:
    """Dissolve the stack; every frame is a single photo again."""
    frames = set[int]().union(*session.stacks.frames_of_each(session.stacks.targets()))
    _leave(session, "unstack", frames)


@command("Split or join RAW and JPEG", "Rate and flag")
def split_pair(session: Session) -> None:
    """Split a RAW+JPEG pair into two photos, marked separately; press again to join them."""
    photo = session.current
    if photo is None:
        return
    name, pair = session.table.name(photo), session.stacks.split_pair_of(photo)
    if pair is not None:
        text = StepText(name, f"Joined {session.table.name(pair)} with its other half")
        session.decisions.decide("join", {pair: {"apart": False}}, text)
    elif session.tile(photo).pair:
        text = StepText(name, f"Split {name}: its two files are photos of their own")
        session.decisions.decide("split", {photo: {"apart": True}}, text)
    else:
        session.messages.say(f"{name} is a single file.")
    session.refresh()  # one photo more, or one less
    if session.pipeline is not None:
        session.pipeline.focus([photo])  # reads the split file now, not at its next check


def _leave(session: Session, act: str, photos: Collection[int]) -> None:
    ids = np.array(sorted(photos), np.int64)
    stacked = ids[session.table.stacks.of(ids) > 0]
    if len(stacked):
        _set(session, act, stacked.tolist(), 0)
    elif len(ids) == 1:
        session.messages.say(f"{session.table.name(int(ids[0]))} isn't in a stack")
    elif len(ids):
        session.messages.say("None of these photos is in a stack.")


def _set(session: Session, act: str, photos: list[int], number: int) -> None:
    session.decisions.decide(act, {photo: {"stacked": number} for photo in photos})

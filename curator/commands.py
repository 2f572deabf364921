"""Every user action: a function with a docstring, declared once, used everywhere.

The menu, the cheat sheet, tooltips and the README are made from COMMANDS; which key runs what is
in :mod:`curator.keymap` alone. A command's docstring is what a user reads: its first line is the
title's explanation, in the imperative.

To add a command: write a function of a :class:`~curator.session.Session` under ``@command``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from curator.model import (
    Flag,
    KnownError,
    Label,
    Marks,
    Pass,
    View,
    counted,
    keeping,
    picking,
    rejecting,
    starring,
)
from curator.session import Session, changed_marks

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Command:
    """One user action.

    Attributes:
        name: what KEYMAP and the palette call it.
        title: what menus call it.
        group: the column of the cheat sheet it stands in.
        help: its docstring.
    """

    name: str
    title: str
    group: str
    help: str
    function: Callable[[Session, bool], None]


COMMANDS: dict[str, Command] = {}
GROUPS = ("Passes", "Marks", "Moves", "Looking", "Files")


def command(title: str, group: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare a function as a command.

    A function with a second parameter ``invert`` is told whether Shift turned the advance rule
    round for this once.

    Raises:
        ValueError: the name is taken, the docstring is missing or the group is unknown.
    """

    def declare(function: Callable[..., None]) -> Callable[..., None]:
        name = function.__name__
        if name in COMMANDS or not function.__doc__ or group not in GROUPS:
            raise ValueError(f"Command {name} is declared twice, undocumented or ungrouped")
        takes_invert = function.__code__.co_argcount > 1

        def run(session: Session, invert: bool) -> None:
            function(session, invert) if takes_invert else function(session)

        COMMANDS[name] = Command(name, title, group, function.__doc__.strip(), run)
        return function

    return declare


def run(session: Session, name: str, invert: bool = False) -> None:
    """Run a command by name; what the world does wrong goes to the status line.

    Raises:
        KeyError: there is no such command.
    """
    try:
        COMMANDS[name].function(session, invert)
    except KnownError as error:
        log.info("%s: %s", name, error)
        session.say(str(error))


# --- passes and views


@command("Browse", "Passes")
def browse(session: Session) -> None:
    """Look around the scope without a pass."""
    session.set_pass(Pass.BROWSE)


@command("Cull", "Passes")
def cull(session: Session) -> None:
    """Go through the undecided photos: may it stay?"""
    session.set_pass(Pass.CULL)


@command("Rate", "Passes")
def rate(session: Session) -> None:
    """Go through what came through the cull: how much do I want it?"""
    session.set_pass(Pass.RATE)


@command("Order", "Passes")
def order(session: Session) -> None:
    """Choose the order of the list."""
    session.ask("order")


@command("Reverse the order", "Passes")
def reverse_order(session: Session) -> None:
    """Turn the order of the list round."""
    session.set_order(session.order, not session.reversed)


@command("Grid", "Passes")
def grid(session: Session) -> None:
    """Show the list as thumbnails."""
    session.set_view(View.GRID)


@command("Loupe", "Passes")
def loupe(session: Session) -> None:
    """Show one photo, large."""
    session.set_view(View.LOUPE)


@command("Open", "Passes")
def enter(session: Session) -> None:
    """Open the photo in the loupe; in a folder nobody has judged yet, start the cull."""
    if session.pass_ is Pass.BROWSE and not session.filter and session.is_fresh():
        session.set_pass(Pass.CULL)
    else:
        session.set_view(View.LOUPE)


@command("Back", "Passes")
def back(session: Session) -> None:
    """Go one step back: 100 % to fit, loupe to grid, selection and filter off."""
    if session.fullscreen:
        toggle_fullscreen(session)
    elif session.zoom is not None:
        session.set_zoom(None)
    elif session.view is View.LOUPE or session.finished:
        session.set_view(View.GRID)
    elif len(session.selection) > 1:
        session.clear_selection()
    elif session.filter:
        session.leave_filter()


# --- marks


def _mark(
    session: Session, act: str, fields: Callable[[Marks], Mapping[str, object]], advance: bool
) -> None:
    """Decide for the photos a mark acts on; ``fields`` says what one photo's marks become."""
    changes = {
        photo_id: changed_marks(marks, **fields(marks))
        for photo_id in session.targets()
        for marks in (session.table.marks(photo_id),)
    }
    if changes:
        session.mark(act, changes, advance=advance)


@command("Keep, or go on", "Marks")
def space(session: Session, invert: bool) -> None:
    """In the cull let the photo through and go on; elsewhere go on; in the grid open the loupe."""
    if session.view is View.GRID:
        enter(session)
    elif session.pass_ is Pass.CULL:
        keep(session, invert)
    else:
        session.step(1)


@command("Keep", "Marks")
def keep(session: Session, invert: bool) -> None:
    """Let the photo through the cull and go on. Nothing else follows from it."""
    _mark(session, "keep", keeping, not invert)


@command("Pick", "Marks")
def pick(session: Session, invert: bool) -> None:
    """Flag the photo as a pick, keep it, and go on."""
    _mark(session, "pick", picking, not invert)


@command("Reject", "Marks")
def reject(session: Session, invert: bool) -> None:
    """Reject the photo and go on. Nothing is deleted; stars and label stay."""
    _mark(session, "reject", rejecting, not invert)


@command("No flag", "Marks")
def unflag(session: Session, invert: bool) -> None:
    """Take the flag off; in the cull the photo is undecided again, unless it has stars."""
    culling = session.pass_ is Pass.CULL

    def fields(marks: Marks) -> dict[str, object]:
        if culling:
            return {"flag": None, "kept": False}
        through = marks.kept or marks.flag is Flag.PICK
        return {"flag": None, "kept": through}

    _mark(session, "unflag", fields, invert)


def _stars(session: Session, number: int, invert: bool) -> None:
    act = counted(number, "star") if number else "no stars"
    _mark(session, act, lambda marks: starring(marks, number), session.stars_advance != invert)


@command("1 star", "Marks")
def stars_1(session: Session, invert: bool) -> None:
    """Give one star; the photo is kept."""
    _stars(session, 1, invert)


@command("2 stars", "Marks")
def stars_2(session: Session, invert: bool) -> None:
    """Give two stars; the photo is kept."""
    _stars(session, 2, invert)


@command("3 stars", "Marks")
def stars_3(session: Session, invert: bool) -> None:
    """Give three stars; the photo is kept."""
    _stars(session, 3, invert)


@command("4 stars", "Marks")
def stars_4(session: Session, invert: bool) -> None:
    """Give four stars: kept, and approved for export."""
    _stars(session, 4, invert)


@command("5 stars", "Marks")
def stars_5(session: Session, invert: bool) -> None:
    """Give five stars: kept, and approved for export."""
    _stars(session, 5, invert)


@command("No stars", "Marks")
def stars_0(session: Session, invert: bool) -> None:
    """Take the stars off; the photo stays kept."""
    _stars(session, 0, invert)


def _label(session: Session, label: Label, invert: bool) -> None:
    """Set a label, or take it off where every photo marked has it already."""
    has = all(session.table.marks(photo_id).label is label for photo_id in session.targets())
    value = None if has else label
    act = f"{label} label off" if has else f"{label} label"
    _mark(session, act, lambda _: {"label": value}, session.stars_advance != invert)


@command("Red label", "Marks")
def label_red(session: Session, invert: bool) -> None:
    """Label red; the same key again takes it off."""
    _label(session, Label.RED, invert)


@command("Yellow label", "Marks")
def label_yellow(session: Session, invert: bool) -> None:
    """Label yellow; the same key again takes it off."""
    _label(session, Label.YELLOW, invert)


@command("Green label", "Marks")
def label_green(session: Session, invert: bool) -> None:
    """Label green; the same key again takes it off."""
    _label(session, Label.GREEN, invert)


@command("Blue label", "Marks")
def label_blue(session: Session, invert: bool) -> None:
    """Label blue; the same key again takes it off."""
    _label(session, Label.BLUE, invert)


@command("Purple label", "Marks")
def label_purple(session: Session, invert: bool) -> None:
    """Label purple; once more takes it off."""
    _label(session, Label.PURPLE, invert)


@command("Stars advance", "Marks")
def toggle_stars_advance(session: Session) -> None:
    """Switch whether stars and labels go on to the next photo; Shift turns it round once."""
    session.settings.loupe.stars_advance = not session.stars_advance
    session.say("Stars advance" if session.stars_advance else "Stars stay on the photo")
    session.ask("settings_changed")
    session.view_changed.emit()


@command("Undo", "Marks")
def undo(session: Session) -> None:
    """Take the last marks back, also those of an earlier evening, and show their photo."""
    session.undo()


@command("Redo", "Marks")
def redo(session: Session) -> None:
    """Make the marks taken back again."""
    session.redo()


@command("Delete does nothing", "Marks")
def delete(session: Session) -> None:
    """Say that X rejects: no key deletes a file."""
    session.say("X rejects. No key deletes a file.")


def _passed_over(session: Session) -> list[int]:
    return session.scope_ids("passed-over")


@command("Keep what was passed over", "Marks")
def keep_passed_over(session: Session) -> None:
    """Let every photo through that was seen in the cull and left undecided; one undo step."""
    session.decide_many("keep", {photo_id: {"kept": True} for photo_id in _passed_over(session)})
    session.view_changed.emit()


@command("Reject what was passed over", "Marks")
def reject_passed_over(session: Session) -> None:
    """Reject every photo that was seen in the cull and left undecided; one undo step."""
    photos = _passed_over(session)
    session.decide_many("reject", {photo_id: {"flag": Flag.REJECT} for photo_id in photos})
    session.view_changed.emit()


@command("Look again", "Passes")
def look_again(session: Session) -> None:
    """Open the pass anew with what is still undecided."""
    session.set_pass(session.pass_)


# --- moves


@command("Next photo", "Moves")
def next_photo(session: Session) -> None:
    """Go to the next photo; no decision."""
    session.step(1)


@command("Previous photo", "Moves")
def previous_photo(session: Session) -> None:
    """Go back to the previous photo."""
    session.step(-1)


@command("Row down", "Moves")
def down(session: Session) -> None:
    """Go one row down in the grid; in the loupe to the next photo."""
    session.ask("row", 1) if session.view is View.GRID else session.step(1)


@command("Row up", "Moves")
def up(session: Session) -> None:
    """Go one row up in the grid; in the loupe to the previous photo."""
    session.ask("row", -1) if session.view is View.GRID else session.step(-1)


@command("Page down", "Moves")
def page_down(session: Session) -> None:
    """Go one screen of thumbnails down."""
    session.ask("page", 1)


@command("Page up", "Moves")
def page_up(session: Session) -> None:
    """Go one screen of thumbnails up."""
    session.ask("page", -1)


@command("Next undecided", "Moves")
def next_undecided(session: Session) -> None:
    """Go to the next photo nobody has judged."""
    session.step_undecided(1)


@command("Previous undecided", "Moves")
def previous_undecided(session: Session) -> None:
    """Go back to the nearest photo nobody has judged."""
    session.step_undecided(-1)


@command("First photo", "Moves")
def first(session: Session) -> None:
    """Go to the first photo of the list."""
    session.go(0)


@command("Last photo", "Moves")
def last(session: Session) -> None:
    """Go to the last photo of the list."""
    session.go(len(session.ids) - 1)


@command("Finish page", "Moves")
def finish(session: Session) -> None:
    """Turn to the end of the pass, with its numbers and what to do next."""
    if session.pass_ is Pass.BROWSE:
        session.say("A finish page stands at the end of a pass: Alt+1 culls, Alt+2 rates.")
    else:
        session.finish()


@command("Select all", "Moves")
def select_all(session: Session) -> None:
    """Select the whole list."""
    session.select_all()


@command("Select none", "Moves")
def select_none(session: Session) -> None:
    """Select nothing but the current photo."""
    session.clear_selection()


# --- looking


@command("Zoom", "Looking")
def zoom(session: Session) -> None:
    """Switch between fit and 100 % of the original, at the pointer; held, look for a moment."""
    session.ask("zoom")


@command("Larger", "Looking")
def larger(session: Session) -> None:
    """Zoom in; in the grid make thumbnails larger."""
    session.ask("size", 1)


@command("Smaller", "Looking")
def smaller(session: Session) -> None:
    """Zoom out; in the grid make thumbnails smaller."""
    session.ask("size", -1)


@command("Turn left", "Looking")
def turn_left(session: Session) -> None:
    """Turn the photo a quarter to the left, in the catalog only."""
    _turn(session, 3)


@command("Turn right", "Looking")
def turn_right(session: Session) -> None:
    """Turn the photo a quarter to the right, in the catalog only."""
    _turn(session, 1)


def _turn(session: Session, quarters: int) -> None:
    photos = session.targets()
    if photos:
        session.catalog.turn(photos, quarters)
        session.refresh()
        session.say("Turned in the catalog; the file is untouched.")


@command("Surround", "Looking")
def surround(session: Session) -> None:
    """Step through four surrounds of the picture: dark, black, grey, white."""
    session.surround = (session.surround + 1) % 4
    session.settings.loupe.surround = session.surround
    session.ask("settings_changed")
    session.view_changed.emit()


@command("Inspector", "Looking")
def toggle_inspector(session: Session) -> None:
    """Show or hide all there is to know of the photo."""
    session.inspector = not session.inspector
    session.view_changed.emit()


@command("Panels", "Looking")
def toggle_panels(session: Session) -> None:
    """Hide everything but the picture, or bring it back."""
    session.panels_hidden = not session.panels_hidden
    session.view_changed.emit()


@command("Full screen", "Looking")
def toggle_fullscreen(session: Session) -> None:
    """Fill the screen with the picture, or leave it again."""
    session.fullscreen = not session.fullscreen
    session.ask("fullscreen")
    session.view_changed.emit()


@command("Search", "Looking")
def search(session: Session) -> None:
    """Filter by text in the file name, or by fields: is:picked rating:>=4 camera:x100."""
    session.ask("filter")


@command("Apply the filter again", "Looking")
def reapply(session: Session) -> None:
    """Take out what no longer fits the filter, and sort anew."""
    session.rebuild(keep=None)


@command("All keys", "Looking")
def help_(session: Session) -> None:
    """Show every key of this view."""
    session.ask("help")


# --- files


@command("Open a folder…", "Files")
def open_folder(session: Session) -> None:
    """Add a folder of photos. Nothing is moved, changed or uploaded."""
    session.ask("add_folder")


@command("Read the folders again", "Files")
def rescan(session: Session) -> None:
    """Look for new, moved and missing files in every folder that is switched on."""
    if session.pipeline is not None:
        session.pipeline.rescan()
        session.say("Looking for new and missing files…")


@command("Export…", "Files")
def export(session: Session) -> None:
    """Copy the approved photos of this scope into a folder, with a manifest."""
    session.ask("export")


@command("Unreadable photos…", "Files")
def failures(session: Session) -> None:
    """List the photos that could not be read, with the reason, and try again."""
    session.ask("failures")


@command("Pause or resume reading", "Files")
def pause(session: Session) -> None:
    """Hold the background work, or let it go on."""
    if session.pipeline is None:
        return
    if session.pipeline.paused:
        session.pipeline.resume()
        session.say("Reading goes on.")
    else:
        session.pipeline.pause()
        session.say("Reading is paused.")


@command("Show in the file manager", "Files")
def show_file(session: Session) -> None:
    """Show the photo's original where it lies on disk."""
    if session.current is not None:
        session.ask("show_file", session.current)


@command("Settings…", "Files")
def settings(session: Session) -> None:
    """Change the settings."""
    session.ask("settings")


@command("Quit", "Files")
def quit_(session: Session) -> None:
    """Close Curator; the next start opens at this frame."""
    session.ask("quit")


__all__ = ["COMMANDS", "GROUPS", "Command", "command", "run"]

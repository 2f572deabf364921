"""The type of a command, and the table of all commands."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from curator.model import KnownError
from curator.session import Session

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Command:
    """One user action.

    Attributes:
        name: its id in KEYMAP and in keys.toml; never changes without an alias.
        title: its name in menus.
        group: its column in the keyboard overview.
        help: its docstring.
        subject: the module it is in; menus draw a line between subjects.
        lacks: returns why the command cannot run now, in a few words; empty if it can.
    """

    name: str
    title: str
    group: str
    help: str
    function: Callable[[Session, bool], None]
    subject: str
    lacks: Callable[[Session], str]


COMMANDS: dict[str, Command] = {}
GROUPS = ("Modes", "Rate and flag", "Navigate", "View", "Files")


def command(
    title: str, group: str, *, lacks: Callable[[Session], str] = lambda _: ""
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare a function as a command.

    If ``lacks`` returns a reason, menus and the palette disable the command, and the menu of a
    photo leaves it out. A function with a second parameter ``invert`` is told whether Shift
    inverted auto-advance this once.

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

        subject = function.__module__
        COMMANDS[name] = Command(name, title, group, function.__doc__.strip(), run, subject, lacks)
        return function

    return declare


def run(session: Session, name: str, invert: bool = False) -> None:
    """Run a command by name; an error that a person can act on goes to the status line.

    Raises:
        KeyError: there is no such command.
    """
    try:
        COMMANDS[name].function(session, invert)
    except KnownError as error:
        log.info("%s: %s", name, error)
        session.messages.say(str(error))

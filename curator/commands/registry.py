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
        disabled_reason: returns why the command cannot run now, in a few words; empty if it can.
    """

    name: str
    title: str
    group: str
    help: str
    function: Callable[[Session, bool], None]
    subject: str
    disabled_reason: Callable[[Session], str]


COMMANDS: dict[str, Command] = {}
GROUPS = ("Modes", "Rate and flag", "Navigate", "View", "Files")


def command(
    title: str, group: str, *, disabled_reason: Callable[[Session], str] = lambda _: ""
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare a function as a command.

    If ``disabled_reason`` returns a text, menus and the palette disable the command, and the menu
    of a photo leaves it out. If the function has a second parameter ``invert``, it receives whether
    Shift inverted auto-advance.

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

        text, subject = function.__doc__.strip(), function.__module__
        COMMANDS[name] = Command(name, title, group, text, run, subject, disabled_reason)
        return function

    return declare


def run(session: Session, name: str, invert: bool = False) -> None:
    """Run a command by name; a KnownError goes to the status line.

    Raises:
        KeyError: there is no such command.
    """
    try:
        COMMANDS[name].function(session, invert)
    except KnownError as error:
        log.info("%s: %s", name, error)
        session.messages.say(str(error))

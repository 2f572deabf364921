"""Every user action: a function with a docstring, declared once, used everywhere.

Menus, the keyboard overview, tooltips and docs/keys.md are made from COMMANDS; keys are bound only
in :mod:`curator.keymap`. Users read the docstring of a command: its first line explains the title,
in the imperative.

Each module has the commands of one subject; menus list the subjects in the order of the imports
below. To add a command, write a function of a :class:`~curator.session.Session` under ``@command``.
"""

# isort: off
from curator.commands import modes, marks, tags, stacks, navigate, compare, view, describing
from curator.commands import reading, searching, files, sidecars, projects, application

# isort: on
from curator.commands.registry import COMMANDS, GROUPS, Command, command, run

__all__ = [
    "COMMANDS",
    "GROUPS",
    "Command",
    "application",
    "command",
    "compare",
    "describing",
    "files",
    "marks",
    "modes",
    "navigate",
    "projects",
    "reading",
    "run",
    "searching",
    "sidecars",
    "stacks",
    "tags",
    "view",
]

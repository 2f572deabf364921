"""Every user action: a function with a docstring, declared once, used everywhere.

Menus, the keyboard overview, tooltips and docs/keys.md are made from COMMANDS. Which key runs which
command is in :mod:`curator.keymap` alone. Users read a command's docstring: its first line explains
the title, in the imperative.

The modules below hold the commands by subject. To add one: write a function of a
:class:`~curator.session.Session` under ``@command`` in the module of its subject. COMMANDS lists
them in the order of the imports below.
"""

# isort: off
from curator.commands import modes, marks, tags, stacks, navigate, compare, view, describing
from curator.commands import searching, files, sidecars, projects, application

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
    "run",
    "searching",
    "sidecars",
    "stacks",
    "tags",
    "view",
]

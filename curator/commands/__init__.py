"""Every user action: a function with a docstring, declared once, used everywhere.

The menu, the cheat sheet, tooltips and the README are made from COMMANDS; which key runs what is
in :mod:`curator.keymap` alone. A command's docstring is what a user reads: its first line is the
title's explanation, in the imperative.

To add a command: write a function of a :class:`~curator.session.Session` under ``@command`` in
the module of its subject. COMMANDS has them in the order of the imports below.
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

"""How docstrings open: with what the function does, in the verb a stranger expects."""

from __future__ import annotations

import ast
from pathlib import Path

import curator
from tests.architecture.trees import parsed, statements

PACKAGE = Path(curator.__file__).resolve().parent
VAGUE = {"Give", "Gives", "Say", "Says", "Tell", "Tells", "Have", "Has"}


def openings(source: str) -> list[tuple[int, str]]:
    """Return the first word of each docstring of a module, with its line."""
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    documented = (
        (node.lineno, ast.get_docstring(node))
        for node, _ in statements(parsed(source))
        if isinstance(node, kinds)
    )
    return [(line, text.split()[0]) for line, text in documented if text]


def test_no_docstring_opens_with_a_verb_that_says_nothing() -> None:
    found = [
        f"{path.relative_to(PACKAGE.parent)}:{line} {word}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line, word in openings(path.read_text("utf-8"))
        if word in VAGUE
    ]
    assert found == []


def test_an_opening_is_found_in_a_class_and_a_method() -> None:
    source = 'class A:\n    """Tells it."""\n    def b(self):\n        """Give it."""\n'
    assert openings(source) == [(1, "Tells"), (3, "Give")]

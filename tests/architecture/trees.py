"""The syntax trees of curator's modules, parsed once for all checks of a test process."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

_BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")


@lru_cache(None)
def parsed(source: str) -> ast.Module:
    """Return the syntax tree of a module's source."""
    return ast.parse(source)


def statements(node: ast.AST, early: bool = True) -> Iterator[tuple[ast.AST, bool]]:
    """Yield the statements inside a node, and whether each runs while the module is imported.

    Without expressions, they are a tenth of the nodes of a tree.
    """
    late = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or (
        isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    for block in _BLOCKS:
        for child in getattr(node, block, ()):
            yield child, early and not late
            yield from statements(child, early and not late)

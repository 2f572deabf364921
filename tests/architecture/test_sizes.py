"""Budgets that keep every function readable: fail at the hard limit, print the worst.

Lines of a function are counted without its docstring, so that documenting costs nothing. Modules
have no budget of lines: `test_shape` holds what keeps them readable.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

import pytest

import curator
from tests.architecture.trees import parsed, statements

PACKAGE = Path(curator.__file__).resolve().parent
FUNCTION_AIM, FUNCTION_LIMIT = 40, 80
PARAMETER_LIMIT = 6

Function = ast.FunctionDef | ast.AsyncFunctionDef


def function_lines(node: Function) -> int:
    """Count the lines of a function from its ``def``, docstring left out."""
    assert node.end_lineno is not None
    lines = node.end_lineno - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) is not None and first.end_lineno is not None:
        lines -= first.end_lineno - first.lineno + 1
    return lines


def parameters(node: Function) -> int:
    """Count what a caller has to know; ``self`` and ``cls`` are free."""
    arguments = node.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    names += [a.arg for a in (arguments.vararg, arguments.kwarg) if a is not None]
    return len([name for name in names if name not in ("self", "cls")])


def measure(source: str, where: str) -> dict[str, list[tuple[int, str]]]:
    """Measure one module: lines and parameters of each function."""
    sizes: dict[str, list[tuple[int, str]]] = {
        "function": [],
        "parameters": [],
    }
    for node, _ in statements(parsed(source)):
        if isinstance(node, Function):
            place = f"{where}:{node.lineno} {node.name}"
            sizes["function"].append((function_lines(node), place))
            sizes["parameters"].append((parameters(node), place))
    return sizes


@lru_cache
def measured() -> list[dict[str, list[tuple[int, str]]]]:
    """Measure every module of the package, once."""
    return [
        measure(path.read_text("utf-8"), str(path.relative_to(PACKAGE.parent)))
        for path in PACKAGE.rglob("*.py")
    ]


@pytest.mark.parametrize(
    ("what", "aim", "limit"),
    [
        ("function", FUNCTION_AIM, FUNCTION_LIMIT),
        ("parameters", PARAMETER_LIMIT, PARAMETER_LIMIT),
    ],
)
def test_budgets_are_kept(what: str, aim: int, limit: int) -> None:
    sizes = [size for module in measured() for size in module[what]]
    worst = sorted(sizes, reverse=True)[:5]
    over = sum(size > aim for size, _ in sizes)
    print(f"{what}: {over} of {len(sizes)} over the aim of {aim}; the five worst:")
    for size, place in worst:
        print(f"  {size:4d}  {place}")
    assert [f"{place}: {size}" for size, place in sizes if size > limit] == []


def test_a_function_that_is_too_long_is_counted_without_its_docstring() -> None:
    body = "    x = 1\n" * 90
    source = f'def f(self, a, *, b, **c):\n    """One.\n\n    Two.\n    """\n{body}'
    sizes = measure(source, "planted")
    assert sizes["function"][0][0] == 91
    assert sizes["parameters"][0][0] == 3


VAGUE_NAMES = {"utils", "util", "helpers", "misc", "common", "manager"}


def test_no_module_has_a_vague_name() -> None:
    assert [p for p in PACKAGE.rglob("*.py") if p.stem in VAGUE_NAMES] == []

"""Objects are split by ownership: few members, shallow inheritance, no circles of imports.

A class sliced by inheritance reads as eight small files and is one large object: every slice can
write what any other reads. These limits forbid that, where a limit on lines would invite it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import pytest

import curator
from tests.architecture.trees import parsed, statements

PACKAGE = Path(curator.__file__).resolve().parent
MEMBERS = 60  # on `self`, over all bases inside curator
DEPTH = 2  # classes of curator one above the other; errors and protocols may go deeper
FREE = ("Exception", "Protocol", "Enum", "StrEnum", "IntEnum", "NamedTuple", "TypedDict")

Class = tuple[str, str]  # module, name


class Modules:
    """Modules as syntax trees, with what each class inherits and each module imports."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.trees = {module: parsed(source) for module, source in sources.items()}
        self.classes: dict[Class, ast.ClassDef] = {
            (module, node.name): node
            for module, tree in self.trees.items()
            for node, _ in statements(tree)
            if isinstance(node, ast.ClassDef)
        }
        self._bases: dict[Class, list[Class]] = {}
        self.named = {
            module: [name for node, _ in statements(tree) for name in _imported(node)]
            for module, tree in self.trees.items()
        }

    def ancestry(self, key: Class) -> list[Class]:
        """List a class and every class of curator it inherits from."""
        found = [key]
        for each in found:
            found += [base for base in self.bases(each) if base not in found]
        return found

    def bases(self, key: Class) -> list[Class]:
        """List the classes of curator that a class inherits from directly."""
        if key not in self._bases:
            found = [self._resolve(key[0], base) for base in self.classes[key].bases]
            self._bases[key] = [base for base in found if base is not None and base != key]
        return self._bases[key]

    def depth(self, key: Class) -> int:
        return 1 + max(map(self.depth, self.bases(key)), default=0)

    def is_free(self, key: Class) -> bool:
        """Whether a class is an error, a protocol or an enumeration."""
        names = {
            name
            for each in self.ancestry(key)
            for base in self.classes[each].bases
            for name in (ast.unparse(base).rpartition(".")[2],)
        }
        return any(name in FREE or name.endswith("Error") for name in names)

    def members(self, key: Class) -> set[str]:
        """Name what stands on ``self``: methods, class attributes, and what methods assign."""
        return {name for each in self.ancestry(key) for name in _own(self.classes[each])}

    def imports(self) -> dict[str, set[str]]:
        """Map each module to the modules it imports, at run time or for types alone."""
        return {
            module: {self._module_of(name) for name in named} - {module, ""}
            for module, named in self.named.items()
        }

    def circles(self) -> list[list[str]]:
        """List groups of modules that reach each other by imports."""
        imports = self.imports()
        reach = {module: _reached(module, imports) for module in imports}
        groups = {
            tuple(sorted(other for other in reach[module] if module in reach[other]))
            for module in imports
            if module in reach[module]
        }
        return sorted(list(group) for group in groups)

    def _module_of(self, name: str) -> str:
        """Find the module an imported name is or is in; empty if it is not in curator."""
        if name in self.trees:
            return name
        parent = name.rpartition(".")[0]
        return parent if parent in self.trees else ""

    def _resolve(self, module: str, base: ast.expr) -> Class | None:
        """Find the class an expression in a module's class statement names."""
        if isinstance(base, ast.Subscript):
            base = base.value
        head, _, name = ast.unparse(base).rpartition(".")
        if not head and (module, name) in self.classes:
            return module, name
        for imported in self.named[module]:
            source, _, last = imported.rpartition(".")
            if head and last == head.rpartition(".")[2] and (imported, name) in self.classes:
                return imported, name
            if not head and last == name and source in self.trees:
                if (source, name) in self.classes:
                    return source, name
                return self._resolve(source, ast.Name(name))
        return None


def _own(node: ast.ClassDef) -> Iterator[str]:
    for part in node.body:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            yield part.name
            for inner, _ in statements(part):
                yield from filter(None, map(_attribute, _targets(inner)))
        elif isinstance(part, ast.AnnAssign):
            yield ast.unparse(part.target)
        elif isinstance(part, ast.Assign):
            yield from map(ast.unparse, part.targets)


def _targets(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what a statement assigns to."""
    withs = [item.optional_vars for item in getattr(node, "items", ())]
    for target in (*getattr(node, "targets", ()), getattr(node, "target", None), *withs):
        if target is not None:
            yield from ast.walk(target)


def _attribute(target: ast.AST) -> str:
    """Return the attribute of ``self`` that a target is, or empty."""
    if not isinstance(target, ast.Attribute) or not isinstance(target.ctx, ast.Store):
        return ""
    return target.attr if ast.unparse(target.value) == "self" else ""


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def _reached(module: str, imports: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [module]
    while waiting:
        for name in imports[waiting.pop()] - found:
            found.add(name)
            waiting.append(name)
    return found


@lru_cache
def curator_modules() -> Modules:
    sources = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        sources[".".join(parts).removesuffix(".__init__")] = path.read_text("utf-8")
    return Modules(sources)


def test_no_object_has_more_members_than_a_reader_can_hold() -> None:
    sizes = {key: len(curator_modules().members(key)) for key in curator_modules().classes}
    wide = sorted(((size, ".".join(key)) for key, size in sizes.items()), reverse=True)
    print("widest:", *[f"\n  {size:4d}  {name}" for size, name in wide[:5]])
    assert [(name, size) for size, name in wide if size > MEMBERS] == []


def test_no_class_is_sliced_by_inheritance() -> None:
    deep = {
        ".".join(key): depth
        for key in curator_modules().classes
        if (depth := curator_modules().depth(key)) > DEPTH and not curator_modules().is_free(key)
    }
    assert deep == {}


def test_no_modules_import_each_other_not_even_for_types() -> None:
    assert curator_modules().circles() == []


PLANTED = {
    "curator.a": "from curator.b import B\nclass A(B):\n    x = 1\n    def go(self): self.y = 2\n",
    "curator.b": "import curator.c as c\nclass B(c.C):\n    z: int\n",
    "curator.c": "if TYPE_CHECKING:\n    from curator.a import A\nclass C: pass\n",
    "curator.d": "from curator.c import C\nclass Late(C, ValueError): pass\nclass D(Late): pass\n",
}


def test_what_is_forbidden_is_found() -> None:
    planted = Modules(PLANTED)
    assert planted.members(("curator.a", "A")) == {"x", "y", "z", "go"}
    assert planted.depth(("curator.a", "A")) == 3
    assert planted.is_free(("curator.d", "D")) and not planted.is_free(("curator.a", "A"))
    assert planted.circles() == [["curator.a", "curator.b", "curator.c"]]


@pytest.mark.parametrize("module", ["curator.session.session", "curator.catalog"])
def test_what_holds_the_parts_holds_little_else(module: str) -> None:
    lines = {path: path.read_text("utf-8").count("\n") for path in PACKAGE.rglob("*.py")}
    name = module.removeprefix("curator.").replace(".", "/")
    path = PACKAGE / f"{name}.py"
    assert lines[path if path in lines else PACKAGE / name / "__init__.py"] <= 400

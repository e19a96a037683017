"""The version of the rules: cells counted by other rules, or by another calendar, are counted again.

It is a digest of the code that the counting imports, from any folder, without comments and docstrings, whose changes cause no recount.
"""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from services.records.model.calendar import Calendar

OURS = ("contracts", "services")


def rules_version(working_days: Calendar, *modules: str) -> str:
    """Return a short digest of the calendar, and of these modules with all of ours that they import."""
    digest = sha256(working_days.version.encode())
    for day in sorted(working_days.closed):
        digest.update(day.isoformat().encode())
    digest.update(_digest(modules))
    return digest.hexdigest()[:12]


@cache
def _digest(modules: tuple[str, ...]) -> bytes:
    return sha256("\n".join(code_of(modules, OURS).values()).encode()).digest()


def code_of(modules: Iterable[str], packages: tuple[str, ...]) -> dict[str, str]:
    """Return the code of modules, and of all in these packages that they import at any distance, by name and in its order."""
    found: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = _file(name)
        if name in found or path is None:
            continue
        tree = ast.parse(path.read_bytes())
        waiting += [each for each in _imported(tree) if each.partition(".")[0] in packages]
        found[name] = ast.unparse(_Bare().visit(tree))
    return dict(sorted(found.items()))


class _Bare(ast.NodeTransformer):
    """Removes strings that stand alone: docstrings of modules, classes, functions and attributes."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        alone = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if alone else node


def _imported(tree: ast.Module) -> Iterator[str]:
    """Yield every module that is imported; `from a import b` gives `a` and `a.b`, since that may be a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def _file(name: str) -> Path | None:
    """Return the file of a module; None if the name is not that of a module."""
    try:
        spec = find_spec(name)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec is not None and spec.has_location and spec.origin else None

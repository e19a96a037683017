"""The source as data: files, modules, and what imports what."""

import ast
from functools import cache
from pathlib import Path
from typing import TypeVar

Node = TypeVar("Node", bound=ast.AST)

ROOT = Path(__file__).parents[2]
OURS = ("contracts", "services", "deploy")
FILES = sorted(path.relative_to(ROOT) for package in OURS for path in (ROOT / package).rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(), str(path))


def module_of(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def _all_nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(tree(path)))


def nodes(path: Path, kind: type[Node]) -> list[Node]:
    """Return the nodes of a kind in the file, wherever they are."""
    return [node for node in _all_nodes(path) if isinstance(node, kind)]


@cache
def imported(path: Path) -> tuple[str, ...]:
    """Return every module that the file imports; `from a import b` gives `a.b`, which may be a module."""
    froms = nodes(path, ast.ImportFrom)
    assert not any(node.level for node in froms), f"{path}: relative import"
    names = [alias.name for node in nodes(path, ast.Import) for alias in node.names]
    return (*names, *(f"{node.module}.{alias.name}" for node in froms for alias in node.names))

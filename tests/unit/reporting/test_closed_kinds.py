"""Kinds of fault that are closed as kinds: matches that pass over a new value, and lookups of ours taken for a caller's mistake."""

import ast
from collections.abc import Iterator
from inspect import signature
from pathlib import Path

import pytest

from services.reporting.disclosure.gate import Gate

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "services" / "reporting").rglob("*.py"))
DECIDING = [path for path in FILES if path.name != "__main__.py"]
"""What is typed on a command line is of no closed kind."""
LOOKUPS = {"LookupError", "KeyError", "IndexError"}


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text()))


def is_closed(body: list[ast.stmt]) -> bool:
    """Return whether a case only says that this cannot be."""
    return isinstance(body[0], ast.Raise) or "assert_never" in ast.unparse(body[0])


@pytest.mark.parametrize("path", DECIDING, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_match_passes_over_no_value(path: Path) -> None:
    wild = [case for node in nodes(path) if isinstance(node, ast.Match) for case in node.cases if _is_wild(case)]
    assert [ast.unparse(case) for case in wild if not is_closed(case.body)] == []


def _is_wild(case: ast.match_case) -> bool:
    return isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None and case.guard is None


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_lookup_of_ours_is_no_answer(path: Path) -> None:
    handled = [node.type for node in nodes(path) if isinstance(node, ast.ExceptHandler) and node.type is not None]
    assert {name for each in handled for name in _names(each)} & LOOKUPS == set()


def _names(node: ast.AST) -> set[str]:
    return {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}


def test_nothing_is_public_unless_it_is_said_to_be() -> None:
    assert signature(Gate).parameters["public"].default == frozenset()

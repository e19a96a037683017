"""No test fixes its day when it is imported: by the time it runs, it may be another."""

import ast
from collections.abc import Iterator

import pytest

from tests.support.source import ROOT

ASKED = {("datetime", "now"), ("datetime", "today"), ("datetime", "utcnow"), ("date", "today"), ("time", "time")}
MODULES = sorted(path for path in (ROOT / "tests").rglob("*.py") if "load" not in path.parts)
"""All but programs that measure, which begin when they are imported."""


def asked_at_import(tree: ast.AST) -> Iterator[int]:
    """Yield the lines that ask what time it is when the module is imported."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            begun = [*node.args.defaults, *(one for one in node.args.kw_defaults if one is not None)]
            for one in [*begun, *getattr(node, "decorator_list", [])]:
                yield from asked_at_import(ast.Expr(one))
        else:
            if isinstance(node, ast.Call) and _asks(node.func):
                yield node.lineno
            yield from asked_at_import(node)


def _asks(called: ast.expr) -> bool:
    if isinstance(called, ast.Name):
        return called.id == "system_clock"
    return (
        isinstance(called, ast.Attribute)
        and isinstance(called.value, ast.Name)
        and (called.value.id, called.attr) in ASKED
    )


def test_no_module_of_tests_asks_the_time_when_it_is_imported() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}" for path in MODULES for line in asked_at_import(ast.parse(path.read_text()))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("TODAY = datetime.now(UTC).date()", True),
        ("class A:\n    day = date.today()", True),
        ("def f(day=date.today()): pass", True),
        ("@cached(time.time())\ndef f(): pass", True),
        ("NOW = [system_clock()]", True),
        ("def f(): return datetime.now(UTC)", False),
        ("f = lambda: datetime.now(UTC)", False),
        ("CLOCK = system_clock", False),
    ],
)
def test_what_asks_the_time_when_it_is_imported(text: str, asks: bool) -> None:
    assert bool([*asked_at_import(ast.parse(text))]) is asks

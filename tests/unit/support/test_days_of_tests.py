"""No test fixes its day when it is imported, nor asks for it unless it is marked: by the time it goes on, it may be another."""

import ast
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

import pytest

from tests.support.source import ROOT

ASKED = {("datetime", "now"), ("datetime", "today"), ("datetime", "utcnow"), ("date", "today"), ("time", "time")}
MODULES = sorted(path for path in (ROOT / "tests").rglob("*.py") if "load" not in path.parts)
"""All but programs that measure, which begin when they are imported."""


UNMARKED = {
    "tests/integration/contracts/client/test_walk_through.py:day": "any day of last month will do",
    "tests/integration/records/upkeep/test_doctor.py:test_nights_that_were_missed_are_told": "what it asks is given the time",
    "tests/integration/records/webhooks/conftest.py:__init__": "what it asks is given the day",
}
"""Tests that ask for their day and may see two, and why."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


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


def asking_for_the_day(tree: ast.Module) -> Iterator[str]:
    """Yield the functions that ask the clock of the machine for its day, unless they or their module are marked."""
    if any("one_day" in ast.unparse(node) for node in tree.body if isinstance(node, ast.Assign)):
        return
    for node in ast.walk(tree):
        if isinstance(node, Function) and not any("one_day" in ast.unparse(mark) for mark in node.decorator_list):
            times = {
                name.id
                for assigned in ast.walk(node)
                if isinstance(assigned, ast.Assign) and _tells_time(assigned.value, set())
                for target in assigned.targets
                for name in ast.walk(target)
                if isinstance(name, ast.Name)
            }
            if any(_is_a_day(part, times) for part in ast.walk(node)):
                yield node.name


def _tells_time(value: ast.AST, times: AbstractSet[str]) -> bool:
    return any(
        (isinstance(part, ast.Call) and _asks(part.func)) or (isinstance(part, ast.Name) and part.id in times)
        for part in ast.walk(value)
    )


def _is_a_day(part: ast.AST, times: AbstractSet[str]) -> bool:
    """Return whether an expression makes a day of such a time."""
    match part:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="date"), attr="today")):
            return True
        case ast.Call(func=ast.Attribute(attr="date" | "strftime", value=value)):
            return _tells_time(value, times)
        case ast.FormattedValue(value=value, format_spec=ast.JoinedStr() as form):
            return "%d" in ast.unparse(form) and _tells_time(value, times)
    return False


def test_tests_that_ask_for_their_day_are_marked() -> None:
    """`one_day` has midnight pass before they begin (tests/support/one_day.py); beside tests of faults stand programs, too."""
    found = {
        f"{path.relative_to(ROOT)}:{name}"
        for path in MODULES
        if "faults" not in path.parts or path.name.startswith("test_")
        for name in asking_for_the_day(ast.parse(path.read_text()))
    }
    assert found == UNMARKED.keys()


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("def f(): return system_clock().date()", ["f"]),
        ("def f():\n    now = datetime.now(UTC)\n    return now.astimezone(LONDON).date()", ["f"]),
        ("def f(): return f'{system_clock():%Y-%m-%d}'", ["f"]),
        ("def f(): return date.today()", ["f"]),
        ("class A:\n    async def f(self): return datetime.now(UTC).strftime('%d')", ["f"]),
        ("@pytest.mark.one_day\ndef f(): return date.today()", []),
        ("pytestmark = [pytest.mark.one_day(seconds=600)]\ndef f(): return date.today()", []),
        ("def f(now): return now.date()", []),
        ("def f(): return f'{system_clock():%H:%M}'", []),
        ("def f(): return system_clock().timestamp()", []),
    ],
)
def test_what_asks_for_the_day(text: str, asks: list[str]) -> None:
    assert list(asking_for_the_day(ast.parse(text))) == asks


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

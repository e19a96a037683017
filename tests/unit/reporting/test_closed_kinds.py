"""Kinds of fault that are closed as kinds: matches that pass over a new value, and lookups of ours taken for a caller's mistake."""

import ast
from collections.abc import Iterator
from datetime import date
from inspect import Parameter, signature
from pathlib import Path

import pytest

from contracts.authorities import AUTHORITIES
from services.reporting.disclosure.gate import Gate
from services.reporting.disclosure.linked_tables import FAMILIES, PUBLIC_FORMS
from services.reporting.disclosure.suppression import CellKey, hide
from services.reporting.registry.indicators import Form, form
from tests.support.figures import national_cells

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "services" / "reporting").rglob("*.py"))
LOOKUPS = {"LookupError", "KeyError", "IndexError"}
FIFE, SCOTLAND = "S12000047", "S92000003"
MARCH = date(2026, 3, 1)
PEOPLE = form("persons_with_new_order")


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text()))


def is_closed(body: list[ast.stmt]) -> bool:
    """Whether it only says that this cannot be."""
    return isinstance(body[0], ast.Raise) or "assert_never" in ast.unparse(body[0])


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
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


def test_what_is_hidden_is_always_said() -> None:
    assert signature(Gate).parameters["hidden"].default is Parameter.empty


def hidden_areas(reported: dict[str, set[date]] | None) -> set[str]:
    """Where any number is hidden that would be public of a single authority: there are 3 orders, in Fife."""
    hidden = hide({CellKey("orders_imposed", "", MARCH, FIFE): 3}, MARCH, reported=reported).hidden
    return {key.area for key in hidden if not PUBLIC_FORMS[Form(key.measure, key.grouping.split("+"))]}


def test_nothing_is_hidden_behind_who_reported_nothing() -> None:
    """Everybody knows what they have: nothing. It would hide no other number."""
    assert hidden_areas({FIFE: {MARCH}}) == {FIFE, SCOTLAND}
    assert hidden_areas({code: {MARCH} for code in AUTHORITIES}) - {FIFE, SCOTLAND}, (
        "nothing is a number where all report"
    )


@pytest.mark.parametrize("authorities", [1, 2, 3])
def test_a_few_senders_can_be_released(authorities: int) -> None:
    cells = national_cells(authorities, date(2026, 1, 1), 3, authorities)
    whole = {CellKey(c.measure, c.category, c.period, c.authority): c.value for c in cells if c.value}
    reported = {key.authority: {date(2026, month, 1) for month in (1, 2, 3)} for key in whole}
    assert not hide(whole, MARCH, reported=reported).held


def test_what_no_choice_protects_is_hidden_whole() -> None:
    """Fife told of 3 orders and of nobody with a new one, yet counts as silent: no world has another number there."""
    cells = {CellKey("orders_imposed", "", MARCH, FIFE): 3}
    family = next(each for each in FAMILIES if each.totals == (PEOPLE,))
    hiding = hide(cells, MARCH, families=[family], reported={})
    assert {(key.measure, key.grouping) for key in hiding.hidden} == {(PEOPLE.measure, PEOPLE.grouping)}
    assert {key.area for key in hiding.hidden if key.period == "2026-03"} == {*AUTHORITIES, SCOTLAND}
    assert (hiding.cells, hiding.held) == (cells, ())

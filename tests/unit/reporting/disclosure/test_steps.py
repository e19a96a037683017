"""How exact a figure is: the step of its rounding for the public, and nothing for those who may see it as it is."""

import pytest

from contracts.authorities import HEALTH_BOARDS
from services.chassis.api.auth import PUBLIC, Identity
from services.reporting.disclosure.gate import Figure, Gate, Why
from services.reporting.disclosure.linked_tables import (
    NATIONAL_ONLY,
    STEP,
    STEP_OF_HOURS,
    STEPS,
    TABLES,
    cells_in,
    is_made_good,
    is_public,
    step_of,
)
from services.reporting.read.vintages import Rounded
from services.reporting.registry.areas import SCOTLAND
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Form, Kind, form

GLASGOW, FIFE = "S12000049", "S12000047"
NATIONAL = Identity("analyst", frozenset({"national:read"}))
MANAGER = Identity("manager", frozenset({"orders:read"}), FIFE)
ORDERS, MINUTES = form("orders_imposed"), form("unpaid_work_minutes_imposed")
BOARD_OF_FIFE = next(each.code for each in HEALTH_BOARDS.values() if each.members == (FIFE,))


@pytest.mark.parametrize(
    ("viewer", "area", "exact"),
    [
        *((NATIONAL, area, True) for area in (SCOTLAND, GLASGOW, FIFE)),
        *((PUBLIC, area, False) for area in (SCOTLAND, GLASGOW, FIFE)),
        *((MANAGER, FIFE, True), (MANAGER, BOARD_OF_FIFE, True), (MANAGER, GLASGOW, False), (MANAGER, SCOTLAND, False)),
    ],
)
def test_a_figure_is_off_by_nothing_or_by_the_step_of_its_table(viewer: Identity, area: str, exact: bool) -> None:
    gate = Gate(viewer)
    assert gate.sees_whole(area) is exact
    assert [gate.off_by(each, area) for each in (ORDERS, MINUTES)] == ([0, 0] if exact else [STEP, STEP_OF_HOURS])


def test_every_public_cell_is_a_multiple_of_the_step_of_its_table() -> None:
    for table in TABLES:
        for cell in table.cells:
            assert step_of(Form(cell[0], (cell[1],))) == STEPS[cell] == table.step
    assert step_of(form("of no table")) == STEP


def test_only_sums_over_counts_are_rounded_each_by_itself() -> None:
    by_themselves = {table.name for table in TABLES if table.none_without}
    for table in TABLES:
        for cell in table.cells:
            assert is_made_good(Form(cell[0], (cell[1],))) is (table.name not in by_themselves)
    assert by_themselves
    assert not is_made_good(MINUTES)
    assert is_made_good(ORDERS)


def test_a_sum_is_public_where_all_its_cells_are() -> None:
    shown, hidden = ("orders_imposed", ""), ("outcome_change", "domain=accommodation.improved")
    assert is_public(ORDERS)
    assert shown in NATIONAL_ONLY
    assert not is_public(Form(hidden[0], (hidden[1],)))
    assert not is_public(Form("orders_imposed", ("", "colour=red")))


def yearly(months: int) -> Why | None:
    people = next(each for each in INDICATORS.values() if each.kind is Kind.YEARLY)
    found = Figure(Rounded("2026-03.1"), SCOTLAND, "2025-26", "", people.numerator, None, 500, months=months)
    return Gate(PUBLIC, frozenset(cells_in(people.numerator))).rows(people, [found])[0].why


def test_people_of_a_year_are_public_by_the_whole_year_even_for_scotland() -> None:
    assert [yearly(months) for months in (1, 11, 12)] == [Why.PERIOD, Why.PERIOD, None]


def test_the_open_orders_of_an_authority_are_public_for_every_month() -> None:
    stock = next(
        each for each in INDICATORS.values() if each.kind is Kind.STOCK and each.numerator.measure == "orders_opened"
    )
    found = Figure(Rounded("2026-03.1"), GLASGOW, "2026-03", "", stock.numerator, None, 500)
    assert Gate(PUBLIC, frozenset(NATIONAL_ONLY)).rows(stock, [found])[0].why is None


def test_each_reason_has_a_mark_of_its_own() -> None:
    assert {why: why.mark for why in Why} == {Why.SMALL: "c", Why.AUDIENCE: "a", Why.PERIOD: "n"}

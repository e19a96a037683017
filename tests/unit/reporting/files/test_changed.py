"""The changes of a release are told figure by figure: all that differ in the published figures, each once, and for its main reason."""

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from contracts.periods import last_day, parse_first, quarter_months
from services.reporting.files import changed, plain
from services.reporting.files.changed import COLUMNS, COVERAGE, Changed
from services.reporting.files.tidy import Tidy
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.releases.index import ReleaseInfo
from services.reporting.statistics.causes import Cause, Move

SCOTLAND, FIFE, GLASGOW = "S92000003", "S12000047", "S12000049"
MARCH = date(2026, 3, 1)
ORDERS, CONTACT = INDICATORS["orders_imposed"], INDICATORS["first_contact_within_1"]
BEFORE = ReleaseInfo(
    "2026-03.1", "published", MARCH, date(2026, 5, 9), "", datetime(2026, 5, 9, tzinfo=UTC), None, None, (), {}
)
TYPES = {SCOTLAND: "country", FIFE: "authority", GLASGOW: "authority"}


def row(indicator: str, area: str, period: str, value: float | None, mark: str = "", **more: Any) -> Tidy:
    """Return a row of a month or a quarter."""
    first = parse_first(period) if "Q" not in period else quarter_months(period)[0]
    last = last_day(first if "Q" not in period else quarter_months(period)[-1])
    made: dict[str, Any] = {
        **dict.fromkeys(Tidy._fields, ""),
        **dict.fromkeys(("denominator", "lower_95", "upper_95")),
        **dict.fromkeys(("provisional", "partial"), False),
        "release": "2026-04.1",
        "indicator": indicator,
        "indicator_title": INDICATORS[indicator].title,
        "unit": "orders",
        "area_code": area,
        "area": area,
        "area_type": TYPES[area],
        "period_type": "quarter" if "Q" in period else "month",
        "period": period,
        "period_start": first,
        "period_end": last,
        "value": value,
        "numerator": value,
        "mark": mark,
        "definition_version": 1,
    }
    return Tidy(**made | more)


def found(before: list[Tidy], now: list[Tidy], moves: list[Move] = [], *, as_file: bool = True) -> list[Changed]:  # noqa: B006
    """Return the changes since the release before, which is read from its file, or made anew from its rows."""
    tables = [
        plain.as_table([each for each in before if each.indicator == name]) for name in {r.indicator for r in before}
    ]
    file = plain.of_parquet(plain.as_parquet(tables))
    own = {indicator: [each for each in now if each.indicator == indicator.id] for indicator in (ORDERS, CONTACT)}
    earlier = file if as_file else lambda indicator: changed.of_rows(r for r in before if r.indicator == indicator.id)
    return changed.changed(BEFORE, earlier, own.items(), moves)


@pytest.mark.parametrize("as_file", [True, False], ids=["from the file", "made anew"])
def test_each_figure_that_differs_is_told_once(as_file: bool) -> None:
    before = [
        row("orders_imposed", SCOTLAND, "2026-02", 300.0),
        row("orders_imposed", SCOTLAND, "2026-03", 310.0),
        row("orders_imposed", FIFE, "2026-Q1", None, "c"),
        row("first_contact_within_1", SCOTLAND, "2026-03", 80.0),
    ]
    now = [
        before[0],
        before[1]._replace(value=315.0, numerator=315.0),
        before[2]._replace(value=10.0, numerator=10.0, mark=""),
        before[3]._replace(denominator=200.0),
        row("orders_imposed", SCOTLAND, "2026-04", 320.0),
        row("orders_imposed", GLASGOW, "2026-Q1", 90.0),
    ]
    told = found(before, now, as_file=as_file)
    assert [(each.before.value, each.now.value, each.now.area_code, each.now.period) for each in told] == [
        (310.0, 315.0, SCOTLAND, "2026-03"),
        (80.0, 80.0, SCOTLAND, "2026-03"),
        (None, 10.0, FIFE, "2026-Q1"),
    ], "neither new months nor figures that were not there; what a share is of is a change, too"


def test_what_was_not_over_then_is_no_change() -> None:
    """The quarter whose last month is new was published in part."""
    before = [row("orders_imposed", FIFE, "2026-Q2", 50.0, partial=True)]
    assert found(before, [before[0]._replace(value=80.0, numerator=80.0, partial=False)]) == []


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ([("", FIFE, MARCH, Cause.LATE, 10), ("", FIFE, MARCH, Cause.WITHDRAWN, -5)], Cause.LATE),
        ([("", FIFE, MARCH, Cause.LATE, 5), ("", FIFE, MARCH, Cause.WITHDRAWN, -10)], Cause.WITHDRAWN),
        ([("", GLASGOW, MARCH, Cause.LATE, 10)], COVERAGE),
        ([("", FIFE, date(2025, 12, 1), Cause.LATE, 10)], COVERAGE),
        ([("sex=male", FIFE, MARCH, Cause.LATE, 10)], COVERAGE),
    ],
    ids=["late", "withdrawn", "another area", "another quarter", "another count"],
)
def test_the_reason_is_that_of_most_of_what_moved_for_it(
    moves: list[tuple[str, str, date, Cause, int]], expected: str
) -> None:
    before = [row("orders_imposed", FIFE, "2026-Q1", 50.0)]
    given = [Move("orders_imposed", code, month, category, cause, by) for category, code, month, cause, by in moves]
    (told,) = found(before, [before[0]._replace(value=55.0, numerator=55.0)], given)
    assert told.reason == expected


def test_a_new_definition_is_the_reason_whatever_else_moved() -> None:
    before = [row("orders_imposed", FIFE, "2026-Q1", 50.0)]
    late = [Move("orders_imposed", FIFE, MARCH, "", Cause.LATE, 10)]
    (told,) = found(before, [before[0]._replace(value=55.0, definition_version=2)], late)
    assert told.reason == Cause.DEFINITION


def test_the_file_has_both_figures_and_each_column_says_what_it_holds() -> None:
    before = [row("orders_imposed", FIFE, "2026-Q1", None, "c")]
    told = found(before, [before[0]._replace(value=55.0, numerator=55.0, mark="")])
    (line,) = csv.DictReader(io.StringIO(changed.as_csv(BEFORE, told).decode()))
    assert (line["release"], line["release_before"], line["reason"]) == ("2026-04.1", "2026-03.1", "coverage")
    assert (line["value_before"], line["mark_before"], line["value"], line["mark"]) == ("", "c", "55.0", "")
    assert all(changed.meaning_of(name) and changed.kind_of(name) for name in COLUMNS)
    assert changed.kind_of("value_before") == "number"
    assert "in the release before" in changed.meaning_of("mark_before")


def test_a_stock_moves_with_all_that_ever_came_and_went() -> None:
    stock = INDICATORS["open_orders"]
    before = row("open_orders", FIFE, "2026-03", 500.0)
    moved = [Move("orders_closed", FIFE, date(2024, 1, 1), "", Cause.LATE, 5)]
    now = before._replace(value=495.0)
    (told,) = changed.changed(BEFORE, lambda _: changed.of_rows([before]), [(stock, [now])], moved)
    assert told.reason == Cause.LATE


def test_whole_figures_of_scotland_come_first_and_the_last_periods_before_earlier_ones() -> None:
    of_sex = {"breakdown": "Sex", "category_code": "sex=male", "category": "Male"}
    before = [
        row("orders_imposed", SCOTLAND, "2026-02", 1.0, **of_sex),
        row("orders_imposed", FIFE, "2026-Q1", 2.0),
        row("orders_imposed", SCOTLAND, "2026-02", 3.0),
        row("orders_imposed", SCOTLAND, "2026-03", 4.0),
    ]
    told = found(before, [each._replace(value=99.0) for each in before])
    assert [each.before.value for each in told] == [4.0, 3.0, 2.0, 1.0]


def test_a_release_of_a_later_month_is_compared_up_to_where_the_one_before_reached() -> None:
    before = [row("orders_imposed", SCOTLAND, "2026-03", 4.0)]
    shorter = replace(BEFORE, last_month=date(2026, 2, 1))
    now = [(ORDERS, [before[0]._replace(value=5.0)])]
    assert changed.changed(shorter, lambda _: changed.of_rows(before), now, []) == []

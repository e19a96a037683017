"""Protection of people still informs: the public is shown so much of the pretend nation, in numbers that may not fall."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import cache

import pytest

from contracts.authorities import AUTHORITIES
from contracts.periods import add_months, months_between
from services.chassis.api.auth import PUBLIC
from services.reporting.disclosure.gate import Figure, Gate, Row
from services.reporting.disclosure.linked_tables import NATIONAL_ONLY, cells_in
from services.reporting.disclosure.rounding import CellKey, Cells, rounded
from services.reporting.pages.content.sections import headlines
from services.reporting.pages.content.standards import STANDARDS
from services.reporting.read.vintages import Rounded
from services.reporting.registry.areas import SCOTLAND, members
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Form
from tests.support.made.released_monthly import cells_of

FIRST, LAST = date(2024, 4, 1), date(2026, 3, 1)
MONTHS = months_between(FIRST, LAST)
HEADLINES = tuple(dict.fromkeys([*headlines.HEADLINES, *(each.id for each in STANDARDS)]))
"""What the first page and the authorities' pages show first: all standards among it."""
SMALLEST = ("S12000023", "S12000027", "S12000013")
"""Orkney, Shetland and the Western Isles."""


@cache
def published() -> Cells:
    cells = {CellKey(c.measure, c.category, c.period, c.authority): c.value for c in cells_of(3, FIRST, 24, 32)}
    known = {key: value for key, value in cells.items() if value and (key.measure, key.category) in NATIONAL_ONLY}
    return rounded(known, LAST, b"a key of the tests")


def value(form: Form | None, area: str, months: Sequence[date]) -> int | None:
    if form is None:
        return None
    keys = (CellKey(*name, month, code) for name in cells_in(form) for month in months for code in members(area))
    return sum(published().get(key, 0) for key in keys)


def rows(name: str, areas: Iterable[str], periods: Iterable[Sequence[date]]) -> Iterator[Row]:
    indicator = INDICATORS[name]
    forms = indicator.numerator, indicator.denominator
    figures = [
        Figure(
            Rounded("x"),
            area,
            f"{p[0]:%Y-%m}/{p[-1]:%Y-%m}",
            "",
            *forms,
            value(forms[0], area, p) or 0,
            value(forms[1], area, p),
            months=len(p),
        )
        for area in areas
        for p in periods
    ]
    return iter(Gate(PUBLIC, frozenset(NATIONAL_ONLY)).rows(indicator, figures))


def spans(length: int, step: int) -> list[tuple[date, ...]]:
    starts = range(0, len(MONTHS) - length + 1, step)
    return [months_between(add_months(FIRST, at), add_months(FIRST, at + length - 1)) for at in starts]


def share_shown(found: Iterable[Row]) -> float:
    shown = [not row.suppressed for row in found]
    return sum(shown) / len(shown)


@pytest.mark.parametrize("length", [1, 3, 12])
def test_scotlands_headlines_are_shown_in_every_period(length: int) -> None:
    for name in HEADLINES:
        assert share_shown(rows(name, [SCOTLAND], spans(length, length))) == 1, name


@pytest.mark.parametrize("step", [12, 1], ids=["years", "rolling years"])
def test_authorities_headlines_of_twelve_months_are_nine_in_ten(step: int) -> None:
    found = [row for name in HEADLINES for row in rows(name, AUTHORITIES, spans(12, step))]
    assert share_shown(found) >= 0.9


def test_orders_and_hours_by_quarter_are_nine_in_ten() -> None:
    found = [row for name in ("orders_imposed", "hours_credited") for row in rows(name, AUTHORITIES, spans(3, 3))]
    assert share_shown(found) >= 0.9


@pytest.mark.parametrize("code", SMALLEST)
def test_the_smallest_authorities_are_told_of(code: str) -> None:
    found = [row for name in HEADLINES for row in rows(name, [code], spans(12, 12))]
    assert share_shown(found) > 0.5

"""Who sees its own figures whole is judged by them as they are, and others by what is published."""

from datetime import date

from services.reporting.disclosure.gate import Row
from services.reporting.figures.answers import Answer, Question
from services.reporting.figures.comparison import compare
from services.reporting.read.queries import Span
from services.reporting.registry.areas import SCOTLAND
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Kind
from services.reporting.statistics.funnel import Place

OWN, OTHER = "S12000023", "S12000027"
SHARE = next(each for each in INDICATORS.values() if each.kind is Kind.SHARE)


def row(area: str, numerator: float, denominator: float) -> Row:
    share = 100 * numerator / denominator
    return Row(area, "2025", "all", numerator, denominator, share, None, None, suppressed=False)


def answer(rows: list[Row]) -> Answer:
    span = Span(date(2025, 1, 1), date(2025, 12, 1))
    return Answer(SHARE, Question(), span, None, True, None, rows, 5, frozenset({OWN}))


def test_own_figures_are_there_where_scotland_has_none() -> None:
    """Of a period that is not released yet, an authority has its own."""
    found = compare(answer([row(OWN, 4, 6)]))
    assert [(each.row.authority, each.row.numerator, each.place) for each in found.authorities] == [(OWN, 4, None)]
    assert found.by_chance is None


def test_only_what_is_rounded_has_wider_limits() -> None:
    rows = [row(SCOTLAND, 5840, 10_000), row(OWN, 31, 40), row(OTHER, 31, 40)]
    places = {each.row.authority: each.place for each in compare(answer(rows)).authorities}
    assert places == {OWN: Place.ALERT, OTHER: Place.WITHIN}

"""An authority's own numbers are evidence against its figures being complete."""

from datetime import date

from contracts.periods import months_between
from services.reporting.figures.evidence import Doubt, Evidence

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
BEFORE = months_between(date(2025, 3, 1), date(2026, 2, 1))


def usual(number: int, **here: int) -> dict[date, int]:
    return dict.fromkeys(BEFORE, number) | {MARCH: here.get("march", number), APRIL: here.get("april", number)}


def test_nothing_speaks_against_an_authority_that_reports_as_always() -> None:
    assert Evidence(taken=usual(100, march=51)).doubts(MARCH, MARCH) == []
    assert Evidence().doubts(MARCH, MARCH) == [], "one that has never reported much is not compared"


def test_less_than_half_of_the_usual_is_doubted_over_the_whole_span() -> None:
    assert Evidence(taken=usual(100, march=49)).doubts(MARCH, MARCH) == [Doubt.FEWER]
    assert Evidence(taken=usual(100, march=40, april=70)).doubts(MARCH, APRIL) == []
    assert Evidence(taken=usual(19, march=0)).doubts(MARCH, MARCH) == [], "too few to compare"


def test_one_loud_month_does_not_make_the_others_look_quiet() -> None:
    assert Evidence(taken=usual(100) | {BEFORE[3]: 9_000}).doubts(MARCH, MARCH) == []


def test_more_than_one_refused_in_fifty_is_doubted() -> None:
    assert Evidence(refused=2, taken=usual(98)).doubts(MARCH, MARCH) == []
    assert Evidence(refused=3, taken=usual(98)).doubts(MARCH, MARCH) == [Doubt.REFUSED]


def test_gaps_and_totals_are_doubts_by_themselves() -> None:
    found = Evidence(missing=1, totals_differ=True, taken=usual(100)).doubts(MARCH, MARCH)
    assert found == [Doubt.MISSING_EVENTS, Doubt.TOTALS_DIFFER]

"""Months, quarters, years and the words for them."""

from datetime import date

import pytest

from contracts.periods import (
    add_months,
    months_between,
    parse_first,
    parse_last,
    quarter_months,
    quarter_of,
    year_months,
    year_of,
)
from services.reporting.formats.linked_names import period_label, period_uri
from services.reporting.pages.content import words
from services.reporting.pages.content.choices import choices, chosen, year_before
from services.reporting.read.queries import Span


def test_a_year_runs_from_april_to_march() -> None:
    assert (year_of(date(2026, 3, 1)), year_of(date(2026, 4, 1)), year_of(date(1999, 4, 1))) == (
        "2025-26",
        "2026-27",
        "1999-00",
    )
    assert year_months("2025-26")[::11] == (date(2025, 4, 1), date(2026, 3, 1))
    with pytest.raises(ValueError, match="not a year"):
        year_months("2025-27")


def test_months_are_added_over_years() -> None:
    assert add_months(date(2026, 1, 1), -1) == date(2025, 12, 1)
    assert len(months_between(date(2024, 4, 1), date(2026, 3, 1))) == 24


def test_a_month_stands_for_its_first_or_its_last_day() -> None:
    assert (parse_first("2028-02"), parse_last("2028-02")) == (date(2028, 2, 1), date(2028, 2, 29))
    assert parse_last("2026-03-05") == date(2026, 3, 5)
    for wrong in ("2026", "2026-13", "March", "2026-02-30"):
        with pytest.raises(ValueError, match=r"."):
            parse_first(wrong)


def test_part_of_a_year_is_not_called_the_year() -> None:
    assert Span(date(2025, 4, 1), date(2026, 3, 1)).label == "2025-26"
    assert Span(date(2025, 5, 1), date(2026, 3, 1)).labels("year") == ("2025-05/2026-03",)
    assert Span(date(2025, 3, 1), date(2026, 3, 1)).labels("year") == ("2025-03", "2025-26")


def test_a_quarter_is_three_months_and_part_of_it_is_not_called_the_quarter() -> None:
    assert [quarter_of(date(2026, month, 1)) for month in (1, 3, 4, 12)] == ["2026-Q1", "2026-Q1", "2026-Q2", "2026-Q4"]
    assert quarter_months("2026-Q4") == (date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1))
    assert Span(date(2026, 1, 1), date(2026, 3, 1)).label == "2026-Q1"
    assert Span(date(2025, 12, 1), date(2026, 5, 1)).labels("quarter") == ("2025-12", "2026-Q1", "2026-04/2026-05")


def test_all_periods_of_one_answer_are_named_alike_and_a_part_says_so() -> None:
    day = date(2026, 5, 20)
    span = Span(date(2024, 6, 1), date(2026, 5, 1))
    found = span.periods("year")
    assert [(each.name, each.is_partial(day), each.months) for each in found] == [
        ("2024-25", True, 10),
        ("2025-26", False, 12),
        ("2026-27", True, 2),
    ]
    quarters = Span(date(2026, 2, 1), date(2026, 6, 1)).periods("quarter")
    assert [(each.name, each.is_partial(date(2026, 7, 1))) for each in quarters] == [
        ("2026-Q1", True),
        ("2026-Q2", False),
    ]
    months = Span(date(2026, 4, 1), date(2026, 5, 1)).periods("month")
    assert [(each.name, each.is_partial(day)) for each in months] == [("2026-04", False), ("2026-05", True)]
    (whole,) = Span(date(2025, 6, 1), date(2026, 5, 1)).periods("")
    assert (whole.name, whole.is_partial(day), whole.is_partial(date(2026, 6, 1))) == ("2025-06/2026-05", True, False)


def test_the_last_months_are_as_many_as_there_are() -> None:
    assert choices(date(2025, 10, 1), date(2026, 5, 1))[0].label == "Last 8 months"
    assert choices(date(2024, 1, 1), date(2026, 5, 1))[0].label == "Last 12 months"
    assert choices(date(2026, 5, 1), date(2026, 5, 1))[0].label == "Last month"


def test_periods_have_the_names_that_they_have_in_linked_data() -> None:
    assert period_uri("2026-03") == "http://reference.data.gov.uk/id/month/2026-03"
    assert period_uri("2026-Q1") == "http://reference.data.gov.uk/id/quarter/2026-Q1"
    assert period_uri("2025-26") == "http://reference.data.gov.uk/id/government-year/2025-2026"
    assert period_uri("1999-00") == "http://reference.data.gov.uk/id/government-year/1999-2000"
    assert period_uri("2011-12", monthly=True) == "http://reference.data.gov.uk/id/month/2011-12"
    interval = "http://reference.data.gov.uk/id/gregorian-interval/2025-05-01T00:00:00/P12M"
    assert period_uri("2025-05/2026-04") == interval
    assert [period_label(each) for each in ("2025-26", "2026-Q1", "2026-03")] == ["2025/2026", "2026-Q1", "2026-03"]


def test_periods_are_said_in_words() -> None:
    assert words.period("2026-Q1") == "January to March 2026"
    assert words.period("2025-26") == "April 2025 to March 2026"
    assert words.period("2026-03") == "March 2026"
    assert words.period("2011-12", monthly=True) == "December 2011"
    assert words.period("2025-05/2026-04") == "May 2025 to April 2026"


def test_the_last_months_whole_years_whole_quarters_and_months_are_offered() -> None:
    offered = choices(date(2025, 3, 1), date(2026, 4, 1))
    assert [each.value for each in offered][:7] == [
        "12-months",
        "year-2025-26",
        *(f"quarter-{quarter}" for quarter in ("2026-Q1", "2025-Q4", "2025-Q3", "2025-Q2")),
        "month-2026-04",
    ]
    assert chosen(offered, "month-2026-03").span.first == date(2026, 3, 1)
    assert chosen(offered, "nonsense") is offered[0]
    assert choices(date(2024, 6, 1), date(2026, 4, 1))[0].span.first == date(2025, 5, 1)


def test_the_year_before_has_the_same_months() -> None:
    assert year_before(Span(date(2025, 4, 1), date(2026, 3, 1))) == Span(date(2024, 4, 1), date(2025, 3, 1))

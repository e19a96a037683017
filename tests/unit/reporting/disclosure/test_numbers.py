"""The numbers that the gate lets out, worked out by hand."""

from dataclasses import replace
from datetime import date

import pytest

from services.chassis.api.auth import PUBLIC, Identity
from services.reporting.disclosure.gate import TOO_FEW, Counted, Figure, Gate, NotForViewer
from services.reporting.disclosure.linked_tables import NATIONAL_ONLY, STEP, STEP_OF_HOURS
from services.reporting.read.queries import Span
from services.reporting.read.vintages import Live, Released, Rounded, Vintage
from services.reporting.registry.areas import SCOTLAND
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.statistics.causes import Cause, Change, Counts
from services.reporting.statistics.outlook import Outlook

GLASGOW = "S12000049"
"""Where 440,500 people are aged 16 to 70."""
NATIONAL = Identity("analyst", frozenset({"national:read"}))
MANAGER, FIFE = Identity("manager", frozenset({"orders:read"}), GLASGOW), "S12000047"
JANUARY, MARCH = date(2026, 1, 1), date(2026, 3, 1)


@pytest.mark.parametrize(
    ("indicator", "months", "numerator", "denominator", "expected"),
    [
        ("orders_imposed", 3, 7, None, (7.0, None, 7.0, None, None)),
        ("unpaid_work_hours_imposed", 3, 6_031, None, (100.52, None, 100.52, None, None)),
        ("orders_imposed_per_10000", 12, 4_405, 440_500, (4405.0, 440_500.0, 100.0, None, None)),
        ("orders_imposed_per_10000", 3, 4_405, 440_500, (4405.0, 440_500.0, 400.0, None, None)),
        ("supervision_length_mean", 3, 150, 40, (150.0, 40.0, 3.75, None, None)),
        ("unpaid_work_hours_mean", 3, 6_001, 40, (100.02, 40.0, 2.5, None, None)),
        ("first_contact_within_1", 3, 90, 100, (90.0, 100.0, 90.0, 82.56, 94.48)),
        ("first_contact_within_1", 3, 3, 4, (3.0, 4.0, 75.0, 30.06, 95.44)),
        ("first_contact_within_1", 3, 1, 3, (1.0, 3.0, 33.33, 6.15, 79.23)),
        ("first_contact_within_1", 3, 0, 8, (0.0, 8.0, 0.0, 0.0, 32.44)),
        ("first_contact_within_1", 3, 1, 1, (1.0, 1.0, 100.0, 20.65, 100.0)),
        ("first_contact_within_1", 3, 0, 0, (0.0, 0.0, None, None, None)),
        ("control_totals_orders", 3, 13, 9, (13.0, 9.0, 144.44, None, None)),
        ("control_totals_orders", 3, -1, 9, (-1.0, 9.0, -11.11, None, None)),
    ],
)
def test_each_kind_of_indicator_has_its_arithmetic(
    indicator: str, months: int, numerator: int, denominator: int | None, expected: tuple[float | None, ...]
) -> None:
    definition = INDICATORS[indicator]
    forms = definition.numerator, definition.denominator
    found = Figure(Live(), GLASGOW, "2026-Q1", "", *forms, numerator, denominator, months=months)
    row = Gate(NATIONAL).rows(definition, [found])[0]
    assert (row.numerator, row.denominator, row.value, row.lower, row.upper) == expected


def test_a_figure_without_numbers_still_says_of_what_it_is() -> None:
    contact = INDICATORS["first_contact_within_1"]
    found = Figure(Rounded("2026-03.1"), GLASGOW, "2026-Q1", "", contact.numerator, contact.denominator, 5, 5, months=3)
    row = Gate(PUBLIC, frozenset(NATIONAL_ONLY)).rows(contact, [found])[0]
    assert (row.authority, row.period, row.category, row.suppressed) == (GLASGOW, "2026-Q1", "", True)


def test_of_a_change_the_public_gets_numbers_of_two_steps_or_more() -> None:
    moved = Change("orders_imposed", "", MARCH, SCOTLAND, 4 * STEP, 2 * STEP, "late")
    minutes = moved._replace(measure="unpaid_work_minutes_imposed", before=0, after=2 * STEP_OF_HOURS)
    told = [
        *(moved, moved._replace(before=STEP), moved._replace(after=-2 * STEP), moved._replace(measure="of no table")),
        *(moved._replace(before=0, after=2 * STEP - 1), minutes, minutes._replace(after=2 * STEP)),
    ]
    assert [(row.before, row.after, row.suppressed) for row in Gate(PUBLIC).changes(told)] == [
        (4 * STEP, 2 * STEP, False),
        (None, 2 * STEP, True),
        (4 * STEP, -2 * STEP, False),
        (4 * STEP, 2 * STEP, False),
        (None, None, True),
        (None, 2 * STEP_OF_HOURS, True),
        (None, None, True),
    ]


THREE_MONTHS = Counted(3, 3, 3)


def test_what_moved_a_figure_adds_up_to_the_difference() -> None:
    contact = INDICATORS["first_contact_within_1"]
    parts = dict.fromkeys(Cause, Counts(0, 0)) | {next(iter(Cause)): Counts(3, 2)}
    asked = (contact, contact), GLASGOW, Span(JANUARY, MARCH), (Counts(6, 10), Counts(9, 12)), parts, THREE_MONTHS
    told = Gate(NATIONAL).explained(*asked)
    assert (told.numerator, told.denominator, told.value) == ((6.0, 9.0), (10.0, 12.0), (60.0, 75.0))
    first, *others = told.parts
    assert (first.numerator, first.denominator, first.value) == (3.0, 2.0, 15.0)
    assert {(each.numerator, each.denominator, each.value) for each in others} == {(0.0, 0.0, 0.0)}
    with pytest.raises(NotForViewer):
        Gate(PUBLIC).explained(*asked)
    assert Gate(MANAGER).explained(*asked) == told
    with pytest.raises(NotForViewer):
        Gate(MANAGER).explained(asked[0], FIFE, *asked[2:])


def test_a_rate_a_year_is_of_the_months_that_count_on_each_day() -> None:
    """One month on the first day; a second has passed since; and a third was told of late."""
    rate = INDICATORS["orders_imposed_per_10000"]
    parts = dict.fromkeys(Cause, Counts(0, 0)) | {Cause.NEW: Counts(10, 0), Cause.LATE: Counts(10, 0)}
    counts = Counts(10, 12_000), Counts(30, 12_000)
    told = Gate(NATIONAL).explained((rate, rate), GLASGOW, Span(JANUARY, MARCH), counts, parts, Counted(1, 2, 3))
    assert told.value == (100.0, 100.0)
    assert [part.value for part in told.parts if part.numerator] == [0.0, 0.0], (
        "as many a month, so the rate is the same"
    )


@pytest.mark.parametrize(("per_year", "rate"), [(True, 400.0), (False, 100.0)])
def test_only_a_rate_a_year_is_multiplied_by_its_years(per_year: bool, rate: float) -> None:
    indicator = replace(INDICATORS["orders_imposed_per_10000"], per_year=per_year)
    parts = dict.fromkeys(Cause, Counts(0, 0))
    counts = Counts(10, 1_000), Counts(10, 1_000)
    told = Gate(NATIONAL).explained((indicator, indicator), GLASGOW, Span(JANUARY, MARCH), counts, parts, THREE_MONTHS)
    assert told.value == (rate, rate)


def test_from_nothing_reported_a_share_moves_by_no_number() -> None:
    contact = INDICATORS["first_contact_within_1"]
    parts = dict.fromkeys(Cause, Counts(0, 0)) | {next(iter(Cause)): Counts(3, 4)}
    told = Gate(NATIONAL).explained(
        (contact, contact), GLASGOW, Span(JANUARY, MARCH), (Counts(0, 0), Counts(3, 4)), parts, THREE_MONTHS
    )
    assert told.value == (None, 75.0)
    assert [each.value for each in told.parts] == [None, *[0.0] * (len(Cause) - 1)]


RELEASED = Released("2026-03.1")


@pytest.mark.parametrize(
    ("viewer", "vintage", "found", "expected"),
    [
        (NATIONAL, Live(), Outlook(90, 10.4), (10, 10, None)),
        (NATIONAL, Live(), Outlook(3, 1.0), (25, 1, None)),
        (PUBLIC, RELEASED, Outlook(100, 25.0), (20, None, None)),
        (PUBLIC, RELEASED, Outlook(99, 25.0), (None, None, TOO_FEW)),
        (PUBLIC, Live(), Outlook(1_000, 250.0), (None, None, TOO_FEW)),
        (PUBLIC, RELEASED, Outlook(1_000, None, "too soon"), (None, None, "too soon")),
    ],
)
def test_the_public_is_told_a_share_of_what_is_to_come_and_no_number(
    viewer: Identity, vintage: Vintage, found: Outlook, expected: tuple[int | None, int | None, str | None]
) -> None:
    told = Gate(viewer).to_come(vintage, GLASGOW, "2026-Q1", found)
    assert told is not None
    assert (told.authority, told.period) == (GLASGOW, "2026-Q1")
    assert (told.share, told.reports, told.why) == expected


@pytest.mark.parametrize("found", [Outlook(1_000, 0.0), Outlook(1_000, 4.0), Outlook(0, 0.0)])
def test_where_next_to_nothing_is_to_come_nothing_is_said(found: Outlook) -> None:
    assert Gate(PUBLIC).to_come(RELEASED, GLASGOW, "2026-Q1", found) is None

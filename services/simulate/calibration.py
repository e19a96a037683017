"""Compares the simulated nation with the published figures of the real one.

    python -m services.simulate.calibration

compares orders of twelve months, each followed to its end, with `published.csv`. Differences above the stated tolerance are marked, and
make the exit status 1; rows that cannot be compared are listed with the reason.
"""

import csv
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from contracts.authorities import AUTHORITIES
from services.chassis.clock import system_clock
from services.simulate.marginals import Tally, tally
from services.simulate.population import aged_16_to_70

PUBLISHED = Path(__file__).with_name("published.csv")


Measured = Callable[[Tally], float]


@dataclass(frozen=True, slots=True)
class Comparison:
    measure: str
    period: str
    unit: str
    published: float
    tolerance: float
    simulated: float

    @property
    def holds(self) -> bool:
        return abs(self.simulated - self.published) <= self.tolerance


_WORK, _SUPERVISION = "requirement=unpaid_work", "requirement=supervision"
_AGED_16_TO_70 = sum(aged_16_to_70(code) for code in AUTHORITIES)


def _requirement(kind: str) -> Measured:
    return lambda t: t.cell("requirements_imposed", f"requirement={kind}") * 17_834 / t.cell("orders_imposed")


def _imposed(category: str) -> Measured:
    return lambda t: t.percent("orders_imposed", category)


def _age(band: str) -> Measured:
    return _imposed(f"age_band={band}")


def _placement(band: str) -> Measured:
    return lambda t: t.percent_of_bands("placement", f"band={band}")


def _completed(category: str) -> Measured:
    return lambda t: t.percent_of("unpaid_work_completed", category)


def _late_contact(reason: str) -> Measured:
    return lambda t: t.percent_of("first_contact", f"reason={reason}")


def _ratio(numerator: str, denominator: str, times: int = 1) -> Measured:
    return lambda t: times * t.sums[numerator] / t.sums[denominator]


_DAYS = {level: _ratio(f"days_at_level_{level}", f"completed_at_level_{level}") for level in (1, 2)}

ROWS: dict[tuple[str, str], tuple[float, Measured]] = {
    ("orders_imposed", "2024-25"): (825, lambda t: t.cell("orders_imposed")),
    ("completion_rate", "2024-25"): (2, Tally.completion_rate),
    ("mean_unpaid_work_hours", "2024-25"): (3, Tally.mean_hours),
    ("orders_with_unpaid_work", "2024-25"): (1.5, lambda t: t.percent("requirements_imposed", _WORK)),
    ("orders_with_supervision", "2024-25"): (1.5, lambda t: t.percent("requirements_imposed", _SUPERVISION)),
    ("first_contact_within_1_working_day", "2013-14"): (
        3,
        lambda t: t.percent_of_bands("first_contact", "band=within_1"),
    ),
    ("induction_within_5_working_days", "2013-14"): (3, lambda t: t.percent_of_bands("induction", "band=within_5")),
    ("placement_within_7_working_days", "2019-20"): (3, _placement("within_7")),
    ("unpaid_work_completed_in_time", "2019-20"): (
        3,
        lambda t: 100 - t.percent_of("unpaid_work_completed", "class=late"),
    ),
    ("mean_days_to_complete_unpaid_work", "2015-16"): (
        12,
        lambda t: 0.53 * _DAYS[1](t) + 0.47 * _DAYS[2](t),  # the mix of levels of that year
    ),
    ("breach_applications", "2019-20"): (
        500,
        lambda t: (
            (t.cell("breach_lodged", "on_time") + t.cell("breach_lodged", "late")) * 15_992 / t.cell("orders_ended")
        ),
    ),
    ("breach_lodged_within_5_working_days", "2019-20"): (3, lambda t: t.percent_of("breach_lodged", "on_time")),
    ("unpaid_work_hours_outstanding", "2024-05"): (
        200_000,
        lambda t: t.stock("hour_days_outstanding", orders_a_year=15_100),
    ),
    ("open_orders", "2023-03-31"): (2_500, lambda t: t.stock("days_open", orders_a_year=14_653)),
    ("orders_per_10000_aged_16_70", "2022-23"): (1, lambda _: 14_653 / _AGED_16_TO_70 * 10_000),
    ("court_progress_review_ordered", "2017-18"): (
        200,
        lambda t: t.cell("orders_imposed", "progress_review=true") * 17_834 / t.cell("orders_imposed"),
    ),
    ("sex_male", "2019-20"): (1, _imposed("sex=male")),
    ("age_16_17", "2019-20"): (0.5, _age("16_17")),
    ("age_18_20", "2019-20"): (1, _age("18_20")),
    ("age_21_25", "2019-20"): (1, _age("21_25")),
    ("age_26_30", "2019-20"): (1, _age("26_30")),
    ("age_31_40", "2019-20"): (1.5, _age("31_40")),
    ("age_over_40", "2019-20"): (1.5, _age("over_40")),
    ("employment_unemployed", "2019-20"): (1.5, _imposed("employment=unemployed")),
    ("ethnicity_white", "2019-20"): (
        1,
        lambda t: (
            100
            * t.cell("orders_imposed", "ethnicity=white")
            / (t.cell("orders_imposed") - t.cell("orders_imposed", "ethnicity=not_known"))
        ),
    ),
    ("court_sheriff_summary", "2015-16"): (1, _imposed("court_type=sheriff_summary")),
    ("requirement_conduct", "2017-18"): (150, _requirement("conduct")),
    ("requirement_programme", "2017-18"): (120, _requirement("programme")),
    ("requirement_compensation", "2017-18"): (100, _requirement("compensation")),
    ("requirement_alcohol_treatment", "2017-18"): (45, _requirement("alcohol_treatment")),
    ("requirement_drug_treatment", "2017-18"): (40, _requirement("drug_treatment")),
    ("requirement_mental_health_treatment", "2017-18"): (25, _requirement("mental_health_treatment")),
    ("requirement_residence", "2017-18"): (15, _requirement("residence")),
    ("late_reason_first_contact_client_based", "2016-17"): (4, Tally.client_based),
    ("supervision_months_mean", "2013-14"): (
        0.5,
        lambda t: t.cell("supervision_months_imposed") / t.cell("requirements_imposed", _SUPERVISION),
    ),
}
"""Rows of the published table: how far the simulated nation may differ, and how its figure is found. Counts are scaled to the published
number of orders.
"""

LEFT_OUT = {
    "orders_imposed": "another year; the pretend nation has about 16,000 a year, shared out by published rates",
    "completion_rate": "another year; the latest is compared",
    "mean_unpaid_work_hours": "another year; the levels are compared below",
    "placement_within_7_working_days": "another year, a year of the pandemic, or a finding about one authority",
    "breach_lodged_within_5_working_days": "a year of the pandemic",
    "unpaid_work_hours_outstanding": "another year",
    "requirement_unpaid_work": "older than the share of 2024-25, which is compared",
    "requirement_supervision": "older than the share of 2024-25, which is compared",
}
"""Why other rows of these measures are not compared."""

ONE_AUTHORITY = "about one authority; the pretend ones lean at random, and share orders out by rates published later"
SCOTLAND = "S92000003"

NOTES: tuple[tuple[str, str, str, float, float, Measured], ...] = (
    # name, published in, unit, published, tolerance, how it is found here
    ("both requirements", "2024-25", "percent", 36, 1.5, lambda t: 100 * t.sums["both"] / t.cell("orders_imposed")),
    ("mean hours, level 1", "2015-16", "hours", 71, 3, lambda t: t.mean_hours(1)),
    ("mean hours, level 2", "2015-16", "hours", 178, 4, lambda t: t.mean_hours(2)),
    ("placement to 3 weeks", "2019-20", "percent", 13.4, 2, _placement("to_3_weeks")),
    ("placement to 1 month", "2019-20", "percent", 4.3, 1, _placement("to_1_month")),
    ("placement to 2 months", "2019-20", "percent", 4.7, 1, _placement("to_2_months")),
    ("placement over 2 months", "2019-20", "percent", 4.9, 1.5, _placement("over_2_months")),
    ("completed within the legal period", "2019-20", "percent", 34.6, 3, _completed("class=within_period")),
    ("completed within the court's date", "2019-20", "percent", 42.8, 3, _completed("class=within_court_date")),
    ("mean days, level 1", "2015-16", "days", 157, 12, _DAYS[1]),
    ("mean days, level 2", "2015-16", "days", 253, 12, _DAYS[2]),
    ("open orders with unpaid work", "2023-03-31", "orders", 11_089, 2_500, lambda t: t.stock("days_open_with_work", orders_a_year=14_653)),
    ("completed, over 40", "2019-20", "percent", 77, 3, _ratio("completed_over_40", "ended_over_40", 100)),
    ("completed, 40 or under", "2019-20", "percent", 66, 3, _ratio("completed_to_40", "ended_to_40", 100)),
    ("employed", "2019-20", "percent", 25.6, 1.5, _imposed("employment=employed")),
    ("economically inactive", "2019-20", "percent", 11.7, 1, _imposed("employment=economically_inactive")),
    ("court: sheriff solemn", "2015-16", "percent", 5.4, 1, _imposed("court_type=sheriff_solemn")),
    ("court: justice of the peace", "2015-16", "percent", 3.7, 0.7, _imposed("court_type=justice_of_the_peace")),
    ("supervision to 6 months", "2013-14", "percent", 7, 1.5, lambda t: t.months_band(6)),
    ("supervision to 12 months", "2013-14", "percent", 50, 2, lambda t: t.months_band(12)),
    ("supervision to 18 months", "2013-14", "percent", 24, 2, lambda t: t.months_band(18)),
    ("supervision to 24 months", "2013-14", "percent", 15, 2, lambda t: t.months_band(24)),
    ("supervision to 36 months", "2013-14", "percent", 4, 1.5, lambda t: t.months_band(36)),
    ("first contact late: did not turn up", "2016-17", "percent", 41.4, 4, _late_contact("did_not_attend")),
    ("first contact late: staff not available", "2016-17", "percent", 3.3, 1.5, _late_contact("staff_not_available")),
)  # fmt: skip
"""Figures from the notes of the published table."""


def published() -> list[dict[str, str]]:
    with PUBLISHED.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def compare(found: Tally) -> list[Comparison]:
    """Return a comparison for every published figure that is also found here."""
    compared = [
        Comparison(row["measure"], row["period"], row["unit"], float(row["value"]), to[0], to[1](found))
        for row in published()
        if row["area"] == SCOTLAND and (to := ROWS.get((row["measure"], row["period"])))
    ]
    noted = [
        Comparison(name, period, unit, value, tolerance, measured(found))
        for name, period, unit, value, tolerance, measured in NOTES
    ]
    return compared + noted


def left_out() -> list[tuple[dict[str, str], str]]:
    """Return every other row, and why it cannot be compared."""
    return [
        (row, LEFT_OUT[row["measure"]] if row["area"] == SCOTLAND else ONE_AUTHORITY)
        for row in published()
        if row["area"] != SCOTLAND or (row["measure"], row["period"]) not in ROWS
    ]


def report(found: Tally) -> int:
    """Print the comparison. Returns 1 if any difference is too large, else 0."""
    outcome = compare(found)
    show(outcome)
    return int(any(not comparison.holds for comparison in outcome))


def show(comparisons: Iterable[Comparison]) -> None:
    table = Table("measure", "published in", "unit", "published", "simulated", "tolerance", "")
    for c in comparisons:
        values = (f"{value:,.1f}" for value in (c.published, c.simulated, c.tolerance))
        table.add_row(c.measure, c.period, c.unit, *values, "" if c.holds else "OFF")
    others = Table("not compared", "published in", "area", "unit", "published", "why")
    for row, why in left_out():
        others.add_row(row["measure"], row["period"], row["area"], row["unit"], row["value"], why)
    console = Console(width=160)
    console.print(table)
    console.print(others)


if __name__ == "__main__":
    sys.exit(report(tally(seed=1, end=system_clock().date())))

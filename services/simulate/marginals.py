"""Sums over whole lives of orders, in the terms of the published tables."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from contracts.authorities import AUTHORITIES
from contracts.codes import CLIENT_BASED, EndReason, LateReason
from contracts.events import SessionRecorded
from services.simulate.authority import PretendAuthority
from services.simulate.lives.course import Course
from services.simulate.lives.transfers import plan_transfers
from services.simulate.truth import Truth, age_band

_YEAR = 365.25
_SUCCESSFUL = (EndReason.COMPLETED, EndReason.EARLY_DISCHARGE)


@dataclass(slots=True)
class Tally:
    """Sums over whole lives of orders. `cells` are sums over authorities and months, by measure and category."""

    cells: Counter[tuple[str, str]] = field(default_factory=Counter)
    sums: Counter[str] = field(default_factory=Counter)

    def add(self, course: Course) -> None:
        days = (course.outlook.ended_on - course.start).days
        self.sums["days_open"] += days
        side = "over" if age_band(course.imposed.age_at_imposition) == "over_40" else "to"
        self.sums[f"ended_{side}_40"] += course.outlook.reason is not EndReason.TRANSFERRED_OUT
        self.sums[f"completed_{side}_40"] += course.outlook.reason in _SUCCESSFUL
        if course.supervision:
            self.sums[f"months_{course.supervision.months}"] += 1
        if course.work:
            level = 1 if course.work.hours <= 100 else 2
            self.sums["both"] += course.supervision is not None
            self.sums["days_open_with_work"] += days
            self.sums["hour_days_outstanding"] += _hour_days_outstanding(course, days)
            if course.outlook.work_done_on:
                self.sums[f"completed_at_level_{level}"] += 1
                self.sums[f"days_at_level_{level}"] += (course.outlook.work_done_on - course.start).days

    def stock(self, sum_of_days: str, orders_a_year: int) -> float:
        """Return how many there are on any day once arrivals and ends balance: what comes in a year, times how many years it stays."""
        return self.sums[sum_of_days] / _YEAR * orders_a_year / self.cell("orders_imposed")

    def cell(self, measure: str, category: str = "") -> int:
        return self.cells[measure, category]

    def percent(self, measure: str, category: str, of: str = "orders_imposed") -> float:
        return 100 * self.cell(measure, category) / self.cell(of)

    def percent_of_bands(self, measure: str, band: str) -> float:
        """Return the percentage among known values, as it is published."""
        return 100 * self.cell(measure, band) / self._sum(measure, "band=")

    def percent_of(self, measure: str, category: str) -> float:
        dimension = category.partition("=")[0] + "=" if "=" in category else ""
        return 100 * self.cell(measure, category) / self._sum(measure, dimension)

    def client_based(self) -> float:
        reasons = {reason: self.cell("first_contact", f"reason={reason}") for reason in LateReason}
        return 100 * sum(n for reason, n in reasons.items() if reason in CLIENT_BASED) / sum(reasons.values())

    def completion_rate(self) -> float:
        """Return the completion rate as published since 2017-18: completed and discharged early, out of all that ended except transfers
        out. Deaths are included.
        """
        successful = sum(self.cell("orders_ended", f"end_reason={reason}") for reason in _SUCCESSFUL)
        return 100 * successful / (self.cell("orders_ended") - self.cell("orders_ended", "end_reason=transferred_out"))

    def mean_hours(self, level: int | None = None) -> float:
        imposed = "requirement=unpaid_work"
        orders = self.cell("orders_imposed", f"level={level}") if level else self.cell("requirements_imposed", imposed)
        return self.cell("unpaid_work_minutes_imposed", f"level={level}" if level else "") / 60 / orders

    def months_band(self, longest: int) -> float:
        """Return the percentage of supervision of up to `longest` months, but longer than the band before."""
        lengths = {int(key[7:]): n for key, n in self.sums.items() if key.startswith("months_")}
        shorter = {6: 0, 12: 6, 18: 12, 24: 18, 36: 24}[longest]
        return 100 * sum(n for months, n in lengths.items() if shorter < months <= longest) / sum(lengths.values())

    def _sum(self, measure: str, prefix: str) -> int:
        """Add up the categories of one dimension; without a prefix, those that are bare words."""
        cells = ((category, n) for (name, category), n in self.cells.items() if name == measure)
        return sum(n for category, n in cells if (category.startswith(prefix) if prefix else "=" not in category))


def _hour_days_outstanding(course: Course, days: int) -> int:
    """Return hours outstanding, added up over the days on which they are."""
    minutes = course.hours_at_the_end * 60 * days
    for _, fact in course.facts:
        if isinstance(fact, SessionRecorded):
            minutes -= fact.minutes_credited * max(0, (course.outlook.ended_on - fact.session_on).days)
    return max(0, minutes // 60)


def tally(seed: int, end: date) -> Tally:
    """Add up twelve months of orders of the whole nation, each with its whole life."""
    found, truth = Tally(), Truth()
    for course in _courses(seed, end):
        if not any(fact.key == "transferred_in" for _, fact in course.facts):
            truth.count("", {fact.key: fact for _, fact in course.facts})
            found.add(course)
    for (measure, _, _, category), value in truth.cells.items():
        found.cells[measure, category] += value
    return found


def _courses(seed: int, end: date) -> Iterator[Course]:
    first = end - timedelta(days=365)
    transfers = plan_transfers(seed, first, end)
    for code in AUTHORITIES:
        authority = PretendAuthority(code, seed, first, end, transfers)
        for n in range(365):
            yield from authority.courses(first + timedelta(days=n), date.max)

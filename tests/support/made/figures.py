"""Invented national aggregates of a realistic size and shape, always the same for the same seed."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import numpy as np

from contracts.authorities import AUTHORITIES
from contracts.cells import Cell, Service
from contracts.codes import (
    AgeBand,
    Attendance,
    BreachOutcome,
    CourtType,
    Employment,
    EndReason,
    Ethnicity,
    RequirementKind,
    Sex,
    WorkType,
)
from contracts.periods import add_months
from services.reporting.registry.deadlines import AWAITED

ORDERS_A_MONTH_PER_THOUSAND = 0.25
KNOWN_ON = date(2026, 4, 20)
WAITING = "waiting"
"""A cell of what is pending: due, and not done."""

_IMPOSED: dict[str, dict[str, float]] = {
    "sex=": dict(zip(Sex, (0.85, 0.145, 0.005), strict=True)),
    "age_band=": dict(zip(AgeBand, (0.02, 0.09, 0.17, 0.18, 0.31, 0.23), strict=True)),
    "ethnicity=": dict(zip(Ethnicity, (0.92, 0.02, 0.012, 0.008, 0.01, 0.03), strict=True)),
    "employment=": dict(zip(Employment, (0.01, 0.25, 0.58, 0.005, 0.11, 0.015, 0.03), strict=True)),
    "court_type=": dict(zip(CourtType, (0.004, 0.054, 0.886, 0.014, 0.035, 0.005, 0.002), strict=True)),
}
_ENDED: dict[str, dict[str, float]] = {
    "end_reason=": dict(zip(EndReason, (0.68, 0.03, 0.07, 0.15, 0.03, 0.02, 0.02), strict=True)),
    "age_band=": _IMPOSED["age_band="],
    "sex=": _IMPOSED["sex="],
}
_CLOCKS = {
    "first_contact": {
        "band=within_1": 0.77,
        "band=2_to_5": 0.12,
        "band=over_5": 0.05,
        "missed": 0.02,
        WAITING: 0.01,
        "not_applicable": 0.03,
    },
    "induction": {
        "band=within_5": 0.73,
        "band=6_to_10": 0.14,
        "band=over_10": 0.07,
        "missed": 0.01,
        WAITING: 0.01,
        "not_applicable": 0.04,
    },
    "placement": {
        "band=within_7": 0.64,
        "band=to_3_weeks": 0.14,
        "band=to_1_month": 0.06,
        "band=to_2_months": 0.06,
        "band=over_2_months": 0.05,
        WAITING: 0.01,
        "not_applicable": 0.04,
    },
    "case_meeting": {"band=within_5": 0.74, "band=6_to_10": 0.15, "band=over_10": 0.08, "not_applicable": 0.03},
    "plan": {"band=within_20": 0.81, "band=over_20": 0.16, "not_applicable": 0.03},
    "officer": {"band=within_2": 0.9, "band=over_2": 0.1},
}


def national_cells(seed: int, first: date, months: int, authorities: int = len(AUTHORITIES)) -> Iterator[Cell]:
    """Yield cells of the first `authorities` authorities, for so many months."""
    rng = np.random.default_rng(seed)
    for authority in list(AUTHORITIES.values())[:authorities]:
        skill = rng.normal(1, 0.06)
        for index in range(months):
            month = add_months(first, index)
            season = 1 + 0.12 * np.sin(index / 12 * 2 * np.pi) + 0.004 * index
            orders = int(rng.poisson(authority.population_thousands * ORDERS_A_MONTH_PER_THOUSAND * season))
            made = _Month(rng, authority.code, month, skill)
            yield from made.imposed(orders)
            yield from made.ended(int(rng.binomial(orders, 0.93)))
            yield from made.worked(orders)


class _Month:
    """One authority's month."""

    def __init__(self, rng: np.random.Generator, authority: str, month: date, skill: float) -> None:
        self._rng, self._authority, self._month, self._skill = rng, authority, month, skill

    def imposed(self, orders: int) -> Iterator[Cell]:
        """Yield orders imposed, and what is counted by their month."""
        yield self._cell("orders_imposed", "", orders)
        yield self._cell("orders_opened", "", orders)
        for prefix, shares in _IMPOSED.items():
            yield from self._split("orders_imposed", prefix, orders, shares)
        unpaid, supervised = int(self._rng.binomial(orders, 0.69)), int(self._rng.binomial(orders, 0.67))
        yield self._cell("requirements_imposed", "requirement=unpaid_work", unpaid)
        yield self._cell("requirements_imposed", "requirement=supervision", supervised)
        for kind in RequirementKind:
            if kind not in {RequirementKind.UNPAID_WORK, RequirementKind.SUPERVISION}:
                yield self._cell("requirements_imposed", f"requirement={kind}", int(self._rng.binomial(orders, 0.03)))
        level_1 = int(self._rng.binomial(unpaid, 0.45))
        for level, count, mean in (("1", level_1, 71), ("2", unpaid - level_1, 178)):
            yield self._cell("orders_imposed", f"level={level}", count)
            yield self._cell("unpaid_work_minutes_imposed", f"level={level}", 60 * mean * count)
        minutes = 60 * (71 * level_1 + 178 * (unpaid - level_1))
        yield self._cell("unpaid_work_minutes_imposed", "", minutes)
        yield self._cell("minutes_outstanding_opened", "", minutes)
        for measure, shares in _CLOCKS.items():
            base = {"induction": unpaid, "placement": unpaid, "case_meeting": supervised, "plan": supervised}
            yield from self._split(measure, "", base.get(measure, orders), self._skilled(shares))

    def ended(self, orders: int) -> Iterator[Cell]:
        """Yield orders ended, breaches and completions."""
        yield self._cell("orders_ended", "", orders)
        yield self._cell("orders_closed", "", orders)
        for prefix, shares in _ENDED.items():
            yield from self._split("orders_ended", prefix, orders, shares)
        breaches = int(self._rng.binomial(orders, 0.3))
        yield from self._split("breach_lodged", "", breaches, {"on_time": 0.82, "late": 0.18})
        outcomes = dict.fromkeys(BreachOutcome, 1 / len(BreachOutcome))
        yield from self._split("breach_outcomes", "breach_outcome=", breaches, outcomes)
        yield from self._split("reviews", "", orders, {"on_time": 0.8, "late": 0.13, "missed": 0.05, WAITING: 0.02})
        completed = int(self._rng.binomial(orders, 0.5))
        classes = {"class=within_period": 0.35, "class=within_court_date": 0.42, "class=late": 0.23}
        yield from self._split("unpaid_work_completed", "", completed, classes, "unpaid_work")
        yield from self._split(
            "unpaid_work_completed", "", completed // 4, {"missed": 0.7, WAITING: 0.3}, "unpaid_work"
        )
        level_1 = int(self._rng.binomial(completed, 0.5))
        for level, count, mean in (("1", level_1, 157), ("2", completed - level_1, 253)):
            yield self._cell("unpaid_work_completed", f"level={level}", count, "unpaid_work")
            yield self._cell("unpaid_work_days", f"level={level}", mean * count, "unpaid_work")
        days = 157 * level_1 + 253 * (completed - level_1)
        yield self._cell("unpaid_work_days", "", days, "unpaid_work")
        yield from self._split("exit_questionnaires", "", orders, {"returned": 0.3, "not_returned": 0.7})

    def worked(self, orders: int) -> Iterator[Cell]:
        """Yield sessions and hours."""
        sessions = orders * 14
        shares = dict(zip(Attendance, (0.62, 0.01, 0.02, 0.01, 0.06, 0.04, 0.04, 0.17, 0.03), strict=True))
        yield self._cell("sessions", "", sessions, "unpaid_work")
        yield from self._split("sessions", "attendance=", sessions, shares, "unpaid_work")
        minutes = int(sessions * 0.62) * 360
        yield self._cell("minutes_credited", "", minutes, "unpaid_work")
        yield self._cell("minutes_outstanding_closed", "", int(minutes * 1.05), "unpaid_work")
        other = minutes // 12
        yield self._cell("minutes_credited", "activity=unpaid_work", minutes - other, "unpaid_work")
        yield self._cell("minutes_credited", "activity=other_activity", other, "unpaid_work")
        days = self._rng.multinomial(minutes // 360, np.ones(len(WorkType)) / len(WorkType))
        for kind, count in zip(WorkType, days, strict=True):
            yield self._cell("minutes_credited", f"work_type={kind}", int(count) * 360, "unpaid_work")

    def _skilled(self, shares: dict[str, float]) -> dict[str, float]:
        """Change the first share by how well this authority does, and the others to fit."""
        first, *others = shares
        best = min(0.98, shares[first] * self._skill)
        rest = (1 - best) / sum(shares[name] for name in others)
        return {first: best, **{name: shares[name] * rest for name in others}}

    def _split(
        self, measure: str, prefix: str, total: int, shares: Mapping[Any, float], service: Service = "orders"
    ) -> Iterator[Cell]:
        chances = np.array(list(shares.values()))
        counts = self._rng.multinomial(total, chances / chances.sum())
        for name, count in zip(shares, counts, strict=True):
            if name == WAITING:
                yield self._waiting(measure, int(count), service)
            else:
                yield self._cell(measure, f"{prefix}{name}", int(count), service)

    def _waiting(self, measure: str, count: int, service: Service) -> Cell:
        """Return the cell of what was due in the middle of the month, and is not done."""
        due = self._month.replace(day=15)
        return Cell(service, self._authority, 1, 1, AWAITED[measure], due, "months_before=0", KNOWN_ON, count)

    def _cell(self, measure: str, category: str, value: int, service: Service = "orders") -> Cell:
        return Cell(service, self._authority, 1, 1, measure, self._month, category, KNOWN_ON, value)

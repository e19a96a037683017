"""The cells that must result, counted plainly from the final facts of each order.

It is independent of the platform on purpose: nothing here folds events, and none of the services' rules are imported. A life is the facts
of one order as they finally stand, by fact key, from both topics; a withdrawn order is no life.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from typing import TypeVar, cast

from contracts.codes import AgeBand, Change, Code, RequirementKind
from contracts.events import (
    BreachDecided,
    Fact,
    HoursAdjusted,
    InductionHeld,
    OrderEnded,
    OrderImposed,
    PlacementStarted,
    RequirementVaried,
    SessionRecorded,
    Supervision,
    TransferReceived,
    UnpaidWork,
    WorkCompleted,
    kind_of,
)
from services.simulate.truth_deadlines import Clocks

F = TypeVar("F", bound=Fact)
_OF_WORK = InductionHeld | PlacementStarted | SessionRecorded | HoursAdjusted | WorkCompleted
Life = Mapping[str, Fact]
"""The final facts of one order, by fact key."""

_AGES = (
    (17, AgeBand.AGE_16_17),
    (20, AgeBand.AGE_18_20),
    (25, AgeBand.AGE_21_25),
    (30, AgeBand.AGE_26_30),
    (40, AgeBand.AGE_31_40),
)


class Truth:
    """Counts lives. `cells` are by measure, authority, period and category."""

    def __init__(self) -> None:
        self.cells: defaultdict[tuple[str, str, str, str], int] = defaultdict(int)
        self.dated_before: Counter[str] = Counter()
        """Cells of findings of facts dated before the imposition. They are apart, since no other rule is counted here."""
        self._persons: set[tuple[str, str, str, str]] = set()
        self._stays: defaultdict[tuple[str, str], list[tuple[date, date | None]]] = defaultdict(list)

    def nonzero(self) -> dict[str, int]:
        """Return the cells that are not zero, by `measure|authority|period|category`."""
        cells = self.cells.copy()
        for (authority, _), stays in self._stays.items():
            for measure, day in _comings_and_goings(stays):
                cells[measure, authority, month_of(day), ""] += 1
        return {"|".join(key): value for key, value in sorted(cells.items()) if value}

    def count_stay(self, authority: str, person: str, begun: date, ended: date | None) -> None:
        """Note from when to when a person has an order."""
        self._stays[authority, person].append((begun, ended))

    def count(self, authority: str, life: Life) -> None:
        """Add one order, with its final facts."""
        _Counted(self, authority, life).all()

    def count_person(self, authority: str, month: str, person: str) -> None:
        """Count a person once in the month, and once in the year that begins in April."""
        begun = int(month[:4]) - (month[5:7] < "04")
        periods = {"persons_with_new_order": month, "persons_with_new_order_in_year": f"{begun}-04-01"}
        for measure, period in periods.items():
            if (measure, authority, period, person) not in self._persons:
                self._persons.add((measure, authority, period, person))
                self.cells[measure, authority, period, ""] += 1


def age_band(age: int) -> str:
    return next((band for top, band in _AGES if age <= top), AgeBand.OVER_40)


@cache
def month_of(day: date) -> str:
    return f"{day.year}-{day.month:02}-01"


def _dates(fact: Fact) -> list[date]:
    return [getattr(fact, name) for name in fact.DATES]


@cache
def _in(dimension: str, code: Code) -> str:
    return f"{dimension}={code}"


def _comings_and_goings(stays: list[tuple[date, date | None]]) -> Iterator[tuple[str, date]]:
    """Yield when a person came to have an order, and when the last one was over, by a running count of orders that leaves 0 or returns to
    it.
    """
    steps = [(begun.toordinal(), 0, 1) for begun, _ in stays]
    steps += [(max(ended, begun).toordinal() + 1, 1, -1) for begun, ended in stays if ended]
    has = 0
    for day, _, step in sorted(steps):
        if has == 0:
            yield "persons_opened", date.fromordinal(day)
        has += step
        if has == 0:
            yield "persons_closed", date.fromordinal(day - 1)


class _Counted:
    """One order that is being counted into the cells."""

    def __init__(self, truth: Truth, authority: str, life: Life) -> None:
        self.truth, self.authority, self.life = truth, authority, life
        self._by_type: defaultdict[type[Fact], list[Fact]] = defaultdict(list)
        for fact in life.values():
            self._by_type[type(fact)].append(fact)
        imposed, ended = life.get("imposed"), life.get("ended")
        self.ended = ended if isinstance(ended, OrderEnded) else None
        if isinstance(imposed, OrderImposed):
            self.imposed: OrderImposed | None = imposed
            self.work = next((r for r in imposed.requirements if isinstance(r, UnpaidWork)), None)
            self.supervision = next((r for r in imposed.requirements if isinstance(r, Supervision)), None)
        else:
            self.imposed = self.work = self.supervision = None

    def all_of(self, kind: type[F]) -> list[F]:
        return cast(list[F], self._by_type[kind])

    def add(self, measure: str, day: date | str, category: str = "", value: int = 1) -> None:
        period = day if isinstance(day, str) else month_of(day)
        self.truth.cells[measure, self.authority, period, category] += value

    def all(self) -> None:
        self.credit()
        if self.imposed:
            self.imposition(self.imposed)
            self.clocks(self.imposed)
            self.dated_before(self.imposed)
            self.breach_outcomes()
            self.outstanding(self.imposed)
            self.end(self.imposed)

    def credit(self) -> None:
        for session in self.all_of(SessionRecorded):
            self.session(session)
        for adjusted in self.all_of(HoursAdjusted):
            self.add("minutes_credited", adjusted.adjusted_on, "", adjusted.minutes)
            self.add("minutes_credited", adjusted.adjusted_on, "activity=adjustment", adjusted.minutes)

    def session(self, fact: SessionRecorded) -> None:
        month = month_of(fact.session_on)
        self.add("sessions", month)
        self.add("sessions", month, _in("attendance", fact.attendance))
        if fact.minutes_credited:
            self.add("minutes_credited", month, "", fact.minutes_credited)
            self.add("minutes_credited", month, _in("activity", fact.activity), fact.minutes_credited)
            self.add("minutes_credited", month, _in("work_type", fact.work_type), fact.minutes_credited)

    def imposition(self, imposed: OrderImposed) -> None:
        month = month_of(imposed.imposed_on)
        self.add("orders_opened", month)
        arrived = self.life.get("transferred_in")
        begun = arrived.received_on if isinstance(arrived, TransferReceived) else imposed.imposed_on
        ended = self.ended.ended_on if self.ended else None
        self.truth.count_stay(self.authority, imposed.person_ref, max(begun, imposed.imposed_on), ended)
        if "transferred_in" in self.life:
            return  # counted where it was imposed
        self.truth.count_person(self.authority, month, imposed.person_ref)
        self.add("orders_imposed", month)
        self.add("orders_imposed", month, f"sex={imposed.sex}")
        self.add("orders_imposed", month, f"age_band={age_band(imposed.age_at_imposition)}")
        self.add("orders_imposed", month, f"ethnicity={imposed.ethnicity}")
        self.add("orders_imposed", month, f"employment={imposed.employment}")
        self.add("orders_imposed", month, f"court_type={imposed.court_type}")
        if imposed.fine_default:
            self.add("orders_imposed", month, "fine_default=true")
        if imposed.progress_review_ordered:
            self.add("orders_imposed", month, "progress_review=true")
        for requirement in imposed.requirements:
            self.add("requirements_imposed", month, f"requirement={kind_of(requirement)}")
        if self.work:
            minutes, level = self.work.hours * 60, f"level={1 if self.work.hours <= 100 else 2}"
            self.add("orders_imposed", month, level)
            self.add("unpaid_work_minutes_imposed", month, "", minutes)
            self.add("unpaid_work_minutes_imposed", month, level, minutes)
        if self.supervision:
            self.add("supervision_months_imposed", month, "", self.supervision.months)

    def clocks(self, imposed: OrderImposed) -> None:
        ended_on = self.ended.ended_on if self.ended else None
        for measure, day, category, value in Clocks(self.life, imposed, ended_on, self.work, self.supervision).all():
            self.add(measure, str(day) if measure.startswith(("pending_", "awaited_")) else day, category, value)

    def dated_before(self, imposed: OrderImposed) -> None:
        """Count findings of facts dated before the imposition: one for each service, in the month of the first such date."""
        others = [fact for fact in self.life.values() if not isinstance(fact, OrderEnded)]
        for of_work in (True, False):
            dates = [day for fact in others if isinstance(fact, _OF_WORK) is of_work for day in _dates(fact)]
            if early := [day for day in dates if day < imposed.imposed_on]:
                key = "findings", self.authority, month_of(min(early)), "rule=fact_before_imposition"
                self.truth.dated_before["|".join(key)] += 1

    def breach_outcomes(self) -> None:
        for decision in self.all_of(BreachDecided):
            self.add("breach_outcomes", decision.decided_on, f"breach_outcome={decision.outcome}")

    def changes(self) -> list[RequirementVaried]:
        varied = self.all_of(RequirementVaried)
        return sorted((v for v in varied if v.kind is RequirementKind.UNPAID_WORK), key=lambda v: (v.varied_on, v.ref))

    def outstanding(self, imposed: OrderImposed) -> None:
        """Count outstanding minutes: each is opened once, and closes when it is credited or, at the latest, when the order ends."""
        changes = self.changes()
        if not self.work and not changes:
            return
        hours = self.work.hours if self.work else 0
        self.add("minutes_outstanding_opened", imposed.imposed_on, "", hours * 60)
        for change in changes:
            now = 0 if change.change is Change.REMOVED else change.hours if change.hours is not None else hours
            self.add("minutes_outstanding_opened", change.varied_on, "", (now - hours) * 60)
            hours = now
        left = hours * 60
        credited = [(session.session_on, session.minutes_credited) for session in self.all_of(SessionRecorded)]
        credited += [(adjusted.adjusted_on, adjusted.minutes) for adjusted in self.all_of(HoursAdjusted)]
        for day, minutes in credited:
            self.add("minutes_outstanding_closed", day, "", minutes)
            left -= minutes
        if self.ended:
            self.add("minutes_outstanding_closed", self.ended.ended_on, "", left)

    def end(self, imposed: OrderImposed) -> None:
        if not self.ended:
            return
        month = month_of(self.ended.ended_on)
        self.add("orders_closed", month)
        self.add("orders_ended", month)
        self.add("orders_ended", month, f"end_reason={self.ended.reason}")
        self.add("orders_ended", month, f"sex={imposed.sex}")
        self.add("orders_ended", month, f"age_band={age_band(imposed.age_at_imposition)}")
        for requirement in imposed.requirements:
            self.add("orders_ended", month, f"requirement={kind_of(requirement)}")

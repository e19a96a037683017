"""How the clocks of one order must count, plainly from its final facts. Like the truth, it imports none of the services' rules.

Each counted cell is a measure, a day (its period is the month, or the day itself if it is pending), a category and a value.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain, count
from typing import NamedTuple, TypeVar

from contracts.codes import NOT_APPLICABLE, LateReason, RequirementKind, ReviewKind
from contracts.events import (
    BreachLodged,
    CaseMeetingHeld,
    ContactMade,
    Fact,
    InductionHeld,
    OfficerNominated,
    OrderImposed,
    OrderReceived,
    PlacementStarted,
    PlanAgreed,
    RequirementVaried,
    ReviewHeld,
    Supervision,
    TransferAnswered,
    TransferReceived,
    TransferRequested,
    UnpaidWork,
    WorkCompleted,
)
from services.simulate.working_days import months_after, nth_after

F = TypeVar("F", bound=Fact)
Done = ContactMade | CaseMeetingHeld | PlanAgreed | InductionHeld | PlacementStarted
_DONE_ON = {
    "first_contact": "made_on",
    "case_meeting": "held_on",
    "plan": "agreed_on",
    "induction": "held_on",
    "placement": "started_on",
}
_LIMITS = {"first_contact": 1, "case_meeting": 5, "plan": 20, "induction": 5, "placement": 7}
_LAW_BEGAN, _LAW_ENDED = date(2020, 4, 7), date(2022, 9, 30)


class Counted(NamedTuple):
    """One cell in which an order counts."""

    measure: str
    day: date
    category: str = ""
    value: int = 1


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks of an order that was imposed."""

    life: Mapping[str, Fact]
    imposed: OrderImposed
    ended_on: date | None
    work: UnpaidWork | None
    supervision: Supervision | None

    def all(self) -> Iterator[Counted]:
        standards = ["first_contact"]
        standards += ["case_meeting", "plan"] if self.supervision else []
        standards += ["induction", "placement"] if self.work else []
        for standard in standards:
            yield from self._clock(standard)
        if self.supervision:
            yield from self._reviews(self.supervision)
        if self.work:
            yield from self._completion(self.work)
        yield from self._officer()
        yield from self._breaches()
        yield from self._transfers()

    @property
    def _start(self) -> date:
        return self.imposed.imposed_on

    @property
    def _from_elsewhere(self) -> bool:
        return self.imposed.outside_jurisdiction or "transferred_in" in self.life

    @property
    def _taken_on(self) -> date:
        """Return the day from which the authority manages the order."""
        arrived = self.life.get("transferred_in") or (self.life.get("received") if self._from_elsewhere else None)
        on = arrived.received_on if isinstance(arrived, TransferReceived | OrderReceived) else self._start
        return max(self._start, on)

    def _all_of(self, kind: type[F]) -> list[F]:
        return [fact for fact in self.life.values() if isinstance(fact, kind)]

    def _waiting(self, standard: str, measure: str, month: date, due: date) -> Iterator[Counted]:
        """Yield the cells of what was not done: it is pending, or the order ended before or after it was due."""
        if self.ended_on is None:
            counts = self._start if standard in _LIMITS else due
            months = 12 * (due.year - counts.year) + due.month - counts.month
            yield Counted(f"pending_{standard}", due)
            yield Counted(f"awaited_{standard}", due, f"months_before={months}")
        else:
            yield Counted(measure, month, "not_applicable" if self.ended_on <= due else "missed")

    def _clock(self, standard: str) -> Iterator[Counted]:
        fact = self.life.get(standard)
        done = fact if isinstance(fact, Done) else None
        if self._from_elsewhere:
            yield Counted(standard, self._start, "not_applicable")
            if standard == "plan" and done is None and self.ended_on is None:
                yield Counted("pending_plan", nth_after(self._taken_on, 20))
        elif done is None:
            yield from self._waiting(standard, standard, self._start, nth_after(self._start, _LIMITS[standard]))
        elif done.late_reason in NOT_APPLICABLE:
            yield Counted(standard, self._start, "not_applicable")
        else:
            yield from self._banded(standard, getattr(done, _DONE_ON[standard]), done.late_reason)

    def _banded(self, standard: str, day: date, reason: LateReason | None) -> Iterator[Counted]:
        if day < self._start:
            return
        band = _band(standard, self._start, day)
        yield Counted(standard, self._start, f"band={band}")
        if reason and not band.startswith("within"):
            yield Counted(standard, self._start, f"reason={reason}")

    def _officer(self) -> Iterator[Counted]:
        received, nominated = self.life.get("received"), self.life.get("officer")
        if not isinstance(received, OrderReceived) or not isinstance(nominated, OfficerNominated):
            return
        if received.received_on < self._start or nominated.nominated_on < self._start:
            return
        late = (nominated.nominated_on - received.received_on).days > 2
        yield Counted("officer", self._start, "band=over_2" if late else "band=within_2")
        if late and nominated.late_reason:
            yield Counted("officer", self._start, f"reason={nominated.late_reason}")

    def _reviews(self, supervision: Supervision) -> Iterator[Counted]:
        begun, last = self._taken_on, months_after(self._start, supervision.months)
        held = [r.held_on for r in self._all_of(ReviewHeld) if r.kind is ReviewKind.DEPARTMENTAL and r.held_on >= begun]
        waiting = iter(sorted(held))
        for months in chain((3,), count(6, 6)):
            due = months_after(begun, months)
            if due > last or (self.ended_on and due >= self.ended_on):
                return
            yield from self._review(due, next(waiting, None))

    def _review(self, due: date, held_on: date | None) -> Iterator[Counted]:
        if self._from_elsewhere:
            yield Counted("reviews", due, "not_applicable")
            if held_on is None and self.ended_on is None:
                yield Counted("pending_review", due)
        elif held_on is None:
            yield from self._waiting("review", "reviews", due, due)
        else:
            yield Counted("reviews", due, "on_time" if held_on <= due else "late")

    def _breaches(self) -> Iterator[Counted]:
        for breach in self._all_of(BreachLodged):
            if breach.decided_on >= self._start and breach.lodged_on >= self._start:
                due = nth_after(breach.decided_on, 5)
                yield from _in_time("breach_lodged", due, breach.lodged_on, breach.late_reason)

    def _transfers(self) -> Iterator[Counted]:
        answers = {answer.ref: answer for answer in self._all_of(TransferAnswered)}
        for request in self._all_of(TransferRequested):
            due, answer = nth_after(request.requested_on, 5), answers.get(request.ref)
            if request.requested_on < self._start or (answer and answer.answered_on < self._start):
                continue
            if answer is None:
                yield from self._waiting("transfer", "transfer_answered", due, due)
            else:
                yield from _in_time("transfer_answered", due, answer.answered_on, answer.late_reason)

    def _completion(self, work: UnpaidWork) -> Iterator[Counted]:
        fact = self.life.get("work_completed")
        completed = fact if isinstance(fact, WorkCompleted) else None
        if self._from_elsewhere:
            yield Counted("unpaid_work_completed", self._start, "not_applicable")
            if completed is None and self.ended_on is None:
                yield Counted("pending_completion", max(self._limits(work, None)))
        elif completed is None:
            due = max(self._limits(work, self.ended_on))
            yield from self._waiting("completion", "unpaid_work_completed", self._start, due)
        elif completed.completed_on >= self._start:
            yield from self._completed(work, completed.completed_on, completed.late_reason)

    def _completed(self, work: UnpaidWork, day: date, reason: LateReason | None) -> Iterator[Counted]:
        closed = min(day, self.ended_on) if self.ended_on else day
        period, *court = self._limits(work, closed)
        name = "within_period" if day <= period else "within_court_date" if any(day <= by for by in court) else "late"
        level = f"level={1 if work.hours <= 100 else 2}"
        yield Counted("unpaid_work_completed", day, f"class={name}")
        yield Counted("unpaid_work_completed", day, level)
        if name == "late" and reason:
            yield Counted("unpaid_work_completed", day, f"reason={reason}")
        days = (day - self._start).days
        yield Counted("unpaid_work_days", day, "", days)
        yield Counted("unpaid_work_days", day, level, days)

    def _limits(self, work: UnpaidWork, closed: date | None) -> list[date]:
        """Return the end of the legal period, and every date that the court set."""
        begun, months = self._taken_on, 3 if work.hours <= 100 else 6
        was_open = begun < _LAW_BEGAN and (closed is None or closed >= _LAW_BEGAN)
        if _LAW_BEGAN <= begun <= _LAW_ENDED:
            months = 12
        set_by_court = [(self._start, work.complete_by)]
        varied = (one for one in self._all_of(RequirementVaried) if one.kind is RequirementKind.UNPAID_WORK)
        set_by_court += [(one.varied_on, one.complete_by) for one in varied]
        court = [(set_on, by) for set_on, by in set_by_court if by]
        longer = [months_after(by, 12) if was_open and set_on < _LAW_BEGAN else by for set_on, by in court]
        return [months_after(months_after(begun, months), 12) if was_open else months_after(begun, months), *longer]


def _in_time(measure: str, due: date, day: date, reason: LateReason | None) -> Iterator[Counted]:
    yield Counted(measure, due, "on_time" if day <= due else "late")
    if day > due and reason:
        yield Counted(measure, due, f"reason={reason}")


def _band(standard: str, start: date, day: date) -> str:
    def within(working_days: int) -> bool:
        return day < nth_after(start, working_days + 1)

    match standard:
        case "first_contact":
            return "within_1" if within(1) else "2_to_5" if within(5) else "over_5"
        case "case_meeting" | "induction":
            return "within_5" if within(5) else "6_to_10" if within(10) else "over_10"
        case "plan":
            return "within_20" if within(20) else "over_20"
        case _:
            return "within_7" if within(7) else _long_band(start, day)


def _long_band(start: date, day: date) -> str:
    limits = (
        ("to_3_weeks", start.fromordinal(start.toordinal() + 21)),
        ("to_1_month", months_after(start, 1)),
        ("to_2_months", months_after(start, 2)),
    )
    return next((band for band, limit in limits if day <= limit), "over_2_months")

"""Contradictions between the facts about the unpaid work of an order, pure."""

from datetime import date
from typing import NamedTuple

from contracts.codes import Activity, EndReason
from contracts.events import Fact, HoursAdjusted, InductionHeld, PlacementStarted, SessionRecorded, WorkCompleted
from services.records.model.findings import BEFORE_IMPOSITION, Finding, Rule, dated, found
from services.records.model.record import Record, fact, is_void, name_of
from services.unpaid_work.model import Order, order_of

WITHOUT_ORDER = Rule(
    "session_without_order",
    "Sessions or credit of an order that was never reported as imposed.",
    "Send order.imposed for this reference, or withdraw the sessions if the reference is wrong.",
)
AFTER_END = Rule(
    "credit_after_end",
    "Sessions or credit after the order ended.",
    "Correct session_on or adjusted_on, or ended_on, whichever is wrong.",
)
ABOVE_ORDERED = Rule(
    "credit_above_ordered",
    "More hours credited than the court ordered.",
    "Look for sessions entered twice under different refs; send requirement.varied if the court changed the hours.",
)
OTHER_ACTIVITY = Rule(
    "other_activity_above_limit",
    "More than 30 hours, or 30 % of the hours ordered, credited as other activity.",
    "Correct the activity of sessions that were unpaid work; only the lower of the two limits may count.",
)
COMPLETED_SHORT = Rule(
    "completed_with_less_credit",
    "Unpaid work reported complete with less credit than ordered.",
    "Send the sessions or adjustments that are missing, or withdraw work_completed.",
)
ENDED_SHORT = Rule(
    "completed_order_with_credit_outstanding",
    "The order ended as completed with credit outstanding.",
    "Send the sessions or adjustments that are missing, or correct the reason of order.ended.",
)
RULES = (WITHOUT_ORDER, BEFORE_IMPOSITION, AFTER_END, ABOVE_ORDERED, OTHER_ACTIVITY, COMPLETED_SHORT, ENDED_SHORT)

OTHER_ACTIVITY_MINUTES = 30 * 60
OTHER_ACTIVITY_PERCENT = 30


OWN = frozenset(fact.KEY for fact in (InductionHeld, PlacementStarted, WorkCompleted, SessionRecorded, HoursAdjusted))


class Sums(NamedTuple):
    """Sums of credit, in minutes; a day before which no fact of this service is dated, and a day after which no credit is."""

    minutes: int = 0
    other: int = 0
    """Minutes of other activity."""
    first: date = date.max
    """No fact is dated earlier; the first one may have been corrected since."""
    last: date = date.min
    """No credit is dated later; the last one may have been corrected since."""

    def plus(self, data: Fact | None, sign: int = 1) -> "Sums":
        """Return the sums with one fact added, or taken away."""
        if type(data) is SessionRecorded:
            minutes, on = sign * data.minutes_credited, data.session_on
            other = minutes if data.activity is Activity.OTHER_ACTIVITY else 0
            return Sums(self.minutes + minutes, self.other + other, min(self.first, on), max(self.last, on))
        if type(data) is HoursAdjusted:
            on = data.adjusted_on
            return Sums(self.minutes + sign * data.minutes, self.other, min(self.first, on), max(self.last, on))
        if isinstance(data, InductionHeld | PlacementStarted | WorkCompleted):
            return self._replace(first=min(self.first, getattr(data, data.DATES[0])))
        return self


def sums_of(record: Record) -> Sums:
    """Return the sums of the whole record."""
    sums = Sums()
    for entry in record.values():
        sums = sums.plus(entry.data)
    return sums


class _Credit(NamedTuple):
    on: date
    key: str
    minutes: int
    other: bool
    """Whether it was other activity."""


def findings(record: Record) -> list[Finding]:
    """Return every rule that the record breaks; none for an order withdrawn as a whole."""
    order = order_of(record)
    ordered = sum(minutes for _, minutes in order.minutes_ordered()) if order is not None else 0
    return [] if is_void(record) else findings_of(record, order, ordered, sums_of(record))


def findings_of(record: Record, order: Order | None, ordered: int, sums: Sums) -> list[Finding]:
    """Return the findings of a record whose order, minutes ordered and sums are already known."""
    if order is None:
        return found(WITHOUT_ORDER, [(credit.on, credit.key) for credit in _credits(record)])
    if _is_clean(record, order, ordered, sums):
        return []
    given = _credits(record)
    return [
        *found(BEFORE_IMPOSITION, _before_imposition(record, order)),
        *_after_end(order, given),
        *_above_ordered(ordered, given),
        *_other_activity(ordered, given),
        *([] if order.excluded else _short(record, order, ordered, given)),
    ]


def _is_clean(record: Record, order: Order, ordered: int, sums: Sums) -> bool:
    """Return whether the sums alone show that no rule is broken, which is so for nearly every record after nearly every session."""
    done = "work_completed" in record or order.ended is not None
    within = sums.minutes <= ordered and sums.other <= _other_activity_limit(ordered)
    in_order = order.imposed_on <= sums.first and (order.ended_on is None or sums.last <= order.ended_on)
    return within and in_order and (sums.minutes == ordered or not done)


def _other_activity_limit(ordered: int) -> int:
    return min(OTHER_ACTIVITY_MINUTES, ordered * OTHER_ACTIVITY_PERCENT // 100)


def _credits(record: Record) -> list[_Credit]:
    given = []
    for key, entry in record.items():
        data = entry.data
        if type(data) is SessionRecorded:
            other = data.activity is Activity.OTHER_ACTIVITY
            given.append(_Credit(data.session_on, key, data.minutes_credited, other))
        elif type(data) is HoursAdjusted:
            given.append(_Credit(data.adjusted_on, key, data.minutes, other=False))
    return given


def _before_imposition(record: Record, order: Order) -> list[tuple[date, str]]:
    """Return this service's facts that are dated before the imposition; the orders service checks its own."""
    return [(on, key) for on, key in dated(record) if on < order.imposed_on and name_of(key) in OWN]


def _after_end(order: Order, given: list[_Credit]) -> list[Finding]:
    ended = order.ended_on
    if ended is None:
        return []
    return found(AFTER_END, [(credit.on, credit.key) for credit in given if credit.on > ended])


def _above_ordered(ordered: int, given: list[_Credit]) -> list[Finding]:
    if sum(credit.minutes for credit in given) <= ordered:
        return []
    last = max(given)
    return [Finding(ABOVE_ORDERED, last.on, (last.key,))]


def _other_activity(ordered: int, given: list[_Credit]) -> list[Finding]:
    others = [credit for credit in given if credit.other and credit.minutes]
    if sum(credit.minutes for credit in others) <= _other_activity_limit(ordered):
        return []
    return [Finding(OTHER_ACTIVITY, max(others).on, tuple(credit.key for credit in sorted(others)))]


def _short(record: Record, order: Order, ordered: int, given: list[_Credit]) -> list[Finding]:
    """Return the finding of too little credit. Credit given before a transfer is not known here, so orders from
    elsewhere are not checked.
    """
    if sum(credit.minutes for credit in given) >= ordered:
        return []
    short = []
    completed = fact(record, "work_completed", WorkCompleted)
    if completed is not None:
        short.append(Finding(COMPLETED_SHORT, completed.completed_on, (completed.key,)))
    if order.ended is not None and order.ended.reason is EndReason.COMPLETED:
        short.append(Finding(ENDED_SHORT, order.ended.ended_on, (order.ended.key,)))
    return short

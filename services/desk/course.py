"""The course of one order as both services report it, pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from msgspec.structs import replace

from services.desk.model.findings import Finding
from services.desk.model.orders import Clock, Fact, Ledger, Moment, OrderDetail, OtherSide


@dataclass(frozen=True, slots=True)
class Course:
    """Everything that the platform holds about one order."""

    subject: str
    imposed_on: date | None
    ended_on: date | None
    withdrawn: bool
    overfull: bool
    """Whether more facts of it were sent than an order may have."""
    clocks: Sequence[Clock]
    timeline: Sequence[Moment]
    findings: Sequence[Finding]
    facts: Sequence[Fact]
    transfers: Sequence[OtherSide]
    hours: Ledger | None
    """None if no unpaid work was ordered or reported."""

    @property
    def emptied(self) -> bool:
        """Return whether every fact of it was withdrawn."""
        return bool(self.facts) and all(fact.withdrawn for fact in self.facts)


def course(
    order: OrderDetail | None, ledger: Ledger | None, told: Mapping[str, str] = MappingProxyType({})
) -> Course | None:
    """Return one course from what each service holds; None if neither holds anything. `told` says more of some facts, by their keys."""
    held = [each for each in (order, ledger) if each is not None]
    if not held:
        return None
    whole = [replace(each, what=told.get(each.fact or "", each.what)) for part in held for each in part.timeline]
    moments = {(each.on, each.what, each.fact): each for each in whole}
    return Course(
        subject=held[0].subject,
        imposed_on=order.imposed_on if order else None,
        ended_on=order.ended_on if order else None,
        withdrawn=order.withdrawn if order else False,
        overfull=any(part.overfull for part in held),
        clocks=sorted((clock for part in held for clock in part.clocks), key=_by_due),
        timeline=sorted(moments.values(), key=lambda each: (each.on, each.fact or "~", each.what)),
        findings=[finding for part in held for finding in part.findings],
        facts=list({fact.key: fact for part in held for fact in part.facts}.values()),
        transfers=order.transfers if order else [],
        hours=ledger if ledger and (ledger.ordered or ledger.credited_by_activity) else None,
    )


def _by_due(clock: Clock) -> tuple[date, str]:
    return clock.due_on or clock.done_on or clock.started_on, clock.title

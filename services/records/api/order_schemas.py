"""The answers of both services about one order, as their OpenAPI documents describe them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import msgspec
from pydantic import Field

from contracts.categories import ClockState
from contracts.codes import CLIENT_BASED, SERVICE_BASED, LateReason
from services.chassis.schema import Schema
from services.records.api.duties.due import Due, Row
from services.records.config.targets import Target, own_target
from services.records.model import bank_holidays
from services.records.model.calendar import Calendar
from services.records.model.deadlines import Reading, State
from services.records.model.findings import Finding, Rule
from services.records.model.record import MARK, Entry, Record
from services.records.model.standards import TITLES, Standard, Unit
from services.records.model.summary import known_since


class TargetRow(Schema, description="One of the authority's own targets."):
    standard: str
    limit: int
    unit: str
    in_force_from: date = Field(description="Applies to orders imposed on or after this day.")
    source: str

    @classmethod
    def of(cls, target: Target) -> "TargetRow":
        return cls(
            standard=target.standard,
            limit=target.limit.number,
            unit=target.limit.unit,
            in_force_from=target.since,
            source=target.source,
        )


@dataclass(frozen=True, slots=True)
class Today:
    """Today's date for an authority, with its calendar and its own targets."""

    day: date
    calendar: Calendar
    targets: Sequence[Target] = ()

    def own_due(self, standard: str, imposed_on: date) -> date | None:
        """Return the day on which the own target is due; None if there is no target."""
        target = own_target(self.targets, standard, imposed_on)
        return target.due_on(imposed_on, self.calendar) if target else None


class OrderRow(Schema, description="One order in a list."):
    subject: str
    imposed_on: date
    ended_on: date | None
    late: list[str] = Field(description="Standards met late, or missed for good.")
    overdue: list[str] = Field(description="Standards whose due date has passed without the fact that meets them.")
    overdue_by_own_target: list[str] = Field(description="The same by the authority's own targets.")
    next_due_on: date | None = Field(description="From today on.")
    findings: list[str] = Field(description="Codes of the data quality rules that the order breaks.")
    caseload: str | None = Field(description="Who works with it, by the latest event that names a caseload.")

    @classmethod
    def of(cls, row: Row, now: Today, findings: Sequence[str]) -> "OrderRow":
        dues, today = row.standing.dues, now.day
        own = [(now.own_due(standard, row.begun_on), standard) for _, standard in dues] if now.targets else []
        return cls(
            subject=row.subject,
            imposed_on=row.imposed_on,
            ended_on=row.ended_on,
            late=row.standing.late,
            overdue=sorted({standard for due, standard in dues if due < today}),
            overdue_by_own_target=sorted(standard for due, standard in own if due is not None and due < today),
            next_due_on=next((due for due, _ in dues if due >= today), None),
            findings=list(findings),
            caseload=row.standing.caseload or None,
        )


class OrderPage(Schema, description="A page of orders, the latest imposed first."):
    orders: list[OrderRow]
    next: str | None = Field(description="Give it as `after` for the next page.")


class WorkItem(Schema, description="One standard of one open order that was missed or falls due."):
    subject: str
    imposed_on: date
    standard: str
    title: str
    due_on: date
    state: ClockState = Field(description="Overdue or due.")
    working_days_left: int = Field(description="Negative when it is overdue.")
    own_target_on: date | None = Field(description="When it is due by the authority's own target, where there is one.")
    acknowledged: str | None = Field(
        description="The reason for which a manager acknowledged it; none where nobody did."
    )
    caseload: str | None = Field(description="Who works with the order, by the latest event that names a caseload.")

    @classmethod
    def of(cls, due: Due, now: Today, acknowledged: Mapping[tuple[str, str, date], str]) -> "WorkItem":
        return cls(
            subject=due.subject,
            imposed_on=due.imposed_on,
            standard=due.standard,
            title=TITLES[due.standard],
            due_on=due.due_on,
            state=ClockState.OVERDUE if due.due_on < now.day else ClockState.DUE,
            working_days_left=now.calendar.working_days(now.day, due.due_on),
            own_target_on=due.own_target_on,
            acknowledged=acknowledged.get((due.subject, due.standard, due.due_on)),
            caseload=due.caseload or None,
        )


class StandardRow(Schema, description="One row of the standards."):
    standard: str
    variant: str = Field(description="Where the limit depends on something, such as the level of unpaid work.")
    title: str
    limit: int
    unit: str
    starts_with: str
    stops_with: str
    source: str
    verified: bool = Field(description="Whether a public source states the limit.")
    in_force_from: date = Field(description="Applies to clocks that started on or after this day.")
    in_force_until: date | None = Field(description="The last such day; none while it is in force.")
    longer: str | None = Field(description="The extra time that a law gave for clocks open when it came into force.")

    @classmethod
    def of(cls, row: Standard) -> "StandardRow":
        return cls(
            standard=row.name,
            variant=row.variant,
            title=row.title,
            limit=row.limit.number,
            unit=row.limit.unit,
            starts_with=row.starts,
            stops_with=row.stops,
            source=row.source,
            verified=row.verified,
            in_force_from=row.since,
            in_force_until=row.until,
            longer=row.extension.words if row.extension else None,
        )


class OwnTarget(TargetRow, description="The state of an order by the authority's own target."):
    due_on: date
    state: ClockState

    @classmethod
    def of_reading(cls, reading: Reading, now: Today) -> "OwnTarget | None":
        target = own_target(now.targets, reading.standard.name, reading.start)
        if target is None or reading.state in (State.NOT_APPLICABLE, State.IMPOSSIBLE):
            return None
        due = target.due_on(reading.start, now.calendar)
        if reading.on is None and reading.state is State.MISSED:
            state = ClockState.MISSED
        elif reading.on is None:
            state = ClockState.OVERDUE if due < now.day else ClockState.DUE
        else:
            met = target.limit.holds(reading.start, reading.on, now.calendar)
            state = ClockState.MET if met else ClockState.MET_LATE
        return cls(**TargetRow.of(target).model_dump(), due_on=due, state=state)


class NotCounted(Schema, description="A day from Monday to Friday that was not a working day."):
    day: date
    name: str

    @classmethod
    def of(cls, day: date) -> "NotCounted":
        return cls(day=day, name=bank_holidays.names().get(day, "our own offices closed"))


class ClockView(StandardRow, description="The state of one standard for this order."):
    ref: str | None = Field(description="Of the breach application or transfer request that it is about.")
    state: ClockState
    started_on: date
    due_on: date | None
    done_on: date | None
    band: str | None = Field(description="The published band.")
    late_reason: str | None
    reason_lies_with: Literal["person", "service"] | None
    calendar: str = Field(description="The version of the working-day calendar.")
    not_counted: list[NotCounted] = Field(
        description="Of the days up to the due date, those from Monday to Friday on which nobody works; none unless it is in working days."
    )
    own_target: OwnTarget | None = Field(description="Its state by the authority's own target.")

    @classmethod
    def of_reading(cls, reading: Reading, now: Today) -> "ClockView":
        applies = reading.state not in (State.NOT_APPLICABLE, State.IMPOSSIBLE) or reading.due is not None
        due_on = reading.due_on(now.calendar) if applies else None
        counts_days = due_on is not None and reading.standard.limit.unit is Unit.WORKING_DAYS
        return cls(
            **StandardRow.of(reading.standard).model_dump(),
            ref=reading.ref or None,
            state=reading.state_on(now.day),
            started_on=reading.start,
            due_on=due_on,
            done_on=reading.on,
            band=reading.band or None,
            late_reason=reading.reason,
            reason_lies_with=_side(reading.reason),
            calendar=now.calendar.version,
            not_counted=[
                NotCounted.of(day)
                for day in (now.calendar.closed_weekdays(reading.start, due_on) if counts_days and due_on else ())
            ],
            own_target=OwnTarget.of_reading(reading, now),
        )


def _side(reason: LateReason | None) -> Literal["person", "service"] | None:
    if reason in CLIENT_BASED:
        return "person"
    return "service" if reason in SERVICE_BASED else None


class FindingView(Schema, description="A contradiction in the data, and how to correct it."):
    rule: str
    subject: str = Field(description="The order; - for what is about the authority itself.")
    on: date
    facts: list[str] = Field(description="The fact keys that break the rule.")
    meaning: str
    remedy: str
    detail: str | None = None
    since: date = Field(
        description="The day since which it is known: the last of those facts came, or the time that others had was over."
    )

    @classmethod
    def of(cls, subject: str, finding: Finding, record: Record) -> "FindingView":
        since = known_since(record, finding)
        return cls.about(subject, finding.rule, finding.on, since=since, facts=finding.facts)

    @classmethod
    def about(
        cls,
        subject: str,
        rule: Rule,
        on: date,
        *,
        since: date,
        facts: Sequence[str] = (),
        detail: str | None = None,
    ) -> "FindingView":
        return cls(
            rule=rule.code,
            subject=subject,
            on=on,
            since=since,
            facts=list(facts),
            meaning=rule.meaning,
            remedy=rule.remedy,
            detail=detail,
        )


class FindingPage(
    Schema,
    description="A page of findings by order; those about the authority itself, and about transfers, come with the first page.",
):
    findings: list[FindingView]
    next: str | None = Field(description="Give it as `after` for the next page.")


class FindingCount(Schema, description="How many orders break one rule."):
    rule: str
    meaning: str
    remedy: str
    number: int = Field(
        description="Orders that break it; for rules about the authority itself, the number of things concerned."
    )
    newly: int = Field(description="Of those, orders about which a contradiction arrived within the days asked for.")


class FindingCounts(Schema, description="How many orders break each rule, the most first."):
    newly_since: date
    rules: list[FindingCount]


class FactView(Schema, description="The latest statement of one fact."):
    key: str
    type: str
    event: str = Field(description="The id of the event that states it.")
    recorded_at: datetime
    withdrawn: bool
    data: dict[str, Any] | None

    @classmethod
    def of(cls, key: str, entry: Entry) -> "FactView":
        data = None if entry.data is None else msgspec.to_builtins(entry.data)
        return cls(
            key=key, type=entry.type, event=entry.id, recorded_at=entry.time, withdrawn=entry.data is None, data=data
        )


class Moment(Schema, description="One day in the history of an order."):
    on: date
    what: str
    fact: str | None = Field(description="The fact key; none for a day on which something is due.")


_WAITING = {ClockState.DUE, ClockState.OVERDUE, ClockState.MISSED}


def facts_of(record: Record) -> list[FactView]:
    return [FactView.of(key, record[key]) for key in sorted(record) if record[key].type != MARK]


def timeline(record: Record, clocks: list[ClockView]) -> list[Moment]:
    """Return the past and required events of an order in time order."""
    moments = [
        Moment(on=getattr(entry.data, entry.data.DATES[0]), what=entry.data.MEANING, fact=key)
        for key, entry in record.items()
        if entry.data is not None and entry.data.DATES
    ]
    moments += [
        Moment(on=clock.due_on, what=f"{clock.title}: {clock.state.label.partition(':')[0].lower()}", fact=None)
        for clock in clocks
        if clock.due_on is not None and clock.state in _WAITING
    ]
    return sorted(moments, key=lambda moment: (moment.on, moment.fact or "~"))

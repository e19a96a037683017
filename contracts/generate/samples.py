"""An invented order and its story, stated once in every type of event."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

from contracts import codes
from contracts.decoding.codec import Event
from contracts.events import (
    AUTHORITY_SUBJECT,
    WHOLE_ORDER,
    AssessmentCompleted,
    BreachDecided,
    BreachLodged,
    CaseMeetingHeld,
    ContactMade,
    ExitQuestionnaireReturned,
    Fact,
    FactWithdrawn,
    Heartbeat,
    HoursAdjusted,
    InductionHeld,
    OfficerNominated,
    OrderEnded,
    OrderImposed,
    OrderReceived,
    OutcomeMeasured,
    PeriodClosed,
    PlacementStarted,
    PlanAgreed,
    RequirementVaried,
    ReviewHeld,
    SessionRecorded,
    Supervision,
    Topic,
    TransferAnswered,
    TransferReceived,
    TransferRequested,
    UnpaidWork,
    WorkCompleted,
    type_of,
)
from contracts.topics import kind_of

AUTHORITY = "S12000005"
SUBJECT, ANOTHER_SUBJECT = "CPO/2025/0001", "CPO/2025/0002"
ARRIVED = datetime(2027, 1, 1, tzinfo=UTC)
"""A time after everything in the story."""
_MORNING = datetime(2025, 3, 3, 9, 30, tzinfo=UTC)

IMPOSED = OrderImposed(
    imposed_on=date(2025, 3, 3),
    court_type=codes.CourtType.SHERIFF_SUMMARY,
    person_ref="q3o8iVqVtYv2m0yX7dK1Zw",
    sex=codes.Sex.MALE,
    age_at_imposition=24,
    ethnicity=codes.Ethnicity.WHITE,
    employment=codes.Employment.UNEMPLOYED,
    fine_default=False,
    outside_jurisdiction=False,
    progress_review_ordered=True,
    requirements=(Supervision(months=12), UnpaidWork(hours=120, complete_by=date(2025, 11, 28))),
)

FACTS: tuple[Fact, ...] = (
    IMPOSED,
    OrderReceived(received_on=date(2025, 3, 4)),
    OfficerNominated(nominated_on=date(2025, 3, 5)),
    ContactMade(made_on=date(2025, 3, 6), late_reason=codes.LateReason.STAFF_NOT_AVAILABLE),
    CaseMeetingHeld(held_on=date(2025, 3, 10)),
    AssessmentCompleted(
        ref="a1",
        completed_on=date(2025, 3, 12),
        tool="LSCMI",
        level=codes.RiskLevel.MEDIUM,
        rule_version="2024.1",
        overridden=False,
    ),
    PlanAgreed(agreed_on=date(2025, 3, 28)),
    ReviewHeld(ref="r1", held_on=date(2025, 6, 2), kind=codes.ReviewKind.DEPARTMENTAL),
    RequirementVaried(
        ref="v1",
        varied_on=date(2025, 6, 20),
        change=codes.Change.HOURS,
        kind=codes.RequirementKind.UNPAID_WORK,
        hours=140,
        complete_by=date(2026, 1, 30),
    ),
    RequirementVaried(
        ref="v2",
        varied_on=date(2025, 6, 20),
        change=codes.Change.ADDED,
        kind=codes.RequirementKind.PROGRAMME,
        months=6,
    ),
    RequirementVaried(
        ref="v3",
        varied_on=date(2025, 6, 20),
        change=codes.Change.MONTHS,
        kind=codes.RequirementKind.SUPERVISION,
        months=18,
    ),
    RequirementVaried(
        ref="v4",
        varied_on=date(2025, 6, 20),
        change=codes.Change.COMPLETE_BY,
        kind=codes.RequirementKind.UNPAID_WORK,
        complete_by=date(2026, 2, 27),
    ),
    RequirementVaried(
        ref="v5",
        varied_on=date(2025, 9, 1),
        change=codes.Change.REMOVED,
        kind=codes.RequirementKind.PROGRAMME,
    ),
    BreachLodged(ref="b1", decided_on=date(2025, 7, 1), lodged_on=date(2025, 7, 4)),
    BreachDecided(ref="b1", decided_on=date(2025, 7, 25), outcome=codes.BreachOutcome.NO_FURTHER_ACTION),
    TransferRequested(ref="t1", requested_on=date(2025, 8, 1), to="S12000050"),
    TransferAnswered(ref="t1", answered_on=date(2025, 8, 6), accepted=False),
    TransferReceived(received_on=date(2025, 8, 6), from_="S12000050", from_subject="NL-77/2025"),
    OutcomeMeasured(
        ref="o1",
        measured_on=date(2025, 3, 12),
        stage=codes.OutcomeStage.START,
        domain=codes.OutcomeDomain.ALCOHOL,
        score=4,
        tool="Outcomes Star",
    ),
    ExitQuestionnaireReturned(
        returned_on=date(2026, 3, 2), helped=4, treated_with_respect=5, less_likely_to_offend=4
    ),
    OrderEnded(ended_on=date(2026, 3, 2), reason=codes.EndReason.COMPLETED),
    FactWithdrawn(fact="review/r1"),
    FactWithdrawn(fact=WHOLE_ORDER),
    FactWithdrawn(fact="session/s1"),
    PeriodClosed(month="2025-03", orders_imposed=31, orders_ended=27, minutes_credited=51_840),
    Heartbeat(nothing_to_report_since=date(2025, 3, 1)),
    InductionHeld(held_on=date(2025, 3, 7)),
    PlacementStarted(
        started_on=date(2025, 3, 11), setting=codes.Setting.GROUP, work_type=codes.WorkType.GARDENING
    ),
    SessionRecorded(
        ref="s1",
        session_on=date(2025, 3, 11),
        attendance=codes.Attendance.ATTENDED,
        activity=codes.Activity.UNPAID_WORK,
        work_type=codes.WorkType.GARDENING,
        minutes_credited=360,
    ),
    SessionRecorded(
        ref="s2",
        session_on=date(2025, 3, 18),
        attendance=codes.Attendance.ABSENT_UNACCEPTABLE,
        activity=codes.Activity.UNPAID_WORK,
        work_type=codes.WorkType.GARDENING,
        minutes_credited=0,
    ),
    HoursAdjusted(
        ref="h1", adjusted_on=date(2025, 3, 12), minutes=30, reason=codes.AdjustmentReason.TRAVEL
    ),
    WorkCompleted(completed_on=date(2025, 10, 3)),
)  # fmt: skip


def events(facts: Iterable[Fact]) -> Iterator[Event]:
    """Yield each fact as an event, recorded on the morning after the day that it is about, numbered within its topic."""
    sent = dict.fromkeys(Topic, 0)
    for number, fact in enumerate(facts, 1):
        sent[kind_of(fact)] += 1
        days = [getattr(fact, field) for field in fact.DATES]
        latest = datetime.combine(max(days), _MORNING.timetz()) if days else _MORNING + timedelta(days=400)
        yield Event(
            id=f"example-{number}",
            authority=AUTHORITY,
            system="case",
            type=type_of(type(fact)),
            subject=_subject(fact),
            time=latest + timedelta(days=1),
            data=fact,
            sequence=sent[kind_of(fact)],
            producer_version="acme-case/4.2",
            caseload=None if fact.ABOUT_AUTHORITY else "team-3",
        )


def _subject(fact: Fact) -> str:
    if fact.ABOUT_AUTHORITY:
        return AUTHORITY_SUBJECT
    elsewhere = isinstance(fact, TransferReceived) or fact == FactWithdrawn(fact=WHOLE_ORDER)
    return ANOTHER_SUBJECT if elsewhere else SUBJECT


EVENTS = tuple(events(FACTS))

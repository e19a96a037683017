"""Every event that an authority can publish, one fact each. These types are the one source: schemas and documents are generated from them.

A field ending in `_on` is a local date. A later record (greater `time`, then `id`) of the same fact key replaces the earlier one.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from contracts.codes import (
    Activity,
    AdjustmentReason,
    Attendance,
    BreachOutcome,
    Change,
    CourtType,
    Employment,
    EndReason,
    Ethnicity,
    LateReason,
    OutcomeDomain,
    OutcomeStage,
    RequirementKind,
    ReviewKind,
    RiskLevel,
    Setting,
    Sex,
    WorkType,
)

Ref = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9._/-]{1,64}$", description="The authority's own reference, unique in its order.")
]
PersonRef = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{16,64}$", description="Keyed pseudonym that the authority makes; the key stays there."
    ),
]
AuthorityCode = Annotated[str, Meta(pattern=r"^S12\d{6}$", description="Statistical code of a local authority.")]
OrderRef = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9._/-]{1,40}$", description="The authority's own reference of an order.")
]
Hours = Annotated[int, Meta(ge=20, le=300, description="Hours of unpaid work and other activity.")]
Months = Annotated[int, Meta(ge=1, le=36, description="Length in calendar months.")]
Score = Annotated[int, Meta(ge=0, le=10, description="0 to 10, higher is better.")]
Rating = Annotated[int, Meta(ge=1, le=5, description="1 (not at all) to 5 (very much).")]
Label = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._ /+-]{1,40}$", description="Name of a tool or version of a rule.")]
Month = Annotated[str, Meta(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="A calendar month, as in 2026-03.")]


class Topic(StrEnum):
    """The two kinds of topic an authority publishes to."""

    ORDERS = "orders.events"
    UNPAID_WORK = "unpaid-work.events"


class Fact(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What every event states: one fact, found again by its key."""

    NAME: ClassVar[str]
    TOPICS: ClassVar[tuple[Topic, ...]] = (Topic.ORDERS,)
    KEY: ClassVar[str]
    DATES: ClassVar[tuple[str, ...]] = ()
    """Fields that must not lie more than a day after the event's time."""
    ABOUT_AUTHORITY: ClassVar[bool] = False
    """Whether the event is about the authority itself (subject `-`)."""

    @property
    def key(self) -> str:
        return self.KEY


class _Referenced(Fact, frozen=True, kw_only=True):
    ref: Ref

    @property
    def key(self) -> str:
        return f"{self.KEY}/{self.ref}"


class _Requirement(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    pass


class UnpaidWork(_Requirement, frozen=True, tag="unpaid_work"):
    hours: Hours
    complete_by: date | None = None
    """The date that the court set for completion, when it set one."""


class _Months(_Requirement, frozen=True):
    months: Months


class Supervision(_Months, frozen=True, tag="supervision"):
    pass


class Compensation(_Months, frozen=True, tag="compensation"):
    pass


class Programme(_Months, frozen=True, tag="programme"):
    pass


class Residence(_Months, frozen=True, tag="residence"):
    pass


class MentalHealthTreatment(_Months, frozen=True, tag="mental_health_treatment"):
    pass


class DrugTreatment(_Months, frozen=True, tag="drug_treatment"):
    pass


class AlcoholTreatment(_Months, frozen=True, tag="alcohol_treatment"):
    pass


class Conduct(_Months, frozen=True, tag="conduct"):
    pass


class RestrictedMovement(_Months, frozen=True, tag="restricted_movement"):
    pass


Requirement = (
    UnpaidWork
    | Supervision
    | Compensation
    | Programme
    | Residence
    | MentalHealthTreatment
    | DrugTreatment
    | AlcoholTreatment
    | Conduct
    | RestrictedMovement
)


def kind_of(requirement: Requirement) -> str:
    """The code of the requirement's kind."""
    return str(requirement.__struct_config__.tag)


class OrderImposed(Fact, frozen=True, kw_only=True):
    """A court imposed a community payback order."""

    NAME = "order.imposed"
    KEY = "imposed"
    DATES = ("imposed_on",)
    imposed_on: date
    court_type: CourtType
    person_ref: PersonRef
    sex: Sex
    age_at_imposition: Annotated[int, Meta(ge=16, le=120, description="Age in whole years on the day of imposition.")]
    ethnicity: Ethnicity
    employment: Employment
    fine_default: bool
    """Whether the order stands in place of an unpaid fine."""
    outside_jurisdiction: bool
    """Whether the order was transferred in from outside Scotland."""
    progress_review_ordered: bool
    requirements: Annotated[tuple[Requirement, ...], Meta(min_length=1, max_length=10)]


class OrderReceived(Fact, frozen=True, kw_only=True):
    """The authority received the order from the court."""

    NAME = "order.received"
    KEY = "received"
    DATES = ("received_on",)
    received_on: date


class OfficerNominated(Fact, frozen=True, kw_only=True):
    """A responsible officer was nominated."""

    NAME = "officer.nominated"
    KEY = "officer"
    DATES = ("nominated_on",)
    nominated_on: date
    late_reason: LateReason | None = None


class ContactMade(Fact, frozen=True, kw_only=True):
    """First direct contact with the person after imposition."""

    NAME = "contact.made"
    KEY = "first_contact"
    DATES = ("made_on",)
    made_on: date
    late_reason: LateReason | None = None


class CaseMeetingHeld(Fact, frozen=True, kw_only=True):
    """First case management meeting of an order with supervision."""

    NAME = "case-meeting.held"
    KEY = "case_meeting"
    DATES = ("held_on",)
    held_on: date
    late_reason: LateReason | None = None


class AssessmentCompleted(_Referenced, frozen=True, kw_only=True):
    """A risk and needs assessment was completed."""

    NAME = "assessment.completed"
    KEY = "assessment"
    DATES = ("completed_on",)
    completed_on: date
    tool: Label
    level: RiskLevel
    rule_version: Label
    overridden: bool
    """Whether a professional judgement replaced the tool's level."""


class PlanAgreed(Fact, frozen=True, kw_only=True):
    """The case management plan was agreed."""

    NAME = "plan.agreed"
    KEY = "plan"
    DATES = ("agreed_on",)
    agreed_on: date
    late_reason: LateReason | None = None


class ReviewHeld(_Referenced, frozen=True, kw_only=True):
    """A review of the order was held."""

    NAME = "review.held"
    KEY = "review"
    DATES = ("held_on",)
    held_on: date
    kind: ReviewKind
    late_reason: LateReason | None = None


class RequirementVaried(_Referenced, frozen=True, kw_only=True):
    """The court varied, added or removed a requirement."""

    NAME = "requirement.varied"
    KEY = "variation"
    DATES = ("varied_on",)
    varied_on: date
    change: Change
    kind: RequirementKind
    hours: Hours | None = None
    complete_by: date | None = None
    months: Months | None = None


class BreachLodged(_Referenced, frozen=True, kw_only=True):
    """An application for breach was lodged with the court."""

    NAME = "breach.lodged"
    KEY = "breach"
    DATES = ("decided_on", "lodged_on")
    decided_on: date
    """When the authority decided to apply."""
    lodged_on: date
    late_reason: LateReason | None = None


class BreachDecided(_Referenced, frozen=True, kw_only=True):
    """The court decided on an application for breach."""

    NAME = "breach.decided"
    KEY = "breach_decision"
    DATES = ("decided_on",)
    decided_on: date
    outcome: BreachOutcome


class TransferRequested(_Referenced, frozen=True, kw_only=True):
    """The authority asked another one to take the order over."""

    NAME = "transfer.requested"
    KEY = "transfer"
    DATES = ("requested_on",)
    requested_on: date
    to: AuthorityCode


class TransferAnswered(_Referenced, frozen=True, kw_only=True):
    """The other authority answered the request."""

    NAME = "transfer.answered"
    KEY = "transfer_answer"
    DATES = ("answered_on",)
    answered_on: date
    accepted: bool
    late_reason: LateReason | None = None


class _From(Fact, frozen=True, kw_only=True, rename={"from_": "from"}):
    from_: AuthorityCode


class TransferReceived(_From, frozen=True, kw_only=True, rename={"from_": "from"}):
    """The order came here from another authority in Scotland."""

    NAME = "transfer.received"
    KEY = "transferred_in"
    DATES = ("received_on",)
    received_on: date
    from_subject: OrderRef


class OutcomeMeasured(_Referenced, frozen=True, kw_only=True):
    """One domain of a person's life was scored."""

    NAME = "outcome.measured"
    KEY = "outcome"
    DATES = ("measured_on",)
    measured_on: date
    stage: OutcomeStage
    domain: OutcomeDomain
    score: Score
    tool: Label


class ExitQuestionnaireReturned(Fact, frozen=True, kw_only=True):
    """The person returned the questionnaire at the end of the order."""

    NAME = "exit-questionnaire.returned"
    KEY = "exit_questionnaire"
    DATES = ("returned_on",)
    returned_on: date
    helped: Rating
    treated_with_respect: Rating
    less_likely_to_offend: Rating


class OrderEnded(Fact, frozen=True, kw_only=True):
    """The order ended."""

    NAME = "order.ended"
    KEY = "ended"
    DATES = ("ended_on",)
    ended_on: date
    reason: EndReason


class FactWithdrawn(Fact, frozen=True, kw_only=True):
    """A fact should not have been recorded; `order` withdraws the whole record, for ever."""

    NAME = "fact.withdrawn"
    TOPICS = (Topic.ORDERS, Topic.UNPAID_WORK)
    KEY = ""
    fact: Annotated[str, Meta(min_length=1, max_length=80, description="The fact key that is withdrawn.")]

    @property
    def key(self) -> str:
        return self.fact


class PeriodClosed(Fact, frozen=True, kw_only=True):
    """The authority's own totals for a month, to check ours against."""

    NAME = "period.closed"
    KEY = "period"
    ABOUT_AUTHORITY = True
    month: Month
    orders_imposed: Annotated[int, Meta(ge=0)]
    orders_ended: Annotated[int, Meta(ge=0)]
    minutes_credited: int

    @property
    def key(self) -> str:
        return f"period/{self.month}"


class Heartbeat(Fact, frozen=True, kw_only=True):
    """The authority's system is alive, even when there is nothing to report."""

    NAME = "heartbeat"
    KEY = "heartbeat"
    ABOUT_AUTHORITY = True
    nothing_to_report_since: date | None = None


class _UnpaidWorkFact(Fact, frozen=True, kw_only=True):
    TOPICS = (Topic.UNPAID_WORK,)


class InductionHeld(_UnpaidWorkFact, frozen=True, kw_only=True):
    """The induction to unpaid work was held."""

    NAME = "induction.held"
    KEY = "induction"
    DATES = ("held_on",)
    held_on: date
    late_reason: LateReason | None = None


class PlacementStarted(_UnpaidWorkFact, frozen=True, kw_only=True):
    """The first unpaid-work placement began."""

    NAME = "placement.started"
    KEY = "placement"
    DATES = ("started_on",)
    started_on: date
    setting: Setting
    work_type: WorkType
    late_reason: LateReason | None = None


class SessionRecorded(_Referenced, frozen=True, kw_only=True):
    """What became of one planned session of unpaid work or other activity."""

    NAME = "session.recorded"
    TOPICS = (Topic.UNPAID_WORK,)
    KEY = "session"
    DATES = ("session_on",)
    session_on: date
    attendance: Attendance
    activity: Activity
    work_type: WorkType
    minutes_credited: Annotated[
        int, Meta(ge=0, le=600, description="Minutes that count towards the order; 0 unless attended.")
    ]


class HoursAdjusted(_Referenced, frozen=True, kw_only=True):
    """Credit was corrected outside a session."""

    NAME = "hours.adjusted"
    TOPICS = (Topic.UNPAID_WORK,)
    KEY = "adjustment"
    DATES = ("adjusted_on",)
    adjusted_on: date
    minutes: Annotated[int, Meta(ge=-18000, le=18000, description="Minutes to add; negative takes away.")]
    reason: AdjustmentReason


class WorkCompleted(_UnpaidWorkFact, frozen=True, kw_only=True):
    """The unpaid-work requirement was completed."""

    NAME = "work.completed"
    KEY = "work_completed"
    DATES = ("completed_on",)
    completed_on: date
    late_reason: LateReason | None = None


FACTS: dict[str, type[Fact]] = {
    fact.NAME: fact
    for fact in (
        OrderImposed, OrderReceived, OfficerNominated, ContactMade, CaseMeetingHeld, AssessmentCompleted, PlanAgreed, ReviewHeld,
        RequirementVaried, BreachLodged, BreachDecided, TransferRequested, TransferAnswered, TransferReceived, OutcomeMeasured,
        ExitQuestionnaireReturned, OrderEnded, FactWithdrawn, PeriodClosed, Heartbeat, InductionHeld, PlacementStarted,
        SessionRecorded, HoursAdjusted, WorkCompleted,
    )
}  # fmt: skip

WHOLE_ORDER: Literal["order"] = "order"
"""The fact key that withdraws a record as a whole."""
AUTHORITY_SUBJECT: Literal["-"] = "-"


def withdrawable(fact_key: str, topic: Topic) -> bool:
    """Whether the key names a fact that this kind of topic can hold."""
    if fact_key == WHOLE_ORDER:
        return topic is Topic.ORDERS
    name, _, ref = fact_key.partition("/")
    return any(
        name == fact.KEY and topic in fact.TOPICS and bool(ref) == issubclass(fact, _Referenced)
        for fact in FACTS.values()
        if not fact.ABOUT_AUTHORITY
    )

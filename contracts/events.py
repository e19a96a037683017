"""Every event that an authority can publish, one fact each. These types are the only source: schemas and documents are generated from them.

A field ending in `_on` is a local date. A later record (greater `time`, then `sequence`, then `id`) of the same fact key replaces the
earlier one.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from contracts.authorities import CURRENT_CODES
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


def written(pattern: str, meaning: str) -> Meta:
    """Return a constraint on text that must match as a whole. `$` would let a final newline pass, so it is not used here; schemas get `^`
    and `$`.
    """
    return Meta(pattern=rf"\A{pattern}\Z", description=meaning)


Ref = Annotated[
    str, written("[A-Za-z0-9._/-]{1,64}", "The authority's own reference for this statement, unique within its order.")
]
PersonRef = Annotated[
    str,
    written(
        "[A-Za-z0-9_-]{16,64}",
        "Keyed pseudonym of the person, always the same for the same person. The authority makes it; the key stays there.",
    ),
]
AuthorityCode = Annotated[
    str,
    Meta(
        pattern=r"\AS12[0-9]{6}\Z",
        description="Statistical code of a local authority, current or retired.",
        extra_json_schema={"enum": sorted(CURRENT_CODES)},
    ),
]
OrderRef = Annotated[str, written("[A-Za-z0-9._/-]{1,40}", "The authority's own reference for an order.")]
Hours = Annotated[int, Meta(ge=20, le=300, description="Hours of unpaid work and other activity.")]
LaterHours = Annotated[
    int, Meta(ge=0, le=300, description="Total hours; the minimum of 20 applies to imposition only.")
]
Months = Annotated[int, Meta(ge=1, le=36, description="Length in calendar months.")]
Score = Annotated[int, Meta(ge=0, le=10, description="0 to 10, higher is better.")]
Rating = Annotated[int, Meta(ge=1, le=5, description="1 (not at all) to 5 (very much).")]
Label = Annotated[str, written("[A-Za-z0-9._ /+-]{1,40}", "Name of a tool or version of a rule.")]
Month = Annotated[str, written("20[0-9]{2}-(0[1-9]|1[0-2])", "A calendar month, such as 2026-03.")]
Orders = Annotated[int, Meta(ge=0, le=100_000, description="Orders of one authority in one month.")]
Minutes = Annotated[int, Meta(ge=-100_000_000, le=100_000_000, description="Minutes of one authority in one month.")]
FactKey = Annotated[str, written("[a-z_]{1,40}(/[A-Za-z0-9._/-]{1,64})?", "The fact key that is withdrawn.")]
Late = Annotated[LateReason | None, Meta(description="Why a standard was missed, if it was.")]


class Topic(StrEnum):
    """The two kinds of topic an authority publishes to."""

    ORDERS = "orders.events"
    UNPAID_WORK = "unpaid-work.events"


class Fact(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True, gc=False):
    """The base of all events: one fact, identified by its key."""

    MEANING: ClassVar[str]
    """The meaning for readers: in schemas, documents and the course of an order."""
    NAME: ClassVar[str]
    VERSION: ClassVar[int] = 1
    """Grows when the data changes in a way that would break its senders; the earlier type stays, in SUPERSEDED."""
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


class _Requirement(
    Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True, gc=False, tag_field="kind"
):
    MEANING: ClassVar[str]


class UnpaidWork(_Requirement, frozen=True, tag="unpaid_work"):
    MEANING = "Unpaid work or other activity."

    hours: Hours
    complete_by: date | None = None
    """The date that the court set for completion, when it set one."""


class _Months(_Requirement, frozen=True):
    months: Months


class Supervision(_Months, frozen=True, tag="supervision"):
    MEANING = "Supervision by a responsible officer."


class Compensation(_Months, frozen=True, tag="compensation"):
    MEANING = "Compensation to the victim."


class Programme(_Months, frozen=True, tag="programme"):
    MEANING = "A programme, such as one on domestic abuse."


class Residence(_Months, frozen=True, tag="residence"):
    MEANING = "Living at a named place."


class MentalHealthTreatment(_Months, frozen=True, tag="mental_health_treatment"):
    MEANING = "Treatment of a mental health condition."


class DrugTreatment(_Months, frozen=True, tag="drug_treatment"):
    MEANING = "Treatment of drug dependency."


class AlcoholTreatment(_Months, frozen=True, tag="alcohol_treatment"):
    MEANING = "Treatment of alcohol dependency."


class Conduct(_Months, frozen=True, tag="conduct"):
    MEANING = "Doing, or not doing, specified things."


class RestrictedMovement(_Months, frozen=True, tag="restricted_movement"):
    MEANING = "Being, or not being, at a place at certain times, monitored electronically."


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
    """Return the code of the requirement's kind."""
    return str(requirement.__struct_config__.tag)


class OrderImposed(Fact, frozen=True, kw_only=True):
    MEANING = "A court imposed a community payback order."
    NAME = "order.imposed"
    KEY = "imposed"
    DATES = ("imposed_on",)
    imposed_on: date
    """The day on which the court imposed the order: day 0 of every clock."""
    court_type: CourtType
    """The kind of court that imposed the order."""
    person_ref: PersonRef
    sex: Sex
    """As the authority records it."""
    age_at_imposition: Annotated[int, Meta(ge=16, le=120, description="Age in whole years on the day of imposition.")]
    ethnicity: Ethnicity
    """Ethnic group, as the person describes it."""
    employment: Employment
    """Employment on the day of imposition."""
    fine_default: bool
    """Whether the order stands in place of an unpaid fine."""
    outside_jurisdiction: bool
    """Whether the order was transferred in from outside Scotland."""
    progress_review_ordered: bool
    """Whether the court ordered progress reviews."""
    requirements: Annotated[tuple[Requirement, ...], Meta(min_length=1, max_length=10)]
    """What the order asks of the person, each kind once."""


class OrderReceived(Fact, frozen=True, kw_only=True):
    MEANING = "The authority received the order from the court."
    NAME = "order.received"
    KEY = "received"
    DATES = ("received_on",)
    received_on: date
    """The day on which the order reached the authority."""


class OfficerNominated(Fact, frozen=True, kw_only=True):
    MEANING = "A responsible officer was nominated."
    NAME = "officer.nominated"
    KEY = "officer"
    DATES = ("nominated_on",)
    nominated_on: date
    """The day on which the officer was nominated."""
    late_reason: Late = None


class ContactMade(Fact, frozen=True, kw_only=True):
    MEANING = "First direct contact with the person after imposition."
    NAME = "contact.made"
    KEY = "first_contact"
    DATES = ("made_on",)
    made_on: date
    """The day of the first direct contact."""
    late_reason: Late = None


class CaseMeetingHeld(Fact, frozen=True, kw_only=True):
    MEANING = "First case management meeting of an order with supervision."
    NAME = "case-meeting.held"
    KEY = "case_meeting"
    DATES = ("held_on",)
    held_on: date
    """The day of the meeting."""
    late_reason: Late = None


class AssessmentCompleted(_Referenced, frozen=True, kw_only=True):
    MEANING = "A risk and needs assessment was completed."
    NAME = "assessment.completed"
    KEY = "assessment"
    DATES = ("completed_on",)
    completed_on: date
    """The day on which the assessment was completed."""
    tool: Label
    """Which tool was used."""
    level: RiskLevel
    """The level of risk that was found."""
    rule_version: Label
    """Which version of the tool's scoring rules."""
    overridden: bool
    """Whether a professional judgement replaced the tool's level."""


class PlanAgreed(Fact, frozen=True, kw_only=True):
    MEANING = "The case management plan was agreed."
    NAME = "plan.agreed"
    KEY = "plan"
    DATES = ("agreed_on",)
    agreed_on: date
    """The day on which the plan was agreed."""
    late_reason: Late = None


class ReviewHeld(_Referenced, frozen=True, kw_only=True):
    MEANING = "A review of the order was held."
    NAME = "review.held"
    KEY = "review"
    DATES = ("held_on",)
    held_on: date
    """The day of the review."""
    kind: ReviewKind
    """Whose review it was."""
    late_reason: Late = None


class RequirementVaried(_Referenced, frozen=True, kw_only=True):
    MEANING = "The court varied, added or removed a requirement."
    NAME = "requirement.varied"
    KEY = "variation"
    DATES = ("varied_on",)
    varied_on: date
    """The day on which the court decided."""
    change: Change
    """What was changed."""
    kind: RequirementKind
    """Which requirement was changed."""
    hours: LaterHours | None = None
    """The new total of hours, for unpaid work."""
    complete_by: date | None = None
    """The new date for completion, for unpaid work."""
    months: Months | None = None
    """The new length in months, for other requirements."""


class BreachLodged(_Referenced, frozen=True, kw_only=True):
    MEANING = "An application for breach was lodged with the court."
    NAME = "breach.lodged"
    KEY = "breach"
    DATES = ("decided_on", "lodged_on")
    decided_on: date
    """When the authority decided to apply."""
    lodged_on: date
    """The day on which the court received the application."""
    late_reason: Late = None


class BreachDecided(_Referenced, frozen=True, kw_only=True):
    MEANING = "The court decided on an application for breach."
    NAME = "breach.decided"
    KEY = "breach_decision"
    DATES = ("decided_on",)
    decided_on: date
    """The day on which the court decided."""
    outcome: BreachOutcome
    """What the court decided."""


class TransferRequested(_Referenced, frozen=True, kw_only=True):
    MEANING = "The authority asked another one to take over the order."
    NAME = "transfer.requested"
    KEY = "transfer"
    DATES = ("requested_on",)
    requested_on: date
    """The day of the request."""
    to: AuthorityCode
    """Statistical code of the authority that was asked."""


class TransferAnswered(_Referenced, frozen=True, kw_only=True):
    MEANING = "The other authority answered the request."
    NAME = "transfer.answered"
    KEY = "transfer_answer"
    DATES = ("answered_on",)
    answered_on: date
    """The day of the answer."""
    accepted: bool
    """Whether the other authority takes the order over."""
    late_reason: Late = None


class _From(Fact, frozen=True, kw_only=True, rename={"from_": "from"}):
    from_: AuthorityCode
    """Statistical code of the authority that had the order before."""


class TransferReceived(_From, frozen=True, kw_only=True, rename={"from_": "from"}):
    MEANING = "The order came to this authority from another one in Scotland."
    NAME = "transfer.received"
    KEY = "transferred_in"
    DATES = ("received_on",)
    received_on: date
    """The day from which the order is managed here."""
    from_subject: OrderRef
    """The other authority's reference of the order."""


class OutcomeMeasured(_Referenced, frozen=True, kw_only=True):
    MEANING = "One domain of a person's life was scored."
    NAME = "outcome.measured"
    KEY = "outcome"
    DATES = ("measured_on",)
    measured_on: date
    """The day of the measurement."""
    stage: OutcomeStage
    """At which stage of the order."""
    domain: OutcomeDomain
    """Which part of life was scored."""
    score: Score
    tool: Label
    """Which tool was used."""


class ExitQuestionnaireReturned(Fact, frozen=True, kw_only=True):
    MEANING = "The person returned the questionnaire at the end of the order."
    NAME = "exit-questionnaire.returned"
    KEY = "exit_questionnaire"
    DATES = ("returned_on",)
    returned_on: date
    """The day on which the questionnaire came back."""
    helped: Rating
    """Whether the order helped the person: 1 (not at all) to 5 (very much)."""
    treated_with_respect: Rating
    """Whether the person was treated with respect: 1 (not at all) to 5 (very much)."""
    less_likely_to_offend: Rating
    """Whether the person feels less likely to offend: 1 (not at all) to 5 (very much)."""


class OrderEnded(Fact, frozen=True, kw_only=True):
    MEANING = "The order ended."
    NAME = "order.ended"
    KEY = "ended"
    DATES = ("ended_on",)
    ended_on: date
    """The last day of the order."""
    reason: EndReason
    """Why the order ended."""


class FactWithdrawn(Fact, frozen=True, kw_only=True):
    MEANING = "A fact should not have been recorded; `order` withdraws the whole record, for ever."
    NAME = "fact.withdrawn"
    TOPICS = (Topic.ORDERS, Topic.UNPAID_WORK)
    KEY = ""
    fact: FactKey

    @property
    def key(self) -> str:
        return self.fact


class PeriodClosed(Fact, frozen=True, kw_only=True):
    MEANING = "The authority's own totals for a month, to check ours against."
    NAME = "period.closed"
    KEY = "period"
    ABOUT_AUTHORITY = True
    month: Month
    """The month that the totals are about."""
    orders_imposed: Orders
    """How many orders were imposed in the month, by the authority's own count."""
    orders_ended: Orders
    """How many orders ended in the month, by the authority's own count."""
    minutes_credited: Minutes
    """Minutes of unpaid work credited in the month, by the authority's own count."""

    @property
    def key(self) -> str:
        return f"period/{self.month}"


class Heartbeat(Fact, frozen=True, kw_only=True):
    MEANING = "The authority's system is alive, even when there is nothing to report."
    NAME = "heartbeat"
    KEY = "heartbeat"
    ABOUT_AUTHORITY = True
    nothing_to_report_since: date | None = None
    """The first day from which there was nothing to report."""


class _UnpaidWorkFact(Fact, frozen=True, kw_only=True):
    TOPICS = (Topic.UNPAID_WORK,)


class InductionHeld(_UnpaidWorkFact, frozen=True, kw_only=True):
    MEANING = "The induction to unpaid work was held."
    NAME = "induction.held"
    KEY = "induction"
    DATES = ("held_on",)
    held_on: date
    """The day of the induction."""
    late_reason: Late = None


class PlacementStarted(_UnpaidWorkFact, frozen=True, kw_only=True):
    MEANING = "The first unpaid-work placement began."
    NAME = "placement.started"
    KEY = "placement"
    DATES = ("started_on",)
    started_on: date
    """The first day of the placement."""
    setting: Annotated[Setting | None, Meta(description="How the placement is run; left out if that is not known.")] = (
        None
    )
    work_type: Annotated[
        WorkType | None, Meta(description="What kind of work it is; left out if that is not known.")
    ] = None
    late_reason: Late = None


class SessionRecorded(_Referenced, frozen=True, kw_only=True):
    MEANING = "A planned session of unpaid work or other activity was recorded."
    NAME = "session.recorded"
    TOPICS = (Topic.UNPAID_WORK,)
    KEY = "session"
    DATES = ("session_on",)
    session_on: date
    """The day of the session."""
    attendance: Attendance
    """What became of the session."""
    activity: Activity
    """Whether it was unpaid work or other activity."""
    work_type: WorkType
    """What kind of work it was."""
    minutes_credited: Annotated[
        int, Meta(ge=0, le=600, description="Minutes that count towards the order; 0 unless attended.")
    ]


class HoursAdjusted(_Referenced, frozen=True, kw_only=True):
    MEANING = "Credit was corrected outside a session."
    NAME = "hours.adjusted"
    TOPICS = (Topic.UNPAID_WORK,)
    KEY = "adjustment"
    DATES = ("adjusted_on",)
    adjusted_on: date
    """The day of the correction."""
    minutes: Annotated[int, Meta(ge=-18000, le=18000, description="Minutes to add; a negative number subtracts.")]
    reason: AdjustmentReason
    """Why credit was corrected."""


class WorkCompleted(_UnpaidWorkFact, frozen=True, kw_only=True):
    MEANING = "The unpaid-work requirement was completed."
    NAME = "work.completed"
    KEY = "work_completed"
    DATES = ("completed_on",)
    completed_on: date
    """The day on which the last hour was worked."""
    late_reason: Late = None


FACTS: dict[str, type[Fact]] = {
    fact.NAME: fact
    for fact in (
        OrderImposed, OrderReceived, OfficerNominated, ContactMade, CaseMeetingHeld, AssessmentCompleted, PlanAgreed, ReviewHeld,
        RequirementVaried, BreachLodged, BreachDecided, TransferRequested, TransferAnswered, TransferReceived, OutcomeMeasured,
        ExitQuestionnaireReturned, OrderEnded, FactWithdrawn, PeriodClosed, Heartbeat, InductionHeld, PlacementStarted,
        SessionRecorded, HoursAdjusted, WorkCompleted,
    )
}  # fmt: skip
"""The present version of each fact, by name."""

SUPERSEDED: tuple[type[Fact], ...] = ()
"""Earlier versions that are still accepted."""


def type_of(fact: type[Fact]) -> str:
    """Return the event type that states this fact, name and version, without the prefix."""
    return f"{fact.NAME}.v{fact.VERSION}"


TYPES: dict[str, type[Fact]] = {type_of(fact): fact for fact in (*FACTS.values(), *SUPERSEDED)}

WHOLE_ORDER: Literal["order"] = "order"
"""The fact key that withdraws a record as a whole."""
AUTHORITY_SUBJECT: Literal["-"] = "-"


def fact_keys(topic: Topic) -> list[str]:
    """Return the forms of fact keys that this kind of topic can hold."""
    facts = [fact for fact in TYPES.values() if topic in fact.TOPICS and not fact.ABOUT_AUTHORITY and fact.KEY]
    keys = [f"{fact.KEY}/<ref>" if issubclass(fact, _Referenced) else fact.KEY for fact in facts]
    return [*keys, WHOLE_ORDER] if topic is Topic.ORDERS else keys


def withdrawable(fact_key: str, topic: Topic) -> bool:
    """Return whether the key names a fact that this kind of topic can hold."""
    if fact_key == WHOLE_ORDER:
        return topic is Topic.ORDERS
    name, _, ref = fact_key.partition("/")
    return any(
        name == fact.KEY and topic in fact.TOPICS and bool(ref) == issubclass(fact, _Referenced)
        for fact in TYPES.values()
        if not fact.ABOUT_AUTHORITY
    )

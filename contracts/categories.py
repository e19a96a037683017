"""The names of the categories of cells. Each is spelled only here, or where a difference would be noticed."""

from collections.abc import Iterable
from itertools import chain

from contracts.codes import (
    CLIENT_BASED,
    NOT_APPLICABLE,
    SERVICE_BASED,
    Activity,
    AgeBand,
    Attendance,
    BreachOutcome,
    Code,
    CourtType,
    Employment,
    EndReason,
    Ethnicity,
    LateReason,
    OutcomeDomain,
    RequirementKind,
    Sex,
    WorkType,
)
from contracts.rejections import Reason


class ClockState(Code):
    """The state of a clock on a day, in the same words in answers, worklists, pages and documents."""

    MET = "met", "Met"
    MET_LATE = "met_late", "Met late"
    MISSED = "missed", "Missed: the order ended after the due date without it"
    OVERDUE = "overdue", "Overdue"
    DUE = "due", "Due"
    NOT_APPLICABLE = "not_applicable", "Not applicable"


BANDS = {
    "first_contact": ("within_1", "2_to_5", "over_5"),
    "case_meeting": ("within_5", "6_to_10", "over_10"),
    "induction": ("within_5", "6_to_10", "over_10"),
    "placement": ("within_7", "to_3_weeks", "to_1_month", "to_2_months", "over_2_months"),
    "plan": ("within_20", "over_20"),
    "officer": ("within_2", "over_2"),
}
"""The bands of each standard that has bands; the first band meets the standard."""
COMPLETION_CLASSES = ("within_period", "within_court_date", "late")
DAYS_BANDS = ("to_3_months", "to_6_months", "to_9_months", "to_12_months", "over_12_months")
LENGTH_BANDS = ("to_6", "to_12", "to_18", "to_24", "to_36")
DELAY_BANDS = ("to_1_day", "to_7_days", "to_1_month", "to_3_months", "to_1_year", "over_1_year")
LEVELS = ("1", "2")
CHANGES = ("improved", "same", "worse")
OUTCOMES = ("applied", "superseded", "duplicate", "rejected", "put_aside")
QUESTIONS = ("helped", "treated_with_respect", "less_likely_to_offend")
CLOSED_WITH = ("orders_imposed", "orders_ended", "minutes_credited")
FINDINGS = (
    "facts_without_order",
    "end_before_imposition",
    "fact_before_imposition",
    "decision_without_application",
    "answer_without_request",
    "transferred_in_not_told",
    "session_without_order",
    "credit_after_end",
    "credit_above_ordered",
    "other_activity_above_limit",
    "completed_with_less_credit",
    "completed_order_with_credit_outstanding",
)
"""Rules that one record can break."""

ON_TIME, LATE, MISSED, OUT_OF_REACH = "on_time", "late", "missed", "not_applicable"
"""The result of a clock without bands."""


def of(dimension: str, codes: Iterable[str]) -> tuple[str, ...]:
    """Return the categories of a dimension."""
    return tuple(f"{dimension}={code}" for code in codes)


TOTAL = ("",)
MOST_MONTHS_BEFORE = 12
MONTHS_BEFORE = of("months_before", map(str, range(MOST_MONTHS_BEFORE + 1)))
"""How many months before the due date the month lies in which a clock counts."""
PERSON = (*of("sex", Sex), *of("age_band", AgeBand), *of("ethnicity", Ethnicity), *of("employment", Employment))
IMPOSED = (*PERSON, *of("court_type", CourtType), "fine_default=true", "progress_review=true", *of("level", LEVELS))
REQUIREMENT = of("requirement", RequirementKind)
ENDED = (*of("end_reason", EndReason), *of("age_band", AgeBand), *of("sex", Sex), *REQUIREMENT)
REASONS = of("reason", LateReason)
BY_REASON = of("reason", (reason for reason in LateReason if reason in CLIENT_BASED | SERVICE_BASED))
SETTLED = (ON_TIME, LATE, MISSED, OUT_OF_REACH)
CREDIT = (*of("activity", (*Activity, "adjustment")), *of("work_type", WorkType))
EVENTS = (*of("outcome", OUTCOMES), *of("reason", Reason))
DOMAINS = of("domain", chain.from_iterable((f"{domain}.{change}" for change in CHANGES) for domain in OutcomeDomain))
assert set(BY_REASON) | set(of("reason", NOT_APPLICABLE)) == set(REASONS)


def clock(standard: str) -> tuple[str, ...]:
    """Return the categories of a clock that sorts orders into bands."""
    return (*of("band", BANDS[standard]), *BY_REASON, MISSED, OUT_OF_REACH)


COMPLETED = (
    *of("class", COMPLETION_CLASSES), *of("level", LEVELS), *of("days_band", DAYS_BANDS), *REASONS, MISSED, OUT_OF_REACH
)  # fmt: skip
ATTENDANCE = of("attendance", Attendance)
BREACH_OUTCOME = of("breach_outcome", BreachOutcome)

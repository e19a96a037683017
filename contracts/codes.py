"""Code lists of the event payloads: codes are stable, labels may change.

`SEEN` lists carry the labels of published Justice Social Work statistics; the others have no public list that we could find and are ours.
"""

from enum import StrEnum
from typing import Self


class Code(StrEnum):
    """A code with the label that people read."""

    label: str

    def __new__(cls, code: str, label: str) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.label = label
        return member

    @classmethod
    def of(cls, code: str) -> Self:
        """Return the member with this code. Raises KeyError."""
        member = cls._value2member_map_[code]
        assert isinstance(member, cls)
        return member


class CourtType(Code):
    HIGH = "high", "High Court or appeal"
    SHERIFF_SOLEMN = "sheriff_solemn", "Sheriff solemn"
    SHERIFF_SUMMARY = "sheriff_summary", "Sheriff summary"
    STIPENDIARY = "stipendiary", "Stipendiary magistrate"
    JUSTICE_OF_THE_PEACE = "justice_of_the_peace", "Justice of the peace"
    OUTWITH_SCOTLAND = "outwith_scotland", "Outwith Scotland"
    NOT_KNOWN = "not_known", "Not known"


class RequirementKind(Code):
    SUPERVISION = "supervision", "Offender supervision"
    COMPENSATION = "compensation", "Compensation"
    UNPAID_WORK = "unpaid_work", "Unpaid work or other activity"
    PROGRAMME = "programme", "Programme"
    RESIDENCE = "residence", "Residence"
    MENTAL_HEALTH_TREATMENT = "mental_health_treatment", "Mental health treatment"
    DRUG_TREATMENT = "drug_treatment", "Drug treatment"
    ALCOHOL_TREATMENT = "alcohol_treatment", "Alcohol treatment"
    CONDUCT = "conduct", "Conduct"
    RESTRICTED_MOVEMENT = "restricted_movement", "Restricted movement"


class Sex(Code):
    MALE = "male", "Male"
    FEMALE = "female", "Female"
    NOT_KNOWN = "not_known", "Not known"


class AgeBand(Code):
    AGE_16_17 = "16_17", "16 to 17"
    AGE_18_20 = "18_20", "18 to 20"
    AGE_21_25 = "21_25", "21 to 25"
    AGE_26_30 = "26_30", "26 to 30"
    AGE_31_40 = "31_40", "31 to 40"
    OVER_40 = "over_40", "Over 40"


class Ethnicity(Code):
    WHITE = "white", "White"
    ASIAN = "asian", "Asian"
    AFRICAN_CARIBBEAN_BLACK = "african_caribbean_black", "African, Caribbean or Black"
    MIXED = "mixed", "Mixed"
    OTHER = "other", "Other"
    NOT_KNOWN = "not_known", "Not known or not provided"


class Employment(Code):
    FULL_TIME_EDUCATION = "full_time_education", "Full-time education"
    EMPLOYED = "employed", "Employed or self-employed"
    UNEMPLOYED = "unemployed", "Unemployed"
    TRAINING_SCHEME = "training_scheme", "Government training scheme"
    ECONOMICALLY_INACTIVE = "economically_inactive", "Economically inactive"
    OTHER = "other", "Other"
    NOT_KNOWN = "not_known", "Not known"


class EndReason(Code):
    COMPLETED = "completed", "Successfully completed"
    EARLY_DISCHARGE = "early_discharge", "Early discharge"
    REVOKED_REVIEW = "revoked_review", "Revoked due to review"
    REVOKED_BREACH = "revoked_breach", "Revoked due to breach"
    TRANSFERRED_OUT = "transferred_out", "Transfer out of area"
    DIED = "died", "Death"
    OTHER = "other", "Other"


class LateReason(Code):
    DID_NOT_ATTEND = "did_not_attend", "Did not turn up"
    ON_OTHER_ORDER = "on_other_order", "Currently on an order or supervision"
    IN_CUSTODY = "in_custody", "In custody"
    EMPLOYMENT = "employment", "Paid employment"
    ILL = "ill", "Ill health"
    FIRST_CONTACT_LATE = "first_contact_late", "First contact was late"
    NON_COMPLIANCE = "non_compliance", "Non-compliance"
    OTHER_CLIENT = "other_client", "Other client-based"
    STAFF_NOT_AVAILABLE = "staff_not_available", "Staff not available"
    NO_SUITABLE_WORK = "no_suitable_work", "Suitable work not available"
    OTHER_SERVICE = "other_service", "Other, not client-based"
    COULD_NOT_COMPLY = "could_not_comply", "Could not comply"
    TRANSFERRED_IN = "transferred_in", "Transferred in from another jurisdiction"


class BreachOutcome(Code):
    REVOKED_CUSTODY = "revoked_custody", "Revoked, custody"
    REVOKED_NEW_ORDER = "revoked_new_order", "Revoked, new order"
    REVOKED_MONETARY = "revoked_monetary", "Revoked, monetary penalty"
    REVOKED_OTHER = "revoked_other", "Revoked, other"
    TIME_VARIED = "time_varied", "Time for completion varied"
    HOURS_VARIED = "hours_varied", "Continued, hours varied"
    CONTINUED_MONETARY = "continued_monetary", "Continued, monetary penalty"
    RESTRICTED_MOVEMENT_ADDED = "restricted_movement_added", "Continued, restricted movement added"
    WARRANT = "warrant", "Warrant issued"
    NO_FURTHER_ACTION = "no_further_action", "Continued, no further action"
    NOT_PROVED = "not_proved", "Not proved"
    NOT_YET_KNOWN = "not_yet_known", "Not yet known"
    OTHER = "other", "Other"


class Attendance(Code):
    ATTENDED = "attended", "Attended and complied"
    ATTENDED_SENT_HOME_CONDUCT = "attended_sent_home_conduct", "Attended, sent home: conduct"
    ATTENDED_SENT_HOME_SERVICE = "attended_sent_home_service", "Attended, sent home: service issue"
    LEFT_EARLY = "left_early", "Attended, left without permission"
    ABSENT_ACCEPTABLE_MEDICAL = "absent_acceptable_medical", "Acceptable absence: medical"
    ABSENT_ACCEPTABLE_EMPLOYMENT = "absent_acceptable_employment", "Acceptable absence: employment"
    ABSENT_ACCEPTABLE_OTHER = "absent_acceptable_other", "Acceptable absence: other"
    ABSENT_UNACCEPTABLE = "absent_unacceptable", "Unacceptable absence"
    CANCELLED_BY_SERVICE = "cancelled_by_service", "Cancelled by the service"


class Activity(Code):
    UNPAID_WORK = "unpaid_work", "Unpaid work"
    OTHER_ACTIVITY = "other_activity", "Other activity"


class WorkType(Code):
    RECYCLING = "recycling", "Recycling"
    REMOVALS = "removals", "Removals"
    DECORATING = "decorating", "Decorating"
    GARDENING = "gardening", "Gardening and grounds"
    COLLECTION = "collection", "Collections"
    ENVIRONMENT = "environment", "Environment and litter"
    JOINERY = "joinery", "Joinery and repairs"
    COMMUNITY_SUPPORT = "community_support", "Support to community groups"
    SNOW_CLEARING = "snow_clearing", "Snow clearing"
    WORKSHOP = "workshop", "Workshop"
    OTHER = "other", "Other"


class ReviewKind(Code):
    DEPARTMENTAL = "departmental", "Departmental review"
    COURT = "court", "Court progress review"


class RiskLevel(Code):
    VERY_LOW = "very_low", "Very low"
    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"
    VERY_HIGH = "very_high", "Very high"


class OutcomeDomain(Code):
    ACCOMMODATION = "accommodation", "Accommodation"
    EMPLOYMENT_EDUCATION = "employment_education", "Employment, training and education"
    FINANCE = "finance", "Finance"
    RELATIONSHIPS = "relationships", "Family and relationships"
    DRUGS = "drugs", "Drug use"
    ALCOHOL = "alcohol", "Alcohol use"
    WELLBEING = "wellbeing", "Mental health and wellbeing"
    THINKING = "thinking", "Thinking and behaviour"
    COMMUNITY = "community", "Place in the community"


class OutcomeStage(Code):
    START = "start", "Start"
    REVIEW = "review", "Review"
    END = "end", "End"


class Setting(Code):
    GROUP = "group", "Group"
    INDIVIDUAL = "individual", "Individual"
    OTHER_ACTIVITY = "other_activity", "Other activity"


class AdjustmentReason(Code):
    TRAVEL = "travel", "Travel time"
    CORRECTION = "correction", "Correction"
    COURT = "court", "Decision of the court"
    OTHER = "other", "Other"


class Change(Code):
    ADDED = "added", "Requirement added"
    REMOVED = "removed", "Requirement removed"
    HOURS = "hours", "Hours changed"
    COMPLETE_BY = "complete_by", "Date for completion changed"
    MONTHS = "months", "Length changed"


CLIENT_BASED = frozenset(
    {
        LateReason.DID_NOT_ATTEND,
        LateReason.ON_OTHER_ORDER,
        LateReason.IN_CUSTODY,
        LateReason.EMPLOYMENT,
        LateReason.ILL,
        LateReason.FIRST_CONTACT_LATE,
        LateReason.NON_COMPLIANCE,
        LateReason.OTHER_CLIENT,
    }
)

SERVICE_BASED = frozenset({LateReason.STAFF_NOT_AVAILABLE, LateReason.NO_SUITABLE_WORK, LateReason.OTHER_SERVICE})

NOT_APPLICABLE = frozenset({LateReason.COULD_NOT_COMPLY, LateReason.TRANSFERRED_IN})

ATTENDED = frozenset(
    {
        Attendance.ATTENDED,
        Attendance.ATTENDED_SENT_HOME_CONDUCT,
        Attendance.ATTENDED_SENT_HOME_SERVICE,
        Attendance.LEFT_EARLY,
    }
)
ACCEPTABLE = frozenset(
    {
        Attendance.ATTENDED,
        Attendance.ATTENDED_SENT_HOME_SERVICE,
        Attendance.ABSENT_ACCEPTABLE_MEDICAL,
        Attendance.ABSENT_ACCEPTABLE_EMPLOYMENT,
        Attendance.ABSENT_ACCEPTABLE_OTHER,
        Attendance.CANCELLED_BY_SERVICE,
    }
)

SEEN: frozenset[type[Code]] = frozenset(
    {
        CourtType,
        RequirementKind,
        Sex,
        AgeBand,
        Ethnicity,
        Employment,
        EndReason,
        LateReason,
        Activity,
        WorkType,
        ReviewKind,
    }
)

MEANINGS: dict[type[Code], str] = {
    AgeBand: "Age at imposition, in the bands of the published tables.",
    LateReason: "Why a standard was missed. Published tables split reasons that lie with the person from those that lie with the service.",
    Attendance: "The outcome of a planned session.",
    Setting: "How a placement is run.",
    Change: "What the court changed about a requirement.",
}
"""An explanation of a list beside its labels, if its name does not explain it."""

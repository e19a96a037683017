"""Categories and breakdowns in words: the same in the API, in files and on the pages. Pure."""

from contracts import codes
from contracts.codes import Code

_LISTS: dict[str, type[Code]] = {
    "sex": codes.Sex,
    "age_band": codes.AgeBand,
    "ethnicity": codes.Ethnicity,
    "employment": codes.Employment,
    "court_type": codes.CourtType,
    "requirement": codes.RequirementKind,
    "end_reason": codes.EndReason,
    "attendance": codes.Attendance,
    "activity": codes.Activity,
    "work_type": codes.WorkType,
    "breach_outcome": codes.BreachOutcome,
    "reason": codes.LateReason,
    "domain": codes.OutcomeDomain,
}
_WORDS = {
    "": "All",
    "level=1": "Level 1 (up to 100 hours)",
    "level=2": "Level 2 (over 100 hours)",
    "activity=adjustment": "Adjustments",
    "on_time": "On time",
    "late": "Late",
    "missed": "Missed: the order ended without it",
    "overdue": "Overdue",
    "returned": "Returned",
    "sum=helped": "Sum of answers to “did it help”",
    "sum=treated_with_respect": "Sum of answers to “were you treated with respect”",
    "sum=less_likely_to_offend": "Sum of answers to “are you less likely to offend”",
    "not_returned": "Not returned",
    "client_based": "Reasons that lie with the person",
    "service_based": "Reasons that lie with the service",
    "class=within_period": "Within 3 or 6 months",
    "class=within_court_date": "Within the court's later date",
    "class=late": "Late",
    "change=improved": "Improved",
    "change=same": "No change",
    "change=worse": "Worse",
    "outcome=applied": "Applied",
    "outcome=superseded": "Overtaken by a later record",
    "outcome=duplicate": "Sent before",
    "outcome=rejected": "Refused",
    "delay_band=to_1_day": "Up to 1 day",
    "delay_band=to_7_days": "Up to 7 days",
    "delay_band=to_1_month": "Up to 1 month",
    "delay_band=to_3_months": "Up to 3 months",
    "delay_band=to_1_year": "Up to 1 year",
    "delay_band=over_1_year": "Over 1 year",
    "length_band=to_6": "Up to 6 months",
    "length_band=to_12": "Over 6 to 12 months",
    "length_band=to_18": "Over 12 to 18 months",
    "length_band=to_24": "Over 18 to 24 months",
    "length_band=to_36": "Over 24 months",
}
_BANDS = {
    "first_contact": {
        "within_1": "Within 1 working day",
        "2_to_5": "2 to 5 working days",
        "over_5": "Over 5 working days",
    },
    "placement": {
        "within_7": "Within 7 working days",
        "to_3_weeks": "Up to 3 weeks",
        "to_1_month": "Up to 1 month",
        "to_2_months": "Up to 2 months",
        "over_2_months": "Over 2 months",
    },
    "plan": {"within_20": "Within 20 working days", "over_20": "Over 20 working days"},
    "officer": {"within_2": "Within 2 days", "over_2": "Over 2 days"},
} | {
    measure: {
        "within_5": "Within 5 working days",
        "6_to_10": "6 to 10 working days",
        "over_10": "Over 10 working days",
    }
    for measure in ("case_meeting", "induction")
}
BREAKDOWNS = {
    "sex": "Sex",
    "age_band": "Age",
    "ethnicity": "Ethnicity",
    "employment": "Employment",
    "court_type": "Court",
    "level": "Level of unpaid work",
    "requirement": "Requirement",
    "length_band": "Length of supervision",
    "band": "Time taken",
    "late_reason": "Reason for lateness",
    "reason_side": "Whose reason",
    "outcome": "Outcome",
    "breach_outcome": "Decision",
    "class": "When completed",
    "end_reason": "How orders ended",
    "activity": "Activity",
    "work_type": "Kind of work",
    "attendance": "Attendance",
    "change": "Change",
    "domain": "Part of life",
    "delay_band": "Time to arrive",
    "rule": "Rule broken",
}


def category_label(measure: str, category: str) -> str:
    """Return a category in words."""
    if category in _WORDS:
        return _WORDS[category]
    dimension, _, code = category.partition("=")
    if dimension == "rule":
        return code.replace("_", " ").capitalize()
    if dimension == "band":
        return _BANDS[measure][code]
    return {str(member): member.label for member in _LISTS[dimension]}[code]

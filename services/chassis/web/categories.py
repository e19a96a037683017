"""Categories and breakdowns in words: the same in APIs, in files, on pages and at the desk. Pure."""

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
    "fine_default=true": "For not paying a fine",
    "progress_review=true": "With a progress review ordered",
    "band=within_1": "Within 1 working day",
    "band=2_to_5": "2 to 5 working days",
    "band=over_5": "Over 5 working days",
    "band=within_5": "Within 5 working days",
    "band=6_to_10": "6 to 10 working days",
    "band=over_10": "Over 10 working days",
    "band=within_7": "Within 7 working days",
    "band=to_3_weeks": "Up to 3 weeks",
    "band=to_1_month": "Up to 1 month",
    "band=to_2_months": "Up to 2 months",
    "band=over_2_months": "Over 2 months",
    "band=within_20": "Within 20 working days",
    "band=over_20": "Over 20 working days",
    "band=within_2": "Within 2 days",
    "band=over_2": "Over 2 days",
    "days_band=to_3_months": "Up to 3 months",
    "days_band=to_6_months": "Over 3 to 6 months",
    "days_band=to_9_months": "Over 6 to 9 months",
    "days_band=to_12_months": "Over 9 to 12 months",
    "days_band=over_12_months": "Over 12 months",
    "not_applicable": "Not applicable",
    "received": "Received",
    "missing": "Missing",
    "reused": "Used for different events",
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
    "outcome=put_aside": "Put aside by the platform",
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
    "total=orders_imposed": "Orders imposed",
    "total=orders_ended": "Orders ended",
    "total=minutes_credited": "Unpaid work credited",
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


_HEADINGS = BREAKDOWNS | {
    "reason": "Reason",
    "days_band": "Time taken",
    "months_before": "Imposed",
    "rule": "Finding",
    "sum": "Answers",
    "total": "Control total",
}


def category_label(category: str) -> str:
    """Return a category in words; its code with spaces, if a later version of a service made it."""
    if category in _WORDS:
        return _WORDS[category]
    dimension, _, code = category.partition("=")
    if dimension == "months_before":
        return f"{code} {'month' if code == '1' else 'months'} before"
    part, _, change = code.partition(".")
    words = _listed(dimension, part) or plain(part or dimension)
    return f"{words}: {_WORDS.get(f'change={change}', change).lower()}" if change else words


def headed_label(category: str) -> str:
    """Return a category in words after its breakdown, as in Sex: Male; empty for the total."""
    dimension, _, code = category.partition("=")
    heading = _HEADINGS.get(dimension, "") if code else ""
    label = category_label(category) if category else ""
    return f"{heading}: {label}" if heading else label


def plain(code: str) -> str:
    """Return a code or the name of a field in words, as in Progress review ordered."""
    text = code.replace("_", " ")
    return text[:1].upper() + text[1:]


def _listed(dimension: str, code: str) -> str:
    return next((one.label for one in _LISTS.get(dimension, ()) if one == code), "")

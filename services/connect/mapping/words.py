"""Words that people write for the codes of the contract, besides codes and labels."""

from contracts.codes import (
    Activity,
    Attendance,
    Change,
    Code,
    CourtType,
    Employment,
    EndReason,
    Ethnicity,
    LateReason,
    RequirementKind,
    ReviewKind,
    Setting,
    Sex,
    WorkType,
)

MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
SHORT = {
    "1st": "first", "cmp": "case management plan", "cm": "case management",
    "appt": "appointment", "ct": "court", "crt": "court", "dt": "date", "eth": "ethnicity", "hr": "hours", "hrs": "hours",
    "hour": "hours", "id": "number", "mth": "months", "mths": "months", "month": "months", "mtg": "meeting", "no": "number",
    "num": "number",
    "nr": "number", "paperwork": "papers", "recd": "received", "recvd": "received", "ref": "number", "reference": "number",
    "sh": "sheriff", "shf": "sheriff", "sup": "supervision", "superv": "supervision", "supv": "supervision",
    "spv": "supervision",
    "upw": "unpaid work", "uw": "unpaid work",
    "dob": "birth", "born": "birth", "gender": "sex",
}  # fmt: skip
"""How offices shorten words in headings and codes."""
TRUTHS = dict.fromkeys(("yes", "y", "true", "1", "x"), True) | dict.fromkeys(("no", "n", "false", "0", "none"), False)
GRAVE: frozenset[Code] = frozenset(
    {
        Attendance.ABSENT_UNACCEPTABLE,
        Attendance.ATTENDED_SENT_HOME_CONDUCT,
        Attendance.LEFT_EARLY,
        EndReason.REVOKED_BREACH,
        LateReason.DID_NOT_ATTEND,
        LateReason.NON_COMPLIANCE,
    }
)
"""Codes that count against a person, and so are never guessed from words that only resemble theirs or say more."""
OTHER_WORDS: dict[type[Code], dict[str, str]] = {
    Sex: {"m": "male", "f": "female", "man": "male", "woman": "female", "u": "not_known", "unknown": "not_known"},
    CourtType: {
        "high court": "high",
        "summary": "sheriff_summary",
        "solemn": "sheriff_solemn",
        "jp": "justice_of_the_peace",
        "jp court": "justice_of_the_peace",
        "justice of the peace court": "justice_of_the_peace",
        "unknown": "not_known",
    },
    Ethnicity: {
        "unknown": "not_known",
        "not provided": "not_known",
        "not disclosed": "not_known",
        "black": "african_caribbean_black",
    },
    Employment: {
        "self employed": "employed",
        "full time employment": "employed",
        "part time employment": "employed",
        "not working": "unemployed",
        "working": "employed",
        "in work": "employed",
        "in employment": "employed",
        "student": "full_time_education",
        "retired": "economically_inactive",
        "unknown": "not_known",
    },
    RequirementKind: {
        "upw": "unpaid_work",
        "unpaid work": "unpaid_work",
        "supervision": "supervision",
        "rlo": "restricted_movement",
    },
    EndReason: {
        "complete": "completed",
        "successful": "completed",
        "discharged early": "early_discharge",
        "breach": "revoked_breach",
        "transferred out": "transferred_out",
        "transferred": "transferred_out",
        "deceased": "died",
    },
    Attendance: {
        "present": "attended",
        "yes": "attended",
        "y": "attended",
        "did not attend": "absent_unacceptable",
        "dna": "absent_unacceptable",
        "no show": "absent_unacceptable",
        "sick": "absent_acceptable_medical",
        "ill": "absent_acceptable_medical",
        "unwell": "absent_acceptable_medical",
        "in hospital": "absent_acceptable_medical",
        "doctor": "absent_acceptable_medical",
        "covid": "absent_acceptable_medical",
        "gp appointment": "absent_acceptable_medical",
        "cancelled": "cancelled_by_service",
    },
    WorkType: {
        "painting": "decorating",
        "beach clean": "environment",
        "litter": "environment",
        "grass cutting": "gardening",
        "woodwork": "joinery",
        "removal": "removals",
        "bike": "workshop",
        "snow": "snow_clearing",
    },
    Activity: {"upw": "unpaid_work", "oa": "other_activity", "other": "other_activity"},
    ReviewKind: {"court": "court", "progress": "court", "internal": "departmental"},
    Setting: {"team": "group", "personal placement": "individual", "individual placement": "individual"},
    Change: {"hours varied": "hours", "time extended": "complete_by"},
}

"""Names that authorities usually give to members of the contract, in the form that `plain` gives to headings: lower case, no dots or
brackets.
"""

from contracts.codes import RequirementKind

Names = tuple[str, ...]

ORDER: Names = (
    "order reference", "order ref", "case ref", "case reference", "case no", "case number", "case id", "order no", "order number",
    "order id", "cpo ref", "cpo no", "cpo number", "ref", "reference", "ref no", "our ref", "cpo",
)  # fmt: skip
CASELOAD: Names = ("caseload", "team", "team code", "case load", "desk", "team number")
BORN: Names = ("date of birth", "dob", "d o b", "birth date", "born")
COMPLETE_BY: Names = ("complete by", "date to complete by", "completion due", "due date", "to be completed by")
HOURS: Names = ("hours credited", "hours worked", "hours", "hours done", "hrs", "hours completed")
_PERSON: Names = (
    "person number", "client no", "client number", "client id", "person id", "client", "service user id", "chi", "swift id",
    "mosaic id", "individual id", "client ref", "person ref", "carefirst id", "swid", "swis id", "swift no", "swift number",
    "person", "p number", "client id number", "social work number", "nominal", "nominal number",
    "swift", "mosaic", "carefirst", "eclipse", "liquidlogic",
)  # fmt: skip
_REF: Names = ("number", "no", "id", "ref no")
_DAY: Names = ("date", "day")
_WHY_LATE: Names = ("why late", "reason late", "late reason", "reason for delay")


def _ref(what: str) -> Names:
    return (f"{what} number", f"{what} no", f"{what} id", f"{what} ref", f"{what} reference", what, *_REF)


def _on(*what: str) -> Names:
    return tuple(form.format(one) for one in what for form in ("{} date", "date of {}", "date {}", "{} on", "{}"))


FACTS: dict[str, dict[str, Names]] = {
    "order.imposed": {
        "imposed_on": (*_on("order", "imposition", "sentence", "imposed", "disposal"), "order made", "disposed",
                       "date disposed", "date order made", "sentenced", "made", "date made", "disposal"),
        "court_type": ("court", "court type", "type of court", "sentencing court", "court name"),
        "person_ref": _PERSON,
        "sex": ("sex", "gender", "m f", "sex m f", "m or f"),
        "age_at_imposition": ("age", "age at order", "age at imposition", "age at sentence"),
        "ethnicity": ("ethnicity", "ethnic group", "ethnic origin", "ethnic background"),
        "employment": ("employment", "employment status", "economic status", "work status", "job situation", "working status",
                       "work situation", "occupation", "job status"),
        "fine_default": ("fine default", "instead of a fine", "in default of fine"),
        "outside_jurisdiction": ("from outside scotland", "outside jurisdiction", "outwith scotland"),
        "progress_review_ordered": ("progress reviews ordered", "court review", "progress review", "review ordered"),
    },
    "order.received": {"received_on": (*_on("received", "receipt"), "order received", "date order received", "papers in",
                                       "order received from court", "received from court", "papers received", "order in",
                                       "orders in", "in from court", "papers from court", "papers received from court")},
    "officer.nominated": {"nominated_on": (*_on("nominated", "allocated", "allocation"), "officer nominated", "officer allocated")},
    "contact.made": {
        "made_on": (*_on("first contact", "initial contact", "first appointment", "first seen"), "seen first"),
        "late_reason": ("why first contact late", *_WHY_LATE),
    },
    "case-meeting.held": {"held_on": (*_on("case meeting", "case management meeting", "first meeting", "cm meeting"),
                                      "meeting held", "meeting")},
    "plan.agreed": {"agreed_on": (*_on("plan agreed", "case management plan agreed", "case management plan", "plan", "action plan"),)},
    "induction.held": {"held_on": (*_on("induction", "induction held", "upw induction"),)},
    "placement.started": {
        "started_on": (*_on("placement started", "placement start", "placement began", "first placement", "work started"),
                       "started squad", "squad started", "started work", "on squad from", "on squad since", "squad from", "joined squad"),
        "setting": ("placement setting", "setting", "placement type", "placement"),
        "work_type": ("placement work", "kind of work", "work type", "type of work"),
    },
    "work.completed": {"completed_on": (*_on("unpaid work completed", "work completed", "upw completed", "hours completed"),)},
    "order.ended": {
        "ended_on": (*_on("ended", "end", "closed", "finished", "completion", "termination", "order end"), "order ended"),
        "reason": ("why ended", "how ended", "how closed", "why closed", "how finished", "how it finished", "how it ended",
                   "end reason", "reason ended", "outcome", "reason for ending",
                   "termination reason",
                   "closure reason", "reason"),
    },
    "session.recorded": {
        "ref": _ref("session"),
        "session_on": (*_on("session", "attendance", "work"), *_DAY),
        "attendance": ("attendance", "attended", "turned up", "came", "present", "outcome of session", "session outcome", "status"),
        "activity": ("activity", "activity type"),
        "work_type": ("kind of work", "work type", "type of work", "project type", "project", "job", "task"),
        "minutes_credited": ("minutes credited", "minutes", "mins", "mins credited", "minutes worked"),
    },
    "review.held": {
        "ref": _ref("review"),
        "held_on": (*_on("review", "review held"), *_DAY),
        "kind": ("whose review", "review type", "type of review", "kind of review"),
    },
    "assessment.completed": {
        "ref": _ref("assessment"),
        "completed_on": (*_on("assessment", "assessed", "lscmi", "ls cmi"), *_DAY),
        "tool": ("tool", "assessment tool"),
        "level": ("level of risk", "risk level", "level", "risk"),
        "rule_version": ("version", "version of scoring"),
        "overridden": ("overridden", "override"),
    },
    "breach.lodged": {
        "ref": _ref("breach"),
        "decided_on": ("decided to apply", "decision to breach", "breach decision date", "date of decision"),
        "lodged_on": ("application lodged", "lodged", "date lodged", "breach lodged", "lodged on"),
    },
}  # fmt: skip
"""The names of each member's column, by event."""

IDENTIFIES: dict[str, tuple[str, ...]] = {
    "order.imposed": ("imposed_on", "person_ref"),
    "session.recorded": ("session_on", "attendance"),
    "review.held": ("held_on", "kind"),
    "assessment.completed": ("completed_on", "level"),
    "breach.lodged": ("lodged_on",),
    "order.ended": ("ended_on",),
    "placement.started": ("started_on",),
} | {
    name: tuple(member for member in wanted if member.endswith("_on"))
    for name, wanted in FACTS.items()
    if name
    in {
        "order.received",
        "officer.nominated",
        "contact.made",
        "case-meeting.held",
        "plan.agreed",
        "induction.held",
        "work.completed",
    }
}
"""The columns that must exist for a table to be taken as stating the event."""

LENGTHS: dict[RequirementKind, Names] = {
    RequirementKind.UNPAID_WORK: (
        "unpaid work hours", "hrs upw", "upw hrs", "hours upw", "hours", "upw hours", "hours imposed", "unpaid work", "hours ordered",
        "hours of unpaid work", "hours of work",
    ),
    RequirementKind.SUPERVISION: ("supervision months", "supervision", "months of supervision", "supervision length"),
    RequirementKind.COMPENSATION: ("compensation months", "compensation"),
    RequirementKind.PROGRAMME: ("programme months", "programme"),
    RequirementKind.RESIDENCE: ("residence months", "residence"),
    RequirementKind.MENTAL_HEALTH_TREATMENT: ("mental health treatment months", "mental health treatment"),
    RequirementKind.DRUG_TREATMENT: ("drug treatment months", "drug treatment"),
    RequirementKind.ALCOHOL_TREATMENT: ("alcohol treatment months", "alcohol treatment"),
    RequirementKind.CONDUCT: ("conduct months", "conduct"),
    RequirementKind.RESTRICTED_MOVEMENT: ("restricted movement months", "restricted movement"),
}  # fmt: skip

ALL: Names = tuple(
    dict.fromkeys(
        name
        for names in (
            ORDER,
            CASELOAD,
            BORN,
            COMPLETE_BY,
            HOURS,
            *LENGTHS.values(),
            *(n for fact in FACTS.values() for n in fact.values()),
        )
        for name in names
    )
)
"""Every name that a column may have."""
ENOUGH = 3
"""How many columns of an imposition show that a table states it, even if its date or the person was not found."""
_SYSTEM = "is it the person's number there, and not that of the order?"
_WHICH = "or was it another meeting?"
UNSURE = {"first meeting": "or was it the first contact?", "meeting held": _WHICH, "meeting": _WHICH} | dict.fromkeys(
    ("swift", "mosaic", "carefirst", "eclipse", "liquidlogic"), _SYSTEM
)
"""Headings that offices use for more than one thing."""

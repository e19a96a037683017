"""Events that break the contract, one kind for each reason for a refusal."""

import json
from collections.abc import Callable
from typing import Any

from contracts.decoding.codec import MAX_BYTES
from contracts.events import Topic
from contracts.rejections import Reason

Draft = dict[str, Any]
"""A CloudEvent that is still valid."""

_IMPOSED = {
    "court_type": "sheriff_summary",
    "person_ref": "p0000000000000000000000",
    "sex": "male",
    "age_at_imposition": 34,
    "ethnicity": "white",
    "employment": "unemployed",
    "fine_default": False,
    "outside_jurisdiction": False,
    "progress_review_ordered": False,
    "requirements": [{"kind": "unpaid_work", "hours": 120}],
}


def broken(reason: Reason, draft: Draft, day: str) -> tuple[Topic, bytes]:
    """Return an event that is refused for this reason, and the topic to send it to. `draft` lacks type and data."""
    topic, name, data, spoil = _KINDS[reason]
    dated = {key: day if value == "<day>" else value for key, value in data.items()}
    event = {**draft, "type": f"scot.payback.{name}.v1", "data": dated}
    spoil(event)
    raw = event.pop("<raw>", None)
    return topic, raw if isinstance(raw, bytes) else json.dumps(event, separators=(",", ":")).encode()


def _with(**members: object) -> Callable[[Draft], None]:
    return lambda event: event["data"].update(members)


def _requiring(*requirements: Draft, age: int = 34) -> Callable[[Draft], None]:
    return _with(requirements=list(requirements), age_at_imposition=age)


def _outer(**members: object) -> Callable[[Draft], None]:
    return lambda event: event.update(members)


def _without(member: str) -> Callable[[Draft], None]:
    return lambda event: event["data"].pop(member)


def _too_large(event: Draft) -> None:
    event["<raw>"] = json.dumps(event).encode().ljust(MAX_BYTES + 1)


def _twice(event: Draft) -> None:
    event["<raw>"] = json.dumps(event).encode().replace(b'"made_on"', b'"made_on": "2012-02-01", "made_on"')


def _cut_off(event: Draft) -> None:
    event["<raw>"] = json.dumps(event).encode()[:-9]


_Kind = tuple[Topic, str, Draft, Callable[[Draft], None]]
_ORDER: tuple[Topic, str, Draft] = (Topic.ORDERS, "order.imposed", {"imposed_on": "<day>", **_IMPOSED})
_CONTACT: tuple[Topic, str, Draft] = (Topic.ORDERS, "contact.made", {"made_on": "<day>"})
_VARIED: tuple[Topic, str, Draft] = (
    Topic.ORDERS,
    "requirement.varied",
    {"ref": "v9", "varied_on": "<day>", "change": "hours", "kind": "unpaid_work", "hours": 100},
)
_SESSION: tuple[Topic, str, Draft] = (
    Topic.UNPAID_WORK,
    "session.recorded",
    {
        "ref": "s999",
        "session_on": "<day>",
        "attendance": "attended",
        "activity": "unpaid_work",
        "work_type": "gardening",
        "minutes_credited": 360,
    },
)
_WITHDRAWN: tuple[Topic, str, Draft] = (Topic.UNPAID_WORK, "fact.withdrawn", {"fact": "session/s1"})

_KINDS: dict[Reason, _Kind] = {
    Reason.TOO_LARGE: (*_CONTACT, _too_large),
    Reason.NOT_JSON: (*_SESSION, _cut_off),
    Reason.NOT_CLOUDEVENT: (*_CONTACT, _outer(specversion="0.3")),
    Reason.REPEATED_MEMBER: (*_CONTACT, _twice),
    Reason.UNKNOWN_TYPE: (*_CONTACT, _outer(type="scot.payback.contact.attempted.v1")),
    Reason.WRONG_TOPIC: (Topic.ORDERS, "induction.held", {"held_on": "<day>"}, _with()),
    Reason.UNKNOWN_MEMBER: (*_SESSION, _with(supervisor_note="arrived on time")),
    Reason.MISSING_MEMBER: (*_SESSION, _without("activity")),
    Reason.WRONG_TYPE: (*_SESSION, _with(minutes_credited="360")),
    Reason.BAD_CODE: (*_SESSION, _with(attendance="present")),
    Reason.BAD_DATE: (*_CONTACT, _with(made_on="31/01/2026")),
    Reason.BAD_TIME: (*_CONTACT, _outer(time="2026-01-31 09:30")),
    Reason.TIME_IN_FUTURE: (*_CONTACT, _outer(time="2062-01-31T09:30:00Z")),
    Reason.BAD_FORMAT: (*_ORDER, _with(person_ref="JB 1971")),
    Reason.OUT_OF_RANGE: (*_ORDER, _requiring({"kind": "unpaid_work", "hours": 320})),
    Reason.WRONG_AUTHORITY: (*_CONTACT, _outer(source="/authorities/S12099999")),
    Reason.WRONG_SUBJECT: (*_CONTACT, _outer(subject="-")),
    Reason.UNKNOWN_FACT: (*_WITHDRAWN, _with(fact="placement/p1")),
    Reason.DATE_AFTER_TIME: (*_CONTACT, _with(made_on="2099-12-31")),
    Reason.COMPLETE_BY_BEFORE_IMPOSED: (
        *_ORDER,
        _requiring({"kind": "unpaid_work", "hours": 120, "complete_by": "2011-02-01"}),
    ),
    Reason.NO_MAIN_REQUIREMENT: (*_ORDER, _requiring({"kind": "conduct", "months": 12})),
    Reason.NEEDS_SUPERVISION: (
        *_ORDER,
        _requiring({"kind": "unpaid_work", "hours": 120}, {"kind": "conduct", "months": 6}),
    ),
    Reason.UNDER_18_NEEDS_SUPERVISION: (*_ORDER, _requiring({"kind": "unpaid_work", "hours": 60}, age=17)),
    Reason.REPEATED_REQUIREMENT: (
        *_ORDER,
        _requiring({"kind": "supervision", "months": 12}, {"kind": "supervision", "months": 6}),
    ),
    Reason.CREDIT_WITHOUT_ATTENDANCE: (*_SESSION, _with(attendance="absent_unacceptable")),
    Reason.CHANGE_DOES_NOT_FIT: (*_VARIED, _with(months=6)),
}

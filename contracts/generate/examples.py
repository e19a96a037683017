"""Examples as files: accepted events, and refused ones with the reason and the place."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from contracts.decoding.codec import MAX_BYTES, Event, encode
from contracts.events import Topic
from contracts.generate.samples import AUTHORITY, EVENTS
from contracts.rejections import Reason
from contracts.topics import kind_of

Document = dict[str, Any]
Spoil = Callable[[Document], None]


def valid(name: str) -> list[Event]:
    """Return the examples of one type of event."""
    return [event for event in EVENTS if event.type == name]


def as_sent(event: Event) -> Document:
    """Return the event as the JSON object that is sent."""
    document: Document = msgspec.json.decode(encode(event))
    return document


@dataclass(frozen=True, slots=True)
class Invalid:
    """An event that is refused, the topic of the example authority that refuses it, and the refusal."""

    reason: Reason
    path: str
    raw: bytes
    topic: Topic = Topic.ORDERS


def files() -> dict[str, bytes]:
    """Return the content of each example, by its path below contracts/examples."""
    found = {f"valid/{name}": _pretty(as_sent(event)) for name, event in _named()}
    for topic in Topic:
        lines = [encode(event) for event in EVENTS if kind_of(event.data) is topic]
        found[f"{topic}.{AUTHORITY}.ndjson"] = b"".join(line + b"\n" for line in lines)
    index = []
    for number, refused in enumerate(REFUSED, 1):
        path = f"invalid/{number:02}-{refused.reason}.json"
        found[path] = refused.raw
        index.append(_entry(path, refused))
    return found | {"invalid.json": _pretty(index)}


def _named() -> Iterator[tuple[str, Event]]:
    for event in EVENTS:
        same = valid(event.type)
        suffix = f".{same.index(event) + 1}" if len(same) > 1 else ""
        yield f"{event.type}{suffix}.json", event


def _entry(path: str, refused: Invalid) -> Document:
    return {
        "file": path,
        "topic": str(refused.topic),
        "authority": AUTHORITY,
        "reason": str(refused.reason),
        "path": refused.path,
        "remedy": refused.reason.remedy,
    }


def _pretty(document: Any) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _spoilt(name: str, spoil: Spoil, which: int = 0) -> bytes:
    document = as_sent(valid(name)[which])
    spoil(document)
    return _pretty(document)


def _setting(**attributes: Any) -> Spoil:
    return lambda document: document.update(attributes)


def _stating(**members: Any) -> Spoil:
    return lambda document: document["data"].update(members)


def _without(*names: str) -> Spoil:
    def spoil(document: Document) -> None:
        for name in names:
            document.pop(name, None)
            document["data"].pop(name, None)

    return spoil


def _requirements(*kinds: Document, **members: Any) -> bytes:
    return _spoilt("order.imposed.v1", _stating(requirements=list(kinds), **members))


_SUPERVISION = {"kind": "supervision", "months": 12}
_WORK = {"kind": "unpaid_work", "hours": 100}
_RECEIVED, _IMPOSED, _SESSION, _VARIED = (
    "order.received.v1",
    "order.imposed.v1",
    "session.recorded.v1",
    "requirement.varied.v1",
)

_TWICE = _spoilt(_RECEIVED, _setting()).replace(b'"received_on"', b'"received_on": "2025-03-01", "received_on"')

REFUSED = (
    Invalid(Reason.TOO_LARGE, "$", _spoilt(_RECEIVED, _setting(dataschema="x" * MAX_BYTES))),
    Invalid(Reason.NOT_JSON, "$", b'{"specversion": "1.0", "id": \n'),
    Invalid(Reason.NOT_JSON, "$", b'{"data": ' + b"[" * 50 + b"]" * 50 + b"}\n"),
    Invalid(Reason.NOT_CLOUDEVENT, "$", b'["order.received"]\n'),
    Invalid(Reason.NOT_CLOUDEVENT, "$.specversion", _spoilt(_RECEIVED, _setting(specversion="0.3"))),
    Invalid(Reason.NOT_CLOUDEVENT, "$.specversion", _spoilt(_RECEIVED, _without("specversion"))),
    Invalid(Reason.REPEATED_MEMBER, "$.data.received_on", _TWICE),
    Invalid(Reason.UNKNOWN_TYPE, "$.type", _spoilt(_RECEIVED, _setting(type="scot.payback.order.received.v9"))),
    Invalid(Reason.WRONG_TOPIC, "$.type", _spoilt(_SESSION, _setting())),
    Invalid(Reason.WRONG_TOPIC, "$.type", _spoilt(_IMPOSED, _setting()), Topic.UNPAID_WORK),
    Invalid(Reason.UNKNOWN_MEMBER, "$.data.notes", _spoilt(_RECEIVED, _stating(notes="Met at the office."))),
    Invalid(Reason.UNKNOWN_MEMBER, "$.data_base64", _spoilt(_RECEIVED, _setting(data_base64="e30="))),
    Invalid(Reason.UNKNOWN_MEMBER, "$.name", _spoilt(_RECEIVED, _setting(name="J. Smith"))),
    Invalid(Reason.MISSING_MEMBER, "$.data.received_on", _spoilt(_RECEIVED, _without("received_on"))),
    Invalid(Reason.MISSING_MEMBER, "$.subject", _spoilt(_RECEIVED, _without("subject"))),
    Invalid(Reason.MISSING_MEMBER, "$.data.hours", _spoilt(_VARIED, _without("hours"))),
    Invalid(Reason.WRONG_TYPE, "$.data.age_at_imposition", _spoilt(_IMPOSED, _stating(age_at_imposition="24"))),
    Invalid(Reason.WRONG_TYPE, "$.data.fine_default", _spoilt(_IMPOSED, _stating(fine_default=None))),
    Invalid(Reason.BAD_CODE, "$.data.sex", _spoilt(_IMPOSED, _stating(sex="M"))),
    Invalid(Reason.BAD_CODE, "$.data.requirements[0].kind", _requirements({"kind": "curfew", "months": 3})),
    Invalid(Reason.BAD_CODE, "$.data.to", _spoilt("transfer.requested.v1", _stating(to="S12000099"))),
    Invalid(Reason.BAD_DATE, "$.data.received_on", _spoilt(_RECEIVED, _stating(received_on="2025-02-30"))),
    Invalid(Reason.BAD_DATE, "$.data.received_on", _spoilt(_RECEIVED, _stating(received_on="04/03/2025"))),
    Invalid(Reason.BAD_TIME, "$.time", _spoilt(_RECEIVED, _setting(time="2025-03-05T09:30:00"))),
    Invalid(Reason.BAD_TIME, "$.time", _spoilt(_RECEIVED, _setting(time="2025-03-05T09:30:00Europe/London"))),
    Invalid(Reason.TIME_IN_FUTURE, "$.time", _spoilt(_RECEIVED, _setting(time="2062-03-05T09:30:00Z"))),
    Invalid(Reason.BAD_FORMAT, "$.data.person_ref", _spoilt(_IMPOSED, _stating(person_ref="12345"))),
    Invalid(Reason.BAD_FORMAT, "$.subject", _spoilt(_RECEIVED, _setting(subject="CPO 2025 0001"))),
    Invalid(Reason.BAD_FORMAT, "$.id", _spoilt(_RECEIVED, _setting(id=""))),
    Invalid(Reason.BAD_FORMAT, "$.id", _spoilt(_RECEIVED, _setting(id="a\nb"))),
    Invalid(Reason.BAD_FORMAT, "$.source", _spoilt(_RECEIVED, _setting(source="Clackmannanshire"))),
    Invalid(Reason.OUT_OF_RANGE, "$.data.requirements[0].hours", _requirements({"kind": "unpaid_work", "hours": 301})),
    Invalid(Reason.OUT_OF_RANGE, "$.data.requirements", _requirements()),
    Invalid(Reason.OUT_OF_RANGE, "$.data.age_at_imposition", _spoilt(_IMPOSED, _stating(age_at_imposition=15))),
    Invalid(Reason.OUT_OF_RANGE, "$.data.received_on", _spoilt(_RECEIVED, _stating(received_on="0025-03-04"))),
    Invalid(Reason.OUT_OF_RANGE, "$.time", _spoilt(_RECEIVED, _setting(time="1925-03-05T09:30:00Z"))),
    Invalid(Reason.OUT_OF_RANGE, "$.sequence", _spoilt(_RECEIVED, _setting(sequence=0))),
    Invalid(Reason.OUT_OF_RANGE, "$.data.orders_imposed", _spoilt("period.closed.v1", _stating(orders_imposed=10**20))),
    Invalid(Reason.OUT_OF_RANGE, "$.data.requirements[0].complete_by", _requirements(_WORK | {"complete_by": "9999-12-31"})),
    Invalid(Reason.WRONG_AUTHORITY, "$.source", _spoilt(_RECEIVED, _setting(source="/authorities/S12000006"))),
    Invalid(Reason.WRONG_SUBJECT, "$.subject", _spoilt(_RECEIVED, _setting(subject="-"))),
    Invalid(Reason.WRONG_SUBJECT, "$.subject", _spoilt("heartbeat.v1", _setting(subject="CPO/2025/0001"))),
    Invalid(Reason.UNKNOWN_FACT, "$.data.fact", _spoilt("fact.withdrawn.v1", _stating(fact="sessions/s1"))),
    Invalid(Reason.DATE_AFTER_TIME, "$.data.received_on", _spoilt(_RECEIVED, _stating(received_on="2025-03-07"))),
    Invalid(Reason.COMPLETE_BY_BEFORE_IMPOSED, "$.data.requirements[0].complete_by", _requirements(_WORK | {"complete_by": "2025-03-02"})),
    Invalid(Reason.NO_MAIN_REQUIREMENT, "$.data.requirements", _requirements({"kind": "programme", "months": 6})),
    Invalid(Reason.NEEDS_SUPERVISION, "$.data.requirements", _requirements(_WORK, {"kind": "programme", "months": 6})),
    Invalid(Reason.UNDER_18_NEEDS_SUPERVISION, "$.data.requirements", _requirements(_WORK, age_at_imposition=17)),
    Invalid(Reason.REPEATED_REQUIREMENT, "$.data.requirements", _requirements(_SUPERVISION, _SUPERVISION)),
    Invalid(
        Reason.CREDIT_WITHOUT_ATTENDANCE,
        "$.data.minutes_credited",
        _spoilt(_SESSION, _stating(attendance="absent_unacceptable")),
        Topic.UNPAID_WORK,
    ),
    Invalid(Reason.CHANGE_DOES_NOT_FIT, "$.data.change", _spoilt(_VARIED, _stating(change="months"))),
    Invalid(Reason.CHANGE_DOES_NOT_FIT, "$.data.months", _spoilt(_VARIED, _stating(months=6))),
)  # fmt: skip

"""Bytes to events and back. The command-line validator, the HTTP APIs and the stream all decide here, so they say the same."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta, Raw, Struct

from contracts.authorities import current_code
from contracts.events import AUTHORITY_SUBJECT, TYPES, Fact, Topic, type_of, written
from contracts.explain import DEEPEST, explained, nests_too_deeply, of_envelope
from contracts.rejections import Reason, Rejection, Unacceptable
from contracts.rules import RULES, check_dates

__all__ = ["MAX_BYTES", "TYPE_PREFIX", "Envelope", "Event", "decode", "decode_data", "encode", "encode_data", "type_of"]

MAX_BYTES = 64 * 1024
TYPE_PREFIX = "scot.payback."
MAX_SEQUENCE = 10**18 - 1
SOURCE = r"/authorities/(S[0-9]{8})(?:/systems/([A-Za-z0-9._-]{1,64}))?"
_SOURCE = re.compile(SOURCE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

Sequence = Annotated[int, Meta(ge=1, le=MAX_SEQUENCE)] | Annotated[str, written("[1-9][0-9]{0,17}", "")]


class Envelope(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """The CloudEvents 1.0 attributes as they are sent."""

    specversion: Annotated[Literal["1.0"], Meta(description="The version of CloudEvents.")]
    id: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=64,
            description="Unique within the source. No control characters.",
            extra_json_schema={"pattern": r"^[^\u0000-\u001f\u007f]*$"},
        ),
    ]
    source: Annotated[
        str,
        Meta(
            description="Whose event it is: /authorities/<code>, optionally /systems/<name> after it.",
            extra_json_schema={"pattern": f"^{SOURCE}$"},
        ),
    ]
    type: Annotated[str, Meta(description="The name of the event, and its version.")]
    subject: Annotated[
        str, written("[A-Za-z0-9._/-]{1,40}", "The order reference; - for events about the authority itself.")
    ]
    time: Annotated[
        datetime,
        Meta(tz=True, description="When the source system recorded the fact. A later record replaces an earlier one."),
    ]
    data: Raw
    datacontenttype: Annotated[Literal["application/json"], Meta(description="The form of the data.")] = (
        "application/json"
    )
    sequence: Annotated[
        Sequence | None,
        Meta(description="The source's own counter, contiguous from 1, so that gaps show. A number, or its digits."),
    ] = None
    producerversion: Annotated[
        Annotated[str, written("[!-~]{1,64}", "")] | None,
        Meta(description="Which software and version sent it, as in acme-case/4.2."),
    ] = None
    dataschema: Annotated[
        Annotated[str, Meta(max_length=256)] | None, Meta(description="Address of the schema. Not looked at.")
    ] = None


class Event(Struct, frozen=True, gc=False):
    """An accepted event. `authority` is the current code, whatever retired one it came under."""

    id: str
    authority: str
    system: str | None
    type: str
    """Name and version without the prefix, as in `order.imposed.v1`."""
    subject: str
    time: datetime
    """Aware, in UTC."""
    data: Fact
    sequence: int | None = None
    producer_version: str | None = None

    @property
    def source(self) -> str:
        return f"/authorities/{self.authority}" + (f"/systems/{self.system}" if self.system else "")


class _Type(NamedTuple):
    name: str
    fact: type[Fact]
    decode: Callable[[Raw | bytes], Any]
    rule: Callable[[Any, Topic], None] | None


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What the decoder may raise, whatever it is given."""
_envelope = msgspec.json.Decoder(Envelope).decode
_types = {
    TYPE_PREFIX + name: _Type(name, fact, msgspec.json.Decoder(fact).decode, RULES.get(fact))
    for name, fact in TYPES.items()
}
_encoder = msgspec.json.Encoder()


def decode(raw: bytes | None, topic: Topic, authority: str) -> Event | Rejection:
    """The event in `raw`, or why it is refused. `authority` (current code) owns the credentials or the topic it came by."""
    try:
        return _decode(raw or b"", topic, authority)
    except Unacceptable as fault:
        return _rejection(fault, raw or b"")


def decode_data(event_type: str, raw: bytes | Raw) -> Fact:
    """The data of an event that was accepted before. Raises msgspec.ValidationError where the contract was broken since."""
    data: Fact = _types[TYPE_PREFIX + event_type].decode(raw)
    return data


def encode_data(data: Fact) -> bytes:
    return _encoder.encode(data)


def encode(event: Event) -> bytes:
    """The event as structured-mode CloudEvents JSON."""
    envelope: dict[str, object] = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": TYPE_PREFIX + event.type,
        "subject": event.subject,
        "time": event.time,
        "data": event.data,
    }
    if event.sequence is not None:
        envelope["sequence"] = event.sequence
    if event.producer_version is not None:
        envelope["producerversion"] = event.producer_version
    return _encoder.encode(envelope)


def _decode(raw: bytes, topic: Topic, authority: str) -> Event:
    envelope = _read(raw)
    system = _system(envelope.source, authority)
    kind = _type_in(topic, envelope)
    try:
        data: Fact = kind.decode(envelope.data)
    except UNREADABLE as error:
        raise explained(error, "$.data") from None
    time = envelope.time
    check_dates(data, time)
    if kind.rule is not None:
        kind.rule(data, topic)
    return Event(
        envelope.id,
        authority,
        system,
        kind.name,
        envelope.subject,
        time if time.tzinfo is UTC else time.astimezone(UTC),
        data,
        None if envelope.sequence is None else int(envelope.sequence),
        envelope.producerversion,
    )


def _read(raw: bytes) -> Envelope:
    if len(raw) > MAX_BYTES:
        raise Unacceptable(Reason.TOO_LARGE, "$", f"more than {MAX_BYTES} bytes")
    try:
        envelope = _envelope(raw)
    except UNREADABLE as error:
        raise of_envelope(error) from None
    if not envelope.id.isprintable() and _CONTROL.search(envelope.id):
        raise Unacceptable(Reason.BAD_FORMAT, "$.id", "control characters are not allowed")
    return envelope


@lru_cache(maxsize=4096)
def _system(source: str, authority: str) -> str | None:
    """The system named in the source, once the source is known to be the authority's."""
    match = _SOURCE.fullmatch(source)
    if match is None:
        raise Unacceptable(
            Reason.BAD_FORMAT, "$.source", "expected /authorities/<code>, optionally /systems/<name> after it"
        )
    code = current_code(match[1])
    if code is None:
        raise Unacceptable(Reason.WRONG_AUTHORITY, "$.source", "no such authority")
    if code != authority:
        raise Unacceptable(
            Reason.WRONG_AUTHORITY, "$.source", f"the sender is {authority}, the event says another authority"
        )
    return match[2]


def _type_in(topic: Topic, envelope: Envelope) -> _Type:
    known = _types.get(envelope.type)
    if known is None:
        raise Unacceptable(Reason.UNKNOWN_TYPE, "$.type", "no such event type")
    fact = known.fact
    if topic not in fact.TOPICS:
        raise Unacceptable(Reason.WRONG_TOPIC, "$.type", f"{fact.NAME} belongs to {fact.TOPICS[0]}")
    if (envelope.subject == AUTHORITY_SUBJECT) is not fact.ABOUT_AUTHORITY:
        expected = "-" if fact.ABOUT_AUTHORITY else "an order reference"
        raise Unacceptable(Reason.WRONG_SUBJECT, "$.subject", f"{fact.NAME} needs {expected}")
    return known


class _WithId(Struct):
    id: str


_with_id = msgspec.json.Decoder(_WithId).decode


def _rejection(fault: Unacceptable, raw: bytes) -> Rejection:
    if fault.reason is Reason.TOO_LARGE:  # what is kept of it may be cut
        return Rejection(fault.reason, fault.path, fault.message)
    if nests_too_deeply(raw):
        return Rejection(Reason.NOT_JSON, "$", f"brackets nest more than {DEEPEST} deep")
    return Rejection(fault.reason, fault.path, fault.message, _id_in(raw))


def _id_in(raw: bytes) -> str | None:
    try:
        found = _with_id(raw).id
    except UNREADABLE:
        return None
    return found if 1 <= len(found) <= 64 and not _CONTROL.search(found) else None

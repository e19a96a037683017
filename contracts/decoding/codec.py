"""From bytes to events and back. The command-line validator, the HTTP APIs and the stream all decide here, so they agree."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw, Struct, ValidationError, inspect
from msgspec.structs import fields

from contracts.authorities import current_code
from contracts.decoding.envelope import MAX_BYTES, SOURCE, TYPE_PREFIX, Attributes, Envelope, PlainEnvelope
from contracts.decoding.explain import alternatives, explained, of_envelope, offending
from contracts.decoding.reading import UNREADABLE, check_names, document
from contracts.decoding.rules import RULES, check_dates, check_in_force
from contracts.decoding.times import DAY, instant, is_strict
from contracts.events import AUTHORITY_SUBJECT, TYPES, Fact, Topic, type_of
from contracts.rejections import Reason, Rejection, Unacceptable

__all__ = [
    "MAX_BYTES",
    "TYPE_PREFIX",
    "UNREADABLE",
    "Event",
    "decode",
    "decode_data",
    "encode",
    "encode_data",
    "type_of",
]

_SOURCE = re.compile(SOURCE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Event(Struct, frozen=True, gc=False):
    """An accepted event. `authority` is the current code, even if the event came under a retired one."""

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
    caseload: str | None = None
    extract_row: str | None = None

    @property
    def source(self) -> str:
        return f"/authorities/{self.authority}" + (f"/systems/{self.system}" if self.system else "")


class _Type(NamedTuple):
    name: str
    fact: type[Fact]
    decode: Callable[[Raw | bytes], Any]
    rule: Callable[[Any, Topic], None] | None
    quotes: int
    """How many quotation marks its data has without optional members; 0 if they must be counted for each event."""
    optional: tuple[tuple[str, int], ...]
    """Optional members, and how many more quotation marks each brings."""

    @classmethod
    def of(cls, name: str, fact: type[Fact]) -> "_Type":
        marks = {field.name: _quotes_of(field.type) for field in fields(fact)}
        optional = tuple((field.name, marks[field.name]) for field in fields(fact) if not field.required)
        countable = all(marks.values())
        fixed = sum(marks.values()) - sum(more for _, more in optional)
        decoder = msgspec.json.Decoder(fact).decode
        return cls(name, fact, decoder, RULES.get(fact), fixed if countable else 0, optional if countable else ())


def _quotes_of(kind: Any) -> int:
    """Count the quotation marks of a member that is present: those of its name, and of its value if that is text. Returns 0 if it depends
    on the value.
    """
    kinds = {type(one) for one in alternatives(inspect.type_info(kind))} - {inspect.NoneType}
    if kinds <= {inspect.StrType, inspect.DateType, inspect.EnumType}:
        return 4
    return 2 if kinds <= {inspect.IntType, inspect.BoolType} else 0


_envelope = msgspec.json.Decoder(PlainEnvelope).decode
_types = {TYPE_PREFIX + name: _Type.of(name, fact) for name, fact in TYPES.items()}
_encoder = msgspec.json.Encoder()


def decode(raw: bytes | None, topic: Topic, authority: str, arrived_at: datetime) -> Event | Rejection:
    """Return the event in `raw`, or why it is refused.

    `authority` (current code) owns the credentials or the topic by which it came; `arrived_at` is the broker's time, or now. Most events
    are written plainly and are read fast. In any doubt they are read again with care, and only that reading says what is wrong.
    """
    try:
        return _plainly(raw or b"", topic, authority, arrived_at)
    except (Unacceptable, _Doubt, *UNREADABLE):
        return _with_care(raw, topic, authority, arrived_at)


def decode_data(event_type: str, raw: bytes | Raw) -> Fact:
    """Decode the data of an event that was accepted before. Raises msgspec.ValidationError if the contract was broken since."""
    data: Fact = _types[TYPE_PREFIX + event_type].decode(raw)
    return data


def encode_data(data: Fact) -> bytes:
    return _encoder.encode(data)


def encode(event: Event) -> bytes:
    """Return the event as structured-mode CloudEvents JSON."""
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
    if event.caseload is not None:
        envelope["caseload"] = event.caseload
    if event.extract_row is not None:
        envelope["extractrow"] = event.extract_row
    return _encoder.encode(envelope)


class _Doubt(Exception):
    """There may be something unusual about the event."""


def _plainly(raw: bytes, topic: Topic, authority: str, arrived_at: datetime) -> Event:
    """Read an event that is written plainly. Raises _Doubt, or the error of any fault."""
    envelope = _envelope(raw)
    system = _system(envelope.source, authority)
    kind = _type_in(topic, envelope)
    data: Fact = kind.decode(envelope.data)
    quotes = _quotes(envelope) + _quotes_in(data, kind)
    if raw.count(b'"') != quotes or not is_strict(raw) or len(raw) > MAX_BYTES or not envelope.id.isprintable():
        raise _Doubt
    _judge(kind, data, envelope.time, (topic, authority), arrived_at)
    return _event(envelope, authority, system, kind, envelope.time, data)


def _quotes_in(data: Fact, kind: _Type) -> int:
    if not kind.quotes:
        return _encoder.encode(data).count(b'"')
    return kind.quotes + sum([more for name, more in kind.optional if getattr(data, name) is not None])


def _quotes(envelope: Attributes) -> int:
    """Return how many quotation marks there are if each attribute is named once. More are a sign of an attribute named twice, or of a null.

    There cannot be fewer: each member that was read has its own, and escaped ones only add to them.
    """
    quotes = _REQUIRED_QUOTES
    if envelope.datacontenttype is not None:
        quotes += 4
    if envelope.sequence is not None:
        quotes += 2 if type(envelope.sequence) is int else 4
    if envelope.producerversion is not None:
        quotes += 4
    if envelope.sequencetype is not None:
        quotes += 4
    if envelope.caseload is not None:
        quotes += 4
    if envelope.extractrow is not None:
        quotes += 4
    if envelope.signature is not None:
        quotes += 4
    return quotes if envelope.dataschema is None else quotes + 4


_REQUIRED_QUOTES = 4 * len(("specversion", "id", "source", "type", "subject", "time")) + 2 * len(("data",))


def _with_care(raw: bytes | None, topic: Topic, authority: str, arrived_at: datetime) -> Event | Rejection:
    found: Any = None
    try:
        found = _document(raw)
        check_names(found)
        return _carefully(_present(found), topic, authority, arrived_at)
    except Unacceptable as fault:
        return Rejection(fault.reason, fault.path, fault.message, _id_in(found))


def _carefully(sent: Any, topic: Topic, authority: str, arrived_at: datetime) -> Event:
    envelope = _attributes(sent)
    time = instant(envelope.time)
    system = _system(envelope.source, authority)
    kind = _type_in(topic, envelope)
    data = _data(envelope, kind)
    _judge(kind, data, time, (topic, authority), arrived_at)
    return _event(envelope, authority, system, kind, time, data)


def _judge(kind: _Type, data: Fact, time: datetime, way: tuple[Topic, str], arrived_at: datetime) -> None:
    topic, authority = way
    check_dates(data, time)
    check_in_force(authority, time)
    if time - arrived_at > DAY:
        raise Unacceptable(Reason.TIME_IN_FUTURE, "$.time", "more than a day after the event arrived")
    if kind.rule is not None:
        kind.rule(data, topic)


def _event(envelope: Attributes, authority: str, system: str | None, kind: _Type, time: datetime, data: Fact) -> Event:
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
        envelope.caseload,
        envelope.extractrow,
    )


def _document(raw: bytes | None) -> Any:
    if raw is None:
        raise Unacceptable(Reason.NOT_JSON, "$", "a record without a value (a tombstone) states nothing")
    if len(raw) > MAX_BYTES:
        raise Unacceptable(Reason.TOO_LARGE, "$", f"more than {MAX_BYTES} bytes")
    return document(raw)


def _present(found: Any) -> Any:
    """Return the event without attributes that are null, which means the same as absent."""
    if isinstance(found, dict):
        return {name: value for name, value in found.items() if value is not None or name == "data"}
    return found


def _attributes(sent: Any) -> Envelope:
    try:
        envelope = msgspec.convert(sent, Envelope)
    except ValidationError as error:
        raise of_envelope(error, Envelope, sent) from None
    if found := _CONTROL.search(envelope.id):
        raise Unacceptable(Reason.BAD_FORMAT, "$.id", offending(envelope.id, found.start()))
    return envelope


def _data(envelope: Envelope, kind: _Type) -> Fact:
    try:
        return msgspec.convert(envelope.data, kind.fact)
    except ValidationError as error:
        raise explained(error, kind.fact, envelope.data, "$.data") from None


@lru_cache(maxsize=4096)
def _system(source: str, authority: str) -> str | None:
    """Return the system named in the source, if the source is the authority's."""
    match = _SOURCE.fullmatch(source)
    if match is None:
        raise Unacceptable(
            Reason.BAD_FORMAT, "$.source", "expected /authorities/<code>, optionally followed by /systems/<name>"
        )
    code = current_code(match[1])
    if code is None:
        raise Unacceptable(Reason.WRONG_AUTHORITY, "$.source", f"no such authority: the sender is {authority}")
    if code != authority:
        raise Unacceptable(
            Reason.WRONG_AUTHORITY, "$.source", f"the sender is {authority}, the event says another authority"
        )
    return match[2]


@cache
def _names(topic: Topic) -> str:
    return ", ".join(name for name, known in _types.items() if topic in known.fact.TOPICS)


def _type_in(topic: Topic, envelope: Attributes) -> _Type:
    known = _types.get(envelope.type)
    if known is None:
        raise Unacceptable(Reason.UNKNOWN_TYPE, "$.type", f"no such event type; of this topic are {_names(topic)}")
    fact = known.fact
    if topic not in fact.TOPICS:
        raise Unacceptable(Reason.WRONG_TOPIC, "$.type", f"{fact.NAME} belongs to {fact.TOPICS[0]}")
    if (envelope.subject == AUTHORITY_SUBJECT) is not fact.ABOUT_AUTHORITY:
        expected = "-" if fact.ABOUT_AUTHORITY else "an order reference"
        raise Unacceptable(Reason.WRONG_SUBJECT, "$.subject", f"the subject of {fact.NAME} is {expected}")
    return known


def _id_in(sent: Any) -> str | None:
    found = sent.get("id") if isinstance(sent, dict) else None
    return found if isinstance(found, str) and 1 <= len(found) <= 64 and not _CONTROL.search(found) else None

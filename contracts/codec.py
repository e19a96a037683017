"""Bytes to events and back. The command-line validator, the HTTP APIs and the stream all decide here, so they say the same."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal, NoReturn
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Raw, Struct

from contracts.authorities import current_code
from contracts.codes import ATTENDED, Change, RequirementKind
from contracts.events import (
    AUTHORITY_SUBJECT,
    FACTS,
    Fact,
    FactWithdrawn,
    OrderImposed,
    RequirementVaried,
    SessionRecorded,
    Supervision,
    Topic,
    TransferReceived,
    TransferRequested,
    UnpaidWork,
    withdrawable,
)
from contracts.rejections import Reason, Rejection

MAX_BYTES = 64 * 1024
FIRST_YEAR, LAST_YEAR = 2000, 2099
"""Community payback orders began in 2011; what lies far outside is a slip of the pen."""
TYPE_PREFIX = "scot.payback."
_LONDON = ZoneInfo("Europe/London")
_SOURCE = re.compile(r"/authorities/(S\d{8})(?:/systems/([A-Za-z0-9._-]{1,64}))?")

Sequence = Annotated[int, Meta(ge=1)] | Annotated[str, Meta(pattern=r"^[1-9]\d{0,17}$")]


class Envelope(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The CloudEvents 1.0 attributes as they are sent."""

    specversion: Literal["1.0"]
    id: Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]{1,64}$", description="Unique within the source.")]
    source: Annotated[str, Meta(description="/authorities/<code>, optionally /systems/<name> after it.")]
    type: str
    subject: Annotated[
        str, Meta(pattern=r"^[A-Za-z0-9._/-]{1,40}$", description="The order reference, or - for the authority.")
    ]
    time: Annotated[datetime, Meta(tz=True, description="When the source system recorded the fact.")]
    data: Raw
    datacontenttype: Literal["application/json"] = "application/json"
    sequence: Sequence | None = None
    producerversion: Annotated[str, Meta(pattern=r"^[!-~]{1,64}$")] | None = None
    dataschema: Annotated[str, Meta(max_length=256)] | None = None


class Event(Struct, frozen=True, kw_only=True):
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


class _Refused(Exception):
    def __init__(self, reason: Reason, path: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.path, self.message = reason, path, message


_envelope = msgspec.json.Decoder(Envelope)
_types: dict[str, tuple[type[Fact], msgspec.json.Decoder[Any]]] = {
    f"{TYPE_PREFIX}{name}.v1": (fact, msgspec.json.Decoder(fact)) for name, fact in FACTS.items()
}
_data = {full[len(TYPE_PREFIX) :]: decoder for full, (_, decoder) in _types.items()}
_encoder = msgspec.json.Encoder()


def decode(raw: bytes | None, topic: Topic, authority: str) -> Event | Rejection:
    """The event in `raw`, or why it is refused. `authority` (current code) owns the credentials or the topic it came by."""
    try:
        return _decode(raw or b"", topic, authority)
    except _Refused as refused:
        return Rejection(refused.reason, refused.path, refused.message, _id_of(raw or b""))


def decode_data(event_type: str, raw: bytes | Raw) -> Fact:
    """The data of an event that was accepted before. Raises msgspec.ValidationError where the contract was broken since."""
    data: Fact = _data[event_type].decode(raw)
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


def type_of(fact: type[Fact]) -> str:
    """The event type that states this fact, name and version, without the prefix."""
    return f"{fact.NAME}.v1"


def _decode(raw: bytes, topic: Topic, authority: str) -> Event:
    envelope = _read_envelope(raw)
    system = _check_source(envelope.source, authority)
    fact, decoder = _check_type(envelope, topic)
    try:
        data: Fact = decoder.decode(envelope.data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _explained(error, "$.data") from None
    _check_dates(data, envelope.time)
    rule = _RULES.get(fact)
    if rule is not None:
        rule(data, topic)
    return Event(
        id=envelope.id,
        authority=authority,
        system=system,
        type=envelope.type[len(TYPE_PREFIX) :],
        subject=envelope.subject,
        time=envelope.time.astimezone(UTC),
        data=data,
        sequence=None if envelope.sequence is None else int(envelope.sequence),
        producer_version=envelope.producerversion,
    )


def _read_envelope(raw: bytes) -> Envelope:
    if len(raw) > MAX_BYTES:
        raise _Refused(Reason.TOO_LARGE, "$", f"{len(raw)} bytes; the limit is {MAX_BYTES}")
    try:
        return _envelope.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        _refuse_envelope(error)


def _check_source(source: str, authority: str) -> str | None:
    """The system named in the source, once the source is known to be the authority's."""
    match = _SOURCE.fullmatch(source)
    if match is None:
        raise _Refused(
            Reason.BAD_FORMAT, "$.source", "expected /authorities/<code>, optionally /systems/<name> after it"
        )
    if current_code(match[1]) != authority:
        raise _Refused(
            Reason.WRONG_AUTHORITY, "$.source", f"the sender is {authority}, the event says another authority"
        )
    return match[2]


def _check_type(envelope: Envelope, topic: Topic) -> tuple[type[Fact], msgspec.json.Decoder[Any]]:
    known = _types.get(envelope.type)
    if known is None:
        raise _Refused(Reason.UNKNOWN_TYPE, "$.type", "no such event type")
    fact = known[0]
    if topic not in fact.TOPICS:
        raise _Refused(Reason.WRONG_TOPIC, "$.type", f"{fact.NAME} belongs to {fact.TOPICS[0]}")
    if (envelope.subject == AUTHORITY_SUBJECT) is not fact.ABOUT_AUTHORITY:
        expected = "-" if fact.ABOUT_AUTHORITY else "an order reference"
        raise _Refused(Reason.WRONG_SUBJECT, "$.subject", f"{fact.NAME} needs {expected}")
    return known


def _check_dates(data: Fact, time: datetime) -> None:
    if not FIRST_YEAR <= time.year <= LAST_YEAR:
        raise _Refused(Reason.OUT_OF_RANGE, "$.time", f"the year must be {FIRST_YEAR} to {LAST_YEAR}")
    for field in data.DATES:
        day: date = getattr(data, field)
        if day.year < FIRST_YEAR:
            raise _Refused(Reason.OUT_OF_RANGE, f"$.data.{field}", f"the year must be {FIRST_YEAR} or later")
        _check_not_after(day, time, f"$.data.{field}")


def _check_not_after(day: date, time: datetime, path: str) -> None:
    if day - time.date() < timedelta(days=1):  # sure, whatever the offset
        return
    if day - time.astimezone(_LONDON).date() > timedelta(days=1):
        raise _Refused(Reason.DATE_AFTER_TIME, path, "the date lies more than a day after the time of the event")


def _check_imposed(data: OrderImposed, _: Topic) -> None:
    kinds = [type(requirement) for requirement in data.requirements]
    path = "$.data.requirements"
    if len(set(kinds)) < len(kinds):
        raise _Refused(Reason.REPEATED_REQUIREMENT, path, "a kind of requirement is named twice")
    if Supervision not in kinds:
        if UnpaidWork not in kinds:
            raise _Refused(Reason.NO_MAIN_REQUIREMENT, path, "neither supervision nor unpaid work")
        if len(kinds) > 1:
            raise _Refused(Reason.NEEDS_SUPERVISION, path, "a requirement other than unpaid work without supervision")
        if data.age_at_imposition < 18:
            raise _Refused(Reason.UNDER_18_NEEDS_SUPERVISION, path, "a person under 18 without supervision")
    for index, requirement in enumerate(data.requirements):
        if (
            isinstance(requirement, UnpaidWork)
            and requirement.complete_by
            and requirement.complete_by < data.imposed_on
        ):
            raise _Refused(Reason.COMPLETE_BY_BEFORE_IMPOSED, f"{path}[{index}].complete_by", "before the imposition")


def _check_session(data: SessionRecorded, _: Topic) -> None:
    if data.minutes_credited and data.attendance not in ATTENDED:
        raise _Refused(
            Reason.CREDIT_WITHOUT_ATTENDANCE, "$.data.minutes_credited", "minutes for a session not attended"
        )


def _check_withdrawn(data: FactWithdrawn, topic: Topic) -> None:
    if not withdrawable(data.fact, topic):
        raise _Refused(Reason.UNKNOWN_FACT, "$.data.fact", f"not a fact key of {topic}")


def _check_other_authority(data: TransferRequested | TransferReceived, _: Topic) -> None:
    field, code = ("to", data.to) if isinstance(data, TransferRequested) else ("from", data.from_)
    if current_code(code) is None:
        raise _Refused(Reason.BAD_CODE, f"$.data.{field}", "no such authority")


def _check_varied(data: RequirementVaried, _: Topic) -> None:
    needed = _needed_by(data)
    for field in ("hours", "complete_by", "months"):
        given = getattr(data, field) is not None
        if field == needed and not given:
            raise _Refused(
                Reason.MISSING_MEMBER, f"$.data.{field}", f"change {data.change} of {data.kind} needs {field}"
            )
        if given and field != needed and not (field == "complete_by" and needed == "hours"):
            raise _Refused(
                Reason.CHANGE_DOES_NOT_FIT, f"$.data.{field}", f"change {data.change} of {data.kind} has no {field}"
            )


def _needed_by(data: RequirementVaried) -> str | None:
    unpaid = data.kind is RequirementKind.UNPAID_WORK
    match data.change:
        case Change.REMOVED:
            return None
        case Change.ADDED:
            return "hours" if unpaid else "months"
        case Change.HOURS | Change.COMPLETE_BY if not unpaid:
            raise _Refused(Reason.CHANGE_DOES_NOT_FIT, "$.data.change", f"{data.change} is for unpaid work only")
        case Change.MONTHS if unpaid:
            raise _Refused(Reason.CHANGE_DOES_NOT_FIT, "$.data.change", "unpaid work is counted in hours")
        case _:
            return str(data.change)


_RULES: dict[type[Fact], Callable[[Any, Topic], None]] = {
    OrderImposed: _check_imposed,
    SessionRecorded: _check_session,
    FactWithdrawn: _check_withdrawn,
    TransferRequested: _check_other_authority,
    TransferReceived: _check_other_authority,
    RequirementVaried: _check_varied,
}


def _refuse_envelope(error: Exception) -> NoReturn:
    if not isinstance(error, msgspec.ValidationError):
        raise _Refused(Reason.NOT_JSON, "$", "not JSON in UTF-8") from None
    refused = _explained(error, "$")
    if refused.path in ("$", "$.specversion") and refused.reason in (Reason.WRONG_TYPE, Reason.BAD_CODE):
        raise _Refused(Reason.NOT_CLOUDEVENT, refused.path, "not a CloudEvents 1.0 object in JSON") from None
    if refused.path == "$.specversion":
        raise _Refused(Reason.NOT_CLOUDEVENT, refused.path, refused.message) from None
    raise refused from None


_PATTERNS: tuple[tuple[re.Pattern[str], Reason, str], ...] = (
    (re.compile(r"Object contains unknown field `(.*)`", re.DOTALL), Reason.UNKNOWN_MEMBER, "the contract has no member {}"),
    (re.compile(r"Object missing required field `(.*)`"), Reason.MISSING_MEMBER, "the member {} is missing"),
    (re.compile(r"Invalid enum value .*|Invalid value .*", re.DOTALL), Reason.BAD_CODE, "not a code of the list"),
    (re.compile(r"Invalid RFC3339 encoded date$"), Reason.BAD_DATE, "not a date"),
    (re.compile(r"Invalid RFC3339 encoded datetime|Expected `datetime` with a timezone.*"), Reason.BAD_TIME, "not a time with an offset"),
    (re.compile(r"Expected `str` matching regex .*|Expected `str` of length .*", re.DOTALL), Reason.BAD_FORMAT, "not in the form the contract asks for"),
    (re.compile(r"(Expected `(?:int|float|array)` (?:[<>]=?|of length) .*)"), Reason.OUT_OF_RANGE, "{}"),
    (re.compile(r"(Expected `[^`]*`, got `[^`]*`)"), Reason.WRONG_TYPE, "{}"),
    (re.compile(r"Integer value out of range"), Reason.OUT_OF_RANGE, "the number is too large"),
)  # fmt: skip
_PATH = re.compile(r" - at `(\$[^`]*)`$")
_SAFE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")


def _explained(error: Exception, root: str) -> _Refused:
    """What msgspec says, as a reason, a path below `root` and words; the library's text is only ever read here."""
    if not isinstance(error, msgspec.ValidationError):
        return _Refused(Reason.NOT_JSON, root, "not JSON in UTF-8")
    text = str(error)
    at = _PATH.search(text)
    path = root + (at[1][1:] if at else "")
    words = text[: at.start()] if at else text
    for pattern, reason, message in _PATTERNS:
        if found := pattern.fullmatch(words):
            name = found[1] if pattern.groups else ""
            if reason in (Reason.UNKNOWN_MEMBER, Reason.MISSING_MEMBER):
                name = name if _SAFE_NAME.fullmatch(name) else "(unprintable)"
                path = f"{path}.{name}"
            return _Refused(reason, path, message.format(name.replace("`", "")))
    return _Refused(Reason.WRONG_TYPE, path, "not what the contract asks for")


class _WithId(Struct):
    id: str


def _id_of(raw: bytes) -> str | None:

    try:
        found = msgspec.json.decode(raw[: MAX_BYTES * 16], type=_WithId).id
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found if re.fullmatch(r"[^\x00-\x1f\x7f]{1,64}", found) else None

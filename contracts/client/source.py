"""Turns facts into events, as the authority's own system states them."""

import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import msgspec

from contracts.authorities import current_code
from contracts.clock import Clock, system_clock
from contracts.decoding.codec import Event, encode, encode_data
from contracts.decoding.validation import judge
from contracts.events import AUTHORITY_SUBJECT, Fact, Topic, type_of
from contracts.rejections import Rejection
from contracts.topics import kind_of


class NotAcceptable(ValueError):
    """The fact cannot be sent, since the platform would refuse it. `rejection` says why and where."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(f"{rejection.reason} at {rejection.path}: {rejection.message}. {rejection.reason.remedy}")
        self.rejection = rejection


@dataclass(frozen=True, slots=True)
class Message:
    """An event that is ready to be sent."""

    kind: Topic
    id: str
    subject: str
    source: str
    body: bytes
    """The event as JSON."""

    def numbered(self, sequence: int) -> bytes:
        """Return the event with its number in the source's own sequence."""
        members = msgspec.json.decode(self.body, type=dict[str, msgspec.Raw])
        return msgspec.json.encode(members | {"sequence": sequence})


def later(body: bytes, by: int) -> bytes:
    """Return a numbered event with its number raised by `by`."""
    members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    return msgspec.json.encode(members | {"sequence": msgspec.json.decode(members["sequence"], type=int) + by})


@dataclass(frozen=True, slots=True)
class Source:
    """One system of one authority. Its events differ from those of any other source, so ids need to differ only within it."""

    authority: str
    system: str | None = None
    software: str | None = None
    """Which software and version sends, as in `acme-case/4.2`."""

    def __post_init__(self) -> None:
        if current_code(self.authority) is None:
            raise ValueError(f"{self.authority} is not an authority's code")
        if self.system is not None and not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", self.system):
            raise ValueError("the system's name may have up to 64 letters, digits, dots, hyphens and underscores")

    def event(
        self,
        fact: Fact,
        *,
        recorded_at: datetime,
        subject: str | None = None,
        id: str | None = None,  # noqa: A002
        caseload: str | None = None,
        extract_row: str | None = None,
    ) -> Message:
        """Return an event for a fact about an order (`subject`: its reference), or about the authority itself (no subject).

        `recorded_at` is when the system recorded it, with an offset; a correction is the same fact again, recorded later. `caseload` is the
        authority's own code for the team that works with the order, never a name. `extract_row` says where a file states it, as the
        contract's `extractrow` has it. Without an `id`, one is made from the content, so that sending the same twice has no further effect.
        Raises NotAcceptable with what the platform would answer.
        """
        if recorded_at.tzinfo is None:
            raise ValueError("a time without an offset is ambiguous")
        about = AUTHORITY_SUBJECT if subject is None else subject
        event = Event(
            id=id or _id_of(self, fact, about, recorded_at),
            authority=current_code(self.authority) or self.authority,
            system=self.system,
            type=type_of(type(fact)),
            subject=about,
            time=recorded_at,
            data=fact,
            producer_version=self.software,
            caseload=caseload,
            extract_row=extract_row,
        )
        return message(encode(event))


def message(raw: bytes, now: Clock = system_clock) -> Message:
    """Return an event that somebody else has made, unchanged. Raises NotAcceptable."""
    content = judge(raw, now())
    if isinstance(content, Rejection):
        raise NotAcceptable(content)
    return Message(kind_of(content.data), content.id, content.subject, content.source, raw)


def _id_of(source: Source, fact: Fact, subject: str, recorded_at: datetime) -> str:
    said = [source.authority, source.system, type_of(type(fact)), subject, recorded_at.isoformat()]
    digest = sha256(msgspec.json.encode(said) + encode_data(fact)).digest()
    return urlsafe_b64encode(digest[:24]).decode()

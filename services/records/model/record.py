"""A record, pure: the map from fact key to the latest fact. Nothing else is counted, so any order of arrival gives the same record.

Each fact keeps the day from which it is known and the fact that it replaced, so that any past day can be reproduced.
"""

from collections.abc import Container
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct

from contracts.decoding.codec import Event, decode_data, encode_data, type_of
from contracts.events import WHOLE_ORDER, Fact, FactWithdrawn, Topic

WITHDRAWN = type_of(FactWithdrawn)
MARKS = {topic: f"overfull:{topic}" for topic in Topic}
"""The keys that mark an order of which a topic stated too many facts (`limit`). No fact has them."""
MARK = "too-many-facts"
"""The type of their entries."""
VOIDING = frozenset({WHOLE_ORDER, *MARKS.values()})
"""The keys of which any makes an order count nothing."""


class Outcome(StrEnum):
    """The outcome of an event. Every event has exactly one."""

    APPLIED = "applied"
    SUPERSEDED = "superseded"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    PUT_ASIDE = "put_aside"
    """An operator skipped it, since the platform failed on it. It is kept, and can be sent again."""


class Entry(Struct, frozen=True, array_like=True, gc=False):
    """The latest statement of a fact. `data` is None if the fact was withdrawn."""

    time: datetime
    id: str
    type: str
    data: Fact | None
    known_on: date = date.min
    """The day from which it is known."""
    before: tuple["Entry", ...] = ()
    """Earlier statements, as known at the end of earlier days, the latest first."""
    sequence: int = 0
    """The source's own number of the statement; 0 if it has none, or was stored before numbers were."""
    caseload: str = ""
    """The team that works with the order, according to the statement."""

    @property
    def rank(self) -> tuple[datetime, int, str]:
        """Return a key by which the greatest statement is the latest."""
        return self.time, self.sequence, self.id

    def on(self, day: date) -> "Entry | None":
        """Return what was known of the fact at the end of that day."""
        if self.known_on <= day:
            return self
        return next((entry for entry in self.before if entry.known_on <= day), None)


Record = dict[str, Entry]
F = TypeVar("F", bound=Fact)


def apply(record: Record, event: Event, known_on: date = date.min) -> Outcome:
    """Put the event's fact into `record`, in place, unless a later statement of the same fact is there.

    The latest statement has the greatest (time, sequence or 0, id). If a source breaks its promise of unique ids, the content decides, so
    that all orders of arrival still converge.
    """
    key = event.data.key
    data = None if type(event.data) is FactWithdrawn else event.data
    sequence, caseload = event.sequence or 0, event.caseload or ""
    old = record.get(key)
    before: tuple[Entry, ...] = ()
    if old is not None:
        rank = event.time, sequence, event.id
        if rank < old.rank:
            return Outcome.SUPERSEDED
        if rank == old.rank:
            if (event.type, data, caseload) == (old.type, old.data, old.caseload):
                return Outcome.DUPLICATE
            if (*_content(event.type, data), caseload) < (*_content(old.type, old.data), old.caseload):
                return Outcome.SUPERSEDED
        known_on, before = _known(old, event.type, data, known_on)
    record[key] = Entry(event.time, event.id, event.type, data, known_on, before, sequence, caseload)
    return Outcome.APPLIED


def _known(old: Entry, name: str, data: Fact | None, known_on: date) -> tuple[date, tuple[Entry, ...]]:
    """Return since when a new statement is known, and the statements before it. A sender that repeats the same every night says nothing
    new.
    """
    if (old.type, old.data) == (name, data):
        return old.known_on, old.before
    if old.known_on < known_on:
        return known_on, (Entry(old.time, old.id, old.type, old.data, old.known_on, (), old.sequence), *old.before)
    return known_on, old.before


def name_of(key: str) -> str:
    """Return the name of a fact key, before the slash."""
    return key.partition("/")[0]


def as_known(record: Record, day: date) -> Record:
    """Return the record as it was at the end of that day."""
    return {key: entry for key, latest in record.items() if (entry := latest.on(day)) is not None}


def days_after(record: Record, day: date) -> list[date]:
    """Return the days after that one on which the record changed, in order."""
    days = {entry.known_on for latest in record.values() for entry in (latest, *latest.before)}
    return sorted(known_on for known_on in days if known_on > day)


def fact(record: Record, key: str, kind: type[F]) -> F | None:
    """Return the fact under `key`; None if it is missing or withdrawn."""
    entry = record.get(key)
    return entry.data if entry is not None and isinstance(entry.data, kind) else None


def facts(record: Record, kind: type[F]) -> list[F]:
    """Return all facts of a kind that can be stated many times, such as sessions."""
    return [entry.data for entry in record.values() if type(entry.data) is kind]


def is_withdrawn(record: Record) -> bool:
    """Return whether the whole order was withdrawn."""
    return WHOLE_ORDER in record


def overfull(record: Record) -> list[Topic]:
    """Return the topics that stated too many facts of the order."""
    return [topic for topic, mark in MARKS.items() if mark in record]


def is_void(record: Record) -> bool:
    """Return whether the order counts nothing: it was withdrawn as a whole, or too many facts of it were sent."""
    return WHOLE_ORDER in record or any(mark in record for mark in MARKS.values())


def caseload_of(record: Record) -> str:
    """Return the team that works with the order, by the latest statement that names one; empty if none does."""
    said = [entry for entry in record.values() if entry.caseload]
    return max(said, key=lambda entry: (entry.rank, entry.caseload)).caseload if said else ""


def _content(name: str, data: Fact | None) -> tuple[str, bytes]:
    return name, b"" if data is None else encode_data(data)


_EMPTY = frozenset({WITHDRAWN, MARK})


class _Stored(Struct, frozen=True, array_like=True):
    time: datetime
    id: str
    type: str
    data: Raw
    known_on: date = date.min
    before: tuple["_Stored", ...] = ()
    sequence: int = 0
    caseload: str = ""

    def entry(self) -> Entry:
        data = None if self.type in _EMPTY else decode_data(self.type, self.data)
        before = tuple(stored.entry() for stored in self.before)
        return Entry(self.time, self.id, self.type, data, self.known_on, before, self.sequence, self.caseload)


_stored = msgspec.json.Decoder(dict[str, _Stored])
_encode = msgspec.json.Encoder().encode


def dump(record: Record) -> bytes:
    """Return the record as JSON: fact key to [time, id, type, data, known_on, before, sequence, caseload]."""
    return _encode(record)


def load(raw: bytes, names: Container[str] | None = None) -> Record:
    """Read what `dump` wrote. If names are given, keep only facts whose keys have these names before the slash."""
    found = _stored.decode(raw).items()
    return {key: stored.entry() for key, stored in found if names is None or key.partition("/")[0] in names}

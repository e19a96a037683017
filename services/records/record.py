"""A record, pure: the map from fact key to the latest fact. Nothing else is state, so any order of arrival gives the same record."""

from datetime import datetime
from enum import StrEnum
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct

from contracts.codec import Event, decode_data, encode_data, type_of
from contracts.events import WHOLE_ORDER, Fact, FactWithdrawn

WITHDRAWN = type_of(FactWithdrawn)


class Outcome(StrEnum):
    """What became of an event. Every event has exactly one."""

    APPLIED = "applied"
    SUPERSEDED = "superseded"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


class Entry(Struct, frozen=True, array_like=True):
    """The latest statement of a fact. `data` is None where the fact was withdrawn."""

    time: datetime
    id: str
    type: str
    data: Fact | None


Record = dict[str, Entry]
F = TypeVar("F", bound=Fact)


def entry_of(event: Event) -> Entry:
    withdrawn = isinstance(event.data, FactWithdrawn)
    return Entry(event.time, event.id, event.type, None if withdrawn else event.data)


def apply(record: Record, event: Event) -> Outcome:
    """Puts the event's fact into `record` (in place) unless a later statement of the same fact is there.

    Latest is the greatest (time, id). A source that breaks its promise of unique ids still converges: the content decides then.
    """
    key = event.data.key
    new, old = entry_of(event), record.get(key)
    if old is not None:
        if (new.time, new.id) < (old.time, old.id):
            return Outcome.SUPERSEDED
        if (new.time, new.id) == (old.time, old.id):
            if new == old:
                return Outcome.DUPLICATE
            if _content(new) < _content(old):
                return Outcome.SUPERSEDED
    record[key] = new
    return Outcome.APPLIED


def fact(record: Record, key: str, kind: type[F]) -> F | None:
    """The fact under `key`, if it is there and not withdrawn."""
    entry = record.get(key)
    return entry.data if entry is not None and isinstance(entry.data, kind) else None


def facts(record: Record, kind: type[F]) -> list[F]:
    """All facts of a kind that can be stated many times, such as sessions."""
    return [entry.data for entry in record.values() if type(entry.data) is kind]


def is_withdrawn(record: Record) -> bool:
    """Whether the whole order was withdrawn: it counts nothing from then on."""
    return WHOLE_ORDER in record


def _content(entry: Entry) -> tuple[str, bytes]:
    return entry.type, b"" if entry.data is None else encode_data(entry.data)


class _Stored(Struct, frozen=True, array_like=True):
    time: datetime
    id: str
    type: str
    data: Raw


_stored = msgspec.json.Decoder(dict[str, _Stored])
_encode = msgspec.json.Encoder().encode


def dump(record: Record) -> bytes:
    """The record as JSON: fact key to [time, id, type, data]."""
    return _encode(record)


def load(raw: bytes) -> Record:
    """What `dump` wrote."""
    return {
        key: Entry(s.time, s.id, s.type, None if s.type == WITHDRAWN else decode_data(s.type, s.data))
        for key, s in _stored.decode(raw).items()
    }

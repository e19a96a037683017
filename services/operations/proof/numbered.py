"""Sequence numbers of sources, from the log: which came, which are missing, and which were used for two events."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import NamedTuple
from zlib import crc32

from contracts.decoding.codec import Event
from contracts.decoding.envelope import MAX_SEQUENCE
from contracts.periods import month_of
from services.operations.proof.expected import CellKey, Heard, Told, london_day
from services.records.ingest.envelopes import read_envelope

MARK = 4
"""How many bytes a mark has."""
SEVERAL = b"\xff" * MARK
MOST_MISSING = 1_000_000
"""How many numbers of one gap count at most."""


class Bearer(NamedTuple):
    """A message that has a number."""

    number: int
    month: date
    heard: Heard


@dataclass
class Numbered:
    """The numbers that must be stored of one authority's sources, by system."""

    highest: dict[str, int] = field(default_factory=dict)
    gaps: set[tuple[str, int, int]] = field(default_factory=set)
    """System, first and last number."""
    reused: set[tuple[str, int]] = field(default_factory=set)
    marks: set[tuple[str, int, bytes]] = field(default_factory=set)
    """System, number, and the mark of the event that had it."""


def count_numbers(told: Told, heard: Collection[Heard], authority: str) -> tuple[Numbered, frozenset[CellKey]]:
    """Add to the cells of `told`. Also returns the cells that the log leaves open, since messages with one number name different months."""
    numbered, unsure = Numbered(), set[CellKey]()
    for system, bearers in _by_system(heard, authority).items():
        by_number: defaultdict[int, list[Bearer]] = defaultdict(list)
        for bearer in bearers:
            by_number[bearer.number].append(bearer)
        _count_came(told, numbered, system, by_number)
        for number, same in by_number.items():
            _count_used(told, numbered, system, number, [one for one in same if one.heard.event is not None])
            if len({bearer.month for bearer in same}) > 1:
                unsure |= {("sequence", one.month, kind) for one in same for kind in ("received", "missing", "reused")}
    return numbered, frozenset(unsure)


def _count_came(told: Told, numbered: Numbered, system: str, by_number: Mapping[int, list[Bearer]]) -> None:
    numbers = sorted(by_number)
    numbered.highest[system] = numbers[-1]
    for below, number in pairwise([0, *numbers]):
        first = by_number[number][0]
        told.count(("sequence", first.month, "received"), first.heard)
        if below + 1 < number:
            missing = min(number - below - 1, MOST_MISSING)
            told.count(("sequence", first.month, "missing"), first.heard, missing)
            numbered.gaps.add((system, below + 1, number - 1))


def _count_used(told: Told, numbered: Numbered, system: str, number: int, accepted: list[Bearer]) -> None:
    marks = [_mark(one.heard.event.id) for one in accepted if one.heard.event is not None]
    another = next((one for one, mark in zip(accepted, marks, strict=True) if mark != marks[0]), None)
    if another is not None:
        told.count(("sequence", another.month, "reused"), another.heard)
        numbered.reused.add((system, number))
    if accepted:
        numbered.marks.add((system, number, marks[0] if another is None else SEVERAL))


def _mark(event_id: str) -> bytes:
    """Return the mark of an event. Two ids have the same mark once in four thousand million times."""
    mark = crc32(event_id.encode()).to_bytes(MARK, "big")
    return b"once" if mark in (bytes(MARK), SEVERAL) else mark


def _by_system(heard: Iterable[Heard], authority: str) -> dict[str, list[Bearer]]:
    found: defaultdict[str, list[Bearer]] = defaultdict(list)
    for one in heard:
        named = _of_event(one.content, one) if one.event is not None else _of_refused(one, authority)
        if named is not None:
            found[named[0]].append(named[1])
    return found


def _of_event(content: object, one: Heard) -> tuple[str, Bearer] | None:
    assert isinstance(content, Event)
    if content.sequence is None or content.sequence > MAX_SEQUENCE:
        return None
    return content.system or "", Bearer(content.sequence, month_of(london_day(content.time)), one)


def _of_refused(one: Heard, authority: str) -> tuple[str, Bearer] | None:
    envelope = read_envelope(one.value)
    system = None if envelope is None else envelope.system_of(authority)
    if envelope is None or system is None or not 0 < envelope.number <= MAX_SEQUENCE:
        return None
    return system, Bearer(envelope.number, month_of(min(london_day(envelope.time), one.day)), one)

"""Events that somebody pasted or dropped on a page: which service each line goes to, and what the services answer. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from contracts.decoding.codec import TYPE_PREFIX
from contracts.decoding.foreign import ENOUGH, kind_of_file
from contracts.decoding.reading import BOM, UNREADABLE
from contracts.events import TYPES, FactWithdrawn, Topic, withdrawable
from services.desk.model.sent import Told, ToldRefusal


class Lines(NamedTuple):
    """Lines of one service, with the number of each in the file."""

    numbers: Sequence[int]
    body: bytes


class LinesAnswer(NamedTuple):
    """The answers about all lines. `refused` has the number of the line in place of the index."""

    accepted: int
    refused: Sequence[ToldRefusal]


class _Withdrawal(msgspec.Struct):
    fact: str = ""


class _Read(msgspec.Struct):
    type: str
    data: msgspec.Raw = msgspec.Raw(b"{}")


_read = msgspec.json.Decoder(_Read).decode
_withdrawn = msgspec.json.Decoder(_Withdrawal).decode


def foreign(content: bytes) -> str | None:
    """Return what a file is that holds no lines of events, in words; None if it may hold some."""
    return kind_of_file(content[:ENOUGH])


def by_topic(content: bytes) -> Mapping[Topic, Lines]:
    """Return the lines by the topic to which they belong; one whose type cannot be read goes to orders, which refuses it."""
    found: dict[Topic, list[tuple[int, bytes]]] = {}
    for number, line in enumerate(content.removeprefix(BOM).splitlines(), 1):
        if line.strip():
            found.setdefault(_topic_of(line), []).append((number, line))
    return {
        topic: Lines([number for number, _ in rows], b"\n".join(row for _, row in rows))
        for topic, rows in found.items()
    }


def _topic_of(line: bytes) -> Topic:
    try:
        event = _read(line)
        fact = TYPES.get(event.type.removeprefix(TYPE_PREFIX))
        if fact is FactWithdrawn and withdrawable(_withdrawn(event.data).fact, Topic.UNPAID_WORK):
            return Topic.UNPAID_WORK
    except UNREADABLE:
        return Topic.ORDERS
    return fact.TOPICS[0] if fact else Topic.ORDERS


def together(told: Sequence[tuple[Lines, Told]]) -> LinesAnswer:
    """Return the answers of both services, by line of the file."""
    refused = [
        msgspec.structs.replace(one, index=lines.numbers[one.index])
        for lines, answer in told
        for one in answer.rejected
    ]
    return LinesAnswer(sum(answer.accepted for _, answer in told), sorted(refused, key=lambda one: one.index))

"""Checks lines without sending them, for `payback validate`. The codec judges, as everywhere."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import msgspec

from contracts.authorities import current_code
from contracts.decoding.codec import Event, decode
from contracts.decoding.envelope import SOURCE, TYPE_PREFIX
from contracts.decoding.lines import Line
from contracts.decoding.reading import BOM, UNREADABLE
from contracts.events import TYPES, Topic
from contracts.rejections import Reason, Rejection


class Verdict(NamedTuple):
    """The answer that a line would get."""

    line: Line
    content: Event | Rejection


@dataclass(slots=True)
class Tally:
    """How many lines were checked, with the results."""

    accepted: int = 0
    refused: Counter[Reason] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.accepted + self.refused.total()

    def count(self, content: Event | Rejection) -> None:
        if isinstance(content, Rejection):
            self.refused[content.reason] += 1
        else:
            self.accepted += 1


def verdicts(
    lines: Iterable[Line], now: datetime, topic: Topic | None = None, authority: str | None = None
) -> Iterator[Verdict]:
    """Judge each line as if it arrived now.

    Without a topic, the one that fits is used; without an authority, the one that the event names.
    """
    for line in lines:
        yield Verdict(line, judge(line.raw, now, topic, authority))


def judge(raw: bytes, now: datetime, topic: Topic | None = None, authority: str | None = None) -> Event | Rejection:
    """Judge one event as if it arrived at `now`. `authority` is a current code."""
    heading = _heading(raw)
    sender = heading.sender() if authority is None else authority
    first, *others = heading.topics() if topic is None else (topic,)
    content = decode(raw, first, sender, now)
    for other in others:
        if isinstance(content, Rejection) and content.reason is Reason.UNKNOWN_FACT:
            content = decode(raw, other, sender, now)
    return content


class _Heading(msgspec.Struct, frozen=True):
    """The statements of an event about itself. They are trusted only to choose the rules by which it is judged."""

    source: str = ""
    type: str = ""

    def sender(self) -> str:
        named = _source.fullmatch(self.source)
        return (named and current_code(named[1])) or ""

    def topics(self) -> tuple[Topic, ...]:
        fact = TYPES.get(self.type.removeprefix(TYPE_PREFIX))
        return (Topic.ORDERS,) if fact is None else fact.TOPICS


_read = msgspec.json.Decoder(_Heading).decode
_source = re.compile(SOURCE)


def _heading(raw: bytes) -> _Heading:
    try:
        return _read(raw.removeprefix(BOM))
    except UNREADABLE:
        return _Heading()

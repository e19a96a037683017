"""Decides the next step in delivering events, without taking it: the blocking and the asynchronous client share it.

`deliver` yields a step, and is sent its result. Events of one kind go in the order in which they were added, one request at a time, so that
order is kept for every subject. After a failure the same request is made again, and the platform counts repeats once.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import msgspec

from contracts.client.spool import Queued, Result
from contracts.decoding.codec import UNREADABLE
from contracts.events import Topic
from contracts.rejections import Reason

MOST, MOST_BYTES = 500, 4 << 20
LONGEST_ASKED = 3600.0
MEDIA = "application/cloudevents-batch+json"
COUNTED_BY = Topic.UNPAID_WORK
"""The service that reads both topics of an authority, so that it knows the sequence numbers of its sources."""


class NotSent(Exception):
    """Trying again will not help until somebody changes something. Nothing is lost: the events still wait."""


class Reply(NamedTuple):
    """An answer over HTTP. A step that asks for one gets None if none came, or only part of one."""

    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


class Take(NamedTuple):
    """Asks for the next events: list[Queued]."""

    kind: Topic
    most: int
    most_bytes: int


class Post(NamedTuple):
    """Asks for the Reply to this request, or None."""

    kind: Topic
    body: bytes


class Settle(NamedTuple):
    """Asks to keep these results."""

    results: list[Result]


class Missing(NamedTuple):
    """Asks for the sources whose numbers are provisional: list[str]."""


class Ask(NamedTuple):
    """Asks for the Reply with the highest number that the platform holds of each source, or None."""


class TakeUp(NamedTuple):
    """Asks for the numbers of these sources to continue from there."""

    highest: dict[str, int]
    sources: list[str]


class Wait(NamedTuple):
    """Asks to wait so many seconds."""

    seconds: float
    why: str
    """The reason in words, as in `orders did not answer`."""


Step = Take | Post | Settle | Missing | Ask | TakeUp | Wait
Delivery = Generator[Step, Any, bool]


@dataclass(slots=True)
class Pace:
    """How long to wait after failures in a row: twice as long each time, less a random part, and never less than the platform asks for."""

    random: Callable[[], float]
    """Gives a number between 0 and 1."""
    patience: float | None = None
    """Seconds in a row to wait, in all, before giving up for now; None is for ever."""
    first: float = 0.5
    longest: float = 300.0
    _failures: int = field(default=0, init=False)
    _waited: float = field(default=0.0, init=False)

    def after_failure(self, asked: float | None) -> float | None:
        """Return the seconds to wait; None when patience is at an end."""
        usual = min(self.longest, self.first * 2.0 ** min(self._failures, 30))
        seconds = usual * (0.5 + self.random() / 2)
        if asked is not None and asked > seconds:
            seconds = asked + self.random() * self.first
        if self.patience is not None and self._waited + seconds > self.patience:
            return None
        self._failures += 1
        self._waited += seconds
        return seconds

    def after_success(self) -> None:
        self._failures, self._waited = 0, 0.0


Sign = Callable[[bytes], bytes]
"""Returns an event with the authority's signature, which is the same for the same bytes."""


def unsigned(event: bytes) -> bytes:
    """Return the event unchanged."""
    return event


def deliver(kind: Topic, pace: Pace, sign: Sign = unsigned) -> Delivery:
    """Send until nothing waits (True) or patience is at an end (False). Raises NotSent."""
    most = MOST
    while batch := (yield Take(kind, most, MOST_BYTES)):
        reply: Reply | None = yield Post(kind, b"[" + b",".join(sign(event.body) for event in batch) + b"]")
        if reply is not None and reply.status == 413 and len(batch) > 1:
            most = len(batch) // 2
            continue
        results = outcome(batch, reply)
        if results is not None:
            pace.after_success()
            most = MOST
            yield Settle(results)
            continue
        seconds = pace.after_failure(asked_to_wait(reply))
        if seconds is None:
            return False
        yield Wait(seconds, _fault(kind, reply))
    return True


def _fault(kind: Topic, reply: Reply | None) -> str:
    """Return the fault in words. An answer that cannot be read is named by its status too."""
    name = kind.value.removesuffix(".events")
    return f"{name} did not answer" if reply is None else f"{name} answered with status {reply.status}"


def take_up(pace: Pace) -> Delivery:
    """Make provisional numbers certain (True), unless patience ends first (False). Raises NotSent.

    A new spool after a loss does not know which numbers were used; the platform does.
    """
    while sources := (yield Missing()):
        reply: Reply | None = yield Ask()
        highest = _highest(reply)
        if highest is not None:
            pace.after_success()
            yield TakeUp(highest, sources)
            continue
        seconds = pace.after_failure(asked_to_wait(reply))
        if seconds is None:
            return False
        yield Wait(seconds, _fault(COUNTED_BY, reply))
    return True


class _Counter(msgspec.Struct):
    source: str
    highest: int


class _Counters(msgspec.Struct):
    sources: list[_Counter]


_counters = msgspec.json.Decoder(_Counters).decode


def _highest(reply: Reply | None) -> dict[str, int] | None:
    """Return the highest number by source; None if it is not known yet. A platform without this route holds nothing that matters here."""
    if reply is None or reply.status in {408, 425, 429} or reply.status >= 500:
        return None
    if reply.status in {401, 403}:
        raise NotSent(f"this token may not ask the platform for its numbers (status {reply.status})")
    if reply.status != 200:
        return {}
    try:
        return {one.source: one.highest for one in _counters(reply.body).sources}
    except UNREADABLE:
        return None


class _Refusal(msgspec.Struct):
    index: int
    reason: str
    path: str
    message: str
    remedy: str = ""


class _Receipt(msgspec.Struct):
    id: str
    topic: str
    partition: int
    offset: int


class _Answer(msgspec.Struct):
    rejected: list[_Refusal]
    receipts: list[_Receipt]


_answer = msgspec.json.Decoder(_Answer).decode


def outcome(batch: Sequence[Queued], reply: Reply | None) -> list[Result] | None:
    """Return the result of each event; None if it is not known yet. Raises NotSent."""
    if reply is None or reply.status in {408, 425, 429} or reply.status >= 500:
        return None
    if reply.status == 413:
        return [_too_large(event) for event in batch]
    if reply.status in {401, 403}:
        raise NotSent(f"this token may not send these events (status {reply.status})")
    answer = _read(reply)
    results = None if answer is None else _results(batch, answer)
    if results is None and reply.status != 202:  # with 202 the answer is incomplete
        raise NotSent(f"this does not seem to be the platform's address: it answered with status {reply.status}")
    return results


def asked_to_wait(reply: Reply | None) -> float | None:
    """Return the seconds to wait if the platform asked for that: never more than an hour, whatever a proxy says."""
    value = reply.headers.get("retry-after", "") if reply else ""
    if not reply or not value:
        return None
    if value.isascii() and value.isdigit():
        return min(LONGEST_ASKED, float(value))
    try:
        now = parsedate_to_datetime(reply.headers.get("date", ""))
        return min(LONGEST_ASKED, max(0.0, (parsedate_to_datetime(value) - now).total_seconds()))
    except (ValueError, TypeError):
        return None


def _read(reply: Reply) -> _Answer | None:
    try:
        return _answer(reply.body)
    except UNREADABLE:
        return None


def _results(batch: Sequence[Queued], answer: _Answer) -> list[Result] | None:
    """Return the results; None if the answer is about other events than these."""
    refused = {refusal.index: refusal for refusal in answer.rejected}
    kept = [event for place, event in enumerate(batch) if place not in refused]
    if [event.id for event in kept] != [receipt.id for receipt in answer.receipts] or not refused.keys() <= set(
        range(len(batch))
    ):
        return None
    receipts = iter(answer.receipts)
    return [
        _refused(event, refused[place]) if place in refused else _accepted(event, next(receipts))
        for place, event in enumerate(batch)
    ]


def _accepted(event: Queued, receipt: _Receipt) -> Result:
    return Result(event.place, event.kind, event.id, receipt.topic, receipt.partition, receipt.offset)


def _refused(event: Queued, refusal: _Refusal) -> Result:
    return Result(
        event.place,
        event.kind,
        event.id,
        reason=refusal.reason,
        path=refusal.path,
        message=refusal.message,
        remedy=refusal.remedy,
    )


def _too_large(event: Queued) -> Result:
    reason = Reason.TOO_LARGE
    return Result(event.place, event.kind, event.id, reason=str(reason), path="$", message="", remedy=reason.remedy)

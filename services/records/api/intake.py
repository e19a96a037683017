"""The intake API: validate, authorise, send to Kafka, and answer only when Kafka has acknowledged.

Refused events go to the log as well. The worker refuses them there by the same rules, and keeps and counts them, whichever way they came.
So the immediate answer and the later outcome agree by construction.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from contracts.clock import Clock, system_clock
from contracts.decoding.binary import from_http
from contracts.decoding.codec import MAX_BYTES, Event, decode
from contracts.decoding.lines import is_blank
from contracts.decoding.reading import BOM, UNREADABLE, encoding_of
from contracts.events import Topic
from contracts.rejections import Reason, Rejection
from contracts.topics import topic_of
from services.chassis.api import bounds
from services.chassis.api.auth import OwnAuthority
from services.chassis.api.problems import Problem, away, documented
from services.chassis.api.turns import resting
from services.chassis.failures import Away
from services.chassis.streaming.clients.outgoing import Outgoing
from services.chassis.streaming.clients.producer import Producer
from services.records.api.decisions.signatures import Item, Signers, check_signed, nobody_must_sign
from services.records.api.intake_schemas import Answer, Receipt, Refusal
from services.records.api.policies import MOST_EVENTS, MOST_IN_A_BATCH, TOLD_BYTES

ONE = ("application/cloudevents+json", "application/json")
BATCH = "application/cloudevents-batch+json"
LINES = "application/x-ndjson"
GROUP = 1000
"""Lines that are sent to Kafka at once."""
MOST_COMMAS = 50 * MOST_IN_A_BATCH
"""In a batch, which are counted before its parts are made: each part costs more memory than the two bytes that it may have."""
MOST_AT_ONCE = 16
"""Requests of one authority that may run at the same time."""


class Turns:
    """Limits how many requests of one authority run at once, so that none crowds out the others."""

    def __init__(self, most: int = MOST_AT_ONCE) -> None:
        self._most = most
        self._running: dict[str, int] = {}

    @contextmanager
    def take(self, authority: str) -> Iterator[None]:
        if self._running.get(authority, 0) >= self._most:
            raise Problem(429, f"More than {self._most} requests at once", headers={"Retry-After": "1"})
        self._running[authority] = self._running.get(authority, 0) + 1
        try:
            yield
        finally:
            self._running[authority] -= 1


def router(
    kind: Topic, producer: Producer, clock: Clock = system_clock, signers: Signers = nobody_must_sign
) -> APIRouter:
    """Return the routes by which an authority sends its events of this kind."""
    routes = APIRouter(prefix="/v1", tags=["intake"])
    turns = Turns()

    def judge(authority: str) -> Judge:
        return Judge(kind, authority, clock, signers)

    @routes.post(
        "/events",
        status_code=202,
        summary="Send one event, a batch, or lines",
        responses={202: {"model": Answer}, **documented(415, 422, 429)},
        openapi_extra=_BODY,
    )
    async def post_events(request: Request, authority: OwnAuthority) -> Response:
        with turns.take(authority):
            told = Told()
            async for group in _groups(request, told):
                await _hand_over(group, judge(authority), producer, told)
            return _response(told.answer, 202)

    @routes.post(
        "/validate",
        summary="The same answer, without sending anything",
        responses={200: {"model": Answer}, **documented(415, 422)},
        openapi_extra=_BODY,
    )
    async def post_validate(request: Request, authority: OwnAuthority) -> Response:
        told = Told()
        async for group in _groups(request, told):
            await run_in_threadpool(_sort_out, group, judge(authority), told)
        return _response(told.answer, 200)

    return routes


class Judge(NamedTuple):
    """Decides about events of one kind from one authority, at one moment."""

    kind: Topic
    authority: str
    clock: Clock
    signers: Signers

    @property
    def topic(self) -> str:
        return topic_of(self.kind, self.authority)

    def __call__(self, raw: bytes) -> Event | Rejection:
        return decode(raw, self.kind, self.authority, self.clock())


class Told:
    """The answer as it is built. Beyond a limit, refused events are only counted, so that one request cannot fill the memory."""

    def __init__(self) -> None:
        self.answer = Answer(accepted=0, rejected=[], receipts=[])
        self._bytes = 0

    def refuse(self, refusal: Refusal) -> None:
        """List one refused event, or only count it."""
        self._bytes += sum(len(text or "") for text in (refusal.id, refusal.path, refusal.message, refusal.remedy))
        if self._bytes > TOLD_BYTES:
            self.answer.unlisted += 1
        else:
            self.answer.rejected.append(refusal)


def _sort_out(group: list[Item], judge: Judge, told: Told) -> list[tuple[str, Outgoing]]:
    """Decide about each event, and return the messages for the log. Accepted events go there with their id, refused ones without."""
    topic = judge.topic
    try:
        keys = judge.signers(judge.authority)
    except Away:
        raise away(**told.answer.model_dump()) from None
    if keys is not None:
        check_signed(group, keys, told.answer)
    records = []
    for place, raw in group:
        content = judge(raw)
        if isinstance(content, Rejection):
            told.refuse(Refusal.of(place, content))
            records.append(("", Outgoing(topic, b"", raw[: MAX_BYTES + 1])))
        else:
            told.answer.accepted += 1
            records.append((content.id, Outgoing(topic, content.subject.encode(), raw)))
    return records


async def _hand_over(group: list[Item], judge: Judge, producer: Producer, told: Told) -> None:
    answer, before = told.answer, told.answer.accepted
    records = await run_in_threadpool(_sort_out, group, judge, told)
    try:
        async with resting():
            kept = await producer.send([record for _, record in records])
    except Away:
        answer.accepted = before
        raise away(**answer.model_dump()) from None
    answer.receipts += [
        Receipt(id=event_id, topic=at.topic, partition=at.partition, offset=at.offset)
        for (event_id, _), at in zip(records, kept, strict=True)
        if event_id
    ]


def _response(answer: Answer, status: int) -> Response:
    if answer.accepted:
        return Response(answer.model_dump_json(), status, media_type="application/json")
    if not answer.rejected:
        raise Problem(422, "The request holds no event")
    if all(refusal.reason == Reason.WRONG_AUTHORITY for refusal in answer.rejected):
        raise Problem(403, "Every event belongs to another authority", **answer.model_dump())
    raise Problem(422, "No event is acceptable", **answer.model_dump())


async def _groups(request: Request, told: Told) -> AsyncIterator[list[Item]]:
    match request.headers.get("content-type", "").partition(";")[0].strip().lower():
        case media if media == BATCH:
            for group in _batch_groups(await request.body()):
                yield group
        case media if media in bounds.LINES:
            async for group in _line_groups(request, told):
                yield group
        case media:
            event = from_http(await request.body(), request.headers.raw)
            if event is None and media not in ONE:
                raise Problem(415, f"Send one of {', '.join((*ONE, BATCH, LINES))}, or binary mode with ce- headers")
            yield [Item(0, await request.body() if event is None else event)]


def _batch_groups(body: bytes) -> Iterator[list[Item]]:
    if body.count(b",") > MOST_COMMAS:
        raise _too_many()
    try:
        raws = msgspec.json.decode(body.removeprefix(BOM), type=list[msgspec.Raw])
    except UNREADABLE:
        encoding = encoding_of(body)
        words = f": this is {encoding}, not UTF-8" if encoding else ""
        raise Problem(422, f"A batch is a JSON array of events{words}") from None
    if len(raws) > MOST_IN_A_BATCH:
        raise _too_many()
    items = [Item(index, bytes(raw)) for index, raw in enumerate(raws)]
    for start in range(0, len(items), GROUP):
        yield items[start : start + GROUP]


def _too_many() -> Problem:
    return Problem(413, f"A batch holds {MOST_IN_A_BATCH} events at most: send lines")


async def _line_groups(request: Request, told: Told) -> AsyncIterator[list[Item]]:
    """Yield the events in groups. Raises Problem 413 after the most lines of one request, whatever is in them."""
    group: list[Item] = []
    number = 0
    async for lines in _lines(request):
        allowed = lines[: MOST_EVENTS - number]
        group += [Item(place, line) for place, line in enumerate(allowed, number) if not is_blank(line)]
        number += len(lines)
        while len(group) >= GROUP:
            yield group[:GROUP]
            group = group[GROUP:]
        if number > MOST_EVENTS:
            if group:
                yield group
            raise Problem(413, f"A request may hold {MOST_EVENTS} lines at most", **told.answer.model_dump())
    if group:
        yield group


async def _lines(request: Request) -> AsyncIterator[list[bytes]]:
    """Yield the lines of the body as they arrive. Of a line that is too long, only enough is kept to refuse it."""
    rest = b""
    async for chunk in request.stream():
        *lines, rest = (rest + chunk).split(b"\n")
        yield [line.rstrip(b"\r") for line in lines]
        rest = rest[: 2 * MAX_BYTES]
    if rest:
        yield [rest]


def _media(schema: dict[str, Any]) -> dict[str, Any]:
    return {"schema": schema}


_EVENT = {
    "title": "Event",
    "description": "A CloudEvents 1.0 event of the contract, in structured mode",
    "type": "object",
    "required": ["specversion", "id", "source", "type", "subject", "time", "data"],
    "properties": {
        "specversion": {"type": "string", "enum": ["1.0"]},
        "id": {"type": "string", "minLength": 1, "maxLength": 64, "description": "Unique within `source`."},
        "source": {"type": "string", "description": "As in `/authorities/S12000005/systems/case`."},
        "type": {"type": "string", "description": "As in `scot.payback.order.received.v1`."},
        "subject": {"type": "string", "description": "The reference of the order; `-` for the authority itself."},
        "time": {"type": "string", "format": "date-time", "description": "When the source system recorded it."},
        "data": {
            "type": "object",
            "description": "By type, as the JSON Schemas of the contract have it.",
            "additionalProperties": True,
        },
        "datacontenttype": {"type": ["string", "null"]},
        "dataschema": {"type": ["string", "null"]},
        "sequence": {"description": "The source's own counter."},
        "producerversion": {"type": ["string", "null"], "description": "Software and version of the sender."},
        "caseload": {
            "type": ["string", "null"],
            "description": "A code of your own for a team; never a name.",
        },
        "extractrow": {"type": ["string", "null"], "description": "The row and sheet of the file that state it."},
        "signature": {"type": ["string", "null"], "description": "By the authority's own key. The last member."},
    },
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            ONE[0]: _media(_EVENT),
            BATCH: _media({"type": "array", "items": _EVENT}),
            LINES: _media({"type": "string", "description": "One event a line"}),
        },
    }
}

"""Server-sent events: each listener hears of what it may see, of nothing else, and never a figure."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import jwt
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from starlette.types import ASGIApp, Message

from contracts.cells import Aggregate
from services.chassis.clock import FixedClock
from services.reporting.api import stream
from services.reporting.releases import publication
from tests.integration.reporting.conftest import NOW, Feed, cell, position

GLASGOW, FIFE = "S12000049", "S12000047"
PATIENCE = 20.0
"""Seconds, for what must come."""
QUIET = 0.5
"""Seconds, for what must not: fifty looks."""
Headers = dict[str, str]


@pytest.fixture(autouse=True)
def _looks_often_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "LOOK_EVERY_SECONDS", 0.01)
    monkeypatch.setattr(stream, "MOST_LISTENERS", 1)


class Listener:
    """One open stream."""

    def __init__(
        self, start: asyncio.Future[Message], parts: asyncio.Queue[str], answering: asyncio.Future[None]
    ) -> None:
        self.start, self._parts, self.answering = start, parts, answering

    async def event(self) -> dict[str, str]:
        """Return the next event; fail when none comes."""
        while True:
            part = await asyncio.wait_for(self._parts.get(), PATIENCE)
            fields = dict(line.split(": ", 1) for line in part.strip().split("\n") if not line.startswith(":"))
            if "event" in fields:
                return fields

    async def is_quiet(self) -> bool:
        """Return whether no event comes for a while."""
        await asyncio.sleep(QUIET)
        return not any("event:" in self._parts.get_nowait() for _ in range(self._parts.qsize()))


@asynccontextmanager
async def listening(app: ASGIApp, headers: Headers) -> AsyncIterator[Listener]:
    """Yield the events as a server sends them: the test client reads an answer to its end, and this one has none."""
    gone = asyncio.Event()
    start: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
    parts: asyncio.Queue[str] = asyncio.Queue()

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.set_result(message)
        elif message.get("body"):
            parts.put_nowait(message["body"].decode())

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": "/v1/stream",
        "raw_path": b"/v1/stream",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("192.0.2.1", 50_000),
        "server": ("testserver", 80),
        "scheme": "http",
    }
    task = asyncio.ensure_future(app(scope, receive, send))
    try:
        yield Listener(start, parts, task)
    finally:
        gone.set()
        await asyncio.wait_for(task, PATIENCE)


@pytest.fixture
def fed(feed: Feed) -> Feed:
    feed([position(GLASGOW), position(FIFE), cell("orders_imposed", GLASGOW, "2026-03", "", 300)])
    return feed


Heard = Callable[[Listener], Awaitable[None]]


def hear(client: TestClient, headers: Headers, what: Heard) -> None:
    async def run() -> None:
        async with listening(client.app, headers) as listener:
            await what(listener)

    asyncio.run(run())


def more(code: str) -> list[Aggregate]:
    return [cell("orders_imposed", code, "2026-03", "", 301, version=2), position(code, 2, 2)]


def test_an_analyst_hears_of_every_change(client: TestClient, fed: Feed, national: Headers) -> None:
    async def what(listener: Listener) -> None:
        first = await listener.event()
        assert (first["event"], first["data"]) == ("change", "{}")
        for code in (GLASGOW, FIFE):
            await asyncio.to_thread(fed, more(code))
            assert (await listener.event())["id"] != first["id"]
        start = await listener.start
        assert start["status"] == 200
        sent = {name.decode(): value.decode() for name, value in start["headers"]}
        assert sent["content-type"].startswith("text/event-stream")
        assert sent["cache-control"] == "no-cache"

    hear(client, national, what)


@pytest.mark.usefixtures("fed")
def test_whose_token_was_withdrawn_hears_no_more(client: TestClient, national: Headers, tmp_path: Path) -> None:
    """When figures change is itself for those who may see them: what was opened with a token ends with it."""
    denied = tmp_path / "denied"
    denied.write_text("")
    state = client.app.state  # type: ignore[attr-defined]
    state.tokens = state.tokens.model_copy(update={"denied_path": denied})

    async def what(listener: Listener) -> None:
        await listener.event()
        assert not listener.answering.done()
        (bearer,) = national.values()
        token = bearer.partition(" ")[2]
        denied.write_text(jwt.decode(token, options={"verify_signature": False})["jti"])
        await asyncio.wait_for(asyncio.shield(listener.answering), PATIENCE)

    hear(client, national, what)


def test_an_authority_hears_of_its_own_and_not_of_others(client: TestClient, fed: Feed, glasgow: Headers) -> None:
    async def what(listener: Listener) -> None:
        await listener.event()
        await asyncio.to_thread(fed, more(FIFE))
        assert await listener.is_quiet()
        await asyncio.to_thread(fed, more(GLASGOW))
        await listener.event()

    hear(client, glasgow, what)


def test_the_public_hears_of_releases_only(client: TestClient, fed: Feed, database: Engine) -> None:
    async def what(listener: Listener) -> None:
        await listener.event()
        await asyncio.to_thread(fed, more(GLASGOW))
        clock = FixedClock(NOW)
        name = await asyncio.to_thread(publication.make, database, date(2026, 3, 1), date(2026, 5, 9), clock)
        assert await listener.is_quiet(), "of events and drafts"
        await asyncio.to_thread(publication.publish, database, name, clock)
        await listener.event()
        await asyncio.to_thread(publication.withdraw, database, name, clock, "wrong")
        await listener.event()

    hear(client, {}, what)


def test_an_event_tells_no_number(client: TestClient, fed: Feed, national: Headers) -> None:
    """Counting what arrives would be counting people."""
    found: list[dict[str, str]] = []

    async def what(listener: Listener) -> None:
        found.append(await listener.event())

    hear(client, national, what)
    fed([position(GLASGOW, 2, 2)])
    hear(client, national, what)
    first, second = (int(event["id"], 16) for event in found)
    assert abs(first - second) > 1000
    assert all(json.loads(event["data"]) == {} for event in found)


def test_who_comes_back_hears_only_of_what_was_missed(client: TestClient, fed: Feed, national: Headers) -> None:
    ids: list[str] = []

    async def first(listener: Listener) -> None:
        ids.append((await listener.event())["id"])

    async def nothing(listener: Listener) -> None:
        assert await listener.is_quiet()

    hear(client, national, first)
    back = {**national, "last-event-id": ids[0]}
    hear(client, back, nothing)
    fed(more(FIFE))
    hear(client, back, first)
    assert len(set(ids)) == 2


def test_only_so_many_may_listen_at_once(client: TestClient) -> None:
    async def what(listener: Listener) -> None:
        await listener.event()
        assert (await asyncio.to_thread(client.get, "/v1/stream")).status_code == 503

    for _ in range(2):
        hear(client, {}, what)

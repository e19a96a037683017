"""Asks an application in the thread that asks: starlette's client hands each request to and fro between threads, which took half of the
processor time of tests that ask much (measured).
"""

import asyncio
import threading
from collections.abc import Coroutine
from datetime import UTC, datetime
from functools import cache
from threading import current_thread, main_thread
from typing import Any, Self, TypeVar

import httpx2
from anyio._backends._asyncio import _root_task
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.types import ASGIApp

from services.chassis.clock import FixedClock
from services.chassis.guarding.budgets import Budgets
from services.chassis.settings import HttpSettings

T = TypeVar("T")

UNLIMITED = HttpSettings(port=0, requests_per_minute=0, public_seconds=0)
"""For an application that one test asks more than one caller may: for more than a minute, where the machine is slow."""


def in_one_minute(app: ASGIApp) -> None:
    """Stop the minute in which the application counts what callers do, which might otherwise end while a test asks."""
    assert isinstance(app, FastAPI)
    app.state.budgets = Budgets(FixedClock(datetime(2027, 5, 10, 12, tzinfo=UTC)))


class InThisThread(TestClient):
    """Behaves as starlette's client does. While it is entered it is starlette's: beginning and end of an application need a loop that runs
    meanwhile.
    """

    __test__ = False

    def __init__(self, app: ASGIApp, **options: Any) -> None:
        super().__init__(app, **options)
        self._starlettes, self._ours = self._transport, _Transport(app, options)
        self._transport = self._ours

    def __enter__(self) -> Self:
        self._transport = self._starlettes
        return super().__enter__()

    def __exit__(self, *raised: object) -> None:
        super().__exit__(*raised)
        self._transport = self._ours


class _Transport(httpx2.BaseTransport):
    def __init__(self, app: ASGIApp, options: dict[str, Any]) -> None:
        self._asked = httpx2.ASGITransport(
            app,
            raise_app_exceptions=options.get("raise_server_exceptions", True),
            client=options.get("client", ("testclient", 50_000)),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        return here(self._answer(request))

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        found = await self._asked.handle_async_request(request)
        body = b"".join([piece async for piece in found.stream])  # type: ignore[union-attr]
        return httpx2.Response(found.status_code, headers=found.headers, stream=httpx2.ByteStream(body))


def here(asked: Coroutine[Any, Any, T]) -> T:
    """Return the result of a coroutine, which runs in this thread."""
    return loop().run_until_complete(asked) if current_thread() is main_thread() else asyncio.run(asked)


@cache
def loop() -> asyncio.AbstractEventLoop:
    """Return the loop of the main thread.

    The threads in which an application's functions run end with the task that anyio takes for the loop's first. Here that one goes on: else
    each request would start a thread, a thirtieth of the processor time of tests that ask much (measured).
    """
    made = asyncio.new_event_loop()
    goes_on = made.create_task(asyncio.Event().wait())
    made.run_until_complete(_first(goes_on))

    def end() -> None:
        goes_on.cancel()
        made.run_until_complete(asyncio.wait([goes_on]))
        made.close()

    threading._register_atexit(end)  # type: ignore[attr-defined]  # before Python waits for all threads
    return made


async def _first(task: asyncio.Task[Any]) -> None:
    _root_task.set(task)

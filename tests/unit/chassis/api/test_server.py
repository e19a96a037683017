"""The loop of a server that sleeps while nobody asks."""

import asyncio
import signal
import threading

import pytest
import uvicorn

from services.chassis.api import http
from services.chassis.api.http import Server


async def nothing(*_: object) -> None:
    """Answer nothing."""


def made() -> Server:
    return Server(uvicorn.Config(nothing, log_config=None))


@pytest.mark.timeout(20)
def test_a_signal_ends_it_before_the_next_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "TICK_SECONDS", 3600.0)
    one = made()

    async def told_later() -> None:
        threading.Timer(0.1, one.handle_exit, (signal.SIGTERM, None)).start()
        await one.main_loop()

    asyncio.run(told_later())
    assert one.should_exit


@pytest.mark.timeout(20)
def test_a_signal_from_before_the_loop_ends_it() -> None:
    one = made()
    one.handle_exit(signal.SIGTERM, None)
    asyncio.run(one.main_loop())


def test_the_date_in_answers_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "TICK_SECONDS", 0.01)
    one, dates = made(), set()

    async def on_tick(counter: int) -> bool:
        ends = await uvicorn.Server.on_tick(one, counter)
        dates.add(dict(one.server_state.default_headers)[b"date"])
        if len(dates) == 2:
            one.should_exit = True
        return ends

    monkeypatch.setattr(one, "on_tick", on_tick)
    asyncio.run(one.main_loop())
    assert len(dates) == 2

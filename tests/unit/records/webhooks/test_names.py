"""Name servers that never answer one authority's receivers hold up no other's."""

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event

import pytest

from services.records.webhooks.names import EACH, Names, TooMany

GREEDY, OTHER = "S12000049", "S12000013"


def test_lookups_that_hang_are_as_many_as_an_authority_may_have_though_nobody_waits_for_them() -> None:
    over = Event()

    def look_up(host: str, _port: int) -> Iterable[str]:
        if host == "slow.example":
            over.wait(10)
        return ["192.0.2.1"]

    async def impatient(names: Names) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                await names.addresses(GREEDY, "slow.example", 443)

    async def test(executor: ThreadPoolExecutor) -> None:
        names = Names(executor, look_up)
        for _ in range(EACH):
            await impatient(names)
        with pytest.raises(TooMany):
            await impatient(names)
        assert await names.addresses(OTHER, "fast.example", 443) == ["192.0.2.1"]
        over.set()
        while True:  # until the threads are through
            with suppress(TooMany):
                assert await names.addresses(GREEDY, "fast.example", 443) == ["192.0.2.1"]
                return
            await asyncio.sleep(0.01)

    with ThreadPoolExecutor(EACH + 1) as executor:
        asyncio.run(asyncio.wait_for(test(executor), 10))

"""Serves HTTP as uvicorn does, and sleeps while nobody asks."""

import asyncio
from contextlib import suppress
from types import FrameType

import uvicorn

TICK_SECONDS = 1.0
"""How often the date in answers is set."""


class Server(uvicorn.Server):
    """Wakes once a second, where uvicorn wakes ten times to see whether a signal told it to end."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        """Return once it must end."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._told.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note a signal, and wake the loop that looks for it."""
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._told.set)

"""A way to a server that can be cut off: connections stay open, and nothing comes through, as when a network swallows packets."""

import asyncio
import threading
from contextlib import suppress

from deploy.local.process import free_ports


class Proxy:
    """Listens on a port of its own as long as this process lives."""

    def __init__(self, to: int) -> None:
        self._to = to
        self.lag = 0.0
        """Seconds that each answer takes longer."""
        (self.port,) = free_ports(1)
        self._loop = asyncio.new_event_loop()
        self._open = threading.Event()
        self._open.set()
        listening = threading.Event()
        threading.Thread(target=self._run, args=(listening,), daemon=True).start()
        listening.wait()

    def cut(self) -> None:
        """Let nothing through."""
        self._open.clear()

    def mend(self) -> None:
        """Let everything through again, also what waited."""
        self._open.set()

    def _run(self, listening: threading.Event) -> None:
        self._loop.run_until_complete(asyncio.start_server(self._connect, "127.0.0.1", self.port))
        listening.set()
        self._loop.run_forever()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._passable()
        with suppress(OSError):
            there = await asyncio.open_connection("127.0.0.1", self._to)
            await asyncio.gather(self._pump(reader, there[1]), self._pump(there[0], writer, answers=True))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool = False) -> None:
        with suppress(OSError):
            while some := await reader.read(65_536):
                await self._passable()
                if answers:
                    await asyncio.sleep(self.lag)
                writer.write(some)
                await writer.drain()
        writer.close()

    async def _passable(self) -> None:
        while not self._open.is_set():  # noqa: ASYNC110 - another thread opens it
            await asyncio.sleep(0.05)

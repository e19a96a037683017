"""A connection between two programs that can be cut, slowed down and broken off."""

import asyncio
import socket
import struct
from contextlib import suppress
from threading import Thread

PIECE = 64 * 1024
_AT_ONCE = struct.pack("ii", 1, 0)
"""Close with a reset, whatever is on its way."""


class Proxy:
    """Listens on a port of its own and forwards to another, in a thread of its own."""

    def __init__(self, target: int) -> None:
        self.target = target
        """May be changed: connections from then on go there."""
        self.delay = 0.0
        """How long each piece takes, in seconds."""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self._whole = asyncio.Event()
        self._whole.set()
        self._thread = Thread(target=self._run, name=f"proxy {self.port}", daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Let nothing through, without telling anybody."""
        self._loop.call_soon_threadsafe(self._whole.clear)

    def mend(self) -> None:
        """Let everything through again, including what was held up."""
        self.delay = 0.0
        self._loop.call_soon_threadsafe(self._whole.set)

    def reset(self) -> None:
        """Break off every connection at both ends."""
        self._loop.call_soon_threadsafe(self._reset)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        self._loop.run_until_complete(asyncio.start_server(self._serve, sock=self._socket))
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._reset()
        self._loop.run_until_complete(asyncio.sleep(0.1))
        self._loop.close()

    def _reset(self) -> None:
        for writer in self._open:
            with suppress(OSError):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            await self._whole.wait()
            there = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            self._open.discard(writer)
            return
        self._open.add(there[1])
        try:
            await asyncio.gather(self._pump(reader, there[1]), self._pump(there[0], writer))
        finally:
            self._open -= {writer, there[1]}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(PIECE):
                await self._whole.wait()
                if self.delay:
                    await asyncio.sleep(self.delay)
                writer.write(piece)
                await writer.drain()
        writer.close()

"""Looks up the names of receivers, in threads of which each authority has a few: a thread hangs for as long as a name server does.

So name servers that never answer, and receivers that are made and removed all the time, take nothing from other authorities.
"""

import asyncio
import socket
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from threading import Semaphore

EACH = 6
"""Lookups of one authority at once. It may have five receivers."""

LookUp = Callable[[str, int], Iterable[str]]
"""Gives the addresses that a name leads to. Raises OSError."""


class TooMany(Exception):
    """As many lookups of this authority hang as it may have at once."""


def look_up(host: str, port: int) -> list[str]:
    """Look a name up as the system does, IPv4 addresses first."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in sorted(found, key=lambda one: one[0] != socket.AF_INET)]


class Names:
    """Lookups in threads, of which there must be `EACH` for every authority."""

    def __init__(self, executor: Executor, look_up: LookUp = look_up) -> None:
        self._executor, self._look_up = executor, look_up
        self._free: defaultdict[str, Semaphore] = defaultdict(lambda: Semaphore(EACH))

    async def addresses(self, whose: str, host: str, port: int) -> list[str]:
        """Return the addresses of a name that a receiver of this authority has. Raises TooMany, OSError or UnicodeError."""
        free = self._free[whose]
        if not free.acquire(blocking=False):
            raise TooMany
        looking = self._executor.submit(self._look_up, host, port)
        looking.add_done_callback(lambda _: free.release())  # and not before, even if nobody waits any more
        return list(await asyncio.wrap_future(looking))

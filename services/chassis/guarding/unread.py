"""Answers that their callers have not read. What the system does not take waits in memory, so there is a limit to how much and how long."""

from asyncio import Transport
from collections import Counter

MOST_BYTES = 128 * 1024 * 1024
"""How many bytes may wait in one process: twice the largest answer."""
LOOK_SECONDS = 120.0
"""A caller who reads nothing for this long is cut off. The system hands over large pieces, so slow callers seem to pause."""


class Unread:
    """The answers of one server that wait, in the order in which they began to."""

    def __init__(self) -> None:
        self._waiting: dict[Transport, str] = {}

    def begin(self, transport: Transport, host: str) -> None:
        """Note that an answer waits for the caller at this address. If too much waits, cut off whoever leaves most unread."""
        self._waiting[transport] = host
        while len(self._waiting) > 1 and sum(self._sizes().values()) > MOST_BYTES:
            self._cut_one(but=transport)

    def end(self, transport: Transport) -> None:
        """Note that nothing waits for this caller any more."""
        self._waiting.pop(transport, None)

    def _sizes(self) -> dict[Transport, int]:
        return {one: one.get_write_buffer_size() for one in self._waiting}

    def _cut_one(self, but: Transport) -> None:
        """Cut off the first to wait, among those of the address that leaves most unread; never the newest, which may be read at once."""
        by_host = Counter[str]()
        others = {one: size for one, size in self._sizes().items() if one is not but}
        for one, size in others.items():
            by_host[self._waiting[one]] += size
        ((worst, _),) = by_host.most_common(1)
        first = next(one for one in others if self._waiting[one] == worst)
        self.end(first)
        first.abort()

"""A cache of recently changed records, so that the next event of an order costs no read."""

from collections import OrderedDict

from services.records.model.counting import Counted

Key = tuple[str, str]
"""Authority and subject."""
FACTS, MORE = 100, 10
"""Facts of a usual order at most. One with more takes the room of another for each so many more, since senders decide how many there are:
as many large orders as fit hold a tenth of the facts of as many usual ones.
"""


def room_of(facts: int) -> int:
    """Return the room that an order with so many facts takes."""
    return 1 + max(0, facts - FACTS) // MORE


class Cache:
    """Holds the most recently used records. It is valid only while this worker is the only writer: clear it whenever in doubt."""

    def __init__(self, size: int) -> None:
        self._size, self._taken = size, 0
        self._held: OrderedDict[Key, tuple[Counted, int]] = OrderedDict()

    def get(self, key: Key) -> Counted | None:
        found = self._held.get(key)
        if found is None:
            return None
        self._held.move_to_end(key)
        return found[0]

    def put(self, key: Key, held: Counted) -> None:
        _, before = self._held.pop(key, (None, 0))
        room = room_of(len(held.record))
        self._held[key] = held, room
        self._taken += room - before
        while self._taken > self._size:
            _, (_, room) = self._held.popitem(last=False)
            self._taken -= room

    def clear(self) -> None:
        self._held.clear()
        self._taken = 0

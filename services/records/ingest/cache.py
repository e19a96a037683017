"""A cache of recently changed records, so that the next event of an order costs no read."""

from collections import OrderedDict

from services.records.model.counting import Counted

Key = tuple[str, str]
"""Authority and subject."""


class Cache:
    """Holds the most recently used records. It is valid only while this worker is the only writer: clear it whenever in doubt."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._held: OrderedDict[Key, Counted] = OrderedDict()

    def get(self, key: Key) -> Counted | None:
        held = self._held.get(key)
        if held is not None:
            self._held.move_to_end(key)
        return held

    def put(self, key: Key, held: Counted) -> None:
        self._held[key] = held
        self._held.move_to_end(key)
        if len(self._held) > self._size:
            self._held.popitem(last=False)

    def clear(self) -> None:
        self._held.clear()

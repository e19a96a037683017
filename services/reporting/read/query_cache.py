"""A cache of slow queries with the same result for everybody who may see them, kept until anything more is read."""

from collections.abc import Callable, Hashable
from contextlib import suppress
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from cachetools import LRUCache
from sqlalchemy import Connection, Engine

from services.reporting.read.queries import read_so_far
from services.reporting.read.vintages import Cut, Released, Rounded

MOST_BYTES = 128 * 1024 * 1024
"""For each database: a dozen cubes of ten years, or thousands of smaller things. What was not asked for the longest goes first."""
SMALL = 20_000
"""At the most, of what does not say how large it is."""

_held: WeakKeyDictionary[Engine, LRUCache[Hashable, Any]] = WeakKeyDictionary()
_lock = Lock()
T = TypeVar("T")


def remembered(connection: Connection, cut: Cut, what: Hashable, work_out: Callable[[], T]) -> T:
    """What `work_out` says of the cut. `what` names it, with all that it depends on beside the cut. A release never changes."""
    key = cut, what, 0 if isinstance(cut, Released | Rounded) else read_so_far(connection)
    with _lock:
        held = _held.setdefault(connection.engine, LRUCache(MOST_BYTES, _size))
        found: T | None = held.get(key)
    if found is None:
        found = work_out()
        with _lock, suppress(ValueError):  # larger than all that may be remembered
            held[key] = found
    return found


def _size(found: object) -> int:
    return int(getattr(found, "nbytes", 0)) + SMALL

"""What takes long to read and is the same for everybody who may see it, remembered until anything more is read."""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from cachetools import LRUCache
from sqlalchemy import Connection, Engine

from services.reporting.read.queries import read_so_far
from services.reporting.read.vintages import Cut, Released, Rounded

MOST = 256
"""For each database, at 20 KB each or less: ten years of past days, twice. What was not asked for the longest goes first."""

_held: WeakKeyDictionary[Engine, LRUCache[Hashable, Any]] = WeakKeyDictionary()
_lock = Lock()
T = TypeVar("T")


def remembered(connection: Connection, cut: Cut, what: Hashable, work_out: Callable[[], T]) -> T:
    """What `work_out` says of the cut. `what` names it, with all that it depends on beside the cut. A release never changes."""
    key = cut, what, 0 if isinstance(cut, Released | Rounded) else read_so_far(connection)
    with _lock:
        held = _held.setdefault(connection.engine, LRUCache(MOST))
        found: T | None = held.get(key)
    if found is None:
        found = work_out()
        with _lock:
            held[key] = found
    return found

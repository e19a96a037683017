"""A cache of slow queries whose result is the same for everybody who may see it, kept until anything more is read."""

from collections.abc import Callable, Hashable
from contextlib import suppress
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from cachetools import LRUCache
from sqlalchemy import Connection, Engine

from services.reporting.read.queries import read_so_far
from services.reporting.read.vintages import Released, Rounded, Vintage

MOST_BYTES = 128 * 1024 * 1024
"""For each database: a dozen cubes of ten years, or thousands of smaller results. The least recently used are dropped first."""
SMALL = 20_000
"""The size assumed for a result that does not give its own, in bytes."""

_held: WeakKeyDictionary[Engine, LRUCache[Hashable, Any]] = WeakKeyDictionary()
_lock = Lock()
T = TypeVar("T")


def cached(connection: Connection, vintage: Vintage, what: Hashable, work_out: Callable[[], T]) -> T:
    """Return the result of `work_out` for the vintage. `what` names it, with everything on which it depends besides the vintage. A release
    never changes.
    """
    key = vintage, what, 0 if isinstance(vintage, Released | Rounded) else read_so_far(connection)
    with _lock:
        held = _held.setdefault(connection.engine, LRUCache(MOST_BYTES, _size))
        found: T | None = held.get(key)
    if found is None:
        found = work_out()
        with _lock, suppress(ValueError):  # too large to be cached
            held[key] = found
    return found


def _size(found: object) -> int:
    return int(getattr(found, "nbytes", 0)) + SMALL

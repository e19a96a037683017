"""What takes long to read and is the same for everybody who may see it, remembered until anything more is read."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

from services.reporting.cuts import Cut, Released
from services.reporting.queries import read_so_far

MOST = 256
"""For each database, at 20 KB each or less: ten years of past days, twice. The oldest goes first."""

_held: WeakKeyDictionary[Engine, OrderedDict[Hashable, Any]] = WeakKeyDictionary()
T = TypeVar("T")


def remembered(connection: Connection, cut: Cut, what: Hashable, work_out: Callable[[], T]) -> T:
    """What `work_out` says of the cut. `what` names it, with all that it depends on beside the cut. A release never changes."""
    held = _held.setdefault(connection.engine, OrderedDict())
    key = cut, what, 0 if isinstance(cut, Released) else read_so_far(connection)
    found: T | None = held.get(key)
    if found is None:
        found = held[key] = work_out()
        while len(held) > MOST:
            held.popitem(last=False)
    return found

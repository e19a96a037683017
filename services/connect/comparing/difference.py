"""Decides what a fact that an extract states, or no longer states, means for what was sent before. Pure.

Times are microseconds since 1970. An extract counts as of the time at which it was taken, whenever it is imported.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

A_MOMENT = 1000
"""By how much a correction is later than what it corrects, if no clock says which is later."""


@dataclass(frozen=True, slots=True)
class Known:
    """A fact as it was last sent."""

    id: int
    table: str
    said: bytes
    """The digest of the fact."""
    time: int
    """The time of the last event about it."""
    seen: int | None
    """For a fact that is gone: the last extract that had it. A fact that is not gone was in the newest."""
    gone: int | None
    """The first extract without it, as far as is known."""
    withdrawn: bool
    made: bool
    """Whether we stated it because a row was gone, and no row did."""


class Change(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    RETURNED = "returned"


class ToSay(NamedTuple):
    """The fact must be sent, with this time."""

    time: int
    change: Change


class Same(NamedTuple):
    """The fact was sent already."""


class Older(NamedTuple):
    """A later extract has stated it."""


Decision = ToSay | Same | Older


def decide(known: Known | None, said: bytes, time: int, taken: int, newest: int | None) -> Decision:
    """Decide what to do with a fact of an extract. `newest` is the time of the newest extract of the fact's table imported before."""
    if known is None:
        return ToSay(time, Change.NEW)
    if _last_heard(known, newest) > taken:
        return Older()
    if known.withdrawn or known.made:
        return ToSay(max(time, known.time + A_MOMENT), Change.RETURNED)
    if known.said == said:
        return Same()
    return ToSay(max(time, known.time + A_MOMENT), Change.CHANGED)


def _last_heard(known: Known, newest: int | None) -> int:
    """Return the time of the last extract that had it, or in which it was withdrawn."""
    if known.gone is None:
        return newest or 0
    return known.gone if known.withdrawn else known.seen or 0


def is_newest(taken: int, newest: int | None) -> bool:
    """Return whether an extract can show what has vanished."""
    return newest is None or taken >= newest

"""What a fact that an extract states, or no longer states, means for what was said before. Pure.

Moments are microseconds since 1970. An extract counts as of the moment at which it was taken, whenever it is imported.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

A_MOMENT = 1000
"""By so much a correction is later than what it corrects, where no clock tells them apart."""


@dataclass(frozen=True, slots=True)
class Known:
    """A fact as it was last said."""

    id: int
    table: str
    said: bytes
    """Digest of the fact."""
    time: int
    """Of the last event about it."""
    seen: int | None
    """For a fact that is gone: the last extract that still had it. One that is there was in the newest."""
    gone: int | None
    """The first extract without it, as far as is known."""
    withdrawn: bool
    made: bool
    """Said by us because a row was gone, not by a row."""


class Change(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    RETURNED = "returned"


class ToSay(NamedTuple):
    """Say it, with this time."""

    time: int
    change: Change


class Same(NamedTuple):
    """It was said already."""


class Older(NamedTuple):
    """A later extract has been heard of it."""


Decision = ToSay | Same | Older


def decide(known: Known | None, said: bytes, time: int, taken: int, newest: int | None) -> Decision:
    """`newest` is when the newest extract of the fact's table that was imported before was taken."""
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
    """The last extract that had it, or that took it back."""
    if known.gone is None:
        return newest or 0
    return known.gone if known.withdrawn else known.seen or 0


def is_newest(taken: int, newest: int | None) -> bool:
    """Whether an extract may tell what has vanished."""
    return newest is None or taken >= newest

"""A difference that the proof finds."""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple, TypeVar

K = TypeVar("K")
MOST_LETTERS = 300
OF_ORDERS = {"arrivals", "rejections", "records", "persons"}
"""Tables with rows about one order or person."""


class Mismatch(NamedTuple):
    """Two values that must be equal."""

    table: str
    """The table, with its schema."""
    what: str
    held: object
    proved: object
    behind: tuple[str, ...] = ()
    """Places in the log of events that show it: topic@offset, at most a few."""

    def __str__(self) -> str:
        behind = f" ({', '.join(self.behind)})" if self.behind else ""
        return f"{self.table}: {self.what} is {_short(self.held)}, and must be {_short(self.proved)}{behind}"

    @property
    def without_orders(self) -> str:
        """Return the mismatch for logs, which name no order: places in the log instead."""
        if self.table.partition(".")[2] in OF_ORDERS:
            return f"{self.table}: {', '.join(self.behind) or 'a row'} differs"
        return str(self)


def _short(value: object) -> str:
    text = "not there" if value is None else str(value)
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}…"


def unequal(held: Mapping[K, object], proved: Mapping[K, object], besides: Collection[K] = ()) -> Iterator[K]:
    """Yield the keys whose values differ, in order; None means the same as a missing key."""
    differing = {key for key in held.keys() | proved.keys() if held.get(key) != proved.get(key)}
    yield from sorted(differing.difference(besides))  # type: ignore[type-var]

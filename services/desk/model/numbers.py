"""The authority's own numbers, and what is behind them. Pure."""

from datetime import date, datetime

from msgspec import Struct


class Held(Struct, frozen=True):
    """Totals of what one service holds about the authority."""

    events: dict[str, int]
    rejected: dict[str, int]
    rejected_open: int
    orders: int
    orders_open: int
    orders_ended: int
    orders_withdrawn: int
    orders_not_imposed: int
    last_heard_at: datetime | None
    first_heard_on: date | None = None
    orders_emptied: int = 0
    """Orders of which every fact was withdrawn; they are not among the others."""
    orders_overfull: int = 0
    rejected_counted: int = 0
    """Refused events that are only counted, since more were refused in a day than are kept."""


class FactsOfKind(Struct, frozen=True):
    """Facts that one kind of event stated."""

    event: str
    counting: int
    withdrawn: int


class HeldFacts(Struct, frozen=True):
    """The accepted events of one service, divided by what became of them: each is in one number after the first."""

    accepted: int
    counting: int
    withdrawals: int
    of_withdrawn_orders: int
    about_itself: int
    replaced: int
    kinds: list[FactsOfKind]


class OwnCell(Struct, frozen=True):
    """One of the authority's own numbers, or what one order adds to it."""

    measure: str
    period: date
    category: str
    value: int


class OwnCells(Struct, frozen=True):
    """Some of the authority's own numbers."""

    cells: list[OwnCell]


class Counts(Struct, frozen=True):
    """An order that counts in a number."""

    subject: str
    value: int
    facts: list[str]
    facts_sought: bool = True
    """Whether they were; of an order with very many they are not."""


class CountsNot(Struct, frozen=True):
    """Why other orders do not count."""

    reason: str
    orders: int
    examples: list[str]


class CellExplanation(Struct, frozen=True):
    """The orders behind a number."""

    measure: str
    period: date
    category: str
    value: int
    orders: int
    behind: list[Counts]
    elsewhere: list[CountsNot]

"""How far the figures can be relied on: which authorities have been heard, and when."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from contracts.authorities import AUTHORITIES
from services.reporting.queries import Shown

FRESH = timedelta(days=3)
BOTH = frozenset({"orders", "unpaid_work"})


class State(StrEnum):
    """How complete an authority's figures of a period are."""

    COMPLETE = "complete"
    """Heard from after the period ended."""
    PARTIAL = "partial"
    """Heard from, but not since the period ended: more may come."""
    MISSING = "missing"
    """Never heard from."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One authority's reporting."""

    authority: str
    state: State
    heard_at: datetime | None
    """When its last event reached the platform; of the service that is further behind."""
    fresh: bool


def standings(shown: Iterable[Shown], period_end: date, now: datetime) -> list[Standing]:
    """Every authority, in the order of codes."""
    heard: dict[str, dict[str, datetime]] = defaultdict(dict)
    for position in shown:
        heard[position.authority][position.service] = position.heard_at
    return [_standing(code, heard[code], period_end, now) for code in AUTHORITIES]


def _standing(code: str, heard: dict[str, datetime], period_end: date, now: datetime) -> Standing:
    if not heard:
        return Standing(code, State.MISSING, None, fresh=False)
    last = min(heard.values())
    complete = last.date() > period_end and heard.keys() >= BOTH
    return Standing(code, State.COMPLETE if complete else State.PARTIAL, last, fresh=now - last <= FRESH)


def summary(found: Iterable[Standing]) -> dict[str, list[str]]:
    """Authorities by state."""
    by_state: dict[str, list[str]] = {state: [] for state in State}
    for standing in found:
        by_state[standing.state].append(standing.authority)
    return by_state

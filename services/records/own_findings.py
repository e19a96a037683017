"""Findings about the authority itself: totals that do not agree, and numbers that never came."""

from collections.abc import Iterator
from datetime import date

from sqlalchemy import Connection

from services.records import listing
from services.records.counters import open_gaps
from services.records.findings import Rule
from services.records.views import FindingView

CONTROL_TOTALS = Rule(
    "control_totals",
    "A total that the authority closed a month with is not what is counted here.",
    "Look for orders or sessions of the month that were not sent, or were sent twice under different references.",
)
GAP = Rule(
    "sequence_gap",
    "Numbers of the source's own counter that never came.",
    "Send the events with these numbers again; what had come before has no further effect.",
)
AUTHORITY = "-"


def control_totals(connection: Connection, authority: str, *names: str) -> Iterator[FindingView]:
    """Months whose totals, as the authority stated them, are not those of our cells."""
    found = listing.cell_sums(connection, authority, ("control_totals", *names), date.min, date.max)
    stated = [(period, name) for measure, period, name in found if measure == "control_totals"]
    for period, category in sorted(stated):
        name = category.removeprefix("total=")
        said, counted = found["control_totals", period, category], found.get((name, period, ""), 0)
        if said != counted:
            detail = f"{name}: {said} stated, {counted} counted"
            yield FindingView.about(AUTHORITY, CONTROL_TOTALS, period, facts=(f"period/{period:%Y-%m}",), detail=detail)


def gaps(connection: Connection, authority: str) -> Iterator[FindingView]:
    """Every gap in the counters of the authority's sources."""
    for system, gap in open_gaps(connection, authority):
        source = f"/authorities/{authority}" + (f"/systems/{system}" if system else "")
        numbers = f"{gap.first}" if gap.size == 1 else f"{gap.first} to {gap.last}"
        yield FindingView.about(AUTHORITY, GAP, gap.month, detail=f"{source}: {numbers}")

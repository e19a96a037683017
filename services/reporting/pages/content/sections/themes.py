"""The indicators that a viewer may find, by theme."""

from services.chassis.api.auth import Identity
from services.reporting.disclosure.linked_tables import is_public
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Good, Indicator, Kind

NEVER_PUBLIC = {Kind.AGREEMENT, Kind.OVERDUE}


def themes(viewer: Identity) -> dict[str, list[Indicator]]:
    """Return all indicators by theme; for the public, without those that it never sees."""
    found: dict[str, list[Indicator]] = {}
    for indicator in INDICATORS.values():
        if viewer.audience != "public" or (is_public(indicator.numerator) and indicator.kind not in NEVER_PUBLIC):
            found.setdefault(indicator.theme, []).append(indicator)
    return found


def direction(indicator: Indicator) -> str:
    """Return which direction is better, in words."""
    return {Good.HIGHER: "Higher is better.", Good.LOWER: "Lower is better.", Good.NEITHER: ""}[indicator.good]

"""How many people aged 16 to 70 live in an area: approximate, and marked so wherever it is shown."""

from collections.abc import Set as AbstractSet

from contracts.authorities import AUTHORITIES
from contracts.periods import days_of
from services.reporting.registry.areas import is_there, members
from services.reporting.registry.indicators import Indicator

SHARE_AGED_16_TO_70 = 14_653 / 38 * 10_000 / 5_445_000
"""The share that follows for Scotland from the published 14,653 orders, and 38 orders for every 10,000, in 2022-23."""


def people_of(indicator: Indicator, area: str, period: str, reported: AbstractSet[str]) -> int:
    """Return the number of people behind a rate, given the authorities that reported on the period."""
    return aged_16_to_70(area, period, reported if indicator.of_reported else AUTHORITIES.keys())


def aged_16_to_70(area: str, period: str, among: AbstractSet[str] = AUTHORITIES.keys()) -> int:
    """Return the number of people, rounded to hundreds, of the authorities that existed at the end of the period, so that nobody counts
    twice.
    """
    end = days_of(period)[1]
    concerned = [code for code in members(area) if code in among and is_there(code, end, end)]
    thousands = sum(AUTHORITIES[code].population_thousands for code in concerned)
    return round(thousands * SHARE_AGED_16_TO_70 * 10) * 100

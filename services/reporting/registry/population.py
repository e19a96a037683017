"""How many people aged 16 to 70 live in an area: approximate, and marked so wherever it is shown."""

from contracts.authorities import AUTHORITIES
from contracts.periods import days_of
from services.reporting.registry.areas import is_there, members

SHARE_AGED_16_TO_70 = 14_653 / 38 * 10_000 / 5_445_000
"""What the published 14,653 orders and 38 orders for every 10,000 in 2022-23 imply for Scotland."""


def aged_16_to_70(area: str, period: str) -> int:
    """People, rounded to hundreds; of the authorities that there were at the end of the period, so that nobody counts twice."""
    end = days_of(period)[1]
    concerned = [code for code in members(area) if is_there(code, end, end)]
    thousands = sum(AUTHORITIES[code].population_thousands for code in concerned)
    return round(thousands * SHARE_AGED_16_TO_70 * 10) * 100

"""How many people aged 16 to 70 live in an area: approximate, and marked so wherever it is shown."""

from contracts.authorities import AUTHORITIES
from services.reporting.registry.areas import members

SHARE_AGED_16_TO_70 = 14_653 / 38 * 10_000 / 5_445_000
"""What the published 14,653 orders and 38 orders for every 10,000 in 2022-23 imply for Scotland."""


def aged_16_to_70(area: str) -> int:
    """People, rounded to hundreds."""
    thousands = sum(AUTHORITIES[code].population_thousands for code in members(area))
    return round(thousands * SHARE_AGED_16_TO_70 * 10) * 100

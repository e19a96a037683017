"""The working-day calendar of Scotland, from the `holidays` package."""

from datetime import date
from importlib.metadata import version

import holidays

from services.records.model.calendar import Calendar

FIRST_YEAR, LAST_YEAR = 2000, 2060


def scotland() -> Calendar:
    """Monday to Friday without Scottish bank holidays, substitute days included, from 2000 to 2060."""
    days = holidays.country_holidays("GB", subdiv="SCT", years=range(FIRST_YEAR, LAST_YEAR + 1))
    return Calendar(f"holidays {version('holidays')}", frozenset(date(day.year, day.month, day.day) for day in days))

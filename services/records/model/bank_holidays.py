"""The working-day calendar of Scotland, from the `holidays` package."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.metadata import version

import holidays

from services.records.model.calendar import Calendar

FIRST_YEAR, LAST_YEAR = 2000, 2060


@cache
def scotland() -> Calendar:
    """Return Monday to Friday without Scottish bank holidays, substitute days included, from 2000 to 2060."""
    return Calendar(f"holidays {version('holidays')}", frozenset(names()))


@cache
def names() -> Mapping[date, str]:
    """Return each bank holiday of those years with its name."""
    days = holidays.country_holidays("GB", subdiv="SCT", years=range(FIRST_YEAR, LAST_YEAR + 1))
    return {date(day.year, day.month, day.day): name for day, name in days.items()}

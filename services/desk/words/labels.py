"""The labels of numbers, pure."""

from enum import StrEnum

from contracts.cells import MEASURES
from contracts.codes import Code
from services.chassis.web.categories import plain


def measure_label(name: str) -> str:
    """Return what a measure counts, with its unit unless that is orders."""
    measure = MEASURES[name]
    if name.startswith("awaited_"):
        return f"{MEASURES[name.replace('awaited', 'pending')].meaning}: of those, what counts for the nation"
    unit = unit_of(name)
    return measure.meaning if unit in {"orders", "reviews", "people"} else f"{measure.meaning} ({unit})"


def unit_of(name: str) -> str:
    """Return the unit in which people speak of a measure: hours, of which minutes are counted."""
    unit = MEASURES[name].unit
    return "hours" if unit == "minutes" else unit


def amount(name: str, value: int) -> float:
    """Return a number in that unit."""
    return round(value / 60, 2) if MEASURES[name].unit == "minutes" else value


def code_label(kind: type[StrEnum], code: str) -> str:
    """Return the label of a code; the code in words if it is not known here."""
    try:
        member = kind(code)
    except ValueError:
        return plain(code)
    return member.label if isinstance(member, Code) else plain(code)

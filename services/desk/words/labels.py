"""The labels of numbers, pure."""

from enum import StrEnum
from typing import Any

from contracts import codes
from contracts.cells import MEASURES
from contracts.codes import Code
from contracts.rejections import Reason

_DIMENSIONS: dict[str, type[Any]] = {
    "sex": codes.Sex,
    "age_band": codes.AgeBand,
    "ethnicity": codes.Ethnicity,
    "employment": codes.Employment,
    "court_type": codes.CourtType,
    "requirement": codes.RequirementKind,
    "end_reason": codes.EndReason,
    "activity": codes.Activity,
    "work_type": codes.WorkType,
    "attendance": codes.Attendance,
    "breach_outcome": codes.BreachOutcome,
    "reason": codes.LateReason,
    "domain": codes.OutcomeDomain,
}


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


def category_label(category: str) -> str:
    """Return a category in words; empty for the total."""
    dimension, _, code = category.partition("=")
    if not code:
        return plain(dimension)
    label = _label(_DIMENSIONS.get(dimension), code)
    return f"{plain(dimension)}: {label or plain(code).lower()}"


def code_label(kind: type[StrEnum], code: str) -> str:
    """Return the label of a code; the code itself if it is not known here."""
    return _label(kind, code) or plain(code)


def _label(kind: type[Any] | None, code: str) -> str:
    try:
        member = kind(code) if kind else None
    except ValueError:
        return ""
    return str(member.label) if isinstance(member, Code | Reason) else ""


def plain(code: str) -> str:
    """Return a code or the name of a field in words, as in Progress review ordered."""
    text = code.replace("_", " ")
    return text[:1].upper() + text[1:]

"""Reporting years, April to March, labelled like 2025-26."""

from datetime import date

from services.chassis.api.problems import Problem

PATTERN = r"^20\d\d-\d\d$"


def span_of(label: str) -> tuple[date, date]:
    """The first and the last day of a year. Raises Problem 422 for a label of no year."""
    first = int(label[:4])
    if label[5:] != f"{(first + 1) % 100:02}":
        raise Problem(422, f"A year runs from April to March, as in {first}-{(first + 1) % 100:02}")
    return date(first, 4, 1), date(first + 1, 3, 31)

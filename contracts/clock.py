"""The only place that asks what time it is."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the time: aware, in UTC."""


def system_clock() -> datetime:
    """Return the time of the machine."""
    return datetime.now(UTC)

"""The only place that asks what time it is."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Tells the time: aware, in UTC."""


def system_clock() -> datetime:
    """What the machine says."""
    return datetime.now(UTC)

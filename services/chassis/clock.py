"""The only place that asks what time it is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Tells the time: aware, in UTC."""


def system_clock() -> datetime:
    """What the machine says."""
    return datetime.now(UTC)


class FixedClock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        if now.tzinfo is None:
            raise ValueError("a time without an offset could be any of 24")
        self._now = now.astimezone(UTC)

    def __call__(self) -> datetime:
        return self._now

    def move(self, by: timedelta) -> None:
        """Let time pass, or turn it back."""
        self._now += by

"""The clock of every service, and a fixed one for tests."""

from datetime import UTC, datetime, timedelta

from contracts.clock import Clock, system_clock

__all__ = ["Clock", "FixedClock", "system_clock"]


class FixedClock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        if now.tzinfo is None:
            raise ValueError("a time without an offset is ambiguous")
        self._now = now.astimezone(UTC)

    def __call__(self) -> datetime:
        return self._now

    def move(self, by: timedelta) -> None:
        """Let time pass, or turn it back."""
        self._now += by

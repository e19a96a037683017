"""Time is aware, and a fixed clock moves only when told."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from services.chassis.clock import Clock, FixedClock, system_clock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_the_system_clock_is_aware_and_in_utc() -> None:
    assert system_clock().utcoffset() == timedelta(0)


def test_a_fixed_clock_stands_still_until_moved() -> None:
    clock = FixedClock(NOON)
    told: Clock = clock
    assert told() == told() == NOON
    clock.move(timedelta(hours=-1))
    assert told() == NOON - timedelta(hours=1)


def test_a_fixed_clock_tells_utc_whatever_it_was_given() -> None:
    summer = timezone(timedelta(hours=1))
    assert FixedClock(NOON.astimezone(summer))().utcoffset() == timedelta(0)


def test_a_time_without_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="without an offset"):
        FixedClock(NOON.replace(tzinfo=None))

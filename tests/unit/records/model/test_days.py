"""Every time that can be read has a day."""

from datetime import UTC, date, datetime, timedelta, timezone

from hypothesis import example, given
from hypothesis import strategies as st

from services.records.model.fold import local_day

OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(timezones=OFFSETS))
@example(datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=-12))))
@example(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))))
def test_every_time_has_a_day_beside_its_own(time: datetime) -> None:
    assert abs(local_day(time) - time.date()) <= timedelta(days=1)


def test_after_the_last_day_of_all_comes_none() -> None:
    assert local_day(datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=-12)))) == date.max


def test_the_day_is_that_of_the_local_clock_whatever_it_was_ahead_of_utc() -> None:
    """By an hour in summer, and by two in the summers of the war."""
    assert local_day(datetime(2025, 7, 1, 22, 59, tzinfo=UTC)) == date(2025, 7, 1)
    assert local_day(datetime(2025, 7, 1, 23, 0, tzinfo=UTC)) == date(2025, 7, 2)
    assert local_day(datetime(1943, 7, 1, 21, 59, tzinfo=UTC)) == date(1943, 7, 1)
    assert local_day(datetime(1943, 7, 1, 22, 0, tzinfo=UTC)) == date(1943, 7, 2)

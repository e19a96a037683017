"""Every time that can be read has a day."""

from datetime import date, datetime, timedelta, timezone

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

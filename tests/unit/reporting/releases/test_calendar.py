"""Releases may be announced at some times, and take the place of some others."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.reporting.publishing_held import MOST_SECONDS, seconds_until
from services.reporting.releases.calendar import (
    LEAST_NOTICE,
    Announcement,
    CannotRelease,
    Said,
    check_change,
    check_first,
    check_order,
    check_turn,
    first_day,
    opening,
    to_come,
)

MARCH = date(2026, 3, 1)
NOW = datetime(2026, 5, 10, 9, tzinfo=UTC)
MONDAY = date(2026, 6, 8)
ANNOUNCED = Announcement(MARCH, (Said(MONDAY, NOW, "", "ann"),), is_out=False)
days = st.dates(date(2026, 3, 20), date(2026, 12, 31))
moments = st.datetimes(datetime(2026, 5, 1), datetime(2026, 10, 31), timezones=st.just(UTC))  # noqa: DTZ001 - given one


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 6, 5), "four weeks ahead: 2026-06-08"),
        (date(2026, 6, 7), "weekend"),
        (date(2026, 11, 30), "bank holiday in Scotland .*Andrew"),
        (date(2026, 3, 31), "2026-03 is not over"),
    ],
)
def test_a_day_is_announced_four_weeks_before_and_is_a_working_day(day: date, words: str) -> None:
    with pytest.raises(CannotRelease, match=words):
        check_first(MARCH, day, NOW)
    check_first(MARCH, MONDAY, NOW)


@pytest.mark.parametrize("now", [datetime(2026, 11, 27, 12, tzinfo=UTC), datetime(2027, 12, 4, 12, tzinfo=UTC)])
def test_after_christmas_and_new_year_there_is_a_first_day_too(now: datetime) -> None:
    """Both fall on days beside a weekend, and their second days on substitutes after it."""
    check_first(MARCH, first_day(now), now)
    assert first_day(now) - now.date() > LEAST_NOTICE


def test_days_are_those_of_london() -> None:
    """In summer the day there is over at 23:00 UTC."""
    check_first(MARCH, MONDAY, datetime(2026, 5, 11, 22, 59, tzinfo=UTC))
    with pytest.raises(CannotRelease):
        check_first(MARCH, MONDAY, datetime(2026, 5, 11, 23, tzinfo=UTC))


@given(moments)
def test_the_first_day_that_can_be_announced_is_one(now: datetime) -> None:
    day = first_day(now)
    check_first(MARCH, day, now)
    for before in (day - timedelta(days=1), day - timedelta(days=3)):
        with pytest.raises(CannotRelease):
            check_first(MARCH, before, now)


@given(days, moments, st.booleans())
def test_who_relied_on_a_day_is_never_too_late(day: date, now: datetime, called_off: bool) -> None:
    """Whatever takes the place of an announced day is later than it, or known for four weeks."""
    before = replace(ANNOUNCED, said=(*ANNOUNCED.said, Said(None, NOW, "x", "ann"))) if called_off else ANNOUNCED
    try:
        check_change(before, day, "A reason", now)
    except CannotRelease:
        assume(False)
    assert opening(day) > now
    assert day.weekday() < 5
    later = before.day is not None and day > before.day
    assert later or day - now.date() >= LEAST_NOTICE - timedelta(days=1)


@pytest.mark.parametrize(
    ("before", "day", "reason", "words"),
    [
        (ANNOUNCED, MONDAY, "x", "announced already"),
        (ANNOUNCED, None, " ", "Say why"),
        (ANNOUNCED, date(2026, 6, 5), "x", "four weeks"),
        (replace(ANNOUNCED, is_out=True), None, "x", "published already"),
    ],
)
def test_what_cannot_take_its_place(before: Announcement, day: date | None, reason: str, words: str) -> None:
    with pytest.raises(CannotRelease, match=words):
        check_change(before, day, reason, NOW)


def test_it_can_come_later_or_not_at_all_if_it_is_said_why() -> None:
    check_change(ANNOUNCED, date(2026, 6, 9), "x", datetime(2026, 6, 8, 8, 29, tzinfo=UTC))
    check_change(ANNOUNCED, None, "x", datetime(2026, 6, 8, 8, 29, tzinfo=UTC))
    with pytest.raises(CannotRelease, match="is over"):
        check_change(ANNOUNCED, date(2026, 6, 9), "x", datetime(2026, 6, 9, 8, 30, tzinfo=UTC))


def test_half_past_nine_is_that_of_london_in_summer_and_in_winter() -> None:
    assert opening(date(2026, 6, 8)).astimezone(UTC).hour == 8
    assert opening(date(2026, 12, 8)).astimezone(UTC).hour == 9


def test_what_somebody_waits_for_is_what_is_not_out_and_not_called_off() -> None:
    later = replace(ANNOUNCED, month=date(2026, 4, 1), said=(Said(date(2026, 7, 7), NOW, "", "ann"),))
    off = replace(ANNOUNCED, month=date(2026, 5, 1), said=(*ANNOUNCED.said, Said(None, NOW, "x", "ann")))
    out = replace(ANNOUNCED, month=date(2026, 2, 1), is_out=True)
    assert to_come([later, off, out, ANNOUNCED]) == [ANNOUNCED, later]
    assert not ANNOUNCED.is_late(datetime(2026, 6, 8, 22, tzinfo=UTC))
    assert ANNOUNCED.is_late(datetime(2026, 6, 8, 23, tzinfo=UTC))


@given(moments, st.none() | moments)
def test_no_wait_leads_past_the_moment(now: datetime, due: datetime | None) -> None:
    waited = seconds_until(due, now)
    assert 0 <= waited <= MOST_SECONDS
    assert due is None or now + timedelta(seconds=waited) <= max(now, due) + timedelta(milliseconds=1)


@given(st.lists(days, min_size=2, max_size=6), st.lists(st.booleans(), min_size=6, max_size=6))
def test_whatever_is_announced_in_turn_comes_in_the_order_of_its_months(tried: list[date], out: list[bool]) -> None:
    """In whatever order it is said: what is allowed leaves no month behind one that comes first."""
    calendar: list[Announcement] = []
    for place, day in enumerate(tried):
        month = date(2026, 1 + (place * 5) % 6, 1)
        with suppress(CannotRelease):
            check_order(month, day, calendar, [each.month for each in calendar if each.is_out])
            calendar.append(Announcement(month, (Said(day, NOW, "", "ann"),), is_out=False))
        if calendar and out[place]:
            first = to_come(calendar)
            for each in first[:1]:
                check_turn(each.month, calendar)
                calendar[calendar.index(each)] = replace(each, is_out=True)
    months = [each.month for each in to_come(calendar)]
    assert months == sorted(months)
    assert len({each.day for each in to_come(calendar)}) == len(months)


def test_a_later_month_does_not_come_before_one_that_was_announced() -> None:
    april = date(2026, 4, 1)
    check_turn(MARCH, [ANNOUNCED])
    check_turn(april, [replace(ANNOUNCED, is_out=True)])
    check_turn(april, [replace(ANNOUNCED, said=(*ANNOUNCED.said, Said(None, NOW, "Nothing to tell", "ann")))])
    with pytest.raises(CannotRelease, match=r"2026-03 are announced for 2026-06-08.*call them off"):
        check_turn(april, [ANNOUNCED])
    with pytest.raises(CannotRelease, match="are in them"):
        check_order(MARCH, MONDAY, [], [april])

"""Receivers that fail are tried ever more seldom, and in the end no more."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.records.webhooks.retrying import Course, Fault, Retries, failed

NOW = datetime(2026, 3, 3, tzinfo=UTC)
RETRIES = Retries(first=5, longest=3600, give_up=72 * 3600)
LASTING = st.sampled_from([fault for fault in Fault if fault is not Fault.GONE])


@given(st.lists(LASTING, min_size=1, max_size=200), st.floats(0.5, 1))
def test_one_that_goes_on_failing_is_given_up_within_an_hour_of_its_time(faults: list[Fault], share: float) -> None:
    course, now = Course(NOW), NOW
    for number, fault in enumerate(faults):
        before, course = course, failed(course, fault, now, RETRIES, share)
        assert (course.attempts, course.failing_since, course.fault) == (number + 1, NOW, fault)
        wait = (course.next_at - now).total_seconds()
        assert wait == pytest.approx(share * min(5 * 2**before.attempts, 3600), abs=1e-5)
        if course.stopped_at:
            assert timedelta(hours=72) <= course.stopped_at - NOW <= timedelta(hours=73)
            return
        now = course.next_at
    assert now - NOW < timedelta(hours=73)


def test_who_wants_nothing_more_is_not_tried_again() -> None:
    assert failed(Course(NOW), Fault.GONE, NOW, RETRIES).stopped_at == NOW


def test_every_fault_is_told_in_words() -> None:
    assert all(fault.words for fault in Fault)

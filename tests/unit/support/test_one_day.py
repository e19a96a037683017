"""A test that must see one day begins after midnight, in London and in UTC, if it could not end before."""

from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest

from services.chassis.clock import FixedClock
from tests.support.one_day import SECONDS, OneDay, seconds_left


@pytest.mark.parametrize(
    ("now", "left"),
    [
        (datetime(2026, 1, 15, 23, 0, tzinfo=UTC), 3600),
        (datetime(2026, 1, 15, 0, 0, tzinfo=UTC), 24 * 3600),
        (datetime(2026, 7, 15, 22, 59, 30, tzinfo=UTC), 30),  # midnight in London
        (datetime(2026, 7, 15, 23, 30, tzinfo=UTC), 1800),  # midnight in UTC
        (datetime(2026, 3, 29, 22, 0, tzinfo=UTC), 3600),  # the day on which summer time begins
        (datetime(2026, 10, 25, 23, 0, tzinfo=UTC), 3600),  # the day on which it ends
    ],
)
def test_what_is_left_of_a_day(now: datetime, left: float) -> None:
    assert seconds_left(now) == left


@pytest.mark.parametrize(
    ("now", "seconds", "begins"),
    [
        (datetime(2026, 1, 15, 12, 0, tzinfo=UTC), 300, datetime(2026, 1, 15, 12, 0, tzinfo=UTC)),
        (datetime(2026, 1, 15, 23, 55, tzinfo=UTC), 300, datetime(2026, 1, 15, 23, 55, tzinfo=UTC)),
        (datetime(2026, 1, 15, 23, 55, 1, tzinfo=UTC), 300, datetime(2026, 1, 16, tzinfo=UTC)),
        (datetime(2026, 7, 15, 22, 50, tzinfo=UTC), 4000, datetime(2026, 7, 16, tzinfo=UTC)),  # past both
    ],
)
def test_it_waits_only_where_the_day_would_end_too_soon(now: datetime, seconds: float, begins: datetime) -> None:
    clock = FixedClock(now)
    OneDay(clock, lambda left: clock.move(timedelta(seconds=left))).wait(seconds)
    assert clock() == begins


class Counted(OneDay):
    """Notes how long it would have to be until midnight."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, seconds: float = SECONDS) -> None:
        self.waits.append(seconds)

    def begin(self, *marks: tuple[str, pytest.Mark]) -> None:
        """Begin a test with these marks, each of the node that it stands at."""
        item = Mock()
        item.iter_markers_with_node.return_value = [(Mock(nodeid=node), mark) for node, mark in marks]
        list(self.pytest_runtest_protocol(item))


def test_what_tests_share_is_of_one_day() -> None:
    """The tests of a marked module wait before the first of them, and then only where a test is marked itself."""
    of_module, of_test = ("a.py", pytest.mark.one_day(seconds=600).mark), ("a.py::test_b", pytest.mark.one_day.mark)
    found = Counted()
    for marks in ((of_module,), (of_test, of_module), (of_module,), ()):
        found.begin(*marks)
    assert found.waits == [600, SECONDS]

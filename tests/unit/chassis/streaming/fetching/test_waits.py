"""How long a fetch may wait."""

from services.chassis.streaming.fetching.waits import LONGER, LONGEST, QUIET_SECONDS, VERY_QUIET_SECONDS, Waits


def test_a_fetch_waits_longer_in_quiet_times_and_briefly_again_once_something_comes() -> None:
    now = 0.0
    waits = Waits(100, lambda: now)
    assert waits.after(found=False) == 100
    now = QUIET_SECONDS
    assert waits.after(found=False) == LONGER * 100
    now = VERY_QUIET_SECONDS
    assert waits.after(found=False) == LONGEST * 100
    assert waits.after(found=True) == 100
    now += QUIET_SECONDS / 2
    assert waits.after(found=False) == 100

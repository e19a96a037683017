"""Work that takes a whole process: one request at a time, in which no authority keeps the others from their turn."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from services.chassis.api.problems import Problem

MOST_IN_LINE = 8
"""Authorities that may run or wait: each that waits keeps a thread of the process."""
WAIT_SECONDS = 20.0


class OneByOne:
    """Lets one request run, and one of each other authority wait for it."""

    def __init__(self, wait_seconds: float = WAIT_SECONDS) -> None:
        self._wait_seconds = wait_seconds
        self._turn, self._looking = Lock(), Lock()
        self._present: set[str] = set()

    @contextmanager
    def take(self, authority: str) -> Iterator[None]:
        """Wait for the turn, and hold it during the block. Raises Problem 429 where the authority has one already, or too many wait."""
        self._enter(authority)
        try:
            if not self._turn.acquire(timeout=self._wait_seconds):
                raise _later()
            try:
                yield
            finally:
                self._turn.release()
        finally:
            with self._looking:
                self._present.discard(authority)

    def _enter(self, authority: str) -> None:
        with self._looking:
            if authority in self._present or len(self._present) >= MOST_IN_LINE:
                raise _later()
            self._present.add(authority)


def _later() -> Problem:
    return Problem(429, "Another explanation is running", headers={"Retry-After": "5"})

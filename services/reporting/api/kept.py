"""Answers as they were given, so that what many ask is worked out once."""

from collections import OrderedDict
from threading import Lock
from typing import NamedTuple

MOST_BYTES = 64 * 1024 * 1024


class Given(NamedTuple):
    """One answer in one format."""

    content: bytes
    rows: int
    """How many figures it shows: each look of a national viewer is logged, whether or not it was worked out anew."""


class Kept:
    """Answers by ETag, which changes with all that an answer is made of. Those not asked for the longest go first."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._bytes, self._lock = most_bytes, 0, Lock()
        self._answers: OrderedDict[str, Given] = OrderedDict()

    def get(self, etag: str) -> Given | None:
        """The answer, if it is still there."""
        with self._lock:
            found = self._answers.get(etag)
            if found is not None:
                self._answers.move_to_end(etag)
            return found

    def put(self, etag: str, given: Given) -> Given:
        """Remember it; answers with what is remembered, since another may have been first."""
        with self._lock:
            if etag not in self._answers:
                self._answers[etag] = given
                self._bytes += len(given.content)
            while self._bytes > self._most:
                _, gone = self._answers.popitem(last=False)
                self._bytes -= len(gone.content)
            return self._answers.get(etag, given)

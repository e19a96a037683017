"""A cache of answers, so that what many callers ask is computed once."""

from contextlib import suppress
from threading import Lock
from typing import NamedTuple

from cachetools import LRUCache

MOST_BYTES = 64 * 1024 * 1024


class Given(NamedTuple):
    """One answer in one format."""

    content: bytes
    rows: int
    """How many figures it shows: each view of a national viewer is logged, even if the answer was cached."""


class ResponseCache:
    """Answers by ETag, which changes with everything that an answer is made from. The least recently used are dropped first."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._answers: LRUCache[str, Given] = LRUCache(most_bytes, lambda given: len(given.content))
        self._lock = Lock()

    def get(self, etag: str) -> Given | None:
        """Return the answer, if it is still cached."""
        with self._lock:
            return self._answers.get(etag)

    def put(self, etag: str, given: Given) -> Given:
        """Keep an answer. Returns the one kept, since another request may have been first."""
        with self._lock, suppress(ValueError):  # too large to be cached
            return self._answers.setdefault(etag, given)
        return given

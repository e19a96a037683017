"""A cache of public pages. They depend only on a release, so each is made once and not at each request."""

from threading import Lock

from cachetools import LRUCache
from fastapi import Request, Response

MOST_BYTES = 64 * 1024 * 1024
LONGEST_QUERY = 200


class PageCache:
    """Pages by everything from which they are made. The least recently used are dropped first."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._pages: LRUCache[tuple[object, ...], bytes] = LRUCache(most_bytes, len)
        self._lock = Lock()

    def get(self, request: Request, *made_of: object) -> bytes | None:
        """Return the page, if it is still cached."""
        with self._lock:
            return self._pages.get((*_address(request), *made_of))

    def put(self, page: Response, request: Request, *made_of: object) -> None:
        """Keep a page that was found."""
        content = bytes(page.body)
        if page.status_code == 200 and len(request.url.query) <= LONGEST_QUERY and len(content) <= MOST_BYTES // 10:
            with self._lock:
                self._pages[*_address(request), *made_of] = content


def _address(request: Request) -> tuple[str, ...]:
    """Return the address with the host, which pages repeat where they say how to cite them: a request that names another host gets a page
    of its own.
    """
    return str(request.base_url), request.url.path, request.url.query

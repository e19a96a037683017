"""Addresses of links: within a release, they lead to pages of the same release."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

OUTSIDE = ("/releases", "/about", "/search", "/data", "/sign-in", "/docs", "/openapi.json", "/v1/", "/static/")
"""Addresses that belong to no single release."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of a page's links. A release given by name stays in all of them."""

    release: str | None = None

    def __call__(self, path: str, /, **query: object) -> str:
        """Return the address of a page, with the non-empty parts of the query."""
        asked = urlencode({name: f"{value}" for name, value in query.items() if value not in {None, ""}})
        return f"{self._page(path)}?{asked}" if asked else self._page(path)

    def _page(self, path: str) -> str:
        if self.release is None or path.startswith(OUTSIDE):
            return path
        return f"/releases/{self.release}{'/overview' if path == '/' else path}"


def in_release(path: str, query: Mapping[str, str]) -> str:
    """Return the permanent address of a page that was requested with `release` in its query."""
    others = {name: value for name, value in query.items() if name != "release"}
    return Addresses(query["release"])(path, **others)


def within_release(path: str) -> str:
    """Return the route of a page within every release."""
    return f"/releases/{{release}}{'/overview' if path == '/' else path}"

"""The methods of an address. The framework names only those of the first route that matches the address."""

from collections.abc import Iterable, Iterator

from starlette.requests import Request
from starlette.routing import BaseRoute, Match, Route


def allowed(request: Request) -> str:
    """Return the methods in the form of a header `Allow`."""
    return ", ".join(sorted(set(_methods(request.app.routes, request))))


def _methods(routes: Iterable[BaseRoute], request: Request) -> Iterator[str]:
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from _methods(included.routes, request)
        elif isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            yield from route.methods or ()

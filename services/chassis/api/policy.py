"""What holds for each route: who may call it, and how much it takes and gives. A route without a row in its service's table is a fault."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.routing import Mount, Route
from starlette.types import Scope

from services.chassis.api.auth import Identity

KIB, MIB = 1024, 1024 * 1024


class Who(Enum):
    """Who may call a route: whoever holds one of these scopes, and where it says so belongs to an authority."""

    ANYBODY = frozenset[str](), False
    SENDER = frozenset({"events:write"}), True
    OWN_ORDERS = frozenset({"orders:read"}), True
    OWN_EVENTS = frozenset({"events:write", "orders:read"}), True
    MANAGER = frozenset({"orders:manage"}), True
    NATIONAL = frozenset({"national:read"}), False
    MEMBER = frozenset({"national:read", "orders:read"}), False

    @property
    def scopes(self) -> frozenset[str]:
        """Any of which lets a caller in; none where anybody may."""
        return self.value[0]

    def lets_in(self, identity: Identity) -> bool:
        """Whether the caller may."""
        scopes, of_an_authority = self.value
        return not scopes or (
            bool(scopes & identity.scopes) and (identity.authority is not None or not of_an_authority)
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one route. All sizes are in bytes."""

    who: Who = Who.ANYBODY
    body: int = 4 * KIB
    """Of a body that is taken whole."""
    lines: int = 0
    """Of a body of lines, which is read as it comes; 0 where none is taken."""
    seconds: float = 15.0
    """In which the body must have come."""
    items: int = 1
    """Events in one request."""
    answer: int = 16 * MIB
    """Of an answer. Nobody is sent more: they are told to ask for less."""
    listens: bool = False
    """Whether the answer goes on for as long as the caller listens."""

    @property
    def largest(self) -> int:
        """Of a body of any kind."""
        return max(self.body, self.lines)


Policies = Mapping[str, Policy]
"""By method and path, as in `GET /v1/orders`."""
OPEN = Policy()
COMMON: Policies = {
    "GET /healthz": Policy(answer=4 * KIB),
    "GET /readyz": Policy(answer=4 * KIB),
    "GET /openapi.json": OPEN,
}
"""Of every service."""


def policy_of(policies: Policies, scope: Scope) -> Policy:
    """Of the route that a request was led to. What leads nowhere may bring and take next to nothing."""
    route = scope.get("route")
    return policies.get(f"{scope['method']} {getattr(route, 'path', '')}", OPEN)


def names_of_routes(routers: Sequence[APIRouter]) -> Iterator[str]:
    """`METHOD path` of every route, which is how tables name them."""
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute | Route):
                yield from (f"{method} {route.path}" for method in sorted(route.methods or ()) if method != "HEAD")
            elif isinstance(route, Mount):
                yield f"GET {route.path}"
            elif isinstance(inner := getattr(route, "original_router", None), APIRouter):
                yield from names_of_routes([inner])


def check(policies: Policies, routers: Sequence[APIRouter]) -> None:
    """Raises ValueError for a route without a row, and for a row without a route."""
    routes = set(names_of_routes(routers))
    if missing := sorted(routes - policies.keys()):
        raise ValueError(f"no policy says who may call {', '.join(missing)}")
    if idle := sorted(policies.keys() - routes - COMMON.keys()):
        raise ValueError(f"there is no route {', '.join(idle)}")

"""The policy of each route: who may call it, and how much it accepts and returns. A route without a row is an error."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.routing import Mount, Route
from starlette.types import Scope

from services.chassis.api.auth import PUBLIC, Identity
from services.chassis.api.problems import Problem

KIB, MIB = 1024, 1024 * 1024


class Who(Enum):
    """The callers of a route: members of an authority with any of the first scopes, and anybody with any of the others."""

    ANYBODY = frozenset[str](), frozenset[str]()
    SENDER = frozenset({"events:write"}), frozenset[str]()
    OWN_ORDERS = frozenset({"orders:read"}), frozenset[str]()
    OWN_EVENTS = frozenset({"events:write", "orders:read"}), frozenset[str]()
    MANAGER = frozenset({"orders:manage"}), frozenset[str]()
    NATIONAL = frozenset[str](), frozenset({"national:read"})
    INSPECTOR = frozenset[str](), frozenset({"national:inspect"})
    MEMBER = frozenset({"orders:read"}), frozenset({"national:read"})
    PERSON = frozenset({"orders:read"}), frozenset({"national:read", "operations"})

    @property
    def scopes(self) -> frozenset[str]:
        """Return the scopes of which one is needed; none if anybody may call."""
        return self.value[0] | self.value[1]

    @property
    def of_the_nation(self) -> bool:
        """Return whether callers see the rows of all authorities rather than of one."""
        own, anywhere = self.value
        return not own and bool(anywhere)

    def lets_in(self, identity: Identity) -> bool:
        """Return whether the caller may call."""
        own, anywhere = self.value
        return not self.scopes or bool((identity.authority and own & identity.scopes) or anywhere & identity.scopes)


class Role(Enum):
    """A role of people or machines, by scopes and by whether it belongs to an authority. Most callers hold one role."""

    PUBLIC = "public", frozenset[str](), False
    CASE_WORKER = "case worker", frozenset({"orders:read"}), True
    MANAGER = "manager", frozenset({"orders:read", "orders:manage"}), True
    DATA_OFFICER = "data officer", frozenset({"orders:read", "events:write"}), True
    VENDOR_MACHINE = "vendor machine", frozenset({"events:write"}), True
    STATISTICIAN = "statistician", frozenset({"national:read"}), False
    """Sees figures of every authority, exact and before they are released."""
    INSPECTOR = "inspector", frozenset({"national:read", "national:inspect"}), False
    """Also sees what lies behind figures: orders that authorities report differently."""
    OPERATOR = "operator", frozenset({"operations"}), False

    @property
    def title(self) -> str:
        """Return the role in words."""
        return self.value[0]

    def identity(self, authority: str) -> Identity:
        """Return an identity with this role; of the authority, if the role belongs to one."""
        _, scopes, of_an_authority = self.value
        return PUBLIC if self is Role.PUBLIC else Identity(self.title, scopes, authority if of_an_authority else None)

    def is_held_by(self, identity: Identity) -> bool:
        """Return whether the caller has all rights of the role."""
        _, scopes, of_an_authority = self.value
        return scopes <= identity.scopes and of_an_authority == bool(identity.authority)


def role_of(identity: Identity) -> str:
    """Return the title of the role that best describes the caller's rights."""
    held = [role for role in Role if role.is_held_by(identity)]
    return max(held, key=lambda role: len(role.value[1])).title if held else "other"


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one route. All sizes are in bytes."""

    who: Who = Who.ANYBODY
    page: bool = False
    """Whether it is a page, for which a cookie signs people in. Those who are not signed in are redirected to the sign-in page."""
    body: int = 4 * KIB
    """Largest body that is read as a whole."""
    lines: int = 0
    """Largest body of lines, which is read as it arrives; 0 if lines are not accepted."""
    seconds: float = 15.0
    """How long the body may take to arrive."""
    items: int = 1
    """Most events in one request."""
    answer: int = 16 * MIB
    """Largest answer. Beyond it, callers are told to ask for less."""
    listens: bool = False
    """Whether the answer continues for as long as the caller listens."""
    apart: bool = False
    """Whether callers who are not signed in have turns of their own for it: it is asked for somebody of whom a token is not known yet."""

    @property
    def largest(self) -> int:
        """Return the size of the largest body of any kind."""
        return max(self.body, self.lines)


Policies = Mapping[str, Policy]
"""Policies by method and path, as in `GET /v1/orders`."""
OPEN = Policy()
COMMON: Policies = {
    "GET /healthz": Policy(answer=4 * KIB),
    "GET /readyz": Policy(answer=4 * KIB),
    "GET /openapi.json": OPEN,
}
"""Policies of routes that every service has."""


def policy_of(policies: Policies, scope: Scope) -> Policy:
    """Return the policy of the route of a request. A request without a route may send and receive next to nothing."""
    route = scope.get("route")
    return policies.get(f"{scope['method']} {getattr(route, 'path', '')}", OPEN)


def admit(policy: Policy, identity: Identity) -> None:
    """Raise Problem 401 for callers who are not identified, and 403 for callers without the right."""
    if policy.page or policy.who.lets_in(identity):
        return
    if identity is PUBLIC:
        raise Problem(401, "A bearer token is required", headers={"WWW-Authenticate": "Bearer"})
    needed = " or ".join(sorted(policy.who.scopes))
    if policy.who.scopes & identity.scopes:
        raise Problem(403, "The token names no authority")
    challenge = f'Bearer error="insufficient_scope", scope="{needed}"'
    raise Problem(403, f"The scope {needed} is required", headers={"WWW-Authenticate": challenge})


def security(policy: Policy) -> list[dict[str, list[str]]]:
    """Return the requirement in OpenAPI's form: any one of these is sufficient."""
    return [{"HTTPBearer": [scope]} for scope in sorted(policy.who.scopes)]


def names_of_routes(routers: Sequence[APIRouter]) -> Iterator[str]:
    """Yield `METHOD path` of every route, which is how tables name them."""
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute | Route):
                yield from (f"{method} {route.path}" for method in sorted(route.methods or ()) if method != "HEAD")
            elif isinstance(route, Mount):
                yield f"GET {route.path}"
            elif isinstance(inner := getattr(route, "original_router", None), APIRouter):
                yield from names_of_routes([inner])


def check(policies: Policies, routers: Sequence[APIRouter]) -> None:
    """Raise ValueError for a route without a row, and for a row without a route."""
    routes = set(names_of_routes(routers))
    if missing := sorted(routes - policies.keys()):
        raise ValueError(f"no policy says who may call {', '.join(missing)}")
    if idle := sorted(policies.keys() - routes - COMMON.keys()):
        raise ValueError(f"there is no route {', '.join(idle)}")

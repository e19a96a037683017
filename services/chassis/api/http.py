"""The public side of a service: one way to build an application, and one to serve it."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import wraps
from math import inf
from threading import Event, Thread
from time import monotonic
from types import FrameType
from typing import Any, Literal

import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from fastapi.telemetry import TelemetryConfig
from prometheus_client import CollectorRegistry
from pydantic import BaseModel, Field
from sqlalchemy import Engine
from starlette.types import Lifespan

from services.chassis.api import policy, problems
from services.chassis.api.auth import caller_named
from services.chassis.api.bounds import Bounds, refuse_announced
from services.chassis.api.callers import KeysAtHand
from services.chassis.api.middleware import GUARDS, NO_PAGES, Guard
from services.chassis.api.policy import COMMON, OPEN, Policies, Who, admit, policy_of, security
from services.chassis.api.protocol import bounded
from services.chassis.api.query import refuse_unknown
from services.chassis.api.rate_limit import HEADERS, RETRY_AFTER, UNLIMITED, RateLimit
from services.chassis.api.turns import Turns
from services.chassis.audit import watching
from services.chassis.audit.national import NationalLooks
from services.chassis.clock import Clock, system_clock
from services.chassis.failures import Failure
from services.chassis.guarding import walls
from services.chassis.guarding.budgets import Budgets, shared
from services.chassis.memory import collect_seldom
from services.chassis.metrics import AuditMetrics, HttpMetrics, exposed
from services.chassis.schema import Schema
from services.chassis.settings import HttpSettings, MetricsSettings, TokenSettings
from services.chassis.web.sessions import Sessions, SignedIn

Checks = Mapping[str, Callable[[], object]]
NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""The framework's own telemetry would record addresses, which may hold the reference of an order, and faulty values of a body."""
ASK_SECONDS = 5.0
PATIENCE = 3
"""After so many checks without an answer, a dependency counts as away."""


class Readiness(Schema, description="Requests can be served."):
    status: Literal["ready"] = "ready"
    without: list[str] | None = Field(default=None, description="What is unavailable, so that some requests fail")


def application(  # noqa: PLR0913
    title: str,
    settings: HttpSettings,
    registry: CollectorRegistry,
    routers: Sequence[APIRouter],
    policies: Policies,
    *,
    tokens: TokenSettings | None = None,
    audit: Engine | None = None,
    national: Engine | None = None,
    checks: Checks | None = None,
    beside: Checks | None = None,
    described: Mapping[type, str] | None = None,
    content_security_policy: str = NO_PAGES,
    sessions: Sessions | None = None,
    clock: Clock = system_clock,
    lifespan: Lifespan[FastAPI] | None = None,
) -> FastAPI:
    """Build an application of these routers, with everything that every service has.

    `checks` must answer before the service is ready: each returns, or raises a Failure. Only some requests need the checks of `beside`, so
    the service is ready without them, and says so. If answers are about people, `audit` is the database that records what was shown to
    whom; if they are figures, `national` is the one that records what national viewers saw. `described` holds the descriptions of types in
    answers that are no Schema. Give routers their prefix themselves (`APIRouter(prefix=...)`): metrics and policies name routes by it.
    Raises ValueError if a route has no policy.
    """
    checks, beside, budgets = checks or {}, beside or {}, Budgets(clock)
    app = FastAPI(
        title=title,
        version="1",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        generate_unique_id_function=_name,
        telemetry=NO_TELEMETRY,
    )
    app.state.tokens, app.state.sessions = tokens, sessions
    for kind, handler in problems.HANDLERS.items():
        app.add_exception_handler(kind, handler)
    known = {**COMMON, **policies}
    routers = [*routers, _health(checks, beside)]
    policy.check(known, routers)
    if audit is not None:
        recorded = AuditMetrics(registry)
        app.add_middleware(watching.Watch, database=audit, policies=known, metrics=recorded, clock=clock)
    if national is not None and tokens is not None:
        app.add_middleware(NationalLooks, database=national, tokens=tokens, metrics=AuditMetrics(registry))
    if sessions:
        app.add_middleware(SignedIn, sessions=sessions)
    app.add_middleware(Bounds, policies=known)
    app.state.budgets, app.state.shares = budgets, audit or national
    app.add_middleware(Turns, settings=settings, tokens=tokens, policies=known, budgets=budgets)
    metrics = app.state.metrics = HttpMetrics(registry)
    app.state.dependencies = {**checks, **beside}
    app.state.policies, app.state.described = known, described or {}
    _count_callers(app, settings, tokens, budgets)
    app.add_middleware(Guard, metrics=metrics, content_security_policy=content_security_policy)
    for router in routers:
        app.include_router(router, dependencies=[Depends(refuse_unknown), Depends(_admitted), Depends(_within_bounds)])
    for name in policy.names_of_routes(routers):
        metrics.serves(*name.split(" ", 1))
    limited = settings.requests_per_minute > 0
    app.openapi = lambda: _document(app, limited=limited)  # type: ignore[method-assign]
    return app


def _count_callers(app: FastAPI, settings: HttpSettings, tokens: TokenSettings | None, budgets: Budgets) -> None:
    """Limit the requests of each caller, who is known once the issuer's keys are at hand."""
    if settings.requests_per_minute:
        app.add_middleware(
            RateLimit,
            per_minute=settings.requests_per_minute,
            tokens=tokens,
            metrics=app.state.metrics,
            budgets=budgets,
        )
    if tokens is not None:
        app.add_middleware(KeysAtHand, tokens=tokens)


async def _admitted(request: Request) -> None:
    """Depend on admission to the route. Raises Problem 401, 403 if its policy does not admit the caller."""
    found = policy_of(request.app.state.policies, request.scope)
    if found.who is not Who.ANYBODY:
        identity = await caller_named(request)
        watching.called_by(identity)
        walls.sees(walls.Sight(identity.authority or "", whole_nation=found.who.of_the_nation))
        admit(found, identity)


async def _within_bounds(request: Request) -> None:
    """Depend on the limits of the route. Raises Problem 413 for a body whose announced length is too large, before it is read."""
    refuse_announced(policy_of(request.app.state.policies, request.scope), request.scope)


class Written(APIRoute):
    """A route whose answer is written as JSON where it was made.

    FastAPI would pass it to another thread, only to check it again against the model of which it is made.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, _written(endpoint), **options)


def _written(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(endpoint)
    def answer(*given: Any, **named: Any) -> Any:
        found = endpoint(*given, **named)
        if not isinstance(found, BaseModel):
            return found
        watching.shows(found)
        return Response(found.model_dump_json(), media_type="application/json")

    return answer


SWITCH_SECONDS = 0.0005
"""How long a busy thread runs before one that waits gets a turn. A request changes threads often, and would wait 5 ms each time."""
KEEP_ALIVE_SECONDS = 75
"""Longer than clients keep an idle connection, so that it is not closed just as they send a request."""


def serve(app: FastAPI, settings: HttpSettings, metrics: MetricsSettings, registry: CollectorRegistry) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests that are running."""
    config = uvicorn.Config(
        app,
        http=bounded(GUARDS, settings.trusted_proxies),
        ws="none",
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )
    collect_seldom()
    sys.setswitchinterval(SWITCH_SECONDS)
    asked = asking(app.state.dependencies, app.state.metrics)
    with exposed(metrics, registry), asked, shared(app.state.budgets, app.state.shares):
        Server(config).run()


TICK_SECONDS = 1.0
"""How often the date in answers is set."""


class Server(uvicorn.Server):
    """Wakes once a second, where uvicorn wakes ten times to see whether a signal told it to end."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        """Return once it must end."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._told.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note a signal, and wake the loop that looks for it."""
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._told.set)


@contextmanager
def asking(dependencies: Checks, metrics: HttpMetrics, every: float = ASK_SECONDS) -> Iterator[None]:
    """Check each dependency repeatedly during the block. One that has not answered for long does not count as up."""
    stop = Event()
    for name, check in dependencies.items():
        asked = _Asked(check, every)
        metrics.dependency_up.labels(name).set_function(asked.up)
        Thread(target=asked.run, args=(stop,), name=f"ask-{name}", daemon=True).start()
    try:
        yield
    finally:
        stop.set()


class _Asked:
    """One dependency. If it hangs, it does not hold up the others, and its last good answer expires."""

    def __init__(self, check: Callable[[], object], every: float) -> None:
        self._check, self._every = check, every
        self._answered = -inf

    def up(self) -> bool:
        return monotonic() - self._answered < PATIENCE * self._every

    def run(self, stop: Event) -> None:
        while not stop.is_set():
            begun = monotonic()
            self._answered = monotonic() if _holds(self._check) else -inf
            stop.wait(max(0.0, self._every - (monotonic() - begun)))


def _health(checks: Checks, beside: Checks) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="Whether the process runs")
    def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/readyz", summary="Whether it can serve requests", response_model_exclude_none=True)
    def readyz() -> Readiness:
        if missing := _missing(checks):
            raise problems.away(waiting_for=missing)
        return Readiness(without=_missing(beside) or None)

    return router


def _missing(checks: Checks) -> list[str]:
    return [name for name, check in checks.items() if not _holds(check)]


def _holds(check: Callable[[], object]) -> bool:
    try:
        check()
    except Failure:
        return False
    return True


def _name(route: APIRoute) -> str:
    """Return the name that generated clients use for the operation."""
    return route.name


def _document(app: FastAPI, *, limited: bool) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the application, with the problems that each operation may answer."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            routes=app.routes,
            description=app.description or None,
            license_info=app.license_info,
            tags=app.openapi_tags,
        )
        if app.contact:  # FastAPI would need a library to check the address
            document["info"]["contact"] = app.contact
        components = document.setdefault("components", {})
        schemas = components.setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        schemas["Problem"] = problems.SCHEMA
        for kind, description in app.state.described.items():
            schemas[kind.__name__]["description"] = description
        written = {name.replace(":path}", "}"): each for name, each in app.state.policies.items()}
        for address, path in document["paths"].items():
            for method, operation in path.items():
                who = written.get(f"{method.upper()} {address}", OPEN)
                if who.who is not Who.ANYBODY:
                    operation["security"] = security(who)
                _add_problems(operation, limited=limited and address not in UNLIMITED)
        app.openapi_schema = document
    return app.openapi_schema


def _add_problems(operation: dict[str, Any], *, limited: bool) -> None:
    responses = operation["responses"]
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]
    for status, response in problems.documented(*_statuses(operation)).items():
        responses.setdefault(str(status), response)
    if limited:
        refusal = responses.setdefault("429", problems.documented(429)[429])
        refusal["headers"] = {**RETRY_AFTER, **HEADERS}
        for status in [status for status in responses if status.startswith("2")]:
            responses[status].setdefault("headers", {}).update(HEADERS)


def _statuses(operation: dict[str, Any]) -> list[int]:
    statuses = [422, 500, 503]
    if "security" in operation:
        statuses += [401, 403]
    if "requestBody" in operation:
        statuses += [400, 413]
    return statuses

"""National viewers see figures that the public does not: each view is recorded before the answer goes out, or there is no answer."""

from collections.abc import Mapping

from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from services.chassis.api.auth import Identity
from services.chassis.api.callers import named_by_token
from services.chassis.api.policy import role_of
from services.chassis.audit.model import WHOLE_SERVICE, Entry, Kind, Purpose
from services.chassis.audit.store import append
from services.chassis.audit.watching import HEADER, Answer
from services.chassis.clock import Clock, system_clock
from services.chassis.database import transaction
from services.chassis.metrics import AuditMetrics
from services.chassis.settings import TokenSettings
from services.chassis.web.sessions import SCOPE_KEY, Session

NO_FIGURES = ("/static/", "/sign-", "/sessions", "/v1/session", "/healthz", "/readyz", "/openapi.json", "/robots.txt")
"""Beginnings of addresses that show no figures. A new route is recorded unless it is named here."""


class NationalLooks:
    """Records the route that answered national viewers, with the indicator, area or release."""

    def __init__(
        self, app: ASGIApp, database: Engine, tokens: TokenSettings, metrics: AuditMetrics, clock: Clock = system_clock
    ) -> None:
        self._app, self._database, self._tokens = app, database, tokens
        self._metrics, self._clock = metrics, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and not scope["path"].startswith(NO_FIGURES):
            send = Answer(lambda: self._keep(scope), scope, receive, send).send
        await self._app(scope, receive, send)

    async def _keep(self, scope: Scope) -> None:
        """Raise Away if the view cannot be recorded."""
        session = scope.get(SCOPE_KEY)
        who = session.identity if isinstance(session, Session) else named_by_token(scope, self._tokens)
        if who is not None and who.audience == "national":
            await run_in_threadpool(self._write, self._entry(scope, who))

    def _entry(self, scope: Scope, who: Identity) -> Entry:
        route = f"{scope['method']} {getattr(scope.get('route'), 'path', '')}"
        by = (who.subject, who.authority or "", role_of(who), _purpose(scope))
        return Entry(WHOLE_SERVICE, self._clock(), *by, Kind.LOOK, route, None, (), _about(scope))

    def _write(self, entry: Entry) -> None:
        with transaction(self._database) as connection:
            append(connection, entry)
        self._metrics.kept.labels(entry.role).inc()


def _purpose(scope: Scope) -> Purpose:
    given = Headers(scope=scope).get(HEADER, "")
    return Purpose(given) if given in set(Purpose) else Purpose.NOT_STATED


def _about(scope: Scope) -> Mapping[str, str]:
    """Return the names in the address. They exist, since the request was answered, so nothing that somebody typed is recorded."""
    return {name: str(value) for name, value in scope.get("path_params", {}).items()}

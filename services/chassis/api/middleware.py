"""Wraps every request: names, limits and measures it, and ensures that it is answered."""

import logging
import re
from contextlib import AbstractContextManager, nullcontext
from time import perf_counter
from uuid import uuid4

from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, StatusCode, get_current_span
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.chassis import logs, tracing
from services.chassis.api.problems import Problem
from services.chassis.metrics import HttpMetrics

log = logging.getLogger(__name__)

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
QUIET = {"/healthz", "/readyz"}
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
CALLER_WENT_AWAY = 499
SERVER_ERROR = 500
NO_PAGES = "default-src 'none'; frame-ancestors 'none'"
GUARDS = {
    "content-security-policy": NO_PAGES,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}
"""Headers of every answer, unless a route sets others."""


class Guard:
    """Outermost: request id, security headers, metrics, one log line, and an answer if our code fails."""

    def __init__(self, app: ASGIApp, metrics: HttpMetrics, content_security_policy: str) -> None:
        self._app, self._metrics = app, metrics
        self._headers = GUARDS | {"content-security-policy": content_security_policy}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        token = logs.request_id.set(_request_id(scope))
        try:
            with _traced(scope):
                await self._answer(scope, receive, send)
        finally:
            logs.request_id.reset(token)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun, answered = perf_counter(), 0

        async def send_with_headers(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = message["status"]
                self._add_headers(message)
            await send(message)

        try:
            with self._metrics.running.track_inprogress():
                await self._app(scope, receive, send_with_headers)
        except ClientDisconnect:
            answered = CALLER_WENT_AWAY
        except Exception:
            log.exception("a fault of ours")
            if answered:
                raise  # half an answer is out: only breaking the connection shows that it is incomplete
            await Problem(500, "This is our error, and it has been recorded").response()(
                scope, receive, send_with_headers
            )
        finally:
            self._record(scope, answered or CALLER_WENT_AWAY, perf_counter() - begun)

    def _add_headers(self, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        headers["x-request-id"] = logs.request_id.get() or ""
        for name, value in self._headers.items():
            headers.setdefault(name, value)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = getattr(scope.get("route"), "path", None) or "unknown"
        self._metrics.answered(method, route, status, seconds)
        _tell_trace(method, route, status)
        level = logging.DEBUG if route in QUIET else logging.INFO
        told = {"method": method, "route": route, "status": status, "seconds": round(seconds, 4)}
        log.log(level, "answered", extra=told)


def _traced(scope: Scope) -> AbstractContextManager[Span]:
    """Return a span that continues the caller's trace; none for requests that are repeated every few seconds."""
    if not tracing.is_on() or scope["path"] in QUIET:
        return nullcontext(INVALID_SPAN)
    told = tracing.told(Headers(scope=scope).get(tracing.HEADER))
    return tracing.span("request", SpanKind.SERVER, within=told)


def _tell_trace(method: str, route: str, status: int) -> None:
    """Set the attributes of the span. The route is named by its template, since an address may hold the reference of an order."""
    if not tracing.is_on():
        return
    span = get_current_span()
    span.update_name(f"{method} {route}")
    span.set_attributes({"http.request.method": method, "http.route": route, "http.response.status_code": status})
    span.set_attribute("payback.request_id", logs.request_id.get() or "")
    if status >= SERVER_ERROR:
        span.set_status(StatusCode.ERROR)


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else uuid4().hex

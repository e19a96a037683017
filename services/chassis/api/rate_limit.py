"""Limits the requests of one caller in a minute, so that none uses up everybody's share."""

import logging
from math import ceil
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.chassis.api.callers import caller_of, hold_back
from services.chassis.api.problems import Problem
from services.chassis.guarding.budgets import WINDOW_SECONDS, Budgets, Spent
from services.chassis.metrics import HttpMetrics
from services.chassis.settings import TokenSettings

log = logging.getLogger(__name__)

UNLIMITED = {"/healthz", "/readyz"}


def _header(about: str, kind: str, example: str | int) -> dict[str, Any]:
    return {"description": about, "schema": {"type": kind}, "example": example}


HEADERS = {
    "RateLimit-Policy": _header("`q` requests in `w` seconds", "string", '"requests";q=1200;w=60'),
    "RateLimit": _header("`r` requests left, for `t` seconds", "string", '"requests";r=1187;t=42'),
}
RETRY_AFTER = {"Retry-After": _header("Seconds to wait", "integer", 42)}
"""How documents describe the headers."""


class RateLimit:
    """Counts requests by the token's identity, or else by address, in all processes of the service together.

    Every answer says how many are left, in the headers of the IETF's draft on rate limits (`RateLimit`, `RateLimit-Policy`).
    """

    def __init__(
        self, app: ASGIApp, per_minute: int, tokens: TokenSettings | None, metrics: HttpMetrics, budgets: Budgets
    ) -> None:
        self._app, self._tokens, self._metrics = app, tokens, metrics
        self._most, self._budgets, self._noticed = per_minute, budgets, False
        self._policy = f'"requests";q={per_minute};w={WINDOW_SECONDS}'

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"] in UNLIMITED:
            await self._app(scope, receive, send)
            return
        caller = caller_of(scope, self._tokens)
        self._notice_unnamed_proxy(scope)
        taken = self._budgets.take(caller.key, Spent(1)).requests
        left, seconds = max(0, self._most - taken), ceil(self._budgets.seconds_left())

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["ratelimit-policy"] = self._policy
                headers["ratelimit"] = f'"requests";r={left};t={seconds}'
            await send(message)

        if taken <= self._most:
            await self._app(scope, receive, send_with_headers)
            return
        self._metrics.limited.labels(caller.kind).inc()
        await hold_back(caller)
        refusal = Problem(429, f"More than {self._most} requests in a minute", headers={"Retry-After": str(seconds)})
        await refusal.response()(scope, receive, send_with_headers)

    def _notice_unnamed_proxy(self, scope: Scope) -> None:
        """Warn once if requests come through a proxy that the settings do not name: all of its callers share one budget."""
        told = "x-forwarded-for" in Headers(scope=scope) and scope.get("client")
        if told and told[1] and not self._noticed:  # a trusted proxy leaves no port
            self._noticed = True
            log.warning(
                "a proxy that PAYBACK_HTTP_TRUSTED_PROXIES does not name speaks for callers: they share one limit"
            )

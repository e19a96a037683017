"""Wires the desk: everything is made here and passed on as an argument."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from services.chassis import logs
from services.chassis.api.http import application, serve
from services.chassis.metrics import new_registry
from services.chassis.web.frame import POLICY
from services.chassis.web.refusals import Refusals
from services.chassis.web.sessions import Sessions
from services.desk.pages import routes
from services.desk.pages.site import site_of
from services.desk.platform import Platform
from services.desk.policies import POLICIES
from services.desk.session_store import AskedSessions
from services.desk.settings import ApiSettings

MOST_CONNECTIONS = 300
"""To the services that pages ask: as many as the pages at work may need, each of which asks for a few things together."""


def build(settings: ApiSettings, registry: CollectorRegistry, client: httpx.AsyncClient) -> FastAPI:
    """Return the application. It closes the client when it stops."""

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        async with client:
            yield

    platform = Platform(settings.platform, client)
    site = site_of(platform, settings)
    app = application(
        "Payback: desk",
        settings.http,
        registry,
        [routes.router(site)],
        POLICIES,
        tokens=settings.tokens,
        content_security_policy=POLICY,
        sessions=Sessions(
            "Desk",
            AskedSessions(platform),
            settings.tokens,
            settings.oidc,
            insecure=settings.site.insecure_cookie,
        ),
        lifespan=running,
    )
    app.add_middleware(Refusals, frame=site)
    return app


def run_api(settings: ApiSettings) -> int:
    """Serve until told to stop."""
    logs.configure(settings.logs, "desk-api")
    registry = new_registry()
    client = httpx.AsyncClient(
        timeout=settings.platform.timeout_seconds, limits=httpx.Limits(max_connections=MOST_CONNECTIONS)
    )
    serve(build(settings, registry, client), settings.http, settings.metrics, registry)
    return 0

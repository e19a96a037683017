"""Wires the API and the pages: every object is made here, and passed on as an argument."""

import os
import sys
from collections.abc import Callable
from functools import partial
from threading import Event, Thread
from typing import Any

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from services.chassis import database, logs, tracing
from services.chassis.api.http import Checks, application, serve
from services.chassis.api.open_access import Packing, open_up
from services.chassis.clock import Clock, system_clock
from services.chassis.guarding.aside import Beside, serve_beside, set_aside, unlimited
from services.chassis.guarding.forking import LOWEST, Twin
from services.chassis.guarding.pending_migrations import SchemaReady
from services.chassis.metrics import new_registry
from services.chassis.web.frame import POLICY
from services.chassis.web.refusals import Refusals
from services.chassis.web.sessions import Sessions
from services.reporting import api
from services.reporting.api.described import DESCRIBED
from services.reporting.api.session_store import SessionStore
from services.reporting.formats.publisher import CONTACT, LICENCE, PUBLISHER
from services.reporting.pages import routes
from services.reporting.pages.site import Site, site_of
from services.reporting.policies import POLICIES
from services.reporting.publishing_held import OpeningMetrics, keep_opening
from services.reporting.replica import Following
from services.reporting.settings import MIGRATIONS, SCHEMA, ApiSettings
from services.reporting.warming import Warming

DESCRIPTION = (
    "Figures on community payback orders in Scotland. Released figures are for everybody, without a key; a token shows an "
    "authority its own figures live, and national statistics and inspection all of them."
)
TAGS: list[dict[str, Any]] = [
    {"name": "indicators", "description": "What is measured, and how"},
    {"name": "figures", "description": "Figures by area, period and category, and comparisons"},
    {
        "name": "releases and quality",
        "description": "What was published, its files, what moved, and how complete it is",
    },
    {"name": "cells", "description": "Whole cells, for national viewers"},
    {"name": "health", "description": "For operators"},
]


def build(settings: ApiSettings, engine: Engine, registry: CollectorRegistry, clock: Clock = system_clock) -> FastAPI:
    """Build the application of the API and the pages."""
    site = site_of(_reading(settings, engine), clock, settings.site)
    return _to_all(_built(settings, engine, registry, site, {}), site)


def _built(
    settings: ApiSettings,
    engine: Engine,
    registry: CollectorRegistry,
    site: Site,
    more: Checks,
    public: Beside | None = None,
) -> FastAPI:
    clock, reading = site.clock, site.database
    store = SessionStore(engine, clock, settings.site)
    checks: Checks = {
        "postgresql": _following(settings, engine, reading),
        "schema": SchemaReady(engine, SCHEMA, MIGRATIONS).check,
    }
    app = application(
        "Payback: reporting",
        settings.http,
        registry,
        [*api.routers(engine, reading, clock, store), routes.router(site)],
        POLICIES,
        tokens=settings.tokens,
        national=engine,
        checks={**checks, **more},
        described=DESCRIBED,
        content_security_policy=POLICY,
        sessions=Sessions("Figures", store, settings.tokens, settings.oidc, insecure=settings.site.insecure_cookie),
        beside={"public": public.check} if public else None,
        lifespan=public.running if public else None,
    )
    app.state.reading = reading
    app.description, app.openapi_tags = DESCRIPTION, TAGS
    app.contact = {"name": PUBLISHER, "email": CONTACT}
    app.license_info = {"name": LICENCE.name, "identifier": LICENCE.short}
    app.add_exception_handler(404, routes.not_found(site))
    if public:
        set_aside(app, public)
    return app


def _to_all(app: FastAPI, site: Site) -> FastAPI:
    """Return the application with answers for browsers, and for pages of other sites."""
    app.add_middleware(Refusals, frame=site)
    open_up(app)
    return app


def run_api(settings: ApiSettings) -> int:
    """Serve until told to stop."""
    command = [sys.executable, "-m", "services.reporting", "beside"]
    twin = Twin(command, partial(_live_beside, settings)) if sys.platform == "linux" else None
    logs.configure(settings.logs, SCHEMA)
    tracing.configure(settings.tracing, f"{SCHEMA}-api")
    registry = new_registry()
    engine = database.engine(settings.database)
    stop = Event()
    opening = engine, system_clock, stop, OpeningMetrics(registry)
    Thread(target=keep_opening, args=opening, name="opening", daemon=True).start()
    site = site_of(_reading(settings, engine), system_clock, settings.site)
    warming, public = Warming(site), Beside(command, twin)
    app = _to_all(_built(settings, engine, registry, site, {"pages": warming.check}, public), site)
    Thread(target=warming.run, args=(app, stop), name="warming", daemon=True).start()
    serve(app, settings.http, settings.metrics, registry)
    stop.set()
    return 0


def _live_beside(settings: ApiSettings, descriptor: int) -> None:
    os.nice(LOWEST)
    run_beside(settings, descriptor)


def run_beside(settings: ApiSettings, descriptor: int) -> int:
    """Answer callers who are not signed in, for the process that has the other end of the socket."""
    logs.configure(settings.logs, SCHEMA)
    engine = database.engine(settings.database)
    site = site_of(_reading(settings, engine), system_clock, settings.site)
    asked = settings.model_copy(update={"http": unlimited(settings.http)})
    app = _built(asked, engine, new_registry(), site, {})
    app.add_middleware(Packing)
    warming = Warming(site)
    Thread(target=warming.run, args=(app, Event()), name="warming", daemon=True).start()
    serve_beside(app, descriptor, warming.is_done)
    return 0


def _reading(settings: ApiSettings, engine: Engine) -> Engine:
    return database.engine(settings.reading.of(settings.database)) if settings.reading.url else engine


def _following(settings: ApiSettings, engine: Engine, reading: Engine) -> Callable[[], None]:
    if reading is engine:
        return partial(database.ping, engine)
    return Following(engine, reading, settings.reading.behind_seconds).check

"""Wires and runs the API of a service of records."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from services.chassis import logs, tracing
from services.chassis.api.http import application, serve
from services.chassis.api.policy import Policies
from services.chassis.database import transaction
from services.chassis.guarding.pending_migrations import schema_ready
from services.chassis.guarding.walls import behind
from services.chassis.metrics import new_registry
from services.chassis.streaming.clients.admin import Admin
from services.chassis.streaming.clients.producer import Producer
from services.records.api import audit_trail, intake
from services.records.api.decisions.signatures import RegisteredSigners
from services.records.api.described import DESCRIBED
from services.records.api.receipts import outcomes, sequence, trees
from services.records.config.settings import ApiSettings
from services.records.model.domain import Domain


class Surface(NamedTuple):
    """The routes of one service, beyond the common ones."""

    title: str
    routes: Callable[[Engine, Domain], Sequence[APIRouter]]
    policies: Policies


class Api(NamedTuple):
    """The rules, routes and settings of which the API of one service is made."""

    domain: Domain
    surface: Surface
    settings: ApiSettings


class Parts(NamedTuple):
    """The parts on which the application depends. Each connects when it is first used."""

    database: Engine
    producer: Producer
    admin: Admin
    registry: CollectorRegistry


def parts_of(settings: ApiSettings) -> Parts:
    """Return the parts of one process."""
    return Parts(behind(settings.database), Producer(settings.kafka), Admin(settings.kafka), new_registry())


def run_api(domain: Domain, surface: Surface, settings: ApiSettings) -> int:
    """Serve the API until told to stop. Returns the exit status."""
    logs.configure(settings.logs, f"{domain.service}-api")
    tracing.configure(settings.tracing, f"{domain.service}-api")
    parts = parts_of(settings)
    app = build(domain, surface, settings, parts)
    try:
        serve(app, settings.http, settings.metrics, parts.registry)
    finally:
        parts.producer.close()
        parts.admin.close()
        parts.database.dispose()
    return 0


def build(domain: Domain, surface: Surface, settings: ApiSettings, parts: Parts) -> FastAPI:
    """Build the application."""
    database = parts.database
    signers = RegisteredSigners(database)
    common = [
        intake.router(domain.own, parts.producer, signers=signers),
        outcomes.router(domain.own, database),
        trees.router(database),
        audit_trail.router(database),
    ]
    if domain.follows_counters:
        common.append(sequence.router(database, parts.admin.ends))
    return application(
        surface.title,
        settings.http,
        parts.registry,
        [*common, *surface.routes(database, domain)],
        surface.policies,
        tokens=settings.tokens,
        audit=database,
        checks={"kafka": parts.admin.ping, "signers": signers.check},  # without PostgreSQL, it still takes events
        beside={"postgresql": lambda: _ask(database), "schema": schema_ready(settings.database).check},
        described=DESCRIBED,
    )


def _ask(database: Engine) -> None:
    with transaction(database) as connection:
        connection.exec_driver_sql("SELECT 1")

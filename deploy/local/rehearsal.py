"""Does once what every service does when it starts, so that processes forked afterwards share what libraries keep of it.

It builds each application and has it answer once, and makes a worker's consumer. No connection is opened and no thread begun: a fork could
not take them along.
"""

import asyncio
import gc
from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import MappingProxyType

import httpx
from fastapi import FastAPI

from contracts.topics import source_topics
from deploy.local.settings import another_environment
from services.chassis import database, logs
from services.chassis.metrics import StreamMetrics, new_registry
from services.chassis.settings import LogSettings
from services.chassis.streaming.clients.admin import Admin
from services.chassis.streaming.engine import StreamEngine
from services.chassis.streaming.membership.app import reading
from services.desk import app as desk
from services.desk.settings import ApiSettings as DeskSettings
from services.records.api import run_api
from services.records.config.settings import ApiSettings as RecordsSettings
from services.records.config.settings import WorkerSettings
from services.records.ingest.metrics import RecordsMetrics
from services.records.ingest.worker import Worker
from services.records.model.domain import Domain
from services.records.processes import api_of
from services.reporting import app as reporting
from services.reporting.settings import ApiSettings as ReportingSettings

RECORDS = ("orders", "unpaid_work")
NOWHERE: Mapping[str, str] = MappingProxyType(
    {
        "PAYBACK_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "PAYBACK_HTTP_PORT": "0",
        "PAYBACK_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "PAYBACK_METRICS_PORT": "0",
        "PAYBACK_TOKENS_JWKS_URL": "http://127.0.0.1:1/",
    }
)


def rehearse() -> None:
    """Build every application, let it answer, and make every consumer. Nothing of that is left but what libraries keep."""
    logs.configure(LogSettings(), "template")
    for service in RECORDS:
        with _nowhere(service):
            settings, working = RecordsSettings.load(), WorkerSettings.load()
        api = api_of(service, settings)
        _answer(run_api.build(*api, run_api.parts_of(settings)))
        asyncio.run(_read(api.domain, working))
    with _nowhere("reporting"):
        reads, shows = ReportingSettings.load(), DeskSettings.load()
    _answer(reporting.build(reads, database.engine(reads.database), new_registry()))
    _answer(desk.build(shows, new_registry(), httpx.AsyncClient()))
    gc.collect()


def _nowhere(service: str) -> AbstractContextManager[None]:
    """Have the settings of a service that reaches nothing."""
    return another_environment({**NOWHERE, "PAYBACK_DATABASE_SCHEMA_NAME": service})


def _answer(app: FastAPI) -> None:
    asyncio.run(_asked(app))


async def _asked(app: FastAPI) -> None:
    """Ask for what is not there, which no thread looks for."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://nowhere") as client:
        await client.get("/v1/nothing")


async def _read(domain: Domain, settings: WorkerSettings) -> None:
    registry = new_registry()
    worker = Worker(database.engine(settings.database), domain, RecordsMetrics(registry), settings.cache.records)
    admin = Admin(settings.kafka)
    engine = StreamEngine("nobody", settings.stream, worker, admin.identities, StreamMetrics(registry))
    reading(engine, settings.kafka, settings.stream, "nobody", source_topics(*domain.kinds)).discard()

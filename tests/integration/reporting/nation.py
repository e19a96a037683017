"""A few authorities for more than a year, one of which was never heard by the service of unpaid work; and a release of it."""

from collections.abc import Callable, Iterable, Iterator
from typing import get_args

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from contracts.authorities import AUTHORITIES
from contracts.cells import Cell, Position, Service
from contracts.periods import add_months, month_of
from services.chassis.clock import FixedClock
from services.chassis.database import engine, transaction
from services.chassis.settings import DatabaseSettings
from services.reporting.ingest.fold import fold
from services.reporting.ingest.store import write
from services.reporting.releases import publication
from services.reporting.settings import SCHEMA
from tests.integration.reporting.conftest import NOW, position
from tests.support import parts
from tests.support.made.figures import KNOWN_ON, national_cells

MONTHS, MANY = 15, 5
FIRST = add_months(month_of(KNOWN_ON), -MONTHS)
LAST = add_months(FIRST, MONTHS - 1)
CODES = list(AUTHORITIES)[:MANY]


def write_all(database: Engine, cells: Iterable[Cell], version: int) -> None:
    """Write all cells as the worker stores them, with the positions that they lead to."""
    places = [
        position(code, version=version, service=service)
        for code in CODES
        for service in get_args(Service)
        if (code, service) != (CODES[1], "unpaid_work")
    ]
    events = [each for place in places for each in _taken(place)]
    with transaction(database) as connection:
        write(connection, fold([*events, *cells, *places]))


def _taken(place: Position) -> Iterator[Cell]:
    where = place.service, place.authority, place.generation, place.version
    yield Cell(*where, "events", FIRST, "outcome=applied", KNOWN_ON, 7)


def release(database: Engine) -> str:
    """Make and publish one of all months; its name."""
    clock = FixedClock(NOW)
    name = publication.make(database, LAST, KNOWN_ON, clock)
    publication.publish(database, name, clock)
    return name


@pytest.fixture(scope="session")
def released_nation(postgres_server: str, migrated: Callable[[], str]) -> Iterator[Callable[[], str]]:
    """Yield what makes databases with the nation and its release, copied from one that was filled once. All of them go at the end."""
    template = migrated()
    database = engine(DatabaseSettings(url=template, schema_name=SCHEMA))
    write_all(database, national_cells(3, FIRST, MONTHS, MANY), version=1)
    assert release(database) == "2026-03.1"
    database.dispose()
    with parts.databases(postgres_server, template.rpartition("/")[2]) as make:
        yield make


@pytest.fixture
def database_settings(postgres_server: str, released_nation: Callable[[], str]) -> Iterator[DatabaseSettings]:
    """Yield the settings in place of the empty database that other tests of reporting have."""
    with parts.for_one_test(postgres_server, released_nation()) as url:
        yield DatabaseSettings(url=url, schema_name=SCHEMA)


@pytest.fixture
def published(client: TestClient) -> TestClient:
    """Return the API in front of the released nation."""
    return client

"""When and how much an authority sends shows to itself and to national viewers only: anybody else is told the day.

Two worlds were released alike. In the second, more was heard since, at another hour of the same day. To those whom it does not concern all
answers are the same, in status, headers and bytes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import NamedTuple

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, insert, select, update

from contracts.cells import Cell, Position
from services.chassis.api.auth import PUBLIC, Identity, mint
from services.chassis.clock import system_clock
from services.chassis.database import engine
from services.chassis.settings import DatabaseSettings
from services.reporting.ingest.store import fold, write
from services.reporting.policies import POLICIES
from services.reporting.read.tables import checkpoints
from services.reporting.releases.change_marker import marker
from services.reporting.settings import SCHEMA
from tests.integration.reporting.conftest import LONG_AGO, NOW, position, taken
from tests.integration.reporting.disclosure.test_attack import application, everything, parts_of
from tests.support import parts, released_monthly
from tests.support.openapi import KEYS
from tests.support.released_monthly import CODES

pytestmark = pytest.mark.timeout(300)
BUSY, QUIET = CODES[0], CODES[1]
"""Who sends more in the second world, and who does not."""
ALIKE = {"x-request-id": "alike"}
"""Else each answer has an id of its own."""
DATA = "/v1/indicators/orders_imposed/data"


def hear(database: Engine, *, more: int, hour: int) -> None:
    """Have the busy one send so many events at this hour; of the others, one is heard each, at nine."""
    for code in CODES:
        number, at = (more, NOW.replace(hour=hour)) if code == BUSY else (1, NOW)
        for service in ("orders", "unpaid_work"):
            before = position(code, service=service)
            now = Position(service, code, 1, 1 + number, dict.fromkeys(before.offsets, 1 + number), at)
            heard = [*taken(before), *taken(now)]
            told = Cell(service, code, 1, 1 + number, "events", LONG_AGO, "outcome=applied", NOW.date(), number)
            counted = Cell(service, code, 1, 1 + number, "orders_imposed", LONG_AGO, "", NOW.date(), number)
            with database.begin() as connection:
                write(connection, fold([*heard, told, *([counted] if service == "orders" else []), now]))
    row = {"topic": "national.aggregates", "partition": 0, "next_offset": 100 * more}
    with database.begin() as connection:
        connection.execute(insert(checkpoints).values(row | {"topic_id": "t", "cluster_id": "c"}))


class Released(NamedTuple):
    """The database of what happened, and the names of what was released of it."""

    url: str
    names: tuple[str, ...]


@pytest.fixture(scope="module")
def released(migrated: Callable[[], str]) -> Released:
    database = engine(DatabaseSettings(url=migrated(), schema_name=SCHEMA))
    names = released_monthly.truth(database, newest=2).releases
    database.dispose()  # who is connected keeps it from being copied
    return Released(database.url.render_as_string(hide_password=False), names)


@pytest.fixture(scope="module")
def databases(released: Released, postgres_server: str) -> Iterator[tuple[Engine, Engine]]:
    """Yield both worlds: one was released, copied, and each came to hear something else."""
    with parts.databases(postgres_server, released.url.rpartition("/")[2]) as copied:
        urls = released.url, copied()
        first, second = (engine(DatabaseSettings(url=url, schema_name=SCHEMA)) for url in urls)
        hear(first, more=2, hour=8)
        hear(second, more=57, hour=17)
        yield first, second
        first.dispose()
        second.dispose()


@pytest.fixture(scope="module")
def releases(released: Released) -> tuple[str, ...]:
    return released.names


def addresses(releases: tuple[str, ...]) -> Iterator[str]:
    """Yield every route and page by its plain address, and all that can be fetched of figures."""
    known = {"id": "orders_imposed", "code": BUSY, "extension": "csv", "release": releases[1], "name": "style.css"}
    for route in POLICIES:
        method, path = route.split(" ")
        if method == "GET" and path != "/v1/stream" and ":path" not in path:
            yield path.format(**known)
    yield from everything(releases)


def answer(client: TestClient, path: str, headers: Mapping[str, str]) -> tuple[int, dict[str, str], object]:
    """Return status, headers and bytes; of a workbook those of its parts, since it tells when it was written."""
    found = client.get(path, headers={**headers, **ALIKE})
    of_workbook = ".xlsx" in path and found.status_code == 200
    told = {name: value for name, value in found.headers.items() if not of_workbook or name != "content-length"}
    return found.status_code, told, parts_of(found.content) if of_workbook else found.content


def token(identity: Identity) -> dict[str, str]:
    return {"Authorization": f"Bearer {mint(KEYS.private, identity, timedelta(hours=1), system_clock)}"}


def differing(databases: tuple[Engine, Engine], paths: Iterable[str], headers: Mapping[str, str]) -> list[str]:
    first, second = (application(database) for database in databases)
    return [path for path in dict.fromkeys(paths) if answer(first, path, headers) != answer(second, path, headers)]


def test_the_public_learns_no_more_than_the_day(databases: tuple[Engine, Engine], releases: tuple[str, ...]) -> None:
    assert differing(databases, addresses(releases), {}) == []


def test_nor_does_another_authority(databases: tuple[Engine, Engine], releases: tuple[str, ...]) -> None:
    manager = Identity("manager", frozenset({"orders:read"}), QUIET)
    assert differing(databases, addresses(releases), token(manager)) == []


def test_the_authority_itself_and_national_viewers_are_told(
    databases: tuple[Engine, Engine], releases: tuple[str, ...]
) -> None:
    """So that the tests above can fail, which ask for these as well."""
    telling = ["/v1/positions", DATA, "/v1/quality"]
    assert {*telling} <= {*addresses(releases)}
    for identity in (Identity("own", frozenset({"orders:read"}), BUSY), Identity("all", frozenset({"national:read"}))):
        assert differing(databases, telling, token(identity)) == telling


def test_nor_does_who_listens(databases: tuple[Engine, Engine], releases: tuple[str, ...]) -> None:
    assert releases
    told = []
    for database in databases:
        with database.connect() as connection:
            told.append([marker(connection, who) for who in (PUBLIC, Identity("", frozenset({"orders:read"}), QUIET))])
    assert told[0] == told[1]


def test_before_the_first_release_no_tag_counts_what_was_heard(migrated: Callable[[], str]) -> None:
    """Whoever can work a tag out could ask for every number whether it is the one."""
    database = engine(DatabaseSettings(url=migrated(), schema_name=SCHEMA))
    hear(database, more=1, hour=9)
    before = answer(application(database), DATA, {"If-None-Match": "*"})
    with database.begin() as connection:
        connection.execute(update(checkpoints).values(next_offset=7))
        assert connection.scalar(select(checkpoints.c.next_offset)) == 7
    assert answer(application(database), DATA, {"If-None-Match": "*"}) == before
    database.dispose()

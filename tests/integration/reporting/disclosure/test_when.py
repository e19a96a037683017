"""When and how much an authority sends shows to itself and to national viewers only: anybody else is told the day.

Two worlds were released alike. In the second, more was heard since, at another hour of the same day. To those whom it does not concern all
answers are the same, in status, headers and bytes.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any, NamedTuple

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, insert, select, update

from contracts.cells import Cell, Position
from services.chassis.api.auth import PUBLIC, Identity, mint
from services.chassis.api.policy import Policy
from services.chassis.clock import system_clock
from services.chassis.database import engine
from services.chassis.settings import DatabaseSettings
from services.reporting.ingest.fold import fold
from services.reporting.ingest.store import write
from services.reporting.read.tables import checkpoints
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.releases.change_marker import marker
from services.reporting.settings import SCHEMA
from tests.integration.reporting.conftest import LONG_AGO, NOW, position, taken
from tests.integration.reporting.disclosure.test_attack import SPAN, application, beside_breakdowns, parts_of
from tests.support import parts
from tests.support.generated.openapi import KEYS
from tests.support.generated.thorough import TURN, turns
from tests.support.made import released_monthly
from tests.support.made.released_monthly import CODES

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


NOT_ASKED = {
    "GET /openapi.json": "the code's own document, the same for everybody",
    "GET /static/{name}": "the code's own files, the same for everybody",
    "GET /v1/stream": "goes on without end: test_nor_does_who_listens",
    **dict.fromkeys(
        (
            "POST /v1/sessions",
            "DELETE /v1/sessions/{id}",
            "DELETE /v1/session",
            "POST /sessions/{id}",
            "POST /sign-in",
            "POST /sign-out",
        ),
        "begins or ends a person's own session, and reads no figure",
    ),
}
"""Routes that are not asked, and why."""
NOT_FOR_IT = {"GET /v1/cells", "GET /v1/session", "GET /sign-in/begin", "GET /sign-in/done"}
"""Routes that refuse a manager who holds a token and no session: they are for national viewers, sessions and providers."""


def routes_of(database: Engine) -> Mapping[str, Policy]:
    """Return the application's own table."""
    app: Any = application(database).app
    found: Mapping[str, Policy] = app.state.policies
    return found


def addresses(routes: Iterable[str], releases: tuple[str, ...], turn: int) -> Iterator[str]:
    """Yield every route and page by its plain address, each indicator by what divides it in turn, and a third of what else can be fetched.

    There are three turns.
    """
    for route in routes:
        if route not in NOT_ASKED and ":path" not in route:
            path = route.removeprefix("GET ")
            named = {"/releases/{id}": releases[1], "/compare/{id}": "placement_within_7"}
            name = next((each for part, each in named.items() if part in path), "orders_imposed")
            yield path.format(**KNOWN, id=name, release=releases[1])
    yield from (each.format(release=releases[1]) for each in MORE)
    yield (f"/releases/{releases[1]}/compare/placement_within_7")
    for place, (name, indicator) in enumerate(INDICATORS.items()):
        for breakdown in turns(["", *(each for each, _ in indicator.breakdowns)], TURN + place + turn):
            yield f"/v1/indicators/{name}/data?{SPAN}&by=authority,quarter,{breakdown}&release={releases[-1]}"
    beside = [*beside_breakdowns(releases)]
    yield from turns(beside, TURN + turn, some=(len(beside) + 2) // 3)


KNOWN = {"code": BUSY, "extension": "csv"}
MORE = (
    f"/v1/data?{SPAN}&indicator=orders_imposed&by=quarter",
    f"/v1/compare?{SPAN}&indicator=first_contact_within_1",
    f"/v1/indicators/orders_imposed/difference?{SPAN}&authority={QUIET}&first_day=2026-05-08&last_day=2026-05-09",
    "/indicators/orders_imposed/chart.svg",
    "/compare/placement_within_7/chart.svg",
    "/releases/{release}/files/changes.csv",
    "/releases/{release}/indicators/placement_within_7/chart.svg",
    "/releases/{release}/compare/placement_within_7/chart.svg",
    f"/v1/data.csv?{SPAN}&indicator=orders_imposed&by=quarter",
)
"""Addresses that need more than their names."""


def unanswered(routes: Iterable[str], answered: Iterable[str]) -> set[str]:
    """Return the routes of which no address was answered."""
    paths = {path.partition("?")[0] for path in answered}
    patterns = {route: re.sub(r"{\w+(:path)?}", lambda name: ".+" if name[1] else "[^/]+", route) for route in routes}
    return {
        route for route, pattern in patterns.items() if not any(re.fullmatch(pattern, f"GET {path}") for path in paths)
    }


def answer(client: TestClient, path: str, headers: Mapping[str, str]) -> tuple[int, dict[str, str], object]:
    """Return status, headers and bytes; of a workbook those of its parts, since it tells when it was written."""
    found = client.get(path, headers={**headers, **ALIKE})
    of_workbook = ".xlsx" in path and found.status_code == 200
    told = {name: value for name, value in found.headers.items() if not of_workbook or name != "content-length"}
    return found.status_code, told, parts_of(found.content) if of_workbook else found.content


def token(identity: Identity) -> dict[str, str]:
    return {"Authorization": f"Bearer {mint(KEYS.private, identity, timedelta(hours=1), system_clock)}"}


class Compared(NamedTuple):
    """The addresses that answer otherwise in the other world, and those that answer at all."""

    differing: list[str]
    answered: list[str]


def compared(databases: tuple[Engine, Engine], paths: Iterable[str], headers: Mapping[str, str]) -> Compared:
    first, second = (application(database) for database in databases)
    found = {path: (answer(first, path, headers), answer(second, path, headers)) for path in dict.fromkeys(paths)}
    return Compared(
        [path for path, (one, other) in found.items() if one != other],
        [path for path, ((status, *_), _) in found.items() if status < HTTPStatus.BAD_REQUEST],
    )


def test_the_public_learns_no_more_than_the_day(databases: tuple[Engine, Engine], releases: tuple[str, ...]) -> None:
    assert compared(databases, addresses(routes_of(databases[0]), releases, turn=0), {}).differing == []


def test_nor_does_another_authority(databases: tuple[Engine, Engine], releases: tuple[str, ...]) -> None:
    """At any route of the application's table: a new one is asked, or has its reason above."""
    manager, routes = Identity("manager", frozenset({"orders:read"}), QUIET), routes_of(databases[0])
    found = compared(databases, addresses(routes, releases, turn=1), token(manager))
    assert found.differing == []
    assert NOT_ASKED.keys() <= routes.keys()
    assert unanswered(routes.keys() - NOT_ASKED.keys(), found.answered) == NOT_FOR_IT


def test_the_authority_itself_and_national_viewers_are_told(
    databases: tuple[Engine, Engine], releases: tuple[str, ...]
) -> None:
    """So that the tests above can fail, which ask for these as well."""
    telling = ["/v1/positions", DATA, "/v1/quality"]
    assert {*telling} <= {*addresses(routes_of(databases[0]), releases, turn=0)}
    for identity in (Identity("own", frozenset({"orders:read"}), BUSY), Identity("all", frozenset({"national:read"}))):
        assert compared(databases, telling, token(identity)).differing == telling


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

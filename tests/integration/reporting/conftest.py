"""A database with the schema of reporting, ways to fill it, and the API in front of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from contracts.cells import MEASURES, Aggregate, Cell, Position, Service, encode_aggregate
from services.chassis.api.auth import Identity, Keys, generate_keys, mint
from services.chassis.clock import FixedClock
from services.chassis.database import engine
from services.chassis.metrics import new_registry
from services.chassis.settings import DatabaseSettings, SiteSettings, TokenSettings
from services.chassis.streaming.batches import Slice, SourceIdentity, TopicPartition
from services.reporting.app import build
from services.reporting.ingest.metrics import IngestMetrics
from services.reporting.ingest.worker import Aggregates
from services.reporting.settings import SCHEMA, ApiSettings
from tests.support import parts
from tests.support.asking import UNLIMITED, InThisThread

SOURCE = TopicPartition("national.aggregates", 0)
IDENTITY = SourceIdentity("cluster", "topic")
LONG_AGO = date(2015, 1, 1)
NOW = datetime(2026, 5, 10, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Message:
    """As Kafka hands it over."""

    offset: int
    value: bytes | None
    timestamp: int = 0
    key: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()


@pytest.fixture
def database_settings(postgres_server: str, migrated: Callable[[], str]) -> Iterator[DatabaseSettings]:
    with parts.for_one_test(postgres_server, migrated()) as url:
        yield DatabaseSettings(url=url, schema_name=SCHEMA)


@pytest.fixture
def database(database_settings: DatabaseSettings) -> Iterator[Engine]:
    made = engine(database_settings)
    yield made
    made.dispose()


Feed = Callable[[Sequence[Aggregate]], None]


@pytest.fixture
def feed_only(database: Engine) -> Feed:
    """Return what has the worker take these aggregates, as one batch."""
    worker = Aggregates(database, IngestMetrics(new_registry()))

    def take(aggregates: Sequence[Aggregate]) -> None:
        start = worker.start({SOURCE: IDENTITY})[SOURCE]
        worker.process([slice_of(aggregates, start)])

    return take


@pytest.fixture
def feed(feed_only: Feed) -> Feed:
    """Feed reporting the same, and for each position the cells of events that were taken, as the services send them.

    An authority with cells of unpaid work was heard by that service too, also where only the position of orders is given.
    """

    def take(aggregates: Sequence[Aggregate]) -> None:
        positions = [each for each in aggregates if isinstance(each, Position)]
        working = {each.authority for each in aggregates if isinstance(each, Cell) and _of_unpaid_work(each)}
        working -= {each.authority for each in positions if each.service == "unpaid_work"}
        more = [position(code, service="unpaid_work") for code in sorted(working)]
        feed_only([*(heard for each in (*positions, *more) for heard in taken(each)), *aggregates, *more])

    return take


def _of_unpaid_work(each: Cell) -> bool:
    return MEASURES[each.measure].services == {"unpaid_work"}


def taken(each: Position) -> list[Cell]:
    """Return cells that say that events were taken when the position says so and some days before, and that they speak of long ago."""
    if each.heard_at is None:
        return []
    where = each.service, each.authority, each.generation, each.version
    days = [each.heard_at.date() - timedelta(days=9), each.heard_at.date()]
    return [Cell(*where, "events", LONG_AGO, "outcome=superseded", day, count + 1) for count, day in enumerate(days)]


def slice_of(aggregates: Sequence[Aggregate], start: int) -> Slice:
    messages = [Message(start + index, encode_aggregate(each)) for index, each in enumerate(aggregates)]
    return Slice(SOURCE.topic, SOURCE.partition, messages)


def cell(  # noqa: PLR0917
    measure: str,
    authority: str,
    period: str,
    category: str,
    value: int,
    known_on: str = "2026-05-01",
    version: int = 1,
    generation: int = 1,
    service: Service = "orders",
) -> Cell:
    month = date.fromisoformat(period if len(period) == 10 else f"{period}-01")
    return Cell(service, authority, generation, version, measure, month, category, date.fromisoformat(known_on), value)


def position(
    authority: str,
    offset: int = 1,
    version: int = 1,
    generation: int = 1,
    service: Service = "orders",
    heard_at: datetime | None = NOW,
) -> Position:
    offsets = {f"orders.events.{authority}/0": offset}
    if service == "unpaid_work":
        offsets[f"unpaid-work.events.{authority}/0"] = offset
    return Position(service, authority, generation, version, offsets, heard_at)


@pytest.fixture(scope="session")
def keys() -> Keys:
    return generate_keys()


@pytest.fixture
def client(database_settings: DatabaseSettings, database: Engine, keys: Keys) -> TestClient:
    settings = ApiSettings(
        database=database_settings,
        tokens=TokenSettings(public_key=keys.public, development=True),
        http=UNLIMITED,
        site=SiteSettings(simulated=True, insecure_cookie=True),
    )
    return InThisThread(build(settings, database, new_registry(), FixedClock(NOW)))


@pytest.fixture
def national(keys: Keys) -> dict[str, str]:
    """Return the headers of a national analyst."""
    return _headers(keys, Identity("analyst", frozenset({"national:read"})))


@pytest.fixture
def glasgow(keys: Keys) -> dict[str, str]:
    """Return the headers of somebody at an authority."""
    return _headers(keys, Identity("manager", frozenset({"orders:read"}), "S12000049"))


def _headers(keys: Keys, identity: Identity) -> dict[str, str]:
    token = mint(keys.private, identity, timedelta(hours=1), lambda: datetime.now(UTC))
    return {"authorization": f"Bearer {token}"}

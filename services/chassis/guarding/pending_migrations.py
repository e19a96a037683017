"""Says which migrations of a schema were not run. Every process asks this at its start, so here is nothing of Alembic, which runs them:
importing it takes 8 MB in each process (measured).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from sqlalchemy import Connection, Engine, NullPool, String, column, create_engine, inspect, select, table, text

from services.chassis.database import driver_url, is_away
from services.chassis.failures import Away, Refused
from services.chassis.settings import DatabaseSettings

TABLE = "alembic_version"
SERVES = "Serves versions of the service that end with one of: "


class SchemaReady:
    """Tells whether the schema has everything that this version of the service needs. Additions of a newer version are no obstacle.

    If a newer version removed something, `check` raises Refused.
    """

    def __init__(self, database: Engine | str, schema: str, directory: Path) -> None:
        self._database, self._schema, self._directory = database, schema, directory
        self._ready = False

    def check(self) -> None:
        """Raise Away while anything is missing. Once nothing is, it asks no more."""
        if not self._ready and (missing := pending(self._database, self._schema, self._directory)):
            raise Away(f"the schema {self._schema} waits for migration {missing[0]}")
        self._ready = True


def schema_ready(database: DatabaseSettings) -> SchemaReady:
    """Return whether the schema that the settings name is ready, as something to ask."""
    migrations = Path(str(files(f"services.{database.schema_name}"))) / "migrations"
    return SchemaReady(database.url.get_secret_value(), database.schema_name, migrations)


def pending(database: Engine | str, schema: str, directory: Path) -> list[str]:
    """Return revisions not yet run, oldest first. Raises Away, or Refused if a newer version removed something."""
    with connected(database, schema) as connection:
        return pending_here(connection, schema, directory)


def pending_here(connection: Connection, schema: str, directory: Path) -> list[str]:
    """Return revisions not yet run, as `pending` does."""
    known, run = revisions(directory), _run(connection, schema)
    connection.rollback()
    if run is None:
        return known
    if run in known:
        return known[known.index(run) + 1 :]
    if set(known[-1:]) <= _noted(connection, schema):
        return []
    raise Refused(
        f"The schema {schema} is at {run}, which this version of the service does not know and cannot work with. "
        "Go forward again, or restore (runbook: restore)."
    )


def revisions(directory: Path) -> list[str]:
    """Return the revisions of a history, oldest first. Each file is named by its number, and follows the one before it."""
    return sorted(path.name.partition("_")[0] for path in (directory / "versions").glob("[0-9]*.py"))


@contextmanager
def connected(database: Engine | str, schema: str) -> Iterator[Connection]:
    """Open a connection of our own: migrations run longer than a service's statement timeout, and before its role exists."""
    url = driver_url(database.url if isinstance(database, Engine) else database)
    arguments = {"connect_timeout": 5, "options": f"-c search_path={schema} -c client_min_messages=warning"}
    own = create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=arguments)
    try:
        with own.connect() as connection:
            yield connection
    except Exception as fault:
        if is_away(fault):
            raise Away("PostgreSQL is away, so the schema cannot be looked at") from fault
        raise


def _run(connection: Connection, schema: str) -> str | None:
    """Return the revision at which the schema is."""
    if not inspect(connection).has_table(TABLE, schema=schema):
        return None
    return connection.scalar(select(column("version_num", String)).select_from(table(TABLE, schema=schema)))


def _noted(connection: Connection, schema: str) -> set[str]:
    """Return the revisions that the schema serves; none if that was not recorded."""
    query = text("SELECT obj_description(to_regclass(:table), 'pg_class')")
    told = connection.scalar(query, {"table": f'"{schema}".{TABLE}'}) or ""
    connection.rollback()
    return set(told.removeprefix(SERVES).split()) if told.startswith(SERVES) else set()

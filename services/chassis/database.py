"""PostgreSQL: connections, fast writes, and the distinction between a database that is away and our own errors."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from re import sub
from typing import Any
from zlib import crc32

import msgspec
from psycopg import Connection as DriverConnection
from psycopg import Error as DriverError
from psycopg import OperationalError as DriverOperationalError
from psycopg import sql
from psycopg.errors import InvalidParameterValue
from psycopg.types.json import set_json_dumps
from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Engine,
    Table,
    TextClause,
    TextualSelect,
    column,
    create_engine,
    event,
    func,
    make_url,
    select,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.elements import KeyedColumnElement

from services.chassis.failures import Away, TimedOut
from services.chassis.settings import DatabaseSettings

# Classes and codes of PostgreSQL's appendix A after which the same work may succeed.
AWAY_CLASSES = ("08", "53")  # connection, resources (too many connections, disk full)
AWAY_CODES = {
    "25006",  # read only: for now the server is a standby
    "25P03",  # idle in a transaction for too long, so that it was ended for the sake of others
    "40001",  # serialization
    "40003",  # it is unknown whether the statement completed
    "40P01",  # deadlock
    "55P03",  # lock not available
    "57014",  # statement timeout: see TIMED_OUT
    "57P01",  # shutdown
    "57P02",  # crash of another session
    "57P03",  # starting up
    "57P05",  # idle session timeout
}
TIMED_OUT = "57014"
_SETTINGS = "payback_settings"
"""The option under which an engine keeps its settings."""
_IN_TRANSACTIONS = "payback_in_transactions"
OURS = "42"
"""The class of errors that no data can cause: PostgreSQL does not know the table, or this role may not use it."""


Excluded = ReadOnlyColumnCollection[str, KeyedColumnElement[Any]]


def driver_url(url: str | URL) -> URL:
    """Return the URL with psycopg 3 named as its driver."""
    return make_url(url.replace("postgres://", "postgresql://", 1) if isinstance(url, str) else url).set(
        drivername="postgresql+psycopg"
    )


def engine(settings: DatabaseSettings, role: str | None = None) -> Engine:
    """Return an engine whose sessions work in the service's schema and in UTC, in the service's working role or the one given. It connects
    only when used.
    """
    options = {
        "search_path": f"{settings.schema_name},{settings.owner}_audit",
        "statement_timeout": _milliseconds(settings.statement_timeout_seconds),
        "idle_in_transaction_session_timeout": _milliseconds(settings.idle_transaction_seconds),
        "timezone": "UTC",
        # A machine that vanished must not hold its locks for two hours, after which the server would check by default.
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "3",
        "tcp_user_timeout": "20000",
        "client_min_messages": "warning",
    }
    made = create_engine(
        driver_url(settings.url.get_secret_value()),
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_pre_ping=True,
        pool_use_lifo=True,  # in quiet times one session does everything, and PostgreSQL may end the others (idle_session_timeout)
        pool_timeout=settings.connect_timeout_seconds,
        hide_parameters=True,
        json_deserializer=msgspec.json.decode,
        execution_options={_SETTINGS: settings},
        connect_args={
            "application_name": f"payback-{settings.schema_name}",
            "connect_timeout": settings.connect_timeout_seconds,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,
            "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
        },
    )
    event.listen(made, "connect", _prepare_session(role or settings.at_work))
    return made


def settings_of(database: Engine) -> DatabaseSettings:
    """Return the settings from which an engine was made."""
    settings: DatabaseSettings = database.get_execution_options()[_SETTINGS]
    return settings


def in_transactions(database: Engine) -> Engine:
    """Return the same engine, with every query in a transaction."""
    database.update_execution_options(**{_IN_TRANSACTIONS: True})
    return database


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))


def _prepare_session(role: str) -> Callable[[DriverConnection, object], None]:
    def prepare(connection: DriverConnection, _record: object) -> None:
        try:
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
            connection.commit()
        except BaseException as fault:
            connection.close()  # the pool never sees it
            if isinstance(fault, InvalidParameterValue):
                raise Away(f"PostgreSQL has no role {role}: a migration makes it") from fault
            raise
        set_json_dumps(_json, connection)

    return prepare


def _json(value: object) -> bytes:
    return value if isinstance(value, bytes) else msgspec.json.encode(value)


@contextmanager
def transaction(database: Engine) -> Iterator[Connection]:
    """Open a transaction, committed at the end of the block. Raises Away if the database is briefly away; every other error passes."""
    with away_told(), database.begin() as connection:
        yield connection


@contextmanager
def away_told() -> Iterator[None]:
    """Raise Away during the block if the database is briefly away; every other error passes."""
    try:
        yield
    except Exception as fault:
        if _sqlstate(fault) == TIMED_OUT:
            raise TimedOut("PostgreSQL did not finish a statement within the time that one may take") from fault
        if is_away(fault):
            raise Away(f"PostgreSQL is away: {_reason(fault)}") from fault
        raise


@contextmanager
def connected(settings: DatabaseSettings) -> Iterator[Connection]:
    """Open a transaction in a session of its own, for callers who keep no engine."""
    own = engine(settings)
    try:
        with transaction(own) as connection:
            yield connection
    finally:
        own.dispose()


@contextmanager
def unhurried(database: Engine) -> Iterator[Connection]:
    """Open a transaction in a session of its own, without a time limit.

    Its name differs from a worker's, so that no worker that takes over ends it.
    """
    settings = settings_of(database)
    unlimited = settings.model_copy(update={"statement_timeout_seconds": 0.0, "idle_transaction_seconds": 0.0})
    with connected(unlimited) as connection:
        connection.execute(
            select(func.set_config("application_name", f"payback-{settings.schema_name}-unhurried", True))
        )
        yield connection


def hurry(connection: Connection, *, stand_still: float, wait: float) -> None:
    """Let the transaction fail from here on if its client pauses, or it waits for a lock, for longer than this many seconds."""
    limits = {"idle_in_transaction_session_timeout": stand_still, "lock_timeout": wait}
    for name, seconds in limits.items():
        connection.execute(select(func.set_config(name, _milliseconds(seconds), True)))


def is_ours(fault: BaseException) -> bool:
    """Return whether the error is in the schema or in rights, whatever the data."""
    return (_sqlstate(fault) or "").startswith(OURS)


def _sqlstate(fault: BaseException) -> str | None:
    origin = fault.orig if isinstance(fault, DBAPIError) and fault.orig else fault
    return origin.sqlstate if isinstance(origin, DriverError) else None


def reading(database: Engine) -> Engine:
    """Return the same database for single queries, without the round trips of a transaction where possible."""
    if database.get_execution_options().get(_IN_TRANSACTIONS):
        return database
    return database.execution_options(isolation_level="AUTOCOMMIT")


def ping(database: Engine) -> None:
    """Check readiness: raises Away if no session can be had."""
    with transaction(database) as connection:
        connection.execute(select(1))


def is_away(fault: BaseException) -> bool:
    """Return whether the same work may succeed later: connection lost, shutting down, overloaded, deadlock, serialization."""
    if isinstance(fault, PoolTimeoutError):
        return True
    if isinstance(fault, DBAPIError):
        return fault.connection_invalidated or (fault.orig is not None and is_away(fault.orig))
    if not isinstance(fault, DriverError):
        return False
    if fault.sqlstate is None:
        # Without a code it is psycopg's own error: about the connection, or our misuse.
        return isinstance(fault, DriverOperationalError)
    return fault.sqlstate in AWAY_CODES or fault.sqlstate.startswith(AWAY_CLASSES)


def _reason(fault: BaseException) -> str:
    """Return only the kind of the error: PostgreSQL's own words may quote values."""
    origin = fault.orig if isinstance(fault, DBAPIError) and fault.orig else fault
    return f"{type(origin).__name__} {getattr(origin, 'sqlstate', None) or ''}".strip()


def copy_rows(connection: Connection, target: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Append rows by COPY, the fastest way, and return how many. Values must be of the columns' own types.

    A JSONB value is anything that msgspec encodes, or bytes that are JSON already.
    """
    return _copy(connection, target.name, {name: _type_of(target, name) for name in columns}, rows)


FEW = 50
"""Up to so many rows are sent within the statement that writes them: a table of their own would cost two more round trips."""
FEW_BYTES = 1 << 15
"""If they hold no more than this. The driver escapes each quote of what it sends so, which takes seconds for 50 orders of 2,000 facts."""
Where = Callable[[Excluded], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Staged:
    """Rows to be written, held here or in a temporary table of the session. They lock no rows of others until they are merged."""

    connection: Connection
    target: Table
    columns: tuple[str, ...]
    table: str | None
    """The temporary table; None if there are only few rows, which are sent with the statement."""
    values: Mapping[str, Sequence[Any]]
    """The values of the few, by column."""

    def merge(self, *, key: Sequence[str], add: Sequence[str] = (), where: Where | None = None) -> int:
        """Write the rows as `upsert` describes. Returns how many were written."""
        statement = _merge(self.target, self.columns, self.table, tuple(key), tuple(add), where)
        return self.connection.execute(statement, self.values).rowcount

    def change(self, *, key: Sequence[str]) -> int:
        """Give rows that exist the new values of their columns. Returns how many differed; rows that do not exist are left out."""
        return self.connection.execute(_change(self.target, self.columns, self.table, tuple(key)), self.values).rowcount

    def append(self) -> None:
        """Write rows that must be new."""
        self.connection.execute(_append(self.target, self.columns, self.table), self.values)


def stage(connection: Connection, target: Table, columns: Sequence[str], rows: Collection[Sequence[Any]]) -> Staged:
    """Stage rows for one statement; many go by COPY into a temporary table. Of each shape, only the rows staged last remain."""
    types = {name: _type_of(target, name) for name in columns}
    if len(rows) <= FEW and _bytes(rows) <= FEW_BYTES:
        values = {
            name: _array(types[name], column) for name, column in zip(columns, zip(*rows, strict=True), strict=True)
        }
        return Staged(connection, target, tuple(columns), None, values)
    staging = _staging(connection, target, types)
    _copy(connection, staging, types, rows)
    return Staged(connection, target, tuple(columns), staging, {})


def _bytes(rows: Iterable[Sequence[Any]]) -> int:
    """Return how long the texts of these rows are together."""
    return sum(len(value) for row in rows for value in row if isinstance(value, (bytes, str)))


def upsert(  # noqa: PLR0913
    connection: Connection,
    target: Table,
    columns: Sequence[str],
    rows: Collection[Sequence[Any]],
    *,
    key: Sequence[str],
    add: Sequence[str] = (),
    where: Where | None = None,
) -> int:
    """Stage the rows, then write them by one INSERT ... ON CONFLICT. Returns how many rows were written.

    A row that exists takes the new values of its columns, except that those in `add` are increased by the new value. `where` is given the
    new row and says whether the old one may change, such as `new.version > cells.c.version`; it must be a named function, since the
    statement is cached by it. PostgreSQL refuses a key that occurs twice among `rows`.
    """
    return stage(connection, target, columns, rows).merge(key=key, add=add, where=where) if rows else 0


def _array(kind: str, values: Sequence[Any]) -> list[Any]:
    """Return values in the form that psycopg adapts."""
    if not kind.startswith("json"):
        return list(values)
    return [None if value is None else _json(value).decode() for value in values]


def _staging(connection: Connection, target: Table, types: dict[str, str]) -> str:
    """Return the session's own empty table of these columns, kept from one transaction to the next: making one costs more."""
    # The name includes the shape, so that a session never finds a table of another shape under it.
    name = f"{target.name[:50]}_{crc32(repr(types).encode()):08x}"
    columns = sql.SQL(", ").join(sql.SQL(f"{{}} {kind}").format(sql.Identifier(name)) for name, kind in types.items())
    make = sql.SQL("CREATE TEMPORARY TABLE IF NOT EXISTS {} ({}) ON COMMIT DELETE ROWS; DELETE FROM {}")
    driver_of(connection).execute(make.format(sql.Identifier(name), columns, sql.Identifier(name)))
    return name


def _incoming(target: Table, columns: Sequence[str], staging: str | None) -> TextualSelect:
    """Select the staged rows."""
    return text(_rows(target, columns, staging)).columns(*map(column, columns))


def _rows(target: Table, columns: Sequence[str], staging: str | None) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    if staging is not None:
        return f'SELECT {names} FROM "{staging}"'  # noqa: S608 - made of names of our tables, here and below
    arrays = ", ".join(f"CAST(:{name} AS {_type_of(target, name)}[])" for name in columns)
    return f"SELECT {names} FROM unnest({arrays}) AS given ({names})"  # noqa: S608


@lru_cache
def _append(target: Table, columns: tuple[str, ...], staging: str | None) -> Insert:
    return insert(target).from_select(columns, _incoming(target, columns, staging))


@lru_cache
def _merge(
    target: Table,
    columns: tuple[str, ...],
    staging: str | None,
    key: tuple[str, ...],
    add: tuple[str, ...],
    where: Where | None,
) -> Insert:
    statement = _append(target, columns, staging)
    new = statement.excluded
    changes = {name: target.c[name] + new[name] if name in add else new[name] for name in columns if name not in key}
    statement = statement.execution_options(preserve_rowcount=True)
    if not changes:
        return statement.on_conflict_do_nothing(index_elements=key)
    return statement.on_conflict_do_update(index_elements=key, set_=changes, where=where(new) if where else None)


@lru_cache
def _change(target: Table, columns: tuple[str, ...], staging: str | None, key: tuple[str, ...]) -> TextClause:
    others = [name for name in columns if name not in key]
    changes = ", ".join(f'"{name}" = given."{name}"' for name in others)
    same = " AND ".join(f'held."{name}" = given."{name}"' for name in key)
    old, new = (", ".join(f'{row}."{name}"' for name in others) for row in ("held", "given"))
    return text(
        f'UPDATE "{target.name}" AS held SET {changes} FROM ({_rows(target, columns, staging)}) AS given '  # noqa: S608
        f"WHERE {same} AND ({old}) IS DISTINCT FROM ({new})"
    )


def _copy(connection: Connection, name: str, types: dict[str, str], rows: Iterable[Sequence[Any]]) -> int:
    names = sql.SQL(", ").join(map(sql.Identifier, types))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(sql.Identifier(name), names)
    with driver_of(connection).cursor() as cursor:
        with cursor.copy(statement) as copy:
            copy.set_types(list(types.values()))
            for row in rows:
                copy.write_row(row)
        return cursor.rowcount


def driver_of(connection: Connection) -> DriverConnection:
    """Return the driver's own connection."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, DriverConnection)
    return driver


@lru_cache
def _type_of(target: Table, name: str) -> str:
    """Return PostgreSQL's name of a column's type, without length or precision."""
    return sub(r"\(.*?\)", "", target.c[name].type.compile(postgresql.dialect())).lower()  # type: ignore[no-untyped-call]

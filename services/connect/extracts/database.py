"""Reads queries on the case system's own database, and changes nothing there."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, TextClause, create_engine, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from contracts.periods import LONDON
from services.connect.comparing.compare import Extract
from services.connect.extracts.cells import Scalar
from services.connect.faults import CannotGoOn, Later
from services.connect.mapping.model import Mapping
from services.connect.moments import micros

_AT_ONCE = 1000
READ_ONLY = {
    "postgresql": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "oracle": "SET TRANSACTION READ ONLY",
    "sqlite": "PRAGMA query_only = ON",
}
"""Statements that make the database itself refuse writing; for SQL Server, the rights of the account do that.

In PostgreSQL all queries also see one moment: a row that moves between two tables meanwhile is not missed in both.
"""
DRIVERS = {"psycopg": "postgresql", "pymysql": "mysql", "oracledb": "oracle", "pymssql": "sqlserver"}
"""The extra of this package that brings each driver."""
_SELECT = re.compile(r"\s*(--[^\n]*\n\s*)*(select|with)\b", re.IGNORECASE)


@contextmanager
def queried(mapping: Mapping, folder: Path, taken: datetime | None) -> Iterator[list[Extract]]:
    """Yield the tables that are queries, as of now by the database's clock. `folder` is where the path of the address's file begins.

    Raises CannotGoOn, and Later if the database is away.
    """
    tables = [table for table in mapping.tables if table.query is not None]
    if not tables:
        yield []
        return
    for table in tables:
        _check(table.query or "")
    engine = _engine(mapping, folder)
    try:
        with engine.connect() as connection:
            _forbid_writing(connection)
            at = micros(_now(connection) if taken is None else taken)
            yield [
                Extract(table, table.name or f"query {number}", _rows(connection, table.query or ""), 1900, at)
                for number, table in enumerate(tables, 1)
            ]
            connection.rollback()
    except SQLAlchemyError as fault:
        raise Later(f"the database gave an unexpected answer: {str(fault).splitlines()[0]}") from None
    finally:
        engine.dispose()


def _engine(mapping: Mapping, folder: Path) -> Engine:
    if mapping.database_file is None:
        raise CannotGoOn("the mapping has a query, but no `database_file` with the address of the database")
    path = folder / mapping.database_file
    try:
        return create_engine(path.read_text().strip())
    except OSError as fault:
        raise CannotGoOn(f"{path} cannot be read: {fault.strerror}") from None
    except ModuleNotFoundError as fault:
        raise CannotGoOn(_without_driver(fault.name or "")) from None
    except (SQLAlchemyError, ImportError) as fault:
        raise CannotGoOn(
            f"{path} does not hold the address of a database that can be reached from here: {fault}"
        ) from None


def _without_driver(module: str) -> str:
    extra = DRIVERS.get(module)
    how = f"; install the connector with it: pip install '/path/to/payback/services/connect[{extra}]'" if extra else ""
    return f"the driver of the database, {module}, is not installed{how}"


def _check(query: str) -> None:
    if not _SELECT.match(query) or ";" in query.strip().rstrip(";"):
        raise CannotGoOn("a query must be one SELECT, and nothing that writes")


def _forbid_writing(connection: Connection) -> None:
    statement = READ_ONLY.get(connection.dialect.name)
    if statement is not None:
        connection.execute(text(statement))


def _now(connection: Connection) -> datetime:
    """Return the time by the database's clock: UTC in SQLite, else local time if it does not name an offset."""
    now: Any = connection.execute(select(func.current_timestamp())).scalar_one()
    found = now if isinstance(now, datetime) else datetime.fromisoformat(str(now))
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC if connection.dialect.name == "sqlite" else LONDON)
    return found.astimezone(UTC)


def as_written(query: str) -> TextClause:
    """Return a query of which nothing is taken for a parameter: `':x'` and `::date` are what they say."""
    return text(query.strip().rstrip(";").replace(":", "\\:"))


def _rows(connection: Connection, query: str) -> Iterator[Sequence[Scalar]]:
    result = connection.execution_options(yield_per=_AT_ONCE).execute(as_written(query))
    yield list(result.keys())
    for row in result:
        yield [_cell(value) for value in row]


def _cell(value: Any) -> Scalar:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.astimezone(LONDON).replace(tzinfo=None) if value.tzinfo else value
    return value if isinstance(value, Scalar) else str(value)

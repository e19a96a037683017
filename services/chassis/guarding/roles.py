"""The roles in which the processes of a service sign in to PostgreSQL. They own nothing, and have the rights that their work needs.

Whoever takes over an API can neither do a worker's work nor undo it, and vice versa. Only migrations and operators' commands work as the
owner of the tables.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from psycopg import sql
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from services.chassis.database import driver_of
from services.chassis.failures import Refused

NOTHING, READ, CHANGE = "", "SELECT", "SELECT, INSERT, UPDATE, DELETE"


class Rights(NamedTuple):
    """The rights of a role: on the tables that are named, and on all others, including those of later migrations."""

    usual: str
    apart: Mapping[str, str]


def role_of_api(owner: str) -> str:
    """Return the role that answers requests."""
    return f"{owner}_api"


def role_of_worker(owner: str) -> str:
    """Return the role that processes what comes from Kafka, and sends what goes there."""
    return f"{owner}_worker"


def make(connection: Connection, *roles: str) -> None:
    """Make the roles that do not exist. Raises Refused if the user who signed in may not."""
    with refused(), as_who_signed_in(connection):
        for role in roles:
            if not connection.scalar(_IS_THERE, {"role": role}):
                # Roles are shared by all databases of a server: another session may be making it at the same time.
                run(
                    connection,
                    "DO $$ BEGIN CREATE ROLE {role}; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$",
                    role=role,
                )


def give(connection: Connection, role: str, rights: Rights) -> None:
    """Give the role these rights in the present schema, and no others; views it may only read.

    A write to a view would be a write to its table with the rights of the view's owner.
    """
    schema = str(connection.scalar(text("SELECT current_schema()")))
    run(connection, _SCHEMA, schema=schema, role=role)
    if rights.usual:
        run(connection, _LATER.replace("{usual}", rights.usual), schema=schema, role=role)
    for table, may in _each(connection, rights):
        run(connection, f"GRANT {may} ON {{table}} TO {{role}}", table=table, role=role)


def lacking(connection: Connection, role: str, rights: Rights) -> Iterator[str]:
    """Yield, in words, which of these rights the role lacks in the current schema."""
    if not connection.scalar(_IS_THERE, {"role": role}):
        yield f"there is no role {role}"
        return
    for table, may in _each(connection, rights):
        for right, columns in re.findall(r"([A-Z]+)( \([^)]*\))?", may):
            has = _HAS_SOME if columns else _HAS
            if not connection.scalar(has, {"role": role, "table": table, "right": right}):
                yield f"{role} may not {right} {table}"


def _each(connection: Connection, rights: Rights) -> Iterator[tuple[str, str]]:
    """Yield each table and view of the schema that the rights concern, with what they allow there."""
    for table, is_view in connection.execute(_TABLES).all():
        may = rights.apart.get(table, READ if is_view and rights.usual else rights.usual)
        if may:
            yield table, may


_IS_THERE = text("SELECT true FROM pg_roles WHERE rolname = :role")
_HAS = text("SELECT has_table_privilege(:role, format('%I.%I', current_schema(), CAST(:table AS text)), :right)")
_HAS_SOME = text(
    "SELECT has_any_column_privilege(:role, format('%I.%I', current_schema(), CAST(:table AS text)), :right)"
)


_SCHEMA = """
GRANT USAGE ON SCHEMA {schema} TO {role};
REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role};
"""
_LATER = "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT {usual} ON TABLES TO {role}"
_TABLES = text(
    "SELECT relname, relkind = 'v' FROM pg_class "
    "WHERE relnamespace = to_regnamespace(current_schema()) AND relkind IN ('r', 'v')"
)


def let_add_to_the_audit(connection: Connection, owner: str, role: str) -> None:
    """Let the role add and read entries, and change none."""
    audit = f"{owner}_audit"
    if connection.scalar(_MAY_ADD, {"role": role, "table": f"{audit}.audit_entries"}):
        return
    with as_who_signed_in(connection):
        run(connection, _AUDIT, audit=audit, role=role)
        if connection.scalar(_WALLED, {"table": f"{audit}.audit_entries"}):
            for table in ("audit_entries", "audit_names"):
                run(connection, _WHOLE.replace("{table}", "{audit}.{table}"), audit=audit, table=table, role=role)


_MAY_ADD = text("SELECT has_table_privilege(:role, :table, 'INSERT')")
_WALLED = text("SELECT relrowsecurity FROM pg_class WHERE oid = to_regclass(:table)")
_AUDIT = """
SET ROLE {audit};
GRANT USAGE ON SCHEMA {audit} TO {role};
GRANT SELECT, INSERT ON {audit}.audit_entries, {audit}.audit_names TO {role};
"""
_WHOLE = "CREATE POLICY whole_worker ON {table} TO {role} USING (true)"


@contextmanager
def as_who_signed_in(connection: Connection) -> Iterator[None]:
    """Work as the user who signed in during the block, instead of as the owner of the tables."""
    owner = str(connection.scalar(text("SELECT current_user")))
    connection.execute(text("RESET ROLE"))
    yield
    connection.execute(text("RESET ROLE"))
    run(connection, "SET ROLE {owner}", owner=owner)


@contextmanager
def refused() -> Iterator[None]:
    """Raise Refused, with what an administrator can do, if the user who signed in may not make or grant roles."""
    try:
        yield
    except (ProgrammingError, InsufficientPrivilege) as fault:
        if not isinstance(getattr(fault, "orig", fault), InsufficientPrivilege):
            raise
        raise Refused(
            "This user may not make roles. An administrator can: deploy/postgres/run-time-roles.sql, which may be run again at any time"
        ) from fault


def run(connection: Connection, statements: str, **names: str | sql.Composable) -> None:
    """Run statements by the driver, which accepts several at once. Strings are names of tables, schemas and roles; the rest is inserted as
    it is.
    """
    written = {name: sql.Identifier(value) if isinstance(value, str) else value for name, value in names.items()}
    driver_of(connection).execute(sql.SQL(statements).format(**written))

"""Brings a service's schema up to date. Each service has one history, in <service>/migrations/versions.

The schema belongs to a role of its own, so that one service cannot read another's tables. The user must be that role, a member of it, or
allowed to create it.

A migration only adds, so that the previous version of the service still works, and operators may go back to it without losing data. One
that removes something says why in `contracts`. From then on the database refuses older versions; beside its revision it records which
versions it serves.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext, MigrationInfo
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Connection, Engine, MetaData, Table, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.schema import SetTableComment

from services.chassis.failures import Away, Refused
from services.chassis.guarding.pending_migrations import SERVES, TABLE, connected, pending_here

ENVIRONMENT = Path(__file__).parent / "alembic"
LOCK = 7_061_796_261  # any number that nobody else locks
TRIES = 3000  # a tenth of a second apart


def migrate(database: Engine | str, schema: str, directory: Path, role: str | None = None) -> list[str]:
    """Run pending migrations and return their revisions. Processes that start together take turns.

    If a newer version of the service was here and only added, there is nothing to run. Raises Away if PostgreSQL is away, and Refused, with
    what an administrator can do, if the schema cannot be made, or a newer version removed something.
    """
    with connected(database, schema) as connection, _turn(connection):
        _prepare(connection, schema, role or schema)
        outstanding = pending_here(connection, schema, directory)
        if outstanding:
            told = {"connection": connection, "schema": schema, "applied": _note_served}
            command.upgrade(_config(directory, **told), "head")
        return outstanding


def write_revision(directory: Path, message: str) -> Path:
    """Begin a new revision in a service's history: a file to fill in."""
    number = len(list((directory / "versions").glob("*.py"))) + 1
    made = command.revision(_config(directory), message, rev_id=f"{number:04d}")
    assert made is not None
    assert not isinstance(made, list)
    return Path(made.path)


def _config(directory: Path, **attributes: object) -> Config:
    config = Config(attributes=attributes)
    config.set_main_option("script_location", str(ENVIRONMENT))
    config.set_main_option("version_locations", str(directory / "versions"))
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def _turn(connection: Connection) -> Iterator[None]:
    """Hold the lock. It polls for it, since a session that waits for the lock would block concurrent index builds."""
    for _ in range(TRIES):
        if connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LOCK}):
            break
        connection.commit()
        sleep(0.1)
    else:
        raise Away("another process has been migrating for too long")
    connection.commit()
    try:
        yield
    finally:
        connection.close()  # a session that ends releases its lock, whatever happened to it


def _prepare(connection: Connection, schema: str, role: str) -> None:
    """Make the role and its schema, and work as the role from here on."""
    with refused_by_rights(connection, schema, role):
        have_role(connection, role)
        _may_make_temporary_tables(connection, role)
        have_schema(connection, schema, role)
        connection.execute(text(f"SET ROLE {_quoted(connection, role)}"))
        connection.commit()


@contextmanager
def refused_by_rights(connection: Connection, schema: str, role: str) -> Iterator[None]:
    """Raise Refused, with what an administrator can do, if the user who signed in may not make the role or the schema."""
    try:
        yield
    except ProgrammingError as fault:
        if not isinstance(fault.orig, InsufficientPrivilege):
            raise
        user = connection.engine.url.username or "the connecting user"
        raise Refused(
            f"{user} may not create the role and schema {schema}. An administrator can: "
            f"CREATE ROLE {role}; GRANT {role} TO {user}; CREATE SCHEMA {schema} AUTHORIZATION {role};"
        ) from fault


def have_role(connection: Connection, role: str) -> None:
    """Make the role unless it exists, and let the user who signed in work as it."""
    named = {"role": role}
    quoted = _quoted(connection, role)
    if not connection.scalar(text("SELECT true FROM pg_roles WHERE rolname = :role"), named):
        # Roles are shared by all databases of a server, the lock is not: another session may be making it at the same time.
        create = f"CREATE ROLE {quoted} NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL"
        connection.execute(text(f"DO $$ BEGIN {create}; END $$"))
    if not connection.scalar(text("SELECT pg_has_role(:role, 'SET')"), named):
        connection.execute(text(f"GRANT {quoted} TO CURRENT_USER"))


def _may_make_temporary_tables(connection: Connection, role: str) -> None:
    named = {"role": role}
    if not connection.scalar(text("SELECT has_database_privilege(:role, current_database(), 'TEMPORARY')"), named):
        here = _quoted(connection, str(connection.scalar(text("SELECT current_database()"))))
        connection.execute(text(f"GRANT TEMPORARY ON DATABASE {here} TO {_quoted(connection, role)}"))


def have_schema(connection: Connection, schema: str, role: str) -> None:
    """Make the schema unless it exists. Raises Refused if it belongs to another role."""
    find_owner = text("SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = :schema")
    owner = connection.scalar(find_owner, {"schema": schema})
    if owner is None:
        names = _quoted(connection, schema), _quoted(connection, role)
        connection.execute(text("CREATE SCHEMA {} AUTHORIZATION {}".format(*names)))
    elif owner != role:
        raise Refused(
            f"The schema {schema} belongs to {owner}, not to {role}. An administrator can: "
            f"ALTER SCHEMA {schema} OWNER TO {role}; or set the role to {owner}"
        )


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)


def _note_served(*, ctx: MigrationContext, step: MigrationInfo, **_: object) -> None:
    """Record, in the transaction of a migration, which versions of the service its tables serve."""
    assert ctx.connection is not None
    told = Table(TABLE, MetaData(), schema=ctx.version_table_schema, comment=_served(step))
    ctx.connection.execute(SetTableComment(told))


def _served(step: MigrationInfo) -> str:
    """Return the revision, and those before it, back to one that removed something."""
    served: list[str] = []
    for script in step.revision_map.iterate_revisions(step.up_revision_id, "base"):
        served.append(script.revision)
        if getattr(getattr(script, "module", None), "contracts", ""):
            break
    return f"{SERVES}{' '.join(served)}"

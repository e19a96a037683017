"""The schema of the audit, with a role of its own as its owner. The service's role may add and read, and cannot give itself more rights."""

from sqlalchemy import Connection, text

from services.chassis.migrations import have_role, have_schema, refused_by_rights

_TABLES = """
CREATE TABLE {audit}.audit_entries (
    authority TEXT NOT NULL,
    number BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    "of" TEXT NOT NULL,
    role TEXT NOT NULL,
    purpose TEXT NOT NULL,
    kind TEXT NOT NULL,
    what TEXT NOT NULL,
    count INTEGER,
    detail TEXT NOT NULL,
    about BYTEA NOT NULL,
    before BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (authority, number)
);
COMMENT ON TABLE {audit}.audit_entries IS 'What was seen and done: chains, one for each authority.';
CREATE TABLE {audit}.audit_names (
    authority TEXT NOT NULL,
    number BIGINT NOT NULL,
    salt BYTEA NOT NULL,
    shown TEXT[] NOT NULL,
    PRIMARY KEY (authority, number)
);
COMMENT ON TABLE {audit}.audit_names IS 'The references that an entry is about. They can be erased; the chain holds a salted hash of them.';
CREATE INDEX audit_names_shown ON {audit}.audit_names USING gin (shown);
GRANT USAGE ON SCHEMA {audit} TO {owner};
GRANT SELECT, INSERT ON {audit}.audit_entries, {audit}.audit_names TO {owner};
"""


_IS_THERE = text(
    "SELECT true FROM pg_class WHERE relname = 'audit_entries' AND relnamespace = "
    "(SELECT oid FROM pg_namespace WHERE nspname = :schema)"
)


def prepare(connection: Connection) -> None:
    """Make the schema for the present role, unless it exists. Raises Refused if the user may not make roles or schemas."""
    owner = str(connection.scalar(text("SELECT current_user")))
    audit = f"{owner}_audit"
    if connection.scalar(_IS_THERE, {"schema": audit}):
        return
    with refused_by_rights(connection, audit, audit):
        connection.execute(text("RESET ROLE"))
        have_role(connection, audit)
        have_schema(connection, audit, audit)
        quoted = connection.dialect.identifier_preparer.quote_identifier
        connection.execute(text(f"SET ROLE {quoted(audit)}"))
        connection.execute(text(_TABLES.format(audit=quoted(audit), owner=quoted(owner))))
        connection.execute(text(f"SET ROLE {quoted(owner)}"))

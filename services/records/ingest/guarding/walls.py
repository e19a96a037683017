"""Row-level security on the tables of a service of records, set up by migrations, and what its processes may do with them.

An API sees an authority's rows, in one of two roles. Workers and senders of webhooks see all, and cannot write what authorities decided.
The owner, as which migrations and operators work, may do anything.
"""

from collections.abc import Iterator

from psycopg import sql
from sqlalchemy import Connection, text

from services.chassis.guarding import roles
from services.chassis.guarding.roles import CHANGE, NOTHING, READ, Rights, role_of_api, role_of_worker
from services.chassis.guarding.walls import AUTHORITY, CODES, role_of_nation

WRITTEN = {"notes": "INSERT", "webhooks": "INSERT, UPDATE, DELETE"}
"""Tables of an authority's decisions, and what an API may do to them."""
WITHOUT_AUTHORITY = {"checkpoints": "right(topic, 9)"}
"""Tables that identify the authority by another expression."""
WORKER = Rights(
    CHANGE,
    {
        "alembic_version": READ,
        "budgets": NOTHING,
        "notes": READ,
        "webhooks": "SELECT, UPDATE",  # senders record how far they have got
        **dict.fromkeys(("tree_heads", "tree_keys", "tree_leaves", "tree_nodes"), READ),
    },
)
"""Workers may not write what authorities decided, nor what was signed."""
_WALL = """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON {table} TO {api} USING ({whose} = current_setting({authority}, true));
CREATE POLICY whole_nation ON {table} TO {nation} USING (true);
GRANT SELECT ON {table} TO {api}, {nation};
"""
_TABLES = text(
    "SELECT DISTINCT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
    "WHERE c.relnamespace = to_regnamespace(current_schema()) AND c.relkind = 'r' AND NOT c.relrowsecurity "
    "AND (a.attname = 'authority' AND NOT a.attisdropped OR c.relname = ANY(:others)) ORDER BY 1"
)
_VIEWS = """
-- Orders, by whichever authority, that name the one that asks: of another's records these may change its answers, and no others.
CREATE VIEW naming_us AS SELECT authority, subject, imposed_on, left_on, came_from, asked_of, asked_on, facts FROM records
WHERE current_setting({authority}, true) IN (left(came_from, 9), asked_of) OR (left_on IS NOT NULL AND EXISTS (
    SELECT FROM json_each(facts) f WHERE f.key LIKE 'transfer/%'
    AND f.value -> 3 ->> 'to' = ANY(string_to_array(current_setting({codes}, true), ','))
));
-- Whoever knows the secret of a feed has not said for which authority.
CREATE VIEW feeds AS SELECT id, authority, key, coalesce(jsonb_typeof(content) <> 'null', false) AS holds
FROM notes WHERE kind = 'feed';
-- Nor has whoever checks a head: these keys are for everybody.
GRANT SELECT ON naming_us, feeds, tree_keys TO {api};
-- What callers took, who are no authorities.
GRANT SELECT, INSERT, UPDATE, DELETE ON budgets TO {api};
"""
_OF_WORKERS = "CREATE POLICY whole_service ON {table} TO {worker} USING (true)"


def build(connection: Connection) -> None:
    """Put every table without a wall behind one. Call it in each migration that makes a table with a column `authority`."""
    owner, schema = connection.execute(text("SELECT current_user, current_schema()")).one()
    _have_roles(connection, owner)
    if not connection.scalar(text("SELECT to_regclass('naming_us')")):
        _run(connection, _VIEWS, owner)
        _run(connection, "GRANT USAGE ON SCHEMA {schema} TO {api}, {nation}", owner, schema=schema)
    for table in connection.scalars(_TABLES, {"others": list(WITHOUT_AUTHORITY)}).all():
        _run(connection, _WALL, owner, table=table, whose=WITHOUT_AUTHORITY.get(table, "authority"))
        if table in WRITTEN:
            _run(connection, f"GRANT {WRITTEN[table]} ON {{table}} TO {{api}}", owner, table=table)
    _wall_the_audit(connection, owner)
    # An API checks that the migrations it needs have run.
    _run(connection, "GRANT SELECT ON alembic_version TO {api}", owner)
    _let_work(connection, owner)


def lacking(connection: Connection, owner: str) -> Iterator[str]:
    """Yield, in words, the rights that processes need and lack."""
    yield from roles.lacking(connection, role_of_worker(owner), WORKER)
    walled = connection.scalars(_WALLED).all()
    api = {table: ", ".join(filter(None, (READ, WRITTEN.get(table)))) for table in walled}
    yield from roles.lacking(connection, role_of_api(owner), Rights(NOTHING, api | {"alembic_version": READ}))


_WALLED = text(
    "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(current_schema()) AND relrowsecurity ORDER BY 1"
)


def _let_work(connection: Connection, owner: str) -> None:
    for table in connection.scalars(_SHUT_TO_WORKERS).all():
        _run(connection, _OF_WORKERS, owner, table=table)
    roles.give(connection, role_of_worker(owner), WORKER)
    roles.let_add_to_the_audit(connection, owner, role_of_worker(owner))


_SHUT_TO_WORKERS = text(
    "SELECT relname FROM pg_class c WHERE relnamespace = to_regnamespace(current_schema()) AND relrowsecurity "
    "AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid AND polname = 'whole_service')"
)


_HAS = text("SELECT pg_has_role(:member, :role, 'SET')")


def _have_roles(connection: Connection, owner: str) -> None:
    """Make the roles, and let an API read on behalf of the nation. Raises Refused if the user who signed in may not do this."""
    api, nation = role_of_api(owner), role_of_nation(owner)
    roles.make(connection, api, nation, role_of_worker(owner))
    with roles.refused(), roles.as_who_signed_in(connection):
        for member, role in ((owner, api), (owner, nation), (api, nation)):
            if not connection.scalar(_HAS, {"member": member, "role": role}):
                _run(connection, "GRANT {role} TO {member} WITH INHERIT FALSE", owner, member=member, role=role)


_AUDIT = """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_service ON {table} TO {owner} USING (true);
CREATE POLICY own_rows ON {table} TO {api} USING (authority = current_setting({authority}, true));
CREATE POLICY whole_nation ON {table} TO {nation} USING (true);
GRANT SELECT, INSERT ON {table} TO {api}, {nation};
"""
_UNWALLED = text("SELECT NOT relrowsecurity FROM pg_class WHERE oid = to_regclass(:table)")


def _wall_the_audit(connection: Connection, owner: str) -> None:
    """Wall the audit with a rule of its own, since the service adds to it and does not own it."""
    audit = f"{owner}_audit"
    if not connection.scalar(_UNWALLED, {"table": f"{audit}.audit_entries"}):
        return
    with roles.as_who_signed_in(connection):
        _run(connection, "SET ROLE {audit}; GRANT USAGE ON SCHEMA {audit} TO {api}, {nation}", owner, audit=audit)
        for table in ("audit_entries", "audit_names"):
            _run(connection, _AUDIT.replace("{table}", "{audit}.{table}"), owner, audit=audit, table=table)


def _run(connection: Connection, statements: str, owner: str, *, whose: str = "", **names: str) -> None:
    """Run statements with the names of the roles and the settings of the walls filled in."""
    of = {"owner": owner, "api": role_of_api(owner), "nation": role_of_nation(owner), "worker": role_of_worker(owner)}
    settings = {"authority": sql.Literal(AUTHORITY), "codes": sql.Literal(CODES), "whose": sql.SQL(whose)}
    roles.run(connection, statements, **settings, **of, **names)

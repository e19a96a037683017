"""Row-level security on the tables of a service of records, set up by migrations.

It does not apply to the owner, the role of workers, webhook senders, migrations and operators. It applies to the two roles of an API.
"""

from psycopg import sql
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from services.chassis.database import driver_of
from services.chassis.failures import Refused
from services.chassis.guarding.walls import AUTHORITY, CODES, role_of_api, role_of_nation
from services.chassis.migrations import have_role

WRITTEN = {"notes": "INSERT", "webhooks": "INSERT, UPDATE, DELETE"}
"""What an API changes of its authority's."""
WITHOUT_AUTHORITY = {"checkpoints": "right(topic, 9)"}
"""What names an authority in another way, and how."""
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


def build(connection: Connection) -> None:
    """Put every table without a wall behind one. Call it in each migration that makes a table with a column `authority`."""
    owner, schema = connection.execute(text("SELECT current_user, current_schema()")).one()
    if not connection.scalar(text("SELECT to_regclass('naming_us')")):
        _have_roles(connection, owner)
        _run(connection, _VIEWS, owner)
        _run(connection, "GRANT USAGE ON SCHEMA {schema} TO {api}, {nation}", owner, schema=schema)
    for table in connection.scalars(_TABLES, {"others": list(WITHOUT_AUTHORITY)}).all():
        _run(connection, _WALL, owner, table=table, whose=WITHOUT_AUTHORITY.get(table, "authority"))
        if table in WRITTEN:
            _run(connection, f"GRANT {WRITTEN[table]} ON {{table}} TO {{api}}", owner, table=table)
    _wall_the_audit(connection, owner)


_HAS = text("SELECT pg_has_role(:owner, :role, 'SET')")


def _have_roles(connection: Connection, owner: str) -> None:
    """Makes the roles, and lets the service work in them. Raises Refused where whoever signed in may not."""
    wanted = (role_of_api(owner), role_of_nation(owner))
    try:
        connection.execute(text("RESET ROLE"))
        for role in wanted:
            have_role(connection, role)
            if not connection.scalar(_HAS, {"owner": owner, "role": role}):
                _run(connection, "GRANT {role} TO {owner} WITH INHERIT FALSE", owner, role=role)
        _run(connection, "SET ROLE {owner}", owner)
    except (ProgrammingError, InsufficientPrivilege) as fault:
        if not isinstance(getattr(fault, "orig", fault), InsufficientPrivilege):
            raise
        made = " ".join(f"CREATE ROLE {role}; GRANT {role} TO {owner} WITH INHERIT FALSE;" for role in wanted)
        raise Refused(f"This user may not make roles. An administrator can: {made}") from fault


_AUDIT = """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_service ON {table} TO {owner} USING (true);
CREATE POLICY own_rows ON {table} TO {api} USING (authority = current_setting({authority}, true));
CREATE POLICY whole_nation ON {table} TO {nation} USING (true);
GRANT SELECT, INSERT ON {table} TO {api}, {nation};
"""
_UNWALLED = text("SELECT NOT relrowsecurity FROM pg_class WHERE oid = to_regclass(:table)")


def _wall_the_audit(connection: Connection, owner: str) -> None:
    """The service adds to it and is not its owner, so that it needs a rule of its own."""
    audit = f"{owner}_audit"
    if not connection.scalar(_UNWALLED, {"table": f"{audit}.audit_entries"}):
        return
    connection.execute(text("RESET ROLE"))
    _run(connection, "SET ROLE {audit}; GRANT USAGE ON SCHEMA {audit} TO {api}, {nation}", owner, audit=audit)
    for table in ("audit_entries", "audit_names"):
        _run(connection, _AUDIT.replace("{table}", "{audit}.{table}"), owner, audit=audit, table=table)
    connection.execute(text("RESET ROLE"))
    _run(connection, "SET ROLE {owner}", owner)


def _run(connection: Connection, statements: str, owner: str, *, whose: str = "", **names: str) -> None:
    """By the driver, which runs several at once, with these names of tables, schemas and roles in them."""
    named = {"owner": owner, "api": role_of_api(owner), "nation": role_of_nation(owner)} | names
    given = {name: sql.Identifier(value) for name, value in named.items()}
    settings = {"authority": sql.Literal(AUTHORITY), "codes": sql.Literal(CODES), "whose": sql.SQL(whose)}
    written = {name: value for name, value in (settings | given).items() if "{" + name + "}" in statements}
    driver_of(connection).execute(sql.SQL(statements).format(**written))

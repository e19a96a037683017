"""Every migration leaves what the version before it reads and writes, or says why it cannot: so one may go back by one version."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import NullPool, create_engine, text

from services.chassis.database import driver_url
from services.chassis.guarding.pending_migrations import SchemaReady
from services.chassis.migrations import migrate
from tests.support.parts import MIGRATIONS


class Column(NamedTuple):
    """Of a table, as those who read and write it meet it."""

    type: str
    nullable: bool
    fills_itself: bool


class Tables(NamedTuple):
    """The tables and columns that a version of a service reads and writes."""

    columns: Mapping[tuple[str, str], Column]
    constraints: frozenset[tuple[str, str]]
    indexes: frozenset[tuple[str, str]] = frozenset()

    @property
    def names(self) -> set[str]:
        return {table for table, _ in self.columns}


COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS type, NOT a.attnotnull AS nullable,
    a.atthasdef OR a.attidentity <> '' AS fills_itself
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN (:schema, :audit) AND c.relkind IN ('r', 'p', 'v') AND a.attnum > 0 AND NOT a.attisdropped
"""
CONSTRAINTS = """
SELECT r.relname, pg_get_constraintdef(c.oid) AS rule FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid
JOIN pg_namespace n ON n.oid = r.relnamespace WHERE n.nspname IN (:schema, :audit) AND c.contype IN ('p', 'u', 'c', 'f', 'x')
"""

INDEXES = "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname IN (:schema, :audit)"
BEFORE_ANYBODY_HAD_MUCH = {"orders": 21, "unpaid_work": 21, "reporting": 14}
"""Migrations up to these numbers were written before the first version that was published."""


def tables(url: str, schema: str) -> Tables:
    engine = create_engine(driver_url(url), poolclass=NullPool)
    named = {"schema": schema, "audit": f"{schema}_audit"}
    with engine.connect() as connection:
        columns = connection.execute(text(COLUMNS), named).all()
        rules = connection.execute(text(CONSTRAINTS), named).all()
        indexes = connection.execute(text(INDEXES), named).all()
    return Tables(
        {(row.relname, row.attname): Column(row.type, row.nullable, row.fills_itself) for row in columns},
        frozenset((row.relname, row.rule) for row in rules),
        frozenset((row.tablename, row.indexdef) for row in indexes),
    )


def breaks(before: Tables, after: Tables) -> Iterator[str]:
    """Say in words which unexpected things the version before meets."""
    for (table, name), old in before.columns.items():
        new = after.columns.get((table, name))
        if new is None:
            yield f"{table}.{name} is gone"
        else:
            yield from (f"{table}.{name} {words}" for words in _differences(old, new))
    for (table, name), new in after.columns.items():
        added = table in before.names and (table, name) not in before.columns
        if added and not new.nullable and not new.fills_itself:
            yield f"{table}.{name} must be given, and the version before does not know it"
    for table, rule in before.constraints ^ after.constraints:
        if table in before.names & after.names:
            yield f"{table}: {rule} {'is new' if (table, rule) in after.constraints else 'is gone'}"


def _differences(old: Column, new: Column) -> Iterator[str]:
    if old.type != new.type:
        yield f"was {old.type} and is {new.type}"
    if old.nullable != new.nullable:
        yield "may be empty now" if new.nullable else "must be given now"
    if old.fills_itself and not new.fills_itself and not new.nullable:
        yield "does not fill itself any more"


def versions(service: str) -> list[Path]:
    return sorted(MIGRATIONS[service].glob("versions/[0-9]*.py"))


def up_to(service: str, number: int, directory: Path) -> Path:
    """Return the history of a service as it was when it had this many migrations."""
    shutil.rmtree(directory, ignore_errors=True)
    (directory / "versions").mkdir(parents=True)
    for path in versions(service)[:number]:
        shutil.copy(path, directory / "versions")
    return directory


def contracts(path: Path) -> str:
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(getattr(module, "contracts", ""))


def locked_for_long(before: Tables, after: Tables, migration: str) -> Iterator[str]:
    """Yield tables in use that nobody could write to while the migration built an index."""
    if "INDEX CONCURRENTLY" not in migration:
        yield from sorted({table for table, _ in after.indexes - before.indexes if table in before.names})


@pytest.mark.parametrize("service", MIGRATIONS)
def test_what_the_version_before_uses_is_left(service: str, postgres: str, tmp_path: Path) -> None:
    before, unsaid, locked = Tables({}, frozenset()), {}, {}
    for number, path in enumerate(versions(service), 1):
        migrate(postgres, service, up_to(service, number, tmp_path / "history"))
        after = tables(postgres, service)
        found = sorted(breaks(before, after))
        if found and not contracts(path):
            unsaid[path.name] = found
        long = list(locked_for_long(before, after, path.read_text()))
        if long and number > BEFORE_ANYBODY_HAD_MUCH[service]:
            locked[path.name] = long
        before = after
    assert unsaid == {}, "leave it until no version reads it, or say why not in `contracts`"
    assert locked == {}, "build the index concurrently, in an autocommit_block"


def test_an_index_that_locks_a_table_in_use_is_noticed() -> None:
    after = ONE._replace(indexes=frozenset({("t", "CREATE INDEX i ON t (a)"), ("new", "CREATE INDEX j ON new (a)")}))
    assert list(locked_for_long(ONE, after, "CREATE INDEX i ON t (a)")) == ["t"]
    assert list(locked_for_long(ONE, after, "CREATE INDEX CONCURRENTLY i ON t (a)")) == []
    assert list(locked_for_long(after, after, "")) == []


@pytest.mark.parametrize("service", MIGRATIONS)
def test_one_can_go_back_by_one_version_and_forward_again(
    service: str, migrated: Callable[[], str], tmp_path: Path
) -> None:
    url, newest = migrated(), versions(service)[-1]
    if contracts(newest):
        pytest.skip(f"{newest.name} takes something away: {contracts(newest)}")
    before = tables(url, service)
    older = up_to(service, len(versions(service)) - 1, tmp_path / "history")
    assert migrate(url, service, older) == []
    SchemaReady(url, service, older).check()
    assert migrate(url, service, MIGRATIONS[service]) == []
    assert tables(url, service) == before


ONE = Tables({("t", "a"): Column("integer", nullable=False, fills_itself=False)}, frozenset({("t", "PRIMARY KEY (a)")}))


@pytest.mark.parametrize(
    ("column", "rules", "said"),
    [
        (None, (), "t.a is gone"),
        (Column("bigint", nullable=False, fills_itself=False), (), "t.a was integer and is bigint"),
        (Column("integer", nullable=True, fills_itself=False), (), "t.a may be empty now"),
        (Column("integer", nullable=False, fills_itself=True), ("UNIQUE (a)",), "t: UNIQUE (a) is new"),
    ],
)
def test_a_break_is_noticed(column: Column | None, rules: tuple[str, ...], said: str) -> None:
    kept: dict[tuple[str, str], Column] = {("t", "b"): Column("integer", nullable=True, fills_itself=False)}
    columns = {**kept, **({("t", "a"): column} if column else {})}
    after = Tables(columns, ONE.constraints | {("t", rule) for rule in rules})
    assert list(breaks(ONE, after)) == [said]
    assert list(breaks(ONE, ONE._replace(columns={**kept, **ONE.columns}))) == []

"""Writes by COPY arrive whole; a database that is away is told from a fault of ours."""

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import psycopg
import pytest
from psycopg.errors import UniqueViolation
from pydantic import SecretStr
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Date,
    DateTime,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from deploy.local.postgres import Postgres
from services.chassis import database
from services.chassis.database import copy_rows, is_away, ping, transaction, upsert
from services.chassis.failures import Away, TimedOut
from services.chassis.migrations import migrate
from services.chassis.settings import DatabaseSettings

METADATA = MetaData()
CELLS = Table(
    "cells",
    METADATA,
    Column("measure", Text, primary_key=True),
    Column("period", Date, primary_key=True),
    Column("value", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("note", Text, nullable=False, server_default="none"),
)
SEEN = Table("seen", METADATA, Column("name", Text, primary_key=True))
EVERYTHING = Table(
    "everything",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("small", SmallInteger),
    Column("short", String(40)),
    Column("body", LargeBinary),
    Column("document", JSONB),
    Column("exact", Numeric(10, 2)),
    Column("at", DateTime(timezone=True)),
    Column("names", ARRAY(Text)),
)
MARCH = date(2026, 3, 1)
COLUMNS = ("measure", "period", "value", "version")
KEY = ("measure", "period")


def _settings(url: str, **given: object) -> DatabaseSettings:
    return DatabaseSettings.model_validate({"url": SecretStr(url), "schema_name": "things"} | given)


def _service(url: str, directory: Path) -> Engine:
    """Return an engine on an empty schema, with the tables above."""
    (directory / "versions").mkdir(exist_ok=True)
    migrate(url, "things", directory)
    made = database.engine(_settings(url))
    METADATA.drop_all(made)
    METADATA.create_all(made)
    return made


@pytest.fixture
def service(postgres: str, tmp_path: Path) -> Iterator[Engine]:
    made = _service(postgres, tmp_path)
    yield made
    made.dispose()


def _write(service: Engine, *rows: tuple[object, ...], **given: Any) -> int:
    with transaction(service) as connection:
        return upsert(connection, CELLS, COLUMNS, rows, key=KEY, **given)


def _cells(service: Engine) -> list[tuple[str, int, int]]:
    with transaction(service) as connection:
        found = connection.execute(select(CELLS.c.measure, CELLS.c.value, CELLS.c.version).order_by(CELLS.c.measure))
        return [(row.measure, row.value, row.version) for row in found]


def test_sessions_work_in_the_schema_as_the_role_in_utc(service: Engine) -> None:
    with transaction(service) as connection:
        assert connection.scalar(text("SELECT current_schema()")) == "things"
        assert connection.scalar(text("SELECT current_user")) == "things"
        assert connection.scalar(text("SHOW timezone")) == "UTC"
        assert connection.scalar(text("SHOW statement_timeout")) == "30s"
        assert connection.scalar(text("SHOW tcp_keepalives_idle")) == "10"
        assert connection.scalar(text("SHOW tcp_user_timeout")) == "20000"


def test_the_role_stays_after_a_rollback(service: Engine) -> None:
    with service.connect() as connection:
        connection.execute(text("SELECT 1"))
        connection.rollback()
        assert connection.scalar(text("SELECT current_user")) == "things"


def test_an_upsert_adds_and_replaces(service: Engine) -> None:
    assert _write(service, ("orders", MARCH, 3, 1), ("ended", MARCH, 1, 1), add=["value"]) == 2
    assert _write(service, ("orders", MARCH, -1, 2), add=["value"]) == 1
    assert _cells(service) == [("ended", 1, 1), ("orders", 2, 2)]


def test_an_upsert_replaces_unless_told_to_add(service: Engine) -> None:
    _write(service, ("orders", MARCH, 3, 1))
    _write(service, ("orders", MARCH, 5, 2))
    assert _cells(service) == [("orders", 5, 2)]


def test_a_condition_keeps_what_is_newer(service: Engine) -> None:
    newer = {"where": lambda new: new.version > CELLS.c.version}
    _write(service, ("orders", MARCH, 3, 7), **newer)
    assert _write(service, ("orders", MARCH, 9, 6), ("ended", MARCH, 1, 6), **newer) == 1
    assert _cells(service) == [("ended", 1, 6), ("orders", 3, 7)]


def test_one_transaction_may_write_a_table_twice(service: Engine) -> None:
    with transaction(service) as connection:
        upsert(connection, CELLS, COLUMNS, [("orders", MARCH, 3, 1)], key=KEY)
        upsert(connection, CELLS, COLUMNS, [("orders", MARCH, 4, 2), ("ended", MARCH, 1, 2)], key=KEY)
    assert _cells(service) == [("ended", 1, 2), ("orders", 4, 2)]


def test_writing_nothing_is_no_fault(service: Engine) -> None:
    assert _write(service) == 0


def test_a_key_alone_may_be_written(service: Engine) -> None:
    with transaction(service) as connection:
        assert upsert(connection, SEEN, ["name"], [("a",), ("b",)], key=["name"]) == 2
        assert upsert(connection, SEEN, ["name"], [("b",), ("c",)], key=["name"]) == 1


@pytest.mark.parametrize("filler", [0, database.FEW], ids=["with the statement", "by COPY"])
def test_a_change_writes_what_differs_and_makes_no_row(service: Engine, filler: int) -> None:
    kept = [(f"kept {number}", MARCH, number, 1) for number in range(filler)]
    _write(service, ("orders", MARCH, 3, 1), ("ended", MARCH, 4, 1), *kept)
    given = [("orders", MARCH, 5), ("ended", MARCH, 4), ("made up", MARCH, 6), *(row[:3] for row in kept)]
    with transaction(service) as connection:
        staged = database.stage(connection, CELLS, ["measure", "period", "value"], given)
        assert (staged.table is not None) is bool(filler)
        assert staged.change(key=KEY) == 1
    assert _cells(service) == [
        ("ended", 4, 1),
        *sorted((name, value, 1) for name, _, value, _ in kept),
        ("orders", 5, 1),
    ]


def test_few_rows_that_are_large_do_not_go_with_the_statement_for_which_others_wait(service: Engine) -> None:
    """The driver would escape each quote of them while it runs."""
    quotes = '"' * database.FEW_BYTES
    with transaction(service) as connection:
        assert database.stage(connection, SEEN, ["name"], [("a",)]).table is None
        staged = database.stage(connection, SEEN, ["name"], [("a",), (quotes,)])
        assert staged.table is not None
        assert staged.merge(key=["name"]) == 2
        assert set(connection.scalars(select(SEEN.c.name))) == {"a", quotes}


def test_what_fails_leaves_nothing_and_the_session_can_be_used_again(service: Engine) -> None:
    with pytest.raises(ZeroDivisionError), transaction(service) as connection:
        assert upsert(connection, CELLS, COLUMNS, [("orders", MARCH, 3, 1)], key=KEY) / 0
    assert _write(service, ("orders", MARCH, 1, 1)) == 1
    assert _cells(service) == [("orders", 1, 1)]


def test_copy_keeps_every_kind_of_value(service: Engine) -> None:
    at = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    columns = [column.name for column in EVERYTHING.c]
    full = (1, 2, "tab\tnewline\n\\N", b"\x00\xff", {"a": [1, None]}, Decimal("1.25"), at, ["x", "y"])
    encoded: tuple[object, ...] = (2, 0, "", b"", b'{"a":1}', Decimal(0), at, [])
    empty = (3, *[None] * 7)
    with transaction(service) as connection:
        assert copy_rows(connection, EVERYTHING, columns, [full, encoded, empty]) == 3
        found = [tuple(row) for row in connection.execute(select(EVERYTHING).order_by(EVERYTHING.c.id))]
    assert found == [full, (2, 0, "", b"", {"a": 1}, Decimal("0.00"), at, []), empty]


def test_faults_of_ours_are_not_called_away(service: Engine) -> None:
    twice = [("orders", MARCH, 3, 1)] * 2
    with pytest.raises(IntegrityError), transaction(service) as connection:
        connection.execute(CELLS.insert(), [dict(zip(COLUMNS, row, strict=True)) for row in twice])
    with pytest.raises(ProgrammingError), transaction(service) as connection:
        connection.execute(text("SELECT * FROM nowhere"))
    with pytest.raises(UniqueViolation), transaction(service) as connection:
        copy_rows(connection, CELLS, COLUMNS, twice)
    with pytest.raises(ProgrammingError, match="cannot affect row a second time"):
        _write(service, *twice)


def test_faults_show_no_values_of_statements(service: Engine) -> None:
    with pytest.raises(DBAPIError) as caught, transaction(service) as connection:
        connection.execute(text("SELECT 1 / :zero, :secret"), {"zero": 0, "secret": "hush"})
    assert "hush" not in str(caught.value)


def test_a_statement_that_takes_too_long_is_away(postgres: str, service: Engine) -> None:  # noqa: ARG001
    impatient = database.engine(_settings(postgres, statement_timeout_seconds=0.05))
    with pytest.raises(TimedOut, match="did not finish a statement"), transaction(impatient) as connection:
        connection.execute(text("SELECT pg_sleep(5)"))
    impatient.dispose()


def _cut(postgres: str, session: int) -> bool:
    """Return whether the session has ended."""
    with psycopg.connect(postgres) as administrator:
        return administrator.execute("SELECT pg_terminate_backend(%s, 5000)", [session]).fetchone() == (True,)


def _session(connection: Connection) -> int:
    return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def test_a_session_that_is_cut_is_away_and_the_next_works(postgres: str, service: Engine) -> None:
    with pytest.raises(Away, match="AdminShutdown 57P01"), transaction(service) as connection:
        connection.execute(text("SELECT :cut"), {"cut": _cut(postgres, _session(connection))})
    assert _write(service, ("orders", MARCH, 1, 1)) == 1


def test_a_session_that_is_cut_while_idle_is_never_handed_out(postgres: str, service: Engine) -> None:
    with transaction(service) as connection:
        session = _session(connection)
    assert _cut(postgres, session)
    assert _write(service, ("orders", MARCH, 1, 1)) == 1


def test_in_quiet_times_one_session_does_everything_and_the_others_may_end(service: Engine) -> None:
    with transaction(service) as one, transaction(service) as other:
        used = {_session(one), _session(other)}
        one.execute(text("SET idle_session_timeout = '1h'"))
        other.execute(text("SET idle_session_timeout = '50ms'"))
    assert len(used) == 2
    after = set()
    for _ in range(4):
        time.sleep(0.2)
        with transaction(service) as connection:
            after.add(_session(connection))
            connection.execute(text("SET idle_session_timeout = '1h'"))
    assert len(after) == 1


def test_a_session_that_is_cut_during_a_copy_is_away(postgres: str, service: Engine) -> None:
    def rows(session: int) -> Iterator[tuple[object, ...]]:
        yield from ((f"m{number}", MARCH, 1, 1) for number in range(1000))
        assert _cut(postgres, session)
        yield from ((f"n{number}", MARCH, 1, 1) for number in range(1000))

    with pytest.raises(Away), transaction(service) as connection:
        copy_rows(connection, CELLS, COLUMNS, rows(_session(connection)))
    assert _cells(service) == []


def test_a_deadlock_is_away_for_one_and_unseen_by_the_other(service: Engine) -> None:
    _write(service, ("a", MARCH, 0, 0), ("b", MARCH, 0, 0))
    both_hold_one = Barrier(2)
    ended: list[BaseException | None] = []

    def work(first: str, second: str) -> None:
        try:
            with transaction(service) as connection:
                update = text("UPDATE cells SET value = value + 1 WHERE measure = :measure")
                connection.execute(update, {"measure": first})
                both_hold_one.wait()
                connection.execute(update, {"measure": second})
        except Away as away:
            ended.append(away)
        else:
            ended.append(None)

    threads = [Thread(target=work, args=names) for names in [("a", "b"), ("b", "a")]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(end).__name__ for end in ended) == ["Away", "NoneType"]
    assert _cells(service) == [("a", 1, 0), ("b", 1, 0)]


def test_a_pool_that_is_used_up_is_away(postgres: str, service: Engine) -> None:  # noqa: ARG001
    small = database.engine(_settings(postgres, pool_size=1, connect_timeout_seconds=1))
    with small.connect(), pytest.raises(Away), transaction(small):
        pytest.fail("there was no session to be had")
    small.dispose()


def test_a_server_that_does_not_answer_is_away() -> None:
    nobody = database.engine(_settings("postgresql://nobody@127.0.0.1:1/none"))
    with pytest.raises(Away):
        ping(nobody)


def test_a_server_that_stops_and_comes_back_is_away_meanwhile(postgres_process: Postgres, tmp_path: Path) -> None:
    service = _service(postgres_process.url, tmp_path)
    assert _write(service, ("orders", MARCH, 1, 1), add=["value"]) == 1
    postgres_process.kill()
    for _ in range(2):
        with pytest.raises(Away):
            _write(service, ("orders", MARCH, 1, 2), add=["value"])
    postgres_process.start()
    ping(service)
    assert _write(service, ("orders", MARCH, 1, 3), add=["value"]) == 1
    assert _cells(service) == [("orders", 2, 3)]
    service.dispose()


def test_an_exception_from_elsewhere_is_not_away() -> None:
    assert not is_away(ConnectionError("somebody else's"))

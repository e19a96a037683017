"""PostgreSQL shows an API only the rows of the authority that asks, also where every query forgets to say whose it wants."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import ProgrammingError

from contracts.codes import EndReason
from contracts.decoding.codec import encode
from contracts.events import OrderEnded, OrderReceived
from contracts.topics import topic_of
from services.chassis.audit import store
from services.chassis.audit.model import Entry, Kind, Purpose
from services.chassis.database import engine, settings_of, transaction
from services.chassis.guarding.walls import NOBODY, Sight, behind, seeing
from services.records.trees import keeping
from services.records.trees.keeping import KeptHead, NewLeaf
from tests.integration.records.api.test_audit import ASKED_WITH, MANAGER, TODAY, acknowledge, routes
from tests.integration.records.conftest import NOW, Bench
from tests.integration.records.test_between_authorities import ASKED, IMPOSED, LEFT, A, B, Sender
from tests.support import desk
from tests.support.desk import new_client, token
from tests.support.lives import event as told

WHOSE = re.compile(
    r"(?:\w+\.)?(?:authority|topic) (?:= %\(\w+\)s(?:::VARCHAR)?|IN \([^)]*\)s[^)]*\)|= ANY \(?%\(\w+\)s[^)]*\))"
)
"""Where a statement says whose rows it wants."""
EVIDENCE = {
    "GET /v1/evidence/receipts/{event_id:path}": "/v1/evidence/receipts/1",
    "GET /v1/evidence/consistency": "/v1/evidence/consistency?old=1&new=2",
}
BY_OTHERS_TOO = {"GET /v1/audit"}
"""Grows with each look, so that no two answers are alike."""


@contextmanager
def forgetful() -> Iterator[list[str]]:
    """Have no statement say whose rows it wants. Yields those that would have."""
    forgotten: list[str] = []

    def forget(_c: object, _u: object, statement: str, given: Any, _x: object, _m: object) -> tuple[str, Any]:
        without = WHOSE.sub("TRUE", statement)
        if without != statement:
            forgotten.append(statement)
        return without, given

    event.listen(Engine, "before_cursor_execute", forget, retval=True)
    try:
        yield forgotten
    finally:
        event.remove(Engine, "before_cursor_execute", forget)


@pytest.fixture(params=["orders", "unpaid_work"])
def service(bench: Callable[[str], Bench], request: pytest.FixtureRequest) -> Bench:
    """Return a service to which two authorities have told alike of orders of the same references, one of them more."""
    sender = Sender(bench(request.param))
    for authority in (A, B):
        sender.tell(authority, IMPOSED, ASKED, OrderReceived(received_on=date(2025, 3, 3)), LEFT)
        sender.tell(
            authority, OrderEnded(ended_on=date(2025, 1, 1), reason=EndReason.COMPLETED), IMPOSED, subject="CPO/2"
        )
        refused = encode(told(IMPOSED, "CPO/3", authority)).replace(b'"sheriff_summary"', b'"no court"')
        sender.send_raw(topic_of(sender.bench.domain.own, authority), refused)
    for reference in ("CPO/4", "CPO/5"):
        sender.tell(B, IMPOSED, subject=reference)
    sender.send_raw(topic_of(sender.bench.domain.own, B), b"nothing that can be read")
    with transaction(sender.bench.database) as connection:
        store.append(connection, Entry(B, NOW, "somebody of B", B, "manager", Purpose.CASEWORK, Kind.LOOK, "x", 1))
        for authority, size in ((A, 2), (B, 3)):
            close_a_day(connection, authority, size)
    return sender.bench


def close_a_day(connection: Connection, authority: str, size: int) -> None:
    """Close a day: the tree of an authority, with so many leaves that are like no other's."""
    tree = keeping.growing(connection, authority, 0)
    leaves = [NewLeaf(f"{number}", f"{authority} {number}", b"salt") for number in range(size)]
    keeping.add(connection, authority, tree, leaves)
    head = KeptHead(NOW.date(), tree.size, tree.root, tree.size, f"signed for {authority}")
    keeping.add_head(connection, authority, head)


def answers(client: TestClient, name_of_service: str) -> dict[str, str]:
    """Return the answers that a manager of A gets from every route that is not for everybody."""
    found = {}
    for name, policy in routes(name_of_service):
        if not policy.who.of_the_nation:
            asked = (ASKED_WITH | EVIDENCE).get(name, name.removeprefix("GET "))
            answer = client.get(asked, headers=token(A, *MANAGER))
            found[name] = f"{answer.status_code} {answer.text}"
    return found


def test_queries_that_forget_whose_rows_they_want_find_those_of_who_asks(service: Bench) -> None:
    name = service.domain.service
    with new_client(service.database, service.domain, TODAY) as client:
        acknowledge(client)
        expected = answers(client, name)
        with forgetful() as forgotten:
            found = answers(client, name)
    assert "somebody of B" not in found["GET /v1/audit"]
    assert {route for route in found if found[route] != expected[route]} <= BY_OTHERS_TOO
    assert all(answer.startswith("200 ") for answer in found.values())
    assert len(forgotten) > len(found)


def test_without_walls_they_would_find_those_of_others(service: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above can fail."""
    monkeypatch.setattr(desk, "behind", engine)
    monkeypatch.setattr("services.orders.transfers.NAMING_US", "records")
    name = service.domain.service
    with new_client(service.database, service.domain, TODAY) as client:
        acknowledge(client)
        expected = answers(client, name)
        with forgetful():
            found = answers(client, name)
    others = {route for route in found if found[route] != expected[route]}
    assert others >= {"GET /v1/findings", "GET /v1/rejections", "GET /v1/held"}
    assert "somebody of B" in found["GET /v1/audit"]


TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = ANY (ARRAY['authority', 'topic'])
WHERE c.relnamespace = ANY (ARRAY[to_regnamespace(:schema), to_regnamespace(:schema || '_audit')]) AND c.relkind = 'r'
GROUP BY c.relname ORDER BY c.relname
"""


def whose(connection: Connection, table: str) -> set[str]:
    """Return the authorities that a transaction sees in a table."""
    column = "right(topic, 9)" if table == "checkpoints" else "authority"
    return set(connection.scalars(text(f"SELECT DISTINCT {column} FROM {table}")))


def test_each_table_shows_nobody_nothing_an_authority_its_own_and_national_viewers_all(service: Bench) -> None:
    walled = behind(settings_of(service.database))
    with transaction(service.database) as connection:
        tables = list(connection.scalars(text(TABLES), {"schema": service.domain.service}))
        everything = {table: whose(connection, table) for table in tables}
    assert len(tables) >= 18
    assert len([table for table in tables if {A, B} <= everything[table]]) >= 6
    for sight, visible in (
        (Sight(whole_nation=True), None),
        (Sight(A), {A}),
        (NOBODY, set()),
    ):  # in sessions that the pool keeps
        for table in tables:
            with seeing(sight), transaction(walled) as connection:
                found = whose(connection, table)
                assert found == everything[table] if visible is None else found <= visible, (table, sight)
    walled.dispose()


REFUSED = {
    "INSERT INTO notes (authority, kind, key, by, at) VALUES (:other, 'aim', 'x', 'x', now())": Sight(A),
    "UPDATE records SET imposed_on = NULL": Sight(A),
    "DELETE FROM notes": Sight(A),
    "INSERT INTO cells SELECT * FROM cells": Sight(whole_nation=True),
    "DELETE FROM audit_entries": Sight(whole_nation=True),
    "SELECT * FROM producers": Sight(A),
    "ALTER TABLE records DISABLE ROW LEVEL SECURITY": Sight(A),
}


@pytest.mark.parametrize("statement", REFUSED)
def test_an_api_changes_nothing_but_what_its_authority_decides(bench: Callable[[str], Bench], statement: str) -> None:
    walled = behind(settings_of(bench("orders").database))
    with seeing(REFUSED[statement]), pytest.raises(ProgrammingError) as refused, transaction(walled) as connection:
        connection.execute(text(statement), {"other": B} if ":other" in statement else {})
    assert isinstance(refused.value.orig, InsufficientPrivilege)
    walled.dispose()


def test_the_walls_leave_every_question_the_index_that_it_had(service: Bench) -> None:
    """Asked with sequential scans out of the way, since tables of tests are small."""
    asked: list[tuple[str, Any]] = []

    def keep(_c: object, _u: object, statement: str, given: Any, _x: object, _m: object) -> None:
        if statement.startswith(("SELECT", "WITH")) and WHOSE.search(statement):
            asked.append((statement, given))

    event.listen(Engine, "before_cursor_execute", keep)
    try:
        with new_client(service.database, service.domain, TODAY) as client:
            answers(client, service.domain.service)
    finally:
        event.remove(Engine, "before_cursor_execute", keep)
    walled = behind(settings_of(service.database))
    assert len(asked) > 20
    for statement, given in asked:
        with transaction(service.database) as connection:
            without = indexes(connection, statement, given)
        with seeing(Sight(A)), transaction(walled) as connection:
            assert indexes(connection, statement, given) == without, statement
    walled.dispose()


def indexes(connection: Connection, statement: str, given: Any) -> list[str]:
    """Return the indexes that PostgreSQL would use."""
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    plan = connection.exec_driver_sql(f"EXPLAIN {statement}", given).scalars()
    return sorted(re.findall(r"(?:using|Scan on) (\w+_\w+)", "\n".join(plan)))

"""Whatever an API shows of people is on record before it is shown, nobody changes what is on record, and authorities can search it."""

import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError
from typer.testing import CliRunner

from contracts.codes import EndReason
from contracts.decoding.codec import encode
from contracts.events import OrderEnded, OrderReceived, Topic
from contracts.generate.samples import EVENTS
from contracts.receipts.keys import SigningKey, new_key
from contracts.topics import topic_of
from services.chassis.api.http import Written, application
from services.chassis.api.policy import Policy, Who
from services.chassis.audit import store
from services.chassis.audit.model import Kept
from services.chassis.database import settings_of, transaction
from services.chassis.guarding.walls import behind
from services.chassis.schema import Schema
from services.chassis.settings import HttpSettings, TokenSettings
from services.cli import command_line
from services.operations.rights.audit import noted, wrong
from services.records.trees.closing import Tree, close
from tests.integration.records.conftest import NOW, Bench
from tests.integration.records.test_between_authorities import ARRIVED, ASKED, IMPOSED, LEFT, A, B, Sender
from tests.support.asking import InThisThread
from tests.support.desk import POLICIES, keys, new_client, token
from tests.support.lives import event

TODAY = "2025-06-30"
REFERENCE, PSEUDONYM = "CPO/1", "person-of-tests-0001"
ONLY_COUNTED = {"GET /v1/rejections", "GET /v1/audit"}
"""Routes that name orders in what was sent, or in what was looked at before: their own entries say how many of those were shown."""
ASKED_WITH: dict[str, str] = {
    "GET /v1/events/{event_id:path}": "/v1/events/1",
    "GET /v1/returns/annual-report": "/v1/returns/annual-report?year=2024-25",
    "GET /v1/returns/reconciliation": "/v1/returns/reconciliation?year=2024-25",
    "GET /v1/returns/whole": "/v1/returns/whole?year=2024-25",
    "GET /v1/returns/cpo": "/v1/returns/cpo?year=2024-25",
    "GET /v1/returns/unpaid-work": "/v1/returns/unpaid-work?year=2024-25",
    "GET /v1/explain": "/v1/explain?measure=orders_imposed&period=2025-03",
    "GET /v1/evidence/receipts/{event_id:path}": "/v1/evidence/receipts/1",
    "GET /v1/evidence/consistency": "/v1/evidence/consistency?old=1&new=1",
    "GET /v1/counted": "/v1/counted?month=2025-03",
    "GET /v1/counted/{subject:path}": f"/v1/counted/{REFERENCE}",
    "GET /v1/orders/{subject:path}": f"/v1/orders/{REFERENCE}",
    "GET /v1/ledgers/{subject:path}": f"/v1/ledgers/{REFERENCE}",
}
MANAGER = ("orders:read", "orders:manage")


@pytest.fixture
def senders(bench: Callable[[str], Bench]) -> dict[str, Sender]:
    """Return orders and unpaid work, which hold an order that went wrong in several ways, and an event that was refused."""
    made = {name: Sender(bench(name)) for name in ("orders", "unpaid_work")}
    for sender in made.values():
        sender.tell(A, IMPOSED, ASKED, OrderReceived(received_on=date(2025, 3, 3)), LEFT)
        sender.tell(A, OrderEnded(ended_on=date(2025, 1, 1), reason=EndReason.COMPLETED), IMPOSED, subject="CPO/2")
        sender.tell(A, IMPOSED, LEFT, subject="CPO/3")
        sender.tell(B, ARRIVED, subject="E/1")
        refused = encode(event(IMPOSED)).replace(b'"sheriff_summary"', b'"no court"')
        sender.send_raw(topic_of(sender.bench.domain.own, A), refused)
    return made


@pytest.fixture
def orders(senders: dict[str, Sender]) -> Bench:
    return senders["orders"].bench


def entries(bench: Bench, authority: str = A) -> list[Kept]:
    """Return the entries of the audit, the latest first."""
    with transaction(bench.database) as connection:
        return store.search(connection, authority, store.Question(), 10_000)


def routes(service: str) -> Iterator[tuple[str, Policy]]:
    """Yield the routes whose answers are not for everybody."""
    for name, policy in POLICIES[service].items():
        if name.startswith("GET ") and policy.who is not Who.ANYBODY:
            yield name, policy


@pytest.mark.parametrize("service", ["orders", "unpaid_work"])
def test_every_route_that_shows_people_puts_it_on_record(
    service: str, senders: dict[str, Sender], tmp_path: Path
) -> None:
    """And none that shows none. A new route is asked here, and fails where it shows a person and does not say so, or tells of the order
    that its address names.
    """
    bench = senders[service].bench
    close_days(senders[service], tmp_path)
    seen = set()
    with new_client(bench.database, bench.domain, TODAY) as client:
        acknowledge(client)
        for name, policy in routes(service):
            who = token(None, "national:inspect") if policy.who is Who.INSPECTOR else token(A, *MANAGER)
            before = len(entries(bench))
            address = ASKED_WITH.get(name, name.removeprefix("GET "))
            answer = client.get(address, headers=who)
            assert answer.status_code == 200, (name, answer.text)
            found = entries(bench)
            named = set(re.findall(r"CPO/\d", address + answer.text))
            shows = bool(named) or PSEUDONYM in answer.text
            assert len(found) == before + shows, (name, answer.text)
            if shows:
                seen.add(name)
                entry = found[0].entry
                assert (entry.what, entry.who, entry.kind) == (name, "somebody", "look")
                assert entry.count, name
                assert named <= set(entry.references) or name in ONLY_COUNTED
        with transaction(bench.database) as connection:
            assert list(wrong(connection, {})) == []
    assert len(seen) >= 6, seen


def close_days(sender: Sender, directory: Path) -> None:
    """Close days, so that there are receipts."""
    close_day(sender, new_key(directory / "key.pem"))


def close_day(sender: Sender, key: SigningKey, authority: str = A) -> None:
    """Close the day of one authority."""
    own = sender.bench.domain.own
    topic = topic_of(own, authority)
    if own is Topic.UNPAID_WORK:
        sender.tell(authority, next(one.data for one in EVENTS if type(one.data).TOPICS[0] is own))
    tree, log = Tree(authority, topic), sender.log[topic]
    with sender.bench.database.begin() as connection:
        assert close(connection, tree, lambda offsets: {n: log[n] for n in offsets}, key, NOW)


def acknowledge(client: TestClient) -> None:
    """Acknowledge a duty, so that there is something to show of it."""
    duties = client.get("/v1/worklist", headers=token(A, *MANAGER)).json()["items"]
    if duties:
        duty = {name: duties[0][name] for name in ("subject", "standard", "due_on")}
        asked = {"duties": [duty], "reason": "too_late"}
        assert client.post("/v1/acknowledgements", json=asked, headers=token(A, *MANAGER)).status_code == 200


def test_an_authority_searches_what_was_seen_and_done_of_its_own(orders: Bench) -> None:
    with new_client(orders.database, orders.domain, TODAY) as client:
        mine, theirs = token(A, *MANAGER), token(B, *MANAGER)
        purpose = {"Payback-Purpose": "request_of_the_person"}
        assert client.get("/v1/orders/CPO/1", headers=mine | purpose).status_code == 200
        assert client.get("/v1/orders/CPO/2", headers=mine).status_code == 200
        assert client.get("/v1/orders", headers=theirs).json()["orders"] == []
        assert client.get("/v1/transfers", headers=token(None, "national:inspect")).status_code == 200
        client.put("/v1/own/closed-days", json={"day": "2025-03-05", "name": "Fair"}, headers=mine)

        def ask(**asked: Any) -> list[dict[str, Any]]:
            answer = client.get("/v1/audit", params=asked, headers=asked.pop("headers", mine))
            assert answer.status_code == 200, answer.text
            found: list[dict[str, Any]] = answer.json()["entries"]
            return found

        [one] = ask(reference="CPO/1", who="somebody", limit=1, before=2)
        assert (one["references"][0], one["purpose"], one["role"]) == ("CPO/1", "request_of_the_person", "manager")
        what = [each["what"] for each in ask() if each["what"] != "GET /v1/audit"]
        assert what[:2] == ["PUT /v1/own/closed-days", "GET /v1/transfers"]
        assert [each["of"] for each in ask() if each["what"] == "GET /v1/transfers"] == [""]
        assert "CPO/" not in client.get("/v1/audit", headers=theirs).text
        looks = [each for each in ask() if each["what"] == "GET /v1/audit"]
        assert [each["references"] for each in looks] == [[], [], ["CPO/1"]], (
            "entries name no order again, only the one asked for"
        )
        assert [each["count"] for each in looks][-1] == 1
        refused = client.get("/v1/orders", headers=mine | {"Payback-Purpose": "curiosity"})
        assert refused.status_code == 422
        assert client.get("/v1/audit", headers=token(A, "orders:read")).status_code == 403


def test_what_cannot_be_put_on_record_is_not_shown_and_not_done(orders: Bench) -> None:
    with orders.database.begin() as connection:
        connection.exec_driver_sql("RESET ROLE")
        connection.exec_driver_sql("ALTER TABLE orders_audit.audit_entries RENAME TO away")
    with new_client(orders.database, orders.domain, TODAY) as made:
        client = InThisThread(made.app, raise_server_exceptions=False)
        shown = client.get("/v1/orders/CPO/1", headers=token(A, *MANAGER))
        assert shown.status_code >= 500
        assert REFERENCE not in shown.text
        day = {"day": "2025-03-05", "name": "Fair"}
        assert client.put("/v1/own/closed-days", json=day, headers=token(A, *MANAGER)).status_code >= 500
    with transaction(orders.database) as connection:
        assert connection.scalar(text("SELECT count(*) FROM notes")) == 0


class Told(Schema, description="An answer that names an order."):
    subject: str


def test_a_route_for_anybody_that_names_an_order_and_does_not_record_it_answers_nothing(orders: Bench) -> None:
    routes, walled = APIRouter(route_class=Written), behind(settings_of(orders.database))

    @routes.get("/open")
    def get_open(name: str) -> Told:
        return Told(subject=name)

    app = application(
        *("open", HttpSettings(port=0), CollectorRegistry(), [routes], {"GET /open": Policy()}),
        tokens=TokenSettings(public_key=keys().public),
        audit=walled,
    )
    with TestClient(app, raise_server_exceptions=False) as client:
        assert client.get("/open?name=-").status_code == 200, "about nobody"
        answer = client.get("/open", params={"name": REFERENCE})
    walled.dispose()
    assert answer.status_code >= 500
    assert REFERENCE not in answer.text


FORBIDDEN = (
    "UPDATE audit_entries SET who = 'nobody'",
    "DELETE FROM audit_entries",
    "TRUNCATE audit_names",
    "UPDATE audit_names SET shown = '{}'",
    "DROP TABLE audit_entries",
    "ALTER TABLE audit_entries DISABLE TRIGGER ALL",
)


def test_the_service_may_only_add(orders: Bench) -> None:
    for what in FORBIDDEN:
        with pytest.raises(ProgrammingError) as caught, transaction(orders.database) as connection:
            connection.exec_driver_sql(what)
        assert isinstance(caught.value.orig, InsufficientPrivilege)


TAMPERING = {
    "UPDATE audit_entries SET who = 'nobody' WHERE number = 2": "was changed",
    "DELETE FROM audit_entries WHERE number = 2": "does not follow",
    "UPDATE audit_entries SET number = CASE number WHEN 3 THEN 104 ELSE 3 END WHERE number IN (3, 4)": "was changed",
    "DELETE FROM audit_entries WHERE number = 6": "is gone",
    "DELETE FROM audit_names WHERE number = 2": "were taken away",
    "TRUNCATE audit_entries": "is gone",
    "UPDATE audit_entries SET purpose = 'fun' WHERE number = 2": "was changed",
    "UPDATE audit_entries SET kind = 'blink' WHERE number = 2": "was changed",
    """UPDATE audit_entries SET detail = '{"trimmed": 1' WHERE number = 2""": "was changed",
    """UPDATE audit_entries SET detail = '{"trimmed": 1, "erased_entries": 1}' WHERE number = 2""": "was changed",
    """UPDATE audit_entries SET detail = '[]' WHERE number = 2""": "was changed",
}


def test_verify_finds_what_was_done_to_the_audit(
    orders: Bench, postgres: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PAYBACK_DATABASE_URL", postgres)
    monkeypatch.setenv("PAYBACK_DATABASE_SCHEMA_NAME", "orders")
    with new_client(orders.database, orders.domain, TODAY) as client:
        for _ in range(6):
            client.get("/v1/orders/CPO/1", headers=token(A, *MANAGER))
    kept = tmp_path / "heads"
    kept.write_text(payback("heads").stdout)
    assert payback("verify", "--heads", str(kept)).exit_code == 0
    (tmp_path / "torn").write_text('{"authority":')
    for name in ("torn", "gone"):
        assert payback("verify", "--heads", str(tmp_path / name)).exit_code == 2
    heads = noted([kept])
    for tampering, told in TAMPERING.items():
        with orders.database.connect() as connection:
            tamper(connection, tampering)
            assert told in " ".join(wrong(connection, heads)), tampering
            connection.rollback()
    with orders.database.begin() as connection:
        tamper(connection, next(iter(TAMPERING)))
    assert payback("verify").exit_code != 0


def tamper(connection: Connection, what: str) -> None:
    """Tamper with the audit, as somebody who may do more than the service."""
    connection.exec_driver_sql("SET LOCAL ROLE orders_audit")
    connection.exec_driver_sql(what)


def payback(*arguments: str) -> Any:
    return CliRunner().invoke(command_line(["services.operations.rights.audit"]), ["audit", *arguments])

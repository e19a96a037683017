"""Managers set receivers of their own authority: a secret is shown once, can be changed without a gap, and every act is on record."""

import pytest
from cryptography.fernet import Fernet

from services.records.config.settings import WebhookSettings
from services.records.ingest.tables import changes
from services.records.webhooks.feed import end_of
from tests.integration.records.webhooks.conftest import A, B, Telling
from tests.support.desk import token
from tests.support.outside.receiver import Receiver


def test_a_secret_is_shown_once_and_kept_sealed(orders: Telling, there: Receiver) -> None:
    orders.add(there)
    assert there.secret.startswith("whsec_")
    assert there.secret not in orders.ask("GET", "").text
    with orders.bench.database.connect() as connection:
        kept = connection.exec_driver_sql("SELECT webhooks::text FROM webhooks").scalar_one()
    assert there.secret.removeprefix("whsec_") not in kept


def test_while_a_secret_changes_both_verify(orders: Telling, there: Receiver) -> None:
    webhook, former = orders.add(there), there.secret
    new = orders.ask("POST", f"/{webhook}/secret", {"overlap_hours": 168}).json()["secret"]
    orders.refuse("a")
    orders.rounds()
    there.secret = new
    orders.refuse("b")
    orders.rounds()
    assert [one["event"] for one in there.told] == ["a", "b"]
    newest = orders.ask("POST", f"/{webhook}/secret", {"overlap_hours": 1}).json()["secret"]  # which was yesterday
    orders.refuse("c")
    orders.rounds()
    assert len(there.told) == 2, "a secret whose time is over verifies nothing"
    there.secret = newest
    orders.pass_(seconds=5)
    orders.rounds()
    assert [one["event"] for one in there.told] == ["a", "b", "c"]
    assert len({former, new, newest}) == 3


def test_nobody_sees_or_changes_what_is_another_authoritys(orders: Telling, there: Receiver) -> None:
    webhook = orders.add(there)
    assert orders.shown(B) == []
    for method, path, body in (
        ("POST", f"/{webhook}/resume", {}),
        ("POST", f"/{webhook}/secret", {}),
        ("DELETE", f"/{webhook}", None),
    ):
        assert orders.ask(method, path, body, B).status_code == 404
    assert len(orders.shown(A)) == 1
    reader = orders.client.get("/v1/webhooks", headers=token(A, "orders:read"))
    assert reader.status_code == 403


def test_who_is_taken_away_is_sent_nothing(orders: Telling, there: Receiver) -> None:
    webhook = orders.add(there)
    orders.refuse("a")
    assert orders.ask("DELETE", f"/{webhook}").json() == {"webhooks": []}
    orders.rounds()
    assert there.ids == []


def test_an_authority_has_a_few_receivers_at_most(orders: Telling, there: Receiver) -> None:
    for _ in range(5):
        orders.add(there)
    body = {"name": "one more", "url": there.url}
    assert orders.ask("POST", "", body).status_code == 409
    assert orders.ask("POST", "", body, B).status_code == 200


def test_addresses_inside_are_refused_when_they_are_typed(orders: Telling) -> None:
    for url in ("http://receiver.example/", "https://10.0.0.1/", "https://user:word@receiver.example/"):
        answer = orders.ask("POST", "", {"name": "x", "url": url})
        assert (answer.status_code, "address" in answer.json()["detail"]) == (422, True), answer.text
    assert orders.ask("POST", "", {"name": "x", "url": "https://r.example/", "after": "nothing"}).status_code == 422


def test_without_a_key_there_are_no_webhooks(orders: Telling) -> None:
    off = Telling(orders.bench, orders.worker, WebhookSettings())
    answer = off.ask("POST", "", {"name": "x", "url": "https://receiver.example/"})
    assert (answer.status_code, "no key" in answer.json()["detail"]) == (409, True)


def with_another_key(orders: Telling) -> Telling:
    other = WebhookSettings.model_validate({"key": Fernet.generate_key().decode(), "allowed_networks": "127.0.0.0/8"})
    return Telling(orders.bench, orders.worker, other)


def test_a_key_that_is_lost_can_be_found_again(orders: Telling, there: Receiver) -> None:
    """One wrong setting of the operator's must not stop the receivers of all authorities for good."""
    orders.refuse("a")
    orders.add(there)
    with_another_key(orders).rounds()
    assert there.ids == []
    (shown,) = orders.shown()
    assert (shown["stopped_at"], str(shown["fault"]).partition(":")[0]) == (None, "Its secret cannot be read any more")
    orders.pass_(minutes=1)
    orders.rounds()
    assert [one["event"] for one in there.told] == ["a"]


def test_where_a_key_is_lost_for_good_a_new_secret_helps(orders: Telling, there: Receiver) -> None:
    orders.refuse("a")
    webhook = orders.add(there)
    later = with_another_key(orders)
    later.rounds()
    there.secret = later.ask("POST", f"/{webhook}/secret", {}).json()["secret"]
    later.ask("POST", f"/{webhook}/resume", {})
    later.rounds()
    assert [one["event"] for one in there.told] == ["a"]


@pytest.mark.parametrize("stopped", [True, False])
def test_every_act_and_every_look_is_on_record(orders: Telling, there: Receiver, stopped: bool) -> None:
    webhook = orders.add(there)
    with orders.bench.database.begin() as connection:
        place = end_of(connection, A)
        row = {"version": place.version + 1, "number": 1, "kind": "found", "subject": "CPO/17", "rule": "any"}
        connection.execute(changes.insert().values(authority=A, **row))
    if stopped:
        there.answer = lambda handler: handler.send_error(410)
    orders.rounds()
    assert there.told[-1]["subject"] == "CPO/17"
    told = orders.client.get("/v1/audit", headers=token(A, "orders:read", "orders:manage")).json()["entries"]
    ours = [one for one in told if one["who"] == webhook or one["detail"].get("webhook") == webhook]
    assert sum(one["references"] == ["CPO/17"] and one["who"] == webhook for one in ours) == 1
    assert any(one["detail"].get("made") == "the case system" for one in ours)
    assert any(one["detail"].get("stopped") == "gone" for one in ours) == stopped
    assert there.secret not in str(told)

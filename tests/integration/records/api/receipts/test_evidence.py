"""An authority proves offline what was accepted, with receipts as the platform gives them; whatever was altered at the platform shows."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvicorn
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry
from sqlalchemy import Table, delete, insert, select, text
from typer.testing import CliRunner

from contracts.authorities import AUTHORITIES
from contracts.decoding.codec import encode
from contracts.events import OrderReceived, Topic
from contracts.receipts import commands
from contracts.receipts.commands import NotGiven
from contracts.receipts.keys import PublicKeys, SigningKey, new_key
from contracts.receipts.receipt import Head, NotProven, mark_of
from contracts.receipts.signed import sign
from contracts.topics import topic_of
from services.chassis.api.http import application
from services.chassis.database import engine
from services.chassis.failures import Refused
from services.chassis.settings import DatabaseSettings, HttpSettings, KafkaSettings, TokenSettings
from services.chassis.streaming.batches import Slice
from services.chassis.streaming.clients.producer import Producer
from services.operations.rights.evidence import Heads
from services.records.api import intake
from services.records.api.decisions.signatures import RegisteredSigners
from services.records.ingest.tables import tree_heads, tree_leaves, tree_nodes
from services.records.ingest.worker import Worker
from services.records.trees import closing
from services.records.trees.closing import Tree, close
from tests.integration.records.conftest import Bench
from tests.support.desk import keys, new_client, token
from tests.support.lives import event, imposed
from tests.support.made.policies import own_policies
from tests.support.scenario import Sent

A, B = "S12000005", "S12000036"
OWN = iter(sorted(AUTHORITIES.keys() - {A, B}))
"""Each test has an authority to itself, in tables that all share."""
MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Taken:
    """An authority's log as the worker has taken it, and days that are closed."""

    def __init__(self, bench: Bench, worker: Worker, key: SigningKey) -> None:
        self.bench, self.key, self.log, self.authority = bench, key, dict[int, bytes](), next(OWN)
        self.topic, self._worker = topic_of(Topic.ORDERS, self.authority), worker

    def take(self, at: datetime, *values: bytes) -> None:
        own = [value.replace(A.encode(), self.authority.encode()) for value in values]
        first = len(self.log)
        sent = [Sent(offset, value, int(at.timestamp() * 1000)) for offset, value in enumerate(own, first)]
        self._worker.process([Slice(self.topic, 0, sent)])
        self.log |= dict(enumerate(own, first))

    def close(self, now: datetime, signed: Head | None = None) -> Head | None:
        with self.bench.database.begin() as connection:
            return close(connection, Tree(self.authority, self.topic), self._events, self.key, now, signed)

    def _events(self, offsets: Sequence[int]) -> Mapping[int, bytes]:
        return {offset: self.log[offset] for offset in offsets if offset in self.log}

    def rows(self, table: Table) -> Sequence[Any]:
        with self.bench.database.begin() as connection:
            return connection.execute(select(table).where(table.c.authority == self.authority)).mappings().all()

    def put_back(self, rows: Mapping[Table, Sequence[Any]]) -> None:
        """Put back the tables of the tree: they hold these rows and nothing else of the authority."""
        with self.bench.database.begin() as connection:
            for table, its in rows.items():
                connection.execute(delete(table).where(table.c.authority == self.authority))
                if its:
                    connection.execute(insert(table), [dict(row) for row in its])

    def change(self, statement: str) -> int:
        """Alter a table as somebody might; the statement ends with a condition. Returns the number of rows altered."""
        with self.bench.database.begin() as connection:
            return connection.execute(text(f"{statement} AND authority = '{self.authority}'")).rowcount


def accepted(number: int) -> bytes:
    return encode(event(imposed(date(2025, 12, 1)), f"CPO/{number}", A, number))


@pytest.fixture(scope="module")
def bench(migrated: Callable[[], str]) -> Iterator[Bench]:
    made = Bench(migrated(), "orders")
    yield made
    made.database.dispose()


@pytest.fixture(scope="module")
def worker(bench: Bench) -> Worker:
    return bench.worker()


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return new_key(tmp_path / "key.pem")


@pytest.fixture
def taken(bench: Bench, worker: Worker, key: SigningKey) -> Taken:
    return Taken(bench, worker, key)


@pytest.fixture
def address(taken: Taken) -> Iterator[str]:
    """Yield the address of the API, at a real socket."""
    app = new_client(taken.bench.database, taken.bench.domain, "2026-03-09").app
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    running = threading.Thread(target=server.run)
    running.start()
    while not server.started:
        running.join(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    running.join()


@pytest.fixture
def payback(address: str, taken: Taken, tmp_path: Path) -> Callable[..., str]:
    (tmp_path / "token").write_text(token(taken.authority, "events:write")["Authorization"].removeprefix("Bearer "))

    def run(command: str, *given: str) -> str:
        arguments = [str(tmp_path / one) if one.endswith((".json", "token")) else one for one in given]
        asking = ["--from", address] if command in {"fetch", "keys"} else []
        done = CliRunner().invoke(commands.commands, ["receipt", command, *arguments, *asking])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.output

    return run


TREE = (tree_leaves, tree_nodes, tree_heads)
FETCH = ("--token-file", "token")
KEYS = ("--keys", "keys.json")


def test_what_was_accepted_is_proven_offline_day_after_day_with_keys_that_change(
    taken: Taken, payback: Callable[..., str], tmp_path: Path
) -> None:
    taken.take(MONDAY, accepted(1), b"nonsense", accepted(2), accepted(1))
    assert taken.close(MONDAY) is None
    with pytest.raises(NotGiven, match="by the last day"):
        payback("fetch", "1", "--out", "1.json", *FETCH)
    closed = taken.close(MONDAY + timedelta(days=1))
    assert closed
    assert (closed.size, closed.day.isoformat()) == (2, "2026-03-02")
    assert taken.close(MONDAY + timedelta(days=1)) is None
    payback("keys", "--out", "keys.json")
    payback("fetch", "1", "--out", "1.json", *FETCH)
    (tmp_path / "event.json").write_bytes(taken.log[0])
    assert "with the bytes of the file" in payback("verify", "1.json", *KEYS, "--event", "event.json")

    taken.key = new_key(tmp_path / "newer.pem")
    taken.take(MONDAY + timedelta(days=1), accepted(3))
    taken.take(MONDAY + timedelta(days=2), accepted(4))
    closed = taken.close(MONDAY + timedelta(days=2))
    assert closed
    assert closed.size == 3
    payback("fetch", "3", "--out", "3.json", *FETCH, "--since", "1.json")
    with pytest.raises(NotProven, match="by any of the keys"):
        payback("verify", "3.json", *KEYS)
    payback("keys", "--out", "keys.json")
    assert "scot.payback.order.imposed.v1 3" in payback("verify", "3.json", *KEYS)
    assert "the 2 events up to 2026-03-02 are the first of the 3" in payback("compare", "1.json", "3.json", *KEYS)
    payback("fetch", "--out", "head.json", *FETCH, "--since", "1.json")
    assert "proven: by the end of 2026-03-03 3 events" in payback("verify", "head.json", *KEYS)
    assert "proven" in payback("compare", "1.json", "head.json", *KEYS)


def test_two_systems_that_give_the_same_id_have_a_receipt_each(
    taken: Taken, payback: Callable[..., str], tmp_path: Path
) -> None:
    one, other = (
        accepted(1),
        encode(msgspec.structs.replace(event(imposed(date(2025, 12, 2)), "CPO/2", A), system="another")),
    )
    taken.take(MONDAY, one, other)
    closed = taken.close(MONDAY + timedelta(days=1))
    assert closed
    assert closed.size == 2
    payback("keys", "--out", "keys.json")
    for number in range(2):
        (tmp_path / "event.json").write_bytes(taken.log[number])
        payback("fetch", "1", "--out", "1.json", *FETCH, "--event", "event.json")
        assert "with the bytes of the file" in payback("verify", "1.json", *KEYS, "--event", "event.json")
    (tmp_path / "event.json").write_bytes(b"never sent")
    with pytest.raises(NotGiven, match="No event with this id"):
        payback("fetch", "1", "--out", "1.json", *FETCH, "--event", "event.json")


def test_a_day_of_very_many_events_with_one_id_is_closed_in_a_time_that_grows_with_their_number(
    taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each beside each other one would keep every authority's day open: 20,000 events are 200 million hashes."""
    number, most, hashed = 400, 5, list[bytes]()
    monkeypatch.setattr(closing, "MOST_KNOWN", most)
    monkeypatch.setattr(closing, "STEP", 50)

    def count(content: bytes, salt: bytes) -> str:
        hashed.append(content)
        return mark_of(content, salt)

    monkeypatch.setattr(closing, "mark_of", count)
    taken.take(MONDAY, *[encode(event(imposed(date(2025, 12, 2)), f"CPO/{n}", A)) for n in range(number)])
    closed = taken.close(MONDAY + timedelta(days=1))
    assert closed
    assert closed.size == number
    assert len(hashed) <= number * (1 + most)


def test_what_is_sent_again_has_one_leaf(taken: Taken) -> None:
    taken.take(MONDAY, accepted(1), accepted(1), accepted(2))
    taken.take(MONDAY + timedelta(days=1), accepted(2), accepted(1), accepted(3))
    sizes = [head.size for days in (1, 2) if (head := taken.close(MONDAY + timedelta(days=days)))]
    assert sizes == [2, 3]


def test_an_evening_in_summer_belongs_to_the_day_of_london(taken: Taken) -> None:
    taken.take(datetime(2026, 7, 1, 22, 59, tzinfo=UTC), accepted(1))
    taken.take(datetime(2026, 7, 1, 23, 1, tzinfo=UTC), accepted(2))
    closed = taken.close(datetime(2026, 7, 1, 23, 30, tzinfo=UTC))
    assert closed
    assert (closed.day.isoformat(), closed.size) == ("2026-07-01", 1)


ALTERED = (
    "UPDATE tree_leaves SET entry = replace(entry, 'imposed', 'received') WHERE number = 1",
    "UPDATE tree_nodes SET hash = sha256('another') WHERE (level, number) = (0, 0)",
    "UPDATE tree_heads SET signed = left(signed, -8) || 'AAAAAAAA' WHERE true",
)
"""What is said of an event, a hash beside it, and a head."""


def test_what_is_altered_in_the_tables_shows(taken: Taken, payback: Callable[..., str]) -> None:
    taken.take(MONDAY, accepted(1), accepted(2), accepted(3))
    taken.close(MONDAY + timedelta(days=1))
    payback("keys", "--out", "keys.json")
    for statement in ALTERED:
        tables = {table: taken.rows(table) for table in TREE}
        assert taken.change(statement)
        payback("fetch", "2", "--out", "2.json", *FETCH)
        with pytest.raises(NotProven):
            payback("verify", "2.json", *KEYS)
        taken.put_back(tables)
        payback("fetch", "2", "--out", "2.json", *FETCH)
        payback("verify", "2.json", *KEYS)


def test_a_history_that_was_written_anew_shows(taken: Taken, payback: Callable[..., str]) -> None:
    taken.take(MONDAY, accepted(1), accepted(2))
    taken.close(MONDAY + timedelta(days=1))
    payback("keys", "--out", "keys.json")
    payback("fetch", "1", "--out", "1.json", *FETCH)
    taken.put_back(dict.fromkeys(TREE, ()))
    taken.log[0] = taken.log[0].replace(b"sheriff_summary", b"sheriff_solemn")
    taken.take(MONDAY, accepted(3))
    taken.close(MONDAY + timedelta(days=2))
    payback("fetch", "--out", "new.json", *FETCH, "--since", "1.json")
    with pytest.raises(NotProven, match="does not begin with"):
        payback("compare", "1.json", "new.json", *KEYS)


def test_no_other_history_is_signed_after_postgresql_was_put_back(taken: Taken, tmp_path: Path) -> None:
    heads = Heads(tmp_path)
    assert heads.last(taken.topic) is None
    taken.take(MONDAY, accepted(1))
    taken.close(MONDAY + timedelta(days=1))
    backup = {table: taken.rows(table) for table in TREE}
    taken.take(MONDAY + timedelta(days=1), accepted(2))
    head = taken.close(MONDAY + timedelta(days=2))
    assert head
    heads.keep(head)
    assert heads.last(taken.topic) == head
    taken.put_back(backup)
    for _ in range(2):
        with pytest.raises(Refused, match="put back to an older copy"):
            taken.close(MONDAY + timedelta(days=3), heads.last(taken.topic))
        taken.close(MONDAY + timedelta(days=2))  # as whoever does not know of the head: of one size, with another root


def test_nothing_is_added_to_a_tree_that_was_altered(taken: Taken) -> None:
    taken.take(MONDAY, accepted(1), accepted(2))
    taken.close(MONDAY + timedelta(days=1))
    taken.take(MONDAY + timedelta(days=1), accepted(3))
    for statement in (
        "UPDATE tree_nodes SET hash = sha256('another') WHERE (level, number) = (1, 0)",
        "UPDATE tree_heads SET size = 1 WHERE true",
        "UPDATE tree_heads SET signed = 'nothing' WHERE true",
    ):
        tables = {table: taken.rows(table) for table in TREE}
        assert taken.change(statement)
        with pytest.raises(Refused, match="altered"):
            taken.close(MONDAY + timedelta(days=2))
        taken.put_back(tables)
    assert taken.close(MONDAY + timedelta(days=2))


def test_the_last_heads_are_kept_where_they_can_be_or_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no such folder"):
        Heads(tmp_path / "mistyped")
    (tmp_path / "a.json").write_bytes(b"{}")
    with pytest.raises(Refused, match="not a head"):
        Heads(tmp_path).last("a")


def test_a_log_that_lacks_what_was_accepted_closes_nothing(taken: Taken) -> None:
    taken.take(MONDAY, accepted(1), accepted(2))
    del taken.log[1]
    with pytest.raises(Refused, match="no longer has offset 1"):
        taken.close(MONDAY + timedelta(days=1))
    assert not taken.rows(tree_leaves)


def test_each_authority_sees_its_own_tree_and_anybody_the_keys_and_heads_tell_of_nobody(taken: Taken) -> None:
    told = event(OrderReceived(received_on=date(2025, 12, 2)), "CPO/1", A, 7)
    taken.take(MONDAY, accepted(1), encode(told))
    taken.close(MONDAY + timedelta(days=1))
    client = new_client(taken.bench.database, taken.bench.domain, "2026-03-09")

    def ask(path: str, authority: str | None = taken.authority) -> Any:
        headers = token(authority, "events:write") if authority else {}
        answer = client.get(f"/v1/evidence/{path}", headers=headers)
        return answer.json() if answer.status_code == 200 else answer.status_code

    assert ask("heads", B) == {"heads": [], "next": None}
    assert ask("receipts/1", B) == 404
    assert ask("consistency?old=1&new=2", B) == ask("consistency?old=2&new=3") == ask("consistency?old=2&new=1") == 422
    assert ask("heads", None) == ask("receipts/1", None) == 401
    (head,) = ask("heads?limit=1")["heads"]
    assert ask(f"heads?before={head['day']}")["heads"] == []
    signed = msgspec.to_builtins(PublicKeys(ask("keys", None)).head(head["signed"]))
    assert set(signed) == {"authority", "topic", "day", "size", "root", "closed"}
    entry = ask("receipts/1")["leaf"]["entry"]
    assert "CPO/1" not in entry
    assert "person" not in entry


def test_what_is_not_signed_is_not_let_in_where_a_manager_wants_that(
    bench: Bench, key: SigningKey, tmp_path: Path
) -> None:
    manager = new_client(bench.database, bench.domain, "2026-03-09")
    headers = token(A, "orders:read", "orders:manage")

    def register(**told: object) -> Any:
        known.clear()
        return manager.put("/v1/own/signing-keys", json={"x": key.public["x"], **told}, headers=headers)

    known: list[RegisteredSigners] = []
    another = new_key(tmp_path / "another.pem")
    nowhere = DatabaseSettings(url="postgresql://nobody@localhost:1/nothing", schema_name="orders")

    def signers(authority: str) -> PublicKeys | None:
        """Return the signers of an intake that has looked for nothing since the last change."""
        known[:] = known or [RegisteredSigners(bench.database)]
        return known[0](authority)

    producer = Producer(KafkaSettings(bootstrap="127.0.0.1:1"))  # never asked: nothing is sent
    router = intake.router(Topic.ORDERS, producer, signers=signers)
    tokens = TokenSettings(public_key=keys().public)
    app = application(
        "intake", HttpSettings(port=0), CollectorRegistry(), [router], own_policies([router]), tokens=tokens
    )
    with TestClient(app) as vendor:

        def ask(value: bytes, authority: str = A) -> int:
            value = value.replace(A.encode(), authority.encode())
            media = {"Content-Type": "application/cloudevents+json"}
            return vendor.post(
                "/v1/validate", content=value, headers=token(authority, "events:write") | media
            ).status_code

        assert register().json()["now"][0]["key"] == key.name
        assert ask(accepted(1)) == ask(sign(accepted(1), key)) == 200
        assert register(required=True).status_code == 200
        assert ask(sign(accepted(1), key)) == 200
        assert ask(accepted(1)) == ask(sign(accepted(1), key).replace(b"CPO/1", b"CPO/2")) == 403
        assert ask(accepted(1), B) == 200
        kid = {"kid": key.name}
        assert manager.delete("/v1/own/signing-keys", params=kid, headers=headers).status_code == 409
        assert register(x=another.public["x"], required=True).status_code == 200
        assert manager.delete("/v1/own/signing-keys", params=kid, headers=headers).status_code == 200
        assert ask(sign(accepted(1), another)) == 200
        known.clear()
        assert ask(accepted(1)) == ask(sign(accepted(1), key)) == 403
        known[0]._database = engine(nowhere)
        known[0]._fresh.clear()
        assert ask(accepted(1)) == 403, "what was known holds"
        assert ask(accepted(1), B) == 503, "of whom nothing is known is told to come again"
        known[:] = [RegisteredSigners(bench.database)]
        known[0].check()
        known[0]._database = engine(nowhere)
        assert (ask(accepted(1)), ask(accepted(1), B)) == (403, 200)
        assert register(x=another.public["x"]).status_code == 200
        assert ask(accepted(1)) == 200
    producer.close()
    assert register(x="short").status_code == 422
    assert manager.put("/v1/own/signing-keys", json={}, headers=token(A, "events:write")).status_code == 403
    said = manager.get("/v1/audit", headers=headers).json()["entries"]
    assert [one["detail"].get("setting") for one in said].count(key.name) == 3

"""A person is shown what is held, and is forgotten: nobody can read of them any more, and no count has changed."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from joserfc.jws import extract_compact
from kafka.admin import KafkaAdminClient
from sqlalchemy import Engine, select, text
from typer.testing import CliRunner

from contracts.decoding.codec import encode
from contracts.events import Fact, Topic
from contracts.receipts.keys import new_key
from contracts.receipts.merkle import consistency
from contracts.receipts.receipt import Growth, Head, entry_of, grown, read_head
from contracts.topics import topic_of
from services.chassis.audit.store import names as audit_names
from services.chassis.clock import system_clock
from services.chassis.failures import Away, Refused
from services.chassis.streaming.clients.admin import Admin
from services.chassis.streaming.clients.bulk import BulkProducer
from services.chassis.streaming.clients.outgoing import Outgoing
from services.operations.doctor import look_at_kafka
from services.operations.proof.proving import Prover
from services.operations.rights import erasing, person
from services.operations.rights.audit import wrong
from services.operations.rights.erasing import PersonSettings, forget, opened
from services.operations.rights.evidence import Heads, Signing, close_one
from services.operations.rights.holding import Books, Order, held
from services.operations.topics import topic_specs
from services.records.ingest.tables import notes, tree_leaves
from services.records.trees import keeping
from services.records.trees.closing import Tree
from services.records.upkeep.rebuild import alone
from services.records.upkeep.rewriting import Topics
from tests.integration.records.conftest import Bench
from tests.integration.records.test_between_authorities import IMPOSED, A, B
from tests.integration.records.upkeep.conftest import OTHER, P, on_disk, read_all
from tests.support.desk import ManagersView, client, token
from tests.support.generated.thorough import TURN, turns
from tests.support.lives import event, imposed
from tests.support.processes import Platform, until

ASKED_BY = Order(P, "letter of 2 March", "operator")


def test_a_person_is_shown_all_and_is_forgotten_without_a_count_changing_wherever_it_is_broken_off(
    settings: PersonSettings, benches: list[Bench], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of the places to break off a third, the others on other days."""
    before, size = [one.cells() for one in benches], on_disk(settings.kafka)
    steps = [STEPS[place] for place in sorted(turns(range(len(STEPS)), TURN, some=2))]
    trees = Trees(settings, benches[0].database, Signing(new_key(tmp_path / "key.pem"), Heads(tmp_path)))
    trees.close(days=1)
    with opened(settings) as books:
        shown = held(books, ASKED_BY)
        assert shown["references"] == ["CPO/1", "CPO/2"]
        assert set(shown["unpaid_work"]["records"]) == {"CPO/1", "CPO/2"}
        for owner, step, breaking in steps:
            with monkeypatch.context() as broken:
                broken.setattr(owner, step, breaking(getattr(owner, step)))
                with pytest.raises(Broken):
                    forget(settings, books, ASKED_BY)
        left_at_the_end_of_a_rebuild(benches[0].database)
        for done in range(len(benches)):
            break_off_at_the_end(settings, books, done)
        forget(settings, books, ASKED_BY)
    assert [one.cells() for one in benches] == before
    told = everything(settings, benches)
    assert [name for name in (P, "CPO/1", "CPO/2") if name in told] == []
    assert [name for name in (OTHER, "CPO/7") if name not in told] == []
    until(lambda: on_disk(settings.kafka) < 2 * size, "the broker deletes what is not to be read any more")
    assert sum("person erase begun" in line for line in told.splitlines()) == len(benches) * (len(steps) + 1)
    assert list(look_at_kafka(settings.kafka, topic_specs(), system_clock())) == []
    prover = Prover(settings.kafka, {one.domain.service: (one.database, one.domain) for one in benches}, None)
    for one in benches:
        for authority in (A, B):
            assert [str(found) for found in prover.prove(one.domain.service, authority).mismatches] == []
        with one.database.connect() as connection:
            assert list(wrong(connection, {})) == []
    trees.hold_after_an_erasure()
    send(settings, imposed(date(2025, 5, 1)), "CPO/9")
    for one in benches:
        read_all(settings, one)
        assert "CPO/9" in "".join(rows(one.database))


@pytest.mark.parametrize("broken_off", [[], [0, 1]], ids=["at_once", "broken_off_at_its_end"])
def test_references_that_others_were_shown_and_what_is_looked_at_meanwhile_are_forgotten_too(
    settings: PersonSettings, benches: list[Bench], monkeypatch: pytest.MonkeyPatch, broken_off: list[int]
) -> None:
    """Where an order was transferred, each authority sees the other's reference. Another order may have the same one."""
    orders = benches[0]
    send(settings, msgspec.structs.replace(imposed(date(2025, 5, 1)), person_ref=OTHER), "CPO/2", B)
    for one in benches:
        read_all(settings, one)
    look(orders, B, "E/1")
    look(orders, B, "CPO/2")
    look(orders, A, "CPO/1")
    acknowledge(orders, "CPO/2")
    make_again = erasing._make_again

    def seen_meanwhile(settings: PersonSettings, name: str) -> None:
        if name == "orders":
            look(orders, A, "CPO/1")
            look(orders, B, "E/1")
        make_again(settings, name)

    monkeypatch.setattr(erasing, "_make_again", seen_meanwhile)
    with opened(settings) as books:
        [told] = held(books, ASKED_BY)["orders"]["acknowledged"]
        assert (told["subject"], told["standard"], told["reason"]) == ("CPO/2", "first_contact", "person_away")
        for done in broken_off:
            break_off_at_the_end(settings, books, done)
        forget(settings, books, ASKED_BY)
        with pytest.raises(Refused, match="Nothing is held"):
            forget(settings, books, ASKED_BY)
    with orders.database.connect() as connection:
        assert [key for key in connection.scalars(select(notes.c.key)) if "CPO/2" in key] == []
        shown = connection.execute(select(audit_names.c.authority, audit_names.c.shown)).all()
        assert list(wrong(connection, {})) == []
    assert [(authority, names) for authority, names in shown if names] == [(B, ["CPO/2"])]
    assert "CPO/1" not in everything(settings, benches)


def break_off_at_the_end(settings: PersonSettings, books: Books, done: int) -> None:
    """Break off once the audit of so many services has lost the names."""
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(erasing, "_end", breaking_off(erasing._end, after=done))
        with pytest.raises(Broken):
            forget(settings, books, ASKED_BY)


def look(bench: Bench, authority: str, subject: str) -> None:
    ManagersView(client(bench.database, bench.domain, "2025-06-02"), authority).get(f"orders/{subject}")


def acknowledge(bench: Bench, subject: str) -> None:
    asked = client(bench.database, bench.domain, "2025-06-02")
    headers = token(A, "orders:read", "orders:manage")
    listed = asked.get("/v1/worklist", params={"limit": 1000}, headers=headers).json()["items"]
    duty = next(one for one in listed if one["subject"] == subject and one["standard"] == "first_contact")
    body = {"duties": [{name: duty[name] for name in ("subject", "standard", "due_on")}], "reason": "person_away"}
    assert asked.post("/v1/acknowledgements", json=body, headers=headers).json()["acknowledged"] == 1


class Trees(NamedTuple):
    """The tree of the authority's orders."""

    settings: PersonSettings
    orders: Engine
    signing: Signing

    def close(self, days: int) -> Head | None:
        """Close the day that is over in so many days, and return its head."""
        now = system_clock() + timedelta(days=days)
        return close_one(self.settings.kafka, self.orders, Tree(A, topic_of(Topic.ORDERS, A)), self.signing, now)

    def hold_after_an_erasure(self) -> None:
        """Assert that the person's events are gone and were added under other names; all else, and every head, is as it was."""
        with self.orders.connect() as connection:
            (last,) = keeping.heads(connection, A)
        assert last.next_offset == 0, "books that were made again may be of another log, and all of it is looked at"
        new = self.close(days=2)
        with self.orders.connect() as connection:
            _, old = keeping.heads(connection, A)
            before = read_head(extract_compact(old.signed.encode()).payload)
            assert new
            path = keeping.path_of(connection, A, consistency(before.size, new.size))
            grown(before, new, Growth(before.size, path))
            kept = keeping.leaf_of(connection, A, "21", range(new.size))
            gone = connection.scalars(select(tree_leaves.c.number).where(tree_leaves.c.entry.is_(None))).all()
        assert kept
        assert kept.number < before.size
        assert entry_of(kept, new).id == "21"
        assert 0 < len(gone) == new.size - before.size < before.size


class Broken(Exception):
    """The command ends in the middle."""


def breaking_off(step: Callable[..., Any], after: int = 0) -> Callable[..., Any]:
    """Return a step that breaks off once it was done so many times."""
    left = iter(range(after))

    def do(*given: Any) -> Any:
        if next(left, None) is None:
            raise Broken
        return step(*given)

    return do


def in_the_middle(delete: Callable[..., Any]) -> Callable[..., Any]:
    """Return a deletion that breaks off when only the first topic has lost its old records."""

    def do(admin: KafkaAdminClient, offsets: dict[Any, int]) -> None:
        delete(admin, dict(sorted(offsets.items())[:1]))
        raise Broken

    return do


STEPS: list[tuple[Any, str, Callable[[Callable[..., Any]], Callable[..., Any]]]] = [
    (Admin, "_configure", lambda step: breaking_off(step, after=4)),
    (erasing, "move_on", breaking_off),
    (Topics, "delete_old", breaking_off),
    (KafkaAdminClient, "delete_records", in_the_middle),
    (erasing, "_make_again", breaking_off),
    (erasing, "_make_again", lambda step: breaking_off(step, after=1)),
]
"""Whose step is broken off, and how."""


def left_at_the_end_of_a_rebuild(database: Engine) -> None:
    """Leave the old books as they are where the command ended just before they were dropped."""
    with database.begin() as connection:
        connection.execute(text("RESET ROLE"))
        connection.execute(text("CREATE SCHEMA orders_old"))


def test_a_worker_that_runs_meanwhile_goes_on_with_what_comes_next(
    settings: PersonSettings, benches: list[Bench], tmp_path: Path
) -> None:
    orders, _ = benches
    running = Platform(tmp_path, settings.kafka.bootstrap, settings.database.url.get_secret_value())
    with closing(running), opened(settings) as books:
        running.start("orders-worker")
        before = orders.cells()
        forget(settings, books, ASKED_BY)
        until(lambda: orders.cells() == before, "the same is counted under other names")
        send(settings, imposed(date(2025, 5, 1)), "CPO/9")
        until(lambda: "CPO/9" in "".join(rows(orders.database)), "what came afterwards is taken")
        until(lambda: running.metric("orders-worker", "payback_stream_lag") == 0, "nothing is left to read")
        assert "CPO/1" not in everything(settings, benches)
        running.stop("orders-worker")


def test_of_whom_only_refused_events_tell_is_shown_and_forgotten(
    settings: PersonSettings, benches: list[Bench], tmp_path: Path
) -> None:
    nobody = "person-of-tests-0003"
    refused = encode(event(IMPOSED, "CPO/3", A, 40)).replace(P.encode(), nobody.encode()).replace(b"sheriff_s", b"no s")
    escaped = refused.replace(nobody.encode(), b"".join(b"\\u%04x" % one for one in nobody.encode()))
    for value in (refused, escaped):
        with BulkProducer(settings.kafka) as producer:
            producer.send_all([Outgoing(topic_of(Topic.ORDERS, A), b"", value)])
    for one in benches:
        read_all(settings, one)
    out = tmp_path / "person.json"
    out.touch(mode=0o644)
    given(settings, "show", nobody, "--out", str(out))
    assert len(json.loads(out.read_bytes())["orders"]["refused"]) == 2
    assert out.stat().st_mode & 0o777 == 0o600
    told = given(settings, "erase", nobody, "--why", "letter")
    assert told.startswith("2 records")
    assert all(word in told for word in ("Backups", "payback copy", "spools", "payback prove"))
    order = Order(nobody, "letter")
    with opened(settings) as books:
        with pytest.raises(Refused, match="Nothing is held"):
            forget(settings, books, order)
        with pytest.raises(Refused, match="and it is not in the authority's log"):
            forget(settings, books, order._replace(authority=B))
    told = everything(settings, benches)
    assert [name for name in (nobody, "CPO/3") if name in told] == []
    assert P in told


def test_where_it_cannot_be_right_nothing_is_changed(
    settings: PersonSettings, benches: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = log_of(settings)
    with opened(settings) as books:
        for hinder, unhinder, said in HINDRANCES:
            with benches[0].database.begin() as connection:
                connection.execute(text(hinder))
            with pytest.raises(Refused, match=said):
                forget(settings, books, ASKED_BY)
            with benches[0].database.begin() as connection:
                connection.execute(text(unhinder))
        bare = settings.model_copy(update={"kafka": settings.kafka.model_copy(update={"transactions": False})})
        with pytest.raises(Refused, match="written anew in transactions only"):
            forget(bare, books, ASKED_BY)
        with monkeypatch.context() as deaf:
            deaf.setattr(Admin, "keeping_given_times", lambda *_: nullcontext())
            with pytest.raises(Refused, match="with its own"):
                forget(settings, books, ASKED_BY)
        with alone(settings.database), pytest.raises(Refused, match="being rebuilt"):
            forget(settings, books, ASKED_BY)
        with monkeypatch.context() as cut:
            cut.setattr(Topics, "_append", and_end_sessions(Topics._append, benches[0].database))
            with pytest.raises(Away):
                forget(settings, books, ASKED_BY)
        assert log_of(settings) == before
        send(settings, imposed(date(2025, 5, 1)), "CPO/9")
        send(settings, imposed(date(2025, 5, 1)), "E/9", B)
        with pytest.raises(Refused) as unread:
            forget(settings, books, ASKED_BY)
    waits = [f"{name} has not read all of {topic_of(Topic.ORDERS, A)}" for name in ("orders", "unpaid_work")]
    assert [one in str(unread.value) for one in waits] == [True] * len(waits), "it says for what it waits"
    assert B not in str(unread.value), "and waits for nobody else"


def and_end_sessions(step: Callable[..., Any], database: Engine) -> Callable[..., Any]:
    """Return a step after which PostgreSQL seems to have gone: workers are not held up any more, and would count again."""

    def do(*given: Any) -> None:
        step(*given)
        with database.begin() as connection:
            connection.execute(text("RESET ROLE"))
            connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%unhurried'")
            )

    return do


HINDRANCES = [
    (
        f"INSERT INTO parks (authority, action, said, by, at) VALUES ('{A}', 'parked', '', '', now())",
        "DELETE FROM parks",
        "has parked",
    ),
    (
        f"INSERT INTO parks (authority, action, said, by, at) VALUES ('{A}', 'skipped', '', '', now())",
        "DELETE FROM parks",
        "or skipped",
    ),
    (
        "UPDATE rejections SET redriven_at = now() WHERE value = 'nothing'",
        "UPDATE rejections SET redriven_at = NULL",
        "redriven without effect",
    ),
]
"""What stands in the way in the books of orders, how that is undone, and what is said of it."""


def test_what_somebody_sends_meanwhile_is_written_anew_with_the_rest(
    settings: PersonSettings, benches: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = [one.cells() for one in benches]
    begin = BulkProducer.transaction

    @contextmanager
    def late(producer: BulkProducer) -> Iterator[None]:
        with BulkProducer(settings.kafka) as other:
            other.send_all([Outgoing(topic_of(Topic.ORDERS, B), b"", b"late")])
        with begin(producer):
            yield

    before = log_of(settings)
    with monkeypatch.context() as disturbed, opened(settings) as books:
        disturbed.setattr(BulkProducer, "transaction", late)
        forget(settings, books, ASKED_BY)
    after = log_of(settings)
    assert ["late" in line for line in after].count(True) == 1
    assert len(after) == len(before) + 1
    for one in benches:
        read_all(settings, one)
    assert [{k: v for k, v in one.cells().items() if B not in k} for one in benches] == [
        {k: v for k, v in found.items() if B not in k} for found in cells
    ]


def given(settings: PersonSettings, *arguments: str) -> str:
    """Return the output of a command about a person."""
    told = {
        "PAYBACK_DATABASE_URL": settings.database.url.get_secret_value(),
        "PAYBACK_DATABASE_SCHEMA_NAME": "orders",
        "PAYBACK_KAFKA_BOOTSTRAP": settings.kafka.bootstrap,
    }
    done = CliRunner().invoke(person.commands, ["person", *arguments], env=told)
    assert done.exit_code == 0, done.output
    return done.output


def send(settings: PersonSettings, fact: Fact, subject: str, authority: str = A) -> None:
    with BulkProducer(settings.kafka) as producer:
        value = encode(event(fact, subject, authority, 30))
        producer.send_all([Outgoing(topic_of(Topic.ORDERS, authority), subject.encode(), value)])


def log_of(settings: PersonSettings) -> list[str]:
    """Return all records of the topics of both authorities."""
    log = Topics(settings.kafka, [topic_of(kind, code) for kind in Topic for code in (A, B)])
    return [f"{one.key!r} {one.value!r} {one.headers!r}" for its in log.messages.values() for one in its]


def everything(settings: PersonSettings, benches: list[Bench]) -> str:
    """Return all that anybody could read: the topics and every table of both services and their audit."""
    return "\n".join([*log_of(settings), *rows(benches[0].database)])


def rows(database: Engine) -> Iterator[str]:
    with database.connect() as connection:
        connection.execute(text("RESET ROLE"))
        query = (
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname ~ '^(orders|unpaid_work)'"
        )
        for table in connection.scalars(text(query)).all():
            for row in connection.scalars(text(f"SELECT to_jsonb(t) FROM {table} t")):
                found = json.dumps(row)
                yield found + "".join(bytes.fromhex(v[2:]).decode(errors="replace") for v in hexes(row))


def hexes(row: dict[str, object]) -> Iterator[str]:
    """Yield the bytes as PostgreSQL writes them."""
    yield from (value for value in row.values() if isinstance(value, str) and value.startswith("\\x"))

"""Where the numbers of a source go on, asked by a client that has lost its count: of nothing that was accepted before it asks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import NamedTuple

import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry

from contracts.decoding.codec import Event, encode
from contracts.events import Topic
from contracts.generate.samples import AUTHORITY, EVENTS
from contracts.topics import kind_of, topic_of
from services.chassis.api.http import application
from services.chassis.settings import HttpSettings, KafkaSettings, TokenSettings
from services.chassis.streaming.batches import Slice
from services.chassis.streaming.clients.admin import Admin
from services.chassis.streaming.clients.outgoing import Outgoing
from services.chassis.streaming.clients.producer import Producer
from services.operations.topics import topic_specs
from services.records.api.receipts import sequence
from tests.integration.records.conftest import Bench
from tests.support.asking import InThisThread
from tests.support.desk import keys, token
from tests.support.made.policies import own_policies
from tests.support.scenario import Sent

OURS = f"/authorities/{AUTHORITY}"
OTHERS = "S12000036"
SAMPLES = {kind: next(one for one in EVENTS if kind_of(one.data) is kind) for kind in Topic}


def numbered(kind: Topic, number: int, system: str | None = "case") -> bytes:
    sample = {name: getattr(SAMPLES[kind], name) for name in Event.__struct_fields__}
    return encode(Event(**(sample | {"id": f"{system} {number}", "sequence": number, "system": system})))


class Log(NamedTuple):
    """A log, and a worker that takes of it what it is told to."""

    producer: Producer
    bench: Bench

    def accept(self, kind: Topic, *values: bytes) -> list[Slice]:
        """Return events acknowledged by Kafka, which is when a sender is told so, and not taken yet."""
        receipts = self.producer.send_all(Outgoing(topic_of(kind, AUTHORITY), b"-", value) for value in values)
        sent = [Sent(at.offset, value) for at, value in zip(receipts, values, strict=True)]
        return [Slice(topic_of(kind, AUTHORITY), 0, sent)]

    def take(self, *fetches: Sequence[Slice]) -> None:
        worker = self.bench.worker()
        for slices in fetches:
            worker.process(slices)


@pytest.fixture
def log(empty_kafka: str, bench: Callable[[str], Bench]) -> Iterator[Log]:
    told = KafkaSettings(bootstrap=empty_kafka)
    with closing(Admin(told)) as admin, Producer(told) as producer:
        admin.ensure_topics(topic_specs())
        yield Log(producer, bench("unpaid_work"))


@pytest.fixture
def client(empty_kafka: str, log: Log) -> Iterator[TestClient]:
    """Yield an impatient client, which looks once."""
    with closing(Admin(KafkaSettings(bootstrap=empty_kafka))) as admin:
        routers = [sequence.router(log.bench.database, admin.ends, tries=1)]
        tokens = TokenSettings(public_key=keys().public)
        settings, policies = HttpSettings(port=0), own_policies(routers)
        yield InThisThread(application("sequence", settings, CollectorRegistry(), routers, policies, tokens=tokens))


def highest(client: TestClient, authority: str = AUTHORITY, scope: str = "events:write") -> Mapping[str, int] | None:
    """Return the highest number by source; None where it is to be asked again."""
    answer = client.get("/v1/sequence", headers=token(authority, scope))
    if answer.status_code == 503:
        assert answer.headers["retry-after"]
        return None
    assert answer.status_code == 200, answer.text
    return {one["source"]: one["highest"] for one in answer.json()["sources"]}


def test_nothing_is_said_before_all_that_was_accepted_is_taken(log: Log, client: TestClient) -> None:
    assert highest(client) == {}
    first = log.accept(Topic.ORDERS, numbered(Topic.ORDERS, 1), numbered(Topic.ORDERS, 7))
    assert highest(client) is None, "accepted, and nothing of it taken"
    log.take(first)
    second = log.accept(Topic.UNPAID_WORK, numbered(Topic.UNPAID_WORK, 8), numbered(Topic.UNPAID_WORK, 3, system=None))
    assert highest(client) is None, "one topic is taken, the other is not"
    log.take(second)
    assert highest(client) == {OURS: 3, f"{OURS}/systems/case": 8}
    refused = log.accept(Topic.ORDERS, numbered(Topic.ORDERS, 9).replace(b'"specversion":"1.0"', b'"specversion":"9"'))
    assert highest(client) is None, "what will be refused bears a number too"
    log.take(refused)
    assert highest(client) == {OURS: 3, f"{OURS}/systems/case": 9}


def test_it_is_for_the_authority_itself_and_waits_for_no_other(log: Log, client: TestClient) -> None:
    log.accept(Topic.ORDERS, numbered(Topic.ORDERS, 1))
    assert highest(client, OTHERS) == {}, "another authority's events do not hold it up"
    assert highest(client, scope="orders:read") is None
    assert client.get("/v1/sequence", headers=token(None, "national:read")).status_code == 403
    assert client.get("/v1/sequence").status_code == 401

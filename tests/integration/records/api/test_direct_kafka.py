"""Events that an authority writes to its own topic itself are treated like those that come over HTTP."""

import json
import subprocess
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from shutil import which
from typing import Any

import confluent_kafka
import pytest
from fastapi.testclient import TestClient
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from contracts.decoding.codec import decode, encode
from contracts.events import Topic
from contracts.generate.examples import REFUSED
from contracts.generate.samples import ARRIVED, AUTHORITY, EVENTS
from contracts.rejections import Rejection
from contracts.topics import kind_of, topic_of
from services.chassis.api.auth import Identity, generate_keys, mint
from services.chassis.api.http import application
from services.chassis.clock import system_clock
from services.chassis.settings import HttpSettings, KafkaSettings, TokenSettings
from services.chassis.streaming.batches import Slice
from services.chassis.streaming.clients.admin import Admin
from services.chassis.streaming.clients.producer import Producer
from services.operations.topics import topic_specs
from services.records.api import intake
from services.records.ingest.store import OUTCOMES
from services.records.ingest.tables import arrivals, rejections
from tests.integration.records.conftest import Bench
from tests.support.made.policies import own_policies
from tests.support.outside.lacking import cannot
from tests.support.scenario import Sent

TOPIC = topic_of(Topic.ORDERS, AUTHORITY)
KEYS = generate_keys()


def _on_one_line(raw: bytes) -> bytes:
    return json.dumps(json.loads(raw)).encode()


def _lines() -> list[bytes]:
    good = [encode(event) for event in EVENTS if kind_of(event.data) is Topic.ORDERS]
    bad = [_on_one_line(one.raw) for one in REFUSED if one.topic is Topic.ORDERS and one.reason == "bad_code"]
    return [*good, *bad, b'{"specversion": "1.0", "id": ']


LINES = _lines()


def key_of(raw: bytes) -> bytes:
    content = decode(raw, Topic.ORDERS, AUTHORITY, ARRIVED)
    return b"-" if isinstance(content, Rejection) else content.subject.encode()


def by_http(address: str, lines: list[bytes]) -> None:
    with Producer(KafkaSettings(bootstrap=address)) as producer:
        routers = [intake.router(Topic.ORDERS, producer)]
        tokens = TokenSettings(public_key=KEYS.public)
        app = application(
            "intake", HttpSettings(port=0), CollectorRegistry(), routers, own_policies(routers), tokens=tokens
        )
        vendor = Identity("vendor", frozenset({"events:write"}), AUTHORITY)
        token = mint(KEYS.private, vendor, timedelta(hours=1), system_clock)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
        with TestClient(app) as client:
            assert client.post("/v1/events", content=b"\n".join(lines), headers=headers).status_code == 202


def by_kafka_python(address: str, lines: list[bytes]) -> None:
    with closing(KafkaProducer(bootstrap_servers=address, acks="all")) as producer:
        for line in lines:
            headers = [("content-type", b"application/cloudevents+json; charset=UTF-8")]
            producer.send(TOPIC, key=key_of(line), value=line, headers=headers).get(10)


def without_key_or_headers(address: str, lines: list[bytes]) -> None:
    with closing(KafkaProducer(bootstrap_servers=address, acks="all", compression_type="gzip")) as producer:
        for line in lines:
            producer.send(TOPIC, value=line).get(10)


def by_kcat(address: str, lines: list[bytes]) -> None:
    if which("kcat") is None:
        cannot("needs kcat")
    pairs = b"".join(key_of(line) + b"\t" + line + b"\n" for line in lines)
    command = ["kcat", "-P", "-b", address, "-t", TOPIC, "-K", "\t", "-X", "acks=all", "-H", "vendor=acme"]
    subprocess.run(command, input=pairs, check=True, timeout=30)


def by_confluent(address: str, lines: list[bytes]) -> None:
    told: list[object] = []
    producer = confluent_kafka.Producer({"bootstrap.servers": address, "acks": "all", "enable.idempotence": True})
    for line in lines:
        producer.produce(TOPIC, key=key_of(line), value=line, on_delivery=lambda fault, _: told.append(fault))
    assert producer.flush(30) == 0
    assert told == [None] * len(lines)


WAYS = [by_http, by_kafka_python, without_key_or_headers, by_kcat, by_confluent]


def read(address: str, count: int) -> list[Sent]:
    with closing(KafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest")) as consumer:
        consumer.assign([TopicPartition(TOPIC, 0)])
        found: list[Any] = []
        while len(found) < count:
            for records in consumer.poll(timeout_ms=1000).values():
                found += records
        return [Sent(record.offset, record.value, record.timestamp, record.key) for record in found]


@pytest.fixture
def topics(empty_kafka: str) -> str:
    with closing(Admin(KafkaSettings(bootstrap=empty_kafka))) as admin:
        admin.ensure_topics([spec for spec in topic_specs() if spec.name == TOPIC])
    return empty_kafka


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_whichever_way_events_come_the_same_becomes_of_them(
    way: Callable[[str, list[bytes]], None], topics: str, bench: Callable[[str], Bench]
) -> None:
    way(topics, LINES)
    orders = bench("orders")
    worker = orders.worker()
    sent = read(topics, len(LINES))
    assert [message.value for message in sent] == LINES
    worker.process([Slice(TOPIC, 0, sent)])
    with orders.database.connect() as connection:
        rows = connection.execute(select(arrivals).order_by(arrivals.c.offset)).all()
        reasons = connection.execute(select(rejections.c.reason).order_by(rejections.c.offset)).scalars().all()
    outcomes = [str(OUTCOMES[row.outcome]) for row in rows]
    accepted = [decode(line, Topic.ORDERS, AUTHORITY, ARRIVED) for line in LINES]
    assert [outcome != "rejected" for outcome in outcomes] == [not isinstance(one, Rejection) for one in accepted]
    assert reasons == [str(one.reason) for one in accepted if isinstance(one, Rejection)]
    assert orders.cells()["orders_imposed|S12000005|2025-03-01|"] == 1
    worker.process([Slice(TOPIC, 0, [Sent(len(LINES) + one.offset, one.value) for one in sent])])
    assert orders.cells()["orders_imposed|S12000005|2025-03-01|"] == 1, "the same by another way has no further effect"

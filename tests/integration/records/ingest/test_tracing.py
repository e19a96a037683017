"""One can follow a request to the transaction in which its events took effect, and nothing of an event is told on the way."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry

from contracts.decoding.codec import encode
from contracts.events import Topic
from contracts.generate.samples import AUTHORITY, EVENTS
from contracts.topics import kind_of, topic_of
from services.chassis import tracing
from services.chassis.api.auth import Identity, generate_keys, mint
from services.chassis.api.http import application
from services.chassis.clock import system_clock
from services.chassis.logs import JsonLines
from services.chassis.settings import HttpSettings, KafkaSettings, TokenSettings
from services.chassis.span_export import traced
from services.chassis.streaming.batches import Slice, TopicPartition
from services.chassis.streaming.clients.admin import Admin
from services.chassis.streaming.clients.log import Log
from services.chassis.streaming.clients.producer import Producer
from services.chassis.streaming.containment import Contained
from services.chassis.streaming.traced import Traced
from services.operations.topics import topic_specs
from services.records.api import intake
from tests.integration.records.conftest import Bench
from tests.support.made.policies import own_policies

TOPIC = topic_of(Topic.ORDERS, AUTHORITY)
KEYS = generate_keys()
SENT = [event for event in EVENTS if kind_of(event.data) is Topic.ORDERS][:3]
LINES = [encode(event) for event in SENT]
TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
OTHER_TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """Yield the spans that this process traces meanwhile."""
    kept, provider = InMemorySpanExporter(), traced(1.0, "test")
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracing.use(provider)
    yield kept
    tracing.use(None)


@pytest.fixture
def topic(empty_kafka: str) -> str:
    """Return the address of a Kafka with the topic."""
    with closing(Admin(KafkaSettings(bootstrap=empty_kafka))) as admin:
        admin.ensure_topics([spec for spec in topic_specs() if spec.name == TOPIC])
    return empty_kafka


@contextmanager
def api(address: str) -> Iterator[TestClient]:
    with Producer(KafkaSettings(bootstrap=address)) as producer:
        routers = [intake.router(Topic.ORDERS, producer)]
        tokens = TokenSettings(public_key=KEYS.public)
        app = application(
            "intake", HttpSettings(port=0), CollectorRegistry(), routers, own_policies(routers), tokens=tokens
        )
        vendor = Identity("vendor", frozenset({"events:write"}), AUTHORITY)
        token = mint(KEYS.private, vendor, timedelta(hours=1), system_clock)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
        with TestClient(app, headers=headers) as client:
            yield client


def post(client: TestClient, lines: list[bytes], trace: str, flags: str = "01") -> None:
    headers = {
        "traceparent": f"00-{trace}-{CALLER}-{flags}",
        "tracestate": f"vendor={SENT[0].id}",
        "baggage": f"order={SENT[0].subject}",
        "x-request-id": f"request-{trace[:4]}",
    }
    assert client.post("/v1/events", content=b"\n".join(lines), headers=headers).status_code == 202


def read(address: str, count: int) -> list[Slice]:
    source = TopicPartition(TOPIC, 0)
    with closing(Log(KafkaSettings(bootstrap=address), [source])) as log:
        log.seek({source: 0})
        found: list[Slice] = []
        while sum(len(part.messages) for part in found) < count:
            found += log.slices(count)
        return [Slice(TOPIC, 0, [message for part in found for message in part.messages])]


def named(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if span.name == name]


def test_a_request_can_be_followed_to_its_commit(
    topic: str, bench: Callable[[str], Bench], spans: InMemorySpanExporter
) -> None:
    with api(topic) as client:
        post(client, LINES[:2], TRACE)
        post(client, LINES[2:], OTHER_TRACE)
        client.get("/healthz")
    slices = read(topic, len(LINES))
    orders = bench("orders")
    Contained(Traced(orders.worker())).process(slices)

    requests, sends, (commit,) = named(spans, "POST /v1/events"), named(spans, "send"), named(spans, "commit")
    assert [f"{one.context.trace_id:032x}" for one in requests if one.context] == [TRACE, OTHER_TRACE]
    assert [f"{one.parent.span_id:016x}" for one in requests if one.parent] == [CALLER, CALLER]
    assert [one.parent for one in sends] == [one.context for one in requests]
    assert [link.context.span_id for link in commit.links] == [one.context.span_id for one in sends if one.context]
    assert commit.parent is None
    assert commit.status.is_ok or commit.status.is_unset
    told = dict(commit.attributes or {})
    assert (told["messaging.batch.message_count"], told["payback.requests"]) == (3, 2), "one span for the batch"
    assert dict(requests[0].attributes or {}) == {
        "http.request.method": "POST",
        "http.route": "/v1/events",
        "http.response.status_code": 202,
        "payback.request_id": "request-4bf9",
    }
    assert len(spans.get_finished_spans()) == 5, "nobody follows questions after health"
    assert orders.cells()["orders_imposed|S12000005|2025-03-01|"] == 1


def test_no_span_tells_anything_of_an_event(
    topic: str, bench: Callable[[str], Bench], spans: InMemorySpanExporter
) -> None:
    spoilt = json.dumps({**json.loads(LINES[0]), "subject": "ORDER SECRET"}).encode()
    with api(topic) as client:
        post(client, [*LINES, spoilt], TRACE)
        client.get(f"/v1/nowhere/{SENT[0].subject}?order={SENT[0].subject}", headers={"traceparent": "00-x"})
    slices = read(topic, len(LINES) + 1)
    Contained(Traced(bench("orders").worker())).process(slices)
    told = " ".join(span.to_json() for span in spans.get_finished_spans())
    for event in SENT:
        for secret in (event.id, event.subject):
            assert secret not in told
    assert "SECRET" not in told
    headers = {name: value for part in slices for message in part.messages for name, value in message.headers}
    assert headers.keys() == {"traceparent"}, "neither tracestate nor baggage goes on"


def test_a_transaction_that_fails_is_told_by_place_alone(
    topic: str, bench: Callable[[str], Bench], spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    with api(topic) as client:
        post(client, LINES[:1], TRACE)
    slices = read(topic, 1)
    orders = bench("orders")
    worker = orders.worker()
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    handler.setFormatter(JsonLines("orders"))
    monkeypatch.setattr(worker, "_carry_out", broken)
    logging.getLogger("services").addHandler(handler)
    Contained(Traced(worker)).process(slices)
    logging.getLogger("services").removeHandler(handler)

    (commit,), (park,) = named(spans, "commit"), named(spans, "park")
    assert not commit.status.is_ok
    assert "RuntimeError at" in str(commit.status.description)
    assert "secret" not in commit.to_json()
    assert park.context is not None
    assert f"{park.context.trace_id:032x}" == TRACE, "the request that brought it can be found from the park"
    parked = [json.loads(line) for line in heard.getvalue().splitlines() if "parked" in line]
    assert [line["trace_id"] for line in parked] == [TRACE]
    assert f"parked {AUTHORITY}: {TOPIC}/0 at offset 0: RuntimeError" in parked[0]["message"]


def broken(*_: object) -> None:
    raise RuntimeError("secret")


def test_off_nothing_is_added(topic: str, bench: Callable[[str], Bench]) -> None:
    with api(topic) as client:
        post(client, LINES, TRACE)
    slices = read(topic, len(LINES))
    assert [list(message.headers) for part in slices for message in part.messages] == [[]] * len(LINES)
    Contained(Traced(bench("orders").worker())).process(slices)

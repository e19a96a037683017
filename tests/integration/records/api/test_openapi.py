"""Whatever is asked of the APIs of orders and unpaid work, their documents have said so: schemathesis makes the requests."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from typing import Any, NamedTuple

import httpx
import pytest
import schemathesis
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from schemathesis.schemas import BaseSchema
from sqlalchemy import delete, insert

from contracts.decoding.codec import encode
from contracts.events import TYPES, Topic
from contracts.generate.samples import AUTHORITY, EVENTS
from contracts.topics import kind_of
from services.chassis.api.auth import COOKIE, Identity, mint
from services.chassis.clock import system_clock
from services.chassis.database import engine
from services.chassis.settings import HttpSettings, KafkaSettings, MetricsSettings
from services.chassis.streaming.clients.admin import Admin
from services.chassis.streaming.clients.producer import Producer
from services.desk import app as desk
from services.desk.settings import ApiSettings as DeskSettings
from services.desk.settings import PlatformSettings
from services.operations.topics import topic_specs
from services.orders import api as orders
from services.orders.policies import POLICIES as ORDERS_POLICIES
from services.records.api import run_api
from services.records.api.intake import BATCH, LINES, ONE
from services.records.config.settings import ApiHttpSettings, ApiSettings
from services.records.ingest.tables import checkpoints
from services.records.model.domain import Domain
from services.unpaid_work import api as unpaid_work
from services.unpaid_work.policies import POLICIES as UNPAID_WORK_POLICIES
from tests.integration.records.conftest import CALENDAR, SERVICES, Bench
from tests.support.generated.fuzzing import assert_no_fault_of_ours
from tests.support.generated.openapi import (
    KEYS,
    MANY,
    TOKENS,
    Asked,
    Everybody,
    asking,
    asking_as,
    nowhere,
    schema_of,
    validate_each,
)
from tests.support.outside.topics import made_anew

SURFACES = {
    "orders": run_api.Surface("orders", orders.routers, ORDERS_POLICIES),
    "unpaid_work": run_api.Surface("unpaid_work", unpaid_work.routers, UNPAID_WORK_POLICIES),
}
SCOPES = frozenset({"orders:read", "events:write"})
SENDER, MANAGER = Identity("vendor", SCOPES, AUTHORITY), Identity("manager", SCOPES, "S12000036")
CALLERS = (None, SENDER, Identity("inspector", frozenset({"national:read", "national:inspect"})))

KINDS = {"orders": Topic.ORDERS, "unpaid_work": Topic.UNPAID_WORK}

schemathesis.serializer.alias("application/x-ndjson", "text/plain")


class Given(NamedTuple):
    """An operation, what it is given, and the status to expect."""

    method: str
    path: str
    parts: dict[str, Any]
    status: int


def application(domain: Domain, parts: run_api.Parts) -> FastAPI:
    told = ApiSettings(
        kafka=KafkaSettings(bootstrap="nowhere:1"),
        database=nowhere(domain.service),
        http=ApiHttpSettings(port=0, requests_per_minute=MANY, public_seconds=MANY),
        tokens=TOKENS,
        metrics=MetricsSettings(port=0),
    )
    return run_api.build(domain, SURFACES[domain.service], told, parts)


def parts_at(kafka: str, bench: Bench) -> run_api.Parts:
    told = KafkaSettings(bootstrap=kafka)
    return run_api.Parts(bench.database, Producer(told), Admin(told), CollectorRegistry())


def document_of(name: str) -> FastAPI:
    """Return the document of an API that is only asked for its offer."""
    told = KafkaSettings(bootstrap="nowhere:1")
    parts = run_api.Parts(engine(nowhere(name)), Producer(told), Admin(told), CollectorRegistry())
    return application(SERVICES[name][1](CALENDAR), parts)


def take_whatever_is_sent(bench: Bench) -> None:
    """Let no request wait for a worker: there is none, and other tests send to the same broker."""
    rows = [
        {"topic": source.topic, "partition": source.partition, "next_offset": 2**40, "cluster_id": "", "topic_id": ""}
        for source in bench.sources
    ]
    with bench.database.begin() as connection:
        connection.execute(delete(checkpoints))
        connection.execute(insert(checkpoints), rows)


@pytest.fixture(scope="module")
def topics(kafka: str) -> str:
    made_anew(kafka, topic_specs())
    return kafka


@pytest.fixture(scope="module")
def applications(topics: str, scenario_read: Callable[[], str]) -> Iterator[dict[str, FastAPI]]:
    """Yield both services, with the scenario in them."""
    made, used = {}, []
    for name in SERVICES:
        bench = Bench(scenario_read(), name)
        take_whatever_is_sent(bench)
        used.append(parts_at(topics, bench))
        made[name] = application(bench.domain, used[-1])
    yield made
    for parts in used:
        parts.producer.close()
        parts.admin.close()
        parts.database.dispose()


@pytest.fixture(scope="module")
def orders_api(applications: dict[str, FastAPI]) -> Iterator[Everybody]:
    with asking_as(applications["orders"], CALLERS) as asked:
        yield Everybody(asked)


@pytest.fixture(scope="module")
def unpaid_work_api(applications: dict[str, FastAPI]) -> Iterator[Everybody]:
    with asking_as(applications["unpaid_work"], CALLERS) as asked:
        yield Everybody(asked)


@cache
def schema(name: str) -> BaseSchema:
    """Return the operations of a service.

    404: no schema can say which orders and events there are. 422: nor what an event must be beyond its schema, that a year ends where it
    does, and what `next` of a page was.
    """
    return schema_of(document_of(name), 404, 422)


def test_orders_do_what_their_document_says(orders_api: Everybody, subtests: pytest.Subtests) -> None:
    validate_each(schema("orders"), orders_api, subtests)


def test_unpaid_work_does_what_its_document_says(unpaid_work_api: Everybody, subtests: pytest.Subtests) -> None:
    validate_each(schema("unpaid_work"), unpaid_work_api, subtests)


def example_events(topic: Topic) -> Iterator[Given]:
    """Yield the contract's own examples, in each way to send them."""
    sent = [json.loads(encode(event)) for event in EVENTS if kind_of(event.data) is topic]
    bodies = {ONE[0]: sent[0], BATCH: sent, LINES: "\n".join(map(json.dumps, sent))}
    for media_type, body in bodies.items():
        yield Given("POST", "/v1/events", {"body": body, "media_type": media_type}, 202)
        yield Given("POST", "/v1/validate", {"body": body, "media_type": media_type}, 200)


def returns(name: str) -> Iterator[Given]:
    for path in ("annual-report", "reconciliation", "cpo" if name == "orders" else "unpaid-work"):
        yield Given("GET", f"/v1/returns/{path}", {"query": {"year": "2024-25"}}, 200)
        yield Given("GET", f"/v1/returns/{path}", {"query": {"year": "2024-26"}}, 422)


class Documented(NamedTuple):
    """One service, each of whose answers is held against its document."""

    name: str
    asked: Asked

    def get(self, given: Given) -> Any:
        client, headers = self.asked
        case = schema(self.name)[given.path][given.method].Case(**given.parts)
        answer = case.call_and_validate(session=client, headers=headers)
        assert answer.status_code == given.status, (given, answer.text)
        return answer.json() if "json" in answer.headers["content-type"][0] else None

    def page(self, path: str, **query: Any) -> Any:
        return self.get(Given("GET", path, {"query": query}, 200))


@pytest.mark.parametrize("name", SERVICES)
def test_examples_and_returns_are_answered_as_documented(name: str, applications: dict[str, FastAPI]) -> None:
    with asking(applications[name], SENDER) as asked:
        for given in (*example_events(KINDS[name]), *returns(name)):
            Documented(name, asked).get(given)


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_there_is_answered_as_documented(name: str, applications: dict[str, FastAPI]) -> None:
    """What only those ask who know references, ids and where a page ended."""
    path = "/v1/orders/{subject}" if name == "orders" else "/v1/ledgers/{subject}"
    with asking(applications[name], MANAGER) as asked:
        service = Documented(name, asked)
        items = service.page("/v1/worklist", within=250, limit=2)
        assert service.page("/v1/worklist", within=250, limit=2, after=items["next"])["items"]
        for item in items["items"]:
            order = service.get(Given("GET", path, {"path_parameters": {"subject": item["subject"]}}, 200))
            for fact in (fact for fact in order["facts"] if KINDS[name] in TYPES[fact["type"]].TOPICS):
                given = {"path_parameters": {"event_id": fact["event"]}}
                service.get(Given("GET", "/v1/events/{event_id}", given, 200))
        findings = service.page("/v1/findings", limit=1)
        service.page("/v1/findings", limit=1, after=findings["next"])
        assert service.page("/v1/findings")["findings"], "the scenario has some"
        if name == "unpaid_work":
            service.page("/v1/sequence")
        refused = service.page("/v1/rejections", limit=1)
        assert refused["rejections"], "the scenario has some"
        service.page("/v1/rejections", limit=1, after=refused["next"])


@pytest.mark.parametrize("name", SERVICES)
def test_no_text_is_more_than_the_database_can_take(name: str, applications: dict[str, FastAPI]) -> None:
    order = "orders" if name == "orders" else "ledgers"
    with asking(applications[name], MANAGER) as (client, headers):
        for path in (
            "findings?after=%00",
            "findings?rule=%00",
            "worklist?after=2024-01-01%20%00%20x",
            f"rejections?after={2**63}",
            "events/%00",
            f"{order}/%00",
        ):
            assert client.get(f"/v1/{path}", headers=headers).status_code == 422, path


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_that_is_asked_is_a_fault_of_ours(name: str, applications: dict[str, FastAPI]) -> None:
    known = {"/returns/x": "/returns/cpo"}
    assert_no_fault_of_ours(applications[name], bearer(MANAGER), known)


def test_nothing_that_is_asked_of_the_desk_is_a_fault_of_ours(applications: dict[str, FastAPI]) -> None:
    """The desk over both services, without a network between."""
    by_host = {
        f"http://{name}": httpx.ASGITransport(applications[name], client=("192.0.2.7", 1)) for name in applications
    }
    client = httpx.AsyncClient(mounts=by_host)
    asked = PlatformSettings(orders_url="http://orders", unpaid_work_url="http://unpaid_work")
    told = DeskSettings(
        tokens=TOKENS, platform=asked, http=HttpSettings(port=0, requests_per_minute=MANY, public_seconds=MANY)
    )
    token = bearer(MANAGER)["Authorization"].partition(" ")[2]
    origin = {"Cookie": f"{COOKIE}={token}", "Origin": "http://testserver"}
    assert_no_fault_of_ours(
        desk.build(told, CollectorRegistry(), client), origin, {"/refusals/x/x": "/refusals/orders/1"}
    )


def bearer(caller: Identity) -> dict[str, str]:
    return {"Authorization": f"Bearer {mint(KEYS.private, caller, timedelta(hours=1), system_clock)}"}

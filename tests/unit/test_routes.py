"""Every route of every API and page: what nobody reads is refused, with the name that was perhaps meant."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import httpx
import httpx2
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from services.chassis.api.auth import COOKIE, Identity, generate_keys, mint
from services.chassis.api.bounds import LINES
from services.chassis.api.policy import KIB, MIB
from services.chassis.api.query import names_of
from services.chassis.clock import system_clock
from services.chassis.database import engine
from services.chassis.metrics import new_registry
from services.chassis.settings import DatabaseSettings, KafkaSettings, MetricsSettings, TokenSettings
from services.desk import app as desk
from services.desk.settings import ApiSettings as DeskSettings
from services.orders.api import routers as orders_routes
from services.orders.domain import domain as orders_domain
from services.orders.policies import POLICIES as ORDERS_POLICIES
from services.records.api import run_api
from services.records.config.settings import ApiHttpSettings
from services.records.config.settings import ApiSettings as RecordsSettings
from services.records.model.bank_holidays import scotland
from services.reporting.app import build
from services.reporting.settings import ApiSettings
from services.unpaid_work.api import routers as unpaid_work_routes
from services.unpaid_work.domain import domain as unpaid_work_domain
from services.unpaid_work.policies import POLICIES as UNPAID_WORK_POLICIES
from tests.support.asking import InThisThread

DATABASE = DatabaseSettings(url="postgresql://nobody@localhost:1/nothing", schema_name="nothing")
KEYS = generate_keys()
TOKENS = TokenSettings(public_key=KEYS.public, development=True)


def _records(name: str) -> FastAPI:
    make, surface = {
        "orders": (orders_domain, run_api.Surface(name, orders_routes, ORDERS_POLICIES)),
        "unpaid_work": (unpaid_work_domain, run_api.Surface(name, unpaid_work_routes, UNPAID_WORK_POLICIES)),
    }[name]
    nothing: Any = Mock()
    database = DatabaseSettings(url=DATABASE.url, schema_name=name)
    parts = run_api.Parts(engine(database), nothing, nothing, new_registry())
    settings = RecordsSettings(
        database=database,
        tokens=TOKENS,
        kafka=KafkaSettings(bootstrap="localhost:1"),
        http=ApiHttpSettings(port=1),
        metrics=MetricsSettings(port=1),
    )
    return run_api.build(make(scotland()), surface, settings, parts)


def _reporting() -> FastAPI:
    return build(ApiSettings(database=DATABASE, tokens=TOKENS), engine(DATABASE), new_registry())


def _desk() -> FastAPI:
    return desk.build(DeskSettings(tokens=TOKENS), new_registry(), httpx.AsyncClient())


APPLICATIONS = {
    "orders": _records("orders"),
    "unpaid_work": _records("unpaid_work"),
    "reporting": _reporting(),
    "desk": _desk(),
}


def routes_of(app: FastAPI | APIRouter) -> Iterator[APIRoute]:
    for route in app.routes:
        if isinstance(route, APIRoute):
            yield route
        elif isinstance(included := getattr(route, "original_router", None), APIRouter):
            yield from routes_of(included)


EVERY_ROUTE = [
    pytest.param(name, route, method, id=f"{name} {method} {route.path}")
    for name, app in APPLICATIONS.items()
    for route in routes_of(app)
    for method in sorted(route.methods or ())
]


def test_there_are_routes_to_walk() -> None:
    found = {(name, route.path) for name, app in APPLICATIONS.items() for route in routes_of(app)}
    assert {("orders", "/v1/orders"), ("unpaid_work", "/v1/worklist"), ("reporting", "/v1/cells")} <= found
    assert {
        ("reporting", path) for path in ("/", "/quality", "/sign-in", "/indicators/{id}/figures.{extension}")
    } <= found


@pytest.mark.parametrize(("name", "route", "method"), EVERY_ROUTE)
def test_a_parameter_that_nobody_reads_is_refused_by_name(name: str, route: APIRoute, method: str) -> None:
    client = InThisThread(APPLICATIONS[name], raise_server_exceptions=False)
    known = sorted(names_of(route))
    misspelled = f"{known[0]}x" if known else "anything"
    answer = client.request(method, f"{re.sub('{.*?}', 'x', route.path)}?{misspelled}=1")
    assert answer.status_code == 422, answer.text
    error = answer.json()["errors"][0]
    assert (error["in"], error["path"]) == ("query", f"/{misspelled}")
    assert not known or "did you mean" in error["message"]


def test_every_parameter_that_is_documented_is_taken() -> None:
    for name, app in APPLICATIONS.items():
        routes = {
            (route.path_format, method.lower()): route for route in routes_of(app) for method in route.methods or ()
        }
        for path, operations in app.openapi()["paths"].items():
            for method, operation in operations.items():
                documented = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"}
                assert documented == names_of(routes[path, method]), (name, path)


def asked_of(name: str, path: str, **given: Any) -> httpx2.Response:
    """Return the answer to a POST, whatever the route takes."""
    client = InThisThread(APPLICATIONS[name], raise_server_exceptions=False)
    return client.post(re.sub("{.*?}", "x", path), follow_redirects=False, **given)


TAKE_MORE = {"POST /v1/events", "POST /v1/validate"}


@pytest.mark.parametrize("name", APPLICATIONS)
def test_every_route_has_bounds_and_only_the_intake_takes_much(name: str) -> None:
    policies = APPLICATIONS[name].state.policies
    for route in routes_of(APPLICATIONS[name]):
        for method in route.methods or ():
            policy = policies[f"{method} {route.path}"]
            intake = f"{method} {route.path}" in TAKE_MORE
            assert policy.body <= (8 * MIB if intake else 256 * KIB), route.path
            assert (policy.lines > 0) == intake, route.path
            assert policy.answer <= 64 * MIB, route.path
            assert policy.listens == (route.path == "/v1/stream")


@pytest.mark.parametrize("name", APPLICATIONS)
def test_no_route_takes_more_than_its_bound_by_whatever_name(name: str) -> None:
    """Its length announced or not, whoever sends it, as what it may."""
    app = APPLICATIONS[name]
    for route in routes_of(app):
        if "POST" in (route.methods or ()):
            policy = app.state.policies[f"POST {route.path}"]
            for kind in ("application/x-ndjson", "application/x-www-form-urlencoded"):
                most = policy.lines if policy.lines and kind in LINES else policy.body
                if most <= 8 * MIB:
                    sent = b"x" * (most + 1)
                    headers = {"Content-Type": kind, "Origin": "http://testserver"} | token_of("S12000033")
                    for content in (sent, iter([sent[:100], sent[100:]])):
                        answer = asked_of(name, route.path, content=content, headers=headers)
                        assert answer.status_code in {413, 303}, (route.path, answer.status_code)
                        assert answer.status_code == 413 or answer.headers["location"] in {"/", "/sign-in"}


def token_of(authority: str) -> dict[str, str]:
    identity = Identity("somebody", frozenset({"events:write", "orders:read", "orders:manage"}), authority)
    token = mint(KEYS.private, identity, timedelta(hours=1), system_clock)
    return {"Authorization": f"Bearer {token}", "Cookie": f"{COOKIE}={token}"}

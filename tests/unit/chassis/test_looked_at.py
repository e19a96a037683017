"""An answer about an order that the address names is on record, even if it does not name the order again."""

from collections.abc import Sequence
from typing import Any, cast

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient

from services.chassis.api.http import Written
from services.chassis.api.policy import Policy, Who
from services.chassis.audit.model import Entry
from services.chassis.audit.watching import Watch
from services.chassis.schema import Schema

KEPT: list[Entry] = []


class Numbers(Schema, description="Numbers of one order, which they do not name."):
    female: int


class Order(Numbers, description="The same, with its name."):
    subject: str


class Watching(Watch):
    """Keeps entries in a list."""

    def _write(self, told: Sequence[Entry]) -> None:
        KEPT.extend(told)


def application(who: Who) -> FastAPI:
    routes = APIRouter(route_class=Written)

    @routes.get("/numbers/{subject:path}")
    def get_numbers(subject: str) -> Numbers:  # noqa: ARG001
        return Numbers(female=1)

    @routes.get("/orders/{subject:path}")
    def get_order(subject: str) -> Order:
        return Order(female=1, subject=subject)

    app, nothing = FastAPI(), cast(Any, None)
    policies = {f"GET /{name}/{{subject:path}}": Policy(who) for name in ("numbers", "orders")}
    app.add_middleware(Watching, database=nothing, policies=policies, metrics=nothing)
    app.include_router(routes)
    return app


@pytest.mark.parametrize("route", ["numbers", "orders"])
def test_the_order_that_the_address_names_is_on_record(route: str) -> None:
    KEPT.clear()
    with TestClient(application(Who.OWN_ORDERS)) as client:
        assert client.get(f"/{route}/CPO/1").status_code == 200
    assert [(one.what, one.count, list(one.references)) for one in KEPT] == [
        (f"GET /{route}/{{subject:path}}", 1, ["CPO/1"])
    ]

"""The API of a service of records as an authority's manager sees it, at a time that the test chooses."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import httpx
from fastapi.testclient import TestClient
from httpx2 import Response
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, event

from services.chassis.api.auth import COOKIE, Identity, Keys, generate_keys, mint
from services.chassis.api.http import application
from services.chassis.api.policy import names_of_routes
from services.chassis.clock import FixedClock, system_clock
from services.chassis.database import settings_of
from services.chassis.guarding.walls import behind
from services.chassis.settings import HttpSettings, TokenSettings
from services.desk import app as desk
from services.desk.settings import ApiSettings as DeskSettings
from services.desk.settings import PlatformSettings
from services.orders import api as orders
from services.orders.policies import POLICIES as ORDERS_POLICIES
from services.records.api import looking_back
from services.records.api.management import SHIPPED, Own
from services.records.api.mirror import receipts, trees
from services.records.model.domain import Domain
from services.unpaid_work import api as unpaid_work
from services.unpaid_work.policies import POLICIES as UNPAID_WORK_POLICIES
from tests.support.asking import InThisThread

POLICIES = {"orders": ORDERS_POLICIES, "unpaid_work": UNPAID_WORK_POLICIES}
ROUTERS = {"orders": orders.routers, "unpaid_work": unpaid_work.routers}


@cache
def keys() -> Keys:
    return generate_keys()


def token(authority: str | None, *scopes: str) -> dict[str, str]:
    """Return the header of a caller."""
    identity = Identity("somebody", frozenset(scopes), authority)
    return {"Authorization": f"Bearer {mint(keys().private, identity, timedelta(hours=1), system_clock)}"}


_clients: dict[tuple[Engine, str], TestClient] = {}


def client(database: Engine, domain: Domain, today: str) -> TestClient:
    """Return the API on a day."""
    key = (database, today)
    if key not in _clients:
        _clients[key] = new_client(database, domain, today)
    return _clients[key]


def new_client(
    database: Engine, domain: Domain, today: str, own: Own = SHIPPED, registry: CollectorRegistry | None = None
) -> TestClient:
    """Return a new API with files of one's own. It works behind the walls, whatever engine is given."""
    walled = behind(settings_of(database))
    event.listen(database, "engine_disposed", lambda _: walled.dispose())
    noon = FixedClock(datetime.fromisoformat(f"{today}T12:00:00").replace(tzinfo=UTC))
    routers = [receipts.router(domain.own, walled), *ROUTERS[domain.service](walled, domain, noon, own)]
    routers += [looking_back.router(walled), trees.router(walled)]
    names = set(names_of_routes(routers))
    policies = {name: policy for name, policy in POLICIES[domain.service].items() if name in names}
    tokens = TokenSettings(public_key=keys().public)
    return InThisThread(
        application(
            *(domain.service, HttpSettings(port=0), registry or CollectorRegistry(), routers, policies),
            tokens=tokens,
            audit=walled,
        )
    )


class Pages(NamedTuple):
    """A desk, asked without a network."""

    client: TestClient

    def cookie(self, authority: str, *scopes: str) -> str:
        """Return the cookie of somebody of an authority, by default of a manager."""
        bearer = token(authority, *(scopes or ("orders:read", "orders:manage")))["Authorization"]
        return f"{COOKIE}={bearer.removeprefix('Bearer ')}"


def desk_over(records: Mapping[str, tuple[Engine, Domain]], today: str) -> Pages:
    """Return a desk that asks the APIs of these services on a day."""
    urls = {name: f"http://{name.replace('_', '-')}.example" for name in records}
    mounts = {urls[name]: httpx.ASGITransport(app=client(*books, today).app) for name, books in records.items()}
    settings = DeskSettings.model_validate(
        {
            "http": {"port": 1},
            "metrics": {"port": 1},
            "tokens": TokenSettings(public_key=keys().public, development=True),
            "platform": PlatformSettings(**{f"{name}_url": url for name, url in urls.items()}),
        }
    )
    return Pages(InThisThread(desk.build(settings, CollectorRegistry(), httpx.AsyncClient(mounts=mounts))))


class ManagersView:
    """One service's API, asked by one authority's manager."""

    def __init__(self, client: TestClient, authority: str) -> None:
        self.client = client
        self.headers = token(authority, "orders:read")

    def get(self, path: str, **parameters: object) -> Any:
        """Return the answer; as JSON if it is that. Fails for any status but 200."""
        answer = self.ask(path, None, **{name: str(value) for name, value in parameters.items()})
        assert answer.status_code == 200, answer.text
        return answer.json() if "json" in answer.headers["content-type"] else answer.text

    def ask(self, path: str, headers: Mapping[str, str] | None = None, **parameters: str) -> Response:
        """Return the whole answer. A parameter that would be a word of Python ends in `_`."""
        given = {name.rstrip("_"): value for name, value in parameters.items()}
        return self.client.get(f"/v1/{path}", params=given or None, headers=headers or self.headers)

    def pages(self, path: str, rows: str, **parameters: object) -> list[Any]:
        """Return all rows of a list, page by page."""
        page = self.get(path, **parameters)
        found: list[Any] = page[rows]
        while page["next"]:
            page = self.get(path, after=page["next"], **parameters)
            found += page[rows]
        return found

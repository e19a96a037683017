"""The API of a service of records as an authority's manager sees it, at a time that the test chooses."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from typing import Any, NamedTuple

import httpx
from fastapi.testclient import TestClient
from httpx2 import Response
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, event

from services.chassis.api.auth import COOKIE, Identity, Keys, generate_keys, mint
from services.chassis.api.http import application
from services.chassis.clock import Clock, FixedClock, system_clock
from services.chassis.database import settings_of
from services.chassis.guarding.walls import behind
from services.chassis.settings import HttpSettings, TokenSettings
from services.chassis.streaming.clients.outgoing import Outgoing, Receipt
from services.desk import app as desk
from services.desk.settings import ApiSettings as DeskSettings
from services.desk.settings import PlatformSettings
from services.orders import api as orders
from services.orders.policies import POLICIES as ORDERS_POLICIES
from services.records.api import audit_trail, intake
from services.records.api.decisions.signatures import RegisteredSigners
from services.records.api.management import SHIPPED, Own
from services.records.api.receipts import outcomes, sequence, trees
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


class Log:
    """Stands in for Kafka: it acknowledges everything, and all that it holds was processed."""

    def __init__(self) -> None:
        self._offsets = count()

    async def send(self, records: Sequence[Outgoing]) -> list[Receipt]:
        """Say that the records were kept, each at the next place."""
        return [Receipt(one.topic, 0, next(self._offsets)) for one in records]

    def ends(self, _topics: Collection[str]) -> Mapping[str, int]:
        """Return no ends: nothing is waited for."""
        return {}


def new_client(
    database: Engine,
    domain: Domain,
    today: str,
    own: Own = SHIPPED,
    registry: CollectorRegistry | None = None,
    clock: Clock = system_clock,
) -> TestClient:
    """Return a new API with files of one's own and all routes of the service. It works behind the walls, whatever engine is given.

    The `clock` is that of the audit and of limits; everything else happens at noon of the day.
    """
    walled, log = behind(settings_of(database)), Log()
    event.listen(database, "engine_disposed", lambda _: walled.dispose())
    noon = noon_of(today)
    kafka: Any = log
    routers = [intake.router(domain.own, kafka, noon, RegisteredSigners(walled)), outcomes.router(domain.own, walled)]
    routers += ROUTERS[domain.service](walled, domain, noon, own)
    routers += [audit_trail.router(walled), trees.router(walled)]
    routers += [sequence.router(walled, log.ends)] if domain.follows_counters else []
    tokens = TokenSettings(public_key=keys().public)
    return InThisThread(
        application(
            *(domain.service, HttpSettings(port=0), registry or CollectorRegistry(), routers, POLICIES[domain.service]),
            tokens=tokens,
            audit=walled,
            clock=clock,
        )
    )


def noon_of(day: str) -> FixedClock:
    return FixedClock(datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC))


class Pages(NamedTuple):
    """A desk, asked without a network."""

    client: TestClient

    def cookie(self, authority: str, *scopes: str) -> str:
        """Return the cookie of somebody of an authority, by default of a manager."""
        bearer = token(authority, *(scopes or ("orders:read", "orders:manage")))["Authorization"]
        return f"{COOKIE}={bearer.removeprefix('Bearer ')}"


def desk_over(records: Mapping[str, tuple[Engine, Domain]], today: str) -> Pages:
    """Return a desk that asks the APIs of these services on a day."""
    return desk_of({name: client(*books, today) for name, books in records.items()})


def desk_of(apis: Mapping[str, TestClient]) -> Pages:
    """Return a desk that asks these APIs."""
    urls = {name: f"http://{name.replace('_', '-')}.example" for name in apis}
    mounts = {urls[name]: httpx.ASGITransport(app=api.app) for name, api in apis.items()}
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

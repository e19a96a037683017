"""An authority whose program is told by webhooks, with a real receiver and a sender whose time the test sets."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from httpx2 import Response
from prometheus_client import CollectorRegistry

from contracts.topics import topic_of
from services.chassis.clock import FixedClock, system_clock
from services.orders.findings import RULES
from services.records.api.management import Own
from services.records.config.settings import WebhookSettings
from services.records.ingest.tables import changes, webhooks
from services.records.webhooks.feed import Feed
from services.records.webhooks.metrics import WebhookMetrics
from services.records.webhooks.run_webhooks import pace, postman
from services.records.webhooks.sender import Sender, Tools
from services.records.webhooks.signing import Safe
from services.unpaid_work.findings import RULES as UNPAID_WORK_RULES
from tests.integration.records.conftest import Bench
from tests.integration.records.test_between_authorities import Sender as Worker
from tests.support.desk import ManagersView, new_client, token
from tests.support.outside.receiver import Receiver, receiver

A, B = "S12000005", "S12000036"
KEY = Fernet.generate_key().decode()
SETTINGS = WebhookSettings.model_validate(
    {"key": KEY, "allowed_networks": "127.0.0.0/8", "timeout_seconds": 5, "poll_seconds": 0.01}
)
_RULES = {"orders": RULES, "unpaid_work": UNPAID_WORK_RULES}


class Telling:
    """One service, whose worker refuses what it is sent, and whose managers set receivers."""

    def __init__(self, bench: Bench, worker: Worker | None = None, settings: WebhookSettings = SETTINGS) -> None:
        self.bench, self.settings = bench, settings
        self.clock = FixedClock(system_clock())
        yesterday = f"{(system_clock() - timedelta(days=1)).date()}"
        self.registry = CollectorRegistry()
        self.metrics = WebhookMetrics(self.registry)
        self.client = new_client(bench.database, bench.domain, yesterday, Own(webhooks=settings))
        self.worker = worker or Worker(bench)

    def refuse(self, *ids: str, authority: str = A) -> None:
        """Have the worker refuse events of these ids."""
        for id_ in ids:
            self.worker.send_raw(topic_of(self.bench.domain.own, authority), b'{"id":"%s"}' % id_.encode())

    def ask(self, method: str, path: str, body: object = None, authority: str = A) -> Response:
        headers = token(authority, "orders:read", "orders:manage")
        return self.client.request(method, f"/v1/webhooks{path}", json=body, headers=headers)

    def add(self, to: Receiver, after: str | None = "", authority: str = A) -> str:
        """Add a receiver of the authority, which from now on believes only signed messages. Returns its name."""
        body = {"name": "the case system", "url": to.url, "after": after}
        answer = self.ask("POST", "", body, authority)
        assert answer.status_code == 200, answer.text
        to.secret = answer.json()["secret"]
        return str(answer.json()["webhook"]["webhook"])

    def shown(self, authority: str = A) -> list[dict[str, Any]]:
        """Return the receivers as managers see them."""
        found: list[dict[str, Any]] = self.ask("GET", "", authority=authority).json()["webhooks"]
        return found

    def feed(self, authority: str = A) -> list[dict[str, Any]]:
        """Return all that `GET /v1/changes` tells."""
        view = ManagersView(self.client, authority)
        found: list[dict[str, Any]] = view.get("changes", limit=1000)["changes"]
        return found

    def sender(self, names: ThreadPoolExecutor) -> Sender:
        service, settings = self.bench.domain.service, self.settings
        safe, post = Safe(settings.keys), postman(settings, names)
        tools = Tools(self.bench.database, names, post, safe, self.metrics, self.clock)
        return Sender(service, Feed(_RULES[service]), tools, pace(settings))

    def rounds(self, senders: int = 1) -> None:
        """Send one round to each receiver that may be sent something now, by several senders at once."""
        with ThreadPoolExecutor(8) as names:
            asyncio.run(_rounds([self.sender(names) for _ in range(senders)]))

    def pass_(self, **time: float) -> None:
        """Let time pass, for the sender."""
        self.clock.move(timedelta(**time))


async def _rounds(senders: list[Sender]) -> None:
    stop = asyncio.Event()
    due = [await sender.due() for sender in senders]
    await asyncio.gather(
        *(sender.serve(webhook, stop) for sender, found in zip(senders, due, strict=True) for webhook in found)
    )


@pytest.fixture(scope="module")
def worker(migrated: Callable[[], str]) -> Iterator[Worker]:
    """Yield the orders service of all tests of a module, whose commits follow one another."""
    bench = Bench(migrated(), "orders")
    yield Worker(bench)
    bench.database.dispose()


@pytest.fixture
def orders(worker: Worker) -> Telling:
    """Return that service, which has nothing to tell yet, and tells nobody."""
    with worker.bench.database.begin() as connection:
        connection.execute(webhooks.delete())
        connection.execute(changes.delete())
    return Telling(worker.bench, worker)


@pytest.fixture
def there() -> Iterator[Receiver]:
    """Yield a receiver that takes everything."""
    with receiver() as it:
        yield it

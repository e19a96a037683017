"""One caller cannot take what is meant for all, and is told when to come back."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry

from services.chassis.api.auth import Identity, Keys, generate_keys, mint
from services.chassis.api.callers import REFUSED_SECONDS
from services.chassis.api.http import application
from services.chassis.clock import FixedClock, system_clock
from services.chassis.settings import HttpSettings, TokenSettings
from tests.support.asking import InThisThread
from tests.support.made.policies import any_policy

KEYS, OTHERS_KEYS = generate_keys(), generate_keys()
LIMIT = 3
router = APIRouter(prefix="/v1")


@router.get("/things")
def things() -> str:
    return "things"


@pytest.fixture(autouse=True)
def held_back(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return for how long refusals are held back, in place of waiting for them."""
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("services.chassis.api.callers.sleep", wait)
    return waited


@pytest.fixture
def clock() -> FixedClock:
    """Return the time of the limits: a minute begins."""
    return FixedClock(system_clock().replace(second=0, microsecond=0))


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


Connect = Callable[[str], TestClient]


@pytest.fixture
def connect(registry: CollectorRegistry, clock: FixedClock) -> Connect:
    """Return what makes a client with an address."""
    settings = HttpSettings(port=0, requests_per_minute=LIMIT)
    tokens = TokenSettings(public_key=KEYS.public)
    app = application("Things", settings, registry, [router], any_policy([router]), tokens=tokens, clock=clock)
    return lambda address: InThisThread(app, client=(address, 50_000))


def bearer(subject: str, authority: str | None = None, keys: Keys = KEYS) -> dict[str, str]:
    token = mint(keys.private, Identity(subject, frozenset(), authority), timedelta(hours=1), system_clock)
    return {"Authorization": f"Bearer {token}"}


def statuses(client: TestClient, count: int, headers: dict[str, str] | None = None) -> list[int]:
    return [client.get("/v1/things", headers=headers).status_code for _ in range(count)]


def test_more_than_the_limit_is_refused_until_the_minute_is_over(connect: Connect, clock: FixedClock) -> None:
    client = connect("192.0.2.1")
    assert statuses(client, LIMIT) == [200] * LIMIT
    clock.move(timedelta(seconds=20))
    refused = client.get("/v1/things")
    assert (refused.status_code, refused.headers["content-type"]) == (429, "application/problem+json")
    assert refused.json()["detail"] == "More than 3 requests in a minute"
    wait = int(refused.headers["retry-after"])
    assert wait == 40
    clock.move(timedelta(seconds=wait - 1))
    assert statuses(client, 1) == [429]
    clock.move(timedelta(seconds=1))
    assert statuses(client, 1) == [200]


def test_a_refusal_is_held_back_unless_somebody_vouches_for_who_asks(connect: Connect, held_back: list[float]) -> None:
    """Else saying no would be work without end."""
    statuses(connect("192.0.2.1"), LIMIT + 1, bearer("a"))
    assert held_back == []
    statuses(connect("192.0.2.1"), LIMIT + 2)
    assert held_back == [REFUSED_SECONDS] * 2


def test_every_answer_says_what_is_left(connect: Connect, clock: FixedClock) -> None:
    client = connect("192.0.2.1")
    told = []
    for _ in range(LIMIT + 1):
        headers = client.get("/v1/things").headers
        assert headers["ratelimit-policy"] == '"requests";q=3;w=60'
        told.append(re.fullmatch(r'"requests";r=(\d+);t=(\d+)', headers["ratelimit"]))
        clock.move(timedelta(seconds=10))
    assert [found.groups() for found in told if found] == [("2", "60"), ("1", "50"), ("0", "40"), ("0", "30")]


def test_callers_are_told_apart_by_token_and_without_one_by_address(connect: Connect) -> None:
    client = connect("192.0.2.1")
    assert statuses(client, LIMIT + 1)[-1] == 429
    assert statuses(connect("192.0.2.2"), LIMIT) == [200] * LIMIT
    for headers in (bearer("a"), bearer("b"), bearer("a", "S12000033")):
        assert statuses(client, LIMIT + 1, headers) == [*[200] * LIMIT, 429]
    assert statuses(connect("192.0.2.3"), 1, bearer("a")) == [429]


def test_whoever_moves_within_a_network_of_ipv6_is_one_caller(connect: Connect) -> None:
    found = [statuses(connect(f"2001:db8::{index:x}"), 1)[0] for index in range(1, LIMIT + 2)]
    assert found == [*[200] * LIMIT, 429]
    assert statuses(connect("2001:db8:0:1::1"), 1) == [200]


def test_a_forged_token_uses_up_nothing_of_the_one_it_names(connect: Connect) -> None:
    statuses(connect("192.0.2.9"), LIMIT + 1, bearer("a", keys=OTHERS_KEYS))
    assert statuses(connect("192.0.2.1"), LIMIT, bearer("a")) == [200] * LIMIT


def test_what_is_not_there_counts_and_health_does_not(connect: Connect) -> None:
    client = connect("192.0.2.1")
    for _ in range(2 * LIMIT):
        assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200
    assert "ratelimit" not in client.get("/readyz").headers
    assert [client.get("/nowhere").status_code for _ in range(LIMIT + 1)] == [*[404] * LIMIT, 429]
    assert client.get("/readyz").status_code == 200


def test_refusals_are_counted(connect: Connect, registry: CollectorRegistry) -> None:
    statuses(connect("192.0.2.1"), LIMIT + 2)
    statuses(connect("192.0.2.1"), LIMIT + 1, bearer("a"))

    def counted(caller: str) -> float | None:
        return registry.get_sample_value("payback_http_requests_limited_total", {"caller": caller})

    assert (counted("address"), counted("token")) == (2, 1)
    assert (
        registry.get_sample_value("payback_http_requests_total", {"method": "GET", "route": "unknown", "status": "429"})
        == 3
    )


def test_the_document_says_so(connect: Connect) -> None:
    paths = connect("192.0.2.1").get("/openapi.json").json()["paths"]
    answers = paths["/v1/things"]["get"]["responses"]
    assert answers["429"]["headers"].keys() == {"Retry-After", "RateLimit", "RateLimit-Policy"}
    assert answers["200"]["headers"].keys() == {"RateLimit", "RateLimit-Policy"}
    assert "429" not in paths["/readyz"]["get"]["responses"]


def test_without_a_limit_nothing_is_counted() -> None:
    app = application("Things", HttpSettings(port=0), CollectorRegistry(), [router], any_policy([router]))
    client = InThisThread(app)
    assert statuses(client, 50) == [200] * 50
    assert "ratelimit" not in client.get("/v1/things").headers
    assert "429" not in client.get("/openapi.json").json()["paths"]["/v1/things"]["get"]["responses"]


def test_a_proxy_that_nobody_named_is_noticed_once(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    """All who ask through it would share one limit. One that is named leaves no port of its own."""
    named = InThisThread(connect("192.0.2.1").app, client=("192.0.2.9", 0))
    named.get("/v1/things", headers={"X-Forwarded-For": "192.0.2.9"})
    assert "TRUSTED_PROXIES" not in caplog.text
    for _ in range(2):
        connect("192.0.2.1").get("/v1/things", headers={"X-Forwarded-For": "192.0.2.9"})
    assert caplog.text.count("PAYBACK_HTTP_TRUSTED_PROXIES") == 1

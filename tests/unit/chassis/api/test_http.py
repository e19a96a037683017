"""Whatever goes wrong is answered with a problem that tells the caller what to do and nothing about the inside."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from threading import Event
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, StreamingResponse
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry, generate_latest
from pydantic import BaseModel, Field
from starlette.types import Message, Scope

from services.chassis.api import problems, query
from services.chassis.api.auth import Caller, Identity, OwnAuthority, generate_keys, mint
from services.chassis.api.http import Written, application, asking
from services.chassis.api.policy import Policy, Who, check
from services.chassis.api.problems import MOST_ERRORS, Problem, documented
from services.chassis.clock import system_clock
from services.chassis.failures import Away
from services.chassis.metrics import HttpMetrics
from services.chassis.settings import HttpSettings, TokenSettings
from services.chassis.web.sign_in import from_here
from tests.support.asking import InThisThread
from tests.support.made.policies import any_policy

KEYS = generate_keys()
PROBLEM = "application/problem+json"
LIMIT = 1000
router = APIRouter(prefix="/v1")


class Thing(BaseModel):
    name: str = Field(max_length=5)


@router.get("/things/{number}", responses=documented(404))
def thing(number: int, colour: Annotated[str, Query(pattern="^(red|blue)$")] = "red") -> str:
    if number == 404:
        raise Problem(404, "There is no such thing", near=[403, 405])
    if number == 500:
        raise RuntimeError("hush: person_ref 12345")
    if number == 503:
        raise Away("PostgreSQL at 10.0.0.1 is away")
    if number == 429:
        raise Problem(429, "Too many at once", headers={"Retry-After": "7"})
    return f"{number} {colour}"


written = APIRouter(prefix="/v1", route_class=Written)


@written.get("/written/{name}")
def write_thing(name: str) -> Thing:
    if name == "nobody":
        raise Problem(404, "There is no such thing")
    return Thing(name=name)


@router.post("/things")
def add_thing(thing: Thing) -> str:
    return thing.name


@router.post("/lines")
async def lines(request: Request) -> int:
    return sum([len(part) async for part in request.stream()])


@router.post("/slow")
async def slow(request: Request) -> int:
    return len(await request.body())


@router.get("/long")
def long(size: int) -> PlainTextResponse:
    return PlainTextResponse("x" * size)


@router.get("/names/{name:path}")
def name_of(name: str) -> str:
    return name


@router.get("/own")
def own(authority: OwnAuthority) -> str:
    return authority


@router.get("/figures")
def figures(identity: Caller) -> str:
    return identity.audience


@router.get("/page", response_class=PlainTextResponse)
def page() -> PlainTextResponse:
    return PlainTextResponse("page", headers={"Cache-Control": "max-age=60"})


@router.get("/half")
def half() -> StreamingResponse:
    async def parts() -> AsyncIterator[bytes]:
        yield b"half"
        raise RuntimeError("hush")

    return StreamingResponse(parts())


class Database:
    """Answers until told otherwise."""

    answers = True

    def check(self) -> None:
        if not self.answers:
            raise Away("PostgreSQL at 10.0.0.1 is away")


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def app(registry: CollectorRegistry, database: Database) -> FastAPI:
    tokens, checks = TokenSettings(public_key=KEYS.public), {"database": database.check}
    policies = {
        **any_policy([router, written], Policy(body=LIMIT)),
        "POST /v1/lines": Policy(body=LIMIT, lines=10 * LIMIT),
        "POST /v1/slow": Policy(body=LIMIT, seconds=0.05),
        "GET /v1/long": Policy(answer=LIMIT),
        "GET /v1/own": Policy(Who.OWN_ORDERS),
    }
    return application(
        "Things", HttpSettings(port=0), registry, [router, written], policies, tokens=tokens, checks=checks
    )


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as made:
        yield made


def _bearer(identity: Identity) -> dict[str, str]:
    return {"Authorization": f"Bearer {mint(KEYS.private, identity, timedelta(hours=1), system_clock)}"}


@pytest.mark.parametrize(
    ("method", "path", "status", "title"),
    [
        ("GET", "/nowhere", 404, "Not Found"),
        ("GET", "/v1/things/404", 404, "Not Found"),
        ("DELETE", "/v1/things/1", 405, "Method Not Allowed"),
        ("GET", "/v1/things/one", 422, "Unprocessable Content"),
        ("GET", "/v1/things/429", 429, "Too Many Requests"),
        ("GET", "/v1/things/500", 500, "Internal Server Error"),
        ("GET", "/v1/things/503", 503, "Service Unavailable"),
    ],
)
def test_every_error_is_a_problem(client: TestClient, method: str, path: str, status: int, title: str) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert answer.json() | {"type": "about:blank", "title": title, "status": status} == answer.json()


def test_no_error_tells_what_is_inside(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answers = [client.get(f"/v1/things/{status}").text for status in (500, 503)]
    assert not any(word in "".join(answers) for word in ("hush", "RuntimeError", "PostgreSQL", "10.0.0.1"))
    assert "a fault of ours" in caplog.text


def test_a_problem_has_the_members_that_it_was_given(client: TestClient) -> None:
    assert client.get("/v1/things/404", headers={"X-Request-Id": "mine-1"}).json() == {
        "request_id": "mine-1",
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no such thing",
        "near": [403, 405],
    }


@pytest.mark.parametrize(("status", "seconds"), [(503, "5"), (429, "7")])
def test_the_caller_is_told_when_to_try_again(client: TestClient, status: int, seconds: str) -> None:
    assert client.get(f"/v1/things/{status}").headers["retry-after"] == seconds


def test_each_fault_of_a_request_is_named_and_its_values_are_not(client: TestClient) -> None:
    assert client.get("/v1/things/1?colour=hush").json()["errors"] == [
        {"in": "query", "path": "/colour", "message": "String should match pattern '^(red|blue)$'"}
    ]
    answer = client.post("/v1/things", json={"name": "hush-hush"})
    assert answer.json()["errors"] == [
        {"in": "body", "path": "/name", "message": "String should have at most 5 characters"}
    ]
    assert "hush" not in answer.text


def test_a_request_of_many_faults_costs_no_more_than_one_of_a_few(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks need not be known yet, so neither the answer nor the work for it may grow with the faults."""
    sought: list[str] = []

    def seek(name: str, *_: object) -> list[str]:
        sought.append(name)
        return []

    monkeypatch.setattr(query, "get_close_matches", seek)
    many = "&".join(f"colou{number}" for number in range(2000))
    answer = client.get(f"/v1/things/1?{many}")
    assert (answer.status_code, len(answer.json()["errors"]), len(sought)) == (422, MOST_ERRORS, MOST_ERRORS)
    assert len(answer.content) < 2000


def test_a_body_of_many_faults_is_answered_with_a_few() -> None:
    faults = [{"loc": ("body", number), "msg": "Field required"} for number in range(2000)]
    answer = asyncio.run(problems.on_validation_error(Request({"type": "http"}), RequestValidationError(faults)))
    assert len(json.loads(bytes(answer.body))["errors"]) == MOST_ERRORS


def test_a_body_that_is_not_json_is_a_problem(client: TestClient) -> None:
    answer = client.post("/v1/things", content=b'{"name"', headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("path", ["/v1/things", "/v1/lines", "/v1/figures"])
def test_a_body_over_the_limit_is_refused_announced_or_not(client: TestClient, path: str, announced: bool) -> None:
    body = b"x" * (LIMIT + 1)
    content = body if announced else iter([body[:600], body[600:]])
    answer = client.post(path, content=content)
    if path == "/v1/figures":
        assert answer.status_code == 405  # answered without reading the body
    else:
        assert (answer.status_code, answer.headers["content-type"]) == (413, PROBLEM)
        assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_at_the_limit_is_read(client: TestClient, announced: bool) -> None:
    body = b"x" * LIMIT
    assert client.post("/v1/lines", content=body if announced else iter([body])).json() == LIMIT


def test_lines_may_be_longer_together_but_not_without_end(client: TestClient) -> None:
    kind = {"Content-Type": "application/x-ndjson; charset=utf-8"}
    assert client.post("/v1/lines", content=b"x" * 10 * LIMIT, headers=kind).json() == 10 * LIMIT
    assert client.post("/v1/lines", content=iter([b"x" * LIMIT] * 11), headers=kind).status_code == 413


def test_lines_have_their_bound_only_where_lines_are_taken(client: TestClient) -> None:
    kind = {"Content-Type": "application/x-ndjson"}
    assert client.post("/v1/things", content=b"x" * (LIMIT + 1), headers=kind).status_code == 413
    assert client.post("/v1/things", content=iter([b"x" * (LIMIT + 1)]), headers=kind).status_code == 413


def test_an_answer_is_never_larger_than_its_route_allows(client: TestClient) -> None:
    assert client.get(f"/v1/long?size={LIMIT}").text == "x" * LIMIT
    answer = client.get(f"/v1/long?size={LIMIT + 1}")
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert "ask for less" in answer.json()["detail"]


def test_a_body_that_stands_still_is_given_up(app: FastAPI) -> None:
    sent: list[Message] = []
    parts = [{"type": "http.request", "body": b"x", "more_body": True}]

    async def receive() -> Message:
        return parts.pop() if parts else await asyncio.Event().wait()  # type: ignore[return-value]

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(_request("POST", "/v1/slow"), receive, send))
    assert sent[0]["status"] == 408


def _request(method: str, path: str) -> Scope:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
        "client": ("192.0.2.1", 1),
    }


def test_a_slash_that_is_written_as_a_code_stands_in_names_only(client: TestClient) -> None:
    assert client.get("/v1/names/a%2Fb").json() == "a/b"
    for path in ("/v1%2Fnames/a", "/v1/things%2f1", "/v1/things/1%2F"):
        assert client.get(path).status_code == 404, path


def test_a_route_without_a_policy_is_a_fault_and_so_is_a_policy_without_a_route() -> None:
    policies = any_policy([router])
    check(policies, [router])
    with pytest.raises(ValueError, match="GET /v1/own"):
        check({name: each for name, each in policies.items() if name != "GET /v1/own"}, [router])
    with pytest.raises(ValueError, match="GET /v1/gone"):
        check({**policies, "GET /v1/gone": Policy()}, [router])


def test_without_a_token_one_is_asked_for(client: TestClient) -> None:
    answer = client.get("/v1/own")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("header", ["Bearer not.a.token", "Basic dXNlcjpodXNo"])
@pytest.mark.parametrize("path", ["/v1/own", "/v1/figures"])
def test_a_token_that_proves_nothing_is_refused_where_one_is_optional_too(
    client: TestClient, path: str, header: str
) -> None:
    answer = client.get(path, headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token", error_description="')
    assert answer.headers["content-type"] == PROBLEM


def test_a_token_without_the_scope_is_forbidden(client: TestClient) -> None:
    answer = client.get("/v1/own", headers=_bearer(Identity("a", frozenset({"national:read"}))))
    assert answer.status_code == 403
    assert answer.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="orders:read"'


def test_a_token_with_the_scope_is_let_in(client: TestClient) -> None:
    reader = Identity("a", frozenset({"orders:read"}), "S12000033")
    assert client.get("/v1/own", headers=_bearer(reader)).json() == "S12000033"
    assert client.get("/v1/figures", headers=_bearer(reader)).json() == "authority"
    assert client.get("/v1/figures").json() == "public"


def test_health_and_readiness(client: TestClient, database: Database) -> None:
    assert client.get("/readyz").json() == {"status": "ready"}
    database.answers = False
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["waiting_for"]) == (503, ["database"])
    assert client.get("/healthz").json() == {"status": "alive"}


def test_ready_without_what_only_a_part_needs() -> None:
    """Kafka takes events while PostgreSQL is away."""
    database = Database()
    settings = HttpSettings(port=0)
    client = InThisThread(
        application(
            "Things", settings, CollectorRegistry(), [router], any_policy([router]), beside={"database": database.check}
        )
    )
    assert client.get("/readyz").json() == {"status": "ready"}
    database.answers = False
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "without": ["database"]})


def test_what_is_away_is_told_although_another_hangs(registry: CollectorRegistry) -> None:
    def told(name: str) -> float | None:
        return registry.get_sample_value("payback_dependency_up", {"dependency": name})

    database, hangs = Database(), Event()
    dependencies: dict[str, Callable[[], object]] = {"database": database.check, "slow": hangs.wait}
    with asking(dependencies, HttpMetrics(registry), every=0.01):
        comes_true(lambda: told("database") == 1)
        database.answers = False
        comes_true(lambda: told("database") == 0)
        assert told("slow") == 0, "what has not answered yet is not up"
        hangs.set()
        comes_true(lambda: told("slow") == 1)
        hangs.clear()
        comes_true(lambda: told("slow") == 0)
        hangs.set()  # so that its thread ends


def comes_true(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_faults_of_each_route_are_counted_from_zero(client: TestClient, registry: CollectorRegistry) -> None:
    """To Prometheus a first value is no increase: the first faults would raise no alert."""
    labels = {"method": "GET", "route": "/v1/things/{number}", "status": "500"}
    assert registry.get_sample_value("payback_http_requests_total", labels) == 0
    client.get("/v1/things/500")
    assert registry.get_sample_value("payback_http_requests_total", labels) == 1


def test_refusals_are_counted_from_zero(client: TestClient, registry: CollectorRegistry) -> None:
    def refused(status: int) -> float | None:
        return registry.get_sample_value("payback_http_requests_refused_total", {"status": str(status)})

    assert [refused(status) for status in (401, 403, 429)] == [0, 0, 0]
    client.get("/v1/own")
    client.get("/v1/own", headers=_bearer(Identity("a", frozenset({"national:read"}))))
    client.get("/v1/things/429")
    assert [refused(status) for status in (401, 403, 429)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("scope", "authority", "days", "told"),
    [
        ("events:write", "S12000033", 365, True),
        ("events:write", "S12000033", 1, False),  # its system renews it by itself
        ("orders:read", "S12000033", 365, False),
        ("events:write", "S99999999", 365, False),
    ],
)
def test_the_end_of_a_token_is_told_before_it_comes(
    client: TestClient, registry: CollectorRegistry, scope: str, authority: str, days: int, told: bool
) -> None:
    token = mint(KEYS.private, Identity("a", frozenset({scope}), authority), timedelta(days=days), system_clock)
    client.get("/v1/figures", headers={"Authorization": f"Bearer {token}"})
    ends = registry.get_sample_value("payback_token_expires_timestamp_seconds", {"authority": authority})
    assert (ends is not None) is told
    if ends is not None:
        assert abs(ends - (system_clock() + timedelta(days=days)).timestamp()) < 60


def test_requests_are_counted_by_route_and_never_by_path(client: TestClient, registry: CollectorRegistry) -> None:
    for path in ("/v1/things/1", "/v1/things/2", "/v1/things/500", "/nowhere/secret-7"):
        client.get(path)
    client.request("BREW", "/v1/things/1")

    def counted(**labels: str) -> float | None:
        return registry.get_sample_value("payback_http_requests_total", labels)

    assert counted(method="GET", route="/v1/things/{number}", status="200") == 2
    assert counted(method="GET", route="/v1/things/{number}", status="500") == 1
    assert counted(method="GET", route="unknown", status="404") == 1
    assert counted(method="other", route="/v1/things/{number}", status="405") == 1
    labels = {"method": "GET", "route": "/v1/things/{number}"}
    assert registry.get_sample_value("payback_http_request_seconds_count", labels) == 3
    assert registry.get_sample_value("payback_http_requests_running") == 0
    assert "secret-7" not in generate_latest(registry).decode()


def test_every_answer_can_be_found_again_and_is_guarded(client: TestClient) -> None:
    for path in ("/v1/figures", "/nowhere", "/v1/things/500"):
        headers = client.get(path, headers={"X-Request-Id": "mine-1"}).headers
        assert headers["x-request-id"] == "mine-1"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["cache-control"] == "no-store"
    assert client.get("/v1/page").headers["cache-control"] == "max-age=60"


@pytest.mark.parametrize("given", ["", "x" * 65, 'quote"', "två"])
def test_a_request_id_that_could_do_harm_is_replaced(client: TestClient, given: str) -> None:
    answer = client.get("/v1/figures", headers={b"X-Request-Id": given.encode()})
    assert answer.headers["x-request-id"] not in {given, ""}


def test_a_request_is_logged_by_its_route(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "services"):
        client.get("/v1/things/1234567?colour=blue")
    (record,) = [record for record in caplog.records if record.message == "answered"]
    assert (record.__dict__["route"], record.__dict__["status"]) == ("/v1/things/{number}", 200)
    assert "1234567" not in str(record.__dict__)


def test_an_answer_that_breaks_halfway_is_not_completed(app: FastAPI) -> None:
    with TestClient(app) as client, pytest.raises(RuntimeError):
        client.get("/v1/half")


def _operations(client: TestClient) -> Iterator[tuple[str, dict[str, Any]]]:
    document = client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield f"{method} {path}", operation


def test_what_is_written_at_once_is_what_the_document_says(client: TestClient) -> None:
    answer = client.get("/v1/written/cup")
    assert (answer.status_code, answer.headers["content-type"], answer.json()) == (
        200,
        "application/json",
        {"name": "cup"},
    )
    assert client.get("/v1/written/nobody").status_code == 404
    responses = client.get("/openapi.json").json()["paths"]["/v1/written/{name}"]["get"]["responses"]
    assert responses["200"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Thing"}


def test_openapi_documents_the_problems_of_each_operation(client: TestClient) -> None:
    documented = {
        name: {status for status in each["responses"] if status != "200"} for name, each in _operations(client)
    }
    assert documented["get /healthz"] == {"422", "500", "503"}
    assert documented["get /v1/things/{number}"] == {"404", "422", "500", "503"}
    assert documented["post /v1/things"] == {"400", "413", "422", "500", "503"}
    assert documented["get /v1/own"] == {"401", "403", "422", "500", "503"}


def test_openapi_speaks_of_no_other_errors(client: TestClient) -> None:
    for _name, operation in _operations(client):
        for status, response in operation["responses"].items():
            if status != "200":
                assert list(response["content"]) == [PROBLEM]
    document = json.dumps(client.get("/openapi.json").json())
    assert "HTTPValidationError" not in document
    assert '"#/components/schemas/Problem"' in document


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({}, True),
        ({"Origin": "http://testserver"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none", "Origin": "https://evil.example"}, False),
    ],
)
def test_a_form_of_another_site_is_known(headers: dict[str, str], ours: bool) -> None:
    scope = {**_request("POST", "/sign-in"), "scheme": "http", "server": ("testserver", 80)}
    given = [(name.lower().encode(), value.encode()) for name, value in {"Host": "testserver", **headers}.items()]
    assert from_here(Request({**scope, "headers": given})) is ours

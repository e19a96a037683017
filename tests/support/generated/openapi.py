"""Code that the tests of all OpenAPI documents share: schemathesis on an application, and the headers of callers."""

from asyncio import Task
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from inspect import isawaitable
from typing import Any, NamedTuple, cast

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import settings
from schemathesis import Case
from schemathesis.checks import load_all_checks
from schemathesis.core.result import Ok
from schemathesis.openapi import from_asgi
from schemathesis.pytest.lazy import get_all_tests, run_subtest
from schemathesis.python import asgi
from schemathesis.python.asgi import ASGIClient, get_client
from schemathesis.schemas import BaseSchema

from services.chassis.api.auth import Identity, generate_keys, mint
from services.chassis.clock import system_clock
from services.chassis.settings import DatabaseSettings, TokenSettings
from tests.support.asking import here, loop
from tests.support.generated.thorough import TURN, comes, examples

EXAMPLES = examples(2)
"""How many examples of each operation, besides the fixed ones. They differ each time."""
KEYS = generate_keys()
TOKENS = TokenSettings(public_key=KEYS.public, development=True)
REFUSING = ("400", "401", "403", "404", "405", "406", "409", "415", "422", "428", "429", "5xx")
"""What schemathesis takes for a refusal. A body that is too large is one too."""
MANY = 1_000_000
"""Requests a minute, so that no limit is reached."""
Asked = tuple[ASGIClient, dict[str, str]]


class _Portal:
    """Runs in this thread what schemathesis would hand to a thread with a loop: to and fro took two fifths of each request (measured)."""

    def call(self, function: Callable[..., Any], *given: Any) -> Any:
        async def done() -> Any:
            found = function(*given)
            return await found if isawaitable(found) else found

        return here(done())

    def start_task_soon(self, function: Callable[[], Coroutine[Any, Any, None]]) -> "_Lifespan":
        return _Lifespan(loop().create_task(function()))


class _Lifespan(NamedTuple):
    """The lifespan of an application, which goes on whenever a request runs."""

    task: Task[None]

    def done(self) -> bool:
        return self.task.done()

    def result(self) -> None:
        if not self.done():
            loop().run_until_complete(self.task)
        self.task.result()


_PORTAL = "_get_portal"
assert hasattr(asgi, _PORTAL), "schemathesis has another way to its loop: see _Portal"
setattr(asgi, _PORTAL, _Portal)


def nowhere(schema: str) -> DatabaseSettings:
    """Return the settings of a database that is never used, if only the document is needed."""
    return DatabaseSettings(url="postgresql://nowhere", schema_name=schema)


def schema_of(app: FastAPI, *refused_though_valid: int) -> BaseSchema:
    """Return the document's operations. Name the statuses that may refuse what the document allows, besides 401 and 403."""
    statuses = ["2xx", "401", "403", *map(str, refused_though_valid)]
    config = {
        "checks": {
            "positive_data_acceptance": {"expected-statuses": statuses},
            "negative_data_rejection": {"expected-statuses": [*REFUSING, "413"]},
        },
        # The test decides who calls; invented credentials would be taken for the fault of a request.
        "generation": {"with-security-parameters": False},
    }
    try:
        return from_asgi("/openapi.json", app, config=schemathesis.Config.from_dict(config))
    finally:
        # Else the first test of the process would end what it never began, perhaps within a browser's loop.
        asgi.shutdown_lifespans()


def _headers(caller: Identity | None) -> dict[str, str]:
    token = caller and mint(KEYS.private, caller, timedelta(hours=1), system_clock)
    return {"Authorization": f"Bearer {token}"} if token else {}


@contextmanager
def asking(app: FastAPI, caller: Identity | None) -> Iterator[Asked]:
    """Yield the API, and the headers of one caller."""
    with asking_as(app, [caller]) as (asked,):
        yield asked


class Everybody:
    """The API, asked by each caller in turn: asking the same for all of them tripled the time and found nothing more."""

    def __init__(self, asked: Sequence[Asked]) -> None:
        self._asked, self._cases = asked, Counter[tuple[str, str]]()

    def validate(self, case: Case[Any]) -> None:
        """Check a case. All callers make the first of an operation, since there may be no more; a fifth of the rest comes each day."""
        operation = (case.method, case.path)
        turn = self._cases[operation]
        self._cases[operation] += 1
        everybody = len(self._asked)
        if turn >= everybody and not comes(TURN + turn, of=5):
            return
        for client, headers in self._asked if turn < everybody else [self._asked[turn % everybody]]:
            case.call_and_validate(session=client, headers=headers)


def validate_each(schema: BaseSchema, everybody: Everybody, subtests: pytest.Subtests) -> None:
    """Check each operation by itself. Its requests are made here: with a test for each, they would be made to find the tests."""

    @settings(max_examples=EXAMPLES)
    def validated(case: Case[Any]) -> None:
        everybody.validate(case)

    load_all_checks()
    for found in get_all_tests(schema=schema, test_func=validated, settings=None, given_kwargs=None):
        assert isinstance(found, Ok), found.err()
        operation, test = found.ok()
        run_subtest(operation, {}, test, subtests)


@contextmanager
def asking_as(app: FastAPI, callers: Sequence[Identity | None]) -> Iterator[list[Asked]]:
    """Yield the API, and the headers of each caller."""
    with get_client(cast(Any, app)) as client:
        client.trust_env = False  # else it looks for a proxy in the environment, at each request twice
        yield [(client, _headers(caller)) for caller in callers]

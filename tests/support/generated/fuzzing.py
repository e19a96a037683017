"""Asks every route of an application what nobody would ask: no answer may be our fault, and every one must be guarded."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote, quote_from_bytes

import httpx2
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from services.chassis.api.middleware import GUARDS
from services.chassis.api.query import names_of
from tests.support.asking import InThisThread
from tests.support.generated.thorough import TURN, turns
from tests.unit.test_routes import routes_of

WORDS = (
    quote("\0"),
    "%ED%A0%80",  # half of a pair of UTF-16
    quote_from_bytes(bytes(range(1, 32))),
    str(2**63),
    quote("²"),  # a digit, but no number
    "x" * 9000,
    quote("' OR 1=1 --"),
    quote("../\u202e\U0001f4a9"),
)
BODIES = (
    b"",
    b"\0",
    b"\xff\xfe",
    b"[" * 100_000,
    b"1" * 4000,
    b"event=%00&token=%ED%A0%80&role=%00&lines=%00",
    b'{"id":1e999}',
)
HALF_AN_ADDRESS = ("[", "[::1", "a]b")
MARKUP = 'x"><script>'
NO_NAMES = ("a b", "\u00e9", "x:99999999", "x@y", "x/y?z#", "..")
"""What is no name of a host: each route is asked for one of each kind, in turn."""
KINDS = (
    "application/json",
    "application/cloudevents-batch+json",
    "application/x-ndjson",
    "application/x-www-form-urlencoded",
    "\u00e9",
)


class Asked(NamedTuple):
    method: str
    address: str
    body: bytes | None = None
    kind: str = ""
    host: str = ""


def requests(app: FastAPI) -> Iterator[Asked]:
    """Yield a third of the words in each place of each route, one at a time and in turn; each body as two media types, in turn."""
    asked = [(route, method) for route in routes_of(app) for method in sorted(route.methods or ())]
    for turn, (route, method) in enumerate(asked):
        if route.path != "/v1/stream":  # it would never end
            yield from _of_route(route, method, turn)


def _of_route(route: APIRoute, method: str, turn: int) -> Iterator[Asked]:
    places = re.findall(r"{.*?}", route.path)
    usual = re.sub(r"{.*?}", "x", route.path)
    for more, place in enumerate(places):
        for word in third_of_words(turn + more):
            yield Asked(method, re.sub(r"{.*?}", "x", route.path.replace(place, word)))
    for more, name in enumerate(sorted(names_of(route)), len(places)):
        for word in third_of_words(turn + more):
            yield Asked(method, f"{usual}?{name}={word}")
    for host in (MARKUP, *turns(HALF_AN_ADDRESS, turn), *turns(NO_NAMES, turn)):
        yield Asked(method, usual, host=host)
    if method == "POST":
        for place, body in enumerate(BODIES):
            yield from (Asked(method, usual, body, kind) for kind in turns(KINDS, turn + place, some=2))


def third_of_words(turn: int) -> Sequence[str]:
    return turns(WORDS, TURN + turn, some=-(-len(WORDS) // 3))


def assert_no_fault_of_ours(app: FastAPI, headers: Mapping[str, str], known: Mapping[str, str]) -> None:
    """Ask all of them. `known` are existing names, by place, so that other places of the same route are reached."""
    client = InThisThread(app, raise_server_exceptions=False, follow_redirects=False)
    for asked in requests(app):
        for place, name in known.items():
            asked = asked._replace(address=asked.address.replace(place, name))  # noqa: PLW2901
        _assert_guarded(asked, _answer(client, asked, headers))


def _answer(client: TestClient, asked: Asked, headers: Mapping[str, str]) -> httpx2.Response:
    kind = {b"content-type": asked.kind.encode("latin-1")} if asked.kind else {}
    given = {name.encode(): value.encode() for name, value in headers.items()}
    kind |= {b"host": asked.host.encode("latin-1")} if asked.host else {}
    return client.request(asked.method, asked.address, content=asked.body, headers={**given, **kind})


def _assert_guarded(asked: Asked, answer: httpx2.Response) -> None:
    assert answer.status_code < 500, (
        asked.method,
        asked.address[:200],
        (asked.body or b"")[:50],
        asked.kind,
        answer.text,
    )
    assert "Traceback" not in answer.text
    assert "<script>" not in answer.text, asked
    lacking = {name for name in GUARDS if name not in answer.headers}
    assert not lacking, (asked.address[:200], lacking)

"""A process beside the API answers callers who are not signed in: the answers are the same, and it may end at any time."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError

import psutil
import pytest

from deploy.local.process import free_ports
from services.chassis.api.auth import Identity, Keys, generate_keys, mint
from services.chassis.clock import system_clock
from tests.support.children import child
from tests.support.processes import until

PROGRAM = """
import os, sys, time
from fastapi import APIRouter, Request
from services.chassis import logs
from services.chassis.guarding.forking import Twin
from services.chassis.guarding.aside import Beside, serve_beside, set_aside, unlimited
from services.chassis.api.http import application, serve
from services.chassis.api.policy import MIB, Policy
from services.chassis.metrics import new_registry
from services.chassis.settings import HttpSettings, LogSettings, MetricsSettings, TokenSettings

port, metrics, key, *descriptor = sys.argv[1:]
router = APIRouter()

@router.get("/who/{name}")
def who(request: Request, name: str, number: int = 0):
    return {"process": os.getpid(), "name": name, "number": number, "id": request.headers.get("x-request-id")}

@router.get("/large")
def large():
    return "x" * 5_000_000

@router.get("/wrong")
def wrong():
    raise RuntimeError

@router.get("/end")
def end():
    os._exit(7)

@router.get("/slow")
def slow():
    time.sleep(1)

logs.configure(LogSettings(), "things")
registry, http = new_registry(), HttpSettings(port=int(port), requests_per_minute=500)
policies = {
    "GET /who/{name}": Policy(), "GET /large": Policy(answer=8 * MIB), "GET /wrong": Policy(), "GET /end": Policy(), "GET /slow": Policy()
}
tokens = TokenSettings(public_key=key)
def serve_the_public(descriptor):
    os.nice(19)
    app = application("Things", unlimited(http), registry, [router], policies, tokens=tokens)
    serve_beside(app, descriptor, lambda: True)

if descriptor:
    serve_the_public(int(descriptor[0]))
else:
    command = [sys.executable, *sys.orig_argv[1:3], *sys.argv[1:]]
    beside = Beside(command, Twin(["beside"], serve_the_public))
    app = application(
        "Things", http, registry, [router], policies, tokens=tokens, lifespan=beside.running, beside={"public": beside.check}
    )
    set_aside(app, beside)
    serve(app, http, MetricsSettings(port=int(metrics)), registry)
"""
KEYS: Keys = generate_keys()
BEARER = f"Bearer {mint(KEYS.private, Identity('somebody'), timedelta(hours=1), system_clock)}"


class Answer(NamedTuple):
    """An answer of the service."""

    status: int
    headers: dict[str, str]
    body: bytes


class Server(NamedTuple):
    """A real process, with another beside it."""

    process: subprocess.Popen[bytes]
    port: int
    metrics: int

    def get(self, path: str, **headers: str) -> Answer:
        return self.read(f"http://127.0.0.1:{self.port}{path}", **headers)

    def read(self, address: str, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(address, headers=named)
        try:
            with closing(urllib.request.urlopen(request, timeout=20)) as found:
                return Answer(found.status, dict(found.headers.items()), found.read())
        except HTTPError as fault:
            return Answer(fault.code, dict(fault.headers.items()), fault.read())

    def who(self, **headers: str) -> int:
        """Return the process that answers."""
        found: int = json.loads(self.get("/who/a", **headers).body)["process"]
        return found

    def is_up(self) -> bool:
        with suppress(OSError):
            return bool(json.loads(self.get("/readyz").body) == {"status": "ready"})
        return False


@pytest.fixture
def quiet() -> Iterator[Server]:
    """Yield one to which nobody has come yet."""
    port, metrics = free_ports(2)
    command = [sys.executable, "-c", PROGRAM, str(port), str(metrics), KEYS.public]
    with child(command, stderr=subprocess.DEVNULL) as process:
        found = Server(process, port, metrics)
        try:
            until(lambda: process.poll() is not None or found.is_up(), "it answers")
            yield found
        finally:
            process.kill()


@pytest.fixture
def server(quiet: Server) -> Server:
    until(lambda: quiet.who() == beside(quiet).pid, "both processes answer")
    return quiet


def beside(server: Server) -> psutil.Process:
    [child] = psutil.Process(server.process.pid).children()
    return child


def test_it_begins_once_somebody_needs_it_who_does_not_wait_for_it(quiet: Server) -> None:
    waiting = beside(quiet)
    waiting.send_signal(signal.SIGINT)  # Ctrl-C reaches it too, and is for the other process to heed
    assert quiet.who(Authorization=BEARER) == quiet.process.pid
    assert (waiting.num_threads(), waiting.nice()) == (1, psutil.Process().nice())
    assert quiet.who() == quiet.process.pid
    until(lambda: quiet.who() == waiting.pid, "the public is answered beside")


def test_who_is_not_signed_in_is_answered_by_the_process_beside_at_the_lowest_priority(server: Server) -> None:
    assert server.who() == server.who(Authorization="Bearer forged", Cookie="payback_session=x") == beside(server).pid
    assert server.who(Authorization=BEARER) == server.process.pid
    assert beside(server).nice() == 19
    assert psutil.Process(server.process.pid).nice() == psutil.Process().nice()


def test_answers_are_those_that_the_process_itself_would_give(server: Server) -> None:
    """With its headers, limits, measures and ids."""
    for path in ("/who/caf%C3%A9?number=7", "/who/x?nonsense=1", "/nowhere", "/large", "/wrong", "/who/%2F"):
        public, known = (server.get(path, x_request_id="r-1", **more) for more in ({}, {"Authorization": BEARER}))
        assert public.status == known.status, path
        own = {str(server.process.pid).encode(): b"pid", str(beside(server).pid).encode(): b"pid"}
        bodies = [answer.body for answer in (public, known)]
        for number, word in own.items():
            bodies = [body.replace(number, word) for body in bodies]
        assert bodies[0] == bodies[1], path
        heads = [{k.lower(): v for k, v in answer.headers.items()} for answer in (public, known)]
        for head in heads:
            for differing in ("date", "ratelimit", "ratelimit-policy", "content-length"):
                head.pop(differing, None)
        assert heads[0] == heads[1], path
        assert heads[0]["x-request-id"] == "r-1"
    measured = server.read(f"http://127.0.0.1:{server.metrics}/metrics").body.decode()
    assert 'payback_http_requests_total{method="GET",route="/large",status="200"} 2.0' in measured


def test_when_it_ends_its_callers_are_told_and_another_takes_its_place(server: Server) -> None:
    first = beside(server).pid
    assert server.get("/end").status == 503
    until(server.is_up, "another one is there")
    assert server.who() == beside(server).pid != first
    os.kill(beside(server).pid, signal.SIGKILL)
    assert server.who(Authorization=BEARER) == server.process.pid
    until(lambda: server.get("/slow").status == 200, "the public is served")


@pytest.mark.parametrize("state", ["quiet", "server"])
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_the_process_that_it_works_for(
    how: signal.Signals, state: str, request: pytest.FixtureRequest
) -> None:
    """On a busy machine it has to wait for its turn to end, at the lowest priority."""
    server: Server = request.getfixturevalue(state)
    child = beside(server)
    server.process.send_signal(how)
    server.process.wait(15)
    assert psutil.wait_procs([child], 60)[1] == []


def test_the_service_starts_it_at_the_lowest_priority() -> None:
    """Before it imports anything, since it may be made to start again and again."""
    source = Path("services/reporting/__main__.py").read_text()
    begun = source.index('case ["beside"')
    assert source.index("os.nice(LOWEST)", begun) < source.index("import", begun)

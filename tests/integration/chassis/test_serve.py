"""A real server: it finishes what runs when told to stop, and shows metrics on a port of their own."""

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from threading import Thread

import psutil
import pytest

from services.chassis.api.protocol import CONNECTIONS_EACH
from tests.support.children import child
from tests.support.processes import until

PROGRAM = """
import sys, time
from fastapi import APIRouter, Response
from services.chassis import logs
from services.chassis.api import protocol
from services.chassis.api.http import application, serve
from services.chassis.api.policy import Policy
from services.chassis.guarding import unread
from services.chassis.metrics import new_registry
from services.chassis.settings import HttpSettings, LogSettings, MetricsSettings

protocol.HEAD_SECONDS = 3.0
unread.MOST_BYTES, unread.LOOK_SECONDS = 48 * 2**20, 4.0
router = APIRouter()

@router.get("/slow")
def slow():
    time.sleep(1)
    return "whole"

@router.get("/large")
def large():
    return Response(b"x" * (16 * 2**20))

@router.post("/things")
def things(thing: dict[str, str]):
    return len(thing)

logs.configure(LogSettings(), "things")
registry = new_registry()
settings = HttpSettings(port=int(sys.argv[1]), trusted_proxies=sys.argv[3])
policies = {"GET /slow": Policy(), "GET /large": Policy(answer=16 * 2**20), "POST /things": Policy(body=1000)}
app = application("Things", settings, registry, [router], policies)
serve(app, settings, MetricsSettings(port=int(sys.argv[2])), registry)
"""


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _get(port: int, path: str) -> str:
    with closing(urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10)) as answer:
        return str(answer.read().decode())


def _is_there(port: int) -> bool:
    with suppress(OSError):
        return bool(_get(port, "/healthz"))
    return False


Server = tuple[subprocess.Popen[str], int, int]


@contextmanager
def serving(said: int) -> Iterator[Server]:
    port, metrics = _free_ports(2)
    command = [sys.executable, "-c", PROGRAM, str(port), str(metrics), "192.0.2.1"]
    with child(command, stderr=said, text=True) as process:
        try:
            until(lambda: process.poll() is not None or _is_there(port), "it answers")
            yield process, port, metrics
        finally:
            process.kill()


@pytest.fixture
def server() -> Iterator[Server]:
    """Yield a server that the test may stop, and whose memory nobody has used."""
    with serving(subprocess.PIPE) as made:
        yield made


@pytest.fixture(scope="module")
def lasting() -> Iterator[Server]:
    """Yield the server of all tests that leave it as it was."""
    with serving(subprocess.DEVNULL) as made:
        yield made


def test_what_runs_is_finished_before_it_stops(server: Server) -> None:
    process, port, _ = server
    answers: list[str] = []
    request = Thread(target=lambda: answers.append(_get(port, "/slow")))
    request.start()
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    request.join()
    assert answers == ['"whole"']
    assert process.wait(10) in {0, -signal.SIGTERM}
    assert process.stderr is not None
    assert all(line.startswith('{"time"') for line in process.stderr)


def test_metrics_are_on_a_port_of_their_own(lasting: Server) -> None:
    _, port, metrics = lasting
    _get(port, "/slow")
    counted = 'payback_http_requests_total{method="GET",route="/slow",status="200"} 1.0'
    until(lambda: counted in _get(metrics, "/metrics"), "the answer is counted, which whoever has it may know sooner")
    assert "process_resident_memory_bytes" in _get(metrics, "/metrics")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        _get(port, "/metrics")


HEAD = "POST /things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "head",
    [f"{HEAD}Content-Length: 5000\r\n\r\n", f"{HEAD}Transfer-Encoding: chunked\r\n\r\n7d0\r\n{'x' * 2000}\r\n"],
)
def test_a_body_that_never_ends_is_refused_at_once(lasting: Server, head: str) -> None:
    _, port, _ = lasting
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(head.encode())
        answer = b""
        while part := connection.recv(65536):  # until the server closes
            answer += part
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in answer
    assert b"Content Too Large" in answer


def _say(port: int, sent: bytes, *more: bytes) -> bytes:
    """Return all bytes that the server sends until it closes."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        with suppress(ConnectionError):  # it need not hear the rest
            for part in (sent, *more):
                connection.sendall(part)
        with suppress(ConnectionResetError):
            while part := connection.recv(65536):
                answer += part
    return answer


HOST = b"Host: x\r\n"
CHUNKED = HOST + b"Transfer-Encoding: chunked\r\n"
AMBIGUOUS = {
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /healthz HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    "identity, chunked": b"POST /things HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
    "two encodings": b"POST /things HTTP/1.1\r\n" + CHUNKED + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "length and chunked": b"POST /things HTTP/1.1\r\n" + CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": b"POST /things HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "no request": b"\x16\x03\x01\x02\x00",
}
OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\nUpgrade: h2c\r\n"
THING = b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
OFFERED = {
    "by its length": (THING + OFFER + b"Content-Length: 9\r\n\r\n" + b'{"a":"b"}',),
    "in chunks": (THING + OFFER + b"Transfer-Encoding: chunked\r\n\r\n", b'9\r\n{"a":"b"}\r\n0\r\n\r\n'),
    "a byte at a time": tuple(bytes([byte]) for byte in THING + OFFER + b'Content-Length: 9\r\n\r\n{"a":"b"}'),
    "websocket": (THING + b'Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 9\r\n\r\n{"a":"b"}',),
}
LAST = b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close, Upgrade\r\nUpgrade: h2c\r\n\r\n"
FLOOD = [b"X-A: " + b"a" * 1000 + b"\r\n"] * 20_000
FLOODS = {
    "lines of headers": (b"GET /healthz HTTP/1.1\r\n" + HOST, *FLOOD),
    "one header": (b"GET /healthz HTTP/1.1\r\n" + HOST + b"X-A: ", *[b"a" * 10_000] * 2000),
    "a path": (b"GET /", *[b"a" * 10_000] * 2000),
    "what follows a body": (b"POST /things HTTP/1.1\r\n" + CHUNKED + b"\r\n2\r\n{}\r\n0\r\n", *FLOOD),
    "an extension of a chunk": (b"POST /things HTTP/1.1\r\n" + CHUNKED + b"\r\n2;a=", *[b"a" * 10_000] * 2000),
    "a body that nobody asked for": (
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 100000000\r\n\r\n",
        *[b"a" * 10_000] * 2000,
    ),
}


def test_what_two_readers_could_read_differently_is_refused(lasting: Server) -> None:
    for name, sent in AMBIGUOUS.items():
        answer = _say(lasting[1], sent)
        assert answer.startswith(b"HTTP/1.1 400 "), (name, answer)
        for guard in (b"x-content-type-options: nosniff", b"content-security-policy: default-src 'none'", PROBLEM):
            assert guard in answer, (name, answer)


def test_an_offer_of_another_protocol_is_passed_over(lasting: Server) -> None:
    """As Java's HttpClient makes one in each request without TLS: the body is read, and the connection goes on."""
    for name, sent in OFFERED.items():
        answer = _say(lasting[1], *sent, *sent, LAST)
        assert [part.partition(b"\r\n\r\n")[2] for part in answer.split(b"HTTP/1.1 200 ")[1:]] == [
            *(b"1", b"1", b'"whole"')
        ], (name, answer)


def test_what_offers_another_protocol_may_be_ambiguous_or_too_long(
    lasting: Server,
) -> None:
    twice = THING + OFFER + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"
    assert _say(lasting[1], twice).startswith(b"HTTP/1.1 400 ")
    assert _say(lasting[1], THING + OFFER + b"Content-Length: 5000\r\n\r\n").startswith(b"HTTP/1.1 413 ")
    assert _say(lasting[1], THING + OFFER, *FLOOD)[:13] in {b"", b"HTTP/1.1 431 "}
    assert b"HTTP/1.1 40" in _say(lasting[1], b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")


PROBLEM = b"content-type: application/problem+json"


def test_heads_without_end_take_no_memory(server: Server) -> None:
    process, port, _ = server
    memory = psutil.Process(process.pid).memory_info
    resting = memory().rss
    for name, parts in FLOODS.items():
        answer = _say(port, *parts)
        assert answer == b"" or answer.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 413 ")), (name, answer)
    assert memory().rss < resting + 8 * 2**20, f"{(memory().rss - resting) / 2**20:.0f} MiB more"
    assert _get(port, "/healthz")


def test_requests_that_are_never_finished_hold_nobody_up(lasting: Server) -> None:
    """One address gets so many connections, and a head has its time."""
    _, port, _ = lasting
    with ExitStack() as held:
        half = [held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10)) for _ in range(200)]
        for one in half:
            with suppress(ConnectionError):
                one.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\nX-A: ")
        answers = []
        for one in half:
            with suppress(ConnectionResetError):
                answers.append(one.recv(65536)[9:12])
    assert Counter(answers)[b"408"] == CONNECTIONS_EACH
    assert Counter(answers)[b"429"] > 0
    assert _get(port, "/slow") == '"whole"'


@pytest.mark.parametrize("connection", [b"keep-alive", b"close"])
def test_answers_that_nobody_reads_are_not_kept(server: Server, connection: bytes) -> None:
    """However many callers leave large answers unread, so much is kept, and only for a while; who reads gets the whole."""
    process, port, _ = server
    memory = psutil.Process(process.pid).memory_info
    assert len(_get(port, "/large")) == LARGE
    resting, most = memory().rss, 0
    with ExitStack() as held:
        for _ in range(40):
            one = held.enter_context(closing(socket.socket()))
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.connect(("127.0.0.1", port))
            one.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: " + connection + b"\r\n\r\n")
            time.sleep(0.1)
            most = max(most, memory().rss)
        assert len(_get(port, "/large")) == LARGE
        # What may wait, and what is being made for the three that the public may ask for at once, with a copy of each.
        assert most < resting + 48 * 2**20 + 2 * 3 * LARGE, f"{(most - resting) / 2**20:.0f} MiB more"
        until(lambda: _open_connections(process.pid, port) == 0, "who reads nothing is cut off")


LARGE = 16 * 2**20


def _open_connections(pid: int, port: int) -> int:
    """Return how many connections the server keeps."""
    there = psutil.Process(pid).net_connections("tcp")
    return sum(one.laddr.port == port and one.status != psutil.CONN_LISTEN for one in there)

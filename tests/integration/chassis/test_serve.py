"""A real server: it finishes what runs when told to stop, and shows metrics on a port of their own."""

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from threading import Thread

import pytest

PROGRAM = """
import sys, time
from fastapi import APIRouter
from services.chassis import logs
from services.chassis.api.http import application, serve
from services.chassis.metrics import new_registry
from services.chassis.settings import HttpSettings, LogSettings, MetricsSettings

router = APIRouter()

@router.get("/slow")
def slow():
    time.sleep(1)
    return "whole"

@router.post("/things")
def things(thing: dict[str, str]):
    return len(thing)

logs.configure(LogSettings(), "things")
registry = new_registry()
settings = HttpSettings(port=int(sys.argv[1]), body_limit_bytes=1000)
app = application("Things", settings, registry, [router])
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


@pytest.fixture
def server() -> Iterator[tuple[subprocess.Popen[str], int, int]]:
    port, metrics = _free_ports(2)
    command = [sys.executable, "-c", PROGRAM, str(port), str(metrics)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        for _ in range(200):
            try:
                _get(port, "/healthz")
                break
            except OSError:
                time.sleep(0.05)
        yield process, port, metrics
        process.kill()


def test_what_runs_is_finished_before_it_stops(server: tuple[subprocess.Popen[str], int, int]) -> None:
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


def test_metrics_are_on_a_port_of_their_own(server: tuple[subprocess.Popen[str], int, int]) -> None:
    _, port, metrics = server
    _get(port, "/slow")
    assert 'payback_http_requests_total{method="GET",route="/slow",status="200"} 1.0' in _get(metrics, "/metrics")
    assert "process_resident_memory_bytes" in _get(metrics, "/metrics")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        _get(port, "/metrics")


HEAD = "POST /things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "head",
    [f"{HEAD}Content-Length: 5000\r\n\r\n", f"{HEAD}Transfer-Encoding: chunked\r\n\r\n7d0\r\n{'x' * 2000}\r\n"],
)
def test_a_body_that_never_ends_is_refused_at_once(server: tuple[subprocess.Popen[str], int, int], head: str) -> None:
    _, port, _ = server
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(head.encode())
        answer = b""
        while part := connection.recv(65536):  # until the server closes
            answer += part
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in answer
    assert b"Content Too Large" in answer

"""A server that answers as it is told: badly for a while, then as the platform does. It keeps what it has accepted."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GOOD = "good"


class Platform:
    """The answers of one address. `script` holds what to do with the next requests; after that, all is well."""

    def __init__(self, address: str, script: list[Any]) -> None:
        self.address, self._script, self._lock = address, script, threading.Lock()
        self.kept: list[dict[str, Any]] = []
        """Every event that was accepted, in order, including repeats."""
        self.requests = 0
        self.highest: dict[str, int] = {}
        """The highest sequence number by source, as it answers."""
        self.asked: list[Any] = []
        """The next actions when asked for numbers, before all is well."""

    def next_act(self) -> Any:
        with self._lock:
            self.requests += 1
            return self._script.pop(0) if self._script else GOOD

    def accept(self, events: list[dict[str, Any]]) -> dict[str, Any]:
        """Answer events, and refuse subjects that begin with `bad`."""
        with self._lock:
            refused = [index for index, event in enumerate(events) if event["subject"].startswith("bad")]
            receipts = []
            for index, event in enumerate(events):
                if index not in refused:
                    receipts.append({"id": event["id"], "topic": "t", "partition": 0, "offset": len(self.kept)})
                    self.kept.append(event)
            told = [_refusal(index, events[index]["id"]) for index in refused]
            return {"accepted": len(receipts), "rejected": told, "receipts": receipts}


def _refusal(index: int, event_id: str) -> dict[str, Any]:
    return {
        "index": index,
        "id": event_id,
        "reason": "bad_code",
        "path": "$.data.reason",
        "message": "not a code of the list",
        "remedy": "Use a code.",
    }


@contextmanager
def platform(*script: Any) -> Iterator[Platform]:
    """Run a platform. `script`: a status, (status, Retry-After), "half" an answer, "drop" the connection, "nonsense", or GOOD."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    running = Platform(f"http://127.0.0.1:{server.server_port}", list(script))
    server.platform = running  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        running: Platform = self.server.platform  # type: ignore[attr-defined]
        status = running.asked.pop(0) if running.asked else 200
        told = [{"source": source, "highest": highest} for source, highest in running.highest.items()]
        self._answer(status, json.dumps({"sources": told}).encode() if status == 200 else b"{}")

    def do_POST(self) -> None:
        running: Platform = self.server.platform  # type: ignore[attr-defined]
        events = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        match running.next_act():
            case "drop":
                self.close_connection = True
            case "half":  # kept, but the sender does not learn of it
                body = json.dumps(running.accept(events)).encode()
                self._answer(202, body[: len(body) // 2], length=len(body))
                self.close_connection = True
            case "nonsense":
                self._answer(202, b"<html>Welcome to the hotel's network</html>")
            case "short":  # answers less than was asked
                self._answer(202, b'{"accepted": 0, "rejected": [], "receipts": []}')
            case (status, retry_after):
                self._answer(status, b"{}", retry_after=retry_after)
            case int(status):
                self._answer(status, b'{"title": "no"}')
            case _:
                answer = running.accept(events)
                self._answer(202 if answer["receipts"] else 422, json.dumps(answer).encode())

    def _answer(self, status: int, body: bytes, length: int | None = None, retry_after: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        if retry_after is not None:
            self.send_header("Retry-After", retry_after)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing, since nobody reads it."""

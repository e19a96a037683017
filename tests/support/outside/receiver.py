"""A receiver of webhooks, as an outsider would write it: a web server that verifies messages with a library that others wrote."""

import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from standardwebhooks import Webhook

Answer = Callable[[BaseHTTPRequestHandler], None]


def status(code: int, **headers: str) -> Answer:
    """Return an answer with this status, and nothing more."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in {"content-length": "0", **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()

    return answer


class Receiver:
    """Keeps the messages that it received. Until it has a secret, it accepts everything."""

    def __init__(self, server: ThreadingHTTPServer, scheme: str) -> None:
        self.port = server.server_port
        self.url = f"{scheme}://127.0.0.1:{self.port}/payback?of=us"
        self.secret = ""
        self.answer: Answer = status(204)
        self.messages: list[tuple[str, dict[str, Any]]] = []
        """Id and body of each message, however it was answered."""
        self.headers: list[dict[str, str]] = []

    @property
    def told(self) -> list[dict[str, Any]]:
        """Return the change in each message."""
        return [body["data"] for _, body in self.messages]

    @property
    def ids(self) -> list[str]:
        return [id_ for id_, _ in self.messages]

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["content-length"]))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        if self.secret:
            Webhook(self.secret).verify(body, headers)
        self.headers.append(headers)
        self.messages.append((headers["webhook-id"], json.loads(body)))
        self.answer(handler)


@contextmanager
def receiver(certificate: Path | None = None) -> Iterator[Receiver]:
    """Run a receiver; with TLS if it has a certificate, in a file with its key."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            it.take(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library names it so
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    it = Receiver(server, "https" if certificate else "http")
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield it
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

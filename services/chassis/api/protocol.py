"""Checks the head of a request before any application sees it: its size, its time, and ambiguity."""

from asyncio import TimerHandle, Transport
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from httptools import HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from services.chassis.api.problems import MEDIA_TYPE, Problem
from services.chassis.guarding import unread
from services.chassis.guarding.unread import Unread

HEAD_BYTES = 32 * 1024
"""Most bytes of request line and headers together, of trailers after a body, and of anything else without content."""
HEAD_SECONDS = 10.0
"""How long a head may take to arrive, from its first byte, or from the beginning of the connection."""
LEFT_OVER_BYTES = 256 * 1024
"""Most bytes of a body that still arrive after its request was answered."""
CONNECTIONS_EACH = 128
"""Most connections from one address, unless it is a proxy that speaks for others."""


UPGRADING = frozenset({b"upgrade", b"http2-settings"})
"""Headers, and words of the header `Connection`, with which a client offers to change protocols."""


class _Parser(HttpRequestParser):
    """Returns the bytes that its base leaves unread when a client offers another protocol, since it takes them for that protocol."""

    def __init__(self, protocol: "BoundedProtocol") -> None:
        super().__init__(protocol)
        self.set_dangerous_leniencies(lenient_data_after_close=True)  # like uvicorn
        self._protocol = protocol

    def feed_data(self, data: Any) -> None:
        """Parse more data. Raises as HttpRequestParser does, except for an offer that can be ignored."""
        try:
            super().feed_data(data)
        except HttpParserUpgrade as offer:
            if not self.is_offered_another():
                raise
            self._protocol.pass_over(bytes(data[offer.args[0] :]))

    def is_offered_another(self) -> bool:
        """Return whether the last request offers another protocol. With CONNECT, that is a demand."""
        return self.should_upgrade() and self.get_method() != b"CONNECT"


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 with bounded heads, and bounded answers that wait to be read. Requests that two readers could read differently are refused.

    An offer of another protocol is ignored, as RFC 9110 7.8 allows. Java's HttpClient makes one in every request without TLS.
    """

    parser: _Parser

    def __init__(
        self,
        *given: Any,
        headers: dict[str, str],
        proxies: frozenset[str],
        open_: Counter[str],
        unread_: Unread,
        **named: Any,
    ) -> None:
        super().__init__(*given, **named)
        self._headers, self._proxies, self._open, self._unread = headers, proxies, open_, unread_
        self._reading: TimerHandle | None = None
        self._unseen = self._head = self._left_over = 0
        self._fault = 400, "The request cannot be read"
        self._timer: TimerHandle | None = None
        self._host = ""
        self._again = b""
        self.parser = _Parser(self)

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Accept the connection, unless this address already has the most that it may have."""
        super().connection_made(transport)
        self._host = self.client[0] if self.client else ""
        self._open[self._host] += 1
        if self._open[self._host] > CONNECTIONS_EACH and not {self._host, "*"} & self._proxies:
            self._refuse(429, "Too many connections from one address")
        else:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._open[self._host] -= 1
        if not self._open[self._host]:
            del self._open[self._host]
        self._stop_waiting()
        self._all_is_read()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Begin to see whether the caller reads: more of the answer waits than the system takes."""
        super().pause_writing()
        self._unread.begin(self.transport, self._host)
        self._reading = self.loop.call_later(unread.LOOK_SECONDS, self._look, self._unread_bytes())

    def resume_writing(self) -> None:
        """Go on writing."""
        self._all_is_read()
        super().resume_writing()

    def _look(self, before: int) -> None:
        """Cut off a caller who has read nothing since the last look."""
        if (now := self._unread_bytes()) >= before:
            self.transport.abort()
        else:
            self._reading = self.loop.call_later(unread.LOOK_SECONDS, self._look, now)

    def _unread_bytes(self) -> int:
        return self.transport.get_write_buffer_size()

    def _all_is_read(self) -> None:
        self._unread.end(self.transport)
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def data_received(self, data: bytes) -> None:
        """Read on, unless what arrives makes no progress."""
        if self.transport.is_closing():
            return
        if self._timer is None and not self._is_answering():
            self._wait_for_head()
        self._unseen += len(data)
        super().data_received(data)
        while self._again and not self.transport.is_closing():
            again, self._again = self._again, b""
            super().data_received(again)
        if self._unseen > HEAD_BYTES and not self.transport.is_closing():
            self._refuse(431, "The head of the request is too large")

    def pass_over(self, unread: bytes) -> None:
        """Read the head again without the offer in it, and then the unread bytes."""
        line = b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        self.parser = _Parser(self)
        self._again = b"\r\n".join([line, *without_offer(self.headers), b"", unread])

    def on_message_begin(self) -> None:
        """Begin counting again."""
        self._head = self._left_over = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Count the request line."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count headers, and trailers after a body of chunks."""
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Pass the request on, if it can be read in only one way."""
        if self.parser.is_offered_another():
            return
        self._stop_waiting()
        self._unseen = 0
        if ambiguity := _ambiguity(self.headers, self.parser.get_http_version()):
            self._fault = 400, ambiguity
            raise ValueError(ambiguity)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count content as progress, as long as somebody reads it."""
        self._unseen = 0
        if self.cycle.response_complete:
            self._left_over += len(body)
            if self._left_over > LEFT_OVER_BYTES:
                self.transport.close()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that a request has ended."""
        if self.parser.is_offered_another():
            return
        self._unseen = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        """Refuse a request that cannot be read."""
        self._refuse(*self._fault)

    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > HEAD_BYTES:
            self._fault = 431, "The head of the request is too large"
            raise ValueError(self._fault[1])

    def _wait_for_head(self) -> None:
        self._timer = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _give_up(self) -> None:
        """Answer a client that began a request; close a connection that was only opened without an answer."""
        self._timer = None
        if self._unseen:
            self._refuse(408, "The request did not arrive in time")
        else:
            self.transport.close()

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, status: int, detail: str) -> None:
        """Answer, unless an answer has begun, and close."""
        self._stop_waiting()
        if self.transport.is_closing():
            return
        if not self._is_answering():
            self.transport.write(_written(Problem(status, detail), self._headers))
        self.transport.close()


def without_offer(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[bytes]:
    """Return the lines of a head without the offer of another protocol."""
    for name, value in headers:
        words = [word for word in value.split(b",") if word.strip().lower() not in UPGRADING]
        kept = b",".join(words) if name == b"connection" else value
        if name not in UPGRADING and (kept or name != b"connection"):
            yield b"%b: %b" % (name, kept)


def _ambiguity(headers: list[tuple[bytes, bytes]], version: str) -> str:
    hosts = [value for name, value in headers if name == b"host"]
    encodings = [value.strip().lower() for name, value in headers if name == b"transfer-encoding"]
    lengths = [value for name, value in headers if name == b"content-length"]
    if len(hosts) > 1 or (not hosts and version == "1.1"):
        return "A request must name its host exactly once"
    if encodings not in ([], [b"chunked"]):
        return "A body must be chunked or have a length, and no other encoding"
    if len(lengths) + len(encodings) > 1:
        return "A body must have one length"
    return ""


def _written(problem: Problem, headers: dict[str, str]) -> bytes:
    answer = problem.response()
    lines = [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"content-type: {MEDIA_TYPE}", f"content-length: {len(answer.body)}", "connection: close"]
    head = STATUS_LINE[problem.status_code] + "\r\n".join([*lines, "", ""]).encode("ascii")
    return head + bytes(answer.body)


def bounded(headers: dict[str, str], trusted_proxies: str) -> Any:
    """Return the protocol for one server: with the headers of every answer, and the proxies that speak for others."""
    proxies = frozenset(one.strip() for one in trusted_proxies.split(",") if one.strip())
    return partial(BoundedProtocol, headers=headers, proxies=proxies, open_=Counter(), unread_=Unread())

"""Answers callers who are not signed in by another process, at the lowest priority, so that they delay nobody who is signed in.

Threads of one process share one interpreter, so work for the public would take turns with everybody's requests. Both processes hold one end
of a pair of sockets. A request goes over as one frame, and its answer comes back as one frame for each message of ASGI. The other process
ends when its end closes, and is restarted when it has ended. While it is not there, its work is done here. It begins when the first
of these callers comes, and only waits until then.
"""

import asyncio
import logging
import signal
import socket
import struct
from asyncio import Queue, StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any, NamedTuple

from fastapi import FastAPI
from msgspec import msgpack
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.chassis import logs
from services.chassis.api import middleware, problems
from services.chassis.api.callers import caller_of
from services.chassis.failures import Away, describe
from services.chassis.guarding.forking import Program, Twin
from services.chassis.settings import HttpSettings, TokenSettings
from services.chassis.web.sessions import session_of

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.1
AGAIN_SECONDS = 1.0
"""Time between the end of a process and the start of the next."""
_LENGTH = struct.Struct("!I")
_ASKED = ("method", "path", "raw_path", "query_string", "scheme", "http_version", "server", "client")
_NOT_ASKED = {b"cookie", b"x-request-id"}
_HERE = ("/sign-in", "/sign-out", "/sessions", "/v1/session", "/v1/stream", "/static/", "/healthz", "/readyz")
"""Addresses that are cheap, stay open for long, or are about signing in."""
_BROKEN, _DONE = "broken", "done"


class _Route(NamedTuple):
    """The part of the route that others read once it has answered."""

    path: str


class Ended(Exception):
    """The process beside ended before its answer did."""

    def __init__(self, *, answered: bool) -> None:
        super().__init__()
        self.answered = answered
        """Whether part of the answer is out."""


class Beside:
    """The other process: first `twin`, if there is one, which shares this one's memory, and from then on `command`."""

    def __init__(self, command: Sequence[str], twin: Twin | None = None) -> None:
        self._command, self._twin = command, twin
        self._writer: StreamWriter | None = None
        self._waiting: dict[int, Queue[Message]] = {}
        self._numbers = count()
        self._needed = asyncio.Event()

    def is_up(self) -> bool:
        """Return whether it can be asked."""
        return self._writer is not None

    def need(self) -> bool:
        """Have it begin, if it has not. Returns whether it can be asked by now."""
        self._needed.set()
        return self.is_up()

    def check(self) -> None:
        """Raise Away while somebody needs it and it cannot be asked."""
        if self._needed.is_set() and not self.is_up():
            raise Away("the process for callers who are not signed in has not started")

    @asynccontextmanager
    async def running(self, *_: object) -> AsyncIterator[None]:
        """Keep a process running during the block."""
        keeping = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping

    async def answer(self, scope: Scope, send: Send) -> None:
        """Let it answer the request, which has no body. Raises Ended if it ends meanwhile."""
        number, messages, answered = next(self._numbers), Queue[Message](), False
        self._waiting[number] = messages
        try:
            await self._ask(number, _asked(scope))
            while (message := await messages.get())["type"] != _DONE:
                if message["type"] == _BROKEN:
                    raise Ended(answered=answered)
                if "route" in message:
                    scope["route"] = _Route(message.pop("route"))
                answered = True
                await send(message)
        finally:
            del self._waiting[number]

    async def _ask(self, number: int, asked: Mapping[str, Any]) -> None:
        try:
            if self._writer is None:
                raise Ended(answered=False)
            await _write(self._writer, number, asked)
        except ConnectionError:
            raise Ended(answered=False) from None

    async def _keep(self) -> None:
        await self._needed.wait()
        while True:
            try:
                status = await self._run()
                log.warning("the process for callers who are not signed in ended with status %s", status)
            except OSError:
                log.exception("there is no process for callers who are not signed in")
            await asyncio.sleep(AGAIN_SECONDS)

    async def _run(self) -> int:
        """Run a process until it ends. Returns its exit status."""
        twin, self._twin = self._twin, None
        process = twin or Program(self._command)
        process.begin()
        reader, writer = await asyncio.open_connection(sock=process.ours)
        try:
            await self._listen(reader, writer)
        finally:
            writer.close()
            process.kill()
            status = process.wait()
        return status

    async def _listen(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Pass answers on until the process ends. Its first frame says that it can be asked."""
        try:
            async for number, message in _frames(reader):
                self._writer = writer
                if number in self._waiting:
                    self._waiting[number].put_nowait(message)
        finally:
            self._writer = None
            for messages in self._waiting.values():
                messages.put_nowait({"type": _BROKEN})


def _asked(scope: Scope) -> dict[str, Any]:
    """Return the request with the id that it has here, and without a cookie, since nobody is signed in."""
    headers = [pair for pair in scope["headers"] if pair[0] not in _NOT_ASKED]
    headers.append((b"x-request-id", (logs.request_id.get() or "").encode()))
    return {name: scope.get(name) for name in _ASKED} | {"headers": headers}


def set_aside(app: FastAPI, beside: Beside) -> None:
    """Let the other process answer callers who are not signed in, within everything that the application does for every request."""
    app.user_middleware.append(Middleware(Aside, beside=beside, tokens=app.state.tokens))


class Aside:
    """Passes requests of callers who are not signed in to the other process."""

    def __init__(self, app: ASGIApp, beside: Beside, tokens: TokenSettings | None) -> None:
        self._app, self._beside, self._tokens = app, beside, tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if not self._is_for_the_public(scope) or not self._beside.need():
            await self._app(scope, receive, send)
            return
        try:
            await self._beside.answer(scope, send)
        except Ended as ended:
            if ended.answered:
                raise  # half an answer is out
            log.warning("answered 503", extra={"reason": describe(ended)})
            await problems.away().response()(scope, receive, send)

    def _is_for_the_public(self, scope: Scope) -> bool:
        return (
            scope["type"] == "http"
            and scope["method"] == "GET"
            and not scope["path"].startswith(_HERE)
            and not caller_of(scope, self._tokens).is_known
            and not _has_session(scope)
        )


def _has_session(scope: Scope) -> bool:
    """Return whether somebody is signed in, or may be."""
    try:
        return session_of(scope) is not None
    except Away:
        return True


def unlimited(settings: HttpSettings) -> HttpSettings:
    """Return settings of the other process without limits for each caller: they were counted here."""
    none = {"requests_per_minute": 0, "public_seconds": 0.0, "public_at_once": settings.public_at_once + 1}
    return settings.model_copy(update=none)


def serve_beside(app: ASGIApp, descriptor: int, is_prepared: Callable[[], bool]) -> None:
    """Answer what comes over the socket, until its other end closes. Nothing is asked before it says that it is prepared."""
    # Ctrl-C reaches all that run in a terminal; the other end says when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.getLogger(middleware.__name__).setLevel(logging.WARNING)  # the first process logs each answer
    with suppress(ConnectionError):
        asyncio.run(_answering(app, descriptor, is_prepared))


async def _answering(app: ASGIApp, descriptor: int, is_prepared: Callable[[], bool]) -> None:
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=descriptor))
    running = {asyncio.create_task(_say_when_prepared(writer, is_prepared))}
    async for number, asked in _frames(reader):
        task = asyncio.create_task(_answer(app, writer, number, asked))
        running.add(task)
        task.add_done_callback(running.discard)


async def _say_when_prepared(writer: StreamWriter, is_prepared: Callable[[], bool]) -> None:
    while not is_prepared():  # noqa: ASYNC110 - by a thread
        await asyncio.sleep(LOOK_SECONDS)
    await _write(writer, -1, {"type": _DONE})


async def _answer(app: ASGIApp, writer: StreamWriter, number: int, asked: Mapping[str, Any]) -> None:
    scope: Scope = {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "root_path": "", **_typed(asked)}
    whole, last = asyncio.Event(), _DONE

    async def receive() -> Message:
        if whole.is_set():
            await asyncio.Event().wait()  # nobody says whether the caller disconnected
        whole.set()
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            route = getattr(scope.get("route"), "path", "")
            message = {**message, "route": route, "headers": [list(pair) for pair in message["headers"]]}
        await _write(writer, number, message)

    try:
        await app(scope, receive, send)
    except ConnectionError:
        return
    except Exception:
        log.exception("half an answer was given")
        last = _BROKEN
    await _write(writer, number, {"type": last})


def _typed(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request with the types of ASGI, of which a frame has fewer."""
    pairs = {name: tuple(asked[name]) if asked[name] else None for name in ("server", "client")}
    return {**asked, **pairs, "headers": [tuple(pair) for pair in asked["headers"]]}


async def _write(writer: StreamWriter, number: int, content: Mapping[str, Any]) -> None:
    frame = msgpack.encode((number, content))
    writer.write(_LENGTH.pack(len(frame)) + frame)
    await writer.drain()


async def _frames(reader: StreamReader) -> AsyncIterator[tuple[int, Any]]:
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
            yield tuple(msgpack.decode(await reader.readexactly(length)))

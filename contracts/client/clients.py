"""The clients: one blocks, one is asynchronous; both carry out what `delivery` decides."""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from functools import cache
from ssl import SSLContext
from threading import Event, Lock

import httpx

from contracts.client.delivery import (
    COUNTED_BY,
    MEDIA,
    Ask,
    Delivery,
    Missing,
    Pace,
    Post,
    Reply,
    Settle,
    Sign,
    Step,
    Take,
    TakeUp,
    Wait,
    deliver,
    take_up,
    unsigned,
)
from contracts.client.source import Message
from contracts.client.spool import Result, Spool
from contracts.events import Topic

Token = Callable[[], str]
"""Gives the token each time that one is needed, so that it may be renewed."""
Heard = Callable[[list[Result]], object]
Asking = Take | Post | Settle | Missing | Ask | TakeUp

TIMEOUT = httpx.Timeout(60.0, connect=10.0)
FIRST_PAUSE = 0.5
PATIENCE = 600.0

log = logging.getLogger(__name__)


class _Platform:
    """The destination of events, and the way there."""

    def __init__(
        self, addresses: Mapping[Topic, str], token: Token, patience: float | None, first_pause: float
    ) -> None:
        for address in addresses.values():
            if not address.startswith(("http://", "https://")):
                raise ValueError(f"{address} is not an address of the platform: it must begin with https:// or http://")
        self._addresses, self._token, self._patience, self._first = addresses, token, patience, first_pause

    def delivery(self, kind: Topic, sign: Sign) -> Delivery:
        return deliver(kind, self._pace(), sign)

    def taking_up(self) -> Delivery:
        return take_up(self._pace())

    def request(self, step: Post | Ask) -> httpx.Request:
        headers = {"Authorization": f"Bearer {self._token()}"}
        if isinstance(step, Ask):
            return httpx.Request("GET", self._address(COUNTED_BY, "sequence"), headers=headers)
        headers["Content-Type"] = MEDIA
        return httpx.Request("POST", self._address(step.kind, "events"), content=step.body, headers=headers)

    def _address(self, kind: Topic, path: str) -> str:
        return f"{self._addresses[kind].rstrip('/')}/v1/{path}"

    def _pace(self) -> Pace:
        return Pace(random.random, self._patience, self._first)


@cache
def _tls() -> SSLContext:
    """Return the TLS context. It is made once, since making it takes longer than a request."""
    return httpx.create_ssl_context()


def _log(wait: Wait) -> None:
    log.warning("%s; nothing is lost, the next try is in %.1f seconds", wait.why, wait.seconds)


def _reply(response: httpx.Response) -> Reply:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status_code, headers, response.content)


class Client:
    """Sends the events of a spool, blocking while it waits.

    `addresses` are those of the two services, by kind of event. `patience` is how many seconds in a row to wait, in all,
    before giving up for now; None is for ever. Each wait is logged. `first_pause` is the
    first wait after a failure, in seconds. `sign` signs each event when it is sent, as `contracts.receipts.signed.Signer` does.
    """

    def __init__(
        self,
        spool: Spool,
        addresses: Mapping[Topic, str],
        token: Token,
        *,
        patience: float | None = PATIENCE,
        first_pause: float = FIRST_PAUSE,
        sign: Sign = unsigned,
    ) -> None:
        self._spool, self._sign, self._platform = spool, sign, _Platform(addresses, token, patience, first_pause)
        self._one_at_a_time = Lock()

    def put(self, *messages: Message) -> list[int]:
        """Add messages to the spool, and return their places. They are safe when this returns. Raises SpoolFull."""
        return self._spool.add(*messages)

    def send(self, heard: Heard = lambda _: None) -> bool:
        """Send until nothing waits (True) or patience is at an end (False). Raises NotSent, SpoolBusy or SpoolFull.

        `heard` is called with results as they arrive; they also stay in the spool until they are forgotten.
        """
        stop = Event()
        with (
            self._spool.sending(),
            httpx.Client(timeout=TIMEOUT, verify=_tls()) as http,
            ThreadPoolExecutor(len(Topic)) as pool,
        ):
            while self._drive(self._platform.taking_up(), http, heard, stop):
                runs = [
                    pool.submit(self._drive, self._platform.delivery(kind, self._sign), http, heard, stop)
                    for kind in Topic
                ]
                try:
                    wait(runs, return_when=FIRST_EXCEPTION)
                finally:
                    stop.set()
                done = [run.result() for run in runs]
                if not all(done) or not self._spool.not_taken_up():
                    return all(done)
                stop.clear()
            return False

    def _drive(self, delivery: Delivery, http: httpx.Client, heard: Heard, stop: Event) -> bool:
        given: object = None
        while True:
            try:
                step = delivery.send(given)
            except StopIteration as end:
                return bool(end.value)
            if isinstance(step, Wait):
                _log(step)
                if stop.wait(step.seconds):
                    return False
                given = None
            else:
                given = self._carry_out(step, http, heard)

    def _carry_out(self, step: Asking, http: httpx.Client, heard: Heard) -> object:
        match step:
            case Take():
                return self._spool.take(*step)
            case Settle(results):
                self._spool.settle(results)
                with self._one_at_a_time:
                    return heard(results)
            case Missing():
                return self._spool.not_taken_up()
            case TakeUp():
                self._spool.take_up(*step)
                return None
            case Post() | Ask():
                try:
                    return _reply(http.send(self._platform.request(step)))
                except httpx.RequestError:
                    return None


class AsyncClient:
    """Sends the events of a spool from programs that must not block: other threads use the disk."""

    def __init__(
        self,
        spool: Spool,
        addresses: Mapping[Topic, str],
        token: Token,
        *,
        patience: float | None = PATIENCE,
        first_pause: float = FIRST_PAUSE,
        sign: Sign = unsigned,
    ) -> None:
        self._spool, self._sign, self._platform = spool, sign, _Platform(addresses, token, patience, first_pause)

    async def put(self, *messages: Message) -> list[int]:
        """Add messages to the spool, and return their places. They are safe when this returns. Raises SpoolFull."""
        return await asyncio.to_thread(self._spool.add, *messages)

    async def send(self, heard: Heard = lambda _: None) -> bool:
        """Send until nothing waits (True) or patience is at an end (False). Raises NotSent, SpoolBusy or SpoolFull."""
        with self._spool.sending():
            async with httpx.AsyncClient(timeout=TIMEOUT, verify=_tls()) as http:
                while await self._drive(self._platform.taking_up(), http, heard):
                    done = await self._deliver(http, heard)
                    if not done or not await asyncio.to_thread(self._spool.not_taken_up):
                        return done
                return False

    async def _deliver(self, http: httpx.AsyncClient, heard: Heard) -> bool:
        runs = [
            asyncio.create_task(self._drive(self._platform.delivery(kind, self._sign), http, heard)) for kind in Topic
        ]
        try:
            return all(await asyncio.gather(*runs))
        finally:
            for run in runs:
                run.cancel()

    async def _drive(self, delivery: Delivery, http: httpx.AsyncClient, heard: Heard) -> bool:
        given: object = None
        while True:
            try:
                step = delivery.send(given)
            except StopIteration as end:
                return bool(end.value)
            given = await self._carry_out(step, http, heard)

    async def _carry_out(self, step: Step, http: httpx.AsyncClient, heard: Heard) -> object:
        match step:
            case Take():
                return await asyncio.to_thread(self._spool.take, *step)
            case Settle(results):
                await asyncio.to_thread(self._spool.settle, results)
                return heard(results)
            case Wait(seconds):
                _log(step)
                await asyncio.sleep(seconds)
                return None
            case Missing():
                return await asyncio.to_thread(self._spool.not_taken_up)
            case TakeUp():
                return await asyncio.to_thread(self._spool.take_up, *step)
            case Post() | Ask():
                try:
                    return _reply(await http.send(self._platform.request(step)))
                except httpx.RequestError:
                    return None

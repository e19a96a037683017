"""How many requests run at once: so many of the public together, so that who is signed in finds room, and so many of each caller."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.chassis.api.callers import Caller, caller_of
from services.chassis.api.policy import Policies, policy_of
from services.chassis.api.problems import RETRY_AFTER_SECONDS, Problem
from services.chassis.settings import HttpSettings, TokenSettings

UNBOUNDED = {"/healthz", "/readyz"}
IN_LINE_EACH = 20
"""Requests of one caller that may wait for a turn."""
WAIT_SECONDS = 10.0
"""How long a request waits for a turn."""
READ_SECONDS = 30.0
"""After which a caller who takes nothing of the answer is let go."""


class Turns:
    """Who is not signed in shares a few turns, so that connections and threads are left for who is. Beyond, requests wait in line."""

    def __init__(self, app: ASGIApp, settings: HttpSettings, tokens: TokenSettings | None, policies: Policies) -> None:
        self._app, self._tokens, self._policies = app, tokens, policies
        self._each, self._each_public = settings.caller_at_once, max(1, settings.public_at_once - 1)
        self._public = asyncio.Semaphore(settings.public_at_once)
        self._callers: dict[Caller, asyncio.Semaphore] = {}
        self._present: Counter[Caller] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"] in UNBOUNDED:
            await self._app(scope, receive, send)
            return
        try:
            async with AsyncExitStack() as turn:
                await turn.enter_async_context(self._turn(caller_of(scope, self._tokens)))
                await self._app(scope, receive, self._sending(scope, send, turn))
        except _NoTurn:
            wait = {"Retry-After": str(RETRY_AFTER_SECONDS)}
            await Problem(503, "Too many ask at once: come again", headers=wait).response()(scope, receive, send)

    @asynccontextmanager
    async def _turn(self, caller: Caller) -> AsyncIterator[None]:
        """Wait for a turn of the caller's own, then for one of all. Raises _NoTurn."""
        each = self._each if caller.is_known else self._each_public
        if self._present[caller] >= each + IN_LINE_EACH:
            raise _NoTurn
        own = self._callers.setdefault(caller, asyncio.Semaphore(each))
        self._present[caller] += 1
        try:
            async with AsyncExitStack() as turns:
                for one in [own] if caller.is_known else [own, self._public]:
                    await _within(WAIT_SECONDS, one)
                    turns.callback(one.release)
                yield
        finally:
            self._present[caller] -= 1
            if not self._present[caller]:
                del self._present[caller], self._callers[caller]

    def _sending(self, scope: Scope, send: Send, turn: AsyncExitStack) -> Send:
        """Who only listens gives the turn back as the answer begins; who does not read loses the connection."""

        async def sending(message: Message) -> None:
            listens = policy_of(self._policies, scope).listens
            if listens and message["type"] == "http.response.start":
                await turn.aclose()
            async with asyncio.timeout(None if listens else READ_SECONDS):
                await send(message)

        return sending


class _NoTurn(Exception):
    """Too many wait before this request."""


async def _within(seconds: float, turn: asyncio.Semaphore) -> None:
    try:
        async with asyncio.timeout(seconds):
            await turn.acquire()
    except TimeoutError:
        raise _NoTurn from None


class Places:
    """For those who stay: so many in all, of which the public has a half, and so many of each caller."""

    def __init__(self, most: int, each: int) -> None:
        self._most, self._each = most, each
        self._taken: Counter[Caller] = Counter()

    @asynccontextmanager
    async def take(self, caller: Caller) -> AsyncIterator[None]:
        """Hold a place meanwhile. Raises Problem 429, 503: ask `free` first where an answer has begun."""
        self.free(caller)
        self._taken[caller] += 1
        try:
            yield
        finally:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]

    def free(self, caller: Caller) -> None:
        """Raises Problem 429 where this caller has all places of one, and 503 where all places are taken."""
        wait = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        if self._taken[caller] >= self._each:
            raise Problem(429, f"One caller may listen {self._each} times at once", headers=wait)
        public = sum(taken for each, taken in self._taken.items() if not each.is_known)
        if self._taken.total() >= self._most or (not caller.is_known and public >= max(1, self._most // 2)):
            raise Problem(503, "Nobody else can listen for now", headers=wait)

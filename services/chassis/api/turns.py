"""Limits how many requests run at once: those of the public together, so that signed-in callers find room, and those of each caller.

Those who are signed in share turns fairly, by authority, so that however much some ask, the others are answered.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from contextvars import ContextVar
from math import ceil, inf
from time import perf_counter
from typing import TypeVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.chassis.api.callers import Caller, caller_of, hold_back
from services.chassis.api.policy import Policies, policy_of
from services.chassis.api.problems import RETRY_AFTER_SECONDS, Problem
from services.chassis.guarding.budgets import Budgets, Spent
from services.chassis.guarding.fairness import Fair, Turn, Worker
from services.chassis.settings import HttpSettings, TokenSettings

T = TypeVar("T")

UNBOUNDED = {"/healthz", "/readyz"}
IN_LINE_EACH = 20
"""Requests of one caller that may wait for a turn."""
PACE_SECONDS = 0.05
"""For which a caller who is not signed in, and asks for more than may run at once, holds each turn at least."""
WAIT_SECONDS = 10.0
"""How long a request waits for a turn."""
READ_SECONDS = 30.0
"""A caller who reads nothing of the answer for this long is disconnected."""


_turn: ContextVar[Turn | None] = ContextVar("turn", default=None)


@asynccontextmanager
async def resting() -> AsyncIterator[None]:
    """Let others work during the block, in which the present request only waits for somebody else."""
    turn = _turn.get()
    async with turn.rest() if turn else nullcontext():
        yield


def _end() -> None:
    if (turn := _turn.get()) is not None:
        turn.end()


class Turns:
    """Callers who are not signed in share a few turns, so that connections and threads are left for the others; those who are share others.
    Further requests wait in line.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: HttpSettings,
        tokens: TokenSettings | None,
        policies: Policies,
        budgets: Budgets,
    ) -> None:
        self._app, self._tokens, self._policies, self._budgets = app, tokens, policies, budgets
        self._seconds = {True: settings.caller_seconds or inf, False: settings.public_seconds or inf}
        self._each, self._each_public = settings.caller_at_once, max(1, settings.public_at_once - 1)
        self._public, self._beside = (asyncio.Semaphore(settings.public_at_once) for _ in range(2))
        self._known = Fair(settings.signed_in_at_once)
        self._apart = {name for name, policy in policies.items() if policy.apart}
        self._callers: dict[Caller, asyncio.Semaphore] = {}
        self._present: Counter[Caller] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"] in UNBOUNDED:
            await self._app(scope, receive, send)
            return
        caller = caller_of(scope, self._tokens)
        try:
            self._check_budget(caller)
            async with AsyncExitStack() as turn:
                await turn.enter_async_context(self._turn(caller, apart=_name(scope) in self._apart))
                turn.enter_context(self._timed(caller))
                await self._app(scope, _receiving(receive), self._sending(scope, send, turn))
        except _Spent as spent:
            await hold_back(caller)
            await spent.problem.response()(scope, receive, send)
        except _NoTurn:
            await hold_back(caller)
            wait = {"Retry-After": str(RETRY_AFTER_SECONDS)}
            await Problem(503, "Too many requests at once: try again later", headers=wait).response()(
                scope, receive, send
            )

    def _check_budget(self, caller: Caller) -> None:
        """Raise _Spent if the caller's requests have used all the working time that one caller has in a minute."""
        most = self._seconds[caller.is_known]
        if self._budgets.spent(caller.key).seconds >= most:
            raise _Spent(most, self._budgets.seconds_left())

    @contextmanager
    def _timed(self, caller: Caller) -> Iterator[None]:
        begun = perf_counter()
        try:
            yield
        finally:
            self._budgets.take(caller.key, Spent(seconds=perf_counter() - begun))

    @asynccontextmanager
    async def _turn(self, caller: Caller, *, apart: bool) -> AsyncIterator[None]:
        """Wait for a turn of the caller's own, then for one of all. Raises _NoTurn."""
        each = self._each if caller.is_known else self._each_public
        of_all = self._public
        if apart and not caller.is_known:
            caller, of_all = caller._replace(name=f"{caller.name} apart"), self._beside
        if self._present[caller] >= each + IN_LINE_EACH:
            raise _NoTurn
        own = self._callers.setdefault(caller, asyncio.Semaphore(each))
        self._present[caller] += 1
        try:
            async with AsyncExitStack() as turns:
                await _within(WAIT_SECONDS, own.acquire())
                turns.callback(own.release)
                if caller.is_known:
                    of_known = self._known.turn(Worker(caller.group, caller.name))
                    _turn.set(await _within(WAIT_SECONDS, turns.enter_async_context(of_known)))
                else:
                    turns.push_async_callback(self._pace, caller, each, perf_counter())
                    await _within(WAIT_SECONDS, of_all.acquire())
                    turns.callback(of_all.release)
                yield
        finally:
            self._present[caller] -= 1
            if not self._present[caller]:
                del self._present[caller], self._callers[caller]

    async def _pace(self, caller: Caller, each: int, begun: float) -> None:
        """Keep the turn of a caller who has more in line for a moment: handing over what was answered before is work too."""
        if self._present[caller] > each:
            await asyncio.sleep(max(0.0, PACE_SECONDS - (perf_counter() - begun)))

    def _sending(self, scope: Scope, send: Send, turn: AsyncExitStack) -> Send:
        """Return `send` such that a listener gives its turn back when the answer begins, and a caller who does not read is disconnected."""

        async def sending(message: Message) -> None:
            listens = policy_of(self._policies, scope).listens
            if listens and message["type"] == "http.response.start":
                await turn.aclose()
            if message["type"] == "http.response.body" and not message.get("more_body"):
                _end()  # what is left is for the caller to do
            async with resting(), asyncio.timeout(None if listens else READ_SECONDS):
                await send(message)

        return sending


def _receiving(receive: Receive) -> Receive:
    """Return `receive` such that others work while the body is on its way."""
    is_whole = False

    async def receiving() -> Message:
        nonlocal is_whole
        async with nullcontext() if is_whole else resting():
            message = await receive()
        is_whole = not message.get("more_body")
        return message

    return receiving


def _name(scope: Scope) -> str:
    """Return the request as tables name routes; right for those without parameters in their path."""
    return f"{scope['method']} {scope['path']}"


class _Spent(Exception):
    """The caller's requests have used all the working time that one caller has in a minute."""

    def __init__(self, most: float, wait: float) -> None:
        super().__init__()
        said = f"More than {most:.0f} seconds of work in a minute: ask for less at once, or try again later"
        self.problem = Problem(429, said, headers={"Retry-After": str(ceil(wait))})


class _NoTurn(Exception):
    """Too many requests wait before this one."""


async def _within(seconds: float, turn: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await turn
    except TimeoutError:
        raise _NoTurn from None


class Places:
    """Places for listeners: a total, of which the public has half, and a number for each caller."""

    def __init__(self, most: int, each: int) -> None:
        self._most, self._each = most, each
        self._taken: Counter[Caller] = Counter()

    @asynccontextmanager
    async def take(self, caller: Caller) -> AsyncIterator[None]:
        """Hold a place during the block. Raises Problem 429, 503: ask `free` before an answer begins."""
        self.free(caller)
        self._taken[caller] += 1
        try:
            yield
        finally:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]

    def free(self, caller: Caller) -> None:
        """Raise Problem 429 if this caller has all places of one caller, and 503 if all places are taken."""
        wait = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        if self._taken[caller] >= self._each:
            raise Problem(429, f"One caller may have {self._each} listeners at once", headers=wait)
        public = sum(taken for each, taken in self._taken.items() if not each.is_known)
        if self._taken.total() >= self._most or (not caller.is_known and public >= max(1, self._most // 2)):
            raise Problem(503, "No more listeners are possible at present", headers=wait)

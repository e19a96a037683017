"""Sends the feed to an authority's receivers: each at its own pace, at least once, in the order of the feed.

A sender takes a receiver for a while, sends it what is due, records how far it got, and gives it back. If a receiver was not given back,
the next sender sends the same messages with the same ids. Nothing waits for a receiver but its own messages.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from random import SystemRandom
from time import monotonic
from typing import TypeVar

import httpx
from sqlalchemy import Connection, Engine

from services.chassis.clock import Clock, system_clock
from services.chassis.database import transaction
from services.chassis.failures import Away, describe
from services.records.webhooks import subscriptions
from services.records.webhooks.delivering import NotSent, Postman
from services.records.webhooks.feed import Feed, Place, Told, generation_of
from services.records.webhooks.message import message_of
from services.records.webhooks.metrics import WebhookMetrics
from services.records.webhooks.recording import record_look, record_stop
from services.records.webhooks.retrying import Fault, Retries, failed, taken
from services.records.webhooks.signing import Safe, headers
from services.records.webhooks.subscriptions import Subscription

T = TypeVar("T")
_random = SystemRandom()
log = logging.getLogger(__name__)

PIECE = 50
"""How many changes are sent before progress is recorded. A receiver that fails is tried with a single one."""
LONGEST_ROUND = 20.0
"""Seconds after which no further message of a round begins."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the sender looks for messages, and how patient it is."""

    poll_seconds: float
    lease: timedelta
    """How long a receiver is taken for; longer than a round can take."""
    retries: Retries


@dataclass(frozen=True, slots=True)
class Round:
    """The messages for one receiver, and the secrets that sign them."""

    to: Subscription
    piece: Sequence[Told]
    secrets: Sequence[str]


@dataclass(frozen=True, slots=True)
class Tools:
    """The parts with which a sender works."""

    database: Engine
    threads: Executor
    """Threads for the database."""
    postman: Postman
    safe: Safe
    metrics: WebhookMetrics
    clock: Clock = system_clock


class Sender:
    """The sender of one service. Several may run: they share the receivers among them."""

    def __init__(self, service: str, feed: Feed, tools: Tools, pace: Pace) -> None:
        self._service, self._feed, self._tools, self._pace = service, feed, tools, pace
        self._serving: set[str] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Send until told to stop. A round that has begun ends after the message that is being sent."""
        async with asyncio.TaskGroup() as group:
            while not stop.is_set():
                for webhook in await self.due():
                    group.create_task(self.serve(webhook, stop))
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self._pace.poll_seconds)

    async def due(self) -> list[str]:
        """Return the receivers that may be sent something now; none while the database is away."""
        try:
            found = await self._in_thread(lambda connection: subscriptions.waiting(connection, self._tools.clock()))
        except Away as fault:
            log.warning("cannot look what is to be sent: %s", fault)
            return []
        self._tools.metrics.looked(found, self._tools.clock())
        return [one.webhook for one in found if one.due and one.webhook not in self._serving]

    async def serve(self, webhook: str, stop: asyncio.Event) -> None:
        """Do one round. If anything goes wrong, it concerns only this receiver, and is tried again when its lease ends."""
        self._serving.add(webhook)
        try:
            begun = await self._in_thread(lambda connection: self._begin(connection, webhook))
            if begun is not None:
                ended = await self._send(begun, stop)
                await self._in_thread(lambda connection: self._end(connection, ended))
        except Exception as fault:  # noqa: BLE001 - the others go on
            log.error("a round to %s was broken off: %s", webhook, describe(fault))  # noqa: TRY400
        finally:
            self._serving.remove(webhook)

    async def _in_thread(self, work: Callable[[Connection], T]) -> T:
        def do() -> T:
            with transaction(self._tools.database) as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._tools.threads, do)

    def _begin(self, connection: Connection, webhook: str) -> Round | None:
        """Take the receiver, and record in the audit which orders it is about to be shown."""
        now = self._tools.clock()
        to = subscriptions.take(connection, webhook, now, now + self._pace.lease)
        if to is None:
            return None
        place = to.place.in_generation(generation_of(connection, to.authority))
        secrets = [secret for sealed in to.sealed(now) if (secret := self._tools.safe.open(sealed))]
        piece = self._feed.piece(connection, to.authority, place, 1 if to.course.attempts else PIECE)
        if secrets:
            record_look(connection, to, list(dict.fromkeys(told.subject for told in piece if told.subject)), now)
        return Round(replace(to, place=place), piece, secrets)

    async def _send(self, begun: Round, stop: asyncio.Event) -> Subscription:
        """Send the messages, and return the state of the receiver afterwards."""
        to, ends = begun.to, monotonic() + LONGEST_ROUND
        if not begun.secrets:
            return self._failed(to, Fault.SECRET)
        async with self._tools.postman.rounds() as client:
            for told in begun.piece:
                if stop.is_set() or monotonic() > ends or not await self._is_ours(to):
                    break
                to = await self._send_one(client, replace(begun, to=to), told)
                if to.course.fault:
                    break
        return to

    async def _is_ours(self, to: Subscription) -> bool:
        return await self._in_thread(lambda connection: subscriptions.is_ours(connection, to))

    async def _send_one(self, client: httpx.AsyncClient, begun: Round, told: Told) -> Subscription:
        to, now = begun.to, self._tools.clock()
        message = message_of(self._service, to.authority, told)
        try:
            signed = headers(message, begun.secrets, now)
            await self._tools.postman.send(client, to.authority, to.url, signed, message.body)
        except NotSent as reason:
            return self._failed(to, reason.fault)
        self._tools.metrics.messages.labels(to.authority, "delivered").inc()
        return replace(to, place=Place.of(told.cursor), course=taken(now), delivered_at=now)

    def _failed(self, to: Subscription, fault: Fault) -> Subscription:
        self._tools.metrics.messages.labels(to.authority, "failed").inc()
        share = _random.uniform(0.5, 1)
        return replace(to, course=failed(to.course, fault, self._tools.clock(), self._pace.retries, share))

    def _end(self, connection: Connection, to: Subscription) -> None:
        if subscriptions.settle(connection, to) and to.course.stopped_at:
            record_stop(connection, to, self._tools.clock())

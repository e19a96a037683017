"""Reads topics as a member of a group and hands whole fetches to a Processor. Only the room `membership` imports Faust.

Faust brings group membership, rebalancing and the consumer. A stock agent spends some dozen callbacks on each message, so here one message
stands for a whole fetch (its public settings ConsumerScheduler and Schema). The Processor keeps the positions, in the transaction of its
own writes: on every assignment it is asked for them and they are sought, whatever Kafka says. What is committed to Kafka only shows others
how far this worker is.
"""

import asyncio
import logging
import signal
import threading
from collections.abc import Collection, Mapping
from contextlib import suppress
from functools import partial

from aiokafka.errors import KafkaError

from services.chassis.failures import Away, backoff, describe
from services.chassis.metrics import StreamMetrics
from services.chassis.settings import KafkaSettings, StreamSettings
from services.chassis.streaming.batches import Processor, TopicPartition
from services.chassis.streaming.clients.admin import Admin
from services.chassis.streaming.clients.bulk import failure
from services.chassis.streaming.engine import StreamEngine
from services.chassis.streaming.membership.app import App, reading

log = logging.getLogger(__name__)

CLOSE_SECONDS = 5.0


def run(
    kafka: KafkaSettings,
    settings: StreamSettings,
    name: str,
    topics: Collection[str],
    processor: Processor,
    metrics: StreamMetrics,
) -> int:
    """Process `topics` as a member of the group `name` until SIGTERM, SIGINT or a failure. Returns the exit status.

    0: stopped as asked, after the present batch. 1: a bug. 3: refused.
    """
    return Stream(kafka, settings, name, topics, processor, metrics).run()


class Stream:
    """One worker. `run` blocks; the other methods may be called from any thread."""

    def __init__(
        self,
        kafka: KafkaSettings,
        settings: StreamSettings,
        name: str,
        topics: Collection[str],
        processor: Processor,
        metrics: StreamMetrics,
    ) -> None:
        self._kafka, self._settings, self._name, self._topics = kafka, settings, name, sorted(topics)
        self._processor, self._metrics = processor, metrics
        self._asked_to_stop = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._engine: StreamEngine | None = None

    def run(self) -> int:
        """Block until stopped. Returns the exit status; see `run` of this module."""
        return asyncio.run(self._main())

    def stop(self) -> None:
        """Finish the present batch, then stop."""
        self._asked_to_stop.set()
        if self._loop is not None and self._engine is not None:
            with suppress(RuntimeError):  # it has stopped already
                self._loop.call_soon_threadsafe(self._engine.end)

    def go_back(self) -> None:
        """Read again from the processor's positions, since something else has changed them."""
        if self._loop is not None and self._engine is not None:
            with suppress(RuntimeError):  # it has stopped already
                self._loop.call_soon_threadsafe(self._reread)

    def _reread(self) -> None:
        assert self._engine is not None
        self._engine.begin(self._engine.reread(missing=False))

    def healthy(self) -> bool:
        """Return whether this worker can process events: its dependencies answer, and it makes progress or has nothing left to do."""
        return self._engine is not None and self._engine.healthy()

    def backlogs(self) -> Mapping[TopicPartition, int]:
        """Return how many messages of each source, of those that there were at the last measurement, have no outcome yet."""
        return {} if self._engine is None else self._engine.backlogs()

    async def _main(self) -> int:
        admin = Admin(self._kafka)
        engine = StreamEngine(self._name, self._settings, self._processor, admin.identities, self._metrics)
        self._loop, self._engine = asyncio.get_running_loop(), engine
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._loop.add_signal_handler(number, engine.end)
        if self._asked_to_stop.is_set():
            engine.end()
        try:
            await self._work(engine)
        finally:
            engine.close()
            admin.close()
        return engine.status

    async def _work(self, engine: StreamEngine) -> None:
        """Follow the topics. If Faust ends because Kafka went away, or waits for nothing, start it again."""
        for delay in backoff(self._settings.retry_first_seconds, self._settings.retry_longest_seconds):
            if not await engine.topics_exist(self._topics) or await self._follow(engine):
                return
            engine.unpause()
            with suppress(TimeoutError):
                await asyncio.wait_for(engine.over.wait(), delay)

    async def _follow(self, engine: StreamEngine) -> bool:
        """Follow the topics until the engine stops. Returns False if Faust must be started again."""
        app = reading(engine, self._kafka, self._settings, self._name, self._topics)
        gone = asyncio.Event()
        watch = partial(_watch, engine, gone)
        tasks = [asyncio.create_task(part) for part in (app.start(), _crash(app), engine.report(), engine.guard())]
        for task in tasks:
            task.add_done_callback(watch)
        ends = [asyncio.create_task(event.wait()) for event in (engine.over, gone)]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        app.left = not engine.over.is_set()
        await (engine.leave() if app.left else engine.finish())
        for ended in (*tasks, *ends):
            ended.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await app.stop()
        return engine.over.is_set()


def _watch(engine: StreamEngine, gone: asyncio.Event, task: "asyncio.Task[None]") -> None:
    error = None if task.cancelled() else task.exception()
    if isinstance(error, KafkaError):
        error = failure(error)
    if isinstance(error, Away):
        log.warning("Faust is started again: %s", describe(error))
        gone.set()
    else:
        engine.watch(task)


async def _crash(app: App) -> None:
    await app.wait()
    if app.crash_reason is not None:
        raise app.crash_reason

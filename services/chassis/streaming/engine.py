"""Processes batches one at a time, in order, without loss, whatever is away and however often topics change owners.

It knows nothing of Faust: `services.chassis.streaming.membership` brings the reader and calls in. Everything runs in one event loop; only
the processor has a thread of its own, so that heartbeats continue while it works.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from enum import Enum, auto
from functools import partial
from time import monotonic
from typing import Any

from services.chassis.failures import Away, Fenced, Refused, TimedOut, backoff, describe
from services.chassis.metrics import StreamMetrics
from services.chassis.settings import StreamSettings
from services.chassis.streaming.batches import Bounds, Left, Processor, Slice, SourceIdentity, TopicPartition
from services.chassis.streaming.lags import Lags
from services.chassis.streaming.reader import Fetch, Mark, Reader

log = logging.getLogger(__name__)

STOPPED, BUG, REFUSED = 0, 1, 3
NEVER = -1
PATIENCE_SECONDS = 30.0
FAREWELL_SECONDS = 3.0
LOOKS = 10


class Ending(Enum):
    """How work that is repeated while something is away ended."""

    DONE = auto()
    FENCED = auto()
    GIVEN_UP = auto()  # interrupted, or failed and stopping


class StreamEngine:
    """Decides what to process, and when to read again. Create it inside the event loop in which it runs."""

    def __init__(
        self,
        name: str,
        settings: StreamSettings,
        processor: Processor,
        identify: Callable[[Collection[str]], Mapping[str, SourceIdentity]],
        metrics: StreamMetrics,
    ) -> None:
        self.status = STOPPED
        self.over = asyncio.Event()
        self._name, self._settings, self._processor, self._metrics = name, settings, processor, metrics
        self._identify = identify
        self._reader: Reader
        self._process_thread = ThreadPoolExecutor(1, "stream-process")
        self._admin_thread = ThreadPoolExecutor(1, "stream-admin")
        self._in_hand = asyncio.Lock()
        self._interrupted = asyncio.Event()
        self._positions: dict[TopicPartition, int] = {}
        self._reading: dict[TopicPartition, int] = {}
        """Where the next fetch begins; the processor's position is here or later."""
        self._committed: dict[TopicPartition, int] = {}
        self._identities: Mapping[str, SourceIdentity] = {}
        self._seen = Mark(0, 0)
        self._owners = 0  # how often owners changed
        # The change of owners for which positions were asked: only after an answer may a seek let fetches pass.
        self._asked_for = NEVER
        self._valid_after = NEVER  # only fetches after exactly this many seeks count
        self._silent = False  # Kafka did not answer
        self._lags = Lags(metrics, settings.silent_after_seconds)
        self._begun: set[asyncio.Task[None]] = set()
        self._at_work = False
        self._up, self._last_progress = False, monotonic()
        self._signs = 0  # counts signs of progress, or of waiting for something known to be away

    def attach(self, reader: Reader) -> None:
        """Set the reader. Call this before anything else, and again with each new reader; reader and engine need each other."""
        self._reader, self._seen = reader, Mark(0, 0)

    def healthy(self) -> bool:
        """Return whether batches can be processed, and either something was recently or nothing is left to process."""
        return self._up and monotonic() - self._last_progress < self._settings.stuck_after_seconds

    def backlogs(self) -> Mapping[TopicPartition, int]:
        """Return how many messages of each source, of those that there were at the last measurement, have no outcome yet. Safe from any
        thread.
        """
        return self._lags.behind(self._taken())

    # Stopping

    def end(self) -> None:
        """Process no more batches. The present one is finished, unless it waits for something that is away."""
        self.over.set()
        self._interrupted.set()

    def fail(self, error: BaseException) -> None:
        """Stop, with the exit status that fits the error."""
        if not self.over.is_set():
            self.status = REFUSED if isinstance(error, Refused) else BUG
            log.critical("%s stops with status %d: %s", self._name, self.status, describe(error))
        self._set_up(up=False)
        self.end()

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run work beside everything else, for as long as the reader stays. If it fails, the worker stops."""
        task = asyncio.create_task(work)
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)
        task.add_done_callback(self.watch)
        return task

    async def leave(self) -> None:
        """Let the present batch finish, and cancel work that still waits: another reader is attached next."""
        await self.pause()
        for task in (begun := set(self._begun)):
            task.cancel()
        if begun:
            await asyncio.wait(begun)

    def watch(self, task: asyncio.Task[None]) -> None:
        """Stop the worker if a task failed. For add_done_callback."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)

    async def finish(self) -> None:
        """Wait for the present batch, and commit positions to Kafka a last time."""
        async with self._in_hand:
            self._set_up(up=False)
            # The commit only shows others how far this worker is, which is not worth waiting for.
            with suppress(Away, TimeoutError):
                async with asyncio.timeout(FAREWELL_SECONDS):
                    await self._commit()

    def close(self) -> None:
        """Shut the threads down."""
        self._process_thread.shutdown(wait=False)
        self._admin_thread.shutdown(wait=False)

    # Work that waits for what is away

    async def persist(self, work: Callable[[], Awaitable[object]], *, cut: bool = False) -> Ending:
        """Do `work`, and repeat it while something is away. With `cut`, do not wait for its end if it is interrupted."""
        for delay in backoff(self._settings.retry_first_seconds, self._settings.retry_longest_seconds):
            if self._interrupted.is_set():
                break
            task = asyncio.ensure_future(work())
            await self._end(task, cut=cut)
            if task.cancelled():
                break
            match task.exception():
                case None:
                    return Ending.DONE
                case Away() as away:
                    await self._sit_out(away, delay)
                case Fenced() as fenced:
                    log.warning("%s: %s", self._name, describe(fenced))
                    self._metrics.retries.labels("fenced").inc()
                    return Ending.FENCED
                case error:
                    self.fail(error)
        return Ending.GIVEN_UP

    async def _end(self, task: asyncio.Future[object], *, cut: bool) -> None:
        """Wait for the task's end. If nobody waits any more, leave nothing of it behind."""
        ends: list[asyncio.Future[Any]] = [task]
        if cut:
            ends.append(asyncio.ensure_future(self._interrupted.wait()))
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
        await asyncio.wait({task})

    async def _sit_out(self, away: Away, delay: float) -> None:
        log.warning("%s tries again in %.1f s: %s", self._name, delay, describe(away))
        self._sign()
        self._set_up(up=False)
        self._metrics.retries.labels("timed_out" if isinstance(away, TimedOut) else "away").inc()
        await self._wait(delay)

    async def _wait(self, delay: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._interrupted.wait(), delay)

    async def _process_in_thread(self, call: Callable[..., Any], *args: object) -> Any:
        """Call the processor in its thread. The time that this takes is limited by the database's timeouts, and does not count as standing
        still.
        """
        self._at_work = True
        try:
            return await _in(self._process_thread, call)(*args)
        finally:
            self._at_work = False
            self._sign()

    # Where to read

    async def topics_exist(self, topics: Collection[str]) -> bool:
        """Wait until the topics exist. Returns False if stopped meanwhile."""
        return await self.persist(partial(_in(self._admin_thread, self._identify), topics)) is Ending.DONE

    async def pause(self) -> None:
        """Stop for a change of owners: let the present batch finish, and process none that was fetched before the next seek."""
        self._interrupted.set()
        self._owners += 1
        self._doubt()
        self._set_up(up=False)
        # A batch that takes longer meets Fenced, or is done before anybody else writes.
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS), self._in_hand:
                pass

    def unpause(self) -> None:
        """Continue once owners are known; `find_positions` and `seek` follow."""
        self._metrics.rebalances.inc()
        if not self.over.is_set():
            self._interrupted.clear()

    async def find_positions(self) -> None:
        """Ask the processor for its positions in everything that this worker now owns."""
        await self._until_unfenced(self._ask_positions)

    async def seek(self) -> None:
        """Seek the first unprocessed message. If the processor gave these positions, fetches count from here on."""
        owners, owned = self._owners, self._reader.owned()
        await self._reader.go_to({source: self._positions[source] for source in owned if source in self._positions})
        if self._asked_for == owners == self._owners:
            self._reading = dict(self._positions)
            self._valid_after = self._reader.mark.seeks

    async def reread(self, *, missing: bool) -> None:
        """Ask for positions again. With `missing`, Kafka does not have what was to be fetched: stop, unless the
        new positions explain it.
        """
        async with self._in_hand:
            await self._start_over(missing=missing)

    async def _start_over(self, *, missing: bool = False) -> None:
        """Ask for positions and seek them. Until that is done, no fetch counts."""
        self._doubt()
        await self._until_unfenced(partial(self._go_back, missing=missing))

    def _doubt(self) -> None:
        self._asked_for = self._valid_after = NEVER

    async def _until_unfenced(self, work: Callable[[], Awaitable[object]]) -> None:
        """Persist. If another worker moves on meanwhile, as it may while this one counts again, begin again."""
        for delay in backoff(self._settings.retry_first_seconds, self._settings.retry_longest_seconds):
            if await self.persist(work, cut=True) is not Ending.FENCED:
                return
            await self._wait(delay)

    async def _go_back(self, *, missing: bool = False) -> None:
        await self._ask_positions(missing=missing)
        await self.seek()

    async def _ask_positions(self, *, missing: bool = False) -> None:
        owners = self._owners
        owned = sorted(self._reader.owned())
        identities = await _in(self._admin_thread, self._identify)({source.topic for source in owned})
        answer = await self._process_in_thread(
            self._processor.start, {source: identities[source.topic] for source in owned}
        )
        bounds = await self._reader.bounds(owned)
        positions = {source: answer[source] or bounds[source].first for source in owned}
        try:
            for source, position in positions.items():
                _refuse_outside(source, position, bounds[source], missing=missing)
            await self._compare({source: at for source, at in positions.items() if bounds[source].first < at})
        except Refused:
            # If topics were made again since the question, that error says more.
            await self._check_identities(identities)
            raise
        self._positions, self._asked_for = positions, owners
        # A deleted topic is no longer assigned. It is watched all the same, so that its return is noticed.
        self._identities = {**self._identities, **identities}
        self._progressed()
        self._set_up(up=True)

    async def _compare(self, positions: Mapping[TopicPartition, int]) -> None:
        """Check that Kafka still has the record before each position: by offsets alone, a log that went back and grew again looks the same.
        Raises Refused.
        """
        taken = await self._process_in_thread(self._processor.last_taken)
        found = await self._reader.last_records({at: offset - 1 for at, offset in positions.items() if at in taken})
        for source, kept in found.items():
            if kept != taken[source]:
                raise Refused(
                    f"{source.topic}/{source.partition} holds at offset {positions[source] - 1} another record than the one "
                    "that was taken: the log went back. Nothing was read or written (runbook: source-changed)."
                )

    # Batches

    async def take(self, fetch: Fetch) -> None:
        """Process one fetch, unless it is out of date."""
        async with self._in_hand:
            if self._interrupted.is_set() or fetch.mark.seeks != self._valid_after or not self._undoubted():
                return
            if self._follows(fetch.mark) and self._joins(fetch.slices):
                await self._process(fetch.slices)
            else:
                log.warning("%s reads again: a fetch got lost on its way", self._name)
                self._metrics.retries.labels("dropped").inc()
                await self._start_over()

    def _follows(self, mark: Mark) -> bool:
        before, self._seen = self._seen, mark
        return mark.serial == (before.serial + 1 if mark.seeks == before.seeks else 1)

    def _joins(self, slices: Sequence[Slice]) -> bool:
        """Return whether the fetch begins no later than the processor's positions. If it began later, the messages between would be left
        out.
        """
        begins = {part.source: self._reading.get(part.source) for part in slices}
        self._reading |= {part.source: part.next_offset for part in slices}
        return all(begin is not None and begin <= self._positions[source] for source, begin in begins.items())

    async def _process(self, slices: Sequence[Slice]) -> None:
        left: dict[TopicPartition, int] = {}

        async def process() -> None:
            left.update(await self._process_in_thread(self._processor.process, slices) or {})

        with self._metrics.batch_seconds.time():
            outcome = await self.persist(process)
        match outcome:
            case Ending.DONE:
                self._advance(slices, left)
                if left:  # it is read again, since what was fetched meanwhile lies beyond it
                    await self._until_unfenced(self.seek)
            case Ending.FENCED:
                await self._start_over()
            case Ending.GIVEN_UP:
                pass  # the next owner of these partitions reads them again

    def _advance(self, slices: Sequence[Slice], left: Left) -> None:
        for part in slices:
            taken = part.before(left.get(part.source))
            self._positions[part.source] = left.get(part.source, part.next_offset)
            self._metrics.events.labels(part.topic).inc(len(taken.messages) if taken else 0)
        self._metrics.batches.inc()
        self._progressed()
        self._set_up(up=not self._interrupted.is_set())

    # What others see

    async def report(self) -> None:
        """Measure lag, commit progress to Kafka, and check that topics are still the same, until cancelled."""
        every = max(1, round(self._settings.identity_every_seconds / self._settings.report_every_seconds))
        turn = 0
        while True:
            await asyncio.sleep(self._settings.report_every_seconds)
            turn += 1
            try:
                await self._measure_or_doubt()
                await self._lags.tell_how_long(self._taken(), self._reader.last_records)
                await self._commit()
                if turn % every == 0:
                    await self._check_identities(self._identities)
            except Away as away:
                log.warning("%s cannot measure its lag: %s", self._name, describe(away))

    async def guard(self) -> None:
        """Raise Away once this worker has stood still although Kafka answers.

        The consumer has many ways to wait in silence for something that never comes, such as an assignment; a new consumer overcomes that.
        Kafka is asked by another client, since the silence of the consumer is the question.
        """
        while True:
            await self._stand_still()
            with suppress(Away):
                await _in(self._admin_thread, self._identify)({source.topic for source in self._reader.owned()})
                break
        self._metrics.retries.labels("still").inc()
        raise Away(f"{self._name} has stood still for {self._settings.still_after_seconds:.0f} s, and nothing says why")

    async def _stand_still(self) -> None:
        """Return once the worker has stood still. Time is counted in checks, since a process that was frozen
        meanwhile has not stood still.
        """
        quiet = 0
        while quiet < LOOKS:
            before = self._signs
            await asyncio.sleep(self._settings.still_after_seconds / LOOKS)
            quiet = 0 if self._at_work or self._signs > before else quiet + 1

    async def _measure_or_doubt(self) -> None:
        """Measure, and doubt all fetches if Kafka does not answer: its log may have changed when it is back, so positions are compared
        first.
        """
        measuring = asyncio.ensure_future(self._measure())
        try:
            await asyncio.wait({measuring}, timeout=self._settings.silent_after_seconds)
            if not measuring.done() or measuring.exception():
                self._silent = True
                self._doubt()
                self._set_up(up=False)
            await measuring
        finally:
            measuring.cancel()
        if self._silent:
            self._silent = False
            async with self._in_hand:
                await self._start_over()

    async def _measure(self) -> None:
        owned = [source for source in self._reader.owned() if source in self._positions]
        told = await self._reader.ends(owned)
        # A consumer that has not sought yet does not answer where it is.
        fetched = await self._reader.fetched(owned) if owned and self._undoubted() else {}
        owned = [source for source in owned if source in self._positions]  # some may be lost meanwhile
        if self._undoubted() and self._seen == self._reader.mark and not self._in_hand.locked():
            # All fetched messages are processed; the offsets between are of markers, which are not messages.
            self._positions.update(
                {source: max(fetched[source], self._positions[source]) for source in owned if source in fetched}
            )
        ends = {source: told[source] for source in owned}
        written = {source: max(end, self._reader.written(source)) for source, end in ends.items()}
        self._lags.measured(written, self._taken())
        if self._up and all(end <= self._positions[source] for source, end in ends.items()):
            self._progressed()

    def _undoubted(self) -> bool:
        """Return whether the consumer reads from where it sought last, as the processor said."""
        return self._valid_after == self._reader.mark.seeks

    def _taken(self) -> dict[TopicPartition, int]:
        """Return the positions up to which every message has its outcome."""
        held_back = self._processor.held_back()
        return self._positions | {source: at for source, at in held_back.items() if source in self._positions}

    async def _commit(self) -> None:
        owned = self._reader.owned()
        news = {at: offset for at, offset in self._taken().items() if at in owned and self._committed.get(at) != offset}
        if news:
            await self._reader.commit_positions(news)
            self._committed.update(news)

    async def _check_identities(self, known: Mapping[str, SourceIdentity]) -> None:
        now = await _in(self._admin_thread, self._identify)(known.keys())
        for topic, identity in known.items():
            if now[topic] != identity:
                raise Refused(f"{topic} was deleted and made again, or this is another cluster")

    def _set_up(self, *, up: bool) -> None:
        self._up = up
        self._metrics.up.set(up)

    def _sign(self) -> None:
        self._signs += 1

    def _progressed(self) -> None:
        self._sign()
        self._last_progress = monotonic()
        self._metrics.progress.set_to_current_time()


def _in(thread: Executor, call: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    async def called(*args: object) -> Any:
        return await asyncio.get_running_loop().run_in_executor(thread, call, *args)

    return called


def _refuse_outside(source: TopicPartition, position: int, bounds: Bounds, *, missing: bool) -> None:
    """Raise Refused for a position that Kafka cannot give: reading could only continue by leaving something out or reading it twice."""
    if position < bounds.first or (missing and position > bounds.end):
        at = f"{source.topic}/{source.partition} is at {position}"
        raise Refused(f"{at}, but Kafka has {bounds.first} to {bounds.end}")

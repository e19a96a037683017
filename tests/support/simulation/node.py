"""One worker process of the simulation: the real engine and publisher, with simulated Kafka and PostgreSQL."""

import asyncio
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

from prometheus_client import CollectorRegistry

from services.chassis import failures
from services.chassis.failures import Away, Fenced
from services.chassis.metrics import StreamMetrics
from services.chassis.settings import StreamSettings
from services.chassis.streaming.batches import Bounds, Fingerprint, Slice, SourceIdentity, TopicPartition
from services.chassis.streaming.engine import StreamEngine
from services.chassis.streaming.reader import Fetch, Mark
from services.records.ingest.metrics import RecordsMetrics
from services.records.ingest.publishing.publisher import Publisher
from tests.support.simulation.loop import Loop, Thread, pause
from tests.support.simulation.world import SimulatedProducer, SimulatedPublications, World

SETTINGS = StreamSettings()
STREAM_METRICS, RECORDS_METRICS = StreamMetrics(CollectorRegistry()), RecordsMetrics(CollectorRegistry())
failures._random = Random(1)  # type: ignore[assignment] # nobody waits here, and asking the system for chance takes long


class Place:
    """Used in place of an executor: the loop only asks which one it is, and making a real one takes as long as some steps."""

    def __init__(self, *_: object) -> None:
        pass

    def shutdown(self, *, wait: bool) -> None:
        pass


IDENTITY = SourceIdentity("cluster", "topic")
FETCHED_AHEAD = 2
SKIP = 0.5
RECOUNTING = 4
"""How many steps a recount takes: reading all records takes longer than anything else."""


@dataclass(frozen=True, slots=True)
class Event:
    offset: int
    timestamp: int = 0
    key: bytes | None = None
    value: bytes | None = None
    headers: Sequence[tuple[str, bytes | None]] = ()


class Processor:
    """Does what services.records.ingest.worker promises: claims, recounts if rules changed, and processes each batch in one commit."""

    def __init__(self, world: World, rules: int) -> None:
        self.world, self._rules = world, rules
        self.positions: dict[str, int] = {}
        self.versions: dict[str, int] = {}

    def start(self, sources: Mapping[TopicPartition, SourceIdentity]) -> Mapping[TopicPartition, int]:
        self.positions = {}
        claimed = self._claim(sources)
        self._recount()
        self.positions = claimed
        return {source: claimed[source.topic] for source in sources}

    def _claim(self, sources: Collection[TopicPartition]) -> dict[str, int]:
        pause()
        self.world.may_fail("claim")
        self.versions = {source.topic: self.world.versions[source.topic] for source in sources}
        return {source.topic: self.world.positions[source.topic] for source in sources}

    def _recount(self) -> None:
        for source, version in self.versions.items():
            if self.world.counted_by[source] != self._rules:
                for _ in range(RECOUNTING):
                    pause()
                self.world.recount(source, version, self._rules)
                self.versions[source] = version + 1
                self.world.may_fail("the answer to a recount")

    def held_back(self) -> Mapping[TopicPartition, int]:
        return {}

    def last_taken(self) -> Mapping[TopicPartition, Fingerprint]:
        return {}

    def process(self, slices: Sequence[Slice]) -> None:
        moves: dict[str, tuple[int, list[int]]] = {}
        for part in slices:
            position = self.positions.get(part.topic)
            if position is None:
                raise Fenced("not ours")
            offsets = [message.offset for message in part.messages if message.offset >= position]
            if offsets:
                moves[part.topic] = position, offsets
        pause()
        self.world.may_fail("the way to a commit")
        self.world.take(moves, self.versions)
        pause()
        self.world.may_fail("the answer to a commit")
        for source, (_, offsets) in moves.items():
            self.positions[source] = offsets[-1] + 1
            self.versions[source] += 1

    def owned(self) -> list[str]:
        return list(self.versions)


class Reader:
    """Does what services.chassis.streaming.membership promises of Faust's consumer."""

    def __init__(self, world: World, loop: Loop) -> None:
        self._world, self._loop = world, loop
        self.mark = Mark(0, 0)
        self.sources: list[str] = []
        self.at: dict[str, int] = {}

    def owned(self) -> Collection[TopicPartition]:
        return [TopicPartition(source, 0) for source in self.sources]

    async def go_to(self, positions: Mapping[TopicPartition, int]) -> None:
        await self._answer("seek")
        self.mark = Mark(self.mark.seeks + 1, 0)
        self.at |= {source.topic: position for source, position in positions.items()}
        await self._answer("seek")

    async def bounds(self, sources: Collection[TopicPartition]) -> Mapping[TopicPartition, Bounds]:
        await self._answer("bounds")
        return {source: Bounds(0, self._world.ends[source.topic]) for source in sources}

    async def ends(self, sources: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        return {source: bounds.end for source, bounds in (await self.bounds(sources)).items()}

    def written(self, source: TopicPartition) -> int:
        return self._world.ends[source.topic]

    async def fetched(self, sources: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        await self._answer("position")
        return {source: self.at.get(source.topic, 0) for source in sources}

    async def commit_positions(self, positions: Mapping[TopicPartition, int]) -> None:
        await self._answer("commit")
        for source, position in positions.items():
            if position > self._world.positions[source.topic]:
                self._world.wrong.append(f"Kafka is told {position} of {source.topic}, which is not that far")

    async def last_records(self, places: Mapping[TopicPartition, int]) -> Mapping[TopicPartition, Fingerprint]:  # noqa: ARG002
        return {}

    async def _answer(self, question: str) -> None:
        if self._world.random.random() < 0.2:
            waiting: asyncio.Future[None] = self._loop.create_future()
            self._loop.answers.append(waiting)
            await waiting
        self._world.may_fail(question)

    def fetch(self) -> Fetch | None:
        """Return what is at the positions: one or two messages of each source, none of some."""
        slices = []
        for source in self.sources:
            begin, end = self.at.get(source), self._world.ends[source]
            if begin is None or begin >= end or (self._world.faults and self._world.random.random() < SKIP):
                continue
            self.at[source] = min(end, begin + self._world.random.randint(1, 2))
            slices.append(Slice(source, 0, [Event(offset) for offset in range(begin, self.at[source])]))
        if not slices:
            return None
        self.mark = Mark(self.mark.seeks, self.mark.serial + 1)
        return Fetch(self.mark, slices)


@dataclass(frozen=True, slots=True)
class Build:
    """The parts of a worker; a test replaces them by older ones."""

    engine: type[StreamEngine] = StreamEngine
    processor: type[Processor] = Processor
    publisher: type[Publisher] = Publisher


class Node:
    """A worker that may crash, stop and begin again."""

    def __init__(self, world: World, rules: int, build: Build) -> None:
        self.world, self.frozen = world, False
        self.loop = Loop()  # type: ignore[abstract]
        self.reader = Reader(world, self.loop)
        self.processor = build.processor(world, rules)
        self.engine = build.engine("node", SETTINGS, self.processor, _identify, STREAM_METRICS)
        self.engine.attach(self.reader)
        self.producer = SimulatedProducer(world)
        self._publisher = build.publisher(
            SimulatedPublications(world), self.producer, self.processor.owned, RECORDS_METRICS
        )
        self.publishing = Thread()
        self.ahead: deque[Fetch] = deque()
        self._taking: asyncio.Task[None] | None = None
        self._changing: asyncio.Task[None] | None = None
        self._measuring: asyncio.Task[None] | None = None
        self._wanted: list[str] | None = None

    def close(self) -> None:
        """End as by SIGKILL."""
        self.loop.discard()
        self.publishing.waiting.clear()
        self.engine.close()

    # Faust

    @property
    def changing(self) -> bool:
        return self._changing is not None and not self._changing.done()

    @property
    def taking(self) -> bool:
        return self._taking is not None and not self._taking.done()

    def assign(self, sources: Sequence[str]) -> None:
        """Let the group say what the worker owns from now on."""
        self._wanted = list(sources)
        if not self.changing:
            self._changing = self._watched(self._change())

    async def _change(self) -> None:
        while self._wanted is not None:
            await self.engine.pause()
            if self.world.random.random() < 0.5:
                self.ahead.clear()  # Faust drops what a rebalance interrupts, or does not
            self.reader.sources, self._wanted = self._wanted, None
            self.engine.unpause()
            await self.engine.find_positions()
            try:
                await self.engine.seek()
            except Away:
                self._watched(self.engine.reread(missing=False))

    def measure(self) -> None:
        """Measure, as it does every few seconds. If Kafka stays silent for long, it reads again from the processor's positions."""
        if self._measuring is None or self._measuring.done():
            self._measuring = self._watched(self._measure())

    async def _measure(self) -> None:
        with suppress(Away):
            await self.engine._measure_or_doubt()

    def fetch(self) -> bool:
        if len(self.ahead) >= FETCHED_AHEAD or self.changing or not self.reader.sources:
            return False
        found = self.reader.fetch()
        if found is not None and (not self.world.faults or self.world.random.random() > 0.02):
            self.ahead.append(found)
        return found is not None

    def deliver(self) -> bool:
        if self.taking or not self.ahead:
            return False
        self._taking = self._watched(self.engine.take(self.ahead.popleft()))
        return True

    def _watched(self, work: Any) -> "asyncio.Task[None]":
        task = self.loop.create_task(work)
        task.add_done_callback(self.engine.watch)
        return task

    # Everything that waits

    def publish(self) -> bool:
        if not self.publishing.waiting:
            if all(self.world.versions[name] == self.world.published[name] for name in self.processor.owned()):
                return False
            self.publishing.submit(self._publish)
        self.publishing.step()
        return True

    def _publish(self) -> None:
        with suppress(Away):  # the next one begins again
            self._publisher.publish()

    def step_thread(self) -> bool:
        threads = [thread for thread in self.loop.threads.values() if thread.waiting]
        if not threads:
            return False
        threads[int(self.world.random.random() * len(threads))].step()
        return True

    def answer(self) -> bool:
        answers = self.loop.answers
        if not answers:
            return False
        answer = answers.pop(int(self.world.random.random() * len(answers)))
        if not answer.done():  # otherwise nobody waits for it any more
            answer.set_result(None)
        return True

    def fire(self) -> bool:
        if not self.loop.timers:
            return False
        self.loop.fire(int(self.world.random.random() * len(self.loop.timers)))
        return True

    def drain(self) -> None:
        if self.loop.drain() and self.engine.over.is_set():
            self.world.wrong.append(f"a worker stopped with status {self.engine.status}")


def _identify(names: Collection[str]) -> Mapping[str, SourceIdentity]:
    return dict.fromkeys(names, IDENTITY)

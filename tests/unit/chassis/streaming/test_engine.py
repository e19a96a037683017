"""The engine's rules, with a reader that does what the test says."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import pytest
from prometheus_client import CollectorRegistry

from services.chassis.failures import Away, Fenced, Refused
from services.chassis.metrics import StreamMetrics
from services.chassis.settings import StreamSettings
from services.chassis.streaming import engine as engine_module
from services.chassis.streaming.batches import Bounds, Fingerprint, Left, Slice, SourceIdentity, TopicPartition
from services.chassis.streaming.engine import StreamEngine
from services.chassis.streaming.reader import Fetch, Mark

SOURCE = TopicPartition("t.a", 0)
QUICK = StreamSettings(
    retry_first_seconds=0.01, retry_longest_seconds=0.02, report_every_seconds=0.01, silent_after_seconds=0.2
)


@dataclass(frozen=True)
class Event:
    offset: int
    timestamp: int = 0
    key: bytes | None = None
    value: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()


@dataclass
class FakeReader:
    mark: Mark = field(default=Mark(1, 0))
    end: int = 100
    position: int = 0
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    kept: Fingerprint | None = None
    dates_nothing: bool = False
    hidden: int = 0
    """The end behind an open transaction."""
    looked_at: list[dict[TopicPartition, int]] = field(default_factory=list)
    sought: list[int] = field(default_factory=list)
    committed: list[int] = field(default_factory=list)
    sources: list[TopicPartition] = field(default_factory=lambda: [SOURCE])

    def owned(self) -> Collection[TopicPartition]:
        return self.sources

    async def go_to(self, positions: Mapping[TopicPartition, int]) -> None:
        self.mark = Mark(self.mark.seeks + 1, 0)
        self.position = positions.get(SOURCE, self.position)
        self.sought += positions.values()

    async def bounds(self, sources: Collection[TopicPartition]) -> Mapping[TopicPartition, Bounds]:
        if sources:
            await self.answers.wait()
        return {source: Bounds(10, self.end) for source in sources}

    async def ends(self, sources: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        return {source: bounds.end for source, bounds in (await self.bounds(sources)).items()}

    def written(self, source: TopicPartition) -> int:  # noqa: ARG002
        return self.hidden

    async def last_records(self, places: Mapping[TopicPartition, int]) -> Mapping[TopicPartition, Fingerprint]:
        self.looked_at += [dict(places)]
        if self.dates_nothing:
            raise Away("Kafka")
        return {source: self.kept for source in places if self.kept is not None}

    async def fetched(self, sources: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        return dict.fromkeys(sources, self.position)

    async def commit_positions(self, positions: Mapping[TopicPartition, int]) -> None:
        self.committed.append(positions[SOURCE])

    def fetch(self, *offsets: int) -> Fetch:
        self.mark = Mark(self.mark.seeks, self.mark.serial + 1)
        self.position = offsets[-1] + 1
        return Fetch(self.mark, [Slice(*SOURCE, [Event(offset) for offset in offsets])])


@dataclass
class FakeProcessor:
    position: int = 20
    failures: list[Exception] = field(default_factory=list)
    start_failures: list[Exception] = field(default_factory=list)
    starts: int = 0
    taken: Fingerprint | None = None
    batches: list[list[int]] = field(default_factory=list)
    seconds: float = 0
    threads: set[int] = field(default_factory=set)
    held: dict[TopicPartition, int] = field(default_factory=dict)
    leaves: list[int] = field(default_factory=list)
    """The first message that each turn leaves."""

    def start(self, sources: Mapping[TopicPartition, SourceIdentity]) -> Mapping[TopicPartition, int]:
        self.starts += 1
        self.threads.add(threading.get_ident())
        if self.start_failures:
            raise self.start_failures.pop(0)
        return dict.fromkeys(sources, self.position)

    def held_back(self) -> Mapping[TopicPartition, int]:
        return self.held

    def last_taken(self) -> Mapping[TopicPartition, Fingerprint]:
        return {SOURCE: self.taken} if self.taken else {}

    def process(self, slices: Sequence[Slice]) -> Left | None:
        self.threads.add(threading.get_ident())
        time.sleep(self.seconds)
        self.batches.append([message.offset for part in slices for message in part.messages])
        if self.failures:
            raise self.failures.pop(0)
        return {SOURCE: self.leaves.pop(0)} if self.leaves else None


@dataclass
class Scene:
    engine: StreamEngine
    reader: FakeReader
    processor: FakeProcessor
    registry: CollectorRegistry
    identities: dict[str, SourceIdentity]

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"payback_stream_{name}", labels)


def _identities(known: Mapping[str, SourceIdentity], names: Collection[str]) -> Mapping[str, SourceIdentity]:
    if not known:
        raise Away("Kafka")
    return {name: known[name] for name in names}


def play(script: Callable[[Scene], Awaitable[None]], settings: StreamSettings = QUICK) -> Scene:
    """Run a script against an engine that has been assigned its partition."""

    async def main() -> Scene:
        registry, processor, reader = CollectorRegistry(), FakeProcessor(), FakeReader()
        identities = {"t.a": SourceIdentity("cluster", "topic")}
        engine = StreamEngine("test", settings, processor, partial(_identities, identities), StreamMetrics(registry))
        engine.attach(reader)
        reader.answers.set()
        scene = Scene(engine, reader, processor, registry, identities)
        try:
            await script(scene)
        finally:
            engine.close()
        return scene

    return asyncio.run(main())


async def assigned(scene: Scene) -> None:
    await scene.engine.find_positions()
    await scene.engine.seek()


def test_reading_starts_where_the_processor_says() -> None:
    scene = play(assigned)
    assert scene.reader.sought == [20]
    assert scene.engine.healthy()


def test_zero_is_the_first_offset_that_kafka_has() -> None:
    async def script(scene: Scene) -> None:
        scene.processor.position = 0
        await assigned(scene)

    assert play(script).reader.sought == [10]


@pytest.mark.parametrize("position", [9, 101])
def test_a_position_that_kafka_does_not_have_is_refused(position: int) -> None:
    async def script(scene: Scene) -> None:
        scene.processor.position = position
        await assigned(scene)
        await scene.engine.reread(missing=True)

    scene = play(script)
    assert scene.engine.status == 3
    assert scene.engine.over.is_set()
    assert not scene.engine.healthy()


@pytest.mark.parametrize(
    ("kept", "status"), [(Fingerprint(5, 7), 0), (Fingerprint(5, 8), 3), (Fingerprint(6, 7), 3), (None, 0)]
)
def test_another_record_before_the_position_is_refused(kept: Fingerprint | None, status: int) -> None:
    """A log that went back and grew again has all the offsets, and something else at them."""

    async def script(scene: Scene) -> None:
        scene.processor.taken, scene.reader.kept = Fingerprint(5, 7), kept
        await assigned(scene)
        await scene.engine.take(scene.reader.fetch(20))

    scene = play(script)
    assert scene.reader.looked_at == [{SOURCE: 19}]
    assert scene.engine.status == status
    assert scene.processor.batches == ([[20]] if status == 0 else [])


def test_a_log_that_went_back_while_kafka_was_silent_is_refused() -> None:
    """No owner changes, and Kafka's answers go on where they stopped, but of another log."""

    async def script(scene: Scene) -> None:
        scene.processor.taken = scene.reader.kept = Fingerprint(5, 7)
        await assigned(scene)
        report = asyncio.create_task(scene.engine.report())
        scene.reader.answers.clear()
        while scene.engine._valid_after >= 0:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        scene.reader.kept = Fingerprint(5, 8)
        await scene.engine.take(scene.reader.fetch(20))
        scene.reader.answers.set()
        async with asyncio.timeout(5):
            await scene.engine.over.wait()
        report.cancel()

    scene = play(script)
    assert scene.engine.status == 3
    assert scene.processor.batches == []


def test_what_kafka_no_longer_has_cannot_be_compared() -> None:
    async def script(scene: Scene) -> None:
        scene.processor.taken, scene.processor.position = Fingerprint(5, 7), 10
        await assigned(scene)

    scene = play(script)
    assert scene.reader.looked_at == [{}]
    assert scene.engine.status == 0


def test_a_complaint_of_kafka_that_is_out_of_date_does_no_harm() -> None:
    async def script(scene: Scene) -> None:
        await assigned(scene)
        await scene.engine.reread(missing=True)
        await scene.engine.take(scene.reader.fetch(20))

    scene = play(script)
    assert scene.processor.batches == [[20]]
    assert scene.engine.status == 0


def test_away_is_waited_out_and_the_same_slices_come_again() -> None:
    async def script(scene: Scene) -> None:
        await assigned(scene)
        scene.processor.failures = [Away("gone"), Away("gone")]
        await scene.engine.take(scene.reader.fetch(20, 21))
        await scene.engine.take(scene.reader.fetch(22))

    scene = play(script)
    assert scene.processor.batches == [[20, 21], [20, 21], [20, 21], [22]]
    assert scene.value("retries_total", kind="away") == 2
    assert scene.value("events_total", topic="t.a") == 3
    assert scene.engine.healthy()


def test_what_the_processor_leaves_is_read_again_and_nothing_beyond_it_before() -> None:
    async def script(scene: Scene) -> None:
        await assigned(scene)
        scene.processor.leaves = [22]
        fetched, ahead = scene.reader.fetch(20, 21, 22, 23), scene.reader.fetch(24)
        await scene.engine.take(fetched)
        assert scene.value("events_total", topic="t.a") == 2
        await scene.engine.take(ahead)  # it came before the seek
        await scene.engine.take(scene.reader.fetch(22, 23))

    scene = play(script)
    assert scene.reader.sought == [20, 22]
    assert scene.processor.batches == [[20, 21, 22, 23], [22, 23]]
    assert scene.processor.starts == 1, "nobody else is asked where to go on"
    assert scene.engine.healthy()


def test_a_worker_whose_dependency_is_away_does_not_look_healthy() -> None:
    async def script(scene: Scene) -> None:
        await assigned(scene)
        scene.processor.failures = [Away("gone")] * 10_000
        taking = asyncio.create_task(scene.engine.take(scene.reader.fetch(20)))
        async with asyncio.timeout(60):
            while scene.engine.healthy():  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
        assert scene.value("up") == 0
        scene.engine.end()
        await taking

    assert play(script).engine.status == 0


def test_a_worker_that_gets_on_with_nothing_does_not_look_healthy() -> None:
    async def script(scene: Scene) -> None:
        await assigned(scene)
        report = asyncio.create_task(scene.engine.report())
        await asyncio.sleep(0.3)
        assert not scene.engine.healthy()
        scene.reader.end = 20
        await asyncio.sleep(0.1)
        assert scene.engine.healthy()
        report.cancel()

    play(script, QUICK.model_copy(update={"stuck_after_seconds": 0.2}))


WATCHFUL = QUICK.model_copy(update={"still_after_seconds": 0.2})


async def stands_still(scene: Scene, seconds: float = 1.0) -> bool:
    guard = asyncio.create_task(scene.engine.guard())
    await asyncio.wait({guard}, timeout=seconds)
    if guard.cancel():
        return False
    assert isinstance(guard.exception(), Away)
    return True


def test_a_worker_that_waits_for_an_assignment_in_silence_is_noticed() -> None:
    async def script(scene: Scene) -> None:
        await assigned(scene)
        await scene.engine.pause()
        report = asyncio.create_task(scene.engine.report())
        assert await stands_still(scene)
        report.cancel()

    assert play(script, WATCHFUL).value("retries_total", kind="still") == 1


def test_a_worker_that_has_nothing_to_do_does_not_stand_still() -> None:
    async def script(scene: Scene) -> None:
        scene.reader.end = 20
        await assigned(scene)
        report = asyncio.create_task(scene.engine.report())
        assert not await stands_still(scene)
        report.cancel()

    play(script, WATCHFUL)


def test_a_worker_that_waits_for_what_is_away_does_not_stand_still() -> None:
    async def script(scene: Scene) -> None:
        scene.processor.start_failures = [Away("gone")] * 1000
        asking = asyncio.create_task(scene.engine.find_positions())
        assert not await stands_still(scene)
        scene.engine.end()
        await asking

    play(script, WATCHFUL)


def test_where_kafka_is_away_for_all_nobody_stands_still() -> None:
    """A consumer that is made anew would hear no more."""

    async def script(scene: Scene) -> None:
        await assigned(scene)
        scene.reader.answers.clear()
        scene.identities.clear()
        report = asyncio.create_task(scene.engine.report())
        assert not await stands_still(scene)
        scene.identities["t.a"] = SourceIdentity("cluster", "topic")
        assert await stands_still(scene)
        report.cancel()

    play(script, WATCHFUL)


def test_a_long_batch_is_no_standing_still() -> None:
    async def script(scene: Scene) -> None:
        await assigned(scene)
        scene.processor.seconds = 0.5
        taking = scene.engine.begin(scene.engine.take(scene.reader.fetch(20)))
        assert not await stands_still(scene, 0.5)
        await taking

    play(script, WATCHFUL)


def test_what_waits_for_the_reader_that_goes_holds_up_nothing_of_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """The consumer's thread has ended: what was asked of it is never answered."""
    monkeypatch.setattr(engine_module, "PATIENCE_SECONDS", 0.1)

    async def script(scene: Scene) -> None:
        await assigned(scene)
        scene.processor.failures = [Fenced("another has it")]
        scene.reader.answers.clear()
        taking = scene.engine.begin(scene.engine.take(scene.reader.fetch(20)))
        await asyncio.sleep(0.05)
        await scene.engine.leave()
        assert taking.done()
        scene.engine.attach(scene.reader)
        scene.reader.answers.set()
        scene.engine.unpause()
        await assigned(scene)
        await scene.engine.take(scene.reader.fetch(20))

    scene = play(script)
    assert scene.processor.batches == [[20], [20]]


def test_fenced_forgets_what_was_fetched_and_asks_again() -> None:
    async def script(scene: Scene) -> None:
        await assigned(scene)
        scene.processor.failures = [Fenced("another has it")]
        one, two = scene.reader.fetch(20), scene.reader.fetch(21)
        scene.processor.position = 50
        await scene.engine.take(one)
        await scene.engine.take(two)
        await scene.engine.take(scene.reader.fetch(50))

    scene = play(script)
    assert scene.processor.batches == [[20], [50]]
    assert scene.reader.sought == [20, 50]
    assert scene.processor.starts == 2


@pytest.mark.parametrize("again", [[Fenced("recounted")], [Fenced("recounted"), Away("gone"), Fenced("recounted")]])
def test_who_is_fenced_while_it_asks_skips_nothing(again: list[Exception]) -> None:
    """A stale owner meets a recount: until it knows where it is, what it has fetched ahead must not count."""

    async def script(scene: Scene) -> None:
        await assigned(scene)
        scene.processor.failures, scene.processor.start_failures = [Fenced("another has it")], list(again)
        one, two = scene.reader.fetch(*range(20, 30)), scene.reader.fetch(*range(30, 40))
        await scene.engine.take(one)
        await scene.engine.take(two)
        await scene.engine.take(scene.reader.fetch(*range(20, 40)))

    scene = play(script)
    assert scene.processor.batches == [[*range(20, 30)], [*range(20, 40)]]
    assert scene.reader.sought == [20, 20]
    assert scene.engine.status == 0


def test_nothing_passes_while_what_was_asked_has_no_answer() -> None:
    """Owners change while a fenced worker asks: the answer that comes later is the one that counts."""

    async def script(scene: Scene) -> None:
        await assigned(scene)
        one, two = scene.reader.fetch(20), scene.reader.fetch(21)
        scene.processor.failures, scene.processor.start_failures = [Fenced("another has it")], [Away("gone")] * 1000
        taking = asyncio.create_task(scene.engine.take(one))
        await asyncio.sleep(0.05)
        await scene.engine.pause()
        await taking
        scene.engine.unpause()
        await scene.engine.seek()
        await scene.engine.take(two)
        await scene.engine.take(scene.reader.fetch(22))
        scene.processor.start_failures = []
        await assigned(scene)
        await scene.engine.take(scene.reader.fetch(20, 21, 22))

    assert play(script).processor.batches == [[20], [20, 21, 22]]


def test_an_answer_that_comes_after_owners_changed_takes_nothing_from_the_newer_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_module, "PATIENCE_SECONDS", 0.05)

    async def script(scene: Scene) -> None:
        await assigned(scene)
        late, usual = asyncio.Event(), scene.reader.bounds

        async def slow(sources: Collection[TopicPartition]) -> Mapping[TopicPartition, Bounds]:
            await late.wait()
            return await usual(sources)

        monkeypatch.setattr(scene.reader, "bounds", slow)
        asking = asyncio.create_task(scene.engine.reread(missing=False))
        await asyncio.sleep(0.01)
        monkeypatch.setattr(scene.reader, "bounds", usual)
        await scene.engine.pause()
        scene.engine.unpause()
        await scene.engine.find_positions()
        late.set()
        await asking
        await scene.engine.seek()
        await scene.engine.take(scene.reader.fetch(20))

    assert play(script).processor.batches == [[20]]


def test_a_fetch_that_begins_beyond_the_processor_is_read_again() -> None:
    async def script(scene: Scene) -> None:
        await assigned(scene)
        scene.engine._positions[SOURCE] = scene.processor.position = 15
        await scene.engine.take(scene.reader.fetch(20))
        await scene.engine.take(scene.reader.fetch(15, 20))

    assert play(script).processor.batches == [[15, 20]]


def test_who_is_fenced_while_it_starts_asks_again() -> None:
    async def script(scene: Scene) -> None:
        scene.processor.start_failures = [Fenced("recounted")]
        await assigned(scene)
        await scene.engine.take(scene.reader.fetch(20))

    scene = play(script)
    assert scene.engine.status == 0
    assert scene.processor.batches == [[20]]


def test_a_fetch_that_got_lost_is_noticed_and_read_again() -> None:
    async def script(scene: Scene) -> None:
        await assigned(scene)
        await scene.engine.take(scene.reader.fetch(20))
        scene.processor.position = 21
        scene.reader.fetch(21)
        await scene.engine.take(scene.reader.fetch(22))
        await scene.engine.take(scene.reader.fetch(21, 22))

    scene = play(script)
    assert scene.processor.batches == [[20], [21, 22]]
    assert scene.reader.sought == [20, 21]
    assert scene.value("retries_total", kind="dropped") == 1


@pytest.mark.parametrize(("error", "status"), [(Refused("made again"), 3), (KeyError("bug"), 1)])
def test_a_failure_that_does_not_pass_stops_the_worker(error: Exception, status: int) -> None:
    async def script(scene: Scene) -> None:
        await assigned(scene)
        scene.processor.failures = [error]
        await scene.engine.take(scene.reader.fetch(20))
        await scene.engine.take(scene.reader.fetch(21))
        await scene.engine.finish()

    scene = play(script)
    assert scene.engine.status == status
    assert scene.processor.batches == [[20]]
    assert scene.reader.committed == [20]
    assert not scene.engine.healthy()


def test_a_change_of_owners_ends_the_wait_and_makes_old_fetches_worthless() -> None:
    async def script(scene: Scene) -> None:
        await assigned(scene)
        scene.processor.failures = [Away("gone")] * 10_000
        one, two = scene.reader.fetch(20), scene.reader.fetch(21)
        taking = asyncio.create_task(scene.engine.take(one))
        await asyncio.sleep(0.05)
        await scene.engine.pause()
        assert taking.done()
        scene.processor.failures = []
        scene.processor.batches.clear()
        scene.engine.unpause()
        await scene.engine.take(two)
        assert scene.processor.batches == []
        await assigned(scene)
        await scene.engine.take(scene.reader.fetch(20, 21))

    assert play(script).processor.batches == [[20, 21]]


def test_a_change_of_owners_lets_the_batch_in_hand_finish() -> None:
    async def script(scene: Scene) -> None:
        await assigned(scene)
        scene.processor.seconds = 0.2
        taking = asyncio.create_task(scene.engine.take(scene.reader.fetch(20)))
        await asyncio.sleep(0.05)
        await scene.engine.pause()
        assert scene.processor.batches == [[20]]
        assert taking.done()

    play(script)


def test_the_processor_has_one_thread_and_one_batch_at_a_time() -> None:
    async def script(scene: Scene) -> None:
        await assigned(scene)
        scene.processor.seconds = 0.01
        await asyncio.gather(*(scene.engine.take(scene.reader.fetch(20 + number)) for number in range(5)))

    scene = play(script)
    assert scene.processor.batches == [[20], [21], [22], [23], [24]]
    assert len(scene.processor.threads) == 1
    assert threading.get_ident() not in scene.processor.threads


def test_lag_and_position_are_shown_and_kafka_told() -> None:
    async def script(scene: Scene) -> None:
        await scene.engine.take(scene.reader.fetch(20, 29))
        await asyncio.sleep(0.1)

    scene = reporting(script)
    assert scene.value("position", topic="t.a") == 30
    assert scene.value("lag", topic="t.a") == 70
    assert scene.reader.committed == [30]


def test_a_backlog_shrinks_with_each_batch_and_not_only_when_it_is_measured() -> None:
    async def script(scene: Scene) -> None:
        await comes_true(lambda: scene.engine.backlogs() == {SOURCE: 80})
        scene.reader.answers.clear()
        await scene.engine.take(scene.reader.fetch(20, 29))
        assert scene.engine.backlogs() == {SOURCE: 70}

    assert reporting(script).value("lag", topic="t.a") == 80


def reporting(script: Callable[[Scene], Awaitable[None]]) -> Scene:
    """Play a script with the worker assigned and the report running beside it."""

    async def whole(scene: Scene) -> None:
        await assigned(scene)
        report = asyncio.create_task(scene.engine.report())
        await script(scene)
        report.cancel()

    return play(whole)


async def comes_true(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not happened():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


def test_a_worker_cut_off_while_it_has_nothing_to_do_is_not_up() -> None:
    async def script(scene: Scene) -> None:
        scene.reader.end = 20
        await comes_true(lambda: scene.value("lag", topic="t.a") == 0)
        scene.reader.answers.clear()
        await comes_true(lambda: scene.value("up") == 0)
        measured = scene.value("measured_timestamp_seconds")
        await asyncio.sleep(0.05)
        assert scene.value("measured_timestamp_seconds") == measured
        assert not scene.engine.healthy()
        scene.reader.answers.set()
        await comes_true(lambda: scene.value("up") == 1)
        assert scene.value("measured_timestamp_seconds") > measured  # type: ignore[operator]

    reporting(script)


def test_what_waits_is_as_old_as_its_first_message() -> None:
    """Not as what came before it, which may be days older where an authority sends little."""

    async def script(scene: Scene) -> None:
        scene.reader.kept = Fingerprint(round((time.time() - 300) * 1000), 0)
        await comes_true(lambda: (scene.value("lag_seconds", topic="t.a") or 0) >= 300)
        assert 300 <= (scene.value("lag_seconds", topic="t.a") or 0) < 310
        assert scene.reader.looked_at[1:] == [{SOURCE: 20}], "Kafka is asked once, while it does not move"
        await scene.engine.take(scene.reader.fetch(*range(20, 100)))
        await comes_true(lambda: scene.value("lag_seconds", topic="t.a") == 0)

    reporting(script)


def test_what_kafka_cannot_date_waits_since_it_was_seen() -> None:
    async def script(scene: Scene) -> None:
        await comes_true(lambda: (scene.value("lag_seconds", topic="t.a") or 0) > 0.05)
        assert (scene.value("lag_seconds", topic="t.a") or 0) < 5
        assert scene.reader.looked_at[1:] == [{SOURCE: 20}]

    reporting(script)


def test_what_kafka_does_not_date_while_it_is_away_waits_since_it_was_seen_too() -> None:
    async def script(scene: Scene) -> None:
        scene.reader.dates_nothing = True
        await comes_true(lambda: (scene.value("lag_seconds", topic="t.a") or 0) > 0.05)
        assert (scene.value("lag_seconds", topic="t.a") or 0) < 5
        assert scene.reader.looked_at[1:] == [{SOURCE: 20}]

    reporting(script)


def test_what_an_open_transaction_hides_waits_and_is_no_sign_of_being_stuck() -> None:
    async def script(scene: Scene) -> None:
        await scene.engine.take(scene.reader.fetch(*range(20, 100)))
        await comes_true(lambda: scene.value("lag", topic="t.a") == 0)
        scene.reader.hidden = 103
        await comes_true(lambda: scene.value("lag", topic="t.a") == 3)
        await comes_true(lambda: (scene.value("lag_seconds", topic="t.a") or 0) > 0.05)
        assert scene.engine.healthy()

    reporting(script)


def test_what_is_held_back_waits_however_far_it_was_fetched() -> None:
    async def script(scene: Scene) -> None:
        scene.processor.held = {SOURCE: 25, TopicPartition("t.other", 0): 1}
        await scene.engine.take(scene.reader.fetch(20, 99))
        await asyncio.sleep(0.1)

    scene = reporting(script)
    assert scene.value("position", topic="t.a") == 25
    assert scene.value("lag", topic="t.a") == 75
    assert scene.reader.committed == [25]
    assert scene.engine.healthy()


def test_markers_that_no_message_stands_for_are_not_lag() -> None:
    async def script(scene: Scene) -> None:
        await assigned(scene)
        await scene.engine.take(scene.reader.fetch(20))
        scene.reader.position = 100
        report = asyncio.create_task(scene.engine.report())
        await asyncio.sleep(0.1)
        report.cancel()

    assert play(script).value("lag", topic="t.a") == 0


def test_what_is_lost_while_it_is_measured_is_no_fault() -> None:
    """As when a topic is deleted: Kafka answers for it late, if at all."""

    async def script(scene: Scene) -> None:
        await assigned(scene)
        report = asyncio.create_task(scene.engine.report())
        report.add_done_callback(scene.engine.watch)
        scene.reader.answers.clear()
        await asyncio.sleep(0.05)
        scene.reader.sources = []
        await assigned(scene)
        scene.reader.answers.set()
        await asyncio.sleep(0.1)
        report.cancel()

    scene = play(script)
    assert scene.engine.status == 0
    assert not scene.engine.over.is_set()


@pytest.mark.parametrize("end", [19, 100])
def test_a_topic_made_again_while_positions_are_asked_for_is_named_as_that(
    end: int, caplog: pytest.LogCaptureFixture
) -> None:
    """What the new one holds, or lacks, is met before its identity."""

    async def script(scene: Scene) -> None:
        scene.processor.taken, scene.reader.kept, scene.reader.end = Fingerprint(5, 7), Fingerprint(5, 8), end
        scene.reader.answers.clear()
        asking = asyncio.create_task(scene.engine.reread(missing=True))
        while not scene.processor.starts:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        scene.identities["t.a"] = SourceIdentity("cluster", "another")
        scene.reader.answers.set()
        await asking

    assert play(script).engine.status == 3
    assert "t.a was deleted and made again" in caplog.text


def test_a_topic_made_again_is_refused_while_running() -> None:
    async def script(scene: Scene) -> None:
        await assigned(scene)
        report = asyncio.create_task(scene.engine.report())
        report.add_done_callback(scene.engine.watch)
        scene.identities["t.a"] = SourceIdentity("cluster", "another")
        async with asyncio.timeout(5):
            await scene.engine.over.wait()

    assert play(script, QUICK.model_copy(update={"identity_every_seconds": 0.01})).engine.status == 3


def test_a_topic_that_went_and_came_again_is_refused() -> None:
    async def script(scene: Scene) -> None:
        await assigned(scene)
        scene.reader.sources = []
        await assigned(scene)
        report = asyncio.create_task(scene.engine.report())
        report.add_done_callback(scene.engine.watch)
        scene.identities["t.a"] = SourceIdentity("cluster", "another")
        async with asyncio.timeout(5):
            await scene.engine.over.wait()

    assert play(script, QUICK.model_copy(update={"identity_every_seconds": 0.01})).engine.status == 3


def test_topics_are_looked_at_with_every_so_many_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    reports: list[int] = []
    looks: list[int] = []

    async def script(scene: Scene) -> None:
        await assigned(scene)
        measure, check = scene.engine._measure_or_doubt, scene.engine._check_identities

        async def measured() -> None:
            reports.append(len(looks))
            await measure()

        async def looked(known: Mapping[str, SourceIdentity]) -> None:
            looks.append(len(reports))
            await check(known)

        monkeypatch.setattr(scene.engine, "_measure_or_doubt", measured)
        monkeypatch.setattr(scene.engine, "_check_identities", looked)
        report = asyncio.create_task(scene.engine.report())
        await comes_true(lambda: len(reports) > 9)
        report.cancel()

    play(script, QUICK.model_copy(update={"identity_every_seconds": 0.03}))
    assert looks[:3] == [3, 6, 9]

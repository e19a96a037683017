"""The stream engine on a real broker, with what can go wrong going wrong."""

import asyncio
import gc
import os
import signal
import sys
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.cluster import ClusterMetadata
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka import TopicPartition as KafkaPartition
from kafka.structs import OffsetAndMetadata
from prometheus_client import CollectorRegistry

from services.chassis.failures import Away, Fenced, Refused
from services.chassis.metrics import StreamMetrics
from services.chassis.settings import StreamSettings
from services.chassis.streaming.batches import Fingerprint, Slice, SourceIdentity, TopicPartition, fingerprint
from services.chassis.streaming.clients.admin import Admin
from services.chassis.streaming.clients.outgoing import Outgoing
from services.chassis.streaming.clients.producer import Producer
from services.chassis.streaming.fetching.bounded import LONGEST
from services.chassis.streaming.membership.app import App
from services.chassis.streaming.membership.consumer import Consumer, ConsumerThread
from services.chassis.streaming.stream import Stream
from tests.faults.chassis.ledger import SESSION_SECONDS, Ledger, kafka_settings
from tests.support.generated.thorough import TURN, turns
from tests.support.kafka import KafkaProcess
from tests.support.running.forked import Served, fork

# A consumer that stood still is left as it is, with its connections, for the garbage collector to find at any time.
LEFT = [
    f"ignore:{what}:ResourceWarning" for what in ("Unclosed AIOKafkaConnection", "loop is closed", "unclosed transport")
]
pytestmark = [pytest.mark.faults, *map(pytest.mark.filterwarnings, LEFT)]

QUICK = StreamSettings(report_every_seconds=0.3, identity_every_seconds=0.3, retry_longest_seconds=0.5)


@pytest.fixture(scope="module", autouse=True)
def what_is_left() -> Iterator[None]:
    """Collect here what consumers left, so that no test of another module meets it."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def wait_until(condition: Callable[[], object], seconds: float = 40) -> None:
    deadline, pause = time.monotonic() + seconds, 0.02
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(pause)
        pause = min(1.5 * pause, 0.1)


class Recorder:
    """Keeps what it is given; fails as told."""

    def __init__(self, position: int = 0) -> None:
        self.position = position
        self.failures: list[Exception] = []
        self.starts: list[dict[TopicPartition, SourceIdentity]] = []
        self.tries: list[list[int]] = []
        self.kept: list[int] = []

    def start(self, sources: Mapping[TopicPartition, SourceIdentity]) -> Mapping[TopicPartition, int]:
        self.starts.append(dict(sources))
        return dict.fromkeys(sources, self.position)

    def held_back(self) -> Mapping[TopicPartition, int]:
        return {}

    def last_taken(self) -> Mapping[TopicPartition, Fingerprint]:
        return {}

    def process(self, slices: Sequence[Slice]) -> None:
        offsets = [message.offset for part in slices for message in part.messages]
        self.tries.append(offsets)
        if self.failures:
            raise self.failures.pop(0)
        self.kept += offsets
        self.position = self.kept[-1] + 1


class Running:
    """A worker in a thread."""

    def __init__(self, stream: Stream, registry: CollectorRegistry, status: "Future[int]") -> None:
        self.stream, self.registry, self.status = stream, registry, status

    def stop(self) -> int:
        self.stream.stop()
        return self.status.result(30)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"payback_stream_{name}", labels)


StartWorker = Callable[..., Running]


@pytest.fixture
def worker(kafka: str) -> Iterator[StartWorker]:
    """Yield what starts workers, and stop those that still run."""
    running: list[Running] = []
    with ThreadPoolExecutor() as pool:

        def start(processor: object, *topics: str, group: str = "", settings: StreamSettings = QUICK) -> Running:
            registry = CollectorRegistry()
            name = group or f"group-{uuid.uuid4().hex}"
            stream = Stream(kafka_settings(kafka), settings, name, topics, processor, StreamMetrics(registry))  # type: ignore[arg-type]
            running.append(Running(stream, registry, pool.submit(stream.run)))
            return running[-1]

        yield start
        for one in running:
            one.stop()


@pytest.fixture
def send(kafka: str) -> Iterator[Callable[..., None]]:
    """Yield what sends so many messages to a topic."""
    with Producer(kafka_settings(kafka)) as producer:

        def messages(topic: str, count: int) -> None:
            producer.send_all([Outgoing(topic, b"key", b"%d" % number) for number in range(count)])

        yield messages


@pytest.fixture
def topic(new_topic: Callable[[], str]) -> str:
    return new_topic()


def make_topics(kafka: str, *names: str) -> None:
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.create_topics(
            {name: {"num_partitions": 1, "replication_factor": 1} for name in names}, wait_for_metadata=True
        )


def commit(kafka: str, group: str, topic: str, offset: int) -> None:
    with closing(KafkaConsumer(bootstrap_servers=kafka, group_id=group)) as consumer:
        at = KafkaPartition(topic, 0)
        consumer.assign([at])
        consumer.commit({at: OffsetAndMetadata(offset, "", -1)})


def committed(kafka: str, group: str, topic: str) -> int | None:
    with closing(KafkaConsumer(bootstrap_servers=kafka, group_id=group)) as consumer:
        return consumer.committed(KafkaPartition(topic, 0))  # type: ignore[no-any-return]


@pytest.mark.parametrize("kafkas", turns([None, 2, 18, 1000], TURN, some=2))
def test_reading_starts_at_the_processors_position_whatever_kafka_says(
    kafka: str, topic: str, worker: StartWorker, send: Callable[..., None], kafkas: int | None
) -> None:
    send(topic, 20)
    if kafkas is not None:
        commit(kafka, f"group-{topic}", topic, kafkas)
    processor = Recorder(position=10)
    one = worker(processor, topic, group=f"group-{topic}")
    wait_until(lambda: len(processor.kept) >= 10)
    assert processor.kept == list(range(10, 20))
    wait_until(lambda: committed(kafka, f"group-{topic}", topic) == 20)
    wait_until(lambda: one.value("lag", topic=topic) == 0)
    assert one.stop() == 0


def test_away_for_longer_than_a_session_is_waited_out(
    topic: str, worker: StartWorker, send: Callable[..., None]
) -> None:
    processor = Recorder()
    processor.failures = [Away("the database")] * 1000
    one = worker(processor, topic)
    send(topic, 10)
    wait_until(lambda: len(processor.tries) >= 2)
    assert not one.stream.healthy()
    time.sleep(SESSION_SECONDS + 2)
    processor.failures.clear()
    wait_until(lambda: len(processor.kept) >= 10)
    assert processor.kept == list(range(10))
    first = processor.tries[0]
    assert [tried for tried in processor.tries if tried[0] == 0] == [first] * processor.tries.count(first)
    assert one.value("rebalances_total") == 1
    wait_until(one.stream.healthy)
    assert one.stop() == 0


def test_away_while_starting_is_waited_out(topic: str, worker: StartWorker, send: Callable[..., None]) -> None:
    class Slow(Recorder):
        def start(self, sources: Mapping[TopicPartition, SourceIdentity]) -> Mapping[TopicPartition, int]:
            positions = super().start(sources)
            if len(self.starts) < 4:
                raise Away("the database")
            return positions

    processor = Slow(position=3)
    send(topic, 5)
    worker(processor, topic)
    wait_until(lambda: processor.kept == [3, 4])
    assert len(processor.starts) == 4


def test_stopping_does_not_wait_for_what_is_away(topic: str, worker: StartWorker, send: Callable[..., None]) -> None:
    processor = Recorder()
    processor.failures = [Away("the database")] * 1000
    one = worker(processor, topic, settings=StreamSettings(retry_first_seconds=60, retry_longest_seconds=60))
    send(topic, 1)
    wait_until(lambda: processor.tries)
    began = time.monotonic()
    assert one.stop() == 0
    assert time.monotonic() - began < 20
    assert processor.kept == []


def test_fenced_goes_where_the_processor_says(topic: str, worker: StartWorker, send: Callable[..., None]) -> None:
    send(topic, 50)
    processor = Recorder()
    processor.failures = [Fenced("another worker has moved on")]
    one = worker(processor, topic)
    wait_until(lambda: len(processor.kept) >= 50)
    processor.position = 20
    processor.failures = [Fenced("another worker has moved on")]
    send(topic, 1)
    wait_until(lambda: len(processor.kept) >= 50 + 31)
    assert processor.kept == [*range(50), *range(20, 51)]
    assert len(processor.starts) == 3
    assert one.value("retries_total", kind="fenced") == 2


def test_a_bug_stops_the_worker_and_nothing_is_skipped_after(
    topic: str, worker: StartWorker, send: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    processor = Recorder()
    one = worker(processor, topic)
    send(topic, 5)
    wait_until(lambda: len(processor.kept) == 5)
    processor.failures = [KeyError("a person's name")]
    send(topic, 5)
    assert one.status.result(40) == 1
    assert not one.stream.healthy()
    assert one.value("up") == 0
    assert processor.kept == list(range(5))
    assert "KeyError at" in caplog.text
    assert "person" not in caplog.text
    worker(processor, topic)
    wait_until(lambda: len(processor.kept) >= 10)
    assert processor.kept == list(range(10))


def test_refused_stops_the_worker(topic: str, worker: StartWorker, send: Callable[..., None]) -> None:
    processor = Recorder()
    processor.failures = [Refused("this must not go on")]
    send(topic, 1)
    assert worker(processor, topic).status.result(40) == 3


@pytest.mark.durable_broker  # the embedded broker does not say that it lacks an offset
def test_a_position_beyond_the_topic_is_refused(topic: str, worker: StartWorker, send: Callable[..., None]) -> None:
    send(topic, 5)
    assert worker(Recorder(position=6), topic).status.result(40) == 3


def test_a_topic_made_again_under_a_running_worker_is_refused(
    kafka: str, topic: str, worker: StartWorker, send: Callable[..., None]
) -> None:
    processor = Recorder()
    one = worker(processor, topic)
    send(topic, 5)
    wait_until(lambda: len(processor.kept) == 5)
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.delete_topics([topic])
    make_topics(kafka, topic)
    assert one.status.result(60) == 3
    assert processor.kept == list(range(5))


def test_a_missing_topic_is_waited_for(kafka: str, worker: StartWorker, send: Callable[..., None]) -> None:
    name = f"late.{uuid.uuid4().hex}"
    processor = Recorder()
    one = worker(processor, name)
    wait_until(lambda: one.value("retries_total", kind="away"))
    make_topics(kafka, name)
    send(name, 1)
    wait_until(lambda: processor.kept == [0])


def test_a_topic_that_stands_still_behind_a_transaction_is_behind(
    kafka: str, topic: str, worker: StartWorker, send: Callable[..., None]
) -> None:
    """Kafka tells those who wait for the end of transactions that there is no more."""
    recorder = Recorder()
    send(topic, 3)
    running = worker(recorder, topic)
    wait_until(lambda: running.value("lag", topic=topic) == 0)
    with closing(KafkaProducer(bootstrap_servers=kafka, transactional_id=topic)) as hanging:
        hanging.init_transactions()
        hanging.begin_transaction()
        hanging.send(topic, b"hangs").get(10)
        send(topic, 2)
        wait_until(lambda: running.value("lag", topic=topic) == 3)
        wait_until(lambda: (running.value("lag_seconds", topic=topic) or 0) > 1)
        assert running.value("up") == 1
        hanging.abort_transaction()
    wait_until(lambda: running.value("lag", topic=topic) == 0)
    wait_until(lambda: running.value("lag_seconds", topic=topic) == 0)
    assert recorder.kept == [0, 1, 2, 4, 5]


def test_two_workers_share_evenly_keep_pairs_together_and_take_over(
    kafka: str, worker: StartWorker, tmp_path: Path, send: Callable[..., None]
) -> None:
    run = uuid.uuid4().hex
    topics = [f"{run}.{kind}.S{number}" for number in range(4) for kind in ("orders", "unpaid-work")]
    make_topics(kafka, *topics)
    ledgers = [Watched(tmp_path / "ledger") for _ in range(2)]
    one, two = [worker(ledger, *topics, group=run) for ledger in ledgers]
    wait_until(lambda: [len(ledger.owned) for ledger in ledgers] == [4, 4])
    suffixes = [{topic.rpartition(".")[2] for topic in ledger.owned} for ledger in ledgers]
    assert not suffixes[0] & suffixes[1]
    assert [len(names) for names in suffixes] == [2, 2]
    for topic in topics:
        send(topic, 10)
    wait_until(lambda: sum(ledgers[0].positions().values()) == 80)
    before = ledgers[1].owned
    assert one.stop() == 0
    wait_until(lambda: len(ledgers[1].owned) == 8)
    assert before < ledgers[1].owned
    for topic in topics:
        send(topic, 10)
    wait_until(lambda: sum(ledgers[0].positions().values()) == 160)
    assert ledgers[0].offsets() == {topic: list(range(20)) for topic in topics}
    assert two.stop() == 0


class Watched(Ledger):
    """Tells what it owns."""

    owned: frozenset[str] = frozenset()

    def start(self, sources: Mapping[TopicPartition, SourceIdentity]) -> Mapping[TopicPartition, int]:
        self.owned = frozenset(source.topic for source in sources)
        return super().start(sources)


@pytest.fixture
def process(kafka: str, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Yield what starts workers as processes of their own, and kill those that still run."""
    running: list[Served] = []

    def start(group: str, *topics: str, seconds: float = 0.05) -> Served:
        program = [sys.executable, "-m", "tests.faults.chassis.ledger"]
        told = [str(tmp_path / "ledger"), kafka, group, str(seconds), *topics]
        running.append(fork([*program, *told], tmp_path / "worker.log", os.environ))
        return running[-1]

    yield start
    for one in running:
        one.kill()
        one.wait()


def test_killed_workers_lose_nothing_and_repeat_nothing(
    topic: str, tmp_path: Path, process: Callable[..., Served], send: Callable[..., None]
) -> None:
    send(topic, 10_000)
    ledger = Ledger(tmp_path / "ledger")
    for _ in range(2):
        before = ledger.positions().get(topic, 0)
        one = process(topic, topic)
        wait_until(lambda before=before: ledger.positions().get(topic, 0) > before)  # type: ignore[misc]
        one.kill()
        one.wait()
    assert 0 < ledger.positions()[topic] < 10_000
    process(topic, topic, seconds=0)
    wait_until(lambda: ledger.positions()[topic] == 10_000)
    assert ledger.offsets() == {topic: list(range(10_000))}


def test_sigterm_finishes_the_batch_in_hand(
    topic: str, tmp_path: Path, process: Callable[..., Served], send: Callable[..., None]
) -> None:
    send(topic, 5000)
    ledger = Ledger(tmp_path / "ledger")
    one = process(topic, topic, seconds=1)
    wait_until(lambda: ledger.positions().get(topic))
    time.sleep(0.3)
    before = ledger.positions()[topic]
    one.send_signal(signal.SIGTERM)
    assert one.wait(20) == 0
    assert before < ledger.positions()[topic] < 5000
    assert ledger.offsets() == {topic: list(range(ledger.positions()[topic]))}


@pytest.mark.parametrize(
    ("codec", "huge"),
    turns([("gzip", 20_000_000), ("zstd", 100_000_000), ("lz4", 20_000_000), ("snappy", 15_000_000)], TURN, some=2),
)
def test_a_value_that_would_fill_the_memory_is_bounded(
    worker: StartWorker, kafka: str, topic: str, codec: str, huge: int
) -> None:
    """It takes 1 MB at most on the way; of it comes what shows that it is too large, and its neighbours come whole."""

    async def send() -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=kafka, compression_type=codec, max_batch_size=2**31 - 1, max_request_size=2**31 - 1
        )
        async with producer:
            batch = producer.create_batch()
            for value in (b"before", b"x" * huge, b"after"):
                assert batch.append(key=b"k", value=value, timestamp=None) is not None
            await (await producer.send_batch(batch, topic, partition=0))

    asyncio.run(send())
    values: list[bytes] = []

    class Kept(Recorder):
        def process(self, slices: Sequence[Slice]) -> None:
            super().process(slices)
            values.extend(message.value or b"" for part in slices for message in part.messages)

    recorder = Kept()
    running = worker(recorder, topic)
    wait_until(lambda: len(recorder.kept) == 3)
    assert [len(value) for value in values] == [6, LONGEST, 5]
    assert running.stop() == 0


def test_who_released_an_authority_has_its_messages_read_again(
    worker: StartWorker, send: Callable[..., None], topic: str
) -> None:
    recorder = Recorder()
    running = worker(recorder, topic)
    send(topic, 5)
    wait_until(lambda: len(recorder.kept) == 5)
    recorder.position = 2
    running.stream.go_back()
    wait_until(lambda: recorder.kept == [0, 1, 2, 3, 4, 2, 3, 4])
    assert running.stop() == 0


class Remembering(Recorder):
    """Knows the last record that it took, as services do."""

    last: dict[TopicPartition, Fingerprint]

    def held_back(self) -> Mapping[TopicPartition, int]:
        return {}

    def last_taken(self) -> Mapping[TopicPartition, Fingerprint]:
        return self.last if self.kept else {}

    def process(self, slices: Sequence[Slice]) -> None:
        super().process(slices)
        self.last = {part.source: fingerprint(part.messages[-1]) for part in slices}


class Restored(NamedTuple):
    """A worker on a topic of its own that had eight messages, and has three and so many others when Kafka was restored."""

    topic: str
    sent: int
    running: bool
    """Meanwhile, or started afterwards."""
    processor: Remembering

    def start(self, address: str, pool: ThreadPoolExecutor) -> tuple[Stream, "Future[int]"]:
        metrics = StreamMetrics(CollectorRegistry())
        stream = Stream(kafka_settings(address), QUICK, self.topic, [self.topic], self.processor, metrics)
        return stream, pool.submit(stream.run)


def test_a_log_restored_from_an_older_copy_is_refused(kafka_process: KafkaProcess, tmp_path: Path) -> None:
    """What was sent after the restore stands at offsets that were taken already: it must not be taken for read.

    The log may then be longer than it was, just as long, or shorter. All cases share the outage, which takes most of the time.
    """
    address = kafka_process.address
    cases = [
        Restored(f"test.{uuid.uuid4().hex}", sent, running, Remembering())
        for running in (True, False)
        for sent in (9, 5, 2)
    ]
    make_topics(address, *(case.topic for case in cases))
    for case in cases:
        send_to(address, case.topic, b"before", 3)
    kafka_process.copy(tmp_path / "copy")
    for case in cases:
        send_to(address, case.topic, b"lost", 5)
    with ThreadPoolExecutor(len(cases)) as pool:
        workers = {case.topic: case.start(address, pool) for case in cases}
        try:
            for case in cases:
                wait_until(lambda case=case: case.processor.kept == list(range(8)))  # type: ignore[misc]
            for stream, status in (workers[case.topic] for case in cases if not case.running):
                stream.stop()
                assert status.result(30) == 0
            kafka_process.stop()
            time.sleep(1)
            kafka_process.restore(tmp_path / "copy")
            kafka_process.start()
            for case in cases:
                send_to(address, case.topic, b"after", case.sent)
            workers |= {case.topic: case.start(address, pool) for case in cases if not case.running}
            assert [status.result(60) for _, status in workers.values()] == [3] * len(cases)
        finally:
            for stream, _ in workers.values():
                stream.stop()
    assert [case.processor.kept for case in cases] == [list(range(8))] * len(cases)


def send_to(address: str, topic: str, value: bytes, count: int) -> None:
    with Producer(kafka_settings(address)) as producer:
        producer.send_all([Outgoing(topic, b"key", value) for _ in range(count)])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # Faust's own thread ends with it
def test_a_broker_that_goes_between_two_steps_of_starting_is_waited_for(
    kafka_process: KafkaProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, topic, processor = kafka_process.address, f"test.{uuid.uuid4().hex}", Recorder()
    make_topics(address, topic)
    send_to(address, topic, b"before", 3)
    identities, killed = Admin.identities, threading.Event()

    def found(admin: Admin, topics: Collection[str]) -> dict[str, SourceIdentity]:
        answer = identities(admin, topics)
        if not killed.is_set():
            kafka_process.kill()
            killed.set()
        return answer

    monkeypatch.setattr(Admin, "identities", found)
    stream = Stream(kafka_settings(address), QUICK, topic, [topic], processor, StreamMetrics(CollectorRegistry()))
    with ThreadPoolExecutor() as pool:
        status = pool.submit(stream.run)
        try:
            wait_until(killed.is_set)
            time.sleep(SESSION_SECONDS + 2)
            assert not status.done()
            kafka_process.start()
            wait_until(lambda: processor.kept == [0, 1, 2], 90)
        finally:
            stream.stop()
        assert status.result(30) == 0


def test_a_topic_of_which_kafka_has_told_nothing_yet_is_read(
    topic: str, worker: StartWorker, send: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It went between two steps of joining. Nobody would notice that this worker, who is well, reads nothing for a minute."""
    monkeypatch.setattr(ClusterMetadata, "partitions_for_topic", lambda *_: None)
    send(topic, 3)
    recorder = Recorder()
    worker(recorder, topic)
    wait_until(lambda: recorder.kept == [0, 1, 2])


async def forever(*_: object, **__: object) -> None:
    await asyncio.Event().wait()


async def nothing(*_: object, **__: object) -> None:
    pass


@pytest.fixture(
    params=turns(
        [
            (App, "_positions", nothing),
            (Consumer, "perform_seek", nothing),
            (Consumer, "on_partitions_assigned", forever),
            (ConsumerThread, "_fetch_records", forever),
        ],
        TURN,
    )
)
def a_step_lost(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out a step of an assignment or of reading the first time, or let it never end."""
    owner, step, instead = request.param
    usual, steps = getattr(owner, step), iter((instead,))

    async def taken(*args: object, **more: object) -> object:
        return await next(steps, usual)(*args, **more)

    monkeypatch.setattr(owner, step, taken)


@pytest.mark.usefixtures("a_step_lost")
def test_a_consumer_that_waits_in_silence_is_made_anew(
    topic: str, worker: StartWorker, send: Callable[..., None]
) -> None:
    """There is no error, no retry, and nobody else who would notice."""
    send(topic, 3)
    recorder = Recorder()
    running = worker(recorder, topic, settings=QUICK.model_copy(update={"still_after_seconds": 4.0}))
    wait_until(lambda: recorder.kept == [0, 1, 2])
    assert running.value("retries_total", kind="still") == 1
    wait_until(lambda: running.value("up") == 1)

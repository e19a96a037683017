"""The things that a fault may touch, the load that is under way meanwhile, and the conditions that must hold afterwards."""

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import msgspec
from kafka import KafkaConsumer
from kafka import TopicPartition as KafkaPartition

from contracts.cells import Cell, decode_aggregate
from contracts.decoding.codec import MAX_BYTES
from contracts.topics import NATIONAL_AGGREGATES
from deploy.local.postgres import Postgres
from services.chassis.failures import Away
from services.chassis.settings import DatabaseSettings, KafkaSettings
from services.chassis.streaming.clients.outgoing import Outgoing
from services.chassis.streaming.clients.producer import Producer
from services.operations.proof.settings import ProofSettings, opened
from services.simulate.telling.sending import Delivery
from tests.support.kafka import KafkaProcess
from tests.support.made.load import SERVICE_OF, Load
from tests.support.outside.proxy import Proxy
from tests.support.processes import WORKERS, Platform, until

ARRIVAL = ("events", "reporting_delay", "sequence")


@dataclass
class Surroundings:
    """The things that only a stage of one's own has: ways that can be cut, and disks that can be full."""

    to_kafka: Proxy
    to_postgres: Proxy
    disks: list[Path]
    directory: Path


@dataclass
class Scene:
    """The things that a fault may touch."""

    platform: Platform
    kafka: KafkaProcess
    postgres: Postgres
    random: Random
    bystander: str
    """An authority that sends nothing but poison."""
    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    around: Surroundings | None = None
    load: Load | None = None
    """What is under way."""

    def worker(self) -> str:
        return self.random.choice(WORKERS)

    def linger(self, longest: float = 3.0) -> None:
        time.sleep(self.random.uniform(0.2, longest))

    @property
    def under_way(self) -> Load:
        assert self.load is not None
        return self.load

    @property
    def own(self) -> Surroundings:
        assert self.around is not None, "only on a stage of one's own"
        return self.around


Fault = Callable[[Scene], None]


def play(scene: Scene, load: Load, faults: Sequence[Fault]) -> None:
    """Play one fault after another, each in the middle of a piece of the load, and then make all the checks."""
    scene.load = load
    pieces = load.pieces(len(faults))
    for fault, piece in zip(faults, pieces, strict=False):
        half = len(piece) // 2
        send(scene.platform, load, piece[:half])
        time.sleep(scene.random.uniform(0, 0.5))
        sys.stderr.write(f"  {fault.__name__}\n")
        fault(scene)
        began = time.monotonic()
        send(scene.platform, load, piece[half:])
        load.wait_until_shown(scene.platform)
        scene.took[fault.__name__].append(time.monotonic() - began)
        sys.stderr.write(f"    {scene.took[fault.__name__][-1]:.1f} s\n")
    check(scene.platform, load)


def send(platform: Platform, load: Load, deliveries: Sequence[Delivery]) -> None:
    """Send to Kafka itself, again and again until it has the event; one that comes twice counts once."""
    with Producer(KafkaSettings(bootstrap=platform.kafka)) as producer:
        for begin in range(0, len(deliveries), 200):
            batch = [Outgoing(one.topic, one.key, one.value) for one in deliveries[begin : begin + 200]]
            while True:
                try:
                    receipts = producer.send_all(batch)
                except Away:
                    time.sleep(0.5)
                else:
                    break
            for receipt, record in zip(receipts, batch, strict=True):
                if len(record.value or b"") > MAX_BYTES:
                    continue  # refused without a look at its id
                with suppress(msgspec.MsgspecError):  # pretend authorities send what cannot be read, too
                    load.receipts[receipt.topic, receipt.offset] = _identified.decode(record.value or b"").id


def check(platform: Platform, load: Load) -> None:
    """Check that nothing is lost, doubled or stale, and that everything is back."""
    load.assert_once(platform)
    load.assert_reporting_equal(platform)
    spoken = {_dimension(key) for key in load.cells if key.split("|")[0] not in ARRIVAL}
    shown = {key: n for key, n in platform.cells(load.authorities).items() if _dimension(key) in spoken}
    assert shown == {key: n for key, n in load.cells.items() if _dimension(key) in spoken}
    assert_log_is_fresh(platform, load)
    assert_proved(platform, load)
    for name in WORKERS:
        until(lambda name=name: platform.up(name), f"{name} is back")  # type: ignore[misc]


def assert_proved(platform: Platform, load: Load) -> None:
    """Assert, in the way of `payback prove`, that log, records, cells and figures agree."""
    database = DatabaseSettings(url=platform.database, schema_name="reporting")
    with opened(ProofSettings(database=database, kafka=KafkaSettings(bootstrap=platform.kafka))) as prover:
        for service in prover.books:
            for authority in load.authorities:
                proof = prover.prove(service, authority)
                assert proof.mismatches == [], "\n".join(map(str, proof.mismatches))
                assert proof.events


def assert_log_is_fresh(platform: Platform, load: Load) -> None:
    """Assert that the services hold what compaction would leave, and that no version ever goes back."""
    newest: dict[str, Cell] = {}
    for message in national(platform.kafka):
        aggregate = decode_aggregate(message)
        if isinstance(aggregate, Cell):
            before = newest.get(aggregate.key)
            assert before is None or _rank(before) <= _rank(aggregate), f"{aggregate.key} went back"
            newest[aggregate.key] = aggregate
    for service in SERVICE_OF.values():
        query = (
            "SELECT measure, authority, period::text, category, known_on::text, sum(delta) OVER (PARTITION BY "
            f"measure, authority, period, category ORDER BY known_on)::bigint FROM {service}.cells WHERE authority = ANY(%s)"
        )
        for measure, authority, period, category, day, value in platform.rows(query, list(load.authorities)):
            kept = newest[f"{service}|{authority}|{measure}|{period}|{category}|{day}"]
            assert kept.value == value, kept.key


def national(address: str) -> Iterator[bytes]:
    with closing(
        KafkaConsumer(bootstrap_servers=address, isolation_level="read_committed", enable_auto_commit=False)
    ) as consumer:
        source = KafkaPartition(NATIONAL_AGGREGATES, 0)
        consumer.assign([source])
        consumer.seek_to_beginning(source)
        end = consumer.end_offsets([source])[source]
        while consumer.position(source) < end:
            for messages in consumer.poll(2_000).values():
                yield from (message.value for message in messages if message.value)


class _Identified(msgspec.Struct):
    id: str


_identified = msgspec.json.Decoder(_Identified)


def _rank(cell: Cell) -> tuple[int, int]:
    return cell.generation, cell.version


def _dimension(key: str) -> tuple[str, str]:
    measure, _, _, category = key.split("|")
    return measure, category.partition("=")[0]

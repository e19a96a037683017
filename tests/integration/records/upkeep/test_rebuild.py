"""Making the books again from the log, while the old ones are in use."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import ANY

import pytest
from aiokafka import AIOKafkaProducer
from kafka import TopicPartition as KafkaPartition
from kafka.admin import KafkaAdminClient
from prometheus_client import CollectorRegistry
from psycopg import Connection
from sqlalchemy import Engine, text

from contracts.events import Topic
from contracts.topics import topic_of
from services import orders, unpaid_work
from services.chassis.failures import Away, Fenced, Refused
from services.chassis.settings import DatabaseSettings, KafkaSettings
from services.chassis.streaming.batches import Slice, TopicPartition
from services.chassis.streaming.clients.bulk import BulkProducer
from services.chassis.streaming.clients.outgoing import Outgoing
from services.chassis.streaming.containment import Contained, Place
from services.operations.maintenance import wrong
from services.operations.proof import proving
from services.operations.proof.proving import Prover
from services.operations.topics import topic_specs
from services.records.ingest import notes, times
from services.records.ingest.guarding import parking
from services.records.ingest.guarding.parking import Action
from services.records.ingest.metrics import RecordsMetrics
from services.records.ingest.notes import Kind, Note
from services.records.ingest.worker import Worker
from services.records.model import limit
from services.records.model.bank_holidays import scotland
from services.records.upkeep import filling, loading
from services.records.upkeep.history import History
from services.records.upkeep.loading import Loading
from services.records.upkeep.rebuild import Change, alone, rebuild
from services.unpaid_work.domain import domain as unpaid_work_domain
from tests.integration.records.conftest import NOW, Bench
from tests.integration.records.ingest.guarding.test_parking import failing_on, ids_by_authority
from tests.integration.records.ingest.guarding.test_parking import parked as of_parks
from tests.integration.records.ingest.test_times import arrived
from tests.integration.test_as_of import log
from tests.support import scenario
from tests.support.generated.thorough import TURN, turns
from tests.support.outside.topics import TopicsAnew
from tests.support.running.meter import CAME
from tests.support.scenario import Sent
from tests.support.sharing import die, refuse

MIGRATIONS = Path(unpaid_work.__path__[0]) / "migrations"
ORDERS_MIGRATIONS = Path(orders.__path__[0]) / "migrations"


@contextmanager
def _live(bench: Bench, kafka: KafkaSettings) -> Iterator[Worker]:
    """Yield a worker on the old books that has read the whole log."""
    worker = Worker(bench.database, bench.domain, RecordsMetrics(CollectorRegistry()))
    with closing(History(kafka, bench.domain)) as log:
        log.begin(worker)
        log.feed(worker, log.ends(), lambda *_: None)
        yield worker


HIT = "S12000029"
SOME = (HIT, "S12000036", "S12000049", "S12000013")
"""Three with much, and one with hardly anything. The other authorities have topics without events."""


def _send(topics_anew: TopicsAnew) -> tuple[KafkaSettings, int]:
    """Send what some authorities send, and return where and how much: most faults need one, or one beside others."""
    kafka = topics_anew(topic_specs())
    records = [
        Outgoing(topic_of(kind, code), b"", line, scenario.NOON)
        for kind, code, lines in scenario.topics()
        if code in SOME
        for line in lines
    ]
    with BulkProducer(kafka) as producer:
        return kafka, len(producer.send_all(records))


def test_the_new_books_are_right_and_the_old_worker_is_fenced_off(
    bench: Callable[[str], Bench], postgres: str, topics_anew: TopicsAnew
) -> None:
    kafka, sent = _send(topics_anew)
    one = bench("unpaid_work")
    settings = DatabaseSettings(url=postgres, schema_name="unpaid_work")
    told: list[tuple[int, int]] = []
    changes: list[Change] = []

    def again() -> int:
        return rebuild(
            settings, kafka, one.domain, MIGRATIONS, lambda *progress: told.append(progress), compare=changes.extend
        )

    with _live(one, kafka) as worker:
        right = one.cells()
        with one.database.begin() as connection:
            altered = connection.execute(
                text(
                    "UPDATE cells SET delta = delta + 7 WHERE measure = 'sessions' RETURNING authority, period, category"
                )
            ).all()
        assert one.cells() != right
        assert again() == sent
        numbers = Counter(authority for authority, *_ in altered)
        cells = Counter(authority for authority, *_ in set(altered))
        assert changes == [Change(code, "sessions", cells[code], -7 * numbers[code]) for code in sorted(numbers)]
        changes.clear()
        assert again() == sent
        assert changes == [], "nothing differs from tables that are right"
        assert one.cells() == right
        with pytest.raises(Fenced):
            _one_more(worker, one)
    assert told[-1] == (sent, sent)
    with one.database.begin() as connection:
        assert set(connection.scalars(text("SELECT generation FROM shards"))) == {3}
        schemas = set(connection.scalars(text("SELECT schema_name FROM information_schema.schemata")))
    assert "unpaid_work" in schemas
    assert not {"unpaid_work_old", "unpaid_work_next"} & schemas


def _one_more(worker: Worker, bench: Bench) -> None:
    """Send one more event to a worker that still believes the old books."""
    topic = topic_of(Topic.ORDERS, "S12000029")
    with bench.database.connect() as connection:
        position = connection.scalar(text("SELECT next_offset FROM checkpoints WHERE topic = :topic"), {"topic": topic})
    line = next(lines for kind, code, lines in scenario.topics() if topic_of(kind, code) == topic)[0]
    fetch = next(scenario.slices([(Topic.ORDERS, "S12000029", [line])], 1, int(position or 0)))
    worker.process(fetch)


def test_what_operators_decided_and_when_things_were_read_outlast_it(
    bench: Callable[[str], Bench], postgres: str, topics_anew: TopicsAnew
) -> None:
    kafka = topics_anew(topic_specs(simulated=True))
    hit, parked, topic = "S12000029", "S12000030", "orders.events.S12000029"
    seconds = scenario.NOON // 1000  # what a producer that means seconds says
    with BulkProducer(kafka) as producer:
        producer.send_all(
            Outgoing(topic_of(kind, code), b"", line, seconds if code == hit else scenario.NOON)
            for kind, code, found in scenario.topics()
            for line in found
        )
    one = bench("orders")
    ids = ids_by_authority(one)
    failing = failing_on(one.domain, {ids[hit][1], ids[parked][0]})
    contained = Contained(Worker(one.database, failing, RecordsMetrics(CollectorRegistry()), clock=one.clock))
    for _ in range(2):
        with closing(History(kafka, one.domain)) as log:
            log.begin(contained)
            log.feed(contained, log.ends(), lambda *_: None)
        with one.database.begin() as connection:
            if hit in parking.parked(connection):
                parking.release(connection, hit, Action.SKIPPED, "test", "because", NOW)
    decided = Note(Kind.AIM, "plan 2025-03-01", {"target": 90}, "a manager", NOW)
    with one.database.begin() as connection:
        notes.write(connection, hit, [decided])
    books = (one.cells(), arrived(one))
    assert set(of_parks(one)) == {parked}
    settings = DatabaseSettings(url=postgres, schema_name="orders")
    later = replace(decided, key="plan 2025-04-01")
    asked = iter([later])

    def decide(*_: int) -> None:
        """Decide something while the books are made again."""
        with one.database.begin() as connection:
            notes.write(connection, hit, list(asked))

    rebuild(settings, kafka, failing, Path(orders.__path__[0]) / "migrations", decide)
    assert (one.cells(), arrived(one)) == books
    assert set(of_parks(one)) == {parked}
    with one.database.connect() as connection:
        assert notes.holding(connection, hit, *Kind) == [decided, later]
        acts = [(act.authority, act.action) for act in reversed(parking.history(connection))]
        aside = connection.scalar(text("SELECT count(*) FROM rejections WHERE reason = 'put_aside'"))
    assert (hit, Action.SKIPPED) in acts
    assert acts[-2:] == [(parked, Action.RETRIED), (parked, Action.PARKED)]
    assert aside == 1
    assert topic in {place.source.topic for place in _skipped(one)}


def test_who_is_released_meanwhile_is_released_in_the_new_books(
    bench: Callable[[str], Bench], postgres: str, topics_anew: TopicsAnew
) -> None:
    kafka, _ = _send(topics_anew)
    one, hit = bench("orders"), "S12000029"
    failing = failing_on(one.domain, {ids_by_authority(one)[hit][1]})

    def take() -> None:
        with closing(History(kafka, one.domain)) as log:
            contained = Contained(Worker(one.database, failing, RecordsMetrics(CollectorRegistry()), clock=one.clock))
            log.begin(contained)
            log.feed(contained, log.ends(), lambda *_: None)

    take()

    def release(*_: int) -> None:
        """Skip the event for the parked authority once the new books have met it too."""
        with one.database.begin() as connection:
            if hit in parking.parked(connection):
                parking.release(connection, hit, Action.SKIPPED, "test", "because", NOW)

    settings = DatabaseSettings(url=postgres, schema_name="orders")
    with alone(settings), pytest.raises(Refused, match="being rebuilt"), alone(settings):
        pass
    rebuild(settings, kafka, failing, ORDERS_MIGRATIONS, release)
    assert of_parks(one) == {}
    assert len(_skipped(one)) == 1
    take()
    with one.database.connect() as connection:
        came = connection.scalar(text("SELECT count(*) FROM arrivals WHERE authority = :hit"), {"hit": hit})
        aside = connection.scalar(text("SELECT count(*) FROM rejections WHERE reason = 'put_aside'"))
    assert (came, aside) == (
        sum(len(lines) for kind, code, lines in scenario.topics() if (kind, code) == (Topic.ORDERS, hit)),
        1,
    )


def test_a_command_goes_through_directly_after_another(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL notices some time later that a session has ended; here, only once all are through."""
    settings = DatabaseSettings(url=postgres, schema_name="orders")
    ended: list[Connection[Any]] = []

    def end_later(session: Connection[Any]) -> None:
        ended.append(session)

    with monkeypatch.context() as late:
        late.setattr(Connection, "close", end_later)
        with alone(settings):
            pass
        with pytest.raises(Away), alone(settings):
            raise Away("Kafka")
        with alone(settings), pytest.raises(Refused, match="being rebuilt"), alone(settings):
            pass
    assert len(ended) == 4
    for session in ended:
        session.close()


def _skipped(bench: Bench) -> set[Place]:
    with bench.database.connect() as connection:
        return parking.skipped(connection)


DAY = 24 * 60 * 60 * 1000
CODECS = (None, "gzip", "snappy", "lz4", "zstd")


def test_the_books_are_made_again_from_any_codec(
    bench: Callable[[str], Bench], postgres: str, topics_anew: TopicsAnew
) -> None:
    """One log has all of them, for several authorities each. A worker that was given the messages themselves has the same in every row."""
    kafka = topics_anew(topic_specs(simulated=True))
    found = [
        (topic_of(kind, code), [Sent(day, line, scenario.NOON + (day - 5) * DAY) for day, line in enumerate(lines[:5])])
        for kind, code, lines in scenario.topics()
        if kind is Topic.ORDERS
    ]
    assert len(found) >= len(CODECS)

    async def send(codec: str | None, some: list[tuple[str, list[Sent]]]) -> None:
        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, compression_type=codec) as producer:
            for topic, messages in some:
                for one in messages:
                    await producer.send(topic, one.value, timestamp_ms=one.timestamp)

    for place, codec in enumerate(CODECS):
        asyncio.run(send(codec, found[place :: len(CODECS)]))
    one = bench("orders")
    one.worker().process([Slice(topic, 0, messages) for topic, messages in found])
    before = _came(one, "orders")
    with one.database.connect() as connection:
        assert connection.scalar(text("SELECT count(DISTINCT known_on) FROM cells")) == 5, (
            "each message is of its own day"
        )
    settings = DatabaseSettings(url=postgres, schema_name="orders")
    assert rebuild(settings, kafka, one.domain, ORDERS_MIGRATIONS, lambda *_: None) == sum(len(m) for _, m in found)
    assert _came(one, "orders") == before


@pytest.mark.durable_broker
def test_a_log_without_its_beginning_is_refused(
    bench: Callable[[str], Bench], postgres: str, topics_anew: TopicsAnew
) -> None:
    """Else the authority would be empty, and the command would say that all is made again."""
    kafka, sent = _send(topics_anew)
    one = bench("unpaid_work")
    settings = DatabaseSettings(url=postgres, schema_name="unpaid_work")
    topic = topic_of(Topic.UNPAID_WORK, "S12000029")
    with _live(one, kafka):
        right = one.cells()
        with closing(KafkaAdminClient(bootstrap_servers=kafka.bootstrap)) as admin:
            admin.delete_records({KafkaPartition(topic, 0): -1})
        with pytest.raises(Refused, match=topic):
            rebuild(settings, kafka, one.domain, MIGRATIONS, lambda *_: None)
        assert one.cells() == right
        assert rebuild(settings, kafka, one.domain, MIGRATIONS, lambda *_: None, less=True) < sent


def test_books_that_would_hold_less_are_refused(
    bench: Callable[[str], Bench], postgres: str, topics_anew: TopicsAnew
) -> None:
    kafka, sent = _send(topics_anew)
    one = bench("unpaid_work")
    settings = DatabaseSettings(url=postgres, schema_name="unpaid_work")
    with _live(one, kafka):
        with one.database.begin() as connection:
            connection.execute(
                text(
                    'INSERT INTO arrivals (authority, "offset", outcome, arrived_at) '
                    "VALUES ('S12000036', 1000000, 0, '2026-03-01Z')"
                )
            )
            # As if the log had gone further, and its end were lost: nobody may wait for that.
            connection.execute(text("UPDATE checkpoints SET next_offset = 1000001 WHERE topic LIKE '%S12000036'"))
        right = one.cells()
        with pytest.raises(Refused, match=r"S12000036 \d+ of \d+ events"):
            rebuild(settings, kafka, one.domain, MIGRATIONS, lambda *_: None)
        assert one.cells() == right
        assert rebuild(settings, kafka, one.domain, MIGRATIONS, lambda *_: None, less=True) == sent


@pytest.fixture
def two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """However little there is to load."""
    monkeypatch.setattr(loading, "WORTH_A_PROCESS", 1)
    monkeypatch.setattr(proving, "WORTH_A_PROCESS", 1)


FAULTS: list[tuple[Callable[[], NoReturn], type[Exception], str]] = [
    (refuse, Refused, "no calendar"),
    (die, Away, "was killed"),
]


@pytest.mark.usefixtures("two_processes")
def test_two_processes_make_and_prove_the_same_and_a_fault_of_one_changes_nothing(
    bench: Callable[[str], Bench], postgres: str, topics_anew: TopicsAnew, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the two faults, one happens to the loading and the other to the proof, and the other way round on another day."""
    kafka, sent = _send(topics_anew)
    one, two = bench("unpaid_work"), Loading(2, partial(unpaid_work_domain, scotland()))
    settings = DatabaseSettings(url=postgres, schema_name="unpaid_work")
    monkeypatch.setattr(Prover, "authorities", lambda _: list(SOME))
    told: list[tuple[int, int]] = []

    def again(loading: Loading | None = None, proving: Loading | None = None, more: int = 0) -> int:
        def prove(tables: Engine) -> list[str]:
            with tables.begin() as connection:
                connection.execute(
                    text("UPDATE cells SET delta = delta + :more WHERE measure = 'events'"), {"more": more}
                )
            found = wrong(kafka, one.domain, lambda each, **_: each, tables, proving)
            if more:
                assert sorted(found) == sorted(wrong(kafka, one.domain, lambda each, **_: each, tables))
                assert {code for code in SOME if f"events|{code}|" in " ".join(found)} == set(SOME)
            return found

        tell = lambda *progress: told.append(progress)  # noqa: E731
        return rebuild(settings, kafka, one.domain, MIGRATIONS, tell, prove=prove, loading=loading)

    with _live(one, kafka) as worker:
        right = one.cells()
        for fault, kind, said in turns(FAULTS, TURN):
            with pytest.raises(kind, match=said):
                again(Loading(2, fault))
        for fault, kind, said in turns(FAULTS, TURN + 1):
            with pytest.raises(kind, match=said):
                again(proving=Loading(2, fault))
        with pytest.raises(Refused, match=r"not proved: .*cells.*and more\. Nothing was changed"):
            again(proving=two, more=7)
        assert one.cells() == right
        told.clear()
        assert again(two, two) == sent
        assert one.cells() == right
        with pytest.raises(Fenced):
            _one_more(worker, one)
    assert told[-1] == (sent, sent)


@pytest.fixture
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut the log often, and hold hardly any record as it is."""
    monkeypatch.setattr(filling, "PORTION", 30)
    monkeypatch.setattr(filling, "HELD", 2)


@pytest.fixture(params=[3, limit.MOST_FACTS])
def most(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Limit the facts of one order, also to fewer than many have."""
    monkeypatch.setattr(limit, "MOST_FACTS", request.param)
    return int(request.param)


@pytest.mark.usefixtures("small_portions")
@pytest.mark.parametrize("name", ["orders", "unpaid_work"])
def test_it_makes_what_a_worker_makes_and_leaves_every_index(
    bench: Callable[[str], Bench],
    postgres: str,
    topics_anew: TopicsAnew,
    name: str,
    most: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """However the log is cut, whatever becomes known when, and also if many orders have more facts than they may."""
    kafka = topics_anew(topic_specs(simulated=True))
    with BulkProducer(kafka) as producer:
        for topic, found in log(random.Random(4)).items():
            producer.send_all(Outgoing(topic, b"", one.value, one.timestamp) for one in found)
    one = bench(name)
    with _live(one, kafka):
        before, made = _came(one, name), _made(one, name)
    migrations = MIGRATIONS if name == "unpaid_work" else ORDERS_MIGRATIONS
    settings = DatabaseSettings(url=postgres, schema_name=name)
    authorities = Prover.authorities

    def prove(tables: Engine) -> list[str]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Prover, "authorities", lambda all_: turns(authorities(all_), TURN + most, some=4))
            return wrong(kafka, one.domain, lambda each, **_: each, tables)

    rebuild(settings, kafka, one.domain, migrations, lambda *_: None, prove=prove)
    assert "left" not in caplog.text
    assert _came(one, name) == before
    assert any("too_many_facts" in row for row in before["rejections"]) is (most == 3)
    assert _made(one, name) == made


def test_an_authority_with_a_day_ahead_of_the_clock_is_left_to_the_worker(
    bench: Callable[[str], Bench], postgres: str, topics_anew: TopicsAnew, caplog: pytest.LogCaptureFixture
) -> None:
    """A worker goes back from such a day with its next batch."""
    kafka, sent = _send(topics_anew)
    one = bench("unpaid_work")
    source = TopicPartition(topic_of(Topic.UNPAID_WORK, HIT), 0)
    with one.database.begin() as connection:
        times.redate(connection, source, 1, 1, datetime(2062, 1, 1, tzinfo=UTC))
    with _live(one, kafka):
        before = _came(one, "unpaid_work")
    settings = DatabaseSettings(url=postgres, schema_name="unpaid_work")
    assert rebuild(settings, kafka, one.domain, MIGRATIONS, lambda *_: None) == sent
    assert _came(one, "unpaid_work") == before
    assert any("date(2062, 1, 1)" in row for row in before["cells"])
    assert [record.args for record in caplog.records if "left" in record.msg] == [(HIT, ANY)]


_NEWS = 'SELECT authority, kind, subject, rule, event_id, "offset" FROM {0}.changes'


def _came(bench: Bench, name: str) -> dict[str, list[str]]:
    """Return every row that does not depend on batches."""
    with bench.database.connect() as connection:
        return {
            what: sorted(str(row) for row in connection.execute(text(query.format(name))))
            for what, query in (CAME | {"changes": _NEWS}).items()
        }


def _made(bench: Bench, name: str) -> list[str]:
    """Return the definitions of all indexes and constraints."""
    with bench.database.connect() as connection:
        return sorted(
            connection.scalars(
                text(
                    "SELECT indexdef FROM pg_indexes WHERE schemaname = :name UNION ALL "
                    "SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint "
                    "WHERE connamespace = CAST(:name AS regnamespace)"
                ),
                {"name": name},
            )
        )

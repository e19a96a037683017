"""A person is shown what is held, and is forgotten: nobody can read of them any more, and no count has changed."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date

import pytest
from sqlalchemy import Engine, text

from contracts.codes import Activity, Attendance, WorkType
from contracts.decoding.codec import Event, encode
from contracts.events import FactWithdrawn, OrderReceived, SessionRecorded, Topic
from contracts.topics import topic_of
from services.chassis.settings import DatabaseSettings, KafkaSettings
from services.chassis.streaming.bulk import BulkProducer
from services.chassis.streaming.kafka import Record
from services.operations.proof.proving import Prover
from services.operations.rights import person
from services.operations.rights.person import Order, PersonSettings, forget, held, opened
from services.operations.topics import ensure, topic_specs
from services.records.ingest.worker import Worker
from services.records.upkeep.rebuild import History
from services.records.upkeep.rewriting import Topics
from tests.integration.records.conftest import Bench
from tests.integration.records.test_between_authorities import ARRIVED, ASKED, IMPOSED, LEFT, A, B
from tests.support.lives import event, imposed

P = "person-of-tests-0001"
OTHER = "person-of-tests-0002"
ASKED_BY = Order(P, "letter of 2 March", "operator")


def events() -> Iterator[tuple[str, bytes, bytes]]:
    """Topic, key and value."""

    def of(one: Event) -> tuple[str, bytes, bytes]:
        return topic_of(type(one.data).TOPICS[0], one.authority), one.subject.encode(), encode(one)

    session = SessionRecorded(
        ref="CPO/1-s1",
        session_on=date(2025, 3, 10),
        attendance=Attendance.ATTENDED,
        activity=Activity.UNPAID_WORK,
        work_type=next(iter(WorkType)),
        minutes_credited=120,
    )
    facts = (IMPOSED, ASKED, OrderReceived(received_on=date(2025, 3, 3)), LEFT, session)
    told = [of(event(fact, "CPO/1", A, number)) for number, fact in enumerate(facts, 1)]
    yield from told
    yield told[0]
    withdrawn = FactWithdrawn(fact="session/CPO/1-s1")
    yield of(event(imposed(date(2025, 4, 1)), "CPO/2", A, 20))
    topic, key, value = of(event(IMPOSED, "CPO/7", A, 21))
    yield topic, key, (value := value.replace(P.encode(), OTHER.encode()))
    yield of(event(ARRIVED, "E/1", B, 22))
    for broken in (
        value.replace(b'"sheriff_summary"', b'"no court"'),
        b'{"subject": "CPO/1", ' + P.encode(),
        b"nothing",
    ):
        yield topic, key, broken
    yield topic_of(Topic.UNPAID_WORK, A), b"CPO/1", encode(event(withdrawn, "CPO/1", A, 23))


@pytest.fixture
def settings(postgres: str, empty_kafka: str) -> PersonSettings:
    kafka = KafkaSettings(bootstrap=empty_kafka)
    ensure(kafka, topic_specs())
    with BulkProducer(kafka) as producer:
        producer.send_all([Record(*one) for one in events()])
    return PersonSettings(database=DatabaseSettings(url=postgres, schema_name="orders"), kafka=kafka)


@pytest.fixture
def benches(settings: PersonSettings, bench: Callable[[str], Bench]) -> list[Bench]:
    """Both services, which have read everything."""
    made = [bench("orders"), bench("unpaid_work")]
    for one in made:
        worker = Worker(one.database, one.domain, one.worker_metrics())
        with closing(History(settings.kafka, one.domain)) as log:
            log.begin(worker)
            log.feed(worker, log.ends(), lambda *_: None)
    return made


def test_a_person_is_shown_all_and_is_forgotten_without_a_count_changing(
    settings: PersonSettings, benches: list[Bench]
) -> None:
    before = [one.cells() for one in benches]
    with opened(settings) as books:
        shown = held(books, ASKED_BY)
        assert shown["references"] == ["CPO/1", "CPO/2"]
        assert set(shown["unpaid_work"]["records"]) == {"CPO/1", "CPO/2"}
        assert forget(settings, books, ASKED_BY) > 5
    after = [one.cells() for one in benches]
    assert after == before
    told = everything(settings, benches)
    for name in (P, "CPO/1", "CPO/2"):
        assert name not in told, name
    assert OTHER in told
    assert "CPO/7" in told
    prover = Prover(settings.kafka, {one.domain.service: (one.database, one.domain) for one in benches}, None)
    for service in ("orders", "unpaid_work"):
        for authority in (A, B):
            assert [str(one) for one in prover.prove(service, authority).mismatches] == []


def test_an_erasure_that_was_broken_off_is_done_by_giving_it_again(
    settings: PersonSettings, benches: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [one.cells() for one in benches]
    for step in (
        f"{person.__name__}._move_on",
        f"{Topics.__module__}.Topics.delete_old",
        f"{person.__name__}._make_again",
    ):
        with monkeypatch.context() as broken, opened(settings) as books:
            broken.setattr(step, break_off)
            with pytest.raises(Broken):
                forget(settings, books, ASKED_BY)
    with opened(settings) as books:
        forget(settings, books, ASKED_BY)
    assert [one.cells() for one in benches] == before
    told = everything(settings, benches)
    assert not [name for name in (P, "CPO/1", "CPO/2") if name in told]
    assert sum("person erase begun" in line for line in told.splitlines()) == 2 * 4
    with BulkProducer(settings.kafka) as producer:
        producer.send_all(
            [Record(topic_of(Topic.ORDERS, A), b"CPO/9", encode(event(imposed(date(2025, 5, 1)), "CPO/9", A, 30)))]
        )
    for one in benches:
        read_all(settings, one)
        assert "CPO/9" in "".join(rows(one.database))


class Broken(Exception):
    """The command ends in the middle."""


def break_off(*_: object) -> None:
    raise Broken


def read_all(settings: PersonSettings, bench: Bench) -> None:
    worker = Worker(bench.database, bench.domain, bench.worker_metrics())
    with closing(History(settings.kafka, bench.domain)) as log:
        log.begin(worker)
        log.feed(worker, log.ends(), lambda *_: None)


def everything(settings: PersonSettings, benches: list[Bench]) -> str:
    """All that anybody could read: the topics and every table of both services and their audit."""
    log = Topics(settings.kafka, [topic_of(kind, code) for kind in Topic for code in (A, B)])
    told = [f"{one.key!r} {one.value!r} {one.headers!r}" for its in log.messages.values() for one in its]
    return "\n".join([*told, *(row for one in benches for row in rows(one.database))])


def rows(database: Engine) -> Iterator[str]:
    with database.connect() as connection:
        connection.execute(text("RESET ROLE"))
        query = (
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname ~ '^(orders|unpaid_work)'"
        )
        for table in connection.scalars(text(query)).all():
            for row in connection.scalars(text(f"SELECT to_jsonb(t) FROM {table} t")):
                found = json.dumps(row)
                yield found + "".join(bytes.fromhex(v[2:]).decode(errors="replace") for v in hexes(row))


def hexes(row: dict[str, object]) -> Iterator[str]:
    """Bytes as PostgreSQL writes them."""
    yield from (value for value in row.values() if isinstance(value, str) and value.startswith("\\x"))

"""The events of one person's authority and of another, in a real log, and both services that have read it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date

import pytest
from kafka.admin import KafkaAdminClient

from contracts.codes import Activity, Attendance, WorkType
from contracts.decoding.codec import Event, encode
from contracts.events import FactWithdrawn, OrderReceived, SessionRecorded, Topic
from contracts.topics import topic_of
from services.chassis.settings import DatabaseSettings, KafkaSettings
from services.chassis.streaming.clients.bulk import BulkProducer
from services.chassis.streaming.clients.outgoing import Outgoing
from services.operations.rights.erasing import PersonSettings
from services.operations.topics import topic_specs
from services.records.ingest.worker import Worker
from services.records.upkeep.history import History
from tests.integration.records.conftest import Bench
from tests.integration.records.test_between_authorities import ARRIVED, ASKED, IMPOSED, LEFT, A, B
from tests.support.lives import event, imposed
from tests.support.outside.topics import TopicsAnew

P = "person-of-tests-0001"
OTHER = "person-of-tests-0002"


def events() -> Iterator[tuple[str, bytes, bytes]]:
    """Yield topic, key and value of each event."""

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
def settings(postgres: str, topics_anew: TopicsAnew) -> PersonSettings:
    kafka = topics_anew(topic_specs())
    with BulkProducer(kafka) as producer:
        producer.send_all([Outgoing(*one) for one in events()])
    return PersonSettings(database=DatabaseSettings(url=postgres, schema_name="orders"), kafka=kafka)


@pytest.fixture
def benches(settings: PersonSettings, bench: Callable[[str], Bench]) -> list[Bench]:
    """Return both services, which have read everything."""
    made = [bench("orders"), bench("unpaid_work")]
    for one in made:
        read_all(settings, one)
    return made


def on_disk(kafka: KafkaSettings) -> int:
    """Return the bytes of the authority's orders, whether anybody may read them or not."""
    topic = topic_of(Topic.ORDERS, A)
    with closing(KafkaAdminClient(bootstrap_servers=kafka.bootstrap)) as admin:
        brokers = admin.describe_log_dirs([topic])
    topics = [each for broker in brokers for directory in broker["log_dirs"] for each in directory["topics"]]
    return sum(partition["partition_size"] for each in topics for partition in each["partitions"])


def read_all(settings: PersonSettings, bench: Bench) -> None:
    worker = Worker(bench.database, bench.domain, bench.worker_metrics())
    with closing(History(settings.kafka, bench.domain)) as log:
        log.begin(worker)
        log.feed(worker, log.ends(), lambda *_: None)

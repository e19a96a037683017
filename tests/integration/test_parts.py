"""The parts that tests run against do what the tests rely on."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree as ET

import psycopg
import pytest
from kafka import KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import UnknownTopicOrPartitionError
from playwright.sync_api import Page

from deploy.local.postgres import Postgres
from services.chassis.streaming.clients.admin import Admin
from services.operations.topics import topic_specs
from tests.support import parts
from tests.support.kafka import KafkaProcess
from tests.support.outside.topics import TopicsAnew
from tests.support.parts import MIGRATIONS

POM = Path(__file__).parents[1] / "kafka" / "pom.xml"


def _topics(address: str) -> list[str]:
    with closing(KafkaAdminClient(bootstrap_servers=address)) as admin:
        return list(admin.list_topics())


def _create(address: str, topic: str) -> None:
    with closing(KafkaAdminClient(bootstrap_servers=address)) as admin:
        admin.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True)


def test_kafka_keeps_what_it_acknowledged(kafka: str, new_topic: Callable[[], str]) -> None:
    topic = new_topic()
    with closing(KafkaProducer(bootstrap_servers=kafka, acks="all")) as producer:
        offsets = [producer.send(topic, b"x").get(timeout=10).offset for _ in range(3)]
    assert offsets == [0, 1, 2]


def test_kafka_makes_no_topic_by_itself(empty_kafka: str) -> None:
    with closing(KafkaAdminClient(bootstrap_servers=empty_kafka)) as admin:
        assert admin.describe_topics(["nobody.made.this"])[0]["error_code"] == UnknownTopicOrPartitionError.errno
    assert "nobody.made.this" not in _topics(empty_kafka)


def test_empty_kafka_has_no_topics(new_topic: Callable[[], str], request: pytest.FixtureRequest) -> None:
    topic = new_topic()
    assert topic not in _topics(request.getfixturevalue("empty_kafka"))


@pytest.mark.durable_broker
def test_topics_are_as_new_whatever_was_done_to_them_and_only_others_are_kept(topics_anew: TopicsAnew) -> None:
    specs = topic_specs()[:4]
    written, emptied, configured, left = [spec.name for spec in specs]
    kafka = topics_anew(specs)
    address = kafka.bootstrap
    with closing(Admin(kafka)) as admin:
        before = admin.identities([spec.name for spec in specs])
        with closing(KafkaProducer(bootstrap_servers=address, acks="all")) as producer:
            for topic in (written, emptied):
                producer.send(topic, b"x").get(timeout=10)
        with closing(KafkaAdminClient(bootstrap_servers=address)) as client:
            client.delete_records({TopicPartition(emptied, 0): 1})
            client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, configured, {"retention.ms": "9"})])
        _create(address, "somebody.elses")
        assert topics_anew(specs) == kafka
        after = admin.identities([spec.name for spec in specs])
        assert {name for name in before if after[name] == before[name]} == {left}
        assert set(admin.ends(list(after)).values()) == {0}
        assert admin.differences(specs) == []
    assert {name for name in _topics(address) if not name.startswith("__")} == set(after)


@pytest.mark.faults
@pytest.mark.durable_broker
def test_kafka_keeps_topics_over_a_stop_and_a_crash(kafka_process: KafkaProcess) -> None:
    _create(kafka_process.address, "kept")
    kafka_process.stop()
    kafka_process.start()
    assert "kept" in _topics(kafka_process.address)
    kafka_process.kill()
    kafka_process.start()
    assert "kept" in _topics(kafka_process.address)


@pytest.mark.parametrize("given", [True, False])
def test_databases_on_a_server_that_was_given_are_dropped(
    postgres_server: str, monkeypatch: pytest.MonkeyPatch, given: bool
) -> None:
    """One of ours is deleted with all of them."""
    monkeypatch.setenv("PAYBACK_TEST_POSTGRES", postgres_server if given else "")
    with parts.databases(postgres_server) as make:
        name = make().rpartition("/")[2]
    with psycopg.connect(postgres_server) as connection:
        [(left,)] = connection.execute("SELECT count(*) FROM pg_database WHERE datname = %s", [name]).fetchall()
    assert left == (0 if given else 1)


def test_a_database_is_fresh_and_empty(postgres: str) -> None:
    with psycopg.connect(postgres) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        version = connection.info.server_version
    assert tables == (0,)
    assert version >= 180000


def test_a_migrated_database_has_every_services_tables(migrated: Callable[[], str]) -> None:
    count = "SELECT schemaname, count(*) FROM pg_tables WHERE schemaname = ANY(%s) GROUP BY 1"
    for address in (migrated(), migrated()):
        with psycopg.connect(address) as connection:
            tables: dict[str, int] = dict(connection.execute(count, (list(MIGRATIONS),)).fetchall())
        assert tables.keys() == MIGRATIONS.keys()
        assert all(number > 3 for number in tables.values())


def test_the_jars_are_of_the_kafka_that_the_project_names() -> None:
    project = ET.parse(POM).getroot()
    place = {"m": "http://maven.apache.org/POM/4.0.0"}
    wanted = {
        ":".join(one.findtext(f"m:{part}", "", place) for part in ("groupId", "artifactId", "version"))
        for one in project.iterfind("m:dependencies/m:dependency", place)
    }
    assert len(wanted) == 2
    assert wanted <= {line.split()[0] for line in POM.with_name("jars.txt").read_text().splitlines()}


@pytest.mark.faults
@pytest.mark.parametrize("end", [Postgres.stop, Postgres.kill])
def test_postgres_keeps_what_was_committed(postgres_process: Postgres, end: Callable[[Postgres], None]) -> None:
    with psycopg.connect(postgres_process.url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        connection.execute("DELETE FROM kept")
        connection.execute("INSERT INTO kept VALUES (7)")
    end(postgres_process)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(postgres_process.url)
    postgres_process.start()
    with psycopg.connect(postgres_process.url) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)


@pytest.mark.browser
def test_the_browser_runs_scripts(page: Page) -> None:
    page.set_content("<h1>no</h1><script>document.querySelector('h1').textContent = 'yes'</script>")
    assert page.inner_text("h1") == "yes"

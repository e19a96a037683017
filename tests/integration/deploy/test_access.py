"""Who may do what, on Apache Kafka with the configuration that is deployed: TLS, sign-in and rights included."""

import ipaddress
import os
import re
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median

import confluent_kafka
import pytest
import yaml
from confluent_kafka import KafkaError
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.protocol.admin import DescribeClientQuotasRequest
from pydantic import SecretStr

from contracts.events import Topic
from contracts.topics import NATIONAL_AGGREGATES, topic_of
from deploy.kafka import access, rights
from deploy.kafka.rights import Holder
from deploy.local.process import free_ports, stop, tail, wait_until
from services.chassis.clock import system_clock
from services.chassis.failures import Away, Failure, Refused
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.clients.admin import Admin
from services.chassis.streaming.clients.bulk import BulkProducer
from services.chassis.streaming.clients.connection import connection
from services.chassis.streaming.clients.outgoing import Outgoing
from services.chassis.streaming.clients.producer import Producer
from services.operations.doctor import look_at_kafka
from services.operations.moving.copying import Copier
from services.operations.topics import ensure, topic_specs
from tests.integration.deploy.test_runbooks import COMPOSE, KAFKA, TOOLS, WELL, Command
from tests.support import kafka as apache_kafka
from tests.support import parts
from tests.support.outside.lacking import cannot
from tests.support.running.commands import carry_out
from tests.support.running.forked import fork

pytestmark = pytest.mark.durable_broker

ROOT = Path(__file__).parents[3]
DEPLOYED = ROOT / "deploy" / "kafka" / "server.properties"
PASSWORD = "secret"
MINE, ANOTHERS = "S12000036", "S12000033"


def deployed_properties() -> dict[str, str]:
    lines = [line for line in DEPLOYED.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def deployed_users() -> str:
    """Return who signs in at the inner listeners, as docker-compose.yml has it, all with one password."""
    users: str = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["x-kafka-users"]
    return re.sub(r"\$\{.*?\}", PASSWORD, users)


def inside(user: str, address: str) -> KafkaSettings:
    """Return the settings with which a container signs in."""
    return KafkaSettings.model_validate(
        {
            "bootstrap": address,
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "PLAIN",
            "sasl_username": user,
            "sasl_password": PASSWORD,
        }
    )


def self_signed() -> tuple[str, str]:
    """Return a key and a certificate for the loopback address, in PEM form."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kafka")])
    now = system_clock()
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private.decode(), certificate.public_bytes(Encoding.PEM).decode()


class Guarded:
    """A running broker with two doors: the inner one, and the one for authorities."""

    def __init__(self, inner: str, outer: str, authority: Path) -> None:
        self.inner = inside("admin", inner)
        self._outer, self._authority = outer, authority

    def enter(self, holder: Holder) -> KafkaSettings:
        """Give the holder access, and how they get in."""
        return self.with_password(holder.user, access.grant(self.inner, holder))

    def with_password(self, user: str, password: str) -> KafkaSettings:
        return KafkaSettings.model_validate(
            {
                "bootstrap": self._outer,
                "security_protocol": "SASL_SSL",
                "sasl_username": user,
                "sasl_password": password,
                "tls_ca_path": self._authority,
            }
        )


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    obstacle = apache_kafka.obstacle()
    if obstacle is not None:
        cannot(f"needs Apache Kafka as a local process: {obstacle}")
    directory = tmp_path_factory.mktemp("guarded")
    private, certificate = self_signed()
    (directory / "kafka.pem").write_text(private + certificate)
    (directory / "authority.pem").write_text(certificate)
    (outer,) = free_ports(1)

    def here(*, broker: int, controller: int, data: str) -> dict[str, str]:
        """Return the deployed settings, but for addresses and files."""
        return deployed_properties() | {
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listeners": f"INTERNAL://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller},"
            f"AUTHORITIES://127.0.0.1:{outer}",
            "advertised.listeners": f"INTERNAL://127.0.0.1:{broker},AUTHORITIES://127.0.0.1:{outer}",
            "log.dirs": data,
            "listener.name.internal.plain.sasl.jaas.config": deployed_users(),
            "listener.name.controller.plain.sasl.jaas.config": deployed_users(),
            "listener.name.authorities.ssl.keystore.location": str(directory / "kafka.pem"),
        }

    with ExitStack() as running:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(apache_kafka, "properties", here)
            told = connection(inside("admin", "nowhere:1"))
            admin = {name: value for name, value in told.items() if name.startswith(("sasl", "security"))}
            patch.setattr(apache_kafka, "KafkaAdminClient", partial(KafkaAdminClient, **admin))
            process = running.enter_context(parts.kafka_process())
        broker = Guarded(process.address, f"127.0.0.1:{outer}", directory / "authority.pem")
        assert ensure(broker.inner, topic_specs()) == []
        yield broker


def write(settings: KafkaSettings, topic: str) -> None:
    value = None if topic == NATIONAL_AGGREGATES else b"not an event"  # reporting refuses to go on after nonsense
    with Producer(settings) as producer:
        producer.send_all([Outgoing(topic, b"key", value)])


def can_read(settings: KafkaSettings, topic: str, group: str | None = None) -> bool:
    """Return whether a record of the topic, which has some, can be read: try until there is one, or the broker has refused it.

    The library used here tells of every refusal; kafka-python only logs some, and tries again. Whoever may not know of a topic
    is refused when asking for it, before any record.
    """
    of_groups = [KafkaError.GROUP_AUTHORIZATION_FAILED] if group else []  # who takes a partition needs no group
    refused = {KafkaError.TOPIC_AUTHORIZATION_FAILED, *of_groups}
    password = settings.sasl_password.get_secret_value() if settings.sasl_password else ""
    told = {
        "bootstrap.servers": settings.bootstrap,
        "security.protocol": settings.security_protocol,
        "sasl.mechanism": settings.sasl_mechanism,
        "sasl.username": settings.sasl_username,
        "sasl.password": password,
        "group.id": group or "none",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
    } | ({"ssl.ca.location": str(settings.tls_ca_path)} if settings.tls_ca_path else {})
    with closing(confluent_kafka.Consumer(told)) as consumer:
        unknown = consumer.list_topics(topic, timeout=120).topics[topic].error
        if unknown is not None and unknown.code() in refused:
            return False
        if group is None:
            consumer.assign([confluent_kafka.TopicPartition(topic, 0, confluent_kafka.OFFSET_BEGINNING)])
        else:
            consumer.subscribe([topic])
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            message = consumer.poll(1)
            fault = message.error() if message is not None else None
            if message is not None and fault is None:
                return True
            if fault is not None and fault.code() in refused:
                return False
    raise AssertionError(f"neither a record of {topic} nor a refusal came")


def test_an_authority_writes_to_its_own_topics_and_to_nothing_else(guarded: Guarded) -> None:
    mine = guarded.enter(rights.authority(MINE))
    write(mine, f"orders.events.{MINE}")
    write(mine, f"unpaid-work.events.{MINE}")
    for topic in (f"orders.events.{ANOTHERS}", f"unpaid-work.events.{ANOTHERS}", NATIONAL_AGGREGATES):
        with pytest.raises(Refused, match="Authorization"):
            write(mine, topic)


def test_nobody_gets_in_without_a_sign_in_or_with_another_password(guarded: Guarded) -> None:
    nobody = KafkaSettings(bootstrap=guarded.inner.bootstrap)
    guessing = guarded.inner.model_copy(update={"sasl_password": SecretStr("guessed")})
    for settings in (nobody, guessing):
        with pytest.raises(Failure), Producer(settings, deliver_seconds=2) as producer:
            producer.send_all([Outgoing(f"orders.events.{MINE}", b"key", b"value")])


def test_each_container_does_its_own_work_and_no_other(guarded: Guarded) -> None:
    """With the passwords of docker-compose.yml, once its job `access` has run."""
    access.grant_services(guarded.inner)
    assert {f'user_{name}="' for name in rights.SERVICES} <= set(re.findall(r'user_[\w-]+="', deployed_users()))
    address = guarded.inner.bootstrap
    write(inside("orders-api", address), f"orders.events.{MINE}")
    assert can_read(inside("orders-worker", address), f"orders.events.{MINE}", group="payback-orders")
    for user, topic in (
        ("orders-api", f"unpaid-work.events.{MINE}"),
        ("orders-worker", f"orders.events.{MINE}"),
        ("reporting-worker", NATIONAL_AGGREGATES),
    ):
        with pytest.raises(Failure):
            write(inside(user, address), topic)
    assert not can_read(inside("reporting-worker", address), f"orders.events.{MINE}")


def test_who_keeps_a_copy_may_make_and_fill_it(guarded: Guarded, empty_kafka: str) -> None:
    """Also where a place without a record is kept, and where the beginning was let go."""
    first, *_, aggregates = topic_specs(simulated=True)
    copied, source = replace(first, name="orders.events.copied"), KafkaSettings(bootstrap=empty_kafka)
    ensure(source, [copied, aggregates])
    write(source, copied.name)
    with BulkProducer(source) as producer:
        producer.skip(copied.name, 1)
    with closing(Copier(source, guarded.enter(rights.COPIER), [copied, aggregates])) as copier:
        assert copier.round() == 1
        with closing(Admin(source)) as admin:
            admin.delete_before({copied.name: 1})
        assert copier.round() == 0


def test_an_authority_reads_nothing(guarded: Guarded) -> None:
    mine = guarded.enter(rights.authority(MINE))
    for topic in (f"orders.events.{MINE}", f"orders.events.{ANOTHERS}", NATIONAL_AGGREGATES):
        write(guarded.inner, topic)
        assert can_read(guarded.inner, topic)
        assert not can_read(mine, topic), topic


def test_a_subscriber_reads_the_aggregates_and_nothing_else(guarded: Guarded) -> None:
    for topic in (NATIONAL_AGGREGATES, f"orders.events.{MINE}"):
        write(guarded.inner, topic)
    statistics = guarded.enter(rights.subscriber("statistics"))
    assert can_read(statistics, NATIONAL_AGGREGATES)
    assert can_read(statistics, NATIONAL_AGGREGATES, group="subscriber-statistics.nightly")
    assert not can_read(statistics, NATIONAL_AGGREGATES, group="payback-orders")
    assert not can_read(statistics, f"orders.events.{MINE}")
    with pytest.raises(Failure):  # the library does not say which, when even beginning to write is not allowed
        write(statistics, NATIONAL_AGGREGATES)


def test_who_tells_of_numbers_may_ask_where_both_logs_of_an_authority_end(guarded: Guarded) -> None:
    topics = [f"orders.events.{MINE}", f"unpaid-work.events.{MINE}"]
    api = guarded.enter(rights.SERVICES["unpaid-work-api"])
    with closing(Admin(api)) as admin:
        assert admin.ends(topics).keys() == set(topics)
    assert not can_read(api, topics[0])


def test_access_can_be_taken_away_and_given_anew(guarded: Guarded) -> None:
    holder = rights.authority(ANOTHERS)
    before = guarded.enter(holder)
    write(before, f"orders.events.{ANOTHERS}")
    assert access.revoke(guarded.inner, holder.user) == 4
    with pytest.raises(Failure):
        write(before, f"orders.events.{ANOTHERS}")
    write(guarded.enter(holder), f"orders.events.{ANOTHERS}")
    with pytest.raises(Failure):
        write(before, f"orders.events.{ANOTHERS}")  # the old password does not work again
    access.revoke(guarded.inner, holder.user)
    assert access.revoke(guarded.inner, holder.user) == 0


LARGE = os.urandom(63 * 1024)
"""Nearly the largest event, and it cannot be compressed."""


def seconds_to_send(producer: Producer, topic: str, events: int = 1) -> float:
    """Return how long sending takes, one message after the other, since a broker makes whoever sent too much wait with the next."""
    began = time.monotonic()
    for _ in range(events):
        producer.send_all([Outgoing(topic, b"key", LARGE)])
    return time.monotonic() - began


def test_a_greedy_authority_waits_and_nobody_else_does(guarded: Guarded, caplog: pytest.LogCaptureFixture) -> None:
    """It sends at once what its quota, here of an event a second, grants for ten seconds, and then as fast as it may."""
    anothers = rights.authority(ANOTHERS)
    small = replace(anothers.quota, write=64 * 1024)
    at_once, beyond = 10, 4
    with (
        Producer(guarded.enter(replace(rights.authority(MINE), quota=small)), deliver_seconds=60) as greedy,
        Producer(guarded.enter(anothers)) as modest,
        ThreadPoolExecutor() as threads,
    ):
        seconds_to_send(modest, f"orders.events.{ANOTHERS}")
        sending = threads.submit(seconds_to_send, greedy, f"orders.events.{MINE}", at_once + beyond)
        waited = []
        while not sending.done():
            waited.append(seconds_to_send(modest, f"orders.events.{ANOTHERS}"))
            time.sleep(0.2)  # within its own quota
    assert sending.result() > beyond - 2
    assert median(waited) < 1
    assert "throttled by broker" in caplog.text


def quota_of(guarded: Guarded, user: str) -> dict[str, float]:
    """Return the quota in Kafka's own words."""
    exactly = DescribeClientQuotasRequest.ComponentData(entity_type="user", match_type=0, match=user)
    with closing(KafkaAdminClient(**connection(guarded.inner))) as admin:
        asked = DescribeClientQuotasRequest(components=[exactly], strict=True)
        entries = admin._manager.run(admin._manager.send, asked).entries
    return {one.key: one.value for entry in entries for one in entry.values}


def test_quotas_are_those_of_the_list_until_access_is_taken_away(guarded: Guarded) -> None:
    guarded.enter(rights.subscriber("press"))
    assert access.limit_all(guarded.inner) > len(rights.known())
    for holder in (rights.subscriber("press"), rights.authority(MINE), rights.SERVICES["orders-worker"]):
        assert quota_of(guarded, holder.user) == {
            "producer_byte_rate": holder.quota.write,
            "consumer_byte_rate": holder.quota.read,
            "request_percentage": holder.quota.time,
        }
    access.revoke(guarded.inner, "subscriber-press")
    assert quota_of(guarded, "subscriber-press") == {}


def test_taking_access_away_leaves_no_rights_without_a_limit(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    user = rights.subscriber("halfway").user
    guarded.enter(rights.subscriber("halfway"))

    def broken_off(*_: object) -> None:
        raise Away("broken off half way")

    with monkeypatch.context() as patch:
        patch.setattr(access, "_credentials", broken_off)
        with pytest.raises(Away):
            access.revoke(guarded.inner, user)
    assert quota_of(guarded, user)
    assert access.revoke(guarded.inner, user) == 0, "its rights went first"
    assert quota_of(guarded, user) == {}


def test_the_time_of_an_event_is_the_brokers(guarded: Guarded) -> None:
    topic = f"orders.events.{ANOTHERS}"
    with Producer(guarded.inner) as producer:
        [receipt] = producer.send_all([Outgoing(topic, b"key", b"value", timestamp=0)])
    with closing(KafkaConsumer(**connection(guarded.inner))) as consumer:
        consumer.assign([TopicPartition(topic, 0)])
        consumer.seek(TopicPartition(topic, 0), receipt.offset)
        [[record]] = [consumer.poll(timeout_ms=10_000)[TopicPartition(topic, 0)]]
    assert record.timestamp > (system_clock() - timedelta(hours=1)).timestamp() * 1000


def environment(settings: KafkaSettings) -> dict[str, str]:
    assert settings.sasl_password is not None
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PAYBACK_")}
    return clean | {
        "PAYBACK_KAFKA_BOOTSTRAP": settings.bootstrap,
        "PAYBACK_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "PAYBACK_KAFKA_SASL_USERNAME": settings.sasl_username or "",
        "PAYBACK_KAFKA_SASL_PASSWORD": settings.sasl_password.get_secret_value(),
        "PAYBACK_KAFKA_TLS_CA_PATH": str(settings.tls_ca_path),
    }


def test_topics_are_looked_after_with_no_more_than_the_rights_for_it(guarded: Guarded, tmp_path: Path) -> None:
    done = carry_out(["topics"], environment(guarded.enter(rights.SERVICES["topics"])), tmp_path)
    assert done.returncode == 0, done.stderr
    assert "65 topics exist" in done.stdout


@pytest.mark.parametrize("name", ["watch", "orders-worker", "reporting-worker"])
def test_who_looks_after_topics_may_look_at_all_of_them(guarded: Guarded, name: str) -> None:
    """`payback watch`, and `payback doctor` where a worker's settings are."""
    assert list(look_at_kafka(guarded.enter(rights.SERVICES[name]), topic_specs(), system_clock())) == []


def test_who_copies_may_read_everything_and_write_nothing(guarded: Guarded, empty_kafka: str) -> None:
    topic = topic_of(Topic.ORDERS, MINE)
    write(guarded.inner, topic)
    copying = guarded.enter(rights.SERVICES["copy"])
    there = KafkaSettings(bootstrap=empty_kafka)
    with closing(Copier(copying, there)) as copier:
        assert copier.round() > 0
        assert copier.round() == 0
    assert can_read(there, topic)
    with pytest.raises(Refused):
        write(copying, topic)


def told(address: str) -> str:
    """Return the answer of the address; nothing while there is none, or it is a refusal."""
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return str(answer.read().decode())
    except (urllib.error.URLError, OSError):
        return ""


@pytest.mark.parametrize("service", ["orders", "unpaid-work", "reporting"])
def test_a_worker_needs_no_more_than_its_rights(
    guarded: Guarded, migrated: Callable[[], str], tmp_path: Path, service: str
) -> None:
    module = service.replace("-", "_")
    (port,) = free_ports(1)
    variables = environment(guarded.enter(rights.SERVICES[f"{service}-worker"])) | {
        "PAYBACK_DATABASE_URL": migrated(),
        "PAYBACK_DATABASE_SCHEMA_NAME": module,
        "PAYBACK_METRICS_PORT": str(port),
    }
    log = tmp_path / "worker.log"
    process = fork([sys.executable, "-m", f"services.{module}", "worker"], log, variables)
    try:
        # Measuring lag, which begins a while after readiness, needs rights too.
        wait_until(
            lambda: (
                bool(told(f"http://127.0.0.1:{port}/ready"))
                and "stream_lag{" in told(f"http://127.0.0.1:{port}/metrics")
            ),
            *(f"the worker of {service}", process, log),
            seconds=150,
        )
    finally:
        stop(process, seconds=60)
    assert "Authorization" not in log.read_text(), tail(log)


@pytest.mark.parametrize("command", KAFKA, ids=str)
def test_what_runbooks_tell_kafkas_own_programs_they_do(command: Command, guarded: Guarded, tmp_path: Path) -> None:
    """As the administrator, with the file that docker-compose.yml gives them."""
    told = re.sub(r"\$\{.*?\}", PASSWORD, COMPOSE["configs"]["kafka_admin"]["content"])
    (tmp_path / "kafka_admin").write_text(told)
    line = re.sub(r"\b(new-)?kafka:9092\b", guarded.inner.bootstrap, command.line)
    words = shlex.split(line.replace(" /kafka_admin", f" {tmp_path}/kafka_admin"))
    at = next(number for number, word in enumerate(words) if word in TOOLS)
    done = subprocess.run(
        apache_kafka.tool(TOOLS[words[at]], *words[at + 1 :]), capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == WELL, done.stdout + done.stderr
    assert re.search(r"^(Completed updating config|Cluster ID)", done.stdout, re.MULTILINE), done.stdout

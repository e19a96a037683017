"""Everything running and watched, and what can be done to it."""

import os
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import which

import httpx
from cryptography.fernet import Fernet

from contracts.authorities import AUTHORITIES
from contracts.decoding.codec import Event, encode
from contracts.events import Heartbeat
from deploy.local.postgres import Postgres, create_database
from deploy.local.process import asking, free_ports
from services.chassis.clock import system_clock
from tests.faults.alerts.done.disk import small_disk, told_of
from tests.faults.alerts.exporter import PROGRAM, Exporter
from tests.faults.alerts.proxy import Proxy
from tests.faults.alerts.watched import Watched, rules, watching
from tests.support import scenario
from tests.support.kafka import KafkaProcess
from tests.support.outside.receiver import Receiver, receiver
from tests.support.processes import APIS, WORKERS, Platform, running_platform, until

PROVING = 'job="proof"' in rules()["ProcessMissing"]["expr"]
PROCESSES = (*APIS, *WORKERS, "desk-api", "watch", *(("proof",) if PROVING else ()))
SMALLEST, MIDDLE, OTHER = "S12000027", "S12000038", "S12000047"
SENDERS = ("S12000006", "S12000008")
"""Authorities that send orders; of the others one hears heartbeats."""
SENDER = "orders-webhooks"
WEBHOOKS = {"webhooks_key": Fernet.generate_key().decode(), "webhooks_allowed_networks": "127.0.0.0/8"}
QUICK = {"kafka_session_timeout_seconds": "3", "stream_retry_longest_seconds": "2"}


@dataclass(frozen=True, slots=True)
class Scene:
    """All parts."""

    platform: Platform
    kafka: KafkaProcess
    postgres: Postgres
    watched: Watched
    files: Path
    """Where backups and certificates are."""
    home: Path
    """Where everything else is."""
    to_kafka: Proxy | None = None
    """The way of the worker of orders."""
    to_postgres: Proxy | None = None
    """The way of the API of unpaid work."""
    of_proof: Proxy | None = None
    """The way of the proof to PostgreSQL."""
    program: Receiver | None = None
    """Of authorities, which is told by webhooks."""
    disk: Path | None = None
    """A small one."""
    exporter: Exporter | None = None
    """Who tells of PostgreSQL, where it is installed."""
    brokers: list[KafkaProcess] = field(default_factory=list)
    """Those that joined the first."""
    later: ExitStack = field(default_factory=ExitStack)
    """What ends with the scene."""

    def heartbeats(self, authorities: Iterable[str] = AUTHORITIES, number: int = 1) -> None:
        """Send a heartbeat of each authority."""
        for code in authorities:
            lines = b"\n".join(encode(_heartbeat(code)) for _ in range(number))
            assert self.platform.post("orders", code, lines).is_success

    def orders(self) -> None:
        """Send events of some authorities about their orders, so that there are figures."""
        for kind, code, lines in scenario.topics():
            if code in SENDERS:
                service = kind.removesuffix(".events").replace("-", "_")
                assert self.platform.post(service, code, b"\n".join(lines)).is_success

    def authority_posts(self, code: str, token: str) -> int:
        """Post one heartbeat with this token, and return the status of the answer."""
        client = self.platform.client("orders", code)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/cloudevents+json"}
        return client.post("/v1/events", content=encode(_heartbeat(code)), headers=headers).status_code

    def watch(self) -> None:
        """Have Prometheus read every process."""
        for name in (*PROCESSES, *([SENDER] if self.program else ())):
            self.watched.scrape(name.replace("_", "-"), self.platform.metrics_address(name))


def _heartbeat(code: str) -> Event:
    return Event(str(uuid.uuid4()), code, None, "heartbeat.v1", "-", system_clock(), Heartbeat())


def people(number: int, ask: Callable[[], object], pause: float = 0.0) -> Callable[[], None]:
    """Have so many people ask all the time, until they are sent away."""
    stop = threading.Event()

    def go_on() -> None:
        while not stop.wait(pause):
            ask()

    asking = [threading.Thread(target=go_on, daemon=True) for _ in range(number)]
    for person in asking:
        person.start()

    def away() -> None:
        stop.set()
        for person in asking:
            person.join()

    return away


def start_watch(platform: Platform, files: Path, share: float = 0.1, database: str = "") -> None:
    """Start `payback watch`, which looks all the time, at files in this folder; and the proof, for this share of the time, of this
    database.
    """
    for name in ("payback.dump", "kafka.tgz"):
        (files / name).write_bytes(b"kept")
    program = str(Path(sys.executable).with_name("payback"))
    if PROVING:
        platform.add("proof", "reporting-worker", program, "prove", "--watch", "--share", str(share))
        platform.tell("proof", database_url=database or platform.database)
        platform.spawn("proof")
    platform.add("watch", "orders-worker", program, "watch")
    looks = {"watch_backups_path": str(files), "watch_certificates_path": str(files), "watch_every_seconds": "2"}
    platform.tell("watch", kafka_bootstrap=platform.kafka, **looks)
    platform.spawn("watch")
    address = f"http://{platform.metrics_address('watch')}/metrics"
    until(lambda: "payback_findings{" in _text(address), "watch has looked", seconds=60)


def start_sender(platform: Platform) -> None:
    """Start the sender of webhooks of orders; it tries again within seconds."""
    platform.add(SENDER, "orders-worker", sys.executable, "-m", "services.orders", "webhooks")
    platform.tell(SENDER, **WEBHOOKS, webhooks_retry_first_seconds="1", webhooks_retry_longest_seconds="5")
    platform.spawn(SENDER)
    address = f"http://{platform.metrics_address(SENDER)}/metrics"
    until(lambda: "payback_webhook_looked" in _text(address), "the sender looks", seconds=60)


def _text(address: str) -> str:
    try:
        return asking().get(address, timeout=5).text
    except httpx.TransportError:
        return ""


@contextmanager
def running() -> Iterator[Scene]:
    """Yield a running scene of its own, with ways that can be cut."""
    with ExitStack() as parts:
        home = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="payback-alerts-")))
        kafka, to_kafka = _kafka()
        parts.callback(kafka.remove)
        kafka.start()
        postgres = Postgres(home)
        parts.callback(postgres.remove)
        postgres.start()
        to_postgres, of_proof = Proxy(postgres.port), Proxy(postgres.port)
        database = create_database(postgres.url, "payback")
        settings = {name: dict(QUICK) for name in WORKERS}
        settings["orders-worker"] |= {"kafka_bootstrap": f"127.0.0.1:{to_kafka.port}"}
        cut = database.replace(f":{postgres.port}/", f":{to_postgres.port}/")
        settings["unpaid_work-api"] = {"database_url": cut}
        settings["orders-api"] = WEBHOOKS
        platform = parts.enter_context(running_platform(home, kafka.address, database, settings))
        platform.start("desk-api")
        files = home / "files"
        files.mkdir()
        start_watch(platform, files, 1, database.replace(f":{postgres.port}/", f":{of_proof.port}/"))
        start_sender(platform)
        watched = parts.enter_context(watching(home))
        disk = parts.enter_context(small_disk(home))
        if disk:
            watched.scrape("host", parts.enter_context(told_of(home)))
        exporter = Exporter(home, database) if which(PROGRAM) else None
        if exporter:
            parts.callback(exporter.stop)
            exporter.start()
            watched.scrape("postgres-exporter", exporter.address)
        program = parts.enter_context(receiver())
        later = parts.enter_context(ExitStack())
        scene = Scene(
            *(platform, kafka, postgres, watched, files, home),
            *(to_kafka, to_postgres, of_proof, program, disk, exporter),
            later=later,
        )
        scene.heartbeats()
        scene.orders()
        scene.watch()
        yield scene


def _kafka() -> tuple[KafkaProcess, Proxy]:
    """Return a broker with one more way to it, through a proxy."""
    (inside,) = free_ports(1)
    proxy = Proxy(inside)
    kafka = KafkaProcess(beside=(inside, proxy.port))
    return kafka, proxy


def age(path: Path, by: timedelta) -> None:
    """Make a file look as old as that."""
    at = (datetime.now(UTC) - by).timestamp()
    os.utime(path, (at, at))

"""The platform as real processes on a given Kafka and PostgreSQL, for tests that kill, freeze and starve them.

Nothing is restarted automatically: a process that dies stays dead until the test says otherwise. Use it from the main thread.
"""

import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import psycopg
from kafka import KafkaConsumer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families as read_metrics

from deploy.local.plan import Ports, Surroundings, plan
from deploy.local.process import (
    LONGEST_PAUSE,
    SHORTEST_PAUSE,
    asking,
    free_ports,
    spawn,
    stop,
    stop_all,
    tail,
    wait_until,
)
from deploy.local.settings import clean_environment
from deploy.local.tokens import DevelopmentKey, identity_of, mint_for_everybody, write_roles
from services.chassis.clock import FixedClock
from services.chassis.settings import KafkaSettings
from services.operations.topics import ensure, topic_specs
from tests.support.parts import make_tables
from tests.support.running.forked import Served, fork, is_ours

LINES = "application/x-ndjson"
WORKERS = ("orders-worker", "unpaid_work-worker", "reporting-worker")
APIS = ("orders-api", "unpaid_work-api", "reporting-api")
NOTHING: Mapping[str, Mapping[str, str]] = MappingProxyType({})
SHORTEST_SESSION = {"kafka_session_timeout_seconds": "6"}
"""The shortest session that Apache Kafka allows by default; the embedded broker, for which the plan is made, allows shorter ones."""
START_SECONDS = 120
PATIENCE_SECONDS = 120
"""How long nothing may happen before a test fails."""

Process = subprocess.Popen[bytes] | Served

Cells = dict[str, int]
"""Values by `measure|authority|period|category`."""


def until(happened: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Return as soon as it has happened."""
    deadline, pause = time.monotonic() + seconds, SHORTEST_PAUSE
    while not happened():
        assert time.monotonic() < deadline, f"in {seconds:.0f} s it did not happen: {what}"
        time.sleep(pause)
        pause = min(1.5 * pause, LONGEST_PAUSE)


class Platform:
    """Processes by name: `orders-worker`, `reporting-api` and so on, and those that `add` makes."""

    def __init__(self, directory: Path, kafka: str, database: str, *, forked: bool = False) -> None:
        """Prepare the processes. Forked ones start in a fraction of the time; they also hold in memory what the others import."""
        self.kafka, self.database = kafka, database
        self._directory, self._forked = directory, forked
        self._key = DevelopmentKey(directory / "key.pem")
        self._ports = Ports.choose(None)
        roles = write_roles(directory / "roles.json", mint_for_everybody(self._key))
        planned = plan(self._ports, Surroundings(kafka, database, self._key.public_path, roles))
        self._specs = {spec.name: spec for spec in planned.services}
        for name in WORKERS:
            self.tell(name, **SHORTEST_SESSION)
        self._running: dict[str, Process] = {}
        self._clients: dict[tuple[str, str], httpx.Client] = {}

    def prepare(self) -> None:
        """Make topics and tables."""
        ensure(KafkaSettings(bootstrap=self.kafka), topic_specs())
        make_tables(self.database)

    def close(self) -> None:
        """Stop everything that runs."""
        for name in self._running:
            self.thaw(name)
        stop_all(list(self._running.values()))
        for client in self._clients.values():
            client.close()

    # Processes

    def add(self, name: str, like: str, *command: str) -> None:
        """Add a process with the settings of another one and a port of its own for metrics; or another program in its place."""
        (port,) = free_ports(1)
        found = self._specs[like]
        assert found.ready is not None
        ready = replace(found.ready, address=f"http://127.0.0.1:{port}/metrics")
        self._specs[name] = replace(found, name=name, command=command or found.command, ready=ready)
        self.tell(name, metrics_port=str(port))

    def tell(self, name: str, **settings: str) -> None:
        """Set settings for its next start, as in `stream_batch_max_messages`."""
        spec = self._specs[name]
        told = {f"PAYBACK_{setting.upper()}": value for setting, value in settings.items()}
        self._specs[name] = replace(spec, environment=spec.environment | told)

    def start(self, *names: str) -> None:
        """Start processes side by side, and return when all can do their work."""
        self.spawn(*names)
        for name in names:
            wait_until(lambda name=name: self.up(name), name, self.process(name), self.log(name), seconds=START_SECONDS)  # type: ignore[misc]

    def spawn(self, *names: str) -> None:
        """Start processes and wait for nothing."""
        for name in names:
            spec = self._specs[name]
            environment = clean_environment() | spec.environment
            start = fork if self._forked and is_ours(spec.command) else spawn
            self._running[name] = start(spec.command, self.log(name), environment=environment)

    def environment(self, name: str) -> dict[str, str]:
        """Return the environment of a process."""
        return dict(self._specs[name].environment)

    def metrics_address(self, name: str) -> str:
        """Return where Prometheus reads its metrics."""
        return f"127.0.0.1:{self._specs[name].environment['PAYBACK_METRICS_PORT']}"

    def token(self, role: str, lifetime: timedelta, begun: datetime) -> str:
        """Return a token that was made then."""
        return self._key.mint(identity_of(role), lifetime, FixedClock(begun))

    def process(self, name: str) -> Process:
        return self._running[name]

    def log(self, name: str) -> Path:
        return self._directory / f"{name}.log"

    def kill(self, name: str) -> None:
        """End a process as a crash would."""
        stop(self.process(name), signal.SIGKILL)
        assert self.process(name).returncode == -signal.SIGKILL, self._said(name)

    def stop(self, *names: str) -> None:
        """Stop processes as an operator would: each must end with status 0."""
        for name in names:
            self.process(name).terminate()
        for name in names:
            self.exit_status(name)
            assert self.process(name).returncode == 0, self._said(name)

    def freeze(self, name: str) -> None:
        """Freeze a process where it is, like a machine that is paused."""
        self.process(name).send_signal(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Let a frozen process continue."""
        if self.process(name).poll() is None:
            self.process(name).send_signal(signal.SIGCONT)

    def exit_status(self, name: str) -> int:
        """Return the exit status of a process that is expected to end by itself."""
        until(lambda: self.process(name).poll() is not None, f"{name} ends")
        status = self.process(name).returncode
        assert status is not None
        return status

    def running(self) -> dict[str, int]:
        """Return names and process ids of what runs."""
        return {name: process.pid for name, process in self._running.items() if process.poll() is None}

    def ended(self) -> dict[str, int]:
        """Return names and statuses of what has ended."""
        return {name: status for name, process in self._running.items() if (status := process.poll()) is not None}

    def mend(self) -> None:
        """Ensure that exactly the six processes run, whatever the previous test left."""
        for name in self.running().keys() - {*APIS, *WORKERS}:
            self.kill(name)
        self.start(*(name for name in (*APIS, *WORKERS) if name not in self.running()))

    def up(self, name: str) -> bool:
        """Return whether it says that it can do its work."""
        sign = self._specs[name].ready
        assert sign is not None
        try:
            answer = asking().get(sign.address, timeout=10)
        except httpx.TransportError:
            return False
        return answer.is_success and (sign.line is None or sign.line in answer.text.splitlines())

    def metric(self, name: str, metric: str, **labels: str) -> float:
        """Return the sum of a worker's samples of this name and these labels."""
        return sum(self._samples(name, metric, labels).values())

    def values(self, name: str, metric: str) -> list[float]:
        """Return every sample of this name."""
        return list(self._samples(name, metric, {}).values())

    def owned(self, name: str) -> set[str]:
        """Return the topics that a worker reads."""
        return {dict(labels)["topic"] for labels in self._samples(name, "payback_stream_position", {})}

    def _samples(self, name: str, metric: str, labels: Mapping[str, str]) -> dict[frozenset[tuple[str, str]], float]:
        sign = self._specs[name].ready
        assert sign is not None
        lines = asking().get(sign.address, timeout=10).text.splitlines(keepends=True)
        wanted = "".join(line for line in lines if line.startswith(metric))
        samples = (sample for family in read_metrics(wanted) for sample in family.samples if sample.name == metric)
        return {frozenset(s.labels.items()): s.value for s in samples if labels.items() <= s.labels.items()}

    def _said(self, name: str) -> str:
        return f"{name} ended with {self.process(name).returncode}; the end of its log:\n{tail(self.log(name))}"

    # APIs

    def port(self, name: str) -> int:
        """Return the port of an API."""
        return int(self._specs[name].environment["PAYBACK_HTTP_PORT"])

    def bearer(self, role: str) -> str:
        """Return the token of an authority (its code) or of `national`."""
        return self._key.mint(identity_of(role))

    @property
    def desk(self) -> str:
        """Return the address of the desk's pages, once `desk-api` was started."""
        return f"http://127.0.0.1:{self._ports.desk}"

    def client(self, service: str, role: str) -> httpx.Client:
        """Return a client for one service's API, with the token of an authority (its code) or of `national`."""
        if (service, role) not in self._clients:
            self._clients[service, role] = httpx.Client(
                base_url=f"http://127.0.0.1:{self._ports.apis[service]}",
                headers={"Authorization": f"Bearer {self._key.mint(identity_of(role))}"},
                timeout=120,
            )
        return self._clients[service, role]

    def post(self, service: str, authority: str, body: bytes, media: str = LINES) -> httpx.Response:
        """Send events."""
        headers = {"Content-Type": media}
        return self.client(service, authority).post("/v1/events", content=body, headers=headers)

    def positions(self) -> dict[str, int]:
        """Return, for each source, the last offset that reporting shows."""
        found: dict[str, int] = self._national("positions")["positions"]
        return found

    def wait_until_shown(self, offsets: Mapping[str, int]) -> None:
        """Return when reporting shows these offsets; fail if it makes no progress for long."""
        best, since = -1, time.monotonic()
        while missing := self.not_shown(offsets):
            left = sum(missing.values())
            if best < 0 or left < best:
                best, since = left, time.monotonic()
            assert time.monotonic() - since < PATIENCE_SECONDS, f"not shown, and no progress: {missing}"
            time.sleep(0.2)

    def not_shown(self, offsets: Mapping[str, int]) -> dict[str, int]:
        """Return how far reporting is behind these offsets, by source."""
        shown = self.positions()
        return {at: offset - shown.get(at, -1) for at, offset in offsets.items() if shown.get(at, -1) < offset}

    def cells(self, authorities: Iterable[str] | None = None) -> Cells:
        """Return what reporting shows to a national analyst, of all or of some authorities."""
        if authorities is not None:
            return {key: value for code in authorities for key, value in self._cells(authority=code)}
        return dict(self._cells())

    def _cells(self, **wanted: str) -> Iterator[tuple[str, int]]:
        cursor: dict[str, str] | None = {}
        while cursor is not None:
            page = self._national("cells", **wanted, **cursor)
            for cell in page["cells"]:
                yield "|".join(cell[part] for part in ("measure", "authority", "period", "category")), cell["value"]
            cursor = {"cursor": page["next"]} if page["next"] else None

    def _national(self, path: str, **parameters: str) -> Any:
        return self.client("reporting", "national").get(f"/v1/{path}", params=parameters).raise_for_status().json()

    # What Kafka and PostgreSQL hold

    def ends(self, topics: Iterable[str]) -> dict[str, int]:
        """Return how many events Kafka keeps of each topic."""
        with closing(KafkaConsumer(bootstrap_servers=self.kafka)) as consumer:
            found = consumer.end_offsets([TopicPartition(topic, 0) for topic in topics])
        return {at.topic: end for at, end in found.items()}

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Return the answer of the database itself, past all services."""
        with psycopg.connect(self.database, connect_timeout=10) as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    def execute(self, statement: str, *parameters: object) -> None:
        """Change the database behind the services' backs."""
        with psycopg.connect(self.database, connect_timeout=10) as connection:
            connection.execute(statement.encode(), parameters)

    def taken(self, service: str) -> int:
        """Return how many messages a worker has processed, of all its sources."""
        return int(self.rows(f"SELECT coalesce(sum(next_offset), 0) FROM {service}.checkpoints")[0][0])


@contextmanager
def running_platform(
    directory: Path,
    kafka: str,
    database: str,
    settings: Mapping[str, Mapping[str, str]] = NOTHING,
    *,
    forked: bool = False,
) -> Iterator[Platform]:
    """Run all six processes, on topics and tables made for them. `settings` are by process, as for `Platform.tell`."""
    platform = Platform(directory, kafka, database, forked=forked)
    for name, told in settings.items():
        platform.tell(name, **told)
    try:
        platform.prepare()
        platform.start(*APIS, *WORKERS)
        yield platform
    finally:
        platform.close()

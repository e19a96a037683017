"""Apache Kafka as a local process: one node that is broker and controller, its jars resolved by Maven."""

import base64
import os
import signal
import subprocess
import time
import uuid
from contextlib import closing
from pathlib import Path
from shutil import which

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from deploy.local.process import NotReady, answers, free_ports, spawn, stop, tail, wait_until
from deploy.local.scratch import Scratch

_POM = Path(__file__).parents[1] / "kafka" / "pom.xml"
_JARS = _POM.parent / "target" / "jars"

_LOGGING = """
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %c{1}: %m%n
"""


def properties(*, broker: int, controller: int, data: str, host: str = "127.0.0.1") -> dict[str, str]:
    """The broker's settings: one node for short-lived tests, that clients reach at the loopback address."""
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{host}:{broker},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{broker}",
        "log.dirs": data,
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": "0",
        "broker.session.timeout.ms": "4000",  # a killed broker comes back only when its session is over
        "broker.heartbeat.interval.ms": "500",
        "group.min.session.timeout.ms": "1000",  # killed members are to be missed soon
        "offsets.topic.num.partitions": "4",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "log.cleaner.dedupe.buffer.size": "4194304",
    }


def obstacle() -> str | None:
    """Why Apache Kafka cannot run here as a local process; None when it can."""
    missing = [program for program in ("java", "mvn") if which(program) is None]
    return f"not installed: {', '.join(missing)}" if missing else None


def resolve_jars() -> Path:
    """The directory with the broker's jars, which Maven fetches the first time and whenever the pom changes."""
    stamp = _JARS / ".resolved"
    if not stamp.exists() or stamp.stat().st_mtime < _POM.stat().st_mtime:
        subprocess.run(["mvn", "-q", "-B", "-f", str(_POM), "clean:clean", "dependency:copy-dependencies"], check=True)
        stamp.touch()
    return _JARS


def _java(main: str, *arguments: str) -> list[str]:
    """A small Java machine that compiles lightly: it lives for a few minutes at most."""
    program = which("java")
    assert program is not None
    return [
        *(program, "-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"),
        *("-cp", f"{_JARS}/*", main, *arguments),
    ]


def remove_topics(address: str) -> None:
    """Delete every topic of the broker, and return when they are gone."""
    with closing(KafkaAdminClient(bootstrap_servers=address)) as admin:
        while topics := [name for name in admin.list_topics() if not name.startswith("__")]:
            admin.delete_topics(topics, raise_errors=False)
            time.sleep(0.1)


class KafkaProcess:
    """A broker that can be stopped, or killed, and started again on the same port and data."""

    def __init__(self) -> None:
        self._scratch = Scratch()
        self._directory = self._scratch.path
        self._port, self._controller = free_ports(2)
        self._process: subprocess.Popen[bytes] | None = None
        self.address = f"127.0.0.1:{self._port}"
        self.log = self._directory / "kafka.log"

    def start(self) -> None:
        """Return when it answers clients. Raises NotReady."""
        if not (self._directory / "data").exists():
            self._format()
        self._process = spawn(_java("kafka.Kafka", str(self._properties)), self.log, environment=self._environment())
        wait_until(self._answers, "Apache Kafka", self._process, self.log, seconds=60)

    def ensure_running(self) -> None:
        """Start it unless it runs."""
        if self._process is None or self._process.poll() is not None:
            self.start()

    def stop(self) -> None:
        """Stop in an orderly way."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Stop as a crash would."""
        self._end(signal.SIGKILL)

    def remove(self) -> None:
        """Stop and delete the data."""
        self.kill()
        self._scratch.remove()

    @property
    def _properties(self) -> Path:
        return self._directory / "server.properties"

    def _environment(self) -> dict[str, str]:
        logging = f"-Dlog4j2.configurationFile={self._directory}/log4j2.properties"
        return {"PATH": os.defpath, "JDK_JAVA_OPTIONS": logging}

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            stop(self._process, how, seconds=30)
            self._process = None

    def _format(self) -> None:
        settings = properties(broker=self._port, controller=self._controller, data=f"{self._directory}/data")
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        (self._directory / "log4j2.properties").write_text(_LOGGING)
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        command = _java(
            "kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "--config", str(self._properties)
        )
        if spawn(command, self.log, environment=self._environment()).wait():
            raise NotReady(f"Apache Kafka's storage could not be formatted:\n{tail(self.log)}")

    def _answers(self) -> bool:
        if not answers(self._port):
            return False
        try:
            admin = KafkaAdminClient(bootstrap_servers=self.address, request_timeout_ms=2000)
        except KafkaError:
            return False
        with closing(admin):
            return bool(admin.describe_cluster()["brokers"])

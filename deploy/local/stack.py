"""The embedded stack as a whole, for the demo, for trying things and for tests from outside."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from deploy.local.broker import Broker
from deploy.local.plan import ROLES, SERVICES, Ports, Surroundings, plan
from deploy.local.postgres import SMALL, Postgres, create_database, let_sign_in
from deploy.local.process import spawn
from deploy.local.scratch import Scratch
from deploy.local.supervisor import Supervisor
from deploy.local.template import Template
from deploy.local.tokens import DevelopmentKey, mint_for_everybody, write_roles
from services.chassis.settings import KafkaSettings
from services.operations.topics import ensure, topic_specs

LOOK_SECONDS = 0.2

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack."""

    directory: Path
    """Logs, keys and, where possible, the database."""
    apis: dict[str, str]
    desk: str
    metrics: list[str]
    kafka: str
    postgres: str
    tokens: dict[str, str]
    supervisor: Supervisor

    def announcement(self) -> dict[str, Any]:
        """Return what an outsider needs to use it."""
        return {
            **self.apis,
            "desk": self.desk,
            "metrics": self.metrics,
            "kafka": self.kafka,
            "postgres": self.postgres,
            "tokens": self.tokens,
        }

    def keep_up(self, until: Callable[[], bool]) -> None:
        """Supervise the processes until told otherwise. From the main thread only."""
        while not until():
            self.supervisor.check()
            time.sleep(LOOK_SECONDS)


@contextmanager
def running_stack(
    directory: Path | None,
    base_port: int | None,
    tell: Tell,
    *,
    simulated: bool = False,
    webhooks: bool = False,
    once_topics: Callable[[str], object] = lambda _: None,
) -> Iterator[Stack]:
    """Start everything, and stop everything at the end. From the main thread only, since the parts die with it.

    Without a directory a temporary one is used. `once_topics` gets the broker's address as soon as events can be sent there. Raises
    PortsTaken, or NotReady with the end of a log. Any exception during the block, Ctrl-C included, stops it in order.
    """
    with ExitStack() as parts:
        home = _home(directory, parts)
        ports = Ports.choose(base_port)
        template = _template(home, parts)
        postgres = Postgres(home, port=ports.postgres, options=SMALL)
        parts.callback(postgres.remove)
        with _timed("PostgreSQL", tell):
            postgres.start()
        broker = Broker(home, port=ports.kafka)
        parts.callback(broker.stop)
        with _timed("the broker", tell):
            broker.start()
        supervisor = Supervisor(home, tell, start=template.spawn if template else spawn)
        parts.callback(supervisor.stop)
        key = DevelopmentKey(home / "development-key.pem")
        database = create_database(postgres.url, "payback")
        tokens = mint_for_everybody(key)
        roles = write_roles(home / "roles.json", tokens)
        around = Surroundings(
            broker.address,
            database,
            key.public_path,
            roles,
            simulated,
            transactions=False,
            sign_in=let_sign_in(database, (f"{service}_{role}" for service in SERVICES for role in ROLES)),
            webhooks_key=Fernet.generate_key().decode() if webhooks else "",
        )
        steps = plan(ports, around)
        with _timed("topics and tables", tell):
            ensure(KafkaSettings(bootstrap=broker.address), topic_specs(simulated=simulated))
            once_topics(broker.address)
            supervisor.run_to_end(steps.migrations)
        with _timed("the services", tell):
            supervisor.start(steps.services)
        if template:
            template.close()  # it would hold 36 MB of its own; a service that died is started without it
        parts.callback(tell, "stopping")
        yield Stack(
            directory=home,
            apis=ports.urls(),
            desk=f"http://127.0.0.1:{ports.desk}",
            metrics=[f"http://127.0.0.1:{port}/metrics" for port in (*ports.metrics.values(), ports.desk_metrics)],
            kafka=broker.address,
            postgres=database,
            tokens=tokens,
            supervisor=supervisor,
        )


def _home(directory: Path | None, parts: ExitStack) -> Path:
    if directory is None:
        return parts.enter_context(Scratch()).path
    directory.mkdir(parents=True, exist_ok=True)
    return directory.resolve()


def _template(home: Path, parts: ExitStack) -> Template | None:
    """Return what imports meanwhile what services need, if the system can fork them of it."""
    if sys.platform != "linux":
        return None
    template = Template(home / "template.log")
    parts.callback(template.close)
    return template


@contextmanager
def _timed(what: str, tell: Tell) -> Iterator[None]:
    tell(f"starting {what}")
    began = time.monotonic()
    yield
    tell(f"{what} ready after {time.monotonic() - began:.1f} s")

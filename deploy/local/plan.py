"""The processes of the stack, and the settings of each. It only decides; `supervisor` carries it out."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from deploy.local.process import free_ports, taken
from services.chassis.settings import DEVELOPMENT_ISSUER

SERVICES = ("orders", "unpaid_work", "reporting")
ROLES = ("api", "worker")
SENDERS = ("orders", "unpaid_work")
"""The services that send webhooks, if that is wanted."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of everything on the loopback address."""

    apis: dict[str, int]
    metrics: dict[tuple[str, str], int]
    kafka: int
    postgres: int
    desk: int
    desk_metrics: int
    senders: dict[str, int]
    """Ports of the metrics of processes that send webhooks."""

    def urls(self) -> dict[str, str]:
        """Return the address of each service's API."""
        return {service: f"http://127.0.0.1:{port}" for service, port in self.apis.items()}

    @classmethod
    def from_numbers(cls, numbers: Sequence[int]) -> Self:
        """Assign numbers to the APIs in the order of SERVICES, the metrics of each API and worker, Kafka, PostgreSQL, the desk, its
        metrics, and the senders'.
        """
        remaining = iter(numbers)
        apis = {service: next(remaining) for service in SERVICES}
        metrics = {(service, role): next(remaining) for service in SERVICES for role in ROLES}
        kafka, postgres, desk, desk_metrics, *senders = remaining
        return cls(apis, metrics, kafka, postgres, desk, desk_metrics, dict(zip(SENDERS, senders, strict=True)))

    @classmethod
    def choose(cls, base: int | None) -> Self:
        """Choose ports from `base` upwards, or any that are free. Raises PortsTaken."""
        count = len(SERVICES) * (1 + len(ROLES)) + 4 + len(SENDERS)
        if base is None:
            return cls.from_numbers(free_ports(count))
        wanted = range(base, base + count)
        if in_use := taken(wanted):
            raise PortsTaken(f"Something listens already on {', '.join(map(str, in_use))}; choose another --port")
        return cls.from_numbers(wanted)


class PortsTaken(Exception):
    """The ports asked for are not free."""

    exit_status = 2


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The parts on which the services depend."""

    kafka: str
    postgres: str
    public_key: Path
    roles: Path
    """Tokens by role, with which the pages here sign in by one click."""
    simulated: bool = False
    """Whether the pages must say that the figures are not real."""
    transactions: bool = True
    """Whether Kafka has transactions; the embedded broker does not."""
    sign_in: Mapping[str, str] = field(default_factory=dict)
    """Addresses of PostgreSQL for processes that sign in with roles of their own."""
    webhooks_key: str = ""
    """The key that seals the secrets of webhooks; without one, none are sent."""

    def database(self, service: str, role: str) -> str:
        """Return the address of PostgreSQL for a process with this role."""
        return self.sign_in.get(f"{service}_{role}", self.postgres)


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign that a process can do its work: the address answers 200, with this line in the answer if one is given."""

    address: str
    line: str | None = None


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process. `ready` is None for one that runs to its end."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(repr=False)
    ready: Sign | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """First the migrations, all to their end; then the services."""

    migrations: tuple[ProcessSpec, ...]
    services: tuple[ProcessSpec, ...]


def plan(ports: Ports, around: Surroundings) -> Plan:
    """Return the plan of the whole stack."""
    return Plan(
        migrations=tuple(_process(service, "migrate", _settings(service, "migrate", around)) for service in SERVICES),
        services=tuple(_services(ports, around)),
    )


def _services(ports: Ports, around: Surroundings) -> Iterator[ProcessSpec]:
    for service in SERVICES:
        api, serving, working = ports.apis[service], ports.metrics[service, "api"], ports.metrics[service, "worker"]
        listening = {"PAYBACK_HTTP_PORT": str(api), "PAYBACK_METRICS_PORT": str(serving)}
        more = _site(around) if service == "reporting" else _webhooks(around)
        yield _process(
            service, "api", _settings(service, "api", around) | listening | more, Sign(f"http://127.0.0.1:{api}/readyz")
        )
        reading = {"PAYBACK_METRICS_PORT": str(working)}
        sign = Sign(f"http://127.0.0.1:{working}/metrics", "payback_stream_up 1.0")
        yield _process(service, "worker", _settings(service, "worker", around) | reading | _seals(service), sign)
    yield _desk(ports, around)
    if around.webhooks_key:
        yield from (_sender(service, ports.senders[service], around) for service in SENDERS)


def _sender(service: str, metrics: int, around: Surroundings) -> ProcessSpec:
    settings = {
        "PAYBACK_DATABASE_URL": around.database(service, "worker"),
        "PAYBACK_DATABASE_SCHEMA_NAME": service,
        "PAYBACK_METRICS_PORT": str(metrics),
        **_webhooks(around),
    }
    return _process(service, "webhooks", settings, Sign(f"http://127.0.0.1:{metrics}/metrics"))


def _webhooks(around: Surroundings) -> dict[str, str]:
    """Return settings that allow receivers on this machine."""
    own = {"PAYBACK_WEBHOOKS_KEY": around.webhooks_key, "PAYBACK_WEBHOOKS_ALLOWED_NETWORKS": "127.0.0.0/8"}
    return own if around.webhooks_key else {}


def _desk(ports: Ports, around: Surroundings) -> ProcessSpec:
    addresses = {f"PAYBACK_PLATFORM_{service.upper()}_URL": url for service, url in ports.urls().items()}
    settings = {
        **addresses,
        "PAYBACK_PLATFORM_PUBLIC_REPORTING_URL": ports.urls()["reporting"],
        **_tokens(around),
        "PAYBACK_HTTP_PORT": str(ports.desk),
        "PAYBACK_METRICS_PORT": str(ports.desk_metrics),
    }
    return _process("desk", "api", settings | _site(around), Sign(f"http://127.0.0.1:{ports.desk}/readyz"))


def _process(service: str, role: str, settings: dict[str, str], ready: Sign | None = None) -> ProcessSpec:
    return ProcessSpec(f"{service}-{role}", (sys.executable, "-m", f"services.{service}", role), settings, ready)


def _settings(service: str, role: str, around: Surroundings) -> dict[str, str]:
    return {
        "PAYBACK_KAFKA_BOOTSTRAP": around.kafka,
        "PAYBACK_KAFKA_SESSION_TIMEOUT_SECONDS": "4",  # joining a group takes the embedded broker half of this time
        # It does not answer a waiting fetch earlier; asking more often costs processor time.
        "PAYBACK_KAFKA_FETCH_WAIT_MILLISECONDS": "50",
        "PAYBACK_KAFKA_TRANSACTIONS": str(around.transactions).lower(),
        "PAYBACK_DATABASE_URL": around.database(service, role),
        "PAYBACK_DATABASE_SCHEMA_NAME": service,
        **_tokens(around),
    }


def _seals(service: str) -> dict[str, str]:
    """Return settings of seals with keys that are not secret: they show that seals are made and checked."""
    keys = {name: f"for development only and no secret: {name}" for name in ("orders", "unpaid_work")}
    if service in keys:
        return {"PAYBACK_AGGREGATES_KEY": keys[service]}
    return {f"PAYBACK_AGGREGATES_{name.upper()}_KEY": key for name, key in keys.items()}


def _tokens(around: Surroundings) -> dict[str, str]:
    """Return settings of development tokens, of any lifetime."""
    return {
        "PAYBACK_TOKENS_PUBLIC_KEY_PATH": str(around.public_key),
        "PAYBACK_TOKENS_ISSUER": DEVELOPMENT_ISSUER,
        "PAYBACK_TOKENS_DEVELOPMENT": "true",
        "PAYBACK_TOKENS_LONGEST_HOURS": "10000",
    }


def _site(around: Surroundings) -> dict[str, str]:
    return {
        "PAYBACK_SITE_INSECURE_COOKIE": "true",
        "PAYBACK_SITE_SIMULATED": str(around.simulated).lower(),
        "PAYBACK_SITE_ROLES_PATH": str(around.roles),
    }

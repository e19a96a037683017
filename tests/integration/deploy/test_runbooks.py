"""Every command of a runbook is carried out as it stands there, as the role and with the rights that docker-compose.yml gives; what only
Docker could carry out names services, volumes and programs that there are."""

import os
import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
import yaml

from contracts.topics import NATIONAL_AGGREGATES
from services.chassis.migrations import migrate
from services.chassis.settings import KafkaSettings
from services.cli import GROUPS
from services.operations.topics import ensure, topic_specs
from tests.integration.deploy.test_roles import SERVICES, address, prepared
from tests.support.kafka import remove_topics
from tests.support.running.commands import carry_out

__all__ = ["prepared"]
ROOT = Path(__file__).parents[3]
PAGES = sorted([*(ROOT / "deploy" / "runbooks").glob("*.md"), ROOT / "docs" / "operator.md"])
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
PLACEHOLDERS = {
    "TOPIC FIRST LAST TIME": "orders.events.S12000005 0 0 2026-01-01T00:00",
    "[AUTHORITY...]": "S12000005",
    "AUTHORITY": "S12000005",
    "FILE": os.devnull,
    "...": "because",
}
VALUED = {"-e", "--env", "--scale", "--tail", "--since", "--format"}
COMPOSE_COMMANDS = {"up", "stop", "start", "restart", "rm", "ps", "logs", "exec", "run", "build"}
WELL, FOUND = 0, 1
PROGRAMS = {"df", "psql", "pg_basebackup", "pg_dump", "pg_restore", "payback"}
"""What may be run in a container, beside Kafka's own programs."""
TOOLS = {
    "/opt/kafka/bin/kafka-configs.sh": "org.apache.kafka.tools.ConfigCommand",
    "/opt/kafka/bin/kafka-cluster.sh": "org.apache.kafka.tools.ClusterTool",
}
"""The class that each of Kafka's own programs runs."""


class Command(NamedTuple):
    """One command line of a page."""

    page: str
    line: str

    def __str__(self) -> str:
        return f"{self.page}: {self.line[:70]}"


def commands() -> Iterator[Command]:
    for page in PAGES:
        text = page.read_text()
        blocks = re.findall(r"(?m)^ {4,}(\S.*(?:\\\n.*)*(?:\n {6,}\S.*)*)$", text)
        spans = re.findall(r"(?s)`([^`]+)`", text)
        for found in (*blocks, *spans):
            for line in re.sub(r"\s*\\\n\s*", " ", found).splitlines():
                plain = re.sub(r"\s+#.*$", "", line.strip())
                if plain.startswith(("docker compose ", "payback ")) and not plain.endswith("payback ..."):
                    yield Command(page.name, " ".join(re.sub(r"\s*\n\s*", " ", plain).split()))


ALL = list(dict.fromkeys(commands()))
FOUND_ONCE = {one.line: one for one in ALL if re.search(r"(^|\s)payback (?!stack|demo|token)\w+", one.line)}
NAMED = [one for one in FOUND_ONCE.values() if re.fullmatch(r"payback (\w+( --watch)?|evidence close)", one.line)]
"""Those that a page only names, that never end, or that need a key."""
OURS = [one for one in FOUND_ONCE.values() if one not in NAMED]
DATABASE = [one for one in ALL if " psql " in one.line]
KAFKA = [one for one in ALL if "/opt/kafka/bin/" in one.line]
"""Carried out in test_access.py, by its broker."""
DOCKER = [one for one in ALL if one.line.startswith("docker compose")]


def test_there_are_commands_of_each_kind() -> None:
    assert (len(OURS) > 12, len(DATABASE) > 2, len(DOCKER) > 15, len(KAFKA) > 2) == (True, True, True, True)


@pytest.fixture(scope="module")
def ready(prepared: str, kafka: str) -> tuple[str, str]:
    """Return the database with tables, and Kafka with topics."""
    for service in SERVICES:
        migrate(address(prepared, "maintenance"), service, ROOT / "services" / service / "migrations")
    remove_topics(kafka)
    ensure(KafkaSettings(bootstrap=kafka), topic_specs())
    return prepared, kafka


def _park(database: str) -> None:
    values = "('S12000005', 'parked', 'orders.events.S12000005', 0, 3, 'a bug', 'worker', now())"
    with psycopg.connect(address(database, "maintenance")) as connection:
        connection.execute("DELETE FROM orders.parks")
        connection.execute(
            f'INSERT INTO orders.parks (authority, action, topic, partition, "offset", said, by, at) VALUES {values}'.encode()
        )


def environment(service: str, database: str, kafka: str) -> dict[str, str]:
    """Return the variables that docker-compose.yml gives the service, at the addresses of here."""
    told: dict[str, str] = COMPOSE["services"][service]["environment"]
    user = re.match(r"postgresql://(\w+):", told.get("PAYBACK_DATABASE_URL", ""))
    here = {"PAYBACK_KAFKA_BOOTSTRAP": kafka} if "PAYBACK_KAFKA_BOOTSTRAP" in told else {}
    if user:
        here["PAYBACK_DATABASE_URL"] = address(database, user[1])
    kept = {name: value for name, value in told.items() if name == "PAYBACK_DATABASE_SCHEMA_NAME"}
    return kept | here


def service_and_arguments(line: str) -> tuple[str, list[str], dict[str, str]]:
    """Return the service of Compose, the arguments, and the variables beside them."""
    for placeholder, value in PLACEHOLDERS.items():
        line = line.replace(placeholder, value)
    before, _, ours = line.partition("payback ") if line.startswith("payback ") else line.partition(" payback ")
    words = shlex.split(before)
    beside = dict(words[at + 1].split("=", 1) for at, word in enumerate(words) if word == "-e")
    service = words[-1] if words else "orders-worker"
    return service, shlex.split(ours), beside


@pytest.mark.parametrize("command", OURS, ids=str)
def test_our_commands_are_carried_out(command: Command, ready: tuple[str, str], tmp_path: Path) -> None:
    database, kafka = ready
    _park(database)
    service, arguments, beside = service_and_arguments(command.line)
    told = environment(service, database, kafka)
    if "PAYBACK_DATABASE_URL" in beside:
        assert "maintenance" in beside["PAYBACK_DATABASE_URL"]
        told["PAYBACK_DATABASE_URL"] = address(database, "maintenance")
    done = carry_out(arguments, {"PATH": os.defpath, **told}, tmp_path)
    assert done.returncode in {WELL, FOUND}, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr


def test_commands_that_pages_name_are_there() -> None:
    there = {name for names in GROUPS.values() for name in names}
    assert {one.line.split()[1] for one in NAMED} <= there


@pytest.mark.parametrize("command", DATABASE, ids=str)
def test_what_is_asked_of_postgresql_can_be_asked(command: Command, ready: tuple[str, str]) -> None:
    statement = re.search(r'-c "(.+?)"', command.line)
    if statement is None:
        pytest.skip("asks nothing by itself")
    with psycopg.connect(address(ready[0], "maintenance")) as connection:
        connection.execute(statement[1].encode())


@pytest.mark.parametrize("command", DOCKER, ids=str)
def test_what_docker_is_told_is_there(command: Command) -> None:
    words = list(takewhile(lambda word: word not in {"|", "<", ">", "&&"}, shlex.split(command.line)))[2:]
    words, services = over(words)
    words = [word for at, word in enumerate(words) if at == 0 or words[at - 1] not in VALUED]
    assert words[0] in COMPOSE_COMMANDS, words
    named = [word for word in words[1:] if not word.startswith("-")]
    if words[0] in {"exec", "run"} and named:
        assert named[0] in services
        if len(named) > 1:
            assert named[1].rpartition("/")[2] in PROGRAMS or named[1] in TOOLS
    else:
        assert set(named) <= services


def over(words: list[str]) -> tuple[list[str], set[str]]:
    """Return the words after the files that Compose is told to read, and the services of these; without any, of docker-compose.yml."""
    if words[0] != "-f":
        return words, set(COMPOSE["services"])
    read = yaml.safe_load((ROOT / words[1]).read_text())["services"].keys()
    left, services = over(words[2:]) if words[2] == "-f" else (words[2:], set())
    return left, services | read


def test_topics_that_pages_name_are_there() -> None:
    specs = {spec.name for spec in topic_specs()}
    assert NATIONAL_AGGREGATES in specs
    for page in PAGES:
        assert set(re.findall(r"(?:orders|unpaid-work)\.events\.S\d+", page.read_text())) <= specs

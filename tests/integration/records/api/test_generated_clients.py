"""Clients that generators make of the OpenAPI document compile as they are, and send an event."""

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from shutil import copy, which
from typing import NamedTuple

import pytest
import uvicorn
from prometheus_client import CollectorRegistry

from contracts.events import Topic
from contracts.generate.samples import AUTHORITY
from contracts.topics import topic_of
from deploy.local.process import free_ports
from services.chassis.api.auth import mint
from services.chassis.clock import system_clock
from services.chassis.database import engine
from services.chassis.settings import DatabaseSettings
from services.chassis.streaming.clients.admin import Admin
from services.chassis.streaming.clients.producer import Producer
from services.operations.topics import topic_specs
from services.records.api import run_api
from tests.integration.records.api.test_openapi import SENDER, application
from tests.integration.records.conftest import CALENDAR, SERVICES
from tests.support.generated.openapi import KEYS
from tests.support.outside import jars, npm
from tests.support.outside.lacking import cannot
from tests.support.outside.topics import made_anew

CLIENTS = Path(__file__).parents[3] / "clients"
QUICK_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


class Running(NamedTuple):
    """The orders API, its document, and a token that may send."""

    address: str
    document: Path
    token: str


@pytest.fixture(scope="module")
def running(kafka: str, migrated: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Yield the intake on a real broker and database."""
    told, database = made_anew(kafka, topic_specs()), DatabaseSettings(url=migrated(), schema_name="orders")
    with Producer(told) as producer, closing(Admin(told)) as admin:
        connected = engine(database)
        parts = run_api.Parts(connected, producer, admin, CollectorRegistry())
        app = application(SERVICES["orders"][1](CALENDAR), parts)
        document = tmp_path_factory.mktemp("document") / "orders.json"
        document.write_text(json.dumps(app.openapi()))
        (port,) = free_ports(1)
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None))
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            thread.join(0.05)
        token = mint(KEYS.private, SENDER, timedelta(hours=1), system_clock)
        yield Running(f"http://127.0.0.1:{port}", document, token)
        server.should_exit = True
        thread.join(30)
        connected.dispose()


@pytest.fixture(scope="module")
def java(running: Running, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the command of the client that openapi-generator makes."""
    if which("javac") is None:
        cannot("needs javac: the Java client was NOT compiled")
    folder = tmp_path_factory.mktemp("java")
    generator, *libraries = map(str, jars.named_in(CLIENTS / "java" / "jars.txt"))
    packages = "apiPackage=payback.api,modelPackage=payback.model,invokerPackage=payback,openApiNullable=false"
    only = "apis,models,supportingFiles,apiTests=false,modelTests=false,apiDocs=false,modelDocs=false"
    options = ["-g", "java", "--library", "native", "--additional-properties", packages, "--global-property", only]
    done("java", *QUICK_START, "-jar", generator, "generate", "-i", running.document, "-o", folder, *options)
    sources = [*(folder / "src/main/java").rglob("*.java"), CLIENTS / "java" / "Send.java"]
    path = os.pathsep.join(libraries)
    quick = [f"-J{option}" for option in QUICK_START]
    done("javac", *quick, "-nowarn", "-proc:none", "-d", folder / "classes", "-cp", path, *sources)
    return ["java", *QUICK_START, "-cp", f"{folder / 'classes'}{os.pathsep}{path}", "Send"]


@pytest.fixture(scope="module")
def typescript(running: Running, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the command of the client that openapi-typescript makes, with openapi-fetch."""
    packages = npm.fetched(CLIENTS / "typescript", "openapi-fetch") / "node_modules"
    folder = tmp_path_factory.mktemp("typescript")
    (folder / "node_modules").symlink_to(packages)
    for name in ("send.ts", "package.json"):
        copy(packages.parent / name, folder)
    done("node", packages / "openapi-typescript/bin/cli.js", running.document, "-o", folder / "orders.d.ts")
    options = ["--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext", "--types", "node"]
    done("node", packages / "typescript/bin/tsc", *options, "send.ts", folder=folder)
    return ["node", str(folder / "send.js")]


def done(*command: str | Path, folder: Path | None = None) -> str:
    """Return the output of a command; where it failed, fail with all that it said."""
    words = list(map(str, command))
    found = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=200)
    assert found.returncode == 0, found.stdout[-4000:] + found.stderr[-4000:]
    return found.stdout


@pytest.mark.long
@pytest.mark.timeout(290)
@pytest.mark.parametrize("language", ["java", "typescript"])
def test_a_generated_client_sends_an_event(language: str, running: Running, request: pytest.FixtureRequest) -> None:
    command = [*request.getfixturevalue(language), running.address, running.token, f"received-{language}"]
    assert done(*command, "2026-03-04").strip() == f"1 accepted, {topic_of(Topic.ORDERS, AUTHORITY)}"
    refused = done(*command, "2026-02-30")
    assert refused.startswith("422 ")
    assert '"bad_date"' in refused

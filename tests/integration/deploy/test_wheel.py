"""The image's steps by hand: the wheel alone, with the pinned versions, runs every process, outside the checkout."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import cyclonedx
import jsonschema_rs
import pytest
from packaging.utils import canonicalize_name

from deploy.local.process import free_ports, stop, tail
from deploy.local.tokens import DevelopmentKey
from services.operations.topics import topic_specs
from tests.support.children import child
from tests.support.generated.thorough import TURN, turns
from tests.support.outside.topics import TopicsAnew
from tests.unit.deploy.test_locked import locked

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
PACKAGES = ("contracts", "services", "deploy/local", "deploy/kafka")
LEFT_OUT = ("__pycache__", ".pyc")


def run(*command: str | Path, where: str = "/", **variables: str) -> None:
    words = [str(word) for word in command]
    done = subprocess.run(words, env=clean() | variables, capture_output=True, text=True, check=False, cwd=where)
    assert done.returncode == 0, done.stdout + done.stderr


def clean() -> dict[str, str]:
    """Return the environment without our settings and without a way to find the checkout."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PAYBACK_", "PYTHON", "VIRTUAL"))}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel made from the files that version control holds or would, as the image makes it."""
    directory = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", directory, where=str(ROOT))
    [made] = directory.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of programs of a new environment like the image's: the wheel and all that is locked by hash, without the
    demo.
    """
    environment = tmp_path_factory.mktemp("installed") / "payback"
    run(sys.executable, "-m", "venv", "--without-pip", environment)
    *pip, here = *installer(), ("--python", environment / "bin" / "python")
    run(*pip, "install", *here, "--quiet", "--require-hashes", "--requirement", ROOT / "deploy" / "requirements.txt")
    run(*pip, "install", *here, "--quiet", "--no-deps", wheel)
    run(*pip, "check", *here)
    run(environment / "bin" / "python", ROOT / "deploy" / "without_demo.py")
    lend_compiled(environment)
    return environment / "bin"


def lend_compiled(environment: Path) -> None:
    """Copy what is compiled of the libraries here: Python takes it where the sources have the same size and time, as uv's links have."""
    [there] = (environment / "lib").glob("python*/site-packages")
    here = Path(sysconfig.get_path("purelib"))
    for compiled in here.rglob("__pycache__"):
        place = there / compiled.relative_to(here)
        if place.parent.is_dir() and not place.exists():
            shutil.copytree(compiled, place)


def installer() -> list[str | Path]:
    """Return the command of uv, which does in seconds what takes pip a minute, where the environment of the tests has it."""
    uv = Path(sys.executable).with_name("uv")
    return [uv, "pip"] if uv.exists() else [sys.executable, "-m", "pip"]


def test_the_wheel_holds_every_file_of_our_packages(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", *PACKAGES], capture_output=True, text=True, check=True
    ).stdout.split()
    assert set(listed) - packed == {name for name in listed if not (ROOT / name).exists()}
    assert not [name for name in packed if name.startswith("tests") or name.endswith(LEFT_OUT)]
    kinds = {Path(name).suffix for name in packed}
    assert kinds >= {".py", ".sql", ".html", ".css", ".woff2", ".csv"}


@contextmanager
def running(command: list[str], variables: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = child(command, env=clean() | variables, stdout=output, stderr=output, cwd="/")
        try:
            yield process
        finally:
            stop(process, seconds=60)


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 150
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, TimeoutError):
            assert process.poll() is None, tail(log)
            assert time.monotonic() < deadline, tail(log)
            time.sleep(0.3)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("service", [*turns(("orders", "unpaid_work"), TURN), "reporting"])
def test_every_process_runs_from_the_wheel(
    installed: Path, topics_anew: TopicsAnew, new_database: Callable[[], str], tmp_path: Path, service: str
) -> None:
    """Of the two services of records, which are built alike, the other one comes tomorrow."""
    kafka = topics_anew(topic_specs())
    http, serving, working = free_ports(3)
    shared = {
        "PAYBACK_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "PAYBACK_DATABASE_URL": new_database(),
        "PAYBACK_DATABASE_SCHEMA_NAME": service,
        "PAYBACK_TOKENS_PUBLIC_KEY_PATH": str(DevelopmentKey(tmp_path / "key.pem").public_path),
        "PAYBACK_TOKENS_DEVELOPMENT": "true",
        "PAYBACK_HTTP_PORT": str(http),
    }
    program = [str(installed / "python"), "-m", f"services.{service}"]
    run(*program, "migrate", **shared)
    api, worker = tmp_path / "api.log", tmp_path / "worker.log"
    with (
        running([*program, "api"], shared | {"PAYBACK_METRICS_PORT": str(serving)}, api) as serves,
        running([*program, "worker"], shared | {"PAYBACK_METRICS_PORT": str(working)}, worker) as works,
    ):
        wait_for(f"http://127.0.0.1:{http}/readyz", serves, api)
        if service == "reporting":
            has_its_pages(f"http://127.0.0.1:{http}")
        wait_for(f"http://127.0.0.1:{working}/ready", works, worker)


def has_its_pages(address: str) -> None:
    """Assert that a page, and every file that it names, is there."""
    with urllib.request.urlopen(f"{address}/about") as answer:
        page = answer.read().decode()
    files = set(re.findall(r'(?:href|src)="(/[^"]+\.(?:css|svg|woff2))[^"]*"', page))
    assert len(files) >= 2
    for name in files:
        with urllib.request.urlopen(address + name) as answer:
            assert answer.status == 200


def test_the_command_line_runs_from_the_wheel(installed: Path) -> None:
    run(installed / "payback", "topics", "--show")
    run(installed / "python", "-m", "deploy.kafka.access", "--help")
    where = subprocess.run(
        [installed / "python", "-c", "import services.cli; print(services.cli.__file__)"],
        env=clean(), cwd="/", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert Path(where.stdout.strip()).is_relative_to(installed.parent)


def test_no_part_of_the_demo_is_in_the_image(installed: Path) -> None:
    """Whoever gets into a container finds no broker, no PostgreSQL and no pretend authorities."""
    assert "deploy/without_demo.py" in (ROOT / "deploy" / "Dockerfile").read_text()
    [packages] = (installed.parent / "lib").glob("python*/site-packages")
    found = [str(path.relative_to(packages)) for path in packages.rglob("*")]
    assert len(found) > 5000
    demo = re.compile("pgserver|pgbuild|pginstall|calfkit|^deploy/local|^services/simulate")
    assert [name for name in found if demo.search(name)] == []
    assert [path.name for path in installed.iterdir() if demo.search(path.name)] == []
    for command in turns(("demo", "stack", "token", "simulate"), TURN):
        said = subprocess.run([installed / "payback", command], env=clean(), cwd="/", capture_output=True, check=False)
        assert (said.returncode, b"No such command" in said.stderr) == (2, True), command
    told = subprocess.run([installed / "payback", "--help"], env=clean(), cwd="/", capture_output=True, check=True)
    listed = set(re.findall("(?m)^│ ([a-z]+) ", told.stdout.decode()))
    assert listed >= {"topics", "doctor", "person"}
    assert listed & {"demo", "stack", "token", "simulate"} == set()


PUBLISHED = "http://cyclonedx.org/schema"
WITHOUT_LICENCE = {"protobuf", "resvg-py"}
"""They say it only in the text of a file: BSD with three clauses, and MIT."""
SCHEMAS = Path(cyclonedx.__file__).parent / "schema" / "_res"


def bill(installed: Path, to: Path) -> dict[str, Any]:
    """Return the bill of materials as `make sbom` writes it."""
    program = Path(sys.executable).with_name("cyclonedx-py")
    options = ("--no-validate", "--pyproject", ROOT / "pyproject.toml", "--output-reproducible", "--output-file", to)
    run(program, "environment", *options, installed / "python")
    found: dict[str, Any] = json.loads(to.read_text())
    return found


def of_cyclone(document: dict[str, Any]) -> bool:
    """Return a validator of CycloneDX's schema of version 1.6, of which two others are a part."""
    schemas = {
        name: json.loads((SCHEMAS / f"{name}.SNAPSHOT.schema.json").read_text())
        for name in ("spdx", "jsf-0.82", "bom-1.6")
    }
    parts = jsonschema_rs.Registry([(f"{PUBLISHED}/{name}.SNAPSHOT.schema.json", one) for name, one in schemas.items()])
    return jsonschema_rs.Draft7Validator(schemas["bom-1.6"], registry=parts).is_valid(document)


def test_what_the_image_holds_is_listed_with_its_licences(installed: Path, tmp_path: Path) -> None:
    document = bill(installed, tmp_path / "sbom.json")
    assert of_cyclone(document)
    assert not of_cyclone(document | {"components": [{"name": "of no type"}]})
    components = {canonicalize_name(one["name"]): one for one in document["components"]}
    assert {name: one["version"] for name, one in components.items()}.items() <= locked().items()
    assert len(components) > 80
    assert document["metadata"]["component"]["name"] == "payback"
    assert {name for name, one in components.items() if not one.get("licenses")} == WITHOUT_LICENCE
    copyleft = {name for name, one in components.items() if "GPL" in json.dumps(one.get("licenses", []))}
    assert copyleft == {"psycopg", "psycopg-binary", "odfpy"}  # LGPL; odfpy may be used by the Apache licence too

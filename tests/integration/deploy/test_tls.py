"""PostgreSQL as Compose starts it lets nobody in over the network without TLS, and shows the certificate that was made for it."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from getpass import getuser
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from sqlalchemy import text

from deploy.local.process import free_ports, spawn, stop, wait_until
from services.chassis.database import engine, transaction
from services.chassis.failures import Away
from services.chassis.settings import DatabaseSettings

ROOT = Path(__file__).parents[3]
INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
"""Debian's, since the one that comes as a Python package knows no TLS."""
USER = "nobody" if os.geteuid() == 0 else getuser()
pytestmark = pytest.mark.skipif(not INSTALLED, reason="no PostgreSQL with TLS is installed (Debian: postgresql)")


def as_user(*command: str) -> list[str]:
    return ["setpriv", f"--reuid={USER}", "--clear-groups", *command] if os.geteuid() == 0 else [*command]


def prepare(home: Path) -> Path:
    """Return the files that `prepare.sh` makes for PostgreSQL."""
    copytree(ROOT / "deploy" / "compose", home / "deploy" / "compose")
    subprocess.run(["sh", str(home / "deploy" / "compose" / "prepare.sh")], check=True, capture_output=True)
    return home / "var" / "postgres"


def script(home: Path) -> str:
    """Return the script with which Compose starts it, with other places and another user."""
    own = {
        "/tls/": f"{home}/var/postgres/",
        "/pg_hba.conf": f"{home}/pg_hba.conf",
        "/var/run/postgresql": f"{home}/run",
    }
    found = (ROOT / "deploy" / "postgres" / "start-with-tls.sh").read_text()
    for there, here in own.items():
        assert there in found
        found = found.replace(there, here)
    return found.replace("-o postgres -g postgres", f"-o {USER}")


def succeeds(command: list[str], variables: Mapping[str, str]) -> bool:
    return subprocess.run(command, env=variables, capture_output=True, check=False).returncode == 0


@contextmanager
def started(home: Path) -> Iterator[int]:
    """Start the server and return its port. Whatever the image runs in the end is run by its own user."""
    (home / "pg_hba.conf").write_text((ROOT / "deploy" / "postgres" / "pg_hba.conf").read_text())
    (home / "start.sh").write_text(script(home))
    entrypoint = home / "docker-entrypoint.sh"
    entrypoint.write_text("#!/bin/sh\nexec " + " ".join(as_user('"$@"')) + "\n")
    entrypoint.chmod(0o755)
    for name in ("data", "run"):
        (home / name).mkdir(mode=0o700)
        subprocess.run(["chown", USER, str(home / name)], check=True)
    (home / "password").write_text("secret")
    (home / "password").chmod(0o644)
    binaries, (port,) = INSTALLED[-1], free_ports(1)
    made = as_user(str(binaries / "initdb"), "-D", f"{home}/data", "-U", "postgres", f"--pwfile={home}/password", "-N")
    subprocess.run(made, check=True, capture_output=True)
    path = {"PATH": f"{home}:{binaries}:{os.environ['PATH']}"}
    at = ("-h", "127.0.0.1", "-p", str(port), "-D", f"{home}/data", "-k", f"{home}/run")
    process = spawn(["sh", f"{home}/start.sh", "postgres", *at], home / "log", environment=os.environ | path)
    try:
        ready = ["pg_isready", "--host", "127.0.0.1", "--port", str(port)]
        wait_until(partial(succeeds, ready, os.environ | path), "PostgreSQL", process, home / "log", seconds=30)
        yield port
    finally:
        stop(process)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[int, Path]]:
    """Yield the server's port and certificate."""
    with TemporaryDirectory() as directory:
        home = Path(directory)
        home.chmod(0o755)
        own = prepare(home)
        with started(home) as port:
            yield port, own / "server.crt"


def entered(port: int, **asked: str) -> tuple[object, ...] | None:
    """Return whether the session is encrypted, and how; None where nobody is let in."""
    told = {"host": "postgres", "hostaddr": "127.0.0.1", "user": "postgres", "password": "secret", "port": f"{port}"}
    try:
        with psycopg.connect(make_conninfo(**(told | asked))) as connection:
            return connection.execute("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
    except psycopg.OperationalError:
        return None


def test_nobody_is_let_in_over_the_network_without_tls(server: tuple[int, Path]) -> None:
    port, certificate = server
    assert entered(port, sslmode="verify-full", sslrootcert=str(certificate)) == (True, "TLSv1.3")
    assert entered(port, sslmode="disable") is None
    assert entered(port, sslmode="require", ssl_max_protocol_version="TLSv1.2") is None
    assert entered(port, sslmode="require", password="guessed") is None


def test_who_shows_another_certificate_or_has_another_name_is_not_believed(
    server: tuple[int, Path], tmp_path: Path
) -> None:
    port, certificate = server
    another = prepare(tmp_path) / "server.crt"
    assert another.read_bytes() != certificate.read_bytes()
    assert entered(port, sslmode="verify-full", sslrootcert=str(another)) is None
    assert entered(port, sslmode="verify-full", sslrootcert=str(certificate), host="elsewhere") is None


def test_our_processes_do_as_their_environment_says(
    server: tuple[int, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, certificate = server
    url = f"postgresql://postgres:secret@postgres:{port}/postgres?hostaddr=127.0.0.1"
    settings = DatabaseSettings(url=url, schema_name="public", role="postgres")
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    for trusted, believed in ((certificate, True), (prepare(tmp_path) / "server.crt", False)):
        monkeypatch.setenv("PGSSLROOTCERT", str(trusted))
        database = engine(settings)
        try:
            with transaction(database) as connection:
                assert connection.scalar(text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")) is believed
        except Away:
            assert not believed
        database.dispose()

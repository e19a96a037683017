"""A MariaDB for one test, if the system has one."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import URL, create_engine
from sqlalchemy.exc import OperationalError

from deploy.local.process import free_ports
from tests.support.children import child
from tests.support.processes import until

MISSING = "MariaDB is left out: sudo apt-get install --no-install-recommends mariadb-server"
IS_THERE = bool(shutil.which("mariadbd") and shutil.which("mariadb-install-db") and find_spec("pymysql"))


@contextmanager
def mariadb(home: Path) -> Iterator[URL]:
    """Start an empty server, and yield the address of its owner."""
    data, log = home / "data", home / "log"
    data.mkdir()
    owner = ["--no-defaults", "--user=root", f"--datadir={data}"]
    install = ["mariadb-install-db", *owner, "--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run(install, check=True, capture_output=True)
    (port,) = free_ports(1)
    options = [f"--socket={home / 's'}", f"--port={port}", "--bind-address=127.0.0.1", f"--log-error={log}"]
    unsafe = ["--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve"]
    with child(["mariadbd", *owner, *options, *unsafe], stderr=subprocess.DEVNULL) as server:
        url = URL.create("mysql+pymysql", "root", host="127.0.0.1", port=port)
        try:
            until(lambda: _answers(url), "MariaDB answers")
            yield url
        finally:
            server.terminate()


def _answers(url: URL) -> bool:
    try:
        with create_engine(url).connect():
            return True
    except OperationalError:
        return False

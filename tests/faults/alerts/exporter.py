"""Who tells Prometheus of PostgreSQL."""

import subprocess
from pathlib import Path

from deploy.local.process import answers, free_ports, spawn, stop, wait_until
from deploy.local.settings import clean_environment

PROGRAM = "prometheus-postgres-exporter"


class Exporter:
    """One that may be stopped and started again."""

    def __init__(self, home: Path, database: str) -> None:
        self._home, self._database = home, database
        (self._port,) = free_ports(1)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    def start(self) -> None:
        """Return when it answers. Raises NotReady."""
        log = self._home / f"{PROGRAM}.log"
        told = clean_environment() | {"DATA_SOURCE_NAME": f"{self._database}?sslmode=disable"}
        self._process = spawn((PROGRAM, f"--web.listen-address={self.address}"), log, environment=told)
        wait_until(lambda: answers(self._port), PROGRAM, self._process, log, seconds=60)

    def stop(self) -> None:
        if self._process is not None:
            stop(self._process)

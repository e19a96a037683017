"""Keeps logs, and all that Prometheus knew, of a turn that failed, so that its cause can be found."""

import subprocess
import time
from pathlib import Path
from shutil import copy

from deploy.local.process import tail
from tests.faults.alerts.scene import Scene


def keep(scene: Scene, folder: Path, name: str) -> str:
    """Copy it into a new folder of that name, and say where it is and which processes have ended."""
    to = folder / f"{time.strftime('%H%M%S')}-{name}"
    (to / "logs").mkdir(parents=True)
    logs = {log.name: log for log in scene.home.glob("*.log")}
    logs |= {f"kafka-{number}.log": broker.log for number, broker in enumerate([scene.kafka, *scene.brokers], 1)}
    for log_name, log in logs.items():
        if log.exists():
            copy(log, to / "logs" / log_name)
    # It runs, so that a file may go meanwhile: Prometheus repairs the end of what it wrote.
    subprocess.run(["cp", "--recursive", scene.home / "data", to / "data"], check=False, stderr=subprocess.DEVNULL)
    ended = [
        f"{name} has ended with {status}:\n{tail(scene.platform.log(name))}"
        for name, status in scene.platform.ended().items()
    ]
    how = f"prometheus --config.file=/dev/null --storage.tsdb.path={to}/data"
    return "\n".join([f"KEPT: {to}: logs, and what Prometheus knew, to be seen by: {how}", *ended])

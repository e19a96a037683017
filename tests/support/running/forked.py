"""Processes of our own that are forked from one that has already imported everything, once for all tests of a worker."""

import os
import runpy
import signal
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver, get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from subprocess import TimeoutExpired

from deploy.local.process import Forked, die_with
from services.cli import GROUPS, main

RECORDS = ("orders", "unpaid_work")
PAYBACK = str(Path(sys.executable).with_name("payback"))
PRELOADED = (
    *(__name__, "tests.support.running.commands", "services.cli", *GROUPS),
    *(f"services.{service}.{module}" for service in RECORDS for module in ("api", "domain")),
    *(f"services.records.{module}" for module in ("api.run_api", "ingest.run_worker", "webhooks.run_webhooks")),
    *("services.reporting.app", "services.reporting.ingest.run_worker", "services.desk.app"),
    "tests.support.running.preloaded",
)
SERVER = get_context("forkserver")
SERVER.set_forkserver_preload([*PRELOADED])


class Served(Forked):
    """Behaves as subprocess.Popen does."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process
        process.start()
        assert process.pid is not None
        self.pid = process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise TimeoutExpired(str(self.pid), timeout or 0)
        return self._process.exitcode


def is_ours(command: Sequence[str]) -> bool:
    """Return whether a command can be forked: `python -m` or `payback`."""
    return (*command[:2],) == (sys.executable, "-m") or command[0] == PAYBACK


def fork(command: Sequence[str], log: Path, environment: Mapping[str, str], folder: Path | None = None) -> Served:
    """Run a command of ours, as deploy.local.process.spawn does, in this folder."""
    assert is_ours(command)
    return Served(SERVER.Process(target=_run, args=(list(command), log, dict(environment), folder), daemon=True))


def go_along() -> None:
    """End a forked process when the one whose tests it serves ends, however that happens."""
    if ask := die_with(os.getppid(), signal.SIGKILL):
        ask()
    # The server lives as long as any process holds this, including those that must die with it.
    os.close(forkserver._forkserver._forkserver_alive_fd)  # type: ignore[attr-defined]


def _run(command: list[str], log: Path, environment: dict[str, str], folder: Path | None) -> None:
    go_along()
    if folder is not None:
        os.chdir(folder)
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    for output in (1, 2):
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), output)
    if command[0] == PAYBACK:
        sys.argv = command
        main()
    else:
        module, *_ = sys.argv = command[2:]
        runpy.run_module(module, run_name="__main__", alter_sys=True)

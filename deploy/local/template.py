"""A process that has imported what the services need, and of which they are forked: they share its memory, and start at once.

Each becomes a child of whoever asked for it, as if it had been started by `spawn`: it goes with them, and they learn how it ended. To
that end the template forks twice, and a process whose parent ended falls to an ancestor that adopts. Only Linux can do this; elsewhere
each service has an interpreter of its own. So has one that runs in a container.
"""

import ctypes
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from msgspec import msgpack

from deploy.local.process import Child, Forked, die_with, spawn, stop
from deploy.local.settings import clean_environment, replace_environment
from services.chassis.guarding.forking import entitle
from services.chassis.memory import loading

RECORDS = ("orders", "unpaid_work")
REHEARSAL = "deploy.local.rehearsal"
IMPORTED = (
    REHEARSAL,
    *(f"services.{service}.findings" for service in RECORDS),
    *("services.records.ingest.run_worker", "services.records.webhooks.run_webhooks"),
    *("services.reporting.ingest.run_worker",),
    # What libraries import only once they are used.
    *("anyio._backends._asyncio", "encodings.idna", "encodings.unicode_escape", "faust.worker", "httpcore"),
    *("pydantic.v1", "uvicorn.lifespan.on", "uvicorn.loops.auto", "uvicorn.loops.uvloop"),
)
LEAN = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
"""Environment of processes of which several share one small machine. A template has one thread."""
ROOM = "-" * 16
"""Lets the template's command be as long as any service's, which is shown in its place."""
MOST_BYTES = 1 << 20
LOOK_SECONDS = 0.01
_PR_SET_CHILD_SUBREAPER = 36


class Asked(NamedTuple):
    """A process to start: its arguments after `python -m`, its environment, and who asks."""

    arguments: list[str]
    environment: dict[str, str]
    parent: int


class Template:
    """Starts processes. Use it from the main thread only, with which they end."""

    def __init__(self, log: Path) -> None:
        """Begin to import; the first `spawn` waits for the end of that."""
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, ROOM],
                stdin=theirs.fileno(),
                stdout=output,
                stderr=subprocess.STDOUT,
                env=clean_environment() | LEAN,
                start_new_session=True,
                preexec_fn=die_with(os.getpid(), signal.SIGKILL),  # noqa: PLW1509
            )

    def spawn(self, command: Sequence[str], log: Path, *, environment: Mapping[str, str]) -> Child:
        """Start a process as deploy.local.process.spawn does, which starts what is no `python -m`, and all if the template is gone."""
        if tuple(command[:2]) == (sys.executable, "-m"):
            pid = self._fork(Asked(list(command[2:]), dict(environment), os.getpid()), log)
            if pid:
                return Adopted(pid)
        return spawn(command, log, environment=environment)

    def _fork(self, asked: Asked, log: Path) -> int:
        """Return the id of the new process, 0 if there is none."""
        with suppress(OSError), log.open("ab") as output, _adopting():
            socket.send_fds(self._ours, [msgpack.encode(asked)], [output.fileno()])
            return int.from_bytes(self._ours.recv(MOST_BYTES))
        return 0

    def close(self) -> None:
        """End it. The processes that it started go on."""
        self._ours.close()
        stop(self._process)


class Adopted(Forked):
    """A child of this process that the template forked. Behaves as Popen does."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return its exit status, None while it runs."""
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if ended else None
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit status once it has ended. Raises TimeoutExpired."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(LOOK_SECONDS)
        return status


@contextmanager
def _adopting() -> Iterator[None]:
    """Become the parent of whoever loses theirs among our descendants during the block."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 0)


def main() -> None:
    """Import, and fork for each request. In each process that is forked, this returns once its work is done."""
    with loading():
        for module in IMPORTED:
            import_module(module)
        import_module(REHEARSAL).rehearse()
    asked = _next(socket.socket(fileno=os.dup(0)))
    if asked is not None:
        sys.argv = asked.arguments
        runpy.run_module(asked.arguments[0], run_name="__main__", alter_sys=True)


def _next(requests: socket.socket) -> Asked | None:
    """Return in each forked process what it is to run; in the template None, once nobody can ask any more."""
    while True:
        content, outputs, *_ = socket.recv_fds(requests, MOST_BYTES, 1)
        if not content:
            return None
        reading, writing = os.pipe()
        if between := os.fork():
            os.waitpid(between, 0)  # from here on, the other one is a child of who asked
            _close(writing, *outputs)
            requests.send(os.read(reading, 8))
            _close(reading)
        else:
            parent = os.getpid()
            if child := os.fork():
                os.write(writing, child.to_bytes(8))
                os._exit(0)
            asked = msgpack.decode(content, type=Asked)
            _become(asked, outputs[0], parent)
            _close(reading, writing, *outputs)
            requests.close()
            return asked


def _become(asked: Asked, output: int, parent: int) -> None:
    """Have the parent, session, output, environment and title of a process that was started by `spawn`."""
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS / 10)
    if along := die_with(asked.parent, signal.SIGKILL):
        along()
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, source in enumerate((nothing, output, output)):
        os.dup2(source, number)
    os.close(nothing)
    replace_environment(asked.environment)
    entitle([sys.executable, "-m", *asked.arguments])


def _close(*numbers: int) -> None:
    for number in numbers:
        os.close(number)


if __name__ == "__main__":
    main()

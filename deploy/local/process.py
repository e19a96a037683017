"""Child processes that never outlive the process that started them."""

import ctypes
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path
from random import SystemRandom
from typing import Protocol

import httpx

SHORTEST_PAUSE, LONGEST_PAUSE = 0.02, 0.25
"""Seconds between two looks at what starts: each look is work for it too, and longer pauses cost little where a start takes long."""
OURS = range(15_000, 32_000)
"""Ports below those that systems use for outgoing connections: one of those could be taken before a process listens on it."""
_random = SystemRandom()
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class NotReady(Exception):
    """A part did not start: it ended, or ran out of time."""

    exit_status = 5


class Child(Protocol):
    """The methods of a started process, as of subprocess.Popen."""

    @property
    def returncode(self) -> int | None: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


class Forked:
    """A process that `subprocess` did not start, to which signals are sent as Popen does."""

    pid: int

    def poll(self) -> int | None:
        """Return its exit status, None while it runs."""
        raise NotImplementedError

    def send_signal(self, sig: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # another process may have waited for its end by now
                os.kill(self.pid, sig)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


def spawn(
    command: Sequence[str],
    log: Path,
    *,
    environment: Mapping[str, str] | None = None,
    user: int | None = None,
    group: int | None = None,
    on_orphan: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start `command` with its output appended to `log`.

    It gets `on_orphan` when the thread that called this ends, however that happens: call it from the main thread. It is in a session of its
    own, so that Ctrl-C reaches only the process that can stop the parts in order.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            user=user,
            group=group,
            extra_groups=None if user is None else (),
            start_new_session=True,
            preexec_fn=die_with(os.getpid(), on_orphan),  # noqa: PLW1509
        )


def die_with(parent: int, on_orphan: signal.Signals) -> Callable[[], None] | None:
    """Return what the child runs between fork and exec. None if the system cannot do this."""
    if _LIBC is None:
        return None
    prctl = _LIBC.prctl

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, int(on_orphan))
        if os.getppid() != parent:  # the parent died before this was set
            os._exit(1)

    return ask


def stop(process: Child, how: signal.Signals = signal.SIGTERM, *, seconds: float = 15) -> None:
    """Ask it to end; after `seconds`, kill it."""
    if process.poll() is not None:
        return
    process.send_signal(how)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def stop_all(processes: Sequence[Child]) -> None:
    """Ask all of them to end, then wait until they have."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        stop(process)


def wait_until(ready: Callable[[], bool], what: str, process: Child, log: Path, *, seconds: float) -> None:
    """Return once `ready` returns True. Raises NotReady, with the end of the log, if the process ends or time runs out."""
    deadline, pause = time.monotonic() + seconds, SHORTEST_PAUSE
    while not ready():
        if process.poll() is not None:
            raise NotReady(f"{what} ended with exit status {process.returncode}; the end of {log}:\n{tail(log)}")
        if time.monotonic() > deadline:
            raise NotReady(f"{what} was not ready in {seconds:.0f} seconds; the end of {log}:\n{tail(log)}")
        time.sleep(pause)
        pause = min(1.5 * pause, LONGEST_PAUSE)


def tail(log: Path, lines: int = 20) -> str:
    """Return the last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def free_ports(count: int) -> list[int]:
    """Return different ports on which nothing listens now, and none that the system uses for outgoing connections."""
    with ExitStack() as held:
        return [_held(held) for _ in range(count)]


def _held(held: ExitStack) -> int:
    """Return one that is free, held until the end."""
    while True:
        port = _random.choice(OURS)
        one = held.enter_context(socket.socket())
        with suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port


def taken(ports: Iterable[int]) -> list[int]:
    """Return those on which something already listens."""
    return [port for port in ports if answers(port)]


@cache
def asking() -> httpx.Client:
    """Return a client for the loopback address, with a new connection for each request. It trusts no certificate.

    `httpx.get` reads every authority's certificate each time, which takes 27 ms of processor time (measured); checks may be 20 ms apart.
    """
    each_anew = httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), trust_env=False, limits=each_anew)


def answers(port: int) -> bool:
    """Return whether something accepts connections on this port of the loopback address."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0

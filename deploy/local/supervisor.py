"""Carries out a plan: starts processes, waits for them, restarts those that die, stops all."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx

from deploy.local.plan import ProcessSpec, Sign
from deploy.local.process import Child, NotReady, asking, spawn, stop_all, tail, wait_until
from deploy.local.settings import clean_environment

READY_SECONDS = 180
REFUSED = 3
"""The exit status of a service that must not continue: restarting it changes nothing."""
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""A process that has run this long starts again with no failures counted."""


class Start(Protocol):
    """Starts a process as `spawn` does."""

    def __call__(self, command: Sequence[str], log: Path, *, environment: Mapping[str, str]) -> Child: ...


@dataclass(slots=True)
class _Child:
    spec: ProcessSpec
    process: Child
    started: float
    failures: int = 0
    again_at: float | None = None
    given_up: bool = False


class Supervisor:
    """Supervises processes. Use it from the main thread only: the children die with the thread that started them."""

    def __init__(self, logs: Path, tell: Callable[[str], None], first_pause: float = 0.5, start: Start = spawn) -> None:
        self._logs, self._start_process = logs, start
        self._tell = tell
        self._first_pause = first_pause
        self._children: list[_Child] = []

    def run_to_end(self, specs: Iterable[ProcessSpec]) -> None:
        """Run processes side by side. Raises NotReady, with the end of its log, for the first that fails."""
        running = [(spec, self._spawn(spec)) for spec in specs]
        try:
            for spec, process in running:
                if process.wait():
                    log = self.log_of(spec)
                    raise NotReady(f"{spec.name} ended with exit status {process.returncode}; from {log}:\n{tail(log)}")
        finally:
            stop_all([process for _, process in running])

    def start(self, specs: Iterable[ProcessSpec]) -> None:
        """Start processes side by side and return when all are ready. Raises NotReady."""
        started = [_Child(spec, self._spawn(spec), time.monotonic()) for spec in specs]
        self._children += started
        for child in started:
            self._wait_until_ready(child)
            self._tell(f"{child.spec.name} is ready")

    def check(self) -> None:
        """Check the children once; call it a few times a second."""
        for child in self._children:
            if child.process.poll() is None or child.given_up:
                continue
            if child.again_at is None:
                self._mourn(child)
            elif time.monotonic() >= child.again_at:
                self._start_again(child)

    def stop(self) -> None:
        """Ask all to finish their present work, and wait for it."""
        stop_all([child.process for child in self._children])
        self._children.clear()

    def log_of(self, spec: ProcessSpec) -> Path:
        """Return the file to which the process writes."""
        return self._logs / f"{spec.name}.log"

    def _spawn(self, spec: ProcessSpec) -> Child:
        return self._start_process(spec.command, self.log_of(spec), environment=clean_environment() | spec.environment)

    def _wait_until_ready(self, child: _Child) -> None:
        sign = child.spec.ready
        if sign is not None:
            log = self.log_of(child.spec)
            wait_until(lambda: _given(sign), child.spec.name, child.process, log, seconds=READY_SECONDS)

    def _mourn(self, child: _Child) -> None:
        log = self.log_of(child.spec)
        self._tell(
            f"{child.spec.name.upper()} DIED with exit status {child.process.returncode}; from {log}:\n{tail(log)}"
        )
        if child.process.returncode == REFUSED:
            child.given_up = True
            self._tell(f"{child.spec.name} refuses to go on and is not started again")
            return
        if time.monotonic() - child.started > STEADY_SECONDS:
            child.failures = 0
        pause = min(self._first_pause * 2**child.failures, LONGEST_PAUSE_SECONDS)
        child.failures += 1
        child.again_at = time.monotonic() + pause
        self._tell(f"{child.spec.name} starts again in {pause:g} seconds")

    def _start_again(self, child: _Child) -> None:
        child.process, child.started, child.again_at = self._spawn(child.spec), time.monotonic(), None


def _given(sign: Sign) -> bool:
    try:
        answer = asking().get(sign.address, timeout=2)
    except httpx.TransportError:
        return False
    return answer.status_code == httpx.codes.OK and (sign.line is None or sign.line in answer.text.splitlines())

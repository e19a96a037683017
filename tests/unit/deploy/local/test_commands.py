"""The commands for one machine end in order, however they were started."""

import signal
import subprocess
import sys

import pytest

from tests.support.generated.thorough import TURN, turns

PROGRAM = """
import sys, time
from contextlib import contextmanager
from types import SimpleNamespace
from deploy.local import commands, demo

@contextmanager
def running(*_, **__):
    try:
        yield SimpleNamespace(announcement=dict, keep_up=lambda until: time.sleep(60))
    finally:
        print("stopped in order", flush=True)

def run(*_, **__):
    with running() as stack:
        print(stack.announcement(), flush=True)
        stack.keep_up(None)

commands.running_stack, demo.run = running, run
"""
RUN = {
    "stack": "commands.stack(None, None)",
    "demo": "commands.demo(12, 1, False, None, None)",
}


@pytest.mark.parametrize(
    ("command", "told"),
    [(one, told) for place, one in enumerate(RUN) for told in turns((signal.SIGINT, signal.SIGTERM), TURN + place)],
)
def test_it_ends_although_a_shell_let_it_ignore_ctrl_c(command: str, told: signal.Signals) -> None:
    """A script's `payback demo &` starts with SIGINT ignored. One command is told by one signal, and the other by the other."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM + RUN[command]],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # noqa: PLW1509
    ) as running:
        assert running.stdout is not None
        try:
            assert running.stdout.readline() == "{}\n"
            running.send_signal(told)
            assert running.stdout.read() == "stopped in order\n"
            assert running.wait(10) == 0
        finally:
            running.kill()

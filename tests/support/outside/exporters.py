"""The metrics that other programs export, read from the programs themselves: an alert on a series that nobody exports never fires."""

import re
import shutil
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from deploy.local.process import free_ports, spawn, stop, tail

ROOT = Path(__file__).parents[3]


def wants(program: str, debian: str | None = None) -> pytest.MarkDecorator:
    """Skip a test if the program is not installed."""
    how = f"Debian: {debian}" if debian else "its project has it"
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed ({how})")


def watched(beginning: str) -> set[str]:
    """Return the series in the alerts whose names begin like this."""
    text = (ROOT / "deploy" / "prometheus" / "alerts.yml").read_text()
    found = {name for expression in re.findall(r"expr: (?:\|\n((?: {10}.*\n)+)|(.*))", text) for name in expression}
    return set(re.findall(rf"\b{beginning}\w+", " ".join(found)))


def exported(command: list[str], log: Path, environment: dict[str, str], expected: set[str]) -> set[str]:
    """Return those of the expected series that the program exports within half a minute. It takes its address as the last argument."""
    (port,) = free_ports(1)
    process = spawn([*command, f"--web.listen-address=127.0.0.1:{port}"], log, environment=environment)
    try:
        deadline = time.monotonic() + 30
        names: set[str] = set()
        while not expected <= names and time.monotonic() < deadline:
            assert process.poll() is None, tail(log)
            names = _names(f"http://127.0.0.1:{port}/metrics")
            time.sleep(0.2)
    finally:
        stop(process)
    return names & expected


def _names(address: str) -> set[str]:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return set(re.findall(r"^(\w+)[ {]", answer.read().decode(), re.MULTILINE))
    except (urllib.error.URLError, OSError):
        return set()

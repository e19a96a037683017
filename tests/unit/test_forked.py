"""Forked processes of tests go with whoever started them: nothing runs on after a worker that was ended by a timeout."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
STARTS = """
import sys, time
from pathlib import Path
from tests.support import forked

forked.SERVER.set_forkserver_preload(["tests.support.forked"])
server = forked.fork([sys.executable, "-m", "http.server", "0", "--bind", "127.0.0.1"], Path(sys.argv[1]), {})
print(server.pid, flush=True)
time.sleep(float(sys.argv[2]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the system tells nobody that its parent died")
@pytest.mark.parametrize("killed", [True, False])
def test_they_end_with_whoever_started_them(tmp_path: Path, *, killed: bool) -> None:
    command = [sys.executable, "-c", STARTS, str(tmp_path / "log"), "60" if killed else "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as starter:
        assert starter.stdout is not None
        forked = psutil.Process(int(starter.stdout.readline()))
        if killed:
            starter.kill()
        try:
            starter.wait(30)
        finally:
            starter.kill()
    deadline = time.monotonic() + 30
    while not over(forked):
        assert time.monotonic() < deadline, "it runs on"
        time.sleep(0.05)


def over(process: psutil.Process) -> bool:
    """Also where nobody takes notice of its end."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True

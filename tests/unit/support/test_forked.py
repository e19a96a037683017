"""Processes of tests go with whoever started them: nothing runs on after a worker that was ended by a timeout."""

import ast
import subprocess
import sys
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from tests.support.children import child
from tests.support.running.forked import PRELOADED

ROOT = Path(__file__).parents[3]
STARTS = """
import sys, time
from pathlib import Path
from tests.support.running import forked

forked.SERVER.set_forkserver_preload(["tests.support.running.forked"])
server = forked.fork([sys.executable, "-m", "http.server", "0", "--bind", "127.0.0.1"], Path(sys.argv[1]), {})
print(server.pid, flush=True)
time.sleep(float(sys.argv[2]))
"""
STARTS_A_CHILD = """
import time
from tests.support.children import child

print(child(["sleep", "60"]).pid, flush=True)
time.sleep(60)
"""


def test_all_that_is_imported_before_the_first_fork_is_there() -> None:
    """The server of forks says nothing of a module that is not: each process would import in its place what that imports."""
    assert [name for name in PRELOADED if find_spec(name) is None] == []


@pytest.mark.skipif(sys.platform != "linux", reason="the system tells nobody that its parent died")
@pytest.mark.parametrize("killed", [True, False])
def test_they_end_with_whoever_started_them(tmp_path: Path, *, killed: bool) -> None:
    command = [sys.executable, "-c", STARTS, str(tmp_path / "log"), "60" if killed else "0"]
    with child(command, stdout=subprocess.PIPE, cwd=ROOT) as starter:
        assert starter.stdout is not None
        number = int(starter.stdout.readline())
        if killed:
            starter.kill()
        try:
            starter.wait(30)
        finally:
            starter.kill()
    with suppress(psutil.NoSuchProcess):  # it may have ended already
        assert_ends(psutil.Process(number))


@pytest.mark.skipif(sys.platform != "linux", reason="the system tells nobody that its parent died")
def test_a_child_of_a_test_that_is_killed_ends_with_it() -> None:
    with child([sys.executable, "-c", STARTS_A_CHILD], stdout=subprocess.PIPE, cwd=ROOT) as starter:
        assert starter.stdout is not None
        started = psutil.Process(int(starter.stdout.readline()))
        starter.kill()
    assert_ends(started)


def test_no_test_starts_a_program_that_could_outlive_it() -> None:
    """`child` and `spawn` see to it; psutil's must be told."""
    left = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (ROOT / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Popen"
        if "preexec_fn" not in {each.arg for each in node.keywords}
    ]
    assert left == []


def assert_ends(process: psutil.Process) -> None:
    deadline = time.monotonic() + 30
    while not over(process):
        assert time.monotonic() < deadline, "it runs on"
        time.sleep(0.05)


def over(process: psutil.Process) -> bool:
    """Return whether the process is over, also where nobody has taken notice of its end."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True

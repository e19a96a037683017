"""A test worker that dies fails the test in which it died, and nothing else, whatever the others do meanwhile."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.source import ROOT

CONFTEST = """
import time
from tests.support.together import Together

def pytest_xdist_make_scheduler(config, log):
    return Together(config, log)

def pytest_collection_finish(session):
    time.sleep(1)  # so that the other dies while the successor of the first still collects
"""
DIES = """
import os, time

def test_before():
    pass

def test_dies():
    time.sleep({seconds})
    os._exit(1)

def test_after():
    pass
"""
GOES_ON = """
import time

def test_one():
    time.sleep(0.2)

def test_two():
    pass
"""


def test_when_workers_die_every_other_test_is_done_once(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    for number, seconds in enumerate((0.1, 0.8)):
        (tmp_path / f"test_dies_{number}.py").write_text(DIES.format(seconds=seconds))
    for number in range(6):
        (tmp_path / f"test_goes_on_{number}.py").write_text(GOES_ON)
    command = [sys.executable, "-m", "pytest", "-v", "-n", "2", "-p", "no:cacheprovider", "-p", "no:cov", str(tmp_path)]
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=variables | {"PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert "INTERNALERROR" not in done.stdout, done.stdout
    died = re.findall(
        r"^worker '\w+' crashed while running '(test_dies_\d)\.py::test_dies'$", done.stdout, re.MULTILINE
    )
    assert sorted(died) == ["test_dies_0", "test_dies_1"], done.stdout
    assert re.search(r"= 2 failed, 16 passed in ", done.stdout), done.stdout

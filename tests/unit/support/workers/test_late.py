"""One worker finds the tests; the others look into the files that they are given, and run what they would have run."""

import re
from pathlib import Path

from tests.support.workers.late import told_in
from tests.unit.support.test_together import shared_out

CONFTEST = """
import os
from pathlib import Path
from tests.support.workers import late

late.PATIENCE = {patience}

def pytest_configure(config):
    told = getattr(config, "workerinput", None)
    if told is None:
        config.pluginmanager.register(late.Ends())
    elif told["workerid"] == "gw0":
        {first}
    else:
        config.pluginmanager.register(late.Late(told["testrunuid"], lambda what: None))
"""
TELLS = 'config.pluginmanager.register(late.First(told["testrunuid"]))'
SAYS = """
import os
import pytest

def say(what):
    with open({said!r}, "a") as file:
        file.write(os.environ["PYTEST_XDIST_WORKER"] + " " + what + " " + os.environ["PYTEST_XDIST_TESTRUNUID"] + chr(10))

say("finds {number}")

@pytest.fixture(scope="module")
def made():
    say("makes {number}")

@pytest.mark.parametrize("one", range(3))
def test_says(one, made):
    say("runs {number}")
"""


CHANGES = """
import pathlib

def test_changes():
    for other in pathlib.Path({directory!r}).glob("test_later_*.py"):
        other.write_text("def test_there(): pass")
"""
LATER = """
import time

def test_there():
    time.sleep(0.2)

def test_gone():
    time.sleep(0.2)
"""


def test_a_test_that_goes_meanwhile_fails_and_the_others_run(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST.format(first=TELLS, patience=60))
    (tmp_path / "test_changes.py").write_text(CHANGES.format(directory=str(tmp_path)))
    for number in range(9):
        (tmp_path / f"test_later_{number}.py").write_text(LATER)
    told = shared_out(tmp_path)
    assert "its file was changed meanwhile" in told
    found = re.search(r"= (\d+) failed, (\d+) passed in ", told)
    assert found, told
    failed, passed = map(int, found.groups())
    assert failed + passed == 19
    assert 0 < failed <= 9


def said_by_two_workers(directory: Path, first: str = TELLS, patience: int = 60) -> list[list[str]]:
    """Run six files of three tests each, and return who found, made and ran what."""
    said = directory / "said"
    (directory / "conftest.py").write_text(CONFTEST.format(first=first, patience=patience))
    for number in range(6):
        (directory / f"test_{number}.py").write_text(SAYS.format(said=str(said), number=number))
    told = shared_out(directory, "--dist", "loadfile")
    assert re.search(r"= 18 passed in ", told), told
    return [line.split() for line in said.read_text().splitlines()]


def test_a_file_is_looked_into_by_the_first_worker_and_by_the_one_that_runs_it(tmp_path: Path) -> None:
    said = said_by_two_workers(tmp_path)
    found, made, ran = ([(who, of) for who, what, of, _ in said if what == each] for each in ("finds", "makes", "runs"))
    others = {of for who, of in ran if who == "gw1"}
    assert others, "both had some"
    assert sorted(found) == sorted({*((("gw0", f"{number}")) for number in range(6)), *(("gw1", of) for of in others)})
    assert len(ran) == 18
    assert sorted(made) == sorted(set(ran)), "a fixture of a file is made once"
    (run,) = {run for *_, run in said}
    assert not told_in(run).exists()


def test_where_the_first_says_nothing_the_others_find_all(tmp_path: Path) -> None:
    found = [(who, of) for who, what, of, _ in said_by_two_workers(tmp_path, "pass", patience=0) if what == "finds"]
    assert sorted(found) == [(who, f"{number}") for who in ("gw0", "gw1") for number in range(6)]

"""It is known what a run spends on a file, in the worker and in what it started."""

import os
import re
import resource
import subprocess
import sys
from pathlib import Path
from time import process_time

import pytest

from tests.support.running.spending import Seconds, Spending, lines
from tests.support.source import ROOT

BUSY = "import time\nwhile time.process_time() < 0.3: pass"
CONFTEST = """
from tests.support.running.spending import Spending

def pytest_configure(config):
    config.pluginmanager.register(Spending())
"""
SPENDS = f"""
import subprocess, sys

def test_spends():
    subprocess.run([sys.executable, "-S", "-c", {BUSY!r}], check=True)
"""
LEAVES = f"""
import subprocess, sys, pytest

@pytest.fixture(scope="module")
def left():
    went_on = {BUSY!r} + chr(10) + "print(flush=True); time.sleep(5)"
    shell = subprocess.Popen(["sh", "-c", '"$0" -S -c "$1"; true', sys.executable, went_on], stdout=subprocess.PIPE)
    shell.stdout.readline()
    yield
    shell.kill()
    shell.wait()

def test_leaves(left):
    pass
"""
TOLD = r"^ +([\d.]+) +([\d.]+)  (.+)$"


def test_it_is_the_file_that_spends_it() -> None:
    counted = Spending()
    counted.begin("a.py")
    begun = process_time()
    while process_time() < begun + 0.2:
        pass
    counted.begin("b.py")
    subprocess.run([sys.executable, "-S", "-c", BUSY], check=True)
    counted.begin("c.py")
    assert counted.of_files["a.py"].own >= 0.15
    assert counted.of_files["a.py"].started < 0.15
    assert counted.of_files["b.py"].started >= 0.25


def test_the_dearest_are_named_first_after_the_sum_of_all_workers() -> None:
    counted = Spending()
    for told in ({"a.py": (1.0, 2.0), "b.py": (0.5, 0.0)}, {"b.py": (4.0, 1.0)}):
        counted.take(told)
    assert [line.split() for line in lines(counted.of_files)] == [
        ["5.5", "3.0", "in", "all"],
        ["4.5", "1.0", "b.py"],
        ["1.0", "2.0", "a.py"],
    ]


def test_of_a_program_that_is_gone_and_nobody_waited_for_nothing_is_taken_back() -> None:
    assert Seconds(3, 5).since(Seconds(1, 9)) == (2, 0)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_all_that_is_told_was_spent_and_is_told_once(tmp_path: Path, workers: str) -> None:
    """The system knows what a run and all that it waited for took: less than that is told, but not by more than starting takes.

    A program whose parent is gone is not waited for, and told nevertheless.
    """
    (tmp_path / "conftest.py").write_text(CONFTEST)
    for name in ("one", "two", "three"):
        (tmp_path / f"test_{name}.py").write_text(SPENDS)
    (tmp_path / "test_left.py").write_text(LEAVES)
    command = (*(sys.executable, "-m", "pytest", "-p", "xdist", "-n", workers, "--durations", "1"), str(tmp_path))
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    variables |= {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=True, timeout=100)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    told = {file: float(own) + float(started) for own, started, file in re.findall(TOLD, said.stdout, re.MULTILINE)}
    assert all(0.3 <= told[f"test_{name}.py"] < 0.6 for name in ("one", "two", "three", "left")), said.stdout
    assert took - 0.5 < told["in all"] - told["test_left.py"] <= took + 0.1, said.stdout

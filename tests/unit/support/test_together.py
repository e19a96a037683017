"""A test worker that dies fails the test in which it died, and nothing else, whatever the others do meanwhile."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.running.together import QUIET, SLEEPING, TOGETHER, WAITING, scope_of, turn_of
from tests.support.source import ROOT

CONFTEST = """
import time
from tests.support.running.together import Together

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


FILLING = """
import os
from tests.support.running import together

def pytest_xdist_make_scheduler(config, log):
    together.beside_cores = lambda: 1
    return together.Together(config, log)
"""
SAYS = """
import os, pathlib, time

def test_says():
    time.sleep(0.1)
    with open({to!r}, "a") as file:
        file.write(os.environ["PYTEST_XDIST_WORKER"] + " {kind}\\n")
"""


def test_one_worker_more_than_keep_the_cores_busy_fills_gaps_with_quiet_files(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(FILLING)
    said = tmp_path / "said"
    for kind in ("integration", "unit"):
        (tmp_path / "tests" / kind).mkdir(parents=True)
        for number in range(8):
            written = SAYS.format(to=str(said), kind=kind)
            (tmp_path / "tests" / kind / f"test_{kind}_{number}.py").write_text(written)
    assert re.search(r"= 16 passed in ", shared_out(tmp_path))
    done = [line.split() for line in said.read_text().splitlines()]
    assert {kind for worker, kind in done if worker == "gw1"} == {"unit"}
    assert [kind for worker, kind in done if worker == "gw0"][:8] == ["integration"] * 8


def test_it_does_nothing_where_all_files_are_of_parts(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(FILLING)
    said = tmp_path / "said"
    for number in range(3):
        (tmp_path / f"test_part_{number}.py").write_text(SAYS.format(to=str(said), kind="part"))
    assert re.search(r"= 3 passed in ", shared_out(tmp_path))
    assert said.read_text() == "gw0 part\n" * 3


SLOW = """
import os, time

def pytest_configure(config):
    time.sleep(os.environ.get("PYTEST_XDIST_WORKER") == "gw0")  # the other is there first, and stays when one is too many
"""


def test_it_does_all_where_it_is_alone(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(FILLING + SLOW)
    said = tmp_path / "said"
    (tmp_path / "test_part.py").write_text(SAYS.format(to=str(said), kind="part"))
    assert re.search(r"= 1 passed in ", shared_out(tmp_path))
    assert said.read_text() == "gw1 part\n"


def shared_out(directory: Path, *more: str) -> str:
    """Run the tests of a directory in two workers, and return what is said of them."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-v",
        "-p",
        "xdist",
        "-n",
        "2",
        "-p",
        "no:cacheprovider",
        *more,
        str(directory),
    ]
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    variables |= {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # others take seconds to import
    options = {"cwd": directory, "env": variables}
    done = subprocess.run(command, **options, check=False, capture_output=True, text=True, timeout=100)  # type: ignore[call-overload]
    assert "INTERNALERROR" not in done.stdout, done.stdout
    return str(done.stdout)


def test_when_workers_die_every_other_test_is_done_once(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    for number, seconds in enumerate((0.1, 0.8)):
        (tmp_path / f"test_dies_{number}.py").write_text(DIES.format(seconds=seconds))
    for number in range(6):
        (tmp_path / f"test_goes_on_{number}.py").write_text(GOES_ON)
    said = shared_out(tmp_path)
    died = re.findall(r"^worker '\w+' crashed while running '(test_dies_\d)\.py::test_dies'$", said, re.MULTILINE)
    assert sorted(died) == ["test_dies_0", "test_dies_1"], said
    assert re.search(r"= 2 failed, 16 passed in ", said), said


def test_every_name_of_files_that_are_shared_out_in_a_way_of_their_own_is_of_some() -> None:
    files = [str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py")]
    named = {*QUIET, *SLEEPING, *WAITING, *(name for names in TOGETHER for name in names)}
    assert {name for name in named if not any(file.startswith(name) for file in files)} == set()


def test_what_waits_for_minutes_begins_first_and_what_sleeps_is_not_the_last() -> None:
    unit, sleeping = "tests/unit/test_routes.py::test_a", f"{SLEEPING[0]}test_one_day.py::test_b"
    waiting, again = "tests/faults/test_parked.py::test_c", "tests/faults/chassis/test_stream.py::test_d"
    long = "tests/e2e/test_scenario.py::test_e"
    found = sorted([unit, sleeping, long, again, waiting], key=lambda test: turn_of(test, long=test == long))
    assert found == [again, waiting, long, sleeping, unit]
    assert not any(scope_of(test).startswith(QUIET) for test in (waiting, again))

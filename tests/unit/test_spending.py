"""It is known what a run spends on a file, in the worker and in what it started."""

import subprocess
import sys
from time import process_time

from tests.support.spending import Seconds, Spending, lines

BUSY = "import time\nwhile time.process_time() < 0.3: pass"


def test_it_is_the_file_that_spends_it() -> None:
    counted = Spending()
    counted.pytest_runtest_logstart("a.py::test_one")
    begun = process_time()
    while process_time() < begun + 0.2:
        pass
    counted.pytest_runtest_logstart("a.py::test_two")
    counted.pytest_runtest_logstart("b.py::test_one")
    subprocess.run([sys.executable, "-S", "-c", BUSY], check=True)
    counted.pytest_runtest_logstart("c.py::test_one")
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

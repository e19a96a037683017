"""The broker of all tests of a worker has what others left: whoever uses topics by their real names begins without any."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.running import resting
from tests.support.running.resting import Resting
from tests.support.running.together import QUIET
from tests.support.source import ROOT

ON_THE_SHARED_ONE = re.compile(r"\b(?:empty_)?kafka: str\b")
REAL_TOPICS = re.compile(r"\btopic_specs\(")
BEGINS_EMPTY = re.compile(r"\bempty_kafka\b|\bremove_topics\(")
USES_ONE = re.compile(r"def (?!kafka\()\w+\([^)]*\b(?:(?:empty_)?kafka: str|_?kafka_process: |new_topic: )")


def found(pattern: re.Pattern[str]) -> Iterator[Path]:
    """Yield files with tests, and with their fixtures, that match."""
    for folder in ("integration", "e2e", "faults"):
        for path in (ROOT / "tests" / folder).rglob("*.py"):
            if path.name.startswith(("test_", "conftest")) and pattern.search(path.read_text()):
                yield path


def test_real_topics_on_the_shared_broker_are_made_after_all_others_are_gone() -> None:
    real = {*found(ON_THE_SHARED_ONE)} & {*found(REAL_TOPICS)}
    assert len(real) > 6
    assert real - {*found(BEGINS_EMPTY)} == set()


def test_files_that_wait_for_nobody_use_no_broker() -> None:
    """It is frozen while they run, and whoever asked it would wait until it is too late."""
    quiet = [path for folder in QUIET for path in (ROOT / folder).rglob("*.py")]
    assert len(quiet) > 150
    assert [path for path in quiet if USES_ONE.search(path.read_text())] == []
    assert len([*found(USES_ONE)]) > 20


def test_brokers_rest_from_the_first_test_that_uses_none_to_the_first_that_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[signal.Signals] = []

    class Broker:
        def send_signal(self, what: signal.Signals) -> None:
            told.append(what)

    monkeypatch.setattr(resting, "RUNNING", {Broker()})
    plugin = Resting()
    for test in (
        "tests/e2e/test_demo.py::test_one",
        "tests/unit/test_a.py::test_one",
        "tests/unit/test_b.py::test_one",
    ):
        plugin.begin(test)
    assert told == [signal.SIGSTOP]
    plugin.begin("tests/faults/test_parked.py::test_one")
    assert told == [signal.SIGSTOP, signal.SIGCONT]

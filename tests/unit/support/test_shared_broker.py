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

ON_THE_SHARED_ONE = re.compile(r"\b(?:empty_)?kafka: str\b|\btopics_anew: ")
REAL_TOPICS = re.compile(r"\btopic_specs\(")
BEGINS_EMPTY = re.compile(r"\bempty_kafka\b|\bremove_topics\(|\btopics_anew\b|\bmade_anew\(")
USES_ONE = re.compile(
    r"def (?!kafka\()\w+\([^)]*\b(?:(?:empty_)?kafka: str|_?kafka_process: |new_topic: |topics_anew: )"
)


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


class Broker:
    """Writes down what is done to it."""

    def __init__(self, fixture: str, told: list[tuple[str, str]]) -> None:
        self.fixture, self._told = fixture, told

    def send_signal(self, what: signal.Signals) -> None:
        self._told.append((self.fixture, what.name))

    def wait(self) -> None:
        self._told.append((self.fixture, "waited for"))


UNIT, DEMO, PARKED, CHAOS = (
    f"tests/{file}::test"
    for file in ("unit/test_a.py", "e2e/test_demo.py", "faults/test_parked.py", "faults/test_chaos.py")
)
STOPPED, GOES_ON, WAITED = "SIGSTOP", "SIGCONT", "waited for"


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        pytest.param([(UNIT, []), (UNIT, []), (DEMO, ["kafka"])], [("kafka", STOPPED), ("kafka", GOES_ON), ("kafka", WAITED)], id="quiet"),
        pytest.param([(DEMO, []), (DEMO, ["kafka"]), (DEMO, [])], [("kafka", STOPPED), ("kafka", GOES_ON), ("kafka", WAITED)], id="file"),
        pytest.param([(DEMO, ["kafka"]), (DEMO, [])], [], id="asked for"),
        pytest.param([(CHAOS, ["kafka"]), (PARKED, [])], [], id="together"),
        pytest.param([(DEMO, ["kafka"]), (CHAOS, [])], [("kafka", STOPPED)], id="other file"),
        pytest.param([(DEMO, ["_kafka_process"])], [("kafka", STOPPED)], id="another"),
    ],
)  # fmt: skip
def test_a_broker_rests_until_a_file_asks_for_it_and_runs_for_all_of_the_file(
    tests: list[tuple[str, list[str]]], expected: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(resting, "SETTLES", 0)
    monkeypatch.setattr(resting, "RUNNING", {Broker("kafka", told)})
    plugin = Resting()
    for test, fixtures in tests:
        plugin.begin(test, fixtures)
    assert told == expected


def test_a_broker_of_somebodys_own_rests_only_where_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(resting, "RUNNING", {Broker("", told)})
    plugin = Resting()
    plugin.begin(DEMO, [])
    assert told == []
    plugin.begin(UNIT, [])
    assert told == [("", STOPPED)]


def test_brokers_that_rest_may_be_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    running: set[Broker] = {Broker("kafka", [])}
    monkeypatch.setattr(resting, "RUNNING", running)
    plugin = Resting()
    plugin.begin(UNIT, [])
    running.clear()
    plugin.begin(DEMO, ["kafka"])

"""`make alerts` takes an hour: whatever goes wrong with one fault, the others are done, and their rows printed."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from services.operations.watch import LookSettings
from tests.faults.alerts.__main__ import HEADINGS, choose, main, untried
from tests.faults.alerts.prove import Proof
from tests.faults.alerts.scene import Scene
from tests.faults.alerts.stage import Failed, Stage
from tests.faults.alerts.table import FAULTS, Fault
from tests.faults.alerts.watched import SELDOMER, rules, waits
from tests.support.source import ROOT


class Broken:
    """Scenes that break in some way."""

    def __init__(self) -> None:
        self.made = self.left = 0

    @contextmanager
    def scene(self) -> Iterator[Scene]:
        self.made += 1
        yield None  # type: ignore[misc]
        self.left += 1
        raise OSError("a process does not end")


def breaks(_: object) -> None:
    raise ZeroDivisionError("an error of ours")


def test_a_fault_that_fails_is_given_up_with_its_scene_and_the_next_has_another() -> None:
    scenes = Broken()
    fault = Fault("an error", "ProcessDown", lambda _: lambda: None, before=breaks)
    stage = Stage(scenes.scene)
    for number in (1, 2):
        (found,) = stage.prove([fault])
        assert isinstance(found, Failed)
        assert str(found) == "ZeroDivisionError: an error of ours"
        assert (scenes.made, scenes.left) == (number, number)


def test_all_rows_are_printed_though_nothing_can_be_proved(capsys: pytest.CaptureFixture[str]) -> None:
    def no_scene() -> AbstractContextManager[Scene]:
        raise OSError("there is no Kafka")

    assert main([], Stage(no_scene)) == 1
    said = capsys.readouterr()
    rows = [line.strip("| ").split(" | ") for line in said.out.splitlines()]
    assert rows[0] == list(HEADINGS)
    assert [row[0] for row in rows[2:]] == [*(fault.name for fault in FAULTS), *["none"] * len(untried())]
    assert {row[1] for row in rows[2:]} == {
        name for name, rule in rules().items() if rule["labels"]["severity"] != "none"
    }
    assert said.err.count("NOT PROVED: OSError: there is no Kafka") == len(FAULTS)


def test_the_page_has_a_row_for_each_fault_and_each_alert() -> None:
    """As `make alerts` prints them."""
    part = (ROOT / "docs" / "operator.md").read_text().partition("## Faults, and when you hear of them")[2]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in re.findall(r"(?m)^\|.*\|$", part.partition("\n## ")[0])
    ]
    assert [row[0] for row in rows[2:]] == [*(fault.name for fault in FAULTS), *["none"] * len(untried())]
    assert [row[1] for row in rows[2:]] == [*(fault.alert for fault in FAULTS), *untried()]
    assert rows[0] == list(HEADINGS)


def test_one_goes_on_from_a_fault_or_chooses_some() -> None:
    assert [number for number, _ in choose(["--from", str(len(FAULTS))])] == [len(FAULTS)]
    assert {fault.alert for _, fault in choose(["ProofF", "copies"])} == {"ProofFailed", "CopyBehind"}


def test_what_looks_more_often_here_is_told_as_it_looks_where_deployed() -> None:
    proof = Proof(0, 0, 0, frozenset())
    assert proof.deployed("HistoryGone") == LookSettings().every_seconds + (10 + 30) * 0.9
    assert {alert for alert in SELDOMER if alert not in rules()} == set()


def test_who_is_told_by_day_is_told_later_than_who_is_woken() -> None:
    assert waits("KafkaAway") == 60 + 10
    assert waits("KafkaSettings") == 300 + 30
    assert waits("CopyBehind") == 300 + 300 + 30

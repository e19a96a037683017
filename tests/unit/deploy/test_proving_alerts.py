"""`make alerts` takes three quarters of an hour: whatever goes wrong with one fault, the others are done, and their rows printed."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from services.operations.watch import LookSettings
from tests.faults.alerts.__main__ import HEADINGS, TURN_SECONDS, choose, main, turns, untried
from tests.faults.alerts.prove import NotQuiet, Proof, prove, with_labels
from tests.faults.alerts.scene import Scene
from tests.faults.alerts.stage import Failed, Stage
from tests.faults.alerts.table import FAULTS, Fault
from tests.faults.alerts.taken import page, read
from tests.faults.alerts.watched import AGES, DAYS, SELDOMER, Receiver, Told, rules, shortened, waits, waits_here
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
    rows = [line.strip("| ").split(" | ") for line in said.out.splitlines() if line.startswith("|")]
    assert rows[0] == list(HEADINGS)
    assert [row[0] for row in rows[2:]] == [*(fault.name for fault in FAULTS), *["none"] * len(untried())]
    assert {row[1] for row in rows[2:]} == {
        name for name, rule in rules().items() if rule["labels"]["severity"] != "none"
    }
    assert said.err.count("OSError: there is no Kafka") == len(FAULTS)


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
    assert [number for number, _ in choose(["--from", str(len(FAULTS))]).faults] == [len(FAULTS)]
    assert {fault.alert for _, fault in choose(["ProofF", "copies"]).faults} == {"ProofFailed", "CopyBehind"}


def test_nothing_is_begun_that_would_end_too_late(capsys: pytest.CaptureFixture[str]) -> None:
    class Quick(Stage):
        def prove(self, faults: Sequence[Fault]) -> list[Proof | Failed]:
            return [Proof(1.0, 2.0, 3.0, frozenset()) for _ in faults]

    waits = {alert: waits_here(alert) + TURN_SECONDS for alert in ("KafkaAway", "VersionsDiffer")}
    minutes = (waits["KafkaAway"] + waits["VersionsDiffer"]) / 2 / 60
    assert main(["KafkaAway", "VersionsDiffer", f"--minutes={minutes}"], Quick()) == 1
    rows = capsys.readouterr().out
    assert rows.count("| KafkaAway | 1 s |") == 2
    assert rows.count("| VersionsDiffer | not tried |") == 1


def printed(first: str, second: str, minutes: int) -> str:
    rows = (HEADINGS, ("---",) * len(HEADINGS), ("one", "KafkaAway", first), ("two", "CutOff", second))
    table = "".join(f"| {' | '.join(cells)} |\n" for cells in rows)
    return f"{table}\nMeasured on a day, in one run of {minutes} minutes: 1 of 2 as they must be.\n"


def test_what_is_printed_is_taken_into_the_page_and_a_later_run_mends_an_earlier_one() -> None:
    before = (ROOT / "docs" / "operator.md").read_text()
    runs = [read(printed("1 s", "not proved", 30)), read(printed("not proved", "7 s", 2))]
    after = page(before, runs)
    assert (
        "Measured on a day, in one run of 30 minutes. From another run, on a day, of 2 minutes: CutOff (two).\n"
        in after
    )
    assert "| one | KafkaAway | 1 s |\n| two | CutOff | 7 s |\n\n## " in after
    for part in ("## What runs", "## Look into, and put right", "Faults that do not touch each other"):
        assert part in after
    assert page(after, runs) == after
    assert read(printed("1 s", "2 s", 3).replace("| --- ", "|---")).rows == read(printed("1 s", "2 s", 3)).rows
    with pytest.raises(ValueError, match="did not end"):
        read(printed("1 s", "2 s", 3).partition("Measured")[0])


def test_what_is_left_over_costs_a_scene_and_no_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    scenes, done = iter(range(1, 9)), list[object]()

    @contextmanager
    def scene() -> Iterator[Scene]:
        yield cast("Scene", next(scenes))

    def proved(scene: object, _: Sequence[Fault]) -> list[Proof | Exception]:
        if done == [1] == [scene]:
            raise NotQuiet("it does not become quiet")
        done.append(scene)
        return [Proof(1.0, 2.0, 3.0, frozenset())]

    monkeypatch.setattr("tests.faults.alerts.stage.prove", proved)
    with Stage(scene) as stage:
        found = [stage.prove([FAULTS[0]]) for _ in range(3)]
    assert [type(proof) for (proof,) in found] == [Proof] * 3
    assert done == [1, 2, 2]


def test_of_a_turn_that_fails_enough_is_kept_to_find_its_cause(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, kept = tmp_path / "home", tmp_path / "kept"
    (home / "data" / "wal").mkdir(parents=True)
    for name in ("data/wal/1", "proof.log", "prometheus.log", "kafka"):
        (home / name).write_text(f"what {name} holds")
    platform = SimpleNamespace(ended=lambda: {"proof": 1}, log=lambda name: home / f"{name}.log")
    kafka, other = (SimpleNamespace(log=home / name) for name in ("kafka", "other"))
    scene = SimpleNamespace(home=home, kafka=kafka, brokers=[other], platform=platform)
    beside = Told(7.0, "pager", "ProcessDown", "firing", {"alertname": "ProcessDown", "job": "proof"}, 7.0)

    @contextmanager
    def made() -> Iterator[Scene]:
        yield cast("Scene", scene)

    proof = Proof(1.0, 2.0, 3.0, frozenset({"ProcessDown"}), (with_labels(beside, 5.0),))
    monkeypatch.setattr("tests.faults.alerts.stage.prove", lambda *_: [proof])
    assert main(["AuthorityParked"], Stage(made, kept)) == 1
    (folder,) = kept.glob("*-AuthorityParked")
    assert {path.name for path in (folder / "logs").iterdir()} == {"proof.log", "prometheus.log", "kafka-1.log"}
    assert (folder / "data" / "wal" / "1").read_text() == "what data/wal/1 holds"
    said = capsys.readouterr().err
    assert "also paged: ProcessDown {job=proof} after 2 s" in said
    assert "proof has ended with 1:\nwhat proof.log holds" in said
    assert main(["AuthorityParked"], Stage(made, home / "proof.log")) == 1, (
        "and where nothing can be kept, the run goes on"
    )
    assert "not kept" in capsys.readouterr().err


def test_what_looks_more_often_here_is_told_as_it_looks_where_deployed() -> None:
    proof = Proof(0, 0, 0, frozenset())
    assert proof.deployed("HistoryGone") == LookSettings().every_seconds + 10 + 30 * 0.9
    assert {alert for alert in SELDOMER if alert not in rules()} == set()


def test_who_is_told_by_day_is_told_later_than_who_is_woken() -> None:
    assert waits("KafkaAway") == 60 + 10
    assert waits("KafkaSettings") == 300 + 30
    assert waits("CopyBehind") == 300 + 300 + 30


def test_what_is_done_side_by_side_has_an_alert_of_its_own_and_fails_alone() -> None:
    told: list[Told] = []
    receiver = SimpleNamespace(told=told)
    receiver.since = partial(Receiver.since, cast("Receiver", receiver))
    watched = SimpleNamespace(receiver=receiver, active=lambda *_: set())
    mended: list[str] = []

    def pages(*alerts: str) -> Callable[[Scene], Callable[[], object]]:
        def say(status: str) -> None:
            at = time.monotonic()
            told.extend(Told(at, "pager", alert, status, {}, at) for alert in alerts)

        def inject(_: Scene) -> Callable[[], object]:
            say("firing")
            return mend

        def mend() -> None:
            mended.append(alerts[0])
            say("resolved")

        return inject

    faults = [
        Fault("one", "KafkaAway", pages("KafkaAway")),
        Fault("our error", "CutOff", cast("Any", breaks), beside=True),
        Fault("an error before", "BrokerGone", pages("BrokerGone"), before=breaks, beside=True),
        Fault("another", "BackupOld", pages("BackupOld", "DiskFilling"), beside=True),
        Fault("cannot be mended", "HistoryGone", pages("HistoryGone"), clears=False, beside=True),
    ]
    found = prove(cast("Scene", SimpleNamespace(watched=watched)), faults)
    assert [type(each) for each in found] == [Proof, ZeroDivisionError, ZeroDivisionError, Proof, Proof]
    assert {each.others for each in found if isinstance(each, Proof)} == {frozenset({"DiskFilling"})}
    assert [each.cleared is None for each in found if isinstance(each, Proof)] == [False, False, True]
    assert mended == ["KafkaAway", "BackupOld", "HistoryGone"]


def test_what_pages_beside_a_turn_is_shown_and_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    class Surprising(Stage):
        def prove(self, faults: Sequence[Fault]) -> list[Proof | Failed]:
            return [Proof(1.0, 2.0, 3.0, frozenset({"DiskFilling", "ProofFailed"})) for _ in faults]

    assert main(["AuthoritySilent"], Surprising()) == 1
    said = capsys.readouterr()
    assert said.out.splitlines()[2].endswith("| DiskFilling, ProofFailed |")
    assert "NOT ALONE: an authority falls silent: also paged: DiskFilling" in said.err


def test_each_turn_has_every_alert_once_and_is_the_same_where_some_are_chosen() -> None:
    whole = [[fault for _, fault in turn] for turn in turns(choose([]).faults)]
    assert [fault for turn in whole for fault in turn] == list(FAULTS)
    for turn in whole:
        assert len({fault.alert for fault in turn}) == len(turn)
    some = [
        {fault.alert for _, fault in turn} for turn in turns(choose(["VersionsDiffer", "LagGrowing", "CutOff"]).faults)
    ]
    assert some == [{"CutOff"}, {"VersionsDiffer", "LagGrowing"}]


def test_rules_ask_for_less_here_as_they_are_said_to() -> None:
    here = {
        rule["alert"]: rule
        for group in yaml.safe_load(shortened())["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    for alert in (*AGES, *DAYS):
        assert here[alert]["expr"] != rules()[alert]["expr"]
        assert waits_here(alert) < waits(alert)
    assert "> 360" in here["ProofStale"]["expr"]
    for arrived, since in ((100, 363), (400, 400)):
        proof = Proof(0, arrived, 0, frozenset())
        assert proof.deployed("ProofStale") == pytest.approx(since + 2 * 86_400 - 360 + (30 + 30) * 0.9)

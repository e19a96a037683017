"""The walk-through for vendors: its programs run, and its events are accepted."""

import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.clock import system_clock
from contracts.decoding.codec import Event
from contracts.decoding.validation import judge
from tests.support.platform import platform

ROOT = Path(__file__).parents[4]
TEXT = (ROOT / "docs" / "vendor.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
DAYS = re.compile(r"\$\(day (\d+)\)")
EVENTS = [
    *re.findall(r"<<END\n(.*?)\nEND", TEXT, re.DOTALL),
    *(
        event % tuple(re.findall(r"\$\(day \d+\)", days))
        for event, days in re.findall(r"\\t(\{\"specversion\".*?\})\\n' (.*?) \|", TEXT)
    ),
]


def day(number: str) -> str:
    return f"{(system_clock().date().replace(day=1) - timedelta(days=1)).replace(day=int(number))}"


def test_the_program_runs_and_is_answered(tmp_path: Path) -> None:
    with platform() as server:
        stack = {"orders": server.address, "unpaid_work": server.address, "tokens": {"S12000005": "token"}}
        (tmp_path / "stack.json").write_text(json.dumps(stack))
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, "-c", PROGRAMS[0]],
                cwd=tmp_path,
                env={"PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
                check=True,
            )
    assert done.stdout.count("reason=None") == 2
    first, second, *again = sorted(event["id"] for event in server.kept)
    assert {first, second, *again} == {event["id"] for event in server.kept[:2]}, (
        "the same, said twice, has the same id"
    )


def test_the_program_for_kafka_makes_an_event_that_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text("{}")
    before_it_is_sent = PROGRAMS[1].partition("producer =")[0].replace("from kafka import KafkaProducer\n", "")
    program = f"{before_it_is_sent}print(json.dumps(event))"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, check=True)
    assert isinstance(judge(done.stdout, system_clock()), Event)


@pytest.mark.parametrize("raw", EVENTS)
def test_events_are_accepted(raw: str) -> None:
    assert isinstance(judge(DAYS.sub(lambda found: day(found[1]), raw).encode(), system_clock()), Event)


def test_the_programs_and_events_are_those_that_are_tried() -> None:
    """The last program sends what the second makes, with another library; that way in is tried with Apache Kafka."""
    assert (len(EVENTS), len(PROGRAMS)) == (2, 3)
    assert "confluent_kafka" in PROGRAMS[2]

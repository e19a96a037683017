"""The walk-through for vendors: its programs run, and its events are accepted."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.codec import Event
from contracts.generate.samples import ARRIVED
from contracts.validation import judge
from tests.support.platform import platform

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "vendor.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
EVENTS = [
    *re.findall(r"<<'END'\n(.*?)\nEND", TEXT, re.DOTALL),
    *re.findall(r"'(\{\"specversion\".*?\})' \|", TEXT),
]


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


def test_the_program_for_kafka_makes_an_event_that_is_accepted() -> None:
    (made,) = re.findall(r"event = (\{.*?\n\})", PROGRAMS[1], re.DOTALL)
    assert isinstance(judge(re.sub(r",(\s*\})", r"\1", made).encode(), ARRIVED), Event)


@pytest.mark.parametrize("raw", EVENTS)
def test_events_are_accepted(raw: str) -> None:
    assert isinstance(judge(raw.encode(), ARRIVED), Event)


def test_there_are_events_to_look_at() -> None:
    assert (len(EVENTS), len(PROGRAMS)) == (2, 2)

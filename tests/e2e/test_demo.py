"""`payback demo --exit`, as somebody runs it who has just cloned the project."""

import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from deploy.local import demo
from deploy.local.stack import Stack
from deploy.local.supervisor import Supervisor

PAYBACK = Path(sys.executable).with_name("payback")


@pytest.mark.timeout(290)
@pytest.mark.faults
def test_every_cell_of_a_month_equals_the_truth() -> None:
    done = subprocess.run(
        [PAYBACK, "demo", "--months", "1", "--exit"], capture_output=True, text=True, check=False, timeout=280
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "cells equal the truth" in done.stderr
    for said in ("Orders imposed", "First placement in 7 working days", "The public pages:", "An authority's desk:"):
        assert said in done.stdout


def test_a_cell_that_is_wrong_missing_or_too_many_is_named() -> None:
    truth = {"orders_imposed|S12000036|2026-01-01|": 5, "orders_ended|S12000036|2026-01-01|": 2}
    found = {"orders_imposed|S12000036|2026-01-01|": 4, "orders_imposed|S12000047|2026-01-01|": 1, "findings|a|b|c": 9}
    assert demo.differences(found, truth) == [
        "orders_ended|S12000036|2026-01-01| is 0, must be 2",
        "orders_imposed|S12000036|2026-01-01| is 4, must be 5",
        "orders_imposed|S12000047|2026-01-01| is 1, must be 0",
    ]
    console = Console(record=True)
    with pytest.raises(demo.Failed, match="3 cells differ"):
        demo.check(found, truth, console)
    assert "is 4, must be 5" in console.export_text()


def test_it_says_what_sending_to_it_needs(tmp_path: Path) -> None:
    apis = {"orders": "http://o", "unpaid_work": "http://u", "reporting": "http://r"}
    tokens = {"S12000023": "of Orkney", "S12000027": "of Shetland"}
    stack = Stack(tmp_path, apis, "http://d", [], "kafka", "postgres", tokens, Supervisor(tmp_path, print))
    said = demo.way_in(stack, "S12000023").split()
    assert said[:4] == ["--orders", "http://o", "--unpaid-work", "http://u"]
    assert Path(said[5]).read_text() == "of Orkney"
    assert (tmp_path / "tokens" / "S12000027").read_text() == "of Shetland"

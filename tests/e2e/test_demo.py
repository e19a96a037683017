"""`payback demo --exit`, as somebody runs it who has just cloned the project."""

import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from deploy.local import demo

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

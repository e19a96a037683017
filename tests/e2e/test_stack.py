"""`payback stack`, as somebody from outside uses it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from contracts.authorities import AUTHORITIES

FIFE = "S12000047"
EVENT = {
    "specversion": "1.0",
    "id": "1",
    "source": f"/authorities/{FIFE}",
    "type": "scot.payback.order.received.v1",
    "subject": "FIFE/1",
    "time": "2026-03-03T10:00:00Z",
    "data": {"received_on": "2026-03-02"},
}


def national_cells(stack: dict[str, Any], measure: str) -> list[dict[str, Any]]:
    answer = httpx.get(
        f"{stack['reporting']}/v1/cells",
        params={"measure": measure},
        headers={"Authorization": f"Bearer {stack['tokens']['national']}"},
    )
    cells: list[dict[str, Any]] = answer.raise_for_status().json()["cells"]
    return cells


@pytest.mark.timeout(290)
@pytest.mark.faults
def test_the_stack_says_one_line_works_and_leaves_nothing(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("payback")), "stack", "--dir", str(tmp_path)]
    with (tmp_path / "progress.log").open("wb") as progress:
        running = psutil.Popen(command, stdout=subprocess.PIPE, stderr=progress)
    stack: dict[str, Any] = json.loads(running.stdout.readline())
    family = running.children(recursive=True)

    assert stack.keys() == {"orders", "unpaid_work", "reporting", "desk", "metrics", "kafka", "postgres", "tokens"}
    assert stack["tokens"].keys() == {"national", "inspector", "operator", *AUTHORITIES}
    for address in stack["metrics"]:
        assert "payback_" in httpx.get(address).raise_for_status().text

    sent = httpx.post(
        f"{stack['orders']}/v1/events",
        content=json.dumps(EVENT),
        headers={
            "Authorization": f"Bearer {stack['tokens'][FIFE]}",
            "Content-Type": "application/cloudevents+json",
        },
    )
    assert sent.status_code == httpx.codes.ACCEPTED
    deadline = time.monotonic() + 20
    while not (cells := national_cells(stack, "events")):
        assert time.monotonic() < deadline, "the event was not counted in time"
        time.sleep(0.1)
    assert [(cell["authority"], cell["category"], cell["value"]) for cell in cells] == [(FIFE, "outcome=applied", 1)]

    os.kill(running.pid, signal.SIGTERM)
    assert running.stdout.read() == b""
    assert running.wait(60) == 0
    running.stdout.close()
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []
    assert not list(tmp_path.glob("payback-*"))

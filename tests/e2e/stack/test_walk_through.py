"""The page keeps the promises that the walk-through for vendors makes, on the stack that it starts, in a browser."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from deploy.local.process import asking
from tests.e2e.stack.conftest import Stack

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "vendor.md").read_text()
PROGRAM = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)[0]
OURS = "S12000005"
PROMISE = re.search(r"(\d+) hours of unpaid work imposed, (\d+) credited, (\d+) outstanding", TEXT)

pytestmark = [pytest.mark.browser, pytest.mark.faults, pytest.mark.timeout(290)]


def minutes_credited(stack: Stack) -> list[int]:
    headers = {"Authorization": f"Bearer {stack['tokens']['national']}"}
    asked = {"measure": "minutes_credited", "authority": OURS}
    answer = asking().get(f"{stack['reporting']}/v1/cells", params=asked, headers=headers)
    return [cell["value"] for cell in answer.raise_for_status().json()["cells"] if not cell["category"]]


def test_the_page_shows_what_the_program_sent(stack: Stack, tmp_path: Path, page: Page) -> None:
    assert PROMISE is not None
    (tmp_path / "stack.json").write_text(json.dumps(stack))
    subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, check=True)
    deadline = time.monotonic() + 60
    while minutes_credited(stack) != [60 * int(PROMISE[2])]:
        assert time.monotonic() < deadline, "the session was not counted in time"
        time.sleep(0.2)
    page.goto(f"{stack['reporting']}/sign-in")
    page.get_by_label("Token").fill(stack["tokens"][OURS])
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.goto(f"{stack['reporting']}/authorities/{OURS}")
    page.locator("details").evaluate_all("all => all.forEach(each => { each.open = true })")
    words = page.locator("main").inner_text()
    expect(page.locator("h1")).to_contain_text("Clackmannanshire")
    for what, hours in zip(("imposed", "credited", "outstanding"), PROMISE.groups(), strict=True):
        shown = rf"Hours of unpaid work {what}\n[^\t]*\t{hours}(\nPart of the period)?\t"  # others may have sent of earlier years
        assert re.search(shown, words), (what, hours, words)

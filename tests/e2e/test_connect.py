"""From an authority's own tables to the nation's figures, on the whole platform."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from shutil import copy
from typing import Any

import httpx
import psutil
import pytest

from tests.integration.connect.test_template import ORDER, SESSION, fill
from tests.support.extracts import taken

EXAMPLES = Path(__file__).parents[2] / "docs/examples/connect"
PAYBACK = str(Path(sys.executable).with_name("payback"))
SHETLAND, INVERCLYDE = "S12000027", "S12000018"

Stack = dict[str, Any]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    with (folder / "progress.log").open("wb") as progress:
        running = psutil.Popen([PAYBACK, "stack", "--dir", str(folder)], stdout=subprocess.PIPE, stderr=progress)
    try:
        yield json.loads(running.stdout.readline())
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(60)
        running.stdout.close()


def send(stack: Stack, authority: str, folder: Path, *arguments: Path) -> str:
    (folder / "token").write_text(stack["tokens"][authority])
    where = ["--orders", stack["orders"], "--unpaid-work", stack["unpaid_work"], "--token-file", str(folder / "token")]
    done = subprocess.run([PAYBACK, "connect", "send", *arguments, *where], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def cells(stack: Stack, authority: str, measure: str) -> dict[str, int]:
    """Totals by month."""
    answer = httpx.get(
        f"{stack['reporting']}/v1/cells",
        params={"measure": measure, "authority": authority},
        headers={"Authorization": f"Bearer {stack['tokens']['national']}"},
    )
    found = answer.raise_for_status().json()["cells"]
    return {cell["period"]: cell["value"] for cell in found if cell["category"] == ""}


def shown(stack: Stack, authority: str, measure: str, wanted: dict[str, int]) -> None:
    deadline = time.monotonic() + 60
    while (found := cells(stack, authority, measure)) != wanted:
        assert time.monotonic() < deadline, f"{measure} is {found}, not {wanted}"
        time.sleep(0.2)


@pytest.mark.long
@pytest.mark.timeout(290)
def test_a_workbook_without_a_mapping_changes_the_figures(stack: Stack, tmp_path: Path) -> None:
    book = tmp_path / "orders.xlsx"
    subprocess.run([PAYBACK, "connect", "template", str(book), "--authority", "Shetland Islands"], check=True)
    home = {name: value for name, value in ORDER.items() if not name.startswith(("Transferred", "Reference there"))}
    fill(book, "Orders", home)
    fill(book, "Sessions", SESSION)
    said = send(stack, SHETLAND, tmp_path, taken(book, 2))
    assert "Back up the folder" in said
    shown(stack, SHETLAND, "orders_imposed", {"2026-02-01": 1})
    shown(stack, SHETLAND, "minutes_credited", {"2026-02-01": 210})
    fill(book, "Orders", home | {"Order reference": "CPO 2", "Person number": 18})
    send(stack, SHETLAND, tmp_path, taken(book, 3))
    send(stack, SHETLAND, tmp_path, book)
    shown(stack, SHETLAND, "orders_imposed", {"2026-02-01": 2})


@pytest.mark.long
@pytest.mark.timeout(290)
def test_past_years_load_as_past_events_and_leave_open_what_has_no_end(stack: Stack, tmp_path: Path) -> None:
    files = [Path(copy(path, tmp_path)) for path in sorted((EXAMPLES / "past-years").glob("return*"))]
    mapping, returns = files[-1], files[:-1]
    assert mapping.suffix == ".yaml"
    said = send(stack, INVERCLYDE, tmp_path, mapping, *returns)
    assert "Of these years 1 order without an end: open." in said
    deadline = time.monotonic() + 60
    while sum(cells(stack, INVERCLYDE, "orders_imposed").values()) < 24:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    opened, closed = (sum(cells(stack, INVERCLYDE, measure).values()) for measure in ("orders_opened", "orders_closed"))
    assert opened - closed == 1
    assert min(cells(stack, INVERCLYDE, "orders_imposed")) < "2021-06", "in the months in which it happened"

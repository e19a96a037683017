"""From an authority's own tables to the nation's figures, on the whole platform."""

import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from deploy.local.process import asking, stop, wait_until
from tests.e2e.stack.conftest import Stack
from tests.integration.connect.test_template import ORDER, SESSION, fill
from tests.support.checking.accessibility import ONLY_FAULTS, assert_accessible
from tests.support.generated.thorough import TURN, turns
from tests.support.made import past_years
from tests.support.made.extracts import taken
from tests.support.running.commands import carry_out
from tests.support.running.forked import PAYBACK, fork

EXAMPLES = Path(__file__).parents[3] / "docs/examples/connect"
LOOKED_AT = 4
"""How many pages `sound` looks at."""
SHETLAND, INVERCLYDE, FIFE, ORKNEY = "S12000027", "S12000018", "S12000047", "S12000023"


def send(stack: Stack, authority: str, folder: Path, *arguments: Path) -> str:
    (folder / "token").write_text(stack["tokens"][authority])
    where = ["--orders", stack["orders"], "--unpaid-work", stack["unpaid_work"], "--token-file", str(folder / "token")]
    done = carry_out(["connect", "send", *map(str, arguments), *where], os.environ, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def cells(stack: Stack, authority: str, measure: str) -> dict[str, int]:
    """Return totals by month."""
    answer = asking().get(
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
    made = carry_out(["connect", "template", str(book), "--authority", "Shetland Islands"], os.environ, tmp_path)
    assert made.returncode == 0, made.stderr
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


def all_cells(stack: Stack, authority: str) -> past_years.Cells:
    """Return all cells of an authority, over all pages."""
    found: past_years.Cells = Counter()
    cursor: dict[str, str] = {}
    while True:
        answer = asking().get(
            f"{stack['reporting']}/v1/cells",
            params={"authority": authority, **cursor},
            headers={"Authorization": f"Bearer {stack['tokens']['national']}"},
        )
        page = answer.raise_for_status().json()
        found.update({(cell["measure"], cell["period"], cell["category"]): cell["value"] for cell in page["cells"]})
        if not page["next"]:
            return found
        cursor = {"cursor": page["next"]}


def sample(stack: Stack, name: str, authority: str) -> list[float]:
    """Return the values of a gauge about an authority, of every process that has it."""
    pages = [asking().get(f"{address}/metrics").text for address in stack["metrics"]]
    pattern = rf'^{name}{{[^}}]*authority="{authority}"[^}}]*}} (\S+)$'
    return [float(value) for page in pages for value in re.findall(pattern, page, re.MULTILINE)]


@pytest.mark.long
@pytest.mark.timeout(290)
def test_ten_past_years_load_as_past_events_and_leave_open_what_has_no_end(stack: Stack, tmp_path: Path) -> None:
    told = list(past_years.lives())
    returns = past_years.write(tmp_path, told)
    assert len(returns) == 10
    mapping = tmp_path / "return.yaml"
    mapping.write_text((EXAMPLES / "past-years/return.yaml").read_text().replace(INVERCLYDE, ORKNEY))
    truth, number = past_years.truth(told), sum(len(life.facts) for life in told)
    still_open = past_years.open_at_the_end(told)
    assert still_open > 1
    late = send(stack, ORKNEY, tmp_path, mapping, *returns[5:])
    everything = send(stack, ORKNEY, tmp_path, mapping, *returns)
    accepted = [
        int(re.findall(r"([\d,]+) events accepted, 0 refused", said)[0].replace(",", "")) for said in (late, everything)
    ]
    assert min(accepted) > 1000
    assert sum(accepted) == number, "each fact once, and no sign of life"
    assert f"{still_open} orders of these years without an end: still open." in everything
    assert "0 events to send" in send(stack, ORKNEY, tmp_path, mapping, *returns)
    asked = {(measure, category) for measure, _, category in truth}

    def counted() -> past_years.Cells:
        found = all_cells(stack, ORKNEY)
        return Counter({cell: n for cell, n in found.items() if (cell[0], cell[2]) in asked})

    deadline = time.monotonic() + 60
    while (found := counted()) != truth:
        assert time.monotonic() < deadline, sorted((found - truth).items() | (truth - found).items())[:10]
        time.sleep(0.2)
    opened, closed = (
        sum(n for cell, n in found.items() if cell[0] == f"orders_{word}") for word in ("opened", "closed")
    )
    assert opened - closed == still_open
    assert (
        not sample(stack, "payback_silent_working_days", ORKNEY)
        or max(sample(stack, "payback_silent_working_days", ORKNEY)) == 0
    )
    assert min(sample(stack, "payback_last_event_timestamp_seconds", ORKNEY)) > time.time() - 600, (
        "heard today, of years ago"
    )


@pytest.fixture
def address(stack: Stack, tmp_path: Path) -> Iterator[str]:
    """Yield the address of the page that somebody in Fife started, with a mapping of their own."""
    mapping = (EXAMPLES / "one-row-per-order" / "orders.yaml").read_text()
    (tmp_path / "orders.yaml").write_text(mapping.replace(SHETLAND, FIFE))
    (tmp_path / "token").write_text(stack["tokens"][FIFE])
    command = [PAYBACK, "connect", "page", str(tmp_path / "orders.yaml"), "--token-file", str(tmp_path / "token")]
    command += ["--orders", stack["orders"], "--unpaid-work", stack["unpaid_work"]]
    said = tmp_path / "said"
    running = fork(command, said, os.environ, tmp_path)
    try:
        wait_until(lambda: said.exists() and "\n" in said.read_text(), "the page", running, said, seconds=60)
        yield said.read_text().partition("\n")[0].removeprefix("Open ").strip()
    finally:
        stop(running)


@pytest.mark.long
@pytest.mark.timeout(290)
def test_a_table_dropped_on_the_page_changes_the_figures(stack: Stack, address: str, browser: Browser) -> None:
    """Without scripts; what is wrong is said cell by cell, and nothing is sent before somebody says so."""
    with browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        page.goto(address)
        page.set_input_files("input[name=file]", EXAMPLES / "one-row-per-order" / "orders 2026-03-02.xlsx")
        page.get_by_role("button", name="Check it").press("Enter")
        expect(page.get_by_role("heading", name="What would be sent", exact=True)).to_be_visible()
        expect(page.get_by_text("30 events would be sent")).to_be_visible()
        assert cells(stack, FIFE, "orders_imposed") == {}
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_role("heading", name="Sent", exact=True)).to_be_visible()
        expect(page.get_by_text("30 events and a sign of life accepted, 0 refused by the platform.")).to_be_visible()
    shown(stack, FIFE, "orders_ended", {"2026-02-01": 1})


@pytest.mark.long
def test_the_page_is_accessible(address: str, browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page()
    page.goto(address)
    sound(page, 0)
    page.get_by_role("link", name="The mapping", exact=True).click()
    sound(page, 1)
    page.goto(address.partition("?")[0])
    table = tmp_path / "orders 2026-03-02.csv"
    table.write_text("Our ref,Date of order\n1,soon\n")
    page.set_input_files("input[name=file]", table)
    page.get_by_role("button", name="Check it").click()
    sound(page, 2)
    page.get_by_role("link", name="Send a table").click()
    page.set_input_files("input[name=file]", EXAMPLES / "one-row-per-order" / "orders 2026-03-02.xlsx")
    page.get_by_role("button", name="Check it").click()
    page.get_by_text("How the columns are read").click()
    sound(page, 3)
    page.close()


def sound(page: Page, number: int) -> None:
    """Assert that the page has no fault by any rule of axe: of some pages in turn."""
    if number in turns(range(LOOKED_AT), TURN):
        assert_accessible(page, ONLY_FAULTS)
    assert page.locator("h1").count() == 1

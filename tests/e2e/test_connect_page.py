"""The connector's page in a browser, without a platform: a table becomes a form, the form a mapping, and the mapping a check."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from deploy.local.process import stop, wait_until
from services.connect.mapping.loading import load_mapping
from tests.support.checking.accessibility import EVERY_RULE, WIDE, assert_accessible, assert_fits
from tests.support.generated.thorough import TURN, turns
from tests.support.outside.keyboard import focused, label_of_focus, pressing
from tests.support.running.forked import PAYBACK, fork

EXAMPLES = Path(__file__).parents[2] / "docs/examples/connect/one-row-per-order"
DAY_1 = EXAMPLES / "orders 2026-03-02.xlsx"
ANSWERS = {
    "Ferry off": "Other, not client-based",
    "Squad": "Group",
    "Charity shop": "Individual",
    "Done": "Successfully completed",
}
LOOKED_AT = 7
"""How many pages `sound` looks at."""
PHONE, DESK = ViewportSize(width=390, height=844), ViewportSize(width=1280, height=900)


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Yield the address of the page that somebody without a mapping started."""
    said = tmp_path / "said"
    running = fork([PAYBACK, "connect", "page", "orders.yaml"], said, os.environ, tmp_path)
    try:
        wait_until(lambda: said.exists() and "\n" in said.read_text(), "the page", running, said, seconds=60)
        yield said.read_text().partition("\n")[0].removeprefix("Open ").strip()
    finally:
        stop(running)


@pytest.fixture
def plain(browser: Browser) -> Iterator[Page]:
    """Yield a page on a phone, in a browser that runs no scripts."""
    with browser.new_context(java_script_enabled=False, viewport=PHONE) as context:
        yield context.new_page()


def drop(page: Page, *tables: Path) -> None:
    page.set_input_files("input[name=file]", tables)
    page.get_by_role("button", name="Check it").press("Enter")


def column(page: Page, heading: str) -> Locator:
    return page.locator("tr").filter(has=page.locator(".pb_heading", has_text=re.compile(f"^{heading}$"))).first


def answer_what_is_open(page: Page) -> None:
    still_open = "them => them.filter(each => each.value === '?').map(each => [each.id, each.labels[0].innerText])"
    for name, label in page.locator("select").evaluate_all(still_open):
        word = re.split(r" in \d+ rows?", label.strip())[0].strip()
        page.locator(f'select[id="{name}"]').select_option(label=ANSWERS.get(word, "Sheriff summary"))


def test_a_table_becomes_a_form_and_the_form_a_check_on_a_phone_without_scripts(
    plain: Page, address: str, tmp_path: Path
) -> None:
    plain.goto(address)
    drop(plain, DAY_1)
    expect(plain.get_by_role("heading", level=1)).to_have_text("What your columns are")
    court = column(plain, "Court")
    expect(court).to_contain_text("Lerwick JP")
    expect(court.get_by_label("What Court is", exact=True)).to_have_value("order.imposed:court_type")
    expect(column(plain, "DOB")).to_contain_text("not shown here")
    plain.get_by_role("button", name="Save and check the table").click()
    open_ones = plain.get_by_role("alert")
    expect(open_ones).to_contain_text("Choose your authority.")
    open_ones.get_by_role("link", name="Choose your authority.").click()
    plain.get_by_label("Your authority").select_option(label="Shetland Islands")
    answer_what_is_open(plain)
    plain.get_by_label("What First contact is").select_option(label="Do not use")
    plain.get_by_label("What Why late is").select_option(label="Do not use")
    plain.get_by_role("button", name="Save and check the table").click()
    expect(plain.get_by_role("heading", level=1)).to_have_text("What would be sent")
    expect(plain.locator("table").filter(has_text="What was read from the first rows")).to_contain_text("Lerwick JP")
    assert not load_mapping(tmp_path / "orders.yaml").tables[0].states.f3, "no first contact"
    plain.get_by_role("button", name="Change what the columns are").click()
    plain.get_by_label("What First contact is").select_option(label="First contact")
    plain.get_by_role("button", name="Save and check the table").click()
    expect(plain.get_by_role("heading", level=1)).to_have_text("What would be sent")
    expect(plain.locator("tr").filter(has_text="contact.made").first).to_contain_text("new")


def test_what_cannot_be_sent_is_said_with_sheet_and_row_and_put_right_in_the_form(
    plain: Page, address: str, tmp_path: Path
) -> None:
    (tmp_path / "orders.yaml").write_text(
        "authority: S12000027\ntables:\n  - name: Seen\n    order: Ref\n    states:\n      contact.made: {made_on: Seen}\n"
    )
    table = tmp_path / "seen 2026-03-20.csv"
    table.write_text("Ref,Seen,Team\nSI/26/1,03/02/2026,team-1\nSI/26/2,03/19/2026,team-2\n")
    plain.goto(address)
    drop(plain, table)
    expect(plain.get_by_role("alert")).to_contain_text("Seen!B3")
    plain.get_by_role("button", name="Change what the columns are").click()
    plain.get_by_text("How Seen is read").click()
    column(plain, "Seen").get_by_label("Dates written as text").select_option(label="month, day, year")
    plain.get_by_role("button", name="Save and check the table").click()
    expect(plain.get_by_text("2 events would be sent")).to_be_visible()
    read = plain.locator("table").filter(has_text="What was read from the first rows")
    expect(read).to_contain_text("2026-03-19")
    assert "made_on: {column: Seen, dates: mdy}" in (tmp_path / "orders.yaml").read_text()


def test_the_form_is_filled_in_by_keyboard(page: Page, address: str) -> None:
    page.goto(address)
    drop(page, DAY_1)
    pressing(page, "Tab", lambda: label_of_focus(page) == "Your authority")
    page.keyboard.type("Shet")
    pressing(page, "Tab", lambda: label_of_focus(page) == "What Court is")
    pressing(page, "Tab", lambda: focused(page).startswith("How Court is read"))
    page.keyboard.press("Enter")
    pressing(page, "Tab", lambda: label_of_focus(page) == "An empty cell means")
    page.keyboard.type("Not known")
    pressing(page, "Tab", lambda: focused(page) == "Show it as text", most=400)
    page.keyboard.press("Enter")
    text = page.get_by_label("The mapping, saved as orders.yaml").input_value()
    assert "authority: S12000027" in text
    assert "blank: not_known" in text.partition("person_ref")[0]


def test_the_form_and_what_follows_are_accessible_and_fit_phone_and_desk(page: Page, address: str) -> None:
    page.goto(address)
    drop(page, DAY_1)
    expect(page.get_by_role("heading", level=1)).to_have_text("What your columns are")
    page.locator("main details").evaluate_all("them => them.forEach(each => { each.open = true })")
    sound(page, 0)
    page.get_by_role("button", name="Save and check the table").click()
    expect(page.get_by_role("alert")).to_contain_text("still open")
    sound(page, 1)
    page.get_by_label("Your authority").select_option(label="Shetland Islands")
    answer_what_is_open(page)
    page.get_by_role("button", name="Save and check the table").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What would be sent")
    sound(page, 2)
    page.get_by_role("link", name="The mapping", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What your columns are")
    sound(page, 3)
    page.get_by_role("button", name="Show it as text").click()
    sound(page, 4)


def test_another_table_is_added_by_keyboard_and_the_pages_are_accessible(
    page: Page, address: str, tmp_path: Path
) -> None:
    (tmp_path / "orders.yaml").write_text((EXAMPLES / "orders.yaml").read_text())
    table = tmp_path / "cafe placements.csv"
    table.write_text("CPO ref,Date,Came?,Hrs,Kind of work\nSI/26/1,02/03/2026,Yes,3.5,Removals\n")
    page.goto(address)
    drop(page, table)
    expect(page.get_by_role("heading", level=1)).to_have_text("Which table is this?")
    expect(page.get_by_role("alert")).to_contain_text("cafe placements.csv fits no table of the mapping")
    sound(page, 5)
    pressing(page, "Tab", lambda: label_of_focus(page) == "What cafe placements.csv is")
    pressing(page, "Tab", lambda: focused(page) == "Go on")
    page.keyboard.press("Enter")
    expect(column(page, "Hrs")).to_contain_text("3.5")
    sound(page, 6)
    page.get_by_role("button", name="Save and check the table").click()
    expect(page.get_by_text("1 event would be sent")).to_be_visible()
    assert len(load_mapping(tmp_path / "orders.yaml").tables) == 2


def sound(page: Page, number: int) -> None:
    """Assert that the page fits, and has no fault: on a phone by every rule, and at a desk by those that can differ there, each of some
    pages in turn.
    """
    for size, wanted, some in ((PHONE, EVERY_RULE, 2), (DESK, WIDE, 1)):
        page.set_viewport_size(size)
        if number in turns(range(LOOKED_AT), TURN, some):
            assert_accessible(page, wanted)
        assert_fits(page)

"""The desk in a browser, over the real services: a manager's morning, a refusal mended, and nobody at another's desk."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from docx import Document
from icalendar import Calendar
from openpyxl import load_workbook
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import USUAL
from tests.support.checking.accessibility import WIDE, assert_accessible, assert_fits, on_paper
from tests.support.generated.thorough import TURN, turns
from tests.support.kafka import remove_topics
from tests.support.outside.keyboard import focused, label_of_focus, pressing
from tests.support.processes import Platform, until

pytestmark = pytest.mark.one_day(seconds=600)
"""What is due today, of orders that the first test sends, is asked to the last."""
FIFE, ORKNEY, SHETLAND = "S12000047", "S12000023", "S12000027"
PATHS = (
    *(
        "/",
        "/?when=overdue",
        "/hours",
        "/orders",
        "/orders/FIFE/1",
        "/counted/FIFE/1",
        "/wrong?rule=facts_without_order",
    ),
    *("/refusals", "/check", "/held", "/settings", "/returns", "/evidence/2025-26", "/orders/FIFE/none"),
)
"""Each template once, with the most that it can show; what a form leads to is looked at where it is filled in."""
FORMS_LEAD_TO = 7
"""How many pages tests of forms look at."""
PRINTED = [path for path in PATHS if path not in {"/check", "/settings"}]
"""All but those that are for entering something."""
IMPOSED: dict[str, Any] = {
    "court_type": "sheriff_summary",
    "person_ref": "p" * 16,
    "sex": "male",
    "age_at_imposition": 30,
    "ethnicity": "white",
    "employment": "unemployed",
    "fine_default": False,
    "outside_jurisdiction": False,
    "progress_review_ordered": False,
    "requirements": [{"kind": "unpaid_work", "hours": 120}, {"kind": "supervision", "months": 12}],
}


def event(number: int, name: str, subject: str, authority: str = FIFE, **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(number),
        "source": f"/authorities/{authority}",
        "type": f"scot.payback.{name}.v1",
        "subject": subject,
        "time": datetime.now(UTC).isoformat(),
        "data": data,
    }


def orders_by(today: date) -> list[dict[str, Any]]:
    """Return the events of Fife about its orders, on the day on which the services say that it is."""
    before = [str(today - timedelta(days=days)) for days in range(61)]
    return [
        event(1, "order.imposed", "FIFE/1", imposed_on=before[60], **IMPOSED) | {"caseload": "team-3"},
        event(2, "order.imposed", "FIFE/2", imposed_on=before[1], **IMPOSED),
        event(3, "contact.made", "FIFE/1", made_on=before[59]),
        event(4, "contact.made", "FIFE/3", made_on=before[9]),
        event(5, "contact.made", "FIFE/2", made_on="2026-13-01"),
    ]


def work_by(today: date) -> list[dict[str, Any]]:
    """Return the events of Fife about unpaid work."""
    session = {"ref": "s1", "attendance": "attended", "activity": "unpaid_work", "work_type": "gardening"}
    on = str(today - timedelta(days=20))
    return [event(6, "session.recorded", "FIFE/1", session_on=on, minutes_credited=360, **session)]


def unrecorded_by(today: date) -> list[dict[str, Any]]:
    """Return the events of Shetland, which records first contact, of one order and late, and nothing else."""
    told = IMPOSED | {"requirements": [{"kind": "unpaid_work", "hours": 120}]}
    day = today - timedelta(days=60)
    orders = [
        event(number, "order.imposed", f"SH/{number}", SHETLAND, imposed_on=str(day), **told) for number in range(1, 13)
    ]
    contact = event(13, "contact.made", "SH/1", SHETLAND, made_on=str(day + timedelta(days=14)))
    return [*orders, contact]


def today_at(desk: Platform) -> date:
    """Return the day on which the services say that it is."""
    return date.fromisoformat(desk.client("orders", FIFE).get("/v1/worklist").raise_for_status().json()["today"])


def imposed_on(desk: Platform, subject: str) -> date:
    answer = desk.client("orders", FIFE).get(f"/v1/orders/{subject}").raise_for_status()
    return date.fromisoformat(answer.json()["imposed_on"])


def lines(events: list[dict[str, Any]]) -> bytes:
    return "\n".join(map(json.dumps, events)).encode()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, kafka: str, migrated: Callable[[], str]) -> Iterator[Platform]:
    """Yield the record services and the desk, with a few orders of Fife."""
    remove_topics(kafka)
    platform = Platform(tmp_path_factory.mktemp("desk"), kafka, migrated(), forked=True)
    try:
        platform.prepare()
        for name in ("orders-api", "unpaid_work-api"):
            platform.tell(name, webhooks_key=Fernet.generate_key().decode())
        platform.start(
            "orders-api", "orders-worker", "unpaid_work-api", "unpaid_work-worker", "reporting-api", "desk-api"
        )
        today = today_at(platform)
        orders = orders_by(today)
        platform.post("orders", FIFE, lines(orders))
        platform.post("orders", SHETLAND, lines(unrecorded_by(today))).raise_for_status()
        platform.post("unpaid_work", FIFE, lines(work_by(today))).raise_for_status()
        held = platform.client("orders", FIFE)
        until(lambda: sum(held.get("/v1/held").json()["events"].values()) == len(orders), "orders are taken")
        work = platform.client("unpaid_work", FIFE)
        until(lambda: work.get("/v1/ledgers/FIFE/1").is_success, "unpaid work is taken")
        yield platform
    finally:
        platform.close()


def sign_in(page: Page, desk: Platform, role: str) -> None:
    page.goto(f"{desk.desk}/sign-in")
    page.get_by_label("Role").select_option(label=role)
    page.get_by_role("button", name="Sign in with this role").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


@pytest.fixture(scope="module")
def office(browser: Browser, desk: Platform) -> Iterator[Page]:
    """Yield a page on which Fife's manager has signed in."""
    with browser.new_context() as context:
        found = context.new_page()
        sign_in(found, desk, "Fife: manager")
        yield found


@pytest.fixture
def page(office: Page, desk: Platform) -> Page:
    """Return what Fife's manager sees first."""
    office.set_viewport_size(USUAL)
    office.emulate_media(media="screen")
    office.goto(f"{desk.desk}/")
    return office


@pytest.fixture
def stranger(browser: Browser) -> Iterator[Page]:
    """Yield a page of somebody who has not signed in."""
    with browser.new_context() as context:
        yield context.new_page()


def test_no_page_has_an_accessibility_fault_and_in_print_each_is_whole(page: Page, desk: Platform) -> None:
    """Some pages today and others tomorrow: on a phone by every rule, and with more room by those that can differ there. Each of them fits
    on both, and on paper.
    """
    narrow, wide = turns(PATHS, TURN, some=5), turns(PATHS, TURN, some=3)
    for path in dict.fromkeys((*narrow, *wide)):
        page.emulate_media(media="screen")
        page.set_viewport_size({"width": 390, "height": 900})
        page.goto(desk.desk + path)
        if path in narrow:
            assert_accessible(page)
        assert_fits(page)
        page.set_viewport_size({"width": 1280, "height": 900})
        if path in wide:
            assert_accessible(page, WIDE)
        assert_fits(page)
        if path in PRINTED:
            assert_prints(page, path)
    report = f"/reports/{today_at(desk).year - 1}-Q4"
    page.goto(desk.desk + report)
    assert_prints(page, report)


def assert_prints(page: Page, path: str) -> None:
    """Assert that the page is whole on paper, and holds only what can be read."""
    on_paper(page)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert_fits(page)
    left = page.locator(":is(button, input, select, textarea, nav):visible")
    assert left.evaluate_all("them => them.map(each => each.outerHTML)") == [], path


def look_at(page: Page, number: int) -> None:
    """Assert that a page to which a form leads has no accessibility fault: of such pages, some today and others tomorrow."""
    if number in turns(range(FORMS_LEAD_TO), TURN, some=2):
        assert_accessible(page)


def test_a_managers_morning_by_keyboard_and_without_scripts(browser: Browser, desk: Platform) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{desk.desk}/sign-in")
        roles = page.get_by_role("option").all_inner_texts()
        assert roles == sorted(roles)
        sign_in(page, desk, "Fife: manager")
        expect(page.get_by_role("heading", level=1)).to_have_text("Today")
        expect(page.locator(".ds_leader")).to_contain_text("overdue")
        overdue = page.get_by_role("table").filter(has_text="FIFE/1").first
        expect(overdue).to_contain_text("First placement")
        expect(overdue).to_contain_text("working days late")
        link = page.get_by_role("link", name="FIFE/1").first
        link.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("FIFE/1")
        expect(page.get_by_role("table", name="Working days leave out")).to_contain_text("First placement")
        expect(page.locator(".pb_sentences")).to_contain_text("6 of 120 hours are credited")
        acknowledging = page.get_by_role("link", name="Acknowledge first placement in the list")
        expect(acknowledging).to_have_attribute("href", "/?when=overdue&standard=placement")
        expect(page.locator(".pb_timeline")).to_contain_text("unpaid work")
        page.get_by_text("Facts as they were reported").click()
        reported = page.get_by_role("row").filter(has_text="Progress review ordered: no")
        expect(reported).to_contain_text("Requirements: unpaid work 120 hours; supervision 12 months")
        page.get_by_role("link", name="Wrong data", exact=True).click()
        page.get_by_role("table").get_by_role("link").first.click()
        expect(page.get_by_role("table").last).to_contain_text("FIFE/3")


@pytest.fixture
def phone(page: Page) -> Page:
    page.set_viewport_size({"width": 390, "height": 844})
    return page


def follow(page: Page, name: str) -> None:
    """Follow, by keyboard alone, the next link or button whose name begins so."""
    pressing(page, "Tab", lambda: focused(page).startswith(name))
    page.keyboard.press("Enter")


def test_a_refusal_is_mended_and_sent_again_on_a_phone_by_keyboard(phone: Page, desk: Platform) -> None:
    follow(phone, "Menu")
    follow(phone, "Refused events")
    expect(phone.get_by_role("row").filter(has_text="made on")).to_be_visible()
    follow(phone, phone.get_by_role("row").filter(has_text="made on").get_by_role("link").first.inner_text())
    written = phone.get_by_label("The event")
    broken = written.input_value()
    follow(phone, "Send it again")
    expect(phone.get_by_role("alert")).to_contain_text("would be refused")
    pressing(phone, "Tab", lambda: label_of_focus(phone) == "The event")
    phone.keyboard.press("Control+A")
    phone.keyboard.insert_text(broken.replace("2026-13-01", str(imposed_on(desk, "FIFE/2"))))
    follow(phone, "Check it")
    expect(phone.get_by_role("status")).to_contain_text("1 event can be sent")
    follow(phone, "Send it again")
    expect(phone.get_by_role("status")).to_contain_text("1 event sent and accepted")
    orders = desk.client("orders", FIFE)
    expect(phone.get_by_role("button", name="Send it again")).to_have_count(0)
    expect(phone.locator("main")).not_to_contain_text("How to correct it")
    look_at(phone, 0)
    until(lambda: "first_contact" in orders.get("/v1/orders/FIFE/2").text, "the mended event is taken")
    phone.goto(f"{desk.desk}/refusals?state=mended")
    row = phone.get_by_role("row").filter(has_text="made on").first
    expect(row).to_contain_text("FIFE/2")
    row.get_by_role("link").first.click()
    expect(phone.locator(".ds_leader")).to_contain_text("Corrected on")
    expect(phone.locator("main")).to_contain_text("2026-13-01")
    expect(phone.get_by_role("button", name="Send it again")).to_have_count(0)
    look_at(phone, 1)
    assert_fits(phone)


def test_a_return_and_a_governance_report_on_a_phone_by_keyboard(phone: Page) -> None:
    follow(phone, "Menu")
    follow(phone, "Returns")
    expect(phone.get_by_role("heading", level=1)).to_have_text("Returns and reports")
    with phone.expect_download() as download:
        follow(phone, "Excel")
    workbook = load_workbook(BytesIO(Path(download.value.path()).read_bytes()))
    assert len(workbook.sheetnames) > 3
    running = phone.get_by_role("table", name="Reports").get_by_role("row").filter(has_text="so far")
    for row in (running.first, running.last):
        row.get_by_role("link", name="Report of").click()
        expect(phone.get_by_role("heading", level=1)).to_contain_text("Fife")
        phone.go_back()
    follow(phone, "Report")
    expect(phone.get_by_role("heading", level=1)).to_contain_text("Fife")
    assert_fits(phone)
    with phone.expect_download() as download:
        follow(phone, "Word document")
    assert Document(str(download.value.path())).paragraphs


def test_the_list_of_the_day_is_the_same_as_a_file(page: Page, desk: Platform) -> None:
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    rows = Path(download.value.path()).read_text("utf-8-sig").splitlines()
    worklists = [desk.client(service, FIFE).get("/v1/worklist").json() for service in ("orders", "unpaid_work")]
    assert len(rows) - 1 == sum(len(worklist["items"]) for worklist in worklists)


def test_the_day_of_one_team(page: Page) -> None:
    page.get_by_label("Caseload").select_option("team-3")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_label("Caseload")).to_have_value("team-3")
    expect(page.get_by_role("table").first).to_contain_text("FIFE/1")
    expect(page.locator("main")).not_to_contain_text("FIFE/2")


def test_what_is_never_recorded_is_told_in_a_line_and_drowns_nothing(stranger: Page, desk: Platform) -> None:
    counts = desk.client("unpaid_work", SHETLAND)
    until(lambda: len(counts.get("/v1/duties").json()["never_recorded"]) == 2, "unpaid work knows the orders")
    sign_in(stranger, desk, "Shetland Islands: manager")
    expect(stranger.locator(".ds_leader")).to_contain_text("35 duties are overdue")
    for noun in ("induction to unpaid work", "first placement"):
        line = stranger.get_by_text(f"No {noun} was ever recorded by this authority: 12 orders, 12 duties overdue.")
        expect(line).to_have_count(1)
    overdue = stranger.get_by_role("table")
    expect(overdue).to_contain_text("First contact")
    expect(overdue).to_contain_text("11 duties, the first 10 are shown")
    expect(overdue).not_to_contain_text("First placement")
    look_at(stranger, 2)
    with stranger.expect_download() as download:
        stranger.get_by_role("link", name="CSV").click()
    assert Path(download.value.path()).read_text("utf-8-sig").count("First placement") == 12
    stranger.get_by_text("No first placement").get_by_role("link", name="Show them").click()
    expect(stranger.get_by_role("table").get_by_role("row").filter(has_text="First placement")).to_have_count(12)


def test_a_miss_is_acknowledged_and_put_back(page: Page, desk: Platform) -> None:
    page.get_by_role("link", name="Overdue").click()
    page.get_by_label("First placement of FIFE/1").check()
    page.get_by_label("need nothing more").select_option(label="The order is back at court")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("status")).to_contain_text("1 acknowledged")
    expect(page.get_by_label("First placement of FIFE/1")).to_have_count(0)
    page.goto(f"{desk.desk}/?when=acknowledged")
    expect(page.get_by_role("table")).to_contain_text("The order is back at court")
    page.get_by_label("First placement of FIFE/1").check()
    page.get_by_role("button", name="Put the ticked duties back").click()
    page.goto(f"{desk.desk}/?when=overdue")
    expect(page.get_by_label("First placement of FIFE/1")).to_have_count(1)


def test_a_closed_day_set_on_a_page_reaches_the_figures_without_a_restart(page: Page, desk: Platform) -> None:
    orders, nation = desk.client("orders", FIFE), desk.client("orders", FIFE)
    due = next(c for c in orders.get("/v1/orders/FIFE/2").json()["clocks"] if c["standard"] == "case_meeting")["due_on"]
    page.get_by_role("link", name="Our settings").click()
    page.get_by_label("Day", exact=True).fill(due)
    page.get_by_label("Name", exact=True).fill("Flood")
    page.get_by_role("button", name="Set closed day").click()
    expect(page.get_by_role("table", name="Closed days")).to_contain_text("Flood")
    page.goto(f"{desk.desk}/orders/FIFE/2")
    expect(page.get_by_role("table", name="Working days leave out")).to_contain_text("(our own offices closed)")
    until(lambda: nation.get("/v1/standards").json()["recounts"], "the worker has counted again")
    page.goto(f"{desk.desk}/settings")
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_role("table", name="The latest first")).to_contain_text("taken back")


def test_the_list_of_orders_knows_the_standards_of_unpaid_work(page: Page, desk: Platform) -> None:
    page.goto(f"{desk.desk}/orders")
    orders = page.get_by_role("table", name="The latest imposed first").get_by_role("row")
    expect(orders.filter(has_text="FIFE/1")).to_contain_text("placement")
    expect(orders.filter(has_text="FIFE/2")).not_to_contain_text("placement")
    page.get_by_label("Standard not met").select_option(label="First placement")
    page.get_by_label("Caseload").select_option(label="team-3")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(orders.filter(has_text="FIFE/1")).to_contain_text("plan")
    expect(orders).to_have_count(2)
    file = httpx.get(
        f"{desk.desk}/orders.csv?missed=placement", cookies={c["name"]: c["value"] for c in page.context.cookies()}
    )
    assert "FIFE/1" in file.text
    assert "placement" in file.text


def read_calendar(address: str) -> str:
    """Return what a calendar program makes of it, which sends no token and no cookie: the descriptions of all days."""
    answer = httpx.get(address)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/calendar")
    return "\n".join(str(day["description"]) for day in Calendar.from_ical(answer.content).walk("VEVENT"))


def test_a_calendar_names_orders_once_a_manager_has_allowed_it_and_no_longer(page: Page, desk: Platform) -> None:

    def open_calendar(whose: str) -> str:
        page.get_by_label("For whose calendar").fill(whose)
        page.get_by_role("button", name="Open calendar address").click()
        look_at(page, 3)
        address = page.locator(".pb_hash").inner_text()
        page.get_by_role("link", name="Back to our settings").click()
        return address

    page.goto(f"{desk.desk}/settings")
    expect(page.get_by_label("It shows", exact=True)).to_have_count(0)
    counts = open_calendar("Everybody")
    assert "Case management plan: 1" in read_calendar(counts)
    page.get_by_label("Decided by, and when").last.fill("Data protection lead, today")
    page.get_by_role("button", name="Allow order references").click()
    page.get_by_label("It shows", exact=True).select_option(label="counts and order references")
    names = open_calendar("Team 3")
    assert "Case management plan: 1 (FIFE/2)" in read_calendar(names)
    assert "FIFE" not in read_calendar(counts)
    table = page.get_by_role("table", name="Calendar addresses that are open")
    expect(table.get_by_role("row").filter(has_text="Team 3")).to_contain_text("counts and order references")
    look_at(page, 4)
    kept = desk.client("orders", FIFE).get("/v1/audit", params={"reference": "FIFE/2"}).json()["entries"]
    assert {"role": "secret address", "what": "GET /v1/feed"}.items() <= kept[0].items()
    page.get_by_role("button", name="Take back order references in calendars").click()
    expect(table.get_by_role("row").filter(has_text="Team 3")).to_contain_text("since references were taken back")
    assert "FIFE" not in read_calendar(names)
    for whose in ("Everybody", "Team 3"):
        page.get_by_role("button", name=f"Take back calendar of {whose}").click()
    assert httpx.get(names).status_code == 404


def test_a_receiver_of_webhooks_is_added_changed_and_taken_away(page: Page, desk: Platform) -> None:
    page.get_by_role("link", name="Our settings").click()
    page.get_by_role("link", name="Webhooks").click()
    page.get_by_label("Whose program").fill("Acme case")
    page.get_by_label("Its address").fill("https://case.example.scot/payback")
    page.get_by_role("button", name="Add receiver").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Secret of a receiver")
    secrets = page.locator(".pb_hash").all_inner_texts()
    assert [one.partition("_")[0] for one in secrets] == ["whsec", "whsec"]
    held = [desk.client(s, FIFE).get("/v1/webhooks").json()["webhooks"] for s in ("orders", "unpaid_work")]
    assert [[one["name"] for one in each] for each in held] == [["Acme case"], ["Acme case"]]
    look_at(page, 5)
    page.get_by_role("link", name="Back to webhooks").click()
    expect(page.get_by_role("table", name="Receivers of orders")).to_contain_text("not yet")
    assert not any(secret in page.content() for secret in secrets)
    look_at(page, 6)
    page.get_by_role("button", name="New secret (Acme case, orders)").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Secret of a receiver")
    assert page.locator(".pb_hash").inner_text() not in secrets
    page.get_by_role("link", name="Back to webhooks").click()
    expect(page.get_by_role("table", name="Receivers of orders")).to_contain_text("Signed with two secrets")
    for service in ("orders", "unpaid work"):
        page.get_by_role("button", name=f"Take away (Acme case, {service})").click()
    expect(page.get_by_text("There are none.")).to_have_count(2)


def test_a_figure_leads_to_its_orders_and_a_report_can_be_edited(page: Page, desk: Platform) -> None:
    month = imposed_on(desk, "FIFE/1").strftime("%Y-%m")
    page.goto(f"{desk.desk}/held?month={month}")
    page.get_by_role("link", name="Orders imposed").click()
    expect(page.get_by_role("table").first).to_contain_text("FIFE/1")
    page.get_by_role("link", name="FIFE/1").click()
    page.get_by_role("link", name="What the nation counts").click()
    expect(page.get_by_role("table")).to_contain_text("Orders imposed")
    page.get_by_role("link", name="Returns").click()
    for link in ("Word document", "Excel"):
        with page.expect_download() as download:
            page.get_by_role("link", name=link).first.click()
        assert Path(download.value.path()).read_bytes()[:2] == b"PK"
    page.get_by_role("table", name="Evidence").get_by_role("link", name="Evidence of").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Evidence for self-evaluation: Fife")
    expect(page.get_by_role("table", name="First contact within 1 working day by quarter")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Word document").click()
    headings = [
        p.text for p in Document(str(download.value.path())).paragraphs if p.style and p.style.name == "Heading 1"
    ]
    assert headings == page.get_by_role("heading", level=2).all_inner_texts()


def test_nobody_sits_at_anothers_desk(stranger: Page, desk: Platform) -> None:
    assert httpx.get(f"{desk.desk}/", follow_redirects=False).headers["location"] == "/sign-in"
    sign_in(stranger, desk, "National statistics")
    expect(stranger.get_by_role("heading", level=1)).to_contain_text("for people of an authority")
    stranger.context.clear_cookies()
    sign_in(stranger, desk, "Orkney Islands: manager")
    expect(stranger.locator(".ds_leader")).to_contain_text("Nothing is overdue")
    answer = stranger.goto(f"{desk.desk}/orders/FIFE/1")
    assert answer is not None
    assert answer.status == httpx.codes.NOT_FOUND
    refused = stranger.goto(f"{desk.desk}/refusals/orders/4")
    assert refused is not None
    assert refused.status == httpx.codes.NOT_FOUND


@pytest.mark.parametrize("path", ["/sign-in", "/refusals/orders/4", "/check"])
def test_a_form_of_another_site_does_nothing(desk: Platform, path: str) -> None:
    with httpx.Client(base_url=desk.desk) as client:
        signed = client.post("/sign-in", data={"role": "Fife: manager"})
        assert signed.status_code == httpx.codes.SEE_OTHER
        for foreign in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
            sent = client.post(path, data={"act": "send", "event": "{}", "role": "Fife: manager"}, headers=foreign)
            assert sent.status_code == httpx.codes.FORBIDDEN


def test_what_is_away_is_said_and_comes_back(page: Page, desk: Platform) -> None:
    desk.kill("unpaid_work-api")
    try:
        answer = page.goto(f"{desk.desk}/")
        assert answer is not None
        assert answer.status == httpx.codes.SERVICE_UNAVAILABLE
        expect(page.get_by_role("heading", level=1)).to_contain_text("unavailable")
    finally:
        desk.start("unpaid_work-api")
    page.goto(f"{desk.desk}/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Today")


def test_days_and_dates_are_those_of_the_services(desk: Platform) -> None:
    """The desk asks no clock of its own."""
    assert abs(today_at(desk) - datetime.now(UTC).date()) <= timedelta(days=1)


def test_refused_events_are_all_reached_page_by_page_and_kind_by_kind(stranger: Page, desk: Platform) -> None:
    bad = [event(1000 + n, "contact.made", "ORK/1", ORKNEY, made_on="2026-13-01") for n in range(60)]
    bad.append(event(1060, "contact.made", "ORK/1", ORKNEY, made="2026-01-01"))
    desk.post("orders", ORKNEY, lines(bad))
    orders = desk.client("orders", ORKNEY)
    until(lambda: sum(orders.get("/v1/held").json()["rejected"].values()) == len(bad), "they are refused")
    sign_in(stranger, desk, "Orkney Islands: manager")
    stranger.goto(f"{desk.desk}/refusals")
    rows = stranger.get_by_role("table").get_by_role("rowheader").get_by_role("link")
    seen = rows.all_inner_texts()
    stranger.get_by_role("link", name="Older ones").click()
    expect(rows).to_have_count(len(bad) - len(seen))
    seen += rows.all_inner_texts()
    assert sorted(seen) == sorted(one["id"] for one in bad)
    expect(stranger.get_by_role("link", name="Older ones")).to_have_count(0)
    stranger.get_by_label("Kind").select_option("bad date")
    stranger.get_by_role("button", name="Show").click()
    expect(rows).to_have_count(50)
    expect(stranger.get_by_role("table")).not_to_contain_text("1060")

"""People who come with a question, and leave with its answer: by mouse, by keyboard alone, without scripts, on a phone, in the dark."""

import csv
import io
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from contracts.authorities import AUTHORITIES
from tests.e2e.conftest import HEARD, NOTICE, USUAL, Site, as_new
from tests.support.checking.accessibility import EVERY_RULE, PAPER, assert_accessible, assert_fits, on_paper, rules
from tests.support.generated.thorough import TURN, turns
from tests.support.outside.keyboard import focused, pressing, type_into

pytestmark = [pytest.mark.browser, pytest.mark.long]

RELEASE = "2026-03.2"
LEADER = AUTHORITIES[HEARD[1]]
SMALLEST_LETTERS = 12
PATIENCE_MS = 120_000
"""The first who asks for a file waits until all of its release are made."""
COLOURS = rules("color-contrast", "link-in-text-block")
"""All that can differ in the dark."""


class Screen(NamedTuple):
    """How somebody looks."""

    width: int
    dark: bool


SCREENS = (Screen(1280, dark=False), Screen(390, dark=False), Screen(1280, dark=True), Screen(390, dark=True))

TOLD_ON = (SCREENS[0], SCREENS[-1])
"""Both widths, and the light and the dark, in which only colours are others (tests/unit/chassis/test_dark.py): one of the two in turn."""


@pytest.fixture(
    scope="module", params=turns(TOLD_ON, TURN), ids=lambda each: f"{each.width}-{'dark' if each.dark else 'light'}"
)
def _screen(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    screen: Screen = request.param
    size = {"width": screen.width, "height": 844}
    scheme = "dark" if screen.dark else "light"
    with browser.new_context(java_script_enabled=False, viewport=size, color_scheme=scheme) as context:  # type: ignore[arg-type]
        yield context.new_page()


@pytest.fixture
def reader(_screen: Page) -> Page:
    """Return a page in a browser without scripts."""
    return as_new(_screen, _screen.viewport_size or USUAL)


def test_an_inspector_finds_who_is_worst_whether_it_is_noise_and_since_when(reader: Page, site: Site) -> None:
    reader.goto(site.url)
    menu = reader.get_by_text("Menu", exact=True)
    if menu.is_visible():  # on a phone
        menu.click()
    reader.get_by_role("link", name="Compare", exact=True).click()
    reader.get_by_label("Indicator").select_option(label="First placement within 7 working days")
    reader.get_by_label("Period").select_option(label="April 2025 to March 2026")
    reader.get_by_role("button", name="Compare").click()
    reader.get_by_role("link", name="Percent").click()
    table = reader.get_by_role("region", name="Table")
    shares = [float(text.rstrip("%")) for text in table.locator("tbody td:nth-of-type(1)").all_inner_texts()]
    assert shares == sorted(shares)
    worst = table.locator("tbody tr").first
    assert re.search(r"Within the limits|outside \d+", worst.inner_text())
    name = worst.get_by_role("link").inner_text()
    since = reader.locator(".pb_multiples li").filter(has_text=name)
    assert re.search(r"[Ll]imits|Not compared", since.inner_text())
    with reader.expect_download() as download:
        reader.get_by_role("link", name="CSV").first.click()
    assert download.value.suggested_filename == f"payback-placement_within_7-scotland-by-authority-{RELEASE}.csv"


def test_the_period_survives_a_change_of_indicator(reader: Page, site: Site) -> None:
    reader.goto(f"{site.url}/compare/placement_within_7?period=month-2026-02")
    reader.get_by_label("Indicator").select_option(label="Orders completed")
    reader.get_by_role("button", name="Compare").click()
    assert reader.get_by_label("Period").input_value() == "month-2026-02"
    assert reader.get_by_role("heading", level=1).inner_text() == "Orders completed"


def test_the_leader_of_an_authority_sees_each_standard_and_what_moved(reader: Page, site: Site) -> None:
    reader.goto(site.url)
    reader.get_by_role("list", name="Authorities from north to south").get_by_role("link", name=LEADER.name).click()
    assert reader.get_by_role("heading", level=1).inner_text() == LEADER.name
    summary = reader.locator(".pb_summary").inner_text()
    assert re.search(rf"Of the \d+ standards on which {LEADER.name} can be compared", summary)
    standards = reader.get_by_role("region", name="National standards")
    assert standards.locator("tbody tr").count() == 10
    first_contact = standards.locator("tbody tr").filter(has_text="First contact").inner_text()
    assert re.search(r"\d+\.\d%", first_contact)
    assert re.search(r"than Scotland|from Scotland|Not compared", first_contact)
    reader.get_by_text("Similar areas:").click()
    reader.get_by_label("Fife").check()
    reader.get_by_role("button", name="Use these").click()
    assert "Fife" in reader.locator("summary").filter(has_text="Similar areas").inner_text()


def test_a_journalist_quotes_and_cites_what_is_new(reader: Page, site: Site) -> None:
    reader.goto(f"{site.url}/releases")
    reader.get_by_role("rowheader", name=RELEASE).get_by_role("link").click()
    assert NOTICE in reader.locator("main").inner_text()
    said = reader.locator(".pb_summary").inner_text()
    assert re.search(r"Courts imposed [\d,]+ community payback orders from April 2025 to March 2026", said)
    assert re.search(r"95% interval \d+\.\d% to \d+\.\d%", said)
    assert reader.get_by_text("Figures up to April 2026, on Thursday 11 June 2026 at 9:30").is_visible()
    cited = reader.locator(".pb_cite").first.inner_text()
    assert f"release {RELEASE}" in cited
    assert f"{site.url}/releases/{RELEASE}" in cited
    reader.get_by_text("BibTeX", exact=True).click()
    assert reader.locator("pre.pb_cite").inner_text().startswith("@misc{payback")
    reader.get_by_role("link", name="Read this release").click()
    assert reader.get_by_role("region", name="Release").get_by_text("never change").is_visible()


def test_a_member_of_the_public_learns_what_it_is_and_looks_at_home(reader: Page, site: Site) -> None:
    reader.goto(site.url)
    reader.get_by_role("link", name="What it is").click()
    assert "instead of a prison sentence" in reader.locator("#order + p").inner_text()
    assert reader.get_by_role("heading", name="Is it working?").is_visible()
    reader.get_by_role("searchbox", name="Search").fill("dumfries")
    reader.get_by_role("button", name="Search").click()
    reader.get_by_role("main").get_by_role("link", name="Dumfries and Galloway").first.click()
    assert reader.get_by_role("heading", level=1).inner_text() == "Dumfries and Galloway"


def test_an_analyst_finds_an_indicator_and_takes_its_series(reader: Page, site: Site) -> None:
    reader.goto(f"{site.url}/indicators")
    reader.get_by_label("Word in an indicator").fill("first placement")
    reader.get_by_role("button", name="Show").click()
    rows = reader.locator("main tbody tr")
    assert rows.count() == 2, "the share of all that fell due, and of those that happened"
    assert re.search(r"\d+\.\d%", rows.first.inner_text())
    address = f"{site.url}/releases/{RELEASE}/files/data/placement_within_7.csv"
    series = list(csv.DictReader(io.StringIO(reader.request.get(address, timeout=PATIENCE_MS).text())))
    months = [row for row in series if (row["area"], row["period_type"], row["breakdown"]) == ("Scotland", "month", "")]
    assert len(months) == 12
    assert {row["unit"] for row in months} == {"percent"}


def test_letters_in_charts_are_large_enough_to_read(browser: Browser, site: Site) -> None:
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        for path in ("/indicators/placement_within_7?period=year-2025-26", "/compare/placement_within_7"):
            page.goto(site.url + path)
            heights: list[float] = page.evaluate(
                """() => [...document.querySelectorAll('svg text')].filter(e => e.getClientRects().length)
                .map(e => parseFloat(getComputedStyle(e).fontSize) * e.getScreenCTM().a)"""
            )
            assert heights, path
            assert min(heights) >= SMALLEST_LETTERS, path
            navigation: float = page.evaluate("document.querySelector('.pb_navigation').offsetHeight")
            assert navigation < 70, "in one row"


@pytest.mark.parametrize(
    "screen",
    [SCREENS[1], *turns(SCREENS[2:], TURN)],
    ids=lambda each: f"{each.width}-{'dark' if each.dark else 'light'}",
)
def test_nobody_is_kept_out_on_any_screen(browser: Browser, site: Site, screen: Screen) -> None:
    """Of pages that are looked at on a wide screen, and on a small one, by the tests of the pages: some in turn."""
    paths = (
        "/",
        "/indicators",
        "/compare/placement_within_7",
        f"/authorities/{HEARD[0]}",
        f"/releases/{RELEASE}",
        "/data",
    )
    size = {"width": screen.width, "height": 844}
    with browser.new_context(viewport=size, color_scheme="dark" if screen.dark else "light") as context:  # type: ignore[arg-type]
        page = context.new_page()
        for path in turns(paths, TURN // 2, some=2):
            page.goto(site.url + path)
            assert_accessible(page, COLOURS if screen.dark else EVERY_RULE)
            assert_fits(page)


def test_the_keyboard_alone_leads_from_the_map_to_a_dot_of_the_funnel(page: Page, site: Site) -> None:
    page.goto(site.url)
    page.keyboard.press("Tab")
    assert "Skip to main content" in focused(page)
    page.keyboard.press("Enter")
    pressing(page, "Tab", lambda: LEADER.name in focused(page))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(LEADER.name)
    verdict = re.compile(r"(Better|Worse|No different|Not compared).*: First contact within 1 working day", re.DOTALL)
    pressing(page, "Tab", lambda: verdict.match(focused(page)) is not None)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("First contact within 1 working day")
    pressing(page, "Tab", lambda: focused(page).startswith(f"{LEADER.name}: "))
    assert re.fullmatch(rf"{LEADER.name}: \d+\.\d% of [\d,]+", focused(page))
    shown = page.locator(".pb_wide .pb_dot-link:focus .pb_hover")
    assert shown.text_content() == LEADER.name
    page.keyboard.press("Enter")
    assert page.url.endswith(f"#{HEARD[1]}")


def test_the_keyboard_alone_finds_who_is_worst_and_takes_the_figures(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/compare")
    type_into(page, "Indicator", "First placement within 7")
    type_into(page, "Period", "April 2025 to")
    pressing(page, "Tab", lambda: focused(page) == "Compare")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("First placement within 7 working days")
    assert page.get_by_label("Period").input_value() == "year-2025-26"
    pressing(page, "Tab", lambda: focused(page).startswith("Percent"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("columnheader", name="Percent")).to_have_attribute("aria-sort", "ascending")
    pressing(page, "Tab", lambda: focused(page).startswith("CSV"))
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename.startswith("payback-placement_within_7")


def test_the_keyboard_alone_finds_an_area_and_cites_a_release(page: Page, site: Site) -> None:
    page.goto(site.url)
    type_into(page, "Search", "clackmannan")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?*")
    pressing(page, "Tab", lambda: focused(page) == AUTHORITIES[HEARD[0]].name)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(AUTHORITIES[HEARD[0]].name)
    page.goto(f"{site.url}/releases")
    pressing(page, "Tab", lambda: focused(page) == RELEASE)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/releases/{RELEASE}")
    pressing(page, "Tab", lambda: focused(page) == "BibTeX")
    page.keyboard.press("Enter")
    expect(page.locator("pre.pb_cite")).to_be_visible()


def test_in_print_nothing_is_closed(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/authorities/{HEARD[0]}")
    page.emulate_media(media="print")
    assert page.get_by_text("Orders imposed", exact=True).first.is_visible()
    assert not page.get_by_role("navigation", name="Main").is_visible()


@pytest.fixture
def fresh(browser: Browser) -> Iterator[Page]:
    """Yield a page in a browser that has nothing of the site, no font either."""
    with browser.new_context() as context:
        yield context.new_page()


PRINTED = ("/", f"/authorities/{HEARD[0]}", "/compare/placement_within_7", f"/releases/{RELEASE}")


def widest(page: Page) -> float:
    """Return how far to the right anything of the page reaches, in pixels."""
    found: float = page.evaluate(
        "Math.max(...[...document.querySelectorAll('main td, main th, main p, main svg')]"
        ".map(each => each.getBoundingClientRect().right))"
    )
    return found


@pytest.mark.parametrize("path", turns(PRINTED, TURN, some=2))
def test_in_print_nothing_is_cut_and_nothing_is_there_to_press(fresh: Page, site: Site, path: str) -> None:
    """With our font, and before where that does not come."""
    fresh.route("**/*.woff2", lambda route: route.abort())
    fresh.goto(site.url + path)
    on_paper(fresh)
    assert widest(fresh) <= PAPER
    fresh.unroute("**/*.woff2")
    fresh.goto(site.url + path)
    on_paper(fresh)
    assert widest(fresh) <= PAPER
    assert fresh.locator(":is(main form, main button, .pb_files):visible").count() == 0

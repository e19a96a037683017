"""The pages in a browser, without scripts: what they say, to whom, and whether everybody can use them."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Page, Request, ViewportSize

from tests.e2e.conftest import HEARD, MISSING, NOTICE, USUAL, Site, sign_in
from tests.support.checking.accessibility import assert_accessible, assert_fits
from tests.support.generated.thorough import TURN, turns
from tests.unit.test_routes import APPLICATIONS, routes_of

pytestmark = [pytest.mark.browser, pytest.mark.long]

AS_PUBLISHED = (
    "/releases/2026-03.1/overview",
    "/releases/2026-03.1/indicators",
    "/releases/2026-03.1/indicators/first_contact_within_1?area=S12000005",
    "/releases/2026-03.1/compare/placement_within_7?period=year-2025-26",
    "/releases/2026-03.1/authorities",
    "/releases/2026-03.1/authorities/S12000005",
    "/releases/2026-03.1/quality",
)
"""Pages of a release: templates that the newest release has too, so some of them are looked at in turn."""
OF_NOW = (
    "/",
    "/indicators",
    "/indicators/orders_imposed",
    "/indicators/placement_within_7",
    "/compare/first_contact_within_1",
    "/authorities",
    "/authorities/S12000005",
    "/quality",
    "/releases",
    "/releases/2026-03.1",
    "/releases/2026-03.2",
    "/indicators/completion_rate?definition=3",
    "/indicators/overdue_placement",
    "/about",
    "/data",
    "/docs",
    "/search?q=placement",
    "/search?q=nothing+has+this+name",
    "/sign-in",
    "/nowhere",
)
PATHS = (*OF_NOW, *turns(AS_PUBLISHED, TURN))
BY_AXE = {*turns(OF_NOW, TURN, some=7), *turns(AS_PUBLISHED, TURN)}
"""Pages that axe looks at today; of all it is asked every day whether they fit, and what they load."""
SAME_FOR_ALL = {
    *("/about", "/data", "/docs", "/search?q=placement", "/search?q=nothing+has+this+name", "/sign-in", "/nowhere"),
    *("/indicators", "/authorities"),
}
"""What shows nobody more than others, but for the name of who signed in."""
NO_PAGE = {"/compare", "/releases/{release}/compare", "/sign-in/begin", "/sign-in/done", "/sessions"}
"""Routes that lead to a page, or have one only where a provider signs people in."""
SEEN = [
    *(("public", path) for path in PATHS),
    *(
        ("national", path)
        for path in turns([path for path in (*OF_NOW, *AS_PUBLISHED) if path not in SAME_FOR_ALL], TURN, some=3)
    ),
]
"""Whoever signed in sees the same templates with more in them, so some of them are looked at in turn."""
NARROW = ViewportSize(width=320, height=640)


@pytest.fixture(scope="module")
def looking(browser: Browser, site: Site) -> Iterator[Callable[[str], Page]]:
    """Yield what returns the one page of somebody: in a new browser's process, axe would be compiled anew for each address."""
    with ExitStack() as contexts:

        @cache
        def of(who: str) -> Page:
            page = contexts.enter_context(browser.new_context()).new_page()
            if who != "public":
                sign_in(page, site, who)
            return page

        yield of


@pytest.mark.parametrize(("who", "path"), SEEN)
def test_pages_have_no_accessibility_faults_fit_a_small_screen_and_load_nothing_from_elsewhere(
    looking: Callable[[str], Page], site: Site, who: str, path: str
) -> None:
    page, asked = looking(who), list[str]()

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    page.goto(site.url + path)
    assert page.get_by_role("button", name="Sign out").count() == (who != "public")
    if path in BY_AXE or who != "public":
        # With scripts of its own, axe needs no leave from the page's policy.
        assert_accessible(page)
    page.set_viewport_size(NARROW)
    assert_fits(page)
    page.set_viewport_size(USUAL)
    page.remove_listener("request", note)
    assert asked
    assert all(url.startswith(site.url) for url in asked)


def test_every_page_is_looked_at() -> None:
    """Whatever is added to the site is looked at by the tests of this file, whose list of addresses is written by hand."""
    routes = [route for route in routes_of(APPLICATIONS["reporting"]) if "GET" in (route.methods or ())]
    pages = [route for route in routes if is_page(route.path)]
    assert len(pages) > 15
    paths = [path.partition("?")[0] for path in (*OF_NOW, *AS_PUBLISHED)]
    missed = {route.path for route in pages if not any(route.path_regex.match(path) for path in paths)}
    assert missed == NO_PAGE


def is_page(path: str) -> bool:
    """Return whether people read it, and not programs or a page as its picture, style or file."""
    return (
        not path.startswith(("/v1/", "/static/", "/healthz", "/readyz", "/openapi"))
        and "." not in path
        and "/files/" not in path
    )


def test_a_phone_has_all_of_the_navigation_in_a_menu_without_scripts(plain: Page, site: Site) -> None:
    plain.set_viewport_size({"width": 390, "height": 844})
    plain.goto(site.url)
    navigation = plain.get_by_role("navigation", name="Main")
    assert navigation.evaluate("it => it.scrollWidth") <= 390
    assert navigation.get_by_role("link").count() == 0
    navigation.get_by_text("Menu").click()
    assert navigation.get_by_role("link").count() == 7
    assert navigation.evaluate("it => it.scrollWidth") <= 390
    navigation.get_by_role("link", name="Releases").click()
    assert "Thursday 11 June 2026 at 9:30" in plain.get_by_role("table", name="Releases to come").inner_text()


def test_a_phone_shows_how_each_authority_compares_without_scrolling_aside(plain: Page, site: Site) -> None:
    plain.set_viewport_size({"width": 390, "height": 844})
    plain.goto(f"{site.url}/compare/placement_within_7")
    box = plain.locator(".pb_verdict").first.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 390


STACKED = """() => [...document.querySelectorAll('.pb_stack td[data-label]')].map(cell => {
    const inside = document.createRange();
    inside.selectNodeContents(cell);
    const lefts = [...inside.getClientRects()].filter(each => each.width).map(each => each.left);
    return [cell.innerText, cell.getBoundingClientRect().left, Math.min(...lefts)];
}).filter(([, , left]) => left < Infinity)"""
LABEL = 150
"""Pixels that the heading of a line takes on a phone."""


@pytest.mark.parametrize(
    "path", turns(["/", "/indicators", "/authorities/S12000005", "/quality", "/releases", "/docs"], TURN, some=3)
)
def test_a_phone_shows_all_that_stands_in_a_line_beside_its_heading(fresh: Page, site: Site, path: str) -> None:
    """With our letters, and with the wider ones that a phone shows until ours are there."""
    fresh.set_viewport_size({"width": 390, "height": 844})
    fresh.route("**/*.woff2", lambda route: route.abort())
    for _ in ("their own letters", "ours"):
        fresh.goto(site.url + path)
        fresh.evaluate("document.fonts.ready.then(() => true)")
        cells = fresh.evaluate(STACKED)
        assert len(cells) > 1
        assert [text for text, cell, left in cells if left < cell + LABEL] == []
        fresh.unroute("**/*.woff2")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("area", ["S92000003", "S12000005"])
def test_no_label_of_a_chart_lies_over_another(plain: Page, site: Site, width: int, area: str) -> None:
    """Of Scotland by month, and of an authority by quarter, whose labels are longer."""
    plain.set_viewport_size({"width": width, "height": 844})
    plain.goto(f"{site.url}/indicators/orders_imposed?area={area}")
    chart = plain.locator("svg.pb_chart >> visible=true").first
    boxes = chart.locator(".pb_axis[text-anchor=middle]").evaluate_all(
        "them => them.map(each => each.getBoundingClientRect()).map(box => [box.left, box.right])"
    )
    assert len(boxes) > 1
    assert all(right < left for (_, right), (left, _) in pairwise(boxes))


def test_buttons_can_be_read_in_the_dark(fresh: Page, site: Site) -> None:
    """Of links that look like buttons, the colour must not be that of links."""
    page = fresh
    page.emulate_media(color_scheme="dark")
    page.goto(f"{site.url}/releases/2026-03.2")
    colours = "it => [getComputedStyle(it).color, getComputedStyle(it).backgroundColor]"
    for button in page.locator("a.ds_button").all():
        text, behind = button.evaluate(colours)
        assert text != behind


def test_the_public_reads_a_release(plain: Page, site: Site) -> None:
    plain.goto(site.url)
    assert "release 2026-03.2" in plain.get_by_text("Known on").locator("xpath=../..").inner_text()
    assert "April 2025 to March 2026" in plain.locator("main").inner_text()
    assert plain.get_by_text("Every figure here is made up").is_visible()
    assert plain.get_by_role("link", name="Sign in").is_visible()


def test_who_sent_nothing_is_said_to_have_sent_nothing(plain: Page, site: Site) -> None:
    plain.goto(f"{site.url}/authorities")
    row = plain.get_by_role("row").filter(has_text=MISSING)
    assert "[x]" in row.inner_text()
    assert "0" not in row.inner_text()


def test_small_numbers_are_for_those_who_may_see_them(plain: Page, site: Site) -> None:
    path = f"{site.url}/authorities/{HEARD[5]}?period=month-2026-03"
    plain.goto(path)
    public = plain.locator("main").inner_text()
    sign_in(plain, site, "national")
    plain.goto(path)
    whole = plain.locator("main").inner_text()
    assert public.count("[c]") > whole.count("[c]")


def test_signing_in_and_out(plain: Page, site: Site) -> None:
    sign_in(plain, site, "authority")
    assert plain.get_by_text("Clackmannanshire").first.is_visible()
    (cookie,) = plain.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    plain.get_by_role("button", name="Sign out").click()
    assert plain.context.cookies() == []
    assert plain.get_by_role("link", name="Sign in").is_visible()


def test_a_token_that_proves_nothing_is_refused(plain: Page, site: Site) -> None:
    plain.goto(f"{site.url}/sign-in")
    plain.get_by_label("Token").fill("nonsense")
    plain.get_by_role("button", name="Sign in").click()
    assert plain.get_by_role("alert").is_visible()
    assert plain.context.cookies() == []


def test_a_period_is_chosen_without_scripts(plain: Page, site: Site) -> None:
    plain.goto(f"{site.url}/indicators/orders_imposed")
    plain.get_by_label("Period").select_option(label="March 2026")
    plain.get_by_label("Area", exact=True).select_option(label="Scotland")
    plain.get_by_role("button", name="Show").click()
    assert "march 2026" in plain.locator(".pb_figure").inner_text().lower()


def test_every_chart_has_a_table_with_the_same_figures(plain: Page, site: Site) -> None:
    plain.goto(f"{site.url}/indicators/placement_within_7")
    charts = plain.locator(".pb_wide svg.pb_chart").count()
    tables = plain.locator("main table").count()
    assert charts >= 3
    assert tables >= charts


def test_a_release_tells_what_moved_and_why(plain: Page, site: Site) -> None:
    plain.request.get(f"{site.url}/v1/releases/2026-03.2/files", timeout=300_000)  # made for the first who asks
    plain.goto(f"{site.url}/releases")
    plain.get_by_role("rowheader", name="2026-03.2").get_by_role("link").click()
    assert NOTICE in plain.locator("main").inner_text()
    plain.locator("#changes-table").click()
    reviews = plain.get_by_role("region", name="Scotland: ").get_by_role("row").filter(has_text="Departmental reviews")
    assert re.search(
        r"March 2026.*%.* of .*Came late", reviews.filter(has_text="March 2026").first.inner_text(), re.DOTALL
    )
    plain.get_by_label("Show changes of").select_option(label="Dumfries and Galloway")
    plain.get_by_role("button", name="Show").click()
    told = plain.get_by_role("region", name="Dumfries and Galloway: ").get_by_role("row")
    periods = [row.split("\t")[1] for row in told.filter(has_text="Departmental reviews").all_inner_texts()]
    assert {"April 2025 to March 2026", "January to March 2026"} <= set(periods)
    assert "March 2026" not in periods, "no months of an authority"
    assert plain.get_by_role("link", name="All changes as a file").get_attribute("href") == (
        "/releases/2026-03.2/files/changes.csv"
    )
    sign_in(plain, site, "national")
    plain.goto(f"{site.url}/releases/2026-03.2")
    plain.get_by_text("Each change", exact=True).click()
    cells = plain.locator("[aria-labelledby=changes-table] tbody tr").filter(has_text="Departmental reviews").first
    assert "March 2026" in cells.inner_text()
    assert "Came late" in cells.inner_text()
    plain.goto(f"{site.url}/releases/2026-03.1")
    assert "Release 2026-03.2 has it right" in plain.locator("main").inner_text()


def test_every_table_of_figures_can_be_downloaded(plain: Page, site: Site) -> None:
    plain.goto(f"{site.url}/indicators/placement_within_7?period=year-2025-26")
    assert plain.locator(".pb_files").count() == plain.locator("main table").count()
    for path in ("/", f"/authorities/{HEARD[0]}", "/compare/placement_within_7"):
        plain.goto(site.url + path)
        assert plain.locator("main table").count() <= plain.locator(".pb_files").count(), path


def test_a_download_has_the_figures_of_its_table(plain: Page, site: Site) -> None:
    for who in ("public", "national"):
        if who != "public":
            sign_in(plain, site, who)
        plain.goto(f"{site.url}/indicators/orders_imposed?period=year-2025-26")
        address = plain.locator(".pb_files").nth(-2).get_by_role("link", name="CSV").get_attribute("href")
        answer = plain.request.get(site.url + (address or ""))
        assert "attachment" in answer.headers["content-disposition"]
        rows = {row["authority"]: row for row in csv.DictReader(io.StringIO(answer.text()))}
        shown = (
            plain.get_by_role("region", name="By authority").get_by_role("row").filter(has_text="Scotland").inner_text()
        )
        assert f"{float(rows['S92000003']['value']):,.0f}" in shown
        assert len(rows) == 33


def test_figures_say_by_which_definition_and_what_is_still_to_come(plain: Page, site: Site) -> None:
    path = f"{site.url}/indicators/orders_imposed?period=month-2026-03"
    plain.goto(path)
    public = plain.locator(".pb_figure").inner_text()
    assert "Version 1 of the definition" in public
    assert "are likely still to arrive, without 1 authority" in public
    assert "reports)" not in public
    sign_in(plain, site, "national")
    plain.goto(path)
    assert "reports) are likely still to arrive" in plain.locator(".pb_figure").inner_text()


def test_a_proposed_definition_is_marked_and_stands_beside_the_one_in_force(plain: Page, site: Site) -> None:
    path = f"{site.url}/indicators/completion_rate"
    assert plain.request.get(f"{path}?definition=3").status == 404
    sign_in(plain, site, "national")
    plain.goto(path)
    plain.get_by_role("link", name="Figures by version 3").click()
    assert plain.get_by_text("is proposed and not in force").is_visible()
    beside = plain.get_by_role("region", name="Beside the version in force")
    in_force, proposed = (float(text.rstrip("%")) for text in beside.locator("td").all_inner_texts()[:2])
    assert proposed < in_force, "orders transferred out count in it"


def table(*lines: str) -> str:
    """Return a page with a table of eight lines that have nothing wrong, and these."""
    rows = "".join(f"<tr><th scope=row><a href=/{line}>Line {line}</a><td>{line}</tr>" for line in range(8))
    return f"""<!doctype html><html lang=en><title>Lines</title><main><h1>Lines</h1>
    <style>a {{ display: block; padding: 20px }} .pale {{ color: #ddd; background: #fff }}</style>
    <table><thead><tr><th scope=col>Line<th scope=col>Number</thead><tbody>{rows}{"".join(lines)}</tbody></table></main>"""


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ("<tr><th scope=row><a href=/x></a><td>9</tr>", "link-name"),
        ("<tr><th scope=row><a href=/x>Line</a><td class=pale>Nine</tr>", "color-contrast"),
        ("<tr><th scope=row><a href=/x>Line</a><td><input></tr>", "label"),
    ],
    ids=["link", "colour", "field"],
)
def test_a_line_that_is_not_like_the_others_is_looked_at(page: Page, wrong: str, rule: str) -> None:
    """As tests of pages look at two of all lines that are alike."""
    page.set_content(table())
    assert_accessible(page)
    page.set_content(table(wrong))
    with pytest.raises(AssertionError, match=rule):
        assert_accessible(page)

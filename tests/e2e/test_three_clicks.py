"""Whatever somebody comes for is at most three clicks from the front page: on a wide screen, and on a phone, where the menu is one more."""

import re
from collections.abc import Iterator
from functools import cache
from heapq import heappop, heappush
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urldefrag, urljoin

import httpx
import pytest

from contracts.authorities import AUTHORITIES
from tests.e2e.conftest import HEARD, Site

pytestmark = [pytest.mark.parts, pytest.mark.long]

MOST = 3
RELEASE, EARLIER = "2026-03.2", "2026-03.1"
FILES = rf"/releases/{RELEASE}/files"
NAME = rf"{FILES}/community-payback-{RELEASE}"
LEADER = HEARD[1]


class Thing(NamedTuple):
    """Something that somebody comes for: the address that has it, and what must be read there."""

    who: str
    what: str
    address: str
    says: str = ""


THINGS = (
    Thing(
        "inspector",
        "who is worst at placement, and is it noise",
        "/compare/placement_within_7",
        "Below Scotland, outside the 99",
    ),
    Thing("inspector", "since when", "/compare/placement_within_7", 'id="since"'),
    Thing("inspector", "the worst first", r"/compare/placement_within_7\?.*sort=value", 'aria-sort="ascending"'),
    Thing("inspector", "the figures compared", r".*/placement_within_7/figures\.csv\?.*by=authority"),
    Thing("inspector", "how complete it is", "/quality", "authorities complete"),
    Thing("leader", "each standard in my area", f"/authorities/{LEADER}", r"standards on which .* can be compared"),
    Thing("leader", "what moved this quarter", f"/authorities/{LEADER}", r"This (quarter|year) against the last"),
    Thing("leader", "one standard of my area", rf"/indicators/first_contact_within_1\?area={LEADER}.*", "By quarter"),
    Thing("analyst", "everything in one file", rf"{NAME}\.zip"),
    Thing("analyst", "Parquet", rf"{NAME}\.parquet"),
    Thing("analyst", "Excel", rf"{NAME}-by-year\.xlsx"),
    Thing("analyst", "OpenDocument", rf"{NAME}-by-year\.ods"),
    Thing("analyst", "JSON-stat", rf"{NAME}-by-year\.jsonstat\.json"),
    Thing("analyst", "a whole series", rf"{FILES}/data/placement_within_7\.csv"),
    Thing("analyst", "what the columns mean", rf"{FILES}/data-dictionary\.csv"),
    Thing("analyst", "the description of the CSV files", rf"{FILES}/csv-metadata\.json"),
    Thing("analyst", "the API", "/docs", "Try it"),
    Thing("analyst", "its whole description", r"/openapi\.json"),
    Thing("analyst", "the code lists", "/v1/codes"),
    Thing("analyst", "the catalogue", r"/data/catalogue\.jsonld"),
    Thing("journalist", "what is new", f"/releases/{RELEASE}", 'id="changes"'),
    Thing("journalist", "what to quote", f"/releases/{RELEASE}", "Courts imposed"),
    Thing("journalist", "how to cite it", f"/releases/{RELEASE}", "Cite this"),
    Thing("journalist", "all changes", rf"{FILES}/changes\.csv"),
    Thing("journalist", "the release before", f"/releases/{EARLIER}", "Something in it was wrong|has it right"),
    Thing("journalist", "when the next comes", "/releases", "Releases to come"),
    Thing("journalist", "the feed", r"/releases/feed\.atom"),
    Thing("journalist", "the calendar", r"/releases/calendar\.ics"),
    Thing("journalist", "whom to ask", "/about", 'href="mailto:'),
    Thing("journalist", "a chart to print", r"/indicators/placement_within_7/chart\.png.*"),
    Thing("journalist", "a chart to draw on", r"/compare/placement_within_7/chart\.svg.*"),
    Thing("public", "what an order is", "/about", "instead of a prison sentence"),
    Thing("public", "whether it works", "/about", "Is it working"),
    Thing("public", "how my area does", f"/authorities/{LEADER}", AUTHORITIES[LEADER].name),
    Thing("public", "how figures are made", "/about", 'id="method"'),
    Thing("public", "what is not shown", "/about", 'id="hidden"'),
    Thing("public", "the accessibility statement", "/about", 'id="accessibility"'),
    Thing("public", "the indicators", "/indicators", "Word in an indicator"),
    Thing("authority", "my own figures", "/sign-in", "Signed in, you see"),
)


class Links(HTMLParser):
    """The links of a page, each with its clicks: one, and one more for each thing that must be opened before."""

    def __init__(self, *, narrow: bool) -> None:
        super().__init__()
        self.found: list[tuple[str, int]] = []
        self._narrow = narrow
        self._closed: list[bool] = []
        self._in_menu = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "details":
            self._closed.append("open" not in given)
        elif tag == "nav" and given.get("aria-label") == "Main":
            self._in_menu = True
        elif tag == "a" and given.get("href") and self._is_there():
            self.found.append((given["href"] or "", 1 + sum(self._closed)))

    def handle_endtag(self, tag: str) -> None:
        if tag == "details":
            self._closed.pop()
        elif tag == "nav":
            self._in_menu = False

    def _is_there(self) -> bool:
        """Return whether this screen has the link: of the main navigation, phones have what is in the menu, and others the row."""
        return not self._in_menu or bool(self._closed) is self._narrow


@pytest.fixture(scope="module")
def web(site: Site) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site.url, timeout=300, follow_redirects=True, headers={"Accept": "text/html"}) as client:
        client.get(f"/v1/releases/{RELEASE}/files").raise_for_status()  # made for the first who asks
        yield client


LOOKED_AT = {f"/authorities/{LEADER}", "/indicators/placement_within_7", "/compare/placement_within_7"}
"""Pages of their kinds that are read for their links; of other kinds, the first."""


def kind_of(address: str) -> str:
    """Return what is the same of all pages of a kind."""
    path = address.split("?", maxsplit=1)[0]
    return path if path in LOOKED_AT else re.sub(r"(indicators|authorities|compare)/.*", r"\1/", path)


@cache
def clicks(web: httpx.Client, narrow: bool) -> dict[str, int]:
    """Return each address that can be reached from the front page, with the fewest clicks. One page of each kind is read for its links."""
    best, waiting, read = dict[str, int](), [(0, "/")], set[str]()
    while waiting:
        so_far, address = heappop(waiting)
        if best.get(address, MOST + 1) <= so_far:
            continue
        best[address] = so_far
        if so_far == MOST or kind_of(address) in read or not is_page(address):
            continue
        read.add(kind_of(address))
        links = Links(narrow=narrow)
        links.feed(web.get(address).raise_for_status().text)
        for href, more in links.found:
            to = urldefrag(urljoin(address, href)).url
            if to.startswith("/") and so_far + more <= MOST:
                heappush(waiting, (so_far + more, to))
    return best


def is_page(address: str) -> bool:
    path = address.split("?", maxsplit=1)[0]
    return not path.startswith("/v1/") and "." not in path.rpartition("/")[2].replace(RELEASE, "").replace(EARLIER, "")


@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "phone"])
@pytest.mark.parametrize("thing", THINGS, ids=lambda each: f"{each.who}-{each.what}".replace(" ", "_"))
def test_it_is_within_three_clicks(web: httpx.Client, thing: Thing, narrow: bool) -> None:
    found = {to: count for to, count in clicks(web, narrow).items() if is_at(thing.address, to)}
    assert found, f"{thing.what} is further than {MOST} clicks away"
    address = min(found, key=lambda each: (found[each], each))
    answer = web.get(address)
    assert answer.is_success, address
    assert re.search(thing.says, answer.text), address


def is_at(wanted: str, address: str) -> bool:
    """Return whether an address is the wanted one, with any query."""
    return any(re.fullmatch(wanted, each) for each in (address, address.split("?", maxsplit=1)[0]))


def test_a_link_that_must_be_opened_first_costs_a_click_more() -> None:
    page = (
        '<nav aria-label="Main"><ul><a href="/row">x</a></ul><details><summary>Menu</summary><a href="/menu">x</a></details></nav>'
        '<a href="/here">x</a><details><details open><a href="/closed">x</a></details></details>'
    )
    told = {}
    for narrow in (False, True):
        links = Links(narrow=narrow)
        links.feed(page)
        told[narrow] = links.found
    assert told == {
        False: [("/row", 1), ("/here", 1), ("/closed", 2)],
        True: [("/menu", 2), ("/here", 1), ("/closed", 2)],
    }

"""The service in front of a browser, on made-up figures, with two releases: made once for all tests of the pages."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, ViewportSize

from contracts.authorities import AUTHORITIES
from contracts.cells import Cell, Position, encode_aggregate
from contracts.periods import months_between
from deploy.local.process import free_ports
from services.chassis.api.auth import Identity, Keys, generate_keys, mint
from services.chassis.clock import FixedClock
from services.chassis.database import engine
from services.chassis.metrics import new_registry
from services.chassis.settings import DatabaseSettings, SiteSettings, TokenSettings
from services.chassis.streaming.batches import Slice, SourceIdentity, TopicPartition
from services.reporting.app import build
from services.reporting.ingest.worker import Aggregates
from services.reporting.releases import announcing, publication
from services.reporting.releases.publication import Correction
from services.reporting.settings import SCHEMA, ApiSettings
from tests.integration.reporting.conftest import Message, cell, taken
from tests.support.made.proposals import propose
from tests.support.made.released_monthly import cells_of

NOW = datetime(2026, 5, 10, 9, tzinfo=UTC)
SOURCE = TopicPartition("national.aggregates", 0)
HEARD = list(AUTHORITIES)[:6]
MISSING = "Glasgow City"
NOTICE = "Dumfries and Galloway sent reviews of March late."
USUAL = ViewportSize(width=1280, height=720)
WRONG = "Reviews of March in Dumfries and Galloway were counted without those sent late."


class Site(NamedTuple):
    """Where the pages are, and who may sign in."""

    url: str
    tokens: dict[str, str]


@pytest.fixture(scope="session")
def site(migrated: Callable[[], str]) -> Iterator[Site]:
    """Yield the service on made-up figures, with one release."""
    url, keys = migrated(), generate_keys()
    settings = DatabaseSettings(url=url, schema_name=SCHEMA)
    database = engine(settings)
    worker, clock = Aggregates(database), FixedClock(NOW)
    worker.start({SOURCE: SourceIdentity("cluster", "topic")})
    cells = cells_of(1, date(2025, 4, 1), 13, len(HEARD))
    shown = [
        Position(service, code, 1, 1, {f"orders.events.{code}/0": 1}, NOW)
        for code in HEARD
        for service in ("orders", "unpaid_work")
    ]
    cells += reports()
    cells += [heard for each in shown for heard in taken(each)]
    messages = [Message(index, encode_aggregate(each)) for index, each in enumerate([*cells, *shown])]
    worker.process([Slice(*SOURCE, messages)])
    for note in (None, NOTICE):
        name = publication.make(database, date(2026, 3, 1), date(2026, 5, 9), clock, note)
        publication.publish(database, name, clock, Correction("2026-03.1", WRONG) if note else None)
        clock.move(timedelta(hours=1))
        late = cell("reviews", HEARD[1], "2026-03", "on_time", 20 + reviews(cells), "2026-05-09", version=9)
        worker.process([Slice(*SOURCE, [Message(len(messages), encode_aggregate(late))])])
        messages.append(Message(len(messages), b""))
    announcing.announce(database, date(2026, 4, 1), date(2026, 6, 9), clock)
    announcing.change(database, date(2026, 4, 1), date(2026, 6, 11), "An authority answers late.", clock)
    (port,) = free_ports(1)
    api = ApiSettings(
        database=settings,
        tokens=TokenSettings(public_key=keys.public, development=True),
        site=SiteSettings(simulated=True, insecure_cookie=True),
    )
    server = uvicorn.Server(uvicorn.Config(build(api, database, new_registry(), clock), port=port, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.05)
    with pytest.MonkeyPatch.context() as patch:
        propose(patch)
        yield Site(f"http://127.0.0.1:{port}", tokens(keys))
    server.should_exit = True
    thread.join()
    database.dispose()


def reviews(cells: list[Cell]) -> int:
    """Return how many reviews the second authority held on time in March."""
    found = [c.value for c in cells if (c.measure, c.category, c.authority) == ("reviews", "on_time", HEARD[1])]
    return found[11]


def reports() -> list[Cell]:
    """Return two years of how long reports took."""
    bands = {"to_1_day": 400, "to_7_days": 80, "to_1_month": 50, "to_3_months": 20}
    return [
        cell("reporting_delay", code, f"{month:%Y-%m}", f"delay_band={band}", count)
        for code in HEARD[:5]
        for month in months_between(date(2024, 5, 1), date(2026, 4, 1))
        for band, count in bands.items()
    ]


def tokens(keys: Keys) -> dict[str, str]:
    people = {
        "national": Identity("analyst", frozenset({"national:read"})),
        "authority": Identity("manager", frozenset({"orders:read"}), HEARD[0]),
    }
    return {
        name: mint(keys.private, who, timedelta(hours=1), lambda: datetime.now(UTC)) for name, who in people.items()
    }


@pytest.fixture(scope="module")
def _scripted(browser: Browser) -> Iterator[Page]:
    with browser.new_context() as context:
        yield context.new_page()


@pytest.fixture(scope="module")
def _plain(browser: Browser) -> Iterator[Page]:
    with browser.new_context(java_script_enabled=False) as context:
        yield context.new_page()


@pytest.fixture
def page(_scripted: Page) -> Page:
    """Return a page of somebody who has not signed in; files of the site may be in the browser already."""
    return as_new(_scripted)


@pytest.fixture
def plain(_plain: Page) -> Page:
    """Return the same in a browser that runs no scripts."""
    return as_new(_plain)


@pytest.fixture
def fresh(browser: Browser) -> Iterator[Page]:
    """Yield a page in a browser that runs no scripts and has nothing of the site."""
    with browser.new_context(java_script_enabled=False) as context:
        yield context.new_page()


def as_new(page: Page, size: ViewportSize = USUAL) -> Page:
    """Leave nothing of what was done with a page before: to make another takes more than most tests do with it."""
    page.goto("about:blank")
    page.context.clear_cookies()
    page.set_viewport_size(size)
    page.emulate_media(media="screen")
    return page


def sign_in(page: Page, site: Site, who: str) -> None:
    page.goto(f"{site.url}/sign-in")
    page.get_by_label("Token").fill(site.tokens[who])
    page.get_by_role("button", name="Sign in").click()

"""Signing in by a provider, in a browser: in, the list of sessions, out, and an old cookie is worth nothing."""

import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple

import httpx
import pytest
import uvicorn
from playwright.sync_api import Page

from deploy.local.process import free_ports
from services.chassis.database import engine
from services.chassis.metrics import new_registry
from services.chassis.settings import DatabaseSettings
from services.reporting.app import build
from services.reporting.settings import SCHEMA, ApiSettings
from tests.support.outside.oidc import provider
from tests.support.processes import until


class Site(NamedTuple):
    """Where the pages are, and where people sign in."""

    url: str
    issuer: str


@pytest.fixture(scope="module")
def site(migrated: Callable[[], str]) -> Iterator[Site]:
    """Yield the figures without a release, and a provider that knows them."""
    (port,) = free_ports(1)
    url = f"http://localhost:{port}"
    settings = DatabaseSettings(url=migrated(), schema_name=SCHEMA)
    database = engine(settings)
    with provider([url]) as running:
        api = ApiSettings(database=settings, tokens=running.tokens(), oidc=running.site(url))
        server = uvicorn.Server(uvicorn.Config(build(api, database, new_registry()), port=port, log_config=None))
        thread = threading.Thread(target=server.run)
        thread.start()
        until(lambda: server.started, "the figures answer")
        yield Site(url, running.issuer)
        server.should_exit = True
        thread.join()
    database.dispose()


def test_somebody_signs_in_looks_at_their_sessions_and_signs_out(page: Page, site: Site) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site.url}/about")
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("link", name="Sign in with your work account").click()
    assert page.url.startswith(site.issuer)
    page.get_by_label("Account").fill("case worker")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{site.url}/")
    assert "Fife" in page.get_by_role("banner").inner_text()
    page.get_by_role("link", name="Sessions").click()
    assert page.get_by_role("row").count() == 2
    assert "Chrome on Linux (this one)" in page.get_by_role("row").nth(1).inner_text()
    (kept,) = (each for each in page.context.cookies() if each["name"] == "__Host-payback_session")
    assert (kept["httpOnly"], kept["secure"], kept["sameSite"], kept["expires"]) == (True, True, "Strict", -1)
    page.get_by_role("button", name="Sign out").click()
    assert page.get_by_role("banner").get_by_role("link", name="Sign in", exact=True).is_visible()
    again = httpx.get(f"{site.url}/about", headers={"Cookie": f"{kept['name']}={kept['value']}"})
    assert "Sign out" not in again.text
    assert not [address for address in asked if kept["value"] in address or "token" in address or "eyJ" in address]

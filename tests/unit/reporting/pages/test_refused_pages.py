"""Nobody who reads pages is left with JSON: what cannot be shown is said on a page, and programs get the problem as before."""

from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient

from services.chassis.api.auth import generate_keys
from services.chassis.api.problems import MEDIA_TYPE
from services.chassis.database import engine
from services.chassis.metrics import new_registry
from services.chassis.settings import DatabaseSettings, HttpSettings, SiteSettings, TokenSettings
from services.reporting.app import build
from services.reporting.settings import SCHEMA, ApiSettings
from tests.support.asking import InThisThread

AWAY = "postgresql://nobody@127.0.0.1:1/none"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PROGRAM = {"Accept": "*/*"}
Making = Callable[..., TestClient]


@pytest.fixture
def client() -> Iterator[Making]:
    """Yield the site, whose database is away."""
    settings = DatabaseSettings(url=AWAY, schema_name=SCHEMA)
    database = engine(settings)

    def make(**limits: int) -> TestClient:
        told = ApiSettings(
            database=settings,
            tokens=TokenSettings(public_key=generate_keys().public, development=True),
            http=HttpSettings(port=0, **limits),
            site=SiteSettings(simulated=True, insecure_cookie=True),
        )
        return InThisThread(build(told, database, new_registry()), raise_server_exceptions=False)

    yield make
    database.dispose()


def test_who_asks_too_often_is_told_how_long_to_wait(client: Making) -> None:
    site = client(requests_per_minute=1)
    site.get("/nothing-here", headers=BROWSER)
    told = site.get("/nothing-here", headers=BROWSER)
    assert (told.status_code, told.headers["content-type"]) == (429, "text/html; charset=utf-8")
    assert f"Wait {told.headers['Retry-After']} second" in told.text
    assert "default-src 'none'" in told.headers["content-security-policy"]
    assert told.headers["cache-control"] == "no-store"
    assert "<h1" in told.text
    assert "{" not in told.text.split("<main")[1]


@pytest.mark.parametrize("path", ["/indicators", "/releases/2026-08-1/indicators"])
def test_a_database_that_is_away_is_no_riddle(client: Making, path: str) -> None:
    told = client().get(path, headers=BROWSER | {"Accept-Encoding": "identity"})
    assert told.status_code == 503
    assert "Sorry, this page cannot be shown at present" in told.text
    assert told.headers["x-request-id"] in told.text
    assert int(told.headers["content-length"]) == len(told.content)


def test_what_an_address_has_too_much_is_named(client: Making) -> None:
    told = client().get("/indicators?colour=%3Cred%3E", headers=BROWSER)
    assert told.status_code == 422
    assert "colour" in told.text
    assert "<red>" not in told.text


@pytest.mark.parametrize(("path", "headers"), [("/indicators", PROGRAM), ("/v1/releases", BROWSER)])
def test_programs_get_the_problem(client: Making, path: str, headers: dict[str, str]) -> None:
    told = client().get(path, headers=headers)
    assert (told.status_code, told.headers["content-type"]) == (503, MEDIA_TYPE)

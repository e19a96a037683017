"""Nobody who reads the desk is left with JSON: what cannot be shown is said on a page, and programs get the problem."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest
from fastapi.testclient import TestClient

from services.chassis.api.problems import MEDIA_TYPE
from services.chassis.metrics import new_registry
from services.chassis.settings import HttpSettings, TokenSettings
from services.desk.app import build
from services.desk.settings import ApiSettings
from tests.support.desk import keys

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
Making = Callable[..., TestClient]


@pytest.fixture
def desk() -> Iterator[Making]:
    """Yield the desk, behind which nothing answers."""
    with ExitStack() as running:

        def make(**limits: int) -> TestClient:
            settings = ApiSettings(
                tokens=TokenSettings(public_key=keys().public, development=True), http=HttpSettings(port=0, **limits)
            )
            return running.enter_context(TestClient(build(settings, new_registry(), httpx.AsyncClient())))

        yield make


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [("/nowhere", 404, "Page not found"), ("/orders?colour=red", 422, "colour: There is no such query parameter")],
)
def test_an_address_that_cannot_be_answered_is_a_page(desk: Making, path: str, status: int, said: str) -> None:
    told = desk().get(path, headers=BROWSER)
    assert (told.status_code, told.headers["content-type"]) == (status, "text/html; charset=utf-8")
    main = told.text.split("<main")[1]
    assert main.count(said) == 1
    assert "{" not in main


def test_who_asks_too_often_is_told_how_long_to_wait(desk: Making) -> None:
    site = desk(requests_per_minute=1)
    site.get("/nowhere", headers=BROWSER)
    told = site.get("/nowhere", headers=BROWSER)
    assert told.status_code == 429
    assert f"Wait {told.headers['Retry-After']} second" in told.text


def test_programs_get_the_problem(desk: Making) -> None:
    told = desk().get("/nowhere")
    assert (told.status_code, told.headers["content-type"]) == (404, MEDIA_TYPE)

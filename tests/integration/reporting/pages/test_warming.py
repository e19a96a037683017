"""Everything for which the first visitor would wait is made before, and nothing kept for one host is given to another."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, event

from contracts.periods import add_months
from services.chassis.clock import FixedClock
from services.chassis.failures import Away
from services.chassis.settings import SiteSettings
from services.reporting.pages.site import site_of
from services.reporting.releases import announcing, publication
from services.reporting.releases.calendar import first_day
from services.reporting.warming import Warming
from tests.integration.reporting.conftest import NOW
from tests.integration.reporting.nation import LAST, database_settings, published, released_nation

__all__ = ["database_settings", "published", "released_nation"]


class OneLook(Event):
    """Lets the loop go round once."""

    def wait(self, timeout: float | None = None) -> bool:
        self.set()
        return timeout is not None


@contextmanager
def read_cells(database: Engine) -> Iterator[list[str]]:
    """Yield the statements that read cells of releases meanwhile."""
    found: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "public_cells" in statement:
            found.append(statement)

    event.listen(database, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(database, "before_cursor_execute", note)


def test_the_first_visitor_finds_all_cells_read(published: TestClient, database: Engine) -> None:
    app = published.app
    assert isinstance(app, FastAPI)
    warming = Warming(site_of(database, FixedClock(NOW), SiteSettings()))
    with pytest.raises(Away, match="made ready"):
        warming.check()
    with read_cells(database) as before:
        warming.run(app, OneLook())
    warming.check()
    with read_cells(database) as after:
        assert published.get("/").status_code == 200
    assert before
    assert not after


def test_so_do_those_who_come_when_a_held_release_opens(published: TestClient, database: Engine) -> None:
    assert isinstance(published.app, FastAPI)
    clock, month = FixedClock(NOW + timedelta(minutes=1)), add_months(LAST, 1)
    announcing.announce(database, month, first_day(clock()), clock)
    due = publication.hold(database, publication.make(database, month, NOW.date() - timedelta(days=1), clock), clock)
    Warming(site_of(database, clock, SiteSettings())).run(published.app, OneLook())
    clock.move(due - clock())
    name = publication.publish_due(database, clock)
    with read_cells(database) as after:
        assert f"/releases/{name}" in published.get("/").text
    assert not after


def test_what_cannot_be_made_ready_holds_nobody_up(
    published: TestClient, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages are slow once, as they were."""
    assert isinstance(published.app, FastAPI)
    warming = Warming(site_of(database, FixedClock(NOW), SiteSettings()))
    monkeypatch.setattr(published.app, "openapi", lambda: 1 // 0)
    warming.run(published.app, OneLook())
    warming.check()


def test_a_page_is_kept_for_the_host_that_it_names(published: TestClient) -> None:
    """Else whoever asks first by another name would have all others cite it."""
    address = "/releases/2026-03.1"
    assert "elsewhere.example" in published.get(address, headers={"Host": "elsewhere.example"}).text
    assert "elsewhere.example" not in published.get(address).text

"""Addresses of calendars, which anybody may try."""

import httpx
from fastapi.testclient import TestClient

from services.chassis.guarding.guessing import MOST_WRONG
from services.chassis.metrics import new_registry
from services.chassis.settings import TokenSettings
from services.desk.app import build
from services.desk.settings import ApiSettings
from tests.support.asking import in_one_minute
from tests.support.desk import keys


def test_addresses_that_lead_to_no_calendar_are_tried_so_often_and_no_more() -> None:
    """Each is asked of both services, which count what the desk asks; other calendars are read there too."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["Payback-Feed"])
        return httpx.Response(404, json={"detail": "There is no such feed, or it was closed"})

    settings = ApiSettings(tokens=TokenSettings(public_key=keys().public, development=True))
    client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    app = build(settings, new_registry(), client)
    in_one_minute(app)
    with TestClient(app) as site:
        statuses = [site.get(f"/calendar/{number:032}.ics").status_code for number in range(3 * MOST_WRONG)]
    assert statuses == [404] * MOST_WRONG + [429] * 2 * MOST_WRONG
    assert len(asked) == 2 * MOST_WRONG

"""Decisions are taken back wherever they can be, and the desk says of a calendar what the services make of it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from services.chassis.failures import Away
from services.desk.model import Change, Decided
from services.desk.pages.own import SETTINGS, Shown, naming_orders, take_back
from services.desk.platform import Platform, Service
from services.desk.settings import PlatformSettings

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
NOTHING = Decided([], [])


@pytest.mark.parametrize("away", list(Service))
@pytest.mark.parametrize("name", [name for name, setting in SETTINGS.items() if len(setting.services) == 2])
def test_a_service_that_is_away_keeps_nothing_allowed_at_the_other(name: str, away: Service) -> None:
    settings = PlatformSettings()
    port = {Service.ORDERS: settings.orders_url, Service.UNPAID_WORK: settings.unpaid_work_url}
    asked: list[tuple[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if f"{request.url}".startswith(port[away]):
            return httpx.Response(503)
        asked.append((request.method, request.url.path))
        return httpx.Response(200, content=msgspec.json.encode(NOTHING))

    async def take() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            await take_back(Platform(settings, client), "token", name, {})

    with pytest.raises(Away):
        asyncio.run(take())
    assert asked == [("DELETE", f"/v1/own/{name}")]


def decided(*told: tuple[str, int, Any]) -> Decided:
    """Return changes by key and minute, the earliest first, without content where something was taken back."""
    changes = [Change(key, content, "a manager", NOW + timedelta(minutes=at)) for key, at, content in told]
    latest = {change.key: change for change in changes}
    return Decided([change for change in latest.values() if change.content is not None], changes[::-1])


ALLOWED, REFERENCES = {"source": "a lead"}, {"name": "North", "references": True}
COUNTS = {"name": "South", "references": False}


@pytest.mark.parametrize(
    ("allowed", "feeds", "naming"),
    [
        ((), (("a", 1, REFERENCES),), set()),
        ((("references", 0, ALLOWED),), (("a", 1, REFERENCES), ("b", 1, COUNTS), ("c", 1, {"name": "old"})), {"a"}),
        ((("references", 0, ALLOWED), ("references", 2, ALLOWED)), (("a", 1, REFERENCES),), {"a"}),
        ((("references", 0, ALLOWED), ("references", 2, None)), (("a", 1, REFERENCES),), set()),
        (
            (("references", 0, ALLOWED), ("references", 2, None), ("references", 3, ALLOWED)),
            (("a", 1, REFERENCES), ("b", 4, REFERENCES)),
            {"b"},
        ),
    ],
)
def test_a_calendar_names_orders_if_it_was_opened_for_that_while_it_was_allowed(
    allowed: tuple[Any, ...], feeds: tuple[Any, ...], naming: set[str]
) -> None:
    shown = Shown(NOTHING, NOTHING, decided(*feeds), decided(*allowed), NOTHING, apart=False)
    assert naming_orders(shown) == naming

"""Decisions are taken back wherever they can be."""

import asyncio

import httpx
import msgspec
import pytest

from services.chassis.failures import Away
from services.desk.model.decisions import Decided
from services.desk.pages.own import SETTINGS, take_back
from services.desk.platform import Platform, Service
from services.desk.settings import PlatformSettings

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

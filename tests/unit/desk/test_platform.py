"""The desk asks other services for the address that it means, whatever is in the place of a reference."""

import asyncio

import httpx
import pytest

from services.desk.platform import Platform, Service, place
from services.desk.settings import PlatformSettings


def asked(subject: str) -> str:
    """Return the path that a service is asked for."""
    seen: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.raw_path)
        return httpx.Response(200, json={})

    async def ask() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            await Platform(PlatformSettings(), client).ask("token", Service.ORDERS, f"orders/{place(subject)}", object)

    asyncio.run(ask())
    return seen[0].decode()


@pytest.mark.parametrize(
    ("subject", "path"),
    [
        ("CPO/1", "/v1/orders/CPO/1"),
        ("../audit", "/v1/orders/%2E%2E/audit"),
        ("a/../../own/aims", "/v1/orders/a/%2E%2E/%2E%2E/own/aims"),
        (".", "/v1/orders/%2E"),
        ("..%2faudit", "/v1/orders/..%252faudit"),
        ("x?limit=1", "/v1/orders/x%3Flimit%3D1"),
        ("x#y", "/v1/orders/x%23y"),
        ("//elsewhere.example/", "/v1/orders///elsewhere.example/"),
    ],
)
def test_no_reference_leads_to_another_route(subject: str, path: str) -> None:
    assert asked(subject) == path

"""The desk's log names routes and no orders."""

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from services.desk.pages.routes import guarded
from services.desk.platform import Unreadable


def test_an_answer_that_cannot_be_read_is_logged_without_the_order(caplog: pytest.LogCaptureFixture) -> None:
    async def page(*_: object) -> Any:
        raise Unreadable("orders gave an answer that the desk cannot read")

    site: Any = SimpleNamespace(looker=lambda _: None, page=lambda *_, **__: "shown")
    scope = {"route": SimpleNamespace(path="/orders/{subject:path}")}
    request: Any = SimpleNamespace(scope=scope, url=SimpleNamespace(path="/orders/CPO/2025/0001"))

    async def asked() -> Any:
        return await guarded(site, page)(request)

    with caplog.at_level(logging.ERROR):
        assert asyncio.run(asked()) == "shown"
    (line,) = caplog.messages
    assert line == "/orders/{subject:path}: orders gave an answer that the desk cannot read"

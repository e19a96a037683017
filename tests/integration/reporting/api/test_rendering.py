"""Files are written when nothing is read any more, so that whoever has large ones made holds no connection to the database meanwhile."""

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from services.reporting.api import figures, several
from services.reporting.pages import downloads
from tests.integration.reporting.nation import database_settings, published, released_nation

__all__ = ["database_settings", "published", "released_nation"]

ASKED = "by=authority,quarter&from=2025-04&to=2026-03"
ADDRESSES = (
    *(f"/v1/indicators/orders_imposed/data.{each}?{ASKED}" for each in ("xlsx", "csv", "jsonstat", "json")),
    "/v1/data.xlsx?indicator=orders_imposed&area=S92000003&by=quarter&from=2025-04&to=2026-03",
    f"/indicators/orders_imposed/figures.xlsx?{ASKED}",
)


def test_no_connection_is_held_while_a_file_is_written(published: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    app = published.app
    assert isinstance(app, FastAPI)
    held: list[int] = []
    for module in (figures, several, downloads):
        write = module.render

        def render(*given: Any, write: Any = write) -> bytes:
            held.append(app.state.reading.pool.checkedout())
            return bytes(write(*given))

        monkeypatch.setattr(module, "render", render)
    for address in ADDRESSES:
        assert published.get(address).status_code == 200, address
    assert held == [0] * len(ADDRESSES)

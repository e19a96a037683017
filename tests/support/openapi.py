"""What the tests of all OpenAPI documents share: schemathesis on an application, and the headers of callers."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, cast

import schemathesis
from fastapi import FastAPI
from schemathesis.openapi import from_asgi
from schemathesis.python.asgi import ASGIClient, get_client
from schemathesis.schemas import BaseSchema

from services.chassis.api.auth import Identity, generate_keys, mint
from services.chassis.clock import system_clock
from services.chassis.settings import DatabaseSettings, TokenSettings

KEYS = generate_keys()
TOKENS = TokenSettings(public_key=KEYS.public, development=True)
MANY = 1_000_000
"""Requests a minute, so that no limit is met."""
Asked = tuple[ASGIClient, dict[str, str]]


def nowhere(schema: str) -> DatabaseSettings:
    """For what only needs the document."""
    return DatabaseSettings(url="postgresql://nowhere", schema_name=schema)


def schema_of(app: FastAPI, *refused_though_valid: int) -> BaseSchema:
    """The document's operations. Name the statuses that may refuse what the document allows, beside 401 and 403."""
    statuses = ["2xx", "401", "403", *map(str, refused_though_valid)]
    config = {
        "checks": {"positive_data_acceptance": {"expected-statuses": statuses}},
        # Who calls is for the test to say; credentials made up beside would pass for what is wrong with a request.
        "generation": {"with-security-parameters": False},
    }
    return from_asgi("/openapi.json", app, config=schemathesis.Config.from_dict(config))


@contextmanager
def asking(app: FastAPI, caller: Identity | None) -> Iterator[Asked]:
    """The API, and the headers of one caller."""
    headers = {}
    if caller is not None:
        headers["Authorization"] = f"Bearer {mint(KEYS.private, caller, timedelta(hours=1), system_clock)}"
    with get_client(cast(Any, app)) as client:
        yield client, headers

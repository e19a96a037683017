"""A document that is read for its operations leaves no application running."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from tests.support.generated.openapi import schema_of


def test_an_application_ends_once_its_document_is_read() -> None:
    """Else the first test of the process ends it, which fails within the loop of a browser."""
    told = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        told.append("begun")
        yield
        told.append("ended")

    schema_of(FastAPI(lifespan=lifespan))
    assert told == ["begun", "ended"]

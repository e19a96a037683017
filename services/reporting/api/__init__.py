"""The HTTP API, under /v1. Parses requests, asks `answers`, and hands rows to a format; numbers come from the gate only."""

from fastapi import APIRouter
from sqlalchemy import Engine

from services.chassis.clock import Clock
from services.reporting.api import cells, figures, publications, releases, sessions, several, stream
from services.reporting.api.session_store import SessionStore


def routers(database: Engine, clock: Clock, store: SessionStore) -> list[APIRouter]:
    """All routes of the API."""
    return [
        cells.router(database),
        figures.definitions(),
        figures.data(database, clock),
        several.router(database, clock),
        figures.comparisons(database, clock),
        figures.differences(database, clock),
        releases.router(database, clock),
        publications.router(database, clock),
        publications.public_files(database, clock),
        stream.router(database),
        sessions.router(store),
    ]

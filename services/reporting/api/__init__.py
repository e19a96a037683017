"""The HTTP API, under /v1. Parses requests, calls `answers`, and passes rows to a format; only the gate makes numbers."""

from fastapi import APIRouter
from sqlalchemy import Engine

from services.chassis.clock import Clock
from services.reporting.api import cells, changes, figures, publications, releases, sessions, several, stream
from services.reporting.api.session_store import SessionStore


def routers(database: Engine, reading: Engine, clock: Clock, store: SessionStore) -> list[APIRouter]:
    """Return all routes of the API. Figures are read from `reading`; files of releases may have to be made."""
    return [
        figures.definitions(),
        figures.data(reading, clock),
        several.router(reading, clock),
        figures.comparisons(reading, clock),
        figures.differences(reading, clock),
        releases.router(reading, clock),
        changes.figures(database, clock),
        publications.router(database, clock),
        publications.public_files(database, clock),
        stream.router(reading),
        cells.router(reading),
        changes.cells(reading),
        sessions.router(store),
    ]

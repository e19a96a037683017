"""What the orders service answers to an authority about its own orders."""

from collections.abc import Sequence

from fastapi import APIRouter
from sqlalchemy import Engine

from services.records.fold import Domain


def routers(_database: Engine, _domain: Domain) -> Sequence[APIRouter]:
    """The routes beyond intake and mirror."""
    return ()

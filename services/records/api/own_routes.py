"""The routes of both services for an authority's managers, in one list."""

from fastapi import APIRouter

from services.records.api import explaining, management, returns
from services.records.api.decisions import acknowledging, feeds, own_settings
from services.records.api.duties import today
from services.records.api.management import Management
from services.records.api.receipts import following, subscribing


def routers(parts: Management) -> list[APIRouter]:
    """Return the routes, made of the parts of one service."""
    return [
        *management.routers(parts),
        returns.router(parts),
        following.router(parts),
        subscribing.router(parts),
        acknowledging.router(parts),
        *own_settings.routers(parts),
        feeds.router(parts),
        today.router(parts),
        explaining.router(parts),
    ]

"""Decisions of managers. Pure."""

from datetime import datetime
from typing import Any

from msgspec import Struct


class Change(Struct, frozen=True):
    """One decision of a manager."""

    key: str
    content: dict[str, Any] | None
    by: str
    at: datetime
    names_orders: bool | None = None
    """Of a calendar address in force, whether it names orders."""


class Decided(Struct, frozen=True):
    """The entries in force, and all changes, the latest first."""

    now: list[Change]
    changes: list[Change]
